//! The alerts of a start: the most that is ever read at once.

use std::sync::Arc;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result, Row};

use crate::alerting::AlertInstance;
use crate::model::label::share_texts;
use crate::model::{LabelSet, RuleKey, Timestamp};
use crate::storage::StoredAlert;
use crate::storage::sqlite::columns::{Json, Name};

/// By number: to look for the columns of so many rows by their names takes longer than to read them.
const SELECT: &str =
    "SELECT rule_file, rule_group, rule_name, rule_nth, generator_url, state, value,
         active_at, fired_at, keep_firing_since, resolved_at, annotations, labels, routed
     FROM alert ORDER BY rule_file, rule_group, rule_name, rule_nth, fingerprint, resolved";
const LABELS: usize = 12;
const ROUTED: usize = 13;

/// Reads all alerts in the order of their keys, and keeps once what the alerts of a rule have in
/// common.
pub fn all(db: &Connection) -> Result<Vec<StoredAlert>> {
    let mut statement = db.prepare(SELECT)?;
    let mut rows = statement.query([])?;
    let mut alerts: Vec<StoredAlert> = Vec::new();
    // Where those of the present rule begin.
    let mut first = 0;
    while let Some(row) = rows.next()? {
        let alert = match alerts.last() {
            Some(last) if is_of(row, &last.rule)? => {
                alert(row, last.rule.clone(), text(row, 4, &last.generator_url)?)?
            }
            _ => {
                share(alerts.get_mut(first..).unwrap_or_default());
                first = alerts.len();
                let rule = RuleKey::new(
                    row.get::<_, String>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, String>(2)?,
                    row.get(3)?,
                );
                alert(row, rule, row.get(4)?)?
            }
        };
        alerts.push(alert);
    }
    share(alerts.get_mut(first..).unwrap_or_default());
    Ok(alerts)
}

/// Whether a row is of this rule.
fn is_of(row: &Row<'_>, rule: &RuleKey) -> Result<bool> {
    let texts = [&rule.file, &rule.group, &rule.rule];
    for (column, text) in texts.into_iter().enumerate() {
        if row.get_ref(column)? != ValueRef::Text(text.as_bytes()) {
            return Ok(false);
        }
    }
    Ok(row.get_ref(3)? == ValueRef::Integer(rule.nth.into()))
}

/// A text that is mostly the one of the row before.
fn text(row: &Row<'_>, column: usize, before: &Arc<str>) -> Result<Arc<str>> {
    let is_same = row.get_ref(column)? == ValueRef::Text(before.as_bytes());
    if is_same { Ok(Arc::clone(before)) } else { row.get(column) }
}

fn alert(row: &Row<'_>, rule: RuleKey, generator_url: Arc<str>) -> Result<StoredAlert> {
    let labels: LabelSet = json(row, LABELS)?;
    // Without external labels both are the same text.
    let is_same = row.get_ref(LABELS)? == row.get_ref(ROUTED)?;
    let routed = if is_same { labels.clone() } else { json(row, ROUTED)? };
    let instance = AlertInstance {
        labels,
        annotations: json(row, 11)?,
        state: row.get::<_, Name<_>>(5)?.0,
        value: row.get::<_, Option<f64>>(6)?.unwrap_or(f64::NAN),
        active_at: Timestamp::from_millis(row.get(7)?),
        fired_at: time_or_null(row, 8)?,
        keep_firing_since: time_or_null(row, 9)?,
        resolved_at: time_or_null(row, 10)?,
    };
    Ok(StoredAlert { rule, instance, generator_url, routed })
}

fn json(row: &Row<'_>, column: usize) -> Result<LabelSet> {
    row.get::<_, Json<_>>(column).map(|json| json.0)
}

fn time_or_null(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
}

/// Keeps the texts of a rule's alerts once for all of them.
fn share(alerts: &mut [StoredAlert]) {
    let is_same = |alert: &StoredAlert| alert.routed == alert.instance.labels;
    let same: Vec<bool> = alerts.iter().map(is_same).collect();
    let not_same = alerts.iter_mut().zip(&same).filter(|(_, same)| !**same);
    share_texts(not_same.map(|(alert, _)| &mut alert.routed));
    share_texts(alerts.iter_mut().map(|alert| &mut alert.instance.labels));
    share_texts(alerts.iter_mut().map(|alert| &mut alert.instance.annotations));
    for (alert, _) in alerts.iter_mut().zip(same).filter(|(_, same)| *same) {
        alert.routed = alert.instance.labels.clone();
    }
}
