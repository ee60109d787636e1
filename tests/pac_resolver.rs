//! PAC scripts from a server, through the functions of WinHTTP: what is answered, and which error a bad one is.

use std::ffi::c_void;
use std::ptr::null;

use portable_winhttp::lab::{Reply, Sim, any, get};
use windows_sys::Win32::Foundation::{GetLastError, GlobalFree};
use windows_sys::Win32::Networking::WinHttp::*;

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

fn session() -> *mut c_void {
    // SAFETY: NUL-terminated strings.
    unsafe { WinHttpOpen(wide("test").as_ptr(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0) }
}

fn close(handle: *mut c_void) {
    // SAFETY: any value may be passed.
    assert_eq!(unsafe { WinHttpCloseHandle(handle) }, 1);
}

/// The proxies for a URL (empty if there are none), or the error.
fn proxy_for(session: *mut c_void, url: &str, pac: &str) -> Result<String, u32> {
    let script = wide(pac);
    // SAFETY: NUL-terminated strings, a place for the result, whose string is freed behind.
    unsafe {
        let mut options: WINHTTP_AUTOPROXY_OPTIONS = std::mem::zeroed();
        options.dwFlags = WINHTTP_AUTOPROXY_CONFIG_URL;
        options.lpszAutoConfigUrl = script.as_ptr();
        let mut info: WINHTTP_PROXY_INFO = std::mem::zeroed();
        if WinHttpGetProxyForUrl(session, wide(url).as_ptr(), &mut options, &mut info) == 0 {
            return Err(GetLastError());
        }
        if info.lpszProxy.is_null() {
            return Ok(String::new());
        }
        let length = (0..).take_while(|at| *info.lpszProxy.add(*at) != 0).count();
        let proxy = String::from_utf16_lossy(std::slice::from_raw_parts(info.lpszProxy, length));
        GlobalFree(info.lpszProxy.cast());
        Ok(proxy)
    }
}

#[test]
fn what_scripts_lead_to() {
    let find = |body: &str| format!("function FindProxyForURL(url, host) {{ {body} }}");
    const BAD: Result<&str, u32> = Err(ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT);
    let rows = [
        (find("return 'PROXY p:8080'"), Ok("p:8080")),
        // sources f07, n172
        (find("return 'PROXY a; PROXY b:8080'"), Ok("a:80;b:8080")),
        (find("return dnsResolve(host) == '192.0.2.1' ? 'PROXY known:1' : 'DIRECT'"), Ok("")),
        (find("return dnsResolve('pac.test') ? 'PROXY known:1' : 'DIRECT'"), Ok("known:1")),
        // Every Sim begins on a Thursday at midnight.
        (
            find("return weekdayRange('THU') && timeRange(0) && dateRange(2026) ? 'PROXY then:1' : 'DIRECT'"),
            Ok("then:1"),
        ),
        (find("return myIpAddress() == '192.0.2.254' ? 'PROXY me:1' : 'DIRECT'"), Ok("me:1")),
        (find("return url == 'https://www.test/' ? 'PROXY short:1' : url"), Ok("short:1")),
        // Latin-1, and a mark of UTF-8.
        ("/* \u{e9} */ ".to_owned() + &find("return 'DIRECT'"), Ok("")),
        // No good.
        (find("while (true) {}"), BAD),
        ("while (true) {}".to_owned(), BAD),
        (find("throw 'no'"), BAD),
        (find("return 7"), BAD),
        ("<html>".to_owned(), BAD),
        (String::new(), BAD),
        (find("var all = ''; for (var i = 0; i < 10000; i++) all += 'PROXY p' + i + ':1;'; return all"), BAD),
        (find("var a = 'x'; for (;;) a += a"), BAD),
        (find("return 'nonsense'"), Err(ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR)),
        (find("return 'PROXY'"), Err(ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR)),
    ];
    for (script, expected) in rows {
        let sim = Sim::new();
        sim.peer("http://pac.test").on(any()).reply(Reply::ok().body(script.clone()));
        let session = session();
        let answer = proxy_for(session, "https://www.test/path?query", "http://pac.test/proxy.pac");
        assert_eq!(answer.as_deref().map_err(|error| *error), expected, "{script}");
        close(session);
    }
}

#[test]
fn scripts_are_kept_until_they_are_reset() {
    let sim = Sim::new();
    let pac = sim.peer("http://pac.test");
    pac.on(get("/moved")).reply(Reply::redirect("http://pac.test/proxy.pac"));
    pac.on(get("/proxy.pac")).reply(Reply::ok().body("function FindProxyForURL() { return 'PROXY p:1' }"));
    let session = session();
    for _ in 0..3 {
        assert_eq!(proxy_for(session, "http://www.test/", "http://pac.test/moved").as_deref(), Ok("p:1"));
    }
    assert_eq!(pac.received().len(), 2, "one fetch, with its redirect");
    // SAFETY: no pointers.
    assert_eq!(unsafe { WinHttpResetAutoProxy(session, WINHTTP_RESET_ALL | WINHTTP_RESET_OUT_OF_PROC) }, 0);
    assert_eq!(proxy_for(session, "http://www.test/", "http://pac.test/moved").as_deref(), Ok("p:1"));
    assert_eq!(pac.received().len(), 4);
    close(session);
}
