//! Standard output, a file, a bar.

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::End;
use super::exchange::Sink;

/// Prints to standard output. Who closed it wants no more, which is no error.
pub fn print(text: &str) -> End {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            complain(&format!("cannot write to standard output: {error}"));
            End::Badly
        }
        _ => End::Well,
    }
}

/// Says on standard error what went wrong.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "portable-winhttp: {text}");
}

/// The body of a reply on its way to a file or to nowhere, with a bar if it is long and somebody looks.
pub struct Download {
    file: Option<BufWriter<File>>,
    watched: bool,
    begun: Instant,
    length: Option<u64>,
    received: u64,
    bar: Option<ProgressBar>,
}

/// A body of more bytes has a bar at once.
const LONG: u64 = 1_000_000;
/// A body of unknown length has a bar after this time.
const PATIENCE: Duration = Duration::from_secs(1);

impl Download {
    /// Writes to `file`, if there is one.
    pub fn new(file: Option<File>) -> Download {
        let watched = io::stderr().is_terminal();
        let file = file.map(BufWriter::new);
        Download { file, watched, begun: Instant::now(), length: None, received: 0, bar: None }
    }

    fn wants_bar(&self) -> bool {
        self.watched
            && self.bar.is_none()
            && self.length.map_or_else(|| self.begun.elapsed() > PATIENCE, |length| length > LONG)
    }
}

impl Sink for Download {
    fn begin(&mut self, length: Option<u64>) {
        self.begun = Instant::now();
        self.length = length;
    }

    fn part(&mut self, part: &[u8]) -> io::Result<()> {
        self.received += part.len() as u64;
        if self.wants_bar() {
            let template = match self.length {
                Some(_) => "{wide_bar} {bytes}/{total_bytes} {bytes_per_sec}",
                None => "{spinner} {bytes} {bytes_per_sec}",
            };
            let style = ProgressStyle::with_template(template).expect("the template is a constant");
            let bar = self.length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
            self.bar = Some(bar.with_style(style));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.received);
        }
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(part))
    }

    fn end(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.flush())
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
