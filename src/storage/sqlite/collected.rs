//! What collectors have counted.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use crate::collect::{Collected, CollectedExperiment, CollectedRun, CollectionChange, Counts};
use crate::storage::sqlite::columns::{get, time, time_or_null};

/// Makes one change within the transaction that is open.
pub fn apply(db: &Connection, change: &CollectionChange) -> Result<()> {
    if change.anew {
        db.execute_batch("DELETE FROM collected_experiment; DELETE FROM collected_run;")?;
    }
    db.prepare_cached(
        "INSERT OR REPLACE INTO collector (id, source, cursor, floor) VALUES (1, ?1, ?2, ?3)",
    )?
    .execute(params![change.source, change.cursor.millis(), change.floor.millis()])?;
    let mut delete = db.prepare_cached("DELETE FROM collected_experiment WHERE id = ?1")?;
    for id in &change.gone {
        delete.execute(params![id])?;
    }
    let mut put = db.prepare_cached(
        "INSERT OR REPLACE INTO collected_experiment (id, name, finished, failed, killed, last_failed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for experiment in &change.experiments {
        // SQLite's integers have a sign; nobody counts that far.
        let [finished, failed, killed] =
            experiment.counts.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        let last_failed = experiment.last_failed.map(|at| at.millis());
        put.execute(params![
            experiment.id,
            experiment.name,
            finished,
            failed,
            killed,
            last_failed
        ])?;
    }
    let mut put =
        db.prepare_cached("INSERT OR REPLACE INTO collected_run (id, ended_at) VALUES (?1, ?2)")?;
    for run in &change.runs {
        put.execute(params![run.id, run.ended_at.millis()])?;
    }
    db.prepare_cached("DELETE FROM collected_run WHERE ended_at < ?1")?
        .execute(params![change.floor.millis()])
        .map(drop)
}

/// Everything, as of one moment.
pub fn all(db: &mut Connection) -> Result<Option<Collected>> {
    let db = db.transaction()?;
    let head = |row: &Row<'_>| {
        Ok(Collected {
            source: get(row, "source")?,
            cursor: time(row, "cursor")?,
            floor: time(row, "floor")?,
            ..Collected::default()
        })
    };
    let Some(head) = db.query_row("SELECT * FROM collector", [], head).optional()? else {
        return Ok(None);
    };
    let mut experiments = db.prepare("SELECT * FROM collected_experiment ORDER BY id")?;
    let mut runs = db.prepare("SELECT * FROM collected_run ORDER BY id")?;
    Ok(Some(Collected {
        experiments: experiments.query_map([], experiment)?.collect::<Result<_>>()?,
        runs: runs.query_map([], run)?.collect::<Result<_>>()?,
        ..head
    }))
}

fn experiment(row: &Row<'_>) -> Result<CollectedExperiment> {
    let mut counts = Counts::default();
    for (column, count) in ["finished", "failed", "killed"].into_iter().zip(&mut counts) {
        *count = u64::try_from(get::<i64>(row, column)?).unwrap_or(0);
    }
    Ok(CollectedExperiment {
        id: get::<Arc<str>>(row, "id")?,
        name: get(row, "name")?,
        counts,
        last_failed: time_or_null(row, "last_failed")?,
    })
}

fn run(row: &Row<'_>) -> Result<CollectedRun> {
    Ok(CollectedRun { id: get::<Arc<str>>(row, "id")?, ended_at: time(row, "ended_at")? })
}
