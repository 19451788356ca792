//! How figures are printed.

use std::fs;

/// One figure: what was measured, its target, and what a peer needs for the same.
pub struct Figure<'a> {
    pub what: &'a str,
    pub value: f64,
    pub unit: &'a str,
    /// The most that it may be.
    pub target: Option<f64>,
    /// The peer's name and figure; a name alone where it is missing.
    pub peer: Option<(&'a str, Option<f64>)>,
}

impl<'a> Figure<'a> {
    pub fn new(what: &'a str, value: f64, unit: &'a str) -> Self {
        Self { what, value, unit, target: None, peer: None }
    }

    pub fn target(self, most: f64) -> Self {
        Self { target: Some(most), ..self }
    }

    pub fn peer(self, name: &'a str, value: Option<f64>) -> Self {
        Self { peer: Some((name, value)), ..self }
    }

    pub fn print(&self) {
        let Self { what, value, unit, .. } = self;
        let target = self.target.map_or(String::new(), |most| {
            let verdict = if *value < most { "met" } else { "MISSED" };
            format!("  target < {most} {unit}: {verdict}")
        });
        let peer = match self.peer {
            None => String::new(),
            Some((name, None)) => format!("  {name} is not installed: no ratio"),
            Some((name, Some(other))) => {
                format!("  {name} {other:.2} {unit}: ratio {:.2}", value / other)
            }
        };
        println!("  {what:<44} {value:>9.2} {unit:<4}{target}{peer}");
    }
}

/// MiB of memory of a process that runs, or of this one (`self`), by a name of proc(5): `VmHWM` the
/// most that it ever had, `VmRSS` what it has.
pub fn mebibytes(process: &str, field: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}

/// Processor seconds of a process that runs, or of this one (`self`): a field of its `stat` by its number
/// in proc(5) and the next, which are the time in the program and that in the system.
pub fn processor_seconds(process: &str, field: usize) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Behind the name, which may have blanks, comes the third.
    let fields = stat.rsplit(')').next()?.split_whitespace().skip(field.checked_sub(3)?);
    let ticks = fields.take(2).map(|ticks| ticks.parse::<f64>());
    // Linux counts in hundredths on every common architecture.
    Some(ticks.sum::<Result<f64, _>>().ok()? / 100.0)
}

/// Says something that is no figure.
pub fn note(text: &str) {
    println!("  {text}");
}

/// What the figures were taken on.
pub fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{} x {}", cores, model.unwrap_or("unknown processor"))
}

/// The load averages over 1, 5 and 15 minutes: other programs falsify what is measured.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// The middle of the values.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The largest of the values.
pub fn worst(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::max)
}
