//! A certificate authority for tests.

use rcgen::{BasicConstraints, CertificateParams, DnType, Error, IsCa, Issuer, KeyPair};

/// A new certificate authority with a key in memory. Nothing trusts it by itself: give [`pem`](Authority::pem) to the program under
/// test, for example by `PORTABLE_WINHTTP_CA_FILE`.
///
/// Names are matched as Schannel matches them (source tls.wildcard): `*.api.test` matches `a.api.test`, but neither `api.test` nor
/// `a.b.api.test`. `*.test` matches nothing, because a star stands for one label before at least two others.
///
/// ```
/// use portable_winhttp::lab::Authority;
///
/// let authority = Authority::new();
/// let server = authority.issue(&["api.test", "127.0.0.1"]);
/// assert!(authority.pem().starts_with("-----BEGIN CERTIFICATE-----"));
/// assert_eq!(server.chain.len(), 2);
/// ```
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

/// A certificate with its chain and its private key.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The chain as DER, the certificate itself first.
    pub chain: Vec<Vec<u8>>,
    /// The private key: PKCS #8, DER.
    pub key: Vec<u8>,
}

impl Default for Authority {
    fn default() -> Authority {
        Authority::new()
    }
}

impl Authority {
    /// Makes an authority with a new key.
    ///
    /// # Panics
    /// If the system has no randomness.
    pub fn new() -> Authority {
        Authority::make().unwrap_or_else(|error| panic!("no authority can be made: {error}"))
    }

    fn make() -> Result<Authority, Error> {
        let key = KeyPair::generate()?;
        let mut parameters = CertificateParams::new(Vec::new())?;
        parameters.distinguished_name.push(DnType::CommonName, "portable-winhttp lab");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key)?;
        Ok(Authority { issuer: Issuer::new(parameters, key), certificate })
    }

    /// Its certificate as PEM, the content of a file for `PORTABLE_WINHTTP_CA_FILE`.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Its certificate as DER.
    pub fn der(&self) -> Vec<u8> {
        self.certificate.der().to_vec()
    }

    /// Issues a certificate for a server with these names or addresses.
    ///
    /// # Panics
    /// If a name is malformed.
    #[track_caller]
    pub fn issue(&self, names: &[&str]) -> Issued {
        self.issued(names, false)
    }

    /// As [`Authority::issue`], but the certificate expired in 2001.
    #[track_caller]
    pub fn issue_expired(&self, names: &[&str]) -> Issued {
        self.issued(names, true)
    }

    #[track_caller]
    fn issued(&self, names: &[&str], expired: bool) -> Issued {
        match self.try_issue(names, expired) {
            Ok(issued) => issued,
            Err(error) => panic!("no certificate can be made for {names:?}: {error}"),
        }
    }

    fn try_issue(&self, names: &[&str], expired: bool) -> Result<Issued, Error> {
        let key = KeyPair::generate()?;
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = CertificateParams::new(names)?;
        if expired {
            parameters.not_before = rcgen::date_time_ymd(2000, 1, 1);
            parameters.not_after = rcgen::date_time_ymd(2001, 1, 1);
        }
        parameters.extended_key_usages.push(rcgen::ExtendedKeyUsagePurpose::ServerAuth);
        parameters.use_authority_key_identifier_extension = true;
        let certificate = parameters.signed_by(&key, &self.issuer)?;
        Ok(Issued { chain: vec![certificate.der().to_vec(), self.der()], key: key.serialize_der() })
    }
}
