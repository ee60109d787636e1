//! The command line from outside: what it prints where, and its exit codes.
#![cfg(feature = "cli")]

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Output, Stdio};

use portable_winhttp::record::Trace;

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portable-winhttp"));
    command.args(words).stdin(Stdio::null());
    command
}

fn run(words: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command(words).output().unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (status.code(), stdout, stderr)
}

/// `portable-winhttp serve` while a test runs.
struct Serving {
    process: Child,
    /// Ends with a slash.
    url: String,
}

impl Serving {
    fn start() -> Serving {
        Serving::start_with(&[])
    }

    fn start_with(words: &[&str]) -> Serving {
        let mut process = command(&["serve"]).args(words).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Serving { process, url: url.trim().to_owned() }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn without_arguments_it_shows_four_timelines() {
    let (code, out, err) = run(&[]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let headings: Vec<&str> = out.lines().filter_map(|line| line.strip_prefix("== ")).collect();
    let expected = ["A GET", "A POST with WinHttpWriteData", "A redirect", "A failure: nobody listens"];
    assert_eq!(headings, expected);
    for part in ["WRITE_COMPLETE", "REDIRECT", "{API_SEND_REQUEST, ERROR_WINHTTP_CANNOT_CONNECT (12029)}"] {
        assert!(out.contains(part), "{part} is missing:\n{out}");
    }
    assert_eq!(out.matches(" HANDLE_CLOSING ").count(), 12, "three handles, four times:\n{out}");
}

#[test]
fn a_trace_has_three_forms() {
    let server = Serving::start();
    let url = server.url("chunked");
    for words in [&["trace", &url][..], &["trace", &url, "--sync"]] {
        let (code, table, err) = run(words);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{table}");
        assert!(table.contains("# status 200, 16 bytes of body"), "{table}");
        assert_eq!(table.contains("HEADERS_AVAILABLE"), words.len() == 2, "{table}");
    }
    let (_, json, _) = run(&["trace", &url, "--json"]);
    let trace = Trace::from_json_lines(&json).unwrap();
    let (_, mermaid, _) = run(&["trace", &url, "--mermaid"]);
    assert!(!trace.events.is_empty() && mermaid.starts_with("sequenceDiagram\n"), "{mermaid}");
}

#[test]
fn data_and_headers_go_out_and_the_body_goes_to_a_file() {
    let server = Serving::start();
    let file = std::env::temp_dir().join(format!("portable-winhttp-body-{}", std::process::id()));
    let path = file.to_str().unwrap();
    let (code, _, err) = run(&["trace", &server.url("echo"), "-d", "sent", "-H", "X-Mark: 7", "--body", path]);
    let body = std::fs::read_to_string(&file);
    let _ = std::fs::remove_file(&file);
    let body = body.unwrap();
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(body.starts_with("POST /echo HTTP/1.1\r\n") && body.ends_with("\r\n\r\nsent"), "{body}");
    assert!(body.to_ascii_lowercase().contains("\r\nx-mark: 7\r\n"), "{body}");
}

#[test]
fn a_long_body_is_read_to_its_end_but_not_recorded_to_it() {
    let server = Serving::start();
    let (code, table, _) = run(&["trace", &server.url("bytes/5000000")]);
    assert_eq!(code, Some(0), "{table}");
    assert!(table.contains("# status 200, 5000000 bytes of body"), "{table}");
    assert!(table.lines().count() < 300, "{} lines", table.lines().count());
}

#[test]
fn http2_over_tls() {
    let authority = std::env::temp_dir().join(format!("portable-winhttp-authority-{}", std::process::id()));
    let server = Serving::start_with(&["--tls", authority.to_str().unwrap()]);
    assert!(server.url.starts_with("https://"));
    for (more, version) in [(&["--http2"][..], "HTTP/2.0"), (&[], "HTTP/1.1")] {
        let mut trace = command(&["trace", &server.url("echo")]);
        let file = authority.with_extension(version.replace('/', "-"));
        let traced = trace.args(more).arg("--body").arg(&file).env("PORTABLE_WINHTTP_CA_FILE", &authority).output();
        let traced = traced.unwrap();
        let echo = std::fs::read_to_string(&file).unwrap();
        let _ = std::fs::remove_file(&file);
        assert_eq!(traced.status.code(), Some(0), "{}", String::from_utf8_lossy(&traced.stderr));
        assert!(echo.lines().next().is_some_and(|line| line.ends_with(version)), "{echo}");
    }
    let _ = std::fs::remove_file(&authority);
}

#[test]
fn failures_have_exit_codes_and_reasons() {
    let server = Serving::start();
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let (drop, closed) = (server.url("drop"), format!("http://{closed}/"));
    let cases: [(&[&str], i32, &str); 12] = [
        (&["explore", "carefull"], 2, "the clients are careful, use-after-close, "),
        (
            &["bench", "nosuch"],
            2,
            "no work has \"nosuch\" in its name; there are, among others:\n  GET, one at a time\n",
        ),
        (&["serve", "--tls", "Cargo.toml"], 2, "it exists, and was not written by `serve`"),
        (&["trace", &drop], 1, "ERROR_WINHTTP_INVALID_SERVER_RESPONSE (12152)"),
        (&["trace", &closed], 1, "{API_SEND_REQUEST, ERROR_WINHTTP_CANNOT_CONNECT (12029)}"),
        (&["trace", &closed, "--sync"], 1, "WinHttpSendRequest failed: ERROR_WINHTTP_CANNOT_CONNECT (12029)"),
        (&["trace", "ftp://a/"], 2, "ERROR_WINHTTP_UNRECOGNIZED_SCHEME (12006)"),
        (&["trace", "http://user:word@a/"], 2, "ERROR_WINHTTP_INVALID_URL (12005)"),
        (&["trace", &closed, "--data", "@/no/such/file"], 2, "--data @/no/such/file"),
        (&["trace", &closed, "--body", "/no/such/folder/file"], 2, "--body /no/such/folder/file"),
        (&["trace", &closed, "--header", "no colon"], 2, "a header is 'Name: value'"),
        (&["nonsense"], 2, "unrecognized subcommand"),
    ];
    for (words, expected, reason) in cases {
        let (code, _, err) = run(words);
        assert_eq!(code, Some(expected), "{words:?}: {err}");
        assert!(err.contains(reason), "{words:?}: {err}");
    }
    for (variable, value) in [("WINHTTP_REPLAY", "x"), ("WINHTTP_SEED", "-1"), ("WINHTTP_SHARD", "3/2")] {
        let output = command(&["explore", "careful"]).env(variable, value).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{variable}: {err}");
        assert!(err.contains(&format!("{variable}: expected ")), "{err}");
    }
}

#[test]
fn tls_is_told_in_words() {
    let file = std::env::temp_dir().join(format!("portable-winhttp-cli-{}.pem", std::process::id()));
    let server = Serving::start_with(&["--tls", file.to_str().unwrap()]);
    let run = |trusted: bool| {
        let mut command = command(&["trace", &server.url("")]);
        if trusted {
            command.env("PORTABLE_WINHTTP_CA_FILE", &file);
        }
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, out) = run(true);
    assert_eq!(code, Some(0), "{out}");
    for part in ["# certificate of ", "# issued by CN=", "# TLS 1.3, TLS_", " bits\n", "# the certificate is trusted"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let (code, out) = run(false);
    assert_eq!(code, Some(1), "{out}");
    for part in ["# issued by CN=", "# refused: nobody who is trusted has issued it\n", "SECURE_FAILURE"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    std::fs::remove_file(file).unwrap();
}

#[test]
fn proxy_says_which_and_why() {
    let lists = ["--proxy", "http=a:1;https=b:2", "--bypass", "<local>;*.corp"];
    let rows: [(&[&str], Option<i32>, &[&str]); 7] = [
        (&["http://www.test/"], Some(0), &["because  entry \"http=a:1\" of the proxy list", "1        http://a:1"]),
        (&["https://www.test/"], Some(0), &["because  entry \"https=b:2\" of the proxy list", "1        http://b:2"]),
        (&["http://www.corp/"], Some(0), &["because  entry \"*.corp\" of the bypass list", "1        direct"]),
        (&["http://intranet/"], Some(0), &["because  entry \"<local>\" of the bypass list", "1        direct"]),
        (&["ftp://www.test/"], Some(2), &["ERROR_WINHTTP_UNRECOGNIZED_SCHEME (12006)"]),
        (&["http://www.test/", "--pac", "no such file"], Some(2), &["--pac no such file: "]),
        (&["http://www.test/", "--pac", "http://127.0.0.1:1/"], Some(0), &["because  entry"]),
    ];
    for (words, code, lines) in rows {
        let words: Vec<_> = ["proxy"].iter().chain(words).chain(&lists).copied().collect();
        let (ended, out, err) = run(&words);
        assert_eq!(ended, code, "{words:?} {out}{err}");
        for line in lines {
            assert!(out.contains(line) || err.contains(line), "{words:?}: {line:?} is not in {out}{err}");
        }
    }
    let script = std::env::temp_dir().join(format!("portable-winhttp-{}.pac", std::process::id()));
    std::fs::write(&script, "function FindProxyForURL(url, host) { return 'PROXY ' + host + ':8080; DIRECT' }")
        .unwrap();
    let (code, out, err) = run(&["proxy", "http://www.test/", "--pac", script.to_str().unwrap()]);
    if cfg!(feature = "pac") {
        assert_eq!((code, err.as_str()), (Some(0), ""));
        assert!(out.contains("because  the script answered \"PROXY www.test:8080; DIRECT\""), "{out}");
        assert!(out.contains("1        http://www.test:8080") && out.contains("2        direct"), "{out}");
    } else {
        assert_eq!(code, Some(1));
        assert!(err.contains("ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR (12178)"), "{err}");
    }
    std::fs::remove_file(script).unwrap();
}

#[test]
fn mistakes_are_explained() {
    let (code, page, _) = run(&["explain", "w06"]);
    assert_eq!(code, Some(0));
    assert!(
        page.starts_with("W06 (error): a read buffer was changed or freed while the operation owned it\n"),
        "{page}"
    );
    assert!(page.contains("\nWhy: ") && page.contains("\nHow to fix it: "), "{page}");

    let (code, list, _) = run(&["explain"]);
    assert_eq!(code, Some(0));
    assert!(list.lines().count() >= 18 && list.lines().all(|line| line.starts_with('W')), "{list}");

    let (code, _, complaint) = run(&["explain", "W99"]);
    assert_eq!(code, Some(2));
    assert!(complaint.contains("the numbers are W01 to W"), "{complaint}");
}

/// `surface`: every function and option, as a table, JSON lines or Markdown.
#[test]
fn surface() {
    let (code, table, _) = run(&["surface"]);
    assert_eq!(code, Some(0));
    let row = |name: &str| table.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap().to_owned();
    assert!(row("WinHttpSendRequest").contains("implemented"));
    assert!(row("WINHTTP_OPTION_CONNECT_TIMEOUT").contains("Default: 60000. Inherited."));
    assert!(row("WINHTTP_OPTION_QUIC_STATS").contains("absent"));
    let (_, json, _) = run(&["surface", "--json"]);
    let objects: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |kind: &str| objects.iter().filter(|object| object["kind"] == kind).count();
    assert_eq!((count("function"), count("option")), (66, 145));
    let (_, markdown, _) = run(&["surface", "--markdown"]);
    assert!(markdown.contains("\n| `WinHttpOpen` | implemented |"), "{markdown}");
    assert_eq!(run(&["surface", "--json", "--markdown"]).0, Some(2));
}

/// `portable-winhttp ws` with these lines as its input.
fn ws(url: &str, words: &[&str], lines: &str) -> (Option<i32>, String, String) {
    fed(command(&["ws", url]).args(words), lines)
}

fn fed(command: &mut Command, lines: &str) -> (Option<i32>, String, String) {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().unwrap();
    std::io::Write::write_all(&mut process.stdin.take().unwrap(), lines.as_bytes()).unwrap();
    let Output { status, stdout, stderr } = process.wait_with_output().unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (status.code(), stdout, stderr)
}

#[test]
fn a_web_socket_is_driven_by_lines() {
    let server = Serving::start();
    let url = server.url("ws").replace("http://", "ws://");
    let (code, out, err) = ws(&url, &[], "hello\n/wait\n/fragment a\nb\n/binary 00ff\n/wait 2\n/shutdown 4000 done\n");
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let told = [
        "W1 WinHttpWebSocketSend UTF8_MESSAGE, 5 bytes",
        "W1 WRITE_COMPLETE 5 bytes, UTF8_MESSAGE",
        "# received UTF8_MESSAGE of 5 bytes: \"hello\"",
        "# received UTF8_MESSAGE of 2 bytes: \"ab\"",
        "# received BINARY_MESSAGE of 2 bytes: 00ff",
        "W1 SHUTDOWN_COMPLETE",
        "W1 READ_COMPLETE 0 bytes, CLOSE",
        "# the peer closes: 4000 \"done\"",
        "W1 CLOSE_COMPLETE",
        "W1 HANDLE_CLOSING W1",
    ];
    // How wide a column is does not matter.
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in told {
        assert!(words.contains(line), "{line} is missing:\n{out}");
    }
    let (code, json, _) = ws(&url, &["--json"], "/close\n");
    assert_eq!(code, Some(0), "{json}");
    assert!(!Trace::from_json_lines(&json).unwrap().events.is_empty());
}

#[test]
fn a_web_socket_over_tls() {
    let file = std::env::temp_dir().join(format!("portable-winhttp-ws-{}.pem", std::process::id()));
    let server = Serving::start_with(&["--tls", file.to_str().unwrap()]);
    let mut command = command(&["ws", &server.url("ws").replace("https://", "wss://")]);
    command.env("PORTABLE_WINHTTP_CA_FILE", &file);
    let (code, out, err) = fed(&mut command, "hello\n/wait\n");
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("# received UTF8_MESSAGE of 5 bytes: \"hello\"") && out.contains("CLOSE_COMPLETE"), "{out}");
    let _ = std::fs::remove_file(&file);
}

#[test]
fn web_sockets_that_go_wrong() {
    let server = Serving::start();
    let rows = [
        ("ws?close=1011&reason=broken", "", 0, "# the peer closes: 1011 \"broken\"", ""),
        ("ws?after=1&end", "x\n", 1, "operation RECEIVE", "12030"),
        ("ws?after=1&bad", "x\n", 1, "operation RECEIVE", "12152"),
        ("ws?colour=red", "", 1, "# the server answers 400: no web socket", "12019"),
        ("ws", "/dance\n", 2, "CLOSE_COMPLETE", "/dance: no such order"),
    ];
    for (path, lines, code, told, complaint) in rows {
        let (found, out, err) = ws(&server.url(path), &[], lines);
        assert_eq!(found, Some(code), "{path}: {out}{err}");
        assert!(out.contains(told) && err.contains(complaint), "{path}: {out}{err}");
    }
    assert_eq!(ws("nonsense", &[], "").0, Some(2));
}

#[test]
fn soak_ends_well_and_says_what_is_left() {
    for (words, line) in [
        (&["soak", "--requests", "1500"][..], "wrong 0, hung false, everything back at the start true"),
        (&["soak", "--open", "60", "--sockets", "20"], "cancelled 80, failed 0, everything back at the start true"),
    ] {
        let (code, output, errors) = run(words);
        assert_eq!(code, Some(0), "{words:?}: {output}{errors}");
        assert!(output.contains(line), "{words:?}: {output}");
    }
}

/// Every work runs, by both sides; how fast is no matter of tests.
#[test]
fn bench_prints_a_line_for_each_work() {
    let (code, out, err) = run(&["bench", "--quick", "--json"]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    let rows: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (works, figures): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row["ratio"].as_f64().is_some());
    assert!(works.len() >= 30 && figures.len() == 10, "{out}");
    assert!(works.iter().all(|row| row["winhttp"].as_f64() > Some(0.0) && row["other"].as_f64() > Some(0.0)), "{out}");
    let (code, out, _) = run(&["bench", "--quick", "WinHttpOpen"]);
    assert_eq!((code, out.lines().count()), (Some(0), 2), "{out}");
    assert_eq!(run(&["bench", "no such work"]).0, Some(2));
}

/// The example clients: what is found exits with 1, what holds with 0, and a schedule is played again.
#[test]
fn explore_shows_the_bugs_of_real_clients() {
    let (code, out, err) = run(&["explore", "second-read"]);
    assert_eq!(code, Some(1), "{out}{err}");
    for part in ["second-read: a second read begins", "  deviation 1: pace:", "W04", "again: WINHTTP_REPLAY="] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let last = out.lines().last().unwrap_or_default();
    let schedule = last.split(['=', ' ']).nth(2).unwrap_or_default();
    let (code, again, err) = run(&["explore", "second-read", "--replay", schedule]);
    assert_eq!(code, Some(1), "{again}{err}");
    assert!(again.contains("W04"), "{again}");
    let (code, out, err) = run(&["explore", "careful", "--runs", "30"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("no schedule fails"), "{out}");
    assert_eq!(run(&["explore", "nobody"]).0, Some(2));
}

#[test]
fn mistakes_are_explained_by_any_form_of_their_number() {
    let whole = run(&["explain", "W06"]);
    assert_eq!(whole.0, Some(0));
    for part in ["wrong", "right", "In a test: ", "Stop::ReadBufferTouched"] {
        assert!(whole.1.contains(part), "{part}: {}", whole.1);
    }
    for id in ["w06", "w6", "6"] {
        assert_eq!(run(&["explain", id]), whole, "{id}");
    }
    assert_eq!(run(&["explain", "20"]).0, Some(2));
}

/// A request that gets no answer: what is known is printed, in time.
#[test]
fn a_trace_ends_when_it_is_told_to() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (code, out, err) = run(&["trace", &url, "--timeout", "0.5"]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(out.contains("SENDING_REQUEST") && err.contains("no end after 0.5 s"), "{out}{err}");
    let (_, svg, _) = run(&["trace", &url, "--svg", "--timeout", "0.5"]);
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
}
