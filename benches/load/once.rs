//! A program that is run to its end.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::report::{self, mebibytes};

/// What a run took.
pub struct Once {
    /// From its start to its end, in seconds.
    pub time: f64,
    /// Of all processors together, in seconds; to a hundredth.
    pub processor: f64,
    /// The most memory, in MiB.
    pub memory: f64,
}

/// Runs a program; `None` where it cannot be started. That it ends with a failure does not matter:
/// a finding is one.
pub fn once(program: &str, arguments: &[&str], folder: &Path) -> Option<Once> {
    let before = of_children();
    let began = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let id = child.id().to_string();
    let mut memory: f64 = 0.0;
    loop {
        memory = memory.max(mebibytes(&id, "VmHWM").unwrap_or(0.0));
        if child.try_wait().ok()?.is_some() {
            let time = began.elapsed().as_secs_f64();
            return Some(Once { time, processor: of_children() - before, memory });
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The medians of several runs after one that warms up, of the memory the most.
pub fn median(rounds: usize, program: &str, arguments: &[&str], folder: &Path) -> Option<Once> {
    once(program, arguments, folder)?;
    let runs: Vec<Once> = (0..rounds).filter_map(|_| once(program, arguments, folder)).collect();
    let all = |of: fn(&Once) -> f64| runs.iter().map(of).collect::<Vec<f64>>();
    Some(Once {
        time: report::median(&all(|run| run.time)),
        processor: report::median(&all(|run| run.processor)),
        memory: report::worst(&all(|run| run.memory)),
    })
}

fn of_children() -> f64 {
    // `cutime` and `cstime`.
    report::processor_seconds("self", 16).unwrap_or(0.0)
}
