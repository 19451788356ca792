//! The messages.

use serde_json::Value;

use crate::http::tests::server::{Server, ok};
use crate::model::NotifyReason;
use crate::notify::cases::{NOW, alert, cases, delivery, golden, notification, notifier};
use crate::outbox::Outcome;

const WEBHOOK: &str = "api_url: https://hooks.slack.com/services/T0/B0/secret";

fn body(item: &str, case: &str) -> Value {
    let (_, notification, announced) = cases().into_iter().find(|(n, ..)| *n == case).unwrap();
    let preview = notifier("slack_configs", item).preview(&delivery(notification, announced), NOW);
    let preview = preview.unwrap();
    let (_, body) = preview.parts.iter().find(|(name, _)| *name == "body").unwrap();
    serde_json::from_str(body).unwrap()
}

#[test]
fn the_shipped_messages() {
    let slack = notifier("slack_configs", WEBHOOK);
    for (name, notification, announced) in cases() {
        let preview = slack.preview(&delivery(notification, announced), NOW).unwrap();
        let (_, body) = preview.parts.iter().find(|(part, _)| *part == "body").unwrap();
        golden("slack", name, body);
    }
}

#[test]
fn labels_call_nobody_in_any_text() {
    let every = "
title: '{{ .CommonLabels.alertname }}'
pretext: '{{ .CommonLabels.instance }} {{ range .Alerts }}{{ .Annotations.summary }}{{ end }}'
text: '<{{ (index .Alerts 0).GeneratorURL }}|Graph> {{ .CommonLabels.severity }} {{ urlquery .CommonLabels.severity }}'
fallback: '{{ template \"slack.default.fallback\" . }}'
footer: '{{ .CommonLabels.severity }}'
message_text: '<!subteam^S0ONCALL> {{ .CommonLabels.alertname }}'
fields: [{title: '{{ .CommonLabels.alertname }}', value: '{{ .CommonLabels.instance }}'}]
actions: [{type: button, text: '{{ .CommonLabels.severity }}', url: 'https://a.example/?q={{ urlquery .CommonLabels.severity }}'}]
";
    for item in [format!("{WEBHOOK}{every}"), WEBHOOK.to_string()] {
        let text = body(&item, "hostile").to_string();
        for call in ["<!channel", "<!here", "<!everyone", "<@U", "<https://evil"] {
            assert!(!text.contains(call), "{call} in {text}");
        }
    }
    let message = body(&format!("{WEBHOOK}{every}"), "hostile");
    let attachment = &message["attachments"][0];
    assert_eq!(message["text"], "<!subteam^S0ONCALL> &lt;!channel&gt; &amp; \"friends\"");
    assert_eq!(attachment["title"], "&lt;!channel&gt; &amp; \"friends\"");
    assert_eq!(
        attachment["text"],
        "<https://prometheus.example.com/graph?g0.expr=cpu+%3E+0.8&amp;g0.tab=1|Graph> \
         &lt;!here&gt; %3C%21here%3E"
    );
    assert_eq!(attachment["actions"][0]["url"], "https://a.example/?q=%3C%21here%3E");
}

#[test]
fn linked_names_in_labels_stay_plain() {
    let item = format!("{WEBHOOK}\nlink_names: true\ntext: '@oncall {{{{ .CommonLabels.who }}}}'");
    let who = alert(&[("alertname", "A"), ("who", "@channel")], "");
    let told = notification(vec![who], NotifyReason::FirstNotification);
    let preview = notifier("slack_configs", &item).preview(&delivery(told, false), NOW).unwrap();
    assert_eq!(preview.parts[1].1, "@oncall @\u{200b}channel");
}

#[test]
fn every_text_keeps_its_limit() {
    let long = "x".repeat(50_000);
    let fields = "{title: t, value: v},".repeat(30);
    let actions = "{type: button, text: t, url: 'https://a.example'},".repeat(9);
    let item = format!(
        "{WEBHOOK}\ntitle: {long}\ntext: {long}\nfallback: {long}\nfooter: {long}\npretext: {long}\n\
         message_text: {long}\ntitle_link: 'https://a.example/{long}'\nfields: [{fields}]\n\
         actions: [{actions}]"
    );
    let message = body(&item, "one");
    let attachment = &message["attachments"][0];
    for (text, max) in [
        (&attachment["title"], 1024),
        (&attachment["text"], 8000),
        (&attachment["fallback"], 1024),
        (&attachment["footer"], 300),
        (&attachment["pretext"], 4000),
        (&message["text"], 4000),
    ] {
        let text = text.as_str().unwrap();
        assert_eq!(text.chars().count(), max);
        assert!(text.ends_with('…'));
    }
    assert!(attachment.get("title_link").is_none());
    assert_eq!(attachment["fields"].as_array().unwrap().len(), 20);
    assert_eq!(attachment["actions"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn a_text_that_fails_later_gives_way_to_plain_words() {
    // No sample has three alerts, so the template fails only in earnest.
    let server = Server::start(ok).await;
    let item = format!(
        "api_url: {}\nmessage_text: ok\n\
         text: '{{{{ if eq (len .Alerts) 3 }}}}{{{{ (index .Alerts 9).Status }}}}{{{{ end }}}}'",
        server.url("/x")
    );
    let slack = notifier("slack_configs", &item);
    let (_, several, _) = cases().into_iter().find(|(name, ..)| *name == "several").unwrap();
    let refused = slack.preview(&delivery(several.clone(), true), NOW).unwrap_err();
    assert_eq!(refused.template, "`slack_configs.text`");
    let outcome = slack.deliver(&delivery(several, true), NOW).await;
    assert_eq!(outcome, Outcome::delivered(Some(200)));
    let message: Value = serde_json::from_str(&server.last().body).unwrap();
    let text = message["attachments"][0]["text"].as_str().unwrap();
    assert!(text.contains("node-1:9100") && text.lines().count() == 3, "{text}");
    assert_eq!(message["text"], "ok");
}
