//! The idle connections of HTTP/1 in a group: the one that was used last is found by its mark, however many there are.

use std::collections::BTreeMap;

use super::engine::ConnectionId;
use super::find::looked;
use crate::transport::ConnectionGroupId;

/// When a connection became idle: later is more.
pub type Used = u64;

/// See the module.
#[derive(Debug, Default)]
pub struct Idle {
    /// Those without a mark, the one that was used last at the end.
    unmarked: Vec<(Used, ConnectionId)>,
    marked: BTreeMap<(ConnectionGroupId, Used), ConnectionId>,
    /// Those with any mark.
    by_use: BTreeMap<Used, ConnectionId>,
}

impl Idle {
    /// A connection becomes idle, or gets its mark.
    pub fn add(&mut self, connection: ConnectionId, mark: Option<ConnectionGroupId>, used: Used) {
        match mark {
            None => self.unmarked.push((used, connection)),
            Some(mark) => {
                self.marked.insert((mark, used), connection);
                self.by_use.insert(used, connection);
            }
        }
    }

    /// It is not idle any more, or loses its mark.
    pub fn remove(&mut self, mark: Option<ConnectionGroupId>, used: Used) {
        match mark {
            None => {
                if let Ok(place) = self.unmarked.binary_search_by_key(&used, |(used, _)| *used) {
                    self.unmarked.remove(place);
                }
            }
            Some(mark) => {
                self.marked.remove(&(mark, used));
                self.by_use.remove(&used);
            }
        }
    }

    /// The one that was used last, whatever its mark.
    pub fn last(&self) -> Option<ConnectionId> {
        looked();
        let marked = self.by_use.last_key_value().map(|(used, connection)| (*used, *connection));
        self.unmarked.last().copied().max(marked).map(|(_, connection)| connection)
    }

    /// The one without a mark that was used last.
    pub fn last_unmarked(&self) -> Option<ConnectionId> {
        looked();
        self.unmarked.last().map(|(_, connection)| *connection)
    }

    /// The one with this mark that was used last.
    pub fn last_marked(&self, mark: ConnectionGroupId) -> Option<ConnectionId> {
        looked();
        let mut known = self.marked.range((mark, 0)..=(mark, Used::MAX));
        known.next_back().map(|(_, connection)| *connection)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &ConnectionId> {
        self.unmarked.iter().map(|(_, connection)| connection).chain(self.by_use.values())
    }
}
