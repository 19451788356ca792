//! What the shipped templates show of a notification: few alerts, short texts, safe links.
//!
//! The data that all templates see gets an object `mail`:
//! `subject`, `status` (`firing`, `resolved`, `missed`), `kicker`, `heading`, `counts`, `summary`,
//! `description` (lines), `colour`, `tint`, `common` (pairs `name`, `value`), `digest` (where not
//! all alerts are listed: `name`, `values` with `value`, `count` and `link`, and `others`),
//! `silence` and `all` (links for the group, while something fires), `allText` and `sections`,
//! each with `title`, `status`, `count`, `colour`, `more` (how many are not listed) and `alerts`.
//! Those have `name`, `status`, `colour`, `tint`, `severity`, `summary`, `description` (lines),
//! `value`, `since`, `ended`, `lasted`, `labels`, `moreLabels`, `graph`, `runbook`, `dashboard` and
//! `silence`; what an alert lacks is null.

use serde_json::{Value, json};

use crate::http::parse_url;
use crate::template::truncate;

/// How many alerts a mail lists. Of more it is a digest.
pub(super) const MAX_ALERTS: usize = 20;
/// How many alerts a digest lists; less where they are too large.
pub(super) const DIGEST: [usize; 3] = [8, 3, 1];
/// How many places of those are kept for alerts that fire no more.
const MIN_OVER: usize = 2;
/// How many labels of an alert are shown.
const MAX_LABELS: usize = 20;
/// A link that is longer is left out: mail programs cut it, and then it leads nowhere.
const MAX_LINK: usize = 4000;

/// Colours of text and surfaces that hold at least 4.5:1 on their ground (WCAG 2.1, AA), and that
/// stay apart when a mail program inverts them for its dark mode.
const RED: (&str, &str) = ("#b42318", "#fef3f2");
const AMBER: (&str, &str) = ("#b54708", "#fffaeb");
const BLUE: (&str, &str) = ("#175cd3", "#eff8ff");
const SLATE: (&str, &str) = ("#475467", "#f9fafb");
const GREEN: (&str, &str) = ("#067647", "#ecfdf3");
const VIOLET: (&str, &str) = ("#6941c6", "#f9f5ff");

/// The data with `mail` in it, that lists so many alerts.
pub(super) fn extend(data: &Value, room: usize) -> Value {
    let mut extended = data.clone();
    if let Value::Object(map) = &mut extended {
        map.insert("mail".to_string(), mail(data, room));
    }
    extended
}

fn mail(data: &Value, mut room: usize) -> Value {
    let alerts = list(data, "alerts");
    let of = |wanted: &str| -> Vec<&Value> {
        let mut found: Vec<_> = alerts.iter().filter(|alert| status(alert) == wanted).collect();
        // Where not all are listed, the grave ones are.
        found.sort_by_key(|alert| rank(text(alert, "severity")));
        found
    };
    let count = |name: &str| data.get(name).and_then(Value::as_u64).unwrap_or(0);
    let (fires, missed) = (count("firingCount"), count("missedCount"));
    let groups = [
        ("firing", "Firing", of("firing"), fires),
        ("missed", "Fired and already over", of("missed"), missed),
        ("resolved", "Resolved", of("resolved"), count("resolvedCount").saturating_sub(missed)),
    ];
    let over: usize = groups.iter().skip(1).map(|(_, _, alerts, _)| alerts.len()).sum();
    let storm = data.get("storm").and_then(Value::as_bool) == Some(true);
    let single = alerts.len() == 1;
    let sections: Vec<Value> = groups
        .iter()
        .filter(|(_, _, alerts, _)| !alerts.is_empty())
        .map(|(status, title, alerts, count)| {
            let kept = if *status == "firing" { over.min(MIN_OVER).min(room - 1) } else { 0 };
            let shown = alerts.len().min(room.saturating_sub(kept));
            room -= shown;
            let shown = alerts.get(..shown).unwrap_or_default();
            section(data, (status, title, *count), shown, single)
        })
        .collect();
    let main = groups.iter().find(|(_, _, alerts, _)| !alerts.is_empty());
    let status = main.map_or("resolved", |(status, ..)| status);
    let (colour, tint) = colours(status, text(data, "severity"));
    let group = |name: &str| link(text(data, name)).filter(|_| fires > 0);
    let common = if single { Vec::new() } else { pairs(data.get("commonLabels"), |_| true) };
    json!({
        "subject": line(text(data, "subject"), 250),
        "status": status,
        "kicker": kicker(status, text(data, "severity")),
        "heading": heading(data),
        "counts": counts(&groups.each_ref().map(|(status, _, _, count)| (*status, *count))),
        "summary": shared(data, alerts, "summary").map(|text| line(text, 400)),
        "description": shared(data, alerts, "description").map(paragraphs),
        "colour": colour,
        "tint": tint,
        "common": common.iter().take(MAX_LABELS).collect::<Vec<_>>(),
        "digest": storm.then(|| digest(data)),
        "silence": group("silenceURL").filter(|_| !single),
        "all": group("alertsURL").filter(|_| !single),
        "allText": format!("All {fires} alerts"),
        "sections": sections,
    })
}

/// How many alerts have which value of the labels that tell most.
fn digest(data: &Value) -> Vec<Value> {
    let labels = data.get("digest").map(|digest| list(digest, "labels")).unwrap_or_default();
    let value = |value: &Value| {
        let shown = line(text(value, "value"), 80);
        json!({
            "value": Some(shown).filter(|shown| !shown.is_empty()),
            "count": value.get("count"),
            "link": link(text(value, "alertsURL")),
        })
    };
    let label = |label: &Value| {
        json!({
            "name": line(text(label, "name"), 80),
            "values": list(label, "values").iter().map(value).collect::<Vec<_>>(),
            "others": label.get("others"),
        })
    };
    labels.iter().map(label).collect()
}

/// `firing`, `missed` or `resolved`.
fn status(alert: &Value) -> &'static str {
    match (text(alert, "status"), alert.get("missed").and_then(Value::as_bool)) {
        ("firing", _) => "firing",
        (_, Some(true)) => "missed",
        _ => "resolved",
    }
}

/// Text and ground. The words are those in use in public rules.
fn colours(status: &str, severity: &str) -> (&'static str, &'static str) {
    match (status, severity.to_ascii_lowercase().as_str()) {
        ("resolved", _) => GREEN,
        ("missed", _) => VIOLET,
        (_, "warning" | "warn" | "minor" | "average" | "medium") => AMBER,
        (_, "info" | "information" | "notice" | "low") => BLUE,
        (_, "none" | "debug") => SLATE,
        // Without a word that we know it may be grave.
        _ => RED,
    }
}

/// Grave ones first, by their colour.
fn rank(severity: &str) -> usize {
    let colour = colours("firing", severity);
    [RED, AMBER, BLUE, SLATE].iter().position(|c| *c == colour).unwrap_or_default()
}

fn kicker(status: &str, severity: &str) -> String {
    let state = match status {
        "firing" => "Firing",
        "missed" => "Fired and already over",
        _ => "Resolved",
    };
    match severity {
        "" => state.to_string(),
        severity => format!("{state} \u{b7} {}", line(severity, 40)),
    }
}

/// The alert's name where all have one, otherwise what the group has in common.
fn heading(data: &Value) -> String {
    let name = data.get("commonLabels").map(|labels| text(labels, "alertname")).unwrap_or_default();
    if !name.is_empty() {
        return line(name, 120);
    }
    let group = data.get("groupLabels").and_then(Value::as_object).into_iter().flatten();
    let group: Vec<String> =
        group.filter_map(|(_, value)| value.as_str()).map(|value| line(value, 80)).collect();
    match group.is_empty() {
        true => format!("{} alerts", data.get("alertCount").unwrap_or(&Value::Null)),
        false => line(&group.join(" \u{b7} "), 160),
    }
}

/// `3 firing · 1 resolved`; nothing for a single alert, whose state is said already.
fn counts(groups: &[(&str, u64); 3]) -> Option<String> {
    let total: u64 = groups.iter().map(|(_, count)| count).sum();
    let parts: Vec<String> = groups
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| match *status {
            "missed" => format!("{count} fired and already over"),
            status => format!("{count} {status}"),
        })
        .collect();
    (total > 1).then(|| parts.join(" \u{b7} "))
}

/// What all alerts say is said once, at the top.
fn shared<'a>(data: &'a Value, alerts: &[Value], name: &str) -> Option<&'a str> {
    let shared = data.get("commonAnnotations").map(|a| text(a, name)).unwrap_or_default();
    (alerts.len() > 1 && !shared.is_empty()).then_some(shared)
}

fn section(
    data: &Value,
    (status, title, count): (&str, &str, u64),
    shown: &[&Value],
    single: bool,
) -> Value {
    let (colour, _) = colours(status, text(data, "severity"));
    let common = data.get("commonLabels").unwrap_or(&Value::Null);
    let shared = data.get("commonAnnotations").filter(|_| !single);
    let title = Some(title).filter(|_| !single);
    json!({
        "title": title,
        "status": status,
        "count": count,
        "colour": colour,
        "alerts": shown.iter().map(|a| card(a, common, shared, single)).collect::<Vec<_>>(),
        "more": count.saturating_sub(shown.len() as u64),
    })
}

/// One alert. What the head of the mail says is not repeated: the name and the severity where all
/// alerts have the same, and labels that all have, unless there is only one alert.
fn card(alert: &Value, common: &Value, shared: Option<&Value>, single: bool) -> Value {
    let status = status(alert);
    let severity = text(alert, "severity");
    let (colour, tint) = colours(status, severity);
    let annotations = alert.get("annotations").unwrap_or(&Value::Null);
    let said = |name: &str| shared.is_some_and(|shared| !text(shared, name).is_empty());
    let own = |name: &str| single || common.get(name).is_none();
    let labels = pairs(alert.get("labels"), own);
    let annotation =
        |name: &str| Some(text(annotations, name)).filter(|text| !text.is_empty() && !said(name));
    let differs = |label: &str| text(common, label).is_empty();
    let summary = annotation("summary").map(|text| line(text, 400));
    let name = Some(line(text(alert, "name"), 120))
        .filter(|_| differs("alertname") || (summary.is_none() && !single));
    json!({
        "name": name,
        "status": status,
        "colour": colour,
        "tint": tint,
        "severity": Some(line(severity, 40)).filter(|s| !s.is_empty() && differs("severity")),
        "summary": summary,
        "description": annotation("description").or(annotation("message")).map(paragraphs),
        "value": alert.get("valueText").and_then(Value::as_str),
        "since": text(alert, "startsAtText"),
        "ended": Some(text(alert, "endsAtText")).filter(|text| !text.is_empty()),
        "lasted": text(alert, "durationText"),
        "moreLabels": Some(labels.len().saturating_sub(MAX_LABELS)).filter(|more| *more > 0),
        "labels": labels.into_iter().take(MAX_LABELS).collect::<Vec<_>>(),
        "graph": link(text(alert, "generatorURL")),
        "runbook": first_link(annotations, &["runbook_url", "runbook"]),
        "dashboard": first_link(annotations, &["dashboard_url", "dashboard"]),
        "silence": link(text(alert, "silenceURL")).filter(|_| status == "firing"),
    })
}

/// Labels as pairs. The name and the severity have their own places.
fn pairs(labels: Option<&Value>, keep: impl Fn(&str) -> bool) -> Vec<Value> {
    let labels = labels.and_then(Value::as_object).into_iter().flatten();
    labels
        .filter(|(name, _)| !matches!(name.as_str(), "alertname" | "severity") && keep(name))
        .map(|(name, value)| {
            let value = value.as_str().unwrap_or_default();
            json!({ "name": line(name, 100), "value": line(value, 300) })
        })
        .collect()
}

fn first_link(annotations: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| link(text(annotations, name)))
}

/// A link that may be followed: `javascript:` and its like are none.
fn link(address: &str) -> Option<String> {
    let link = parse_url(address.trim()).ok()?.to_string();
    (link.len() <= MAX_LINK).then_some(link)
}

/// Signs that turn the direction of what follows, or cannot be seen: with them a label could
/// show something else than it says.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A text in one line of at most `max` characters.
fn line(text: &str, max: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    truncate(&words.join(" ").replace(is_deceptive, ""), max)
}

/// The lines of a text of at most 1500 characters and 20 lines.
fn paragraphs(text: &str) -> Vec<String> {
    let text = truncate(text.trim(), 1500);
    let mut lines: Vec<String> = text.lines().take(20).map(|text| line(text, 1500)).collect();
    if text.lines().nth(20).is_some() {
        lines.push("\u{2026}".to_string());
    }
    lines
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
