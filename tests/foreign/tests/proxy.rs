//! Proxies that are not ours: tinyproxy, Squid (with Basic and Digest), Dante and microsocks, in front of nginx.

use std::ffi::c_void;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::ptr::null_mut;

use portable_winhttp::lab::Authority;
use tempfile::TempDir;
use windows_sys::Win32::Networking::WinHttp::*;
use winhttp_foreign::client::{Answer, Ask, Client, last_error, set, wide};
use winhttp_foreign::{Server, free_port};

/// `secret`, as htpasswd writes it.
const PASSWORD: &str = "user:$apr1$portable$rc5M98DEf1ZxwNatg4inU1\n";
/// The same, as htdigest writes it: MD5 of `user:squid:secret`.
const DIGEST: &str = "user:squid:087be69120e6dd4a4bb70114b105d307\n";

/// nginx at two ports: http and https.
struct Origin {
    _server: Server,
    _folder: TempDir,
    http: u16,
    https: u16,
}

impl Origin {
    fn start() -> Origin {
        let folder = folder();
        let (www, http, https) = (folder.path().join("www"), free_port(), free_port());
        std::fs::create_dir(&www).unwrap();
        std::fs::write(www.join("hello.txt"), "hello").unwrap();
        std::fs::write(www.join("large.txt"), b"0123456789abcdef".repeat(100_000)).unwrap();
        let issued = Authority::new().issue(&["127.0.0.1"]);
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let chain: String = issued.chain.iter().map(|certificate| pem("CERTIFICATE", certificate)).collect();
        std::fs::write(&certificate, chain).unwrap();
        std::fs::write(&key, pem("PRIVATE KEY", &issued.key)).unwrap();
        let servers = format!(
            "types {{ text/plain txt; }}\nserver {{\nlisten 127.0.0.1:{http};\nlisten 127.0.0.1:{https} ssl http2;\nroot {};\n\
             ssl_certificate {};\nssl_certificate_key {};\nadd_header X-Connection $connection;\nadd_header X-Protocol $server_protocol;\n\
             add_header X-Proxy-Authorization $http_proxy_authorization;\n}}",
            www.display(),
            certificate.display(),
            key.display()
        );
        let server = Server::nginx(folder.path(), http, &servers);
        Origin { _server: server, _folder: folder, http, https }
    }
}

fn pem(kind: &str, der: &[u8]) -> String {
    format!("-----BEGIN {kind}-----\n{}-----END {kind}-----\n", base64(der))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for (number, three) in bytes.chunks(3).enumerate() {
        let value = (0..3).fold(0u32, |value, at| value << 8 | u32::from(*three.get(at).unwrap_or(&0)));
        for digit in 0..4 {
            let known = digit <= three.len();
            text.push(if known { DIGITS[(value >> (18 - 6 * digit)) as usize & 63].into() } else { '=' });
        }
        if number % 16 == 15 {
            text.push('\n');
        }
    }
    text + "\n"
}

/// A folder that a server may read which is not root any more.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    folder
}

fn tinyproxy(more: &str) -> (Server, TempDir) {
    let (folder, port) = (folder(), free_port());
    let file = folder.path().join("tinyproxy.conf");
    let config = format!(
        "Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nAllow 127.0.0.1\nStatHost \"tinyproxy.stats\"\n{more}\n"
    );
    std::fs::write(&file, config).unwrap();
    (Server::start(Command::new("tinyproxy").arg("-d").arg("-c").arg(&file), port), folder)
}

fn squid(more: &str) -> (Server, TempDir) {
    let (folder, port) = (folder(), free_port());
    for (name, text) in [("basic", PASSWORD), ("digest", DIGEST)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let (file, shown) = (folder.path().join("squid.conf"), folder.path().display());
    let config = format!(
        "http_port 127.0.0.1:{port}\nvisible_hostname squid.test\npid_filename none\ncache deny all\naccess_log none\n\
         cache_log /dev/null\ncoredump_dir {shown}\nshutdown_lifetime 0 seconds\n{}\n",
        more.replace("$folder", &shown.to_string())
    );
    std::fs::write(&file, config).unwrap();
    // Memory that it shares is named after the service: two of one name disturb each other.
    let service = format!("lab{port}");
    (Server::start(Command::new("squid").args(["-N", "-n", &service]).arg("-f").arg(&file), port), folder)
}

fn danted() -> (Server, TempDir) {
    let (folder, port) = (folder(), free_port());
    let file = folder.path().join("danted.conf");
    let pass = "pass {\n from: 0.0.0.0/0 to: 0.0.0.0/0\n}\n";
    let config = format!(
        "logoutput: /dev/null\ninternal: 127.0.0.1 port = {port}\nexternal: 127.0.0.1\nclientmethod: none\n\
         socksmethod: none\nclient {pass}socks {pass}"
    );
    std::fs::write(&file, config).unwrap();
    let mut danted = Command::new("danted");
    danted.arg("-f").arg(&file).arg("-p").arg(folder.path().join("danted.pid"));
    (Server::start(&mut danted, port), folder)
}

fn microsocks() -> Server {
    let port = free_port();
    Server::start(Command::new("microsocks").args(["-i", "127.0.0.1", "-p", &port.to_string()]), port)
}

/// The option PROXY, for servers on this machine, too (f04).
fn through(handle: *mut c_void, proxy: &str) {
    let (list, bypass) = (wide(proxy), wide("<-loopback>"));
    let info = WINHTTP_PROXY_INFO {
        dwAccessType: WINHTTP_ACCESS_TYPE_NAMED_PROXY,
        lpszProxy: list.as_ptr().cast_mut(),
        lpszProxyBypass: bypass.as_ptr().cast_mut(),
    };
    let size = size_of::<WINHTTP_PROXY_INFO>() as u32;
    // SAFETY: a structure with a string that ends in NUL.
    let answer = unsafe { WinHttpSetOption(handle, WINHTTP_OPTION_PROXY, (&raw const info).cast(), size) };
    assert_eq!(answer, 1, "{}", last_error());
}

fn proxy_credentials(request: *mut c_void, scheme: u32, password: &str) {
    let (user, password) = (wide("user"), wide(password));
    // SAFETY: the strings end in NUL.
    let answer = unsafe {
        WinHttpSetCredentials(request, WINHTTP_AUTH_TARGET_PROXY, scheme, user.as_ptr(), password.as_ptr(), null_mut())
    };
    assert_eq!(answer, 1, "{}", last_error());
}

/// A GET through a proxy; with credentials for it, if there are any.
fn get(client: &Client, secure: bool, path: &str, proxy: &str, login: Option<(u32, &str)>) -> Result<Answer, u32> {
    let before = |request| {
        through(request, proxy);
        if secure {
            set(request, WINHTTP_OPTION_SECURITY_FLAGS, SECURITY_FLAG_IGNORE_UNKNOWN_CA);
        }
        if let Some((scheme, password)) = login {
            proxy_credentials(request, scheme, password);
        }
    };
    let flags = if secure { WINHTTP_FLAG_SECURE } else { 0 };
    client.ask(path, &Ask { flags, before: Some(&before), ..Ask::default() })
}

/// Both schemes, small and large, over connections that are kept.
fn carries(origin: &Origin, proxy: &str) {
    for (secure, port) in [(false, origin.http), (true, origin.https)] {
        let client = Client::new(port);
        for round in 0..3 {
            let hello = get(&client, secure, "/hello.txt", proxy, None).unwrap();
            assert_eq!((hello.status, hello.text().as_str()), (200, "hello"), "{proxy} {secure} {round}");
            let large = get(&client, secure, "/large.txt", proxy, None).unwrap();
            assert_eq!((large.status, large.length), (200, 1_600_000), "{proxy} {secure} {round}");
            if secure {
                assert_eq!(hello.header("X-Connection"), large.header("X-Connection"), "{proxy}: one tunnel for both");
            }
        }
        assert_eq!(get(&client, secure, "/missing", proxy, None).unwrap().status, 404);
    }
}

#[test]
fn tinyproxy_carries() {
    let (proxy, _folder) = tinyproxy("");
    carries(&Origin::start(), &format!("127.0.0.1:{}", proxy.port));
}

#[test]
fn squid_carries() {
    let (proxy, _folder) = squid("http_access allow all");
    carries(&Origin::start(), &format!("http://127.0.0.1:{}", proxy.port));
}

#[test]
fn dante_carries() {
    let (proxy, _folder) = danted();
    let origin = Origin::start();
    for scheme in ["socks=", "socks4://", "socks5://"] {
        carries(&origin, &format!("{scheme}127.0.0.1:{}", proxy.port));
    }
}

#[test]
fn microsocks_carries() {
    let proxy = microsocks();
    carries(&Origin::start(), &format!("socks5://127.0.0.1:{}", proxy.port));
}

/// Whoever has no credentials is told so with 407, and whoever has wrong ones with `wrong`; whoever has them gets through,
/// and the server never sees them.
fn asks(proxy: &str, scheme: u32, refusal: u32) {
    let origin = Origin::start();
    for (secure, port) in [(false, origin.http), (true, origin.https)] {
        let client = Client::new(port);
        let refused = get(&client, secure, "/hello.txt", proxy, None).unwrap();
        assert_eq!(refused.status, 407, "{secure}");
        assert!(refused.header("Proxy-Authenticate").is_some());
        let wrong = get(&client, secure, "/hello.txt", proxy, Some((scheme, "wrong"))).unwrap();
        assert_eq!(wrong.status, refusal, "{secure}");
        for round in 0..3 {
            let hello = get(&client, secure, "/hello.txt", proxy, Some((scheme, "secret"))).unwrap();
            assert_eq!((hello.status, hello.text().as_str()), (200, "hello"), "{secure} {round}");
            assert_eq!(hello.header("X-Proxy-Authorization"), None, "{secure} {round}");
        }
    }
}

#[test]
fn tinyproxy_asks_with_basic() {
    let (proxy, _folder) = tinyproxy("BasicAuth user secret");
    // It says so to those who do not know it yet; a wrong password is 401.
    asks(&format!("127.0.0.1:{}", proxy.port), WINHTTP_AUTH_SCHEME_BASIC, 401);
}

#[test]
fn squid_asks_with_basic() {
    let (proxy, _folder) = squid(
        "auth_param basic program /usr/lib/squid/basic_ncsa_auth $folder/basic\nauth_param basic realm squid\n\
         acl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all",
    );
    asks(&format!("127.0.0.1:{}", proxy.port), WINHTTP_AUTH_SCHEME_BASIC, 407);
}

#[test]
fn squid_asks_with_digest() {
    let (proxy, _folder) = squid(
        "auth_param digest program /usr/lib/squid/digest_file_auth -c $folder/digest\nauth_param digest realm squid\n\
         acl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all",
    );
    asks(&format!("127.0.0.1:{}", proxy.port), WINHTTP_AUTH_SCHEME_DIGEST, 407);
}

#[test]
fn squid_refuses_a_tunnel() {
    let (proxy, _folder) = squid("acl connect method CONNECT\nhttp_access deny connect\nhttp_access allow all");
    let origin = Origin::start();
    let proxy = format!("127.0.0.1:{}", proxy.port);
    let client = Client::new(origin.https);
    let refused = get(&client, true, "/hello.txt", &proxy, None).unwrap();
    assert_eq!((refused.status, refused.length), (403, 0), "its body is shown on request only");
    let before = |request| {
        through(request, &proxy);
        set(request, WINHTTP_OPTION_RECEIVE_PROXY_CONNECT_RESPONSE, 1);
    };
    let ask = Ask { flags: WINHTTP_FLAG_SECURE, before: Some(&before), ..Ask::default() };
    let shown = client.ask("/hello.txt", &ask).unwrap();
    assert!(shown.status == 403 && shown.text().contains("Access Denied"), "{shown:?}");
}

#[test]
fn http2_goes_through_tunnels() {
    let (proxy, _folder) = squid("http_access allow all");
    let socks = microsocks();
    let origin = Origin::start();
    for list in [format!("127.0.0.1:{}", proxy.port), format!("socks5://127.0.0.1:{}", socks.port)] {
        let client = Client::new(origin.https);
        set(client.session, WINHTTP_OPTION_ENABLE_HTTP_PROTOCOL, WINHTTP_PROTOCOL_FLAG_HTTP2);
        let mut carried = Vec::new();
        for _ in 0..3 {
            let hello = get(&client, true, "/hello.txt", &list, None).unwrap();
            assert_eq!((hello.status, hello.text().as_str()), (200, "hello"), "{list}");
            carried
                .push((hello.header("X-Protocol").map(str::to_owned), hello.header("X-Connection").map(str::to_owned)));
        }
        assert_eq!(carried[0].0.as_deref(), Some("HTTP/2.0"), "{list}");
        assert!(carried.iter().all(|one| *one == carried[0]), "{carried:?}");
    }
}
