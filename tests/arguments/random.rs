//! No input of WinHttpQueryHeaders, WinHttpQueryHeadersEx, WinHttpQueryOption or WinHttpSetOption writes beyond a buffer or
//! reads beyond a value: random levels, options, lengths and bytes, in buffers of exactly that length. What a wrong access
//! would do, the address sanitizer sees.

use std::ptr::null_mut;

use proptest::prelude::*;
use windows_sys::Win32::Networking::WinHttp::*;

use super::Handles;

/// A canary behind the buffer, for runs without the sanitizer.
const CANARY: [u8; 16] = [0xA5; 16];

fn guarded(bytes: &[u8]) -> Vec<u8> {
    [bytes, &CANARY].concat()
}

fn whole(buffer: &[u8], length: usize) -> bool {
    buffer[length..] == CANARY
}

/// Options that take or answer pointers to the caller's structures: their values are no bytes that may be random.
const POINTERS: [u32; 9] = [
    WINHTTP_OPTION_CLIENT_CERT_CONTEXT,
    WINHTTP_OPTION_PROXY,
    WINHTTP_OPTION_PROXY_RESULT_ENTRY,
    WINHTTP_OPTION_UNLOAD_NOTIFY_EVENT,
    WINHTTP_OPTION_GLOBAL_PROXY_CREDS,
    WINHTTP_OPTION_GLOBAL_SERVER_CREDS,
    WINHTTP_OPTION_PASSPORT_SIGN_OUT,
    WINHTTP_OPTION_CALLBACK,
    WINHTTP_OPTION_CONTEXT_VALUE,
];
/// Strings are set with a length in characters.
const CHARACTERS: [u32; 5] = [
    WINHTTP_OPTION_USER_AGENT,
    WINHTTP_OPTION_USERNAME,
    WINHTTP_OPTION_PASSWORD,
    WINHTTP_OPTION_PROXY_USERNAME,
    WINHTTP_OPTION_PROXY_PASSWORD,
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_touched_beyond_a_buffer(
        calls in prop::collection::vec((0u32..220, any::<u32>(), 0usize..600, prop::collection::vec(any::<u8>(), 0..64)), 40)
    ) {
        let open = Handles::open();
        for (option, level, length, bytes) in calls {
            let option = if option == 219 { 4096 + level % 4 } else { option };
            for (_, handle) in open.all.iter().copied().chain([('N', null_mut())]) {
                let mut buffer = guarded(&vec![0xEE; length]);
                let mut reported = length as u32;
                // SAFETY: the buffer has so many bytes.
                unsafe { WinHttpQueryOption(handle, option, buffer.as_mut_ptr().cast(), &mut reported) };
                prop_assert!(whole(&buffer, length), "query option {option}, {length} bytes");
                if !POINTERS.contains(&option) && !handle.is_null() {
                    let length = if CHARACTERS.contains(&option) { bytes.len() / 2 } else { bytes.len() };
                    // Not on the heap's end, but as long as is said: the sanitizer sees what is read behind it.
                    let exact: Box<[u8]> = bytes.clone().into();
                    // SAFETY: the value has so many bytes, or characters.
                    unsafe { WinHttpSetOption(handle, option, exact.as_ptr().cast(), length as u32) };
                }
            }
            // Known levels, custom ones, and modifiers.
            let known = (level & 0xFFFF) % 82;
            let attribute = if known > 80 { WINHTTP_QUERY_CUSTOM } else { known };
            let level = (level & 0xFC00_0000) | attribute;
            let name: Vec<u16> = "a\0".encode_utf16().collect();
            for kind in ['R', 'D'] {
                let mut index = option % 4;
                let mut buffer = guarded(&vec![0xEE; length]);
                let mut reported = length as u32;
                // SAFETY: the buffer has so many bytes, the name ends in NUL.
                unsafe {
                    let handle = open.of(kind);
                    WinHttpQueryHeaders(handle, level, name.as_ptr(), buffer.as_mut_ptr().cast(), &mut reported, &mut index);
                    prop_assert!(whole(&buffer, length), "level {level:#x}, {length} bytes");
                    let (mut headers, mut count) = (null_mut(), 0);
                    let narrow = WINHTTP_HEADER_NAME { pszName: c"a".as_ptr().cast() };
                    let wide = WINHTTP_HEADER_NAME { pwszName: name.as_ptr() };
                    let name = if level & WINHTTP_QUERY_FLAG_WIRE_ENCODING != 0 { narrow } else { wide };
                    reported = length as u32;
                    let code = WinHttpQueryHeadersEx(
                        handle, level, 0, 0, &mut index, &name, buffer.as_mut_ptr().cast(), &mut reported, &mut headers,
                        &mut count,
                    );
                    prop_assert!(whole(&buffer, length), "level {level:#x}, {length} bytes");
                    if code == 0 {
                        let range = buffer.as_ptr_range();
                        for place in 0..count as usize {
                            let header = headers.add(place).read_unaligned();
                            prop_assert!(range.contains(&header.Anonymous1.pszName));
                            prop_assert!(range.contains(&header.Anonymous2.pszValue));
                        }
                    }
                }
            }
        }
        open.close();
    }
}
