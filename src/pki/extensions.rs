//! The extensions that decide what a certificate is good for (RFC 5280 4.2).

use std::net::IpAddr;

use der::asn1::{ObjectIdentifier, OctetStringRef};
use der::oid::AssociatedOid;
use der::oid::db::rfc5280::{ANY_EXTENDED_KEY_USAGE, ID_CE_BASIC_CONSTRAINTS, ID_KP_SERVER_AUTH};
use der::{AnyRef, Decode, Error, Reader, Sequence};
use x509_cert::ext::pkix::constraints::name::{GeneralSubtree, NameConstraints};
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, CrlDistributionPoints, ExtendedKeyUsage, KeyUsage, SubjectAltName, SubjectKeyIdentifier,
};

use super::{Certificate, ListPoint};

/// A path may be of any length, which is a byte in `x509-cert`.
#[derive(Sequence)]
struct BasicConstraints {
    #[asn1(default = "Default::default")]
    authority: bool,
    between: Option<u32>,
}

impl AssociatedOid for BasicConstraints {
    const OID: ObjectIdentifier = ID_CE_BASIC_CONSTRAINTS;
}

/// The members of a sequence or set, each for itself: one that cannot be read leaves the others.
pub(super) fn members(der: &[u8]) -> Result<Vec<&[u8]>, Error> {
    // A set has the same contents as a sequence.
    let mut reader = der::SliceReader::new(AnyRef::from_der(der)?.value())?;
    let mut members = Vec::new();
    while !reader.is_finished() {
        members.push(reader.tlv_bytes()?);
    }
    Ok(members)
}

impl<'a> Certificate<'a> {
    /// The value of an extension.
    fn extension(&self, id: ObjectIdentifier) -> Option<&'a [u8]> {
        self.extensions.iter().find(|extension| extension.id == id).map(|extension| extension.value.as_bytes())
    }

    /// An extension; an error if it cannot be read.
    fn decoded<T: Decode<'a, Error = Error> + AssociatedOid>(&self) -> Option<Result<T, Error>> {
        self.extension(T::OID).map(T::from_der)
    }

    /// Whether it may sign other certificates, with so many between it and the last of them.
    pub fn may_issue(&self, between: usize) -> bool {
        // Version 1 has no extensions; such certificates are roots or nothing.
        let Some(Ok(constraints)) = self.decoded::<BasicConstraints>() else { return false };
        let in_limit = constraints.between.is_none_or(|limit| between <= limit as usize);
        constraints.authority && in_limit && self.uses_key(KeyUsage::key_cert_sign)
    }

    /// Whether its key usage, if it has one, is this.
    fn uses_key(&self, usage: fn(&KeyUsage) -> bool) -> bool {
        self.decoded().is_none_or(|usages| usages.is_ok_and(|usages| usage(&usages)))
    }

    /// Whether it may sign lists of revoked certificates.
    pub fn may_sign_lists(&self) -> bool {
        self.uses_key(KeyUsage::crl_sign)
    }

    /// Where its issuer's list of revoked certificates is to be had: `http` URLs. A point whose lists somebody else signs has
    /// none that could be used.
    pub fn list_points(&self) -> Vec<ListPoint> {
        let points = self.extension(CrlDistributionPoints::OID).map(members).and_then(Result::ok).unwrap_or_default();
        let mut found = Vec::new();
        for point in points.into_iter().filter_map(|point| DistributionPoint::from_der(point).ok()) {
            let DistributionPoint { distribution_point, reasons, crl_issuer: None } = point else { continue };
            let Some(DistributionPointName::FullName(names)) = distribution_point else { continue };
            found.extend(names.iter().filter_map(|name| match name {
                GeneralName::UniformResourceIdentifier(url) if is_http(url.as_str()) => {
                    let (url, names) = (url.to_string(), names.clone());
                    Some(ListPoint { url, names, every_reason: reasons.is_none() })
                }
                _ => None,
            }));
        }
        found
    }

    /// Whether it says of itself that it signs no certificates. A root may say nothing about it.
    pub fn refuses_to_issue(&self) -> bool {
        self.extension(BasicConstraints::OID).is_some() && !self.may_issue(0)
    }

    /// Whether it, or what it signs, may be used so: it says so, or nothing about it.
    pub fn allows(&self, usage: ObjectIdentifier) -> bool {
        let fits = |named: &ObjectIdentifier| [usage, ANY_EXTENDED_KEY_USAGE].contains(named);
        let usages = self.decoded::<ExtendedKeyUsage>();
        usages.is_none_or(|usages| usages.is_ok_and(|usages| usages.0.iter().any(fits)))
    }

    /// Whether it, or what it signs, may be a server's.
    pub fn serves(&self) -> bool {
        self.allows(ID_KP_SERVER_AUTH)
    }

    /// Whether it restricts the names of what it signs.
    pub fn constrains_names(&self) -> bool {
        self.extension(NameConstraints::OID).is_some()
    }

    /// Whether its name constraints permit this host: a name, or an address (RFC 5280 4.2.1.10). What cannot be read
    /// permits nothing.
    pub fn permits(&self, host: &str) -> bool {
        let constraints = match self.decoded::<NameConstraints>() {
            None => return true,
            Some(Err(_)) => return false,
            Some(Ok(constraints)) => constraints,
        };
        // Of the kind that the host is.
        let bases = |trees: Option<Vec<GeneralSubtree>>| {
            let bases = trees.unwrap_or_default().into_iter().filter_map(|tree| match tree.base {
                GeneralName::DnsName(name) if is_name(host) => Some(name.as_bytes().to_vec()),
                GeneralName::IpAddress(address) if !is_name(host) => Some(address.as_bytes().to_vec()),
                _ => None,
            });
            bases.collect::<Vec<Vec<u8>>>()
        };
        let (permitted, excluded) = (bases(constraints.permitted_subtrees), bases(constraints.excluded_subtrees));
        let within = |base: &Vec<u8>| within(host, base);
        (permitted.is_empty() || permitted.iter().any(within)) && !excluded.iter().any(within)
    }

    /// Its own key's identifier.
    pub fn key_id(&self) -> Option<&'a [u8]> {
        let identifier = <&OctetStringRef>::from_der(self.extension(SubjectKeyIdentifier::OID)?);
        identifier.ok().map(OctetStringRef::as_bytes)
    }

    /// The identifier of its issuer's key.
    pub fn issuer_key_id(&self) -> Option<Vec<u8>> {
        let identifier = self.decoded::<AuthorityKeyIdentifier>()?.ok()?.key_identifier?;
        Some(identifier.as_bytes().to_vec())
    }

    /// The other names of its subject that can be read (RFC 5280 4.2.1.6).
    pub fn alternative_names(&self) -> Vec<GeneralName> {
        let names = self.extension(SubjectAltName::OID).map(members).and_then(Result::ok).unwrap_or_default();
        names.into_iter().filter_map(|name| GeneralName::from_der(name).ok()).collect()
    }

    /// Whether its other names include hosts, or cannot be read at all: then its subject does not name one.
    pub fn names_hosts(&self) -> bool {
        // The tags of names and addresses.
        let of_host = |name: &&[u8]| matches!(name.first(), Some(0x82 | 0x87));
        let names = self.extension(SubjectAltName::OID).map(members);
        names.is_some_and(|names| names.map_or(true, |names| names.iter().any(of_host)))
    }
}

fn is_http(url: &str) -> bool {
    url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
}

fn is_name(host: &str) -> bool {
    host.parse::<IpAddr>().is_err()
}

/// Whether a host is in a subtree: the name or one below it, or an address and its mask.
fn within(host: &str, base: &[u8]) -> bool {
    let masked = |octets: &[u8]| {
        let (network, mask) = base.split_at(base.len() / 2);
        base.len() == 2 * octets.len()
            && octets.iter().zip(mask).zip(network).all(|((byte, mask), base)| byte & mask == base & mask)
    };
    match host.parse() {
        Ok(IpAddr::V4(address)) => masked(&address.octets()),
        Ok(IpAddr::V6(address)) => masked(&address.octets()),
        Err(_) => {
            let base = base.strip_prefix(b".").unwrap_or(base);
            let above = host.len().checked_sub(base.len()).map(|at| host.as_bytes().split_at(at));
            above.is_some_and(|(label, rest)| {
                rest.eq_ignore_ascii_case(base) && (label.is_empty() || base.is_empty() || label.ends_with(b"."))
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_in_subtrees() {
        let rows: [(&str, &[u8], bool); 10] = [
            ("a.test", b"a.test", true),
            ("b.A.test", b"a.TEST", true),
            ("ba.test", b"a.test", false),
            ("test", b"a.test", false),
            ("b.a.test", b".a.test", true),
            ("any.test", b"", true),
            ("10.1.2.3", &[10, 0, 0, 0, 255, 0, 0, 0], true),
            ("11.1.2.3", &[10, 0, 0, 0, 255, 0, 0, 0], false),
            ("10.1.2.3", &[10, 0, 0, 0], false),
            ("::1", &[10, 0, 0, 0, 255, 0, 0, 0], false),
        ];
        for (host, base, expected) in rows {
            assert_eq!(within(host, base), expected, "{host} {base:?}");
        }
    }
}
