//! Each function x fault of an argument: what it answers, and where that is said. `0` is success. The types of handles are
//! walked by `bad_input.rs`; here the handles are good, and one argument is not.

use std::ptr::{null, null_mut};

use portable_winhttp::api::surface;
use windows_sys::Win32::Foundation::SYSTEMTIME;
use windows_sys::Win32::Networking::WinHttp::*;

use super::support::*;
use super::{Handles, failed};

/// Function, fault, the answer, its source, the call.
type Row = (&'static str, &'static str, u32, &'static str, fn(&Handles) -> u32);

fn pairs(name: &'static [u8], value: &'static [u8]) -> WINHTTP_EXTENDED_HEADER {
    WINHTTP_EXTENDED_HEADER {
        Anonymous1: WINHTTP_EXTENDED_HEADER_0 { pszName: name.as_ptr() },
        Anonymous2: WINHTTP_EXTENDED_HEADER_1 { pszValue: value.as_ptr() },
    }
}

/// WinHttpQueryHeadersEx of the request with a reply: level, flags, code page, and which out parameters there are.
fn query_ex(open: &Handles, kind: char, level: u32, flags: u64, page: u32, outs: [bool; 3], room: u32) -> u32 {
    let mut buffer = vec![0u8; room as usize];
    let (mut length, mut headers, mut count) = (room, null_mut(), 0);
    let name: Vec<u16> = wide("a");
    let name = WINHTTP_HEADER_NAME { pwszName: name.as_ptr() };
    // SAFETY: the buffer has so many bytes.
    unsafe {
        WinHttpQueryHeadersEx(
            open.of(kind),
            level,
            flags,
            page,
            null_mut(),
            &name,
            if room == 0 { null_mut() } else { buffer.as_mut_ptr().cast() },
            if outs[0] { &mut length } else { null_mut() },
            if outs[1] { &mut headers } else { null_mut() },
            if outs[2] { &mut count } else { null_mut() },
        )
    }
}

const ALL: [bool; 3] = [true; 3];
const LEVEL: u32 = WINHTTP_QUERY_EX_ALL_HEADERS;

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // SAFETY, for all: what is passed beside the fault is what the pages ask for; the fault is what is tested.
    ("WinHttpOpen", "an unknown access type", 87, "[D] page", |_| unsafe { failed(!WinHttpOpen(null(), 77, null(), null(), 0).is_null()) }),
    ("WinHttpOpen", "a named proxy without a name", 87, "source P1", |_| unsafe { failed(!WinHttpOpen(null(), 3, null(), null(), 0).is_null()) }),
    ("WinHttpOpen", "an agent with a line of its own", 87, "design, promises", |_| unsafe { failed(!WinHttpOpen(wide("a\r\nb: c").as_ptr(), 1, null(), null(), 0).is_null()) }),
    ("WinHttpConnect", "server NULL", 87, "source handle.null-server", |h| unsafe { failed(!WinHttpConnect(h.of('S'), null(), 80, 0).is_null()) }),
    ("WinHttpConnect", "server NULL before the handle", 87, "source handle.null-server", |_| unsafe { failed(!WinHttpConnect(null_mut(), null(), 80, 0).is_null()) }),
    ("WinHttpConnect", "an empty server", 12005, "our choice", |h| unsafe { failed(!WinHttpConnect(h.of('S'), wide("").as_ptr(), 80, 0).is_null()) }),
    ("WinHttpConnect", "a server that is none", 12005, "[D] page lists it", |h| unsafe { failed(!WinHttpConnect(h.of('S'), wide("a b").as_ptr(), 80, 0).is_null()) }),
    ("WinHttpConnect", "the port of SMTP", 12005, "source CN3; the number: our choice", |h| unsafe { failed(!WinHttpConnect(h.of('S'), wide("h").as_ptr(), 25, 0).is_null()) }),
    ("WinHttpConnect", "the port of FTP", 12005, "source CN3; the number: our choice", |h| unsafe { failed(!WinHttpConnect(h.of('S'), wide("h").as_ptr(), 21, 0).is_null()) }),
    ("WinHttpSetOption", "SECURE_PROTOCOLS with a bit that no system knows", 87, "source g03", |h| unsafe { failed(WinHttpSetOption(h.of('S'), WINHTTP_OPTION_SECURE_PROTOCOLS, (&1u32 as *const u32).cast(), 4) != 0) }),
    ("WinHttpOpenRequest", "a verb that is no token", 87, "design, promises", |h| unsafe { failed(!WinHttpOpenRequest(h.of('C'), wide("G T").as_ptr(), null(), null(), null(), null(), 0).is_null()) }),
    ("WinHttpOpenRequest", "a referrer with a line of its own", 87, "design, promises", |h| unsafe { failed(!WinHttpOpenRequest(h.of('C'), null(), null(), null(), wide("a\nb").as_ptr(), null(), 0).is_null()) }),
    ("WinHttpCloseHandle", "NULL", 6, "source handle.invalid", |_| unsafe { failed(WinHttpCloseHandle(null_mut()) != 0) }),
    ("WinHttpSetStatusCallback", "NULL", 6, "source handle.invalid", |_| unsafe { failed(WinHttpSetStatusCallback(null_mut(), None, 0, 0).is_none_or(|f| f as usize != usize::MAX)) }),
    ("WinHttpAddRequestHeaders", "text NULL", 87, "source header.arguments", |h| unsafe { failed(WinHttpAddRequestHeaders(h.of('R'), null(), 4, 0) != 0) }),
    ("WinHttpAddRequestHeaders", "length 0", 87, "source header.arguments", |h| unsafe { failed(WinHttpAddRequestHeaders(h.of('R'), wide("a: b").as_ptr(), 0, 0) != 0) }),
    ("WinHttpAddRequestHeaders", "text NULL before the handle", 87, "source handle.check-order", |_| unsafe { failed(WinHttpAddRequestHeaders(null_mut(), null(), 4, 0) != 0) }),
    ("WinHttpAddRequestHeaders", "no colon", 87, "source m5", |h| unsafe { failed(WinHttpAddRequestHeaders(h.of('R'), wide("cd").as_ptr(), u32::MAX, 0) != 0) }),
    ("WinHttpAddRequestHeaders", "a character above U+00FF", 87, "source c18", |h| unsafe { failed(WinHttpAddRequestHeaders(h.of('R'), wide("a: \u{100}").as_ptr(), u32::MAX, 0) != 0) }),
    ("WinHttpAddRequestHeaders", "a value of 64 K", 87, "source c02", |h| unsafe { failed(WinHttpAddRequestHeaders(h.of('R'), wide(&format!("a: {}", "x".repeat(65_536))).as_ptr(), u32::MAX, 0) != 0) }),
    ("WinHttpAddRequestHeaders", "REPLACE of what is absent", 12150, "source header.modifiers", |h| unsafe { failed(WinHttpAddRequestHeaders(h.of('R'), wide("none: b").as_ptr(), u32::MAX, WINHTTP_ADDREQ_FLAG_REPLACE) != 0) }),
    ("WinHttpAddRequestHeadersEx", "no headers", 87, "our choice", |h| unsafe { WinHttpAddRequestHeadersEx(h.of('R'), 0, 0, 0, 0, null()) }),
    ("WinHttpAddRequestHeadersEx", "an unknown flag", 87, "source ex.add", |h| unsafe { WinHttpAddRequestHeadersEx(h.of('R'), 0, 2, 0, 1, &pairs(b"a\0", b"b\0")) }),
    ("WinHttpAddRequestHeadersEx", "extra", 87, "reserved [D]", |h| unsafe { WinHttpAddRequestHeadersEx(h.of('R'), 0, 0, 1, 1, &pairs(b"a\0", b"b\0")) }),
    ("WinHttpAddRequestHeadersEx", "a value with a line of its own", 87, "source c15", |h| unsafe { WinHttpAddRequestHeadersEx(h.of('R'), 0, 0, 0, 1, &pairs(b"a\0", b"b\r\nc: d\0")) }),
    ("WinHttpAddRequestHeadersEx", "a name that is none", 87, "source m5", |h| unsafe { WinHttpAddRequestHeadersEx(h.of('R'), 0, 0, 0, 1, &pairs(b"a b\0", b"c\0")) }),
    ("WinHttpAddRequestHeadersEx", "name NULL", 87, "our choice", |h| unsafe { WinHttpAddRequestHeadersEx(h.of('R'), 0, 0, 0, 1, &std::mem::zeroed()) }),
    ("WinHttpSendRequest", "optional NULL with a length", 87, "our choice", |h| unsafe { failed(WinHttpSendRequest(h.of('R'), null(), 0, null(), 4, 4, 0) != 0) }),
    ("WinHttpSendRequest", "headers that are none", 87, "source m5", |h| unsafe { failed(WinHttpSendRequest(h.of('R'), wide("cd").as_ptr(), u32::MAX, null(), 0, 0, 0) != 0) }),
    ("WinHttpSendRequest", "Transfer-Encoding beside Content-Length", 87, "source m4", |h| unsafe { failed(WinHttpSendRequest(h.of('R'), wide("Transfer-Encoding: chunked\r\nContent-Length: 3").as_ptr(), u32::MAX, null(), 0, 0, 0) != 0) }),
    ("WinHttpSendRequest", "a Content-Length that contradicts", 87, "source send.length-mismatch", |h| unsafe { failed(WinHttpSendRequest(h.of('R'), wide("Content-Length: 3").as_ptr(), u32::MAX, b"abcd".as_ptr().cast(), 4, 4, 0) != 0) }),
    ("WinHttpWriteData", "a pointer that leads nowhere, of length 0", 87, "source r5", |h| unsafe { failed(WinHttpWriteData(h.of('R'), std::ptr::dangling(), 0, null_mut()) != 0) }),
    ("WinHttpReceiveResponse", "never sent", 12019, "source receive.early", |h| failed(receive(h.of('R')) != 0)),
    ("WinHttpQueryDataAvailable", "before the reply", 12019, "source data.early", |h| unsafe { failed(WinHttpQueryDataAvailable(h.of('R'), &mut 0) != 0) }),
    ("WinHttpReadData", "before the reply", 12019, "source data.early", |h| unsafe { failed(WinHttpReadData(h.of('R'), [0u8; 4].as_mut_ptr().cast(), 4, &mut 0) != 0) }),
    ("WinHttpReadData", "buffer NULL", 87, "our choice", |h| unsafe { failed(WinHttpReadData(h.of('R'), null_mut(), 4, &mut 0) != 0) }),
    ("WinHttpReadDataEx", "an unknown flag", 87, "[D] page", |h| unsafe { WinHttpReadDataEx(h.of('R'), [0u8; 4].as_mut_ptr().cast(), 4, null_mut(), 2, 0, null()) }),
    ("WinHttpReadDataEx", "a property", 87, "[D] page: 0 and NULL", |h| unsafe { WinHttpReadDataEx(h.of('R'), [0u8; 4].as_mut_ptr().cast(), 4, null_mut(), 0, 4, b"abcd".as_ptr().cast()) }),
    ("WinHttpWriteData", "buffer NULL", 87, "our choice", |h| unsafe { failed(WinHttpWriteData(h.of('R'), null(), 4, null_mut()) != 0) }),
    ("WinHttpWriteData", "never sent", 12019, "source write.as-announced", |h| unsafe { failed(WinHttpWriteData(h.of('R'), b"abcd".as_ptr().cast(), 4, null_mut()) != 0) }),
    ("WinHttpQueryHeaders", "length NULL", 87, "our choice", |h| unsafe { failed(WinHttpQueryHeaders(h.of('D'), WINHTTP_QUERY_STATUS_CODE, null(), null_mut(), null_mut(), null_mut()) != 0) }),
    ("WinHttpQueryHeaders", "an unknown level", 87, "source query.unknown", |h| unsafe { failed(WinHttpQueryHeaders(h.of('D'), 79, null(), null_mut(), &mut 0, null_mut()) != 0) }),
    ("WinHttpQueryHeaders", "before the reply", 12019, "source query.early", |h| unsafe { failed(WinHttpQueryHeaders(h.of('R'), WINHTTP_QUERY_STATUS_CODE, null(), null_mut(), &mut 0, null_mut()) != 0) }),
    ("WinHttpQueryHeaders", "a header that is absent", 12150, "source query.absent", |h| unsafe { failed(WinHttpQueryHeaders(h.of('D'), WINHTTP_QUERY_ORIG_URI, null(), null_mut(), &mut 0, null_mut()) != 0) }),
    ("WinHttpQueryHeaders", "buffer NULL", 122, "source query.small", |h| unsafe { failed(WinHttpQueryHeaders(h.of('D'), WINHTTP_QUERY_STATUS_CODE, null(), null_mut(), &mut 99, null_mut()) != 0) }),
    ("WinHttpQueryHeaders", "CUSTOM without a name", 87, "our choice", |h| unsafe { failed(WinHttpQueryHeaders(h.of('D'), WINHTTP_QUERY_CUSTOM, null(), null_mut(), &mut 0, null_mut()) != 0) }),
    ("WinHttpQueryHeaders", "no such occurrence", 12150, "source query.index", |h| unsafe { failed(WinHttpQueryHeaders(h.of('D'), WINHTTP_QUERY_CUSTOM, wide("a").as_ptr(), null_mut(), &mut 0, &mut 2) != 0) }),
    ("WinHttpQueryHeaders", "trailers before the end", 12019, "source Q8", |h| unsafe { failed(WinHttpQueryHeaders(h.of('D'), WINHTTP_QUERY_DATE | WINHTTP_QUERY_FLAG_TRAILERS, null(), null_mut(), &mut 0, null_mut()) != 0) }),
    ("WinHttpQueryHeadersEx", "STATUS_CODE", 87, "source ex.query", |h| query_ex(h, 'D', WINHTTP_QUERY_STATUS_CODE, 0, 0, ALL, 999)),
    ("WinHttpQueryHeadersEx", "STATUS_TEXT", 87, "source ex.query", |h| query_ex(h, 'D', WINHTTP_QUERY_STATUS_TEXT, 0, 0, ALL, 999)),
    ("WinHttpQueryHeadersEx", "VERSION", 87, "source ex.query", |h| query_ex(h, 'D', WINHTTP_QUERY_VERSION, 0, 0, ALL, 999)),
    ("WinHttpQueryHeadersEx", "RAW_HEADERS_CRLF", 87, "source ex.query", |h| query_ex(h, 'D', WINHTTP_QUERY_RAW_HEADERS_CRLF, 0, 0, ALL, 999)),
    ("WinHttpQueryHeadersEx", "NUMBER", 87, "source ex.query", |h| query_ex(h, 'D', WINHTTP_QUERY_CONTENT_LENGTH | WINHTTP_QUERY_FLAG_NUMBER, 0, 0, ALL, 999)),
    ("WinHttpQueryHeadersEx", "NUMBER64", 87, "source ex.query", |h| query_ex(h, 'D', WINHTTP_QUERY_CONTENT_LENGTH | WINHTTP_QUERY_FLAG_NUMBER64, 0, 0, ALL, 999)),
    ("WinHttpQueryHeadersEx", "SYSTEMTIME", 87, "source ex.query", |h| query_ex(h, 'D', WINHTTP_QUERY_DATE | WINHTTP_QUERY_FLAG_SYSTEMTIME, 0, 0, ALL, 999)),
    ("WinHttpQueryHeadersEx", "flags", 87, "reserved [D]", |h| query_ex(h, 'D', LEVEL, 1, 0, ALL, 999)),
    ("WinHttpQueryHeadersEx", "an unknown code page", 0, "source ex.code-page", |h| query_ex(h, 'D', LEVEL, 0, 932, ALL, 999)),
    ("WinHttpQueryHeadersEx", "length NULL", 87, "our choice", |h| query_ex(h, 'D', LEVEL, 0, 0, [false, true, true], 999)),
    ("WinHttpQueryHeadersEx", "headers NULL", 87, "our choice", |h| query_ex(h, 'D', LEVEL, 0, 0, [true, false, true], 999)),
    ("WinHttpQueryHeadersEx", "count NULL", 87, "our choice", |h| query_ex(h, 'D', LEVEL, 0, 0, [true, true, false], 999)),
    ("WinHttpQueryHeadersEx", "buffer NULL", 122, "source ex.query", |h| query_ex(h, 'D', LEVEL, 0, 0, ALL, 0)),
    ("WinHttpQueryHeadersEx", "too short", 122, "source ex.query", |h| query_ex(h, 'D', LEVEL, 0, 0, ALL, 20)),
    ("WinHttpQueryHeadersEx", "before the reply", 12019, "source ex.query", |h| query_ex(h, 'R', LEVEL, 0, 0, ALL, 999)),
    ("WinHttpQueryHeadersEx", "a header that is absent", 12150, "source ex.query", |h| query_ex(h, 'D', WINHTTP_QUERY_DATE, 0, 0, ALL, 999)),
    ("WinHttpSetCredentials", "an unknown target", 87, "source auth.set-credentials-unknown", |h| unsafe { failed(WinHttpSetCredentials(h.of('R'), 2, WINHTTP_AUTH_SCHEME_BASIC, wide("u").as_ptr(), wide("p").as_ptr(), null_mut()) != 0) }),
    ("WinHttpSetCredentials", "password NULL", 87, "source auth.set-credentials", |h| unsafe { failed(WinHttpSetCredentials(h.of('R'), 0, WINHTTP_AUTH_SCHEME_BASIC, wide("u").as_ptr(), null(), null_mut()) != 0) }),
    ("WinHttpQueryAuthSchemes", "without a challenge", 4317, "source auth.schemes-none", |h| unsafe { failed(WinHttpQueryAuthSchemes(h.of('D'), &mut 0, &mut 0, &mut 0) != 0) }),
    ("WinHttpQueryAuthSchemes", "schemes NULL", 87, "source auth.schemes-null", |h| unsafe { failed(WinHttpQueryAuthSchemes(h.of('D'), null_mut(), &mut 0, &mut 0) != 0) }),
    ("WinHttpSetTimeouts", "below -1", 87, "source option.timeouts", |h| unsafe { failed(WinHttpSetTimeouts(h.of('R'), -2, 0, 0, 0) != 0) }),
    ("WinHttpSetTimeouts", "below -1, of a connection", 87, "source option.timeouts", |h| unsafe { failed(WinHttpSetTimeouts(h.of('C'), 0, 0, 0, -2) != 0) }),
    ("WinHttpSetTimeouts", "of a connection", 12018, "source option.timeouts", |h| unsafe { failed(WinHttpSetTimeouts(h.of('C'), 0, 0, 0, 0) != 0) }),
    ("WinHttpQueryOption", "length NULL", 87, "source option.query", |h| unsafe { failed(WinHttpQueryOption(h.of('R'), WINHTTP_OPTION_URL, null_mut(), null_mut()) != 0) }),
    ("WinHttpQueryOption", "an unknown option", 87, "source option.zero", |h| unsafe { failed(WinHttpQueryOption(h.of('R'), 0, null_mut(), &mut 0) != 0) }),
    ("WinHttpSetOption", "an unknown option", 12009, "source option.zero", |h| unsafe { failed(WinHttpSetOption(h.of('R'), 0, b"abcd".as_ptr().cast(), 4) != 0) }),
    ("WinHttpSetOption", "one that is only read", 12011, "source O1", |h| unsafe { failed(WinHttpSetOption(h.of('R'), WINHTTP_OPTION_URL, wide("x").as_ptr().cast(), 1) != 0) }),
    ("WinHttpCrackUrl", "URL NULL", 87, "source UR3", |_| unsafe { failed(WinHttpCrackUrl(null(), 0, 0, &mut std::mem::zeroed()) != 0) }),
    ("WinHttpCrackUrl", "components NULL", 87, "source UR3", |_| unsafe { failed(WinHttpCrackUrl(wide("http://h").as_ptr(), 0, 0, null_mut()) != 0) }),
    ("WinHttpCrackUrl", "no struct size", 87, "source crack.modes", |_| unsafe { failed(WinHttpCrackUrl(wide("http://h").as_ptr(), 0, 0, &mut std::mem::zeroed()) != 0) }),
    ("WinHttpCreateUrl", "components NULL", 87, "source UR4", |_| unsafe { failed(WinHttpCreateUrl(null(), 0, null_mut(), &mut 9) != 0) }),
    ("WinHttpCreateUrl", "no struct size", 87, "source UR4", |_| unsafe { failed(WinHttpCreateUrl(&std::mem::zeroed(), 0, null_mut(), &mut 9) != 0) }),
    ("WinHttpTimeFromSystemTime", "time NULL", 87, "source time.text", |_| unsafe { failed(WinHttpTimeFromSystemTime(null(), [0u16; 31].as_mut_ptr()) != 0) }),
    ("WinHttpTimeFromSystemTime", "text NULL", 87, "source time.text", |_| unsafe { failed(WinHttpTimeFromSystemTime(&std::mem::zeroed::<SYSTEMTIME>(), null_mut()) != 0) }),
    ("WinHttpTimeToSystemTime", "text NULL", 87, "source time.text", |_| unsafe { failed(WinHttpTimeToSystemTime(null(), &mut std::mem::zeroed()) != 0) }),
    ("WinHttpTimeToSystemTime", "time NULL", 87, "source time.text", |_| unsafe { failed(WinHttpTimeToSystemTime(wide("x").as_ptr(), null_mut()) != 0) }),
    ("WinHttpGetIEProxyConfigForCurrentUser", "NULL", 87, "source proxy.ie", |_| unsafe { failed(WinHttpGetIEProxyConfigForCurrentUser(null_mut()) != 0) }),
    ("WinHttpGetDefaultProxyConfiguration", "NULL", 87, "source proxy.default-config", |_| unsafe { failed(WinHttpGetDefaultProxyConfiguration(null_mut()) != 0) }),
    ("WinHttpSetDefaultProxyConfiguration", "NULL", 87, "source proxy.default-config", |_| unsafe { failed(WinHttpSetDefaultProxyConfiguration(null_mut()) != 0) }),
    ("WinHttpDetectAutoProxyConfigUrl", "no flags", 87, "source proxy.ie", |_| unsafe { failed(WinHttpDetectAutoProxyConfigUrl(0, &mut null_mut()) != 0) }),
    ("WinHttpDetectAutoProxyConfigUrl", "URL NULL", 87, "source proxy.ie", |_| unsafe { failed(WinHttpDetectAutoProxyConfigUrl(1, null_mut()) != 0) }),
    ("WinHttpGetProxyForUrl", "URL NULL", 87, "source proxy.for-url", |h| unsafe { failed(WinHttpGetProxyForUrl(h.of('S'), null(), &mut std::mem::zeroed(), &mut std::mem::zeroed()) != 0) }),
    ("WinHttpCreateProxyResolver", "a synchronous session", 12018, "source resolver.codes", |h| unsafe { WinHttpCreateProxyResolver(h.of('S'), &mut null_mut()) }),
    ("WinHttpGetProxyForUrlEx", "URL NULL", 87, "our choice", |h| unsafe { WinHttpGetProxyForUrlEx(h.of('V'), null(), &std::mem::zeroed(), 0) }),
    ("WinHttpGetProxyForUrlEx", "options NULL", 87, "our choice", |h| unsafe { WinHttpGetProxyForUrlEx(h.of('V'), wide("http://h/").as_ptr(), null(), 0) }),
    ("WinHttpGetProxyResult", "before a look-up", 12019, "source resolver.codes", |h| unsafe { WinHttpGetProxyResult(h.of('V'), &mut std::mem::zeroed()) }),
    ("WinHttpReadProxySettings", "settings NULL", 87, "our choice", |h| unsafe { WinHttpReadProxySettings(h.of('S'), null(), 0, 0, null_mut(), null_mut(), null_mut()) }),
    ("WinHttpReadProxySettings", "a connection without settings of its own", 2, "our choice", |h| unsafe { WinHttpReadProxySettings(h.of('S'), wide("x").as_ptr(), 0, 0, null_mut(), null_mut(), &mut std::mem::zeroed()) }),
    ("WinHttpWriteProxySettings", "settings NULL", 87, "our choice", |h| unsafe { WinHttpWriteProxySettings(h.of('S'), 1, null()) }),
    ("WinHttpWriteProxySettings", "no struct size", 87, "our choice", |h| unsafe { WinHttpWriteProxySettings(h.of('S'), 1, &std::mem::zeroed()) }),
    ("WinHttpQueryConnectionGroup", "of a session", 12018, "source CN6", |h| unsafe { WinHttpQueryConnectionGroup(h.of('S'), null(), 0, &mut null_mut()) }),
    ("WinHttpQueryConnectionGroup", "result NULL", 87, "our choice", |h| unsafe { WinHttpQueryConnectionGroup(h.of('C'), null(), 0, null_mut()) }),
    ("WinHttpQueryConnectionGroup", "an unknown flag", 87, "our choice", |h| unsafe { WinHttpQueryConnectionGroup(h.of('C'), null(), 2, &mut null_mut()) }),
    ("WinHttpWebSocketCompleteUpgrade", "a reply that is no 101", 12019, "[D] fails; the number: our choice", |h| unsafe { failed(!WinHttpWebSocketCompleteUpgrade(h.of('D'), 0).is_null()) }),
    ("WinHttpWebSocketSend", "NULL with a length", 87, "source ws.codes", |h| unsafe { WinHttpWebSocketSend(h.of('W'), 0, null(), 1) }),
    ("WinHttpWebSocketSend", "a pointer that leads nowhere, of length 0", 87, "source r5", |h| unsafe { WinHttpWebSocketSend(h.of('W'), 0, std::ptr::dangling(), 0) }),
    ("WinHttpWebSocketSend", "a buffer of type CLOSE", 87, "source ws.codes", |h| unsafe { WinHttpWebSocketSend(h.of('W'), 4, b"a".as_ptr().cast(), 1) }),
    ("WinHttpWebSocketReceive", "buffer NULL", 87, "source ws.codes", |h| unsafe { WinHttpWebSocketReceive(h.of('W'), null_mut(), 1, &mut 0, &mut 0) }),
    ("WinHttpWebSocketShutdown", "a long reason", 87, "source ws.codes", |h| unsafe { WinHttpWebSocketShutdown(h.of('W'), 1000, [b'a'; 124].as_ptr().cast(), 124) }),
    ("WinHttpWebSocketClose", "reason NULL with a length", 87, "source ws.codes", |h| unsafe { WinHttpWebSocketClose(h.of('W'), 1000, null(), 1) }),
    ("WinHttpWebSocketQueryCloseStatus", "status NULL", 87, "source ws.codes", |h| unsafe { WinHttpWebSocketQueryCloseStatus(h.of('W'), null_mut(), null_mut(), 0, &mut 0) }),
    ("WinHttpWebSocketQueryCloseStatus", "before the close frame", 4317, "source ws.codes", |h| unsafe { WinHttpWebSocketQueryCloseStatus(h.of('W'), &mut 0, null_mut(), 0, &mut 0) }),
    // NULL is nothing to free.
    ("WinHttpFreeProxySettings", "NULL", 0, "our choice", |_| unsafe { WinHttpFreeProxySettings(null()); 0 }),
    ("WinHttpFreeQueryConnectionGroupResult", "NULL", 0, "our choice", |_| unsafe { WinHttpFreeQueryConnectionGroupResult(null_mut()); 0 }),
    ("WinHttpFreeProxyResult", "NULL", 0, "our choice", |_| unsafe { WinHttpFreeProxyResult(null_mut()); 0 }),
    ("WinHttpFreeProxyResultEx", "NULL", 0, "our choice", |_| unsafe { WinHttpFreeProxyResultEx(null_mut()); 0 }),
    // There is no argument to get wrong.
    ("WinHttpCheckPlatform", "none", 0, "header", |_| unsafe { failed(WinHttpCheckPlatform() != 0) }),
];

#[test]
fn faults() {
    let open = Handles::open();
    let wrong: Vec<String> = ROWS
        .iter()
        .filter_map(|(function, fault, expected, source, call)| {
            let answer = call(&open);
            (answer != *expected).then(|| format!("{function}, {fault}: {answer}, not {expected} ({source})"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    open.close();
}

/// Functions that only `windows-sys` lacks cannot be in these rows; nor can those that take no pointer that may be wrong.
const ELSEWHERE: [&str; 4] = [
    "WinHttpIsHostInProxyBypassList",
    "WinHttpResetAutoProxy",
    "WinHttpGetProxySettingsVersion",
    "WinHttpFreeProxySettingsEx",
];

#[test]
fn every_function_has_a_row() {
    for function in surface::functions() {
        let here = ROWS.iter().any(|(name, ..)| *name == function.name) || ELSEWHERE.contains(&function.name);
        let resolver = function.handles == ["resolver"] || function.name.contains("ProxyChangeNotification");
        assert!(here || resolver || function.status == "absent", "{}", function.name);
    }
}
