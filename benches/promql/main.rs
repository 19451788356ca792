//! Measures the evaluation of PromQL in memory, beside promtool where that is installed.
//!
//! `cargo bench --bench promql` runs everything, `cargo bench --bench promql -- rate` one part; most of
//! the time is promtool's. Every line is a figure with its target, and promtool's figure with the ratio of both. Nothing here fails
//! because a figure is bad: the machine may be busy. docs/benchmarks.md tells more.

// A benchmark speaks to a terminal and may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod corpus;
mod many;
#[path = "../load/once.rs"]
mod once;
#[allow(dead_code)] // the other benchmark uses all of it
#[path = "../load/report.rs"]
mod report;
mod small;

/// A part: its name, what it measures, and how.
type Part = (&'static str, &'static str, fn());

const PARTS: &[Part] = &[
    ("rate", "a rate with a sum over 10,000 series of 2,000 samples", many::rate),
    ("range", "the same over 500 steps of a range query, 1,000 series", many::range),
    ("corpus", "108 files of unit tests that people have, beside promtool", corpus::run),
    ("small", "many small evaluations, as unit tests of rules have them", small::run),
];

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    println!("{}", report::machine());
    for (name, what, run) in PARTS {
        if arguments.is_empty() || arguments.iter().any(|argument| argument == name) {
            println!("\n{name}: {what} (load average {})", report::load());
            run();
        }
    }
}
