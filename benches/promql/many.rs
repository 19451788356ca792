//! Many series.

use std::time::{Duration, Instant};

use watchbell::model::{LabelSet, Timestamp};
use watchbell::promql::eval::{Options, Value, instant, range as range_query};
use watchbell::promql::parse;
use watchbell::promql::series::{SampleValue, SeriesStore};

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
    Figure::new("an instant, median of 21", time, "ms").target(100.0).print();
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
