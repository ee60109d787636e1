//! Which requests a rule is for.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::received::Received;
use crate::http::header_text::is_token;

type Test = Arc<dyn Fn(&Received) -> bool + Send + Sync>;

/// One thing that a request must have.
#[derive(Clone)]
enum Need {
    Method(String),
    Path(String),
    Under(String),
    Query(String, String),
    Header(String, String),
    SomeHeader(String),
    NoHeader(String),
    Body(Bytes),
    BodyContains(Bytes),
    Test(String, Test),
}

/// Selects the requests of a rule: those that meet all its conditions. Begin with [`any`], [`get`], [`post`], [`put`] or
/// [`delete`].
///
/// ```
/// use portable_winhttp::lab::{any, get, post};
/// let all = post("/items").query("page", "2").header("Accept", "text/plain").body_contains("name");
/// assert_eq!(all.to_string(), "POST /items with query page=2, Accept: text/plain, a body that has \"name\"");
/// assert_eq!(get("/").to_string(), "GET /");
/// assert_eq!(any().when("an odd length", |request| request.target.len() % 2 == 1).to_string(), "any * with an odd length");
/// ```
#[derive(Clone, Default)]
pub struct Matcher(Vec<Need>);

/// Any request.
pub fn any() -> Matcher {
    Matcher::default()
}

/// A GET of this path.
///
/// # Panics
/// As [`Matcher::path`].
#[track_caller]
pub fn get(path: &str) -> Matcher {
    any().method("GET").path(path)
}

/// A POST to this path.
///
/// # Panics
/// As [`Matcher::path`].
#[track_caller]
pub fn post(path: &str) -> Matcher {
    any().method("POST").path(path)
}

/// A PUT to this path.
///
/// # Panics
/// As [`Matcher::path`].
#[track_caller]
pub fn put(path: &str) -> Matcher {
    any().method("PUT").path(path)
}

/// A DELETE of this path.
///
/// # Panics
/// As [`Matcher::path`].
#[track_caller]
pub fn delete(path: &str) -> Matcher {
    any().method("DELETE").path(path)
}

/// A request can have this path.
#[track_caller]
fn possible(path: &str) {
    let possible = path.starts_with('/') || path == "*" || path.contains(':');
    assert!(possible, "no request has the path {path:?}: is \"/{path}\" meant?");
}

/// A header can have this name.
#[track_caller]
pub(super) fn named(name: &str) {
    assert!(!name.is_empty() && name.bytes().all(is_token), "no field of a head has the name {name:?}");
}

impl Matcher {
    fn and(mut self, need: Need) -> Matcher {
        self.0.push(need);
        self
    }

    /// With this verb.
    pub fn method(self, method: &str) -> Matcher {
        self.and(Need::Method(method.to_owned()))
    }

    /// With this path. If the text has a query, the query must match as well; otherwise any query will do.
    ///
    /// # Panics
    /// If no request has such a path: it begins with `/`. A proxy is asked for a whole URL, or for `host:port`, and OPTIONS has `*`.
    #[track_caller]
    pub fn path(self, path: &str) -> Matcher {
        possible(path);
        self.and(Need::Path(path.to_owned()))
    }

    /// With a path that starts with this text.
    ///
    /// # Panics
    /// As [`Matcher::path`].
    #[track_caller]
    pub fn under(self, path: &str) -> Matcher {
        possible(path);
        self.and(Need::Under(path.to_owned()))
    }

    /// With this field in the query, percent-decoded.
    pub fn query(self, name: &str, value: &str) -> Matcher {
        self.and(Need::Query(name.to_owned(), value.to_owned()))
    }

    /// With this header and value.
    ///
    /// # Panics
    /// If no header can have this name.
    #[track_caller]
    pub fn header(self, name: &str, value: &str) -> Matcher {
        named(name);
        self.and(Need::Header(name.to_owned(), value.to_owned()))
    }

    /// With a header of this name.
    ///
    /// # Panics
    /// If no header can have this name.
    #[track_caller]
    pub fn has_header(self, name: &str) -> Matcher {
        named(name);
        self.and(Need::SomeHeader(name.to_owned()))
    }

    /// Without a header of this name.
    ///
    /// # Panics
    /// If no header can have this name.
    #[track_caller]
    pub fn no_header(self, name: &str) -> Matcher {
        named(name);
        self.and(Need::NoHeader(name.to_owned()))
    }

    /// With exactly this body, after chunked framing is removed.
    pub fn body(self, body: impl Into<Vec<u8>>) -> Matcher {
        self.and(Need::Body(Bytes::from(body.into())))
    }

    /// With these bytes anywhere in the body, after chunked framing is removed.
    pub fn body_contains(self, part: impl Into<Vec<u8>>) -> Matcher {
        self.and(Need::BodyContains(Bytes::from(part.into())))
    }

    /// Whether code of the program looks.
    pub(super) fn runs_code(&self) -> bool {
        self.0.iter().any(|need| matches!(need, Need::Test(..)))
    }

    /// With a condition of your own: `test` returns whether a request meets it, `what` names it in reports.
    pub fn when(self, what: &str, test: impl Fn(&Received) -> bool + Send + Sync + 'static) -> Matcher {
        self.and(Need::Test(what.to_owned(), Arc::new(test)))
    }

    /// What of the matcher a request does not have; empty if it matches.
    pub(super) fn misses(&self, request: &Received) -> Vec<String> {
        self.0.iter().filter_map(|need| need.miss(request)).collect()
    }
}

impl Need {
    fn miss(&self, request: &Received) -> Option<String> {
        let (has, miss) = match self {
            Need::Method(method) => (*method == request.method, format!("the verb is not {method}")),
            Need::Path(path) => {
                let whole = path.contains('?');
                let target = if whole { request.target.as_str() } else { request.path() };
                (path == target, format!("the path is not {path}"))
            }
            Need::Under(path) => (request.path().starts_with(path), format!("the path is not under {path}")),
            Need::Query(name, value) => {
                let found = request.query(name);
                (found.as_ref() == Some(value), format!("the query has {}", but(name, found, "=", value)))
            }
            Need::Header(name, value) => {
                let found = request.header(name);
                (found.as_ref() == Some(value), format!("there is {}", but(name, found, ": ", value)))
            }
            Need::SomeHeader(name) => (request.header(name).is_some(), format!("there is no header {name}")),
            Need::NoHeader(name) => (request.header(name).is_none(), format!("there is a header {name}")),
            Need::Body(body) => (request.content() == *body, format!("the body is not {}", shown(body))),
            Need::BodyContains(part) => {
                let found = part.is_empty() || request.content().windows(part.len()).any(|window| window == part);
                (found, format!("the body has no {}", shown(part)))
            }
            Need::Test(what, test) => (test(request), format!("there is not {what}")),
        };
        (!has).then_some(miss)
    }
}

fn but(name: &str, found: Option<String>, sign: &str, value: &str) -> String {
    match found {
        Some(found) => format!("{name}{sign}{found}, not {value}"),
        None => format!("no {name}{sign}{value}"),
    }
}

fn shown(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(bytes))
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method =
            self.0.iter().find_map(|need| if let Need::Method(name) = need { Some(name.as_str()) } else { None });
        let path = self.0.iter().find_map(|need| match need {
            Need::Path(path) => Some(path.clone()),
            Need::Under(path) => Some(format!("{path}*")),
            _ => None,
        });
        write!(f, "{} {}", method.unwrap_or("any"), path.as_deref().unwrap_or("*"))?;
        let rest = self.0.iter().filter_map(|need| match need {
            Need::Method(_) | Need::Path(_) | Need::Under(_) => None,
            Need::Query(name, value) => Some(format!("query {name}={value}")),
            Need::Header(name, value) => Some(format!("{name}: {value}")),
            Need::SomeHeader(name) => Some(format!("some {name}")),
            Need::NoHeader(name) => Some(format!("no {name}")),
            Need::Body(body) => Some(format!("body {}", shown(body))),
            Need::BodyContains(part) => Some(format!("a body that has {}", shown(part))),
            Need::Test(what, _) => Some(what.clone()),
        });
        let rest: Vec<_> = rest.collect();
        if !rest.is_empty() {
            write!(f, " with {}", rest.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
