//! User names and passwords of a request: which are sent, and when (semantics 6.3).
//!
//! Only the schemes of [`scheme::SPOKEN`] are spoken. Credentials for NTLM, Negotiate and Passport are kept, and win over
//! the options as any others do, but there is no token to send: the 401 comes back as the answer.
//!
//! Those for a proxy go to HTTP proxies only: with the request when the proxy gets that itself, with CONNECT when it is
//! to open a tunnel, and never through one. A server that answers 407 gets none.

use super::{Compose, Site};
use crate::http::auth::{self, Challenge, Target};
use crate::http::scheme::{self, Basic, Login, Scheme, Signed};
use crate::http::{Headers, ResponseHead};

/// How often one WinHttpSendRequest is sent again: with credentials, and once more when their nonce was stale.
const RESENDS_AT_MOST: u32 = 2;
/// The same for a scheme that authenticates its connection in several rounds.
const ROUNDS_AT_MOST: u32 = 8;

/// The credentials of a request.
#[derive(Default)]
pub struct Credentials {
    server: Purse,
    proxy: Purse,
    /// Where the client's nonces come from: random bytes, from outside.
    seed: [u8; 16],
    /// The server that `server` is for: no other one, that a redirect leads to, gets them.
    owner: Option<Site>,
    /// The proxy that gets the request of the leg that runs, if one does.
    via: Option<Site>,
    /// Schemes that a proxy gets nothing for: DISABLE_PROXY_AUTH_SCHEMES, as WINHTTP_AUTH_SCHEME_* bits.
    pub refused: u32,
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
    /// The scheme of our credentials in the leg that runs: its WINHTTP_AUTH_SCHEME_* bit.
    sent: Option<u32>,
    /// Whether its answer goes on.
    goes_on: bool,
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

/// The newest challenges.
struct Heard {
    /// Whose they are.
    site: Site,
    /// Those that can be answered, the best first.
    schemes: Vec<Box<dyn Scheme>>,
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

    /// Makes the headers of the next leg. `body` is `None` if more of it comes by WriteData; `via`: the proxy that gets
    /// the request, with this target.
    pub(super) fn prepare(&mut self, compose: &Compose, site: &Site, body: Option<&[u8]>, via: Option<(Site, &str)>) {
        self.headers = Headers::default();
        let seed = self.seed;
        self.via = via.as_ref().map(|(proxy, _)| proxy.clone());
        for target in Target::ALL {
            let name = target.credentials_header();
            let wanted = self.may_go(target, site) && compose.headers.get(name, 0).is_none();
            let (peer, path) = match (target, &via) {
                (Target::Proxy, Some((proxy, absolute))) => (proxy, *absolute),
                _ => (site, &*compose.target),
            };
            let signed = Signed { method: &compose.method, target: path, body, seed: &seed };
            let refused = self.refused(target);
            let purse = self.purse(target);
            purse.sent = None;
            let value = if wanted { purse.authorise(signed, peer, refused) } else { None };
            if let Some(value) = value {
                self.headers.append(name, value);
            }
        }
    }

    /// What goes out with a CONNECT to this proxy: the application's own header, else ours.
    pub(super) fn for_tunnel(&mut self, compose: &Compose, proxy: &Site, authority: &str) -> Option<Vec<u8>> {
        let (seed, refused) = (self.seed, self.refused);
        let own = compose.headers.get(Target::Proxy.credentials_header(), 0);
        let signed = Signed { method: "CONNECT", target: authority, body: Some(&[]), seed: &seed };
        self.proxy.sent = None;
        own.map_or_else(|| self.proxy.authorise(signed, proxy, refused), |own| Some(own.to_vec()))
    }

    /// Who asks for a tunnel: the user, or whatever the application says in the header itself.
    pub(super) fn tunnel_user(&self, compose: &Compose) -> Option<String> {
        let own = compose.headers.get(Target::Proxy.credentials_header(), 0);
        let own = own.map(|own| String::from_utf8_lossy(own).into_owned());
        own.or_else(|| self.proxy.chosen.as_ref().map(|chosen| chosen.user.clone())).or_else(|| self.proxy.user.clone())
    }

    /// The proxy refused a tunnel with this head: whether to ask again, with credentials.
    pub(super) fn asked_by_tunnel(&mut self, head: &ResponseHead, proxy: &Site, compose: &Compose, off: bool) -> bool {
        if Target::of_status(head.status) != Some(Target::Proxy) {
            return false;
        }
        let own = compose.headers.get(Target::Proxy.credentials_header(), 0).is_some();
        self.challenged(Target::Proxy, head, proxy, !off && !own)
    }

    /// A reply came: whether the request is to be sent again, with credentials. A challenge is remembered in any case,
    /// for credentials that the application sets now.
    pub(super) fn asked(&mut self, head: &ResponseHead, compose: &Compose, site: &Site, disabled: bool) -> bool {
        let Some(target) = Target::of_status(head.status) else { return false };
        let own = compose.headers.get(target.credentials_header(), 0).is_some();
        let ours = !disabled && !own && self.may_go(target, site);
        let peer = match target {
            Target::Server => site.clone(),
            Target::Proxy => self.via.clone().unwrap_or_else(|| site.clone()),
        };
        self.challenged(target, head, &peer, ours)
    }

    fn challenged(&mut self, target: Target, head: &ResponseHead, peer: &Site, ours: bool) -> bool {
        let (refused, resends) = (self.refused(target), self.resends);
        let purse = self.purse(target);
        purse.hear(&auth::challenges(&head.headers, target), peer);
        let limit = |scheme: &dyn Scheme| if scheme.connection_bound() { ROUNDS_AT_MOST } else { RESENDS_AT_MOST };
        let again = ours && purse.next(refused).is_some_and(|scheme| resends < limit(scheme));
        self.resends += u32::from(again);
        again
    }

    fn refused(&self, target: Target) -> u32 {
        match target {
            Target::Server => 0,
            Target::Proxy => self.refused,
        }
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
            // Who asks with 407 and is no proxy of ours gets nothing.
            Target::Proxy => self.via.is_some(),
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

    /// User and password for a scheme that is not refused. The options are for every scheme, but not when others were
    /// chosen.
    fn login(&self, scheme: u32, refused: u32) -> Option<Login<'_>> {
        match &self.chosen {
            _ if scheme & refused != 0 => None,
            Some(Chosen { scheme: chosen, user, password }) => (*chosen == scheme).then_some(Login { user, password }),
            None => Some(Login { user: self.user.as_deref()?, password: self.password.as_deref()? }),
        }
    }

    /// Challenges came. The scheme that had answered the last ones says whether it goes on; all others begin anew.
    fn hear(&mut self, challenges: &[Challenge], site: &Site) {
        let before = self.heard.take().filter(|heard| same_origin(&heard.site, site));
        let mut schemes = scheme::begin(challenges);
        let answered = before.into_iter().flat_map(|heard| heard.schemes);
        self.goes_on = false;
        for mut answered in answered.filter(|scheme| self.sent == Some(scheme.bit())) {
            if let Some((place, challenge)) = schemes.iter_mut().find(|(scheme, _)| scheme.bit() == answered.bit()) {
                self.goes_on = answered.again(challenge);
                *place = answered;
            }
        }
        let schemes = schemes.into_iter().map(|(scheme, _)| scheme).collect();
        self.heard = Some(Heard { site: site.clone(), schemes });
    }

    /// The scheme that answers the newest challenges, unless they refuse the answer that they got.
    fn next(&self, refused: u32) -> Option<&dyn Scheme> {
        let schemes = &self.heard.as_ref()?.schemes;
        let scheme = schemes.iter().find(|scheme| self.login(scheme.bit(), refused).is_some())?;
        let first = self.sent.is_none();
        (first || (self.goes_on && self.sent == Some(scheme.bit()))).then_some(&**scheme)
    }

    /// The value of the header. Basic that was chosen is sent unasked.
    fn authorise(&mut self, signed: Signed<'_>, site: &Site, refused: u32) -> Option<Vec<u8>> {
        let mut heard = self.heard.take();
        let asked = heard.as_mut().filter(|heard| same_origin(&heard.site, site));
        let schemes = asked.into_iter().flat_map(|heard| &mut heard.schemes);
        let scheme = schemes.into_iter().find(|scheme| self.login(scheme.bit(), refused).is_some());
        let unasked: &mut dyn Scheme = &mut Basic;
        let scheme = match scheme {
            Some(scheme) => Some(&mut **scheme),
            None => self.chosen.is_some().then_some(unasked),
        };
        let value = scheme.and_then(|scheme| {
            let value = scheme.answer(self.login(scheme.bit(), refused)?, signed);
            Some((scheme.bit(), value?))
        });
        self.heard = heard;
        let (bit, value) = value?;
        self.sent = Some(bit);
        Some(value)
    }
}

fn same_origin(one: &Site, other: &Site) -> bool {
    one.secure == other.secure && one.port == other.port && one.host.eq_ignore_ascii_case(&other.host)
}
