//! The proxy resolver and what uses it, in worlds of their own.

#[path = "support/arms.rs"]
mod arms;

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arms::{BYTES, sim};
use portable_winhttp::http::proxy::{Named, UserSettings};
use portable_winhttp::lab::{Fault, Peer, Reply, Sim, Stage, Stop, any, get};
use portable_winhttp::real::{Proxies, ScriptOverride, with_proxies};
use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, GetLastError, GlobalFree};
use windows_sys::Win32::Networking::WinHttp::*;

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// # Safety
/// `text` is NULL or ends in NUL.
unsafe fn string(text: *const u16) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: up to the NUL.
    let length = (0..).take_while(|at| unsafe { *text.add(*at) } != 0).count();
    // SAFETY: as above.
    Some(String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, length) }))
}

fn last_error() -> u32 {
    // SAFETY: nothing is passed.
    unsafe { GetLastError() }
}

fn close(handle: *mut c_void) {
    // SAFETY: any value may be passed.
    assert_eq!(unsafe { WinHttpCloseHandle(handle) }, 1);
}

/// What came: status, error of REQUEST_ERROR with its API, context.
type Seen = Arc<Mutex<Vec<(u32, u32, usize)>>>;

unsafe extern "system" fn note(_: *mut c_void, context: usize, status: u32, information: *mut c_void, _: u32) {
    if context == 0 {
        return;
    }
    let (error, api) = if status == WINHTTP_CALLBACK_STATUS_REQUEST_ERROR {
        // SAFETY: that is what REQUEST_ERROR brings.
        let result = unsafe { &*information.cast::<WINHTTP_ASYNC_RESULT>() };
        (result.dwError, result.dwResult)
    } else {
        (0, 0)
    };
    // SAFETY: contexts are leaked.
    unsafe { &*(context as *const Mutex<Vec<(u32, u32, usize)>>) }.lock().unwrap().push((status, error, api));
}

fn seen() -> (Seen, usize) {
    let seen = Seen::default();
    let context = Arc::into_raw(Arc::clone(&seen)) as usize;
    (seen, context)
}

fn open(access: u32, asynchronous: bool) -> *mut c_void {
    // SAFETY: NUL-terminated strings, a callback that takes any context of ours.
    unsafe {
        let flags = if asynchronous { WINHTTP_FLAG_ASYNC } else { 0 };
        let session = WinHttpOpen(wide("test").as_ptr(), access, null(), null(), flags);
        assert!(!session.is_null(), "{}", last_error());
        WinHttpSetStatusCallback(session, Some(note), WINHTTP_CALLBACK_FLAG_ALL_NOTIFICATIONS, 0);
        session
    }
}

fn resolver(session: *mut c_void) -> *mut c_void {
    let mut resolver = null_mut();
    // SAFETY: a place for the handle.
    assert_eq!(unsafe { WinHttpCreateProxyResolver(session, &mut resolver) }, 0);
    resolver
}

fn options(flags: u32, script: Option<&[u16]>) -> WINHTTP_AUTOPROXY_OPTIONS {
    WINHTTP_AUTOPROXY_OPTIONS {
        dwFlags: flags,
        dwAutoDetectFlags: if flags & WINHTTP_AUTOPROXY_AUTO_DETECT != 0 { WINHTTP_AUTO_DETECT_TYPE_DNS_A } else { 0 },
        lpszAutoConfigUrl: script.map_or(null(), <[u16]>::as_ptr),
        lpvReserved: null_mut(),
        dwReserved: 0,
        fAutoLogonIfChallenged: 0,
    }
}

fn ask(resolver: *mut c_void, url: &str, flags: u32, script: Option<&str>, context: usize) -> u32 {
    let script = script.map(wide);
    let options = options(flags, script.as_deref());
    // SAFETY: NUL-terminated strings.
    unsafe { WinHttpGetProxyForUrlEx(resolver, wide(url).as_ptr(), &options, context) }
}

/// The result as text.
fn result(resolver: *mut c_void) -> Result<Vec<String>, u32> {
    // SAFETY: a place for the result, which is freed behind.
    unsafe {
        let mut result: WINHTTP_PROXY_RESULT = std::mem::zeroed();
        match WinHttpGetProxyResult(resolver, &mut result) {
            0 => {}
            error => return Err(error),
        }
        assert_eq!(result.pEntries.is_null(), result.cEntries == 0);
        let entries = if result.cEntries == 0 {
            &[]
        } else {
            std::slice::from_raw_parts(result.pEntries, result.cEntries as usize)
        };
        let shown = |entry: &WINHTTP_PROXY_RESULT_ENTRY| match (entry.fProxy, string(entry.pwszProxy)) {
            (0, None) if entry.fBypass != 0 => "bypass".to_owned(),
            (0, None) => "direct".to_owned(),
            (_, Some(host)) => format!("{} {host}:{}", entry.ProxyScheme, entry.ProxyPort),
            _ => panic!("a proxy without a name"),
        };
        let shown = entries.iter().map(shown).collect();
        WinHttpFreeProxyResult(&mut result);
        assert!(result.pEntries.is_null() && result.cEntries == 0);
        Ok(shown)
    }
}

fn script_override(answer: &'static str) -> Option<ScriptOverride> {
    Some(Arc::new(move |_, _| answer.to_owned()))
}

fn proxies<R>(act: impl FnOnce(&Proxies) -> R) -> R {
    with_proxies(act).unwrap()
}

const COMPLETE: (u32, u32, usize) = (WINHTTP_CALLBACK_STATUS_GETPROXYFORURL_COMPLETE, 0, 0);
const CONFIG: u32 = WINHTTP_AUTOPROXY_CONFIG_URL;
const DETECT: u32 = WINHTTP_AUTOPROXY_AUTO_DETECT;

fn failed(error: u32) -> (u32, u32, usize) {
    (WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, error, API_GET_PROXY_FOR_URL as usize)
}

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

#[test]
fn arguments_of_the_resolver() {
    let sim = Sim::new();
    sim.allow(Stop::HandleAfterClose);
    let (synchronous, asynchronous) =
        (open(WINHTTP_ACCESS_TYPE_NO_PROXY, false), open(WINHTTP_ACCESS_TYPE_NO_PROXY, true));
    let resolver = resolver(asynchronous);
    let (url, script) = (wide("http://www.test/"), wide("http://pac.test/"));
    let good = options(CONFIG, Some(&script));
    let mut out = null_mut();
    // SAFETY: NULL, or valid.
    unsafe {
        assert_eq!(WinHttpCreateProxyResolver(null(), &mut out), 6);
        assert_eq!(WinHttpCreateProxyResolver(resolver, &mut out), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        assert_eq!(WinHttpCreateProxyResolver(synchronous, &mut out), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        assert_eq!(WinHttpCreateProxyResolver(asynchronous, null_mut()), 87);
        assert!(out.is_null());
        let for_url = |resolver, url: *const u16, options: *const WINHTTP_AUTOPROXY_OPTIONS| {
            WinHttpGetProxyForUrlEx(resolver, url, options, 0)
        };
        assert_eq!(for_url(null(), url.as_ptr(), &good), 6);
        assert_eq!(for_url(asynchronous, url.as_ptr(), &good), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        assert_eq!(for_url(resolver, null(), &good), 87);
        assert_eq!(for_url(resolver, wide("").as_ptr(), &good), 87);
        assert_eq!(for_url(resolver, url.as_ptr(), null()), 87);
        assert_eq!(for_url(resolver, url.as_ptr(), &options(0, None)), 87);
        assert_eq!(for_url(resolver, url.as_ptr(), &options(CONFIG, None)), 87);
        assert_eq!(for_url(resolver, wide("http:").as_ptr(), &good), ERROR_WINHTTP_INVALID_URL);
        assert_eq!(for_url(resolver, wide("ftp://a/").as_ptr(), &good), ERROR_WINHTTP_UNRECOGNIZED_SCHEME);
        assert_eq!(WinHttpGetProxyForUrlEx2(resolver, url.as_ptr(), null(), 0, null(), 0), 87);
        assert_eq!(WinHttpGetProxyResult(null(), null_mut()), 6);
        assert_eq!(WinHttpGetProxyResult(asynchronous, null_mut()), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        assert_eq!(WinHttpGetProxyResult(resolver, null_mut()), 87);
        assert_eq!(WinHttpGetProxyResultEx(resolver, null_mut()), 87);
        WinHttpFreeProxyResult(null_mut());
        WinHttpFreeProxyResultEx(null_mut());
        assert_eq!(WinHttpResetAutoProxy(null(), WINHTTP_RESET_ALL | WINHTTP_RESET_OUT_OF_PROC), 6);
        assert_eq!(WinHttpResetAutoProxy(resolver, WINHTTP_RESET_OUT_OF_PROC), ERROR_WINHTTP_INCORRECT_HANDLE_TYPE);
        assert_eq!(WinHttpResetAutoProxy(asynchronous, WINHTTP_RESET_ALL), 87);
        assert_eq!(WinHttpResetAutoProxy(asynchronous, WINHTTP_RESET_ALL | WINHTTP_RESET_OUT_OF_PROC), 0);
        let (mut kind, mut length) = (0u32, 4);
        let read = WinHttpQueryOption(resolver, WINHTTP_OPTION_HANDLE_TYPE, (&raw mut kind).cast(), &mut length);
        assert_eq!((read, kind), (1, WINHTTP_HANDLE_TYPE_PROXY_RESOLVER));
    }
    close(resolver);
    close(synchronous);
    close(asynchronous);
    drop(sim);
}

/// WinHttpGetProxyForUrl: access type and proxies, or the error.
fn for_url(session: *mut c_void, url: &str, flags: u32, script: Option<&str>) -> Result<(u32, Option<String>), u32> {
    let script = script.map(wide);
    let mut options = options(flags, script.as_deref());
    // SAFETY: NUL-terminated strings, a place for the result, whose strings are freed behind.
    unsafe {
        let mut info: WINHTTP_PROXY_INFO = std::mem::zeroed();
        if WinHttpGetProxyForUrl(session, wide(url).as_ptr(), &mut options, &mut info) == 0 {
            return Err(last_error());
        }
        assert!(info.lpszProxyBypass.is_null());
        let proxy = string(info.lpszProxy);
        GlobalFree(info.lpszProxy.cast());
        Ok((info.dwAccessType, proxy))
    }
}

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

/// A GET in synchronous mode: the status, or the error.
fn fetch(session: *mut c_void, host: &str, secure: bool) -> Result<u32, u32> {
    // SAFETY: NUL-terminated strings, a DWORD.
    unsafe {
        let connection = WinHttpConnect(session, wide(host).as_ptr(), 0, 0);
        let flags = if secure { WINHTTP_FLAG_SECURE } else { 0 };
        let request = WinHttpOpenRequest(connection, null(), wide("/").as_ptr(), null(), null(), null(), flags);
        let done = WinHttpSendRequest(request, null(), 0, null(), 0, 0, 0) != 0
            && WinHttpReceiveResponse(request, null_mut()) != 0;
        let error = last_error();
        let (mut status, mut length) = (0u32, 4);
        let level = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
        if done {
            WinHttpQueryHeaders(request, level, null(), (&raw mut status).cast(), &mut length, null_mut());
        }
        close(request);
        close(connection);
        if done { Ok(status) } else { Err(error) }
    }
}

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

/// Without the engine every script is a failure, and the trace says why.
#[cfg(not(feature = "pac"))]
#[test]
fn a_build_without_the_engine_says_so() {
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

#[test]
fn default_proxy_is_what_the_process_was_told() {
    let sim = Sim::new();
    sim.peer("http://proxy.test:3128").on(any()).reply(Reply::ok());
    sim.peer("http://www.test").on(any()).reply(Reply::status(204));
    let before = open(WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, false);
    let set = |access, proxy: Option<&str>, bypass: Option<&str>| {
        let (proxy, bypass) = (proxy.map(wide), bypass.map(wide));
        let pointer = |text: &Option<Vec<u16>>| text.as_ref().map_or(null_mut(), |text| text.as_ptr().cast_mut());
        let mut info =
            WINHTTP_PROXY_INFO { dwAccessType: access, lpszProxy: pointer(&proxy), lpszProxyBypass: pointer(&bypass) };
        // SAFETY: a structure with NUL-terminated strings.
        if unsafe { WinHttpSetDefaultProxyConfiguration(&mut info) } == 1 { 0 } else { last_error() }
    };
    const NAMED: u32 = WINHTTP_ACCESS_TYPE_NAMED_PROXY;
    // Wrong ones are 87 (source proxy.default-config).
    let rows = [
        (WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, None, None, 87),
        (WINHTTP_ACCESS_TYPE_AUTOMATIC_PROXY, None, None, 87),
        (2, None, None, 87),
        (NAMED, None, None, 87),
        (NAMED, None, Some("bypass"), 87),
        (NAMED, Some("pr\u{f6}xy"), None, 87),
        (NAMED, Some("proxy"), Some("b\u{fc}cher"), 87),
        (NAMED, Some("proxy.test:3128"), Some("<local>"), 0),
    ];
    for (access, proxy, bypass, error) in rows {
        assert_eq!(set(access, proxy, bypass), error, "{access} {proxy:?} {bypass:?}");
    }
    // SAFETY: places for structures, whose strings are freed behind.
    unsafe {
        let mut info: WINHTTP_PROXY_INFO = std::mem::zeroed();
        assert_eq!(WinHttpGetDefaultProxyConfiguration(&mut info), 1);
        let told = (info.dwAccessType, string(info.lpszProxy), string(info.lpszProxyBypass));
        assert_eq!(told, (NAMED, Some("proxy.test:3128".into()), Some("<local>".into())));
        GlobalFree(info.lpszProxy.cast());
        GlobalFree(info.lpszProxyBypass.cast());
        let mut length = size_of::<WINHTTP_PROXY_INFO>() as u32;
        assert_eq!(WinHttpQueryOption(null_mut(), WINHTTP_OPTION_PROXY, (&raw mut info).cast(), &mut length), 1);
        assert_eq!((info.dwAccessType, string(info.lpszProxy)), (NAMED, Some("proxy.test:3128".into())));
        GlobalFree(info.lpszProxy.cast());
        GlobalFree(info.lpszProxyBypass.cast());
        assert_eq!((WinHttpGetIEProxyConfigForCurrentUser(null_mut()), last_error()), (0, 87));
        let mut config: WINHTTP_CURRENT_USER_IE_PROXY_CONFIG = std::mem::zeroed();
        assert_eq!((WinHttpGetIEProxyConfigForCurrentUser(&mut config), last_error()), (1, 0));
        assert!(config.fAutoDetect == 0 && config.lpszProxy.is_null() && config.lpszAutoConfigUrl.is_null());
    }
    let after = open(WINHTTP_ACCESS_TYPE_DEFAULT_PROXY, false);
    assert_eq!(fetch(before, "www.test", false), Ok(204), "sessions keep what was when they were opened");
    assert_eq!(fetch(after, "www.test", false), Ok(200));
    close(before);
    close(after);
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

#[test]
fn settings_are_read_and_watched() {
    unsafe extern "system" fn changed(flags: u64, context: *const c_void) {
        assert_eq!(flags, u64::from(WINHTTP_PROXY_NOTIFY_CHANGE));
        // SAFETY: the counter of this test.
        unsafe { &*context.cast::<Mutex<u32>>() }.lock().map(|mut count| *count += 1).unwrap();
    }
    // Declared by the header, not by windows-sys.
    use portable_winhttp::api::{
        WinHttpFreeProxySettingsEx, WinHttpGetProxySettingsEx, WinHttpGetProxySettingsResultEx,
        WinHttpRegisterProxyChangeNotification, WinHttpUnregisterProxyChangeNotification,
    };
    let sim = Sim::new();
    let session = open(WINHTTP_ACCESS_TYPE_NO_PROXY, true);
    let resolver = resolver(session);
    let count: &Mutex<u32> = Box::leak(Box::new(Mutex::new(0)));
    let mut registration = null_mut();
    let context = (&raw const *count).cast();
    // SAFETY: valid places; the context lives for ever.
    unsafe {
        assert_eq!(WinHttpRegisterProxyChangeNotification(1, None, context, &mut registration), 87);
        assert_eq!(WinHttpRegisterProxyChangeNotification(2, Some(changed), context, &mut registration), 87);
        assert_eq!(WinHttpRegisterProxyChangeNotification(1, Some(changed), context, &mut registration), 0);
        let named = Named::parse("http=p:1;https=https://q", Some("<local>;*.corp")).unwrap();
        proxies(|proxies| {
            proxies.set_user(UserSettings { detect: true, script: Some("http://pac/".into()), named: Some(named) });
        });
        sim.settle();
        assert_eq!(*count.lock().unwrap(), 1);
        assert_eq!(WinHttpUnregisterProxyChangeNotification(registration), 0);
        assert_eq!(WinHttpUnregisterProxyChangeNotification(registration), 6);
        proxies(|proxies| proxies.set_user(proxies.user()));
        sim.settle();
        assert_eq!(*count.lock().unwrap(), 1);

        let (notes, context) = seen();
        let mut settings: WINHTTP_PROXY_SETTINGS_EX = std::mem::zeroed();
        let place = (&raw mut settings).cast();
        assert_eq!(WinHttpGetProxySettingsResultEx(resolver, place), ERROR_WINHTTP_INCORRECT_HANDLE_STATE);
        assert_eq!(WinHttpGetProxySettingsEx(resolver, 0, null(), context), 87);
        assert_eq!(WinHttpGetProxySettingsEx(resolver, 1, null(), context), ERROR_IO_PENDING);
        sim.block_until(|| !notes.lock().unwrap().is_empty());
        assert_eq!(notes.lock().unwrap()[0].0, WINHTTP_CALLBACK_STATUS_GETPROXYSETTINGS_COMPLETE);
        assert_eq!(WinHttpGetProxySettingsResultEx(resolver, place), 0);
        assert_eq!((settings.ullGenerationId, settings.ullFlags), (2, 15));
        let texts =
            [settings.pcwszAutoconfigUrl, settings.pcwszProxy, settings.pcwszSecureProxy].map(|text| string(text));
        assert_eq!(texts.map(Option::unwrap), ["http://pac/", "http://p:1", "https://q:443"]);
        let bypasses = std::slice::from_raw_parts(settings.rgpcwszProxyBypasses, settings.cProxyBypasses as usize);
        let bypasses: Vec<_> = bypasses.iter().map(|text| string(*text).unwrap()).collect();
        assert_eq!(bypasses, ["<local>", "*.corp"]);
        assert_eq!(WinHttpFreeProxySettingsEx(1, place), 0);
        let mut version = 0;
        assert_eq!(WinHttpGetProxySettingsVersion(session, &mut version), 0);
        assert_eq!(version, 2);
    }
    close(resolver);
    close(session);
}
