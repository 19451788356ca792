//! A datasource that answers every rule at once, and a receiver that counts.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use crate::server;

/// How many alerts a rule gives that gives many.
pub const ALERTS: usize = 1_000;
/// How many rules give many: the first of each group.
pub const GROUPS: usize = 100;
/// How many rules there are in a group where all 10,000 are evaluated.
pub const RULES: usize = 100;

/// The labels of one sample, apart from the metric's name: a container in a cluster.
pub fn labels(rule: usize, number: usize) -> Vec<(&'static str, String)> {
    vec![
        ("container", "worker".to_string()),
        ("instance", format!("10.0.{}.{}:10250", rule % 250, number % 250)),
        ("job", "kubelet".to_string()),
        ("namespace", "mlflow-prod".to_string()),
        ("node", format!("node-{:02}.eu-west-1.example.com", number % 10)),
        ("pod", format!("mlflow-worker-{rule:02}-7f9c6d5b8-{number:05}")),
    ]
}

/// The datasource. While `many` is set, the first rule of each group has [`ALERTS`] samples;
/// otherwise one rule in a hundred has one.
pub struct Datasource {
    pub url: String,
    pub many: Arc<AtomicBool>,
}

impl Datasource {
    pub fn start() -> Self {
        let many = Arc::new(AtomicBool::new(false));
        let set = Arc::clone(&many);
        let bodies: Vec<OnceLock<Arc<String>>> = (0..GROUPS).map(|_| OnceLock::new()).collect();
        let ones: Vec<Arc<String>> = (0..GROUPS).map(|group| Arc::new(vector(group, 1))).collect();
        let none = Arc::new(vector(0, 0));
        let address = server::start(move |path, body| {
            if path == "/metrics" {
                return Arc::new(exposition());
            }
            // `query=load_7_0+%3E+0.9`: the rule and the group that it names.
            let names = body.split("load_").nth(1).unwrap_or("").split(['+', '&', '%', ' ']);
            let numbers = names.take(1).flat_map(|name| name.split('_'));
            let numbers: Vec<usize> = numbers.filter_map(|n| n.parse().ok()).collect();
            match numbers[..] {
                [group, 0] if set.load(Ordering::Relaxed) => {
                    Arc::clone(bodies[group].get_or_init(|| Arc::new(vector(group, ALERTS))))
                }
                [group, 0] => Arc::clone(&ones[group]),
                _ => Arc::clone(&none),
            }
        });
        Self { url: format!("http://{address}"), many }
    }
}

/// The answer to a query, with so many samples.
fn vector(rule: usize, count: usize) -> String {
    let samples = (0..count).map(|number| {
        let labels = labels(rule, number).into_iter();
        let labels: Vec<String> = labels.map(|(n, v)| format!("\"{n}\":\"{v}\"")).collect();
        format!(
            "{{\"metric\":{{\"__name__\":\"load_{rule}_0\",{}}},\"value\":[1700000000,\"0.95\"]}}",
            labels.join(",")
        )
    });
    let samples: Vec<String> = samples.collect();
    format!(
        "{{\"status\":\"success\",\"data\":{{\"resultType\":\"vector\",\"result\":[{}]}}}}",
        samples.join(",")
    )
}

/// One series for each rule, for a Prometheus that evaluates the same rules itself.
fn exposition() -> String {
    let series = (0..GROUPS).flat_map(|group| (0..RULES).map(move |rule| (group, rule)));
    let value = |rule| if rule == 0 { "0.95" } else { "0.5" };
    series.map(|(group, rule)| format!("load_{group}_{rule} {}\n", value(rule))).collect()
}

/// A webhook's receiver that remembers which alerts of the load it was told of. Watchbell's own, as of
/// evaluations that an overloaded machine missed, are none of them.
pub struct Sink {
    pub url: String,
    known: Arc<Mutex<HashSet<String>>>,
}

impl Sink {
    pub fn start() -> Self {
        let known: Arc<Mutex<HashSet<String>>> = Arc::default();
        let told = Arc::clone(&known);
        let address = server::start(move |_, body| {
            let message: serde_json::Value = serde_json::from_str(body).expect("JSON");
            let of_load = |alert: &&serde_json::Value| {
                alert["labels"]["alertname"].as_str().is_some_and(|name| name.starts_with("Load_"))
            };
            let alerts = message["alerts"].as_array().expect("alerts").iter().filter(of_load);
            let fingerprints = alerts.filter_map(|a| a["fingerprint"].as_str().map(str::to_string));
            told.lock().expect("no panic").extend(fingerprints);
            Arc::new("{}".to_string())
        });
        Self { url: format!("http://{address}/"), known }
    }

    /// How many different alerts it knows of.
    pub fn count(&self) -> usize {
        self.known.lock().expect("no panic").len()
    }
}
