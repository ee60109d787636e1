//! WinHttpCrackUrl, WinHttpCreateUrl and the time functions: the rows of sources time.text, crack.parts, create.url.

mod support;

use std::ptr::{null, null_mut};

use support::{last_error, wide};
use windows_sys::Win32::Foundation::SYSTEMTIME;
use windows_sys::Win32::Networking::WinHttp::*;

const SIZE: u32 = size_of::<URL_COMPONENTS>() as u32;
const FULL: &str = "http://username:password@www.winehq.org/site/about?query";

/// Components of which all are wanted as pointers.
fn pointers() -> URL_COMPONENTS {
    URL_COMPONENTS {
        dwStructSize: SIZE,
        dwSchemeLength: 1,
        dwHostNameLength: 1,
        dwUserNameLength: 1,
        dwPasswordLength: 1,
        dwUrlPathLength: 1,
        dwExtraInfoLength: 1,
        ..Default::default()
    }
}

/// Offset and length of a part; `None` for a NULL pointer.
type Part = Option<(usize, u32)>;

/// Cracks with pointers: scheme number, port, and the parts scheme, user, password, host, path, extra.
fn crack(url: &str, flags: u32) -> Result<(i32, u16, [Part; 6]), u32> {
    let (url, mut c) = (wide(url), pointers());
    // SAFETY: ends in NUL.
    if unsafe { WinHttpCrackUrl(url.as_ptr(), 0, flags, &mut c) } == 0 {
        return Err(last_error());
    }
    assert_eq!(last_error(), 0);
    let parts = [
        (c.lpszScheme, c.dwSchemeLength),
        (c.lpszUserName, c.dwUserNameLength),
        (c.lpszPassword, c.dwPasswordLength),
        (c.lpszHostName, c.dwHostNameLength),
        (c.lpszUrlPath, c.dwUrlPathLength),
        (c.lpszExtraInfo, c.dwExtraInfoLength),
    ];
    let offset = |pointer: *mut u16| (pointer as usize - url.as_ptr() as usize) / 2;
    let parts = parts.map(|(pointer, length)| (!pointer.is_null()).then(|| (offset(pointer), length)));
    Ok((c.nScheme, c.nPort, parts))
}

#[test]
fn cracking_with_pointers() {
    let rows = [
        (
            "http://username:password@www.winehq.org/site/about",
            1,
            80,
            [(0, 4), (7, 8), (16, 8), (25, 14), (39, 11), (50, 0)],
        ),
        ("http://u:p@winehq?", 1, 80, [(0, 4), (7, 1), (9, 1), (11, 7), (18, 0), (18, 0)]),
        ("http://u:p@winehq/post;a", 1, 80, [(0, 4), (7, 1), (9, 1), (11, 6), (17, 7), (24, 0)]),
        ("https://u:p@www.winehq.org/post?", 2, 443, [(0, 5), (8, 1), (10, 1), (12, 14), (26, 5), (31, 1)]),
        ("http://u:p@winehq.org:42/a", 1, 42, [(0, 4), (7, 1), (9, 1), (11, 10), (24, 2), (26, 0)]),
        ("http://u:p@winehq.org:0/", 1, 0, [(0, 4), (7, 1), (9, 1), (11, 10), (23, 1), (24, 0)]),
        ("http://u:p@winehq.org:", 1, 80, [(0, 4), (7, 1), (9, 1), (11, 10), (22, 0), (22, 0)]),
    ];
    for (url, scheme, port, parts) in rows {
        assert_eq!(crack(url, 0), Ok((scheme, port, parts.map(Some))), "{url}");
    }
    // User information ends before the path.
    let (_, _, parts) = crack("http://example.net/path?var1=example@example.com&var2=x", 0).unwrap();
    assert_eq!(parts[1..3], [None, None]);
    assert_eq!(parts[3], Some((7, 11)));
    assert_eq!(parts[4], Some((18, 5)));
}

#[test]
fn what_cannot_be_cracked() {
    let rows = [
        ("HTTP:www.winehq.org", 0, 12005),
        ("http:/www.winehq.org", 0, 12005),
        ("http://", 0, 12005),
        ("http://:80/", 0, 12005),
        ("http://u@/", 0, 12005),
        ("http://winehq.org:65536", 0, 12005),
        ("http://winehq.org:1x", 0, 12005),
        ("www.winehq.org", 0, 12006),
        ("www", 0, 12006),
        ("http", 0, 12006),
        ("", 0, 12006),
        ("gopher://winehq.org/", 0, 12006),
        ("http://a%20b/", ICU_DECODE, 87),
        ("http://u:p@h/", ICU_REJECT_USERPWD, 12005),
    ];
    for (url, flags, error) in rows {
        assert_eq!(crack(url, flags), Err(error), "{url}");
    }
    // SAFETY: NULL is refused.
    unsafe {
        assert_eq!((WinHttpCrackUrl(null(), 0, 0, &mut pointers()), last_error()), (0, 87));
        assert_eq!((WinHttpCrackUrl(wide("http://h").as_ptr(), 0, 0, null_mut()), last_error()), (0, 87));
        let mut other = URL_COMPONENTS { dwStructSize: 4, ..pointers() };
        assert_eq!((WinHttpCrackUrl(wide("http://h").as_ptr(), 0, 0, &mut other), last_error()), (0, 87));
    }
}

/// Cracks into buffers of `capacity` characters for scheme, host, path, extra; answers lengths and texts.
fn crack_into(url: &str, flags: u32, capacity: [u32; 4]) -> (u32, [u32; 4], [String; 4], URL_COMPONENTS) {
    let mut buffers = [[0xAAAAu16; 128]; 4];
    let [scheme, host, path, extra] = &mut buffers;
    let mut c = URL_COMPONENTS {
        dwStructSize: SIZE,
        lpszScheme: scheme.as_mut_ptr(),
        dwSchemeLength: capacity[0],
        lpszHostName: host.as_mut_ptr(),
        dwHostNameLength: capacity[1],
        lpszUrlPath: path.as_mut_ptr(),
        dwUrlPathLength: capacity[2],
        lpszExtraInfo: extra.as_mut_ptr(),
        dwExtraInfoLength: capacity[3],
        ..Default::default()
    };
    // SAFETY: the buffers are longer than their capacities.
    let answer = unsafe { WinHttpCrackUrl(wide(url).as_ptr(), 0, flags, &mut c) };
    let error = if answer == 0 { last_error() } else { 0 };
    let lengths = [c.dwSchemeLength, c.dwHostNameLength, c.dwUrlPathLength, c.dwExtraInfoLength];
    let texts = buffers.map(|buffer| {
        let end = buffer.iter().position(|unit| *unit == 0).unwrap_or(0);
        String::from_utf16_lossy(&buffer[..end])
    });
    (error, lengths, texts, c)
}

#[test]
fn cracking_into_buffers() {
    let (error, lengths, texts, c) = crack_into(FULL, 0, [20; 4]);
    assert_eq!((error, lengths), (0, [4, 14, 11, 6]));
    assert_eq!(texts, ["http", "www.winehq.org", "/site/about", "?query"]);
    assert_eq!((c.nScheme, c.nPort), (WINHTTP_INTERNET_SCHEME_HTTP, 80));

    let (error, lengths, texts, _) = crack_into(FULL, 0, [1, 1, 20, 20]);
    assert_eq!((error, lengths), (122, [5, 15, 11, 6]));
    assert_eq!(texts[2..], ["/site/about", "?query"], "the others are filled");

    let (error, lengths, _, c) = crack_into(FULL, 0, [20, 0, 20, 20]);
    assert_eq!((error, lengths, c.nScheme), (87, [20, 0, 20, 20], 0), "87 changes nothing");

    let (error, _, texts, _) = crack_into("http://h/%20%22%23x?%3Cy", ICU_DECODE, [20; 4]);
    assert_eq!((error, texts[2].as_str(), texts[3].as_str()), (0, "/ \"#x", "?<y"), "split before it is decoded");

    let (error, _, texts, _) =
        crack_into("http://winehq.o g/path with spaces", ICU_ESCAPE | ICU_DECODE, [20, 20, 40, 20]);
    assert_eq!((error, texts[1].as_str(), texts[2].as_str()), (0, "winehq.o g", "/path%20with%20spaces"));
}

#[test]
fn absent_parts_ports_and_what_is_not_wanted() {
    // No user information: NULL and 0; path and extra information are at the end.
    let (_, _, parts) = crack("http://www.winehq.org", 0).unwrap();
    assert_eq!(parts, [Some((0, 4)), None, None, Some((7, 14)), Some((21, 0)), Some((21, 0))]);
    let (_, _, parts) = crack("http://example.net/path?var1=example@example.com&var2=x&var3=y", 0).unwrap();
    assert_eq!(parts[5], Some((23, 39)));
    let ports = [
        ("http://winehq.org:42/a", 42),
        ("http://winehq.org:80/a", 80),
        ("https://winehq.org:443/a", 443),
        ("http://winehq.org:0", 0),
        ("http://winehq.org:", 80),
        ("http://winehq.org:/", 80),
        ("http://winehq.org:65535", 65535),
        ("https://[::1]", 443),
        ("https://[::1]:8443/", 8443),
    ];
    for (url, port) in ports {
        let text = wide(url);
        let mut c = URL_COMPONENTS { nPort: 1, ..pointers() };
        // SAFETY: ends in NUL.
        assert_eq!(unsafe { WinHttpCrackUrl(text.as_ptr(), 0, 0, &mut c) }, 1);
        assert_eq!(c.nPort, port, "{url}");
    }
    // Brackets are part of the host: WinHttpConnect wants them (source n193).
    let (_, _, parts) = crack("https://[::1]:8443/", 0).unwrap();
    assert_eq!(parts[3], Some((8, 5)));
    // Scheme and port are told even if nothing is wanted.
    let nothing = URL_COMPONENTS { dwStructSize: SIZE, ..Default::default() };
    let (url, mut c) = (wide("https://www.winehq.org/test"), nothing);
    // SAFETY: ends in NUL.
    assert_eq!(unsafe { WinHttpCrackUrl(url.as_ptr(), 0, 0, &mut c) }, 1);
    assert_eq!((c.lpszScheme.is_null(), c.dwSchemeLength, c.nScheme, c.nPort), (true, 0, 2, 443));
    // Decoding needs buffers only for what is wanted.
    let (url, mut host) = (wide("https://tools.google.com/service/update2?w=3:%20"), [0u16; 64]);
    let mut c = URL_COMPONENTS { lpszHostName: host.as_mut_ptr(), dwHostNameLength: 64, ..nothing };
    // SAFETY: ends in NUL; the buffer has so many characters.
    assert_eq!(unsafe { WinHttpCrackUrl(url.as_ptr(), 0, ICU_DECODE, &mut c) }, 1);
    assert_eq!((&host[..17], c.dwHostNameLength), (&wide("tools.google.com")[..], 16));
    // A length ends the URL, whatever is behind it.
    let url = wide("http://winehq.org/path");
    let mut c = pointers();
    // SAFETY: the URL has more characters.
    assert_eq!(unsafe { WinHttpCrackUrl(url.as_ptr(), 17, 0, &mut c) }, 1);
    assert_eq!((c.dwHostNameLength, c.dwUrlPathLength), (10, 0));
}

#[test]
fn extra_information_that_is_not_wanted_stays_in_the_path() {
    let url = wide("https://host:19133/a/b?x=37");
    let mut c = URL_COMPONENTS { dwExtraInfoLength: 0, ..pointers() };
    // SAFETY: ends in NUL.
    assert_eq!(unsafe { WinHttpCrackUrl(url.as_ptr(), 0, 0, &mut c) }, 1);
    assert_eq!((c.dwUrlPathLength, c.nPort), (9, 19133));
}

/// What clients' own tests expect on Windows (sources n167, n169, n170, n171).
#[test]
fn urls_of_clients() {
    let url = "http://host/path/oper?P1=11&P2=22%2b33%3d%3d";
    let rows = [
        (url, ICU_DECODE, ["http", "host", "/path/oper", "?P1=11&P2=22+33=="]),
        (url, 0, ["http", "host", "/path/oper", "?P1=11&P2=22%2b33%3d%3d"]),
        ("http://host", 0, ["http", "host", "", ""]),
        ("https://host/a%25b%2Fc?d%25", 0, ["https", "host", "/a%25b%2Fc", "?d%25"]),
        // sources r1, r2, m12
        ("ftp://h/f", 0, ["ftp", "h", "/f", ""]),
        ("https://example.com?1", 0, ["https", "example.com", "", "?1"]),
        ("http://h/%C3%A9?%C3", ICU_DECODE, ["http", "h", "/\u{c3}\u{a9}", "?\u{c3}"]),
    ];
    for (url, flags, parts) in rows {
        let (error, lengths, texts, components) = crack_into(url, flags, [20, 20, 60, 60]);
        assert_eq!((error, lengths), (0, parts.map(|part| part.encode_utf16().count() as u32)), "{url}");
        assert_eq!(texts, parts, "{url}");
        let (scheme, port) = match parts[0] {
            "http" => (WINHTTP_INTERNET_SCHEME_HTTP, 80),
            "https" => (WINHTTP_INTERNET_SCHEME_HTTPS, 443),
            _ => (WINHTTP_INTERNET_SCHEME_FTP, 21),
        };
        assert_eq!((components.nScheme, components.nPort), (scheme, port), "{url}");
    }
}

/// The parts of [`FULL`]; texts live for ever.
fn full() -> URL_COMPONENTS {
    let part = |text: &str| (Box::leak(wide(text).into_boxed_slice()).as_mut_ptr(), text.len() as u32);
    let mut c =
        URL_COMPONENTS { dwStructSize: SIZE, nScheme: WINHTTP_INTERNET_SCHEME_HTTP, nPort: 80, ..Default::default() };
    (c.lpszScheme, c.dwSchemeLength) = part("http");
    (c.lpszHostName, c.dwHostNameLength) = part("www.winehq.org");
    (c.lpszUserName, c.dwUserNameLength) = part("username");
    (c.lpszPassword, c.dwPasswordLength) = part("password");
    (c.lpszUrlPath, c.dwUrlPathLength) = part("/site/about");
    (c.lpszExtraInfo, c.dwExtraInfoLength) = part("?query");
    c
}

fn create(components: &URL_COMPONENTS, flags: u32) -> Result<String, u32> {
    let (mut buffer, mut length) = ([0u16; 256], 256);
    // SAFETY: the buffer has so many characters.
    if unsafe { WinHttpCreateUrl(components, flags, buffer.as_mut_ptr(), &mut length) } == 0 {
        return Err(last_error());
    }
    assert_eq!(buffer[length as usize], 0);
    Ok(String::from_utf16(&buffer[..length as usize]).unwrap())
}

#[test]
fn creating() {
    let ftp = Box::leak(wide("ftp").into_boxed_slice()).as_mut_ptr();
    type Change = Box<dyn Fn(&mut URL_COMPONENTS)>;
    let rows: Vec<(&str, Change, Result<&str, u32>)> = vec![
        ("all", Box::new(|_| {}), Ok(FULL)),
        ("scheme by number", Box::new(|c| c.lpszScheme = null_mut()), Ok(FULL)),
        ("scheme by text", Box::new(|c| c.nScheme = 0), Ok(FULL)),
        (
            "password empty",
            Box::new(|c| c.dwPasswordLength = 0),
            Ok("http://username:@www.winehq.org/site/about?query"),
        ),
        (
            "password NULL",
            Box::new(|c| c.lpszPassword = null_mut()),
            Ok("http://username@www.winehq.org/site/about?query"),
        ),
        ("user NULL", Box::new(|c| c.lpszUserName = null_mut()), Err(87)),
        ("user empty", Box::new(|c| c.dwUserNameLength = 0), Ok("http://:password@www.winehq.org/site/about?query")),
        (
            "both empty",
            Box::new(|c| (c.dwUserNameLength, c.dwPasswordLength) = (0, 0)),
            Ok("http://:@www.winehq.org/site/about?query"),
        ),
        (
            "both NULL",
            Box::new(|c| (c.lpszUserName, c.lpszPassword) = (null_mut(), null_mut())),
            Ok("http://www.winehq.org/site/about?query"),
        ),
        (
            "ftp",
            Box::new(move |c| (c.lpszScheme, c.dwSchemeLength) = (ftp, 3)),
            Ok("ftp://username:password@www.winehq.org:80/site/about?query"),
        ),
        ("port 42", Box::new(|c| c.nPort = 42), Ok("http://username:password@www.winehq.org:42/site/about?query")),
        (
            "no scheme, port 0",
            Box::new(|c| (c.lpszScheme, c.nScheme, c.nPort) = (null_mut(), 0, 0)),
            Ok("http://username:password@www.winehq.org:0/site/about?query"),
        ),
        ("size 0", Box::new(|c| c.dwStructSize = 0), Err(87)),
    ];
    for (what, change, expected) in rows {
        let mut components = full();
        change(&mut components);
        assert_eq!(create(&components, 0), expected.map(str::to_owned), "{what}");
    }
}

#[test]
fn flags_and_scheme_numbers() {
    let bare = |number: i32, host: &str| {
        let (host, length) = (Box::leak(wide(host).into_boxed_slice()).as_mut_ptr(), host.len() as u32);
        URL_COMPONENTS {
            dwStructSize: SIZE,
            nScheme: number,
            lpszHostName: host,
            dwHostNameLength: length,
            nPort: 443,
            ..Default::default()
        }
    };
    let rows = [
        (bare(0, "h"), 0, Ok("http://h:443")),
        (bare(WINHTTP_INTERNET_SCHEME_HTTPS, "h"), 0, Ok("https://h")),
        (
            bare(WINHTTP_INTERNET_SCHEME_HTTPS, "h"),
            portable_winhttp::win32::ICU_INCLUDE_DEFAULT_PORT,
            Ok("https://h:443"),
        ),
        (bare(WINHTTP_INTERNET_SCHEME_FTP, "h"), 0, Ok("ftp://h:443")),
        (bare(99, "h"), 0, Err(87)),
        (bare(WINHTTP_INTERNET_SCHEME_HTTPS, "o g"), ICU_ESCAPE, Ok("https://o g")),
        (bare(WINHTTP_INTERNET_SCHEME_HTTPS, "o g"), ICU_ESCAPE_AUTHORITY, Ok("https://o%20g")),
        (bare(WINHTTP_INTERNET_SCHEME_HTTPS, "[::1]"), ICU_ESCAPE_AUTHORITY, Ok("https://[::1]")),
        (full(), ICU_REJECT_USERPWD, Err(12005)),
    ];
    for (components, flags, expected) in rows {
        assert_eq!(create(&components, flags), expected.map(str::to_owned), "{expected:?}");
    }
}

#[test]
fn creating_into_nothing() {
    let c = full();
    let mut length = 0;
    // SAFETY: NULL is refused, and a buffer of 2 has two characters.
    unsafe {
        assert_eq!((WinHttpCreateUrl(&c, 0, null_mut(), &mut length), last_error(), length), (0, 122, 57));
        length = 256;
        assert_eq!((WinHttpCreateUrl(&c, 0, null_mut(), &mut length), last_error(), length), (0, 87, 256));
        length = 2;
        assert_eq!((WinHttpCreateUrl(&c, 0, [0; 2].as_mut_ptr(), &mut length), last_error(), length), (0, 122, 57));
        assert_eq!((WinHttpCreateUrl(null(), 0, null_mut(), &mut length), last_error(), length), (0, 87, 57));
        assert_eq!((WinHttpCreateUrl(&c, 0, null_mut(), null_mut()), last_error()), (0, 87));
    }
}

#[test]
fn escaping_what_is_created() {
    let extra = |text: &str| URL_COMPONENTS {
        dwStructSize: SIZE,
        lpszExtraInfo: Box::leak(wide(text).into_boxed_slice()).as_mut_ptr(),
        dwExtraInfoLength: text.encode_utf16().count() as u32,
        ..Default::default()
    };
    let punctuation = "?!$&'()*+,-./:;=?@_ \"#%<>[\\]^`{|}~";
    let escaped = "http://?!$&'()*+,-./:;=?@_%20%22%23%25%3C%3E%5B%5C%5D%5E%60%7B%7C%7D%7E";
    assert_eq!(create(&extra(punctuation), ICU_ESCAPE).as_deref(), Ok(escaped));
    assert_eq!(create(&extra("\r\x1f \n\x7f\r\n"), ICU_ESCAPE).as_deref(), Ok("http://%0D%1F%20%0A%7F%0D%0A"));
    assert_eq!(create(&extra("?\u{fb00}"), ICU_ESCAPE), Err(87));
    assert_eq!(create(&extra("?text=\u{fb00}"), 0).as_deref(), Ok("http://?text=\u{fb00}"));
    let path = |text: &str| {
        let c = extra(text);
        URL_COMPONENTS {
            lpszUrlPath: c.lpszExtraInfo,
            dwUrlPathLength: c.dwExtraInfoLength,
            lpszExtraInfo: null_mut(),
            dwExtraInfoLength: 0,
            ..c
        }
    };
    assert_eq!(create(&path("\r\x1f \n\x7f\r\n"), ICU_ESCAPE).as_deref(), Ok("http://%0D%1F%20%0A%7F%0D%0A"));
    assert_eq!(create(&path("/\u{fb00}"), ICU_ESCAPE), Err(87));
    assert_eq!(create(&path("/text=\u{fb00}"), 0).as_deref(), Ok("http:///text=\u{fb00}"));
}

#[test]
fn times() {
    let time = SYSTEMTIME {
        wYear: 2008,
        wMonth: 7,
        wDayOfWeek: 1,
        wDay: 28,
        wHour: 10,
        wMinute: 5,
        wSecond: 52,
        wMilliseconds: 0,
    };
    let mut text = [0u16; WINHTTP_TIME_FORMAT_BUFSIZE as usize / 2];
    // SAFETY: the buffer has the size that the function asks for; NULL is refused.
    unsafe {
        assert_eq!(WinHttpTimeFromSystemTime(&time, text.as_mut_ptr()), 1);
        assert_eq!(text[..30], wide("Mon, 28 Jul 2008 10:05:52 GMT")[..]);
        let mut read = SYSTEMTIME::default();
        assert_eq!(WinHttpTimeToSystemTime(wide(" mon 28 jul 2008 10 05 52\n").as_ptr(), &mut read), 1);
        assert_eq!((read.wYear, read.wMonth, read.wDay, read.wSecond), (2008, 7, 28, 52));
        assert_eq!((WinHttpTimeFromSystemTime(null(), text.as_mut_ptr()), last_error()), (0, 87));
        assert_eq!((WinHttpTimeFromSystemTime(&time, null_mut()), last_error()), (0, 87));
        assert_eq!((WinHttpTimeToSystemTime(null(), &mut read), last_error()), (0, 87));
        assert_eq!((WinHttpTimeToSystemTime(text.as_ptr(), null_mut()), last_error()), (0, 87));
        assert_eq!(WinHttpCheckPlatform(), 1);
    }
}

/// A NUL within the length that was given ends the URL (source r3).
#[test]
fn a_nul_within_the_length() {
    for (url, path) in [("http://127.0.0.1:8080\0", ""), ("http://127.0.0.1:8080/a\0/b?c", "/a")] {
        let (url, mut c) = (wide(url), pointers());
        // SAFETY: the length is that of the text without its last NUL.
        assert_eq!(unsafe { WinHttpCrackUrl(url.as_ptr(), url.len() as u32 - 1, 0, &mut c) }, 1, "{}", last_error());
        // SAFETY: the parts lie in the URL.
        let part = |text: *mut u16, length: u32| unsafe {
            String::from_utf16(std::slice::from_raw_parts(text, length as usize)).unwrap()
        };
        assert_eq!((part(c.lpszHostName, c.dwHostNameLength).as_str(), c.nPort), ("127.0.0.1", 8080));
        assert_eq!((part(c.lpszUrlPath, c.dwUrlPathLength).as_str(), c.dwExtraInfoLength), (path, 0));
    }
}

/// Bytes at an odd address.
struct Odd(Vec<u16>);

impl Odd {
    fn new(length: usize) -> Odd {
        Odd(vec![0; length / 2 + 2])
    }

    fn pointer<T>(&mut self) -> *mut T {
        self.0.as_mut_ptr().wrapping_byte_add(1).cast()
    }

    fn with<T: Copy>(values: &[T]) -> Odd {
        let mut odd = Odd::new(size_of_val(values));
        // SAFETY: there is room.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr().cast::<u8>(), odd.pointer(), size_of_val(values)) };
        odd
    }

    fn text(&mut self, units: usize) -> String {
        let unit = |at| unsafe { self.pointer::<u16>().add(at).read_unaligned() };
        // SAFETY: there are so many.
        String::from_utf16_lossy(&(0..units).map(unit).collect::<Vec<_>>())
    }
}

/// Structures, texts and buffers may lie anywhere: Windows does not ask for alignment.
#[test]
fn odd_addresses() {
    let (mut url, mut host, mut made, mut length) =
        (Odd::with(&wide("https://h.test/a b?c")), Odd::new(20), Odd::new(80), Odd::with(&[40_u32]));
    let mut time =
        Odd::with(&[SYSTEMTIME { wYear: 2008, wMonth: 7, wDayOfWeek: 1, wDay: 28, ..SYSTEMTIME::default() }]);
    let mut written = Odd::new(62);
    let (name, room) = (host.pointer(), 7);
    let mut components = Odd::with(&[URL_COMPONENTS { lpszHostName: name, dwHostNameLength: room, ..pointers() }]);
    // SAFETY: everything has the room that the pages ask for.
    unsafe {
        assert_eq!(WinHttpCrackUrl(url.pointer(), 0, 0, components.pointer()), 1);
        let cracked: URL_COMPONENTS = components.pointer::<URL_COMPONENTS>().read_unaligned();
        assert_eq!((cracked.dwHostNameLength, cracked.dwUrlPathLength, cracked.nPort), (6, 4, 443));
        assert_eq!(WinHttpCreateUrl(components.pointer(), ICU_ESCAPE, made.pointer(), length.pointer()), 1);
        assert_eq!(length.pointer::<u32>().read_unaligned(), 22);
        assert_eq!(WinHttpTimeFromSystemTime(time.pointer(), written.pointer()), 1);
        assert_eq!(WinHttpTimeToSystemTime(written.pointer(), time.pointer()), 1);
        assert_eq!(time.pointer::<SYSTEMTIME>().read_unaligned().wYear, 2008);
    }
    assert_eq!(host.text(7), "h.test\0");
    assert_eq!(made.text(23), "https://h.test/a%20b?c\0");
    assert_eq!(written.text(5), "Mon, ");
}
