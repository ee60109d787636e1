//! A server by rustls and a client by WinHTTP, in one process.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::thread;

use portable_winhttp as _;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WantsServerCert;
use rustls::{ConfigBuilder, NamedGroup, ServerConfig, ServerConnection, StreamOwned};
use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::Networking::WinHttp::*;

/// A GET over TLS from a server that this begins: the status, and the group of the key exchange. That tells the providers
/// apart: ring has no X25519MLKEM768, and aws-lc-rs prefers it.
pub fn get(server: ConfigBuilder<ServerConfig, WantsServerCert>) -> (Result<u32, u32>, Option<NamedGroup>) {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a name");
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
    let config = server.with_single_cert(vec![cert.der().clone()], key).expect("they belong together");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().ok()?;
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::new(config)).ok()?, stream);
        let mut head = Vec::new();
        let mut part = [0; 1024];
        while !head.ends_with(b"\r\n\r\n") {
            let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
            head.extend_from_slice(&part[..count]);
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").ok()?;
        stream.conn.negotiated_key_exchange_group().map(|group| group.name())
    });
    let status = status(port);
    (status, server.join().expect("no panic"))
}

/// The status of `https://127.0.0.1:port/`, whose certificate nobody vouches for, or the error that prevented it.
fn status(port: u16) -> Result<u32, u32> {
    let host: Vec<u16> = "127.0.0.1".encode_utf16().chain([0]).collect();
    let (ignored, mut status, mut size) = (SECURITY_FLAG_IGNORE_UNKNOWN_CA, 0_u32, 4);
    // SAFETY: the texts end with NUL, every pointer outlives its call, and the request is closed once.
    unsafe {
        let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0);
        let connection = WinHttpConnect(session, host.as_ptr(), port, 0);
        let request = WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), WINHTTP_FLAG_SECURE);
        let level = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
        let done = WinHttpSetOption(request, WINHTTP_OPTION_SECURITY_FLAGS, (&raw const ignored).cast(), 4) != 0
            && WinHttpSendRequest(request, null(), 0, null(), 0, 0, 0) != 0
            && WinHttpReceiveResponse(request, null_mut()) != 0
            && WinHttpQueryHeaders(request, level, null(), (&raw mut status).cast(), &mut size, null_mut()) != 0;
        let result = if done { Ok(status) } else { Err(GetLastError()) };
        for handle in [request, connection, session] {
            WinHttpCloseHandle(handle);
        }
        result
    }
}
