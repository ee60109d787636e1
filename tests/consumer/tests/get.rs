//! The client against a server on the loopback interface.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use portable_winhttp as _;

#[test]
fn a_get_brings_status_and_body() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut part = [0; 1024];
        while !head.ends_with(b"\r\n\r\n") {
            let count = stream.read(&mut part).unwrap();
            assert_ne!(count, 0, "the head broke off: {:?}", String::from_utf8_lossy(&head));
            head.extend_from_slice(&part[..count]);
        }
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone").unwrap();
        String::from_utf8(head).unwrap()
    });
    assert_eq!(winhttp_consumer::get("127.0.0.1", port, "/a?b"), Ok((404, b"gone".to_vec())));
    let head = server.join().unwrap();
    assert!(head.starts_with("GET /a?b HTTP/1.1\r\n"), "{head}");
}
