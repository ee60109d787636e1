//! UrlCombineW of shlwapi.
#![allow(unsafe_code)]

use crate::api::edge::{no_panic, text};
use crate::win32::{PCWSTR, PWSTR};

const S_OK: i32 = 0;
const E_INVALIDARG: i32 = 0x8007_0057_u32 as i32;
const E_POINTER: i32 = 0x8000_4003_u32 as i32;

/// What `relative` names, seen from `base` (nf-shlwapi-urlcombinew). E_POINTER if the buffer has too little room, which is
/// then in `pcchcombined` with the NUL; E_INVALIDARG if they give no URL. The flags are not looked at.
///
/// # Safety
/// The texts are NULL or NUL-terminated, `pcchcombined` is NULL or the size of the buffer.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn UrlCombineW(
    pszbase: PCWSTR,
    pszrelative: PCWSTR,
    pszcombined: PWSTR,
    pcchcombined: *mut u32,
    _dwflags: u32,
) -> i32 {
    no_panic(E_INVALIDARG, || {
        // SAFETY: the caller's promise.
        let texts = unsafe { (text(pszbase), text(pszrelative)) };
        let (Some(base), Some(relative), false) = (texts.0, texts.1, pcchcombined.is_null()) else {
            return E_INVALIDARG;
        };
        let base = url::Url::parse(&String::from_utf16_lossy(&base)).ok();
        let relative = String::from_utf16_lossy(&relative);
        let joined = base.map_or_else(|| url::Url::parse(&relative), |base| base.join(&relative));
        let Ok(joined) = joined else { return E_INVALIDARG };
        let wide: Vec<u16> = joined.as_str().encode_utf16().chain([0]).collect();
        // SAFETY: the caller's promise; it is written only if it fits.
        unsafe {
            if pszcombined.is_null() || (pcchcombined.read_unaligned() as usize) < wide.len() {
                pcchcombined.write_unaligned(wide.len() as u32);
                return E_POINTER;
            }
            std::ptr::copy_nonoverlapping(wide.as_ptr(), pszcombined, wide.len());
            pcchcombined.write_unaligned(wide.len() as u32 - 1);
        }
        S_OK
    })
}
