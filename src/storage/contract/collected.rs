//! What collectors have counted.

use super::{commit, same};
use crate::collect::{Collected, CollectedExperiment, CollectedRun, CollectionChange};
use crate::model::Timestamp;
use crate::storage::{Change, Snapshot, Store};

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn experiment(id: &str, failed: u64) -> CollectedExperiment {
    let last_failed = (failed > 0).then_some(at(5));
    let name = format!("'; -- \" é \u{0} {id}").into();
    CollectedExperiment { id: id.into(), name, counts: [1, failed, 0], last_failed }
}

fn run(id: &str, secs: i64) -> CollectedRun {
    CollectedRun { id: id.into(), ended_at: at(secs) }
}

fn change() -> CollectionChange {
    CollectionChange {
        source: "a".to_string(),
        cursor: at(7),
        floor: at(0),
        experiments: vec![experiment("1", 1), experiment("", 0)],
        runs: vec![run("r2", 2), run("r1", 7)],
        ..CollectionChange::default()
    }
}

pub async fn what_is_collected_is_kept(store: &dyn Store) {
    assert_eq!(store.collected().await.unwrap(), None);
    commit(store, [Change::Collect(change())]).await;
    let mut expected = Collected {
        source: "a".to_string(),
        cursor: at(7),
        floor: at(0),
        experiments: vec![experiment("", 0), experiment("1", 1)],
        runs: vec![run("r1", 7), run("r2", 2)],
    };
    same(store.collected().await.unwrap(), Some(expected.clone()));
    let more = CollectionChange {
        cursor: at(9),
        floor: at(3),
        experiments: vec![experiment("1", 2), experiment("2", 0)],
        gone: vec!["".into(), "9".into()],
        runs: vec![run("r1", 8), run("r3", 9)],
        ..change()
    };
    commit(store, [Change::Collect(more)]).await;
    (expected.cursor, expected.floor) = (at(9), at(3));
    expected.experiments = vec![experiment("1", 2), experiment("2", 0)];
    expected.runs = vec![run("r1", 8), run("r3", 9)];
    same(store.collected().await.unwrap(), Some(expected));
    same(store.load().await.unwrap(), Snapshot::default());
}

pub async fn another_source_takes_the_place_of_the_former(store: &dyn Store) {
    commit(store, [Change::Collect(change())]).await;
    let anew = CollectionChange {
        anew: true,
        source: "b".to_string(),
        cursor: at(1),
        ..CollectionChange::default()
    };
    commit(store, [Change::Collect(anew)]).await;
    let expected = Collected { source: "b".to_string(), cursor: at(1), ..Collected::default() };
    same(store.collected().await.unwrap(), Some(expected));
}
