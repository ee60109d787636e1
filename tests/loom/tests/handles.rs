//! A handle that one thread closes while others use it.

use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use winhttp_models::handle::Handle;
use winhttp_models::handle::references::References;
use winhttp_models::handle::table::{Shard, Table};
use winhttp_models::sync::RwLock;

fn table() -> Arc<Table> {
    Arc::new(Table(std::array::from_fn(|_| RwLock::new(Shard::new()))))
}

/// Children are made while the handle is closed: HANDLE_CLOSING comes once, and no child is made after it.
#[test]
fn a_count_that_reached_zero_stays_there() {
    loom::model(|| {
        let references = Arc::new(References::default());
        let closings = Arc::new(AtomicUsize::new(0));
        let release = |references: &References, closings: &AtomicUsize| {
            if references.release() {
                closings.fetch_add(1, Ordering::SeqCst);
            }
        };
        let children: Vec<_> = (0..2)
            .map(|_| {
                let (references, closings) = (Arc::clone(&references), Arc::clone(&closings));
                thread::spawn(move || {
                    if references.acquire() {
                        assert_eq!(closings.load(Ordering::SeqCst), 0, "a child of a handle that has told its end");
                        release(&references, &closings);
                    }
                })
            })
            .collect();
        release(&references, &closings);
        children.into_iter().for_each(|child| child.join().unwrap());
        assert_eq!(closings.load(Ordering::SeqCst), 1);
        assert!(!references.acquire());
    });
}

/// Of two calls that close one value one succeeds; who has found the handle keeps it; the value names nothing any more.
#[test]
fn a_value_is_closed_once() {
    loom::model(|| {
        let table = table();
        let value = table.insert(Handle::new).value;
        let closes = |table: Arc<Table>| thread::spawn(move || usize::from(table.remove(value).is_some()));
        let threads = [closes(Arc::clone(&table)), closes(Arc::clone(&table))];
        if let Some(handle) = table.get(value) {
            assert_eq!(handle.value, value);
        }
        let closed: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(closed, 1);
        assert!(table.get(value).is_none() && table.len() == 0);
    });
}

/// A slot that is used again never has a value that was there before.
#[test]
fn a_new_handle_is_not_an_old_one() {
    loom::model(|| {
        let table = table();
        let old = table.insert(Handle::new).value;
        let other = Arc::clone(&table);
        let makes = thread::spawn(move || other.insert(Handle::new).value);
        table.remove(old);
        assert!(table.get(old).is_none());
        let new = makes.join().unwrap();
        assert_ne!(new, old);
        assert!(table.get(old).is_none() && table.get(new).is_some_and(|handle| handle.value == new));
    });
}
