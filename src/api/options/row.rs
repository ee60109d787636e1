//! What the table says of one option.

use std::ffi::c_void;
use std::sync::Arc;

use crate::api::session::{settings_of, with_settings};
use crate::handle::{Handle, Kind, Request, Session};
use crate::machine::Settings;
use crate::win32::*;

/// A set of handle types.
pub(crate) type Handles = u8;
/// No handle at all: NULL, for what belongs to the process.
pub(crate) const PROCESS: Handles = 1;
/// WINHTTP_HANDLE_TYPE_SESSION
pub(crate) const SESSION: Handles = 2;
/// WINHTTP_HANDLE_TYPE_CONNECT
pub(crate) const CONNECTION: Handles = 4;
/// WINHTTP_HANDLE_TYPE_REQUEST
pub(crate) const REQUEST: Handles = 8;
/// WINHTTP_HANDLE_TYPE_PROXY_RESOLVER
pub(crate) const RESOLVER: Handles = 16;
/// WINHTTP_HANDLE_TYPE_WEBSOCKET
pub(crate) const WEB_SOCKET: Handles = 32;
/// Every open handle.
pub(crate) const ANY: Handles = SESSION | CONNECTION | REQUEST | RESOLVER | WEB_SOCKET;

/// The type of an option's value, and with it the sizes that are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Four bytes.
    Dword,
    /// Four bytes: 0 is FALSE.
    Bool,
    /// A pointer or handle.
    Pointer(&'static str),
    /// UTF-16: set with a length in characters, queried with one in bytes.
    Text,
    /// UTF-16 whose lengths are bytes both ways.
    WideBytes,
    /// A structure of so many bytes.
    Struct(&'static str, usize),
    /// A buffer whose length the effect judges.
    Bytes(&'static str),
    /// No value: NULL and 0.
    Nothing,
    /// No page says.
    Unknown,
}

impl Shape {
    /// The only length that SetOption takes, if there is one.
    fn size(self) -> Option<usize> {
        match self {
            Shape::Dword | Shape::Bool => Some(4),
            Shape::Pointer(_) => Some(size_of::<usize>()),
            Shape::Struct(_, size) => Some(size),
            Shape::Text | Shape::WideBytes | Shape::Bytes(_) | Shape::Nothing | Shape::Unknown => None,
        }
    }
}

/// What an option reads as.
pub(crate) enum Value {
    Dword(u32),
    Pointer(usize),
    Text(String),
    Bytes(Vec<u8>),
    /// Bytes that bring something which the application must free; who cannot take them gives it back.
    #[cfg_attr(not(feature = "win32"), allow(dead_code))]
    BorrowedBuffer(Vec<u8>, TakeBack),
}

/// Frees what was to be lent.
pub(crate) type TakeBack = Box<dyn FnOnce()>;

/// What the application sets; its size fits the row.
#[derive(Debug)]
pub(crate) struct Given<'a> {
    /// The caller's pointer; NULL is a value for some.
    #[cfg_attr(not(feature = "win32"), allow(dead_code))]
    pub pointer: *const c_void,
    /// Its bytes; empty for text.
    pub bytes: &'a [u8],
    /// Text without its NUL.
    pub text: &'a [u16],
}

impl Given<'_> {
    /// A DWORD or BOOL.
    pub fn dword(&self) -> u32 {
        self.bytes.first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes))
    }

    /// A BOOL.
    pub fn is_true(&self) -> bool {
        self.dword() != 0
    }

    /// A pointer or handle.
    pub fn address(&self) -> usize {
        self.bytes.first_chunk().map_or(0, |bytes| usize::from_ne_bytes(*bytes))
    }

    /// Text, lone surrogates replaced.
    pub fn string(&self) -> String {
        String::from_utf16_lossy(self.text)
    }
}

/// Whose option it is.
pub(crate) struct Subject {
    /// `None`: the process.
    pub handle: Option<Arc<Handle>>,
}

impl Subject {
    /// Its type, as a set of one.
    pub fn kind(&self) -> Handles {
        match self.handle.as_deref().map(Handle::kind) {
            None => PROCESS,
            Some(Kind::Session(_)) => SESSION,
            Some(Kind::Connection(_)) => CONNECTION,
            Some(Kind::Request(_)) => REQUEST,
            Some(Kind::Resolver(_)) => RESOLVER,
            Some(Kind::WebSocket(_)) => WEB_SOCKET,
        }
    }

    /// The handle; ERROR_INVALID_HANDLE for the process.
    pub fn handle(&self) -> Result<&Arc<Handle>, Win32Error> {
        self.handle.as_ref().ok_or(ERROR_INVALID_HANDLE)
    }

    /// The session; ERROR_WINHTTP_INCORRECT_HANDLE_TYPE for what is none.
    pub fn session(&self) -> Result<&Session, Win32Error> {
        self.handle()?.as_session()
    }

    /// The request; ERROR_WINHTTP_INCORRECT_HANDLE_TYPE for what is none.
    pub fn request(&self) -> Result<&Request, Win32Error> {
        self.handle()?.as_request()
    }

    /// The settings of a session or request; those of its session for a connection, which has none of its own.
    pub fn settings<R>(&self, act: impl FnOnce(&mut Settings) -> R) -> Result<R, Win32Error> {
        with_settings(self.owner()?, act)
    }

    /// Who has them.
    fn owner(&self) -> Result<&Arc<Handle>, Win32Error> {
        let handle = self.handle()?;
        Ok(match (handle.kind(), handle.parent()) {
            (Kind::Connection(_), Some(session)) => session,
            _ => handle,
        })
    }
}

/// How an option is read.
#[derive(Clone, Copy)]
pub(crate) enum Get {
    /// Not at all: ERROR_INVALID_PARAMETER.
    Never,
    /// From the settings, which requests copy from their session.
    Setting(fn(&Settings) -> u32),
    /// From the handle.
    Of(fn(&Subject) -> Result<Value, Win32Error>),
    /// From the handle, by what stands in the caller's buffer.
    Keyed(fn(&Subject, &[u8]) -> Result<Value, Win32Error>),
}

/// How an option is set.
#[derive(Clone, Copy)]
pub(crate) enum Put {
    /// Not at all: ERROR_WINHTTP_OPTION_NOT_SETTABLE.
    Never,
    /// In the settings, any value.
    Setting(fn(&mut Settings, u32)),
    /// By a rule of its own.
    To(fn(&Subject, &Given<'_>) -> Result<(), Win32Error>),
}

/// Where it stands what an option is before anybody sets it.
#[derive(Clone, Copy)]
pub(crate) enum DefaultValue {
    /// Nowhere.
    Unsaid,
    /// In the row.
    Words(&'static str),
    /// In the default settings.
    Setting(fn(&Settings) -> u32),
    /// Elsewhere.
    Made(fn() -> String),
}

/// What became of an option here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It has its effect.
    Implemented,
    /// It is accepted and nothing follows, as on Windows.
    Ignored,
    /// It is unknown, as on a Windows that lacks it: Set 12009, Query 87.
    Absent,
}

/// An option: one row of the table.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// WINHTTP_OPTION_*
    pub number: u32,
    /// Its name.
    pub name: &'static str,
    /// The type of its value.
    pub shape: Shape,
    /// The handles that can be asked for it.
    pub query: Handles,
    /// The handles on which it can be set.
    pub set: Handles,
    /// How it is read.
    pub get: Get,
    /// How it is set.
    pub put: Put,
    /// What a value of another size is answered with.
    pub wrong_size: Win32Error,
    /// Whether a request copies it from its session when it is opened.
    pub inherited: bool,
    /// What it is before anybody sets it.
    pub default: DefaultValue,
    /// Whether it is here.
    pub status: Status,
    /// What the table must say beside that.
    pub note: &'static str,
}

/// The beginning of a row: the name gives the number.
macro_rules! option {
    ($name:ident: $shape:expr) => {
        $crate::api::options::row::Row::new($crate::win32::$name, stringify!($name), $shape)
    };
}
pub(crate) use option;

impl Row {
    /// An option that is not here until [`Row::query`] or [`Row::set`] gives it an effect.
    pub const fn new(number: u32, name: &'static str, shape: Shape) -> Row {
        Row {
            number,
            name,
            shape,
            query: 0,
            set: 0,
            get: Get::Never,
            put: Put::Never,
            wrong_size: ERROR_INSUFFICIENT_BUFFER,
            inherited: false,
            default: DefaultValue::Unsaid,
            status: Status::Absent,
            note: "",
        }
    }

    /// Can be read from these handles.
    pub const fn query(mut self, handles: Handles, get: Get) -> Row {
        self.query = handles;
        self.get = get;
        self.status = Status::Implemented;
        self
    }

    /// Can be set on these handles.
    pub const fn set(mut self, handles: Handles, put: Put) -> Row {
        self.set = handles;
        self.put = put;
        self.status = Status::Implemented;
        self
    }

    /// Is accepted on these handles; that nothing follows is Windows' behaviour.
    pub const fn ignored(mut self, handles: Handles, why: &'static str) -> Row {
        self.set = handles;
        self.put = Put::To(|_, _| Ok(()));
        self.status = Status::Ignored;
        self.note(why)
    }

    /// Is not here; on Windows it can be read from, and set on, these handles.
    pub const fn absent(mut self, query: Handles, set: Handles, why: &'static str) -> Row {
        self.query = query;
        self.set = set;
        self.note(why)
    }

    /// A wrong size is ERROR_INVALID_PARAMETER.
    pub const fn strict(mut self) -> Row {
        self.wrong_size = ERROR_INVALID_PARAMETER;
        self
    }

    /// A request copies it from its session.
    pub const fn inherited(mut self) -> Row {
        self.inherited = true;
        self
    }

    /// What it is before anybody sets it, of one that is neither a setting nor made by a type here: words.
    pub const fn default(mut self, words: &'static str) -> Row {
        self.default = DefaultValue::Words(words);
        self
    }

    /// The same, read off the default settings; of a [`Get::Setting`] that is known.
    pub const fn default_setting(mut self, read: fn(&Settings) -> u32) -> Row {
        self.default = DefaultValue::Setting(read);
        self
    }

    /// The same, as text.
    pub const fn default_made(mut self, make: fn() -> String) -> Row {
        self.default = DefaultValue::Made(make);
        self
    }

    /// A note for the table.
    pub const fn note(mut self, note: &'static str) -> Row {
        self.note = note;
        self
    }

    /// What it is before anybody sets it, as text.
    pub fn default_text(&self) -> String {
        let setting = match (self.get, self.default) {
            (Get::Setting(read), _) | (_, DefaultValue::Setting(read)) => read(&Settings::default()),
            (_, DefaultValue::Unsaid) => return String::new(),
            (_, DefaultValue::Words(words)) => return words.to_owned(),
            (_, DefaultValue::Made(make)) => return make(),
        };
        match (self.shape, setting != 0) {
            (Shape::Bool, is) => if is { "TRUE" } else { "FALSE" }.to_owned(),
            (Shape::Nothing | Shape::Struct(..), is) => if is { "on" } else { "off" }.to_owned(),
            _ => setting.to_string(),
        }
    }

    /// Whether it is unknown here.
    pub fn is_absent(&self) -> bool {
        self.status == Status::Absent
    }

    /// Reads it. `input`: the caller's buffer as it is, for [`Get::Keyed`].
    pub fn read(&self, subject: &Subject, input: &[u8]) -> Result<Value, Win32Error> {
        if self.is_absent() || matches!(self.get, Get::Never) {
            return Err(ERROR_INVALID_PARAMETER);
        }
        if self.query & subject.kind() == 0 {
            return Err(subject.handle().err().unwrap_or(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE));
        }
        match self.get {
            Get::Never => Err(ERROR_INVALID_PARAMETER),
            Get::Setting(read) => settings_of(subject.owner()?).map(|settings| Value::Dword(read(&settings))),
            Get::Of(read) => read(subject),
            Get::Keyed(read) => read(subject, input),
        }
    }

    /// Whether it can be set on this handle: only then its value is looked at.
    pub fn settable(&self, subject: &Subject) -> Result<(), Win32Error> {
        if self.is_absent() {
            return Err(ERROR_WINHTTP_INVALID_OPTION);
        }
        if matches!(self.put, Put::Never) {
            return Err(ERROR_WINHTTP_OPTION_NOT_SETTABLE);
        }
        if self.set & subject.kind() == 0 {
            return Err(subject.handle().err().unwrap_or(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE));
        }
        Ok(())
    }

    /// Sets it, where it is [settable](Row::settable).
    pub fn write(&self, subject: &Subject, given: &Given<'_>) -> Result<(), Win32Error> {
        if self.shape.size().is_some_and(|size| size != given.bytes.len()) {
            return Err(self.wrong_size);
        }
        match self.put {
            Put::Never => Err(ERROR_WINHTTP_OPTION_NOT_SETTABLE),
            Put::Setting(write) => subject.settings(|settings| write(settings, given.dword())),
            Put::To(write) => write(subject, given),
        }
    }
}
