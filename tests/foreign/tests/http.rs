//! HTTP/1 against nginx, Apache, Python's http.server, httpbin behind waitress, and an ASGI application behind uvicorn.

use std::fs::File;
use std::path::Path;

use tempfile::TempDir;
use windows_sys::Win32::Networking::WinHttp::*;
use winhttp_foreign::client::{Answer, Ask, Client, credentials, set, user};
use winhttp_foreign::{Server, free_port};

/// windows-sys has no name for both.
const ALL_CODINGS: u32 = WINHTTP_DECOMPRESSION_FLAG_GZIP | WINHTTP_DECOMPRESSION_FLAG_DEFLATE;
const SEED: &[u8] = b"0123456789abcdef";

fn python(program: &str) -> Server {
    Server::python(&Path::new(env!("CARGO_MANIFEST_DIR")).join("servers").join(program), free_port())
}

/// nginx with these locations; `www` in the folder holds the files.
fn nginx(locations: &str) -> (Server, TempDir) {
    let folder = tempfile::tempdir().expect("a folder for the server");
    let (www, port) = (folder.path().join("www"), free_port());
    std::fs::create_dir(&www).unwrap();
    std::fs::write(www.join("hello.txt"), "hello").unwrap();
    std::fs::write(www.join("large.txt"), SEED.repeat(100_000)).unwrap();
    let server = format!(
        "types {{ text/plain txt; }}\nserver {{\nlisten 127.0.0.1:{port};\nroot {};\n\
         add_header X-Connection $connection;\n{locations}\n}}",
        www.display()
    );
    (Server::nginx(folder.path(), port, &server), folder)
}

#[test]
fn nginx_serves_files() {
    let (server, _folder) = nginx("");
    let client = Client::new(server.port);
    let hello = client.get("/hello.txt");
    assert_eq!((hello.status, hello.text().as_str(), hello.header("Content-Length")), (200, "hello", Some("5")));
    let large = client.get("/large.txt");
    assert_eq!((large.status, large.length), (200, 1_600_000));
    // One connection carries them all.
    assert_eq!(large.header("X-Connection"), hello.header("X-Connection"));
    assert_eq!(client.get("/missing").status, 404);

    let part = client.ask("/large.txt", &Ask { headers: "Range: bytes=16-31", ..Ask::default() }).unwrap();
    assert_eq!((part.status, part.body.as_slice()), (206, SEED));
    assert_eq!(part.header("Content-Range"), Some("bytes 16-31/1600000"));
    let last = client.ask("/large.txt", &Ask { headers: "Range: bytes=-6", ..Ask::default() }).unwrap();
    assert_eq!((last.status, last.text().as_str()), (206, "abcdef"));
    let beyond = client.ask("/large.txt", &Ask { headers: "Range: bytes=9999999-", ..Ask::default() }).unwrap();
    assert_eq!(beyond.status, 416);

    let head = client.ask("/large.txt", &Ask { method: "HEAD", ..Ask::default() }).unwrap();
    assert_eq!((head.status, head.length, head.header("Content-Length")), (200, 0, Some("1600000")));
    let since = format!("If-None-Match: {}", hello.header("ETag").unwrap());
    let same = client.ask("/hello.txt", &Ask { headers: &since, ..Ask::default() }).unwrap();
    assert_eq!((same.status, same.length), (304, 0));
}

#[test]
fn nginx_compresses() {
    let (server, _folder) = nginx("gzip on; gzip_types text/plain; gzip_min_length 1;");
    let client = Client::new(server.port);
    let plain = client.get("/large.txt");
    assert_eq!((plain.length, plain.header("Content-Encoding")), (1_600_000, None));
    set(client.session, WINHTTP_OPTION_DECOMPRESSION, ALL_CODINGS);
    let client_of_session = Client::new(server.port);
    let decoded = |client: &Client| {
        let before = |request| set(request, WINHTTP_OPTION_DECOMPRESSION, ALL_CODINGS);
        client.ask("/large.txt", &Ask { before: Some(&before), ..Ask::default() }).unwrap()
    };
    for answer in [client.get("/large.txt"), decoded(&client_of_session)] {
        assert_eq!((answer.status, answer.length), (200, 1_600_000));
        assert!(answer.body.chunks_exact(16).all(|piece| piece == SEED));
        assert_eq!((answer.header("Content-Encoding"), answer.header("Content-Length")), (None, None));
    }
}

#[test]
fn nginx_redirects() {
    let (server, _folder) = nginx(
        "location /moved { return 301 /hello.txt; }\nlocation /twice { return 302 /moved; }\n\
         location /kept { return 308 /dump; }\nlocation /loop { return 302 /loop; }\n\
         location /dump { return 200 \"$request_method $content_length\"; }\nlocation /below { root /; }",
    );
    let client = Client::new(server.port);
    let answer = client.get("/twice");
    assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
    assert_eq!(answer.url, format!("http://127.0.0.1:{}/hello.txt", server.port));
    let post = Ask { method: "POST", body: b"data", ..Ask::default() };
    assert_eq!(client.ask("/kept", &post).unwrap().text(), "POST 4");
    assert_eq!(client.ask("/loop", &Ask::default()).unwrap_err(), 12156);
}

#[test]
fn nginx_asks_for_basic() {
    let (server, folder) = nginx("auth_basic realm; auth_basic_user_file users;");
    std::fs::write(folder.path().join("users"), "user:{PLAIN}p\u{e4}ss\n").unwrap();
    let client = Client::new(server.port);
    assert_eq!(client.get("/hello.txt").status, 401);
    let right = |request| credentials(request, WINHTTP_AUTH_SCHEME_BASIC, "user", "p\u{e4}ss");
    let option = |request| user(request, "user", "p\u{e4}ss");
    let wrong = |request| user(request, "user", "wrong");
    let ask = |before| client.ask("/hello.txt", &Ask { before: Some(before), ..Ask::default() }).unwrap().status;
    assert_eq!([ask(&right), ask(&option), ask(&wrong)], [200, 200, 401]);
}

#[test]
fn nginx_takes_uploads() {
    let (server, _folder) =
        nginx("location /up/ { dav_methods PUT DELETE; create_full_put_path on; client_max_body_size 3m; }");
    let client = Client::new(server.port);
    let large = SEED.repeat(100_000);
    let chunked = WINHTTP_FLAG_AUTOMATIC_CHUNKING;
    let pieces: Vec<&[u8]> = large.chunks(70_000).chain([&b""[..]]).collect();
    let asks: [(&str, Ask<'_>); 3] = [
        ("/up/optional", Ask { method: "PUT", body: &large, ..Ask::default() }),
        ("/up/written", Ask { method: "PUT", pieces: &pieces[..pieces.len() - 1], ..Ask::default() }),
        ("/up/chunked", Ask { method: "PUT", pieces: &pieces, total: Some(0), flags: chunked, ..Ask::default() }),
    ];
    for (path, ask) in asks {
        assert_eq!(client.ask(path, &ask).unwrap().status, 201, "{path}");
        let back = client.get(path);
        assert_eq!(back.length, large.len() as u64, "{path}");
        assert!(back.body == large[..back.body.len()], "{path}");
    }
    // Framed by the program itself.
    let framed = [&b"5\r\nhello\r\n"[..], b"0\r\n\r\n"];
    let own =
        Ask { method: "PUT", headers: "Transfer-Encoding: chunked", pieces: &framed, total: Some(0), ..Ask::default() };
    assert_eq!(client.ask("/up/own", &own).unwrap().status, 201);
    assert_eq!(client.get("/up/own").text(), "hello");
    // Refused before the body is there.
    let announced =
        Ask { method: "PUT", headers: "Content-Length: 4000000", body: SEED, total: Some(0), ..Ask::default() };
    assert_eq!(client.ask("/up/too-large", &announced).unwrap().status, 413);
}

/// A sparse file of more than 4 GB.
#[test]
fn nginx_serves_more_than_4_gb() {
    const LENGTH: u64 = (4 << 30) + 5;
    let (server, folder) = nginx("sendfile on;");
    File::create(folder.path().join("www/huge.bin")).unwrap().set_len(LENGTH).unwrap();
    let client = Client::new(server.port);
    let huge = client.get("/huge.bin");
    assert_eq!((huge.status, huge.length, huge.header("Content-Length")), (200, LENGTH, Some("4294967301")));
    let end = client.ask("/huge.bin", &Ask { headers: "Range: bytes=4294967296-", ..Ask::default() }).unwrap();
    assert_eq!((end.status, end.length), (206, 5));
}

#[test]
fn apache_asks_for_digest() {
    let folder = tempfile::tempdir().expect("a folder for the server");
    std::fs::create_dir(folder.path().join("www")).unwrap();
    std::fs::write(folder.path().join("www/hello.txt"), "hello").unwrap();
    // HA1 of user:realm:pass
    std::fs::write(folder.path().join("users"), "user:realm:8493fbc53ba582fb4c044c456bdc40eb\n").unwrap();
    let shown = folder.path().display().to_string();
    let modules = ["mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_digest"];
    let directives = format!(
        "DocumentRoot {shown}/www\nKeepAlive On\n<Location />\nAuthType Digest\nAuthName realm\n\
         AuthUserFile {shown}/users\nAuthDigestQop auth\nAuthDigestNonceLifetime 300\nRequire valid-user\n</Location>"
    );
    let server = Server::apache(folder.path(), free_port(), &modules, &directives);
    let client = Client::new(server.port);
    assert_eq!(client.get("/hello.txt").status, 401);
    let right = |request| user(request, "user", "pass");
    let chosen = |request| credentials(request, WINHTTP_AUTH_SCHEME_DIGEST, "user", "pass");
    let wrong = |request| user(request, "user", "wrong");
    let basic = |request| credentials(request, WINHTTP_AUTH_SCHEME_BASIC, "user", "pass");
    let ask = |before| client.ask("/hello.txt?a=b,c", &Ask { before: Some(before), ..Ask::default() }).unwrap();
    assert_eq!((ask(&right).status, ask(&right).text().as_str()), (200, "hello"));
    assert_eq!([ask(&chosen).status, ask(&wrong).status, ask(&basic).status], [200, 401, 401]);
}

#[test]
fn python_serves_files() {
    let server = python("files.py");
    let client = Client::new(server.port);
    let hello = client.get("/hello.txt");
    assert_eq!((hello.status, hello.text().as_str()), (200, "hello"));
    assert!(hello.headers.starts_with("HTTP/1.0 200 OK\r\n"), "{}", hello.headers);
    let below = client.get("/below");
    assert_eq!((below.status, below.text().as_str()), (200, "<p>below</p>"));
    assert!(below.url.ends_with("/below/"), "{}", below.url);
    assert_eq!(client.get("/missing").status, 404);
    let head = client.ask("/hello.txt", &Ask { method: "HEAD", ..Ask::default() }).unwrap();
    assert_eq!((head.status, head.length), (200, 0));
    assert_eq!(client.ask("/hello.txt", &Ask { method: "PUT", body: b"x", ..Ask::default() }).unwrap().status, 501);
}

#[test]
fn httpbin_sets_cookies() {
    let server = python("httpbin_app.py");
    let client = Client::new(server.port);
    assert_eq!(compact(&client.get("/cookies")), "{\"cookies\":{}}");
    let set = client.get("/cookies/set?one=1&two=2");
    assert_eq!(compact(&set), "{\"cookies\":{\"one\":\"1\",\"two\":\"2\"}}");
    assert!(set.url.ends_with("/cookies"), "{}", set.url);
    let other = Client::new(server.port);
    assert_eq!(compact(&other.get("/cookies")), "{\"cookies\":{}}", "another session");
    // Deleted by an Expires in the past and Max-Age 0.
    assert_eq!(compact(&client.get("/cookies/delete?one")), "{\"cookies\":{\"two\":\"2\"}}");
    let own = client.ask("/cookies", &Ask { headers: "Cookie: own=3", ..Ask::default() }).unwrap();
    assert_eq!(compact(&own), "{\"cookies\":{\"own\":\"3\",\"two\":\"2\"}}");
    let without =
        |request| winhttp_foreign::client::set(request, WINHTTP_OPTION_DISABLE_FEATURE, WINHTTP_DISABLE_COOKIES);
    let none = client.ask("/cookies", &Ask { before: Some(&without), ..Ask::default() }).unwrap();
    assert_eq!(compact(&none), "{\"cookies\":{}}");
}

/// JSON without its white space.
fn compact(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.headers);
    answer.text().split_whitespace().collect()
}

#[test]
fn httpbin_redirects() {
    let server = python("httpbin_app.py");
    let client = Client::new(server.port);
    for (path, url) in [
        ("/redirect/5", "/get"),
        ("/relative-redirect/3", "/get"),
        ("/absolute-redirect/3", "/get"),
        ("/redirect-to?url=%2Fanything%2Fx%3Fa%3Db&status_code=303", "/anything/x?a=b"),
    ] {
        let answer = client.get(path);
        assert_eq!((answer.status, answer.url), (200, format!("http://127.0.0.1:{}{url}", server.port)), "{path}");
    }
    assert_eq!(client.ask("/redirect/11", &Ask::default()).unwrap_err(), 12156);
    for (status, method, data) in
        [(301, "GET", ""), (302, "GET", ""), (303, "GET", ""), (307, "POST", "data"), (308, "POST", "data")]
    {
        let path = format!("/redirect-to?url=%2Fanything&status_code={status}");
        let answer = client.ask(&path, &Ask { method: "POST", body: b"data", ..Ask::default() }).unwrap();
        let text = compact(&answer);
        assert!(text.contains(&format!("\"method\":\"{method}\"")), "{status} {text}");
        assert!(text.contains(&format!("\"data\":\"{data}\"")), "{status} {text}");
    }
}

#[test]
fn httpbin_authenticates() {
    let server = python("httpbin_app.py");
    let client = Client::new(server.port);
    let right = |request| user(request, "user", "pass");
    let wrong = |request| user(request, "user", "wrong");
    let ask = |path: &str, before| client.ask(path, &Ask { before: Some(before), ..Ask::default() }).unwrap().status;
    for path in [
        "/basic-auth/user/pass",
        "/digest-auth/auth/user/pass",
        "/digest-auth/auth/user/pass/MD5",
        "/digest-auth/auth-int/user/pass/MD5",
    ] {
        assert_eq!((ask(path, &right), ask(path, &wrong)), (200, 401), "{path}");
    }
    // What WinHTTP does not speak (Digest with SHA-256: e06) is not answered: the 401 is the response.
    for path in [
        "/bearer",
        "/digest-auth/auth/user/pass/SHA-256",
        "/digest-auth/auth-int/user/pass/SHA-256",
        "/digest-auth/auth/user/pass/SHA-256/never",
    ] {
        assert_eq!(ask(path, &right), 401, "{path}");
    }
    let hidden = |request| credentials(request, WINHTTP_AUTH_SCHEME_BASIC, "user", "pass");
    assert_eq!(ask("/hidden-basic-auth/user/pass", &hidden), 200, "Basic goes unasked");
}

#[test]
fn httpbin_bodies() {
    let server = python("httpbin_app.py");
    let client = Client::new(server.port);
    let before = |request| set(request, WINHTTP_OPTION_DECOMPRESSION, ALL_CODINGS);
    let ask = |path: &str| client.ask(path, &Ask { before: Some(&before), ..Ask::default() }).unwrap();
    assert!(compact(&ask("/gzip")).contains("\"gzipped\":true"));
    assert!(compact(&ask("/deflate")).contains("\"deflated\":true"));
    assert_eq!(client.get("/bytes/12345").length, 12345);
    assert_eq!(client.get("/stream-bytes/12345?chunk_size=1000").length, 12345);
    assert_eq!(client.get("/stream/20").text().lines().count(), 20);
    let range = client.ask("/range/1000", &Ask { headers: "Range: bytes=26-51", ..Ask::default() }).unwrap();
    assert_eq!((range.status, range.text().as_str()), (206, "abcdefghijklmnopqrstuvwxyz"));
    for status in [204, 304, 400, 418, 500, 599] {
        assert_eq!(client.get(&format!("/status/{status}")).status, status);
    }
    let post =
        Ask { method: "POST", headers: "Content-Type: text/plain", body: "p\u{f6}st".as_bytes(), ..Ask::default() };
    assert!(compact(&client.ask("/post", &post).unwrap()).contains("\"data\":\"p\\u00f6st\""));
    let headers = compact(&client.ask("/headers", &Ask { headers: "X-One: 1", ..Ask::default() }).unwrap());
    assert!(headers.contains("\"X-One\":\"1\"") && headers.contains("\"User-Agent\":\"foreign/1.0\""), "{headers}");
}

#[test]
fn uvicorn_reads_while_it_answers() {
    let server = python("asgi.py");
    let client = Client::new(server.port);
    let large = SEED.repeat(20_000);
    let pieces: Vec<&[u8]> = large.chunks(10_000).chain([&b""[..]]).collect();
    let chunked = |path| {
        let flags = WINHTTP_FLAG_AUTOMATIC_CHUNKING;
        client.ask(path, &Ask { method: "POST", pieces: &pieces, total: Some(0), flags, ..Ask::default() }).unwrap()
    };
    assert_eq!(chunked("/count").text(), large.len().to_string());
    assert_eq!(chunked("/echo").length, large.len() as u64);
    let expect = Ask { method: "POST", headers: "Expect: 100-continue", pieces: &[SEED], ..Ask::default() };
    assert_eq!(client.ask("/count", &expect).unwrap().text(), "16");
    let early = Ask { method: "POST", pieces: &[SEED, SEED], ..Ask::default() };
    assert_eq!(client.ask("/early", &early).unwrap().status, 413);
}
