//! The numbered mistakes: what each is, why it is one on Windows, how to fix it.

use std::fmt;

/// How bad a mistake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Documented against, but it works on Windows.
    Warn,
    /// Undefined, or always wrong, on Windows: fails the test.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::Note => "note",
            Level::Warn => "warn",
            Level::Error => "error",
        })
    }
}

/// One row a stop: the page in the documentation and the words of the report are the same text.
macro_rules! stops {
    ($($stop:ident = $id:literal, $level:ident:
        $title:literal;
        why: $($why:literal)*;
        fix: $($fix:literal)*;
    )*) => {
        /// A mistake in the use of WinHTTP. The numbers are stable; more follow.
        ///
        /// The level is that of the rule; a case of it may be milder, and then says so.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Stop {
            $(
                #[doc = concat!("**", $id, ": ", $title, ".** Level: [`", stringify!($level), "`](Level::", stringify!($level), ").")]
                #[doc = ""]
                #[doc = concat!("*Why:* ", $($why),*)]
                #[doc = ""]
                #[doc = concat!("*How to fix it:* ", $($fix),*)]
                $stop,
            )*
        }

        impl Stop {
            /// Every stop, in the order of the numbers.
            pub const ALL: &[Stop] = &[$(Stop::$stop),*];

            /// `W08`
            pub const fn id(self) -> &'static str {
                match self {
                    $(Stop::$stop => $id,)*
                }
            }

            /// How bad it is, as a rule.
            pub const fn level(self) -> Level {
                match self {
                    $(Stop::$stop => Level::$level,)*
                }
            }

            /// What it is, in one line.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Stop::$stop => $title,)*
                }
            }

            /// Why it is a mistake on Windows.
            pub const fn why(self) -> &'static str {
                match self {
                    $(Stop::$stop => concat!($($why),*),)*
                }
            }

            /// What to do instead.
            pub const fn fix(self) -> &'static str {
                match self {
                    $(Stop::$stop => concat!($($fix),*),)*
                }
            }
        }
    };
}

stops! {
    ContextFreed = "W01", Error:
        "a callback comes with a context that was freed";
        why: "The context belongs to the callback until HANDLE_CLOSING has returned, and WinHttpCloseHandle does not wait "
            "for that: a completion, the REQUEST_ERROR of a cancelled operation and HANDLE_CLOSING itself can come after "
            "it.";
        fix: "Free the context in one place only: in HANDLE_CLOSING, or behind a wait for HANDLE_CLOSING. Tests report contexts "
            "with `lab::allocated` and `lab::freed`. An exploration does not make such a callback, because it would use "
            "freed memory.";
    ContextNeverBound = "W02", Error:
        "a program waits for a HANDLE_CLOSING that does not find it";
        why: "HANDLE_CLOSING came with context 0, because no context was ever bound to the handle: WinHttpSendRequest, "
            "which would have bound it, was not called, or failed before it did.";
        fix: "Bind the context with WinHttpSetOption(WINHTTP_OPTION_CONTEXT_VALUE) directly after WinHttpOpenRequest, "
            "before anything can fail, or do not wait where no context was bound.";
    NotInMask = "W03", Warn:
        "the notification that a program needs is not in its mask";
        why: "An operation begins whose end no callback asks for, a TLS failure is not explained, or a handle is closed "
            "whose HANDLE_CLOSING is not reported. A program that waits for one of these waits for ever: then the level "
            "is error.";
        fix: "Add the flag to the mask of WinHttpSetStatusCallback: WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS, "
            "WINHTTP_CALLBACK_FLAG_SECURE_FAILURE, WINHTTP_CALLBACK_FLAG_HANDLES.";
    Overlapping = "W04", Error:
        "a second operation on a side that is busy";
        why: "Reading (ReceiveResponse, QueryDataAvailable, ReadData) and writing (SendRequest, WriteData) may each have "
            "one operation pending. A second one fails with ERROR_WINHTTP_INCORRECT_HANDLE_STATE. If it begins when the "
            "first has ended but its completion has not come yet (level warn), it may take that completion for its own.";
        fix: "Start the next operation from the completion of the last.";
    OutParameter = "W05", Warn:
        "an out parameter in asynchronous mode";
        why: "It may be written when the call has returned and the variable on its stack is gone. If the variable was "
            "used for something else by then, the level is error.";
        fix: "Pass NULL; the completion brings the value.";
    ReadBufferTouched = "W06", Error:
        "a read buffer was changed or freed while the operation owned it";
        why: "Windows may write to it until READ_COMPLETE or REQUEST_ERROR, also after WinHttpCloseHandle has returned.";
        fix: "Keep the buffer alive, and leave it alone, until the read has ended.";
    WriteBufferTouched = "W07", Error:
        "bytes to be sent were changed or freed before the operation had ended";
        why: "WriteData reads its buffer until WRITE_COMPLETE. lpOptional is read until the reply is there, because a "
            "redirect or a challenge sends it again; between SENDREQUEST_COMPLETE and then the level is warn.";
        fix: "Keep the bytes until WRITE_COMPLETE, those of lpOptional until HEADERS_AVAILABLE.";
    HandleAfterClose = "W08", Error:
        "a handle is used, or closed again, after WinHttpCloseHandle";
        why: "Its value may already name another handle, of this program or of a library in it: the call then works on an "
            "unrelated request.";
        fix: "Store the handle in one place, and remove it from there before you close it.";
    LastErrorOverwritten = "W09", Warn:
        "the last error is asked for when it is not there any more";
        why: "Every call sets the last error. After a call that succeeded it says nothing about an earlier failure. Asked "
            "for after a success without a failure before it (level note), it makes the success look like an error.";
        fix: "Ask for it directly after the call that failed, and only then.";
    WaitInCallback = "W10", Warn:
        "a callback waits, or takes long";
        why: "It delays every other notification of its handle, and blocks a thread of WinHTTP. If it waits for one of "
            "those notifications, or for a lock that is held until one comes, it waits for ever (level error).";
        fix: "Signal another thread, and let that thread wait; do not wait under a lock that a callback takes.";
    HandleLeaked = "W11", Error:
        "a handle is left open, or a context is never freed";
        why: "The callback of an open handle can still be called when its code or its context is gone, and a session "
            "keeps its threads. A parent that is closed before its children (level note) lives on with them.";
        fix: "Close every handle, children first; free the context in HANDLE_CLOSING.";
    BufferNotGrown = "W12", Warn:
        "ERROR_INSUFFICIENT_BUFFER is not followed by a call with a larger buffer";
        why: "The call has returned only the size that it needs, and no data.";
        fix: "Call again with a buffer of that size, in a loop, because the size may have grown in between.";
    ContextFreedOnFailure = "W13", Error:
        "a context is freed because WinHttpSendRequest failed, and HANDLE_CLOSING comes with it";
        why: "A call that fails at once may have bound the context all the same. HANDLE_CLOSING then brings it, and a "
            "program that frees it there frees it twice.";
        fix: "Bind the context by option and free it in one place only, HANDLE_CLOSING, whatever the calls returned.";
    FailureIgnored = "W14", Warn:
        "a request goes on as if it had not failed";
        why: "After REQUEST_ERROR the exchange is over: no operation on it can succeed. After a call that returned FALSE "
            "nothing is pending, and no notification comes: a program that waits for one waits for ever (level error).";
        fix: "Check the result of every call, and every REQUEST_ERROR; then close the handle, or send again.";
    EndIgnored = "W15", Note:
        "a body is read on and on after its end";
        why: "READ_COMPLETE or DATA_AVAILABLE with 0 bytes is the end of the body; every later read brings 0 bytes again.";
        fix: "Stop at 0 bytes.";
    ClosedDuringCall = "W16", Error:
        "a handle is closed while another thread is inside a call on it";
        why: "The call works on memory that closing releases. Callbacks are not such calls: closing a handle while its "
            "callback runs is allowed.";
        fix: "Close under the lock under which the calls are made, or after the last of them.";
    PointerUnreadable = "W17", Error:
        "a pointer leads nowhere";
        why: "Windows reads it. That includes headers with length 0: they are read up to their NUL.";
        fix: "Pass NULL for nothing, not the address of an empty slice.";
    CallbackTakenAway = "W18", Warn:
        "the callback is taken away while an operation is pending";
        why: "WinHttpSetStatusCallback(NULL) then fails and the notifications continue; and it never stops a callback that "
            "has already begun.";
        fix: "Close the handle and wait for HANDLE_CLOSING.";
    SecretCarriedAway = "W19", Warn:
        "a secret of the application follows a redirect to another origin";
        why: "WinHTTP sends the headers that the application added with every request of a redirect, to whichever server "
            "it leads; the page of WinHttpAddRequestHeaders makes no exception. The server that a redirect leads to then "
            "gets the Authorization or the Cookie of another.";
        fix: "Set credentials with WinHttpSetCredentials and cookies in WinHTTP's own cookie jar, which are for one "
            "server; or remove the header in the REDIRECT notification; or set WINHTTP_OPTION_REDIRECT_POLICY_NEVER.";
}

impl Stop {
    /// The stop with this number: `W06`, `w6` or `6`.
    pub fn from_id(id: &str) -> Option<Stop> {
        let number = id.strip_prefix(['W', 'w']).unwrap_or(id);
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: usize = number.parse().ok().filter(|_| digits)?;
        Stop::ALL.get(number.checked_sub(1)?).copied()
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

/// A mistake that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Which.
    pub stop: Stop,
    /// How bad it is here.
    pub level: Level,
    /// The value of the handle, or 0.
    pub handle: usize,
    /// What was done.
    pub what: String,
}

impl Mistake {
    pub(super) fn new(stop: Stop, handle: usize, what: impl Into<String>) -> Mistake {
        Mistake { stop, level: stop.level(), handle, what: what.into() }
    }

    pub(super) fn at(self, level: Level) -> Mistake {
        Mistake { level, ..self }
    }

    /// `W08 error: R1: WinHttpCloseHandle on a handle that was closed`; `name` is that of the handle.
    pub fn show(&self, name: &str) -> String {
        let Mistake { stop, level, what, handle } = self;
        if *handle == 0 { format!("{stop} {level}: {what}") } else { format!("{stop} {level}: {name}: {what}") }
    }
}
