//! Proxy auto-configuration: what a PAC script may ask, and what its answer means (source P5).
//!
//! A script is ECMAScript with a function `FindProxyForURL(url, host)` that answers text such as
//! `PROXY a:8080; SOCKS5 b; DIRECT`. The engine is QuickJS, behind the feature `pac`: it is small, builds with a C
//! compiler alone, and lets its host stop a script that does not end and bound its memory. The feature is not in the
//! default ones, and needs Rust 1.87.

#[cfg(feature = "pac")]
mod apart;
#[cfg(feature = "pac")]
mod engine;
mod functions;
pub(crate) mod network;

#[cfg(feature = "pac")]
pub use apart::run_apart;
#[cfg(feature = "pac")]
pub use engine::run;

use std::net::IpAddr;
use std::time::Duration;

use super::{Hop, Scheme, Server};

/// How many entries an answer may have.
pub const ENTRIES_AT_MOST: usize = 256;

/// What a script learns of the world.
pub trait Host: Send + Sync {
    /// The addresses of a name, IPv4 first; none if it is not known. May block.
    fn lookup(&self, name: &str) -> Vec<IpAddr>;
    /// The addresses of this machine, IPv4 first.
    fn addresses(&self) -> Vec<IpAddr>;
    /// The date and time.
    fn date(&self) -> Date;
    /// The script calls `alert`.
    fn alert(&self, _text: &str) {}
    /// Whether it has run for too long.
    fn expired(&self) -> bool;
}

/// A moment, and how far the clocks on the wall are from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// Milliseconds since 1970-01-01 00:00 UTC.
    pub milliseconds: i64,
    /// Minutes that local time is ahead of UTC; `None` is what the system says.
    pub offset: Option<i32>,
}

/// The limits of a script (source P5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long it may run: 60 seconds.
    pub time: Duration,
    /// How many bytes it may allocate: 64 MiB.
    pub memory: usize,
    /// How many bytes its text may have: 1 MiB.
    pub text: usize,
    /// How often it may be looked at while it runs, about once in ten thousand steps: for worlds whose time stands still
    /// meanwhile.
    pub looks: Option<u32>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { time: Duration::from_secs(60), memory: 64 << 20, text: 1 << 20, looks: None }
    }
}

/// Why there is no answer of a script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// This build runs no scripts.
    #[error("the feature `pac` is not part of this build")]
    NoEngine,
    /// It is no ECMAScript, or its top level failed.
    #[error("the script does not load: {0}")]
    Load(String),
    /// There is no `FindProxyForURL`.
    #[error("the script has no function FindProxyForURL")]
    NoFunction,
    /// It threw, or ran out of memory or stack.
    #[error("the script failed: {0}")]
    Failed(String),
    /// It ran for longer than it may.
    #[error("the script was stopped: it ran for too long")]
    Stopped,
    /// It answered something that is no text.
    #[error("the script answered {0}, which is no text")]
    NotText(String),
}

/// An answer with more than [`ENTRIES_AT_MOST`] entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer of the script has too many entries")]
pub struct TooManyEntries;

/// The routes that an answer names, in its order; entries that are none are passed over, and there may be none at all
/// (source n216). Of several `DIRECT` in a row one counts (source n217). An empty answer is `DIRECT`.
///
/// ```
/// use portable_winhttp::http::proxy::pac::routes;
/// let routes = routes("PROXY a.test:8080; junk; SOCKS5 b.test; DIRECT").unwrap();
/// let shown: Vec<_> = routes.iter().map(ToString::to_string).collect();
/// assert_eq!(shown, ["http://a.test:8080", "socks5://b.test:1080", "direct"]);
/// ```
pub fn routes(answer: &str) -> Result<Vec<Hop>, TooManyEntries> {
    if answer.trim().is_empty() {
        return Ok(vec![Hop::Direct]);
    }
    let entries = || answer.split(';').map(str::trim).filter(|entry| !entry.is_empty());
    if entries().nth(ENTRIES_AT_MOST).is_some() {
        return Err(TooManyEntries);
    }
    let mut routes: Vec<_> = entries().filter_map(route).collect();
    routes.dedup_by(|hop, before| (&*hop, &*before) == (&Hop::Direct, &Hop::Direct));
    Ok(routes)
}

fn route(entry: &str) -> Option<Hop> {
    let (kind, rest) = entry.split_once(char::is_whitespace).unwrap_or((entry, ""));
    let rest = rest.trim();
    let scheme = match &*kind.to_ascii_uppercase() {
        "DIRECT" => return rest.is_empty().then_some(Hop::Direct),
        "PROXY" | "HTTP" => Scheme::Http,
        "HTTPS" => Scheme::Https,
        "SOCKS" | "SOCKS4" => Scheme::Socks4,
        "SOCKS5" => Scheme::Socks5,
        _ => return None,
    };
    Server::parse(scheme, rest).ok().map(Hop::Via)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_means() {
        let rows: &[(&str, &str)] = &[
            ("DIRECT", "direct"),
            ("", "direct"),
            (" ; ", ""),
            ("PROXY p:8080", "http://p:8080"),
            ("proxy p", "http://p:80"),
            ("HTTP p:1;HTTPS q", "http://p:1 https://q:443"),
            ("SOCKS s:1; SOCKS4 t; SOCKS5 u:9", "socks4://s:1 socks4://t:1080 socks5://u:9"),
            (";;PROXY\t a:1 ;; DIRECT;", "http://a:1 direct"),
            ("PROXY [::1]:3128", "http://[::1]:3128"),
            ("PROXY a:1, PROXY b:2", ""),
            ("PROXY", ""),
            ("DIRECT now", ""),
            ("p:8080", ""),
            ("QUIC q:1; PROXY p:1", "http://p:1"),
            ("FTP 203.0.113.7:21", ""),
            ("PROXY p; PROXY p; DIRECT; DIRECT", "http://p:80 http://p:80 direct"),
            ("DIRECT; PROXY p; DIRECT", "direct http://p:80 direct"),
        ];
        for (answer, expected) in rows {
            let routes = routes(answer).unwrap();
            assert_eq!(routes.iter().map(Hop::to_string).collect::<Vec<_>>().join(" "), *expected, "{answer:?}");
        }
        assert_eq!(routes(&"PROXY p:1;".repeat(ENTRIES_AT_MOST)).unwrap().len(), ENTRIES_AT_MOST);
        assert_eq!(routes(&"PROXY p:1;".repeat(10_000)), Err(TooManyEntries));
    }

    proptest::proptest! {
        #[test]
        fn no_answer_panics(any: String, odd in "((PROXY|DIRECT|SOCKS|x|)[ :;\\[\\]a0-9]{0,4}){0,6}") {
            let _ = routes(&any);
            let _ = routes(&odd);
        }
    }
}
