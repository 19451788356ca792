//! The disk is full, read-only, frozen or damaged: whoever is on call is told all the same.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::daemon::Daemon;
use crate::site::{Site, nodes};
use crate::support::{skip, wait_until};

/// A file system of the test's own, taken away at its end.
struct Mount {
    place: PathBuf,
    frozen: bool,
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let done = Command::new(program).args(arguments).output().map_err(|e| e.to_string())?;
    let said = String::from_utf8_lossy(&done.stderr).trim().to_owned();
    if done.status.success() { Ok(()) } else { Err(format!("{program}: {said}")) }
}

impl Mount {
    /// Mounts something on the site's `data`. Needs root: the test is skipped where it cannot be.
    fn new(site: &Site, options: &[&str], source: &str) -> Option<Self> {
        let place = site.dir.path().join("data");
        fs::create_dir_all(&place).unwrap();
        let path = place.to_str().unwrap();
        match run("mount", &[options, &[source, path]].concat()) {
            Ok(()) => Some(Self { place, frozen: false }),
            Err(why) => {
                skip("MOUNT", &format!("nothing can be mounted here: {why}"));
                None
            }
        }
    }

    fn memory(site: &Site) -> Option<Self> {
        Self::new(site, &["-t", "tmpfs", "-o", "size=1500k,mode=700"], "tmpfs")
    }

    fn remount(&self, how: &str) {
        let place = self.place.to_str().unwrap();
        run("mount", &["-o", &format!("remount,{how}"), place]).unwrap();
    }

    /// Takes all the space there is.
    fn fill(&self) {
        let mut file = File::create(self.place.join("filler")).unwrap();
        for size in [65_536, 4096, 1] {
            while file.write(&vec![1; size]).is_ok_and(|written| written > 0) {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.place.join("filler")).unwrap();
    }

    /// Makes every write wait, or lets all of them go on.
    fn freeze(&mut self, frozen: bool) {
        let word = if frozen { "--freeze" } else { "--unfreeze" };
        run("fsfreeze", &[word, self.place.to_str().unwrap()]).unwrap();
        self.frozen = frozen;
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        if self.frozen {
            self.freeze(false);
        }
        let _gone_anyway = run("umount", &["-l", self.place.to_str().unwrap()]);
    }
}

/// `/-/ready` says no, with all of these words, and so do the metric and the status.
pub fn wait_for_memory(daemon: &Daemon, words: &[&str]) {
    wait_until(&format!("it is not ready: {words:?}"), || {
        let ready = daemon.get("/-/ready");
        (ready.status == 503 && words.iter().all(|word| ready.body.contains(word))).then_some(())
    });
    assert_eq!(daemon.metric("watchbell_store_up", &[]), 0.0);
    let status = daemon.get("/api/watchbell/status").json();
    let problem = status["data"]["storeProblem"].as_str().unwrap_or_default().to_owned();
    assert!(words.iter().all(|word| problem.contains(word)), "{problem}");
}

/// It commits again, and nothing waits in memory.
pub fn wait_for_store(daemon: &Daemon) {
    wait_until("it is ready again", || (daemon.get("/-/ready").status == 200).then_some(()));
    daemon.wait_for_metric("watchbell_store_uncommitted_changes", &[], 0.0);
}

/// A file of the site's store.
pub fn stored(site: &Site, name: &str) -> PathBuf {
    site.dir.path().join("data").join(name)
}

/// Overwrites a file from a place on; what it holds then.
pub fn spoil(file: &Path, from: usize) -> Vec<u8> {
    let mut bytes = fs::read(file).unwrap();
    bytes[from..].fill(0x5a);
    fs::write(file, &bytes).unwrap();
    bytes
}

/// Fires one node more; exactly it is told as new, and in one message.
pub fn fires(site: &Site, node: &str, count: usize) {
    site.fail(&[node]);
    let told = site.wait_for_taken("/webhook/ops", count);
    assert!(nodes(&told[count - 1], "firing").contains(&node.to_owned()), "{told:#?}");
    assert_eq!(told.len(), count, "nothing else was said");
}

/// Exactly these nodes are announced in a message more: it is not known any more that they were.
pub fn announces_again(site: &Site, fired: &[&str], count: usize) {
    let told = site.wait_for_taken("/webhook/ops", count);
    assert_eq!(nodes(&told[count - 1], "firing"), fired, "all are announced again");
}

/// Stops by kill, starts again, ends everything: nothing is repeated, every end is told.
pub fn goes_on_from_the_store(site: &Site, daemon: Daemon, fired: &[&str], count: usize) {
    daemon.crash();
    let daemon = site.start();
    daemon.wait_for_rounds(3);
    assert_eq!(site.taken("/webhook/ops").len(), count, "nothing is announced again");
    site.mend(fired);
    let told = site.wait_for_taken("/webhook/ops", count + 1);
    let mut ended: Vec<String> = told[count..].iter().flat_map(|t| nodes(t, "resolved")).collect();
    ended.sort();
    ended.dedup();
    assert_eq!(ended, fired, "every end is told");
    daemon.stop();
    site.assert_correct();
}

#[test]
fn a_disk_that_fills_up_while_it_runs_stops_no_page() {
    let Some(site) = Site::new("fullrun") else { return };
    let Some(mount) = Mount::memory(&site) else { return };
    site.write_apart();
    let mut daemon = site.start();
    fires(&site, "a", 1);
    mount.fill();
    fires(&site, "b", 2);
    wait_for_memory(&daemon, &["full"]);
    daemon.wait_for_log("going on from memory");
    mount.free();
    wait_for_store(&daemon);
    daemon.wait_for_log("the store commits again");
    goes_on_from_the_store(&site, daemon, &["a", "b"], 2);
}

/// The disk has been full since before the start, also after a kill.
#[test]
fn a_disk_that_is_full_at_the_start_stops_no_page() {
    let Some(site) = Site::new("fullstart") else { return };
    let Some(mount) = Mount::memory(&site) else { return };
    let config = site.write_apart();
    let daemon = site.start();
    fires(&site, "a", 1);
    daemon.stop();
    mount.fill();
    let daemon = Daemon::start_unready(&config);
    wait_for_memory(&daemon, &["data"]);
    fires(&site, "b", 2);
    mount.free();
    wait_for_store(&daemon);
    daemon.crash();
    mount.fill();
    let daemon = Daemon::start_unready(&config);
    wait_for_memory(&daemon, &["full"]);
    fires(&site, "c", 3);
    mount.free();
    wait_for_store(&daemon);
    goes_on_from_the_store(&site, daemon, &["a", "b", "c"], 3);
}

#[test]
fn a_read_only_folder_stops_no_page() {
    let Some(site) = Site::new("readonly") else { return };
    let Some(mount) = Mount::memory(&site) else { return };
    let config = site.write_apart();
    let daemon = site.start();
    fires(&site, "a", 1);
    daemon.stop();
    mount.remount("ro");
    let mut daemon = Daemon::start_unready(&config);
    daemon.wait_for_log("its state has been read");
    wait_for_memory(&daemon, &["data"]);
    fires(&site, "b", 2);
    // The folder is owned all the same.
    let mut second = Daemon::spawn(&config, &[]);
    assert_eq!(second.wait().code(), Some(1));
    mount.remount("rw");
    wait_for_store(&daemon);
    daemon.crash();
    mount.remount("ro");
    let mut daemon = Daemon::start_unready(&config);
    daemon.wait_for_log("its state has been read");
    wait_for_memory(&daemon, &["data"]);
    fires(&site, "c", 3);
    mount.remount("rw");
    wait_for_store(&daemon);
    goes_on_from_the_store(&site, daemon, &["a", "b", "c"], 3);
}

/// Every write waits, for as long as a disk may be busy or a network file system be away.
#[test]
fn a_disk_that_hangs_delays_a_page_by_seconds_only() {
    let Some(site) = Site::new("frozen_disk") else { return };
    let image = site.dir.join("disk");
    File::create(&image).unwrap().set_len(32 << 20).unwrap();
    if let Err(why) = run("mkfs.ext4", &["-q", &image]) {
        return skip("MOUNT", &why);
    }
    let Some(mut mount) = Mount::new(&site, &["-o", "loop"], &image) else { return };
    site.write_apart();
    let daemon = site.start();
    fires(&site, "a", 1);
    mount.freeze(true);
    let began = Instant::now();
    fires(&site, "b", 2);
    crate::support::say(&format!("a page with a disk that hangs came after {:?}", began.elapsed()));
    wait_for_memory(&daemon, &["no answer within"]);
    let began = Instant::now();
    fires(&site, "c", 3);
    assert!(began.elapsed().as_secs() < 10, "it is known by now: {:?}", began.elapsed());
    mount.freeze(false);
    wait_for_store(&daemon);
    goes_on_from_the_store(&site, daemon, &["a", "b", "c"], 3);
    drop(mount);
}

/// `ulimit -f` ends a program that knows nothing of it.
#[test]
fn a_limit_on_the_size_of_files_stops_no_page() {
    let Some(site) = Site::new("limit") else { return };
    site.write_apart();
    let daemon = site.start();
    fires(&site, "a", 1);
    let pid = daemon.id().to_string();
    if let Err(why) = run("prlimit", &["--pid", &pid, "--fsize=1024:unlimited"]) {
        return skip("MOUNT", &why);
    }
    fires(&site, "b", 2);
    wait_for_memory(&daemon, &["watchbell.db"]);
    run("prlimit", &["--pid", &pid, "--fsize=unlimited:unlimited"]).unwrap();
    wait_for_store(&daemon);
    goes_on_from_the_store(&site, daemon, &["a", "b"], 2);
}

#[test]
fn a_damaged_file_stops_no_page_and_is_left_as_it_is() {
    let Some(site) = Site::new("damaged") else { return };
    let config = site.write_apart();
    let daemon = site.start();
    fires(&site, "a", 1);
    daemon.stop();
    let file = stored(&site, "watchbell.db");
    let bytes = spoil(&file, 100);
    let mut daemon = Daemon::start_unready(&config);
    wait_for_memory(&daemon, &["is damaged", "move it away"]);
    daemon.wait_for_log("alerts that fire are announced again");
    announces_again(&site, &["a"], 2);
    fires(&site, "b", 3);
    assert!(fs::read(&file).unwrap() == bytes, "nobody has written to it");
    // It has to last for a minute.
    let own = |count: usize| {
        let taken = || site.taken("/webhook/self");
        let began = Instant::now();
        while taken().len() < count && began.elapsed().as_secs() < 70 {
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
        site.wait_for_taken("/webhook/self", count).swap_remove(count - 1)
    };
    let told = own(1);
    assert_eq!(told["alerts"][0]["labels"]["alertname"], "WatchbellStoreFailed");
    let words = told["alerts"][0]["annotations"]["description"].to_string();
    assert!(words.contains("is damaged"), "{words}");
    fs::rename(&file, site.dir.join("data/damaged.db")).unwrap();
    wait_for_store(&daemon);
    assert_eq!(own(2)["status"], "resolved");
    goes_on_from_the_store(&site, daemon, &["a", "b"], 3);
}

#[test]
fn a_file_that_is_deleted_under_it_is_written_anew() {
    let Some(site) = Site::new("deleted") else { return };
    site.write_apart();
    let mut daemon = site.start();
    fires(&site, "a", 1);
    for name in ["watchbell.db", "watchbell.db-wal", "watchbell.db-shm"] {
        fs::remove_file(stored(&site, name)).unwrap();
    }
    fires(&site, "b", 2);
    daemon.wait_for_log("has been written anew");
    wait_for_store(&daemon);
    goes_on_from_the_store(&site, daemon, &["a", "b"], 2);
}

/// Another file in its place is not the store, and is not written to.
#[test]
fn a_file_that_is_replaced_under_it_is_not_touched() {
    let Some(site) = Site::new("replaced") else { return };
    site.write_apart();
    let daemon = site.start();
    fires(&site, "a", 1);
    let file = stored(&site, "watchbell.db");
    let other = site.dir.join("other");
    fs::write(&other, "somebody's").unwrap();
    fs::rename(&other, &file).unwrap();
    fires(&site, "b", 2);
    wait_for_memory(&daemon, &["another file has taken its place"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "somebody's");
    fs::remove_file(&file).unwrap();
    wait_for_store(&daemon);
    goes_on_from_the_store(&site, daemon, &["a", "b"], 2);
}

#[test]
fn a_newer_file_refuses_the_start_and_stays_as_it_is() {
    let Some(site) = Site::new("newer") else { return };
    let config = site.write_apart();
    site.start().stop();
    let file = stored(&site, "watchbell.db");
    set_version(&file, 4711);
    let before = fs::read(&file).unwrap();
    let mut process = Daemon::spawn(&config, &[]);
    let code = process.wait().code();
    let said = process.whole_output();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("has format 4711") && said.contains("run the newer version"), "{said}");
    assert!(fs::read(&file).unwrap() == before);
}

fn set_version(file: &Path, version: u32) {
    let db = rusqlite::Connection::open(file).unwrap();
    db.pragma_update(None, "user_version", version).unwrap();
}
