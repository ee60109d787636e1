//! Lists of proxies: `([<scheme>=][<scheme>"://"]<server>[":"<port>])`, between semicolons or white space (source P2).

use super::{Scheme, Server};

/// An entry of a proxy list that names no proxy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a proxy: [http=|https=|socks=][scheme://]host[:port]")]
pub struct BadProxy(pub String);

/// Which requests an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    Every,
    Http,
    Https,
    /// Those that no other entry is for.
    Others,
    /// What WinHTTP does not speak (`ftp=`).
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    what: For,
    server: Server,
    text: String,
}

/// Proxies in the order in which they are tried.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ProxyList(Vec<Entry>);

impl ProxyList {
    /// Reads a list; one entry that names no proxy spoils it, and so does a list without any.
    pub fn parse(text: &str) -> Result<ProxyList, BadProxy> {
        let entries: Vec<_> = super::bypass::entries(text).map(entry).collect::<Result<_, _>>()?;
        if entries.is_empty() { Err(BadProxy(text.to_owned())) } else { Ok(ProxyList(entries)) }
    }

    /// The proxies for https or http, and the entries that name them: those of the scheme, else those without a scheme,
    /// else those of `socks=`.
    pub fn servers(&self, secure: bool) -> impl Iterator<Item = (&Server, &str)> {
        let own = if secure { For::Https } else { For::Http };
        let best =
            [own, For::Every, For::Others].into_iter().find(|what| self.0.iter().any(|entry| entry.what == *what));
        let entries = self.0.iter().filter(move |entry| Some(entry.what) == best);
        entries.map(|entry| (&entry.server, &*entry.text))
    }
}

fn entry(text: &str) -> Result<Entry, BadProxy> {
    let bad = || BadProxy(text.to_owned());
    let (what, rest) = match text.split_once('=') {
        None => (For::Every, text),
        Some((scheme, rest)) => match &*scheme.to_ascii_lowercase() {
            "http" => (For::Http, rest),
            "https" => (For::Https, rest),
            "socks" => (For::Others, rest),
            "" => return Err(bad()),
            _ => (For::Nothing, rest),
        },
    };
    let (scheme, rest) = match rest.split_once("://") {
        Some((scheme, rest)) => (Scheme::of_name(scheme).ok_or_else(bad)?, rest),
        None if what == For::Others => (Scheme::Socks4, rest),
        None => (Scheme::Http, rest),
    };
    let server = Server::parse(scheme, rest).map_err(|_| bad())?;
    Ok(Entry { what, server, text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The proxies for http, and for https.
    fn shown(text: &str) -> Option<[String; 2]> {
        let list = ProxyList::parse(text).ok()?;
        let servers = |secure| list.servers(secure).map(|(server, _)| server.to_string()).collect::<Vec<_>>().join(" ");
        Some([servers(false), servers(true)])
    }

    #[test]
    fn which_proxies_a_list_names() {
        let rows: &[(&str, Option<[&str; 2]>)] = &[
            ("p", Some(["http://p:80", "http://p:80"])),
            ("p:8080", Some(["http://p:8080", "http://p:8080"])),
            ("http://p:8080", Some(["http://p:8080", "http://p:8080"])),
            // source f14
            ("http://p:8080/", None),
            ("p:1;q:2 r:3\t;;", Some(["http://p:1 http://q:2 http://r:3"; 2])),
            ("http=a:1;https=b:2", Some(["http://a:1", "http://b:2"])),
            ("HTTP=a:1; c", Some(["http://a:1", "http://c:80"])),
            ("http=a;socks=s", Some(["http://a:80", "socks4://s:1080"])),
            ("socks=s:9", Some(["socks4://s:9", "socks4://s:9"])),
            ("socks=socks5://s", Some(["socks5://s:1080", "socks5://s:1080"])),
            ("socks5://s", Some(["socks5://s:1080", "socks5://s:1080"])),
            ("https=https://p", Some(["", "https://p:443"])),
            ("ftp=f:21;http=a", Some(["http://a:80", ""])),
            ("[::1]:3128", Some(["http://[::1]:3128", "http://[::1]:3128"])),
            // source n195
            ("http://[::1]:3128", Some(["http://[::1]:3128"; 2])),
            ("http=a:1 http=b:2", Some(["http://a:1 http://b:2", ""])),
            ("", None),
            (" ; ", None),
            ("p:99999", None),
            ("p:80;q:", None),
            ("gopher://p", None),
            ("=p", None),
            ("http=", None),
        ];
        for (text, expected) in rows {
            assert_eq!(shown(text).as_ref().map(|shown| shown.each_ref().map(|s| &**s)), *expected, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_list_panics(text in "([a-z:=/;\\[\\] .0-9]{0,4}){0,8}", any: String) {
            let _ = ProxyList::parse(&text);
            let _ = ProxyList::parse(&any);
        }
    }
}
