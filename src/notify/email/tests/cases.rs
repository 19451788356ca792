//! Notifications that mails have to show well.

use std::time::Duration;

use crate::model::{
    Alert, GroupKey, IntegrationId, LabelSet, Notification, NotifiedAlert, NotifyReason, Timestamp,
};

/// 2026-03-14 09:26:53 UTC, a Saturday morning.
pub(super) const NOW: Timestamp = Timestamp::from_secs(1_773_480_413);

pub(super) fn at(minutes_ago: u64) -> Timestamp {
    NOW - Duration::from_secs(minutes_ago * 60)
}

pub(super) fn notification(alerts: Vec<NotifiedAlert>, group: &[&str]) -> Notification {
    let first = alerts.first().map(|a| a.alert.labels.clone()).unwrap_or_default();
    Notification {
        group_key: GroupKey("{}:{alertname=\"x\"}".into()),
        integration: IntegrationId {
            receiver: "mlflow-oncall".into(),
            kind: "email".into(),
            index: 0,
        },
        group_labels: first.filtered(|name| group.contains(&name)),
        alerts,
        reason: NotifyReason::FirstNotification,
        created_at: NOW,
    }
}

pub(super) fn alert(
    labels: &[(&str, &str)],
    annotations: &[(&str, &str)],
    value: f64,
    minutes: (u64, Option<u64>),
) -> NotifiedAlert {
    let labels: LabelSet = labels.iter().copied().collect();
    let graph = format!(
        "https://prometheus.example.com/graph?g0.expr={}+%3E+80&g0.tab=1",
        labels.alertname().to_lowercase()
    );
    NotifiedAlert {
        alert: Alert {
            labels: labels.to_builder().set_all(&[("cluster", "mlflow-prod")]),
            annotations: annotations.iter().copied().collect(),
            starts_at: at(minutes.0),
            ends_at: minutes.1.map(at),
            generator_url: graph.into(),
            value: Some(value),
        }
        .into(),
        missed: false,
    }
}

trait SetAll {
    fn set_all(self, pairs: &[(&str, &str)]) -> LabelSet;
}

impl SetAll for crate::model::LabelSetBuilder {
    fn set_all(mut self, pairs: &[(&str, &str)]) -> LabelSet {
        for (name, value) in pairs {
            self.set(*name, *value);
        }
        self.build()
    }
}

fn server_down(ended: Option<u64>) -> NotifiedAlert {
    alert(
        &[("alertname", "MLflowServerDown"), ("job", "mlflow-server"), ("severity", "critical")],
        &[
            ("summary", "MLflow server mlflow-server is down: mlflow-0.mlflow:5000"),
            (
                "description",
                "No scrape of the tracking server has succeeded for a minute. Training runs \
                 cannot log, and the model registry does not answer.",
            ),
            ("runbook_url", "https://runbooks.example.com/mlflow/MLflowServerDown"),
        ],
        0.0,
        (3, ended),
    )
}

fn cpu(node: &str, value: f64, minutes: (u64, Option<u64>)) -> NotifiedAlert {
    let summary = format!("CPU of {node} is at {value:.1} %");
    alert(
        &[
            ("alertname", "HighCPUUsage"),
            ("instance", node),
            ("job", "node"),
            ("severity", "warning"),
        ],
        &[
            ("summary", &summary),
            ("runbook_url", "https://runbooks.example.com/mlflow/HighCPUUsage"),
            ("dashboard_url", "https://grafana.example.com/d/nodes?var-cluster=mlflow-prod"),
        ],
        value,
        minutes,
    )
}

/// The cases by name.
pub(super) fn all() -> Vec<(&'static str, Notification)> {
    let mut missed = server_down(Some(1));
    missed.missed = true;
    let by_name = &["alertname"][..];
    vec![
        ("critical", notification(vec![server_down(None)], by_name)),
        (
            "several",
            notification(
                vec![
                    cpu("node-1.mlflow-prod.internal:9100", 97.25, (128, None)),
                    cpu("node-2.mlflow-prod.internal:9100", 88.5, (44, None)),
                    cpu("node-7.mlflow-prod.internal:9100", 81.0, (6, None)),
                ],
                by_name,
            ),
        ),
        (
            "mixed",
            notification(
                vec![
                    server_down(None),
                    cpu("node-1.mlflow-prod.internal:9100", 97.25, (128, None)),
                    cpu("node-2.mlflow-prod.internal:9100", 88.5, (44, Some(2))),
                ],
                &["cluster"],
            ),
        ),
        ("resolved", notification(vec![server_down(Some(1))], by_name)),
        (
            "missed",
            notification(vec![missed, cpu("node-2:9100", 88.5, (44, Some(2)))], &["cluster"]),
        ),
        ("storm", notification(storm(), &["cluster"])),
        ("hostile", notification(vec![hostile()], by_name)),
        ("bare", notification(vec![bare()], &[])),
    ]
}

/// Three hundred alerts, some of them over.
fn storm() -> Vec<NotifiedAlert> {
    let mut alerts: Vec<NotifiedAlert> = (0..300)
        .map(|i| {
            let pod = format!("trainer-{i:03}-7c9f8d6b5-x2x4z");
            let name = if i % 3 == 0 { "HighMemoryUsage" } else { "PodCrashLooping" };
            let severity = if i % 3 == 0 { "warning" } else { "critical" };
            let summary = format!("Pod {pod} restarted {} times within 15 minutes", 3 + i % 5);
            let end = (i >= 280).then_some(1);
            let labels = [
                ("alertname", name),
                (
                    "namespace",
                    ["mlflow-prod", "mlflow-dev", "batch"]
                        [usize::from(i % 8 > 4) + usize::from(i % 8 == 7)],
                ),
                ("pod", &pod),
                ("severity", severity),
            ];
            let annotations =
                [("summary", summary.as_str()), ("runbook_url", "https://runbooks.example.com/x")];
            alert(
                &labels,
                &annotations,
                f64::from(u32::try_from(i).unwrap() % 5 + 3),
                (i / 10 + 5, end),
            )
        })
        .collect();
    alerts.sort_by(|a, b| a.order().cmp(&b.order()));
    alerts
}

/// Labels that would like to be HTML, headers, links and other people's words.
fn hostile() -> NotifiedAlert {
    let mut alert = alert(
        &[
            ("alertname", "<script>alert('pwned')</script>"),
            ("instance", "a\r\nBcc: everyone@example.com\r\n\r\n<h1>body</h1>"),
            ("path", "\u{202e}gnp.exe & \"quotes\" 'single' \u{200b}hidden"),
            ("severity", "critical\"><img src=x onerror=alert(1)>"),
            ("long", &"WWWWWWWWWW".repeat(60)),
            ("größe", "Straße 漢字 🔥"),
        ],
        &[
            ("summary", "{{ .Labels }} <b>not bold</b> </div></table> &amp; \u{7}bell"),
            (
                "description",
                &"first line\nsecond line <a href='https://evil.example'>click</a> ".repeat(40),
            ),
            ("runbook_url", "javascript:alert(document.cookie)"),
            ("dashboard_url", "https://grafana.example.com/d/x?a=\"><script>1</script>"),
        ],
        f64::NAN,
        (0, None),
    );
    std::sync::Arc::make_mut(&mut alert.alert).generator_url =
        "data:text/html,<script>alert(1)</script>".into();
    alert
}

/// An alert with nothing but its name, as any client may post it.
fn bare() -> NotifiedAlert {
    let mut alert = alert(&[("alertname", "Posted")], &[], 0.0, (60 * 50, None));
    std::sync::Arc::make_mut(&mut alert.alert).generator_url = "".into();
    std::sync::Arc::make_mut(&mut alert.alert).value = None;
    alert
}
