//! 100,000 alerts against 5,000 active silences.

use std::time::{Duration, Instant};

use watchbell::engine::Dispatcher;
use watchbell::model::{MatchOp, Matcher, Matchers, SilenceDraft};

use crate::report::{Figure, note};
use crate::routing::{evaluate, flush_all, later, rules, setup, start};
use crate::stub::{ALERTS, GROUPS};

/// How many silences there are.
const SILENCES: usize = 5_000;

pub fn run(_: Option<u64>) {
    let alerts = (ALERTS * GROUPS) as f64;
    let mut times = [0.0; 2];
    for (silenced, took) in [false, true].into_iter().zip(&mut times) {
        let mut dispatcher = Dispatcher::new(setup("[alertname, node]"));
        if silenced {
            silence(&mut dispatcher);
        }
        evaluate(&mut rules(), &mut dispatcher, 95.0, start());
        let now = later(start(), Duration::from_secs(2));
        let began = Instant::now();
        flush_all(&mut dispatcher, now);
        *took = began.elapsed().as_secs_f64();
        if silenced {
            let held = dispatcher.counts(now).suppressed;
            let silences = dispatcher.silences().iter().len();
            note(&format!("{silences} silences hold {held} alerts"));
        }
    }
    let [without, with] = times;
    Figure::new("flush of 100,000 alerts without silences", without, "s").print();
    Figure::new("flush with 5,000 active silences", with, "s").print();
    Figure::new("more for each alert", (with - without) / alerts * 1e6, "us").print();
}

/// As people write them: most about one pod, some about a node or a rule in part, and some with an
/// expression that begins with anything.
fn silence(dispatcher: &mut Dispatcher) {
    let now = start();
    let equal = |name: &str, value: String| Matcher::new(name, MatchOp::Equal, value);
    let regex = |name: &str, value: String| Matcher::new(name, MatchOp::Regex, value);
    for number in 0..SILENCES {
        let (rule, other) = (number % GROUPS, number / GROUPS);
        let pod = format!("mlflow-worker-{rule:02}-7f9c6d5b8-{other:05}");
        let matchers = match number % 10 {
            0 => vec![
                equal("alertname", format!("Load_{rule}_0")),
                regex("node", format!("node-0{}[.].*", other % 10)),
                equal("namespace", "mlflow-dev".to_string()),
            ],
            1 => vec![regex("pod", format!("mlflow-worker-{rule:02}-.*-{other:05}|{pod}-x"))],
            2 if number < 500 => vec![regex("pod", format!(".*-{number:05}-(blue|green)"))],
            _ => vec![equal("pod", pod), equal("namespace", "mlflow-prod".to_string())],
        };
        let matchers: Result<Vec<Matcher>, _> = matchers.into_iter().collect();
        let draft = SilenceDraft {
            id: None,
            matchers: Matchers(matchers.expect("good matchers")),
            starts_at: now.wall,
            ends_at: now.wall + Duration::from_secs(3600),
            created_by: "on-call".to_string(),
            comment: "load".to_string(),
        };
        let id = format!("00000000-0000-4000-8000-{number:012}").parse().expect("a uuid");
        dispatcher.set_silence(draft, id, now).expect("a good silence");
    }
}
