//! Proxies and servers of scripts that stall.

use std::sync::Arc;
use std::time::Duration;

use portable_winhttp::http::proxy::UserSettings;
use portable_winhttp::lab::{Fault, Peer, Reply, Stage, any};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::arms::{BYTES, sim};
use crate::client::*;

/// The answer of a script, the origin that stalls, the stage, and what the request comes to.
const STALLS: [(&str, &str, Stage, Result<u32, u32>); 3] = [
    ("PROXY slow.test:8080; PROXY alive.test:8080", "http://slow.test:8080", Stage::Resolve, Ok(200)),
    ("HTTPS slow.test:8443; PROXY alive.test:8080", "https://slow.test:8443", Stage::Tls, Ok(200)),
    ("PROXY slow.test:8080", "http://slow.test:8080", Stage::Resolve, Err(ERROR_WINHTTP_TIMEOUT)),
];

/// A request by the proxies that a script answers.
fn fetch_by(answer: &'static str) -> Result<u32, u32> {
    proxies(|proxies| {
        proxies.set_user(UserSettings { script: Some("http://pac.test/".into()), ..UserSettings::default() });
        proxies.set_script_override(Some(Arc::new(move |_, _| answer.into())));
    });
    let session = open(WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY, false);
    // SAFETY: no pointers.
    assert_eq!(unsafe { WinHttpSetTimeouts(session, 1000, 1000, 1000, 1000) }, 1);
    let came = fetch(session, "www.test", false);
    close(session);
    came
}

/// An attempt that a timer begins goes on like any other: whatever stalls on the way, the request ends.
#[test]
fn automatic_proxy_gives_up_what_stalls() {
    for bytes in BYTES {
        for (answer, slow, stage, expected) in STALLS {
            let sim = sim(*bytes);
            sim.peer(slow).fault(Fault::at(stage).stall());
            sim.peer("http://alive.test:8080").on(any()).reply(Reply::ok());
            sim.peer("http://www.test").on(any()).reply(Reply::status(204));
            assert_eq!(fetch_by(answer), expected, "{answer} over bytes: {bytes}");
        }
    }
}

#[cfg(feature = "live")]
#[test]
fn automatic_proxy_gives_up_what_stalls_over_sockets() {
    for (answer, slow, stage, expected) in STALLS {
        let live = portable_winhttp::lab::Live::new();
        live.peer(slow).fault(Fault::at(stage).stall());
        live.peer("http://alive.test:8080").on(any()).reply(Reply::ok());
        live.peer("http://www.test").on(any()).reply(Reply::status(204));
        assert_eq!(fetch_by(answer), expected, "{answer}");
    }
}

/// A script whose doing panics has no answer; the workers of the real world run on.
#[cfg(feature = "live")]
#[test]
fn a_script_that_panics_is_a_script_without_an_answer() {
    let live = portable_winhttp::lab::Live::new();
    live.peer("http://www.test").on(any()).reply(Reply::status(204));
    proxies(|proxies| {
        // Without the hook: a test that passes says nothing.
        proxies.set_script_override(Some(Arc::new(|_, _| std::panic::resume_unwind(Box::new("the script panics")))));
    });
    let session = open(WINHTTP_ACCESS_TYPE_NO_PROXY, false);
    // More than there are workers while nothing blocks.
    for number in 0..40 {
        let answer = for_url(session, "http://www.test/", CONFIG, Some("http://pac.test/"));
        assert_eq!(answer, Err(ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT), "{number}");
    }
    close(session);
}

/// A server of the PAC script that takes the connection and says nothing: what comes of a request by it, and of the question
/// for the proxies.
fn a_silent_script(what: &str, peer: &dyn Fn(&str) -> Peer) {
    let silent = peer("http://pac.test");
    let deaf = peer("http://deaf.test");
    silent.on(any()).reply(Reply::never());
    deaf.raw(|raw| while raw.read().is_some() {});
    peer("http://www.test").on(any()).reply(Reply::status(204));
    for script in ["http://pac.test/proxy.pac", "http://deaf.test/proxy.pac"] {
        proxies(|proxies| {
            proxies.set_user(UserSettings { script: Some(script.into()), ..UserSettings::default() });
        });
        let session = open(WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY, false);
        // SAFETY: no pointers.
        assert_eq!(unsafe { WinHttpSetTimeouts(session, 500, 500, 500, 500) }, 1);
        assert_eq!(fetch(session, "www.test", false), Ok(204), "{what}, {script}");
        let asked = for_url(session, "http://www.test/", CONFIG, Some(script));
        assert_eq!(asked, Err(ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT), "{what}, {script}");
        proxies(|proxies| proxies.set_user(UserSettings::default()));
        close(session);
    }
    assert_eq!(silent.received().len(), 2, "{what}: it was asked");
}

#[test]
fn a_script_that_never_comes() {
    for bytes in BYTES {
        let sim = sim(*bytes);
        a_silent_script(&format!("over bytes: {bytes}"), &|origin| sim.peer(origin));
        assert!(sim.elapsed() <= Duration::from_secs(10), "over bytes: {bytes}: {:?}", sim.elapsed());
    }
}

#[cfg(feature = "live")]
#[test]
fn a_script_that_never_comes_over_sockets() {
    let live = portable_winhttp::lab::Live::new();
    let began = std::time::Instant::now();
    a_silent_script("over sockets", &|origin| live.peer(origin));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}
