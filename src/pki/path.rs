//! The way from a server's certificate to a root.

use std::collections::HashMap;

use super::{Algorithm, Certificate, PublicKey};

/// Whether a signature is what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// The key made it.
    Good,
    /// The key did not make it.
    Bad,
    /// Nobody here can tell: the algorithm is unknown, or too weak.
    Unknown,
}

/// Who verifies signatures.
pub trait Signatures {
    /// Whether `key` signed these bytes.
    fn verify(&self, algorithm: &Algorithm<'_>, signed: &[u8], signature: &[u8], key: &PublicKey<'_>) -> Signature;
}

/// The certificates that are trusted, by their subjects.
#[derive(Clone, Debug, Default)]
pub struct Roots(HashMap<Vec<u8>, Vec<Vec<u8>>>);

impl Roots {
    /// Trusts a certificate; answers whether it can be read.
    pub fn add(&mut self, der: &[u8]) -> bool {
        let Ok(certificate) = Certificate::parse(der) else { return false };
        let named = self.0.entry(certificate.subject.to_vec()).or_default();
        if !named.iter().any(|known| known == der) {
            named.push(der.to_vec());
        }
        true
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.values().flatten().map(Vec::as_slice)
    }

    fn named(&self, subject: &[u8]) -> impl Iterator<Item = &[u8]> {
        self.0.get(subject).into_iter().flatten().map(Vec::as_slice)
    }

    /// Whether this very certificate is trusted.
    pub fn contains(&self, certificate: &Certificate<'_>) -> bool {
        self.named(certificate.subject).any(|known| known == certificate.der)
    }
}

/// A way, as far as there is one.
#[derive(Clone, Debug)]
pub struct Path<'a> {
    /// From the server's certificate towards the root. Never empty.
    pub certificates: Vec<Certificate<'a>>,
    /// Whether the last one is trusted.
    pub anchored: bool,
    /// Whether an issuer was there, by its name and its key's identifier, and had not made the signature.
    pub forged: bool,
}

/// Certificates on a way, at most.
const LONGEST: usize = 8;
/// Signatures that one search verifies, at most: a server may send what it likes.
const BUDGET: usize = 100;

/// Finds the best way from `leaf`: one to a root that is valid `now` on all of it, else one to a root, else the longest.
pub fn find<'a>(
    leaf: Certificate<'a>,
    presented: &[Certificate<'a>],
    roots: &'a Roots,
    signatures: &dyn Signatures,
    now: u64,
) -> Path<'a> {
    let best = Path { certificates: vec![leaf.clone()], anchored: false, forged: false };
    let mut search = Search { presented, roots, signatures, now, budget: BUDGET, best };
    search.extend(&mut vec![leaf]);
    search.best
}

struct Search<'a, 's> {
    presented: &'s [Certificate<'a>],
    roots: &'a Roots,
    signatures: &'s dyn Signatures,
    now: u64,
    budget: usize,
    best: Path<'a>,
}

impl<'a> Search<'a, '_> {
    /// Goes on from the last certificate; says whether nothing better can be found.
    fn extend(&mut self, path: &mut Vec<Certificate<'a>>) -> bool {
        let last = path[path.len() - 1].clone();
        if self.roots.contains(&last) {
            return self.offer(path, true);
        }
        let roots = self.roots;
        for root in roots.named(last.issuer).filter_map(|root| Certificate::parse(root).ok()) {
            if !root.refuses_to_issue() && self.signed_by(&last, &root) {
                path.push(root);
                let found = self.offer(path, true);
                path.pop();
                if found {
                    return true;
                }
            }
        }
        self.offer(path, false);
        if path.len() == LONGEST {
            return false;
        }
        for issuer in self.presented {
            let fits = issuer.subject == last.issuer
                && issuer.may_issue(path.len() - 1)
                && !path.iter().any(|passed| passed.der == issuer.der);
            if fits && self.signed_by(&last, issuer) {
                path.push(issuer.clone());
                let found = self.extend(path);
                path.pop();
                if found {
                    return true;
                }
            }
        }
        false
    }

    fn signed_by(&mut self, certificate: &Certificate<'_>, issuer: &Certificate<'_>) -> bool {
        let (wanted, has) = (certificate.issuer_key_id(), issuer.key_id());
        let wanted = wanted.as_deref();
        if self.budget == 0 || (wanted.is_some() && has.is_some() && wanted != has) {
            return false;
        }
        self.budget -= 1;
        let good =
            self.signatures.verify(&certificate.algorithm, certificate.signed, certificate.signature, &issuer.key)
                == Signature::Good;
        self.best.forged |= !good && wanted.is_some() && wanted == has;
        good
    }

    /// Keeps the path if it is better than the best one; says whether it is as good as can be.
    fn offer(&mut self, path: &[Certificate<'a>], anchored: bool) -> bool {
        let now = self.now;
        let current = |path: &[Certificate<'a>]| path.iter().all(|certificate| certificate.is_valid_at(now));
        let rank = |anchored, path: &[Certificate<'a>]| {
            let length = if anchored { 0 } else { path.len() };
            (anchored, anchored && current(path), length)
        };
        if rank(anchored, path) > rank(self.best.anchored, &self.best.certificates) {
            self.best.certificates = path.to_vec();
            self.best.anchored = anchored;
        }
        anchored && current(path)
    }
}
