//! What each generation of Windows knows.

use std::ptr::{null, null_mut};

use portable_winhttp::api;
use portable_winhttp::lab::{Profile, Sim};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::support::*;

/// What generations know: TLS 1.3 (source g03) and HTTP/3, options and functions with the version that their pages name (n224),
/// flags (n152, n201); FEATURE_SUPPORTED says the same (m15).
#[test]
fn what_each_knows() {
    let bits = |option, bit: u32| {
        // SAFETY: a DWORD.
        move |client: &Client| match unsafe { WinHttpSetOption(client.session, option, (&raw const bit).cast(), 4) } {
            1 => 0,
            _ => last_error(),
        }
    };
    let found = |name: &'static str| {
        move |_: &Client| {
            let name = std::ffi::CString::new(name).unwrap();
            // SAFETY: both names end in NUL.
            unsafe {
                let library = api::LoadLibraryA(c"winhttp.dll".as_ptr().cast());
                let address = api::GetProcAddress(library, name.as_ptr().cast());
                if address.is_null() { last_error() } else { 0 }
            }
        }
    };
    let opened = |flags| {
        move |client: &Client| {
            // SAFETY: NULL stands for what is not given.
            let request =
                unsafe { WinHttpOpenRequest(client.connection, null(), null(), null(), null(), null(), flags) };
            if request.is_null() { last_error() } else { close(request) as u32 - 1 }
        }
    };
    // Before a reply: 12019, if the level is one.
    let queried = |flag| {
        move |client: &Client| {
            let request = client.request("GET", "/", &Record::new());
            let (level, mut length) = (WINHTTP_QUERY_RAW_HEADERS_CRLF | flag, 0);
            // SAFETY: there is no room, and its length says so.
            let found = unsafe { WinHttpQueryHeaders(request, level, null(), null_mut(), &mut length, null_mut()) };
            let error = last_error();
            assert_eq!((found, close(request)), (0, 1));
            error
        }
    };
    let read = |option| {
        move |client: &Client| {
            let (mut value, mut length) = (0_u32, 4);
            // SAFETY: four bytes.
            match unsafe { WinHttpQueryOption(client.session, option, (&raw mut value).cast(), &mut length) } {
                1 => 0,
                _ => last_error(),
            }
        }
    };
    // Of the session and of the process: 1 if it is there.
    let feature = |id: u32| {
        move |client: &Client| {
            let [session, process] = [client.session, null_mut()].map(|handle| {
                let (mut answer, mut length) = (id, 4);
                // SAFETY: four bytes, which are written over.
                let place = (&raw mut answer).cast();
                let told = unsafe { WinHttpQueryOption(handle, WINHTTP_OPTION_FEATURE_SUPPORTED, place, &mut length) };
                assert_eq!(told, 1);
                answer
            });
            assert_eq!(session, process);
            session
        }
    };
    type Ask = Box<dyn Fn(&Client) -> u32>;
    // The answer in each of `generations`: mostly an error.
    let rows: [(&str, Ask, [u32; 4]); 23] = [
        (
            "TLS 1.3",
            Box::new(bits(WINHTTP_OPTION_SECURE_PROTOCOLS, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3)),
            [87, 87, 0, 0],
        ),
        // source n196: a program that was refused asks again.
        (
            "TLS 1.2 behind that",
            Box::new(bits(WINHTTP_OPTION_SECURE_PROTOCOLS, WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2)),
            [0; 4],
        ),
        ("HTTP/2", Box::new(bits(WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, WINHTTP_PROTOCOL_FLAG_HTTP2)), [0; 4]),
        ("HTTP/3", Box::new(bits(WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, WINHTTP_PROTOCOL_FLAG_HTTP3)), [87, 87, 0, 0]),
        ("decompression", Box::new(bits(WINHTTP_OPTION_DECOMPRESSION, WINHTTP_DECOMPRESSION_FLAG_GZIP)), [0; 4]),
        ("required versions", Box::new(bits(WINHTTP_OPTION_HTTP_PROTOCOL_REQUIRED, 1)), [0; 4]),
        ("pings", Box::new(bits(WINHTTP_OPTION_HTTP2_KEEPALIVE, 5000)), [12009, 12009, 0, 0]),
        // source n224: what .NET looks for trailers by.
        ("stream errors", Box::new(read(WINHTTP_OPTION_STREAM_ERROR_CODE)), [87, 87, 12018, 12018]),
        ("False Start", Box::new(bits(WINHTTP_OPTION_TLS_FALSE_START, 1)), [12009, 0, 0, 0]),
        ("many headers", Box::new(found("WinHttpQueryHeadersEx")), [127, 127, 0, 0]),
        ("groups", Box::new(found("WinHttpQueryConnectionGroup")), [127, 127, 127, 0]),
        ("chunks", Box::new(opened(WINHTTP_FLAG_AUTOMATIC_CHUNKING)), [87, 87, 0, 0]),
        ("no flag", Box::new(opened(0)), [0; 4]),
        ("trailers", Box::new(queried(WINHTTP_QUERY_FLAG_TRAILERS)), [87, 87, 12019, 12019]),
        ("bytes", Box::new(queried(WINHTTP_QUERY_FLAG_WIRE_ENCODING)), [87, 87, 87, 12019]),
        ("feature: pings", Box::new(feature(WINHTTP_FEATURE_HTTP2_KEEPALIVE)), [0, 0, 1, 1]),
        ("feature: required versions", Box::new(feature(WINHTTP_FEATURE_HTTP_PROTOCOL_REQUIRED)), [1; 4]),
        ("feature: defaults", Box::new(feature(WINHTTP_FEATURE_FLAG_SECURE_DEFAULTS)), [0, 1, 1, 1]),
        ("feature: chunks", Box::new(feature(WINHTTP_FEATURE_FLAG_AUTOMATIC_CHUNKING)), [0, 0, 1, 1]),
        ("feature: trailers", Box::new(feature(WINHTTP_FEATURE_QUERY_FLAG_TRAILERS)), [0, 0, 1, 1]),
        ("feature: bytes", Box::new(feature(WINHTTP_FEATURE_QUERY_FLAG_WIRE_ENCODING)), [0, 0, 0, 1]),
        ("feature: many headers", Box::new(feature(WINHTTP_FEATURE_QUERY_EX_ALL_HEADERS)), [0, 0, 1, 1]),
        ("feature: groups", Box::new(feature(WINHTTP_FEATURE_QUERY_CONNECTION_GROUP)), [0, 0, 0, 1]),
    ];
    let generations = [
        Profile::windows_10_1903(),
        Profile::windows_10_22h2(),
        Profile::windows_server_2022(),
        Profile::windows_11_24h2(),
    ];
    for (number, profile) in generations.into_iter().enumerate() {
        let sim = Sim::builder().profile(profile).build();
        let client = Client::new(false, 80);
        for (what, ask, expected) in &rows {
            assert_eq!(ask(&client), expected[number], "{what} in generation {number}");
        }
        client.close();
        drop(sim);
    }
}
