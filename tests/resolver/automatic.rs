//! AUTOMATIC_PROXY: each request asks for its proxies.

use std::sync::Arc;

use portable_winhttp::http::proxy::{Named, UserSettings};
use portable_winhttp::lab::{Fault, Reply, Sim, any};
use windows_sys::Win32::Foundation::ERROR_IO_PENDING;
use windows_sys::Win32::Networking::WinHttp::*;

use crate::client::*;

#[test]
fn automatic_proxy_asks_for_each_request_and_fails_over() {
    let sim = Sim::new();
    sim.peer("http://dead.test:8080").fault(Fault::refuse());
    let alive = sim.peer("http://alive.test:8080");
    alive.on(any()).reply(Reply::ok());
    let server = sim.peer("http://www.test");
    server.on(any()).reply(Reply::status(204));
    proxies(|proxies| {
        proxies.set_user(UserSettings { script: Some("http://pac.test/".into()), ..UserSettings::default() });
        proxies.set_script_override(Some(Arc::new(|_, host| match host {
            "www.test" => "PROXY dead.test:8080; PROXY alive.test:8080; DIRECT".into(),
            "last.test" => "PROXY dead.test:8080; PROXY dead.test:8080".into(),
            _ => "DIRECT".into(),
        })));
    });
    let session = open(WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY, false);
    assert_eq!(fetch(session, "www.test", false), Ok(200));
    assert_eq!(alive.received()[0].target, "http://www.test/");
    assert_eq!(fetch(session, "last.test", false), Err(ERROR_WINHTTP_CANNOT_CONNECT));
    // A script that does not answer leaves the straight way.
    proxies(|proxies| proxies.set_script_override(script_override("junk")));
    assert_eq!(fetch(session, "www.test", false), Ok(204));
    // And so does a user without settings.
    proxies(|proxies| proxies.set_user(UserSettings::default()));
    assert_eq!(fetch(session, "www.test", false), Ok(204));
    assert_eq!(server.received().len(), 2);
    close(session);
}

#[test]
fn automatic_proxy_uses_the_lists_of_the_user() {
    let sim = Sim::new();
    let proxy = sim.peer("http://proxy.test:3128");
    proxy.on(any()).reply(Reply::ok());
    sim.peer("http://near.corp.test").on(any()).reply(Reply::status(204));
    let named = Named::parse("proxy.test:3128", Some("*.corp.test")).unwrap();
    proxies(|proxies| proxies.set_user(UserSettings { named: Some(named), ..UserSettings::default() }));
    let session = open(WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY, false);
    assert_eq!(fetch(session, "www.test", false), Ok(200));
    assert_eq!(fetch(session, "near.corp.test", false), Ok(204));
    assert_eq!(proxy.received().len(), 1);
    let asynchronous = open(WINHTTP_ACCESS_TYPE_NO_PROXY, true);
    let resolver = resolver(asynchronous);
    for (url, expected) in [("http://www.test/", "1 proxy.test:3128"), ("http://near.corp.test/", "bypass")] {
        let (notes, context) = seen();
        assert_eq!(ask(resolver, url, WINHTTP_AUTOPROXY_ALLOW_STATIC, None, context), ERROR_IO_PENDING);
        sim.block_until(|| !notes.lock().unwrap().is_empty());
        assert_eq!(result(resolver).unwrap(), [expected]);
    }
    close(resolver);
    close(asynchronous);
    close(session);
}
