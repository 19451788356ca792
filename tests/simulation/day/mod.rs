//! A day of the whole core in virtual time: scheduler, evaluation, routing, outbox and store, over
//! a datasource, a store and receivers that fail, with deaths at every effect.
//!
//! The process under test is real; tokio's time is paused, so that a day takes a fraction of a
//! second. [`plan`] says what a seed makes of the day. Two small models say what must come of it:
//! [`rules`] (which alert fires when) and [`duties`] (who must know, and what nobody may be told).
//!
//! `WATCHBELL_SEED=n cargo test --test simulation a_day` runs one seed and prints what happened;
//! `WATCHBELL_SEEDS=n` sets how many are run.

#![allow(clippy::print_stdout)] // a trace and figures, for whoever asks for them

mod duties;
mod plan;
mod process;
mod prometheus;
mod receivers;
mod rules;
mod setup;
mod store;
mod time;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use process::{Report, run};

/// How many days are run unless the environment says more: `tests/run` pays for thousands, by an
/// optimized build.
const SEEDS: u64 = 10;
/// How many failures are told of before the rest is not run any more.
const ENOUGH: usize = 10;

#[test]
fn a_day_ends_well() {
    if let Some(seed) = crate::number("WATCHBELL_SEED") {
        let report = run(seed, true);
        println!("{}", report.lines.join("\n"));
        assert_eq!(report.failure, None, "{}", again(seed));
        return;
    }
    let failed = run_all(crate::number("WATCHBELL_SEEDS").unwrap_or(SEEDS));
    let told: Vec<String> =
        failed.iter().map(|(seed, why)| format!("{}: {why}", again(*seed))).collect();
    assert!(failed.is_empty(), "\n{}", told.join("\n"));
}

/// The same seed gives the same day, to the millisecond and the word.
#[test]
fn a_seed_replays_its_day() {
    for seed in 0..20 {
        assert_eq!(run(seed, false).hash, run(seed, true).hash, "{}", again(seed));
    }
}

fn again(seed: u64) -> String {
    format!("WATCHBELL_SEED={seed} cargo test --test simulation a_day")
}

/// Runs seeds on all cores; gives those that failed, and why.
fn run_all(seeds: u64) -> Vec<(u64, String)> {
    let next = AtomicU64::new(0);
    let failed = Mutex::new(Vec::new());
    let totals = Mutex::new((0, 0, 0));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds || failed.lock().unwrap().len() >= ENOUGH {
                        return;
                    }
                    let report = std::panic::catch_unwind(|| run(seed, false));
                    let failure = match report {
                        Ok(Report { failure, deaths, messages, repeated, .. }) => {
                            let mut totals = totals.lock().unwrap();
                            totals.0 += deaths;
                            totals.1 += messages;
                            totals.2 += repeated;
                            failure
                        }
                        Err(_) => Some("panicked".to_string()),
                    };
                    if let Some(why) = failure {
                        failed.lock().unwrap().push((seed, why));
                    }
                }
            });
        }
    });
    let (deaths, messages, repeated) = totals.into_inner().unwrap();
    println!("{seeds} days, {deaths} deaths, {messages} messages, {repeated} of them repeated");
    let mut failed = failed.into_inner().unwrap();
    failed.sort_unstable();
    failed
}
