//! The errors of the system's own calls, as those of Win32.

use crate::api::edge::no_panic;
use crate::win32::{ERROR_MR_MID_NOT_FOUND, ERROR_SUCCESS};

/// Numbers of Win32 inside those of the system: 0xC007xxxx, and 0x8007xxxx.
const OF_WIN32: [u32; 2] = [0xC007, 0x8007];

/// NTSTATUS and the error of Win32 that it means, by [MS-ERREF] 2.3.1 and 2.2.
const ROWS: [(u32, u32); 40] = [
    (0x0000_0000, 0),    // STATUS_SUCCESS
    (0x0000_0102, 1460), // STATUS_TIMEOUT
    (0x0000_0103, 997),  // STATUS_PENDING
    (0x8000_0005, 234),  // STATUS_BUFFER_OVERFLOW
    (0x8000_0006, 18),   // STATUS_NO_MORE_FILES
    (0x8000_000D, 299),  // STATUS_PARTIAL_COPY
    (0x8000_0011, 170),  // STATUS_DEVICE_BUSY
    (0x8000_001A, 259),  // STATUS_NO_MORE_ENTRIES
    (0xC000_0001, 31),   // STATUS_UNSUCCESSFUL
    (0xC000_0002, 1),    // STATUS_NOT_IMPLEMENTED
    (0xC000_0003, 87),   // STATUS_INVALID_INFO_CLASS
    (0xC000_0004, 24),   // STATUS_INFO_LENGTH_MISMATCH
    (0xC000_0005, 998),  // STATUS_ACCESS_VIOLATION
    (0xC000_0008, 6),    // STATUS_INVALID_HANDLE
    (0xC000_000D, 87),   // STATUS_INVALID_PARAMETER
    (0xC000_000F, 2),    // STATUS_NO_SUCH_FILE
    (0xC000_0010, 1),    // STATUS_INVALID_DEVICE_REQUEST
    (0xC000_0011, 38),   // STATUS_END_OF_FILE
    (0xC000_0017, 8),    // STATUS_NO_MEMORY
    (0xC000_0022, 5),    // STATUS_ACCESS_DENIED
    (0xC000_0023, 122),  // STATUS_BUFFER_TOO_SMALL
    (0xC000_0024, 6),    // STATUS_OBJECT_TYPE_MISMATCH
    (0xC000_0033, 123),  // STATUS_OBJECT_NAME_INVALID
    (0xC000_0034, 2),    // STATUS_OBJECT_NAME_NOT_FOUND
    (0xC000_0035, 183),  // STATUS_OBJECT_NAME_COLLISION
    (0xC000_003A, 3),    // STATUS_OBJECT_PATH_NOT_FOUND
    (0xC000_0043, 32),   // STATUS_SHARING_VIOLATION
    (0xC000_0046, 288),  // STATUS_MUTANT_NOT_OWNED
    (0xC000_0047, 298),  // STATUS_SEMAPHORE_LIMIT_EXCEEDED
    (0xC000_006D, 1326), // STATUS_LOGON_FAILURE
    (0xC000_007A, 127),  // STATUS_PROCEDURE_NOT_FOUND
    (0xC000_007F, 112),  // STATUS_DISK_FULL
    (0xC000_009A, 1450), // STATUS_INSUFFICIENT_RESOURCES
    (0xC000_00B5, 121),  // STATUS_IO_TIMEOUT
    (0xC000_00BA, 5),    // STATUS_FILE_IS_A_DIRECTORY
    (0xC000_00BB, 50),   // STATUS_NOT_SUPPORTED
    (0xC000_0120, 995),  // STATUS_CANCELLED
    (0xC000_0135, 126),  // STATUS_DLL_NOT_FOUND
    (0xC000_0225, 1168), // STATUS_NOT_FOUND
    (0xC000_0235, 6),    // STATUS_HANDLE_NOT_CLOSABLE
];

/// The error of Win32 for this NTSTATUS, or ERROR_MR_MID_NOT_FOUND (nf-winternl-rtlntstatustodoserror). Forty of the usual
/// ones are known.
#[allow(unsafe_code)]
#[cfg_attr(not(windows), unsafe(no_mangle))]
pub extern "system" fn RtlNtStatusToDosError(status: i32) -> u32 {
    no_panic(ERROR_SUCCESS.0, || {
        let status = status as u32;
        if OF_WIN32.contains(&(status >> 16)) {
            return status & 0xFFFF;
        }
        ROWS.iter().find(|row| row.0 == status).map_or(ERROR_MR_MID_NOT_FOUND.0, |row| row.1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_one_row() {
        assert!(ROWS.is_sorted_by(|one, other| one.0 < other.0));
    }
}
