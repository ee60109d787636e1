//! WinHttpSetOption, WinHttpQueryOption, and the table that drives them (sources option.query, O1).
//!
//! Each family of options has a file of rows; a row says the type and the size of the value, which handles have it,
//! whether requests inherit it, and what follows. A row without an effect is an option that is not here: it answers as
//! on a Windows that lacks it.
#![allow(unsafe_code)]

mod certificates;
mod connection;
mod credentials;
mod feature;
mod handle;
mod http2;
mod limits;
mod proxy;
mod request;
pub(crate) mod row;
mod statistics;
pub(crate) mod table;
mod timeouts;
mod tls;
mod undocumented;
mod web_socket;

use std::ffi::c_void;

use super::edge::{allowed, as_bytes, bytes, copy_out, counted_text, done, find, get, given};
use crate::win32::*;
use crate::world::Requested;
pub(crate) use request::default_version;
use row::{Get, Given, PROCESS, Row, Shape, Subject, Value};

/// Reads an option (nf-winhttp-winhttpqueryoption). Lengths are bytes. ERROR_INSUFFICIENT_BUFFER with the length that is
/// needed; ERROR_INVALID_PARAMETER for an option that is unknown, cannot be read or is not supported;
/// ERROR_WINHTTP_INCORRECT_HANDLE_TYPE on a handle that does not have it.
///
/// # Safety
/// `lpbuffer` is NULL or has `*lpdwbufferlength` bytes; the length is NULL or readable and writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpQueryOption(
    hinternet: HINTERNET,
    dwoption: u32,
    lpbuffer: *mut c_void,
    lpdwbufferlength: *mut u32,
) -> BOOL {
    done("WinHttpQueryOption", hinternet, || {
        let subject = subject(hinternet, dwoption, |row| row.query)?;
        // SAFETY: the caller's promise.
        let length = unsafe { get(lpdwbufferlength) }.ok_or(ERROR_INVALID_PARAMETER)?;
        asked(&subject, Requested::QueryOption(dwoption))?;
        let row = table::find(dwoption).ok_or(ERROR_INVALID_PARAMETER)?;
        let input = match row.get {
            // SAFETY: the caller's promise; nothing writes to the buffer while it is read.
            Get::Keyed(_) => unsafe { bytes(lpbuffer, length) }.unwrap_or_default(),
            _ => &[],
        };
        let value = row.read(&subject, input)?;
        let mut take_back = None;
        let (bytes, reported) = match value {
            Value::Dword(value) => (value.to_ne_bytes().to_vec(), 4),
            Value::Pointer(value) => (value.to_ne_bytes().to_vec(), size_of::<usize>()),
            Value::Bytes(bytes) => {
                let length = bytes.len();
                (bytes, length)
            }
            Value::BorrowedBuffer(bytes, back) => {
                let length = bytes.len();
                take_back = Some(back);
                (bytes, length)
            }
            Value::Text(text) => {
                let text: Vec<u16> = text.encode_utf16().chain([0]).collect();
                (as_bytes(&text), (text.len() - 1) * 2)
            }
        };
        // SAFETY: the caller's promise.
        let copied = unsafe { copy_out(&bytes, bytes.len(), reported, lpbuffer, lpdwbufferlength) };
        if let (Err(_), Some(take_back)) = (copied, take_back) {
            take_back();
        }
        copied
    })
}

/// Sets an option (nf-winhttp-winhttpsetoption). Lengths are bytes, of strings characters. ERROR_INSUFFICIENT_BUFFER for
/// a length that does not fit the option; ERROR_WINHTTP_INVALID_OPTION for an option that is unknown or not supported;
/// ERROR_WINHTTP_OPTION_NOT_SETTABLE for one that can only be read; ERROR_WINHTTP_INCORRECT_HANDLE_TYPE on a handle that
/// does not have it.
///
/// # Safety
/// `lpbuffer` is NULL or has `dwbufferlength` bytes, or characters for a string.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpSetOption(
    hinternet: *const c_void,
    dwoption: u32,
    lpbuffer: *const c_void,
    dwbufferlength: u32,
) -> BOOL {
    done("WinHttpSetOption", hinternet, || {
        let subject = subject(hinternet, dwoption, |row| row.set)?;
        asked(&subject, Requested::SetOption(dwoption))?;
        if lpbuffer.is_null() && dwbufferlength != 0 {
            return Err(ERROR_INVALID_PARAMETER);
        }
        let row = table::find(dwoption).ok_or(ERROR_WINHTTP_INVALID_OPTION)?;
        row.settable(&subject)?;
        let characters = match row.shape {
            Shape::Text => Some(dwbufferlength),
            Shape::WideBytes => Some(dwbufferlength / 2),
            _ => None,
        };
        if let Some(characters) = characters {
            // SAFETY: the caller's promise: the length of a string counts characters.
            let text = unsafe { counted_text(lpbuffer.cast(), characters) }.unwrap_or_default();
            let text = text.split(|unit| *unit == 0).next().unwrap_or_default();
            return row.write(&subject, &Given { pointer: lpbuffer, bytes: &[], text });
        }
        // SAFETY: the caller's promise.
        let bytes = unsafe { bytes(lpbuffer, dwbufferlength) }.unwrap_or_default();
        row.write(&subject, &Given { pointer: lpbuffer, bytes, text: &[] })
    })
}

/// Whose option is meant. NULL is the process, for the options that belong to it, and else no handle.
fn subject<T>(handle: *const T, option: u32, handles: fn(&Row) -> u8) -> Result<Subject, Win32Error> {
    let of_process = || table::find(option).is_some_and(|row| handles(row) & PROCESS != 0);
    if handle.is_null() && of_process() {
        return Ok(Subject { handle: None });
    }
    find(handle).map(|handle| Subject { handle: Some(handle) })
}

/// A world may play a Windows that does not know an option.
fn asked(subject: &Subject, asked: Requested) -> Result<(), Win32Error> {
    let Some(handle) = &subject.handle else { return Ok(()) };
    if let Requested::SetOption(option) | Requested::QueryOption(option) = asked {
        given(handle.world(), || {
            let name = table::find(option).map(|row| row.name.trim_start_matches("WINHTTP_OPTION_").to_owned());
            name.unwrap_or_else(|| option.to_string())
        });
    }
    allowed(handle, asked)
}
