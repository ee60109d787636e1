//! WinHttpGetProxyForUrl, and where scripts are looked for.

use std::ptr::null_mut;
use std::sync::Arc;

use portable_winhttp::lab::Sim;
use windows_sys::Win32::Foundation::GlobalFree;
use windows_sys::Win32::Networking::WinHttp::*;

use crate::client::*;

/// Source proxy.for-url.
#[test]
fn get_proxy_for_url() {
    let sim = Sim::new();
    proxies(|proxies| {
        proxies.set_script_override(Some(Arc::new(|url, host| match host {
            "direct.test" => "DIRECT; PROXY p:1".into(),
            "two.test" => "PROXY p:1; PROXY q:2; DIRECT; PROXY r:3".into(),
            "socks.test" => "SOCKS s:1".into(),
            host => format!("PROXY {}_{host}:8080", url.replace([':', '/'], "_")),
        })));
    });
    let session = open(WINHTTP_ACCESS_TYPE_NO_PROXY, false);
    let pac = Some("http://localhost:8080/proxy.pac?ver=1");
    let named = |proxy: &str| Ok((WINHTTP_ACCESS_TYPE_NAMED_PROXY, Some(proxy.to_owned())));
    let url = "HTTP://WINEHQ.ORG/Test.html";
    let rows = [
        (url, CONFIG, pac, named("http___WINEHQ.ORG_Test.html_WINEHQ.ORG:8080")),
        (url, CONFIG | WINHTTP_AUTOPROXY_HOST_LOWERCASE, pac, named("http___winehq.org_Test.html_winehq.org:8080")),
        (
            url,
            CONFIG | WINHTTP_AUTOPROXY_HOST_LOWERCASE | WINHTTP_AUTOPROXY_HOST_KEEPCASE,
            pac,
            named("http___WINEHQ.ORG_Test.html_WINEHQ.ORG:8080"),
        ),
        (url, CONFIG | WINHTTP_AUTOPROXY_NO_CACHE_SVC, pac, named("http___WINEHQ.ORG_Test.html_WINEHQ.ORG:8080")),
        ("http://direct.test/", CONFIG, pac, Ok((WINHTTP_ACCESS_TYPE_NO_PROXY, None))),
        ("http://two.test/", CONFIG, pac, named("p:1;q:2")),
        ("http://socks.test/", CONFIG, pac, named("socks4://s:1")),
        ("http:", CONFIG, pac, Err(ERROR_WINHTTP_INVALID_URL)),
        ("", CONFIG, pac, Err(87)),
        (url, 0, pac, Err(87)),
        (url, CONFIG, None, Err(87)),
        (url, CONFIG | DETECT, None, Err(87)),
        (url, DETECT, None, Err(ERROR_WINHTTP_AUTODETECTION_FAILED)),
        ("http://two.test/", CONFIG | DETECT, pac, named("p:1;q:2")),
        (url, DETECT | WINHTTP_AUTOPROXY_ALLOW_STATIC, None, Ok((WINHTTP_ACCESS_TYPE_NO_PROXY, None))),
    ];
    for (url, flags, script, expected) in rows {
        assert_eq!(for_url(session, url, flags, script), expected, "{url} {flags:#x} {script:?}");
    }
    assert_eq!(for_url(null_mut(), url, CONFIG, pac), Err(6));
    let mut no_types = options(DETECT, None);
    no_types.dwAutoDetectFlags = 0;
    // SAFETY: NULL, or valid.
    unsafe {
        let mut info: WINHTTP_PROXY_INFO = std::mem::zeroed();
        assert_eq!(WinHttpGetProxyForUrl(session, wide(url).as_ptr(), &mut no_types, &mut info), 0);
        assert_eq!(last_error(), 87);
        assert_eq!(WinHttpGetProxyForUrl(session, wide(url).as_ptr(), &mut no_types, null_mut()), 0);
        assert_eq!(last_error(), 87);
    }
    close(session);
    drop(sim);
}

#[test]
fn the_network_is_asked_only_when_it_may_be() {
    let sim = Sim::new();
    let wpad = sim.peer("http://wpad.corp.test");
    proxies(|proxies| proxies.set_script_override(script_override("PROXY found:1")));
    let session = open(WINHTTP_ACCESS_TYPE_NO_PROXY, false);
    let mut url = std::ptr::without_provenance_mut(1);
    // SAFETY: NULL, or a place for the URL.
    unsafe {
        assert_eq!((WinHttpDetectAutoProxyConfigUrl(0, &mut url), last_error()), (0, 87));
        assert_eq!((WinHttpDetectAutoProxyConfigUrl(3, null_mut()), last_error()), (0, 87));
        assert_eq!(
            (WinHttpDetectAutoProxyConfigUrl(3, &mut url), last_error()),
            (0, ERROR_WINHTTP_AUTODETECTION_FAILED)
        );
        assert!(url.is_null());
        proxies(|proxies| proxies.set_detection(true, Some("sales.corp.test")));
        assert_eq!(WinHttpDetectAutoProxyConfigUrl(WINHTTP_AUTO_DETECT_TYPE_DHCP, &mut url), 0, "DHCP is not asked");
        assert_eq!(WinHttpDetectAutoProxyConfigUrl(3, &mut url), 1);
        assert_eq!(string(url).as_deref(), Some("http://wpad.corp.test/wpad.dat"));
        GlobalFree(url.cast());
    }
    assert_eq!(
        for_url(session, "http://www.test/", DETECT, None),
        Ok((WINHTTP_ACCESS_TYPE_NAMED_PROXY, Some("found:1".into())))
    );
    assert!(wpad.received().is_empty(), "the override needs no script");
    close(session);
}

/// Without the engine every script is a failure, and the trace says why.
#[cfg(not(feature = "pac"))]
#[test]
fn a_build_without_the_engine_says_so() {
    use portable_winhttp::lab::{Reply, any};
    use portable_winhttp::record::EventKind;
    let sim = Sim::new();
    sim.peer("http://pac.test").on(any()).reply(Reply::ok().body("function FindProxyForURL() { return 'DIRECT' }"));
    let session = open(WINHTTP_ACCESS_TYPE_NO_PROXY, false);
    let got = for_url(session, "http://www.test/", WINHTTP_AUTOPROXY_CONFIG_URL, Some("http://pac.test/proxy.pac"));
    assert_eq!(got, Err(ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR));
    let says = |what: &EventKind| matches!(what, EventKind::Note(text) if text.contains("the feature `pac` is not part of this build"));
    assert!(sim.trace().events.iter().any(|event| says(&event.what)), "{}", sim.trace().to_table());
    close(session);
}
