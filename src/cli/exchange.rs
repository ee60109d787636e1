//! One request from beginning to end, with its record.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use portable_winhttp::record::{Recorder, Trace};
use portable_winhttp::win32::WINHTTP_QUERY_CONTENT_LENGTH;

use super::winhttp::{Client, Failure, Target};

/// What to ask for.
pub struct Exchange {
    pub target: Target,
    pub method: String,
    /// `Name: value`, each.
    pub headers: Vec<String>,
    pub body: Body,
    pub synchronous: bool,
    /// Whether HTTP/2 may be spoken.
    pub http2: bool,
}

/// The body of the request.
pub enum Body {
    None,
    /// Given to WinHttpSendRequest.
    Optional(Vec<u8>),
    /// Announced to WinHttpSendRequest, and given to WinHttpWriteData.
    Written(Vec<u8>),
}

/// What came of it.
pub struct Outcome {
    pub trace: Trace,
    /// The status code.
    pub result: Result<u32, Problem>,
}

/// Why there is no reply, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error(transparent)]
    WinHttp(#[from] Failure),
    #[error("cannot write the body: {0}")]
    Output(#[from] io::Error),
}

/// Where the body of the reply goes.
pub trait Sink {
    /// The body begins; its length, if the server told it.
    fn begin(&mut self, _length: Option<u64>) {}

    /// The next part of the body.
    fn part(&mut self, part: &[u8]) -> io::Result<()>;

    /// Nothing comes any more.
    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Vec<u8> {
    fn part(&mut self, part: &[u8]) -> io::Result<()> {
        self.write_all(part)
    }
}

/// A recorder whose time begins.
pub fn new_recorder() -> Arc<Recorder> {
    let start = Instant::now();
    Arc::new(Recorder::new(Box::new(move || start.elapsed())))
}

/// Reads in the record; a long body is read on without it.
const RECORDED_READS: u32 = 32;

impl Exchange {
    /// Runs the request and closes its handles.
    pub fn run(&self, sink: &mut dyn Sink) -> Outcome {
        let recorder = new_recorder();
        let result = self.recorded(&recorder, sink);
        Outcome { trace: recorder.finish(), result }
    }

    /// [`run`](Exchange::run) with a recorder that others look into meanwhile.
    pub fn recorded(&self, recorder: &Arc<Recorder>, sink: &mut dyn Sink) -> Result<u32, Problem> {
        self.drive(recorder, sink)
    }

    fn drive(&self, recorder: &Arc<Recorder>, sink: &mut dyn Sink) -> Result<u32, Problem> {
        let mut client = Client::open(recorder.clone(), self.synchronous)?;
        if self.http2 {
            client.enable_http2()?;
        }
        client.request(&self.method, &self.target)?;
        for header in &self.headers {
            client.add_header(header)?;
        }
        let (optional, total) = match &self.body {
            Body::None => (Vec::new(), 0),
            Body::Optional(data) => (data.clone(), data.len()),
            Body::Written(data) => (Vec::new(), data.len()),
        };
        let sent = client.send(optional, total as u32);
        if self.target.secure {
            for line in client.security() {
                recorder.note(&line);
            }
        }
        sent?;
        if let Body::Written(data) = &self.body {
            client.write(data)?;
        }
        client.receive()?;
        let status = client.status()?;
        sink.begin(client.header(WINHTTP_QUERY_CONTENT_LENGTH).and_then(|length| length.trim().parse().ok()));
        let length = read_body(&mut client, recorder, sink)?;
        sink.end()?;
        recorder.note(&format!("status {status}, {length} bytes of body"));
        Ok(status)
    }
}

fn read_body(client: &mut Client, recorder: &Recorder, sink: &mut dyn Sink) -> Result<u64, Problem> {
    let mut length = 0;
    for _ in 0..RECORDED_READS {
        let available = client.available()?;
        if available == 0 {
            return Ok(length);
        }
        let part = client.read(available)?;
        length += part.len() as u64;
        sink.part(part)?;
    }
    recorder.note("the reads that follow are not recorded");
    client.stop_recording_reads();
    loop {
        let part = client.read(u32::MAX)?;
        if part.is_empty() {
            return Ok(length);
        }
        length += part.len() as u64;
        sink.part(part)?;
    }
}
