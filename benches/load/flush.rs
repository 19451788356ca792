//! 10,000 groups that are due at once, with their commits to the embedded store.

use std::time::{Duration, Instant};

use watchbell::engine::Dispatcher;
use watchbell::storage::{SqliteStore, Store};

use crate::report::{Figure, note};
use crate::routing::{evaluate, later, rules, setup, start};

/// How many of the rules give alerts: 1,000 each, and each alert is a group.
const RULES: usize = 10;

pub fn run(_: Option<u64>) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(folder.path()).expect("a store");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut dispatcher = Dispatcher::new(setup("['...']"));
    let mut rules = rules();
    evaluate(&mut rules[..RULES], &mut dispatcher, 95.0, start());
    let now = later(start(), Duration::from_secs(2));
    let began = Instant::now();
    let changes = dispatcher.on_time(now);
    let decided = began.elapsed().as_secs_f64();
    let count = changes.len();
    // As the dispatch loop does it: a few thousand changes in one transaction.
    for part in changes.chunks(10_000) {
        runtime.block_on(store.commit(part.to_vec())).expect("it commits");
    }
    let all = began.elapsed().as_secs_f64();
    Figure::new("decided", decided, "s").print();
    Figure::new("decided and committed", all, "s").print();
    Figure::new("for each group", all / 10_000.0 * 1e6, "us").print();
    note(&format!("{count} changes"));
}
