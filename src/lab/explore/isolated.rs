//! Schedules in processes of their own: one that dies names the schedule in which it does.
//!
//! A child is the same test of the same program, with a variable that says which part it explores and where it writes. It
//! writes each choice before it is carried out, and its result at the end, and ends as soon as it has.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::footprint::Footprint;
use super::report::Exploration;
use super::{Budget, Explore};
use crate::lab::choices::{Choice, Choices, Offers};
use crate::lab::chooser::{Candidate, Chooser, Point};
use crate::lab::environment;
use crate::sync::Mutex;

/// Tells a child what it is: `2/8 /tmp/x tests/a.rs:7:5`.
const VARIABLE: &str = "WINHTTP_ISOLATED";
/// How much of what a child has said stands in a report.
const SAID: usize = 4000;
/// How long a schedule may take that is played alone.
const ALONE: Duration = Duration::from_secs(30);
/// The code with which a test program ends of which a test fails.
const FAILED: i32 = 101;

/// Where the choices of the run under way are written, in a child.
static NOTED: Mutex<Option<File>> = Mutex::new(None);

/// What a child is to do.
pub struct Role {
    part: usize,
    of: usize,
    folder: PathBuf,
    at: String,
}

/// What this process is, if it is a child.
pub fn role() -> Option<Role> {
    let value = crate::variables::value(VARIABLE)?.into_string().ok()?;
    let mut words = value.splitn(3, ' ');
    let (part, of) = words.next()?.split_once('/')?;
    let (at, folder) = (words.next()?.to_owned(), PathBuf::from(words.next()?));
    Some(Role { part: part.parse().ok()?, of: of.parse().ok()?, folder, at })
}

/// Which part of how many, from 1.
type Shard = Option<(usize, usize)>;

/// A part of a part: the `inner`-th of `of` parts of what `shard` is.
fn shard_of(shard: Shard, inner: usize, of: usize) -> (usize, usize) {
    let (part, parts) = shard.unwrap_or((1, 1));
    (part + parts * (inner - 1), parts * of)
}

impl Role {
    /// Whether it is about the exploration at this place of the program.
    pub fn is_about(&self, at: &Location<'_>) -> bool {
        self.at == at.to_string().replace(' ', "_")
    }

    /// The options of this part.
    pub fn options(&self, whole: &Explore) -> Explore {
        let mut options = whole.clone();
        options.isolated = None;
        if let Some(Budget::Runs(runs)) = options.budget {
            options.budget = Some(Budget::Runs(runs.div_ceil(self.of)));
        }
        if let Some(file) = &mut options.resume {
            file.as_mut_os_string().push(format!(".{}", self.part));
        }
        if let Ok(file) = File::create(self.folder.join(format!("{}.choices", self.part))) {
            *NOTED.lock() = Some(file);
        }
        options
    }

    /// Writes the result, and ends the process: what the test does with a part is of no interest.
    pub fn end(&self, result: &Result<Exploration, String>) -> ! {
        let written = serde_json::to_vec(result).map_err(std::io::Error::other);
        let file = self.folder.join(format!("{}.json", self.part));
        if let Err(error) = written.and_then(|text| fs::write(file, text)) {
            eprintln!("the result of a part cannot be written: {error}");
        }
        std::process::exit(0)
    }
}

/// A chooser whose choices are written before they are carried out.
struct Noting(Box<dyn Chooser>);

impl Chooser for Noting {
    fn choose(&mut self, point: Point<'_>, options: usize) -> usize {
        let taken = self.0.choose(point, options);
        let (kind, label) = (point.kind(), point.label(taken));
        note(&format!("{:#} ", Choice { kind, taken: taken as u32, options: options as u32, label }), false);
        taken
    }

    fn stopped(&self) -> Option<String> {
        self.0.stopped()
    }

    fn forced(&mut self, only: &Candidate) {
        self.0.forced(only);
    }

    fn touched(&mut self, what: &Footprint) {
        self.0.touched(what);
    }

    fn rested(&mut self) {
        self.0.rested();
    }
}

/// Writes to the file of a child; from its beginning when a run begins.
fn note(text: &str, begins: bool) {
    let mut noted = NOTED.lock();
    let Some(file) = &mut *noted else { return };
    if begins {
        let _ = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
    }
    let _ = file.write_all(text.as_bytes());
}

/// Whether this process runs a part of the schedules.
pub fn is_child() -> bool {
    NOTED.lock().is_some()
}

/// A run begins with this chooser: in a child its choices are written.
pub fn noted(chooser: Box<dyn Chooser>, offers: Offers) -> Box<dyn Chooser> {
    if !is_child() {
        return chooser;
    }
    note(&if offers == Offers::default() { String::new() } else { format!("+{offers} ") }, true);
    Box::new(Noting(chooser))
}

/// The folder of an exploration, gone when it is over.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Folder, String> {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("portable-winhttp-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The arguments with which this program comes to the same exploration.
fn arguments() -> Vec<OsString> {
    match thread::current().name().filter(|name| *name != "main") {
        Some(test) => {
            [test, "--exact", "--include-ignored", "--nocapture", "--test-threads=1"].map(Into::into).to_vec()
        }
        None => std::env::args_os().skip(1).collect(),
    }
}

fn start(part: usize, of: usize, folder: &Path, at: &Location<'_>, shard: Shard) -> Result<Child, String> {
    let failed = |error: std::io::Error| format!("a process for a part of the schedules does not start: {error}");
    let said = File::create(folder.join(format!("{part}.said"))).map_err(failed)?;
    let place = at.to_string().replace(' ', "_");
    let (mine, all) = shard_of(shard, part, of);
    Command::new(std::env::current_exe().map_err(failed)?)
        .args(arguments())
        .env(VARIABLE, format!("{part}/{of} {place} {}", folder.display()))
        .env("WINHTTP_SHARD", format!("{mine}/{all}"))
        .stdin(Stdio::null())
        .stdout(said.try_clone().map_err(failed)?)
        .stderr(said)
        .spawn()
        .map_err(failed)
}

/// Explores a part, or all, in so many processes.
pub fn explore(processes: usize, at: &Location<'_>, shard: Shard) -> Result<Exploration, String> {
    let folder = Folder::make()?;
    let mut children = Vec::new();
    for part in 1..=processes {
        children.push(start(part, processes, &folder.0, at, shard)?);
    }
    let mut whole: Option<Exploration> = None;
    let mut failed = None;
    for (number, mut child) in children.into_iter().enumerate() {
        let status = child.wait().map_err(|error| error.to_string())?;
        match ended(&folder.0, number + 1, status) {
            Ok(part) => {
                whole = Some(match whole.take() {
                    Some(whole) => whole.merge(part),
                    None => part,
                });
            }
            Err(report) => drop(failed.get_or_insert(report)),
        }
    }
    match failed {
        Some(report) => Err(report),
        None => Ok(whole.unwrap_or_default()),
    }
}

/// How a process ends that plays this schedule and no other, if it does so in time.
fn alone(choices: &Choices) -> Option<ExitStatus> {
    let mut command = Command::new(std::env::current_exe().ok()?);
    command.args(arguments()).env("WINHTTP_REPLAY", choices.trimmed().to_string());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    let began = Instant::now();
    while began.elapsed() < ALONE {
        if let Some(status) = child.try_wait().ok()? {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    child.wait().ok();
    None
}

/// What playing the schedule alone says of a process that ended like this.
fn said_alone(died: ExitStatus, alone: Option<ExitStatus>) -> Option<&'static str> {
    match alone {
        _ if died.success() => None,
        None => Some("alone, this schedule does not come to an end"),
        Some(alone) if alone.success() => Some(
            "alone, this schedule passes: an earlier one in the same process damaged memory; AddressSanitizer finds where \
             (see the guide, memory errors)",
        ),
        Some(alone) if alone.code() == Some(FAILED) && died.code() != Some(FAILED) => Some(
            "alone, this schedule fails in another way: the test fails, or the replay diverges; an earlier schedule in the \
             same process damaged memory, or something decides that no Sim governs",
        ),
        Some(_) => None,
    }
}

/// What became of a child.
fn ended(folder: &Path, part: usize, status: ExitStatus) -> Result<Exploration, String> {
    let file = |kind: &str| folder.join(format!("{part}.{kind}"));
    if let Some(result) = fs::read(file("json")).ok().and_then(|text| serde_json::from_slice(&text).ok()) {
        return result;
    }
    let mut lines = vec![format!("a schedule ends its process: {status}")];
    let said = fs::read(file("said")).map(|said| String::from_utf8_lossy(&said).into_owned()).unwrap_or_default();
    let from = said.char_indices().rev().nth(SAID).map_or(0, |(place, _)| place);
    lines.extend(said[from..].lines().map(|line| format!("  {line}")));
    match fs::read_to_string(file("choices")).ok().and_then(|text| text.parse::<Choices>().ok()) {
        Some(choices) => {
            lines.push(format!("the schedule: {}", choices.trimmed().long()));
            lines.extend(said_alone(status, alone(&choices)).map(str::to_owned));
            lines.push(environment::again(&choices));
        }
        None => lines.push("it had not come to the exploration".to_owned()),
    }
    Err(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of a part are together that part.
    #[test]
    fn parts_of_parts() {
        for (part, of) in [(1, 1), (1, 3), (2, 3), (3, 3)] {
            let whole: Vec<usize> = (0..60).filter(|index| index % of == part - 1).collect();
            let mut together: Vec<usize> = (1..=4)
                .flat_map(|inner| {
                    let (mine, all) = shard_of(Some((part, of)), inner, 4);
                    (0..60).filter(move |index| index % all == mine - 1)
                })
                .collect();
            together.sort_unstable();
            assert_eq!(together, whole);
        }
    }
}
