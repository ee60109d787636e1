//! What fixtures cannot show of cookies: time, TLS, several hosts. In a world of their own.

mod support;

use std::time::Duration;

use portable_winhttp::lab::{Reply, Sim, any};
use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

/// A session, and what its requests send as Cookie.
struct Session(*mut std::ffi::c_void);

impl Session {
    fn new() -> Session {
        // SAFETY: NULL and numbers are fine.
        Session(unsafe {
            WinHttpOpen(std::ptr::null(), WINHTTP_ACCESS_TYPE_NO_PROXY, std::ptr::null(), std::ptr::null(), 0)
        })
    }

    /// The Cookie header that a GET of this URL goes out with.
    fn sends(&self, url: &str) -> Option<String> {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (host, path) = rest.split_at(rest.find('/').unwrap());
        let (secure, port) = if scheme == "https" { (WINHTTP_FLAG_SECURE, 443) } else { (0, 80) };
        let (mut text, mut length) = ([0u16; 256], 512);
        // SAFETY: strings end in NUL or are NULL; the buffer has so many bytes.
        unsafe {
            let connection = WinHttpConnect(self.0, wide(host).as_ptr(), port, 0);
            let (null, path) = (std::ptr::null(), wide(path));
            let request = WinHttpOpenRequest(connection, null, path.as_ptr(), null, null, std::ptr::null(), secure);
            assert_eq!((send(request), receive(request)), (1, 1), "{url}: {}", last_error());
            let level = WINHTTP_QUERY_COOKIE | WINHTTP_QUERY_FLAG_REQUEST_HEADERS;
            let buffer = text.as_mut_ptr().cast();
            let found = WinHttpQueryHeaders(request, level, null, buffer, &mut length, std::ptr::null_mut());
            close(request);
            close(connection);
            (found == 1).then(|| String::from_utf16(&text[..length as usize / 2]).unwrap())
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        close(self.0);
    }
}

/// A host that sets these with every reply.
fn host(sim: &Sim, origin: &str, cookies: &[&str]) {
    let reply = cookies.iter().fold(Reply::ok(), |reply, cookie| reply.header("Set-Cookie", cookie));
    sim.peer(origin).on(any()).reply(reply);
}

#[test]
fn time_ends_them() {
    let sim = Sim::new();
    host(&sim, "http://set.test", &["age=1; Max-Age=60; Domain=shop.test", "here=2; Max-Age=60"]);
    sim.peer("http://shop.test").on(any()).reply(Reply::ok());
    // Every Sim begins at the start of 2026.
    let dated = "date=3; Domain=shop.test; Expires=Thu, 01 Jan 2026 01:00:00 GMT";
    host(&sim, "http://www.shop.test", &["age=1; Max-Age=60; Domain=shop.test", dated, "stays=4; Domain=shop.test"]);
    let session = Session::new();
    assert_eq!(session.sends("http://set.test/"), None);
    assert_eq!(session.sends("http://shop.test/"), None, "another host's Domain");
    assert_eq!(session.sends("http://www.shop.test/"), None);
    assert_eq!(session.sends("http://shop.test/").as_deref(), Some("stays=4; date=3; age=1"));
    sim.advance(Duration::from_secs(59));
    assert_eq!(session.sends("http://shop.test/").as_deref(), Some("stays=4; date=3; age=1"));
    sim.advance(Duration::from_secs(1));
    assert_eq!(session.sends("http://shop.test/").as_deref(), Some("stays=4; date=3"));
    sim.advance(Duration::from_secs(3_600));
    assert_eq!(session.sends("http://shop.test/").as_deref(), Some("stays=4"));
}

#[test]
fn secure_cookies_need_tls() {
    let sim = Sim::new();
    host(&sim, "https://shop.test", &["a=1; Secure", "b=2"]);
    sim.peer("http://shop.test").on(any()).reply(Reply::ok());
    let session = Session::new();
    assert_eq!(session.sends("https://shop.test/"), None);
    assert_eq!(session.sends("https://shop.test/").as_deref(), Some("b=2; a=1"));
    assert_eq!(session.sends("http://shop.test/").as_deref(), Some("b=2"));
}

#[test]
fn registries_have_no_cookies() {
    let sim = Sim::new();
    for origin in ["http://one.co.uk", "http://two.co.uk", "http://one.github.io", "http://two.github.io"] {
        host(&sim, origin, &["a=1; Domain=co.uk", "b=2; Domain=github.io", "c=3; Domain=uk"]);
    }
    let session = Session::new();
    for url in ["http://one.co.uk/", "http://two.co.uk/", "http://one.github.io/", "http://two.github.io/"] {
        assert_eq!(session.sends(url), None, "{url}");
    }
}
