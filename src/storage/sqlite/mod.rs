//! The embedded store: one SQLite file in a folder that one process owns.
//!
//! One thread owns the connection that writes. Every read opens a connection of its own, which in
//! WAL mode neither waits for the writer nor makes it wait.

mod alerts;
mod apply;
mod collected;
mod columns;
#[cfg(test)]
mod crash;
mod late;
mod lookup;
mod open;
mod read;
mod salvage;
#[cfg(test)]
mod tests;
mod wal;
mod writer;

pub use late::{LateStore, Opening};

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, oneshot};

use crate::collect::Collected;
use crate::model::Timestamp;
use crate::storage::sqlite::writer::{Job, Writer};
use crate::storage::{
    CaseFilter, Change, Deliveries, DeliveryFilter, Dossier, History, HistoryFilter, Snapshot,
    Store, StoreError,
};

/// How many jobs may wait for the writer; a caller beyond them waits to hand its job over.
const QUEUE: usize = 1024;
/// How long a question of people may take; the start waits for the whole state as long as it takes.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// The embedded store. Dropping it waits until everything handed over is committed, folds the
/// write-ahead log into the file and frees the folder.
#[derive(Debug)]
pub struct SqliteStore {
    folder: PathBuf,
    /// `None` for a store that was opened for reading only.
    writer: Option<WriterHandle>,
}

/// The way to the writer's thread.
#[derive(Debug)]
struct WriterHandle {
    /// Taken on drop: the thread ends when nobody can send any more.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl SqliteStore {
    /// Opens the store in `folder`, which is created where it is missing, and owns it until it is
    /// dropped. A folder that another process owns is refused at once; what a killed process left
    /// behind is free at once.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::over(folder, open::own(folder)?)
    }

    /// A store over an opened folder.
    fn over(folder: &Path, owned: open::Owned) -> Result<Self, StoreError> {
        let writer = Writer::new(owned);
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store".to_string())
            .spawn(move || writer.run(queue))
            .map_err(|e| StoreError::Open { path: folder.into(), reason: e.to_string() })?;
        let handle = WriterHandle { jobs: Some(jobs), thread: Some(thread) };
        Ok(Self { folder: folder.into(), writer: Some(handle) })
    }

    /// Opens the store in `folder` for reading only, also while a daemon owns it. Every change is
    /// refused.
    pub fn read_only(folder: &Path) -> Result<Self, StoreError> {
        open::to_read(folder)?;
        Ok(Self { folder: folder.into(), writer: None })
    }

    /// Hands a job to the writer and waits for its answer.
    async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, String>>) -> Job,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.writer.as_ref().and_then(|writer| writer.jobs.as_ref());
        let jobs = jobs.ok_or_else(|| self.no_commit("it is open for reading only"))?;
        jobs.send(job(reply)).await.map_err(|_| self.no_commit("its writer has ended"))?;
        let answer = answer.await.map_err(|_| self.no_commit("its writer has ended"))?;
        answer.map_err(|reason| self.no_commit(&reason))
    }

    fn no_commit(&self, reason: &str) -> StoreError {
        StoreError::Commit(format!("{}: {reason}", open::file(&self.folder).display()))
    }

    /// Runs a query on a connection of its own, away from the runtime's threads.
    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let folder = self.folder.clone();
        let run = move || {
            let mut db = open::to_read(&folder)?;
            query(&mut db).map_err(|error| read_error(&folder, &error))
        };
        tokio::task::spawn_blocking(run).await.map_err(|e| StoreError::Read(e.to_string()))?
    }

    /// The same within [`READ_TIMEOUT`]; a query that takes longer is broken off.
    async fn read_soon<T: Send + 'static>(
        &self,
        query: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (started, interrupt) = oneshot::channel();
        let answer = self.read(move |db| {
            // Whoever waits may be gone; then nobody interrupts.
            let _ = started.send(db.get_interrupt_handle());
            query(db)
        });
        tokio::pin!(answer);
        if let Ok(answer) = tokio::time::timeout(READ_TIMEOUT, &mut answer).await {
            return answer;
        }
        if let Ok(handle) = interrupt.await {
            handle.interrupt();
        }
        answer.await.map_err(|error| match error {
            StoreError::Read(_) => {
                let waited = READ_TIMEOUT.as_secs();
                StoreError::Read(format!("no answer within {waited} s, ask for less"))
            }
            error => error,
        })
    }
}

impl Drop for WriterHandle {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // It only fails where the thread has panicked; whoever waited on it was told so.
            let _ = thread.join();
        }
    }
}

/// A value that cannot be decoded is damage too: this program did not write it.
fn read_error(folder: &Path, error: &rusqlite::Error) -> StoreError {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
    let damaged = is_damage(error)
        || matches!(
            error,
            FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..)
        );
    let reason = error.to_string();
    if damaged {
        StoreError::Corrupt { path: open::file(folder), reason }
    } else {
        StoreError::Read(format!("{}: {reason}", open::file(folder).display()))
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self) -> Result<Snapshot, StoreError> {
        self.read(read::snapshot).await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.commit_kept(&Arc::new(changes)).await
    }

    async fn commit_kept(&self, changes: &Arc<Vec<Change>>) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let changes = Arc::clone(changes);
        self.ask(|reply| Job::Commit { changes, reply }).await
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<History, StoreError> {
        let filter = filter.clone();
        self.read_soon(move |db| read::history(db, &filter)).await
    }

    async fn dossier(&self, filter: &CaseFilter) -> Result<Dossier, StoreError> {
        let filter = filter.clone();
        self.read_soon(move |db| lookup::dossier(db, &filter)).await
    }

    async fn collected(&self) -> Result<Option<Collected>, StoreError> {
        self.read(collected::all).await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Deliveries, StoreError> {
        let filter = filter.clone();
        self.read_soon(move |db| lookup::deliveries(db, &filter)).await
    }

    async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut deleted = 0;
        loop {
            // One job for each batch, so that commits are made in between.
            match self.ask(|reply| Job::Prune { before, reply }).await? {
                0 => return Ok(deleted),
                batch => deleted += batch,
            }
        }
    }
}
