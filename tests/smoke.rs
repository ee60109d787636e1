use portable_winhttp as _;
use std::io::{Read, Write};
use std::sync::mpsc;
use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::Networking::WinHttp::*;
fn w(s: &str) -> Vec<u16> { s.encode_utf16().chain([0]).collect() }
unsafe extern "system" fn cb(h: *mut core::ffi::c_void, ctx: usize, status: u32, info: *mut core::ffi::c_void, len: u32) {
    let tx = unsafe { &*(ctx as *const mpsc::Sender<(u32, u32, u64)>) };
    let v = if status == 0x200000 { let r = unsafe { &*(info as *const WINHTTP_ASYNC_RESULT) }; ((r.dwResult as u64) << 32) | r.dwError as u64 } else if len == 4 && !info.is_null() { unsafe { *(info as *const u32) as u64 } } else { 0 };
    println!("{:?} {h:p} {status:#x} len {len} v {v:#x}", std::thread::current().name());
    let _ = tx.send((status, len, v));
}
#[test]
fn get() {
    let l = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = l.local_addr().unwrap().port();
    std::thread::spawn(move || { for s in l.incoming() { let mut s = s.unwrap(); std::thread::spawn(move || { let mut b = [0; 4096]; while let Ok(n) = s.read(&mut b) { if n == 0 { break } println!("{}", String::from_utf8_lossy(&b[..n])); s.write_all(b"HTTP/1.1  200  OK\r\nContent-Length: 5\r\n\r\nhello").unwrap(); } }); } });
    unsafe {
        let (tx, rx) = mpsc::channel::<(u32, u32, u64)>();
        let tx = Box::into_raw(Box::new(tx));
        let s = WinHttpOpen(w("agent").as_ptr(), 1, std::ptr::null(), std::ptr::null(), 0x10000000);
        assert!(!s.is_null());
        WinHttpSetStatusCallback(s, Some(cb), 0xffffffff, 0);
        let ctx = tx as usize;
        assert_eq!(WinHttpSetOption(s, 45, (&raw const ctx).cast(), 8), 1);
        let c = WinHttpConnect(s, w("127.0.0.1").as_ptr(), port, 0);
        for _ in 0..3 {
        let r = WinHttpOpenRequest(c, std::ptr::null(), w("/x y").as_ptr(), std::ptr::null(), std::ptr::null(), std::ptr::null(), 0);
        assert!(!r.is_null());
        assert_eq!(WinHttpSendRequest(r, std::ptr::null(), 0, std::ptr::null(), 0, 0, 0), 1, "{}", GetLastError());
        while rx.recv_timeout(std::time::Duration::from_secs(5)).unwrap().0 != 0x400000 {}
        println!("receive {} {}", WinHttpReceiveResponse(r, std::ptr::null_mut()), GetLastError());
        while rx.recv_timeout(std::time::Duration::from_secs(5)).unwrap().0 != 0x20000 {}
        let mut buf = [0u8; 100];
        println!("read {} {}", WinHttpReadData(r, buf.as_mut_ptr().cast(), 100, std::ptr::null_mut()), GetLastError());
        while rx.recv_timeout(std::time::Duration::from_secs(5)).unwrap().0 != 0x80000 {}
        assert_eq!(&buf[..5], b"hello");
        WinHttpCloseHandle(r);
        }
        WinHttpCloseHandle(c);
        WinHttpCloseHandle(s);
        while rx.recv_timeout(std::time::Duration::from_secs(5)).unwrap().0 != 0x800 {}
    }
}
