//! The client against a server on the loopback interface.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

const BODY: &[u8] = b"0123456789";

#[test]
fn a_post_brings_status_header_and_body() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut part = [0; 1024];
        while !request.ends_with(BODY) {
            let count = stream.read(&mut part).unwrap();
            assert_ne!(count, 0, "the request broke off: {:?}", String::from_utf8_lossy(&request));
            request.extend_from_slice(&part[..count]);
        }
        let large = "x".repeat(3000);
        let head = "HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nContent-Length: 3000\r\n\r\n";
        stream.write_all(format!("{head}{large}").as_bytes()).unwrap();
        String::from_utf8(request).unwrap()
    });
    let reply = winhttp_consumer_windows::post("127.0.0.1", port, "/a?b", BODY).unwrap();
    assert_eq!((reply.status, reply.content_type.as_deref(), reply.body.len()), (201, Some("text/plain"), 3000));
    let request = server.join().unwrap();
    assert!(request.starts_with("POST /a?b HTTP/1.1\r\n"), "{request}");
    for line in ["X-Consumer: windows", "User-Agent: consumer/1.0", "Accept: */*", "Content-Length: 10"] {
        assert!(request.contains(&format!("\r\n{line}\r\n")), "{line} in {request}");
    }
}
