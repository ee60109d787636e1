//! Typed records and traces: the laws of `Notification`, and the three forms of a trace.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::scope;
use std::time::Duration;

use portable_winhttp::record::*;
use portable_winhttp::win32::*;
use proptest::prelude::*;

/// Each look at this clock is 0.25 ms later than the one before.
fn recorder() -> Recorder {
    let looks = AtomicU64::new(0);
    Recorder::new(Box::new(move || Duration::from_micros(250) * looks.fetch_add(1, Ordering::Relaxed) as u32))
}

const SESSION: usize = 0x1000;
const CONNECTION: usize = 0x2000;
const REQUEST: usize = 0x3000;
const CONTEXT: usize = 0xdead;
const BUFFER: usize = 0xb000;

fn error(api: Api, error: Win32Error) -> Notification {
    Notification::RequestError(AsyncResult { api, error })
}

/// A GET whose body breaks off: the head is delivered inside WinHttpReceiveResponse, which the program calls in its
/// callback on a worker.
fn get_that_fails() -> Trace {
    let recorder = recorder();
    let r = &recorder;
    let ok = ERROR_SUCCESS;
    r.call("WinHttpOpen", None, "\"agent\", ASYNC");
    r.returned_handle("WinHttpOpen", SESSION, ok);
    r.call("WinHttpConnect", Some(SESSION), "\"example.com\", 80");
    r.notified(SESSION, CONTEXT, &Notification::HandleCreated { handle: CONNECTION });
    r.returned_handle("WinHttpConnect", CONNECTION, ok);
    r.call("WinHttpOpenRequest", Some(CONNECTION), "\"GET\", \"/\"");
    r.notified(REQUEST, CONTEXT, &Notification::HandleCreated { handle: REQUEST });
    r.returned_handle("WinHttpOpenRequest", REQUEST, ok);
    r.call("WinHttpSendRequest", Some(REQUEST), "");
    r.returned("WinHttpSendRequest", "TRUE", ERROR_IO_PENDING);
    let notify = |notification: Notification| r.notified(REQUEST, CONTEXT, &notification);
    let on_worker = || {
        notify(Notification::ResolvingName { host: "example.com".into() });
        notify(Notification::NameResolved { address: "192.0.2.1".into() });
        notify(Notification::SendingRequest);
        notify(Notification::RequestSent { bytes: 74 });
        notify(Notification::SendRequestComplete { optional: 0, bytes: 0 });
        r.call("WinHttpReceiveResponse", Some(REQUEST), "");
        notify(Notification::ReceivingResponse);
        notify(Notification::ResponseReceived { bytes: 120 });
        notify(Notification::HeadersAvailable);
        let buffer = r.names(|names| names.buffer(BUFFER));
        r.call("WinHttpReadData", Some(REQUEST), &format!("{buffer}, 4096"));
        notify(Notification::ReadComplete { buffer: BUFFER, bytes: 12 });
        r.returned("WinHttpReadData", "TRUE", ok);
        r.returned("WinHttpReceiveResponse", "TRUE", ok);
        notify(error(Api::READ_DATA, ERROR_WINHTTP_CONNECTION_ERROR));
    };
    scope(|threads| {
        threads.spawn(on_worker);
    });
    r.note("the server was made to hang up; 12 of 20 bytes");
    r.call("WinHttpCloseHandle", Some(REQUEST), "");
    notify(Notification::HandleClosing { handle: REQUEST });
    r.returned("WinHttpCloseHandle", "TRUE", ok);
    recorder.finish()
}

#[test]
fn a_failing_get_as_a_table() {
    insta::assert_snapshot!(get_that_fails().to_table(), @r#"
       ms  thread    handle  what                            payload  result
    0.000  caller 1          WinHttpOpen                     "agent", ASYNC
    0.250  caller 1          WinHttpOpen returns             S1
    0.500  caller 1  S1      WinHttpConnect                  "example.com", 80
    0.750  caller 1  S1        HANDLE_CREATED                C1
    1.000  caller 1          WinHttpConnect returns          C1
    1.250  caller 1  C1      WinHttpOpenRequest              "GET", "/"
    1.500  caller 1  R1        HANDLE_CREATED                R1
    1.750  caller 1          WinHttpOpenRequest returns      R1
    2.000  caller 1  R1      WinHttpSendRequest
    2.250  caller 1          WinHttpSendRequest returns      TRUE     ERROR_IO_PENDING (997)
    2.500  worker 2  R1      RESOLVING_NAME                  example.com
    2.750  worker 2  R1      NAME_RESOLVED                   192.0.2.1
    3.000  worker 2  R1      SENDING_REQUEST
    3.250  worker 2  R1      REQUEST_SENT                    74 bytes
    3.500  worker 2  R1      SENDREQUEST_COMPLETE
    3.750  worker 2  R1      WinHttpReceiveResponse
    4.000  worker 2  R1        RECEIVING_RESPONSE
    4.250  worker 2  R1        RESPONSE_RECEIVED             120 bytes
    4.500  worker 2  R1        HEADERS_AVAILABLE
    4.750  worker 2  R1          WinHttpReadData             buf1, 4096
    5.000  worker 2  R1            READ_COMPLETE             buf1, 12 bytes
    5.250  worker 2              WinHttpReadData returns     TRUE
    5.500  worker 2          WinHttpReceiveResponse returns  TRUE
    5.750  worker 2  R1      REQUEST_ERROR                            {API_READ_DATA, ERROR_WINHTTP_CONNECTION_ERROR (12030)}
    6.000  caller 1          # the server was made to hang up; 12 of 20 bytes
    6.250  caller 1  R1      WinHttpCloseHandle
    6.500  caller 1  R1        HANDLE_CLOSING                R1
    6.750  caller 1          WinHttpCloseHandle returns      TRUE
    "#);
}

#[test]
fn a_failing_get_as_json_lines() {
    let trace = get_that_fails();
    let lines = trace.to_json_lines();
    assert_eq!(Trace::from_json_lines(&lines), Ok(trace));
    let shown: Vec<_> =
        lines.lines().enumerate().filter(|(index, _)| [0, 1, 2, 4, 23, 24, 25].contains(index)).collect();
    let shown: String = shown.into_iter().map(|(_, line)| format!("{line}\n")).collect();
    insta::assert_snapshot!(shown, @r#"
    {"trace":1,"secrets":"redacted"}
    {"at_ns":0,"thread":{"role":"caller","number":1},"what":{"call":{"function":"WinHttpOpen","arguments":"\"agent\", ASYNC"}}}
    {"at_ns":250000,"thread":{"role":"caller","number":1},"what":{"return":{"function":"WinHttpOpen","result":"S1","last_error":{"number":0,"name":"ERROR_SUCCESS"}}}}
    {"at_ns":750000,"thread":{"role":"caller","number":1},"what":{"notification":{"handle":"S1","context":"ctx1","notification":{"status":{"number":1024,"name":"HANDLE_CREATED"},"value":"C1"},"during":"WinHttpConnect"}}}
    {"at_ns":5500000,"thread":{"role":"caller","number":2},"what":{"return":{"function":"WinHttpReceiveResponse","result":"TRUE","last_error":{"number":0,"name":"ERROR_SUCCESS"}}}}
    {"at_ns":5750000,"thread":{"role":"worker","number":2},"what":{"notification":{"handle":"R1","context":"ctx1","notification":{"status":{"number":2097152,"name":"REQUEST_ERROR"},"result":{"api":{"number":3,"name":"API_READ_DATA"},"error":{"number":12030,"name":"ERROR_WINHTTP_CONNECTION_ERROR"}}}}}}
    {"at_ns":6000000,"thread":{"role":"caller","number":1},"what":{"note":"the server was made to hang up; 12 of 20 bytes"}}
    "#);
}

#[test]
fn a_failing_get_as_mermaid() {
    insta::assert_snapshot!(get_that_fails().to_mermaid(), @r#"
    sequenceDiagram
        participant t1 as caller 1
        participant WinHTTP
        participant t2 as worker 2
        t1->>WinHTTP: WinHttpOpen("agent", ASYNC)
        WinHTTP->>t1: WinHttpOpen returns S1
        t1->>WinHTTP: WinHttpConnect(S1, "example.com", 80)
        WinHTTP-->>t1: S1 HANDLE_CREATED C1
        WinHTTP->>t1: WinHttpConnect returns C1
        t1->>WinHTTP: WinHttpOpenRequest(C1, "GET", "/")
        WinHTTP-->>t1: R1 HANDLE_CREATED R1
        WinHTTP->>t1: WinHttpOpenRequest returns R1
        t1->>WinHTTP: WinHttpSendRequest(R1)
        WinHTTP->>t1: WinHttpSendRequest returns TRUE, ERROR_IO_PENDING (997)
        WinHTTP-->>t2: R1 RESOLVING_NAME example.com
        WinHTTP-->>t2: R1 NAME_RESOLVED 192.0.2.1
        WinHTTP-->>t2: R1 SENDING_REQUEST
        WinHTTP-->>t2: R1 REQUEST_SENT 74 bytes
        WinHTTP-->>t2: R1 SENDREQUEST_COMPLETE
        t2->>WinHTTP: WinHttpReceiveResponse(R1)
        WinHTTP-->>t2: R1 RECEIVING_RESPONSE
        WinHTTP-->>t2: R1 RESPONSE_RECEIVED 120 bytes
        WinHTTP-->>t2: R1 HEADERS_AVAILABLE
        t2->>WinHTTP: WinHttpReadData(R1, buf1, 4096)
        WinHTTP-->>t2: R1 READ_COMPLETE buf1, 12 bytes
        WinHTTP->>t2: WinHttpReadData returns TRUE
        WinHTTP->>t2: WinHttpReceiveResponse returns TRUE
        WinHTTP-->>t2: R1 REQUEST_ERROR {API_READ_DATA, ERROR_WINHTTP_CONNECTION_ERROR (12030)}
        Note over WinHTTP: the server was made to hang up#59; 12 of 20 bytes
        t1->>WinHTTP: WinHttpCloseHandle(R1)
        WinHTTP-->>t1: R1 HANDLE_CLOSING R1
        WinHTTP->>t1: WinHttpCloseHandle returns TRUE
    "#);
}

/// One notification for each variant, and `Other`.
fn every_notification() -> Vec<Notification> {
    use Notification::*;
    let text = || Wide::from("example.com");
    let result = AsyncResult { api: Api::SEND_REQUEST, error: ERROR_WINHTTP_CANNOT_CONNECT };
    vec![
        ResolvingName { host: text() },
        NameResolved { address: text() },
        ConnectingToServer { address: text() },
        ConnectedToServer { address: text() },
        SendingRequest,
        RequestSent { bytes: 74 },
        ReceivingResponse,
        ResponseReceived { bytes: 1 },
        ClosingConnection,
        ConnectionClosed,
        HandleCreated { handle: 7 },
        HandleClosing { handle: 8 },
        DetectingProxy,
        Redirect { url: text() },
        IntermediateResponse { status: 103 },
        SecureFailure { flags: 0x4000_0018 },
        HeadersAvailable,
        DataAvailable { bytes: 0 },
        ReadComplete { buffer: 9, bytes: 8 },
        WriteComplete { bytes: 5 },
        RequestError(result),
        WebSocketError { result: AsyncResult { api: Api(0), error: ERROR_WINHTTP_OPERATION_CANCELLED }, operation: 2 },
        SendRequestComplete { optional: 0, bytes: 0 },
        SendRequestComplete { optional: 9, bytes: 8 },
        GetProxyForUrlComplete,
        CloseComplete,
        ShutdownComplete,
        WebSocketReadComplete { bytes: 0, buffer_type: 4 },
        WebSocketWriteComplete { bytes: 5, buffer_type: 9 },
        GetProxySettingsComplete,
        SettingsReadComplete,
        SettingsWriteComplete,
        Other { status: 0x2000, payload: Payload::Dword(1) },
        Other {
            status: WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE,
            payload: Payload::Unknown { address: 9, length: 3 },
        },
        Other { status: WINHTTP_CALLBACK_STATUS_REDIRECT, payload: Payload::Buffer { address: 11, length: 3 } },
    ]
}

#[test]
fn every_notification_survives_its_payload() {
    for notification in every_notification() {
        let again = Notification::from_payload(notification.status(), notification.payload());
        assert_eq!(again, notification);
    }
}

#[test]
fn every_named_status_has_a_variant() {
    let typed: Vec<Status> = every_notification()
        .iter()
        .filter(|notification| !matches!(notification, Notification::Other { .. }))
        .map(|notification| Status(notification.status()))
        .collect();
    for status in Status::ALL {
        assert!(typed.contains(status), "{status}");
    }
    assert!(typed.iter().all(|status| Status::ALL.contains(status)));
}

#[test]
fn completions_are_those_of_the_mask_and_four_that_have_no_flag() {
    let without_flag = WINHTTP_CALLBACK_STATUS_CLOSE_COMPLETE
        | WINHTTP_CALLBACK_STATUS_SHUTDOWN_COMPLETE
        | WINHTTP_CALLBACK_STATUS_SETTINGS_READ_COMPLETE
        | WINHTTP_CALLBACK_STATUS_SETTINGS_WRITE_COMPLETE;
    let completions = WINHTTP_CALLBACK_FLAG_ALL_COMPLETIONS | without_flag;
    let found = (0..32).map(|bit| Status(1 << bit)).filter(|status| status.is_completion());
    assert_eq!(found.fold(0, |all, status| all | status.0), completions);
    for notification in every_notification() {
        assert_eq!(notification.is_completion(), notification.status() & completions != 0, "{notification:?}");
    }
}

#[test]
fn what_every_notification_says() {
    let mut names = Names::default();
    names.created(7, HandleKind::WebSocket);
    let lines: String = every_notification()
        .iter()
        .map(|notification| {
            let record = Record::new(notification, &mut names);
            let result = record.result.map(|result| result.to_string());
            let said: Vec<_> = [record.value, result].into_iter().flatten().collect();
            format!("{} {}", notification.name(), said.join(" ")).trim().to_owned() + "\n"
        })
        .collect();
    insta::assert_snapshot!(lines, @r#"
    RESOLVING_NAME example.com
    NAME_RESOLVED example.com
    CONNECTING_TO_SERVER example.com
    CONNECTED_TO_SERVER example.com
    SENDING_REQUEST
    REQUEST_SENT 74 bytes
    RECEIVING_RESPONSE
    RESPONSE_RECEIVED 1 byte
    CLOSING_CONNECTION
    CONNECTION_CLOSED
    HANDLE_CREATED W1
    HANDLE_CLOSING H1
    DETECTING_PROXY
    REDIRECT example.com
    INTERMEDIATE_RESPONSE status 103
    SECURE_FAILURE INVALID_CA | CERT_CN_INVALID | 0x40000000
    HEADERS_AVAILABLE
    DATA_AVAILABLE 0 bytes
    READ_COMPLETE buf1, 8 bytes
    WRITE_COMPLETE 5 bytes
    REQUEST_ERROR {API_SEND_REQUEST, ERROR_WINHTTP_CANNOT_CONNECT (12029)}
    REQUEST_ERROR operation CLOSE {API_(0), ERROR_WINHTTP_OPERATION_CANCELLED (12017)}
    SENDREQUEST_COMPLETE
    SENDREQUEST_COMPLETE buf1, 8 bytes
    GETPROXYFORURL_COMPLETE
    CLOSE_COMPLETE
    SHUTDOWN_COMPLETE
    READ_COMPLETE 0 bytes, CLOSE
    WRITE_COMPLETE 5 bytes, buffer type 9
    GETPROXYSETTINGS_COMPLETE
    SETTINGS_READ_COMPLETE
    SETTINGS_WRITE_COMPLETE
    UNKNOWN DWORD 1
    SENDREQUEST_COMPLETE unknown information, length 3
    REDIRECT buf2, 3 bytes
    "#);
}

#[test]
fn an_api_id_that_does_not_fit_is_no_async_result() {
    let api = usize::try_from(1u64 << 32).unwrap_or(usize::MAX);
    let payload = Payload::AsyncResult { api, error: 5 };
    let notification = Notification::from_payload(WINHTTP_CALLBACK_STATUS_REQUEST_ERROR, payload.clone());
    let fits = u32::try_from(api).is_ok();
    assert_eq!(matches!(notification, Notification::RequestError(_)), fits);
    assert_eq!(notification.payload(), payload);
}

#[test]
fn api_ids_have_windows_names() {
    let names: Vec<_> = Api::ALL.iter().map(|api| format!("{} {api}", api.0)).collect();
    insta::assert_snapshot!(names.join("\n"), @r#"
    1 API_RECEIVE_RESPONSE
    2 API_QUERY_DATA_AVAILABLE
    3 API_READ_DATA
    4 API_WRITE_DATA
    5 API_SEND_REQUEST
    6 API_GET_PROXY_FOR_URL
    7 API_GET_PROXY_SETTINGS
    "#);
    assert_eq!(Api(0).to_string(), "API_(0)");
    let unknown = AsyncResult { api: Api(0), error: Win32Error(4711) };
    assert_eq!(unknown.to_string(), "{API_(0), unknown error (4711)}");
}

#[test]
fn names_follow_the_first_appearance() {
    let mut names = Names::default();
    let kinds =
        [HandleKind::Session, HandleKind::Connection, HandleKind::Request, HandleKind::WebSocket, HandleKind::Resolver];
    let created: Vec<_> = (1..).zip(kinds).map(|(handle, kind)| names.created(handle, kind)).collect();
    assert_eq!(created, ["S1", "C1", "R1", "W1", "P1"]);
    assert_eq!(names.created(30, HandleKind::Request), "R2");
    assert_eq!([names.handle(3), names.handle(30), names.handle(99), names.handle(99)], ["R1", "R2", "H1", "H1"]);
    assert_eq!(names.created(3, HandleKind::Connection), "C2");
    assert_eq!([names.handle(3), names.handle(0)], ["C2", "NULL"]);
    assert_eq!([names.context(3), names.context(4), names.context(3), names.context(0)], ["ctx1", "ctx2", "ctx1", "0"]);
    assert_eq!([names.buffer(3), names.buffer(4), names.buffer(3), names.buffer(0)], ["buf1", "buf2", "buf1", "NULL"]);
}

/// The thread and the surrounding call of each notification.
fn places(trace: &Trace) -> Vec<(String, Option<&str>)> {
    let place = |event: &Event| match &event.what {
        EventKind::Notification { during, .. } => Some((event.thread.to_string(), during.clone())),
        _ => None,
    };
    let name = |during: Option<String>| during.map(|name| if name == "A" { "A" } else { "B" });
    trace.events.iter().filter_map(place).map(|(thread, during)| (thread, name(during))).collect()
}

#[test]
fn a_notification_belongs_to_the_innermost_call_of_its_own_thread() {
    let recorder = recorder();
    let notify = || recorder.notified(1, 0, &Notification::HeadersAvailable);
    let elsewhere = |work: &(dyn Fn() + Sync)| scope(|threads| threads.spawn(work).join().expect("no panic"));
    notify();
    recorder.call("A", Some(1), "");
    notify();
    elsewhere(&notify);
    recorder.call("B", Some(1), "");
    notify();
    recorder.returned("B", "TRUE", ERROR_SUCCESS);
    notify();
    recorder.returned("A", "TRUE", ERROR_SUCCESS);
    notify();
    elsewhere(&|| {
        notify();
        recorder.call("B", Some(1), "");
        notify();
        recorder.returned("B", "TRUE", ERROR_SUCCESS);
        notify();
    });
    let expected = [
        ("caller 1", None),
        ("caller 1", Some("A")),
        ("worker 2", None),
        ("caller 1", Some("B")),
        ("caller 1", Some("A")),
        ("caller 1", None),
        ("worker 3", None),
        ("caller 3", Some("B")),
        ("worker 3", None),
    ];
    assert_eq!(places(&recorder.finish()), expected.map(|(thread, during)| (thread.to_owned(), during)));
}

#[test]
fn a_return_ends_the_calls_that_never_returned_inside_it() {
    let recorder = recorder();
    recorder.call("A", None, "");
    recorder.call("B", None, "");
    recorder.returned("A", "FALSE", ERROR_INVALID_HANDLE);
    recorder.returned("A", "FALSE", ERROR_INVALID_HANDLE);
    recorder.notified(1, 0, &Notification::HeadersAvailable);
    assert_eq!(places(&recorder.finish()), [("caller 1".to_owned(), None)]);
}

#[test]
fn a_handle_value_that_comes_back_is_a_new_handle() {
    let recorder = recorder();
    for _ in 0..2 {
        recorder.call("WinHttpOpenRequest", Some(CONNECTION), "");
        recorder.notified(REQUEST, 0, &Notification::HandleCreated { handle: REQUEST });
        recorder.returned_handle("WinHttpOpenRequest", REQUEST, ERROR_SUCCESS);
    }
    recorder.call("WinHttpCreateProxyResolver", Some(SESSION), "");
    assert_eq!(recorder.created(REQUEST, HandleKind::Resolver), "P1");
    recorder.returned("WinHttpCreateProxyResolver", "0", ERROR_SUCCESS);
    recorder.call("WinHttpOpenRequest", Some(CONNECTION), "");
    recorder.returned_handle("WinHttpOpenRequest", 0, ERROR_INVALID_HANDLE);
    let results: Vec<_> = recorder
        .finish()
        .events
        .into_iter()
        .filter_map(|event| match event.what {
            EventKind::Return { result, .. } => Some(result),
            EventKind::Notification { handle, .. } => Some(handle),
            _ => None,
        })
        .collect();
    assert_eq!(results, ["R1", "R1", "R2", "R2", "0", "NULL"]);
}

#[test]
fn threads_report_at_the_same_time_and_nothing_is_lost() {
    let recorder = recorder();
    scope(|threads| {
        for _ in 0..4 {
            threads
                .spawn(|| (0..250).for_each(|_| recorder.notified(REQUEST, CONTEXT, &Notification::HeadersAvailable)));
        }
    });
    let events = recorder.finish().events;
    assert_eq!(events.len(), 1000);
    assert!(events.windows(2).all(|pair| pair[0].at < pair[1].at));
}

#[test]
fn foreign_text_stays_in_its_row() {
    let recorder = recorder();
    recorder.notified(1, 0, &Notification::Redirect { url: "http://a/\r\n\u{1b}[2J;x=<b>&#%%{".into() });
    let trace = recorder.finish();
    insta::assert_snapshot!(trace.to_table(), @r#"
       ms  thread    handle  what      payload  result
    0.000  caller 1  H1      REDIRECT  http://a/\r\n\u{1b}[2J;x=<b>&#%%{
    "#);
    insta::assert_snapshot!(trace.to_mermaid(), @r#"
    sequenceDiagram
        participant t1 as caller 1
        participant WinHTTP
        WinHTTP-->>t1: H1 REDIRECT http://a/\r\n\u{1b}[2J#59;x=#60;b#62;#38;#35;%#37;{
    "#);
    assert_eq!(Trace::from_json_lines(&trace.to_json_lines()), Ok(trace));
}

#[test]
fn a_text_that_is_no_trace_says_where() {
    let event = r#"{"at_ns":1,"thread":{"role":"caller","number":1},"what":{"note":"x"}}"#;
    let returned = r#"{"at_ns":1,"thread":{"role":"caller","number":1},"what":{"return":{"function":"f","result":"0","last_error":{"number":5,"name":"ERROR_IO_PENDING"}}}}"#;
    let texts = [
        "".to_owned(),
        event.to_owned(),
        "{\"trace\":2}\n".to_owned(),
        format!("{{\"trace\":1}}\n\n{event}\n{{\"at_ns\":1}}\n"),
        format!("{{\"trace\":1}}\n{}\n", event.replace("caller", "boss")),
        format!("{{\"trace\":1}}\n{}\n", event.replace("at_ns\":1", "at_ns\":-1")),
        format!("{{\"trace\":1}}\n{}\n", event.replace("note", "nota")),
        format!("{{\"trace\":1}}\n{returned}\n"),
        format!("{{\"trace\":1}}\n{}", &event[..20]),
    ];
    let errors: Vec<_> = texts.iter().map(|text| Trace::from_json_lines(text).expect_err(text).to_string()).collect();
    insta::assert_snapshot!(errors.join("\n"), @r#"
    line 1: expected the header {"trace":1}
    line 1: expected the header {"trace":1}
    line 1: expected trace version 1, found version 2
    line 4, column 11: expected an event: missing field `thread`
    line 2, column 34: expected an event: unknown variant `boss`, expected one of `caller`, `worker`, `network`
    line 2, column 11: expected an event: invalid value: integer `-1`, expected u64
    line 2, column 63: expected an event: unknown variant `nota`, expected one of `call`, `return`, `notification`, `traffic`, `note`
    line 2, column 147: expected an event: number 5 is ERROR_ACCESS_DENIED, not ERROR_IO_PENDING
    line 2, column 20: expected an event: EOF while parsing a value
    "#);
}

fn payloads() -> impl Strategy<Value = Payload> {
    prop_oneof![
        Just(Payload::None),
        any::<u32>().prop_map(Payload::Dword),
        any::<Vec<u16>>().prop_map(|units| Payload::Text(Wide::from_units(&units))),
        any::<usize>().prop_map(Payload::Handle),
        any::<(usize, u32)>().prop_map(|(address, length)| Payload::Buffer { address, length }),
        any::<(usize, u32)>().prop_map(|(address, length)| Payload::Unknown { address, length }),
        any::<(usize, u32)>().prop_map(|(api, error)| Payload::AsyncResult { api, error }),
        any::<(u32, u32)>().prop_map(|(api, error)| Payload::AsyncResult { api: api as usize, error }),
        any::<(u32, u32, i32)>().prop_map(|(api, error, operation)| Payload::WebSocketAsyncResult {
            api: api as usize,
            error,
            operation
        }),
        any::<(u32, i32)>().prop_map(|(bytes, buffer_type)| Payload::WebSocketStatus { bytes, buffer_type }),
    ]
}

fn statuses() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), prop::sample::select(Status::ALL).prop_map(|status| status.0)]
}

proptest! {
    #[test]
    fn any_status_with_any_payload_survives(status in statuses(), payload in payloads()) {
        let notification = Notification::from_payload(status, payload.clone());
        prop_assert_eq!(notification.status(), status);
        prop_assert_eq!(notification.payload(), payload);
        prop_assert_eq!(Status(status).is_completion(), notification.is_completion());
        prop_assert!(!notification.name().is_empty());
    }

    #[test]
    fn any_trace_survives_its_json(
        said in prop::collection::vec((statuses(), payloads(), any::<String>(), any::<u32>()), 0..8)
    ) {
        let recorder = recorder();
        for (status, payload, text, number) in &said {
            recorder.call(text, Some(*number as usize), text);
            recorder.notified(*number as usize, *number as usize, &Notification::from_payload(*status, payload.clone()));
            recorder.returned(text, text, Win32Error(*number));
            recorder.note(text);
        }
        let trace = recorder.finish();
        prop_assert_eq!(trace.to_table().lines().count(), 1 + trace.events.len());
        // The heading, WinHTTP, and the thread if it did anything.
        let head = 2 + usize::from(!trace.events.is_empty());
        prop_assert_eq!(trace.to_mermaid().lines().count(), head + trace.events.len());
        prop_assert_eq!(Trace::from_json_lines(&trace.to_json_lines()), Ok(trace));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(\\{\"trace\":1\\}\n)?.*", cut in 0usize..2000) {
        let _ = Trace::from_json_lines(&text);
        let whole = get_that_fails().to_json_lines();
        let _ = Trace::from_json_lines(&whole[..cut.min(whole.len())]);
    }
}
