//! The cookies of a request: read from its session's jar for each attempt, and put there from each reply
//! (source cookie.session).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Origin;
use crate::http::ResponseHead;
use crate::http::cookies::{Jar, RequestUri};
use crate::machine::Settings;
use crate::sync::{Mutex, MutexGuard};

/// What a request knows of cookies.
#[derive(Debug)]
pub struct Cookies {
    /// Shared by the requests of a session; held for the moment of one look only. A request without one keeps none.
    jar: Option<Arc<Mutex<Jar>>>,
    /// The date at which the world's clock showed 0.
    epoch: SystemTime,
    /// Those of the attempt that runs.
    header: Option<Vec<u8>>,
}

impl Default for Cookies {
    fn default() -> Cookies {
        Cookies { jar: None, epoch: SystemTime::UNIX_EPOCH, header: None }
    }
}

impl Cookies {
    /// Cookies of this jar. `epoch`: the date at which the clock showed 0.
    pub fn new(jar: Arc<Mutex<Jar>>, epoch: SystemTime) -> Cookies {
        Cookies { jar: Some(jar), epoch, header: None }
    }

    /// What the jar adds to the Cookie header of the attempt that runs.
    pub fn header(&self) -> Option<&[u8]> {
        self.header.as_deref()
    }

    /// Another attempt begins.
    pub(super) fn prepare(&mut self, origin: &Origin, target: &str, settings: &Settings, now: Duration) {
        let date = self.epoch + now;
        let jar = self.jar().filter(|_| !settings.cookies_disabled());
        self.header = jar.and_then(|mut jar| jar.header(&uri(origin, target), date));
    }

    /// A reply came.
    pub(super) fn store(&self, head: &ResponseHead, origin: &Origin, target: &str, settings: &Settings, now: Duration) {
        let fields = head.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("set-cookie"));
        for field in fields.filter(|_| !settings.cookies_disabled()) {
            if let Some(mut jar) = self.jar() {
                jar.store(&field.value, &uri(origin, target), self.epoch + now);
            }
        }
    }

    fn jar(&self) -> Option<MutexGuard<'_, Jar>> {
        self.jar.as_ref().map(|jar| jar.lock())
    }
}

fn uri<'a>(origin: &'a Origin, target: &'a str) -> RequestUri<'a> {
    RequestUri { secure: origin.secure, host: &origin.host, target }
}
