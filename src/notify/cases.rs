//! What the integrations' tests share: notifications of every kind, receivers out of YAML, and
//! golden files.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::diag::SourceFile;
use crate::model::{
    Alert, GroupKey, IntegrationId, LabelSet, Notification, NotifiedAlert, NotifyReason, Timestamp,
};
use crate::notify::{Context, Delivery, Globals, Notifier, Receiver, read_receivers};
use crate::yaml::{Reader, load};

/// 2026-03-02 09:40:00 UTC.
pub(super) const NOW: Timestamp = Timestamp::from_secs(1_772_444_400);

/// One alert that fires since twelve minutes.
pub(super) fn alert(labels: &[(&str, &str)], summary: &str) -> NotifiedAlert {
    let annotations = LabelSet::from([
        ("summary", summary),
        ("description", "More than 80 % of the CPU time has been in use for 5 minutes."),
        ("runbook_url", "https://wiki.example.com/runbooks#highcpuusage"),
    ]);
    let alert = Alert {
        labels: labels.iter().copied().collect(),
        annotations,
        starts_at: NOW - std::time::Duration::from_secs(720),
        ends_at: None,
        generator_url: "https://prometheus.example.com/graph?g0.expr=cpu+%3E+0.8&g0.tab=1".into(),
        value: Some(0.934),
    };
    NotifiedAlert { alert: alert.into(), missed: false }
}

fn cpu(node: &str) -> NotifiedAlert {
    let labels = [
        ("alertname", "HighCPUUsage"),
        ("instance", node),
        ("job", "node"),
        ("severity", "warning"),
    ];
    alert(&labels, &format!("CPU usage on {node} is 93.4 %"))
}

/// One of three hundred alerts, some of them grave, in three zones.
fn in_a_storm(n: usize) -> NotifiedAlert {
    let mut notified = cpu(&format!("node-{n:03}:9100"));
    let mut labels = notified.alert.labels.to_builder();
    labels.set(
        "zone",
        if n.is_multiple_of(10) {
            "c"
        } else if n.is_multiple_of(3) {
            "b"
        } else {
            "a"
        },
    );
    labels.set("severity", if n % 50 == 7 { "critical" } else { "warning" });
    std::sync::Arc::make_mut(&mut notified.alert).labels = labels.build();
    notified
}

fn over(mut alert: NotifiedAlert) -> NotifiedAlert {
    std::sync::Arc::make_mut(&mut alert.alert).ends_at =
        Some(NOW - std::time::Duration::from_secs(60));
    alert
}

/// A notification about alerts.
pub(super) fn notification(alerts: Vec<NotifiedAlert>, reason: NotifyReason) -> Notification {
    Notification {
        group_key: GroupKey("{}:{alertname=\"HighCPUUsage\"}".into()),
        integration: IntegrationId {
            receiver: "mlflow-oncall".into(),
            kind: "slack".into(),
            index: 0,
        },
        group_labels: LabelSet::from([("alertname", "HighCPUUsage")]),
        alerts,
        reason,
        created_at: NOW,
    }
}

/// Every kind of notification by its name, and whether its firing had been told before.
pub(super) fn cases() -> Vec<(&'static str, Notification, bool)> {
    let hostile = [
        ("alertname", "<!channel> & \"friends\""),
        ("instance", "<@U012ABC>|x>\n*bold* `code` \\"),
        ("long", &"lang-ü-".repeat(1500)),
        ("mood", "🔥👩‍🚒"),
        ("severity", "<!here>"),
    ];
    let mut missed = over(cpu("node-1:9100"));
    missed.missed = true;
    let storm = (1..=300).map(in_a_storm).collect();
    let other =
        [("alertname", "ModelServerDown"), ("job", "model-server"), ("severity", "critical")];
    let mut mixed = vec![
        alert(&other, "Model server down: model-1:8080"),
        cpu("node-2:9100"),
        over(cpu("node-1:9100")),
    ];
    if let Some(first) = mixed.first_mut() {
        std::sync::Arc::make_mut(&mut first.alert).value = Some(0.0);
    }
    let mut rules = notification(mixed, NotifyReason::NewResolvedAlerts);
    rules.group_labels = LabelSet::from([("cluster", "mlflow-prod")]);
    let new = NotifyReason::NewAlertsInGroup;
    let done = NotifyReason::AllAlertsResolved;
    vec![
        ("one", notification(vec![cpu("node-1:9100")], NotifyReason::FirstNotification), false),
        (
            "several",
            notification(vec![cpu("node-1:9100"), cpu("node-2:9100"), cpu("node-3:9100")], new),
            true,
        ),
        (
            "firing_and_resolved",
            notification(
                vec![cpu("node-2:9100"), over(cpu("node-1:9100"))],
                NotifyReason::NewResolvedAlerts,
            ),
            true,
        ),
        ("two_rules", rules, true),
        (
            "reminder",
            notification(vec![cpu("node-1:9100")], NotifyReason::RepeatIntervalElapsed),
            true,
        ),
        ("resolved", notification(vec![over(cpu("node-1:9100"))], done), true),
        ("missed", notification(vec![missed], done), false),
        ("storm", notification(storm, NotifyReason::FirstNotification), false),
        (
            "hostile",
            notification(
                vec![alert(
                    &hostile,
                    "<!everyone> <https://evil.example|click> & \"quoted\"\nnext",
                )],
                NotifyReason::FirstNotification,
            ),
            false,
        ),
    ]
}

/// What an integration gets to deliver.
pub(super) fn delivery(notification: Notification, announced: bool) -> Delivery {
    Delivery {
        notification,
        idempotency_key: "0123456789abcdef0123456789abcdef".to_string(),
        receiver_state: None,
        announced,
        attempt: 1,
    }
}

/// The address of the program in tests.
pub(super) const BELL: &str = "https://watchbell.example.com";

/// The surroundings of a message.
fn context(external_url: &str) -> Context {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    Context::new(&[], zone, external_url.to_string()).unwrap()
}

/// The receiver out of an item of a list such as `slack_configs`, or every mistake in it.
pub(super) fn receiver(list: &str, item: &str, globals: &Globals) -> Result<Receiver, Vec<String>> {
    receiver_at(BELL, list, item, globals)
}

fn receiver_at(
    external_url: &str,
    list: &str,
    item: &str,
    globals: &Globals,
) -> Result<Receiver, Vec<String>> {
    let text = format!("- name: mlflow-oncall\n  {list}:\n  - {}\n", item.replace('\n', "\n    "));
    let document = load(&Arc::new(SourceFile::new("w.yml", text))).unwrap();
    let mut reader = Reader::new(&document);
    let configs = read_receivers(&mut reader, &document.root, globals);
    if reader.has_errors() {
        return Err(reader.into_diagnostics().into_iter().map(|d| d.message).collect());
    }
    let built = configs.first().unwrap().build(&context(external_url));
    built.map_err(|errors| errors.into_iter().map(|(_, error)| error.to_string()).collect())
}

/// The only integration of [`receiver`].
pub(super) fn notifier(list: &str, item: &str) -> Arc<dyn Notifier> {
    notifier_at(BELL, list, item)
}

/// The same for a program at another address.
pub(super) fn notifier_at(external_url: &str, list: &str, item: &str) -> Arc<dyn Notifier> {
    let receiver = receiver_at(external_url, list, item, &Globals::default()).unwrap();
    Arc::clone(&receiver.integrations.first().unwrap().notifier)
}

/// Compares a message with its golden file. With `UPDATE_GOLDEN=1` the file is written instead;
/// read it before it is committed.
pub(super) fn golden(kind: &str, name: &str, message: &str) {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let path = PathBuf::from(root).join("tests/golden").join(kind).join(format!("{name}.json"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("{message}\n")).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected.trim_end() == message,
        "{} differs from what is rendered (UPDATE_GOLDEN=1 writes it):\n{message}",
        path.display()
    );
}
