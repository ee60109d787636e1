//! What a resolver is asked, and what becomes of its answer.

use std::sync::Arc;
use std::time::Duration;

use portable_winhttp::lab::{Fault, Reply, Sim, Stop, any, get};
use windows_sys::Win32::Foundation::ERROR_IO_PENDING;
use windows_sys::Win32::Networking::WinHttp::*;

use crate::arms::{BYTES, sim};
use crate::client::*;

#[test]
fn a_resolver_answers_in_order() {
    let sim = Sim::new();
    sim.allow(Stop::Overlapping);
    proxies(|proxies| {
        proxies.set_script_override(Some(Arc::new(|url, host| {
            format!("PROXY {host}:8080; HTTPS b; SOCKS c:1; DIRECT {}", &url[..0])
        })));
    });
    let session = open(WINHTTP_ACCESS_TYPE_NO_PROXY, true);
    let resolver = resolver(session);
    assert_eq!(result(resolver), Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE));
    let (notes, context) = seen();
    assert_eq!(ask(resolver, "http://www.test/", CONFIG, Some("http://pac.test/"), context), ERROR_IO_PENDING);
    assert_eq!(
        ask(resolver, "http://www.test/", CONFIG, Some("http://pac.test/"), context),
        ERROR_WINHTTP_INCORRECT_HANDLE_STATE
    );
    sim.block_until(|| !notes.lock().unwrap().is_empty());
    assert_eq!(*notes.lock().unwrap(), [COMPLETE]);
    let expected = ["1 www.test:8080", "2 b:443", "4 c:1", "direct"];
    assert_eq!(result(resolver).unwrap(), expected);
    assert_eq!(result(resolver).unwrap(), expected, "it can be had again");
    // And asked again.
    proxies(|proxies| proxies.set_script_override(script_override("")));
    assert_eq!(ask(resolver, "http://www.test/", CONFIG, Some("http://pac.test/"), context), ERROR_IO_PENDING);
    assert_eq!(result(resolver), Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE));
    sim.block_until(|| notes.lock().unwrap().len() == 2);
    assert_eq!(result(resolver).unwrap(), ["direct"]);
    close(resolver);
    sim.settle();
    assert_eq!(notes.lock().unwrap().last(), Some(&(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 0, 0)));
    close(session);
}

#[test]
fn why_there_is_no_answer() {
    let rows: [(&str, u32, Option<&str>, u32); 10] = [
        ("", CONFIG, Some("http://pac.test/login"), ERROR_WINHTTP_LOGIN_FAILURE),
        // Nobody may be asked.
        ("", DETECT, None, ERROR_WINHTTP_AUTODETECTION_FAILED),
        ("", CONFIG, Some("http://nowhere.test/"), ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT),
        ("", CONFIG, Some("http://pac.test/missing"), ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT),
        ("", CONFIG, Some("http://pac.test/huge"), ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT),
        ("", CONFIG, Some("http://pac.test/broken"), ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT),
        ("", CONFIG, Some("http://pac.test/loop"), ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT),
        ("", CONFIG, Some("file:///proxy.pac"), ERROR_WINHTTP_UNRECOGNIZED_SCHEME),
        ("", DETECT | CONFIG, Some("http://pac.test/missing"), ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT),
        ("many", CONFIG, Some("http://pac.test/"), ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT),
    ];
    for (answer, flags, script, error) in rows {
        let sim = Sim::new();
        sim.allow_unknown_hosts();
        let pac = sim.peer("http://pac.test");
        pac.on(get("/missing")).reply(Reply::status(404));
        pac.on(get("/login")).reply(Reply::status(401).header("WWW-Authenticate", "NTLM"));
        pac.on(get("/huge")).reply(Reply::ok().body(vec![b' '; (1 << 20) + 1]));
        pac.on(get("/broken")).reply(Reply::ok().body("function").then(Fault::after_body(3).reset()));
        pac.on(get("/loop")).reply(Reply::redirect("http://pac.test/loop"));
        if answer == "many" {
            proxies(|proxies| proxies.set_script_override(Some(Arc::new(|_, _| "PROXY p:1;".repeat(10_000)))));
        }
        let session = open(WINHTTP_ACCESS_TYPE_NO_PROXY, true);
        let resolver = resolver(session);
        let (notes, context) = seen();
        assert_eq!(ask(resolver, "http://www.test/", flags, script, context), ERROR_IO_PENDING);
        sim.block_until(|| !notes.lock().unwrap().is_empty());
        assert_eq!(*notes.lock().unwrap(), [failed(error)], "{answer} {script:?}");
        assert_eq!(result(resolver), Err(ERROR_WINHTTP_INCORRECT_HANDLE_STATE));
        close(resolver);
        close(session);
    }
}

/// Sources n216, n217.
#[test]
fn what_counts_in_an_answer() {
    let rows: [(&str, &[&str], Result<&str, u32>); 5] = [
        ("FTP 203.0.113.7:21", &[], Err(ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR)),
        ("PROXY ", &[], Err(ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR)),
        ("go away", &[], Err(ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR)),
        ("PROXY p:1; PROXY p:1; DIRECT; DIRECT", &["1 p:1", "1 p:1", "direct"], Ok("p:1;p:1")),
        ("PROXY p:1; PROXY q:1; PROXY p:1", &["1 p:1", "1 q:1", "1 p:1"], Ok("p:1;q:1;p:1")),
    ];
    for (answer, entries, list) in rows {
        let sim = Sim::new();
        proxies(|proxies| proxies.set_script_override(script_override(answer)));
        let session = open(WINHTTP_ACCESS_TYPE_NO_PROXY, true);
        let resolver = resolver(session);
        let (notes, context) = seen();
        assert_eq!(ask(resolver, "http://www.test/", CONFIG, Some("http://pac.test/"), context), ERROR_IO_PENDING);
        sim.block_until(|| !notes.lock().unwrap().is_empty());
        assert_eq!(notes.lock().unwrap()[0].0, WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE, "{answer}");
        assert_eq!(result(resolver).unwrap(), entries, "{answer}");
        let found = for_url(session, "http://www.test/", CONFIG, Some("http://pac.test/"));
        assert_eq!(
            found.as_ref().map(|(_, list)| list.as_deref().unwrap_or_default()).map_err(|error| *error),
            list,
            "{answer}"
        );
        close(resolver);
        close(session);
    }
}

#[test]
fn closing_cancels() {
    for what in ["resolver", "session"] {
        let sim = Sim::new();
        let pac = sim.peer("http://pac.test");
        pac.on(any()).reply(Reply::never());
        let session = open(WINHTTP_ACCESS_TYPE_NO_PROXY, true);
        let resolver = resolver(session);
        let (notes, context) = seen();
        assert_eq!(ask(resolver, "http://www.test/", CONFIG, Some("http://pac.test/"), context), ERROR_IO_PENDING);
        sim.settle();
        assert_eq!(pac.received().len(), 1, "it is being fetched");
        if what == "session" {
            close(session);
            sim.settle();
            assert_eq!(*notes.lock().unwrap(), [failed(ERROR_WINHTTP_OPERATION_CANCELLED)]);
            let refused = ask(resolver, "http://www.test/", CONFIG, Some("http://pac.test/"), context);
            assert_eq!(refused, ERROR_WINHTTP_OPERATION_CANCELLED);
        }
        close(resolver);
        sim.settle();
        let closing = (WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING, 0, 0);
        assert_eq!(*notes.lock().unwrap(), [failed(ERROR_WINHTTP_OPERATION_CANCELLED), closing], "{what}");
        if what == "resolver" {
            close(session);
        }
    }
}

#[test]
fn a_silent_server_of_scripts_is_given_up() {
    for bytes in BYTES {
        let sim = sim(*bytes);
        sim.peer("http://pac.test").on(any()).reply(Reply::never());
        let session = open(WINHTTP_ACCESS_TYPE_NO_PROXY, true);
        // SAFETY: no pointers.
        assert_eq!(unsafe { WinHttpSetTimeouts(session, 1000, 1000, 1000, 2000) }, 1);
        let resolver = resolver(session);
        let (notes, context) = seen();
        assert_eq!(ask(resolver, "http://www.test/", CONFIG, Some("http://pac.test/"), context), ERROR_IO_PENDING);
        sim.block_until(|| !notes.lock().unwrap().is_empty());
        assert_eq!(*notes.lock().unwrap(), [failed(ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT)], "over bytes: {bytes}");
        assert!(sim.elapsed() <= Duration::from_secs(10), "{:?}", sim.elapsed());
        close(resolver);
        close(session);
    }
}
