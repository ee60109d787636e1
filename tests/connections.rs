//! The options that decide about names, sockets and connections (sources option.table, CN2, ST1).

mod support;

use std::ffi::c_void;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::*;
use windows_sys::Win32::Networking::WinHttp::*;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server that counts its connections and answers by `answer`, which is told the connection and the request.
fn counting(answer: impl Fn(usize, &str, &mut TcpStream) -> bool + Send + Sync + 'static) -> (u16, Arc<AtomicUsize>) {
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    let port = serve(move |mut stream| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        while let Some(head) = read_head(&mut stream) {
            if !answer(number, &head, &mut stream) {
                return;
            }
        }
    });
    (port, accepted)
}

fn always_ok() -> (u16, Arc<AtomicUsize>) {
    counting(|_, _, stream| stream.write_all(OK).is_ok())
}

fn set<T>(handle: *mut c_void, option: u32, value: &T) -> u32 {
    // SAFETY: the value has so many bytes.
    let answer = unsafe { WinHttpSetOption(handle, option, std::ptr::from_ref(value).cast(), size_of::<T>() as u32) };
    if answer == 1 { 0 } else { last_error() }
}

fn query<T>(handle: *mut c_void, option: u32, mut value: T) -> Result<T, u32> {
    let mut length = size_of::<T>() as u32;
    // SAFETY: the value has so many bytes.
    let answer = unsafe { WinHttpQueryOption(handle, option, (&raw mut value).cast(), &mut length) };
    if answer == 1 { Ok(value) } else { Err(last_error()) }
}

/// Sends, receives and reads to the end; 0 or the error.
fn exchange(request: *mut c_void) -> u32 {
    if send(request) == 0 || receive(request) == 0 {
        return last_error();
    }
    loop {
        let (mut buffer, mut count) = ([0u8; 64], 0);
        // SAFETY: the buffer has so many bytes.
        if unsafe { WinHttpReadData(request, buffer.as_mut_ptr().cast(), 64, &mut count) } == 0 {
            return last_error();
        }
        if count == 0 {
            return 0;
        }
    }
}

fn get(client: &Client, with: impl FnOnce(*mut c_void)) -> u32 {
    let request = client.request("GET", "/", &Record::new());
    with(request);
    let error = exchange(request);
    close(request);
    error
}

fn private(asynchronous: bool, port: u16) -> Client {
    let client = Client::new(asynchronous, port);
    assert_eq!(set(client.session, WINHTTP_OPTION_DISABLE_GLOBAL_POOLING, &1u32), 0);
    client
}

/// A server whose connections wait for leave before each reply.
fn gated() -> (u16, Arc<AtomicUsize>, Receiver<()>, std::sync::mpsc::Sender<()>) {
    let (told, heard) = channel();
    let (allow, allowed) = channel::<()>();
    let (told, allowed) = (Mutex::new(told), Mutex::new(allowed));
    let (port, accepted) = counting(move |_, _, stream| {
        let _ = told.lock().unwrap().send(());
        let leave = allowed.lock().unwrap().recv();
        leave.is_ok() && stream.write_all(OK).is_ok()
    });
    (port, accepted, heard, allow)
}

/// Receives and reads to the end.
fn reads_all() -> Arc<Record> {
    Record::with(|handle, seen| match seen.status {
        WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => drop(receive(handle)),
        WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => drop(read(handle, 64)),
        WINHTTP_CALLBACK_STATUS_READ_COMPLETE if seen.value > 0 => drop(read(handle, 64)),
        _ => {}
    })
}

fn wait_for_the_end(record: &Record) {
    let end = |seen: &&Seen| seen.status == WINHTTP_CALLBACK_STATUS_READ_COMPLETE && seen.value == 0;
    record.wait_for(|seen| seen.iter().find(end).copied(), "the end");
}

/// source n181: whatever the limit, each of the requests at once succeeds.
#[test]
fn fewer_connections_than_requests() {
    for (limit, count) in [(1, 5), (2, 2), (3, 2), (3, 5)] {
        let (port, accepted) = always_ok();
        let client = private(true, port);
        assert_eq!(set(client.session, WINHTTP_OPTION_MAX_CONNS_PER_SERVER, &limit), 0);
        let records: Vec<_> = (0..count).map(|_| reads_all()).collect();
        let requests: Vec<_> = records.iter().map(|record| client.request("GET", "/", record)).collect();
        requests.iter().for_each(|request| assert_eq!(send(*request), 1));
        records.iter().for_each(|record| wait_for_the_end(record));
        assert!(accepted.load(Ordering::SeqCst) <= limit as usize, "{limit} {count}");
        for request in requests {
            close(request);
        }
        client.close();
    }
}

/// source n187: a request that is closed while its connection is being made.
#[cfg(target_os = "linux")]
#[test]
fn closed_while_it_connects() {
    use socket2::{Domain, Socket, Type};
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    // Linux lets one connection more wait than it is told to, and does not answer those behind it.
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let first = TcpStream::connect(address).unwrap();
    let client = private(true, address.port());
    let record = Record::new();
    let request = client.request("GET", "/", &record);
    assert_eq!(send(request), 1);
    record.wait(WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER);
    close(request);
    let error = record.wait(WINHTTP_CALLBACK_STATUS_REQUEST_ERROR);
    assert_eq!((error.api, error.value), (API_SEND_REQUEST as usize, 12017));
    record.wait(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
    assert!(!record.statuses().contains(&WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER));
    drop((first, listener));
    client.close();
}

/// MAX_CONNS_PER_SERVER: the second request waits for the connection of the first.
#[test]
fn a_request_waits_for_a_connection() {
    let (port, accepted, heard, allow) = gated();
    let client = private(true, port);
    assert_eq!(query(client.session, WINHTTP_OPTION_MAX_CONNS_PER_SERVER, 0u32), Ok(u32::MAX));
    assert_eq!(set(client.session, WINHTTP_OPTION_MAX_CONNS_PER_SERVER, &1u32), 0);
    let records: Vec<_> = (0..4).map(|_| reads_all()).collect();
    let requests: Vec<_> = records.iter().map(|record| client.request("GET", "/", record)).collect();
    for request in &requests {
        assert_eq!(send(*request), 1);
    }
    heard.recv_timeout(PATIENCE).unwrap();
    // The third gives up: its turn goes to the fourth.
    close(requests[2]);
    let error = records[2].wait(WINHTTP_CALLBACK_STATUS_REQUEST_ERROR);
    assert_eq!((error.api, error.value), (API_SEND_REQUEST as usize, 12017));
    for _ in 0..3 {
        allow.send(()).unwrap();
    }
    for record in [&records[0], &records[1], &records[3]] {
        wait_for_the_end(record);
    }
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
    for status in [
        WINHTTP_CALLBACK_STATUS_RESOLVING_NAME,
        WINHTTP_CALLBACK_STATUS_NAME_RESOLVED,
        WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER,
        WINHTTP_CALLBACK_STATUS_CONNECTED_TO_SERVER,
    ] {
        for record in &records[1..] {
            assert!(!record.statuses().contains(&status), "{status:#x}: it uses the same connection");
        }
    }
    for request in [requests[0], requests[1], requests[3]] {
        close(request);
    }
    client.close();
}

/// MAX_CONNS_PER_1_0_SERVER: a server whose last reply was HTTP/1.0 has a limit of its own.
#[test]
fn an_old_server_has_its_own_limit() {
    let (told, heard) = channel();
    let (allow, allowed) = channel::<()>();
    let (told, allowed) = (Mutex::new(told), Mutex::new(allowed));
    let (port, accepted) = counting(move |_, _, stream| {
        told.lock().unwrap().send(()).unwrap();
        let leave = allowed.lock().unwrap().recv();
        if leave.is_ok() {
            let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
        false
    });
    let client = private(true, port);
    assert_eq!(set(client.session, WINHTTP_OPTION_MAX_CONNS_PER_1_0_SERVER, &1u32), 0);
    let answered = || {
        Record::with(|handle, seen| {
            if seen.status == WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE {
                receive(handle);
            }
        })
    };
    let records = [answered(), answered(), answered()];
    let requests: Vec<_> = records.iter().map(|record| client.request("GET", "/", record)).collect();
    // The first teaches what the server is.
    assert_eq!(send(requests[0]), 1);
    allow.send(()).unwrap();
    records[0].wait(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
    heard.recv_timeout(PATIENCE).unwrap();
    assert_eq!((send(requests[1]), send(requests[2])), (1, 1));
    heard.recv_timeout(PATIENCE).unwrap();
    assert_eq!(accepted.load(Ordering::SeqCst), 2, "the third waits");
    assert!(!records[2].statuses().contains(&WINHTTP_CALLBACK_STATUS_RESOLVING_NAME));
    for _ in 0..2 {
        allow.send(()).unwrap();
    }
    records[2].wait(WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE);
    for request in requests {
        close(request);
    }
    client.close();
}

/// At the limit an idle connection that does not fit makes room.
#[test]
fn an_idle_connection_makes_room() {
    let (closed, closes) = channel();
    let closed = Mutex::new(closed);
    let port = serve(move |mut stream| {
        while read_head(&mut stream).is_some() {
            stream.write_all(OK).unwrap();
        }
        let _ = closed.lock().unwrap().send(());
    });
    let client = private(false, port);
    assert_eq!(set(client.session, WINHTTP_OPTION_MAX_CONNS_PER_SERVER, &1u32), 0);
    assert_eq!(get(&client, |request| assert_eq!(set(request, WINHTTP_OPTION_CONNECTION_GUID, &[1u8; 16]), 0)), 0);
    // Another mark is wanted: the idle connection does not fit.
    let wanted = WINHTTP_MATCH_CONNECTION_GUID { ConnectionGuid: guid(2), ullFlags: 0 };
    assert_eq!(get(&client, |request| assert_eq!(set(request, WINHTTP_OPTION_MATCH_CONNECTION_GUID, &wanted), 0)), 0);
    closes.recv_timeout(PATIENCE).unwrap();
    client.close();
}

fn guid(byte: u8) -> windows_sys::core::GUID {
    windows_sys::core::GUID::from_u128(u128::from_ne_bytes([byte; 16]))
}

/// CONNECTION_GUID marks, MATCH_CONNECTION_GUID chooses.
#[test]
fn marks() {
    let (port, accepted) = always_ok();
    let client = private(false, port);
    let wants = |byte, flags| WINHTTP_MATCH_CONNECTION_GUID { ConnectionGuid: guid(byte), ullFlags: flags };
    assert_eq!(get(&client, |request| assert_eq!(set(request, WINHTTP_OPTION_CONNECTION_GUID, &guid(1)), 0)), 0);
    let count = |wanted: WINHTTP_MATCH_CONNECTION_GUID| {
        let error = get(&client, |request| assert_eq!(set(request, WINHTTP_OPTION_MATCH_CONNECTION_GUID, &wanted), 0));
        (error, accepted.load(Ordering::SeqCst))
    };
    assert_eq!(count(wants(2, 1)), (0, 2), "m11: no connection has the mark that is required: a new one gets it");
    assert_eq!(count(wants(2, 1)), (0, 2), "that one has it");
    assert_eq!(count(wants(1, 1)), (0, 2), "and the first its own");
    assert_eq!(count(wants(3, 0)), (0, 3), "one with another mark is not taken");
    assert_eq!(count(wants(4, 0)), (0, 3), "one without a mark is");
    let request = client.request("GET", "/", &Record::new());
    assert_eq!(set(request, WINHTTP_OPTION_MATCH_CONNECTION_GUID, &wants(1, 2)), 87);
    close(request);
    client.close();
}

/// EXPIRE_CONNECTION: the connection carries nothing after this request.
#[test]
fn an_expired_connection_is_not_used_again() {
    let (port, accepted) = always_ok();
    let client = private(false, port);
    let request = client.request("GET", "/", &Record::new());
    // SAFETY: no value.
    let expire = || unsafe { WinHttpSetOption(request, WINHTTP_OPTION_EXPIRE_CONNECTION, null(), 0) };
    assert_eq!((expire(), last_error()), (0, 12019), "not active");
    assert_eq!((send(request), expire()), (1, 1));
    assert_eq!(receive(request), 1);
    close(request);
    assert_eq!(get(&client, |_| {}), 0);
    assert_eq!(accepted.load(Ordering::SeqCst), 2);
    client.close();
}

/// RESOLUTION_HOSTNAME: another name is looked up, Host stays.
#[test]
fn another_name_is_looked_up() {
    let (told, heard) = channel();
    let told = Mutex::new(told);
    let (port, _) = counting(move |_, head, stream| {
        told.lock().unwrap().send(head.to_owned()).unwrap();
        stream.write_all(OK).is_ok()
    });
    let client = private(false, port);
    // SAFETY: strings end in NUL, lengths are bytes.
    unsafe {
        let connection = WinHttpConnect(client.session, wide("name.invalid").as_ptr(), port, 0);
        let request = WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), 0);
        let name = wide("127.0.0.1");
        let bytes = (name.len() * 2 - 2) as u32;
        let set = || WinHttpSetOption(request, WINHTTP_OPTION_RESOLUTION_HOSTNAME, name.as_ptr().cast(), bytes);
        assert_eq!(set(), 1);
        assert_eq!(exchange(request), 0);
        assert_eq!((set(), last_error()), (0, 12019), "only before the send");
        close(request);
        close(connection);
    }
    assert!(heard.recv().unwrap().contains(&format!("Host: name.invalid:{port}\r\n")));
    client.close();
}

/// EXTENDED_ERROR: Winsock's number, of the request and of the thread.
#[test]
fn winsock_errors() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let client = private(false, port);
    let request = client.request("GET", "/", &Record::new());
    assert_eq!((send(request), last_error()), (0, 12029));
    for handle in [request, client.session, null_mut()] {
        assert_eq!(query(handle, WINHTTP_OPTION_EXTENDED_ERROR, 0u32), Ok(10061));
    }
    close(request);
    client.close();
}

/// REQUEST_TIMES, REQUEST_STATS, CONNECTION_STATS_V0 and V1.
#[test]
fn statistics() {
    let (told, heard) = channel();
    let told = Mutex::new(told);
    let (port, _) = counting(move |_, head, stream| {
        told.lock().unwrap().send(head.len() as u64).unwrap();
        stream.write_all(OK).is_ok()
    });
    let client = private(false, port);
    // SAFETY: numbers.
    let (empty_times, empty_stats): (WINHTTP_REQUEST_TIMES, WINHTTP_REQUEST_STATS) = unsafe { std::mem::zeroed() };
    for reused in [false, true] {
        let request = client.request("GET", "/", &Record::new());
        assert_eq!(query(request, WINHTTP_OPTION_CONNECTION_STATS_V1, [0u8; 136]), Err(12019));
        assert_eq!((send(request), receive(request)), (1, 1));
        #[cfg(target_os = "linux")]
        {
            let info = query(request, WINHTTP_OPTION_CONNECTION_STATS_V1, [0u8; 136]).unwrap();
            assert_eq!(u32::from_ne_bytes(*info.first_chunk().unwrap()), 4, "TCPSTATE_ESTABLISHED");
            assert!(u64::from_ne_bytes(*info[48..].first_chunk().unwrap()) > 10, "bytes out");
            assert_eq!(&query(request, WINHTTP_OPTION_CONNECTION_STATS_V0, [0u8; 88]).unwrap()[..8], &info[..8]);
        }
        read(request, 8);
        let times = query(
            request,
            WINHTTP_OPTION_REQUEST_TIMES,
            WINHTTP_REQUEST_TIMES { cTimes: WinHttpRequestTimeLast as u32, ..empty_times },
        )
        .unwrap();
        assert_eq!(times.cTimes, WinHttpRequestTimeLast as u32);
        let at = |index: i32| times.rgullTimes[index as usize];
        let happened = |index| assert_ne!(at(index), 0, "{index}");
        let absent = |index| assert_eq!(at(index), 0, "{index}");
        let connecting = [
            WinHttpNameResolutionStart,
            WinHttpNameResolutionEnd,
            WinHttpConnectionEstablishmentStart,
            WinHttpConnectionEstablishmentEnd,
        ];
        if reused {
            connecting.iter().copied().for_each(absent);
        } else {
            connecting.iter().copied().for_each(happened);
        }
        absent(WinHttpTlsHandshakeClientLeg1Start);
        let order = [
            WinHttpConnectionAcquireStart,
            WinHttpConnectionAcquireEnd,
            WinHttpSendRequestStart,
            WinHttpSendRequestEnd,
            WinHttpReceiveResponseStart,
            WinHttpReceiveResponseHeadersEnd,
            WinHttpReceiveResponseEnd,
        ];
        order.iter().copied().for_each(happened);
        assert!(order.windows(2).all(|pair| at(pair[0]) <= at(pair[1])), "{:?}", order.map(at));
        let stats = query(
            request,
            WINHTTP_OPTION_REQUEST_STATS,
            WINHTTP_REQUEST_STATS { cStats: WinHttpRequestStatLast as u32, ..empty_stats },
        )
        .unwrap();
        let (flags, index, count) = (stats.ullFlags, stats.ulIndex, stats.cStats);
        let first = u64::from(WINHTTP_REQUEST_STAT_FLAG_FIRST_REQUEST);
        assert_eq!((flags, index, count), (if reused { 0 } else { first }, u32::from(reused), 16));
        assert_eq!(stats.rgullStats[WinHttpResponseHeadersSize as usize], 38);
        assert_eq!(stats.rgullStats[WinHttpResponseBodySize as usize], 2);
        assert_eq!(stats.rgullStats[WinHttpRequestHeadersSize as usize], heard.recv_timeout(PATIENCE).unwrap());
        close(request);
    }
    client.close();
}

fn retries(client: &Client, conditions: u32, count: u32) -> u32 {
    let retries = WINHTTP_FAILED_CONNECTION_RETRIES { dwMaxRetries: count, dwAllowedRetryConditions: conditions };
    set(client.session, WINHTTP_OPTION_FAILED_CONNECTION_RETRIES, &retries)
}

fn session(port: u16, with: impl FnOnce(*mut c_void)) -> Client {
    // SAFETY: strings end in NUL.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0);
        with(session);
        Client { session, connection: WinHttpConnect(session, wide("127.0.0.1").as_ptr(), port, 0) }
    }
}

/// FAILED_CONNECTION_RETRIES: a reply of 408, a handshake that breaks, a connection that has died.
#[test]
fn failed_connections_are_tried_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let (port, _) = counting(move |_, _, stream| {
        count.fetch_add(1, Ordering::SeqCst);
        stream.write_all(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n").is_ok()
    });
    let with = |conditions, count| {
        session(port, |session| {
            let client = Client { session, connection: null_mut() };
            assert_eq!(retries(&client, conditions, count), 0);
            assert_eq!(retries(&client, 8, count), 87);
        })
    };
    for (conditions, requests) in [(WINHTTP_CONNECTION_RETRY_CONDITION_408, 3), (4, 1)] {
        let client = with(conditions, 2);
        assert_eq!(retries(&client, conditions, 2), 12019, "too late");
        let before = asked.load(Ordering::SeqCst);
        assert_eq!(get(&client, |_| {}), 0);
        assert_eq!(asked.load(Ordering::SeqCst) - before, requests, "{conditions}");
        client.close();
    }

    // A TLS server that closes at once.
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    let port = serve(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    });
    for (conditions, connections) in [(WINHTTP_CONNECTION_RETRY_CONDITION_SSL_HANDSHAKE, 3), (5, 1)] {
        let client = session(port, |session| {
            assert_eq!(retries(&Client { session, connection: null_mut() }, conditions, 2), 0);
        });
        let before = accepted.load(Ordering::SeqCst);
        // SAFETY: no strings.
        let request = unsafe {
            WinHttpOpenRequest(client.connection, null(), null(), null(), null(), null(), WINHTTP_FLAG_SECURE)
        };
        assert_eq!(send(request), 0);
        close(request);
        assert_eq!(accepted.load(Ordering::SeqCst) - before, connections, "{conditions}");
        client.close();
    }
}

/// BACKGROUND_CONNECTIONS: the first request opens more than it needs.
#[test]
fn connections_are_opened_ahead() {
    let (told, heard) = channel();
    let told = Mutex::new(told);
    let port = serve(move |mut stream| {
        told.lock().unwrap().send(()).unwrap();
        while read_head(&mut stream).is_some() {
            stream.write_all(OK).unwrap();
        }
    });
    let client = private(false, port);
    assert_eq!(set(client.session, WINHTTP_OPTION_BACKGROUND_CONNECTIONS, &3u32), 0);
    assert_eq!(get(&client, |_| {}), 0);
    for _ in 0..3 {
        heard.recv_timeout(PATIENCE).unwrap();
    }
    client.close();
}

/// TCP_KEEPALIVE and TCP_FAST_OPEN: what the system says of the socket.
#[test]
#[cfg(target_os = "linux")]
fn sockets() {
    let (port, _) = always_ok();
    let client = private(false, port);
    assert_eq!(set(client.session, WINHTTP_OPTION_TCP_FAST_OPEN, &1u32), 0);
    assert_eq!(set(client.session, WINHTTP_OPTION_TCP_KEEPALIVE, &[1u32, 0, 0]), 87);
    assert_eq!(set(client.session, WINHTTP_OPTION_TCP_KEEPALIVE, &[1u32, 60_000, 1000]), 0);
    let request = client.request("GET", "/", &Record::new());
    assert_eq!((send(request), receive(request)), (1, 1), "{}", last_error());
    let info = query(request, WINHTTP_OPTION_CONNECTION_INFO, [0u8; 264]).unwrap();
    let local = u16::from_be_bytes([info[10], info[11]]);
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let line = table.lines().find(|line| line.contains(&format!(":{local:04X} 0100007F:{port:04X}"))).unwrap();
    // The timer column: 02 is keep-alive.
    assert_eq!(&line.split_whitespace().nth(5).unwrap()[..2], "02", "{line}");
    close(request);
    client.close();
}

/// IPV6_FAST_FALLBACK: IPv6 is tried first.
#[test]
fn ipv6_first() {
    use std::net::ToSocketAddrs;
    let (port, _) = always_ok();
    let addresses: Vec<_> = ("localhost", port).to_socket_addrs().unwrap().collect();
    if ![true, false].iter().all(|v4| addresses.iter().any(|address| address.is_ipv4() == *v4)) {
        // Only a machine whose localhost has both addresses can show it.
        return;
    }
    let attempts = |fast: u32| {
        let client = private(false, port);
        assert_eq!(set(client.session, WINHTTP_OPTION_IPV6_FAST_FALLBACK, &fast), 0);
        let record = Record::new();
        let context = context(&record);
        // SAFETY: strings end in NUL.
        unsafe {
            let connection = WinHttpConnect(client.session, wide("localhost").as_ptr(), port, 0);
            let request = WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), 0);
            assert_eq!(set(request, WINHTTP_OPTION_CONTEXT_VALUE, &context), 0);
            assert_eq!(exchange(request), 0);
            close(request);
            close(connection);
        }
        client.close();
        record.statuses().iter().filter(|s| **s == WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER).count()
    };
    // The server listens on IPv4 only.
    assert_eq!((attempts(0), attempts(1)), (1, 2));
}

/// CONNECT_RETRIES: how many addresses are tried; AUTOLOGON_POLICY: what is a policy.
#[test]
fn retries_and_policies() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let client = private(false, port);
    assert_eq!(set(client.session, WINHTTP_OPTION_CONNECT_RETRIES, &1u32), 0);
    let record = Record::new();
    let request = client.request("GET", "/", &record);
    assert_eq!(query(request, WINHTTP_OPTION_CONNECT_RETRIES, 0u32), Ok(1));
    assert_eq!((send(request), last_error()), (0, 12029));
    let attempts = record.statuses().iter().filter(|s| **s == WINHTTP_CALLBACK_STATUS_CONNECTING_TO_SERVER).count();
    assert_eq!(attempts, 1);
    for (policy, error) in [(0u32, 0), (3, 0), (4, 87)] {
        assert_eq!(set(request, WINHTTP_OPTION_AUTOLOGON_POLICY, &policy), error, "{policy}");
    }
    close(request);
    client.close();
}

/// RESOLVER_CACHE_CONFIG: what the system cannot do is refused.
#[test]
fn names_are_kept() {
    let (port, _) = always_ok();
    let client = private(false, port);
    let config = |secure, flags| WINHTTP_RESOLVER_CACHE_CONFIG {
        ulMaxResolverCacheEntries: 8,
        ulMaxCacheEntryAge: 1,
        ulMinCacheEntryTtl: 0,
        SecureDnsSetting: secure,
        ullConnResolutionWaitTime: 0,
        ullFlags: flags,
    };
    let set = |secure, flags| set(client.session, WINHTTP_OPTION_RESOLVER_CACHE_CONFIG, &config(secure, flags));
    assert_eq!((set(2, 0), set(0, 4), set(0, 8)), (87, 87, 87));
    assert_eq!(set(0, 1), 0);
    for _ in 0..2 {
        assert_eq!(get(&client, |_| {}), 0);
    }
    client.close();
}

/// source r8: `localhost` with a final dot, and every name under it, is this machine.
#[test]
fn names_of_this_machine() {
    let (port, _) = always_ok();
    let session = Client::new(false, port);
    for host in ["localhost", "localhost.", "api.localhost", "A.b.LOCALHOST."] {
        // SAFETY: NUL-terminated text.
        let connection = unsafe { WinHttpConnect(session.session, wide(host).as_ptr(), port, 0) };
        let client = Client { session: session.session, connection };
        assert_eq!(get(&client, |_| {}), 0, "{host}");
        close(connection);
    }
    session.close();
}

/// DISABLE_GLOBAL_POOLING: the sockets of a session close with it (issue: they lived on for 45 s).
#[test]
fn a_session_takes_its_connections_along() {
    const COUNT: usize = 20;
    let (closed, closes) = channel();
    let closed = Mutex::new(closed);
    let arrived = Arc::new(std::sync::Barrier::new(COUNT));
    let port = serve(move |mut stream| {
        while read_head(&mut stream).is_some() {
            // All at once, so that each has a connection of its own.
            arrived.wait();
            stream.write_all(OK).unwrap();
        }
        let _ = closed.lock().unwrap().send(());
    });
    let client = private(true, port);
    let records: Vec<_> = (0..COUNT)
        .map(|_| {
            Record::with(|handle, seen| match seen.status {
                WINHTTP_CALLBACK_STATUS_SENDREQUEST_COMPLETE => drop(receive(handle)),
                WINHTTP_CALLBACK_STATUS_HEADERS_AVAILABLE => drop(read(handle, 64)),
                WINHTTP_CALLBACK_STATUS_READ_COMPLETE if seen.value > 0 => drop(read(handle, 64)),
                WINHTTP_CALLBACK_STATUS_READ_COMPLETE => drop(close(handle)),
                _ => {}
            })
        })
        .collect();
    for record in &records {
        assert_eq!(send(client.request("GET", "/", record)), 1);
    }
    for record in &records {
        record.wait(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
    }
    assert!(closes.try_recv().is_err(), "they are kept as long as the session");
    client.close();
    for number in 0..COUNT {
        closes.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{number} of {COUNT} sockets were closed"));
    }
}

/// A body that waits for room hears that its connection is gone, by a reset or by an end.
#[test]
fn a_write_that_waits_hears_of_the_end() {
    for reset in [true, false] {
        let (port, _) = counting(move |_, _, stream| {
            stream.read_exact(&mut [0; 1 << 16]).unwrap();
            if reset {
                socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO)).unwrap();
            }
            false
        });
        let client = Client::new(false, port);
        let request = client.request("POST", "/", &Record::new());
        let size = 64u32 << 20;
        // SAFETY: no pointers but to a buffer with its length.
        unsafe {
            assert_eq!(WinHttpSendRequest(request, null(), 0, null(), 0, size, 0), 1, "{}", last_error());
            let body = vec![b'x'; size as usize];
            assert_eq!(WinHttpWriteData(request, body.as_ptr().cast(), size, null_mut()), 0, "{reset}");
        }
        assert_eq!(last_error(), ERROR_WINHTTP_CONNECTION_ERROR, "{reset}");
        close(request);
        client.close();
    }
}
