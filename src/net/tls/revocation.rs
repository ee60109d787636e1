//! Whether certificates were revoked (ENABLE_SSL_REVOCATION): by the lists that they name.
//!
//! Lists are fetched over plain HTTP, without a proxy, and kept until they are out of date. OCSP is not asked.

use std::collections::HashMap;

use bytes::Bytes;

use crate::net::Net;
use crate::net::fetch::fetch;
use crate::pki::{self, Certificate, Revocation, Signatures};
use crate::sync::Mutex;
use crate::transport::{self, Network, Secured};
use crate::win32::{WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED, WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED};

/// The longest list, in bytes.
const LONGEST: usize = 16 * 1024 * 1024;
/// How many lists are kept.
const KEPT: usize = 32;

/// Lists that were fetched, by their URLs.
#[derive(Default)]
pub struct Lists(Mutex<HashMap<String, Bytes>>);

impl Lists {
    /// A list that is kept, or is fetched by these rules.
    async fn get(&self, net: &Net, network: Option<&Network>, url: &str, now: u64) -> Option<Bytes> {
        let known = self.0.lock().get(url).cloned();
        if let Some(list) = known.filter(|list| pki::next_update(list).is_some_and(|next| now <= next)) {
            return Some(list);
        }
        let list = fetch(&*net.runtime, network?, url, LONGEST).await?;
        let mut lists = self.0.lock();
        if lists.len() >= KEPT {
            lists.clear();
        }
        lists.insert(url.to_owned(), list.clone());
        Some(list)
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
        for url in certificate.list_urls() {
            let (Some(issuer), Some(list)) = (path.get(at + 1), self.get(net, network, &url, now).await) else {
                continue;
            };
            match pki::revocation(&list, certificate, issuer, signatures, now) {
                Revocation::Revoked => return WINHTTP_CALLBACK_STATUS_FLAG_CERT_REVOKED,
                Revocation::Good => return 0,
                Revocation::Unknown => {}
            }
        }
        WINHTTP_CALLBACK_STATUS_FLAG_CERT_REV_FAILED
    }
}
