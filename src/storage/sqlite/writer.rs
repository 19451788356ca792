//! The thread that writes: many callers' lists in one durable transaction.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

use crate::model::Timestamp;
use crate::storage::Change;
use crate::storage::sqlite::apply::apply;
use crate::storage::sqlite::is_damage;
use crate::storage::sqlite::open::{self, FileIdentity, Owned};

/// The most jobs that are committed together: it bounds how long the first of them waits.
const MAX_JOBS: usize = 256;
/// How many records of each kind one batch of pruning deletes.
const PRUNE_BATCH: u32 = 1000;

/// The tables of history, and what stays of each although it is old: an alert that is not over
/// keeps its own changes and its routing, so that it can still be explained.
const PRUNED: [(&str, &str); 4] = [
    ("transition", "EXISTS (SELECT 1 FROM alert WHERE fingerprint = transition.fingerprint)"),
    (
        "decision",
        "integration IS NULL AND EXISTS (SELECT 1 FROM known_alert AS known
             JOIN alert ON alert.fingerprint = known.instance
             WHERE known.fingerprint = decision.fingerprint)",
    ),
    ("attempt", "false"),
    ("start", "false"),
];

/// Where the outcome of a job goes.
pub type Reply<T> = oneshot::Sender<Result<T, String>>;

/// What the writer is asked to do. It answers when the outcome is durable.
#[derive(Debug)]
pub enum Job {
    /// Commit a list, whole or not at all.
    Commit {
        /// The list.
        changes: Arc<Vec<Change>>,
        /// Told of the outcome.
        reply: Reply<()>,
    },
    /// Delete one batch of old history.
    Prune {
        /// What is older goes.
        before: Timestamp,
        /// Told how many records went; 0 when none is left.
        reply: Reply<u64>,
    },
}

/// Owns the connection that writes, and the folder.
pub struct Writer {
    pub(super) owned: Owned,
    /// What is damaged: nothing is written any more.
    damage: Option<String>,
}

impl Writer {
    /// Takes over an opened folder.
    pub fn new(owned: Owned) -> Self {
        Self { owned, damage: None }
    }

    /// Works until no sender is left, then folds the write-ahead log into the file.
    pub fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        // Whatever comes of it is said with the next commit.
        let _ = self.examine();
        let mut jobs = Vec::with_capacity(MAX_JOBS);
        while queue.blocking_recv_many(&mut jobs, MAX_JOBS) > 0 {
            let mut lists = Vec::with_capacity(jobs.len());
            let mut replies = Vec::with_capacity(jobs.len());
            let mut prunes = Vec::new();
            for job in jobs.drain(..) {
                match job {
                    Job::Commit { changes, reply } => {
                        lists.push(changes);
                        replies.push(reply);
                    }
                    Job::Prune { before, reply } => prunes.push((before, reply)),
                }
            }
            // A caller that is gone does not need the answer.
            for (reply, outcome) in replies.into_iter().zip(self.commit(&lists)) {
                let _ = reply.send(outcome);
            }
            for (before, reply) in prunes {
                let _ = reply.send(self.prune(before));
            }
        }
        if self.owned.unchecked {
            return;
        }
        // Closing does this too, but not while a reader has the file open.
        let _ = self.owned.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }

    /// Checks a file that was not checked as it was opened. Whoever wants to commit waits for that:
    /// where it is damaged, it is left as it is.
    fn examine(&mut self) -> Result<(), String> {
        if let Some(damage) = &self.damage {
            return Err(damage.clone());
        }
        if !self.owned.unchecked {
            return Ok(());
        }
        let damage = match open::check(&self.owned.db) {
            Ok(None) => {
                self.owned.unchecked = false;
                let keep = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
                return self.owned.db.set_db_config(keep, false).map(drop).map_err(text);
            }
            Ok(Some(damage)) => damage,
            Err(error) if is_damage(&error) => error.to_string(),
            // With the next commit it is tried again.
            Err(error) => return Err(text(error)),
        };
        let damage = format!(
            "it is damaged: {damage}; it is left as it is: stop the program, move the file away \
             with its -wal file, and start it again"
        );
        self.damage = Some(damage.clone());
        Err(damage)
    }

    /// Commits every list, whole or not at all; one outcome for each.
    pub(super) fn commit(&mut self, lists: &[Arc<Vec<Change>>]) -> Vec<Result<(), String>> {
        if lists.is_empty() {
            return Vec::new();
        }
        match self.together(lists) {
            Ok(outcomes) => outcomes,
            Err(reason) if lists.len() == 1 => vec![Err(reason)],
            // One list may have brought the whole transaction down, as a full disk does.
            Err(_) => lists.iter().map(|list| self.alone(list)).collect(),
        }
    }

    fn alone(&mut self, list: &Arc<Vec<Change>>) -> Result<(), String> {
        self.together(std::slice::from_ref(list))?.into_iter().collect()
    }

    /// One transaction, in it one savepoint for each list. An error of its own means that nothing
    /// is stored.
    fn together(&mut self, lists: &[Arc<Vec<Change>>]) -> Result<Vec<Result<(), String>>, String> {
        let mut transaction = self.begin()?;
        let mut outcomes = Vec::with_capacity(lists.len());
        for list in lists {
            let savepoint = transaction.savepoint().map_err(text)?;
            match apply(&savepoint, list) {
                Ok(()) => {
                    savepoint.commit().map_err(text)?;
                    outcomes.push(Ok(()));
                }
                // SQLite has ended the transaction: the lists before this one are lost too.
                Err(error) if savepoint.is_autocommit() => return Err(text(error)),
                Err(error) => outcomes.push(Err(text(error))),
            }
        }
        transaction.commit().map_err(text)?;
        Ok(outcomes)
    }

    /// Deletes one batch of history older than `before`.
    pub(super) fn prune(&mut self, before: Timestamp) -> Result<u64, String> {
        let transaction = self.begin()?;
        let deleted = prune(&transaction, before).map_err(text)?;
        transaction.commit().map_err(text)?;
        Ok(deleted)
    }

    /// Begins a transaction, unless the file has lost its place: what is written into a deleted
    /// file succeeds, and nobody finds it again.
    fn begin(&mut self) -> Result<rusqlite::Transaction<'_>, String> {
        self.examine()?;
        let path = self.owned.db.path().map(PathBuf::from).unwrap_or_default();
        match FileIdentity::of(&path) {
            Ok(file) if file == self.owned.file => {}
            Ok(_) => {
                return Err("another file has taken its place: move that away".to_string());
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.owned.restore()?,
            Err(error) => return Err(error.to_string()),
        }
        let begun = self.owned.db.transaction_with_behavior(TransactionBehavior::Immediate);
        begun.map_err(text)
    }
}

fn text(error: rusqlite::Error) -> String {
    if is_damage(&error) {
        return format!("{error}: stop the program, move the file away, and start it again");
    }
    error.to_string()
}

fn prune(db: &Connection, before: Timestamp) -> rusqlite::Result<u64> {
    let params = params![before.millis(), PRUNE_BATCH];
    db.prepare_cached(
        "DELETE FROM attempt_alert WHERE (fingerprint, attempt) IN (
             SELECT named.value, old.id
             FROM (SELECT id, alerts FROM attempt WHERE at < ?1 ORDER BY at, id LIMIT ?2) AS old,
                 json_each(old.alerts) AS named)",
    )?
    .execute(params)?;
    let mut deleted = 0;
    for (table, kept) in PRUNED {
        let rows = db
            .prepare_cached(&format!(
                "DELETE FROM {table} WHERE id IN (
                     SELECT id FROM {table} WHERE at < ?1 AND NOT ({kept})
                     ORDER BY at, id LIMIT ?2)"
            ))?
            .execute(params)?;
        deleted += u64::try_from(rows).unwrap_or(u64::MAX);
    }
    // Known as long as there is anything to be known by it.
    let forgotten = db
        .prepare_cached(
            "DELETE FROM known_alert WHERE (fingerprint, instance) IN (
                 SELECT fingerprint, instance FROM known_alert AS known
                 WHERE seen_at < ?1
                     AND NOT EXISTS (SELECT 1 FROM alert WHERE fingerprint = known.instance)
                     AND NOT EXISTS (SELECT 1 FROM attempt_alert
                         WHERE fingerprint = known.fingerprint)
                 LIMIT ?2)",
        )?
        .execute(params)?;
    Ok(deleted + u64::try_from(forgotten).unwrap_or(u64::MAX))
}
