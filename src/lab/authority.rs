//! A certificate authority for tests.

use rcgen::{BasicConstraints, CertificateParams, DnType, Error, IsCa, Issuer, KeyPair};

/// An authority that nobody trusts until somebody is told to: its name is made up, its key lives in memory.
///
/// Names are held as Schannel holds them (source tls.wildcard): `*.api.test` is for `a.api.test`, and neither for `api.test` nor for
/// `a.b.api.test`; `*.test` is for nobody, because a star stands for one label in front of at least two.
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

/// A certificate and its key.
#[derive(Clone, Debug)]
pub struct Issued {
    /// DER, the certificate itself first.
    pub chain: Vec<Vec<u8>>,
    /// PKCS #8, DER.
    pub key: Vec<u8>,
}

impl Default for Authority {
    fn default() -> Authority {
        Authority::new()
    }
}

impl Authority {
    /// A new one.
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

    /// Its certificate as PEM: what PORTABLE_WINHTTP_CA_FILE wants in a file.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Its certificate as DER.
    pub fn der(&self) -> Vec<u8> {
        self.certificate.der().to_vec()
    }

    /// A certificate for a server with these names, which may be addresses.
    ///
    /// # Panics
    /// If a name is none.
    #[track_caller]
    pub fn issue(&self, names: &[&str]) -> Issued {
        self.issued(names, false)
    }

    /// [`Authority::issue`], but it expired in 2001.
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
