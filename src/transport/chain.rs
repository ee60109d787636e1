//! A question about a certificate, apart from any connection: what CertGetCertificateChain asks of a world.

use std::time::Duration;

/// The certificate, and how it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainQuestion {
    /// DER: the certificate, then others that may lie on its way to a root.
    pub presented: Vec<Vec<u8>>,
    /// Whom to trust.
    pub roots: ChainRoots,
    /// Whether all of the usages are wanted, or one.
    pub every_usage: bool,
    /// Object identifiers of extended key usages; none is wanted where there are none.
    pub usages: Vec<String>,
    /// The time for which it is judged: seconds since 1970.
    pub at: u64,
    /// Whose revocation is looked for.
    pub revocation: ChainRevocation,
    /// Whether lists of revoked certificates may be fetched, and for how long.
    pub fetch: Option<Duration>,
}

/// Whom a question trusts. Certificates are DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainRoots {
    /// Whom the world trusts.
    World,
    /// Of those, these.
    Among(Vec<Vec<u8>>),
    /// These, and nobody else.
    Only(Vec<Vec<u8>>),
}

/// Whose revocation is looked for. Roots have nobody who could revoke them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainRevocation {
    /// Nobody's.
    Unchecked,
    /// That of the first certificate.
    First,
    /// That of every certificate.
    All,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainAnswer {
    /// DER, from the certificate to the root, or as far as the way was found.
    pub path: Vec<Vec<u8>>,
    /// WINHTTP_CALLBACK_STATUS_FLAG_* bits: all that is wrong.
    pub faults: u32,
    /// Of these, those that tell of revocation, by certificate; empty if nobody looked.
    pub revocation: Vec<u32>,
}

/// Who hears the answer: at once, or on another thread.
pub type ChainAsked = Box<dyn FnOnce(ChainAnswer) + Send>;
