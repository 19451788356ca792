//! What only the embedded store promises: ownership, survival, errors that pass.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::model::{Timestamp, parse_matchers};
use crate::outbox::{EntryId, OutboxEntry};
use crate::storage::contract::{samples, store_contract};
use crate::storage::sqlite::{open, writer::Writer};
use crate::storage::{CaseFilter, Change, HistoryFilter, SqliteStore, Store, StoreError};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn opened() -> (TempDir, SqliteStore) {
    let folder = folder();
    let store = SqliteStore::open(folder.path()).unwrap();
    (folder, store)
}

store_contract!(opened());

fn decisions(numbers: impl IntoIterator<Item = u64>) -> Vec<Change> {
    numbers.into_iter().map(|number| Change::AddDecision(samples::decision(number))).collect()
}

/// A list of which the first change can be stored and the second cannot: SQLite has no such number.
fn bad() -> Vec<Change> {
    let entry = OutboxEntry { id: EntryId(u64::MAX), ..samples::entry(1) };
    [decisions([99]), vec![Change::put_entry(entry)]].concat()
}

async fn count(store: &SqliteStore) -> usize {
    store.history(&HistoryFilter::default()).await.unwrap().decisions.len()
}

#[tokio::test]
async fn everything_survives_closing_and_nobody_else_may_read_it() {
    let folder = folder();
    let inner = folder.path().join("a/b");
    let state = samples::snapshot();
    let store = SqliteStore::open(&inner).unwrap();
    store.commit(samples::puts(&state)).await.unwrap();
    for (name, mode) in
        [("", 0o700), ("watchbell.db", 0o600), ("watchbell.db-wal", 0o600), ("lock", 0o600)]
    {
        let found = inner.join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name:?}");
    }
    drop(store);
    assert!(!inner.join("watchbell.db-wal").exists(), "the log is folded into the file");
    let again = SqliteStore::open(&inner).unwrap();
    assert_eq!(format!("{:?}", again.load().await.unwrap()), format!("{state:?}"));
}

#[tokio::test]
async fn a_folder_has_one_owner_and_any_number_of_readers() {
    let (folder, store) = opened();
    let refused = SqliteStore::open(folder.path()).unwrap_err();
    let StoreError::Locked { owner, .. } = &refused else { panic!("{refused}") };
    assert_eq!(*owner, format!("process {}", std::process::id()));

    let reader = SqliteStore::read_only(folder.path()).unwrap();
    store.commit(decisions([1])).await.unwrap();
    assert_eq!(count(&reader).await, 1, "a reader sees what is committed");
    let refused = reader.commit(decisions([2])).await.unwrap_err().to_string();
    assert!(refused.contains("reading only"), "{refused}");
    assert!(reader.prune(Timestamp::from_secs(9)).await.is_err());

    drop(store);
    assert_eq!(count(&reader).await, 1, "also without an owner");
    SqliteStore::open(folder.path()).unwrap();
}

#[test]
fn what_cannot_be_opened_is_named() {
    let folder = folder();
    let read = |path: &Path| SqliteStore::read_only(path).unwrap_err();
    assert!(matches!(read(folder.path()), StoreError::Open { .. }), "nothing there");
    let file = open::file(folder.path());
    std::fs::write(folder.path().join("plain"), "").unwrap();
    let plain = SqliteStore::open(&folder.path().join("plain")).unwrap_err();
    assert!(matches!(plain, StoreError::Open { .. }), "{plain}");

    std::fs::write(&file, "").unwrap();
    let empty = read(folder.path()).to_string();
    assert!(empty.contains("holds no store"), "{empty}");
    let emptied = SqliteStore::open(folder.path()).unwrap_err();
    assert!(matches!(emptied, StoreError::Corrupt { .. }), "no store was ever empty: {emptied}");

    std::fs::write(&file, "no database, and long enough to have a header of one".repeat(99))
        .unwrap();
    for error in [read(folder.path()), SqliteStore::open(folder.path()).unwrap_err()] {
        assert!(matches!(&error, StoreError::Corrupt { path, .. } if *path == file), "{error}");
    }
}

/// A store that was written before there were silences.
#[tokio::test]
async fn a_store_of_the_first_format_is_brought_up_to_date() {
    let folder = folder();
    let file = open::file(folder.path());
    let db = Connection::open(&file).unwrap();
    db.execute_batch(include_str!("migrations/0001_state_and_history.sql")).unwrap();
    db.execute_batch(
        "PRAGMA user_version = 1;
         INSERT INTO alert VALUES ('r.yaml', 'g', 'Down', 0, '0000000000000001', 0,
             '{\"alertname\":\"Down\"}', '{}', 'firing', 1.0, 5, 6, NULL, NULL, 'http://p',
             '{\"alertname\":\"Down\"}');
         INSERT INTO aggregation_group VALUES ('{}:{}', 'team', '{}', 7, 1);
         INSERT INTO notification_log VALUES ('{}:{}', 'team', 'slack', 0,
             '{\"firing\":[\"0000000000000001\"],\"resolved\":[],\"at\":6}', NULL, NULL);
         INSERT INTO decision (at, fingerprint, group_key, receiver, reason, detail)
             VALUES (6, '0000000000000001', '{}:{}', 'team', 'grouped', '');
         INSERT INTO transition (at, rule_file, rule_group, rule_name, rule_nth, fingerprint,
             from_state, to_state, reason, labels, annotations, state, active_at)
             VALUES (4, 'r.yaml', 'g', 'Gone', 0, '0000000000000002', 'pending', 'inactive',
             'vanished', '{\"alertname\":\"Gone\"}', '{}', 'inactive', 3);
         INSERT INTO heartbeat VALUES (1, 8);",
    )
    .unwrap();
    drop(db);
    let early = SqliteStore::read_only(folder.path()).unwrap_err().to_string();
    assert!(early.contains("it has format 1"), "{early}");
    let store = SqliteStore::open(folder.path()).unwrap();
    let state = store.load().await.unwrap();
    assert_eq!((state.alerts.len(), state.groups.len(), state.lanes.len()), (1, 1, 1));
    assert_eq!((state.heartbeat, count(&store).await), (Some(Timestamp::from_millis(8)), 1));
    for name in ["Down", "Gone"] {
        let matchers = parse_matchers(&format!("alertname={name}")).unwrap();
        let dossier = store.dossier(&CaseFilter { matchers, limit: 0 }).await.unwrap();
        assert_eq!(dossier.cases.len(), 1, "{name}: what was there is found");
    }
    store.commit(vec![Change::put_silence(samples::silence(1))]).await.unwrap();
    drop(store);
    let again = SqliteStore::open(folder.path()).unwrap().load().await.unwrap();
    assert_eq!(again.silences, [samples::silence(1)]);
}

#[test]
fn a_newer_format_is_left_as_it_is() {
    let (folder, store) = opened();
    drop(store);
    let file = open::file(folder.path());
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 7).unwrap();
    let before = std::fs::read(&file).unwrap();
    for result in [SqliteStore::open(folder.path()), SqliteStore::read_only(folder.path())] {
        let error = result.unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 7, known: 5, .. }), "{error}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn damage_is_found_at_start() {
    let (folder, store) = opened();
    for number in 0..100 {
        store.commit(samples::puts(&samples::snapshot())).await.unwrap();
        store.commit(decisions(number * 100..number * 100 + 100)).await.unwrap();
    }
    drop(store);
    let file = open::file(folder.path());
    damage(&file);
    let error = SqliteStore::open(folder.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt { path, .. } if *path == file), "{error}");
}

fn damage(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 20_000].fill(0x5a);
    std::fs::write(file, bytes).unwrap();
}

#[tokio::test]
async fn a_large_file_is_checked_before_anything_is_written() {
    let (folder, store) = opened();
    store.commit(decisions(0..10_000)).await.unwrap();
    drop(store);
    let file = open::file(folder.path());
    // As after a kill that left a file too large to be checked at once.
    let left = || {
        let mut owned = open::own(folder.path()).unwrap();
        owned.unchecked = true;
        owned
    };
    let good = Writer::new(left()).commit(&[Arc::new(decisions([1]))]);
    assert_eq!(good, [Ok(())]);

    let mut writer = Writer::new(left());
    damage(&file);
    // What it has read of the good file is not to hide the damage.
    writer.owned.db.execute_batch("PRAGMA shrink_memory").unwrap();
    let before = std::fs::read(&file).unwrap();
    for _ in 0..2 {
        let refused = writer.commit(&[Arc::new(decisions([2]))]).remove(0).unwrap_err();
        assert!(refused.contains("it is damaged: "), "{refused}");
        assert!(writer.prune(Timestamp::from_secs(1 << 40)).is_err());
    }
    drop(writer);
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[tokio::test]
async fn a_value_that_nobody_wrote_is_damage() {
    let (folder, store) = opened();
    store.commit(samples::puts(&samples::snapshot())).await.unwrap();
    let db = Connection::open(open::file(folder.path())).unwrap();
    for (damage, repair) in [
        ("UPDATE alert SET labels = '{'", "UPDATE alert SET labels = '{}'"),
        (
            "UPDATE silence SET matchers = '[{\"name\":\"a\",\"value\":\"(\",\"isRegex\":true}]'",
            "UPDATE silence SET matchers = '[]'",
        ),
        ("UPDATE outbox SET reason = 'so'", "UPDATE outbox SET reason = 'route_changed'"),
    ] {
        db.execute_batch(damage).unwrap();
        let error = store.load().await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{damage}: {error}");
        db.execute_batch(repair).unwrap();
        store.load().await.unwrap();
    }
}

#[tokio::test]
async fn a_failing_list_fails_alone_and_whole() {
    let (_folder, store) = opened();
    let lists = (0..50).map(|number| if number % 10 == 5 { bad() } else { decisions([number]) });
    let outcomes = futures::future::join_all(lists.map(|list| store.commit(list))).await;
    for (number, outcome) in outcomes.into_iter().enumerate() {
        assert_eq!(outcome.is_err(), number % 10 == 5, "{number}: {outcome:?}");
    }
    assert_eq!(count(&store).await, 45);
}

#[test]
fn one_transaction_keeps_the_good_lists_of_a_batch() {
    let folder = folder();
    let mut writer = Writer::new(open::own(folder.path()).unwrap());
    let outcomes = writer.commit(&[decisions([1]), bad(), decisions([2])].map(Arc::new));
    assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    let rows = |writer: &Writer| -> i64 {
        writer.owned.db.query_row("SELECT count(*) FROM decision", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(rows(&writer), 2);

    // A condition that takes every transaction down, and what ends it.
    let pages: u32 =
        writer.owned.db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    for (condition, end) in [
        (format!("PRAGMA max_page_count = {pages}"), "PRAGMA max_page_count = 1000000"),
        ("PRAGMA query_only = 1".to_string(), "PRAGMA query_only = 0"),
    ] {
        let before = rows(&writer);
        let set = |writer: &Writer, sql: &str| writer.owned.db.execute_batch(sql).unwrap();
        set(&writer, &condition);
        let large = Arc::new(decisions(0..5000));
        let outcomes = writer.commit(&[Arc::clone(&large), Arc::clone(&large)]);
        assert!(outcomes.iter().all(Result::is_err), "{condition}: {outcomes:?}");
        assert_eq!(rows(&writer), before, "{condition}");
        set(&writer, end);
        assert_eq!(writer.commit(&[large]), [Ok(())], "{end}");
        assert_eq!(rows(&writer), before + 5000);
    }
}

#[test]
fn a_small_list_is_stored_beside_one_that_fills_the_disk() {
    let folder = folder();
    let mut writer = Writer::new(open::own(folder.path()).unwrap());
    let pages: u32 =
        writer.owned.db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    writer.owned.db.pragma_update(None, "max_page_count", pages + 4).unwrap();
    let outcomes =
        writer.commit(&[decisions([1]), decisions(0..5000), decisions([2])].map(Arc::new));
    assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
}

#[tokio::test]
async fn a_vanished_folder_fails_until_it_is_back() {
    let parent = folder();
    let (here, away) = (parent.path().join("store"), parent.path().join("away"));
    let store = SqliteStore::open(&here).unwrap();
    store.commit(decisions([1])).await.unwrap();
    std::fs::rename(&here, &away).unwrap();
    let error = store.commit(decisions([2])).await.unwrap_err();
    assert!(matches!(&error, StoreError::Commit(_)), "{error}");
    assert!(error.to_string().contains("store/watchbell.db"), "names the file: {error}");
    assert!(store.load().await.is_err());

    std::fs::rename(&away, &here).unwrap();
    store.commit(decisions([3])).await.unwrap();
    assert_eq!(count(&store).await, 2);

    // Another file at its path is not the store.
    let file = open::file(&here);
    std::fs::rename(&file, here.join("old")).unwrap();
    std::fs::write(&file, "").unwrap();
    assert!(store.commit(decisions([4])).await.is_err());
}

#[tokio::test]
async fn a_deleted_file_is_written_anew_with_all_that_it_held() {
    let (folder, store) = opened();
    store.commit(samples::puts(&samples::snapshot())).await.unwrap();
    store.commit(decisions([1])).await.unwrap();
    for round in 2..4 {
        // With its log, and without.
        if round == 3 {
            std::fs::remove_file(folder.path().join("watchbell.db-wal")).unwrap();
        }
        std::fs::remove_file(open::file(folder.path())).unwrap();
        store.commit(decisions([round])).await.unwrap();
        assert_eq!(count(&store).await, usize::try_from(round).unwrap());
    }
    drop(store);
    let again = SqliteStore::open(folder.path()).unwrap();
    assert_eq!(format!("{:?}", again.load().await.unwrap()), format!("{:?}", samples::snapshot()));
    assert_eq!(count(&again).await, 3);
    let mode = open::file(folder.path()).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
}

#[tokio::test]
async fn pruning_goes_in_batches_through_everything() {
    let (folder, store) = opened();
    store.commit(decisions(0..2500)).await.unwrap();
    let attempts = (1..=1500).map(|number| Change::add_attempt(samples::attempt(number)));
    store.commit(attempts.collect()).await.unwrap();
    let pruned = store.prune(Timestamp::from_secs(1201)).await.unwrap();
    assert_eq!(pruned, 1201 + 1200);
    assert_eq!(count(&store).await, 1299);
    let db = Connection::open(open::file(folder.path())).unwrap();
    let named: i64 =
        db.query_row("SELECT count(*) FROM attempt_alert", [], |row| row.get(0)).unwrap();
    assert_eq!(named, 600, "two for each attempt that is left");
}
