//! Every exported function, with arguments of which some are good.

use std::ffi::c_void;
use std::mem::zeroed;
use std::ptr::{null, null_mut};
use std::sync::atomic::Ordering;

use portable_winhttp::api::*;
use portable_winhttp::win32::*;

use super::hostile::Random;
use super::ledger::{BUFFER, Kind, Known, Ledger};
use super::support::wide;

/// What a call needs: the run, chance, the value it is made on, and what is known of that.
pub struct Call<'a> {
    ledger: &'a Ledger,
    random: &'a mut Random,
    handle: *mut c_void,
    known: &'a Known,
}

impl Call<'_> {
    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.below(of.len() as u64) as usize]
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.random.below(times) == 0
    }

    fn length(&mut self) -> u32 {
        self.random.below(BUFFER as u64 + 1) as u32
    }

    fn made(&self, handle: *mut c_void, kind: Kind) -> bool {
        self.ledger.made(handle, kind, self.known.asynchronous, Some(self.known))
    }

    fn url(&self) -> Vec<u16> {
        wide(&format!("http://{}:{}/proxy.pac", self.ledger.host, self.ledger.port))
    }
}

type Function = fn(&mut Call<'_>);

const ANY: Option<Kind> = None;
const SESSION: Option<Kind> = Some(Kind::Session);
const CONNECTION: Option<Kind> = Some(Kind::Connection);
const REQUEST: Option<Kind> = Some(Kind::Request);
const RESOLVER: Option<Kind> = Some(Kind::Resolver);
const WEB_SOCKET: Option<Kind> = Some(Kind::WebSocket);

/// Bytes that are written from; they live for ever.
static BYTES: [u8; 64] = [b'w'; 64];

/// The name of each function, how often it is called compared with others, the kind of handle that it takes, and the call.
// SAFETY, for all: text ends in NUL; buffers have the lengths that are said, and outlive what they are lent for.
#[rustfmt::skip]
pub const CALLS: &[(&str, u64, Option<Kind>, Function)] = &[
    ("WinHttpOpen", 1, ANY, open),
    ("WinHttpConnect", 5, SESSION, |c| unsafe {
        let host = c.pick(&[c.ledger.host, c.ledger.host, c.ledger.host, "", "bad host"]);
        let handle = WinHttpConnect(c.handle, wide(host).as_ptr(), c.ledger.port, 0);
        c.made(handle, Kind::Connection);
    }),
    ("WinHttpOpenRequest", 12, CONNECTION, open_request),
    ("WinHttpSendRequest", 14, REQUEST, send),
    ("WinHttpReceiveResponse", 8, REQUEST, |c| {
        let handle = c.handle;
        c.known.operation(|| unsafe { WinHttpReceiveResponse(handle, null_mut()) == 1 });
    }),
    ("WinHttpQueryDataAvailable", 4, REQUEST, |c| {
        let (handle, mut available) = (c.handle, 0);
        let out = if c.known.asynchronous { null_mut() } else { &raw mut available };
        c.known.operation(|| unsafe { WinHttpQueryDataAvailable(handle, out) == 1 });
    }),
    ("WinHttpReadData", 6, REQUEST, |c| {
        let (handle, length, mut read) = (c.handle, c.length(), 0);
        let out = if c.known.asynchronous { null_mut() } else { &raw mut read };
        c.known.operation(|| unsafe { WinHttpReadData(handle, c.known.buffer(), length, out) == 1 });
    }),
    ("WinHttpReadDataEx", 2, REQUEST, |c| {
        let (handle, length, mut read) = (c.handle, c.length(), 0);
        let out = if c.known.asynchronous { null_mut() } else { &raw mut read };
        let flags = c.pick(&[0, 1, 2]);
        c.known.operation(|| unsafe {
            WinHttpReadDataEx(handle, c.known.buffer(), length, out, flags, 0, null()) == 0
        });
    }),
    ("WinHttpWriteData", 3, REQUEST, |c| {
        let (handle, length, mut written) = (c.handle, c.length().min(64), 0);
        let out = if c.known.asynchronous { null_mut() } else { &raw mut written };
        c.known.operation(|| unsafe { WinHttpWriteData(handle, BYTES.as_ptr().cast(), length, out) == 1 });
    }),
    ("WinHttpCloseHandle", 6, REQUEST, close),
    ("WinHttpSetStatusCallback", 1, ANY, set_status_callback),
    ("WinHttpWebSocketCompleteUpgrade", 8, REQUEST, |c| unsafe {
        let socket = WinHttpWebSocketCompleteUpgrade(c.handle, c.ledger.context());
        if c.made(socket, Kind::WebSocket) {
            c.ledger.counts.sockets.fetch_add(1, Ordering::Relaxed);
        }
    }),
    ("WinHttpWebSocketSend", 2, WEB_SOCKET, |c| {
        let (handle, length, kind) = (c.handle, c.length().min(64), c.pick(&[0, 1, 2, 3, 4, 9]));
        c.known.operation(|| unsafe { WinHttpWebSocketSend(handle, kind, BYTES.as_ptr().cast(), length) == 0 });
    }),
    ("WinHttpWebSocketReceive", 4, WEB_SOCKET, |c| {
        let (handle, length, mut count, mut kind) = (c.handle, c.length(), 0, 0);
        let outs = if c.known.asynchronous { (null_mut(), null_mut()) } else { (&raw mut count, &raw mut kind) };
        c.known.operation(|| unsafe {
            WinHttpWebSocketReceive(handle, c.known.buffer(), length, outs.0, outs.1) == 0
        });
    }),
    ("WinHttpWebSocketShutdown", 1, WEB_SOCKET, |c| {
        let (handle, length) = (c.handle, c.length());
        c.known.operation(|| unsafe { is_taken(WinHttpWebSocketShutdown(handle, 1000, BYTES.as_ptr().cast(), length.min(64))) });
    }),
    ("WinHttpWebSocketClose", 1, WEB_SOCKET, |c| {
        let (handle, status) = (c.handle, c.pick(&[1000, 1005, 0, 4999]));
        c.known.operation(|| unsafe { is_taken(WinHttpWebSocketClose(handle, status, null(), 0)) });
    }),
    ("WinHttpWebSocketQueryCloseStatus", 1, WEB_SOCKET, |c| unsafe {
        let (mut status, mut reason, mut length) = (0, [0u8; 123], 0);
        WinHttpWebSocketQueryCloseStatus(c.handle, &mut status, reason.as_mut_ptr().cast(), 123, &mut length);
    }),
    ("WinHttpAddRequestHeaders", 2, REQUEST, |c| unsafe {
        let text = c.pick(&["A: 1", "B: 2\r\nC: 3", ":", "A:", "Content-Length: 9", "Transfer-Encoding: chunked", "Expect: 100-continue", "Cookie: a=b"]);
        let how = c.pick(&[0x2000_0000, 0x8000_0000, 0xA000_0000, 0x1000_0000, 0x4000_0000]);
        WinHttpAddRequestHeaders(c.handle, wide(text).as_ptr(), u32::MAX, how);
    }),
    ("WinHttpAddRequestHeadersEx", 1, REQUEST, |c| unsafe {
        let (name, value) = (wide(c.pick(&["A", "B", "", "C: d"])), wide("v"));
        let header = WINHTTP_EXTENDED_HEADER {
            Anonymous1: WINHTTP_EXTENDED_HEADER_0 { pwszName: name.as_ptr() },
            Anonymous2: WINHTTP_EXTENDED_HEADER_1 { pwszValue: value.as_ptr() },
        };
        WinHttpAddRequestHeadersEx(c.handle, 0xA000_0000, 1, 0, 1, &header);
    }),
    ("WinHttpQueryHeaders", 2, REQUEST, |c| unsafe {
        let level = c.random.below(80) as u32 | c.pick(&[0, 0x2000_0000, 0x8000_0000, 0x4000_0000]);
        let (mut text, mut size, mut index) = ([0u64; BUFFER / 8], c.length(), c.pick(&[0, 1, u32::MAX]));
        WinHttpQueryHeaders(c.handle, level, null(), text.as_mut_ptr().cast(), &mut size, &mut index);
    }),
    ("WinHttpQueryHeadersEx", 1, REQUEST, |c| unsafe {
        let (mut text, mut size, mut count) = ([0u64; BUFFER / 8], c.length(), 0);
        let mut headers = null_mut();
        let level = c.pick(&[0x8000_0000, 22, 21, 0]);
        WinHttpQueryHeadersEx(c.handle, level, 1, 0, null_mut(), null(), text.as_mut_ptr().cast(), &mut size, &mut headers, &mut count);
    }),
    ("WinHttpSetOption", 3, ANY, set_option),
    ("WinHttpQueryOption", 2, ANY, |c| unsafe {
        let (mut value, mut size, option) = ([0u64; BUFFER / 8], c.length(), c.random.below(220) as u32);
        // What brings something that must be freed is asked for with too little room only.
        if [WINHTTP_OPTION_PROXY, WINHTTP_OPTION_SERVER_CERT_CONTEXT, WINHTTP_OPTION_SERVER_CERT_CHAIN_CONTEXT].contains(&option) {
            size = 4;
        }
        WinHttpQueryOption(c.handle, option, value.as_mut_ptr().cast(), &mut size);
    }),
    ("WinHttpQueryAuthSchemes", 1, REQUEST, |c| unsafe {
        let (mut supported, mut first, mut target) = (0, 0, 0);
        WinHttpQueryAuthSchemes(c.handle, &mut supported, &mut first, &mut target);
    }),
    ("WinHttpSetCredentials", 1, REQUEST, |c| unsafe {
        let (target, scheme) = (c.pick(&[0, 1, 2]), c.pick(&[1, 2, 8, 16, 3]));
        WinHttpSetCredentials(c.handle, target, scheme, wide("u").as_ptr(), wide("p").as_ptr(), null_mut());
    }),
    ("WinHttpSetTimeouts", 1, REQUEST, |c| unsafe {
        // A server that never answers must have an end: no time is without a limit.
        let receive = c.pick(&[1, 50, 300, 60_000, -5]);
        WinHttpSetTimeouts(c.handle, 300, 300, 300, receive);
    }),
    ("WinHttpQueryConnectionGroup", 1, ANY, |c| unsafe {
        let mut groups = null_mut();
        if WinHttpQueryConnectionGroup(c.handle, null(), 0, &mut groups) == 0 {
            WinHttpFreeQueryConnectionGroupResult(groups);
        }
    }),
    ("WinHttpFreeQueryConnectionGroupResult", 1, ANY, |_| unsafe { WinHttpFreeQueryConnectionGroupResult(null_mut()) }),
    ("WinHttpCreateProxyResolver", 2, SESSION, |c| unsafe {
        let mut resolver = null_mut();
        if WinHttpCreateProxyResolver(c.handle, &mut resolver) == 0 {
            c.made(resolver, Kind::Resolver);
        }
    }),
    ("WinHttpGetProxyForUrlEx", 2, RESOLVER, |c| {
        let (url, context) = (c.url(), c.ledger.context());
        let options = auto_proxy(&url);
        let handle = c.handle;
        c.known.operation(|| unsafe { is_taken(WinHttpGetProxyForUrlEx(handle, wide("http://a/").as_ptr(), &options, context)) });
    }),
    ("WinHttpGetProxyForUrlEx2", 1, RESOLVER, |c| {
        let (url, context) = (c.url(), c.ledger.context());
        let options = auto_proxy(&url);
        let handle = c.handle;
        c.known.operation(|| unsafe { is_taken(WinHttpGetProxyForUrlEx2(handle, wide("http://a/").as_ptr(), &options, 0, null(), context)) });
    }),
    ("WinHttpGetProxyResult", 1, RESOLVER, |c| unsafe {
        let mut result: WINHTTP_PROXY_RESULT = zeroed();
        if WinHttpGetProxyResult(c.handle, &mut result) == 0 {
            WinHttpFreeProxyResult(&mut result);
        }
    }),
    ("WinHttpGetProxyResultEx", 1, RESOLVER, |c| unsafe {
        let mut result: WINHTTP_PROXY_RESULT_EX = zeroed();
        if WinHttpGetProxyResultEx(c.handle, &mut result) == 0 {
            WinHttpFreeProxyResultEx(&mut result);
        }
    }),
    ("WinHttpFreeProxyResult", 1, ANY, |_| unsafe { WinHttpFreeProxyResult(&mut zeroed()) }),
    ("WinHttpFreeProxyResultEx", 1, ANY, |_| unsafe { WinHttpFreeProxyResultEx(&mut zeroed()) }),
    ("WinHttpGetProxySettingsEx", 1, RESOLVER, |c| {
        let (handle, context, kind) = (c.handle, c.ledger.context(), c.pick(&[0, 1, 2, 9]));
        c.known.operation(|| unsafe { is_taken(WinHttpGetProxySettingsEx(handle, kind, null(), context)) });
    }),
    ("WinHttpGetProxySettingsResultEx", 1, RESOLVER, |c| unsafe {
        let mut settings: WINHTTP_PROXY_SETTINGS_EX = zeroed();
        if WinHttpGetProxySettingsResultEx(c.handle, (&raw mut settings).cast()) == 0 {
            assert_eq!(WinHttpFreeProxySettingsEx(1, (&raw const settings).cast()), 0);
        }
    }),
    ("WinHttpFreeProxySettingsEx", 1, ANY, |c| unsafe {
        let settings: WINHTTP_PROXY_SETTINGS_EX = zeroed();
        WinHttpFreeProxySettingsEx(c.pick(&[0, 1, 2, 9]), (&raw const settings).cast());
    }),
    ("WinHttpGetProxySettingsVersion", 1, SESSION, |c| unsafe { WinHttpGetProxySettingsVersion(c.handle, &mut 0); }),
    ("WinHttpGetProxyForUrl", 1, SESSION, |c| unsafe {
        let url = c.url();
        let (mut options, mut info): (_, WINHTTP_PROXY_INFO) = (auto_proxy(&url), zeroed());
        if WinHttpGetProxyForUrl(c.handle, wide("http://a/").as_ptr(), &mut options, &mut info) == 1 {
            free(info);
        }
    }),
    ("WinHttpResetAutoProxy", 1, SESSION, |c| unsafe { WinHttpResetAutoProxy(c.handle, c.pick(&[0, 1, 2, 7])); }),
    ("WinHttpReadProxySettings", 1, SESSION, |c| unsafe {
        let (mut version, mut default, mut settings): (_, _, WINHTTP_PROXY_SETTINGS) = (0, 0, zeroed());
        settings.dwStructSize = size_of::<WINHTTP_PROXY_SETTINGS>() as u32;
        if WinHttpReadProxySettings(c.handle, null(), 1, 0, &mut version, &mut default, &mut settings) == 0 {
            WinHttpFreeProxySettings(&settings);
        }
    }),
    ("WinHttpFreeProxySettings", 1, ANY, |_| unsafe { WinHttpFreeProxySettings(&zeroed()) }),
    ("WinHttpWriteProxySettings", 1, SESSION, |c| unsafe {
        let mut settings: WINHTTP_PROXY_SETTINGS = zeroed();
        settings.dwStructSize = size_of::<WINHTTP_PROXY_SETTINGS>() as u32;
        WinHttpWriteProxySettings(c.handle, 0, &settings);
    }),
    ("WinHttpGetDefaultProxyConfiguration", 1, ANY, |_| unsafe {
        let mut info: WINHTTP_PROXY_INFO = zeroed();
        if WinHttpGetDefaultProxyConfiguration(&mut info) == 1 {
            free(info);
        }
    }),
    ("WinHttpSetDefaultProxyConfiguration", 1, ANY, |_| unsafe {
        let mut info: WINHTTP_PROXY_INFO = zeroed();
        info.dwAccessType = WINHTTP_ACCESS_TYPE_NO_PROXY;
        WinHttpSetDefaultProxyConfiguration(&mut info);
    }),
    ("WinHttpGetIEProxyConfigForCurrentUser", 1, ANY, |_| unsafe {
        let mut config: WINHTTP_CURRENT_USER_IE_PROXY_CONFIG = zeroed();
        if WinHttpGetIEProxyConfigForCurrentUser(&mut config) == 1 {
            for text in [config.lpszAutoConfigUrl, config.lpszProxy, config.lpszProxyBypass] {
                GlobalFree(text.cast());
            }
        }
    }),
    ("WinHttpSetProxySettingsPerUser", 1, ANY, |c| unsafe { WinHttpSetProxySettingsPerUser(c.pick(&[0, 1])); }),
    ("WinHttpDetectAutoProxyConfigUrl", 1, ANY, |_| unsafe { WinHttpDetectAutoProxyConfigUrl(0, &mut null_mut()); }),
    ("WinHttpIsHostInProxyBypassList", 1, ANY, |_| unsafe {
        let bypass = wide("*.test;<local>");
        let info = WINHTTP_PROXY_INFO { dwAccessType: 3, lpszProxy: null_mut(), lpszProxyBypass: bypass.as_ptr().cast_mut() };
        WinHttpIsHostInProxyBypassList(&info, wide("a.test").as_ptr(), 1, 80, &mut 0);
    }),
    ("WinHttpRegisterProxyChangeNotification", 1, ANY, |c| unsafe {
        let mut registration = null_mut();
        if WinHttpRegisterProxyChangeNotification(1, Some(proxies_changed), null(), &mut registration) == 0 {
            c.ledger.registrations.lock().unwrap().push(registration as usize);
        }
    }),
    ("WinHttpUnregisterProxyChangeNotification", 2, ANY, |c| unsafe {
        let registration = c.ledger.registrations.lock().unwrap().pop();
        WinHttpUnregisterProxyChangeNotification(registration.unwrap_or(c.handle as usize) as *const c_void);
    }),
    ("WinHttpCheckPlatform", 1, ANY, |_| assert_eq!(WinHttpCheckPlatform(), 1)),
    ("WinHttpCrackUrl", 1, ANY, |c| unsafe {
        let mut parts: URL_COMPONENTS = zeroed();
        parts.dwStructSize = size_of::<URL_COMPONENTS>() as u32;
        (parts.dwHostNameLength, parts.dwUrlPathLength) = (1, c.pick(&[0, 1]));
        WinHttpCrackUrl(wide(c.pick(&["http://a/b?c", "x", "https://[::1]:9/", "http://u:p@h"])).as_ptr(), 0, 0, &mut parts);
    }),
    ("WinHttpCreateUrl", 1, ANY, |c| unsafe {
        let host = wide("h");
        let mut parts: URL_COMPONENTS = zeroed();
        parts.dwStructSize = size_of::<URL_COMPONENTS>() as u32;
        (parts.nScheme, parts.nPort) = (c.pick(&[0, 1, 2, 9]), 80);
        (parts.lpszHostName, parts.dwHostNameLength) = (host.as_ptr().cast_mut(), 1);
        let (mut text, mut length) = ([0u16; 64], c.pick(&[0, 5, 64]));
        WinHttpCreateUrl(&parts, 0, text.as_mut_ptr(), &mut length);
    }),
    ("WinHttpTimeFromSystemTime", 1, ANY, |c| unsafe {
        let mut time: SYSTEMTIME = zeroed();
        (time.wYear, time.wMonth, time.wDay) = (2000, c.pick(&[0, 1, 13]), c.pick(&[1, 31]));
        WinHttpTimeFromSystemTime(&time, [0u16; 31].as_mut_ptr());
    }),
    ("WinHttpTimeToSystemTime", 1, ANY, |_| unsafe {
        WinHttpTimeToSystemTime(wide("Wed, 09 Jun 2100 10:18:14 GMT").as_ptr(), &mut zeroed());
    }),
    ("WinHttpProtocolCompleteUpgrade", 1, REQUEST, |c| unsafe { WinHttpProtocolCompleteUpgrade(c.handle, 0); }),
    ("WinHttpProtocolReceive", 1, ANY, |c| unsafe { WinHttpProtocolReceive(c.handle, 0, null_mut(), 0, &mut 0); }),
    ("WinHttpProtocolSend", 1, ANY, |c| unsafe { WinHttpProtocolSend(c.handle, 0, null(), 0); }),
    ("WinHttpQueryAuthParams", 1, REQUEST, |c| unsafe { WinHttpQueryAuthParams(c.handle, 1, &mut null_mut()); }),
];

/// Calls one of them, on this value or on any.
pub fn call(ledger: &Ledger, random: &mut Random, on: Option<usize>) {
    let all: u64 = CALLS.iter().map(|(_, weight, ..)| weight).sum();
    let mut place = random.below(all);
    let chosen = CALLS.iter().position(|(_, weight, ..)| {
        let here = place < *weight;
        place = place.saturating_sub(*weight);
        here
    });
    make(ledger, random, on, CALLS[chosen.expect("the weights add up")].0);
}

/// Calls what a program calls next, when it is told this.
pub fn go_on(ledger: &Ledger, random: &mut Random, on: usize, status: u32) {
    let next: &[&str] = match status {
        WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => &["WinHttpReceiveResponse", "WinHttpWriteData"],
        WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => {
            &["WinHttpWebSocketCompleteUpgrade", "WinHttpWebSocketCompleteUpgrade", "WinHttpQueryDataAvailable"]
        }
        WINHTTP_CALLBACK_STATUS_DATA_AVAILABLE => &["WinHttpReadData"],
        WINHTTP_CALLBACK_STATUS_READ_COMPLETE => {
            &["WinHttpReadData", "WinHttpWebSocketReceive", "WinHttpWebSocketSend"]
        }
        WINHTTP_CALLBACK_STATUS_REQUEST_ERROR => &["WinHttpCloseHandle", "WinHttpSendRequest"],
        _ => return,
    };
    let name = next[random.below(next.len() as u64) as usize];
    make(ledger, random, Some(on), name);
}

/// Calls this one.
pub fn make(ledger: &Ledger, random: &mut Random, on: Option<usize>, name: &str) {
    let chosen = CALLS.iter().position(|(of, ..)| *of == name).expect("it is in the table");
    let (_, _, kind, function) = CALLS[chosen];
    let on = on.unwrap_or_else(|| ledger.any(random, kind));
    ledger.counts.calls.fetch_add(1, Ordering::Relaxed);
    ledger.called[chosen].fetch_add(1, Ordering::Relaxed);
    ledger.with(on, |known| function(&mut Call { ledger, random, handle: on as *mut c_void, known }));
}

fn close(c: &mut Call<'_>) {
    c.ledger.closes(c.handle as usize);
    // SAFETY: any value may be passed.
    unsafe { WinHttpCloseHandle(c.handle) };
}

/// Whether a function that answers an error number has taken the operation.
fn is_taken(code: u32) -> bool {
    code == 0 || code == ERROR_IO_PENDING.0
}

fn open(c: &mut Call<'_>) {
    let (asynchronous, through_proxy) = (!c.one_in(4), c.one_in(8));
    let flags = if asynchronous { WINHTTP_FLAG_ASYNC } else { 0 };
    let (proxy, context) = (wide(&format!("{}:{}", c.ledger.host, c.ledger.port)), c.ledger.context());
    // SAFETY: text ends in NUL; the context outlives the handle.
    unsafe {
        let session = if through_proxy {
            WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NAMED_PROXY, proxy.as_ptr(), null(), flags)
        } else {
            WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), flags)
        };
        WinHttpSetOption(session, WINHTTP_OPTION_CONTEXT_VALUE, (&raw const context).cast(), 8);
        WinHttpSetStatusCallback(session, Some(Ledger::callback(asynchronous)), u32::MAX, 0);
        WinHttpSetTimeouts(session, 300, 300, 300, 300);
        c.ledger.made(session, Kind::Session, asynchronous, None);
    }
}

fn open_request(c: &mut Call<'_>) {
    let verb = wide(c.pick(&["GET", "POST", "HEAD", "PUT", "bad verb"]));
    let flags = c.pick(&[0, 0, 0, 0, 0, 0, WINHTTP_FLAG_AUTOMATIC_CHUNKING, WINHTTP_FLAG_SECURE]);
    // SAFETY: text ends in NUL.
    unsafe {
        let request = WinHttpOpenRequest(c.handle, verb.as_ptr(), wide("/x?y").as_ptr(), null(), null(), null(), flags);
        if !request.is_null() && c.one_in(2) {
            WinHttpSetOption(request, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0);
        }
        c.made(request, Kind::Request);
    }
}

fn send(c: &mut Call<'_>) {
    let (handle, given) = (c.handle, c.pick(&[0, 0, 16, 64]));
    let (total, context) = (given + c.pick(&[0, 0, 8]), c.pick(&[0, c.ledger.context()]));
    // SAFETY: the bytes live for ever.
    let sent = c.known.operation(|| unsafe {
        WinHttpSendRequest(handle, null(), 0, BYTES.as_ptr().cast(), given, total, context) == 1
    });
    c.ledger.counts.requests.fetch_add(u64::from(sent), Ordering::Relaxed);
}

fn set_status_callback(c: &mut Call<'_>) {
    let callback = (!c.one_in(4)).then(|| Ledger::callback(c.known.asynchronous));
    let mask = c.pick(&[u32::MAX, u32::MAX, 0x0000_0c00, 0]);
    if callback.is_none() || mask != u32::MAX {
        c.known.partial.store(true, Ordering::SeqCst);
    }
    // SAFETY: the callback takes the contexts of the run.
    unsafe { WinHttpSetStatusCallback(c.handle, callback, mask, 0) };
}

fn set_option(c: &mut Call<'_>) {
    let usual = [
        WINHTTP_OPTION_CONNECT_TIMEOUT,
        WINHTTP_OPTION_MAX_CONNS_PER_SERVER,
        WINHTTP_OPTION_DISABLE_FEATURE,
        WINHTTP_OPTION_REDIRECT_POLICY,
        WINHTTP_OPTION_DECOMPRESSION,
        WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET,
    ];
    let option = if c.one_in(2) { c.pick(&usual) } else { c.random.below(220) as u32 };
    let value = [1 + c.random.below(3) as u32 * 100, 0, 0, 0];
    // Options that hold a pointer take a length of eight or more only.
    let length = c.pick(&[4, 4, 4, 0, 1]);
    // SAFETY: the value is longer than any length of text that is said.
    unsafe { WinHttpSetOption(c.handle, option, value.as_ptr().cast(), length) };
}

fn auto_proxy(url: &[u16]) -> WINHTTP_AUTOPROXY_OPTIONS {
    // SAFETY: numbers and pointers.
    let mut options: WINHTTP_AUTOPROXY_OPTIONS = unsafe { zeroed() };
    options.dwFlags = WINHTTP_AUTOPROXY_CONFIG_URL;
    options.lpszAutoConfigUrl = url.as_ptr();
    options
}

/// # Safety
/// The information is of the library.
unsafe fn free(info: WINHTTP_PROXY_INFO) {
    for text in [info.lpszProxy, info.lpszProxyBypass] {
        // SAFETY: the caller's promise.
        unsafe { GlobalFree(text.cast()) };
    }
}

unsafe extern "system" fn proxies_changed(_: u64, _: *const c_void) {}
