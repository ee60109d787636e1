//! Whether certificates were revoked (ENABLE_SSL_REVOCATION): by the lists that they name.
//!
//! Lists are fetched over plain HTTP, without a proxy. Kept is what its issuer has signed and what could tell, and no
//! longer than a day. OCSP is not asked.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::net::Net;
use crate::net::fetch::fetch;
use crate::pki::{Certificate, ListPoint, Revocation, RevocationList, Signatures};
use crate::sync::Mutex;
use crate::transport::{self, Network, Secured};
use crate::win32::{WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED, WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED};

/// The longest list, in bytes.
const LONGEST: usize = 16 * 1024 * 1024;
/// How many lists are kept.
const KEPT: usize = 32;
/// How long a list is kept, whatever it says of itself. Authorities publish what they have revoked within a day (CA/Browser
/// Forum, Baseline Requirements, 4.9.7): who asks daily learns of it as soon as can be expected.
const OLDEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A URL, and the key of an issuer.
type Place = (String, Vec<u8>);

/// Lists that could tell, and when they were fetched.
#[derive(Default)]
pub struct Lists(Mutex<HashMap<Place, (Duration, Arc<RevocationList>)>>);

impl Lists {
    /// A list of this issuer that is young enough.
    fn kept(&self, url: &str, issuer: &Certificate<'_>, now: Duration) -> Option<Arc<RevocationList>> {
        let lists = self.0.lock();
        let (fetched, list) = lists.get(&(url.to_owned(), issuer.key.der.to_vec()))?;
        (now.saturating_sub(*fetched) < OLDEST).then(|| Arc::clone(list))
    }

    /// Keeps a list in place of one that is older.
    fn keep(&self, url: &str, issuer: &Certificate<'_>, now: Duration, list: RevocationList) {
        let key = (url.to_owned(), issuer.key.der.to_vec());
        let mut lists = self.0.lock();
        if lists.len() >= KEPT && !lists.contains_key(&key) {
            let oldest = lists.iter().min_by_key(|(_, (fetched, _))| *fetched).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| lists.remove(&oldest));
        }
        lists.insert(key, (now, Arc::new(list)));
    }

    /// What is known of a certificate by a point of it. Without rules of the network nothing is fetched.
    async fn ask(
        &self,
        net: &Net,
        network: Option<&Network>,
        (certificate, issuer, point): (&Certificate<'_>, &Certificate<'_>, &ListPoint),
        signatures: &(dyn Signatures + Sync),
        now: u64,
    ) -> Revocation {
        let kept = self.kept(&point.url, issuer, net.runtime.now());
        let said = kept.map_or(Revocation::Unknown, |list| list.says(certificate, issuer, point, now));
        let (Revocation::Unknown, Some(network)) = (said, network) else { return said };
        let Some(bytes) = fetch(&*net.runtime, network, &point.url, LONGEST).await else { return Revocation::Unknown };
        let Some(list) = RevocationList::read(&bytes, issuer, signatures) else { return Revocation::Unknown };
        let said = list.says(certificate, issuer, point, now);
        if said != Revocation::Unknown {
            self.keep(&point.url, issuer, net.runtime.now(), list);
        }
        said
    }

    /// The faults of a path, the root left out: its certificates were revoked, or nobody can tell.
    pub async fn faults(
        &self,
        net: &Net,
        network: &Network,
        secured: &Secured,
        signatures: &(dyn Signatures + Sync),
        rules: transport::Revocation,
    ) -> u32 {
        let certificates: Vec<_> = secured.path.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
        let mut faults = 0;
        for at in 0..certificates.len() {
            faults |= self.fault(net, Some(network), &certificates, at, signatures, secured.judged_at).await;
        }
        match rules {
            transport::Revocation::Checked => faults,
            _ => faults & WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED,
        }
    }

    /// The fault of one certificate of a path. Without rules of the network nothing is fetched.
    pub async fn fault(
        &self,
        net: &Net,
        network: Option<&Network>,
        path: &[Certificate<'_>],
        at: usize,
        signatures: &(dyn Signatures + Sync),
        now: u64,
    ) -> u32 {
        let certificate = &path[at];
        if certificate.is_self_issued() {
            return 0;
        }
        // Without its issuer there is nobody whose list it could be.
        let Some(issuer) = path.get(at + 1) else { return WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED };
        for point in certificate.list_points() {
            match self.ask(net, network, (certificate, issuer, &point), signatures, now).await {
                Revocation::Revoked => return WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED,
                Revocation::Good => return 0,
                Revocation::Unknown => {}
            }
        }
        WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{
        CertificateParams, CertificateRevocationListParams, CertifiedIssuer, IsCa, KeyIdMethod, KeyPair, SerialNumber,
    };

    use super::*;
    use crate::pki::{Algorithm, PublicKey, Signature};

    /// Signatures are somebody else's test.
    struct Believer;

    impl Signatures for Believer {
        fn verify(&self, _: &Algorithm<'_>, _: &[u8], _: &[u8], _: &PublicKey<'_>) -> Signature {
            Signature::Good
        }
    }

    /// Lists are kept for a day, and the oldest go first.
    #[test]
    fn lists_grow_old() {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let params = CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2020, 1, 1),
            next_update: rcgen::date_time_ymd(3000, 1, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let bytes = params.signed_by(&issuer).unwrap();
        let issuer = Certificate::parse(issuer.der()).unwrap();
        let list = || RevocationList::read(bytes.der(), &issuer, &Believer).unwrap();
        let (lists, hour) = (Lists::default(), Duration::from_secs(3600));
        lists.keep("a", &issuer, hour, list());
        assert!(lists.kept("a", &issuer, 24 * hour).is_some());
        assert!(lists.kept("a", &issuer, 25 * hour).is_none());
        lists.keep("a", &issuer, 25 * hour, list());
        assert!(lists.kept("a", &issuer, 25 * hour).is_some());
        for number in 0..KEPT {
            lists.keep(&number.to_string(), &issuer, 26 * hour, list());
        }
        assert!(lists.kept("a", &issuer, 26 * hour).is_none());
        assert!((0..KEPT).all(|number| lists.kept(&number.to_string(), &issuer, 26 * hour).is_some()));
    }
}
