//! WinHttpQueryConnectionGroup, WinHttpFreeQueryConnectionGroupResult: how many connections have which mark
//! (source CN6).
#![allow(unsafe_code)]

use std::ffi::c_void;

use super::edge::{code, find, get, no_panic, put};
use crate::handle::Kind;
use crate::transport::ConnectionGroupId;
use crate::win32::memory::{allocate, free};
use crate::win32::*;

fn mark(guid: GUID) -> ConnectionGroupId {
    let mut mark = [0; 16];
    mark[..4].copy_from_slice(&guid.data1.to_ne_bytes());
    mark[4..6].copy_from_slice(&guid.data2.to_ne_bytes());
    mark[6..8].copy_from_slice(&guid.data3.to_ne_bytes());
    mark[8..].copy_from_slice(&guid.data4);
    mark
}

fn guid(mark: ConnectionGroupId) -> GUID {
    let [a, b, c, d, e, f, g, h, data4 @ ..] = mark;
    GUID {
        data1: u32::from_ne_bytes([a, b, c, d]),
        data2: u16::from_ne_bytes([e, f]),
        data3: u16::from_ne_bytes([g, h]),
        data4,
    }
}

/// Lists the marks (CONNECTION_GUID) of the connections to the server of a connection or request, and how many have
/// each (nf-winhttp-winhttpqueryconnectiongroup); only one mark if `pguidconnection` is given. For a connection handle TLS
/// is meant unless WINHTTP_QUERY_CONNECTION_GROUP_FLAG_INSECURE is set. The result is one block; free it with
/// WinHttpFreeQueryConnectionGroupResult. Without marked connections it has no hosts.
///
/// ERROR_INVALID_PARAMETER for unknown flags and a NULL `ppresult`, ERROR_WINHTTP_INCORRECT_HANDLE_TYPE for a session.
///
/// # Safety
/// `pguidconnection` is NULL or readable, `ppresult` NULL or writable.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpQueryConnectionGroup(
    hinternet: *const c_void,
    pguidconnection: *const GUID,
    ullflags: u64,
    ppresult: *mut *mut WINHTTP_QUERY_CONNECTION_GROUP_RESULT,
) -> u32 {
    code("WinHttpQueryConnectionGroup", hinternet, || {
        let handle = find(hinternet)?;
        let insecure = WINHTTP_QUERY_CONNECTION_GROUP_FLAG_INSECURE;
        let origin = match handle.kind() {
            Kind::Connection(connection) => {
                let secure = ullflags & insecure == 0;
                let port = match (connection.port, secure) {
                    (0, true) => 443,
                    (0, false) => 80,
                    (port, _) => port,
                };
                (connection.host.clone(), port, secure)
            }
            Kind::Request(request) => {
                let origin = request.with(|machine| machine.origin().clone());
                (origin.host, origin.port, origin.secure)
            }
            _ => return Err(ERROR_WINHTTP_INCORRECT_HANDLE_TYPE),
        };
        if ullflags & !insecure != 0 || ppresult.is_null() {
            return Err(ERROR_INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise.
        let only = unsafe { get(pguidconnection) }.map(mark);
        let (host, port, secure) = origin;
        let groups = handle.world().transport.marked(&host, port, secure, only);
        // SAFETY: the caller's promise.
        unsafe { put(ppresult, result(&host, &groups)?) };
        Ok(())
    })
}

/// The result, its host, the groups and the name, in one block.
fn result(
    host: &str,
    groups: &[(ConnectionGroupId, u32)],
) -> Result<*mut WINHTTP_QUERY_CONNECTION_GROUP_RESULT, Win32Error> {
    type Outer = WINHTTP_QUERY_CONNECTION_GROUP_RESULT;
    type Host = WINHTTP_HOST_CONNECTION_GROUP;
    type Group = WINHTTP_CONNECTION_GROUP;
    let name: Vec<u16> = host.encode_utf16().chain([0]).collect();
    let size = size_of::<Outer>() + size_of::<Host>() + size_of_val(groups) + name.len() * 2;
    // A mark and its count take as much room as they do in a group.
    const _: () = assert!(size_of::<Group>() == size_of::<(ConnectionGroupId, u32)>());
    let block: *mut Outer = allocate(size, true).cast();
    if block.is_null() {
        return Err(ERROR_NOT_ENOUGH_MEMORY);
    }
    if groups.is_empty() {
        return Ok(block);
    }
    // SAFETY: the block has room for all four, one behind the other; each is aligned where the one before it ends.
    unsafe {
        let hosts: *mut Host = block.add(1).cast();
        let first: *mut Group = hosts.add(1).cast();
        for (place, (mark, count)) in groups.iter().enumerate() {
            first.add(place).write(Group { cConnections: *count, guidGroup: guid(*mark) });
        }
        let text: *mut u16 = first.add(groups.len()).cast();
        std::ptr::copy_nonoverlapping(name.as_ptr(), text, name.len());
        let groups = groups.len() as u32;
        hosts.write(Host { pwszHost: text, cConnectionGroups: groups, pConnectionGroups: first });
        block.write(Outer { cHosts: 1, pHostConnectionGroups: hosts });
    }
    Ok(block)
}

/// Frees what WinHttpQueryConnectionGroup answered (nf-winhttp-winhttpfreequeryconnectiongroupresult); NULL is nothing.
///
/// # Safety
/// `presult` is NULL or came from WinHttpQueryConnectionGroup and was not freed.
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub unsafe extern "system" fn WinHttpFreeQueryConnectionGroupResult(
    presult: *mut WINHTTP_QUERY_CONNECTION_GROUP_RESULT,
) {
    // SAFETY: the caller's promise: the result is one block.
    no_panic((), || unsafe { free(presult.cast()) });
}
