//! A start with 10,000 rules and 100,000 stored alerts.

use std::time::Duration;

use crate::process::Process;
use crate::report::{Figure, median, note};
use crate::stub::{Datasource, RULES};
use crate::{alerts, files, peers};

/// How often each start is measured.
const TIMES: usize = 3;

pub fn run(_: Option<u64>) {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut daemon, _sink) = alerts::firing(folder.path(), RULES, &Datasource::start());
    daemon.end("-TERM");
    let size = folder.path().join("data/watchbell.db").metadata().expect("the store").len();
    note(&format!("the store has {:.1} MiB", size as f64 / 1048576.0));
    let mut times = [Vec::new(), Vec::new()];
    let mut memory: f64 = 0.0;
    for (signal, times) in ["-TERM", "-KILL"].iter().zip(&mut times) {
        for _ in 0..=TIMES {
            let mut daemon = Process::watchbell(folder.path());
            times.push(daemon.wait_until_ready().as_secs_f64());
            std::thread::sleep(Duration::from_secs(5));
            memory = memory.max(daemon.mebibytes("VmHWM"));
            daemon.end(signal);
        }
        // The first one came after another kind of end.
        times.remove(0);
    }
    let peer = prometheus();
    let name = "Prometheus (same rules, no alerts)";
    Figure::new("ready after a clean stop", median(&times[0]), "s")
        .target(2.0)
        .peer(name, peer)
        .print();
    Figure::new("ready after kill -9", median(&times[1]), "s").target(2.0).peer(name, peer).print();
    Figure::new("most memory", memory, "MiB").print();
    note("Alertmanager keeps no alerts over a restart: nothing to compare");
}

/// How long Prometheus takes until it is ready with the same rules, in seconds.
fn prometheus() -> Option<f64> {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = files::load_rules(RULES);
    std::fs::write(folder.path().join("rules.yaml"), rules).expect("a file");
    let config = "global: {evaluation_interval: 15s}\nrule_files: [rules.yaml]\n";
    let times: Option<Vec<f64>> = (0..TIMES)
        .map(|_| Some(peers::prometheus(folder.path(), config)?.wait_until_ready().as_secs_f64()))
        .collect();
    times.map(|times| median(&times))
}
