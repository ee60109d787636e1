//! The proxy resolver (sources resolver.codes, P5, P6, P7): which routes lead to a URL.
//!
//! [`table`] says what may follow what. What needs a worker (the user's settings, names, scripts) goes out as a
//! [`WorkerTask`], and comes back as a [`TaskResult`]; a script is fetched by a request machine inside this one.

mod fetch;
mod query;
pub mod table;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

pub use query::{AutoProxy, Query, Source};

use fetch::{Fetch, Progress};
use table::{Action, Input, Stage, Step, step};

use super::step::Tabled;
use super::{Machine, Output, Timeouts};
use crate::http::proxy::pac::{Limits, ScriptError, routes};
use crate::http::proxy::{Choice, ChoiceReason, UserSettings};
use crate::record::{Api, Notification, Operation};
use crate::transport::Event;
use crate::win32::{
    ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR, ERROR_WINHTTP_AUTODETECTION_FAILED, ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT,
    ERROR_WINHTTP_INCORRECT_HANDLE_STATE, ERROR_WINHTTP_OPERATION_CANCELLED, Win32Error,
};

/// Something that a worker does for a resolver.
#[derive(Clone, Debug)]
pub enum WorkerTask {
    /// Read the user's settings.
    ReadSettings,
    /// Look for a script in the network, by WINHTTP_AUTO_DETECT_TYPE_* bits.
    Detect(u32),
    /// Run the script of this URL.
    Run {
        /// Where it is.
        script: String,
        /// Its text, if it was just fetched.
        text: Option<Arc<str>>,
        /// The URL that it is asked about.
        url: String,
        /// The host of that.
        host: String,
    },
}

/// What a worker brings back.
#[derive(Clone, Debug)]
pub enum TaskResult {
    /// The user's settings, and the limits of scripts.
    SettingsRead(UserSettings, Limits),
    /// Where the network has a script, if it has one.
    Detected(Option<String>),
    /// The script is not here.
    Unfetched,
    /// What it answered, or why it did not.
    Ran(Result<String, ScriptError>),
}

/// A resolver handle's machine.
#[derive(Debug)]
pub struct Resolver {
    stage: Stage,
    /// The timeouts of fetching a script.
    timeouts: Timeouts,
    query: Option<Query>,
    user: UserSettings,
    limits: Limits,
    sources: VecDeque<Source>,
    /// The script that is asked now, and its text.
    script: String,
    text: Option<Arc<str>>,
    fetch: Option<Box<Fetch>>,
    /// Counts tasks and fetches, so that what comes too late is not heard.
    number: u64,
    answer: Option<Choice>,
    /// What the user's settings were when they were read last, for WinHttpGetProxySettingsResultEx.
    read: Option<UserSettings>,
    cause: Win32Error,
    outputs: Vec<Output>,
}

/// How far the numbers of two fetches are apart: each has an attempt for every redirect.
const APART: u64 = 1 << 16;

impl Resolver {
    /// A resolver that was just made. Its tasks and attempts have numbers from `first` on.
    pub fn new(timeouts: Timeouts, first: u64) -> Resolver {
        Resolver {
            stage: Stage::Idle,
            timeouts,
            query: None,
            user: UserSettings::default(),
            limits: Limits::default(),
            sources: VecDeque::new(),
            script: String::new(),
            text: None,
            fetch: None,
            number: first,
            answer: None,
            read: None,
            cause: ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR,
            outputs: Vec::new(),
        }
    }

    /// Where it stands.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// WinHttpGetProxyForUrlEx
    pub fn find(&mut self, now: Duration, query: Query) -> Result<(), Win32Error> {
        self.refused(Input::CallFind)?;
        self.answer = None;
        self.cause = ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR;
        self.query = Some(query);
        self.apply(now, Input::CallFind)
    }

    /// WinHttpGetProxySettingsEx
    pub fn read_settings(&mut self, now: Duration) -> Result<(), Win32Error> {
        self.refused(Input::CallSettings)?;
        self.read = None;
        self.apply(now, Input::CallSettings)
    }

    /// WinHttpGetProxyResult; ERROR_WINHTTP_INCORRECT_HANDLE_STATE before there is one.
    pub fn answer(&self) -> Result<&Choice, Win32Error> {
        self.answer.as_ref().ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)
    }

    /// WinHttpGetProxySettingsResultEx, likewise.
    pub fn settings(&self) -> Result<&UserSettings, Win32Error> {
        self.read.as_ref().ok_or(ERROR_WINHTTP_INCORRECT_HANDLE_STATE)
    }

    /// The static lists of the last question named these, bypass included: for WinHttpGetProxyForUrl.
    pub fn user(&self) -> &UserSettings {
        &self.user
    }

    fn end(&mut self, api: Api, outcome: Result<Notification, Win32Error>) {
        self.outputs.push(Output::End(api.into(), outcome));
    }

    fn task(&mut self, task: WorkerTask) {
        self.number += 1;
        self.outputs.push(Output::WorkerTask(self.number, task));
    }

    fn missed(&mut self, now: Duration, cause: Win32Error) {
        self.cause = cause;
        self.happened(now, Input::Missed);
    }

    /// The fetch goes on.
    fn advance(&mut self, now: Duration) {
        let Some(fetch) = &mut self.fetch else { return };
        match fetch.advance(now, &mut self.outputs) {
            Progress::Pending => {}
            Progress::Done(body) => {
                self.text = Some(decoded(&body).into());
                self.happened(now, Input::Fetched);
            }
            Progress::Failed(error) => self.missed(now, error),
        }
    }

    fn ran(&mut self, now: Duration, outcome: Result<String, ScriptError>) {
        let answer = match outcome {
            Ok(answer) => answer,
            // As on a system where nobody can run it.
            Err(ScriptError::NoEngine) => return self.missed(now, ERROR_WINHTTP_AUTO_PROXY_SERVICE_ERROR),
            Err(_) => return self.missed(now, ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT),
        };
        match routes(&answer) {
            Ok(hops) => {
                self.answer = Some(Choice { hops, reason: ChoiceReason::Script(answer) });
                self.happened(now, Input::Answered);
            }
            Err(_) => self.missed(now, ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT),
        }
    }
}

/// The text of a script: UTF-8, with or without a mark, else Latin-1.
fn decoded(body: &[u8]) -> String {
    match std::str::from_utf8(body) {
        Ok(text) => text.trim_start_matches('\u{feff}').to_owned(),
        Err(_) => body.iter().copied().map(char::from).collect(),
    }
}

impl Tabled for Resolver {
    type State = Stage;
    type Input = Input;
    type Action = Action;

    fn state(&self) -> Stage {
        self.stage
    }

    fn look(&self, input: Input) -> Step {
        step(self.stage, input)
    }

    fn enter(&mut self, next: Stage) -> Stage {
        std::mem::replace(&mut self.stage, next)
    }

    fn act(&mut self, now: Duration, before: Stage, action: Action) -> Option<Input> {
        match action {
            Action::Ask => self.task(WorkerTask::ReadSettings),
            Action::Choose => {
                let input = match self.sources.pop_front() {
                    Some(Source::Network(detect)) => {
                        self.sources.push_front(Source::Network(detect));
                        Input::Detect
                    }
                    Some(Source::Script(script)) => {
                        self.script = script;
                        self.text = None;
                        Input::Script
                    }
                    Some(Source::Lists) => Input::Lists,
                    None => Input::Nowhere,
                };
                return Some(input);
            }
            Action::Detect => {
                if let Some(Source::Network(detect)) = self.sources.pop_front() {
                    self.task(WorkerTask::Detect(detect));
                }
            }
            Action::Run => {
                if let Some(query) = &self.query {
                    let (url, host) = (query.url.clone(), query.host.clone());
                    self.task(WorkerTask::Run { script: self.script.clone(), text: self.text.clone(), url, host });
                }
            }
            Action::Fetch => {
                self.number += APART;
                let (timeouts, limit) = (self.timeouts, self.limits.text);
                match Fetch::begin(now, &self.script, self.number, timeouts, limit) {
                    Ok(fetch) => {
                        self.fetch = Some(Box::new(fetch));
                        self.advance(now);
                    }
                    Err(error) => self.missed(now, error),
                }
            }
            Action::TakeLists => self.answer = self.query.as_ref().map(|query| query.of_lists(&self.user)),
            Action::EndFind => self.end(Api::GET_PROXY_FOR_URL, Ok(Notification::GetProxyForUrlComplete)),
            Action::FailFind => self.end(Api::GET_PROXY_FOR_URL, Err(self.cause)),
            Action::EndSettings => {
                self.read = Some(self.user.clone());
                self.end(Api::GET_PROXY_SETTINGS, Ok(Notification::GetProxySettingsComplete));
            }
            Action::CancelPending => match before {
                Stage::Idle | Stage::Cancelled | Stage::Closed => {}
                Stage::Reading => self.end(Api::GET_PROXY_SETTINGS, Err(ERROR_WINHTTP_OPERATION_CANCELLED)),
                _ => self.end(Api::GET_PROXY_FOR_URL, Err(ERROR_WINHTTP_OPERATION_CANCELLED)),
            },
            Action::Abandon => {
                self.number += 1;
                self.fetch = None;
                self.outputs.push(Output::Abandon);
            }
        }
        None
    }
}

impl Machine for Resolver {
    fn gathered(&mut self) -> &mut Vec<Output> {
        &mut self.outputs
    }

    fn deadline(&self) -> Option<Duration> {
        self.fetch.as_ref()?.deadline()
    }

    fn pending(&self) -> bool {
        !matches!(self.stage, Stage::Idle | Stage::Cancelled | Stage::Closed)
    }

    fn busy(&self, _operation: Operation) -> Option<Operation> {
        match self.stage {
            Stage::Reading => Some(Api::GET_PROXY_SETTINGS.into()),
            _ => self.pending().then_some(Api::GET_PROXY_FOR_URL.into()),
        }
    }

    fn event(&mut self, now: Duration, attempt: u64, event: Event) {
        if let Some(fetch) = &mut self.fetch {
            fetch.event(now, attempt, event);
            self.advance(now);
        }
    }

    fn tick(&mut self, now: Duration) {
        if let Some(fetch) = &mut self.fetch {
            fetch.tick(now);
            self.advance(now);
        }
    }

    fn task_finished(&mut self, now: Duration, number: u64, result: TaskResult) {
        if number != self.number {
            return;
        }
        match result {
            TaskResult::SettingsRead(user, limits) => {
                self.limits = limits;
                if self.stage == Stage::Asking {
                    self.sources = self.query.as_ref().map(|query| query.sources(&user)).unwrap_or_default();
                }
                self.user = user;
                self.happened(now, Input::SettingsRead);
            }
            TaskResult::Detected(Some(script)) => {
                self.script = script;
                self.text = None;
                self.happened(now, Input::Detected);
            }
            TaskResult::Detected(None) => self.missed(now, ERROR_WINHTTP_AUTODETECTION_FAILED),
            TaskResult::Unfetched => self.happened(now, Input::Unfetched),
            TaskResult::Ran(outcome) => self.ran(now, outcome),
        }
    }

    fn cancel(&mut self, now: Duration, _write_first: bool) {
        self.happened(now, Input::Cancel);
    }

    fn close(&mut self, now: Duration, _write_first: bool) {
        self.happened(now, Input::Close);
    }
}
