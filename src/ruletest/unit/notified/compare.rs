//! What was sent and held back, compared with what a test expects.

use std::fmt::Write;

use crate::model::{LabelSet, format_duration};
use crate::ruletest::report::Failure;
use crate::ruletest::unit::notified::Sent;
use crate::ruletest::unit::verdict::quoted;
use crate::ruletest::unit::{
    ExpectedHold, ExpectedNotification, NotificationTest, NotifiedAlertTest,
};

/// Compares what was sent since the check before.
pub(super) fn sent(
    test: &NotificationTest,
    expected: &[ExpectedNotification],
    sent: &[Sent],
) -> Vec<Failure> {
    let mut taken = vec![false; sent.len()];
    let mut missing = Vec::new();
    let (mut wanted, mut got) = (String::new(), String::new());
    for expectation in expected {
        let text = expectation_text(expectation);
        wanted.push_str(&text);
        let fits = |(index, one): &(usize, &Sent)| {
            !taken.get(*index).copied().unwrap_or(true) && matches(expectation, one)
        };
        let Some((_, found)) = sent.iter().enumerate().find(fits) else {
            missing.push(expectation);
            continue;
        };
        // What is the same is shown the same.
        got.push_str(&text);
        for (index, one) in sent.iter().enumerate() {
            if covers(expectation, found, one)
                && let Some(taken) = taken.get_mut(index)
            {
                *taken = true;
            }
        }
    }
    let unexpected: Vec<&Sent> =
        sent.iter().zip(&taken).filter(|(_, taken)| !**taken).map(|(one, _)| one).collect();
    for one in &unexpected {
        got.push_str(&sent_text(one));
    }
    if missing.is_empty() && unexpected.is_empty() {
        return Vec::new();
    }
    let message = format!(
        "notifications until {}: {} expected and not sent, {} sent and not expected",
        format_duration(test.eval_time),
        missing.len(),
        unexpected.len()
    );
    let span = missing.first().map_or(test.span, |missing| missing.span);
    vec![Failure::differs(span, message, wanted, got)]
}

/// Whether a notification is what is expected; what is not said is not compared.
fn matches(expected: &ExpectedNotification, sent: &Sent) -> bool {
    let told = &sent.notification;
    let id = &told.integration;
    let integration = expected.integration.as_deref();
    *expected.receiver == *id.receiver
        && integration.is_none_or(|name| *name == *id.kind || name == numbered(sent))
        && expected.status.as_deref().is_none_or(|status| status == told.status().as_str())
        && expected.group_labels.as_ref().is_none_or(|labels| *labels == told.group_labels)
        && expected.alerts.as_ref().is_none_or(|alerts| same_alerts(alerts, sent))
        && expected.parts.iter().all(|(name, text)| part(sent, name) == Some(text.trim()))
        && expected.contains.iter().all(|text| contains(sent, text))
}

/// Whether an expectation that `found` meets speaks of another notification too: without an
/// integration it speaks of all integrations of the receiver.
fn covers(expected: &ExpectedNotification, found: &Sent, other: &Sent) -> bool {
    if std::ptr::eq(found, other) {
        return true;
    }
    let (a, b) = (&found.notification, &other.notification);
    expected.integration.is_none()
        && a.integration != b.integration
        && a.integration.receiver == b.integration.receiver
        && a.group_key == b.group_key
        && found.at == other.at
}

fn numbered(sent: &Sent) -> String {
    let id = &sent.notification.integration;
    format!("{}[{}]", id.kind, id.index)
}

fn same_alerts(expected: &[NotifiedAlertTest], sent: &Sent) -> bool {
    let mut expected = expected.to_vec();
    expected.sort();
    let mut got = alerts(sent);
    got.sort();
    expected == got
}

fn alerts(sent: &Sent) -> Vec<NotifiedAlertTest> {
    let alerts = sent.notification.alerts.iter().map(|one| NotifiedAlertTest {
        labels: one.alert.labels.clone(),
        status: one.status().as_str().to_string(),
    });
    alerts.collect()
}

fn part<'s>(sent: &'s Sent, name: &str) -> Option<&'s str> {
    let preview = sent.preview.as_ref().ok()?;
    preview.parts.iter().find(|(known, _)| *known == name).map(|(_, text)| text.trim())
}

fn contains(sent: &Sent, text: &str) -> bool {
    let Ok(preview) = &sent.preview else { return false };
    preview.parts.iter().any(|(_, part)| part.contains(text))
}

/// An expectation in YAML.
fn expectation_text(expected: &ExpectedNotification) -> String {
    let mut text = format!("- receiver: {}\n", expected.receiver);
    if let Some(integration) = &expected.integration {
        let _ = writeln!(text, "  integration: {integration}");
    }
    if let Some(status) = &expected.status {
        let _ = writeln!(text, "  status: {status}");
    }
    if let Some(labels) = &expected.group_labels {
        let _ = writeln!(text, "  group_labels: {labels}");
    }
    if let Some(alerts) = &expected.alerts {
        alert_lines(&mut text, alerts);
    }
    for (name, part) in &expected.parts {
        let _ = writeln!(text, "  {name}: {}", quoted(part.trim()));
    }
    for part in &expected.contains {
        let _ = writeln!(text, "  contains: {}", quoted(part));
    }
    text
}

/// A notification in YAML, with the parts that are short.
fn sent_text(sent: &Sent) -> String {
    let told = &sent.notification;
    let mut text = format!("- receiver: {}\n", told.integration.receiver);
    let _ = writeln!(text, "  integration: {}", numbered(sent));
    let _ = writeln!(text, "  status: {}", told.status().as_str());
    let _ = writeln!(text, "  group_labels: {}", told.group_labels);
    alert_lines(&mut text, &alerts(sent));
    match &sent.preview {
        Ok(_) => {
            for name in ["subject", "text"] {
                if let Some(part) = part(sent, name) {
                    let _ = writeln!(text, "  {name}: {}", quoted(part));
                }
            }
        }
        Err(error) => {
            let _ = writeln!(text, "  # not rendered: {error}");
        }
    }
    let _ = writeln!(text, "  # sent at {}, {}", format_duration(sent.at), told.reason.as_str());
    text
}

fn alert_lines(text: &mut String, alerts: &[NotifiedAlertTest]) {
    let _ = writeln!(text, "  alerts:");
    for alert in alerts {
        let _ = writeln!(text, "  - {{status: {}, labels: {}}}", alert.status, alert.labels);
    }
}

/// Compares what is held back at the time of a check; the words say by what.
pub(super) fn held(
    test: &NotificationTest,
    expected: &[ExpectedHold],
    got: Vec<(ExpectedHold, String)>,
) -> Option<Failure> {
    let mut expected = expected.to_vec();
    expected.sort();
    let mut got = got;
    got.sort();
    if got.iter().map(|(hold, _)| hold).eq(&expected) {
        return None;
    }
    let at = format_duration(test.eval_time);
    let message = format!("what is held back at {at} is something else");
    let wanted = expected.iter().map(hold_text).collect();
    let words =
        |(hold, words): &(ExpectedHold, String)| format!("{}  # {words}\n", hold_text(hold));
    Some(Failure::differs(test.span, message, wanted, got.iter().map(words).collect()))
}

fn hold_text(hold: &ExpectedHold) -> String {
    let labels: &LabelSet = &hold.labels;
    format!("- labels: {labels}\n  receiver: {}\n  reason: {}\n", hold.receiver, hold.reason)
}
