//! A store that may be opened late: paging does not wait for a full disk.
//!
//! A folder in which nothing can be written, or whose file is damaged, does not keep the program
//! from starting. What can be read of its state is read; nothing is committed until the folder can
//! be opened, which is tried again before every commit.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tokio::sync::oneshot;

use crate::collect::Collected;
use crate::model::Timestamp;
use crate::storage::sqlite::open::{self, FileIdentity, Lock};
use crate::storage::sqlite::{SqliteStore, read, read_error, salvage};
use crate::storage::{
    CaseFilter, Change, Deliveries, DeliveryFilter, Dossier, History, HistoryFilter, Snapshot,
    Store, StoreError,
};

/// How long a start waits for a disk that hangs. Checking a large file takes seconds.
const OPENING: Duration = Duration::from_secs(30);

/// The embedded store, open or not yet.
pub struct LateStore {
    folder: PathBuf,
    open: RwLock<Option<Arc<SqliteStore>>>,
    /// Why it is not open.
    problem: RwLock<String>,
    /// What the first [`Store::load`] gives.
    first: Mutex<Option<Snapshot>>,
    closed: tokio::sync::Mutex<Closed>,
}

/// What is needed to try again.
#[derive(Default)]
struct Closed {
    lock: Option<Lock>,
    /// An attempt that has no end yet: the disk hangs.
    running: Option<oneshot::Receiver<Attempt>>,
    /// The damaged file. Nothing is tried before it is another.
    damaged: Option<Stamp>,
    /// The state that was read of a folder that could not be opened.
    known: Snapshot,
    /// What that means, in words.
    means: &'static str,
    /// Opened, and holding a state that the program did not start with.
    found: Option<SqliteStore>,
}

/// How an attempt to open the folder ended.
enum Attempt {
    Opened(SqliteStore, Snapshot),
    Failed(Option<Lock>, StoreError),
}

/// A store that is about to be opened.
pub struct Opening {
    folder: PathBuf,
    begun: Option<oneshot::Receiver<Attempt>>,
}

impl Opening {
    /// Begins to open the store in `folder` behind what the caller goes on to do, who may still
    /// find that it is not to be opened. So nothing begins that would leave a trace: that makes a
    /// store or brings it to a newer format.
    pub fn begin(folder: &Path) -> Self {
        let begun = open::is_current(folder).then(|| begin(folder, None));
        Self { folder: folder.into(), begun }
    }
}

impl LateStore {
    /// Opens the store in `folder`; see [`LateStore::finish`].
    ///
    /// # Errors
    /// As there.
    pub async fn open(folder: &Path, now: Timestamp) -> Result<Self, StoreError> {
        Self::finish(Opening { folder: folder.into(), begun: None }, now).await
    }

    /// Opens the store, or takes what can be read of it. `now` numbers the entries of a program that
    /// does not know which numbers were used before.
    ///
    /// # Errors
    /// Where another process owns the folder, or a newer version wrote the file: two programs must
    /// not page for one folder, and nobody may write what a newer version would misread.
    pub async fn finish(opening: Opening, now: Timestamp) -> Result<Self, StoreError> {
        let folder = opening.folder.as_path();
        let mut closed = Closed::default();
        let attempt = opening.begun.unwrap_or_else(|| begin(folder, None));
        let this = Self {
            folder: folder.into(),
            open: RwLock::default(),
            problem: RwLock::default(),
            first: Mutex::default(),
            closed: tokio::sync::Mutex::default(),
        };
        let (snapshot, problem) = match waited(attempt).await {
            Ok(Attempt::Opened(store, snapshot)) => {
                *write(&this.open) = Some(Arc::new(store));
                (snapshot, None)
            }
            Ok(Attempt::Failed(
                _,
                error @ (StoreError::Locked { .. } | StoreError::Newer { .. }),
            )) => return Err(error),
            Ok(Attempt::Failed(lock, error)) => {
                closed.lock = lock;
                closed.damaged = stamp_of_damage(folder, &error);
                let snapshot = salvaged(folder, now, &mut closed).await?;
                (snapshot, Some(format!("{error}; {}", closed.means)))
            }
            Err(running) => {
                closed.running = Some(running);
                closed.means = UNKNOWN;
                let waited = format!(
                    "the store {} is not open after {} s; {UNKNOWN}",
                    folder.display(),
                    OPENING.as_secs()
                );
                (unknown(now), Some(waited))
            }
        };
        *this.closed.lock().await = closed;
        *this.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(snapshot);
        if let Some(problem) = problem {
            *write(&this.problem) = problem;
        }
        Ok(this)
    }

    /// The store, where it is open.
    fn opened(&self) -> Result<Arc<SqliteStore>, StoreError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner).clone();
        open.ok_or_else(|| StoreError::NotOpen(self.reason()))
    }

    fn reason(&self) -> String {
        self.problem.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the end of an attempt.
    async fn take(&self, closed: &mut Closed, attempt: Attempt) -> Result<(), StoreError> {
        match attempt {
            Attempt::Opened(store, former) => {
                closed.damaged = None;
                // An empty one has taken the place of what was read.
                if former == Snapshot::default() {
                    store.commit(closed.known.clone().into_changes()).await?;
                } else if !is_same_state(&former, &closed.known) {
                    return self.found(closed, store);
                }
                closed.known = Snapshot::default();
                *write(&self.open) = Some(Arc::new(store));
                Ok(())
            }
            Attempt::Failed(lock, error) => {
                closed.lock = lock;
                closed.damaged = stamp_of_damage(&self.folder, &error);
                *write(&self.problem) = format!("{error}; {}", closed.means);
                Err(StoreError::NotOpen(self.reason()))
            }
        }
    }

    /// The folder holds a state that this program has not started with.
    fn found(&self, closed: &mut Closed, store: SqliteStore) -> Result<(), StoreError> {
        closed.found = Some(store);
        *write(&self.problem) = format!(
            "the store {} can be opened again, but does not hold what is in memory: \
             restart the program to go on from it",
            self.folder.display()
        );
        Err(StoreError::NotOpen(self.reason()))
    }
}

const UNKNOWN: &str =
    "what has been announced is not known, so alerts that fire are announced again";

/// What can be read of a folder that cannot be opened.
async fn salvaged(
    folder: &Path,
    now: Timestamp,
    closed: &mut Closed,
) -> Result<Snapshot, StoreError> {
    let (sender, receiver) = oneshot::channel();
    let place = folder.to_path_buf();
    in_a_thread(move || drop(sender.send(salvage::salvage(&place))));
    let read = tokio::time::timeout(OPENING, receiver).await;
    match read.ok().and_then(Result::ok) {
        Some(Ok(snapshot)) if snapshot == Snapshot::default() => {
            closed.means = "it holds nothing yet, so all is in memory";
            Ok(unknown(now))
        }
        Some(Ok(snapshot)) => {
            closed.means = "its state has been read, and goes on in memory";
            closed.known.clone_from(&snapshot);
            Ok(snapshot)
        }
        Some(Err(error @ StoreError::Newer { .. })) => Err(error),
        Some(Err(_)) | None => {
            closed.means = UNKNOWN;
            Ok(unknown(now))
        }
    }
}

/// A start without a state. Its entries get numbers that no former process has used.
fn unknown(now: Timestamp) -> Snapshot {
    let last_entry = u64::try_from(now.millis()).unwrap_or(0);
    Snapshot { last_entry, ..Snapshot::default() }
}

fn begin(folder: &Path, lock: Option<Lock>) -> oneshot::Receiver<Attempt> {
    let (sender, receiver) = oneshot::channel();
    let folder = folder.to_path_buf();
    in_a_thread(move || drop(sender.send(attempt(&folder, lock))));
    receiver
}

/// Not one of the runtime's threads: the runtime would wait for a disk that hangs when it ends.
fn in_a_thread(work: impl FnOnce() + Send + 'static) {
    // Where there is no thread to be had, the sender is dropped, and the caller takes it as failed.
    let _ = std::thread::Builder::new().name("store-open".to_string()).spawn(work);
}

fn attempt(folder: &Path, lock: Option<Lock>) -> Attempt {
    let lock = match lock.map_or_else(|| Lock::take(folder), Ok) {
        Ok(lock) => lock,
        Err(error) => return Attempt::Failed(None, error),
    };
    let mut owned = match open::own_with(folder, lock) {
        Ok(owned) => owned,
        Err((lock, error)) => return Attempt::Failed(Some(lock), error),
    };
    match read::snapshot(&mut owned.db) {
        Ok(snapshot) => match SqliteStore::over(folder, owned) {
            Ok(store) => Attempt::Opened(store, snapshot),
            Err(error) => Attempt::Failed(None, error),
        },
        Err(error) => Attempt::Failed(Some(owned.lock), read_error(folder, &error)),
    }
}

/// Waits for an attempt; gives it back where it takes too long.
async fn waited(
    mut attempt: oneshot::Receiver<Attempt>,
) -> Result<Attempt, oneshot::Receiver<Attempt>> {
    match tokio::time::timeout(OPENING, &mut attempt).await {
        Ok(ended) => Ok(ended.unwrap_or_else(|_| no_thread())),
        Err(_) => Err(attempt),
    }
}

fn no_thread() -> Attempt {
    let reason = "no thread can be started to open it".to_string();
    Attempt::Failed(None, StoreError::Read(reason))
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// Whether nobody has written to a store since its state was read.
fn is_same_state(one: &Snapshot, other: &Snapshot) -> bool {
    (one.heartbeat, one.last_entry) == (other.heartbeat, other.last_entry)
}

/// Tells a file from what it is after someone has seen to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    file: FileIdentity,
    size: u64,
    changed: Option<SystemTime>,
}

impl Stamp {
    fn of(folder: &Path) -> Option<Self> {
        let path = open::file(folder);
        let (file, found) = (FileIdentity::of(&path).ok()?, path.metadata().ok()?);
        Some(Self { file, size: found.len(), changed: found.modified().ok() })
    }
}

fn stamp_of_damage(folder: &Path, error: &StoreError) -> Option<Stamp> {
    matches!(error, StoreError::Corrupt { .. }).then(|| Stamp::of(folder)).flatten()
}

#[async_trait]
impl Store for LateStore {
    async fn load(&self) -> Result<Snapshot, StoreError> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        match first {
            Some(snapshot) => Ok(snapshot),
            None => self.opened()?.load().await,
        }
    }

    fn problem(&self) -> Option<String> {
        self.opened().err().map(|error| error.to_string())
    }

    async fn revive(&self) -> Result<(), StoreError> {
        if self.opened().is_ok() {
            return Ok(());
        }
        let mut closed = self.closed.lock().await;
        let is_same = closed.damaged.is_some() && closed.damaged == Stamp::of(&self.folder);
        if closed.found.is_some() || is_same {
            return Err(StoreError::NotOpen(self.reason()));
        }
        let running = match closed.running.take() {
            Some(running) => running,
            None => begin(&self.folder, closed.lock.take()),
        };
        // It stays where it is should nobody wait for this any longer.
        let attempt = closed.running.insert(running).await.unwrap_or_else(|_| no_thread());
        closed.running = None;
        self.take(&mut closed, attempt).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.opened()?.commit(changes).await
    }

    async fn commit_kept(&self, changes: &Arc<Vec<Change>>) -> Result<(), StoreError> {
        self.opened()?.commit_kept(changes).await
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<History, StoreError> {
        self.opened()?.history(filter).await
    }

    async fn dossier(&self, filter: &CaseFilter) -> Result<Dossier, StoreError> {
        self.opened()?.dossier(filter).await
    }

    async fn collected(&self) -> Result<Option<Collected>, StoreError> {
        self.opened()?.collected().await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Deliveries, StoreError> {
        self.opened()?.deliveries(filter).await
    }

    async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.opened()?.prune(before).await
    }
}

#[cfg(test)]
mod tests;
