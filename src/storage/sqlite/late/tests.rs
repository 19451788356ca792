//! Folders that cannot be opened, and files that are damaged.

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::storage::contract::{samples, store_contract};

const NOW: Timestamp = Timestamp::from_secs(1_767_607_200);

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

async fn open(folder: &Path) -> LateStore {
    LateStore::open(folder, NOW).await.unwrap()
}

store_contract!({
    let folder = folder();
    let store = LateStore::open(folder.path(), NOW).await.unwrap();
    store.load().await.unwrap();
    (folder, store)
});

fn state() -> Vec<Change> {
    samples::puts(&samples::snapshot())
}

/// A folder with the sample state, left behind as by a kill or by a stop.
async fn left(killed: bool) -> TempDir {
    let (folder, copy) = (folder(), folder());
    let store = SqliteStore::open(folder.path()).unwrap();
    store.commit(state()).await.unwrap();
    for _ in 0..3 {
        store.commit(vec![Change::Heartbeat(NOW)]).await.unwrap();
    }
    if !killed {
        drop(store);
        return folder;
    }
    for name in ["watchbell.db", "watchbell.db-wal"] {
        std::fs::copy(folder.path().join(name), copy.path().join(name)).unwrap();
    }
    copy
}

/// The file and its log, where that holds anything.
fn bytes(folder: &TempDir) -> Vec<Option<Vec<u8>>> {
    let read = |name| std::fs::read(folder.path().join(name)).ok();
    let names = ["watchbell.db", "watchbell.db-wal"];
    names.map(|name| read(name).filter(|content| !content.is_empty())).into()
}

fn spoil(folder: &TempDir, name: &str, from: usize, length: usize) {
    let path = folder.path().join(name);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[from..from + length].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_taken_as_soon_as_it_can() {
    let parent = folder();
    let place = parent.path().join("store");
    std::fs::write(&place, "a file").unwrap();
    let store = open(&place).await;
    let problem = store.problem().unwrap();
    assert!(problem.contains("cannot open") && problem.contains("announced again"), "{problem}");
    let start = store.load().await.unwrap();
    assert!(start.alerts.is_empty() && start.last_entry > 1_000_000_000_000, "new numbers");
    assert!(store.revive().await.is_err() && store.commit(state()).await.is_err());

    std::fs::remove_file(&place).unwrap();
    store.revive().await.unwrap();
    assert_eq!(store.problem(), None);
    store.commit(state()).await.unwrap();
    assert_eq!(store.load().await.unwrap().alerts.len(), samples::snapshot().alerts.len());
}

#[tokio::test]
async fn a_folder_that_turns_up_with_a_state_is_not_overwritten() {
    let (parent, folder) = (folder(), left(false).await);
    let place = parent.path().join("store");
    std::fs::write(&place, "a file").unwrap();
    let store = open(&place).await;
    std::fs::remove_file(&place).unwrap();
    std::fs::rename(folder.path(), &place).unwrap();
    let refused = store.revive().await.unwrap_err().to_string();
    assert!(refused.contains("does not hold what is in memory"), "{refused}");
    assert!(store.commit(state()).await.is_err());
    let other = LateStore::open(&place, NOW).await.err().unwrap();
    assert!(matches!(other, StoreError::Locked { .. }), "it is owned all the same: {other}");
}

#[tokio::test]
async fn a_damaged_file_is_left_alone_and_owned_until_it_has_been_moved_away() {
    for killed in [false, true] {
        let folder = left(killed).await;
        spoil(&folder, "watchbell.db", 100, 3000);
        if killed {
            spoil(&folder, "watchbell.db-wal", 32 + 24 + 100, 3000);
        }
        let before = bytes(&folder);
        let store = open(folder.path()).await;
        let problem = store.problem().unwrap();
        assert!(problem.contains("is damaged") && problem.contains("move it away"), "{problem}");
        let other = LateStore::open(folder.path(), NOW).await.err().unwrap();
        assert!(matches!(other, StoreError::Locked { .. }), "{other}");
        assert!(store.revive().await.is_err() && store.revive().await.is_err());
        assert!(bytes(&folder) == before, "nothing has been written");

        std::fs::rename(open::file(folder.path()), folder.path().join("away")).unwrap();
        if killed {
            let refused = store.revive().await.unwrap_err().to_string();
            assert!(refused.contains("write-ahead log is still there"), "{refused}");
            let log = folder.path().join("watchbell.db-wal");
            std::fs::rename(&log, folder.path().join("away-wal")).unwrap();
        }
        store.revive().await.unwrap();
        store.commit(state()).await.unwrap();
    }
}

#[tokio::test]
async fn what_a_folder_holds_can_be_read_without_writing() {
    for killed in [false, true] {
        let folder = left(killed).await;
        let before = bytes(&folder);
        let read = salvage::salvage(folder.path()).unwrap();
        let expected = Snapshot { heartbeat: Some(NOW), ..samples::snapshot() };
        assert_eq!(format!("{read:?}"), format!("{expected:?}"), "killed: {killed}");
        assert!(bytes(&folder) == before);
    }
    assert_eq!(salvage::salvage(folder().path()).unwrap(), Snapshot::default());
    assert!(salvage::salvage(Path::new("/proc/nowhere")).is_err());
}

#[tokio::test]
async fn a_newer_file_stops_the_start_and_is_left_as_it_is() {
    let folder = left(false).await;
    let file = open::file(folder.path());
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 77).unwrap();
    let before = bytes(&folder);
    let refused = LateStore::open(folder.path(), NOW).await.err().unwrap();
    assert!(matches!(refused, StoreError::Newer { found: 77, .. }), "{refused}");
    assert!(bytes(&folder) == before);
}

/// Damage in the history does not cost the state, also not where a new file takes its place.
#[tokio::test]
async fn what_was_read_of_a_damaged_file_goes_into_the_new_one() {
    let folder = left(false).await;
    let db = Connection::open(open::file(folder.path())).unwrap();
    let place = "SELECT (rootpage - 1) * (SELECT page_size FROM pragma_page_size) \
                 FROM sqlite_schema WHERE name = 'transition'";
    let page: i64 = db.query_row(place, [], |row| row.get(0)).unwrap();
    db.close().unwrap();
    spoil(&folder, "watchbell.db", page.try_into().unwrap(), 3000);
    let store = open(folder.path()).await;
    let problem = store.problem().unwrap();
    assert!(problem.contains("damaged") && problem.contains("has been read"), "{problem}");
    assert_eq!(store.load().await.unwrap().alerts.len(), samples::snapshot().alerts.len());
    std::fs::rename(open::file(folder.path()), folder.path().join("away")).unwrap();
    store.revive().await.unwrap();
    let expected = Snapshot { heartbeat: Some(NOW), ..samples::snapshot() };
    assert_eq!(format!("{:?}", store.load().await.unwrap()), format!("{expected:?}"));
}

/// Numbers that look random (xorshift64), the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }
}

/// However a file is spoilt, the start says so, or the state is there. A commit that the spoiling
/// took for certain is not silently missing.
#[tokio::test]
async fn no_damage_makes_a_silent_empty_start() {
    let mut random = Random(0x5eed);
    let sources = [left(false).await, left(true).await];
    let expected = samples::snapshot();
    let (mut said, mut whole) = (0, 0);
    for round in 0..200 {
        let killed = round % 2 == 1;
        let copy = folder();
        let contents = bytes(&sources[usize::from(killed)]);
        let names = ["watchbell.db", "watchbell.db-wal"];
        let spoilt = if killed { random.below(2) } else { 0 };
        let mut what = String::new();
        for (place, content) in contents.into_iter().enumerate() {
            let Some(mut content) = content else { continue };
            if place == spoilt {
                if random.below(4) == 0 {
                    content.truncate(random.below(content.len()));
                    what = format!("{} cut to {}", names[place], content.len());
                } else {
                    let at = random.below(content.len());
                    content[at] ^= 1 << random.below(8);
                    what = format!("{} changed at {at}", names[place]);
                }
            }
            std::fs::write(copy.path().join(names[place]), content).unwrap();
        }
        let store = match LateStore::open(copy.path(), NOW).await {
            Ok(store) => store,
            Err(error) => {
                assert!(matches!(error, StoreError::Newer { .. }), "{what}: {error}");
                continue;
            }
        };
        if store.problem().is_some() {
            said += 1;
            continue;
        }
        let snapshot = store.load().await.unwrap();
        // A log that was cut short is what a crash leaves.
        if !(what.contains("wal cut")) {
            assert_eq!(snapshot.alerts.len(), expected.alerts.len(), "round {round}: {what}");
            assert_eq!(snapshot.entries.len(), expected.entries.len(), "round {round}: {what}");
            assert_eq!(snapshot.lanes.len(), expected.lanes.len(), "round {round}: {what}");
        }
        whole += 1;
    }
    assert!(said > 40 && whole > 40, "{said} said, {whole} whole: the test spoils what matters");
}
