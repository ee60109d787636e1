//! WinHttpAddRequestHeadersEx, WinHttpQueryHeadersEx (sources ex.add, ex.query), WinHttpQueryConnectionGroup
//! (source CN6), the proxy settings of the user, and options that other tests do not name.

mod support;

use std::ffi::c_void;
use std::io::Write;
use std::ptr::{null, null_mut};

use portable_winhttp::lab::{Profile, Sim};

use support::*;
use windows_sys::Win32::Networking::WinHttp::*;
use windows_sys::core::GUID;

fn text(pointer: *const u16) -> String {
    let mut units = Vec::new();
    // SAFETY: ends in NUL.
    while let unit @ 1.. = unsafe { pointer.add(units.len()).read_unaligned() } {
        units.push(unit);
    }
    String::from_utf16(&units).unwrap()
}

fn header(name: &[u16], value: &[u16]) -> WINHTTP_EXTENDED_HEADER {
    WINHTTP_EXTENDED_HEADER {
        Anonymous1: WINHTTP_EXTENDED_HEADER_0 { pwszName: name.as_ptr() },
        Anonymous2: WINHTTP_EXTENDED_HEADER_1 { pwszValue: value.as_ptr() },
    }
}

/// All that a query answers in the code page 0: names and values, or the error.
fn query(request: *mut c_void, level: u32, name: Option<&str>, index: Option<&mut u32>) -> Result<Vec<String>, u32> {
    query_in(0, request, level, name, index)
}

/// The same in any code page.
fn query_in(
    page: u32,
    request: *mut c_void,
    level: u32,
    name: Option<&str>,
    index: Option<&mut u32>,
) -> Result<Vec<String>, u32> {
    let wire = level & WINHTTP_QUERY_FLAG_WIRE_ENCODING != 0;
    let (wide_name, narrow_name) = (wide(name.unwrap_or("")), format!("{}\0", name.unwrap_or("")));
    let name_of = if wire {
        WINHTTP_HEADER_NAME { pszName: narrow_name.as_ptr() }
    } else {
        WINHTTP_HEADER_NAME { pwszName: wide_name.as_ptr() }
    };
    let name = if name.is_some() { &raw const name_of } else { null() };
    let index = index.map_or(null_mut(), std::ptr::from_mut);
    let (mut length, mut headers, mut count) = (0, null_mut(), 0);
    // SAFETY: what the pages ask for.
    unsafe {
        let mut call = |buffer: *mut c_void, length: &mut u32| {
            WinHttpQueryHeadersEx(request, level, 0, page, index, name, buffer, length, &mut headers, &mut count)
        };
        match call(null_mut(), &mut length) {
            122 => {}
            error => return Err(error),
        }
        let mut buffer = vec![0u8; length as usize];
        let mut short = length - 1;
        assert_eq!((call(buffer.as_mut_ptr().cast(), &mut short), short), (122, length));
        // The array is aligned for pointers, whatever the buffer is; that may take some bytes.
        buffer.resize(length as usize + 8, 0);
        let mut room = buffer.len() as u32;
        assert_eq!(call(buffer.as_mut_ptr().cast(), &mut room), 0);
        assert!(room <= length + 8);
        let one = |header: WINHTTP_EXTENDED_HEADER| {
            if wire {
                let narrow =
                    |pointer: *const u8| std::ffi::CStr::from_ptr(pointer.cast()).to_bytes().escape_ascii().to_string();
                format!("{}={}", narrow(header.Anonymous1.pszName), narrow(header.Anonymous2.pszValue))
            } else {
                format!("{}={}", text(header.Anonymous1.pwszName), text(header.Anonymous2.pwszValue))
            }
        };
        Ok((0..count as usize).map(|place| one(headers.add(place).read())).collect())
    }
}

/// All fields of a name, one by one.
fn all(request: *mut c_void, level: u32, name: &str) -> Vec<String> {
    let mut index = 0;
    let mut next = || query(request, level, Some(name), Some(&mut index));
    std::iter::from_fn(|| next().ok()).flatten().collect()
}

/// A worked example of the modifiers (source header.modifiers), by pairs.
#[test]
fn headers_are_added_by_pairs() {
    let client = Client::new(false, 80);
    let request = client.request("GET", "/", &Record::new());
    let add = |name: &str, value: &str, modifiers: u32| {
        let (name, value) = (wide(name), wide(value));
        // SAFETY: strings end in NUL.
        unsafe { WinHttpAddRequestHeadersEx(request, modifiers, 1, 0, 1, &header(&name, &value)) }
    };
    let level = WINHTTP_QUERY_CUSTOM | WINHTTP_QUERY_FLAG_REQUEST_HEADERS;
    let rows: &[(&str, u32, u32, &[&str])] = &[
        ("test1", WINHTTP_ADDREQ_FLAG_ADD, 0, &["test1"]),
        ("test2", WINHTTP_ADDREQ_FLAG_ADD, 0, &["test1", "test2"]),
        ("test3", WINHTTP_ADDREQ_FLAG_REPLACE, 0, &["test3", "test2"]),
        ("test4", WINHTTP_ADDREQ_FLAG_ADD_IF_NEW, 87, &["test3", "test2"]),
        ("test4", WINHTTP_ADDREQ_FLAG_COALESCE, 0, &["test3, test4", "test2"]),
        ("test5", WINHTTP_ADDREQ_FLAG_COALESCE_WITH_COMMA, 0, &["test3, test4, test5", "test2"]),
        ("test6", WINHTTP_ADDREQ_FLAG_COALESCE_WITH_SEMICOLON, 0, &["test3, test4, test5; test6", "test2"]),
        ("test4", WINHTTP_ADDREQ_FLAG_ADD | WINHTTP_ADDREQ_FLAG_REPLACE, 0, &["test4", "test2"]),
        ("", WINHTTP_ADDREQ_FLAG_REPLACE, 0, &["test2"]),
    ];
    for (value, modifiers, error, after) in rows {
        assert_eq!(add("warning", value, *modifiers), *error, "{value}");
        let after: Vec<String> = after.iter().map(|value| format!("warning={value}")).collect();
        // Without an index the first one (source ex.first).
        assert_eq!(query(request, level, Some("Warning"), None), Ok(after[..1].to_vec()), "{value}");
        assert_eq!(all(request, level, "Warning"), after, "{value}");
    }
    // Narrow, and all or nothing.
    let narrow = |name: &'static [u8], value: &'static [u8]| WINHTTP_EXTENDED_HEADER {
        Anonymous1: WINHTTP_EXTENDED_HEADER_0 { pszName: name.as_ptr() },
        Anonymous2: WINHTTP_EXTENDED_HEADER_1 { pszValue: value.as_ptr() },
    };
    let good = narrow(b"n\0", b"\xC3\xA4\0");
    // SAFETY: strings end in NUL.
    unsafe {
        let bad = [good, narrow(b"b ad\0", b"v\0")];
        assert_eq!(WinHttpAddRequestHeadersEx(request, 0, 0, 0, 2, bad.as_ptr()), 87);
        assert_eq!(query(request, level, Some("n"), None), Err(12150), "nothing was added");
        assert_eq!(WinHttpAddRequestHeadersEx(request, 0, 0, 0, 1, &good), 0);
    }
    assert_eq!(query(request, level, Some("N"), None), Ok(vec!["n=\u{e4}".to_owned()]));
    close(request);
    client.close();
}

const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nServer: \xE9\r\nA: 1\r\na: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nt: 3\r\n\r\n";

#[test]
fn headers_are_answered_in_pairs() {
    let client = Client::new(false, serve_always(REPLY));
    let request = client.request("GET", "/", &Record::new());
    let (every, custom) = (WINHTTP_QUERY_EX_ALL_HEADERS, WINHTTP_QUERY_CUSTOM);
    let (wire, trailing) = (WINHTTP_QUERY_FLAG_WIRE_ENCODING, WINHTTP_QUERY_FLAG_TRAILERS);
    assert_eq!(query(request, every, None, None), Err(12019));
    assert_eq!((send(request), receive(request)), (1, 1));
    let fields = |list: &[&str]| Ok(list.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>());
    assert_eq!(
        query(request, every, None, None),
        fields(&["Server=\u{e9}", "A=1", "a=2", "Transfer-Encoding=chunked"])
    );
    assert_eq!(query(request, WINHTTP_QUERY_SERVER | wire, None, None), fields(&["Server=\\xe9"]));
    // Without an index the first one (source ex.first).
    assert_eq!(query(request, custom, Some("a"), None), fields(&["A=1"]));
    assert_eq!(query(request, custom | wire, Some("a"), None), fields(&["A=1"]));
    let mut index = 1;
    assert_eq!(query(request, custom, Some("a"), Some(&mut index)), fields(&["a=2"]));
    assert_eq!(index, 2);
    assert_eq!((query(request, custom, Some("a"), Some(&mut index)), index), (Err(12150), 2));
    assert_eq!(query(request, custom, None, None), Err(87));
    assert_eq!(query(request, every | trailing, None, None), Err(12019));
    for _ in 0..2 {
        read(request, 8);
    }
    // Over HTTP/1.1 nobody is told of them (source a13).
    for level in [every | trailing, every | trailing | wire] {
        assert_eq!(query(request, level, None, None), Err(12150));
    }
    let sent = query(request, every | WINHTTP_QUERY_FLAG_REQUEST_HEADERS, None, None).unwrap();
    assert!(sent.iter().any(|field| field.starts_with("Host=127.0.0.1")), "{sent:?}");
    close(request);
    client.close();
}

/// Code pages: 0 is CP_ACP, and none is refused (sources ex.acp, ex.code-page).
#[test]
fn bytes_in_code_pages() {
    let client =
        Client::new(false, serve_always(b"HTTP/1.1 200 OK\r\nServer: \xC3\xA9 \xE9\x80\r\nContent-Length: 0\r\n\r\n"));
    let request = client.request("GET", "/", &Record::new());
    assert_eq!((send(request), receive(request)), (1, 1));
    let rows = [
        (0, "\u{c3}\u{a9} \u{e9}\u{20ac}"),
        (1252, "\u{c3}\u{a9} \u{e9}\u{20ac}"),
        (28591, "\u{c3}\u{a9} \u{e9}\u{80}"),
        (65001, "\u{e9} \u{fffd}"),
        (20127, "?? ??"),
        (12345, "\u{c3}\u{a9} \u{e9}\u{20ac}"),
    ];
    for (page, expected) in rows {
        let answer = query_in(page, request, WINHTTP_QUERY_SERVER, None, None);
        assert_eq!(answer, Ok(vec![format!("Server={expected}")]), "{page}");
    }
    close(request);
    client.close();
}

/// What CP_ACP is, the lab says (source ex.acp).
#[test]
fn cp_acp_of_a_sim() {
    for (page, expected) in [(1252, "n=\u{e4}"), (65001, "n=\u{fffd}")] {
        let _sim = Sim::builder().profile(Profile::newest().with_ansi_code_page(page)).build();
        let client = Client::new(false, 80);
        let request = client.request("GET", "/", &Record::new());
        let text = wide("n: \u{e4}");
        // SAFETY: NUL-terminated text.
        assert_eq!(unsafe { WinHttpAddRequestHeaders(request, text.as_ptr(), u32::MAX, WINHTTP_ADDREQ_FLAG_ADD) }, 1);
        let level = WINHTTP_QUERY_CUSTOM | WINHTTP_QUERY_FLAG_REQUEST_HEADERS;
        assert_eq!(query(request, level, Some("n"), None), Ok(vec![expected.to_owned()]), "{page}");
        close(request);
        client.close();
    }
}

/// The marks of connections, counted.
#[test]
fn connection_groups() {
    // It never answers: each request has a connection of its own.
    let client = Client::new(false, serve_silence());
    let on = 1u32;
    // SAFETY: four bytes.
    let set =
        unsafe { WinHttpSetOption(client.session, WINHTTP_OPTION_DISABLE_GLOBAL_POOLING, (&raw const on).cast(), 4) };
    assert_eq!(set, 1);
    let (one, other) = (GUID::from_u128(1 << 96), GUID::from_u128(2 << 96));
    let groups = |handle: *mut c_void, guid: *const GUID, flags: u64| {
        let mut result = null_mut();
        // SAFETY: the result is freed here, and NULL is what was asked for.
        unsafe {
            assert_eq!(WinHttpQueryConnectionGroup(handle, guid, flags, &mut result), 0);
            let mut found = Vec::new();
            for host in 0..(*result).cHosts as usize {
                let host = &*(*result).pHostConnectionGroups.add(host);
                assert_eq!(text(host.pwszHost), "127.0.0.1");
                for group in 0..host.cConnectionGroups as usize {
                    let group = &*host.pConnectionGroups.add(group);
                    found.push((group.guidGroup.data1, group.cConnections));
                }
            }
            WinHttpFreeQueryConnectionGroupResult(result);
            found
        }
    };
    let requests: Vec<_> = [one, one, other]
        .iter()
        .map(|guid| {
            let request = client.request("GET", "/", &Record::new());
            // SAFETY: sixteen bytes.
            let set = unsafe {
                WinHttpSetOption(request, WINHTTP_OPTION_CONNECTION_GUID, std::ptr::from_ref(guid).cast(), 16)
            };
            assert_eq!((set, send(request)), (1, 1));
            request
        })
        .collect();
    let insecure = 1;
    assert_eq!(groups(client.connection, null(), insecure), [(1, 2), (2, 1)]);
    assert_eq!(groups(requests[0], &other, 0), [(2, 1)]);
    assert_eq!(groups(client.connection, null(), 0), [], "with TLS there are none");
    for request in requests {
        close(request);
    }
    client.close();
}

/// What WinHttpWriteProxySettings says, others read. One test: the settings belong to the process.
#[test]
fn proxy_settings() {
    let client = Client::new(false, 80);
    // SAFETY: the structures are filled, or read after a success.
    unsafe {
        let read = || {
            let (mut settings, mut version, mut default) = (std::mem::zeroed::<WINHTTP_PROXY_SETTINGS>(), 0, 0);
            let name = wide("office");
            let error = WinHttpReadProxySettings(
                client.session,
                name.as_ptr(),
                1,
                0,
                &mut version,
                &mut default,
                &mut settings,
            );
            assert_eq!((error, default, settings.dwCurrentSettingsVersion), (0, 1, version));
            settings
        };
        let before = read();
        let (proxy, bypass, script) = (wide("p:8080"), wide("*.local"), wide("http://w/x.pac"));
        let mut written = WINHTTP_PROXY_SETTINGS {
            dwStructSize: size_of::<WINHTTP_PROXY_SETTINGS>() as u32,
            dwFlags: WINHTTP_PROXY_TYPE_PROXY | WINHTTP_PROXY_TYPE_AUTO_PROXY_URL,
            dwCurrentSettingsVersion: before.dwCurrentSettingsVersion.wrapping_sub(1),
            pwszProxy: proxy.as_ptr().cast_mut(),
            pwszProxyBypass: bypass.as_ptr().cast_mut(),
            pwszAutoconfigUrl: script.as_ptr().cast_mut(),
            ..std::mem::zeroed()
        };
        assert_eq!(WinHttpWriteProxySettings(client.session, 0, &written), 87, "they were changed since");
        written.dwCurrentSettingsVersion = before.dwCurrentSettingsVersion;
        assert_eq!(WinHttpWriteProxySettings(client.session, 0, &written), 0);
        let after = read();
        assert!(after.dwCurrentSettingsVersion > before.dwCurrentSettingsVersion);
        assert_eq!((text(after.pwszProxy), text(after.pwszProxyBypass)), ("p:8080".into(), "*.local".into()));
        assert_eq!(text(after.pwszAutoconfigUrl), "http://w/x.pac");
        let mut user = std::mem::zeroed();
        assert_eq!(WinHttpGetIEProxyConfigForCurrentUser(&mut user), 1);
        assert_eq!(text(user.lpszProxy), "p:8080");
        for string in [user.lpszProxy, user.lpszProxyBypass, user.lpszAutoConfigUrl] {
            windows_sys::Win32::Foundation::GlobalFree(string.cast());
        }
        let direct = WINHTTP_PROXY_SETTINGS { dwFlags: WINHTTP_PROXY_TYPE_DIRECT, ..written };
        assert_eq!(WinHttpWriteProxySettings(client.session, 1, &direct), 0);
        let last = read();
        assert!(last.pwszProxy.is_null() && last.pwszAutoconfigUrl.is_null());
        for settings in [before, after, last] {
            WinHttpFreeProxySettings(&settings);
        }
    }
    client.close();
}

fn set(handle: *mut c_void, option: u32, value: &[u8], length: usize) -> u32 {
    // SAFETY: the value has so many bytes, or characters.
    let answer = unsafe { WinHttpSetOption(handle, option, value.as_ptr().cast(), length as u32) };
    if answer == 1 { 0 } else { last_error() }
}

fn bytes(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_ne_bytes).collect()
}

/// CODEPAGE, HTTP_VERSION, USER_AGENT, REQUEST_ANNOTATION, REJECT_USERPWD_IN_URL, FEATURE_SUPPORTED,
/// WORKER_THREAD_COUNT, CONNECTION_IDLE_TIMEOUT.
#[test]
fn options_with_an_effect() {
    let (told, heard) = std::sync::mpsc::channel();
    let told = std::sync::Mutex::new(told);
    let port = serve(move |mut stream| {
        while let Some(head) = read_head(&mut stream) {
            told.lock().unwrap().send(head).unwrap();
            let reply = "HTTP/1.1 302 Found\r\nLocation: http://u:p@127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
            if stream.write_all(reply.as_bytes()).is_err() {
                return;
            }
        }
    });
    let client = Client::new(false, port);
    let session = client.session;
    assert_eq!(set(session, WINHTTP_OPTION_CODEPAGE, &932u32.to_ne_bytes(), 4), 87);
    assert_eq!(set(session, WINHTTP_OPTION_CODEPAGE, &1252u32.to_ne_bytes(), 4), 0);
    let agent = "agent/2";
    assert_eq!(set(session, WINHTTP_OPTION_USER_AGENT, &bytes(agent), agent.len()), 0, "a length in characters");
    // The session has a connection already.
    for (idle, error) in [(0u32, 87), (4999, 87), (5000, 12019), (u32::MAX, 12019)] {
        assert_eq!(set(session, 135, &idle.to_ne_bytes(), 4), error, "{idle}");
    }
    let version = |minor: u32| [1u32.to_ne_bytes(), minor.to_ne_bytes()].concat();
    assert_eq!(set(null_mut(), WINHTTP_OPTION_HTTP_VERSION, &version(2), 8), 87);
    assert_eq!(set(null_mut(), WINHTTP_OPTION_HTTP_VERSION, &version(0), 8), 0);
    let request = client.request("GET", "/\u{e4}?\u{e4}", &Record::new());
    assert_eq!(set(null_mut(), WINHTTP_OPTION_HTTP_VERSION, &version(1), 8), 0);
    assert_eq!(set(request, WINHTTP_OPTION_REJECT_USERPWD_IN_URL, &1u32.to_ne_bytes(), 4), 0);
    let note = bytes("note");
    assert_eq!(set(request, WINHTTP_OPTION_REQUEST_ANNOTATION, &note, note.len()), 0);
    let (mut read, mut length) = ([0u8; 32], 32);
    // SAFETY: the buffer has so many bytes.
    unsafe {
        let answer =
            WinHttpQueryOption(request, WINHTTP_OPTION_REQUEST_ANNOTATION, read.as_mut_ptr().cast(), &mut length);
        assert_eq!((answer, &read[..length as usize]), (1, &*note));
        for (feature, here) in [(WINHTTP_FEATURE_REQUEST_TIMES, 1), (WINHTTP_FEATURE_QUIC_STATS, 0), (9999, 0)] {
            let (mut value, mut length) = (feature, 4);
            let answer =
                WinHttpQueryOption(session, WINHTTP_OPTION_FEATURE_SUPPORTED, (&raw mut value).cast(), &mut length);
            assert_eq!((answer, value), (1, here), "{feature}");
        }
    }
    assert_eq!(send(request), 1);
    assert_eq!((receive(request), last_error()), (0, 12005), "the redirect names a user");
    let head = heard.recv_timeout(PATIENCE).unwrap();
    assert!(head.starts_with("GET /%C3%A4?%E4 HTTP/1.0\r\n"), "{head}");
    assert!(head.contains("User-Agent: agent/2\r\n"), "{head}");
    // Whether it is early enough depends on the tests that ran before; the second time it never is.
    let count = |count: u32| set(null_mut(), WINHTTP_OPTION_WORKER_THREAD_COUNT, &count.to_ne_bytes(), 4);
    let first = count(2);
    assert!(matches!(first, 0 | 12019), "{first}");
    assert_eq!(count(2), 12019);
    close(request);
    client.close();
}

/// TLS_PROTOCOL_INSECURE_FALLBACK: not where WINHTTP_FLAG_SECURE_DEFAULTS forbids it.
#[test]
fn secure_defaults_stay() {
    for (flags, error) in [(0, 0), (WINHTTP_FLAG_SECURE_DEFAULTS, 5)] {
        // SAFETY: no strings.
        let session = unsafe { WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), flags) };
        assert_eq!(set(session, WINHTTP_OPTION_TLS_PROTOCOL_INSECURE_FALLBACK, &1u32.to_ne_bytes(), 4), error);
        close(session);
    }
}
