use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::collect::Shown;
use crate::model::{IntegrationId, Timestamp};
use crate::telemetry::logging::subscriber;
use crate::telemetry::{
    BuildInfo, DeliveryFailure, DeliveryFailureLabels, GroupLabels, IntegrationLabels, LogFormat,
    LoggingError, MetricKind, Metrics, QueryFailureLabels, init,
};

fn metrics() -> Metrics {
    let build = BuildInfo { version: "1.2.3".to_string(), revision: "abc".to_string() };
    Metrics::new(&build, Timestamp::from_millis(1_700_000_000_500))
}

fn slack() -> IntegrationId {
    IntegrationId { receiver: "on\"call".into(), kind: "slack".into(), index: 0 }
}

#[test]
fn series_exist_from_the_start_and_go_with_their_group() {
    let metrics = metrics();
    let group = GroupLabels::new("rules/a.yaml;mlflow_alerts");
    metrics.set_groups(&[(group.clone(), Duration::from_secs(30))]);
    let text = metrics.encode();
    let failures = "watchbell_rule_evaluation_failures_total\
                    {rule_group=\"rules/a.yaml;mlflow_alerts\"} 0\n";
    assert!(text.contains(failures), "{text}");
    assert!(
        text.contains("watchbell_rule_group_interval_seconds{rule_group=\"rules/a.yaml;mlflow")
    );
    assert!(text.contains("watchbell_alerts{state=\"firing\"} 0\n"), "{text}");
    metrics.set_groups(&[]);
    assert!(!metrics.encode().contains("mlflow_alerts"));
}

#[test]
fn integrations_have_all_reasons_at_zero_and_are_escaped() {
    let metrics = metrics();
    metrics.set_integrations([&slack()]);
    let labels = IntegrationLabels::from(&slack());
    let failed = DeliveryFailureLabels::new(&labels, DeliveryFailure::RateLimited);
    metrics.delivery.failed.get_or_create(&failed).inc();
    let text = metrics.encode();
    let line = |reason: &str, count: u32| {
        format!(
            "watchbell_notifications_failed_total\
             {{integration=\"slack\",receiver=\"on\\\"call\",reason=\"{reason}\"}} {count}\n"
        )
    };
    assert!(text.contains(&line("rate_limited", 1)), "{text}");
    assert!(text.contains(&line("no_answer", 0)), "{text}");
    metrics.set_integrations([]);
    assert!(!metrics.encode().contains("slack"));
}

#[test]
fn the_text_is_openmetrics_and_every_metric_is_described() {
    let metrics = metrics();
    metrics.queries.queries.inc();
    metrics.queries.failures.get_or_create(&QueryFailureLabels { kind: "timeout" }).inc();
    metrics.set_integrations([&slack()]);
    metrics.set_groups(&[(GroupLabels::new("f;g"), Duration::from_secs(30))]);
    metrics.rules.last_evaluation.get_or_create(&GroupLabels::new("f;g")).set(1.5);
    metrics.http.answered("/-/ready", 200, Duration::from_millis(1));
    metrics.set_builtin(&["Watchdog"]);
    metrics.collector.answered(Timestamp::from_secs(1), true);
    metrics.collector.failed("timeout");
    let shown = Shown { counts: [1, 1, 0], last_failed: Some(Timestamp::from_secs(1)) };
    metrics.collector.show(&[("churn".to_string(), shown)].into(), 0);
    let text = metrics.encode();
    assert!(text.ends_with("# EOF\n"));
    assert!(text.contains("process_start_time_seconds 1700000000.5\n"), "{text}");
    assert!(text.contains("watchbell_build_info{version=\"1.2.3\",revision=\"abc\"} 1\n"));
    for doc in metrics.docs() {
        // Those that are not about this program are named after what they are about.
        let named = doc.name.starts_with("watchbell_") || doc.name.starts_with("mlflow_");
        assert!(named || doc.name == "process_start_time_seconds", "{}", doc.name);
        let sample = match doc.kind {
            MetricKind::Histogram => format!("\n{}_count", doc.name),
            MetricKind::Counter | MetricKind::Gauge => format!("\n{}", doc.name),
        };
        let with_labels = if doc.labels.is_empty() { " " } else { "{" };
        assert!(text.contains(&format!("{sample}{with_labels}")), "{} is missing", doc.name);
        let labelled = doc.labels.iter().all(|label| text.contains(&format!("{label}=\"")));
        assert!(labelled, "{} lacks one of {:?}", doc.name, doc.labels);
    }
    let types = text.lines().filter(|line| line.starts_with("# TYPE ")).count();
    assert_eq!(types, metrics.docs().len(), "a metric outside of the table");
}

/// A writer that keeps what is written.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn log(format: LogFormat, colours: bool) -> String {
    let sink = Sink::default();
    let writer = sink.clone();
    let made = move || writer.clone();
    let subscriber = subscriber(format, "info,watchbell::noise=error", made, colours).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        tracing::info!(group = "g", "evaluated\nrules");
        tracing::debug!("too fine");
        tracing::info!(target: "watchbell::noise", "filtered");
    });
    let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.lines().count(), if format == LogFormat::Json { 1 } else { 2 }, "{text}");
    text
}

#[test]
fn json_lines_hold_fields_beside_a_utc_time() {
    let text = log(LogFormat::Json, false);
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["message"], "evaluated\nrules");
    assert_eq!(line["group"], "g");
    assert_eq!(line["level"], "INFO");
    let time: jiff::Timestamp = line["timestamp"].as_str().unwrap().parse().unwrap();
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    assert!(time.as_second() > 1_700_000_000);
}

#[test]
fn text_is_coloured_on_demand_only() {
    assert!(log(LogFormat::Text, true).contains('\u{1b}'));
    let plain = log(LogFormat::Text, false);
    assert!(!plain.contains('\u{1b}') && plain.contains("INFO"), "{plain}");
}

#[test]
fn wrong_settings_are_named() {
    let error = init(LogFormat::Text, "watchbell=loud").unwrap_err();
    assert!(error.to_string().contains("watchbell=loud"), "{error}");
    assert!(matches!("xml".parse::<LogFormat>(), Err(LoggingError::Format(_))));
    assert_eq!("json".parse::<LogFormat>().unwrap(), LogFormat::Json);
}

#[test]
fn what_is_collected_is_shown_as_long_as_it_is_there() {
    let metrics = metrics();
    assert!(!metrics.encode().contains("watchbell_collector_up{"), "nothing is collected");
    let failed_at = Timestamp::from_millis(1_500);
    let churn = Shown { counts: [3, 1, 0], last_failed: Some(failed_at) };
    let both = [("churn".to_string(), churn), ("a\"\nb".to_string(), Shown::default())];
    metrics.collector.show(&both.into(), 2);
    metrics.collector.answered(Timestamp::from_secs(9), false);
    let text = metrics.encode();
    for line in [
        r#"mlflow_runs_finished_total{status="FINISHED",experiment="churn"} 3"#,
        r#"mlflow_runs_finished_total{status="FAILED",experiment="churn"} 1"#,
        r#"mlflow_runs_finished_total{status="FAILED",experiment="a\"\nb"} 0"#,
        r#"mlflow_last_failed_run_timestamp_seconds{experiment="churn"} 1.5"#,
        r#"watchbell_collector_up{collector="mlflow"} 1"#,
        r#"watchbell_collector_experiments_merged{collector="mlflow"} 2"#,
    ] {
        assert!(text.contains(&format!("{line}\n")), "{line}\n{text}");
    }
    metrics.collector.failed("connect");
    let lower = Shown { counts: [2, 1, 0], last_failed: None };
    metrics.collector.show(&[("churn".to_string(), lower)].into(), 0);
    let text = metrics.encode();
    assert!(text.contains("status=\"FINISHED\",experiment=\"churn\"} 2\n"), "{text}");
    assert!(
        text.contains("collector_up{collector=\"mlflow\"} 0\n") && !text.contains("b\"} 0"),
        "{text}"
    );
    assert!(!text.contains("timestamp_seconds{experiment"), "{text}");
    metrics.collector.clear();
    let text = metrics.encode();
    assert!(!text.contains("churn") && !text.contains("collector_up{collector"), "{text}");
}
