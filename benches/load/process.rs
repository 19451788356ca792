//! Child processes, and what the system says of them.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::http;
use crate::report;

/// A running program that is measured. It is ended when this is dropped.
pub struct Process {
    child: Child,
    /// Where it serves HTTP.
    pub url: String,
}

impl Process {
    /// Starts a program whose HTTP server will have `address`; what it says goes into a file.
    pub fn start(program: &str, arguments: &[&str], address: &str, folder: &Path) -> Self {
        let log = File::create(folder.join("output.log")).expect("a log file");
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        Self { child, url: format!("http://{address}") }
    }

    /// Starts the binary in a folder that holds `watchbell.yaml`.
    pub fn watchbell(folder: &Path) -> Self {
        let address = free_address();
        let arguments = ["run", "--listen", &address, "--log-filter", "warn"];
        Self::start(&binary(), &arguments, &address, folder)
    }

    /// Waits until `/-/ready` says so; gives how long that took.
    pub fn wait_until_ready(&mut self) -> Duration {
        let began = Instant::now();
        let url = format!("{}/-/ready", self.url);
        while !http::get(&url).is_ok_and(|answer| answer.status == 200) {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("it ended with {status}, see output.log");
            }
            assert!(began.elapsed() < Duration::from_secs(120), "not ready after 120 s");
            std::thread::sleep(Duration::from_millis(2));
        }
        began.elapsed()
    }

    /// The sum of a metric's series. `name` may go on with the beginning of the labels.
    pub fn metric(&self, name: &str) -> f64 {
        let text = http::get(&format!("{}/metrics", self.url)).expect("it answers").body;
        let series = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(name).filter(|rest| rest.starts_with([' ', '{', ',']))?;
            rest.rsplit(' ').next()?.parse::<f64>().ok()
        });
        series.sum()
    }

    /// Processor seconds that it has taken, by itself and in the system.
    pub fn cpu_seconds(&self) -> f64 {
        // `utime` and `stime`.
        report::processor_seconds(&self.child.id().to_string(), 14).expect("it runs")
    }

    /// MiB of memory: `VmHWM` the most that it ever had, `VmRSS` what it has.
    pub fn mebibytes(&self, field: &str) -> f64 {
        mebibytes(&self.child.id().to_string(), field)
    }

    /// Ends it by a signal and waits.
    pub fn end(&mut self, signal: &str) {
        let id = self.child.id().to_string();
        let _already_gone = Command::new("kill").args([signal, &id]).status();
        let _ended = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.end("-KILL");
        }
    }
}

/// The binary that is measured: that of this build, or the one that `WATCHBELL_BINARY` names.
pub fn binary() -> String {
    let built = env!("CARGO_BIN_EXE_watchbell");
    std::env::var("WATCHBELL_BINARY").unwrap_or_else(|_| built.to_string())
}

/// MiB of memory of a process, or of this one (`self`).
pub fn mebibytes(process: &str, field: &str) -> f64 {
    report::mebibytes(process, field).expect("it runs")
}

/// An address that nobody has right now.
pub fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").to_string()
}

/// Waits until something holds; says what is waited for when that takes too long.
pub fn wait_until(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < limit, "{what}: not after {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    began.elapsed()
}
