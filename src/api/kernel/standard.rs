//! The standard devices of the process, and which kind a file is of.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::fs::{File, FileType};
use std::sync::LazyLock;

use super::INVALID_HANDLE_VALUE;
use super::file::{find, taken_in};
use crate::api::edge::no_panic;
use crate::sync::Mutex;
use crate::win32::*;

const INVALID: HANDLE = std::ptr::without_provenance_mut(INVALID_HANDLE_VALUE);

const FILE_TYPE_UNKNOWN: u32 = 0;
const FILE_TYPE_DISK: u32 = 1;
const FILE_TYPE_PIPE: u32 = 3;

static DEVICES: LazyLock<Mutex<HashMap<u32, usize>>> = LazyLock::new(Mutex::default);

#[cfg(unix)]
fn device(which: u32) -> Result<Option<File>, Win32Error> {
    use std::io;
    use std::os::fd::AsFd;
    const STD_INPUT_HANDLE: u32 = -10_i32 as u32;
    const STD_OUTPUT_HANDLE: u32 = -11_i32 as u32;
    const STD_ERROR_HANDLE: u32 = -12_i32 as u32;
    let (input, output, error) = (io::stdin(), io::stdout(), io::stderr());
    let device = match which {
        STD_INPUT_HANDLE => input.as_fd(),
        STD_OUTPUT_HANDLE => output.as_fd(),
        STD_ERROR_HANDLE => error.as_fd(),
        _ => return Err(ERROR_INVALID_HANDLE),
    };
    Ok(device.try_clone_to_owned().map(File::from).ok())
}

#[cfg(not(unix))]
fn device(_: u32) -> Result<Option<File>, Win32Error> {
    Err(ERROR_INVALID_HANDLE)
}

/// Standard input, output or error of the process, each time the same handle (GetStdHandle, of the console). Closing it
/// closes the handle alone. NULL if the process has no such device; INVALID_HANDLE_VALUE with ERROR_INVALID_HANDLE for any
/// other number.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn GetStdHandle(nstdhandle: u32) -> HANDLE {
    no_panic(INVALID, || {
        let mut devices = DEVICES.lock();
        if let Some(known) = devices.get(&nstdhandle) {
            return std::ptr::without_provenance_mut(*known);
        }
        match device(nstdhandle) {
            Ok(None) => std::ptr::null_mut(),
            Ok(Some(file)) => {
                let handle = taken_in(file);
                devices.insert(nstdhandle, handle);
                std::ptr::without_provenance_mut(handle)
            }
            Err(error) => {
                set_last_error(error);
                INVALID
            }
        }
    })
}

#[cfg(unix)]
fn kind(of: FileType) -> u32 {
    use std::os::unix::fs::FileTypeExt;
    const FILE_TYPE_CHAR: u32 = 2;
    match of {
        of if of.is_char_device() => FILE_TYPE_CHAR,
        of if of.is_fifo() || of.is_socket() => FILE_TYPE_PIPE,
        _ => FILE_TYPE_DISK,
    }
}

#[cfg(not(unix))]
fn kind(_: FileType) -> u32 {
    FILE_TYPE_DISK
}

/// Whether it is a pipe or a socket.
pub(super) fn is_pipe(file: &File) -> bool {
    file.metadata().is_ok_and(|data| kind(data.file_type()) == FILE_TYPE_PIPE)
}

/// Which kind a file is of (nf-fileapi-getfiletype): FILE_TYPE_DISK; FILE_TYPE_CHAR for a terminal; FILE_TYPE_PIPE for pipes and
/// sockets. FILE_TYPE_UNKNOWN with ERROR_INVALID_HANDLE for what is no file.
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetFileType(hfile: HANDLE) -> u32 {
    no_panic(FILE_TYPE_UNKNOWN, || {
        let known = find(hfile).and_then(|file| file.metadata().map_err(|_| ERROR_INVALID_HANDLE));
        known.map(|data| kind(data.file_type())).unwrap_or_else(|error| {
            set_last_error(error);
            FILE_TYPE_UNKNOWN
        })
    })
}
