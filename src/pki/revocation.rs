//! Lists of revoked certificates (RFC 5280 5).

use std::collections::HashSet;

use der::oid::db::rfc5280::ID_CE_ISSUING_DISTRIBUTION_POINT;
use der::{AnyRef, Decode, Sequence};
use x509_cert::ext::pkix::IssuingDistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
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

/// A way to a list that a certificate names: a URL of a distribution point (RFC 5280 4.2.1.13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPoint {
    /// An `http` URL.
    pub url: String,
    /// The names of its point, the URL among them.
    pub(super) names: Vec<GeneralName>,
    /// Whether the lists of the point have every reason for which the certificate may be revoked.
    pub(super) every_reason: bool,
}

/// A list that its issuer has signed.
#[derive(Debug)]
pub struct RevocationList {
    /// The name of its issuer, DER.
    issuer: Vec<u8>,
    /// The key that has signed it, DER.
    key: Vec<u8>,
    /// Seconds since 1970, the ends included.
    from: u64,
    until: Option<u64>,
    /// What part of its issuer's certificates it speaks of.
    scope: Vec<IssuingDistributionPoint>,
    serials: HashSet<Box<[u8]>>,
}

impl RevocationList {
    /// Reads a list of this issuer, once its signature was found good. `None` also for one of changes, or with something
    /// else in it that must be known and is not.
    pub fn read(der: &[u8], issuer: &Certificate<'_>, signatures: &dyn Signatures) -> Option<RevocationList> {
        let (tbs, algorithm, signature) = signed(der).ok()?;
        if !issuer.may_sign_lists() || signatures.verify(&algorithm, tbs, signature, &issuer.key) != Signature::Good {
            return None;
        }
        let list = List::from_der(tbs).ok()?;
        if AnyRef::from_der(issuer.subject) != Ok(list.issuer) {
            return None;
        }
        let mut scope = Vec::new();
        for extension in list.extensions.iter().flatten() {
            if extension.id == ID_CE_ISSUING_DISTRIBUTION_POINT {
                scope.push(IssuingDistributionPoint::from_der(extension.value.as_bytes()).ok()?);
            } else if extension.critical {
                return None;
            }
        }
        let serials = list.revoked.iter().flatten().map(|entry| entry.serial.value().into());
        Some(RevocationList {
            issuer: issuer.subject.to_vec(),
            key: issuer.key.der.to_vec(),
            from: seconds(list.this_update),
            until: list.next_update.map(seconds),
            scope,
            serials: serials.collect(),
        })
    }

    /// What it says of a certificate by this issuer that names it by this point. A list of somebody else, one that is out
    /// of date or one that speaks of other certificates says nothing.
    pub fn says(
        &self,
        certificate: &Certificate<'_>,
        issuer: &Certificate<'_>,
        point: &ListPoint,
        now: u64,
    ) -> Revocation {
        let of_issuer = certificate.issuer == self.issuer
            && (issuer.subject, issuer.key.der) == (&self.issuer, &self.key)
            && issuer.may_sign_lists();
        let authority = certificate.may_issue(0);
        let current = self.from <= now && self.until.is_none_or(|until| now <= until);
        if !of_issuer || !current || !self.scope.iter().all(|scope| includes(scope, authority, point)) {
            return Revocation::Unknown;
        }
        // Else it may be revoked for another reason (source tls.list-of-some-reasons), or by now (source tls.list-without-end).
        let every_reason = point.every_reason && self.scope.iter().all(|scope| scope.only_some_reasons.is_none());
        match self.serials.contains(certificate.serial) {
            true => Revocation::Revoked,
            false if every_reason && self.until.is_some() => Revocation::Good,
            false => Revocation::Unknown,
        }
    }
}

/// Whether a list of this scope speaks of authorities, or of all others, that name it by this point (RFC 5280 6.3.3 b 2): a list
/// of another point is as truly signed, and has other certificates.
fn includes(scope: &IssuingDistributionPoint, authority: bool, point: &ListPoint) -> bool {
    let others = if authority { scope.only_contains_user_certs } else { scope.only_contains_ca_certs };
    let of_point = match &scope.distribution_point {
        None => true,
        Some(DistributionPointName::FullName(names)) => names.iter().any(|name| point.names.contains(name)),
        // A certificate that we ask for has a URL there, which is no such name.
        Some(DistributionPointName::NameRelativeToCRLIssuer(_)) => false,
    };
    of_point && !others && !scope.only_contains_attribute_certs && !scope.indirect_crl
}
