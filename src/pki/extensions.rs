//! The extensions that decide what a certificate is good for (RFC 5280 4.2).

use std::net::IpAddr;

use der::asn1::ObjectIdentifier;
use der::{AnyRef, Decode, Error, Reader, SliceReader, Tag, TagNumber, Tagged};

use super::Certificate;
use super::certificate::{context as constructed, unexpected};

const SUBJECT_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const DISTRIBUTION_POINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.31");
const AUTHORITY_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.35");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");

const SERVER_AUTHENTICATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// The tag `[number]` of a general name or key identifier.
pub(super) const fn simple(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: false, number: TagNumber(number) }
}

impl<'a> Certificate<'a> {
    /// The value of an extension.
    pub fn extension(&self, id: ObjectIdentifier) -> Option<&'a [u8]> {
        self.extensions.iter().find(|extension| extension.id == id).map(|extension| extension.value)
    }

    /// Whether it may sign other certificates, with so many between it and the last of them.
    pub fn may_issue(&self, between: usize) -> bool {
        // Version 1 has no extensions; such certificates are roots or nothing.
        let Some(constraints) = self.extension(BASIC_CONSTRAINTS) else { return false };
        let read = AnyRef::from_der(constraints).and_then(|any| {
            any.sequence(|reader| {
                let authority = !reader.is_finished() && bool::decode(reader)?;
                let limit = if reader.is_finished() { None } else { Some(u32::decode(reader)?) };
                Ok::<_, Error>((authority, limit))
            })
        });
        let Ok((authority, limit)) = read else { return false };
        // keyCertSign is bit 5.
        let signs = self.uses_key_for(0x04);
        authority && signs && limit.is_none_or(|limit| between <= limit as usize)
    }

    /// Whether its key usage, if it has one, includes this bit of the first byte.
    fn uses_key_for(&self, bit: u8) -> bool {
        match self.extension(KEY_USAGE).map(AnyRef::from_der) {
            None => true,
            Some(Ok(usage)) => usage.value().get(1).is_some_and(|bits| bits & bit != 0),
            Some(Err(_)) => false,
        }
    }

    /// Whether it may sign lists of revoked certificates: cRLSign is bit 6.
    pub fn may_sign_lists(&self) -> bool {
        self.uses_key_for(0x02)
    }

    /// Where its issuer's list of revoked certificates is to be had: `http` URLs.
    pub fn list_urls(&self) -> Vec<String> {
        let Some(points) = self.extension(DISTRIBUTION_POINTS) else { return Vec::new() };
        let mut urls = Vec::new();
        let read = AnyRef::from_der(points).and_then(|any| {
            any.sequence(|reader| {
                while !reader.is_finished() {
                    // distributionPoint [0], in it fullName [0], in it general names; reasons and other signers aside.
                    let point = AnyRef::decode(reader)?;
                    let name = SliceReader::new(point.value())?.decode::<AnyRef<'_>>()?;
                    let full = SliceReader::new(name.value())?.decode::<AnyRef<'_>>()?;
                    let mut names = SliceReader::new(full.value())?;
                    while name.tag() == constructed(0) && full.tag() == constructed(0) && !names.is_finished() {
                        let general = names.decode::<AnyRef<'_>>()?;
                        if general.tag() == simple(6) {
                            urls.push(String::from_utf8_lossy(general.value()).into_owned());
                        }
                    }
                }
                Ok::<_, Error>(())
            })
        });
        if read.is_err() {
            urls.clear();
        }
        urls.retain(|url| url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://")));
        urls
    }

    /// Whether it says of itself that it signs no certificates. A root may say nothing about it.
    pub fn refuses_to_issue(&self) -> bool {
        self.extension(BASIC_CONSTRAINTS).is_some() && !self.may_issue(0)
    }

    /// Whether it, or what it signs, may be a server's.
    pub fn serves(&self) -> bool {
        let Some(usages) = self.extension(EXTENDED_KEY_USAGE) else { return true };
        let read = AnyRef::from_der(usages).and_then(|any| {
            any.sequence(|reader| {
                let mut found = false;
                while !reader.is_finished() {
                    let usage = ObjectIdentifier::decode(reader)?;
                    found |= usage == SERVER_AUTHENTICATION || usage == ANY_USAGE;
                }
                Ok::<_, Error>(found)
            })
        });
        read.unwrap_or(false)
    }

    /// Whether it restricts the names of what it signs.
    pub fn constrains_names(&self) -> bool {
        self.extension(NAME_CONSTRAINTS).is_some()
    }

    /// Whether its name constraints permit this host: a name, or an address (RFC 5280 4.2.1.10). What cannot be read
    /// permits nothing.
    pub fn permits(&self, host: &str) -> bool {
        let Some(constraints) = self.extension(NAME_CONSTRAINTS) else { return true };
        subtrees(constraints).is_ok_and(|[permitted, excluded]| {
            let mine = |base: &&(u32, &[u8])| is_name(host) == (base.0 == 2) && matches!(base.0, 2 | 7);
            let within = |base: &(u32, &[u8])| within(host, base.1);
            let mut asked = permitted.iter().filter(mine).peekable();
            (asked.peek().is_none() || asked.any(within)) && !excluded.iter().filter(mine).any(within)
        })
    }

    /// Its own key's identifier.
    pub fn key_id(&self) -> Option<&'a [u8]> {
        AnyRef::from_der(self.extension(SUBJECT_KEY_ID)?).ok().map(AnyRef::value)
    }

    /// The identifier of its issuer's key.
    pub fn issuer_key_id(&self) -> Option<&'a [u8]> {
        let identifier = AnyRef::from_der(self.extension(AUTHORITY_KEY_ID)?).ok()?;
        identifier
            .sequence(|reader| {
                let mut id = None;
                while !reader.is_finished() {
                    let any = AnyRef::decode(reader)?;
                    if any.tag() == simple(0) {
                        id = Some(any.value());
                    }
                }
                Ok::<_, Error>(id)
            })
            .ok()?
    }

    /// The other names of its subject: general names with their numbers (RFC 5280 4.2.1.6).
    pub fn alternative_names(&self) -> Vec<(u32, &'a [u8])> {
        let Some(names) = self.extension(SUBJECT_ALT_NAME) else { return Vec::new() };
        let read = AnyRef::from_der(names).and_then(|any| {
            any.sequence(|reader| {
                let mut names = Vec::new();
                while !reader.is_finished() {
                    let any = AnyRef::decode(reader)?;
                    if let Tag::ContextSpecific { number, .. } = any.tag() {
                        names.push((number.value(), any.value()));
                    }
                }
                Ok::<_, Error>(names)
            })
        });
        read.unwrap_or_default()
    }
}

/// A general name of a subtree: its number and its value.
type Base<'a> = (u32, &'a [u8]);

/// The subtrees of name constraints: permitted, excluded.
fn subtrees(constraints: &[u8]) -> Result<[Vec<Base<'_>>; 2], Error> {
    AnyRef::from_der(constraints)?.sequence(|reader| {
        let mut subtrees = [Vec::new(), Vec::new()];
        while !reader.is_finished() {
            let list = AnyRef::decode(reader)?;
            let Tag::ContextSpecific { constructed: true, number } = list.tag() else {
                return Err(unexpected(list.tag()));
            };
            let into = subtrees.get_mut(number.value() as usize).ok_or_else(|| unexpected(list.tag()))?;
            let mut trees = SliceReader::new(list.value())?;
            while !trees.is_finished() {
                let base = SliceReader::new(AnyRef::decode(&mut trees)?.value())?.decode::<AnyRef<'_>>()?;
                let Tag::ContextSpecific { number, .. } = base.tag() else { return Err(unexpected(base.tag())) };
                into.push((number.value(), base.value()));
            }
        }
        Ok(subtrees)
    })
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
