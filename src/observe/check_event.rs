//! What functions and handles tell beside calls, returns and notifications, for whoever looks for mistakes.

use crate::record::Operation;

/// Something that only a checker of mistakes wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckEvent {
    /// An asynchronous operation begins; `heard`: a callback wants its end; `room`: bytes of its buffer.
    Begins {
        /// The operation.
        operation: Operation,
        /// Whether its completion, or its REQUEST_ERROR, is in the mask.
        heard: bool,
        /// Bytes of the buffer.
        room: u32,
    },
    /// An operation was refused because this one is pending on its side.
    Busy {
        /// The refused operation.
        operation: Operation,
        /// The pending one.
        pending: Operation,
    },
    /// The handle is the parent of a new one.
    Child {
        /// The new one.
        handle: usize,
        /// Its context.
        context: usize,
    },
    /// A context is bound to the handle.
    Bound(usize),
    /// The program says that it made this context.
    Allocated(usize),
    /// The program says that it freed this context.
    Freed(usize),
    /// This function got an out parameter in asynchronous mode.
    OutParameter(&'static str),
    /// The variable of that parameter was gone when the value came.
    OutParameterGone(Operation),
    /// The handle's machine has taken a step; `silent`: nothing is carried out, and nobody is told.
    Stepped {
        /// Whether nothing comes of it yet.
        silent: bool,
    },
    /// The handle has a reference less: itself, a child, or a call that held it open.
    Released,
    /// The handle is being closed; `told`: HANDLE_CLOSING is in the mask of a callback.
    Closes {
        /// Whether HANDLE_CLOSING will be told.
        told: bool,
    },
    /// SECURE_FAILURE is not in the mask.
    SecureFailureUnheard,
    /// The read buffer is not as it was lent.
    ReadTouched,
    /// The bytes given to this operation are not as they were lent; `late`: after SENDREQUEST_COMPLETE.
    SentTouched {
        /// The operation.
        operation: Operation,
        /// Whether they had gone out once.
        late: bool,
    },
    /// A parameter of this function points to memory that cannot be read.
    Unreadable {
        /// Windows' name.
        function: &'static str,
        /// Its parameter.
        parameter: &'static str,
    },
    /// WinHttpSetStatusCallback(NULL) while an operation is pending.
    CallbackTakenAway,
    /// A callback of the handle waits for this.
    Waits(&'static str),
    /// This header, which the application set, follows a redirect to another origin.
    CarriedAway(&'static str),
    /// Something happened to the handle that its machine has no answer to: a mistake of ours.
    Impossible(String),
    /// GetLastError
    AsksLastError,
    /// SetLastError: what is asked for next is the program's own.
    SetsLastError,
}
