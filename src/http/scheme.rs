//! Authentication schemes that are spoken: each is a small conversation with whoever asks for credentials.
//!
//! Digest and Basic need one round. NTLM and Negotiate, which are not spoken yet, need several on one connection: such a
//! scheme is another [`Scheme`], and a line in [`SPOKEN`].

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::auth::Challenge;
use super::digest::{Authorised, Digest};
use crate::win32::{WINHTTP_AUTH_SCHEME_BASIC, WINHTTP_AUTH_SCHEME_DIGEST};

/// One scheme, from its first challenge on.
pub trait Scheme: Send {
    /// WINHTTP_AUTH_SCHEME_*, one bit.
    fn bit(&self) -> u32;

    /// Whether it is the connection that is authenticated, and not each request: then every round, and every request that
    /// follows, belongs on the connection that the challenge came over, and that connection to nobody else.
    fn connection_bound(&self) -> bool {
        false
    }

    /// The value of the credentials header of a request. `None` if there can be none.
    fn answer(&mut self, login: Login<'_>, signed: Signed<'_>) -> Option<Vec<u8>>;

    /// The answer brought another challenge. Takes it, and says whether it asks for another round: `false` is a refusal.
    fn again(&mut self, challenge: &Challenge) -> bool;
}

/// User and password.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// The user's name.
    pub user: &'a str,
    /// The password.
    pub password: &'a str,
}

/// The request that credentials go out with: some schemes sign it.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The verb.
    pub method: &'a str,
    /// The request target, as it goes out.
    pub target: &'a str,
    /// The body; `None` if it is not all known yet.
    pub body: Option<&'a [u8]>,
    /// Where the client's nonces come from: random bytes.
    pub seed: &'a [u8],
}

/// Begins a conversation, if the challenge is one of this scheme and can be understood.
type Begin = fn(&Challenge, newer_digest: bool) -> Option<Box<dyn Scheme>>;

/// The schemes that are spoken, the best first: Digest before Basic, which tells the password.
pub const SPOKEN: [Begin; 2] = [DigestScheme::begin, Basic::begin];

/// The conversations that these challenges can begin, the best first, with their challenges; one of each scheme.
/// `newer_digest`: see [`Digest::understand`].
pub fn begin(challenges: &[Challenge], newer_digest: bool) -> Vec<(Box<dyn Scheme>, &Challenge)> {
    let first =
        |begin: &Begin| challenges.iter().find_map(|challenge| Some((begin(challenge, newer_digest)?, challenge)));
    SPOKEN.iter().filter_map(first).collect()
}

/// RFC 7617, with name and password in UTF-8 (source auth.basic-utf8).
pub struct Basic;

impl Basic {
    fn begin(challenge: &Challenge, _newer_digest: bool) -> Option<Box<dyn Scheme>> {
        (challenge.scheme_bit() == Some(WINHTTP_AUTH_SCHEME_BASIC)).then(|| Box::new(Basic) as Box<dyn Scheme>)
    }
}

impl Scheme for Basic {
    fn bit(&self) -> u32 {
        WINHTTP_AUTH_SCHEME_BASIC
    }

    fn answer(&mut self, login: Login<'_>, _signed: Signed<'_>) -> Option<Vec<u8>> {
        let token = BASE64_STANDARD.encode(format!("{}:{}", login.user, login.password));
        Some(format!("Basic {token}").into_bytes())
    }

    fn again(&mut self, _challenge: &Challenge) -> bool {
        false
    }
}

/// RFC 7616. A nonce is used until another one comes, and counted.
struct DigestScheme {
    digest: Digest,
    count: u32,
    newer: bool,
}

impl DigestScheme {
    fn begin(challenge: &Challenge, newer: bool) -> Option<Box<dyn Scheme>> {
        let digest = Digest::understand(challenge, newer)?;
        Some(Box::new(DigestScheme { digest, count: 0, newer }))
    }
}

impl Scheme for DigestScheme {
    fn bit(&self) -> u32 {
        WINHTTP_AUTH_SCHEME_DIGEST
    }

    fn answer(&mut self, login: Login<'_>, signed: Signed<'_>) -> Option<Vec<u8>> {
        self.count += 1;
        let (Login { user, password }, Signed { method, target, body, seed }) = (login, signed);
        self.digest.answer(&Authorised { user, password, method, target, body, count: self.count, seed })
    }

    fn again(&mut self, challenge: &Challenge) -> bool {
        let newer = self.newer;
        let Some(digest) = Digest::understand(challenge, newer) else { return false };
        let stale = digest.stale();
        *self = DigestScheme { digest, count: 0, newer };
        stale
    }
}
