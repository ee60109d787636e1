//! Files: CreateFile, ReadFile, WriteFile and their like, over the system's files. Paths are UTF-8 there, and `\` is `/`.
//! The handle of a file is that of a signalled event, so that it can be waited for and closed like all others.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::ffi::c_void;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use super::standard::is_pipe;
use super::sync::event;
use super::sync::waitable::Waitable;
use crate::api::edge::{NONE, bytes, caught, done, no_panic, put, text};
use crate::sync::{Mutex, MutexGuard};
use crate::win32::*;

const GENERIC_READ: u32 = 0x8000_0000;
const GENERIC_WRITE: u32 = 0x4000_0000;
const FILE_APPEND_DATA: u32 = 4;
const FILE_FLAG_OVERLAPPED: u32 = 0x4000_0000;
const CREATE_NEW: u32 = 1;
const CREATE_ALWAYS: u32 = 2;
const OPEN_EXISTING: u32 = 3;
const OPEN_ALWAYS: u32 = 4;
const TRUNCATE_EXISTING: u32 = 5;
const INVALID: u32 = u32::MAX;
const FILE_ATTRIBUTE_READONLY: u32 = 1;
const FILE_ATTRIBUTE_DIRECTORY: u32 = 0x10;
const FILE_ATTRIBUTE_NORMAL: u32 = 0x80;

const FILE_SHARE_READ: u32 = 1;
const FILE_SHARE_WRITE: u32 = 2;
const FILE_SHARE_DELETE: u32 = 4;
const DELETE: u32 = 0x1_0000;

/// How a handle has a file, as the bits of FILE_SHARE_*: what it may do, and what others may.
#[derive(Clone, Copy)]
struct Opened {
    file: (u64, u64),
    does: u32,
    lets: u32,
}

impl Opened {
    /// `None` where the system does not say which file it is.
    fn new(data: &Metadata, access: u32, share: u32) -> Option<Opened> {
        let bits = [
            (GENERIC_READ, FILE_SHARE_READ),
            (GENERIC_WRITE | FILE_APPEND_DATA, FILE_SHARE_WRITE),
            (DELETE, FILE_SHARE_DELETE),
        ];
        let does = bits.iter().filter(|(asked, _)| access & asked != 0).map(|(_, bit)| bit).sum();
        Some(Opened { file: identity(data)?, does, lets: share })
    }

    fn goes_with(&self, other: &Opened) -> bool {
        // Who only asks for attributes is in nobody's way.
        self.file != other.file
            || self.does == 0
            || other.does == 0
            || (self.does & !other.lets == 0 && other.does & !self.lets == 0)
    }
}

#[cfg(unix)]
fn identity(data: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    // Devices and pipes have no share mode.
    data.is_file().then(|| (data.dev(), data.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64)> {
    None
}

/// How the handles of this process have their files.
static OPENED: LazyLock<Mutex<HashMap<usize, Opened>>> = LazyLock::new(Mutex::default);

/// ERROR_SHARING_VIOLATION for what does not go with a handle of the process.
fn shared(handles: &HashMap<usize, Opened>, opened: Option<Opened>) -> Result<(), Win32Error> {
    let goes = opened.is_none_or(|opened| handles.values().all(|other| other.goes_with(&opened)));
    if goes { Ok(()) } else { Err(ERROR_SHARING_VIOLATION) }
}

static FILES: LazyLock<Mutex<HashMap<usize, Arc<File>>>> = LazyLock::new(Mutex::default);

fn lock() -> MutexGuard<'static, HashMap<usize, Arc<File>>> {
    FILES.lock()
}

pub(super) fn find(handle: HANDLE) -> Result<Arc<File>, Win32Error> {
    lock().get(&handle.addr()).cloned().ok_or(ERROR_INVALID_HANDLE)
}

/// A new handle of a file.
pub(super) fn taken_in(file: File) -> usize {
    let handle = event::anonymous(Waitable::Other { signalled: true });
    lock().insert(handle, Arc::new(file));
    handle
}

/// The handle is closed.
pub(super) fn closed(handle: usize) {
    lock().remove(&handle);
    OPENED.lock().remove(&handle);
}

/// A handle has a copy.
pub(super) fn duplicated(handle: usize, copy: usize) {
    let mut files = lock();
    if let Some(file) = files.get(&handle).cloned() {
        files.insert(copy, file);
    }
    drop(files);
    let mut opened = OPENED.lock();
    if let Some(how) = opened.get(&handle).copied() {
        opened.insert(copy, how);
    }
}

fn error(path: Option<&Path>, error: &io::Error) -> Win32Error {
    match error.kind() {
        ErrorKind::NotFound => match path.and_then(Path::parent) {
            Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => ERROR_PATH_NOT_FOUND,
            _ => ERROR_FILE_NOT_FOUND,
        },
        ErrorKind::PermissionDenied | ErrorKind::IsADirectory => ERROR_ACCESS_DENIED,
        ErrorKind::AlreadyExists => ERROR_FILE_EXISTS,
        ErrorKind::NotADirectory => ERROR_PATH_NOT_FOUND,
        ErrorKind::InvalidInput => ERROR_INVALID_PARAMETER,
        ErrorKind::BrokenPipe => ERROR_BROKEN_PIPE,
        _ => ERROR_GEN_FAILURE,
    }
}

fn path(wide: &[u16]) -> PathBuf {
    String::from_utf16_lossy(wide).replace('\\', "/").into()
}

/// Opens it: its handle, and whether it was there.
fn open(path: &Path, access: u32, share: u32, disposition: u32) -> Result<(usize, bool), Win32Error> {
    let known = std::fs::metadata(path).ok();
    let there = known.is_some();
    // A pipe may have to wait for its other end: nobody else waits for that.
    let mut opened = known.as_ref().is_none_or(Metadata::is_file).then(|| OPENED.lock());
    if let Some(opened) = opened.as_deref().filter(|_| disposition != CREATE_NEW) {
        // Before it is truncated.
        shared(opened, known.and_then(|data| Opened::new(&data, access, share)))?;
    }
    let mut options = OpenOptions::new();
    options.read(access & GENERIC_READ != 0 || access & (GENERIC_WRITE | FILE_APPEND_DATA) == 0);
    options.write(access & GENERIC_WRITE != 0).append(access & GENERIC_WRITE == 0 && access & FILE_APPEND_DATA != 0);
    match disposition {
        CREATE_NEW => options.write(true).create_new(true),
        CREATE_ALWAYS => options.write(true).create(true).truncate(true),
        OPEN_EXISTING => &mut options,
        OPEN_ALWAYS => options.write(true).create(true).truncate(false),
        TRUNCATE_EXISTING if access & GENERIC_WRITE != 0 => options.truncate(true),
        _ => return Err(ERROR_INVALID_PARAMETER),
    };
    let file = options.open(path).map_err(|failure| error(Some(path), &failure))?;
    // The system would open a folder for reading; Windows refuses without FILE_FLAG_BACKUP_SEMANTICS.
    let data = file.metadata().map_err(|failure| error(Some(path), &failure))?;
    if data.is_dir() {
        return Err(ERROR_ACCESS_DENIED);
    }
    let handle = taken_in(file);
    if let Some(opened) = &mut opened {
        opened.extend(Opened::new(&data, access, share).map(|how| (handle, how)));
    }
    Ok((handle, there))
}

/// Opens or makes a file (nf-fileapi-createfilew). INVALID_HANDLE_VALUE with ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND,
/// ERROR_ACCESS_DENIED, ERROR_FILE_EXISTS, ERROR_SHARING_VIOLATION, or ERROR_NOT_SUPPORTED for FILE_FLAG_OVERLAPPED. Where
/// CREATE_ALWAYS or OPEN_ALWAYS find the file, the last error is ERROR_ALREADY_EXISTS. Sharing is between the handles of
/// this process; attributes are not looked at.
///
/// # Safety
/// `lpfilename` is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateFileW(
    lpfilename: PCWSTR,
    dwdesiredaccess: u32,
    dwsharemode: u32,
    _lpsecurityattributes: *const c_void,
    dwcreationdisposition: u32,
    dwflagsandattributes: u32,
    _htemplatefile: HANDLE,
) -> HANDLE {
    no_panic(std::ptr::without_provenance_mut(usize::MAX), || {
        // SAFETY: the caller's promise.
        let name = unsafe { text(lpfilename) };
        let opened = match name {
            None => Err(ERROR_PATH_NOT_FOUND),
            Some(_) if dwflagsandattributes & FILE_FLAG_OVERLAPPED != 0 => Err(ERROR_NOT_SUPPORTED),
            Some(name) => open(&path(&name), dwdesiredaccess, dwsharemode, dwcreationdisposition),
        };
        let (handle, last) = match opened {
            Ok((handle, there)) => {
                let known = there && matches!(dwcreationdisposition, CREATE_ALWAYS | OPEN_ALWAYS);
                (handle, if known { ERROR_ALREADY_EXISTS } else { ERROR_SUCCESS })
            }
            Err(error) => (usize::MAX, error),
        };
        set_last_error(last);
        std::ptr::without_provenance_mut(handle)
    })
}

/// [`CreateFileW`] with a name in UTF-8 (nf-fileapi-createfilea).
///
/// # Safety
/// `lpfilename` is NULL or NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn CreateFileA(
    lpfilename: PCSTR,
    dwdesiredaccess: u32,
    dwsharemode: u32,
    lpsecurityattributes: *const c_void,
    dwcreationdisposition: u32,
    dwflagsandattributes: u32,
    htemplatefile: HANDLE,
) -> HANDLE {
    caught(std::ptr::without_provenance_mut(usize::MAX), || {
        // SAFETY: the caller's promise; the wide name lives during the call.
        unsafe {
            let wide = super::text::widened(lpfilename);
            let name = wide.as_ref().map_or(std::ptr::null(), |wide| wide.as_ptr());
            let (access, share, security) = (dwdesiredaccess, dwsharemode, lpsecurityattributes);
            CreateFileW(name, access, share, security, dwcreationdisposition, dwflagsandattributes, htemplatefile)
        }
    })
}

/// Reads; 0 bytes are the end (nf-fileapi-readfile). ERROR_INVALID_HANDLE, ERROR_BROKEN_PIPE at the end of a pipe, or
/// ERROR_NOT_SUPPORTED for an OVERLAPPED.
///
/// # Safety
/// The buffer has so many bytes; `lpnumberofbytesread` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn ReadFile(
    hfile: HANDLE,
    lpbuffer: *mut c_void,
    nnumberofbytestoread: u32,
    lpnumberofbytesread: *mut u32,
    lpoverlapped: *mut c_void,
) -> BOOL {
    done("ReadFile", NONE, || {
        // SAFETY: the caller's promise.
        unsafe { put(lpnumberofbytesread, 0) };
        let file = find(hfile)?;
        if !lpoverlapped.is_null() {
            return Err(ERROR_NOT_SUPPORTED);
        }
        let mut read = vec![0; nnumberofbytestoread as usize];
        let count = (&*file).read(&mut read).map_err(|failure| error(None, &failure))?;
        if count == 0 && !read.is_empty() && is_pipe(&file) {
            return Err(ERROR_BROKEN_PIPE);
        }
        // SAFETY: the caller's promise; no more was read than there is room for.
        unsafe {
            std::ptr::copy_nonoverlapping(read.as_ptr(), lpbuffer.cast::<u8>(), count);
            put(lpnumberofbytesread, count as u32);
        }
        Ok(())
    })
}

/// Writes (nf-fileapi-writefile). ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED, ERROR_NOT_SUPPORTED for an OVERLAPPED, or
/// ERROR_BROKEN_PIPE where nobody reads; a program that does not ignore SIGPIPE ends there.
///
/// # Safety
/// The buffer has so many bytes; `lpnumberofbyteswritten` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WriteFile(
    hfile: HANDLE,
    lpbuffer: *const c_void,
    nnumberofbytestowrite: u32,
    lpnumberofbyteswritten: *mut u32,
    lpoverlapped: *mut c_void,
) -> BOOL {
    done("WriteFile", NONE, || {
        // SAFETY: the caller's promise.
        unsafe { put(lpnumberofbyteswritten, 0) };
        let file = find(hfile)?;
        if !lpoverlapped.is_null() {
            return Err(ERROR_NOT_SUPPORTED);
        }
        // SAFETY: the caller's promise.
        let data = unsafe { bytes(lpbuffer, nnumberofbytestowrite) }.ok_or(ERROR_INVALID_PARAMETER)?;
        // The system refuses to write to what was opened for reading with a number that has no kind.
        (&*file).write_all(data).map_err(|failure| match failure.raw_os_error() {
            Some(9) => ERROR_ACCESS_DENIED,
            _ => error(None, &failure),
        })?;
        // SAFETY: the caller's promise.
        unsafe { put(lpnumberofbyteswritten, nnumberofbytestowrite) };
        Ok(())
    })
}

fn seek(file: &File, distance: i64, method: u32) -> Result<u64, Win32Error> {
    let to = match method {
        0 => SeekFrom::Start(u64::try_from(distance).map_err(|_| ERROR_NEGATIVE_SEEK)?),
        1 => SeekFrom::Current(distance),
        2 => SeekFrom::End(distance),
        _ => return Err(ERROR_INVALID_PARAMETER),
    };
    let mut file = file;
    file.seek(to).map_err(|failure| match failure.kind() {
        ErrorKind::InvalidInput => ERROR_NEGATIVE_SEEK,
        _ => error(None, &failure),
    })
}

/// Moves to a place (nf-fileapi-setfilepointerex). ERROR_NEGATIVE_SEEK, ERROR_INVALID_HANDLE.
///
/// # Safety
/// `lpnewfilepointer` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn SetFilePointerEx(
    hfile: HANDLE,
    lidistancetomove: i64,
    lpnewfilepointer: *mut i64,
    dwmovemethod: u32,
) -> BOOL {
    done("SetFilePointerEx", NONE, || {
        let place = seek(&*find(hfile)?, lidistancetomove, dwmovemethod)?;
        // SAFETY: the caller's promise.
        unsafe { put(lpnewfilepointer, place as i64) };
        Ok(())
    })
}

/// Moves to a place, whose low half it answers: INVALID_SET_FILE_POINTER and an error, or NO_ERROR and that number
/// (nf-fileapi-setfilepointer).
///
/// # Safety
/// `lpdistancetomovehigh` is NULL or readable and writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn SetFilePointer(
    hfile: HANDLE,
    ldistancetomove: i32,
    lpdistancetomovehigh: *mut i32,
    dwmovemethod: u32,
) -> u32 {
    no_panic(INVALID, || {
        // SAFETY: the caller's promise.
        let high = unsafe { crate::api::edge::get(lpdistancetomovehigh.cast_const()) };
        let distance = match high {
            Some(high) => (i64::from(high) << 32) | i64::from(ldistancetomove as u32),
            None => ldistancetomove.into(),
        };
        match find(hfile).and_then(|file| seek(&file, distance, dwmovemethod)) {
            Ok(place) => {
                // SAFETY: the caller's promise.
                unsafe { put(lpdistancetomovehigh, (place >> 32) as i32) };
                set_last_error(ERROR_SUCCESS);
                place as u32
            }
            Err(error) => {
                set_last_error(error);
                INVALID
            }
        }
    })
}

/// The size in bytes (nf-fileapi-getfilesizeex). ERROR_INVALID_HANDLE.
///
/// # Safety
/// `lpfilesize` is writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetFileSizeEx(hfile: HANDLE, lpfilesize: *mut i64) -> BOOL {
    done("GetFileSizeEx", NONE, || {
        let size = find(hfile)?.metadata().map_err(|failure| error(None, &failure))?.len();
        // SAFETY: the caller's promise.
        unsafe { put(lpfilesize, size as i64) };
        Ok(())
    })
}

/// The low half of the size (nf-fileapi-getfilesize): INVALID_FILE_SIZE and an error, or NO_ERROR and that number.
///
/// # Safety
/// `lpfilesizehigh` is NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetFileSize(hfile: HANDLE, lpfilesizehigh: *mut u32) -> u32 {
    caught(INVALID, || {
        let mut size = 0i64;
        // SAFETY: the variable lives.
        if unsafe { GetFileSizeEx(hfile, &raw mut size) } == 0 {
            return INVALID;
        }
        // SAFETY: the caller's promise.
        unsafe { put(lpfilesizehigh, (size >> 32) as u32) };
        size as u32
    })
}

/// Writes what the system has not written yet (nf-fileapi-flushfilebuffers). ERROR_INVALID_HANDLE.
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn FlushFileBuffers(hfile: HANDLE) -> BOOL {
    done("FlushFileBuffers", NONE, || find(hfile)?.sync_all().map_err(|failure| error(None, &failure)))
}

/// The file ends where its pointer is (nf-fileapi-setendoffile). ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED.
///
/// # Safety
/// Any value may be passed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn SetEndOfFile(hfile: HANDLE) -> BOOL {
    done("SetEndOfFile", NONE, || {
        let file = find(hfile)?;
        let place = seek(&file, 0, 1)?;
        file.set_len(place).map_err(|_| ERROR_ACCESS_DENIED)
    })
}

fn attributes(data: &Metadata) -> u32 {
    let read_only = if data.permissions().readonly() { FILE_ATTRIBUTE_READONLY } else { 0 };
    let kind = if data.is_dir() { FILE_ATTRIBUTE_DIRECTORY } else { FILE_ATTRIBUTE_NORMAL };
    // NORMAL only stands alone.
    if read_only != 0 && !data.is_dir() { read_only } else { kind | read_only }
}

/// What kind of file it is (nf-fileapi-getfileattributesw). INVALID_FILE_ATTRIBUTES with ERROR_FILE_NOT_FOUND or
/// ERROR_PATH_NOT_FOUND.
///
/// # Safety
/// `lpfilename` is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetFileAttributesW(lpfilename: PCWSTR) -> u32 {
    no_panic(INVALID, || {
        // SAFETY: the caller's promise.
        let path = unsafe { text(lpfilename) }.map(|name| path(&name)).ok_or(ERROR_PATH_NOT_FOUND);
        let found = path.and_then(|path| std::fs::metadata(&path).map_err(|failure| error(Some(&path), &failure)));
        found.map(|data| attributes(&data)).unwrap_or_else(|error| {
            set_last_error(error);
            INVALID
        })
    })
}

/// [`GetFileAttributesW`] with a name in UTF-8 (nf-fileapi-getfileattributesa).
///
/// # Safety
/// `lpfilename` is NULL or NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn GetFileAttributesA(lpfilename: PCSTR) -> u32 {
    caught(INVALID, || {
        // SAFETY: the caller's promise; the wide name lives during the call.
        unsafe {
            let wide = super::text::widened(lpfilename);
            GetFileAttributesW(wide.as_ref().map_or(std::ptr::null(), |wide| wide.as_ptr()))
        }
    })
}

/// Deletes a file (nf-fileapi-deletefilew). ERROR_FILE_NOT_FOUND, ERROR_ACCESS_DENIED, or ERROR_SHARING_VIOLATION where a handle
/// of this process has it without FILE_SHARE_DELETE.
///
/// # Safety
/// `lpfilename` is NULL or NUL-terminated UTF-16.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn DeleteFileW(lpfilename: PCWSTR) -> BOOL {
    done("DeleteFileW", NONE, || {
        // SAFETY: the caller's promise.
        let path = unsafe { text(lpfilename) }.map(|name| path(&name)).ok_or(ERROR_PATH_NOT_FOUND)?;
        let data = std::fs::symlink_metadata(&path).ok();
        let all = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
        shared(&OPENED.lock(), data.and_then(|data| Opened::new(&data, DELETE, all)))?;
        std::fs::remove_file(&path).map_err(|failure| error(Some(&path), &failure))
    })
}

/// [`DeleteFileW`] with a name in UTF-8 (nf-fileapi-deletefilea).
///
/// # Safety
/// `lpfilename` is NULL or NUL-terminated.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn DeleteFileA(lpfilename: PCSTR) -> BOOL {
    caught(0, || {
        // SAFETY: the caller's promise; the wide name lives during the call.
        unsafe {
            let wide = super::text::widened(lpfilename);
            DeleteFileW(wide.as_ref().map_or(std::ptr::null(), |wide| wide.as_ptr()))
        }
    })
}
