//! 100,000 alerts through the alerting step, into groups, and to the notifications that are owed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use watchbell::alerting::{ActiveSample, AlertState, RuleAlerts, RuleTiming};
use watchbell::config::Loaded;
use watchbell::daemon::routing_setup;
use watchbell::engine::{Dispatcher, Observation, RoutingSetup};
use watchbell::model::{LabelSet, Monotonic, Now, RuleKey, Timestamp};

use crate::process::mebibytes;
use crate::report::{Figure, note};
use crate::stub::{ALERTS, GROUPS, Sink, labels};
use crate::{alerts, files, peers};

/// When everything begins.
pub fn start() -> Now {
    Now { wall: Timestamp::from_secs(1_700_000_000), mono: Monotonic::from_millis(0) }
}

pub fn later(now: Now, time: Duration) -> Now {
    Now { wall: now.wall + time, mono: now.mono + time }
}

/// The routes of the daemon that is measured, or others by `group_by`.
pub fn setup(group_by: &str) -> Arc<RoutingSetup> {
    Arc::new(routing_setup(&load(group_by, "").config))
}

/// The configuration of the daemon that is measured, with more integrations of its receiver: one
/// line of YAML each.
pub fn load(group_by: &str, integrations: &str) -> Loaded {
    let folder = tempfile::tempdir().expect("a folder");
    files::watchbell(folder.path(), 1, "15s", "http://127.0.0.1:9090", "http://127.0.0.1:9/");
    let path = folder.path().join("watchbell.yaml");
    let config = std::fs::read_to_string(&path).expect("a file");
    let config = config.replace("[alertname, node]", group_by);
    let config = config.replace("webhook_configs", &format!("{integrations}webhook_configs"));
    std::fs::write(&path, config).expect("a file");
    Loaded::load(&path).expect("a good configuration")
}

/// The samples of one evaluation of one rule, made anew as an evaluation makes them.
pub fn samples(rule: usize, value: f64) -> Vec<ActiveSample> {
    let sample = |number| {
        let mut builder = LabelSet::new().to_builder();
        for (name, value) in labels(rule, number) {
            builder.set(name, value);
        }
        builder.set("alertname", format!("Load_{rule}_0"));
        builder.set("severity", "warning").set("service", "mlflow");
        let labels = builder.build();
        let texts = files::ANNOTATIONS.map(|(name, text)| {
            let text = text.replace("{{ $labels.pod }}", labels.value("pod"));
            let text = text.replace("{{ $labels.node }}", labels.value("node"));
            let text = text.replace("{{ $labels.container }}", labels.value("container"));
            (name, text.replace("{{ $value | humanizePercentage }}", &format!("{value}%")))
        });
        ActiveSample { annotations: texts.into_iter().collect(), labels, value }
    };
    (0..ALERTS).map(sample).collect()
}

/// A rule and its alerts.
pub struct Rule {
    key: RuleKey,
    alerts: RuleAlerts,
}

/// Evaluates every rule once; gives the seconds that the step and the routing took.
pub fn evaluate(rules: &mut [Rule], dispatcher: &mut Dispatcher, value: f64, now: Now) -> [f64; 2] {
    let mut times = [Duration::ZERO; 2];
    for (number, rule) in rules.iter_mut().enumerate() {
        let vector = samples(number, value);
        let began = Instant::now();
        let step = rule.alerts.step(&RuleTiming::default(), vector, now.wall);
        times[0] += began.elapsed();
        let began = Instant::now();
        let firing = rule.alerts.active().filter(|(_, alert)| alert.state == AlertState::Firing);
        let firing = if step.transitions.is_empty() {
            firing.map(|(_, alert)| alert.clone()).collect()
        } else {
            Vec::new()
        };
        let observation = Observation { transitions: step.transitions, firing };
        // The daemon commits the changes; here they are dropped.
        drop(dispatcher.observe(&rule.key, "http://127.0.0.1/graph", observation, now));
        times[1] += began.elapsed();
    }
    times.map(|time| time.as_secs_f64())
}

pub fn rules() -> Vec<Rule> {
    let key =
        |rule| RuleKey::new("rules.yaml", format!("load-{rule}"), format!("Load_{rule}_0"), 0);
    (0..GROUPS).map(|rule| Rule { key: key(rule), alerts: RuleAlerts::default() }).collect()
}

/// Flushes every group that is due, in turns as the dispatch loop does; gives the number of changes.
pub fn flush_all(dispatcher: &mut Dispatcher, now: Now) -> usize {
    let mut changes = 0;
    while dispatcher.next_deadline(false).is_some_and(|at| at <= now.mono) {
        let mut part = Vec::new();
        dispatcher.flush_due(now, 10_000, &mut part);
        changes += part.len();
    }
    changes
}

pub fn run(_: Option<u64>) {
    let before = mebibytes("self", "VmRSS");
    let mut dispatcher = Dispatcher::new(setup("[alertname, node]"));
    let (mut rules, now) = (rules(), start());
    let [step, observe] = evaluate(&mut rules, &mut dispatcher, 95.0, now);
    let now = later(now, Duration::from_secs(2));
    let began = Instant::now();
    let changes = flush_all(&mut dispatcher, now);
    let flush = began.elapsed().as_secs_f64();
    let again = evaluate(&mut rules, &mut dispatcher, 96.0, later(now, Duration::from_secs(15)));
    let peer = alertmanager();
    Figure::new("step, groups and notifications", step + observe + flush, "s").target(1.0).print();
    Figure::new("of it the alerting step", step, "s").print();
    Figure::new("of it routing into groups", observe, "s").peer("Alertmanager", peer).print();
    Figure::new("of it the flush of 1,000 groups", flush, "s").print();
    Figure::new("a round in which every value changes", again[0] + again[1], "s").print();
    let memory = mebibytes("self", "VmRSS") - before;
    Figure::new("memory of all that, with what waits to be told", memory, "MiB").print();
    note(&format!("{changes} changes of the flush for the store"));
}

/// How long Alertmanager's dispatcher takes for as many alerts, by its own metric, in seconds.
fn alertmanager() -> Option<f64> {
    let folder = tempfile::tempdir().expect("a folder");
    let sink = Sink::start();
    let routes = files::route("1s", "[alertname, node]", &sink.url);
    let mut peer = peers::alertmanager(folder.path(), &routes)?;
    peer.wait_until_ready();
    Some(alerts::post_all(&peer))
}
