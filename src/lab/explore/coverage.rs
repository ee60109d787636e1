//! What runs have reached: which operation ended how, and where that was told.

use std::collections::BTreeSet;

use crate::record::{EventKind, Trace};

/// `HEADERS_AVAILABLE inside WinHttpReceiveResponse`, `REQUEST_ERROR SEND_REQUEST 12029 on a worker`.
pub fn of(trace: &Trace) -> BTreeSet<String> {
    let told = trace.events.iter().filter_map(|event| match &event.what {
        EventKind::Notification { notification, during, .. } if notification.status.is_completion() => {
            let result = notification.result.map(|result| format!(" {result}")).unwrap_or_default();
            let place = during.as_ref().map_or("on a worker".to_owned(), |function| format!("inside {function}"));
            Some(format!("{}{result} {place}", notification.status))
        }
        EventKind::Notification { notification, during, .. } if notification.status.to_string() == "HANDLE_CLOSING" => {
            let place = if during.is_some() { "inside a call" } else { "on a worker" };
            Some(format!("HANDLE_CLOSING {place}"))
        }
        _ => None,
    });
    told.collect()
}
