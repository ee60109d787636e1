//! TLS with OpenSSL: nginx in every version, with and without a client's certificate, and versions that are too old.
//! All certificates are made by `openssl`.

use std::ffi::c_void;
use std::path::Path;
use std::process::Command;
use std::ptr::{null, null_mut};
use std::sync::LazyLock;

use portable_winhttp::api::ClientCertificate;
use portable_winhttp::win32::CERT_CONTEXT;
use tempfile::TempDir;
use windows_sys::Win32::Foundation::GetLastError;
use windows_sys::Win32::Networking::WinHttp::*;
use winhttp_foreign::{Server, free_port};

/// The certificates: server.pem, which PORTABLE_WINHTTP_CA_FILE names, and client.pem, with their keys.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "server", "serverAuth");
    certificate(folder.path(), "client", "clientAuth");
    // SAFETY: every test comes here first, and nobody reads the environment before.
    unsafe { std::env::set_var("PORTABLE_WINHTTP_CA_FILE", folder.path().join("server.pem")) };
    folder
});

fn certificate(folder: &Path, name: &str, usage: &str) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", &format!("/O=foreign/CN={name}"), "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", &format!("extendedKeyUsage={usage}")])
        .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// A synchronous request to https://127.0.0.1.
struct Request([*mut c_void; 3]);

impl Request {
    fn new(port: u16) -> Request {
        // SAFETY: NUL-terminated strings; NULL stands for what is not given.
        unsafe {
            let session = WinHttpOpen(null(), WINHTTP_ACCESS_TYPE_NO_PROXY, null(), null(), 0);
            let connection = WinHttpConnect(session, wide("127.0.0.1").as_ptr(), port, 0);
            let flags = WINHTTP_FLAG_SECURE;
            let request = WinHttpOpenRequest(connection, null(), null(), null(), null(), null(), flags);
            assert!(!request.is_null());
            Request([request, connection, session])
        }
    }

    /// What a server gets that asks for a certificate.
    fn give(&self, context: *const CERT_CONTEXT) {
        let length = if context.is_null() { 0 } else { size_of::<CERT_CONTEXT>() as u32 };
        // SAFETY: NULL and 0, or a context.
        let set = unsafe { WinHttpSetOption(self.0[0], WINHTTP_OPTION_CLIENT_CERT_CONTEXT, context.cast(), length) };
        assert_eq!(set, 1);
    }

    /// Status and body, or the last error.
    fn send(&self) -> Result<(u32, String), u32> {
        let request = self.0[0];
        // SAFETY: the buffers have their lengths.
        unsafe {
            if WinHttpSendRequest(request, null(), 0, null(), 0, 0, 0) == 0
                || WinHttpReceiveResponse(request, null_mut()) == 0
            {
                return Err(GetLastError());
            }
            let (mut status, mut length) = (0_u32, 4);
            let level = WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER;
            WinHttpQueryHeaders(request, level, null(), (&raw mut status).cast(), &mut length, null_mut());
            let mut body = vec![0; 4096];
            let mut count = 0;
            WinHttpReadData(request, body.as_mut_ptr().cast(), 4096, &mut count);
            body.truncate(count as usize);
            Ok((status, String::from_utf8(body).unwrap()))
        }
    }

    /// dwProtocol of SECURITY_INFO.
    fn protocol(&self) -> u32 {
        let mut info = [0_u32; 177];
        let mut length = size_of_val(&info) as u32;
        // SAFETY: the buffer has the length.
        unsafe { WinHttpQueryOption(self.0[0], 151, info.as_mut_ptr().cast(), &mut length) };
        info[0]
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        for handle in self.0 {
            // SAFETY: each is closed once.
            unsafe { WinHttpCloseHandle(handle) };
        }
    }
}

fn nginx(folder: &Path, directives: &str) -> Server {
    let port = free_port();
    let certificates = FOLDER.path().display();
    let servers = format!(
        "server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {certificates}/server.pem; \
         ssl_certificate_key {certificates}/server.key; {directives} }}"
    );
    Server::nginx(folder, port, &servers)
}

#[test]
fn every_version() {
    let _ = &*FOLDER;
    let versions = [("TLSv1.2", WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_2), ("TLSv1.3", WINHTTP_FLAG_SECURE_PROTOCOL_TLS1_3)];
    for (version, protocol) in versions {
        let folder = tempfile::tempdir().unwrap();
        let server = nginx(folder.path(), &format!("ssl_protocols {version}; return 200 $ssl_protocol;"));
        let request = Request::new(server.port);
        assert_eq!(request.send(), Ok((200, version.to_owned())));
        assert_eq!(request.protocol(), protocol);
    }
}

#[test]
fn a_certificate_is_asked_for() {
    let certificates = FOLDER.path();
    let read = |name: &str| std::fs::read(certificates.join(name)).unwrap();
    let certificate = ClientCertificate::from_pem(&read("client.pem"), &read("client.key")).unwrap();
    for version in ["TLSv1.2", "TLSv1.3"] {
        let folder = tempfile::tempdir().unwrap();
        let directives = format!(
            "ssl_protocols {version}; ssl_verify_client on; ssl_client_certificate {}/client.pem; \
             return 200 $ssl_client_s_dn;",
            certificates.display()
        );
        let server = nginx(folder.path(), &directives);
        let request = Request::new(server.port);
        assert_eq!(request.send(), Err(12044), "{version}");
        request.give(null());
        assert_eq!(request.send().map(|(status, _)| status), Ok(400), "{version}");
        request.give(certificate.context());
        assert_eq!(request.send(), Ok((200, "CN=client,O=foreign".to_owned())), "{version}");
    }
}

/// A server that speaks nothing newer than TLS 1.1.
#[test]
fn a_version_that_is_too_old() {
    let certificates = FOLDER.path();
    let port = free_port();
    let mut command = Command::new("openssl");
    command
        .args(["s_server", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-quiet", "-accept", &format!("127.0.0.1:{port}")])
        .args(["-cert", "server.pem", "-key", "server.key"])
        .current_dir(certificates);
    let server = Server::start(&mut command, port);
    assert_eq!(Request::new(server.port).send(), Err(12175));
}
