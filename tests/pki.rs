//! Certificates from anybody: none panics.

use portable_winhttp::pki::{
    Algorithm, Certificate, PublicKey, Revocation, Roots, Signature, Signatures, attributes, judge, lines, next_update,
    of_host, revocation,
};
use proptest::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, CrlDistributionPoint, DnType, IsCa, KeyPair};

/// Signatures that are good if they are not empty: what is tested is everything else.
struct Believer;

impl Signatures for Believer {
    fn verify(&self, _: &Algorithm<'_>, _: &[u8], signature: &[u8], _: &PublicKey<'_>) -> Signature {
        if signature.is_empty() { Signature::Bad } else { Signature::Good }
    }
}

/// An authority and a certificate of it, with every extension that is looked at.
fn chain() -> (Vec<u8>, Vec<u8>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "root");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::CrlSign];
    let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(vec!["api.test".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::OrganizationName, "größer");
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec!["http://a.test/ca.crl".to_owned()] }];
    let leaf = params.signed_by(&KeyPair::generate().unwrap(), &root).unwrap();
    (root.der().to_vec(), leaf.der().to_vec())
}

/// Everything that can be asked of a certificate.
fn look(der: &[u8], root: &[u8]) {
    let mut roots = Roots::default();
    roots.add(root);
    roots.add(der);
    for presented in [&[der][..], &[der, root], &[root, der], &[der, der, der, root, root], &[]] {
        let verdict = judge(presented, "api.test", &roots, &Believer, 1_700_000_000);
        assert!(verdict.path.len() <= 8);
    }
    assert_eq!(next_update(der), None);
    if let Ok(certificate) = Certificate::parse(der) {
        for host in ["api.test", "127.0.0.1", "::1", "", "..", "*"] {
            of_host(&certificate, host, std::slice::from_ref(&certificate));
        }
        lines(certificate.subject);
        attributes(certificate.issuer);
        let _ = (certificate.list_urls(), certificate.key_id(), certificate.issuer_key_id(), certificate.serves());
        assert_eq!(revocation(der, &certificate, &certificate, &Believer, 0), Revocation::Unknown);
    }
}

#[test]
fn a_certificate_is_read() {
    let (root, leaf) = chain();
    let certificate = Certificate::parse(&leaf).unwrap();
    let named = |host| of_host(&certificate, host, &[]);
    assert!(named("API.test.") && named("127.0.0.1"));
    assert!(!named("test") && !named("::1"));
    assert_eq!(certificate.list_urls(), ["http://a.test/ca.crl"]);
    assert!(lines(certificate.subject).ends_with("größer"), "{}", lines(certificate.subject));
    assert_eq!(certificate.issuer_key_id(), Certificate::parse(&root).unwrap().key_id());
    assert!(certificate.serves() && !certificate.may_issue(0));
    let root = Certificate::parse(&root).unwrap();
    assert!(root.may_issue(1) && !root.may_issue(2) && root.may_sign_lists());
    look(&leaf, root.der);
}

/// A certificate that ends anywhere is none.
#[test]
fn a_certificate_that_is_cut() {
    let (root, leaf) = chain();
    for at in 0..leaf.len() {
        assert!(Certificate::parse(&leaf[..at]).is_err(), "{at}");
        look(&leaf[..at], &root);
    }
}

proptest! {
    #[test]
    fn bytes_from_anybody(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        look(&bytes, &bytes);
    }

    #[test]
    fn a_certificate_that_is_changed(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let (root, mut leaf) = chain();
        for (at, byte) in changes {
            let at = at.index(leaf.len());
            leaf[at] = byte;
        }
        look(&leaf, &root);
    }
}
