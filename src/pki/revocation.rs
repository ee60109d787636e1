//! Lists of revoked certificates (RFC 5280 5).

use der::asn1::ObjectIdentifier;
use der::{AnyRef, Decode, Error, Reader, Tag, TagNumber, Tagged};

use super::certificate::{context, signed, time};
use super::{Algorithm, Certificate, Extension, Signature, Signatures};

const ISSUING_POINT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");

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

/// A list, taken apart.
struct List<'a> {
    issuer: &'a [u8],
    this_update: u64,
    next_update: Option<u64>,
    /// Serial numbers as they are encoded.
    revoked: Vec<&'a [u8]>,
    extensions: Vec<Extension<'a>>,
}

impl<'a> List<'a> {
    fn parse(tbs: &'a [u8]) -> Result<List<'a>, Error> {
        AnyRef::from_der(tbs)?.sequence(|reader| {
            if Tag::peek(reader)? == Tag::Integer {
                AnyRef::decode(reader)?;
            }
            Algorithm::read(reader)?;
            let issuer = reader.tlv_bytes()?;
            let this_update = time(reader)?;
            let mut list = List { issuer, this_update, next_update: None, revoked: Vec::new(), extensions: Vec::new() };
            if !reader.is_finished() && matches!(Tag::peek(reader)?, Tag::UtcTime | Tag::GeneralizedTime) {
                list.next_update = Some(time(reader)?);
            }
            while !reader.is_finished() {
                let part = AnyRef::decode(reader)?;
                match part.tag() {
                    Tag::Sequence => part.sequence(|reader| {
                        while !reader.is_finished() {
                            let serial = AnyRef::decode(reader)?.sequence(|reader| {
                                let serial = AnyRef::decode(reader)?.value();
                                while !reader.is_finished() {
                                    reader.tlv_bytes()?;
                                }
                                Ok::<_, Error>(serial)
                            })?;
                            list.revoked.push(serial);
                        }
                        Ok::<_, Error>(())
                    })?,
                    tag if tag == context(0) => list.extensions = Extension::list(part.value())?,
                    tag => return Err(super::certificate::unexpected(tag)),
                }
            }
            Ok(list)
        })
    }

    /// Whether it speaks of all certificates of this kind of its issuer: it is no part of a list, nor one of changes.
    fn covers(&self, authority: bool) -> bool {
        self.extensions
            .iter()
            .filter(|extension| extension.critical)
            .all(|extension| extension.id == ISSUING_POINT && scope(extension.value, authority).unwrap_or(false))
    }
}

/// Whether an issuing distribution point includes authorities, or all others.
fn scope(der: &[u8], authority: bool) -> Result<bool, Error> {
    AnyRef::from_der(der)?.sequence(|reader| {
        let mut covered = true;
        while !reader.is_finished() {
            let part = AnyRef::decode(reader)?;
            let Tag::ContextSpecific { number: TagNumber(number), .. } = part.tag() else { return Ok(false) };
            covered &= match (number, part.value()) {
                (0, _) | (_, [0]) => true,
                (1, _) => !authority,
                (2, _) => authority,
                _ => false,
            };
        }
        Ok(covered)
    })
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
    let Ok(list) = List::parse(tbs) else { return Revocation::Unknown };
    let current = list.this_update <= now && list.next_update.is_none_or(|next| now <= next);
    let trusted = list.issuer == certificate.issuer
        && list.issuer == issuer.subject
        && issuer.may_sign_lists()
        && signatures.verify(&algorithm, tbs, signature, &issuer.key) == Signature::Good;
    if !current || !trusted || !list.covers(certificate.may_issue(0)) {
        return Revocation::Unknown;
    }
    if list.revoked.contains(&certificate.serial) { Revocation::Revoked } else { Revocation::Good }
}

/// Until when a list is good, in seconds since 1970; `None` for what is none, or for one that does not say.
pub fn next_update(list: &[u8]) -> Option<u64> {
    List::parse(signed(list).ok()?.0).ok()?.next_update
}
