//! What a certificate is wanted for: extended key usages.

use der::asn1::ObjectIdentifier;
use der::oid::db::rfc5280::ID_KP_SERVER_AUTH;

use super::Certificate;

/// The usages that each certificate of a path must have: all of them, or one. None is wanted where there are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usages {
    every: bool,
    /// `None` is one that nobody can have.
    wanted: Vec<Option<ObjectIdentifier>>,
}

impl Usages {
    /// These object identifiers, all of them or one.
    pub fn new<'a>(every: bool, ids: impl IntoIterator<Item = &'a str>) -> Usages {
        Usages { every, wanted: ids.into_iter().map(|id| ObjectIdentifier::new(id).ok()).collect() }
    }

    /// That of a server.
    pub fn server() -> Usages {
        Usages { every: true, wanted: vec![Some(ID_KP_SERVER_AUTH)] }
    }

    /// Whether a certificate has them.
    pub fn allow(&self, certificate: &Certificate<'_>) -> bool {
        let has = |id: &Option<ObjectIdentifier>| id.is_some_and(|id| certificate.allows(id));
        match self.every {
            true => self.wanted.iter().all(has),
            false => self.wanted.is_empty() || self.wanted.iter().any(has),
        }
    }
}
