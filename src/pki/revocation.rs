//! Lists of revoked certificates (RFC 5280 5).

use der::oid::db::rfc5280::ID_CE_ISSUING_DISTRIBUTION_POINT;
use der::{AnyRef, Decode, Error, Sequence};
use x509_cert::ext::pkix::IssuingDistributionPoint;
use x509_cert::time::Time;

use super::certificate::{seconds, signed};
use super::{Certificate, Extension, Signature, Signatures};

/// What is known about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// Its issuer's list does not have it.
    Good,
    /// Its issuer's list has it.
    Revoked,
    /// There is no list that could tell.
    Unknown,
}

/// A list, without its signature. One of version 1 says no version, and may say no next update.
#[derive(Sequence)]
struct List<'a> {
    version: Option<u8>,
    algorithm: AnyRef<'a>,
    issuer: AnyRef<'a>,
    this_update: Time,
    next_update: Option<Time>,
    revoked: Option<Vec<Revoked<'a>>>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Vec<Extension<'a>>>,
}

/// An entry of a list.
#[derive(Sequence)]
struct Revoked<'a> {
    serial: AnyRef<'a>,
    date: Time,
    extensions: Option<AnyRef<'a>>,
}

impl List<'_> {
    /// Whether it speaks of all certificates of this kind of its issuer: it is no part of a list, nor one of changes.
    fn covers(&self, authority: bool) -> bool {
        let mut critical = self.extensions.iter().flatten().filter(|extension| extension.critical);
        critical.all(|extension| {
            let point = extension.id == ID_CE_ISSUING_DISTRIBUTION_POINT;
            point && scope(extension.value.as_bytes(), authority).unwrap_or(false)
        })
    }
}

/// Whether an issuing distribution point includes authorities, or all others.
fn scope(der: &[u8], authority: bool) -> Result<bool, Error> {
    let point = IssuingDistributionPoint::from_der(der)?;
    let others = if authority { point.only_contains_user_certs } else { point.only_contains_ca_certs };
    Ok(!others && !point.only_contains_attribute_certs && !point.indirect_crl && point.only_some_reasons.is_none())
}

/// What a list says of a certificate by this issuer. A list of somebody else, one that is out of date or one that
/// speaks only of some certificates says nothing.
pub fn revocation(
    list: &[u8],
    certificate: &Certificate<'_>,
    issuer: &Certificate<'_>,
    signatures: &dyn Signatures,
    now: u64,
) -> Revocation {
    let Ok((tbs, algorithm, signature)) = signed(list) else { return Revocation::Unknown };
    let Ok(list) = List::from_der(tbs) else { return Revocation::Unknown };
    let current = seconds(list.this_update) <= now && list.next_update.is_none_or(|next| now <= seconds(next));
    let trusted = certificate.issuer == issuer.subject
        && AnyRef::from_der(issuer.subject).is_ok_and(|name| name == list.issuer)
        && issuer.may_sign_lists()
        && signatures.verify(&algorithm, tbs, signature, &issuer.key) == Signature::Good;
    if !current || !trusted || !list.covers(certificate.may_issue(0)) {
        return Revocation::Unknown;
    }
    let listed = list.revoked.iter().flatten().any(|entry| entry.serial.value() == certificate.serial);
    if listed { Revocation::Revoked } else { Revocation::Good }
}

/// Until when a list is good, in seconds since 1970; `None` for what is none, or for one that does not say.
pub fn next_update(list: &[u8]) -> Option<u64> {
    List::from_der(signed(list).ok()?.0).ok()?.next_update.map(seconds)
}
