//! A disk that answers with errors, call by call: `tests/support/failing_disk.rs` stands before the C library.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::daemon::Daemon;
use crate::site::{Site, nodes};
use crate::store::{
    announces_again, fires, goes_on_from_the_store, spoil, stored, wait_for_memory, wait_for_store,
};
use crate::support::process::Process;
use crate::support::{root, skip};

/// Input and output error, and no space left on the device.
const EIO: u32 = 5;
const ENOSPC: u32 = 28;

/// The library that stands before the C library, built once. Skipped by name where there is no `rustc`.
fn library() -> Option<&'static str> {
    static LIBRARY: OnceLock<Result<String, String>> = OnceLock::new();
    let built = LIBRARY.get_or_init(|| {
        let library = format!("{}/failing_disk.so", env!("CARGO_TARGET_TMPDIR"));
        let done = Command::new("rustc")
            .args(["--edition", "2024", "--crate-type", "cdylib", "-o", &library])
            .arg(root().join("tests/support/failing_disk.rs"))
            .output()
            .map_err(|why| format!("rustc: {why}"))?;
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        Ok(library)
    });
    built.as_deref().map_err(|why| skip("RUSTC", why)).ok()
}

/// The faults of one site's disk.
struct Disk {
    library: &'static str,
    control: PathBuf,
}

impl Disk {
    fn new(site: &Site) -> Option<Self> {
        let library = library()?;
        // Not in the configuration's folder, whose files are watched: looking at a fault would wake the watch.
        let folder = site.dir.path().join("disk");
        fs::create_dir(&folder).unwrap();
        Some(Self { library, control: folder.join("faults") })
    }

    /// From now on calls on files whose path ends with `end` fail, apart from so many of the process.
    fn fail(&self, call: &str, end: &str, error: u32, pass: u32) {
        let new = self.control.with_extension("new");
        fs::write(&new, format!("{call} {end} {error} {pass}")).unwrap();
        fs::rename(new, &self.control).unwrap();
    }

    fn mend(&self) {
        fs::remove_file(&self.control).unwrap();
    }

    /// How many calls have failed.
    fn hits(&self) -> u64 {
        fs::metadata(self.control.with_extension("hits")).map_or(0, |file| file.len())
    }

    fn start(&self, config: &str) -> Daemon {
        let control = self.control.to_str().unwrap();
        Daemon::start_unready_in(config, &[("LD_PRELOAD", self.library), ("FAILING_DISK", control)])
    }
}

/// A site whose disk can fail, its daemon, and an alert that has been told.
fn firing(name: &'static str) -> Option<(Site, Disk, String, Daemon)> {
    let site = Site::new(name)?;
    let disk = Disk::new(&site)?;
    let config = site.write_apart();
    let daemon = disk.start(&config);
    fires(&site, "a", 1);
    Some((site, disk, config, daemon))
}

#[test]
fn a_disk_that_answers_with_errors_stops_no_page() {
    let Some((site, disk, _, daemon)) = firing("eio") else { return };
    // What fails first is the log's data, then only that it reaches the disk.
    for (count, (call, node)) in [("write", "b"), ("fsync", "c")].into_iter().enumerate() {
        disk.fail(call, "watchbell.db-wal", EIO, 0);
        fires(&site, node, count + 2);
        wait_for_memory(&daemon, &["disk I/O error"]);
        disk.mend();
        wait_for_store(&daemon);
    }
    assert!(disk.hits() >= 2);
    goes_on_from_the_store(&site, daemon, &["a", "b", "c"], 3);
}

/// The log takes what is committed, the file itself has no room for it.
#[test]
fn a_checkpoint_that_finds_no_space_loses_nothing() {
    let Some((site, disk, config, daemon)) = firing("checkpoint") else { return };
    // A few pages arrive: the file is then neither the old nor the new one.
    disk.fail("write", "watchbell.db", ENOSPC, 20);
    let many: Vec<String> = (0..2500).map(|number| format!("m{number:04}")).collect();
    let mut all: Vec<&str> = many.iter().map(String::as_str).collect();
    site.fail(&all);
    let told = site.wait_for_taken("/webhook/ops", 2);
    assert_eq!(nodes(&told[1], "firing").len(), 2501);
    daemon.wait_for_metric("watchbell_store_uncommitted_changes", &[], 0.0);
    assert!(disk.hits() > 0, "a checkpoint was tried");
    let log = fs::metadata(stored(&site, "watchbell.db-wal")).unwrap().len();
    assert!(log > 1000 * 4096, "no checkpoint has emptied the log of {log} bytes");
    daemon.crash();
    // It is tried anew as the store is opened, and fails again.
    let before = disk.hits();
    let daemon = disk.start(&config);
    fires(&site, "b", 3);
    assert!(disk.hits() > before);
    disk.mend();
    wait_for_store(&daemon);
    all.extend(["a", "b"]);
    all.sort_unstable();
    goes_on_from_the_store(&site, daemon, &all, 3);
}

/// What cannot be read is neither taken for empty nor written to. Once it can be read, the program
/// asks for a restart, which goes on from it and knows nothing of what memory has told.
#[test]
fn a_file_that_cannot_be_read_at_the_start_stops_no_page() {
    let Some(site) = Site::new("unreadable") else { return };
    let Some(disk) = Disk::new(&site) else { return };
    let config = site.write_apart();
    let daemon = site.start();
    fires(&site, "a", 1);
    daemon.stop();
    let file = stored(&site, "watchbell.db");
    let before = fs::read(&file).unwrap();
    disk.fail("read", "watchbell.db", EIO, 0);
    let daemon = disk.start(&config);
    wait_for_memory(&daemon, &["disk I/O error"]);
    announces_again(&site, &["a"], 2);
    fires(&site, "b", 3);
    assert!(fs::read(&file).unwrap() == before, "nobody has written to it");
    disk.mend();
    wait_for_memory(&daemon, &["does not hold what is in memory", "restart the program"]);
    daemon.stop();
    let daemon = site.start();
    let told = site.wait_for_taken("/webhook/ops", 4);
    assert_eq!(nodes(&told[3], "firing"), ["a", "b"]);
    wait_for_store(&daemon);
    goes_on_from_the_store(&site, daemon, &["a", "b"], 4);
}

/// SQLite keeps what it has read: whether it meets the damage before the next start is chance.
#[test]
fn damage_that_comes_while_it_runs_is_met_at_the_next_start() {
    let Some(site) = Site::new("rotten") else { return };
    let config = site.write_apart();
    let daemon = site.start();
    fires(&site, "a", 1);
    daemon.stop();
    let daemon = site.start();
    spoil(&stored(&site, "watchbell.db"), 4096);
    fires(&site, "b", 2);
    daemon.crash();
    let mut explain = Process::watchbell(&["explain", "--config", &config, "node=b"]);
    assert!(!explain.wait().success());
    let explained = explain.whole_output();
    assert!(explained.contains("is damaged"), "{explained}");
    let daemon = Daemon::start_unready(&config);
    wait_for_memory(&daemon, &["is damaged", "move it away"]);
    announces_again(&site, &["a", "b"], 3);
    for name in ["watchbell.db", "watchbell.db-wal"] {
        fs::rename(stored(&site, name), site.dir.join(name)).unwrap();
    }
    wait_for_store(&daemon);
    goes_on_from_the_store(&site, daemon, &["a", "b"], 3);
}
