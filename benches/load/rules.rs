//! 10,000 rules in 100 groups every 15 s, beside a Prometheus that evaluates the same.

use std::time::{Duration, Instant};

use crate::process::Process;
use crate::report::{Figure, note};
use crate::stub::{Datasource, GROUPS, RULES, Sink};
use crate::{files, peers};

/// How long it is measured where nothing else is asked for, in seconds.
const SECONDS: u64 = 300;

/// What a program has taken.
struct Taken {
    cores: f64,
    memory: f64,
    missed: f64,
    evaluated: f64,
}

pub fn run(seconds: Option<u64>) {
    let time = Duration::from_secs(seconds.unwrap_or(SECONDS));
    let (datasource, sink) = (Datasource::start(), Sink::start());
    let folder = tempfile::tempdir().expect("a folder");
    files::watchbell(folder.path(), RULES, "15s", &datasource.url, &sink.url);
    let own = measure(Process::watchbell(folder.path()), "watchbell", time);
    // One after the other: both at once would take each other's time.
    let peer = prometheus(&datasource, time);
    let expected = (GROUPS * RULES) as f64 * time.as_secs_f64() / 15.0;
    let name = "Prometheus";
    let of = |value: fn(&Taken) -> f64| peer.as_ref().map(value);
    Figure::new("processor", own.cores, "core").target(1.0).peer(name, of(|p| p.cores)).print();
    Figure::new("most memory", own.memory, "MiB")
        .target(150.0)
        .peer(name, of(|p| p.memory))
        .print();
    // A figure below one: there is none.
    Figure::new("missed evaluations", own.missed, "").target(1.0).print();
    Figure::new("evaluations, of those that are due", own.evaluated / expected, "")
        .peer(name, of(|p| p.evaluated).map(|evaluated| evaluated / expected))
        .print();
    if peer.is_some() {
        note("Prometheus evaluates its own samples of the same series, without HTTP in between");
    }
}

fn prometheus(datasource: &Datasource, time: Duration) -> Option<Taken> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("rules.yaml"), files::load_rules(RULES)).expect("a file");
    let target = datasource.url.trim_start_matches("http://");
    let config = format!(
        "global: {{scrape_interval: 15s, evaluation_interval: 15s}}\nrule_files: [rules.yaml]\n\
         scrape_configs: [{{job_name: load, static_configs: [{{targets: ['{target}']}}]}}]\n"
    );
    Some(measure(peers::prometheus(folder.path(), &config)?, "prometheus", time))
}

/// Measures a program that is starting: its second round of evaluations is the first that counts.
fn measure(mut program: Process, prefix: &str, time: Duration) -> Taken {
    program.wait_until_ready();
    std::thread::sleep(Duration::from_secs(20));
    let evaluations = format!("{prefix}_rule_evaluations_total");
    let evaluated = program.metric(&evaluations);
    let (before, began) = (program.cpu_seconds(), Instant::now());
    std::thread::sleep(time);
    let took = began.elapsed().as_secs_f64();
    Taken {
        cores: (program.cpu_seconds() - before) / took,
        evaluated: program.metric(&evaluations) - evaluated,
        missed: program.metric(&format!("{prefix}_rule_group_iterations_missed_total")),
        memory: program.mebibytes("VmHWM"),
    }
}
