//! Challenges of WWW-Authenticate and Proxy-Authenticate (RFC 9110, 11.6), and what WinHttpQueryAuthSchemes says of them.

use super::header_text::is_token;
use super::{Headers, ResponseHead};
use crate::win32::{
    WINHTTP_AUTH_SCHEME_BASIC, WINHTTP_AUTH_SCHEME_DIGEST, WINHTTP_AUTH_SCHEME_NEGOTIATE, WINHTTP_AUTH_SCHEME_NTLM,
    WINHTTP_AUTH_SCHEME_PASSPORT, WINHTTP_AUTH_TARGET_PROXY, WINHTTP_AUTH_TARGET_SERVER,
};

/// Who asks for credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The origin server, with 401.
    Server,
    /// The proxy, with 407.
    Proxy,
}

impl Target {
    /// Both.
    pub const ALL: [Target; 2] = [Target::Server, Target::Proxy];

    /// The target of a WINHTTP_AUTH_TARGET_* number.
    pub fn of_number(number: u32) -> Option<Target> {
        Target::ALL.into_iter().find(|target| target.number() == number)
    }

    /// The target that answers with this status.
    pub fn of_status(status: u16) -> Option<Target> {
        match status {
            401 => Some(Target::Server),
            407 => Some(Target::Proxy),
            _ => None,
        }
    }

    /// WINHTTP_AUTH_TARGET_*
    pub fn number(self) -> u32 {
        match self {
            Target::Server => WINHTTP_AUTH_TARGET_SERVER,
            Target::Proxy => WINHTTP_AUTH_TARGET_PROXY,
        }
    }

    /// The header that its challenges come in.
    pub fn challenge_header(self) -> &'static str {
        match self {
            Target::Server => "WWW-Authenticate",
            Target::Proxy => "Proxy-Authenticate",
        }
    }

    /// The header that credentials for it go in.
    pub fn credentials_header(self) -> &'static str {
        match self {
            Target::Server => "Authorization",
            Target::Proxy => "Proxy-Authorization",
        }
    }
}

/// One challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The name of the scheme, as given.
    pub scheme: String,
    /// What follows it when that is no list of parameters (token68).
    pub token: Option<String>,
    /// Names, in lower case, and values without their quotes.
    pub parameters: Vec<(String, Vec<u8>)>,
}

impl Challenge {
    /// The value of a parameter; `name` is in lower case.
    pub fn parameter(&self, name: &str) -> Option<&[u8]> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    /// The WINHTTP_AUTH_SCHEME_* bit; `None` for a scheme that WinHTTP does not know, and for Basic and Digest with a token
    /// where their parameters belong (source e03).
    pub fn scheme_bit(&self) -> Option<u32> {
        const KNOWN: [(&str, u32); 5] = [
            ("basic", WINHTTP_AUTH_SCHEME_BASIC),
            ("ntlm", WINHTTP_AUTH_SCHEME_NTLM),
            ("passport1.4", WINHTTP_AUTH_SCHEME_PASSPORT),
            ("digest", WINHTTP_AUTH_SCHEME_DIGEST),
            ("negotiate", WINHTTP_AUTH_SCHEME_NEGOTIATE),
        ];
        let (_, bit) = KNOWN.iter().find(|(name, _)| self.scheme.eq_ignore_ascii_case(name))?;
        let takes_none = matches!(*bit, WINHTTP_AUTH_SCHEME_BASIC | WINHTTP_AUTH_SCHEME_DIGEST);
        (!takes_none || self.token.is_none()).then_some(*bit)
    }
}

/// What WinHttpQueryAuthSchemes answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// WINHTTP_AUTH_SCHEME_* bits of the schemes that WinHTTP knows.
    pub supported: u32,
    /// The first of them in the order of the headers.
    pub first: u32,
    /// Who asks.
    pub target: Target,
}

/// What a reply offers; `None` if it is no 401 or 407, or has no challenge of a scheme that WinHTTP knows
/// (source e01).
pub fn offer(head: &ResponseHead) -> Option<Offer> {
    let target = Target::of_status(head.status)?;
    let challenges = challenges(&head.headers, target);
    let bits = || challenges.iter().filter_map(Challenge::scheme_bit);
    let supported = bits().fold(0, |mask, bit| mask | bit);
    let first = bits().next()?;
    Some(Offer { supported, first, target })
}

/// Whether a reply is a redirect to a Passport login.
pub fn is_passport(head: &ResponseHead) -> bool {
    let asks = |challenge: &Challenge| challenge.scheme_bit() == Some(WINHTTP_AUTH_SCHEME_PASSPORT);
    head.status == 302 && challenges(&head.headers, Target::Server).iter().any(asks)
}

/// The challenges of all header fields for this target, in order.
pub fn challenges(headers: &Headers, target: Target) -> Vec<Challenge> {
    let name = target.challenge_header();
    let fields = headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
    fields.flat_map(|header| parse(&header.value)).collect()
}

/// Reads one field value. A comma stands between challenges and between parameters alike: a name with `=` and a value
/// behind it is a parameter of the challenge before it, any other name begins a challenge. What is neither is skipped.
/// A challenge whose parameters something else than a comma breaks off is none, and nothing behind it counts (sources e03,
/// e05).
fn parse(value: &[u8]) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = Scanner(value);
    loop {
        let before = rest.0;
        if !rest.skip(b" \t,") {
            return challenges;
        }
        let comma = before[..before.len() - rest.0.len()].contains(&b',');
        let begun = rest.0.first().is_some_and(|byte| is_token(*byte));
        if begun && !comma && challenges.last().is_some_and(|last| !last.parameters.is_empty()) {
            challenges.pop();
            return challenges;
        }
        match (rest.parameter(), challenges.last_mut()) {
            (Some(parameter), Some(challenge)) => challenge.parameters.push(parameter),
            (Some(_), None) => {}
            (None, _) => match rest.take(is_token) {
                "" => rest.0 = &rest.0[1..],
                scheme => {
                    let mut challenge = Challenge { scheme: scheme.to_owned(), token: None, parameters: Vec::new() };
                    rest.skip(b" \t");
                    if let Some(parameter) = rest.parameter() {
                        challenge.parameters.push(parameter);
                    } else {
                        let token = rest.take(is_token68);
                        challenge.token = (!token.is_empty()).then(|| token.to_owned());
                    }
                    challenges.push(challenge);
                }
            },
        }
    }
}

fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

/// What is left of a field value.
struct Scanner<'a>(&'a [u8]);

impl<'a> Scanner<'a> {
    /// Passes over these bytes; whether something is left.
    fn skip(&mut self, bytes: &[u8]) -> bool {
        let length = self.0.iter().take_while(|byte| bytes.contains(byte)).count();
        self.0 = &self.0[length..];
        !self.0.is_empty()
    }

    fn take(&mut self, wanted: fn(u8) -> bool) -> &'a str {
        let length = self.0.iter().take_while(|byte| wanted(**byte)).count();
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        // Both kinds of byte are ASCII.
        std::str::from_utf8(taken).unwrap_or_default()
    }

    /// `name = value`; nothing is taken if there is none.
    fn parameter(&mut self) -> Option<(String, Vec<u8>)> {
        let mut ahead = Scanner(self.0);
        let name = ahead.take(is_token);
        ahead.skip(b" \t");
        ahead.0 = ahead.0.strip_prefix(b"=").filter(|_| !name.is_empty())?;
        ahead.skip(b" \t");
        let value = match ahead.0.strip_prefix(b"\"") {
            Some(quoted) => {
                ahead.0 = quoted;
                ahead.quoted()
            }
            None => Some(ahead.take(is_token).as_bytes().to_vec()).filter(|value| !value.is_empty())?,
        };
        self.0 = ahead.0;
        Some((name.to_ascii_lowercase(), value))
    }

    /// The text up to the closing quote; all of it if there is none.
    fn quoted(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        while let Some((first, rest)) = self.0.split_first() {
            self.0 = rest;
            match (first, rest.split_first()) {
                (b'"', _) => break,
                (b'\\', Some((escaped, rest))) => {
                    text.push(*escaped);
                    self.0 = rest;
                }
                (byte, _) => text.push(*byte),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Version;

    /// `scheme token68 | name=value | …` of each challenge.
    fn shown(values: &[&str]) -> Vec<String> {
        let mut headers = Headers::default();
        for value in values {
            headers.append("www-authenticate", value.to_string());
        }
        let show = |challenge: &Challenge| {
            let token = challenge.token.iter().map(|token| format!(" {token}"));
            let parameters = challenge.parameters.iter();
            let parameters = parameters.map(|(name, value)| format!("|{name}={}", String::from_utf8_lossy(value)));
            challenge.scheme.clone() + &token.chain(parameters).collect::<String>()
        };
        challenges(&headers, Target::Server).iter().map(show).collect()
    }

    #[test]
    fn what_is_a_challenge() {
        let rows: &[(&[&str], &[&str])] = &[
            (&["Basic realm=\"r\""], &["Basic|realm=r"]),
            (&["Bearer", "Basic", "NTLM"], &["Bearer", "Basic", "NTLM"]),
            (&["Bearer, Basic, NTLM"], &["Bearer", "Basic", "NTLM"]),
            (
                &["Digest realm=\"a, b\", nonce=x, Basic REALM = \"say \\\"hi\\\"\""],
                &["Digest|realm=a, b|nonce=x", "Basic|realm=say \"hi\""],
            ),
            (&["Negotiate YII=, NTLM TlRM=="], &["Negotiate YII=", "NTLM TlRM=="]),
            (&["Negotiate abc/+="], &["Negotiate abc/+="]),
            (&[",, Basic ,realm=r,,"], &["Basic|realm=r"]),
            (&["realm=r, Basic"], &["Basic"]),
            (&["Basic realm=\"open"], &["Basic|realm=open"]),
            (&["Basic realm=\"\\"], &["Basic|realm=\\"]),
            (&["\"\", ;Basic"], &["Basic"]),
            (&["", " , "], &[]),
            (&["Digest realm=\"r\" nonce=n Digest realm=s"], &[]),
            (&["Digest realm=r, nonce=n, algorithm=MD5 Basic realm=r"], &[]),
            (&["Digest realm=r nonce=n, Basic realm=r"], &[]),
            (&["Basic realm=r, Digest realm=r nonce=n"], &["Basic|realm=r"]),
            (&["Basic something, Digest something"], &["Basic something", "Digest something"]),
        ];
        for (values, challenges) in rows {
            assert_eq!(shown(values), *challenges, "{values:?}");
        }
    }

    #[test]
    fn what_query_auth_schemes_says() {
        let head = |status, name: &str, values: &[&str]| {
            let mut headers = Headers::default();
            for value in values {
                headers.append(name, value.to_string());
            }
            ResponseHead { version: Version { major: 1, minor: 1 }, status, reason: bytes::Bytes::new(), headers }
        };
        let (www, proxy) = ("WWW-Authenticate", "Proxy-Authenticate");
        let server = |supported, first| Some(Offer { supported, first, target: Target::Server });
        let rows = [
            (head(401, www, &["Bearer", "Basic", "NTLM"]), server(3, 1)),
            (head(401, www, &["negotiate, digest nonce=\"a\", Passport1.4 x=y"]), server(28, 16)),
            (head(401, www, &["Bearer"]), None),
            (head(401, www, &["Bearer, GSSAPI x=y"]), None),
            (head(401, www, &["Basic something, Digest something"]), None),
            (head(407, proxy, &["NTLM"]), Some(Offer { supported: 2, first: 2, target: Target::Proxy })),
            (head(407, www, &["Basic"]), None),
            (head(401, www, &[]), None),
            (head(200, www, &["Basic"]), None),
        ];
        for (head, expected) in rows {
            assert_eq!(offer(&head), expected, "{head:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_value_panics(bytes: Vec<u8>, text in "([a-cA-C]{0,2}[ =,\"\\\\]{0,2}){0,8}") {
            parse(&bytes);
            parse(text.as_bytes());
        }
    }
}
