//! Measures the program under load, beside its peers where they are installed.
//!
//! `cargo bench --bench load` runs everything, `cargo bench --bench load -- rules 60` one part.
//! Every line is a figure with its target, and the peer's figure with the ratio of both. Nothing
//! here fails because a figure is bad: the machine may be busy. docs/benchmarks.md tells more.

// A benchmark speaks to a terminal and may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod alerts;
mod digest;
mod files;
mod flush;
#[allow(dead_code)] // the tests use all of it
#[path = "../../tests/support/http.rs"]
mod http;
mod latency;
mod peers;
mod process;
mod report;
mod routing;
mod rules;
mod server;
mod silences;
mod start;
mod stub;

/// A part: its name, what it measures, and how.
type Part = (&'static str, &'static str, fn(Option<u64>));

const PARTS: &[Part] = &[
    ("size", "the size of the binary", files::size),
    (
        "routing",
        "100,000 alerts from the alerting step to the notifications, in this process",
        routing::run,
    ),
    ("flush", "10,000 groups due at once, in this process with the embedded store", flush::run),
    ("silences", "100,000 alerts and 5,000 active silences, in this process", silences::run),
    ("digest", "a storm of 100,000 alerts in one group: rendering its messages", digest::run),
    ("alerts", "100,000 active alerts in the daemon: memory", alerts::run),
    ("start", "a start with 10,000 rules and 100,000 stored alerts", start::run),
    ("latency", "from a changed sample to a received webhook", latency::run),
    (
        "rules",
        "10,000 rules in 100 groups every 15 s, for 300 s or as many as are given",
        rules::run,
    ),
];

fn main() {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let number = arguments.iter().find_map(|argument| argument.parse().ok());
    let named = |name: &str| arguments.iter().any(|argument| argument == name);
    let any_named = PARTS.iter().any(|(name, ..)| named(name));
    println!("{}", report::machine());
    for (name, what, run) in PARTS {
        if !any_named || named(name) {
            println!("\n{name}: {what} (load average {})", report::load());
            run(number);
        }
    }
}
