//! The querier against a real Prometheus, which scrapes itself and our own metrics.
//!
//! Needs the program `prometheus` (`apt-get install prometheus`). Without it the test is skipped,
//! and a line says so.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)] // it is a test

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use watchbell::clock::{Clock, SystemClock};
use watchbell::model::{Secret, Timestamp};
use watchbell::query::{
    ApiErrorKind, DatasourceConfig, Prometheus, Querier, QueryError, QueryValue,
};
use watchbell::telemetry::{self, BuildInfo, GroupLabels, Metrics};

/// A running Prometheus with its folder; both end with it.
struct Server {
    child: Child,
    folder: PathBuf,
    url: String,
}

impl Server {
    /// Starts Prometheus below the prefix `/prom`, or returns `None` where there is none.
    fn start(exporter: u16) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("watchbell-query-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}\n\
             scrape_configs:\n\
             - job_name: prometheus\n  \
               metrics_path: /prom/metrics\n  \
               static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n\
             - job_name: watchbell\n  \
               static_configs: [{{targets: ['127.0.0.1:{exporter}']}}]\n"
        );
        std::fs::write(folder.join("prometheus.yml"), config).unwrap();
        let spawned = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg(format!("--web.external-url=http://127.0.0.1:{port}/prom"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match spawned {
            Ok(child) => Some(Self { child, folder, url: format!("http://127.0.0.1:{port}/prom") }),
            Err(_) => {
                let _ = std::fs::remove_dir_all(&folder);
                None
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Serves our own metrics, as the daemon will.
async fn exporter() -> u16 {
    let build = BuildInfo { version: "0.0.0".to_string(), revision: String::new() };
    let metrics = Arc::new(Metrics::new(&build, Timestamp::from_secs(1_700_000_000)));
    let group = GroupLabels::new("rules/a.yaml;mlflow \"alerts\"\\");
    metrics.set_groups(&[(group.clone(), Duration::from_secs(30))]);
    metrics.rules.evaluations.get_or_create(&group).inc_by(7);
    metrics.queries.duration.observe(0.2);
    let page = move || async move { ([(CONTENT_TYPE, telemetry::CONTENT_TYPE)], metrics.encode()) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = Router::new().route("/metrics", get(page));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    port
}

/// The values of an expression now.
async fn values(querier: &Prometheus, query: &str) -> Vec<f64> {
    match querier.instant(query, SystemClock::new().now().wall).await.unwrap().value {
        QueryValue::Vector(vector) => vector.iter().map(|sample| sample.value).collect(),
        other => panic!("{query}: {other:?}"),
    }
}

/// Waits until both targets have been scraped, 30 s at most.
async fn wait_until_scraped(querier: &Prometheus) {
    let start = Instant::now();
    loop {
        let now = SystemClock::new().now().wall;
        let answer = querier.instant("sum(up)", now).await;
        if let Ok(QueryValue::Vector(vector)) = answer.as_ref().map(|a| a.value.clone())
            && vector.iter().any(|sample| sample.value == 2.0)
        {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "not scraped: {answer:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_a_real_prometheus() {
    let Some(server) = Server::start(exporter().await) else {
        eprintln!("skipped: queries_a_real_prometheus: no program `prometheus` here");
        return;
    };
    let querier =
        Prometheus::new(&DatasourceConfig::new(Secret::new(server.url.as_str()))).unwrap();
    wait_until_scraped(&querier).await;
    values_of_all_types(&querier).await;
    our_own_metrics_are_readable(&querier).await;
    errors_are_typed(&querier).await;
    ranges(&querier).await;
    status(&querier).await;
}

async fn values_of_all_types(querier: &Prometheus) {
    let now = SystemClock::new().now().wall;
    let answer = querier.instant("up{job=\"prometheus\"}", now).await.unwrap();
    let QueryValue::Vector(vector) = &answer.value else { panic!("{answer:?}") };
    let [sample] = vector.as_slice() else { panic!("{answer:?}") };
    assert_eq!((sample.value, sample.timestamp), (1.0, now), "{answer:?}");
    assert_eq!(sample.labels.get("__name__"), Some("up"));
    assert_eq!(sample.labels.get("job"), Some("prometheus"));

    for (query, value) in [
        ("1 + 1", QueryValue::Scalar(2.0)),
        ("time()", QueryValue::Scalar(now.as_secs_f64())),
        ("\"a \\\"text\\\" é\"", QueryValue::String("a \"text\" é".to_string())),
        ("absent(up)", QueryValue::Vector(Vec::new())),
    ] {
        assert_eq!(querier.instant(query, now).await.unwrap().value, value, "{query}");
    }
    assert_eq!(values(querier, "vector(-1/0)").await, [f64::NEG_INFINITY]);
    assert!(values(querier, "vector(0/0)").await.iter().all(|value| value.is_nan()));
    let answer = querier.instant("up[1m]", now).await.unwrap();
    let QueryValue::Matrix(series) = &answer.value else { panic!("{answer:?}") };
    assert!(series.len() == 2 && series.iter().all(|s| !s.samples.is_empty()), "{answer:?}");
}

async fn our_own_metrics_are_readable(querier: &Prometheus) {
    for (query, value) in [
        ("watchbell_rule_evaluations_total{rule_group='rules/a.yaml;mlflow \"alerts\"\\\\'}", 7.0),
        ("watchbell_query_duration_seconds_bucket{le=\"0.25\"}", 1.0),
        ("watchbell_query_duration_seconds_bucket{le=\"0.1\"}", 0.0),
        ("watchbell_build_info{version=\"0.0.0\"}", 1.0),
        ("process_start_time_seconds{job=\"watchbell\"}", 1_700_000_000.0),
        ("watchbell_alerts{state=\"firing\"}", 0.0),
    ] {
        assert_eq!(values(querier, query).await, [value], "{query}");
    }
}

async fn errors_are_typed(querier: &Prometheus) {
    let now = SystemClock::new().now().wall;
    for (query, expected, part) in [
        ("up{", ApiErrorKind::BadData, "parse error"),
        ("up + on(cluster) up", ApiErrorKind::Execution, "many-to-many"),
    ] {
        let error = querier.instant(query, now).await.unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        let QueryError::Api { kind, .. } = error else { panic!("{error:?}") };
        assert_eq!(kind, expected, "{query}");
    }
}

async fn ranges(querier: &Prometheus) {
    let now = SystemClock::new().now().wall;
    let step = Duration::from_secs(1);
    // More points than one answer may hold: two hundred thousand seconds.
    let start = now - step * 200_000;
    let answer = querier.range("vector(1)", start, now, step).await.unwrap();
    let [series] = answer.series.as_slice() else { panic!("{} series", answer.series.len()) };
    assert_eq!(series.samples.len(), 200_001);
    let steps = series.samples.windows(2).all(|w| w[1].0.since(w[0].0) == step);
    assert!(steps, "each second once");
    assert_eq!(series.samples.first().map(|(at, _)| *at), Some(start));
}

async fn status(querier: &Prometheus) {
    assert!(querier.is_ready().await.unwrap());
    let build = querier.build_info().await.unwrap().unwrap();
    assert!(build.version.split('.').count() >= 3, "{build:?}");
    let started = querier.started_at().await.unwrap().unwrap();
    let up_for = SystemClock::new().now().wall.since(started);
    assert!(up_for > Duration::ZERO && up_for < Duration::from_secs(60), "{up_for:?}");
}
