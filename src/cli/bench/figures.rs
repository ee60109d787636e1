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

/// Figures that are measured together.
struct Group {
    /// Their names and units, in the order in which they are measured.
    figures: &'static [(&'static str, &'static str)],
    measure: fn(f64) -> Vec<f64>,
}

const GROUPS: [Group; 4] = [
    Group { figures: &[("WinHttpOpen and CloseHandle", "us")], measure: |scale| vec![session_handle(some(scale))] },
    Group {
        figures: &[("open and close of a request handle", "us")],
        measure: |scale| vec![request_handle(some(scale))],
    },
    Group {
        figures: &[("WinHttpQueryHeaders", "ns"), ("WinHttpQueryOption", "ns")],
        measure: |scale| queries(some(scale)).into(),
    },
    Group {
        figures: &[
            ("memory a handle, 100 open", "bytes"),
            ("a request beside 100 open, of 10", "times as long"),
            ("memory a handle, 1,000 open", "bytes"),
            ("a request beside 1,000 open, of 10", "times as long"),
            ("memory a handle, 10,000 open", "bytes"),
            ("a request beside 10,000 open, of 10", "times as long"),
        ],
        measure: growth,
    },
];

/// The figures that are wanted; nothing else is measured.
pub fn all(scale: f64, wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = Figure> {
    let groups = GROUPS.into_iter().filter_map(move |Group { figures, measure }| {
        let names: Vec<bool> = figures.iter().map(|(name, _)| wanted(name)).collect();
        names.contains(&true).then(|| (figures, names, measure(scale)))
    });
    groups.flat_map(|(figures, names, values)| {
        let figures = figures.iter().zip(values).zip(names).filter(|(_, wanted)| *wanted);
        figures.map(|((&(name, unit), value), _)| Figure { name, value, unit })
    })
}

/// How often something small is done.
fn some(scale: f64) -> usize {
    ((20_000.0 * scale) as usize).max(10)
}

/// Nanoseconds that one of so many takes.
fn each(count: usize, mut act: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..count).for_each(|_| act());
    start.elapsed().as_nanos() as f64 / count as f64
}

fn session_handle(count: usize) -> f64 {
    let nanoseconds = each(count, || {
        // SAFETY: no pointers.
        close(unsafe { WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), WINHTTP_FLAG_ASYNC) });
    });
    nanoseconds / 1e3
}

fn request_handle(count: usize) -> f64 {
    let address = server::start(None).address;
    let handles = Handles::open(address, false, WINHTTP_FLAG_ASYNC, None);
    each(count, || close(handles.request(null(), null()))) / 1e3
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

fn queries(count: usize) -> [f64; 2] {
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
    [headers, option]
}

/// Memory for each open request handle, and what a request costs beside so many.
fn growth(scale: f64) -> Vec<f64> {
    let server = server::start(None);
    let client = Client::new(&server);
    let count = ((4_000.0 * scale) as usize).max(10);
    let [base, grown @ ..] = [10, 100, 1_000, 10_000].map(|open| {
        let handles = Handles::open(server.address, false, WINHTTP_FLAG_ASYNC, None);
        let before = resident();
        let requests: Vec<_> = (0..open).map(|_| handles.request(null(), null())).collect();
        let memory = (resident() - before) / f64::from(open);
        let start = Instant::now();
        client.run(1, count, &Plan::get("/"));
        let time = start.elapsed().as_secs_f64();
        requests.into_iter().for_each(close);
        (memory, time)
    });
    grown.into_iter().flat_map(|(memory, time)| [memory, time / base.1]).collect()
}

/// Bytes of this process in memory; 0 where the system does not say.
fn resident() -> f64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<f64>().ok());
    pages.unwrap_or(0.0) * 4096.0
}
