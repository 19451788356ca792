//! One change as statements.

use rusqlite::types::Value;
use rusqlite::{Connection, Result, named_params, params};

use crate::alerting::Transition;
use crate::model::{MatcherForm, RuleKey, Silence};
use crate::outbox::{Attempt, LaneKey, OutboxEntry};
use crate::storage::sqlite::collected;
use crate::storage::sqlite::columns::{Entry, Hex, Json};
use crate::storage::{Change, Decision, KnownAlert, StoredAlert, StoredGroup, StoredLane};

/// Makes all changes within the transaction that is open.
pub fn apply(db: &Connection, changes: &[Change]) -> Result<()> {
    changes.iter().try_for_each(|change| apply_one(db, change))
}

fn apply_one(db: &Connection, change: &Change) -> Result<()> {
    match change {
        Change::PutAlert(alert) => put_alert(db, alert),
        Change::DeleteAlert { rule, fingerprint, resolved } => run(
            db,
            "DELETE FROM alert WHERE rule_file = ?1 AND rule_group = ?2 AND rule_name = ?3
             AND rule_nth = ?4 AND fingerprint = ?5 AND resolved = ?6",
            params![rule.file, rule.group, rule.rule, rule.nth, Hex(*fingerprint), resolved],
        ),
        Change::MoveRules(moves) => move_rules(db, moves),
        Change::AddTransition { rule, transition } => add_transition(db, rule, transition),
        Change::PutKnown(known) => put_known(db, known),
        Change::AddDecision(decision) => add_decision(db, decision),
        Change::PutGroup(group) => put_group(db, group),
        Change::DeleteGroup(id) => run(
            db,
            "DELETE FROM aggregation_group WHERE group_key = ?1 AND receiver = ?2",
            params![id.key.0, id.receiver],
        ),
        Change::PutLane(lane) => put_lane(db, lane),
        Change::DeleteLane(key) => delete_lane(db, key),
        Change::PutEntry(entry) => put_entry(db, entry),
        Change::DeleteEntry(id) => run(db, "DELETE FROM outbox WHERE id = ?1", params![Entry(*id)]),
        Change::PutSilence(silence) => put_silence(db, silence),
        Change::DeleteSilence(id) => {
            run(db, "DELETE FROM silence WHERE id = ?1", params![id.to_string()])
        }
        Change::AddAttempt(attempt) => add_attempt(db, attempt),
        Change::Heartbeat(at) => run(
            db,
            "INSERT OR REPLACE INTO heartbeat (id, at) VALUES (1, ?1)",
            params![at.millis()],
        ),
        Change::Collect(change) => collected::apply(db, change),
        Change::AddStart(start) => run(
            db,
            "INSERT INTO start (at, last_alive) VALUES (?1, ?2)",
            params![start.at.millis(), start.last_alive.map(|t| t.millis())],
        ),
    }
}

fn put_known(db: &Connection, known: &KnownAlert) -> Result<()> {
    run(
        db,
        "INSERT OR REPLACE INTO known_alert (fingerprint, instance, labels, seen_at)
         VALUES (?1, ?2, ?3, ?4)",
        params![
            Hex(known.labels.fingerprint()),
            Hex(known.instance),
            Json(&known.labels),
            known.seen_at.millis(),
        ],
    )
}

fn run(db: &Connection, sql: &str, params: impl rusqlite::Params) -> Result<()> {
    db.prepare_cached(sql)?.execute(params).map(drop)
}

/// The number, or NULL for NaN: SQLite would write NULL for it anyway.
fn value(value: f64) -> Value {
    if value.is_nan() { Value::Null } else { Value::Real(value) }
}

fn put_alert(db: &Connection, alert: &StoredAlert) -> Result<()> {
    let StoredAlert { rule, instance, generator_url, routed } = alert;
    run(
        db,
        "INSERT OR REPLACE INTO alert (rule_file, rule_group, rule_name, rule_nth, fingerprint,
             resolved, labels, annotations, state, value, active_at, fired_at, keep_firing_since,
             resolved_at, generator_url, routed)
         VALUES (:rule_file, :rule_group, :rule_name, :rule_nth, :fingerprint,
             :resolved, :labels, :annotations, :state, :value, :active_at, :fired_at, :keep_firing_since,
             :resolved_at, :generator_url, :routed)",
        named_params! {
            ":rule_file": rule.file,
            ":rule_group": rule.group,
            ":rule_name": rule.rule,
            ":rule_nth": rule.nth,
            ":fingerprint": Hex(instance.fingerprint()),
            ":resolved": instance.resolved_at.is_some(),
            ":labels": Json(&instance.labels),
            ":annotations": Json(&instance.annotations),
            ":state": instance.state.as_str(),
            ":value": value(instance.value),
            ":active_at": instance.active_at.millis(),
            ":fired_at": instance.fired_at.map(|t| t.millis()),
            ":keep_firing_since": instance.keep_firing_since.map(|t| t.millis()),
            ":resolved_at": instance.resolved_at.map(|t| t.millis()),
            ":generator_url": generator_url,
            ":routed": Json(routed),
        },
    )
}

/// By way of keys that no rule has, so that two rules can swap theirs.
fn move_rules(db: &Connection, moves: &[(RuleKey, RuleKey)]) -> Result<()> {
    let between = |place: usize| RuleKey::new("", "", place.to_string(), u32::MAX);
    for (place, (old, _)) in moves.iter().enumerate() {
        move_rule(db, old, &between(place))?;
    }
    for (place, (_, new)) in moves.iter().enumerate() {
        move_rule(db, &between(place), new)?;
    }
    Ok(())
}

fn move_rule(db: &Connection, from: &RuleKey, to: &RuleKey) -> Result<()> {
    run(
        db,
        "UPDATE OR REPLACE alert
         SET rule_file = ?5, rule_group = ?6, rule_name = ?7, rule_nth = ?8
         WHERE rule_file = ?1 AND rule_group = ?2 AND rule_name = ?3 AND rule_nth = ?4",
        params![from.file, from.group, from.rule, from.nth, to.file, to.group, to.rule, to.nth],
    )
}

fn add_transition(db: &Connection, rule: &RuleKey, transition: &Transition) -> Result<()> {
    let instance = &transition.instance;
    run(
        db,
        "INSERT INTO transition (at, rule_file, rule_group, rule_name, rule_nth, fingerprint,
             from_state, to_state, reason, labels, annotations, state, value, active_at,
             fired_at, keep_firing_since, resolved_at)
         VALUES (:at, :rule_file, :rule_group, :rule_name, :rule_nth, :fingerprint,
             :from_state, :to_state, :reason, :labels, :annotations, :state, :value, :active_at,
             :fired_at, :keep_firing_since, :resolved_at)",
        named_params! {
            ":at": transition.at.millis(),
            ":rule_file": rule.file,
            ":rule_group": rule.group,
            ":rule_name": rule.rule,
            ":rule_nth": rule.nth,
            ":fingerprint": Hex(transition.fingerprint),
            ":from_state": transition.from.as_str(),
            ":to_state": transition.to.as_str(),
            ":reason": transition.reason.as_str(),
            ":labels": Json(&instance.labels),
            ":annotations": Json(&instance.annotations),
            ":state": instance.state.as_str(),
            ":value": value(instance.value),
            ":active_at": instance.active_at.millis(),
            ":fired_at": instance.fired_at.map(|t| t.millis()),
            ":keep_firing_since": instance.keep_firing_since.map(|t| t.millis()),
            ":resolved_at": instance.resolved_at.map(|t| t.millis()),
        },
    )
}

fn add_decision(db: &Connection, decision: &Decision) -> Result<()> {
    run(
        db,
        "INSERT INTO decision (at, fingerprint, group_key, receiver, integration,
             integration_index, reason, detail)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            decision.at.millis(),
            Hex(decision.fingerprint),
            decision.group.key.0,
            decision.group.receiver,
            decision.integration.as_ref().map(|i| &i.kind),
            decision.integration.as_ref().map(|i| i.index),
            decision.reason,
            decision.detail,
        ],
    )
}

fn put_group(db: &Connection, group: &StoredGroup) -> Result<()> {
    run(
        db,
        "INSERT OR REPLACE INTO aggregation_group
             (group_key, receiver, labels, next_flush, has_flushed)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            group.id.key.0,
            group.id.receiver,
            Json(&group.labels),
            group.next_flush.millis(),
            group.has_flushed,
        ],
    )
}

fn put_lane(db: &Connection, lane: &StoredLane) -> Result<()> {
    run(
        db,
        "INSERT OR REPLACE INTO notification_log (group_key, receiver, integration,
             integration_index, enqueued, delivered, receiver_state, unlearned)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            lane.key.group_key.0,
            lane.key.integration.receiver,
            lane.key.integration.kind,
            lane.key.integration.index,
            lane.enqueued.as_ref().map(Json),
            lane.delivered.as_ref().map(Json),
            lane.receiver_state.as_ref().map(Json),
            Json(&lane.unlearned),
        ],
    )
}

fn delete_lane(db: &Connection, key: &LaneKey) -> Result<()> {
    run(
        db,
        "DELETE FROM notification_log WHERE group_key = ?1 AND receiver = ?2
         AND integration = ?3 AND integration_index = ?4",
        params![
            key.group_key.0,
            key.integration.receiver,
            key.integration.kind,
            key.integration.index,
        ],
    )
}

fn put_entry(db: &Connection, entry: &OutboxEntry) -> Result<()> {
    let notification = &entry.notification;
    run(
        db,
        "INSERT OR REPLACE INTO outbox (id, idempotency_key, group_key, receiver, integration,
             integration_index, group_labels, alerts, untold, reason, created_at, attempts,
             next_attempt, last_error)
         VALUES (:id, :idempotency_key, :group_key, :receiver, :integration,
             :integration_index, :group_labels, :alerts, :untold, :reason, :created_at, :attempts,
             :next_attempt, :last_error)",
        named_params! {
            ":id": Entry(entry.id),
            ":idempotency_key": entry.idempotency_key,
            ":group_key": notification.group_key.0,
            ":receiver": notification.integration.receiver,
            ":integration": notification.integration.kind,
            ":integration_index": notification.integration.index,
            ":group_labels": Json(&notification.group_labels),
            ":alerts": Json(&notification.alerts),
            ":untold": Json(&entry.untold),
            ":reason": notification.reason.as_str(),
            ":created_at": notification.created_at.millis(),
            ":attempts": entry.attempts,
            ":next_attempt": entry.next_attempt.millis(),
            ":last_error": entry.last_error,
        },
    )
}

fn put_silence(db: &Connection, silence: &Silence) -> Result<()> {
    run(
        db,
        "INSERT OR REPLACE INTO silence
             (id, matchers, starts_at, ends_at, updated_at, created_by, comment)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            silence.id.to_string(),
            Json(silence.matchers.0.iter().map(MatcherForm::from).collect::<Vec<_>>()),
            silence.starts_at.millis(),
            silence.ends_at.millis(),
            silence.updated_at.millis(),
            silence.created_by,
            silence.comment,
        ],
    )
}

fn add_attempt(db: &Connection, attempt: &Attempt) -> Result<()> {
    run(
        db,
        "INSERT INTO attempt (at, entry, number, group_key, receiver, integration,
             integration_index, reason, outcome, status, error, alerts, resolved, next_attempt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            attempt.at.millis(),
            Entry(attempt.entry),
            attempt.number,
            attempt.group_key.0,
            attempt.integration.receiver,
            attempt.integration.kind,
            attempt.integration.index,
            attempt.reason.as_str(),
            attempt.outcome.as_str(),
            attempt.status,
            attempt.error,
            Json(&attempt.alerts),
            Json(&attempt.resolved),
            attempt.next_attempt.map(|t| t.millis()),
        ],
    )?;
    let id = db.last_insert_rowid();
    let sql = "INSERT OR IGNORE INTO attempt_alert (fingerprint, attempt) VALUES (?1, ?2)";
    let mut insert = db.prepare_cached(sql)?;
    attempt.alerts.iter().try_for_each(|alert| insert.execute(params![Hex(*alert), id]).map(drop))
}
