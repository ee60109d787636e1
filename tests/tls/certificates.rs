//! Authorities, and certificates with faults.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use base64::Engine;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree,
    IsCa, KeyPair, NameConstraints, date_time_ymd,
};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ALL_VERSIONS, RootCertStore, ServerConfig, SupportedProtocolVersion};

/// An authority that signs certificates.
pub type Authority = CertifiedIssuer<'static, KeyPair>;

/// The authority that this process trusts. Every test comes here first.
pub static TRUSTED: LazyLock<Authority> = LazyLock::new(|| {
    let trusted = authority("trusted");
    let path = file("trusted.pem", &trusted.pem());
    let itself = file("itself.pem", &ITSELF.pem());
    // SAFETY: nobody reads the environment before: every test comes here first.
    unsafe {
        std::env::set_var("SSL_CERT_FILE", path);
        std::env::set_var("PORTABLE_WINHTTP_CA_FILE", itself);
    }
    trusted
});

/// A server's certificate that this process trusts, by PORTABLE_WINHTTP_CA_FILE. It says that it is an authority, as
/// many do that were made by hand.
static ITSELF: LazyLock<Leaf> = LazyLock::new(|| Leaf::self_signed(of_authority()));

/// The same.
pub fn trusted_itself() -> Leaf {
    Leaf { chain: ITSELF.chain.clone(), key: KeyPair::from_pem(&ITSELF.key.serialize_pem()).unwrap() }
}

/// An authority that nobody trusts.
pub static UNKNOWN: LazyLock<Authority> = LazyLock::new(|| authority("unknown"));

pub fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Writes a file that this process reads.
pub fn file(name: &str, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("portable-winhttp-{}-{name}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    path
}

/// What can be wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Authority,
    Name,
    Expired,
    NotYetValid,
    Usage,
}

/// A certificate with these faults, and no other, for 127.0.0.1.
pub fn certificate(faults: &[Fault]) -> Leaf {
    let issuer = if faults.contains(&Fault::Authority) { &*UNKNOWN } else { &*TRUSTED };
    let name = if faults.contains(&Fault::Name) { "example.org" } else { "127.0.0.1" };
    let mut params = parameters(name);
    for fault in faults {
        match fault {
            Fault::Authority | Fault::Name => {}
            Fault::Expired => params.not_after = date_time_ymd(2001, 1, 1),
            Fault::NotYetValid => params.not_before = date_time_ymd(3000, 1, 1),
            Fault::Usage => params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
        }
    }
    Leaf::signed(params, issuer)
}

/// What a good certificate for this name needs.
pub fn parameters(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name = Default::default();
    params.distinguished_name.push(DnType::OrganizationName, "portable");
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// What a server wants of its clients.
#[derive(Clone, Copy, Debug)]
pub enum Clients {
    Unasked,
    /// A certificate, if they have one.
    Asked,
    /// A certificate.
    Known,
}

/// A certificate and its key.
pub struct Leaf {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: KeyPair,
}

impl Leaf {
    pub fn signed(params: CertificateParams, issuer: &Authority) -> Leaf {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, issuer).unwrap();
        Leaf { chain: vec![certificate.into()], key }
    }

    pub fn self_signed(params: CertificateParams) -> Leaf {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Leaf { chain: vec![certificate.into()], key }
    }

    /// Sends these certificates, too.
    pub fn with(mut self, others: &[CertificateDer<'static>]) -> Leaf {
        self.chain.extend_from_slice(others);
        self
    }

    /// A server that shows it.
    pub fn server(&self) -> Arc<ServerConfig> {
        Arc::new(self.config(ALL_VERSIONS, Clients::Unasked))
    }

    /// A server that shows it, speaks these versions and asks its clients.
    pub fn config(&self, versions: &[&'static SupportedProtocolVersion], clients: Clients) -> ServerConfig {
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let provider = Arc::new(default_provider());
        let asked = || {
            let mut roots = RootCertStore::empty();
            roots.add(der(&TRUSTED)).unwrap();
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        };
        let verifier = match clients {
            Clients::Unasked => WebPkiClientVerifier::no_client_auth(),
            Clients::Asked => asked().allow_unauthenticated().build().unwrap(),
            Clients::Known => asked().build().unwrap(),
        };
        ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(self.chain.clone(), key)
            .unwrap()
    }

    /// Certificates and key as PEM.
    pub fn pem(&self) -> String {
        let mut pem = self.key.serialize_pem();
        for certificate in &self.chain {
            let text = base64::engine::general_purpose::STANDARD.encode(certificate);
            pem.push_str(&format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"));
        }
        pem
    }
}

pub fn der(authority: &Authority) -> CertificateDer<'static> {
    CertificateDer::from(authority.der().to_vec())
}

/// An authority below another.
pub fn intermediate(root: &Authority, change: impl FnOnce(&mut CertificateParams)) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "intermediate");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), root).unwrap()
}

pub fn expire(params: &mut CertificateParams) {
    params.not_after = date_time_ymd(2001, 1, 1);
}

/// A good certificate whose issuer had expired before it began.
pub fn leaf_after(issuer: &Authority) -> Leaf {
    let mut params = parameters("127.0.0.1");
    params.not_before = date_time_ymd(2020, 1, 1);
    Leaf::signed(params, issuer).with(&[der(issuer)])
}

/// A certificate that is signed by that of a server.
pub fn leaf_of_leaf() -> Leaf {
    let mut params = parameters("127.0.0.1");
    params.is_ca = IsCa::ExplicitNoCa;
    let server = CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &*TRUSTED).unwrap();
    Leaf::signed(parameters("127.0.0.1"), &server).with(&[der(&server)])
}

/// A certificate for 127.0.0.1 that may sign others.
pub fn of_authority() -> CertificateParams {
    let mut params = parameters("127.0.0.1");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

/// A certificate without alternative names.
pub fn common_name(name: &str) -> CertificateParams {
    let mut params = parameters(name);
    params.subject_alt_names.clear();
    params
}

/// A certificate that has its name as a common name only, below an authority whose names are constrained to, or exclude, a
/// network.
pub fn constrained(network: [u8; 4], permitted: bool) -> Leaf {
    let subtrees = vec![GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix(network, 8))];
    let (permitted_subtrees, excluded_subtrees) = if permitted { (subtrees, vec![]) } else { (vec![], subtrees) };
    let issuer = intermediate(&TRUSTED, |params| {
        params.name_constraints = Some(NameConstraints { permitted_subtrees, excluded_subtrees });
    });
    Leaf::signed(common_name("127.0.0.1"), &issuer).with(&[der(&issuer)])
}
