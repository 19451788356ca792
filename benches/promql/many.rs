//! Many series.

use std::fmt::Write;
use std::fs;
use std::time::{Duration, Instant};

use watchbell::model::{LabelSet, Timestamp};
use watchbell::promql::eval::{Options, Value, instant, range as range_query};
use watchbell::promql::parse;
use watchbell::promql::series::{SampleValue, SeriesStore};

use crate::once::once;
use crate::report::Figure;

const SAMPLES: i64 = 2_000;
const INTERVAL: i64 = 15;
const QUERY: &str = "sum by (job) (rate(requests_total[5m]))";

/// Counters of 50 jobs with a sample every 15 s.
fn store(series: u32) -> SeriesStore {
    let mut store = SeriesStore::new();
    for number in 0..series {
        let labels = LabelSet::from([
            ("__name__", "requests_total"),
            ("job", &*format!("job-{}", number % 50)),
            ("instance", &*format!("host-{number}.example.org:9100")),
            ("handler", "/api/v1/query"),
            ("code", "200"),
        ]);
        let id = store.series(&labels);
        for index in 0..SAMPLES {
            let at = Timestamp::from_secs(index * INTERVAL);
            let value = SampleValue::Float(f64::from(number % 7 + 1) * index as f64);
            store.append_to(id, at, value, None).unwrap();
        }
    }
    store
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The median of so many runs.
fn median(runs: usize, mut run: impl FnMut()) -> f64 {
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..runs {
        let start = Instant::now();
        run();
        times.push(start.elapsed());
    }
    times.sort();
    milliseconds(times[runs / 2])
}

/// An instant query.
pub fn rate() {
    let store = store(10_000);
    let expr = parse(QUERY).unwrap();
    let options = Options::default();
    let mut at = SAMPLES * INTERVAL;
    let time = median(21, || {
        at -= 1;
        let outcome = instant(&expr, &store, Timestamp::from_secs(at), &options).unwrap();
        let Value::Vector(samples) = outcome.value else { panic!() };
        assert_eq!(samples.len(), 50);
    });
    drop(store);
    Figure::new("an instant, median of 21", time, "ms")
        .target(100.0)
        .peer("promtool", promtool())
        .print();
}

/// How long promtool needs for an instant, in milliseconds: what a unit test with the same series takes
/// longer with many of them than with one.
fn promtool() -> Option<f64> {
    const MORE: i64 = 20;
    let folder = tempfile::tempdir().ok()?;
    let mut text = format!("tests:\n- interval: {INTERVAL}s\n  input_series:\n");
    for number in 0..10_000 {
        let (job, step) = (number % 50, number % 7 + 1);
        let _ = writeln!(
            text,
            "  - series: 'requests_total{{job=\"job-{job}\",instance=\"host-{number}.example.org:9100\",\
             handler=\"/api/v1/query\",code=\"200\"}}'\n    values: '0+{step}x{}'",
            SAMPLES - 1
        );
    }
    text.push_str("  promql_expr_test:\n");
    let run = |instants: i64| {
        let mut text = text.clone();
        for number in 0..instants {
            let at = SAMPLES * INTERVAL - 1 - number;
            let _ = writeln!(text, "  - expr: {QUERY}\n    eval_time: {at}s");
        }
        fs::write(folder.path().join("test.yaml"), text).ok()?;
        Some(once("promtool", &["test", "rules", "test.yaml"], folder.path())?.time)
    };
    let one = run(1)?;
    Some((run(1 + MORE)? - one) / MORE as f64 * 1000.0)
}

/// A range query.
pub fn range() {
    let store = store(1_000);
    let expr = parse(QUERY).unwrap();
    let times = (Timestamp::from_secs(15_000), Timestamp::from_secs(15_000 + 499 * 30));
    let time = median(5, || {
        let step = Duration::from_secs(30);
        let outcome = range_query(&expr, &store, times, step, &Options::default()).unwrap();
        let Value::Matrix(series) = outcome.value else { panic!() };
        assert_eq!((series.len(), series[0].floats.len()), (50, 500));
    });
    Figure::new("500 steps, median of 5", time, "ms").print();
}
