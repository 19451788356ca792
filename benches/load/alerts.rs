//! 100,000 active alerts: the memory of the whole process, beside Alertmanager with the same.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::{Process, wait_until};
use crate::report::{Figure, note};
use crate::stub::{ALERTS, Datasource, GROUPS, Sink, labels};
use crate::{files, http, peers};

/// How many alerts there are in all.
pub const ALL: usize = ALERTS * GROUPS;
/// How long they may take to arrive.
const LIMIT: Duration = Duration::from_secs(300);

pub fn run(_: Option<u64>) {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut daemon, sink) = firing(folder.path(), 1, &Datasource::start());
    // Two more rounds of evaluations: what goes on firing must not cost more.
    let (before, began) = (daemon.cpu_seconds(), Instant::now());
    std::thread::sleep(Duration::from_secs(30));
    let cores = (daemon.cpu_seconds() - before) / began.elapsed().as_secs_f64();
    assert_eq!(sink.count(), ALL);
    let own = [daemon.mebibytes("VmHWM"), daemon.mebibytes("VmRSS")];
    daemon.end("-TERM");
    let other = alertmanager();
    let peer = |index: usize| other.map(|memory| memory[index]);
    let name = "Alertmanager";
    Figure::new("most memory, told and evaluated twice", own[0], "MiB")
        .target(100.0)
        .peer(name, peer(0))
        .print();
    Figure::new("memory at the end", own[1], "MiB").peer(name, peer(1)).print();
    Figure::new("processor, every 15 s anew", cores, "core").print();
}

/// A daemon with so many rules in each group, of which the first gives 1,000 alerts each; all of
/// them fire and have been told.
pub fn firing(folder: &Path, rules: usize, datasource: &Datasource) -> (Process, Sink) {
    let sink = Sink::start();
    files::watchbell(folder, rules, "15s", &datasource.url, &sink.url);
    let mut daemon = Process::watchbell(folder);
    daemon.wait_until_ready();
    let idle = daemon.mebibytes("VmRSS");
    note(&format!("{} rules, no alerts: {idle:.1} MiB", rules * GROUPS));
    datasource.many.store(true, Ordering::Relaxed);
    let told = wait_until("all alerts are told", LIMIT, || sink.count() >= ALL);
    note(&format!("{ALL} alerts evaluated, committed and told after {:.1} s", told.as_secs_f64()));
    wait_until("nothing waits", LIMIT, || daemon.metric("watchbell_outbox_entries") == 0.0);
    (daemon, sink)
}

/// Alertmanager's memory (the most, and at the end) with the same alerts in the same groups.
fn alertmanager() -> Option<[f64; 2]> {
    let folder = tempfile::tempdir().expect("a folder");
    let sink = Sink::start();
    let routes = files::route("1s", "[alertname, node]", &sink.url);
    let mut peer = peers::alertmanager(folder.path(), &routes)?;
    peer.wait_until_ready();
    post_all(&peer);
    wait_until("Alertmanager has told all", LIMIT, || sink.count() >= ALL);
    Some([peer.mebibytes("VmHWM"), peer.mebibytes("VmRSS")])
}

/// Posts all alerts as Prometheus would, 1,000 at once; gives Alertmanager's own figure of how
/// long it took to put them into groups, in seconds.
pub fn post_all(alertmanager: &Process) -> f64 {
    for rule in 0..GROUPS {
        let body: Vec<Value> = (0..ALERTS).map(|number| alert(rule, number)).collect();
        let url = format!("{}/api/v2/alerts", alertmanager.url);
        let answer = http::post(&url, &Value::Array(body)).expect("it answers");
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let name = "alertmanager_dispatcher_alert_processing_duration_seconds";
    let count = format!("{name}_count");
    wait_until("all alerts are in groups", LIMIT, || alertmanager.metric(&count) >= ALL as f64);
    alertmanager.metric(&format!("{name}_sum"))
}

/// An alert as Watchbell makes it of the stub's sample.
fn alert(rule: usize, number: usize) -> Value {
    let mut all: serde_json::Map<String, Value> = labels(rule, number)
        .into_iter()
        .map(|(name, value)| (name.to_string(), json!(value)))
        .collect();
    for (name, value) in [("severity", "warning"), ("service", "mlflow")] {
        all.insert(name.to_string(), json!(value));
    }
    all.insert("alertname".to_string(), json!(format!("Load_{rule}_0")));
    json!({
        "labels": all,
        "annotations": {
            "summary": format!("{} needs 95% of its memory", all["pod"].as_str().unwrap_or("")),
            "description": format!(
                "The container worker on {} has been near its limit for some time and may be \
                 ended by the kernel.", all["node"].as_str().unwrap_or("")),
            "runbook_url": files::ANNOTATIONS[2].1,
        },
        "generatorURL": format!("http://127.0.0.1/graph?g0.expr=load_{rule}_0+%3E+0.9&g0.tab=1"),
    })
}
