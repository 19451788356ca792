//! A program that is run to its end.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::report;

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
    let status = format!("/proc/{}/status", child.id());
    let mut memory: f64 = 0.0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        memory = memory.max(kib.unwrap_or(0.0) / 1024.0);
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

/// The processor seconds of the children that have ended.
fn of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may have blanks: `cutime` and `cstime` are the 14th and 15th.
    let behind = stat.rsplit(')').next().unwrap_or_default();
    let ticks = behind.split_whitespace().skip(13).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
