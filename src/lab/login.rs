//! Peers that ask for a password.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::received::Received;
use super::reply::Reply;
use crate::http::auth::{self, Target};
use crate::http::digest::{Authorised, Digest};
use crate::http::{Headers, ResponseHead, Version};

/// The authentication that a peer demands: the challenge, and the user name and password that it accepts. For
/// [`Rule::requires`](super::Rule::requires).
#[derive(Clone, Debug)]
pub struct Login {
    challenge: String,
    user: String,
    password: String,
    proxy: bool,
}

impl Login {
    /// Basic authentication.
    pub fn basic(realm: &str, user: &str, password: &str) -> Login {
        Login::new(format!("Basic realm=\"{realm}\""), user, password)
    }

    /// Digest with MD5 and `qop=auth`, always with the same nonce.
    pub fn digest(realm: &str, user: &str, password: &str) -> Login {
        let challenge = format!("Digest realm=\"{realm}\", nonce=\"c2ltdWxhdGVk\", algorithm=MD5, qop=\"auth\"");
        Login::new(challenge, user, password)
    }

    /// Digest with SHA-256 and `qop=auth`, always with the same nonce.
    pub fn digest_sha256(realm: &str, user: &str, password: &str) -> Login {
        let challenge = format!("Digest realm=\"{realm}\", nonce=\"c2ltdWxhdGVk\", algorithm=SHA-256, qop=\"auth\"");
        Login::new(challenge, user, password)
    }

    /// The peer asks as a proxy does: with 407 and `Proxy-Authenticate`, not 401.
    pub fn by_proxy(mut self) -> Login {
        self.proxy = true;
        self
    }

    fn new(challenge: String, user: &str, password: &str) -> Login {
        Login { challenge, user: user.to_owned(), password: password.to_owned(), proxy: false }
    }

    /// 401 or 407 for a request that does not bring what is asked for.
    pub(super) fn refusal(&self, request: &Received) -> Option<Reply> {
        let target = if self.proxy { Target::Proxy } else { Target::Server };
        let given = request.header(target.credentials_header());
        if given.is_some_and(|given| self.accepts(&given, request)) {
            return None;
        }
        let status = if self.proxy { 407 } else { 401 };
        Some(Reply::status(status).header(target.challenge_header(), &self.challenge))
    }

    fn accepts(&self, given: &str, request: &Received) -> bool {
        let (scheme, rest) = given.split_once(' ').unwrap_or((given, ""));
        if self.challenge.starts_with("Basic") {
            let expected = BASE64_STANDARD.encode(format!("{}:{}", self.user, self.password));
            return scheme.eq_ignore_ascii_case("basic") && rest.trim() == expected;
        }
        let digest = challenge(&self.challenge).and_then(|challenge| Digest::understand(&challenge, true));
        // An answer has the form of a challenge.
        let (Some(digest), Some(answer)) = (digest, challenge(given)) else { return false };
        let expected = Authorised {
            user: &self.user,
            password: &self.password,
            method: &request.method,
            target: &request.target,
            body: Some(&request.body),
            count: answer
                .parameter("nc")
                .and_then(|count| u32::from_str_radix(std::str::from_utf8(count).ok()?, 16).ok())
                .unwrap_or(1),
            seed: &[],
        };
        digest.accepts(&expected, &answer)
    }
}

/// Reads a challenge, or what is written like one.
fn challenge(text: &str) -> Option<auth::Challenge> {
    let mut headers = Headers::default();
    headers.append(Target::Server.challenge_header(), text.to_owned());
    let version = Version { major: 1, minor: 1 };
    let head = ResponseHead { version, status: 401, reason: bytes::Bytes::new(), headers };
    auth::challenges(&head.headers, Target::Server).into_iter().next()
}
