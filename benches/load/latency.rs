//! From a changed sample to a received webhook, at an interval of 1 s and a group_wait of 0.
//!
//! First with a datasource that has the sample at once, as the target says. Then both Watchbell
//! and Alertmanager behind one Prometheus that scrapes every second; that adds the scrape.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::process::{Process, wait_until};
use crate::report::{Figure, median, note, worst};
use crate::{files, peers, server};

/// How many samples change.
const TRIALS: usize = 25;
/// The time between two: out of step with every interval.
const PACE: Duration = Duration::from_millis(1370);

/// The samples that have changed so far, and when each message about one came.
#[derive(Clone, Default)]
struct World {
    changed: Arc<Mutex<Vec<Instant>>>,
    told: Arc<Mutex<HashMap<(String, usize), Instant>>>,
}

impl World {
    /// A datasource, an exporter (`/metrics`) and receivers (`/hook/…`) in one.
    fn serve(&self) -> String {
        let world = self.clone();
        format!("http://{}", server::start(move |path, body| Arc::new(world.answer(path, body))))
    }

    fn answer(&self, path: &str, body: &str) -> String {
        let trials = self.changed.lock().expect("no panic").len();
        if path == "/metrics" {
            return (0..trials).map(|n| format!("fault{{trial=\"{n}\"}} 1\n")).collect();
        }
        if let Some(who) = path.strip_prefix("/hook/") {
            let now = Instant::now();
            let message: serde_json::Value = serde_json::from_str(body).expect("JSON");
            for alert in message["alerts"].as_array().expect("alerts") {
                let trial = alert["labels"]["trial"].as_str().and_then(|n| n.parse().ok());
                let key = (who.to_string(), trial.expect("a trial"));
                self.told.lock().expect("no panic").entry(key).or_insert(now);
            }
            return "{}".to_string();
        }
        let sample = |n: usize| {
            format!(
                "{{\"metric\":{{\"__name__\":\"fault\",\"trial\":\"{n}\"}},\
                 \"value\":[1700000000,\"1\"]}}"
            )
        };
        let samples: Vec<String> = (0..trials).map(sample).collect();
        format!(
            "{{\"status\":\"success\",\"data\":{{\"resultType\":\"vector\",\"result\":[{}]}}}}",
            samples.join(",")
        )
    }

    /// Changes samples one after the other and waits until all have been told to `who`; gives the
    /// seconds that each took, for each of them.
    fn run(&self, who: &[&str]) -> Vec<Vec<f64>> {
        for _ in 0..TRIALS {
            self.changed.lock().expect("no panic").push(Instant::now());
            std::thread::sleep(PACE);
        }
        let all = TRIALS * who.len();
        let told = || self.told.lock().expect("no panic").len() >= all;
        wait_until("every change is told", Duration::from_secs(60), told);
        let (changed, told) = (self.changed.lock(), self.told.lock());
        let (changed, told) = (changed.expect("no panic"), told.expect("no panic"));
        let seconds = |who: &str, n: usize| {
            told[&(who.to_string(), n)].duration_since(changed[n]).as_secs_f64()
        };
        who.iter().map(|who| (0..TRIALS).map(|n| seconds(who, n)).collect()).collect()
    }
}

pub fn run(_: Option<u64>) {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::default();
    let url = world.serve();
    let daemon = watchbell(folder.path(), &url, &url);
    let own = world.run(&["watchbell"]).remove(0);
    drop(daemon);
    Figure::new("worst of 25", worst(&own), "s").target(1.2).print();
    Figure::new("median", median(&own), "s").print();
    behind_prometheus();
}

fn watchbell(folder: &Path, datasource: &str, world: &str) -> Process {
    fs::write(folder.join("rules.yaml"), FAULT).expect("a file");
    let routes = files::route("0s", "['...']", &format!("{world}/hook/watchbell"));
    let config = format!(
        "datasource: {{url: '{datasource}'}}\nrule_files: [rules.yaml]\n\
         storage: {{path: data}}\nglobal: {{evaluation_interval: 1s}}\n{routes}"
    );
    fs::write(folder.join("watchbell.yaml"), config).expect("a file");
    let mut daemon = Process::watchbell(folder);
    daemon.wait_until_ready();
    daemon
}

const FAULT: &str = "groups: [{name: g, rules: [{alert: Fault, expr: fault == 1}]}]\n";

fn behind_prometheus() {
    let folders = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
    let [ours, theirs, routing] = folders.each_ref().map(tempfile::TempDir::path);
    let world = World::default();
    let url = world.serve();
    let routes = files::route("0s", "['...']", &format!("{url}/hook/alertmanager"));
    let Some(mut alertmanager) = peers::alertmanager(routing, &routes) else {
        note("Alertmanager is not installed: no ratio");
        return;
    };
    fs::write(theirs.join("rules.yaml"), FAULT).expect("a file");
    let host = |url: &str| url.trim_start_matches("http://").to_string();
    let config = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [rules.yaml]\n\
         scrape_configs: [{{job_name: x, static_configs: [{{targets: ['{}']}}]}}]\n\
         alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{}']}}]}}]}}\n",
        host(&url),
        host(&alertmanager.url)
    );
    let Some(mut prometheus) = peers::prometheus(theirs, &config) else {
        note("Prometheus is not installed: no ratio");
        return;
    };
    alertmanager.wait_until_ready();
    prometheus.wait_until_ready();
    let _daemon = watchbell(ours, &prometheus.url, &url);
    let times = world.run(&["watchbell", "alertmanager"]);
    let name = "Prometheus + Alertmanager";
    let peer = |value: fn(&[f64]) -> f64| Some(value(&times[1]));
    let own = &times[0];
    Figure::new("scrape included: worst of 25", worst(own), "s").peer(name, peer(worst)).print();
    Figure::new("scrape included: median", median(own), "s").peer(name, peer(median)).print();
}
