//! Queries that people ask: everything about some alerts, and lists of deliveries.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Params, Result, Row, ToSql, params, params_from_iter};

use crate::model::{Fingerprint, LabelSet, MatchOp, Matchers, Timestamp};
use crate::storage::sqlite::columns::{Hex, Json, get, json, time, time_or_null};
use crate::storage::sqlite::read::{alert, attempt, decision, entry, group, heartbeat, lane};
use crate::storage::sqlite::read::{newest, transition};
use crate::storage::{
    Case, CaseFilter, Deliveries, DeliveryFilter, Dossier, GroupId, History, HistoryFilter,
    MAX_NEARBY, MAX_RECORDS, MAX_STARTS, Snapshot, Start,
};

/// Alerts under one label set: when any changed last, and their fingerprints within their rules.
type Known = BTreeMap<LabelSet, (Timestamp, BTreeSet<Fingerprint>)>;

/// Where labels in routing are stored, the newest first. An alert of the second may be missing in
/// the first, where history was dropped while the store failed.
const KNOWN: &str = "SELECT labels, instance, seen_at FROM known_alert WHERE {} \
                     ORDER BY seen_at DESC, fingerprint";
const CURRENT: &str = "SELECT routed AS labels, fingerprint AS instance,
         max(active_at, coalesce(fired_at, 0), coalesce(resolved_at, 0)) AS seen_at
     FROM alert WHERE {} ORDER BY seen_at DESC, fingerprint";

/// Reads everything about the alerts that match, as of one moment.
pub fn dossier(db: &mut Connection, filter: &CaseFilter) -> Result<Dossier> {
    let db = db.transaction()?;
    let found = matching(&db, &filter.matchers, filter.bound() + 1)?;
    let mut dossier = Dossier {
        more: found.len() > filter.bound(),
        heartbeat: heartbeat(&db)?,
        starts: starts(&db)?,
        ..Dossier::default()
    };
    if found.is_empty() {
        let near = matching(&db, &Matchers::default(), MAX_NEARBY)?;
        dossier.nearby = near.into_iter().map(|(labels, ..)| labels).collect();
    }
    for (labels, instances) in found.into_iter().take(filter.bound()) {
        let mut case = case(&db, labels, instances)?;
        case.current.heartbeat = dossier.heartbeat;
        dossier.cases.push(case);
    }
    Ok(dossier)
}

/// At most `limit` of the label sets that match, that of the newest change first, each with its
/// alerts.
fn matching(
    db: &Connection,
    matchers: &Matchers,
    limit: usize,
) -> Result<Vec<(LabelSet, BTreeSet<Fingerprint>)>> {
    let mut known = Known::new();
    for (sql, column) in [(KNOWN, "labels"), (CURRENT, "routed")] {
        let (condition, words) = prefilter(matchers, column);
        let mut statement = db.prepare(&sql.replace("{}", &condition))?;
        let mut rows = statement.query(params_from_iter(words))?;
        let mut found = BTreeSet::new();
        while let Some(row) = rows.next()? {
            let labels: LabelSet = json(row, "labels")?;
            if !matchers.matches(&labels) {
                continue;
            }
            if found.len() == limit && !found.contains(&labels) {
                break;
            }
            let (seen_at, instances) = known.entry(labels.clone()).or_default();
            *seen_at = time(row, "seen_at")?.max(*seen_at);
            instances.insert(get::<Hex>(row, "instance")?.0);
            found.insert(labels);
        }
    }
    let mut newest: Vec<_> = known.into_iter().collect();
    newest.sort_by(|a, b| (b.1.0, &a.0).cmp(&(a.1.0, &b.0)));
    newest.truncate(limit);
    Ok(newest.into_iter().map(|(labels, (_, instances))| (labels, instances)).collect())
}

/// A condition that holds wherever the matchers do, and that costs less than reading the labels:
/// the text of a label that must have one value stands in the column as it is.
fn prefilter(matchers: &Matchers, column: &str) -> (String, Vec<String>) {
    let exact = |m: &&crate::model::Matcher| m.op() == MatchOp::Equal && !m.value().is_empty();
    let exact = matchers.0.iter().filter(exact);
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let words: Vec<String> =
        exact.map(|m| format!("{}:{}", text(m.name()), text(m.value()))).collect();
    let mut condition = "true".to_string();
    for place in 1..=words.len() {
        condition.push_str(&format!(" AND instr({column}, ?{place}) > 0"));
    }
    (condition, words)
}

fn case(db: &Connection, labels: LabelSet, mut instances: BTreeSet<Fingerprint>) -> Result<Case> {
    let fingerprint = labels.fingerprint();
    // Those that changed long ago may not have been met.
    let sql = "SELECT instance FROM known_alert WHERE fingerprint = ?1";
    let known = rows(db, sql, params![Hex(fingerprint)], |row| get::<Hex>(row, "instance"))?;
    instances.extend(known.into_iter().map(|hex| hex.0));
    let history = history(db, fingerprint, &instances)?;
    let mut groups: BTreeSet<GroupId> =
        history.decisions.iter().map(|decision| decision.group.clone()).collect();
    // The fingerprint stands in the logs of those who know of the alert.
    groups.extend(rows(
        db,
        "SELECT group_key, receiver FROM notification_log
         WHERE instr(coalesce(enqueued, ''), ?1) > 0 OR instr(coalesce(delivered, ''), ?1) > 0",
        params![Hex(fingerprint)],
        super::read::group_id,
    )?);
    let instances = Json(instances);
    let mut current = Snapshot {
        alerts: rows(
            db,
            "SELECT * FROM alert WHERE fingerprint IN (SELECT value FROM json_each(?1))
             ORDER BY rule_file, rule_group, rule_name, rule_nth, fingerprint, resolved",
            params![instances],
            alert,
        )?,
        ..Snapshot::default()
    };
    for id in &groups {
        let of_group = |table: &str, order: &str| {
            let condition = "group_key = ?1 AND receiver = ?2";
            format!("SELECT * FROM {table} WHERE {condition} ORDER BY {order}")
        };
        let id = params![id.key.0, id.receiver];
        current.groups.extend(rows(db, &of_group("aggregation_group", "group_key"), id, group)?);
        let order = "integration, integration_index";
        current.lanes.extend(rows(db, &of_group("notification_log", order), id, lane)?);
        current.entries.extend(rows(db, &of_group("outbox", "id"), id, entry)?);
    }
    current.entries.sort_by_key(|entry| entry.id);
    let mut case = Case { labels, history, current };
    case.keep_own_words();
    Ok(case)
}

fn history(
    db: &Connection,
    fingerprint: Fingerprint,
    instances: &BTreeSet<Fingerprint>,
) -> Result<History> {
    let filter =
        |alerts: Vec<Fingerprint>| HistoryFilter { alerts, since: None, limit: MAX_RECORDS };
    let in_rule = filter(instances.iter().copied().collect());
    let routed = filter(vec![fingerprint]);
    Ok(History {
        transitions: newest(db, "transition", super::read::BY_COLUMN, &in_rule, transition)?,
        decisions: newest(db, "decision", super::read::BY_COLUMN, &routed, decision)?,
        attempts: newest(db, "attempt", super::read::BY_ATTEMPT, &routed, attempt)?,
    })
}

fn rows<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: fn(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    db.prepare_cached(sql)?.query_map(params, read)?.collect()
}

fn starts(db: &Connection) -> Result<Vec<Start>> {
    let sql = "SELECT * FROM start ORDER BY at DESC, id DESC LIMIT ?1";
    let mut starts =
        rows(db, sql, params![i64::try_from(MAX_STARTS).unwrap_or(i64::MAX)], |row| {
            Ok(Start { at: time(row, "at")?, last_alive: time_or_null(row, "last_alive")? })
        })?;
    starts.reverse();
    Ok(starts)
}

/// Reads attempts at delivery, or what waits, as of one moment.
pub fn deliveries(db: &mut Connection, filter: &DeliveryFilter) -> Result<Deliveries> {
    let db = db.transaction()?;
    let mut deliveries = Deliveries { heartbeat: heartbeat(&db)?, ..Deliveries::default() };
    if filter.pending {
        deliveries.entries = waiting(&db, filter)?;
    } else {
        deliveries.attempts = attempts(&db, filter)?;
    }
    deliveries.cut(filter.bound());
    let mut labels = db.prepare("SELECT labels FROM known_alert WHERE fingerprint = ?1 LIMIT 1")?;
    for fingerprint in deliveries.named().collect::<BTreeSet<_>>() {
        let mut rows = labels.query(params![Hex(fingerprint)])?;
        if let Some(row) = rows.next()? {
            deliveries.labels.insert(fingerprint, json(row, "labels")?);
        }
    }
    Ok(deliveries)
}

/// The entries that are wanted, newest first, at most one more than the bound.
fn waiting(db: &Connection, filter: &DeliveryFilter) -> Result<Vec<crate::outbox::OutboxEntry>> {
    let mut statement = db.prepare("SELECT * FROM outbox ORDER BY created_at DESC, id DESC")?;
    let mut rows = statement.query([])?;
    let mut wanted = Vec::new();
    while let Some(row) = rows.next()? {
        let entry = entry(row)?;
        if filter.wants_entry(&entry) {
            wanted.push(entry);
            if wanted.len() > filter.bound() {
                break;
            }
        }
    }
    Ok(wanted)
}

/// The attempts that are wanted, newest first, at most one more than the bound.
fn attempts(db: &Connection, filter: &DeliveryFilter) -> Result<Vec<crate::outbox::Attempt>> {
    let mut sql = "SELECT * FROM attempt WHERE at >= :since
         AND (:receiver IS NULL OR receiver = :receiver)
         AND (:kind IS NULL OR integration = :kind)
         AND (:nth IS NULL OR integration_index = :nth)
         AND (:outcome IS NULL OR outcome = :outcome)"
        .to_string();
    let alerts = match filter.matchers.0.is_empty() {
        true => BTreeSet::new(),
        false => fingerprints(db, &filter.matchers)?,
    };
    let alerts = Json(alerts);
    let since = filter.since.map_or(i64::MIN, Timestamp::millis);
    let outcome = filter.outcome.map(|outcome| outcome.as_str());
    let limit = i64::try_from(filter.bound().saturating_add(1)).unwrap_or(i64::MAX);
    let mut params: Vec<(&str, &dyn ToSql)> = vec![
        (":since", &since),
        (":receiver", &filter.receiver),
        (":kind", &filter.kind),
        (":nth", &filter.index),
        (":outcome", &outcome),
        (":limit", &limit),
    ];
    if !filter.matchers.0.is_empty() {
        sql.push_str(
            " AND id IN (SELECT attempt FROM attempt_alert
                 WHERE fingerprint IN (SELECT value FROM json_each(:alerts)))",
        );
        params.push((":alerts", &alerts));
    }
    sql.push_str(" ORDER BY at DESC, id DESC LIMIT :limit");
    db.prepare(&sql)?.query_map(params.as_slice(), attempt)?.collect()
}

/// The identities in routing of all alerts that match.
fn fingerprints(db: &Connection, matchers: &Matchers) -> Result<BTreeSet<Fingerprint>> {
    let known = matching(db, matchers, usize::MAX)?;
    Ok(known.into_iter().map(|(labels, _)| labels.fingerprint()).collect())
}
