//! What was measured (source ST1).

use super::row::*;
use crate::win32::TcpInfo;
use crate::win32::*;

pub(super) const ROWS: &[Row] = &[
    option!(WINHTTP_OPTION_REQUEST_TIMES: Shape::Struct("WINHTTP_REQUEST_TIMES", size_of::<WINHTTP_REQUEST_TIMES>()))
        .query(
            REQUEST,
            Get::Keyed(|subject, input| {
                let times = subject.request()?.with(|machine| machine.timings().times());
                let count = asked(input, std::mem::offset_of!(WINHTTP_REQUEST_TIMES, cTimes), times.len())?;
                let mut bytes = vec![0; size_of::<WINHTTP_REQUEST_TIMES>()];
                put(&mut bytes, std::mem::offset_of!(WINHTTP_REQUEST_TIMES, cTimes), &(count as u32).to_ne_bytes());
                put_all(&mut bytes, std::mem::offset_of!(WINHTTP_REQUEST_TIMES, rgullTimes), &times[..count]);
                Ok(Value::Bytes(bytes))
            }),
        )
        .note("In: how many; out: QueryPerformanceCounter stamps. A TLS handshake has one leg here."),
    option!(WINHTTP_OPTION_REQUEST_STATS: Shape::Struct("WINHTTP_REQUEST_STATS", size_of::<WINHTTP_REQUEST_STATS>()))
        .query(
            REQUEST,
            Get::Keyed(|subject, input| {
                let request = subject.request()?;
                let counts = request.with(|machine| machine.counts());
                let count = asked(input, std::mem::offset_of!(WINHTTP_REQUEST_STATS, cStats), counts.len())?;
                let earlier = request.attempt().and_then(|attempt| attempt.connection_info()).map_or(0, |info| info.earlier);
                let flags = if earlier == 0 { WINHTTP_REQUEST_STAT_FLAG_FIRST_REQUEST } else { 0 };
                let mut bytes = vec![0; size_of::<WINHTTP_REQUEST_STATS>()];
                put_all(&mut bytes, std::mem::offset_of!(WINHTTP_REQUEST_STATS, ullFlags), &[flags.into()]);
                put(&mut bytes, std::mem::offset_of!(WINHTTP_REQUEST_STATS, ulIndex), &earlier.to_ne_bytes());
                put(&mut bytes, std::mem::offset_of!(WINHTTP_REQUEST_STATS, cStats), &(count as u32).to_ne_bytes());
                put_all(&mut bytes, std::mem::offset_of!(WINHTTP_REQUEST_STATS, rgullStats), &counts[..count]);
                Ok(Value::Bytes(bytes))
            }),
        )
        .note("In: how many. Sizes of TLS handshakes and of compressed heads are not counted."),
    option!(WINHTTP_OPTION_CONNECTION_STATS_V0: Shape::Struct("TCP_INFO_v0", V0))
        .query(REQUEST, Get::Of(|subject| Ok(Value::Bytes(tcp_info(&asked_system(subject)?, V0)))))
        .note("On Linux. ERROR_WINHTTP_INCORRECT_HANDLE_STATE while there is no open connection."),
    option!(WINHTTP_OPTION_CONNECTION_STATS_V1: Shape::Struct("TCP_INFO_v1", V1))
        .query(REQUEST, Get::Of(|subject| Ok(Value::Bytes(tcp_info(&asked_system(subject)?, V1)))))
        .note("On Linux; what limited sending is 0. ERROR_WINHTTP_INCORRECT_HANDLE_STATE while there is no open connection."),
];

/// The sizes of TCP_INFO_v0 and TCP_INFO_v1 (mstcpip.h).
const V0: usize = 88;
const V1: usize = 136;

/// How many entries the caller wants, and gets; a buffer that is too short is found out later.
fn asked(input: &[u8], place: usize, known: usize) -> Result<usize, Win32Error> {
    let asked = input.get(place..).and_then(|rest| rest.first_chunk());
    match asked.map_or(0, |count| u32::from_ne_bytes(*count) as usize) {
        0 if input.len() > place + 4 => Err(ERROR_INVALID_PARAMETER),
        0 => Ok(known),
        count => Ok(count.min(known)),
    }
}

fn put(bytes: &mut [u8], place: usize, value: &[u8]) {
    bytes[place..place + value.len()].copy_from_slice(value);
}

fn put_all(bytes: &mut [u8], place: usize, values: &[u64]) {
    for (index, value) in values.iter().enumerate() {
        put(bytes, place + index * 8, &value.to_ne_bytes());
    }
}

fn asked_system(subject: &Subject) -> Result<TcpInfo, Win32Error> {
    let info = subject.request()?.attempt().and_then(|attempt| attempt.connection_info());
    info.and_then(|info| info.tcp).ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)
}

/// TCP_INFO_v0, which TCP_INFO_v1 begins with.
fn tcp_info(info: &TcpInfo, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    for (place, value) in [
        (0, info.state),
        (4, info.mss),
        (20, info.rtt),
        (24, info.min_rtt),
        (28, info.in_flight),
        (32, info.congestion_window),
        (36, info.send_window),
        (40, info.receive_window),
        (44, info.receive_window),
        (64, info.bytes_reordered),
        (68, info.bytes_retransmitted),
        (72, info.fast_retransmissions),
        (80, info.timeouts),
    ] {
        put(&mut bytes, place, &value.to_ne_bytes());
    }
    for (place, value) in [(8, info.connection_time), (48, info.bytes_out), (56, info.bytes_in)] {
        put(&mut bytes, place, &value.to_ne_bytes());
    }
    bytes
}
