//! Unit-test files that people have.

use std::path::Path;

use watchbell::ruletest::find_files;

use crate::once::{median, once};
use crate::report::{Figure, note};

/// All of them in one run of `watchbell test`, and in one of promtool, which takes minutes.
pub fn run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = root.ancestors().map(|a| a.join("shared/corpus/wikimedia-alerts"));
    let Some(folder) = folders.find(|folder| folder.is_dir()) else {
        return note("no folder shared/corpus/wikimedia-alerts: nothing to measure");
    };
    let files = find_files(std::slice::from_ref(&folder)).unwrap();
    let names: Vec<&str> = files.iter().filter_map(|file| file.to_str()).collect();
    let run = |head: &[&'static str]| [head, &names].concat();
    let ours = median(5, env!("CARGO_BIN_EXE_watchbell"), &run(&["test"]), &folder).unwrap();
    let theirs = once("promtool", &run(&["test", "rules"]), &folder);
    let what = format!("{} files, median of 5", files.len());
    let peer = |of: fn(&crate::once::Once) -> f64| theirs.as_ref().map(of);
    Figure::new(&what, ours.time, "s").target(1.0).peer("promtool", peer(|o| o.time)).print();
    Figure::new("processor", ours.processor, "s").peer("promtool", peer(|o| o.processor)).print();
    Figure::new("memory at the most", ours.memory, "MiB")
        .target(200.0)
        .peer("promtool", peer(|o| o.memory))
        .print();
}
