//! Errors, texts, parameters, macros.

use std::collections::HashSet;

use portable_winhttp::Win32::Foundation::*;
use portable_winhttp::Win32::Networking::WinHttp::*;
use portable_winhttp::Win32::System::Threading::{CreateEventW, WaitForSingleObject};
use portable_winhttp::core::{
    BOOL, Error, GUID, HRESULT, HSTRING, Owned, PCSTR, PCWSTR, PSTR, PWSTR, Param, h, link, s, w,
};

#[test]
fn win32_errors_are_hresults() {
    // HRESULT_FROM_WIN32 and HRESULT_FROM_NT of winerror.h.
    let cases = [
        (HRESULT::from_win32(0), 0_u32),
        (HRESULT::from_win32(5), 0x8007_0005),
        (HRESULT::from_win32(12002), 0x8007_2EE2),
        (HRESULT::from_win32(0x8000_4005), 0x8000_4005),
        (HRESULT::from_nt(0), 0),
        (HRESULT::from_nt(STATUS_CANCELLED.0), 0xD000_0120),
        (WIN32_ERROR(87).into(), 0x8007_0057),
        (Err::<(), _>(E_FAIL.into()).into(), 0x8000_4005),
        (Ok(1).into(), 0),
    ];
    for (code, expected) in cases {
        assert_eq!(code, HRESULT(expected as i32));
        assert_eq!((code.is_ok(), code.ok().is_ok()), (code.0 >= 0, code.0 >= 0), "{code}");
    }
    assert_eq!(WIN32_ERROR::from_error(&HRESULT::from_win32(12002).into()), Some(WIN32_ERROR(12002)));
    assert_eq!(WIN32_ERROR::from_error(&E_FAIL.into()), None);
    assert_eq!(HRESULT(1).map(|| 2), Ok(2));
    assert_eq!(E_FAIL.and_then(|| Ok(2)), Err(E_FAIL.into()));
}

#[test]
fn false_is_the_last_error() {
    // SAFETY: it has no pointers.
    unsafe { SetLastError(ERROR_INVALID_PARAMETER) };
    assert_eq!(BOOL(0).ok(), Err(ERROR_INVALID_PARAMETER.into()));
    assert_eq!(BOOL(-1).ok(), Ok(()));
    assert_eq!(Error::from_thread().code(), ERROR_INVALID_PARAMETER.to_hresult());
    // SAFETY: no such handle is open.
    let closed = unsafe { WinHttpCloseHandle(std::ptr::without_provenance_mut(8)) };
    assert_eq!(closed, Err(ERROR_INVALID_HANDLE.into()));
    assert!(BOOL::from(true) == true && !bool::from(!BOOL(2)));
}

#[test]
fn errors_print_their_text_and_code() {
    let texts = [
        (Error::new(E_FAIL, "went wrong"), "went wrong (0x80004005)"),
        (Error::new(E_FAIL, ""), "0x80004005"),
        // The texts of WinHTTP are in winhttp.dll, where `windows` does not look.
        (WIN32_ERROR(ERROR_WINHTTP_TIMEOUT).into(), "0x80072EE2"),
    ];
    for (error, text) in texts {
        assert_eq!(error.to_string(), text);
    }
    let error: Error = ERROR_INVALID_PARAMETER.into();
    assert!(!error.message().is_empty());
    assert_eq!(format!("{:?}", Error::new(E_FAIL, "x")), r#"Error { code: HRESULT(0x80004005), message: "x" }"#);
    assert_eq!(std::io::Error::from(error.clone()).raw_os_error(), Some(error.code().0));
    assert_eq!(Error::from(std::io::Error::from_raw_os_error(87)), error);
    assert_eq!(Error::from(u8::try_from(300).unwrap_err()).code(), HRESULT::from_win32(13));
    fn everywhere<T: Send + Sync + std::error::Error>(_: T) {}
    everywhere(error);
}

#[test]
fn literals_are_utf16() {
    for (literal, text) in [(w!(""), ""), (w!("a"), "a"), (w!("äß"), "äß"), (w!("a€🦀b"), "a€🦀b")] {
        // SAFETY: a literal ends with NUL.
        assert_eq!(unsafe { literal.to_string() }.unwrap(), text);
        // SAFETY: the same.
        assert_eq!(unsafe { (literal.len(), literal.to_hstring()) }, (text.encode_utf16().count(), text.into()));
    }
    const CONSTANT: PCWSTR = w!("constant");
    // SAFETY: literals end with NUL.
    unsafe {
        assert_eq!(CONSTANT.display().to_string(), "constant");
        assert_eq!(s!("narrow").to_string().unwrap(), "narrow");
    }
    assert_eq!(h!("shared"), "shared");
}

#[test]
fn hstrings_end_with_nul() {
    for text in ["", "a", "a€🦀b"] {
        let wide = HSTRING::from(text);
        let units: Vec<u16> = text.encode_utf16().collect();
        assert_eq!((wide.len(), &*wide), (units.len(), &*units));
        let pointer = PCWSTR(wide.as_ptr());
        // SAFETY: it ends with NUL.
        assert_eq!(unsafe { pointer.as_wide() }, units);
        assert_eq!((wide.to_string(), String::try_from(&wide).unwrap()), (text.to_owned(), text.to_owned()));
        assert_eq!((&wide, wide.clone()), (&HSTRING::from(text.to_owned()), HSTRING::from_wide(&units)));
        assert!(wide == *text && HashSet::from([wide.clone()]).contains(&wide));
    }
    assert!(HSTRING::new().is_empty() && HSTRING::default() == HSTRING::new());
    assert!(String::try_from(HSTRING::from_wide(&[0xD800])).is_err());
    let (empty, one, two) = (HSTRING::new(), HSTRING::from("a"), HSTRING::from("b"));
    assert!(empty < one && one < two);
}

#[test]
fn parameters_are_passed() {
    fn wide(text: impl Param<PCWSTR>) -> *const u16 {
        // SAFETY: the pointer is not followed.
        unsafe { text.param() }.abi().as_ptr()
    }
    fn narrow(text: impl Param<PCSTR>) -> *const u8 {
        // SAFETY: the pointer is not followed.
        unsafe { text.param() }.abi().as_ptr()
    }
    let (mut units, mut bytes) = ([1_u16, 0], [1_u8, 0]);
    let (text, pointer, byte) = (HSTRING::from("a"), units.as_mut_ptr(), bytes.as_mut_ptr());
    assert_eq!(wide(&text), text.as_ptr());
    assert_eq!(wide(PCWSTR(pointer)), pointer);
    assert_eq!(wide(PWSTR(pointer)), pointer);
    assert_eq!(wide(Some(&PCWSTR(pointer))), pointer);
    assert!(wide(None).is_null() && wide(PCWSTR::null()).is_null() && PWSTR::default().is_null());
    assert_eq!((narrow(PCSTR(byte)), narrow(PSTR(byte))), (byte.cast_const(), byte.cast_const()));
}

#[test]
#[should_panic(expected = "a PWSTR that is NULL is read")]
fn null_is_no_text() {
    // SAFETY: a NULL is refused.
    let _ = unsafe { PWSTR::null().to_string() };
}

#[test]
fn guids_have_their_digits() {
    let text = "016FE2EC-B2C8-45F8-B23B-39E53A75396B";
    let guid = GUID::from_u128(0x016fe2ec_b2c8_45f8_b23b_39e53a75396b);
    assert_eq!((format!("{guid:?}"), GUID::try_from(text)), (text.to_owned(), Ok(guid)));
    assert_eq!((guid.data1, guid.data2, guid.data4[0], guid.to_u128()), (0x016F_E2EC, 0xB2C8, 0xB2, u128::from(guid)));
    for bad in ["", &text[1..], &text.replace('-', "+"), &text.replace('F', "G")] {
        assert_eq!(GUID::try_from(bad), Err(E_INVALIDARG.into()), "{bad}");
    }
    let made = [GUID::new().unwrap(), GUID::new().unwrap()];
    assert_ne!(made[0], made[1]);
    assert!(made.iter().all(|guid| guid.data3 >> 12 == 4 && guid.data4[0] >> 6 == 2));
    assert_eq!(GUID::zeroed(), GUID::default());
}

#[test]
fn owned_handles_are_closed() {
    // SAFETY: the handles are ours, and their values are only asked about after they are closed.
    unsafe {
        let event = CreateEventW(None, true, true, None).unwrap();
        let owned = Owned::new(event);
        assert_eq!(WaitForSingleObject(*owned, 0), WAIT_OBJECT_0);
        drop(owned);
        assert_eq!(CloseHandle(event), Err(ERROR_INVALID_HANDLE.into()));
        assert!(HANDLE::default().is_invalid() && INVALID_HANDLE_VALUE.is_invalid());
    }
}

#[test]
fn functions_can_be_declared() {
    link!("kernel32.dll" "system" fn GetLastError() -> u32);
    link!("kernel32.dll" "system" "SetLastError" fn set(error: u32));
    // SAFETY: the functions are declared as they are.
    unsafe {
        set(12345);
        assert_eq!(GetLastError(), 12345);
    }
}
