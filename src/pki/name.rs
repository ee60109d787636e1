//! Names in certificates: as text, and whose they are.

use std::net::IpAddr;

use der::asn1::{Any, ObjectIdentifier};
use der::oid::db::rfc4519::COMMON_NAME;
use der::{Decode, Error, Tag, Tagged};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::ext::pkix::name::GeneralName;

use super::Certificate;
use super::extensions::members;

/// One attribute of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// What it is: `2.5.4.3` is a common name.
    pub id: ObjectIdentifier,
    /// Its text.
    pub text: String,
    /// Whether it is of one part with the attribute before it.
    pub joined: bool,
}

impl Attribute {
    /// The short name of its kind, as Windows writes it, or the object identifier.
    pub fn kind(&self) -> String {
        let id = self.id.to_string();
        let short = match id.as_str() {
            "2.5.4.3" => "CN",
            "2.5.4.4" => "SN",
            "2.5.4.5" => "SERIALNUMBER",
            "2.5.4.6" => "C",
            "2.5.4.7" => "L",
            "2.5.4.8" => "S",
            "2.5.4.9" => "STREET",
            "2.5.4.10" => "O",
            "2.5.4.11" => "OU",
            "2.5.4.12" => "T",
            "2.5.4.42" => "G",
            "0.9.2342.19200300.100.1.25" => "DC",
            "1.2.840.113549.1.9.1" => "E",
            _ => return format!("OID.{id}"),
        };
        short.into()
    }
}

/// The attributes of a DER name, in the order of the encoding; none of one that cannot be read.
pub fn attributes(name: &[u8]) -> Vec<Attribute> {
    read(name).unwrap_or_default()
}

fn read(name: &[u8]) -> Result<Vec<Attribute>, Error> {
    let mut attributes = Vec::new();
    for set in members(name)? {
        // Mostly there is one in a set; of several the order is that of the encoding, in which a `SetOf` does not keep them.
        for (place, attribute) in members(set)?.into_iter().enumerate() {
            let AttributeTypeAndValue { oid, value } = AttributeTypeAndValue::from_der(attribute)?;
            attributes.push(Attribute { id: oid, text: text(&value), joined: place > 0 });
        }
    }
    Ok(attributes)
}

fn text(value: &Any) -> String {
    let bytes = value.value();
    match value.tag() {
        Tag::BmpString => {
            let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        Tag::TeletexString => bytes.iter().map(|byte| char::from(*byte)).collect(),
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        // A kind that has no text.
        _ => bytes.iter().fold(String::from("#"), |text, byte| text + &format!("{byte:02X}")),
    }
}

/// The attributes of a name, one a line, as WINHTTP_CERTIFICATE_INFO has them.
pub fn lines(name: &[u8]) -> String {
    let texts: Vec<_> = attributes(name).into_iter().map(|attribute| attribute.text).collect();
    texts.join("\r\n")
}

/// Whether a certificate is for this host: a name, or an address without brackets. A certificate without DNS names may
/// name the host as its subject's common name, as Windows still allows, unless the name constraints of an issuer exclude it.
pub fn of_host(certificate: &Certificate<'_>, host: &str, issuers: &[Certificate<'_>]) -> bool {
    let names = certificate.alternative_names();
    let host = host.strip_suffix('.').unwrap_or(host);
    let named = match host.parse::<IpAddr>() {
        Ok(address) => names.contains(&GeneralName::from(address)),
        Err(_) => names.iter().any(|name| matches!(name, GeneralName::DnsName(name) if covers(name.as_bytes(), host))),
    };
    let common = || {
        let mut attributes = attributes(certificate.subject).into_iter();
        attributes.any(|attribute| attribute.id == COMMON_NAME && covers(attribute.text.as_bytes(), host))
            && issuers.iter().all(|issuer| issuer.permits(host))
    };
    named || (!certificate.names_hosts() && common())
}

/// Whether a name, which may begin with `*.` for any one label, is this host's (sources tls.wildcard, tls.wildcard-part).
fn covers(name: &[u8], host: &str) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    if host.parse::<IpAddr>().is_ok() {
        return name == host.as_bytes();
    }
    match name.strip_prefix(b"*.") {
        // `*.com` would be too much.
        Some(rest) if rest.contains(&b'.') => host
            .split_once('.')
            .is_some_and(|(label, parent)| !label.is_empty() && parent.as_bytes().eq_ignore_ascii_case(rest)),
        Some(_) => false,
        None => name.eq_ignore_ascii_case(host.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_covers_hosts() {
        let rows = [
            ("example.org", "EXAMPLE.org", true),
            ("example.org", "www.example.org", false),
            ("*.example.org", "www.example.org", true),
            ("*.example.org", "a.b.example.org", false),
            ("*.example.org", "example.org", false),
            ("*.example.org", ".example.org", false),
            ("w*.example.org", "www.example.org", false),
            ("*.org", "example.org", false),
            ("*.test", "api.test", false),
            ("www.*.org", "www.example.org", false),
            ("*", "localhost", false),
            ("example.org.", "example.org", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("*.0.0.1", "127.0.0.1", false),
        ];
        for (name, host, expected) in rows {
            assert_eq!(covers(name.as_bytes(), host), expected, "{name} {host}");
        }
    }
}
