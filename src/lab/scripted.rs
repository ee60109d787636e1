//! The certificate of scripted peers that have no other. No handshake takes place: its signature, for which nobody asks, is
//! that of the template.

use std::net::IpAddr;

use der::AnyRef;
use der::Decode;

use crate::pki::Certificate;

/// Self-signed, subject "scripted peer", valid from 1975 to 4095, for servers. Its key is lost.
const TEMPLATE: &[u8] = include_bytes!("scripted.der");

const SEQUENCE: u8 = 0x30;
const OCTETS: u8 = 0x04;
const BITS: u8 = 0x03;
/// The extensions of a certificate.
const EXTENSIONS: u8 = 0xA3;
const DNS_NAME: u8 = 0x82;
const ADDRESS: u8 = 0x87;
/// The object identifiers of subjectAltName and extKeyUsage.
const NAMES: &[u8] = &[0x06, 3, 0x55, 0x1D, 17];
const USAGE: &[u8] = &[0x06, 3, 0x55, 0x1D, 37];

/// That of a host: a name, or an address without brackets. DER.
pub fn certificate(host: &str) -> Vec<u8> {
    named(host).unwrap_or_else(|| TEMPLATE.to_vec())
}

fn named(host: &str) -> Option<Vec<u8>> {
    let template = Certificate::parse(TEMPLATE).ok()?;
    let fields = AnyRef::from_der(template.signed).ok()?.value();
    let key = template.key.der;
    let end = fields.windows(key.len()).position(|part| part == key)? + key.len();
    let usage = template.extensions.iter().find(|extension| extension.id.to_string() == "2.5.29.37")?;
    let name = match host.parse() {
        Ok(IpAddr::V4(address)) => element(ADDRESS, &[&address.octets()]),
        Ok(IpAddr::V6(address)) => element(ADDRESS, &[&address.octets()]),
        Err(_) => element(DNS_NAME, &[host.as_bytes()]),
    };
    let extension = |id: &[u8], value: &[u8]| element(SEQUENCE, &[id, &element(OCTETS, &[value])]);
    let names = extension(NAMES, &element(SEQUENCE, &[&name]));
    let extensions = element(SEQUENCE, &[&names, &extension(USAGE, usage.value.as_bytes())]);
    let signed = element(SEQUENCE, &[&fields[..end], &element(EXTENSIONS, &[&extensions])]);
    let algorithm = element(SEQUENCE, &[template.algorithm.contents]);
    Some(element(SEQUENCE, &[&signed, &algorithm, &element(BITS, &[&[0], template.signature])]))
}

/// An element of DER with these contents.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let contents = parts.concat();
    let length = contents.len();
    let mut made = match length {
        0..0x80 => vec![tag, length as u8],
        0x80..0x100 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    made.extend(contents);
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::of_host;

    #[test]
    fn each_host_has_its_own() {
        for host in ["api.test", "localhost", "127.0.0.1", "2001:db8::1", &"long.".repeat(50)] {
            let der = certificate(host);
            let certificate = Certificate::parse(&der).unwrap();
            assert!(of_host(&certificate, host, &[]) && certificate.serves() && certificate.is_self_issued(), "{host}");
            assert!(!of_host(&certificate, "other.test", &[]), "{host}");
        }
    }
}
