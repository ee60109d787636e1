//! User names and passwords of a request: which are sent, and when (source auth.options).
//!
//! Only the schemes of [`scheme::SPOKEN`] are spoken. Credentials for NTLM, Negotiate and Passport are kept, and win over
//! the options as any others do, but there is no token to send: the 401 comes back as the answer.
//!
//! Those for a proxy go to HTTP proxies only: with the request when the proxy gets that itself, with CONNECT when it is
//! to open a tunnel, and never through one. A server that answers 407 gets none.

use super::{Origin, RequestTemplate};
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
    server: Option<Box<CredentialSlot>>,
    proxy: Option<Box<CredentialSlot>>,
    /// Where the client's nonces come from: random bytes, from outside.
    seed: [u8; 16],
    /// The server that `server` is for: no other one, that a redirect leads to, gets them.
    owner: Option<Origin>,
    /// The proxy that gets the request of the attempt that runs, if one does.
    via: Option<Box<Origin>>,
    /// Schemes that a proxy gets nothing for: DISABLE_PROXY_AUTH_SCHEMES, as WINHTTP_AUTH_SCHEME_* bits.
    pub refused: u32,
    /// Whether what RFC 7616 added to Digest is spoken.
    pub newer_digest: bool,
    resends: u32,
    /// What goes into the head of the attempt that runs.
    headers: Headers,
}

/// What is known for one target.
#[derive(Default)]
struct CredentialSlot {
    /// WinHttpSetCredentials
    explicit: Option<ExplicitCredentials>,
    /// Whether a WinHttpSendRequest has had them: the next one goes without (source auth.one-send).
    spent: bool,
    /// The options USERNAME and PASSWORD.
    user: Option<String>,
    password: Option<String>,
    received: Option<ReceivedChallenges>,
    /// The scheme of our credentials in the attempt that runs: its WINHTTP_AUTH_SCHEME_* bit.
    sent: Option<u32>,
    /// Whether its answer goes on.
    goes_on: bool,
}

/// The arguments of WinHttpSetCredentials.
pub struct ExplicitCredentials {
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
struct ReceivedChallenges {
    /// Whose they are.
    origin: Origin,
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
    pub fn choose(&mut self, target: Target, explicit: ExplicitCredentials, origin: &Origin, seed: [u8; 16]) {
        self.own(target, origin, seed);
        let slot = self.slot(target);
        (slot.explicit, slot.spent) = (Some(explicit), false);
    }

    /// Sets a string option.
    pub fn set(&mut self, target: Target, part: Part, text: String, origin: &Origin, seed: [u8; 16]) {
        self.own(target, origin, seed);
        *self.slot(target).part(part) = Some(text);
    }

    /// Reads a string option; empty until it is set.
    pub fn get(&self, target: Target, part: Part) -> String {
        let slot = match target {
            Target::Server => &self.server,
            Target::Proxy => &self.proxy,
        };
        let set = slot.as_ref().and_then(|slot| match part {
            Part::User => slot.user.clone(),
            Part::Password => slot.password.clone(),
        });
        set.unwrap_or_default()
    }

    /// The headers of the attempt that runs.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// WinHttpSendRequest begins; `asked_for`: the last one ended with ERROR_WINHTTP_RESEND_REQUEST, and this is more of it.
    pub(super) fn begin(&mut self, asked_for: bool) {
        self.resends = 0;
        if asked_for {
            return;
        }
        for slot in [&mut self.server, &mut self.proxy].into_iter().flatten() {
            slot.explicit = slot.explicit.take().filter(|_| !slot.spent);
            slot.spent = true;
        }
    }

    /// A redirect leads to another server: what was set for the proxy has been used (source auth.proxy-redirect). What the
    /// application sets when it is told of the redirect is for what follows.
    pub(super) fn leave(&mut self) {
        if let Some(proxy) = &mut self.proxy {
            proxy.explicit = None;
        }
    }

    /// Makes the headers of the next attempt. `body` is `None` if more of it comes by WriteData; `via`: the proxy that gets
    /// the request, with this target.
    pub(super) fn prepare(
        &mut self,
        template: &RequestTemplate,
        origin: &Origin,
        body: Option<&[u8]>,
        via: Option<(Origin, &str)>,
    ) {
        self.headers = Headers::default();
        let seed = self.seed;
        self.via = via.as_ref().map(|(proxy, _)| Box::new(proxy.clone()));
        for target in Target::ALL {
            let name = target.credentials_header();
            let wanted = self.may_go(target, origin) && template.headers.get(name, 0).is_none();
            let (peer, path) = match (target, &via) {
                (Target::Proxy, Some((proxy, absolute))) => (proxy, *absolute),
                _ => (origin, &*template.target),
            };
            let signed = Signed { method: &template.method, target: path, body, seed: &seed };
            let refused = self.refused(target);
            let value = self.known(target).and_then(|slot| {
                slot.sent = None;
                if wanted { slot.authorise(signed, peer, refused) } else { None }
            });
            if let Some(value) = value {
                self.headers.append(name, value);
            }
        }
    }

    /// What goes out with a CONNECT to this proxy: the application's own header, else ours.
    pub(super) fn for_tunnel(
        &mut self,
        template: &RequestTemplate,
        proxy: &Origin,
        authority: &str,
    ) -> Option<Vec<u8>> {
        let (seed, refused) = (self.seed, self.refused);
        let own = template.headers.get(Target::Proxy.credentials_header(), 0);
        let signed = Signed { method: "CONNECT", target: authority, body: Some(&[]), seed: &seed };
        if let Some(slot) = self.known(Target::Proxy) {
            slot.sent = None;
            if own.is_none() {
                return slot.authorise(signed, proxy, refused);
            }
        }
        own.map(<[u8]>::to_vec)
    }

    /// Who asks for a tunnel: the user, or whatever the application says in the header itself.
    pub(super) fn tunnel_user(&self, template: &RequestTemplate) -> Option<String> {
        let own = template.headers.get(Target::Proxy.credentials_header(), 0);
        let own = own.map(|own| String::from_utf8_lossy(own).into_owned());
        own.or_else(|| {
            let proxy = self.proxy.as_ref()?;
            proxy.explicit.as_ref().map(|explicit| explicit.user.clone()).or_else(|| proxy.user.clone())
        })
    }

    /// The proxy refused a tunnel with this head: whether to ask again, with credentials.
    pub(super) fn asked_by_tunnel(
        &mut self,
        head: &ResponseHead,
        proxy: &Origin,
        template: &RequestTemplate,
        off: bool,
    ) -> bool {
        if Target::of_status(head.status) != Some(Target::Proxy) {
            return false;
        }
        let own = template.headers.get(Target::Proxy.credentials_header(), 0).is_some();
        self.challenged(Target::Proxy, head, proxy, !off && !own)
    }

    /// A reply came: whether the request is to be sent again, with credentials. A challenge is remembered in any case,
    /// for credentials that the application sets now.
    pub(super) fn asked(
        &mut self,
        head: &ResponseHead,
        template: &RequestTemplate,
        origin: &Origin,
        disabled: bool,
    ) -> bool {
        let Some(target) = Target::of_status(head.status) else { return false };
        let own = template.headers.get(target.credentials_header(), 0).is_some();
        let ours = !disabled && !own && self.may_go(target, origin);
        let peer = match target {
            Target::Server => origin.clone(),
            Target::Proxy => self.via.as_deref().cloned().unwrap_or_else(|| origin.clone()),
        };
        self.challenged(target, head, &peer, ours)
    }

    fn challenged(&mut self, target: Target, head: &ResponseHead, peer: &Origin, ours: bool) -> bool {
        let (refused, resends, newer_digest) = (self.refused(target), self.resends, self.newer_digest);
        let slot = self.slot(target);
        slot.receive(&auth::challenges(&head.headers, target), newer_digest, peer);
        let limit = |scheme: &dyn Scheme| if scheme.connection_bound() { ROUNDS_AT_MOST } else { RESENDS_AT_MOST };
        let again = ours && slot.next(refused).is_some_and(|scheme| resends < limit(scheme));
        self.resends += u32::from(again);
        again
    }

    fn refused(&self, target: Target) -> u32 {
        match target {
            Target::Server => 0,
            Target::Proxy => self.refused,
        }
    }

    fn own(&mut self, target: Target, origin: &Origin, seed: [u8; 16]) {
        self.seed = seed;
        if target == Target::Server {
            // What was meant for another server must not go to this one.
            if self.owner.is_some() && !self.may_go(target, origin) {
                if let Some(server) = &mut self.server {
                    **server = CredentialSlot { received: server.received.take(), ..CredentialSlot::default() };
                }
            }
            self.owner = Some(origin.clone());
        }
    }

    fn may_go(&self, target: Target, origin: &Origin) -> bool {
        match target {
            Target::Server => self.owner.as_ref().is_some_and(|owner| owner == origin),
            // Who asks with 407 and is no proxy of ours gets nothing.
            Target::Proxy => self.via.is_some(),
        }
    }

    /// What is known for a target, if anything is.
    fn known(&mut self, target: Target) -> Option<&mut CredentialSlot> {
        match target {
            Target::Server => self.server.as_deref_mut(),
            Target::Proxy => self.proxy.as_deref_mut(),
        }
    }

    fn slot(&mut self, target: Target) -> &mut CredentialSlot {
        match target {
            Target::Server => self.server.get_or_insert_default(),
            Target::Proxy => self.proxy.get_or_insert_default(),
        }
    }
}

impl CredentialSlot {
    fn part(&mut self, part: Part) -> &mut Option<String> {
        match part {
            Part::User => &mut self.user,
            Part::Password => &mut self.password,
        }
    }

    /// User and password for a scheme that is not refused. The options are for every scheme, but not when others were
    /// chosen.
    fn login(&self, scheme: u32, refused: u32) -> Option<Login<'_>> {
        match &self.explicit {
            _ if scheme & refused != 0 => None,
            Some(ExplicitCredentials { scheme: explicit, user, password }) => {
                (*explicit == scheme).then_some(Login { user, password })
            }
            None => Some(Login { user: self.user.as_deref()?, password: self.password.as_deref()? }),
        }
    }

    /// Challenges came. The scheme that had answered the last ones says whether it goes on; all others begin anew.
    fn receive(&mut self, challenges: &[Challenge], newer_digest: bool, origin: &Origin) {
        let before = self.received.take().filter(|received| received.origin == *origin);
        let mut schemes = scheme::begin(challenges, newer_digest);
        let answered = before.into_iter().flat_map(|received| received.schemes);
        self.goes_on = false;
        for mut answered in answered.filter(|scheme| self.sent == Some(scheme.bit())) {
            if let Some((place, challenge)) = schemes.iter_mut().find(|(scheme, _)| scheme.bit() == answered.bit()) {
                self.goes_on = answered.again(challenge);
                *place = answered;
            }
        }
        let schemes = schemes.into_iter().map(|(scheme, _)| scheme).collect();
        self.received = Some(ReceivedChallenges { origin: origin.clone(), schemes });
    }

    /// The scheme that answers the newest challenges, unless they refuse the answer that they got.
    fn next(&self, refused: u32) -> Option<&dyn Scheme> {
        let schemes = &self.received.as_ref()?.schemes;
        let scheme = schemes.iter().find(|scheme| self.login(scheme.bit(), refused).is_some())?;
        let first = self.sent.is_none();
        (first || (self.goes_on && self.sent == Some(scheme.bit()))).then_some(&**scheme)
    }

    /// The value of the header. Basic that was chosen is sent unasked.
    fn authorise(&mut self, signed: Signed<'_>, origin: &Origin, refused: u32) -> Option<Vec<u8>> {
        let mut received = self.received.take();
        let asked = received.as_mut().filter(|received| received.origin == *origin);
        let schemes = asked.into_iter().flat_map(|received| &mut received.schemes);
        let scheme = schemes.into_iter().find(|scheme| self.login(scheme.bit(), refused).is_some());
        let unasked: &mut dyn Scheme = &mut Basic;
        let scheme = match scheme {
            Some(scheme) => Some(&mut **scheme),
            None => self.explicit.is_some().then_some(unasked),
        };
        let value = scheme.and_then(|scheme| {
            let value = scheme.answer(self.login(scheme.bit(), refused)?, signed);
            Some((scheme.bit(), value?))
        });
        self.received = received;
        let (bit, value) = value?;
        (self.sent, self.spent) = (Some(bit), true);
        Some(value)
    }
}
