//! What must hold for any input: edits of request headers against a simple model, URLs taken apart and put together,
//! replies of any bytes.

mod support;

use std::io::Write;
use std::net::Shutdown;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex};

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

/// One WinHttpAddRequestHeaders.
#[derive(Clone, Debug)]
struct Edit {
    name: &'static str,
    value: &'static str,
    modifiers: u32,
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let name = select(&["a", "A", "b", "Cc", "cC"][..]);
    let value = select(&["", "x", "y z", "1, 2", "a=b; c"][..]);
    let modifiers = select(
        &[
            0,
            WINHTTP_ADDREQ_FLAG_ADD,
            WINHTTP_ADDREQ_FLAG_ADD_IF_NEW,
            WINHTTP_ADDREQ_FLAG_REPLACE,
            WINHTTP_ADDREQ_FLAG_ADD | WINHTTP_ADDREQ_FLAG_REPLACE,
            WINHTTP_ADDREQ_FLAG_COALESCE_WITH_COMMA,
            WINHTTP_ADDREQ_FLAG_COALESCE_WITH_SEMICOLON,
        ][..],
    );
    vec((name, value, modifiers).prop_map(|(name, value, modifiers)| Edit { name, value, modifiers }), 0..16)
}

/// What each modifier does (source header.modifiers), row by row; the error, or 0.
fn model(headers: &mut Vec<(String, String)>, edit: &Edit) -> u32 {
    let Edit { name, value, modifiers } = *edit;
    let known: Vec<usize> = (0..headers.len()).filter(|at| headers[*at].0.eq_ignore_ascii_case(name)).collect();
    let pair = (name.to_owned(), value.to_owned());
    let replace = modifiers & WINHTTP_ADDREQ_FLAG_REPLACE != 0;
    let add = modifiers & WINHTTP_ADDREQ_FLAG_ADD != 0;
    match (known.first(), known.last()) {
        (None, _) if replace && !add => return 12150,
        (None, _) if replace && value.is_empty() => {}
        (None, _) => headers.push(pair),
        (Some(first), _) if replace && value.is_empty() => drop(headers.remove(*first)),
        (Some(first), _) if replace => headers[*first] = pair,
        (Some(first), Some(last)) => match modifiers {
            WINHTTP_ADDREQ_FLAG_ADD_IF_NEW => return 87,
            WINHTTP_ADDREQ_FLAG_COALESCE_WITH_COMMA => headers[*first].1 += &format!(", {value}"),
            WINHTTP_ADDREQ_FLAG_COALESCE_WITH_SEMICOLON => headers[*first].1 += &format!("; {value}"),
            _ => headers.insert(last + 1, pair),
        },
        (Some(_), None) => unreachable!("what has a first has a last"),
    }
    0
}

/// The request's headers as RAW_HEADERS_CRLF shows them.
fn raw_headers(request: *mut std::ffi::c_void) -> String {
    let (mut text, mut length) = (vec![0u16; 4096], 8192);
    let level = WINHTTP_QUERY_RAW_HEADERS_CRLF | WINHTTP_QUERY_FLAG_REQUEST_HEADERS;
    // SAFETY: the buffer has so many bytes.
    let answer =
        unsafe { WinHttpQueryHeaders(request, level, null_mut(), text.as_mut_ptr().cast(), &mut length, null_mut()) };
    assert_eq!(answer, 1, "{}", last_error());
    String::from_utf16(&text[..length as usize / 2]).unwrap()
}

proptest! {
    #[test]
    fn header_edits_are_those_of_the_model(edits in edits()) {
        let client = Client::new(false, 80);
        let request = client.request("GET", "/", &Record::new());
        let mut headers = Vec::new();
        for edit in &edits {
            let text = wide(&format!("{}: {}", edit.name, edit.value));
            // SAFETY: the text ends in NUL.
            let answer = unsafe { WinHttpAddRequestHeaders(request, text.as_ptr(), u32::MAX, edit.modifiers) };
            let error = if answer == 0 { last_error() } else { 0 };
            prop_assert_eq!(error, model(&mut headers, edit), "{:?}", edit);
            let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<String>();
            prop_assert_eq!(raw_headers(request), format!("GET / HTTP/1.1\r\n{lines}\r\n"), "{:?}", edit);
        }
        close(request);
        client.close();
    }
}

/// A URL in parts; texts in UTF-16.
#[derive(Clone, Debug, PartialEq)]
struct Parts {
    secure: bool,
    user: Option<Vec<u16>>,
    password: Option<Vec<u16>>,
    host: Vec<u16>,
    port: u16,
    path: Vec<u16>,
    extra: Vec<u16>,
}

/// Parts whose path and query are made of these characters (a class of a regular expression).
fn parts(characters: &str) -> impl Strategy<Value = Parts> {
    let text = |pattern: &str| proptest::string::string_regex(pattern).unwrap().prop_map(|text| units(&text));
    let name = || text("[a-zA-Z0-9!$&'()*+,;=._~%-]{0,8}");
    let user = of((name(), of(name())));
    let host = text("[a-z0-9.-]{1,12}|\\[::1\\]");
    let path = text(&format!("(/[{characters}]{{0,6}}){{0,3}}"));
    let extra = text(&format!("(\\?[{characters}]{{0,9}})?"));
    (any::<bool>(), user, host, any::<u16>(), path, extra).prop_map(|(secure, user, host, port, path, extra)| {
        let (user, password) = user.map_or((None, None), |(user, password)| (Some(user), password));
        // Without a path the `?` belongs to the host (source crack.parts).
        let path = if path.is_empty() && !extra.is_empty() { units("/") } else { path };
        Parts { secure, user, password, host, port, path, extra }
    })
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn create(parts: &Parts, flags: u32) -> Vec<u16> {
    // An empty vector's pointer is no memory.
    let nothing = [0u16];
    let part = |text: &[u16]| {
        let start = if text.is_empty() { nothing.as_ptr() } else { text.as_ptr() };
        (start.cast_mut(), text.len() as u32)
    };
    let optional = |text: &Option<Vec<u16>>| text.as_deref().map_or((null_mut(), 0), part);
    let mut c = URL_COMPONENTS { dwStructSize: size_of::<URL_COMPONENTS>() as u32, ..Default::default() };
    c.nScheme = if parts.secure { WINHTTP_INTERNET_SCHEME_HTTPS } else { WINHTTP_INTERNET_SCHEME_HTTP };
    c.nPort = parts.port;
    (c.lpszUserName, c.dwUserNameLength) = optional(&parts.user);
    (c.lpszPassword, c.dwPasswordLength) = optional(&parts.password);
    (c.lpszHostName, c.dwHostNameLength) = part(&parts.host);
    (c.lpszUrlPath, c.dwUrlPathLength) = part(&parts.path);
    (c.lpszExtraInfo, c.dwExtraInfoLength) = part(&parts.extra);
    let (mut url, mut length) = (vec![0u16; 1024], 1024);
    // SAFETY: the components have their lengths, the buffer has so many characters.
    assert_eq!(unsafe { WinHttpCreateUrl(&c, flags, url.as_mut_ptr(), &mut length) }, 1, "{}", last_error());
    url.truncate(length as usize);
    url
}

/// Takes a URL apart into buffers.
fn crack(url: &[u16], flags: u32) -> Parts {
    let mut buffers = vec![[0u16; 1024]; 5];
    let mut places = buffers.iter_mut().map(|buffer| buffer.as_mut_ptr());
    let mut next = || places.next().unwrap();
    let mut c = URL_COMPONENTS { dwStructSize: size_of::<URL_COMPONENTS>() as u32, ..Default::default() };
    (c.lpszUserName, c.lpszPassword, c.lpszHostName, c.lpszUrlPath, c.lpszExtraInfo) =
        (next(), next(), next(), next(), next());
    let lengths = [
        &mut c.dwUserNameLength,
        &mut c.dwPasswordLength,
        &mut c.dwHostNameLength,
        &mut c.dwUrlPathLength,
        &mut c.dwExtraInfoLength,
    ];
    lengths.into_iter().for_each(|length| *length = 1024);
    // SAFETY: the URL has so many characters, each buffer 1024.
    let answer = unsafe { WinHttpCrackUrl(url.as_ptr(), url.len() as u32, flags, &mut c) };
    assert_eq!(answer, 1, "{} {}", last_error(), String::from_utf16_lossy(url));
    let text = |at: usize, length: u32| buffers[at][..length as usize].to_vec();
    Parts {
        secure: c.nScheme == WINHTTP_INTERNET_SCHEME_HTTPS,
        user: Some(text(0, c.dwUserNameLength)),
        password: Some(text(1, c.dwPasswordLength)),
        host: text(2, c.dwHostNameLength),
        port: c.nPort,
        path: text(3, c.dwUrlPathLength),
        extra: text(4, c.dwExtraInfoLength),
    }
}

/// In a buffer an absent part is an empty one.
fn in_buffers(parts: &Parts) -> Parts {
    let text = |part: &Option<Vec<u16>>| Some(part.clone().unwrap_or_default());
    Parts { user: text(&parts.user), password: text(&parts.password), ..parts.clone() }
}

proptest! {
    #[test]
    fn a_url_put_together_comes_apart_again(parts in parts("a-zA-Z0-9!$&'()*+,;=._~%:@ \u{e9}\u{1F600}-")) {
        prop_assert_eq!(crack(&create(&parts, 0), 0), in_buffers(&parts));
    }

    #[test]
    fn what_is_escaped_comes_back_when_it_is_decoded(parts in parts("a-z0-9 \"<>^{}|~`%\\\\\\[\\]-")) {
        let parts = Parts { user: None, password: None, ..parts };
        let url = create(&parts, ICU_ESCAPE);
        prop_assert!(url.iter().all(|unit| (0x21..0x7F).contains(unit)));
        prop_assert_eq!(crack(&url, ICU_DECODE), in_buffers(&parts));
    }

    /// Any text at all: no crash, and pointers that lie in the URL.
    #[test]
    fn no_url_breaks_the_parser(any: Vec<u16>, tail in "[a-c:/@?#%0-9\\[\\] \u{e9}]{0,24}", flags: u32) {
        for url in [any, units(&format!("http://{tail}"))] {
            let mut c = URL_COMPONENTS {
                dwStructSize: size_of::<URL_COMPONENTS>() as u32,
                dwSchemeLength: 1,
                dwUserNameLength: 1,
                dwPasswordLength: 1,
                dwHostNameLength: 1,
                dwUrlPathLength: 1,
                dwExtraInfoLength: 1,
                ..Default::default()
            };
            let flags = flags & !(ICU_DECODE | ICU_ESCAPE);
            let length = url.len();
            let text = [url.as_slice(), &[0]].concat();
            // SAFETY: the URL has so many characters, and a NUL behind them if that is 0.
            if unsafe { WinHttpCrackUrl(text.as_ptr(), length as u32, flags, &mut c) } == 1 {
                let parts = [
                    (c.lpszScheme, c.dwSchemeLength),
                    (c.lpszUserName, c.dwUserNameLength),
                    (c.lpszPassword, c.dwPasswordLength),
                    (c.lpszHostName, c.dwHostNameLength),
                    (c.lpszUrlPath, c.dwUrlPathLength),
                    (c.lpszExtraInfo, c.dwExtraInfoLength),
                ];
                for (pointer, count) in parts.into_iter().filter(|(pointer, _)| !pointer.is_null()) {
                    let offset = (pointer as usize - text.as_ptr() as usize) / 2;
                    prop_assert!(offset + count as usize <= length);
                }
            }
        }
    }
}

/// Something like a reply, and how it is cut into pieces.
fn replies() -> impl Strategy<Value = (Vec<u8>, usize)> {
    let status = select(
        &["HTTP/1.1 200 OK", "HTTP/1.1  204", "HTTP/1.0 404 No", "HTTP/1.1 100 C", "HTTP/1.1 101 Go", "ICY"][..],
    );
    let field = select(
        &[
            "Content-Length: 3",
            "Content-Length: 5",
            "Transfer-Encoding: chunked",
            "Content-Encoding: gzip",
            "Content-Encoding: deflate",
            "Connection: close",
            "Location: /",
            "Set-Cookie: a=b; Max-Age=1",
            "WWW-Authenticate: Digest realm=r, nonce=n",
            " folded",
            "no field",
        ][..],
    );
    let head = (status, vec(field, 0..4), select(&["\r\n", "\n"][..]));
    let head = head.prop_map(|(status, fields, end)| [&[status][..], &fields, &["", ""]].concat().join(end));
    let body =
        select(&["", "abc", "hello", "3\r\nabc\r\n0\r\n\r\n", "3;x\r\nabc", "\x1F\u{8b}\x08", "0\r\nT: u\r\n\r\n"][..]);
    let part = prop_oneof![
        4 => (head, body).prop_map(|(head, body)| (head + body).into_bytes()),
        1 => vec(any::<u8>(), 0..40),
    ];
    (vec(part, 1..4).prop_map(|parts| parts.concat()), 1usize..100)
}

/// Whatever a server sends before it closes: every call comes back, with an answer or with an error of WinHTTP.
#[test]
fn any_reply_comes_to_an_end() {
    let next = Arc::new(Mutex::new((Vec::new(), 1)));
    let told = Arc::clone(&next);
    let port = serve(move |mut stream| {
        while read_head(&mut stream).is_some() {
            let (reply, size) = told.lock().unwrap().clone();
            for piece in reply.chunks(size) {
                if stream.write_all(piece).is_err() {
                    return;
                }
            }
            let _ = stream.shutdown(Shutdown::Write);
        }
    });
    let client = Client::new(false, port);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(500));
    let outcome = runner.run(&replies(), |reply| {
        *next.lock().unwrap() = reply;
        let record = Record::new();
        let request = client.request("GET", "/", &record);
        let codings = WINHTTP_DECOMPRESSION_FLAG_GZIP | WINHTTP_DECOMPRESSION_FLAG_DEFLATE;
        // SAFETY: the value has four bytes.
        unsafe { WinHttpSetOption(request, WINHTTP_OPTION_DECOMPRESSION, (&raw const codings).cast(), 4) };
        let mut good = send(request) != 0 && receive(request) != 0;
        let (mut buffer, mut count) = ([0u8; 64], 1);
        while good && count > 0 {
            // SAFETY: the buffer has so many bytes.
            good = unsafe { WinHttpReadData(request, buffer.as_mut_ptr().cast(), 64, &mut count) } != 0;
        }
        let error = last_error();
        prop_assert!(good || [12030, 12152, 12156].contains(&error), "{error} {:?}", record.statuses());
        close(request);
        Ok(())
    });
    client.close();
    outcome.unwrap();
}
