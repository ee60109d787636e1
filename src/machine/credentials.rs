//! User names and passwords of a request: which are sent, and when (semantics 6.3).
//!
//! Only Basic and Digest are spoken. Credentials for NTLM, Negotiate and Passport are kept, and win over the options as
//! any others do, but there is no token to send: the 401 comes back as the answer. Those for a proxy are only kept, as
//! no proxy is used yet: a server that answers 407 must not get them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{Compose, Site};
use crate::http::auth::{self, Challenge, Target};
use crate::http::digest::{Authorised, Digest};
use crate::http::{Headers, ResponseHead};
use crate::win32::{WINHTTP_AUTH_SCHEME_BASIC, WINHTTP_AUTH_SCHEME_DIGEST};

/// How often one WinHttpSendRequest is sent again: with credentials, and once more when their nonce was stale.
const RESENDS_AT_MOST: u32 = 2;

/// The credentials of a request.
#[derive(Default)]
pub struct Credentials {
    server: Purse,
    proxy: Purse,
    /// Where the client's nonces come from: random bytes, from outside.
    seed: [u8; 16],
    /// The server that `server` is for: no other one, that a redirect leads to, gets them.
    owner: Option<Site>,
    resends: u32,
    /// What goes into the head of the leg that runs.
    headers: Headers,
}

/// What is known for one target.
#[derive(Default)]
struct Purse {
    /// WinHttpSetCredentials
    chosen: Option<Chosen>,
    /// The options USERNAME and PASSWORD.
    user: Option<String>,
    password: Option<String>,
    heard: Option<Heard>,
    /// Whether the leg that runs has credentials of ours.
    sent: bool,
}

/// The arguments of WinHttpSetCredentials.
pub struct Chosen {
    /// WINHTTP_AUTH_SCHEME_*, one bit.
    pub scheme: u32,
    /// The user's name; empty for the default credentials.
    pub user: String,
    /// The password.
    pub password: String,
}

/// A string option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// USERNAME, PROXY_USERNAME
    User,
    /// PASSWORD, PROXY_PASSWORD
    Password,
}

/// The newest challenge.
struct Heard {
    /// Whose it is.
    site: Site,
    basic: bool,
    digest: Option<Digest>,
    /// How many requests used the nonce of Digest.
    count: u32,
}

/// No password is shown.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Credentials {
    /// WinHttpSetCredentials, for the server that the request is for now.
    pub fn choose(&mut self, target: Target, chosen: Chosen, site: &Site, seed: [u8; 16]) {
        self.own(target, site, seed);
        self.purse(target).chosen = Some(chosen);
    }

    /// Sets a string option.
    pub fn set(&mut self, target: Target, part: Part, text: String, site: &Site, seed: [u8; 16]) {
        self.own(target, site, seed);
        *self.purse(target).part(part) = Some(text);
    }

    /// Reads a string option; empty until it is set.
    pub fn get(&mut self, target: Target, part: Part) -> String {
        self.purse(target).part(part).clone().unwrap_or_default()
    }

    /// The headers of the leg that runs.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// WinHttpSendRequest begins.
    pub(super) fn begin(&mut self) {
        self.resends = 0;
    }

    /// Makes the headers of the next leg. `body` is `None` if more of it comes by WriteData.
    pub(super) fn prepare(&mut self, compose: &Compose, site: &Site, body: Option<&[u8]>) {
        self.headers = Headers::default();
        let seed = self.seed;
        for target in Target::ALL {
            let name = target.credentials_header();
            let wanted = self.may_go(target, site) && compose.headers.get(name, 0).is_none();
            let purse = self.purse(target);
            let value = if wanted { purse.authorise(compose, site, &seed, body) } else { None };
            purse.sent = value.is_some();
            if let Some(value) = value {
                self.headers.append(name, value);
            }
        }
    }

    /// A reply came: whether the request is to be sent again, with credentials. A challenge is remembered in any case,
    /// for credentials that the application sets now.
    pub(super) fn asked(&mut self, head: &ResponseHead, compose: &Compose, site: &Site, disabled: bool) -> bool {
        let Some(target) = Target::of_status(head.status) else { return false };
        let own = compose.headers.get(target.credentials_header(), 0).is_some();
        let ours = !disabled && !own && self.may_go(target, site) && self.resends < RESENDS_AT_MOST;
        let purse = self.purse(target);
        purse.heard = Some(Heard::from(&auth::challenges(&head.headers, target), site));
        let again = ours && purse.can_answer();
        self.resends += u32::from(again);
        again
    }

    fn own(&mut self, target: Target, site: &Site, seed: [u8; 16]) {
        self.seed = seed;
        if target == Target::Server {
            // What was meant for another server must not go to this one.
            if self.owner.is_some() && !self.may_go(target, site) {
                self.server = Purse { heard: self.server.heard.take(), ..Purse::default() };
            }
            self.owner = Some(site.clone());
        }
    }

    fn may_go(&self, target: Target, site: &Site) -> bool {
        match target {
            Target::Server => self.owner.as_ref().is_some_and(|owner| same_origin(owner, site)),
            // No request goes through a proxy yet: who asks with 407 is not one.
            Target::Proxy => false,
        }
    }

    fn purse(&mut self, target: Target) -> &mut Purse {
        match target {
            Target::Server => &mut self.server,
            Target::Proxy => &mut self.proxy,
        }
    }
}

impl Purse {
    fn part(&mut self, part: Part) -> &mut Option<String> {
        match part {
            Part::User => &mut self.user,
            Part::Password => &mut self.password,
        }
    }

    /// User and password for a scheme. The options are for every scheme, but not when others were chosen.
    fn pair(&self, scheme: u32) -> Option<(&str, &str)> {
        match &self.chosen {
            Some(chosen) => (chosen.scheme == scheme).then_some((&chosen.user, &chosen.password)),
            None => Some((self.user.as_deref()?, self.password.as_deref()?)),
        }
    }

    /// Whether there is an answer to the newest challenge that was not refused already.
    fn can_answer(&self) -> bool {
        let heard = self.heard.as_ref();
        let digest = heard.and_then(|heard| heard.digest.as_ref());
        match digest.filter(|_| self.pair(WINHTTP_AUTH_SCHEME_DIGEST).is_some()) {
            Some(digest) => !self.sent || digest.stale(),
            None => {
                !self.sent && heard.is_some_and(|heard| heard.basic) && self.pair(WINHTTP_AUTH_SCHEME_BASIC).is_some()
            }
        }
    }

    /// The value of the header. Digest comes before Basic, which tells the password; Basic that was chosen is sent
    /// unasked.
    fn authorise(&mut self, compose: &Compose, site: &Site, seed: &[u8], body: Option<&[u8]>) -> Option<Vec<u8>> {
        let mut heard = self.heard.take();
        let asked = heard.as_mut().filter(|heard| same_origin(&heard.site, site));
        let basic = self.chosen.is_some() || asked.as_ref().is_some_and(|heard| heard.basic);
        let digest = asked.and_then(|heard| Some((heard.digest.as_ref()?, &mut heard.count)));
        let value = match (digest, self.pair(WINHTTP_AUTH_SCHEME_DIGEST)) {
            (Some((digest, count)), Some((user, password))) => {
                *count += 1;
                let (method, target) = (&*compose.method, &*compose.target);
                digest.answer(&Authorised { user, password, method, target, body, count: *count, seed })
            }
            _ => self.pair(WINHTTP_AUTH_SCHEME_BASIC).filter(|_| basic).map(|(user, password)| {
                let token = BASE64_STANDARD.encode(format!("{user}:{password}"));
                format!("Basic {token}").into_bytes()
            }),
        };
        self.heard = heard;
        value
    }
}

impl Heard {
    fn from(challenges: &[Challenge], site: &Site) -> Heard {
        Heard {
            site: site.clone(),
            basic: challenges.iter().any(|challenge| challenge.scheme_bit() == Some(WINHTTP_AUTH_SCHEME_BASIC)),
            digest: challenges.iter().find_map(Digest::understand),
            count: 0,
        }
    }
}

fn same_origin(one: &Site, other: &Site) -> bool {
    one.secure == other.secure && one.port == other.port && one.host.eq_ignore_ascii_case(&other.host)
}
