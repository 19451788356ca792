//! Debian's Prometheus and Alertmanager, where they are installed.

use std::fs;
use std::path::Path;

use crate::process::{Process, free_address};

pub const PROMETHEUS: &str = "/usr/bin/prometheus";
pub const ALERTMANAGER: &str = "/usr/bin/prometheus-alertmanager";

/// Starts Alertmanager; `None` where it is missing. Its storage is in the folder.
pub fn alertmanager(folder: &Path, routes: &str) -> Option<Process> {
    if !Path::new(ALERTMANAGER).exists() {
        return None;
    }
    fs::write(folder.join("alertmanager.yml"), routes).expect("a file");
    let address = free_address();
    let listen = format!("--web.listen-address={address}");
    let arguments = [
        "--config.file=alertmanager.yml",
        "--storage.path=alertmanager",
        "--cluster.listen-address=",
        "--log.level=error",
        &listen,
    ];
    Some(Process::start(ALERTMANAGER, &arguments, &address, folder))
}

/// Starts Prometheus with a configuration; `None` where it is missing.
pub fn prometheus(folder: &Path, config: &str) -> Option<Process> {
    if !Path::new(PROMETHEUS).exists() {
        return None;
    }
    fs::write(folder.join("prometheus.yml"), config).expect("a file");
    let address = free_address();
    let listen = format!("--web.listen-address={address}");
    let arguments = [
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=prometheus",
        "--log.level=error",
        &listen,
    ];
    Some(Process::start(PROMETHEUS, &arguments, &address, folder))
}
