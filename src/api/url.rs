//! WinHttpCrackUrl, WinHttpCreateUrl: the pointers of URL_COMPONENTS.
#![allow(unsafe_code)]

use super::edge::{NONE, counted_text, done, get, put, put_text};
use crate::http::url::{self, Given, Parts};
use crate::win32::*;

const SIZE: u32 = size_of::<URL_COMPONENTS>() as u32;

/// A component of URL_COMPONENTS: where its pointer and length are.
type ComponentFields = (fn(&mut URL_COMPONENTS) -> &mut PWSTR, fn(&mut URL_COMPONENTS) -> &mut u32);

const SCHEME: ComponentFields = (|c| &mut c.lpszScheme, |c| &mut c.dwSchemeLength);
const HOST: ComponentFields = (|c| &mut c.lpszHostName, |c| &mut c.dwHostNameLength);
const USER: ComponentFields = (|c| &mut c.lpszUserName, |c| &mut c.dwUserNameLength);
const PASSWORD: ComponentFields = (|c| &mut c.lpszPassword, |c| &mut c.dwPasswordLength);
const PATH: ComponentFields = (|c| &mut c.lpszUrlPath, |c| &mut c.dwUrlPathLength);
const EXTRA: ComponentFields = (|c| &mut c.lpszExtraInfo, |c| &mut c.dwExtraInfoLength);
const COMPONENTS: [ComponentFields; 6] = [SCHEME, USER, PASSWORD, HOST, PATH, EXTRA];

/// Takes a URL apart (nf-winhttp-winhttpcrackurl, source crack.parts). A component with a NULL pointer and a length
/// gets a pointer into the URL; with a buffer it gets a copy with a NUL; with neither it is left out.
///
/// ICU_DECODE and ICU_ESCAPE change the pieces once they are apart. ERROR_WINHTTP_UNRECOGNIZED_SCHEME for other schemes than
/// http, https and ftp; ERROR_WINHTTP_INVALID_URL; ERROR_INSUFFICIENT_BUFFER with the lengths that are
/// needed; ERROR_INVALID_PARAMETER, which changes nothing.
///
/// # Safety
/// `pwszurl` has `dwurllength` characters, or a NUL if that is 0; buffers have the lengths that are given.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpCrackUrl(
    pwszurl: PCWSTR,
    dwurllength: u32,
    dwflags: u32,
    lpurlcomponents: *mut URL_COMPONENTS,
) -> BOOL {
    done("WinHttpCrackUrl", NONE, || {
        // SAFETY: the caller's promise.
        let components = unsafe { get(lpurlcomponents) }.filter(|_| !pwszurl.is_null());
        let mut components = components.ok_or(ERROR_INVALID_PARAMETER)?;
        let length = if dwurllength == 0 { u32::MAX } else { dwurllength };
        // SAFETY: as above.
        let mut text = unsafe { counted_text(pwszurl, length) }.unwrap_or_default();
        let decoding = dwflags & ICU_DECODE != 0;
        let escaping = dwflags & ICU_ESCAPE != 0;
        // A NUL within the length ends the URL (source r3).
        text.truncate(text.iter().position(|unit| *unit == 0).unwrap_or(text.len()));
        if components.dwStructSize != SIZE {
            return Err(ERROR_INVALID_PARAMETER);
        }
        for (pointer, length) in COMPONENTS {
            let (is_null, length) = (pointer(&mut components).is_null(), *length(&mut components));
            // A buffer without room; or changed text without a buffer to put it into.
            if (!is_null && length == 0) || (is_null && length != 0 && (decoding || escaping)) {
                return Err(ERROR_INVALID_PARAMETER);
            }
        }
        if text.is_empty() {
            return Err(ERROR_WINHTTP_UNRECOGNIZED_SCHEME);
        }
        let parts = url::crack(&text)?;
        if dwflags & ICU_REJECT_USERPWD != 0 && parts.user.is_some() {
            return Err(ERROR_WINHTTP_INVALID_URL);
        }
        let change = match (escaping, decoding) {
            (true, _) => Change::Escape,
            (false, true) => Change::Decode,
            (false, false) => Change::None,
        };
        // SAFETY: pointers into the URL are only handed out when the pieces are not changed; the structure is writable.
        unsafe {
            let result = hand_out(&text, parts, pwszurl, change, &mut components);
            put(lpurlcomponents, components);
            result
        }
    })
}

/// What is done with the pieces, once they are apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    /// ICU_ESCAPE: path and extra information.
    Escape,
    /// ICU_DECODE: all but the scheme.
    Decode,
}

/// # Safety
/// As for [`WinHttpCrackUrl`]; every component that is wanted has a buffer if there is a change.
unsafe fn hand_out(
    text: &[u16],
    parts: Parts,
    source: PCWSTR,
    change: Change,
    components: &mut URL_COMPONENTS,
) -> Result<(), Win32Error> {
    // Extra information that is not wanted stays in the path.
    let extra_wanted = *EXTRA.1(components) != 0;
    let path = if extra_wanted { parts.path } else { parts.path.start..parts.extra.end };
    let ranges = [Some(parts.scheme), parts.user, parts.password, Some(parts.host), Some(path), Some(parts.extra)];
    let [escapes, decodes] = [Change::Escape, Change::Decode].map(|wanted| change == wanted);
    let escaped = [false, false, false, false, escapes, escapes];
    // All pieces are made before anything is changed.
    let mut pieces = Vec::with_capacity(COMPONENTS.len());
    for (range, escaped) in ranges.iter().zip(escaped) {
        let piece = &text[range.clone().unwrap_or(0..0)];
        pieces.push(match () {
            () if escaped => url::escape(piece, false)?,
            () if decodes => url::decode(piece),
            () => piece.to_vec(),
        });
    }
    let mut result = Ok(());
    for (((pointer, length), range), piece) in COMPONENTS.into_iter().zip(ranges).zip(pieces) {
        match (pointer(components).is_null(), *length(components)) {
            (true, 0) => {}
            (true, _) => match range {
                // SAFETY: the range lies in the URL, or at its end.
                Some(range) => unsafe {
                    *length(components) = range.len() as u32;
                    *pointer(components) = source.add(range.start).cast_mut();
                },
                None => *length(components) = 0,
            },
            (false, capacity) if piece.len() >= capacity as usize => {
                *length(components) = piece.len() as u32 + 1;
                result = Err(ERROR_INSUFFICIENT_BUFFER);
            }
            (false, _) => {
                // SAFETY: the buffer has more characters than the piece.
                unsafe { put_text(*pointer(components), &piece) };
                *length(components) = piece.len() as u32;
            }
        }
    }
    components.nScheme = parts.kind.number();
    components.nPort = parts.port;
    result
}

/// Puts a URL together (nf-winhttp-winhttpcreateurl, source create.url). Lengths are characters: on success without the
/// NUL, with ERROR_INSUFFICIENT_BUFFER including it. ERROR_INVALID_PARAMETER for NULL arguments, a wrong structure
/// size, a password without user, and for what cannot be escaped.
///
/// # Safety
/// Components have the lengths that are given; `pwszurl` is NULL or has `*pdwurllength` characters.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpCreateUrl(
    lpurlcomponents: *const URL_COMPONENTS,
    dwflags: u32,
    pwszurl: PWSTR,
    pdwurllength: *mut u32,
) -> BOOL {
    done("WinHttpCreateUrl", NONE, || {
        if lpurlcomponents.is_null() || pdwurllength.is_null() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise.
        let mut components = unsafe { lpurlcomponents.read_unaligned() };
        if components.dwStructSize != SIZE {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let mut component = |(pointer, length): ComponentFields| {
            let (pointer, length) = (*pointer(&mut components), *length(&mut components));
            // SAFETY: the caller's promise.
            unsafe { counted_text(pointer, length) }
        };
        let given = Given {
            scheme: component(SCHEME),
            user: component(USER),
            password: component(PASSWORD),
            host: component(HOST),
            path: component(PATH),
            extra: component(EXTRA),
            scheme_number: components.nScheme,
            port: components.nPort,
        };
        let url = url::create(&given, dwflags)?;
        // SAFETY: the caller's promise.
        let capacity = unsafe { pdwurllength.read_unaligned() } as usize;
        if capacity <= url.len() {
            // SAFETY: as above.
            unsafe { pdwurllength.write_unaligned(url.len() as u32 + 1) };
            return Err(ERROR_INSUFFICIENT_BUFFER);
        }
        if pwszurl.is_null() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        // SAFETY: the buffer has room for the URL and a NUL.
        unsafe {
            put_text(pwszurl, &url);
            pdwurllength.write_unaligned(url.len() as u32);
        }
        Ok(())
    })
}
