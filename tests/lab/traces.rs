//! What a Sim has seen: as text, as a picture, as a fixture.

use std::process::Command;
use std::time::Duration;

use portable_winhttp::lab::{Fault, Reply, Sim, any, get};
use portable_winhttp::record::{Event, EventKind, Trace, Traffic};
use windows_sys::Win32::Networking::WinHttp::*;

use crate::careful::Careful;
use crate::fetch::{Fetch, complaint};
use crate::support::*;

/// A request that is redirected, with a cookie, and answered in pieces.
fn recorded() -> Trace {
    let sim = Sim::new();
    let api = sim.peer("https://api.test");
    api.on(get("/items")).reply(Reply::redirect("/all").header("Set-Cookie", "id=secret"));
    let items =
        Reply::ok().body(vec![0xff; 20]).chunks([9, 9]).between(Duration::from_secs(2)).delay(Duration::from_secs(7));
    api.on(get("/all")).reply(items);
    let client = Careful::start("api.test", "/items", true);
    sim.block_until(|| client.closed());
    assert_eq!(client.outcome(), Some(Ok(vec![0xff; 20])));
    sim.trace()
}

#[test]
fn a_recorded_trace_is_played_again() {
    let trace = recorded();
    let path = std::env::temp_dir().join(format!("portable-winhttp-{}.jsonl", std::process::id()));
    trace.write(&path).unwrap();
    assert_eq!(Trace::read(&path).unwrap(), trace);

    let sim = Sim::replay(&path);
    let client = Careful::start("api.test", "/items", true);
    sim.block_until(|| client.closed());
    assert_eq!(client.outcome(), Some(Ok(vec![0xff; 20])));
    assert_eq!(sim.trace().callbacks(), Trace::read(&path).unwrap().callbacks());
    assert_eq!(sim.elapsed(), Duration::from_secs(13));
    drop(sim);
    std::fs::remove_file(&path).unwrap();
}

/// Failures are played again, too, at their place.
#[test]
fn recorded_failures_are_played_again() {
    let faults = [
        Fault::refuse(),
        Fault::at(portable_winhttp::lab::Stage::Tls).secure(0x10),
        Fault::at(portable_winhttp::lab::Stage::Head).reset(),
        Fault::at(portable_winhttp::lab::Stage::Read).reset(),
    ];
    for fault in faults {
        let sim = Sim::new();
        let api = sim.peer("https://api.test");
        api.fault(fault.clone()).on(get("/")).reply(Reply::ok().body("0123456789"));
        let client = Careful::start("api.test", "/", true);
        sim.block_until(|| client.closed());
        let (outcome, trace) = (client.outcome(), sim.trace());
        assert!(matches!(outcome, Some(Err(_))), "{fault}");
        drop(sim);

        let sim = Sim::replaying(&trace);
        let client = Careful::start("api.test", "/", true);
        sim.block_until(|| client.closed());
        assert_eq!(client.outcome(), outcome, "{fault}");
        assert_eq!(sim.trace().callbacks(), trace.callbacks(), "{fault}");
    }
}

#[test]
fn other_calls_than_recorded_fail_the_replay() {
    let trace = recorded();
    let report = complaint(|| {
        let sim = Sim::replaying(&trace);
        let client = Careful::start("api.test", "/other", true);
        sim.block_until(|| client.closed());
    });
    assert!(report.contains("no rule for GET /other"), "{report}");
    assert!(report.contains("was recorded,"), "{report}");
    let lost = complaint(|| drop(Sim::replaying(&trace)));
    assert!(lost.contains("call 1 on no handle: WinHttpOpen was recorded, nothing was made"), "{lost}");
}

#[test]
fn traces_keep_no_secrets() {
    let json = recorded().to_json_lines();
    assert!(json.starts_with("{\"trace\":1,\"secrets\":\"redacted\"}\n"), "{json}");
    assert!(json.contains("Set-Cookie") && !json.contains("id=secret"), "{json}");
}

#[test]
fn callbacks_alone() {
    let callbacks = recorded().callbacks();
    assert!(!callbacks.contains("WinHttp") && !callbacks.contains("192.0.2"), "{callbacks}");
    let line = |text: &str| callbacks.lines().any(|line| line == text);
    assert!(line("R1  SENDREQUEST_COMPLETE  ctx1"), "{callbacks}");
    assert!(line("R1  REDIRECT https://api.test/all  ctx1"), "{callbacks}");
    assert_eq!(callbacks.lines().last(), Some("S1  HANDLE_CLOSING S1  0"), "{callbacks}");
}

/// The picture is well-formed, has what happened, and takes nothing from elsewhere.
#[test]
fn a_picture() {
    let trace = recorded();
    let svg = trace.to_svg();
    if let Ok(path) = std::env::var("LAB_SVG") {
        std::fs::write(path, &svg).unwrap();
    }
    for part in [
        "caller",
        "network",
        "WinHttpSendRequest",
        "R1  HEADERS_AVAILABLE",
        "GET https://api.test:443/items",
        "7 s later",
        "0.000 ms",
    ] {
        assert!(svg.contains(part), "{part}");
    }
    assert!(!svg.contains("href") && !svg.contains("url(http"), "{svg}");
    let opened = svg.matches('<').count() - svg.matches("</").count() - svg.matches("/>").count();
    assert_eq!(opened, svg.matches("</").count());
    // The time stands where it changes; a mistake stands out.
    let clocks: Vec<&str> = svg.lines().filter(|line| line.contains("class=\"clock\"")).collect();
    let texts: Vec<&str> = clocks.iter().filter_map(|line| line.split('>').nth(1)).collect();
    assert!(texts.windows(2).all(|two| two[0] != two[1]), "{texts:?}");
    let mut wrong = trace.clone();
    wrong.events[0].what = EventKind::Note("W08 error: R1 is used after it was closed".to_owned());
    assert!(wrong.to_svg().contains("<rect class=\"mistake-error\""));
    // Any text may stand in a trace.
    let mut odd = trace.clone();
    odd.events.truncate(1);
    odd.events[0].what = EventKind::Note("<b>&\u{1}\"\u{ffff}".to_owned());
    assert!(odd.to_svg().contains("&lt;b&gt;&amp;\u{fffd}&quot;\u{fffd}"), "{}", odd.to_svg());
    assert!(Trace::default().to_svg().ends_with("</svg>\n"));
}

#[test]
#[ignore = "the program of the test below"]
fn fetch_over_sockets() {
    let port = serve_always("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    let fetch = Fetch::at(port, "GET", "/items", "");
    fetch.record.wait(WINHTTP_CALLBACK_STATUS_HANDLE_CLOSING);
}

/// What the environment makes of a program: its trace.
fn traced(test: &str, format: &str, environment: &[(&str, &str)]) -> (String, u32) {
    use std::os::unix::fs::PermissionsExt;
    let name = format!("portable-winhttp-{test}-{format}-{}-{}", environment.len(), std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--ignored", "--exact", &format!("traces::{test}")]).envs(environment.iter().copied());
    program.env("WINHTTP_TRACE", format!("{format}:{}", path.display()));
    assert!(program.output().unwrap().status.success());
    let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    (text, mode)
}

#[test]
#[ignore = "the program of the test below"]
fn secrets_over_sockets() {
    let port = serve_always(
        "HTTP/1.1 302 Found\r\nLocation: /2?token=hidden1\r\nX-Auth-Token: hidden2\r\nWWW-Authenticate: Negotiate hidden3\r\n\
         Authentication-Info: hidden4\r\nContent-Length: 7\r\n\r\nprivate",
    );
    let client = Client::new(false, port);
    let request = client.request("POST", "/1?page=secondly", &Record::new());
    let headers = wide("X-Api-Key: hidden5\r\nX-Amz-Security-Token: hidden6\r\nAuthorization: Bearer hidden7");
    // SAFETY: text and bytes that live longer than the call.
    unsafe { WinHttpSendRequest(request, headers.as_ptr(), u32::MAX, b"private".as_ptr().cast(), 7, 7, 0) };
    receive(request);
    close(request);
    client.close();
}

/// WINHTTP_TRACE keeps no secrets, in no format; queries and bodies only where they were asked for. Nobody else may read it.
#[test]
fn traces_of_programs_keep_no_secrets() {
    for format in ["text", "jsonl", "mermaid", "svg"] {
        let (text, mode) = traced("secrets_over_sockets", format, &[]);
        assert!(text.contains("WinHttpSendRequest"), "{format}: {text}");
        for secret in ["hidden", "private", "secondly"] {
            assert!(!text.contains(secret), "{secret} in {format}: {text}");
        }
        assert_eq!(mode, 0o600, "{format}");
    }
    let (text, _) = traced("secrets_over_sockets", "jsonl", &[("WINHTTP_TRACE_CONTENT", "1")]);
    assert!(text.contains("private") && text.contains("secondly") && !text.contains("hidden"), "{text}");
    assert_eq!(Trace::from_json_lines(&text).unwrap().to_json_lines(), text);
}

#[test]
#[ignore = "the program of the test below"]
fn many_sessions() {
    for _ in 0..3000 {
        Client::new(true, 80).close();
    }
}

/// A trace is written once, as it comes, not again and again; a diagram has a bound.
#[test]
fn a_long_trace_is_a_stream() {
    let (text, _) = traced("many_sessions", "jsonl", &[]);
    let trace = Trace::from_json_lines(&text).unwrap();
    let calls = |name: &str| {
        let called = |event: &&Event| matches!(&event.what, EventKind::Call { function, .. } if function == name);
        trace.events.iter().filter(called).count()
    };
    assert_eq!((calls("WinHttpOpen"), calls("WinHttpCloseHandle")), (3000, 6000));
    assert!(trace.events.windows(2).all(|two| two[0].at <= two[1].at), "in order");
    let (diagram, _) = traced("many_sessions", "mermaid", &[]);
    assert!(diagram.lines().count() < 15_000, "{}", diagram.lines().count());
}

/// What a program did over sockets, recorded by WINHTTP_TRACE, is played in a Sim: the same callbacks.
#[test]
fn what_happened_over_sockets_is_played_again() {
    let path = std::env::temp_dir().join(format!("portable-winhttp-live-{}.jsonl", std::process::id()));
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--ignored", "--exact", "traces::fetch_over_sockets"]);
    program.env("WINHTTP_TRACE", format!("jsonl:{}", path.display())).env("WINHTTP_TRACE_CONTENT", "1");
    assert!(program.output().unwrap().status.success());

    let recorded = Trace::read(&path).unwrap();
    let port = recorded.events.iter().find_map(|event| match &event.what {
        EventKind::Traffic { traffic: Traffic::Request { origin, .. }, .. } => origin.rsplit(':').next()?.parse().ok(),
        _ => None,
    });
    let sim = Sim::replay(&path);
    let fetch = Fetch::at(port.expect("a request was recorded"), "GET", "/items", "");
    sim.block_until(|| fetch.done());
    assert_eq!(fetch.result().as_deref(), Ok("hello"));
    drop(fetch);
    // The program may have ended before the last HANDLE_CLOSING of its session.
    let of_request = |trace: &Trace| -> Vec<String> {
        trace.callbacks().lines().filter(|line| line.starts_with("R1")).map(str::to_owned).collect()
    };
    assert_eq!(of_request(&sim.trace()), of_request(&recorded));
    std::fs::remove_file(path).unwrap();
}

/// One label for each thread of the system, whatever it does; the program's threads have their names.
#[test]
fn threads_are_named() {
    let sim = Sim::new();
    sim.peer("http://a.test").on(any()).reply(Reply::ok().body("0123"));
    let client = Careful::start("a.test", "/", false);
    let gate = sim.gate("closed");
    let closes = gate.clone();
    sim.actor("the user", move || {
        client.cancel();
        closes.open();
    });
    sim.block_until(|| client.closed() && gate.is_open());
    let table = sim.trace().to_table();
    assert!(table.contains("the user"), "{table}");
    let labels: Vec<(u32, String)> = sim
        .trace()
        .events
        .iter()
        .zip(table.lines().skip(1))
        .map(|(event, line)| {
            let mut cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
            (event.thread.number, cells.nth(1).unwrap_or_default().to_owned())
        })
        .collect();
    for (number, label) in &labels {
        let other = labels.iter().find(|(known, name)| (known == number) != (name == label));
        assert_eq!(other, None, "{label}: {table}");
    }
    let svg = sim.trace().to_svg();
    for lane in ["caller 1", "the user", "network"] {
        assert!(svg.contains(&format!(">{lane}</text>")), "{lane}: {svg}");
    }
    assert!(sim.trace().to_mermaid().contains(" as the user\n"));
}
