//! A GET of the resolver's own: a request machine that nobody watches.

use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;

use crate::http::{Headers, Version};
use crate::machine::{Machine, Origin, Output, Request, RequestTemplate, SendCall, Settings, Timeouts};
use crate::record::{Api, Notification, Operation};
use crate::transport::Event;
use crate::win32::{
    ERROR_WINHTTP_LOGIN_FAILURE, ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT, ERROR_WINHTTP_UNRECOGNIZED_SCHEME,
    WINHTTP_DISABLE_AUTHENTICATION, WINHTTP_DISABLE_COOKIES, Win32Error,
};

/// A GET that is under way.
#[derive(Debug)]
pub struct Fetch {
    request: Request,
    body: Vec<u8>,
    limit: usize,
}

/// How far it is.
#[derive(Debug)]
pub enum Progress {
    /// Not done.
    Pending,
    /// The body of a 200.
    Done(Vec<u8>),
    /// Anything else: the error that it is for who wanted the script.
    Failed(Win32Error),
}

impl Fetch {
    /// Begins, with attempts from number `first` on. ERROR_WINHTTP_UNRECOGNIZED_SCHEME for what is no
    /// URL of http or https (source m8).
    pub fn begin(now: Duration, url: &str, first: u64, timeouts: Timeouts, limit: usize) -> Result<Fetch, Win32Error> {
        let units: Vec<u16> = url.encode_utf16().collect();
        let (secure, parts) = crate::http::url::crack_http(&units).map_err(|error| match error {
            ERROR_WINHTTP_UNRECOGNIZED_SCHEME => error,
            _ => ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT,
        })?;
        let text = |range: std::ops::Range<usize>| String::from_utf16_lossy(&units[range]);
        let object: Vec<u16> = units[parts.path.start..parts.extra.end].to_vec();
        let origin = Origin { secure, host: text(parts.host).trim_matches(['[', ']']).into(), port: parts.port };
        let template = RequestTemplate {
            method: ByteString::from_static("GET"),
            target: crate::http::target::escape(&object, 0, Settings::default().code_page),
            version: Version { major: 1, minor: 1 },
            headers: Headers::default(),
            agent: Some(ByteString::from_static("WinHttp-Autoproxy-Service/5.1")),
            accept: vec!["*/*".to_owned()],
            referrer: None,
            refresh: false,
            automatic_chunking: false,
        };
        let disabled = WINHTTP_DISABLE_AUTHENTICATION | WINHTTP_DISABLE_COOKIES;
        let settings = Settings { timeouts, disabled, ..Settings::default() };
        let mut request = Request::numbered(origin, template, settings.into(), first);
        let call = SendCall {
            headers: Vec::new(),
            optional: Bytes::new(),
            optional_address: 0,
            total: 0,
            hold: true,
            key: [0; 16],
        };
        request.send(now, call).map_err(|_| ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT)?;
        Ok(Fetch { request, body: Vec::new(), limit })
    }

    pub fn deadline(&self) -> Option<Duration> {
        self.request.deadline()
    }

    pub fn event(&mut self, now: Duration, attempt: u64, event: Event) {
        self.request.event(now, attempt, event);
    }

    pub fn tick(&mut self, now: Duration) {
        self.request.tick(now);
    }

    /// Goes on as far as possible. What the transport must do lands in `outputs`.
    pub fn advance(&mut self, now: Duration, outputs: &mut Vec<Output>) -> Progress {
        loop {
            let mut asked: Vec<_> = self.request.outputs().collect();
            if asked.is_empty() {
                return Progress::Pending;
            }
            for output in asked.drain(..) {
                match output {
                    // Nobody is told: what waits for the telling goes on at once.
                    Output::Notify(_) => {}
                    Output::ThenProceed(attempt) => self.request.proceed(now, attempt),
                    Output::ThenFollowRedirect => self.request.redirect_delivered(now),
                    Output::End(operation, outcome) => {
                        if let Some(progress) = self.ended(now, operation, outcome) {
                            return progress;
                        }
                    }
                    other => outputs.push(other),
                }
            }
        }
    }

    fn ended(
        &mut self,
        now: Duration,
        operation: Operation,
        outcome: Result<Notification, Win32Error>,
    ) -> Option<Progress> {
        let no_script = Some(Progress::Failed(ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT));
        let taken = match (operation, outcome) {
            (_, Err(_)) => return no_script,
            (Operation::Api(Api::SEND_REQUEST), Ok(_)) => self.request.receive(now),
            (Operation::Api(Api::RECEIVE_RESPONSE), Ok(_)) => {
                match self.request.response_head().map(|head| head.status) {
                    Ok(200) => self.request.query(now),
                    // Programs try again with fAutoLogonIfChallenged; there are no default credentials here.
                    Ok(401 | 407) => return Some(Progress::Failed(ERROR_WINHTTP_LOGIN_FAILURE)),
                    _ => return no_script,
                }
            }
            (Operation::Api(Api::QUERY_DATA_AVAILABLE), Ok(Notification::DataAvailable { bytes: 0 })) => {
                return Some(Progress::Done(std::mem::take(&mut self.body)));
            }
            (Operation::Api(Api::QUERY_DATA_AVAILABLE), Ok(_)) => {
                self.request.take(&mut self.body);
                if self.body.len() > self.limit {
                    return no_script;
                }
                self.request.query(now)
            }
            _ => Ok(()),
        };
        if taken.is_err() { no_script } else { None }
    }
}
