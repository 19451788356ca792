//! Queries: the current state and the history.

use rusqlite::{Connection, OptionalExtension, Result, Row, ToSql, params};

use crate::alerting::Transition;
use crate::model::{Notification, Silence, Timestamp};
use crate::outbox::{Attempt, LaneKey, OutboxEntry};
use crate::storage::sqlite::alerts;
use crate::storage::sqlite::columns::{
    Entry, Hex, Id, Json, get, group_key, instance, integration, json, json_or_null, matchers,
    name, rule_key, time, time_or_null,
};
use crate::storage::{
    Decision, GroupId, History, HistoryFilter, RecordedTransition, Snapshot, StoredAlert,
    StoredGroup, StoredLane,
};

/// Reads the current state as of one moment.
pub fn snapshot(db: &mut Connection) -> Result<Snapshot> {
    let db = db.transaction()?;
    // SQLite keeps the highest number of an AUTOINCREMENT table, deleted rows included.
    let last_entry: Option<Entry> = db
        .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'", [], |row| row.get(0))
        .optional()?;
    Ok(Snapshot {
        alerts: alerts::all(&db)?,
        groups: all(&db, "SELECT * FROM aggregation_group ORDER BY group_key, receiver", group)?,
        lanes: all(
            &db,
            "SELECT * FROM notification_log
             ORDER BY group_key, receiver, integration, integration_index",
            lane,
        )?,
        entries: all(&db, "SELECT * FROM outbox ORDER BY id", entry)?,
        silences: all(&db, "SELECT * FROM silence ORDER BY id", silence)?,
        heartbeat: heartbeat(&db)?,
        last_entry: last_entry.map_or(0, |entry| entry.0.0),
    })
}

/// When the program was last known to be alive.
pub fn heartbeat(db: &Connection) -> Result<Option<Timestamp>> {
    let at: Option<i64> =
        db.query_row("SELECT at FROM heartbeat", [], |row| row.get(0)).optional()?;
    Ok(at.map(Timestamp::from_millis))
}

fn all<T>(db: &Connection, sql: &str, read: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
    db.prepare(sql)?.query_map([], read)?.collect()
}

pub fn alert(row: &Row<'_>) -> Result<StoredAlert> {
    Ok(StoredAlert {
        rule: rule_key(row)?,
        instance: instance(row)?,
        generator_url: get(row, "generator_url")?,
        routed: json(row, "routed")?,
    })
}

pub fn group_id(row: &Row<'_>) -> Result<GroupId> {
    Ok(GroupId::new(group_key(row)?, get::<String>(row, "receiver")?))
}

pub fn group(row: &Row<'_>) -> Result<StoredGroup> {
    Ok(StoredGroup {
        id: group_id(row)?,
        labels: json(row, "labels")?,
        next_flush: time(row, "next_flush")?,
        has_flushed: get(row, "has_flushed")?,
    })
}

pub fn lane(row: &Row<'_>) -> Result<StoredLane> {
    Ok(StoredLane {
        key: LaneKey { group_key: group_key(row)?, integration: integration(row)? },
        enqueued: json_or_null(row, "enqueued")?,
        delivered: json_or_null(row, "delivered")?,
        receiver_state: json_or_null(row, "receiver_state")?,
        unlearned: json(row, "unlearned")?,
    })
}

pub fn entry(row: &Row<'_>) -> Result<OutboxEntry> {
    Ok(OutboxEntry {
        id: get::<Entry>(row, "id")?.0,
        idempotency_key: get(row, "idempotency_key")?,
        notification: Notification {
            group_key: group_key(row)?,
            integration: integration(row)?,
            group_labels: json(row, "group_labels")?,
            alerts: json(row, "alerts")?,
            reason: name(row, "reason")?,
            created_at: time(row, "created_at")?,
        },
        untold: json(row, "untold")?,
        attempts: get(row, "attempts")?,
        next_attempt: time(row, "next_attempt")?,
        last_error: get(row, "last_error")?,
    })
}

fn silence(row: &Row<'_>) -> Result<Silence> {
    Ok(Silence {
        id: get::<Id>(row, "id")?.0,
        matchers: matchers(row, "matchers")?,
        starts_at: time(row, "starts_at")?,
        ends_at: time(row, "ends_at")?,
        updated_at: time(row, "updated_at")?,
        created_by: get(row, "created_by")?,
        comment: get(row, "comment")?,
    })
}

pub fn transition(row: &Row<'_>) -> Result<RecordedTransition> {
    Ok(RecordedTransition {
        rule: rule_key(row)?,
        transition: Transition {
            fingerprint: get::<Hex>(row, "fingerprint")?.0,
            instance: instance(row)?,
            from: name(row, "from_state")?,
            to: name(row, "to_state")?,
            reason: name(row, "reason")?,
            at: time(row, "at")?,
        },
    })
}

pub fn decision(row: &Row<'_>) -> Result<Decision> {
    let of_group = get::<Option<String>>(row, "integration")?.is_none();
    Ok(Decision {
        at: time(row, "at")?,
        fingerprint: get::<Hex>(row, "fingerprint")?.0,
        group: group_id(row)?,
        integration: if of_group { None } else { Some(integration(row)?) },
        reason: get::<String>(row, "reason")?.into(),
        detail: get::<String>(row, "detail")?.into(),
    })
}

pub fn attempt(row: &Row<'_>) -> Result<Attempt> {
    Ok(Attempt {
        entry: get::<Entry>(row, "entry")?.0,
        group_key: group_key(row)?,
        integration: integration(row)?,
        number: get(row, "number")?,
        at: time(row, "at")?,
        outcome: name(row, "outcome")?,
        status: get(row, "status")?,
        error: get(row, "error")?,
        reason: name(row, "reason")?,
        alerts: json(row, "alerts")?,
        resolved: json(row, "resolved")?,
        next_attempt: time_or_null(row, "next_attempt")?,
    })
}

/// Finds the records of alerts in a table that names one alert in each row.
pub const BY_COLUMN: &str = "fingerprint IN (SELECT value FROM json_each(?1))";
/// Finds the attempts that named alerts.
pub const BY_ATTEMPT: &str = "id IN (SELECT attempt FROM attempt_alert
     WHERE fingerprint IN (SELECT value FROM json_each(?1)))";

/// Reads history as of one moment.
pub fn history(db: &mut Connection, filter: &HistoryFilter) -> Result<History> {
    let db = db.transaction()?;
    Ok(History {
        transitions: newest(&db, "transition", BY_COLUMN, filter, transition)?,
        decisions: newest(&db, "decision", BY_COLUMN, filter, decision)?,
        attempts: newest(&db, "attempt", BY_ATTEMPT, filter, attempt)?,
    })
}

/// The newest records of a table, oldest first; `by_alert` is the condition on the alerts.
pub fn newest<T>(
    db: &Connection,
    table: &str,
    by_alert: &str,
    filter: &HistoryFilter,
    read: fn(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    // Without alerts the first parameter is not used, and the index by time serves the query.
    let by_alert = if filter.alerts.is_empty() { "?1 IS NOT NULL" } else { by_alert };
    let sql = format!(
        "SELECT * FROM {table} WHERE {by_alert} AND at >= ?2 ORDER BY at DESC, id DESC LIMIT ?3"
    );
    let since = filter.since.map_or(i64::MIN, Timestamp::millis);
    let limit = i64::try_from(filter.bound()).unwrap_or(i64::MAX);
    let alerts = Json(&filter.alerts);
    let params: &[&dyn ToSql] = params![alerts, since, limit];
    let mut records: Vec<T> = db.prepare(&sql)?.query_map(params, read)?.collect::<Result<_>>()?;
    records.reverse();
    Ok(records)
}
