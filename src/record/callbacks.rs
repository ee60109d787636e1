//! What a program was told, and nothing else: the same on every machine.

use super::{EventKind, Trace};
use crate::win32::{
    WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER, WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER,
    WINHTTP_CALLBACK_STATUS_NAME_RESOLVED, WINHTTP_CALLBACK_STATUS_REQUEST_SENT,
    WINHTTP_CALLBACK_STATUS_RESPONSE_RECEIVED,
};

impl Trace {
    /// The notifications alone, one a line: handle, status, payload, failure and context, without calls, times, threads,
    /// addresses of servers and lengths of heads. Two runs of a program against the same replies compare equal, simulated or not.
    ///
    /// ```text
    /// R1  SENDREQUEST_COMPLETE  ctx1
    /// R1  READ_COMPLETE buf1, 5 bytes  ctx1
    /// R1  REQUEST_ERROR {API_READ_DATA, ERROR_WINHTTP_TIMEOUT (12002)}  ctx1
    /// ```
    pub fn callbacks(&self) -> String {
        let mut lines = String::new();
        for event in &self.events {
            let EventKind::Notification { handle, context, notification, .. } = &event.what else { continue };
            let varies = matches!(
                notification.status.0,
                WINHTTP_CALLBACK_STATUS_NAME_RESOLVED
                    | WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER
                    | WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER
                    | WINHTTP_CALLBACK_STATUS_REQUEST_SENT
                    | WINHTTP_CALLBACK_STATUS_RESPONSE_RECEIVED
            );
            let mut words = vec![notification.status.to_string()];
            words.extend(notification.value.clone().filter(|_| !varies));
            words.extend(notification.result.map(|result| result.to_string()));
            lines += &super::table::one_line(&format!("{handle}  {}  {context}", words.join(" ")));
            lines.push('\n');
        }
        lines
    }
}
