//! What is wrong with a server's certificate.

use super::path::{Path, Roots, Signatures, find};
use super::{Certificate, Usages, name_refusal};
use crate::win32::{
    SECURITY_FLAG_IGNORE_CERT_CN_INVALID, SECURITY_FLAG_IGNORE_CERT_DATE_INVALID,
    SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE, SECURITY_FLAG_IGNORE_UNKNOWN_CA,
    WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID, WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID,
    WINHTTP_CALLBACK_STATUS_FLAG_CERT_WRONG_USAGE, WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA,
    WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT,
};

/// The faults that may be ignored, each with the flag that ignores it and nothing else.
const IGNORABLE: [(u32, u32); 4] = [
    (WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA, SECURITY_FLAG_IGNORE_UNKNOWN_CA),
    (WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID, SECURITY_FLAG_IGNORE_CERT_DATE_INVALID),
    (WINHTTP_CALLBACK_STATUS_FLAG_CERT_WRONG_USAGE, SECURITY_FLAG_IGNORE_CERT_WRONG_USAGE),
    (WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID, SECURITY_FLAG_IGNORE_CERT_CN_INVALID),
];

/// The faults that SECURITY_FLAGS do not ignore.
pub fn refused(faults: u32, flags: u32) -> u32 {
    IGNORABLE.iter().filter(|(_, flag)| flags & flag != 0).fold(faults, |left, (fault, _)| left & !fault)
}

/// All that was found about the certificates of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// WINHTTP_CALLBACK_STATUS_FLAG_* bits: every fault, whether or not the request ignores it.
    pub faults: u32,
    /// DER, from the server's certificate to the root, or as far as the way was found.
    pub path: Vec<Vec<u8>>,
    /// When it was found: seconds since 1970.
    pub at: u64,
    /// A time at which all of the path was valid: `now` if there is no choice about it.
    pub moment: Option<u64>,
    /// Whether a certificate on the way restricts the names below it.
    pub constrained: bool,
}

/// Looks for each fault on its own: a way to a root, dates, usage, the name. `presented` is what the server sent, its
/// own certificate first; `now` counts seconds since 1970.
pub fn judge(presented: &[&[u8]], host: &str, roots: &Roots, signatures: &dyn Signatures, now: u64) -> Verdict {
    let mut verdict = judge_path(presented, &Usages::server(), roots, signatures, now);
    if !verdict.path.is_empty() && name_refusal(&verdict.path, host).is_some() {
        verdict.faults |= WINHTTP_CALLBACK_STATUS_FLAG_CERT_CN_INVALID;
    }
    verdict
}

/// [`judge`] of a certificate that is wanted for these usages, whoever it is for. The others may lie on its way.
pub fn judge_path(
    presented: &[&[u8]],
    usages: &Usages,
    roots: &Roots,
    signatures: &dyn Signatures,
    now: u64,
) -> Verdict {
    let Some(Ok(leaf)) = presented.first().map(|der| Certificate::parse(der)) else {
        return Verdict { faults: WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT, ..Verdict::default() };
    };
    let others: Vec<_> = presented[1..].iter().filter_map(|der| Certificate::parse(der).ok()).collect();
    let Path { certificates, anchored, forged } = find(leaf, &others, roots, signatures, now);
    let faults = [
        (!anchored && !forged, WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CA),
        (!anchored && forged, WINHTTP_CALLBACK_STATUS_FLAG_INVALID_CERT),
        (!certificates.iter().all(|each| each.is_valid_at(now)), WINHTTP_CALLBACK_STATUS_FLAG_CERT_DATE_INVALID),
        (!certificates.iter().all(|each| usages.allow(each)), WINHTTP_CALLBACK_STATUS_FLAG_CERT_WRONG_USAGE),
    ];
    let first = certificates.iter().map(|each| each.not_before).max().unwrap_or(0);
    let last = certificates.iter().map(|each| each.not_after).min().unwrap_or(u64::MAX);
    Verdict {
        at: now,
        faults: faults.iter().filter(|(found, _)| *found).fold(0, |all, (_, fault)| all | fault),
        moment: (first <= last).then(|| now.clamp(first, last)),
        constrained: certificates.iter().any(Certificate::constrains_names),
        path: certificates.into_iter().map(|each| each.der.to_vec()).collect(),
    }
}
