//! What has no peer: the cost of handles and queries, and how it grows.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr::{null, null_mut};
use std::time::Instant;

use portable_winhttp::win32::*;
use serde_json::json;

use super::callbacks::{Client, Plan};
use super::server;
use super::winhttp::*;

/// A number and what it counts.
pub struct Figure {
    pub name: &'static str,
    value: f64,
    unit: &'static str,
}

impl Figure {
    pub fn line(&self) -> String {
        format!("{:<38} {:>14.2} {}", self.name, self.value, self.unit)
    }

    pub fn json(&self) -> String {
        json!({ "work": self.name, "unit": self.unit, "winhttp": self.value }).to_string()
    }
}

/// All figures.
pub fn all(scale: f64) -> Vec<Figure> {
    let count = ((20_000.0 * scale) as usize).max(10);
    let mut figures = vec![
        figure("WinHttpOpen and CloseHandle", "us", each(count, open_session) / 1e3),
        figure("open and close of a request handle", "us", request_handle(count) / 1e3),
    ];
    figures.extend(queries(count));
    figures.extend(growth(scale));
    figures
}

fn figure(name: &'static str, unit: &'static str, value: f64) -> Figure {
    Figure { name, value, unit }
}

/// Nanoseconds that one of so many takes.
fn each(count: usize, mut act: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..count).for_each(|_| act());
    start.elapsed().as_nanos() as f64 / count as f64
}

fn open_session() {
    // SAFETY: no pointers.
    let session = unsafe { WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC) };
    close(session);
}

fn request_handle(count: usize) -> f64 {
    let address = server::start(None).address;
    let handles = Handles::open(address, false, WINHTTP_FLAG_ASYNC, None);
    each(count, || close(handles.request(null(), null())))
}

/// A request that has its reply.
fn answered(handles: &Handles) -> *mut c_void {
    let request = handles.request(null(), null());
    // SAFETY: the handle is open and synchronous.
    unsafe {
        assert_ne!(WinHttpSendRequest(request, null(), 0, null(), 0, 0, 0), 0, "WinHttpSendRequest");
        assert_ne!(WinHttpReceiveResponse(request, null_mut()), 0, "WinHttpReceiveResponse");
    }
    request
}

fn queries(count: usize) -> [Figure; 2] {
    let address = server::start(None).address;
    let handles = Handles::open(address, false, 0, None);
    let request = answered(&handles);
    let headers = each(count, || {
        let (mut text, mut length) = ([0u16; 64], 128u32);
        // SAFETY: the buffer has so many bytes.
        let found = unsafe {
            let buffer = text.as_mut_ptr().cast();
            WinHttpQueryHeaders(request, WINHTTP_QUERY_CONTENT_TYPE, null(), buffer, &raw mut length, null_mut())
        };
        assert_ne!(found, 0, "WinHttpQueryHeaders");
    });
    let option = each(count, || {
        let (mut value, mut length) = (0u32, 4u32);
        // SAFETY: the option is a number of four bytes.
        let found = unsafe {
            let buffer = (&raw mut value).cast();
            WinHttpQueryOption(request, WINHTTP_OPTION_RECEIVE_TIMEOUT, buffer, &raw mut length)
        };
        assert_ne!(found, 0, "WinHttpQueryOption");
    });
    close(request);
    [figure("WinHttpQueryHeaders", "ns", headers), figure("WinHttpQueryOption", "ns", option)]
}

/// Memory for each open request handle, and what a request costs beside so many.
fn growth(scale: f64) -> Vec<Figure> {
    let server = server::start(None);
    let client = Client::new(&server);
    let count = ((4_000.0 * scale) as usize).max(10);
    let mut figures = Vec::new();
    let mut base = 0.0;
    for (open, memory_name, time_name) in [
        (10, "", ""),
        (100, "memory a handle, 100 open", "a request beside 100 open, of 10"),
        (1_000, "memory a handle, 1,000 open", "a request beside 1,000 open, of 10"),
        (10_000, "memory a handle, 10,000 open", "a request beside 10,000 open, of 10"),
    ] {
        let handles = Handles::open(server.address, false, WINHTTP_FLAG_ASYNC, None);
        let before = resident();
        let requests: Vec<_> = (0..open).map(|_| handles.request(null(), null())).collect();
        let memory = (resident() - before) / f64::from(open);
        let start = Instant::now();
        client.run(1, count, &Plan::get("/"));
        let time = start.elapsed().as_secs_f64();
        requests.into_iter().for_each(close);
        if open == 10 {
            base = time;
            continue;
        }
        figures.push(figure(memory_name, "bytes", memory));
        figures.push(figure(time_name, "times as long", time / base));
    }
    figures
}

/// Bytes of this process in memory; 0 where the system does not say.
fn resident() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<f64>().ok());
    pages.unwrap_or(0.0) * 4096.0
}
