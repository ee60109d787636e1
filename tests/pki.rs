//! Certificates from anybody: none panics.

use portable_winhttp::pki::{
    Algorithm, Certificate, PublicKey, Revocation, RevocationList, Roots, Signature, Signatures, attributes, judge,
    lines, of_host,
};
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CrlDistributionPoint, CustomExtension, DnType, IsCa, KeyPair,
};

/// Signatures that are good if they are not empty: what is tested is everything else.
struct Believer;

impl Signatures for Believer {
    fn verify(&self, _: &Algorithm<'_>, _: &[u8], signature: &[u8], _: &PublicKey<'_>) -> Signature {
        if signature.is_empty() { Signature::Bad } else { Signature::Good }
    }
}

/// An authority and a certificate of it, with every extension that is looked at.
fn chain() -> (Vec<u8>, Vec<u8>) {
    chain_of_points(None)
}

/// The same, with these distribution points (DER), if any are given.
fn chain_of_points(points: Option<Vec<u8>>) -> (Vec<u8>, Vec<u8>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "root");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::CrlSign];
    let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(vec!["api.test".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::OrganizationName, "größer");
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    match points {
        Some(points) => params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 31], points)],
        None => {
            let uris = vec!["http://a.test/ca.crl".to_owned()];
            params.crl_distribution_points = vec![CrlDistributionPoint { uris }];
        }
    }
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
    if let Ok(certificate) = Certificate::parse(der) {
        for host in ["api.test", "127.0.0.1", "::1", "", "..", "*"] {
            of_host(&certificate, host, std::slice::from_ref(&certificate));
        }
        lines(certificate.subject);
        attributes(certificate.issuer);
        let _ = (certificate.list_points(), certificate.key_id(), certificate.issuer_key_id(), certificate.serves());
        assert!(RevocationList::read(der, &certificate, &Believer).is_none());
    }
}

#[test]
fn a_certificate_is_read() {
    let (root, leaf) = chain();
    let certificate = Certificate::parse(&leaf).unwrap();
    let named = |host| of_host(&certificate, host, &[]);
    assert!(named("API.test.") && named("127.0.0.1"));
    assert!(!named("test") && !named("::1"));
    let urls: Vec<_> = certificate.list_points().into_iter().map(|point| point.url).collect();
    assert_eq!(urls, ["http://a.test/ca.crl"]);
    assert!(lines(certificate.subject).ends_with("größer"), "{}", lines(certificate.subject));
    assert_eq!(certificate.issuer_key_id().as_deref(), Certificate::parse(&root).unwrap().key_id());
    assert!(certificate.serves() && !certificate.may_issue(0));
    let root = Certificate::parse(&root).unwrap();
    assert!(root.may_issue(1) && !root.may_issue(2) && root.may_sign_lists());
    look(&leaf, root.der);
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    assert!(value.len() < 1 << 16);
    let length = [0x82, (value.len() >> 8) as u8, value.len() as u8];
    let length = if value.len() < 0x80 {
        &length[2..]
    } else if value.len() < 0x100 {
        &[0x81, length[2]]
    } else {
        &length[..]
    };
    [&[tag], length, &value].concat()
}

/// What a list says of a certificate, by its first point.
fn revocation(list: &[u8], leaf: &Certificate<'_>, root: &Certificate<'_>) -> Revocation {
    let list = RevocationList::read(list, root, &Believer);
    let points = leaf.list_points();
    let known = list.zip(points.first());
    known.map_or(Revocation::Unknown, |(list, point)| list.says(leaf, root, point, 1_700_000_000))
}

/// Lists of revoked certificates, also of version 1: those have no version and no extensions, and may name no next update, after which they
/// still tell who is revoked (source tls.list-without-end).
#[test]
fn lists_of_both_versions() {
    const ALGORITHM: &[u8] = b"\x30\x0A\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x02";
    const VERSION_2: &[u8] = b"\x02\x01\x01";
    let time = |text: &str| tlv(0x17, &[text.as_bytes()]);
    let (root, leaf) = chain();
    let (root, leaf) = (Certificate::parse(&root).unwrap(), Certificate::parse(&leaf).unwrap());
    let (past, future) = (time("200101000000Z"), time("400101000000Z"));
    let (serial, other) = (tlv(2, &[leaf.serial]), tlv(2, &[b"\x05"]));
    // A number of the list, and changes to another one, which is critical.
    let extension = |id: &[u8], critical: &[u8]| {
        let number = tlv(4, &[b"\x02\x01\x01"]);
        tlv(0xA0, &[&tlv(0x30, &[&tlv(0x30, &[&tlv(6, &[id]), critical, &number])])])
    };
    let (number, changes) = (extension(b"\x55\x1D\x14", b""), extension(b"\x55\x1D\x1B", b"\x01\x01\xFF"));
    type Row<'a> = ([&'a [u8]; 5], Revocation);
    let rows: [Row<'_>; 11] = [
        ([b"", root.subject, b"", &serial, b""], Revocation::Revoked),
        ([b"", root.subject, b"", &other, b""], Revocation::Unknown),
        ([VERSION_2, root.subject, b"", &serial, &number], Revocation::Revoked),
        ([VERSION_2, root.subject, b"", &other, &number], Revocation::Unknown),
        ([b"", root.subject, &future, &serial, b""], Revocation::Revoked),
        ([b"", root.subject, &future, &other, b""], Revocation::Good),
        ([VERSION_2, root.subject, &future, &serial, &number], Revocation::Revoked),
        ([VERSION_2, root.subject, &future, &other, &number], Revocation::Good),
        ([VERSION_2, root.subject, &past, &serial, &number], Revocation::Unknown),
        ([VERSION_2, root.subject, &future, &serial, &changes], Revocation::Unknown),
        ([VERSION_2, leaf.subject, &future, &serial, &number], Revocation::Unknown),
    ];
    for (number, ([version, issuer, next, serial, extensions], expected)) in rows.into_iter().enumerate() {
        let entries = tlv(0x30, &[&tlv(0x30, &[serial, &past])]);
        let signed = tlv(0x30, &[version, ALGORITHM, issuer, &past, next, &entries, extensions]);
        let list = tlv(0x30, &[&signed, ALGORITHM, b"\x03\x02\x00\x01"]);
        assert_eq!(revocation(&list, &leaf, &root), expected, "row {number}");
    }
}

/// A list that is divided speaks of those who name its part (RFC 5280 6.3.3 b 2 i): another one, as truly signed, says
/// nothing of them.
#[test]
fn parts_of_a_list() {
    const ALGORITHM: &[u8] = b"\x30\x0A\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x02";
    const HERE: &[u8] = b"http://a.test/ca.crl";
    let (root, leaf) = chain();
    let (root, leaf) = (Certificate::parse(&root).unwrap(), Certificate::parse(&leaf).unwrap());
    let (past, future) = (tlv(0x17, &[b"200101000000Z"]), tlv(0x17, &[b"400101000000Z"]));
    let url = |url: &[u8]| tlv(0x86, &[url]);
    let full = |names: &[&[u8]]| tlv(0xA0, &[&tlv(0xA0, names)]);
    let (here, there) = (url(HERE), url(b"http://a.test/2.crl"));
    let reasons = tlv(0x83, &[b"\x06\x40"]);
    let flag = |number: u8| tlv(0x80 | number, &[b"\xFF"]);
    let relative = tlv(0xA0, &[&tlv(0xA1, &[&tlv(0x30, &[b"\x06\x03\x55\x04\x03", &tlv(0x0C, &[HERE])])])]);
    use Revocation::{Good, Revoked, Unknown};
    type Row<'a> = (&'a str, &'a [&'a [u8]], [Revocation; 2]);
    let rows: [Row<'_>; 11] = [
        ("no part", &[], [Good, Revoked]),
        ("its part", &[&full(&[&here])], [Good, Revoked]),
        ("its part, by another name, too", &[&full(&[&there, &here])], [Good, Revoked]),
        ("another part", &[&full(&[&there])], [Unknown, Unknown]),
        ("a part without a name", &[&full(&[])], [Unknown, Unknown]),
        ("a name below its issuer's", &[&relative], [Unknown, Unknown]),
        ("its part, users", &[&full(&[&here]), &flag(1)], [Good, Revoked]),
        ("its part, authorities", &[&full(&[&here]), &flag(2)], [Unknown, Unknown]),
        ("some reasons", &[&reasons], [Unknown, Revoked]),
        ("its part, some reasons", &[&full(&[&here]), &reasons], [Unknown, Revoked]),
        ("its part, of others", &[&full(&[&here]), &flag(4)], [Unknown, Unknown]),
    ];
    for (what, scope, expected) in rows {
        for critical in [&b"\x01\x01\xFF"[..], b""] {
            let scope = tlv(4, &[&tlv(0x30, scope)]);
            let extensions = tlv(0xA0, &[&tlv(0x30, &[&tlv(0x30, &[b"\x06\x03\x55\x1D\x1C", critical, &scope])])]);
            for (serial, expected) in [(&b"\x05"[..], expected[0]), (leaf.serial, expected[1])] {
                let entries = tlv(0x30, &[&tlv(0x30, &[&tlv(2, &[serial]), &past])]);
                let signed =
                    tlv(0x30, &[b"\x02\x01\x01", ALGORITHM, root.subject, &past, &future, &entries, &extensions]);
                let list = tlv(0x30, &[&signed, ALGORITHM, b"\x03\x02\x00\x01"]);
                assert_eq!(revocation(&list, &leaf, &root), expected, "{what}, {critical:?}, {serial:?}");
            }
        }
    }
}

/// Points whose lists have some reasons only can say that a certificate was revoked, not that it was not; those whose lists
/// somebody else signs are of no use.
#[test]
fn points_of_a_certificate() {
    const ALGORITHM: &[u8] = b"\x30\x0A\x06\x08\x2A\x86\x48\xCE\x3D\x04\x03\x02";
    let name = tlv(0xA0, &[&tlv(0xA0, &[&tlv(0x86, &[b"HTTP://a.test/1"]), &tlv(0x86, &[b"ldap://a.test/2"])])]);
    let (reasons, other) = (tlv(0x81, &[b"\x06\x40"]), tlv(0xA2, &[&tlv(0x82, &[b"other.test"])]));
    use Revocation::{Good, Revoked, Unknown};
    type Row<'a> = (&'a [&'a [u8]], usize, [Revocation; 2]);
    let rows: [Row<'_>; 4] = [
        (&[&name], 1, [Good, Revoked]),
        (&[&name, &reasons], 1, [Unknown, Revoked]),
        (&[&name, &other], 0, [Unknown, Unknown]),
        (&[&reasons], 0, [Unknown, Unknown]),
    ];
    for (row, (point, points, expected)) in rows.into_iter().enumerate() {
        let (root, leaf) = chain_of_points(Some(tlv(0x30, &[&tlv(0x30, point)])));
        let (root, leaf) = (Certificate::parse(&root).unwrap(), Certificate::parse(&leaf).unwrap());
        assert_eq!(leaf.list_points().len(), points, "row {row}");
        for (serial, expected) in [(&b"\x05"[..], expected[0]), (leaf.serial, expected[1])] {
            let (past, future) = (tlv(0x17, &[b"200101000000Z"]), tlv(0x17, &[b"400101000000Z"]));
            let entries = tlv(0x30, &[&tlv(0x30, &[&tlv(2, &[serial]), &past])]);
            let signed = tlv(0x30, &[ALGORITHM, root.subject, &past, &future, &entries]);
            let list = tlv(0x30, &[&signed, ALGORITHM, b"\x03\x02\x00\x01"]);
            assert_eq!(revocation(&list, &leaf, &root), expected, "row {row}");
        }
    }
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
