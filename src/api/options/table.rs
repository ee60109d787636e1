//! All options.

use super::row::Row;
use super::{
    connection, credentials, handle, http2, limits, proxy, request, statistics, timeouts, tls, undocumented, web_socket,
};

/// The rows, a slice for each family.
pub(crate) const FAMILIES: &[&[Row]] = &[
    handle::ROWS,
    request::ROWS,
    timeouts::ROWS,
    limits::ROWS,
    credentials::ROWS,
    connection::ROWS,
    statistics::ROWS,
    tls::ROWS,
    http2::ROWS,
    web_socket::ROWS,
    proxy::ROWS,
    undocumented::ROWS,
];

/// The option with this number.
pub(crate) fn find(number: u32) -> Option<&'static Row> {
    rows().find(|row| row.number == number)
}

/// Every option that Windows has.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::options::row::Status;

    #[test]
    fn every_option_has_one_row() {
        let mut numbers: Vec<u32> = rows().map(|row| row.number).collect();
        numbers.sort_unstable();
        let count = numbers.len();
        numbers.dedup();
        assert_eq!((numbers.len(), count), (145, 145), "the options of the header, and one that no header names");
    }

    #[test]
    fn a_row_says_what_it_is() {
        for row in rows() {
            assert!(row.status == Status::Implemented || !row.note.is_empty(), "{}", row.name);
        }
    }
}

/// What the table says an option is before anybody sets it, against what new handles read.
#[cfg(all(test, feature = "lab"))]
mod defaults {
    use std::ptr::{null, null_mut};

    use super::rows;
    use crate::api::options::row::{
        CONNECTION, DefaultValue, Get, Handles, PROCESS, REQUEST, RESOLVER, SESSION, Shape, Status, WEB_SOCKET,
    };
    use crate::api::*;
    use crate::lab::{Reply, Sim, WebSocketScript, any};
    use crate::win32::*;

    /// A new handle of each type, and all that were made for them.
    fn handles() -> ([(Handles, HINTERNET); 6], Vec<HINTERNET>) {
        let host: Vec<u16> = "host.test\0".encode_utf16().collect();
        let open = |flags| {
            // SAFETY: NULL, or a NUL-terminated name.
            unsafe {
                let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), flags);
                let connection = WinHttpConnect(session, host.as_ptr(), 80, 0);
                (session, connection, WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), 0))
            }
        };
        let ((session, connection, request), mut resolver) = (open(WINHTTP_FLAG_ASYNC), null_mut());
        let synchronous = open(0);
        let upgraded = synchronous.2;
        // SAFETY: NULL is no headers and no data; the result lives here.
        let socket = unsafe {
            assert_eq!(WinHttpCreateProxyResolver(session, &mut resolver), 0);
            assert_eq!(WinHttpSetOption(upgraded, WINHTTP_OPTION_UPGRADE_TO_WEB_SOCKET, null(), 0), 1);
            assert_eq!(WinHttpSendRequest(upgraded, null(), 0, null(), 0, 0, 0), 1);
            assert_eq!(WinHttpReceiveResponse(upgraded, null_mut()), 1);
            WinHttpWebSocketCompleteUpgrade(upgraded, 0)
        };
        let all = vec![socket, upgraded, synchronous.1, synchronous.0, resolver, request, connection, session];
        assert!(all.iter().all(|handle| !handle.is_null()));
        let new = [
            (PROCESS, null_mut()),
            (SESSION, session),
            (CONNECTION, connection),
            (REQUEST, request),
            (RESOLVER, resolver),
            (WEB_SOCKET, socket),
        ];
        (new, all)
    }

    #[test]
    fn a_default_is_what_a_new_handle_reads() {
        let sim = Sim::new();
        sim.peer("http://host.test").on(any()).reply(Reply::web_socket(WebSocketScript::new()));
        let mut compared = 0;
        let (handles, all) = handles();
        for row in rows().filter(|row| row.status == Status::Implemented && !row.default_text().is_empty()) {
            if matches!(row.shape, Shape::Struct(..)) {
                continue;
            }
            for (kind, handle) in handles.into_iter().filter(|(kind, _)| row.query & kind != 0) {
                let (mut value, mut length) = ([0; 8], 8);
                // SAFETY: a buffer of that length.
                let read = unsafe { WinHttpQueryOption(handle, row.number, (&raw mut value).cast(), &mut length) };
                assert_eq!(read, 1, "{} on {kind}", row.name);
                let value = u64::from_le_bytes(value);
                let text = match row.shape {
                    Shape::Bool => if value == 0 { "FALSE" } else { "TRUE" }.to_owned(),
                    _ => value.to_string(),
                };
                assert_eq!(text, row.default_text(), "{} on {kind}", row.name);
                compared += 1;
            }
        }
        assert!(compared > 40, "{compared}");
        for handle in all {
            // SAFETY: a handle of this test.
            assert_eq!(unsafe { WinHttpCloseHandle(handle) }, 1);
        }
    }

    /// Words stand beside the value only where no handle reads it and no setting keeps it.
    #[test]
    fn words_say_what_is_no_setting() {
        let unread = rows().filter(|row| matches!((row.get, row.default), (Get::Never, DefaultValue::Words(_))));
        assert_eq!(unread.map(|row| row.name).collect::<Vec<_>>(), ["WINHTTP_OPTION_AUTOLOGON_POLICY"]);
    }
}
