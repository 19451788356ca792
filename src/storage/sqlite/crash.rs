//! Kills a process that commits, at random moments, and looks for what it was promised.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::model::Timestamp;
use crate::outbox::EntryId;
use crate::storage::contract::samples;
use crate::storage::{Change, HistoryFilter, SqliteStore, Store};

/// Set for the process that is killed: the folder of its store.
const FOLDER: &str = "WATCHBELL_TEST_CRASH_FOLDER";
const ROUNDS: usize = 20;
/// How many commits are under way at any time.
const COMMITTERS: u64 = 8;

/// The process that is killed: it commits rising numbers, and prints each once it is committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by `acknowledged_commits_survive_a_kill`"]
async fn victim() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = SqliteStore::open(Path::new(&folder)).unwrap();
    let last = store.load().await.unwrap().last_entry;
    let committers = (1..=COMMITTERS).map(|first| {
        let store = &store;
        async move {
            let mut number = last + first;
            loop {
                store.commit(list(number)).await.unwrap();
                let mut out = std::io::stdout().lock();
                writeln!(out, "committed {number}").and_then(|()| out.flush()).unwrap();
                number += COMMITTERS;
            }
        }
    });
    futures::future::join_all(committers).await;
}

/// A list that leaves two traces, so that half of one would show.
fn list(number: u64) -> Vec<Change> {
    vec![Change::put_entry(samples::entry(number)), Change::add_attempt(samples::attempt(number))]
}

fn start(folder: &Path) -> Child {
    // The harness leaves the crate out of a test's name.
    let name = concat!(module_path!(), "::victim").split_once("::").unwrap().1;
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Every number that the process acknowledged before it was killed.
fn acknowledged(folder: &Path) -> Vec<u64> {
    let mut child = start(folder);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let lines = std::iter::from_fn(move || {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        // A line that the kill cut short acknowledges nothing.
        line.strip_suffix('\n').map(str::to_string)
    });
    let number = |line: String| line.split_once("committed ")?.1.parse().ok();
    let mut numbers = lines.filter_map(number);
    let first = numbers.next().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // Real time, because the process is real.
            std::thread::sleep(Duration::from_micros(rand::random_range(0..40_000)));
            child.kill().unwrap();
            child.wait().unwrap();
        });
        std::iter::once(first).chain(numbers).collect()
    })
}

#[tokio::test]
async fn acknowledged_commits_survive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut promised: Vec<u64> = Vec::new();
    for round in 0..ROUNDS {
        let numbers = acknowledged(folder.path());
        promised.extend(&numbers);
        // At once: nothing that the killed process held has to run out.
        let store = SqliteStore::open(folder.path()).unwrap();
        let snapshot = store.load().await.unwrap();
        let stored: Vec<u64> = snapshot.entries.iter().map(|entry| entry.id.0).collect();
        for number in &numbers {
            assert!(stored.binary_search(number).is_ok(), "round {round}: {number} is lost");
        }
        let attempts = store.history(&HistoryFilter::default()).await.unwrap().attempts;
        let mut tried: Vec<u64> = attempts.iter().map(|attempt| attempt.entry.0).collect();
        tried.sort_unstable();
        assert_eq!(tried, stored, "round {round}: a list is stored by half");
        assert_eq!(snapshot.last_entry, stored.last().copied().unwrap_or(0));

        // Room for the next round, since history is read up to a bound.
        let clear = stored.iter().map(|number| Change::DeleteEntry(EntryId(*number)));
        store.commit(clear.collect()).await.unwrap();
        store.prune(Timestamp::from_millis(i64::MAX)).await.unwrap();
    }
    assert!(promised.len() > ROUNDS, "the processes came to work: {}", promised.len());
}
