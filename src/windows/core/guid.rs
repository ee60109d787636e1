//! GUID: 128 bits that name something.

use std::fmt;

use super::param::{CopyType, TypeKind};
use super::{Error, HRESULT, Result};

/// E_INVALIDARG
const INVALID_ARGUMENT: HRESULT = HRESULT::from_win32(0x8007_0057);

/// A globally unique identifier, laid out as in guiddef.h.
#[repr(C)]
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct GUID {
    /// The first eight digits.
    pub data1: u32,
    /// The next four.
    pub data2: u16,
    /// The next four.
    pub data3: u16,
    /// The last sixteen.
    pub data4: [u8; 8],
}

impl GUID {
    /// A random one, of version 4.
    pub fn new() -> Result<GUID> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| Error::new(HRESULT::from_win32(1), error.to_string()))?;
        let random = u128::from_be_bytes(bytes);
        let (version, variant) = (0xF << 76, 0b11 << 62);
        Ok(GUID::from_u128((random & !version & !variant) | (4 << 76) | (0b10 << 62)))
    }

    /// All bits 0.
    pub const fn zeroed() -> GUID {
        GUID::from_u128(0)
    }

    /// One of these parts.
    pub const fn from_values(data1: u32, data2: u16, data3: u16, data4: [u8; 8]) -> GUID {
        GUID { data1, data2, data3, data4 }
    }

    /// One whose digits are those of the number.
    pub const fn from_u128(number: u128) -> GUID {
        GUID {
            data1: (number >> 96) as u32,
            data2: (number >> 80) as u16,
            data3: (number >> 64) as u16,
            data4: (number as u64).to_be_bytes(),
        }
    }

    /// The number of these digits.
    pub const fn to_u128(&self) -> u128 {
        let head = ((self.data1 as u128) << 96) | ((self.data2 as u128) << 80) | ((self.data3 as u128) << 64);
        head | u64::from_be_bytes(self.data4) as u128
    }
}

impl From<u128> for GUID {
    fn from(number: u128) -> GUID {
        GUID::from_u128(number)
    }
}

impl From<GUID> for u128 {
    fn from(guid: GUID) -> u128 {
        guid.to_u128()
    }
}

impl TryFrom<&str> for GUID {
    type Error = Error;

    /// Reads `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`; E_INVALIDARG for anything else.
    fn try_from(text: &str) -> Result<GUID> {
        let hyphens = [8, 13, 18, 23];
        let well_formed = text.len() == 36
            && text.bytes().enumerate().all(|(place, byte)| match hyphens.contains(&place) {
                true => byte == b'-',
                false => byte.is_ascii_hexdigit(),
            });
        let digits = text.replace('-', "");
        let number = u128::from_str_radix(&digits, 16).ok().filter(|_| well_formed);
        number.map(GUID::from_u128).ok_or_else(|| INVALID_ARGUMENT.into())
    }
}

impl fmt::Debug for GUID {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.to_u128();
        let (fourth, last) = ((number >> 48) as u16, number & 0xFFFF_FFFF_FFFF);
        write!(f, "{:08X}-{:04X}-{:04X}-{fourth:04X}-{last:012X}", self.data1, self.data2, self.data3)
    }
}

impl TypeKind for GUID {
    type TypeKind = CopyType;
}
