//! Small evaluations.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use watchbell::model::{LabelSet, Timestamp};
use watchbell::promql::eval::{Options, instant};
use watchbell::promql::parse;
use watchbell::promql::series::{SampleValue, SeriesStore};

use crate::report::Figure;

/// Expressions as alert rules have them.
const EXPRESSIONS: &[&str] = &[
    "up == 0",
    "sum by (job) (rate(errors_total[5m])) / sum by (job) (rate(requests_total[5m])) > 0.05",
    "avg_over_time(up[10m]) < 0.5 and on (job) count by (job) (up) > 1",
    "predict_linear(free_bytes[30m], 3600) < 0",
    "label_replace(up, \"host\", \"$1\", \"instance\", \"(.*):.*\") == 1",
    "absent(missing{job=\"a\"})",
    "max by (instance) (max_over_time(free_bytes[10m:1m])) / 1e9",
    "topk(3, requests_total) * on (instance, job) group_left () up",
];
const SERIES: u32 = 20;
const MINUTES: u32 = 120;
const ROUNDS: u32 = 120;

/// The samples of one metric of one instance: a line, a sample each minute.
fn slope(metric: &str, instance: u32) -> (f64, f64) {
    match metric {
        "up" => (f64::from(u8::from(!instance.is_multiple_of(5))), 0.0),
        "free_bytes" => (1e9, -1e6 * f64::from(instance)),
        _ => (0.0, f64::from(instance + 1)),
    }
}

const METRICS: [&str; 4] = ["up", "requests_total", "errors_total", "free_bytes"];

fn store() -> SeriesStore {
    let mut store = SeriesStore::new();
    for (metric, instance) in METRICS.iter().flat_map(|m| (0..SERIES).map(move |i| (*m, i))) {
        let labels = LabelSet::from([
            ("__name__", metric),
            ("job", if instance.is_multiple_of(2) { "a" } else { "b" }),
            ("instance", &*format!("host-{instance}:9100")),
        ]);
        let (base, step) = slope(metric, instance);
        for minute in 0..=MINUTES {
            let at = Timestamp::from_secs(i64::from(minute) * 60);
            let value = SampleValue::Float(base + step * f64::from(minute));
            store.append(&labels, at, value).unwrap();
        }
    }
    store
}

/// The same as a unit test for promtool.
fn unit_test() -> String {
    let mut text = "evaluation_interval: 1m\ntests:\n- interval: 1m\n  input_series:\n".to_string();
    for (metric, instance) in METRICS.iter().flat_map(|m| (0..SERIES).map(move |i| (*m, i))) {
        let (base, step) = slope(metric, instance);
        let job = if instance.is_multiple_of(2) { "a" } else { "b" };
        let labels = format!("job=\"{job}\",instance=\"host-{instance}:9100\"");
        let _ = writeln!(text, "  - series: '{metric}{{{labels}}}'");
        let _ = writeln!(text, "    values: '{base}+{step}x{MINUTES}'");
    }
    text.push_str("  promql_expr_test:\n");
    for round in 0..ROUNDS {
        for expression in EXPRESSIONS {
            // What comes out differs from what is expected: none of them is compared in full.
            let expression = format!("count({}) + 0 == bool -1", expression.replace('\'', ""));
            let _ = writeln!(text, "  - expr: '{expression}'");
            let _ = writeln!(text, "    eval_time: {round}m\n    exp_samples: [{{value: 0}}]");
        }
    }
    text
}

/// How long promtool needs, in milliseconds, if it is installed.
fn promtool() -> Option<f64> {
    let folder = tempfile::tempdir().ok()?;
    let file = folder.path().join("test.yaml");
    std::fs::write(&file, unit_test()).ok()?;
    let run = |file: &Path| {
        let mut command = Command::new("promtool");
        command.args(["test", "rules"]).arg(file).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().ok()
    };
    let start = Instant::now();
    run(&file)?;
    Some(start.elapsed().as_secs_f64() * 1000.0)
}

pub fn run() {
    let store = store();
    let expressions = EXPRESSIONS.iter().map(|text| parse(text).unwrap());
    let expressions: Vec<_> = expressions.collect();
    let options = Options::default();
    let start = Instant::now();
    for round in 0..ROUNDS {
        let at = Timestamp::from_secs(i64::from(round) * 60);
        for expr in &expressions {
            instant(expr, &store, at, &options).unwrap();
        }
    }
    let time = start.elapsed().as_secs_f64() * 1000.0;
    let count = ROUNDS as usize * expressions.len();
    let what = format!("{count} evaluations on {} series", METRICS.len() as u32 * SERIES);
    Figure::new(&what, time, "ms").peer("promtool", promtool()).print();
}
