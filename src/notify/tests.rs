//! What holds for the messages of all integrations: their links, and what they make of a storm.

use crate::model::{Notification, NotifyReason};
use crate::notify::cases::{BELL, NOW, alert, cases, delivery, notification, notifier_at};

/// One item of each list.
const ITEMS: [(&str, &str); 4] = [
    ("email_configs", "to: a@example.com\nfrom: b@example.com\nsmarthost: mail.example.com:25"),
    ("slack_configs", "api_url: https://hooks.slack.com/services/T0/B0/secret"),
    ("pagerduty_configs", "routing_key: 0123456789abcdef0123456789abcdef"),
    ("webhook_configs", "url: https://h/x\nmax_alerts: 50"),
];

/// All parts of a message as one text.
fn message(external_url: &str, (list, item): (&str, &str), told: &Notification) -> String {
    let notifier = notifier_at(external_url, list, item);
    let preview = notifier.preview(&delivery(told.clone(), false), NOW).unwrap();
    preview.parts.into_iter().map(|(_, text)| text).collect()
}

/// A hundred thousand alerts, each of its own rule, on a node of its own.
fn huge_storm() -> Notification {
    let alerts = (0..100_000).map(|n| {
        let (name, node) = (format!("Rule{n}"), format!("node-{n}"));
        let labels = [
            ("alertname", name.as_str()),
            ("instance", &node),
            ("severity", if n == 77_777 { "critical" } else { "warning" }),
            ("zone", if n % 4 == 0 { "a" } else { "b" }),
        ];
        alert(&labels, &format!("{node} is in trouble"))
    });
    notification(alerts.collect(), NotifyReason::FirstNotification)
}

#[test]
fn every_message_links_to_a_silence_and_to_all_alerts() {
    let cases = cases();
    let of = |wanted: &str| &cases.iter().find(|(name, ..)| *name == wanted).unwrap().1;
    for item in ITEMS.into_iter().filter(|(list, _)| *list != "webhook_configs") {
        let silence = format!("{BELL}/silences/new?filter=alertname");
        let several = message(BELL, item, of("several")).replace("&#x3D;", "=");
        assert!(several.contains(&format!("{silence}=%22HighCPUUsage%22,instance=")), "{several}");
        assert!(several.contains(&format!("{BELL}/alerts?filter=alertname")), "{several}");
        let one = message(BELL, item, of("one")).replace("&#x3D;", "=");
        assert!(one.contains(&silence), "{one}");
        let over = message(BELL, item, of("resolved"));
        assert!(!over.contains("/silences/new"), "nothing is to be silenced: {over}");
        let hostile = message(BELL, item, of("hostile"));
        let short = "/silences/new?alert";
        assert!(hostile.contains(short), "its labels are too long for a link: {hostile}");
    }
}

#[test]
fn nothing_links_to_a_program_whose_address_is_not_known() {
    for (name, told, _) in cases() {
        for item in ITEMS {
            let message = message("", item, &told);
            for link in ["/silences/new", "/alerts?", "|Silence", ">Silence<", "\"Silence"] {
                assert!(!message.contains(link), "{name}: {link} in {message}");
            }
        }
    }
}

#[test]
fn a_hundred_thousand_alerts_are_a_digest() {
    let storm = huge_storm();
    for item in ITEMS {
        let text = message(BELL, item, &storm);
        assert!(text.len() < 150_000, "{}: {} bytes", item.0, text.len());
        if item.0 == "webhook_configs" {
            assert!(text.contains("\"truncatedAlerts\": 99950"));
            continue;
        }
        assert!(text.contains("node-77777 is in trouble"), "the grave one is shown: {text}");
        assert!(text.contains("75000") && text.contains("25000"), "counts by zone: {text}");
        if item.0 == "pagerduty_configs" {
            assert_eq!(text, message(BELL, item, &storm), "it is always the same");
        }
    }
}

#[test]
fn go_templates_count_all_alerts_and_have_the_links() {
    let item = "api_url: https://hooks.slack.com/services/T0/B0/secret\n\
                pretext: '{{ len .Alerts }} {{ .Alerts.Firing | len }}'\n\
                text: '{{ if gt (len .Alerts) 9 }}{{ (index .Alerts 99999).Annotations.runbook_url }}{{ end }} {{ .AlertsURL }}'\n\
                title_link: '{{ (index .Alerts 0).SilenceURL }}'\n\
                footer: '{{ .SilenceURL }}'";
    let text = message(BELL, ("slack_configs", item), &huge_storm());
    assert!(text.contains("\"pretext\": \"100000 100000\""), "{text}");
    assert!(text.contains("wiki.example.com/runbooks"), "what all alerts share is known of all");
    let silence = format!("{BELL}/silences/new?filter=alertname=%22");
    assert!(text.contains(&format!("\"title_link\": \"{silence}Rule0%22")), "{text}");
    assert!(text.contains(&format!("\"footer\": \"{silence}HighCPUUsage%22\"")), "{text}");
    assert!(text.contains(&format!("{BELL}/alerts?filter=alertname=%22HighCPUUsage%22")), "{text}");
}
