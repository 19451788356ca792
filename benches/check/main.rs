//! Measures `watchbell check` over 10,000 rules, beside promtool where that is installed.
//!
//! `cargo bench --bench check` takes about a minute. Every line is a figure with its target, and
//! promtool's figure with the ratio of both. Nothing here fails because a figure is bad: the machine may be
//! busy. docs/benchmarks.md tells more.

// A benchmark speaks to a terminal and may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "../load/once.rs"]
mod once;
#[allow(dead_code)] // the other benchmark uses all of it
#[path = "../load/report.rs"]
mod report;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use once::{Once, median};
use report::Figure;

const GROUPS: u32 = 100;
const RULES: u32 = 100;
const ROUNDS: usize = 7;

/// Expressions as alert rules have them; `N` becomes the number of the rule, and `BY` the labels that
/// are kept.
const EXPRESSIONS: [&str; 5] = [
    "up{job=\"service-N\"} == 0",
    "sum by (job) (rate(errors_total{job=\"service-N\"}[5m])) / sum by (job) (rate(requests_total{job=\"service-N\"}[5m])) > 0.05",
    "histogram_quantile(0.99, sum by (le, job) (rate(latency_seconds_bucket{job=\"service-N\"}[5m]))) > 1.5",
    "predict_linear(node_filesystem_avail_bytes{job=\"service-N\", fstype!~\"tmpfs|fuse.*\"}[6h], 24 * 3600) < 0 and on (instance, device) node_filesystem_readonly == 0",
    "max by (BY) (1 - node_memory_MemAvailable_bytes{job=\"service-N\"} / node_memory_MemTotal_bytes) > 0.9",
];

/// What is left of a label that every summary shows, and what is not.
const GOOD: &str = "instance, job";
const WITHOUT_JOB: &str = "instance";

/// A rule file as large as the largest that people have.
fn rules(by: &str) -> String {
    let mut text = String::from("groups:\n");
    for group in 0..GROUPS {
        let _ = write!(text, "- name: group-{group}\n  interval: 30s\n  rules:\n");
        for rule in 0..RULES {
            let number = (group * RULES + rule).to_string();
            let expressions = EXPRESSIONS.iter().cycle().skip(rule as usize);
            let expr = expressions
                .take(1)
                .map(|e| e.replace("BY", by).replace('N', &number))
                .collect::<String>();
            let _ = write!(
                text,
                "  - alert: Alert{number}\n    expr: {expr}\n    for: 5m\n    labels:\n      severity: warning\n      \
                 team: ml\n    annotations:\n      summary: '{{{{ $labels.job }}}} at {{{{ $value | humanize }}}}'\n      \
                 description: Something is wrong with service {number}, and somebody should look at it.\n"
            );
        }
    }
    text
}

fn main() {
    println!("{}", report::machine());
    let folder = tempfile::tempdir().expect("a folder");
    let count = GROUPS * RULES;
    for (what, by) in [("good", GOOD), ("a fifth of them with a finding", WITHOUT_JOB)] {
        println!("\n{count} rules in {GROUPS} groups, {what} (load average {})", report::load());
        fs::write(folder.path().join("rules.yaml"), rules(by)).expect("it can be written");
        measure(folder.path());
    }
}

fn measure(folder: &Path) {
    let binary = env!("CARGO_BIN_EXE_watchbell");
    let ours = median(ROUNDS, binary, &["check", "rules.yaml"], folder).expect("it runs");
    let theirs = ["check", "rules", "--lint=none", "rules.yaml"];
    let theirs = median(ROUNDS, "promtool", &theirs, folder);
    let peer = |of: fn(&Once) -> f64| theirs.as_ref().map(of);
    Figure::new("time of a run", ours.time, "s")
        .target(0.25)
        .peer("promtool", peer(|run| run.time))
        .print();
    Figure::new("processor", ours.processor, "s")
        .peer("promtool", peer(|run| run.processor))
        .print();
    Figure::new("memory at the most", ours.memory, "MiB")
        .target(100.0)
        .peer("promtool", peer(|run| run.memory))
        .print();
}
