//! Mails by configuration and notification: what they say and what their headers hold.

mod cases;
mod clear;
mod config;
mod headers;
mod login;

use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::view;
use crate::diag::SourceFile;
use crate::model::{IntegrationId, Notification};
use crate::notify::{Context, Delivery, Globals, IntegrationConfig, Notifier};
use crate::yaml::{self, Reader};
use cases::NOW;

/// A configuration that is complete.
const CONFIG: &str = "to: ops@example.test\nfrom: Watchbell <bell@example.test>\n\
                      smarthost: mail.example.test:587\n";

/// Reads one item of `email_configs`; `global` is the text of that section.
fn read(item: &str, global: &str) -> Result<Box<dyn IntegrationConfig>, Vec<String>> {
    let open = |text: &str| {
        let source = Arc::new(SourceFile::new("a.yml", text));
        yaml::load(&source).unwrap()
    };
    let (item, global) = (open(item), open(if global.is_empty() { "{}" } else { global }));
    let mut reader = Reader::new(&global);
    let mut fields = reader.mapping(&global.root, "`global`").unwrap();
    let globals = Globals::read(&mut reader, &mut fields, Path::new("/etc/watchbell"));
    assert!(!reader.has_errors(), "{:?}", reader.into_diagnostics());
    let mut reader = Reader::new(&item);
    let id = IntegrationId { receiver: "r".into(), kind: "email".into(), index: 0 };
    let config = super::config::read(&mut reader, &item.root, &id, &globals);
    let findings: Vec<String> = reader.into_diagnostics().into_iter().map(|d| d.message).collect();
    match (config, findings.is_empty()) {
        (Some(config), true) => Ok(config),
        _ => Err(findings),
    }
}

fn context(files: &[(&str, &str)]) -> Context {
    let files: Vec<_> = files.iter().map(|(n, t)| ((*n).to_string(), (*t).to_string())).collect();
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    Context::new(&files, zone, "https://bell.example.com".to_string()).unwrap()
}

fn notifier(item: &str, files: &[(&str, &str)]) -> Result<Arc<dyn Notifier>, String> {
    let config = read(item, "").unwrap();
    config.build(&context(files)).map_err(|e| e.to_string())
}

fn delivery(notification: &Notification) -> Delivery {
    Delivery {
        notification: notification.clone(),
        idempotency_key: "00112233445566778899aabbccddeeff".to_string(),
        receiver_state: None,
        announced: false,
        attempt: 1,
    }
}

/// The parts of a preview as one text.
fn preview(item: &str, notification: &Notification) -> String {
    let notifier = notifier(item, &[]).unwrap();
    let preview = notifier.preview(&delivery(notification), NOW).unwrap();
    let parts = preview.parts.iter().map(|(name, text)| format!("----- {name}\n{text}\n"));
    parts.collect()
}

#[test]
fn golden() {
    for (name, notification) in cases::all() {
        insta::assert_snapshot!(name, preview(CONFIG, &notification));
    }
}

#[test]
fn a_storm_is_a_digest() {
    let (_, storm) = cases::all().into_iter().find(|(name, _)| *name == "storm").unwrap();
    let text = preview(CONFIG, &storm);
    let (text, html) = text.split_once("----- html").unwrap();
    assert_eq!(text.matches("\n* ").count(), view::DIGEST[0]);
    assert_eq!(html.matches("Graph</a>").count(), view::DIGEST[0]);
    assert!(text.contains("== Firing (280) ==") && text.contains("== Resolved (20) =="));
    assert!(text.contains("… and 274 more\n"), "280 fire, 6 of them are listed");
    assert!(text.contains("By namespace:\n  175 mlflow-prod\n"), "{text}");
    assert!(html.contains(">All 280 alerts</a>"));
}

/// Gmail cuts a mail at 102 kB, and then nobody sees its end.
#[test]
fn alerts_that_make_a_mail_too_large_are_a_digest() {
    let long = "long words ".repeat(30);
    let labels: Vec<String> = (0..20).map(|i| format!("label{i}")).collect();
    let alerts = (0..15).map(|i| {
        let place = i.to_string();
        let mut pairs = vec![("alertname", "Long"), ("place", place.as_str())];
        let own: Vec<_> = labels.iter().map(|name| (name.as_str(), format!("{i}{long}"))).collect();
        pairs.extend(own.iter().map(|(name, value)| (*name, value.as_str())));
        cases::alert(&pairs, &[("summary", &long)], 1.0, (5, None))
    });
    let all = preview(CONFIG, &cases::notification(alerts.collect(), &["alertname"]));
    let (_, html) = all.split_once("----- html").unwrap();
    assert!(html.len() < 102_000, "{}", html.len());
    assert!(html.contains("… and 12 more"));
}

#[test]
fn labels_are_data() {
    let (_, hostile) = cases::all().into_iter().find(|(name, _)| *name == "hostile").unwrap();
    let all = preview(CONFIG, &hostile);
    let (_, html) = all.split_once("----- html").unwrap();
    for tag in
        ["<script", "<img", "<h1>", "<b>not", "javascript:", "data:text", "\u{202e}", "\u{7}"]
    {
        assert!(!html.contains(tag), "{tag}");
    }
    assert!(!html.contains("onerror=alert"), "an attribute is closed by no label");
}

#[test]
fn a_broken_template_is_an_error_before_anything_is_sent() {
    for (item, files, part) in [
        ("headers: {Subject: '{{ .Nope | nope }}'}", vec![], "`email_configs.headers.Subject`"),
        ("html: '{{ if }}'", vec![], "`email_configs.html`"),
        ("text: '{{ template \"nope\" . }}'", vec![], "`email_configs.text`"),
        ("to: '{{ .Foo.Bar.Baz | title 3 }}'", vec![], "`email_configs.to`"),
        ("{}", vec![("email/body.txt.hbs", "{{duration receiver}}")], "email/body.txt.hbs"),
    ] {
        let base = if item.starts_with("to:") {
            CONFIG.replace("to: ops@example.test\n", "")
        } else {
            CONFIG.to_string()
        };
        let item = if item == "{}" { base } else { format!("{base}{item}\n") };
        let error = notifier(&item, &files).err().unwrap_or_default();
        assert!(error.contains(part), "{item}: {error}");
    }
}

#[test]
fn alertmanagers_templates_work_as_they_stand() {
    let item = format!(
        "{CONFIG}html: '{{{{ template \"email.default.html\" . }}}}'\n\
         text: '{{{{ .CommonLabels.alertname }}}} {{{{ len .Alerts.Firing }}}}'\n\
         headers: {{Subject: '{{{{ template \"email.default.subject\" . }}}}'}}\n"
    );
    let (_, critical) = cases::all().swap_remove(0);
    let text = preview(&item, &critical);
    assert!(text.starts_with("----- subject\n[FIRING:1] MLflowServerDown (mlflow-prod"), "{text}");
    assert!(text.contains("----- text\nMLflowServerDown 1\n"));
    assert!(text.contains("<html>"));
    let no_html = preview(&format!("{CONFIG}html: ''\n"), &critical);
    assert!(!no_html.contains("----- html"));
}
