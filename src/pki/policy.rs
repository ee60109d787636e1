//! What a policy says of a chain: the first fault that it does not ignore (sources crypt.policy-errors,
//! crypt.policy-unknown-ca).

use std::ops::BitOr;

use super::chain::UNKNOWN;
use super::{Certificate, ChainStatus, of_host};
use crate::win32::*;

const NO_ROOT: u32 = CERT_TRUST_IS_UNTRUSTED_ROOT | CERT_TRUST_IS_PARTIAL_CHAIN;

/// Errors of the base policy, in the order in which its page lists them.
const ERRORS: [(u32, Win32Error); 8] = [
    (CERT_TRUST_IS_NOT_SIGNATURE_VALID, TRUST_E_CERT_SIGNATURE),
    (CERT_TRUST_IS_REVOKED, CRYPT_E_REVOKED),
    (CERT_TRUST_IS_UNTRUSTED_ROOT, CERT_E_UNTRUSTEDROOT),
    (CERT_TRUST_IS_PARTIAL_CHAIN, CERT_E_CHAINING),
    (CERT_TRUST_IS_NOT_VALID_FOR_USAGE, CERT_E_WRONG_USAGE),
    (CERT_TRUST_IS_NOT_TIME_VALID, CERT_E_EXPIRED),
    (CERT_TRUST_IS_OFFLINE_REVOCATION, CRYPT_E_REVOCATION_OFFLINE),
    (CERT_TRUST_REVOCATION_STATUS_UNKNOWN, CRYPT_E_NO_REVOCATION_CHECK),
];

/// What a policy ignores: bits of a chain's status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// Of every certificate, and of the chain.
    all: u32,
    /// Of the first certificate.
    end: u32,
    /// Of those between the first and the root.
    authorities: u32,
    /// Of the root.
    root: u32,
}

impl Ignored {
    /// By CERT_CHAIN_POLICY_* flags (ns-wincrypt-cert_chain_policy_para).
    pub fn by_policy(flags: u32) -> Ignored {
        let set = |flag, bits| if flags & flag != 0 { bits } else { 0 };
        Ignored {
            all: set(CERT_CHAIN_POLICY_IGNORE_NOT_TIME_VALID_FLAG, CERT_TRUST_IS_NOT_TIME_VALID)
                | set(CERT_CHAIN_POLICY_ALLOW_UNKNOWN_CA_FLAG, NO_ROOT)
                | set(CERT_CHAIN_POLICY_IGNORE_WRONG_USAGE_FLAG, CERT_TRUST_IS_NOT_VALID_FOR_USAGE),
            end: set(CERT_CHAIN_POLICY_IGNORE_END_REV_UNKNOWN_FLAG, UNKNOWN),
            authorities: set(CERT_CHAIN_POLICY_IGNORE_CA_REV_UNKNOWN_FLAG, UNKNOWN),
            root: set(CERT_CHAIN_POLICY_IGNORE_ROOT_REV_UNKNOWN_FLAG, UNKNOWN),
        }
    }

    /// By SECURITY_FLAG_IGNORE_* of the checks of TLS (ns-wincrypt-httpspolicycallbackdata).
    pub fn by_checks(checks: u32) -> Ignored {
        let set = |flag, bits| if checks & flag != 0 { bits } else { 0 };
        let all = set(SECURITY_FLAG_IGNORE_REVOCATION, UNKNOWN | CERT_TRUST_IS_REVOKED)
            | set(SECURITY_FLAG_IGNORE_UNKNOWN_CA, NO_ROOT)
            | set(SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE, CERT_TRUST_IS_NOT_VALID_FOR_USAGE)
            | set(SECURITY_FLAG_IGNORE_CERT_DATE_INVALID, CERT_TRUST_IS_NOT_TIME_VALID);
        Ignored { all, ..Ignored::default() }
    }

    fn of(self, at: usize, length: usize) -> u32 {
        let place = match at {
            0 => self.end,
            at if at + 1 == length => self.root,
            _ => self.authorities,
        };
        self.all | place
    }
}

impl BitOr for Ignored {
    type Output = Ignored;

    fn bitor(self, other: Ignored) -> Ignored {
        Ignored {
            all: self.all | other.all,
            end: self.end | other.end,
            authorities: self.authorities | other.authorities,
            root: self.root | other.root,
        }
    }
}

/// A fault, and the certificate that has it; `None` if the whole chain has.
pub type Refusal = (Win32Error, Option<usize>);

/// The first fault of a chain that is not ignored.
pub fn chain_refusal(status: &ChainStatus, ignored: Ignored) -> Option<Refusal> {
    let length = status.elements.len();
    let left = |bit: u32, at: usize| status.elements[at].dwErrorStatus & bit & !ignored.of(at, length) != 0;
    let of_chain = status.elements.iter().fold(status.whole.dwErrorStatus, |all, each| all & !each.dwErrorStatus);
    ERRORS.iter().find_map(|(bit, error)| {
        let element = (0..length).find(|at| left(*bit, *at)).map(|at| (*error, Some(at)));
        element.or((of_chain & bit & !ignored.all != 0).then_some((*error, None)))
    })
}

/// Whether the first certificate of a path, DER, is for this host: CERT_E_CN_NO_MATCH if not.
pub fn name_refusal(path: &[Vec<u8>], host: &str) -> Option<Refusal> {
    let certificates: Vec<_> = path.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
    let named = certificates.split_first().is_some_and(|(first, issuers)| of_host(first, host, issuers));
    (!named).then_some((CERT_E_CN_NO_MATCH, Some(0)))
}
