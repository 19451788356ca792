//! What is beyond promtool: silences, and who must be told.

use crate::diag::Diagnostic;
use crate::model::parse_matchers;
use crate::ruletest::unit::read::case::{eval_time, head, items, labels};
use crate::ruletest::unit::{
    ExpectedHold, ExpectedNotification, NotificationTest, NotifiedAlertTest, TestSilence,
};
use crate::yaml::{Fields, Node, Reader};

/// The parts of messages that a test can name, of all integrations.
const PARTS: &[&str] = &["subject", "text", "html", "body"];
const STATUSES: &[&str] = &["firing", "resolved"];
const REASONS: &[&str] = &["inhibited", "silenced", "in_mute_interval", "outside_active_interval"];

pub(super) fn silence(reader: &mut Reader, mut fields: Fields<'_>) -> Option<TestSilence> {
    let span = head(reader, &fields);
    let node = fields.require(reader, "matchers");
    let starts = fields.duration(reader, "start").unwrap_or_default();
    let ends = fields.require(reader, "end").and_then(|node| reader.duration(node, "`end`"));
    fields.finish(reader);
    let texts = reader.strings(node?, "`matchers`")?;
    let mut matchers = crate::model::Matchers::default();
    for text in texts {
        match parse_matchers(text) {
            Ok(found) => matchers.0.extend(found.0),
            Err(error) => reader.wrong_value(node?, "`matchers`", error),
        }
    }
    Some(TestSilence { span, matchers, starts, ends: ends? })
}

pub(super) fn test(reader: &mut Reader, mut fields: Fields<'_>) -> Option<NotificationTest> {
    let span = head(reader, &fields);
    let eval_time = eval_time(reader, &mut fields);
    let sent = listed(reader, &mut fields, "exp_notifications", notification);
    let held = listed(reader, &mut fields, "exp_held", hold);
    if sent.is_none() && held.is_none() {
        let message = "a `notification_test` needs `exp_notifications` or `exp_held`";
        let finding = Diagnostic::error("yaml/missing-key", reader.source(), span, message);
        reader.report(finding.help("`exp_notifications: []` says that nothing is sent"));
    }
    fields.finish(reader);
    Some(NotificationTest { span, eval_time, sent, held })
}

/// A list that means something also when it is empty.
fn listed<T>(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
    one: impl Fn(&mut Reader, Fields<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    fields.get(key)?;
    Some(items(reader, fields, key, one))
}

fn notification(reader: &mut Reader, mut fields: Fields<'_>) -> Option<ExpectedNotification> {
    let span = head(reader, &fields);
    let receiver = fields.require_string(reader, "receiver").map(str::to_string);
    let integration = fields.string(reader, "integration").map(str::to_string);
    let status = word(reader, &mut fields, "status", STATUSES);
    let group_labels =
        fields.get("group_labels").is_some().then(|| labels(reader, &mut fields, "group_labels"));
    let alerts = listed(reader, &mut fields, "alerts", alert);
    let mut parts = Vec::new();
    for part in PARTS {
        if let Some(text) = fields.string(reader, part) {
            parts.push(((*part).to_string(), text.to_string()));
        }
    }
    let contains = match fields.get("contains") {
        Some(node) => texts(reader, node),
        None => Vec::new(),
    };
    fields.finish(reader);
    let receiver = receiver?;
    Some(ExpectedNotification {
        span,
        receiver,
        integration,
        status,
        group_labels,
        alerts,
        parts,
        contains,
    })
}

/// One text or several.
fn texts(reader: &mut Reader, node: &Node) -> Vec<String> {
    let what = "`contains`";
    let texts = match node.as_sequence() {
        Some(_) => reader.strings(node, what).unwrap_or_default(),
        None => reader.string(node, what).into_iter().collect(),
    };
    texts.into_iter().map(str::to_string).collect()
}

fn alert(reader: &mut Reader, mut fields: Fields<'_>) -> Option<NotifiedAlertTest> {
    let named = labels(reader, &mut fields, "labels");
    let status = word(reader, &mut fields, "status", STATUSES);
    fields.finish(reader);
    Some(NotifiedAlertTest { labels: named, status: status.unwrap_or("firing".to_string()) })
}

fn hold(reader: &mut Reader, mut fields: Fields<'_>) -> Option<ExpectedHold> {
    let named = labels(reader, &mut fields, "labels");
    let receiver = fields.require_string(reader, "receiver").map(str::to_string);
    let reason = word(reader, &mut fields, "reason", REASONS);
    if reason.is_none() {
        let _ = fields.require(reader, "reason");
    }
    fields.finish(reader);
    Some(ExpectedHold { labels: named, receiver: receiver?, reason: reason? })
}

/// One of a few words.
fn word(
    reader: &mut Reader,
    fields: &mut Fields<'_>,
    key: &'static str,
    words: &[&'static str],
) -> Option<String> {
    let node = fields.get(key)?;
    let what = format!("`{key}`");
    let text = reader.string(node, &what)?;
    if words.contains(&text) {
        return Some(text.to_string());
    }
    reader.wrong_value(node, &what, format!("expected one of {}", words.join(", ")));
    None
}
