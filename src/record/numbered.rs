//! Windows' numbers in JSON: `{"number":12029,"name":"ERROR_WINHTTP_CANNOT_CONNECT"}`.
//!
//! The number counts. A name that contradicts it is refused; an unknown number has no name.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::{Api, Status};
use crate::win32::Win32Error;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbered<'a> {
    number: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
}

macro_rules! numbered {
    ($($type:ident),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Numbered { number: self.0, name: self.name().map(Cow::Borrowed) }.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                let Numbered { number, name: given } = Numbered::deserialize(deserializer)?;
                match ($type(number).name(), given) {
                    (Some(name), Some(given)) if name != given => {
                        Err(D::Error::custom(format_args!("number {number} is {name}, not {given}")))
                    }
                    _ => Ok($type(number)),
                }
            }
        }
    )*};
}

numbered!(Api, Status, Win32Error);
