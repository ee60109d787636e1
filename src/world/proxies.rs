//! What a world knows about proxies: the process's default, the user's settings, and how PAC scripts are found.
//!
//! The real world begins with what the environment says; a Sim begins without any proxy.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::Registration;
use crate::http::proxy::pac::Limits;
use crate::http::proxy::{Environment, Named, UserSettings};
use crate::sync::{Mutex, MutexGuard};

/// How long a script is used without being fetched again.
const FRESH: Duration = Duration::from_secs(30 * 60);

/// A Rust function in place of a PAC script: it gets the URL and the host, and answers as `FindProxyForURL` does.
pub type ScriptOverride = Arc<dyn Fn(&str, &str) -> String + Send + Sync>;

#[derive(Default)]
struct State {
    environment: Environment,
    /// WinHttpSetDefaultProxyConfiguration, once it was called.
    default: Option<Option<Arc<Named>>>,
    /// The user's settings, once they were set.
    user: Option<UserSettings>,
    /// Counts the changes.
    version: u32,
    watchers: Vec<Watcher>,
    watched: usize,
    script_override: Option<ScriptOverride>,
    /// Whether hosts on this machine are reached through proxies, too.
    this_machine_too: bool,
    /// Whether a script may be looked for in the network, once that was said.
    detection: Option<bool>,
    /// The domain of this machine, once it was said.
    domain: Option<String>,
    limits: Limits,
    /// Scripts by their URL, and when they came.
    scripts: HashMap<String, (Duration, Arc<str>)>,
}

/// Somebody who is told of changes.
struct Watcher {
    number: usize,
    registration: Arc<Registration>,
    tell: Arc<dyn Fn() + Send + Sync>,
}

/// The proxy settings of a world: the process's default proxy, the user's settings, and how PAC scripts are found.
///
/// The real world begins with the settings of the environment variables; a Sim begins without any proxy. From `Sim::proxies` or
/// [`with_proxies`](crate::real::with_proxies).
#[derive(Default)]
pub struct Proxies(Mutex<State>);

impl Proxies {
    /// Settings that begin with those of this environment.
    pub fn new(environment: Environment) -> Proxies {
        Proxies(Mutex::new(State { environment, ..State::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }

    /// The proxies that a session opened now gets with WINHTTP_ACCESS_TYPE_DEFAULT_PROXY; `None` for no proxy.
    pub fn default_proxy(&self) -> Option<Arc<Named>> {
        let state = self.lock();
        let named = match &state.default {
            Some(default) => default.clone(),
            None => state.environment.named.clone().map(Arc::new),
        };
        drop(state);
        named.map(|named| Arc::new(self.applied(Named::clone(&named))))
    }

    /// Sets the default proxies of sessions that are opened from now on, as WinHttpSetDefaultProxyConfiguration does.
    pub fn set_default_proxy(&self, named: Option<Named>) {
        self.change(|state| state.default = Some(named.map(Arc::new)));
    }

    /// The user's proxy settings, which WinHttpGetIEProxyConfigForCurrentUser returns.
    pub fn user(&self) -> UserSettings {
        let state = self.lock();
        let UserSettings { detect, script, named } = state.user.clone().unwrap_or_else(|| {
            let Environment { named, script, detect } = state.environment.clone();
            UserSettings { detect, script, named }
        });
        drop(state);
        UserSettings { detect, script, named: named.map(|named| self.applied(named)) }
    }

    /// Uses proxies also for the hosts of this machine (`localhost`, 127.0.0.0/8, `::1`), in proxy lists that are set from now on.
    /// Windows has no such switch, and never uses a proxy for them (source f04). It is for tests of proxies whose servers run on this
    /// machine.
    pub fn set_for_this_machine_too(&self, wanted: bool) {
        self.lock().this_machine_too = wanted;
    }

    /// Lists as they are used in this world.
    pub(crate) fn applied(&self, named: Named) -> Named {
        if self.lock().this_machine_too { named.for_this_machine_too() } else { named }
    }

    /// Sets the user's proxy settings.
    pub fn set_user(&self, settings: UserSettings) {
        self.change(|state| state.user = Some(settings));
    }

    /// The number of changes of these settings so far (WinHttpGetProxySettingsVersion).
    pub fn version(&self) -> u32 {
        self.lock().version
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        state.version += 1;
        let watchers: Vec<_> = state.watchers.iter().map(|watcher| Arc::clone(&watcher.tell)).collect();
        drop(state);
        for watcher in watchers {
            watcher();
        }
    }

    /// `tell` is called at every change from now on; answers a number to stop that with.
    pub(crate) fn watch(&self, registration: Arc<Registration>, tell: Arc<dyn Fn() + Send + Sync>) -> usize {
        let mut state = self.lock();
        state.watched += 1;
        let number = state.watched;
        state.watchers.push(Watcher { number, registration, tell });
        number
    }

    /// Stops telling; `None` for a number that nobody has.
    pub(crate) fn unwatch(&self, number: usize) -> Option<Arc<Registration>> {
        let mut state = self.lock();
        let place = state.watchers.iter().position(|watcher| watcher.number == number)?;
        Some(state.watchers.remove(place).registration)
    }

    /// Replaces every PAC script by this function; `None` ends that. Works without the feature `pac`.
    pub fn set_script_override(&self, script_override: Option<ScriptOverride>) {
        self.lock().script_override = script_override;
    }

    /// The function that replaces PAC scripts, if one is set.
    pub fn script_override(&self) -> Option<ScriptOverride> {
        self.lock().script_override.clone()
    }

    /// Whether a PAC script may be looked for in the network (WPAD): only if `WINHTTP_WPAD` is 1, or
    /// [`Proxies::set_detection`] allows it. The host that answers to the name `wpad` controls all traffic.
    pub fn may_detect(&self) -> bool {
        let state = self.lock();
        state.detection.unwrap_or(state.environment.detect)
    }

    /// Allows or forbids looking for a PAC script, and sets the domain of this machine; `None` means the domain that the system
    /// reports.
    pub fn set_detection(&self, detection: bool, domain: Option<&str>) {
        let mut state = self.lock();
        state.detection = Some(detection);
        state.domain = domain.map(str::to_owned);
    }

    /// The domain that was said.
    pub(crate) fn domain(&self) -> Option<String> {
        self.lock().domain.clone()
    }

    /// The limits of PAC scripts.
    pub fn limits(&self) -> Limits {
        self.lock().limits
    }

    /// Sets the limits of PAC scripts.
    pub fn set_limits(&self, limits: Limits) {
        self.lock().limits = limits;
    }

    /// A script that was fetched not long ago.
    pub(crate) fn script(&self, url: &str, now: Duration) -> Option<Arc<str>> {
        let state = self.lock();
        let (since, text) = state.scripts.get(url)?;
        (now < *since + FRESH).then(|| Arc::clone(text))
    }

    /// Keeps a script.
    pub(crate) fn keep_script(&self, url: &str, now: Duration, text: Arc<str>) {
        let mut state = self.lock();
        state.scripts.retain(|_, (since, _)| now < *since + FRESH);
        state.scripts.insert(url.to_owned(), (now, text));
    }

    /// Forgets the fetched scripts, as WinHttpResetAutoProxy does: they are fetched again.
    pub fn forget_scripts(&self) {
        self.lock().scripts.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn settings_come_before_the_environment() {
        let named = |proxy| Named::parse(proxy, None).unwrap();
        let environment = Environment { named: Some(named("env:1")), script: Some("http://pac/".into()), detect: true };
        let proxies = Proxies::new(environment);
        assert_eq!(proxies.default_proxy().unwrap().proxy, "env:1");
        assert_eq!(proxies.user().script.as_deref(), Some("http://pac/"));
        let told = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&told);
        let registration = Arc::new(Registration::default());
        let number = proxies.watch(
            registration,
            Arc::new(move || {
                counter.fetch_add(1, Ordering::Relaxed);
            }),
        );
        proxies.set_default_proxy(Some(named("set:1")));
        assert_eq!(proxies.default_proxy().unwrap().proxy, "set:1");
        proxies.set_default_proxy(None);
        assert_eq!(proxies.default_proxy(), None);
        proxies.set_user(UserSettings::default());
        assert_eq!((proxies.user(), proxies.version()), (UserSettings::default(), 3));
        assert!(proxies.unwatch(number).is_some() && proxies.unwatch(number).is_none());
        proxies.set_user(UserSettings::default());
        assert_eq!(told.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn scripts_are_kept_for_a_while() {
        let proxies = Proxies::default();
        proxies.keep_script("u", Duration::ZERO, "text".into());
        assert_eq!(proxies.script("u", FRESH - Duration::from_secs(1)).as_deref(), Some("text"));
        assert_eq!(proxies.script("u", FRESH), None);
        proxies.forget_scripts();
        assert_eq!(proxies.script("u", Duration::ZERO), None);
    }
}
