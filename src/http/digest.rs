//! The Digest scheme (RFC 7616): what answers a challenge. MD5, SHA-256 and SHA-512-256, `-sess`, `auth`, `auth-int`,
//! `userhash`, and challenges without `qop` (RFC 2069).

use md5::Md5;
use sha2::digest::Digest as Hash;
use sha2::{Sha256, Sha512_256, digest::Output};

use super::auth::Challenge;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
    Sha512Of256,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quality {
    /// No `qop` was offered.
    None,
    Auth,
    /// The body is part of the answer.
    AuthInt,
}

/// A challenge that can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    realm: Vec<u8>,
    nonce: Vec<u8>,
    opaque: Option<Vec<u8>>,
    algorithm: Algorithm,
    session: bool,
    /// As the server wrote it; it is repeated only if it was there.
    algorithm_name: Option<String>,
    quality: Quality,
    stale: bool,
    userhash: bool,
}

/// The request that is to be authorised.
#[derive(Clone, Copy, Debug)]
pub struct Authorised<'a> {
    /// The user's name.
    pub user: &'a str,
    /// The password.
    pub password: &'a str,
    /// The verb.
    pub method: &'a str,
    /// The request target, as it goes out.
    pub target: &'a str,
    /// The body, for `auth-int`; `None` if it is not all known yet.
    pub body: Option<&'a [u8]>,
    /// How many requests used this challenge, this one included.
    pub count: u32,
    /// Where the client's nonce comes from: random bytes.
    pub seed: &'a [u8],
}

impl Digest {
    /// Understands a challenge; `None` if it is not Digest, or asks for what is not known. WinHTTP knows MD5 and MD5-sess, and
    /// nothing of `userhash` (source e06); `newer`: what RFC 7616 adds is known, too.
    pub fn understand(challenge: &Challenge, newer: bool) -> Option<Digest> {
        if !challenge.scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let text = |name| challenge.parameter(name).map(|value| String::from_utf8_lossy(value).into_owned());
        let is_true = |name| text(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let algorithm_name = text("algorithm");
        let (algorithm, session) = match algorithm_name.as_deref().unwrap_or("MD5").to_ascii_uppercase().as_str() {
            "MD5" => (Algorithm::Md5, false),
            "MD5-SESS" => (Algorithm::Md5, true),
            "SHA-256" if newer => (Algorithm::Sha256, false),
            "SHA-256-SESS" if newer => (Algorithm::Sha256, true),
            "SHA-512-256" if newer => (Algorithm::Sha512Of256, false),
            "SHA-512-256-SESS" if newer => (Algorithm::Sha512Of256, true),
            _ => return None,
        };
        let quality = match text("qop") {
            None => Quality::None,
            Some(offered) => {
                let offers = |name: &str| offered.split(',').any(|one| one.trim().eq_ignore_ascii_case(name));
                match () {
                    () if offers("auth") => Quality::Auth,
                    () if offers("auth-int") => Quality::AuthInt,
                    () => return None,
                }
            }
        };
        Some(Digest {
            realm: challenge.parameter("realm")?.to_vec(),
            nonce: challenge.parameter("nonce")?.to_vec(),
            opaque: challenge.parameter("opaque").map(<[u8]>::to_vec),
            algorithm,
            session,
            algorithm_name,
            quality,
            stale: is_true("stale"),
            userhash: newer && is_true("userhash"),
        })
    }

    /// Whether the server only asks for a newer nonce: user and password were right.
    pub fn stale(&self) -> bool {
        self.stale
    }

    /// The value of the Authorization header. `None` if the body is needed and not known.
    pub fn answer(&self, request: &Authorised<'_>) -> Option<Vec<u8>> {
        let mut client_nonce = self.hash_with::<Sha256>(&[request.seed, &self.nonce]);
        client_nonce.truncate(32);
        self.answer_with(request, &client_nonce)
    }

    /// Whether an answer, the Authorization field read like a challenge, is the right one: for servers. The nonce of the
    /// client is the answer's.
    #[cfg(feature = "lab")]
    pub fn accepts(&self, request: &Authorised<'_>, answer: &Challenge) -> bool {
        let client_nonce = answer.parameter("cnonce").map(String::from_utf8_lossy).unwrap_or_default();
        let expected = self.answer_with(request, &client_nonce).unwrap_or_default();
        let expected = String::from_utf8_lossy(&expected).into_owned();
        let response = answer.parameter("response").map(String::from_utf8_lossy).unwrap_or_default();
        answer.scheme.eq_ignore_ascii_case("digest")
            && answer.parameter("nonce") == Some(&self.nonce)
            && !response.is_empty()
            && expected.contains(&format!("response=\"{response}\""))
    }

    fn answer_with(&self, request: &Authorised<'_>, client_nonce: &str) -> Option<Vec<u8>> {
        let (user, realm, nonce) = (request.user.as_bytes(), self.realm.as_slice(), self.nonce.as_slice());
        let mut secret = self.hash(&[user, realm, request.password.as_bytes()]);
        if self.session {
            secret = self.hash(&[secret.as_bytes(), nonce, client_nonce.as_bytes()]);
        }
        let (method, target) = (request.method.as_bytes(), request.target.as_bytes());
        let what = match self.quality {
            Quality::AuthInt => self.hash(&[method, target, self.hash(&[request.body?]).as_bytes()]),
            Quality::None | Quality::Auth => self.hash(&[method, target]),
        };
        let count = format!("{:08x}", request.count);
        let quality = match self.quality {
            Quality::None => None,
            Quality::Auth => Some("auth"),
            Quality::AuthInt => Some("auth-int"),
        };
        let response = match quality {
            None => self.hash(&[secret.as_bytes(), nonce, what.as_bytes()]),
            Some(quality) => {
                let (count, client_nonce, quality) = (count.as_bytes(), client_nonce.as_bytes(), quality.as_bytes());
                self.hash(&[secret.as_bytes(), nonce, count, client_nonce, quality, what.as_bytes()])
            }
        };

        // The order of SSPI, which writes this field for WinHTTP (source auth.digest-form).
        let mut fields = vec![self.user_field(request.user)];
        fields.extend([quoted("realm", realm), quoted("nonce", nonce), quoted("uri", target)]);
        if quality.is_some() || self.session {
            fields.push(quoted("cnonce", client_nonce.as_bytes()));
        }
        fields.extend(quality.map(|_| format!("nc={count}").into_bytes()));
        fields.extend(self.algorithm_name.iter().map(|name| format!("algorithm={name}").into_bytes()));
        fields.push(quoted("response", response.as_bytes()));
        fields.extend(quality.map(|quality| quoted("qop", quality.as_bytes())));
        fields.extend(self.opaque.iter().map(|opaque| quoted("opaque", opaque)));
        if self.userhash {
            fields.push(b"userhash=true".to_vec());
        }
        Some([b"Digest ".as_slice(), &fields.join(b",".as_slice())].concat())
    }

    fn user_field(&self, user: &str) -> Vec<u8> {
        if self.userhash {
            return quoted("username", self.hash(&[user.as_bytes(), &self.realm]).as_bytes());
        }
        if user.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return quoted("username", user.as_bytes());
        }
        // RFC 8187: what no quoted string can hold.
        let encoded = user.bytes().map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        });
        format!("username*=UTF-8''{}", encoded.collect::<String>()).into_bytes()
    }

    /// The hash of the parts with colons between them, in hexadecimal.
    fn hash(&self, parts: &[&[u8]]) -> String {
        match self.algorithm {
            Algorithm::Md5 => self.hash_with::<Md5>(parts),
            Algorithm::Sha256 => self.hash_with::<Sha256>(parts),
            Algorithm::Sha512Of256 => self.hash_with::<Sha512_256>(parts),
        }
    }

    fn hash_with<H: Hash>(&self, parts: &[&[u8]]) -> String {
        let hash: Output<H> = H::digest(parts.join(b":".as_slice()));
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn quoted(name: &str, value: &[u8]) -> Vec<u8> {
    let mut field = format!("{name}=\"").into_bytes();
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            field.push(b'\\');
        }
        field.push(*byte);
    }
    field.push(b'"');
    field
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Headers;
    use crate::http::auth::{Target, challenges};

    fn understood(challenge: &str) -> Option<Digest> {
        let mut headers = Headers::default();
        headers.append("WWW-Authenticate", challenge.to_owned());
        challenges(&headers, Target::Server).iter().find_map(|challenge| Digest::understand(challenge, true))
    }

    fn mufasa<'a>() -> Authorised<'a> {
        Authorised {
            user: "Mufasa",
            password: "Circle of Life",
            method: "GET",
            target: "/dir/index.html",
            body: Some(b""),
            count: 1,
            seed: b"",
        }
    }

    fn answered(challenge: &str, request: &Authorised<'_>, client_nonce: &str) -> String {
        let answer = understood(challenge).and_then(|digest| digest.answer_with(request, client_nonce));
        String::from_utf8(answer.unwrap()).unwrap()
    }

    /// RFC 7616, 3.9.1 and 3.9.2; RFC 2617, 3.5.
    #[test]
    fn examples_of_the_standards() {
        let server = "realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
                      nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                      opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
        let client = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let rows = [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ];
        for (algorithm, response) in rows {
            let request = Authorised { password: "Circle of Life", ..mufasa() };
            let answer = answered(&format!("Digest {server}, algorithm={algorithm}"), &request, client);
            let expected = format!(
                "Digest username=\"Mufasa\",realm=\"http-auth@example.org\",\
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\",uri=\"/dir/index.html\",\
                 cnonce=\"{client}\",nc=00000001,algorithm={algorithm},response=\"{response}\",qop=\"auth\",\
                 opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            );
            assert_eq!(answer, expected);
        }
        let older = "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", \
                     nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
        let request = Authorised { password: "Circle Of Life", ..mufasa() };
        assert!(answered(older, &request, "0a4f113b").contains("response=\"6629fae49393a05397450978507c4ef1\""));
    }

    /// What WinHTTP wrote for corefx#37729 (source auth.digest-form).
    #[test]
    fn the_example_of_windows() {
        let challenge = "Digest realm=\"test\", domain=\"/HTTP/Digest\", nonce=\"242183759da18f88dfe72b0b9d9c7476\"";
        let request = Authorised { user: "guest", password: "guest", target: "/HTTP/Digest/", ..mufasa() };
        assert_eq!(
            answered(challenge, &request, "c"),
            "Digest username=\"guest\",realm=\"test\",nonce=\"242183759da18f88dfe72b0b9d9c7476\",\
             uri=\"/HTTP/Digest/\",response=\"1a5869a78de62a6df46f96ec1c998326\""
        );
    }

    /// What RFC 7616, 3.9.2 asks, answered by another implementation of its formulas: the values printed there are wrong.
    #[test]
    fn example_with_a_hashed_name() {
        let challenge = "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, \
                         nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", charset=UTF-8, userhash=true";
        let request =
            Authorised { user: "J\u{e4}s\u{f8}n Doe", password: "Secret, or not?", target: "/doe.json", ..mufasa() };
        let answer = answered(challenge, &request, "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm");
        for field in [
            "username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\"",
            "response=\"7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c\"",
        ] {
            assert!(answer.contains(field), "{answer}");
        }
    }

    /// The parts that the standards give no example of, against their formulas.
    #[test]
    fn variants() {
        let hash = |text: &str| Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let plain = hash("Mufasa:r:Circle of Life");
        let what = hash("GET:/dir/index.html");
        let whole = hash(&format!("GET:/dir/index.html:{}", hash("")));
        let session = hash(&format!("{plain}:n:c"));
        let rows = [
            ("", hash(&format!("{plain}:n:{what}"))),
            (", algorithm=MD5-sess, qop=auth", hash(&format!("{session}:n:00000001:c:auth:{what}"))),
            (", qop=\"auth-int\"", hash(&format!("{plain}:n:00000001:c:auth-int:{whole}"))),
            (", algorithm=md5-SESS", hash(&format!("{session}:n:{what}"))),
        ];
        for (more, response) in rows {
            let answer = answered(&format!("Digest realm=\"r\", nonce=\"n\"{more}"), &mufasa(), "c");
            assert!(answer.contains(&format!("response=\"{response}\"")), "{more}: {answer}");
            assert_eq!(answer.contains("cnonce="), !more.is_empty(), "{more}: {answer}");
        }
    }

    #[test]
    fn how_the_user_is_named() {
        let jason = Authorised { user: "J\u{e4}s\u{f8}n Doe", ..mufasa() };
        let quoted = Authorised { user: "a\"b\\c", ..mufasa() };
        let challenge = "Digest realm=\"api@example.org\", nonce=\"n\", algorithm=SHA-256, charset=UTF-8";
        assert!(answered(challenge, &quoted, "c").contains("username=\"a\\\"b\\\\c\""));
        assert!(answered(challenge, &jason, "c").contains("username*=UTF-8''J%C3%A4s%C3%B8n%20Doe,"));
        let hashed = answered(&format!("{challenge}, userhash=true"), &jason, "c");
        let hash = Sha256::digest("J\u{e4}s\u{f8}n Doe:api@example.org");
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(hashed.contains(&format!("username=\"{hash}\"")), "{hashed}");
        assert!(hashed.ends_with("userhash=true"), "{hashed}");
    }

    #[test]
    fn what_winhttp_does_not_understand() {
        let understood = |more: &str| {
            let mut headers = Headers::default();
            headers.append("WWW-Authenticate", format!("Digest realm=\"r\", nonce=\"n\"{more}"));
            challenges(&headers, Target::Server).iter().find_map(|challenge| Digest::understand(challenge, false))
        };
        for algorithm in ["SHA-256", "sha-256-sess", "SHA-512-256", "SHA-512-256-sess"] {
            assert_eq!(understood(&format!(", algorithm={algorithm}")), None, "{algorithm}");
        }
        let plain = understood(", algorithm=MD5-sess, userhash=true").unwrap();
        let answer = plain.answer_with(&mufasa(), "c").unwrap();
        assert!(String::from_utf8(answer).unwrap().contains("username=\"Mufasa\""));
    }

    #[test]
    fn what_is_not_understood() {
        for challenge in [
            "Basic realm=\"r\", nonce=\"n\"",
            "Digest realm=\"r\"",
            "Digest nonce=\"n\"",
            "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-1",
            "Digest realm=\"r\", nonce=\"n\", qop=\"other\"",
        ] {
            assert_eq!(understood(challenge), None, "{challenge}");
        }
        let whole = understood("Digest realm=\"r\", nonce=\"n\", qop=auth-int, stale=TRUE").unwrap();
        assert!(whole.stale());
        assert_eq!(whole.answer(&Authorised { body: None, ..mufasa() }), None);
    }

    #[test]
    fn the_client_nonce_depends_on_seed_and_nonce() {
        let answer = |nonce: &str, seed: &[u8]| {
            let digest = understood(&format!("Digest realm=\"r\", nonce=\"{nonce}\", qop=auth")).unwrap();
            let answer = String::from_utf8(digest.answer(&Authorised { seed, ..mufasa() }).unwrap()).unwrap();
            answer.split("cnonce=").nth(1).unwrap().to_owned()
        };
        assert_eq!(answer("n", b"s"), answer("n", b"s"));
        assert_ne!(answer("n", b"s"), answer("n", b"t"));
        assert_ne!(answer("n", b"s"), answer("m", b"s"));
    }
}
