//! Where requests go: through tunnels, past proxies, nowhere.

use std::ptr::null;

use portable_winhttp::http::proxy::Named;
use portable_winhttp::lab::{Reply, Sim, any};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::arms::{BYTES, sim};
use crate::client::*;

#[test]
fn tunnels_in_a_simulated_world() {
    let sim = Sim::new();
    let proxy = sim.peer("http://proxy.test:3128");
    proxy.on(any()).reply(Reply::status(403).body("no"));
    proxy.on(any().method("CONNECT").path("www.test:443")).reply(Reply::ok());
    let server = sim.peer("https://www.test");
    server.on(any()).reply(Reply::status(204));
    // SAFETY: NUL-terminated strings.
    let session = unsafe {
        let list = wide("proxy.test:3128");
        WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NAMED_PROXY, list.as_ptr(), null(), 0)
    };
    assert_eq!(fetch(session, "www.test", true), Ok(204));
    assert_eq!(fetch(session, "other.test", true), Ok(403));
    assert_eq!(server.received().len(), 1);
    assert_eq!(
        proxy.received().iter().map(|asked| asked.target.clone()).collect::<Vec<_>>(),
        ["www.test:443", "other.test:443"]
    );
    close(session);
}

/// Source f04, setting K27.
#[test]
fn hosts_on_this_machine_through_a_proxy() {
    for bytes in BYTES {
        let sim = sim(*bytes);
        let proxy = sim.peer("http://proxy.test:3128");
        proxy.on(any()).reply(Reply::ok());
        for host in ["localhost", "127.0.0.1"] {
            sim.peer(&format!("http://{host}")).on(any()).reply(Reply::status(204));
        }
        let named = || {
            // SAFETY: NUL-terminated strings.
            unsafe { WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NAMED_PROXY, wide("proxy.test:3128").as_ptr(), null(), 0) }
        };
        let answers = |session| ["localhost", "127.0.0.1"].map(|host| fetch(session, host, false));
        let before = named();
        assert_eq!(answers(before), [Ok(204), Ok(204)]);
        proxies(|proxies| {
            proxies.set_for_this_machine_too(true);
            proxies.set_default_proxy(Some(Named::parse("proxy.test:3128", None).unwrap()));
        });
        for session in [named(), open(WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, false)] {
            assert_eq!(answers(session), [Ok(200), Ok(200)]);
            close(session);
        }
        assert_eq!(answers(before), [Ok(204), Ok(204)], "sessions keep what was when they were opened");
        assert_eq!(proxy.received().len(), 4);
        close(before);
    }
}

/// Sources n104, T4: a name is looked up whatever the port; an address is not looked up.
#[test]
fn nobody_plays_there() {
    for bytes in BYTES {
        let sim = sim(*bytes);
        sim.allow_unknown_hosts();
        sim.peer("http://www.test:8080");
        let session = open(WINHTTP_ACCESS_TYPE_NO_PROXY, false);
        for (host, error) in [
            ("nobody.test", ERROR_WINHTTP_NAME_NOT_RESOLVED),
            ("WWW.test", ERROR_WINHTTP_CANNOT_CONNECT),
            ("192.0.2.77", ERROR_WINHTTP_CANNOT_CONNECT),
            ("[::1]", ERROR_WINHTTP_CANNOT_CONNECT),
        ] {
            assert_eq!(fetch(session, host, false), Err(error), "{host} over bytes: {bytes}");
        }
        close(session);
    }
}
