//! `portable-winhttp ws URL`: a web socket driven by lines of standard input, with its records as they come.

use std::collections::VecDeque;
use std::io::BufRead;
use std::sync::Arc;
use std::time::Instant;

use portable_winhttp::record::{Notification, Recorder, Table, Trace, WebSocketOperation};
use portable_winhttp::win32::*;

use super::End;
use super::arguments::Ws;
use super::output::{complain, print};
use super::socket::kind_name;
use super::winhttp::{Client, Failure, Word, crack_url};

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Order {
    Send(i32, Vec<u8>),
    /// Goes on when so many more messages have come.
    Wait(u64),
    Shutdown(u16, String),
    Close(u16, String),
    Quit,
}

/// The words of a line, for who types something else.
pub const ORDERS: &str = "\
Each line of standard input is sent as a text message. Lines that begin with a slash are orders:
  //TEXT                     the text /TEXT
  /fragment TEXT             a fragment of a text message
  /binary HEX                a binary message
  /wait [N]                  goes on when N more messages have come (1)
  /shutdown [STATUS [TEXT]]  sends the close frame (1000), and goes on receiving
  /close [STATUS [TEXT]]     closes
  /quit                      closes the handle as it is
The end of the input is /shutdown. A line that is no order is told, and the exit code is 2.
";

/// Opens the web socket and does what the lines say.
pub fn run(arguments: &Ws) -> End {
    let start = Instant::now();
    let recorder = Arc::new(Recorder::new(Box::new(move || start.elapsed())));
    let url = match arguments.url.split_once("://") {
        Some(("ws", rest)) => format!("http://{rest}"),
        Some(("wss", rest)) => format!("https://{rest}"),
        _ => arguments.url.clone(),
    };
    let target = match crack_url(&url) {
        Ok(target) => target,
        Err(error) => {
            complain(&format!("{}: {error}", arguments.url));
            return End::Usage;
        }
    };
    let mut printer =
        Printer { recorder: Arc::clone(&recorder), json: arguments.json, printed: 0, table: Table::default() };
    let outcome = Client::open(recorder, false).and_then(|mut client| {
        client.request("GET", &target)?;
        for header in &arguments.headers {
            client.add_header(header)?;
        }
        client.ask_for_web_socket()?;
        client.send(Vec::new(), 0)?;
        client.receive()?;
        let status = client.status()?;
        if status != 101 {
            client.recorder.note(&format!("the server answers {status}: no web socket"));
        }
        client.upgrade()?;
        printer.print();
        converse(&mut client, &mut printer)
    });
    printer.print();
    match outcome {
        Ok(true) => End::Well,
        Ok(false) => End::Usage,
        Err(problem) => {
            complain(&problem.to_string());
            End::Badly
        }
    }
}

/// Sends, receives and closes until the web socket is closed. Answers whether every line was an order.
fn converse(client: &mut Client, printer: &mut Printer) -> Result<bool, Failure> {
    let lines = client.sender();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if lines.send(Word::Line(Some(line))).is_err() {
                return;
            }
        }
        let _ = lines.send(Word::Line(None));
    });
    let mut orders = VecDeque::new();
    // Messages that came, and how many /wait asks for; whether a Send or our close frame is under way.
    let (mut came, mut awaited, mut sending, mut shut) = (0, 0, false, false);
    let mut understood = true;
    client.receive_message()?;
    loop {
        while !sending && came >= awaited {
            let Some(order) = orders.pop_front() else { break };
            match order {
                Order::Send(kind, data) => {
                    client.send_message(kind, &data)?;
                    sending = true;
                }
                Order::Wait(count) => awaited += count,
                Order::Shutdown(status, reason) if !shut => {
                    client.shutdown(status, &reason)?;
                    (sending, shut) = (true, true);
                }
                Order::Shutdown(..) => {}
                Order::Close(status, reason) => {
                    client.close(status, &reason)?;
                    (sending, shut) = (true, true);
                }
                Order::Quit => return Ok(understood),
            }
        }
        printer.print();
        match client.next() {
            Word::Line(Some(line)) => match order(&line) {
                Ok(order) => orders.push_back(order),
                Err(what) => {
                    complain(&what);
                    understood = false;
                }
            },
            Word::Line(None) => orders.push_back(Order::Shutdown(1000, String::new())),
            Word::Completion(Notification::WebSocketWriteComplete { .. } | Notification::ShutdownComplete) => {
                sending = false;
            }
            Word::Completion(Notification::WebSocketReadComplete { bytes, buffer_type }) => {
                if buffer_type == WINHTTP_WEB_SOCKET_CLOSE_BUFFER_TYPE {
                    let (status, reason) = client.close_status()?;
                    client.recorder.note(&format!("the peer closes: {status} {reason:?}"));
                    client.close(if status == 1005 { 1000 } else { status }, "")?;
                    (sending, shut) = (true, true);
                    continue;
                }
                let shown = show(buffer_type, client.message(bytes));
                client.recorder.note(&shown);
                came += u64::from(!kind_name(buffer_type).ends_with("FRAGMENT"));
                client.receive_message()?;
            }
            Word::Completion(Notification::CloseComplete) => return Ok(understood),
            Word::Completion(Notification::WebSocketError { result, operation }) => {
                // Close has taken the place of a Receive.
                let cancelled = result.error == ERROR_WINHTTP_OPERATION_CANCELLED;
                if !(cancelled && operation == WebSocketOperation::Receive as i32) {
                    return Err(Failure::WebSocket { operation, error: result.error });
                }
            }
            Word::Completion(_) | Word::Closed => {}
        }
    }
}

/// Understands a line.
fn order(line: &str) -> Result<Order, String> {
    let text = |kind: i32, text: &str| Ok(Order::Send(kind, text.as_bytes().to_vec()));
    let Some(rest) = line.strip_prefix('/') else { return text(WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, line) };
    if rest.starts_with('/') {
        return text(WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE, rest);
    }
    let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let closing = || {
        let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        let status = if status.is_empty() { Ok(1000) } else { status.parse() };
        status.map(|status| (status, reason.to_owned())).map_err(|_| format!("{line}: a status is a number"))
    };
    match word {
        "fragment" => text(WINHTTP_WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE, rest),
        "binary" => {
            let bytes = hexadecimal(rest).ok_or_else(|| format!("{line}: expected pairs of hexadecimal digits"))?;
            Ok(Order::Send(WINHTTP_WEB_SOCKET_BINARY_MESSAGE_BUFFER_TYPE, bytes))
        }
        "wait" if rest.is_empty() => Ok(Order::Wait(1)),
        "wait" => rest.parse().map(Order::Wait).map_err(|_| format!("{line}: expected a number")),
        "shutdown" => closing().map(|(status, reason)| Order::Shutdown(status, reason)),
        "close" => closing().map(|(status, reason)| Order::Close(status, reason)),
        "quit" => Ok(Order::Quit),
        _ => Err(format!("{line}: no such order\n{ORDERS}")),
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let pair = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok().filter(|text| text.len() == 2)?;
        u8::from_str_radix(text, 16).ok()
    };
    digits.chunks(2).map(pair).collect()
}

/// What came, in one line.
fn show(kind: i32, bytes: &[u8]) -> String {
    const SHOWN: usize = 400;
    let (some, more) = (&bytes[..bytes.len().min(SHOWN)], if bytes.len() > SHOWN { "..." } else { "" });
    let text = match kind {
        WINHTTP_WEB_SOCKET_UTF8_MESSAGE_BUFFER_TYPE | WINHTTP_WEB_SOCKET_UTF8_FRAGMENT_BUFFER_TYPE => {
            format!("{:?}", String::from_utf8_lossy(some))
        }
        _ => some.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    format!("received {} of {} bytes: {text}{more}", kind_name(kind), bytes.len())
}

/// Prints each record once, as soon as it is asked.
struct Printer {
    recorder: Arc<Recorder>,
    json: bool,
    printed: usize,
    table: Table,
}

impl Printer {
    fn print(&mut self) {
        let trace = self.recorder.finish();
        let new = trace.events[self.printed..].to_vec();
        let first = std::mem::replace(&mut self.printed, trace.events.len()) == 0;
        let text = if self.json {
            // The line that says what follows is written once.
            Trace { events: new }.to_json_lines().split_inclusive('\n').skip(usize::from(!first)).collect()
        } else {
            self.table.rows(&new)
        };
        print(&text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_orders() {
        let text = |text: &str| Ok(Order::Send(2, text.as_bytes().to_vec()));
        let rows = [
            ("hello", text("hello")),
            ("", text("")),
            ("//etc", text("/etc")),
            ("/fragment a b", Ok(Order::Send(3, b"a b".to_vec()))),
            ("/binary 00 fFa1", Ok(Order::Send(0, vec![0, 0xFF, 0xA1]))),
            ("/wait", Ok(Order::Wait(1))),
            ("/wait 7", Ok(Order::Wait(7))),
            ("/close", Ok(Order::Close(1000, String::new()))),
            ("/close 4000 so long", Ok(Order::Close(4000, "so long".to_owned()))),
            ("/shutdown 1001", Ok(Order::Shutdown(1001, String::new()))),
            ("/quit", Ok(Order::Quit)),
        ];
        for (line, expected) in rows {
            assert_eq!(order(line), expected, "{line:?}");
        }
        for line in ["/binary 0", "/binary xy", "/wait x", "/close x", "/close 70000", "/dance"] {
            assert!(order(line).is_err(), "{line:?}");
        }
    }
}
