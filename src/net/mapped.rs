//! Hosts of the real world that are played on loopback while a test lives.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::sync::RwLock;

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
}

static MAPPED: RwLock<Vec<Arc<Mapping>>> = RwLock::new(Vec::new());

/// Ends a mapping when it is dropped.
pub struct Mapped(Arc<Mapping>);

impl Drop for Mapped {
    fn drop(&mut self) {
        let mut mapped = MAPPED.write();
        mapped.retain(|mapping| !Arc::ptr_eq(mapping, &self.0));
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
    let mapping = Arc::new(Mapping { host, port, shown, real, before, security });
    mapped.push(Arc::clone(&mapping));
    Some(Mapped(mapping))
}

fn find(is: impl Fn(&Mapping) -> bool) -> Option<Arc<Mapping>> {
    MAPPED.read().iter().find(|mapping| is(mapping)).cloned()
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
