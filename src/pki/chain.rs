//! A path and its faults as a chain of Windows tells them: bits for each certificate, and for all of it
//! (ns-wincrypt-cert_trust_status, source crypt.chain-status).

use super::{Certificate, Usages};
use crate::win32::*;

/// A path that was judged.
#[derive(Clone, Debug)]
pub struct JudgedPath {
    /// DER, from the certificate that it is about to the root, or as far as the way was found.
    pub path: Vec<Vec<u8>>,
    /// WINHTTP_CALLBACK_STATUS_FLAG_* bits: all that is wrong. A wrong name is none of a chain's faults.
    pub faults: u32,
    /// Of these, those that tell of revocation, by certificate; empty if nobody looked, or if nobody knows whose they are.
    pub revocation: Vec<u32>,
    /// When it was judged: seconds since 1970.
    pub at: u64,
    /// What it was judged for.
    pub usages: Usages,
}

/// The bits of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainStatus {
    /// Of each certificate, in the order of the path.
    pub elements: Vec<CERT_TRUST_STATUS>,
    /// Of all of it.
    pub whole: CERT_TRUST_STATUS,
}

/// Nobody knows whether it was revoked.
pub(super) const UNKNOWN: u32 = CERT_TRUST_REVOCATION_STATUS_UNKNOWN | CERT_TRUST_IS_OFFLINE_REVOCATION;

/// The faults that have the same bits whichever certificate they are of.
const FAULTS: [(u32, u32); 5] = [
    (WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT, CERT_TRUST_IS_NOT_SIGNATURE_VALID),
    (WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID, CERT_TRUST_IS_NOT_TIME_VALID),
    (WINHTTP_CALLBACK_STATUS_FLAG_CERT_WRONG_USAGE, CERT_TRUST_IS_NOT_VALID_FOR_USAGE),
    (WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED, CERT_TRUST_IS_REVOKED),
    (WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED, UNKNOWN),
];

fn bits(faults: u32) -> u32 {
    FAULTS.iter().filter(|(fault, _)| faults & fault != 0).fold(0, |all, (_, bits)| all | bits)
}

impl JudgedPath {
    /// The bits of each certificate and of the chain. `None` if a certificate cannot be read, or there is none.
    pub fn status(&self) -> Option<ChainStatus> {
        let certificates: Vec<_> = self.path.iter().map(|der| Certificate::parse(der).ok()).collect::<Option<_>>()?;
        let last = certificates.last()?;
        let rootless = self.faults & WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA != 0;
        let (untrusted, partial) = match last.is_self_issued() {
            true => (rootless, false),
            false => (false, rootless),
        };
        let mut elements: Vec<_> = certificates
            .iter()
            .enumerate()
            .map(|(at, certificate)| CERT_TRUST_STATUS {
                dwErrorStatus: self.own(at, certificate)
                    | if untrusted && at + 1 == certificates.len() { CERT_TRUST_IS_UNTRUSTED_ROOT } else { 0 },
                dwInfoStatus: info(certificate, certificates.get(at + 1)),
            })
            .collect();
        // What is true of none by itself is told of the first.
        let found = elements.iter().fold(0, |all, element| all | element.dwErrorStatus);
        let all = found | bits(self.faults);
        elements[0].dwErrorStatus |= all & !found;
        let whole = CERT_TRUST_STATUS {
            dwErrorStatus: all | if partial { CERT_TRUST_IS_PARTIAL_CHAIN } else { 0 },
            dwInfoStatus: CERT_TRUST_HAS_PREFERRED_ISSUER,
        };
        Some(ChainStatus { elements, whole })
    }

    /// What can be seen of one certificate.
    fn own(&self, at: usize, certificate: &Certificate<'_>) -> u32 {
        let seen = [
            (certificate.is_valid_at(self.at), CERT_TRUST_IS_NOT_TIME_VALID),
            (self.usages.allow(certificate), CERT_TRUST_IS_NOT_VALID_FOR_USAGE),
        ];
        let seen = seen.iter().filter(|(good, _)| !good).fold(0, |all, (_, bit)| all | bit);
        seen | self.revocation.get(at).map_or(0, |faults| bits(*faults))
    }
}

/// How its issuer was found.
fn info(certificate: &Certificate<'_>, issuer: Option<&Certificate<'_>>) -> u32 {
    let itself = certificate.is_self_issued();
    let Some(issuer) = issuer.or(itself.then_some(certificate)) else { return 0 };
    let by_key = certificate.issuer_key_id().is_some_and(|wanted| issuer.key_id() == Some(&wanted));
    CERT_TRUST_HAS_PREFERRED_ISSUER
        | if by_key { CERT_TRUST_HAS_KEY_MATCH_ISSUER } else { CERT_TRUST_HAS_NAME_MATCH_ISSUER }
        | if itself { CERT_TRUST_IS_SELF_SIGNED } else { 0 }
}
