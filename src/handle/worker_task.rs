//! What workers do for resolvers: settings, names, scripts.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Once};
use std::time::{Duration, UNIX_EPOCH};

use crate::http::proxy::UserSettings;
#[cfg(not(feature = "pac"))]
use crate::http::proxy::pac;
use crate::http::proxy::pac::{Date, Host, Limits, ScriptError};
#[cfg(feature = "pac")]
use crate::http::proxy::pac::{run as run_script, run_apart};
use crate::machine::resolver::{TaskResult, WorkerTask};
use crate::win32::WINHTTP_AUTO_DETECT_TYPE_DNS_A;
use crate::world::World;

/// Does a task on the calling thread.
pub(crate) fn run_task(world: &Arc<World>, task: &WorkerTask) -> TaskResult {
    match task {
        WorkerTask::ReadSettings => TaskResult::SettingsRead(world.proxies.user(), world.proxies.limits()),
        WorkerTask::Detect(kinds) => TaskResult::Detected(detect(world, *kinds)),
        WorkerTask::Run { script, text, url, host } => {
            if let Some(script_override) = world.proxies.script_override() {
                return TaskResult::Ran(Ok(script_override(url, host)));
            }
            let now = world.clock.now();
            if let Some(text) = text {
                world.proxies.keep_script(script, now, Arc::clone(text));
            }
            let Some(text) = text.clone().or_else(|| world.proxies.script(script, now)) else {
                return TaskResult::Unfetched;
            };
            let ran = run(&text, url, host, world);
            if ran == Err(ScriptError::NoEngine) {
                missing_engine(world);
            }
            TaskResult::Ran(ran)
        }
    }
}

/// What a task brings back that panicked: what there was to find was not found.
pub(crate) fn nothing_of(task: &WorkerTask) -> TaskResult {
    match task {
        WorkerTask::ReadSettings => TaskResult::SettingsRead(UserSettings::default(), Limits::default()),
        WorkerTask::Detect(_) => TaskResult::Detected(None),
        WorkerTask::Run { .. } => TaskResult::Ran(Err(ScriptError::Failed("a panic".to_owned()))),
    }
}

/// Where the network has a PAC script (WPAD by DNS), if it may be asked. DHCP is not asked: its answers are with the
/// system's own client, where programs do not see them.
pub(crate) fn detect(world: &Arc<World>, kinds: u32) -> Option<String> {
    if !world.proxies.may_detect() || kinds & WINHTTP_AUTO_DETECT_TYPE_DNS_A == 0 {
        return None;
    }
    let domain = world.proxies.domain().or_else(domain_of_system).unwrap_or_default();
    let name = candidates(&domain).into_iter().find(|name| !world.names.lookup(name).is_empty())?;
    Some(format!("http://{name}/wpad.dat"))
}

/// `wpad` in the domain and in those above it, but never right below the top; then alone.
fn candidates(domain: &str) -> Vec<String> {
    let labels: Vec<_> = domain.split('.').filter(|label| !label.is_empty()).collect();
    let within = (0..labels.len().saturating_sub(1)).map(|first| format!("wpad.{}", labels[first..].join(".")));
    within.chain(["wpad".to_owned()]).collect()
}

/// What the resolver of the system appends to names.
fn domain_of_system() -> Option<String> {
    let text = std::fs::read_to_string("/etc/resolv.conf").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("search ").or_else(|| line.strip_prefix("domain ")))?;
    line.split_whitespace().next().map(str::to_owned)
}

fn run(text: &str, url: &str, host: &str, world: &Arc<World>) -> Result<String, ScriptError> {
    let limits = world.proxies.limits();
    let pac_host = PacHost {
        until: world.clock.now() + limits.time,
        left: limits.looks.map(AtomicU32::new),
        world: Arc::clone(world),
    };
    let apart = world.steps.is_none();
    // A world of steps counts what its threads do, and the thread of the script is this one.
    if apart {
        return run_apart(text, url, host, Arc::new(pac_host), &limits);
    }
    run_script(text, url, host, Arc::new(pac_host), &limits)
}

/// A build without the feature `pac` says so, once on stderr and in each trace.
fn missing_engine(world: &Arc<World>) {
    static SAID: Once = Once::new();
    let text = format!(
        "PAC scripts cannot run: {}; build portable-winhttp with it, or every script is \
         ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR (12178)",
        ScriptError::NoEngine
    );
    world.observers.note(&text);
    SAID.call_once(|| eprintln!("WinHTTP: {text}"));
}

#[cfg(not(feature = "pac"))]
use run_script as run_apart;

#[cfg(not(feature = "pac"))]
fn run_script(_: &str, _: &str, _: &str, _: Arc<dyn Host>, _: &pac::Limits) -> Result<String, ScriptError> {
    Err(ScriptError::NoEngine)
}

/// A world as scripts see it.
struct PacHost {
    world: Arc<World>,
    until: Duration,
    left: Option<AtomicU32>,
}

impl Host for PacHost {
    fn lookup(&self, name: &str) -> Vec<IpAddr> {
        self.world.names.lookup(name)
    }

    fn addresses(&self) -> Vec<IpAddr> {
        self.world.names.addresses()
    }

    fn date(&self) -> Date {
        let since = self.world.clock.date().duration_since(UNIX_EPOCH).unwrap_or_default();
        let milliseconds = since.as_millis().try_into().unwrap_or(i64::MAX);
        Date { milliseconds, offset: self.world.clock.utc_offset() }
    }

    fn expired(&self) -> bool {
        let spent = |left: &AtomicU32| {
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
        };
        self.world.clock.now() > self.until || self.left.as_ref().is_some_and(spent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_may_know_the_script() {
        let rows: &[(&str, &[&str])] = &[
            ("", &["wpad"]),
            ("test", &["wpad"]),
            ("corp.test", &["wpad.corp.test", "wpad"]),
            ("a.corp.test.", &["wpad.a.corp.test", "wpad.corp.test", "wpad"]),
        ];
        for (domain, names) in rows {
            assert_eq!(candidates(domain), *names, "{domain}");
        }
    }
}
