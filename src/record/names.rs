//! Names instead of addresses: `S1`, `R2`, `ctx1`, `buf3`.

use std::collections::HashMap;

/// What a handle is, for its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum HandleKind {
    /// Of `WinHttpOpen`: `S1`.
    Session,
    /// Of `WinHttpConnect`: `C1`.
    Connection,
    /// Of `WinHttpOpenRequest`: `R1`.
    Request,
    /// Of `WinHttpWebSocketCompleteUpgrade`: `W1`.
    WebSocket,
    /// Of `WinHttpCreateProxyResolver`: `P1`.
    Resolver,
}

impl HandleKind {
    /// What the function makes, by its exact name; `None` for a function that makes no handle.
    pub fn made_by(function: &str) -> Option<HandleKind> {
        match function {
            "WinHttpOpen" => Some(HandleKind::Session),
            "WinHttpConnect" => Some(HandleKind::Connection),
            "WinHttpOpenRequest" => Some(HandleKind::Request),
            "WinHttpWebSocketCompleteUpgrade" => Some(HandleKind::WebSocket),
            "WinHttpCreateProxyResolver" => Some(HandleKind::Resolver),
            _ => None,
        }
    }

    fn letter(self) -> &'static str {
        match self {
            HandleKind::Session => "S",
            HandleKind::Connection => "C",
            HandleKind::Request => "R",
            HandleKind::WebSocket => "W",
            HandleKind::Resolver => "P",
        }
    }
}

/// Gives handles, contexts and buffers short names, in the order in which they appear.
///
/// ```
/// use portable_winhttp::record::{HandleKind, Names};
/// let mut names = Names::default();
/// assert_eq!(names.created(0x7f00, HandleKind::Request), "R1");
/// assert_eq!(names.created(0x7f00, HandleKind::Request), "R2"); // the value was used again for a new handle
/// assert_eq!(names.handle(0x7f00), "R2");
/// ```
#[derive(Clone, Default, Debug)]
pub struct Names {
    handles: HashMap<usize, String>,
    contexts: HashMap<usize, String>,
    buffers: HashMap<usize, String>,
    given: HashMap<&'static str, u32>,
}

impl Names {
    /// Registers a new handle and returns its name, even if the same value had a name before.
    pub fn created(&mut self, handle: usize, kind: HandleKind) -> String {
        let name = next(&mut self.given, kind.letter());
        self.handles.insert(handle, name.clone());
        name
    }

    /// The name of a handle: `NULL` for 0, and `H1`... for one that was never registered.
    pub fn handle(&mut self, handle: usize) -> String {
        named(&mut self.handles, &mut self.given, handle, "NULL", "H")
    }

    /// Forgets a handle, a context or a buffer that nobody speaks of any more.
    pub fn forget(&mut self, value: usize) {
        self.handles.remove(&value);
    }

    /// How many names are remembered.
    pub fn len(&self) -> usize {
        self.handles.len() + self.contexts.len() + self.buffers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of a context; `0` for 0.
    pub fn context(&mut self, context: usize) -> String {
        named(&mut self.contexts, &mut self.given, context, "0", "ctx")
    }

    /// The name of the buffer at an address; `NULL` for 0.
    pub fn buffer(&mut self, address: usize) -> String {
        named(&mut self.buffers, &mut self.given, address, "NULL", "buf")
    }
}

fn named(
    known: &mut HashMap<usize, String>,
    given: &mut HashMap<&'static str, u32>,
    value: usize,
    zero: &str,
    prefix: &'static str,
) -> String {
    if value == 0 {
        return zero.to_owned();
    }
    known.entry(value).or_insert_with(|| next(given, prefix)).clone()
}

fn next(given: &mut HashMap<&'static str, u32>, prefix: &'static str) -> String {
    let count = given.entry(prefix).or_default();
    *count += 1;
    format!("{prefix}{count}")
}
