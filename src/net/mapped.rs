//! Hosts of the real world that are played on loopback while a test lives.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use crate::sync::RwLock;
use crate::transport::{Transport, TransportRequest};

use super::Net;
use super::runtime::Boxed;
use super::tls::Security;

/// What happens before a connection is made; an error is that of the connection.
pub type Before = Box<dyn Fn() -> Boxed<'static, io::Result<()>> + Send + Sync>;

/// A host and port, and where they really are.
pub struct Mapping {
    host: String,
    port: u16,
    /// The address that the host has.
    shown: IpAddr,
    /// Where its port listens.
    real: SocketAddr,
    before: Before,
    security: Security,
    /// The pool of the connections that lead there: who is at the host afterwards is another.
    pool: usize,
    /// Whose pool it is.
    net: OnceLock<Weak<Net>>,
}

static MAPPED: RwLock<Vec<Arc<Mapping>>> = RwLock::new(Vec::new());
/// The number of the next pool: the own ones of sessions have the values of handles, which are even.
static POOLS: AtomicUsize = AtomicUsize::new(1);

/// Ends a mapping when it is dropped.
pub struct Mapped(Arc<Mapping>);

impl Drop for Mapped {
    fn drop(&mut self) {
        let mut mapped = MAPPED.write();
        mapped.retain(|mapping| !Arc::ptr_eq(mapping, &self.0));
        drop(mapped);
        if let Some(net) = self.0.net.get().and_then(Weak::upgrade) {
            net.end_pool(self.0.pool);
        }
    }
}

/// Maps a host and port, which trust `authority` (DER) alone. `None` if they are mapped already.
pub fn map(
    (host, port): (&str, u16),
    shown: IpAddr,
    real: SocketAddr,
    authority: Vec<u8>,
    before: Before,
) -> Option<Mapped> {
    let mut mapped = MAPPED.write();
    if mapped.iter().any(|mapping| mapping.is(host, port)) {
        return None;
    }
    let (host, security) = (host.to_owned(), Security::trusting(authority));
    let pool = POOLS.fetch_add(2, Ordering::Relaxed);
    let mapping = Arc::new(Mapping { host, port, shown, real, before, security, pool, net: OnceLock::new() });
    mapped.push(Arc::clone(&mapping));
    Some(Mapped(mapping))
}

/// Gives the connections of a request to a host that is played a pool of their own.
pub fn set_apart(net: &Arc<Net>, mut request: Box<TransportRequest>) -> Box<TransportRequest> {
    if !net.real || request.pool != 0 {
        return request;
    }
    let of = |(host, port): (&str, u16)| find(|mapping| mapping.is(host, port));
    if let Some(mapping) = of(request.first_hop()).or_else(|| of((&request.host, request.port))) {
        request.pool = mapping.pool;
        mapping.net.get_or_init(|| Arc::downgrade(net));
    }
    request
}

fn find(is: impl Fn(&Mapping) -> bool) -> Option<Arc<Mapping>> {
    MAPPED.read().iter().find(|mapping| is(mapping)).cloned()
}

/// Whom the hosts trust that are played, DER.
pub fn authorities() -> Vec<Vec<u8>> {
    let mapped = MAPPED.read();
    mapped.iter().flat_map(|mapping| mapping.security.trusted()).collect()
}

impl Mapping {
    fn is(&self, host: &str, port: u16) -> bool {
        self.port == port && self.host.eq_ignore_ascii_case(host)
    }

    /// That of a host and port.
    pub fn of(host: &str, port: u16) -> Option<Arc<Mapping>> {
        find(|mapping| mapping.is(host, port))
    }

    /// That of an address which [`Mapping::address`] gave.
    pub fn at(address: SocketAddr) -> Option<Arc<Mapping>> {
        find(|mapping| mapping.address() == address)
    }

    /// Where the host seems to be.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.shown, self.port)
    }

    /// Where it is, once nothing is in the way.
    pub async fn reach(&self) -> io::Result<SocketAddr> {
        (self.before)().await?;
        Ok(self.real)
    }

    /// TLS with it.
    pub fn security(&self) -> &Security {
        &self.security
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Instant;

    use super::*;

    /// A connection to one who played a host is not used for the next who does.
    #[test]
    fn who_plays_a_host_shares_no_connection_with_who_did() {
        let net = Net::real(Instant::now(), Arc::default());
        let pool = |host: &str, own: usize| {
            let mut request = TransportRequest::to(host, 80);
            request.pool = own;
            set_apart(&net, Box::new(request)).pool
        };
        let play = || {
            let nowhere = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 1);
            map(("apart.test", 80), nowhere.ip(), nowhere, Vec::new(), Box::new(|| Box::pin(async { Ok(()) })))
        };
        let first = play().map(|_playing| [pool("apart.test", 0), pool("Apart.test", 0), pool("apart.test", 64)]);
        let second = play().map(|_playing| pool("apart.test", 0));
        let [pool_of_first, ..] = first.unwrap();
        assert_eq!(first, Some([pool_of_first, pool_of_first, 64]), "a session's own pool stays its own");
        assert!(pool_of_first != 0 && second.is_some_and(|pool| pool % 2 == 1 && pool != pool_of_first));
        assert_eq!(pool("apart.test", 0), 0);
    }
}
