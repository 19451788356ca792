//! Measures `watchbell check` over 10,000 rules, beside promtool where that is installed.
//!
//! `cargo bench --bench check` takes about a minute. Every line is a figure with its target, and
//! promtool's figure with the ratio of both. Nothing here fails because a figure is bad: the machine may be
//! busy. docs/benchmarks.md tells more.

// A benchmark speaks to a terminal and may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[allow(dead_code)] // the other benchmark uses all of it
#[path = "../load/report.rs"]
mod report;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use report::Figure;

const GROUPS: u32 = 100;
const RULES: u32 = 100;
const ROUNDS: usize = 7;

/// Expressions as alert rules have them; `N` becomes the number of the rule.
const EXPRESSIONS: [&str; 5] = [
    "up{job=\"service-N\"} == 0",
    "sum by (job) (rate(errors_total{job=\"service-N\"}[5m])) / sum by (job) (rate(requests_total{job=\"service-N\"}[5m])) > 0.05",
    "histogram_quantile(0.99, sum by (le, job) (rate(latency_seconds_bucket{job=\"service-N\"}[5m]))) > 1.5",
    "predict_linear(node_filesystem_avail_bytes{job=\"service-N\", fstype!~\"tmpfs|fuse.*\"}[6h], 24 * 3600) < 0 and on (instance, device) node_filesystem_readonly == 0",
    "max by (instance) (1 - node_memory_MemAvailable_bytes{job=\"service-N\"} / node_memory_MemTotal_bytes) > 0.9",
];

/// A rule file as large as the largest that people have.
fn rules() -> String {
    let mut text = String::from("groups:\n");
    for group in 0..GROUPS {
        let _ = write!(text, "- name: group-{group}\n  interval: 30s\n  rules:\n");
        for rule in 0..RULES {
            let number = (group * RULES + rule).to_string();
            let expressions = EXPRESSIONS.iter().cycle().skip(rule as usize);
            let expr = expressions.take(1).map(|e| e.replace('N', &number)).collect::<String>();
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

/// Seconds and MiB at the most of a run; a finding is no failure.
fn run(program: &str, arguments: &[&str], folder: &Path) -> Option<(f64, f64)> {
    let began = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let status = format!("/proc/{}/status", child.id());
    let mut most: f64 = 0.0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        most = most.max(kib.unwrap_or(0.0) / 1024.0);
        if child.try_wait().unwrap().is_some() {
            return Some((began.elapsed().as_secs_f64(), most));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The medians of several runs, after one that warms up.
fn measured(program: &str, arguments: &[&str], folder: &Path) -> Option<(f64, f64)> {
    run(program, arguments, folder)?;
    let runs: Vec<(f64, f64)> =
        (0..ROUNDS).filter_map(|_| run(program, arguments, folder)).collect();
    let seconds: Vec<f64> = runs.iter().map(|run| run.0).collect();
    let memory: Vec<f64> = runs.iter().map(|run| run.1).collect();
    Some((report::median(&seconds), report::worst(&memory)))
}

fn main() {
    println!("{}", report::machine());
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("rules.yaml"), rules()).expect("it can be written");
    println!("\n{} rules in {GROUPS} groups (load average {})", GROUPS * RULES, report::load());
    let binary = env!("CARGO_BIN_EXE_watchbell");
    let ours = measured(binary, &["check", "rules.yaml"], folder.path()).expect("it runs");
    let theirs =
        measured("promtool", &["check", "rules", "--lint=none", "rules.yaml"], folder.path());
    Figure::new("time of a run", ours.0, "s")
        .target(0.25)
        .peer("promtool", theirs.map(|t| t.0))
        .print();
    Figure::new("memory at the most", ours.1, "MiB")
        .target(100.0)
        .peer("promtool", theirs.map(|t| t.1))
        .print();
}
