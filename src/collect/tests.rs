//! What is counted, pass by pass.

use super::*;
use crate::collect::ledger::{MAX_EXPERIMENTS, MAX_RUNS};

/// The time at which the first pass is made, in seconds.
const START: i64 = 1_000_000;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(START + secs)
}

fn experiment(id: &str, name: &str) -> Experiment {
    Experiment { id: id.into(), name: name.into() }
}

fn run(id: &str, status: RunStatus, secs: i64) -> EndedRun {
    EndedRun { id: id.into(), experiment: "1".into(), status, ended_at: at(secs) }
}

fn failed(id: &str, secs: i64) -> EndedRun {
    run(id, RunStatus::Failed, secs)
}

/// A tracking server's runs, a ledger, and a store that has what was stored last.
struct Bench {
    ledger: Ledger,
    runs: Vec<EndedRun>,
    experiments: Vec<Experiment>,
    stored: Option<Collected>,
}

impl Bench {
    /// After a first pass at `START`, which has found these runs.
    fn new(runs: Vec<EndedRun>) -> Self {
        let experiments = vec![experiment("1", "churn")];
        let mut bench = Self { ledger: Ledger::new("s", None), runs, experiments, stored: None };
        bench.pass(0);
        bench
    }

    /// A pass so many seconds after the start, as far as one answer of `limit` runs reaches.
    fn pass_of(&mut self, secs: i64, limit: usize) -> Progress {
        let mut pass = self.ledger.begin(at(secs), &self.experiments);
        let mut found: Vec<EndedRun> =
            self.runs.iter().filter(|run| run.ended_at >= pass.from).cloned().collect();
        found.sort_by_key(|run| run.ended_at);
        if found.len() > limit {
            found.truncate(limit);
            pass.cut_short(found.last().unwrap().ended_at);
        }
        self.ledger.take(&mut pass, &found);
        let progress = self.ledger.finish(&pass);
        self.save();
        progress
    }

    fn save(&mut self) {
        if let Some(change) = self.ledger.change() {
            change.apply(&mut self.stored);
            self.ledger.stored();
        }
    }

    fn pass(&mut self, secs: i64) {
        assert_eq!(self.pass_of(secs, usize::MAX), Progress::Whole);
    }

    fn restart(&mut self) {
        self.ledger = Ledger::new("s", self.stored.clone());
    }

    fn shown(&self, name: &str) -> Option<Shown> {
        self.ledger.shown().0.get(name).copied()
    }

    fn churn(&self) -> (Counts, Option<i64>) {
        let shown = self.shown("churn").unwrap();
        (shown.counts, shown.last_failed.map(|at| at.millis() / 1000 - START))
    }
}

#[test]
fn what_ended_before_the_counting_began_is_not_counted() {
    let mut bench = Bench::new(vec![failed("a", -60), failed("b", -7_200)]);
    assert_eq!(bench.churn(), ([0, 0, 0], Some(-60)), "the last failure is told all the same");
    bench.pass(30);
    assert_eq!(bench.churn(), ([0, 0, 0], Some(-60)));
}

#[test]
fn each_end_is_counted_once_however_often_it_is_read() {
    let mut bench = Bench::new(Vec::new());
    assert_eq!(bench.churn(), ([0, 0, 0], None), "every status is there before the first end");
    // Three in one millisecond, one of which becomes known later.
    bench.runs = vec![failed("a", 10), run("b", RunStatus::Finished, 10)];
    bench.pass(30);
    bench.runs.push(run("c", RunStatus::Killed, 10));
    for secs in [60, 90, 120] {
        bench.pass(secs);
        assert_eq!(bench.churn(), ([1, 1, 1], Some(10)));
    }
}

#[test]
fn a_restart_goes_on_from_what_is_stored() {
    let mut bench = Bench::new(Vec::new());
    bench.runs = vec![failed("a", 10)];
    bench.pass(30);
    bench.restart();
    assert_eq!(bench.churn(), ([0, 1, 0], Some(10)), "before the first answer");
    bench.runs.push(failed("b", 10));
    bench.runs.push(failed("c", 3 * 86_400));
    bench.pass(3 * 86_400 + 60);
    assert_eq!(bench.churn(), ([0, 3, 0], Some(3 * 86_400)), "also what ended meanwhile");
}

#[test]
fn counts_that_were_not_stored_are_made_again_and_not_twice() {
    let mut bench = Bench::new(Vec::new());
    bench.runs = vec![failed("a", 10)];
    let before = bench.stored.clone();
    bench.pass(30);
    bench.stored = before;
    bench.restart();
    bench.pass(60);
    bench.pass(90);
    assert_eq!(bench.churn().0, [0, 1, 0]);
}

#[test]
fn what_becomes_known_late_is_counted_within_an_hour() {
    let mut bench = Bench::new(Vec::new());
    bench.runs = vec![failed("on time", 7_000)];
    bench.pass(7_001);
    bench.runs.extend([failed("late", 3_401), failed("too late", 3_399)]);
    bench.pass(7_030);
    assert_eq!(bench.churn().0, [0, 2, 0]);
}

#[test]
fn clocks_that_are_wrong_neither_hide_nor_repeat() {
    let mut bench = Bench::new(Vec::new());
    // The machine that trained is 50 minutes behind, then another is a day ahead.
    bench.runs = vec![failed("behind", -3_000)];
    bench.pass(30);
    assert_eq!(bench.churn(), ([0, 1, 0], Some(0)), "it was not there at the last pass");
    bench.runs.push(failed("ahead", 86_400));
    bench.pass(60);
    assert_eq!(bench.churn(), ([0, 2, 0], Some(60)), "and nothing ends in the future");
    bench.runs.push(failed("right", 70));
    bench.pass(90);
    assert_eq!(bench.churn().0, [0, 3, 0], "the one that is ahead hides none");
    // Our own clock: a day ahead for a while, then a day behind.
    bench.pass(86_500);
    bench.runs.push(failed("meanwhile", 100));
    bench.pass(120);
    bench.runs.push(failed("now", 130));
    bench.pass(-86_400);
    bench.pass(150);
    assert_eq!(bench.churn().0, [0, 5, 0]);
}

#[test]
fn a_run_that_is_resumed_counts_once_but_its_failure_is_told() {
    let mut bench = Bench::new(Vec::new());
    bench.runs = vec![run("a", RunStatus::Finished, 10)];
    bench.pass(30);
    bench.runs = vec![failed("a", 7_200)];
    bench.pass(7_230);
    bench.restart();
    bench.pass(7_260);
    assert_eq!(bench.churn(), ([1, 0, 0], Some(7_200)));
}

#[test]
fn experiments_come_go_and_change_their_names() {
    let mut bench = Bench::new(Vec::new());
    bench.runs = vec![failed("a", 10)];
    bench.pass(30);
    let (churn, runs) = (bench.experiments.clone(), bench.runs.clone());
    (bench.experiments, bench.runs) = (Vec::new(), Vec::new());
    bench.pass(60);
    assert_eq!(bench.shown("churn"), None, "it is deleted");
    bench.restart();
    (bench.experiments, bench.runs) = (churn, runs);
    bench.pass(90);
    assert_eq!(bench.churn().0, [0, 1, 0], "it is back, and nothing is counted again");
    bench.experiments = vec![experiment("1", "renamed"), experiment("2", "renamed")];
    bench.runs.push(EndedRun { experiment: "2".into(), ..failed("b", 100) });
    bench.pass(120);
    assert_eq!(bench.shown("churn"), None);
    assert_eq!(bench.shown("renamed").unwrap().counts, [0, 2, 0], "those of one name are one");
    let long = "é".repeat(1_000);
    bench.experiments = vec![experiment("1", &long)];
    bench.pass(150);
    let names = bench.ledger.shown().0.into_keys();
    assert_eq!(names.map(|name| name.chars().count()).collect::<Vec<_>>(), [129]);
}

#[test]
fn experiments_beyond_the_bound_are_counted_together() {
    let mut bench = Bench::new(Vec::new());
    let number = |n: usize| experiment(&n.to_string(), &format!("e{n}"));
    bench.experiments = (1..MAX_EXPERIMENTS + 3).map(number).collect();
    bench.runs = vec![failed("a", 10), failed("b", 10), failed("c", 10)];
    for (run, id) in bench.runs.iter_mut().zip([1, MAX_EXPERIMENTS + 1, MAX_EXPERIMENTS + 2]) {
        run.experiment = id.to_string().into();
    }
    bench.pass(30);
    let (shown, beyond) = bench.ledger.shown();
    assert_eq!((shown.len(), beyond), (MAX_EXPERIMENTS + 1, 2));
    assert_eq!((shown["e1"].counts, shown[OTHERS].counts), ([0, 1, 0], [0, 2, 0]));
    assert_eq!(shown[OTHERS].last_failed, Some(at(10)), "so that its alert fires");
    // One that is gone makes room.
    bench.experiments.remove(0);
    bench.pass(60);
    bench.restart();
    bench.pass(90);
    let (shown, beyond) = bench.ledger.shown();
    assert_eq!((shown.len(), beyond, shown[OTHERS].counts[1]), (MAX_EXPERIMENTS + 1, 1, 2));
    assert!(!shown.contains_key("e1"));
}

#[test]
fn more_than_one_pass_can_read_is_read_by_the_next() {
    let mut bench = Bench::new(Vec::new());
    bench.runs = (0..100).map(|n| failed(&n.to_string(), n)).collect();
    let passes: Vec<Progress> = (0..12).map(|n| bench.pass_of(200 + n, 10)).collect();
    assert_eq!(passes[0], Progress::Behind);
    assert!(passes.contains(&Progress::Whole), "{passes:?}");
    assert_eq!(bench.churn().0, [0, 100, 0]);
    // So many in one millisecond that no answer holds them: said, and not waited for.
    bench.runs = (0..30).map(|n| failed(&format!("m{n}"), 5_000)).collect();
    let passes: Vec<Progress> = (0..6).map(|n| bench.pass_of(5_001 + n, 10)).collect();
    assert!(passes.contains(&Progress::Skipped), "{passes:?}");
    bench.runs.push(failed("after", 5_010));
    (0..6).for_each(|n| assert_ne!(bench.pass_of(5_011 + n, 10), Progress::Skipped));
    assert_eq!(bench.churn().0, [0, 111, 0]);
    // Once there are few again, what becomes known late is read again.
    bench.runs = vec![failed("much later", 20_000)];
    bench.pass(20_001);
    bench.runs.push(failed("late", 19_000));
    bench.pass(20_030);
    assert_eq!(bench.churn().0, [0, 113, 0]);
}

#[test]
fn too_much_at_the_first_pass_is_all_of_before() {
    let mut bench = Bench::new(Vec::new());
    bench.ledger = Ledger::new("s", None);
    bench.runs = (0..20).map(|n| failed(&n.to_string(), -n)).collect();
    bench.pass_of(0, 10);
    bench.runs.push(failed("first", 10));
    bench.pass_of(30, 10);
    bench.pass_of(60, 10);
    assert_eq!(bench.churn(), ([0, 1, 0], Some(10)));
}

#[test]
fn what_is_forgotten_is_not_counted_again() {
    let mut bench = Bench::new(Vec::new());
    let many = i64::try_from(MAX_RUNS).unwrap() + 1;
    bench.runs = (0..many).map(|n| failed(&n.to_string(), n / 100)).collect();
    bench.pass(1_001);
    let count = bench.churn().0;
    assert_eq!(count[1], u64::try_from(many).unwrap());
    assert!(bench.stored.as_ref().unwrap().runs.len() < MAX_RUNS);
    bench.pass(1_030);
    bench.restart();
    bench.pass(1_060);
    assert_eq!(bench.churn().0, count);
    // A month later they are forgotten too.
    let month = 31 * 86_400;
    bench.runs = vec![failed("last", month)];
    bench.pass(month);
    assert_eq!(bench.stored.as_ref().unwrap().runs.len(), 1);
}

#[test]
fn nothing_is_stored_where_nothing_has_changed() {
    let mut bench = Bench::new(vec![failed("a", -60)]);
    assert!(bench.stored.is_some(), "the place to go on from");
    let before = bench.stored.clone();
    let pass = bench.ledger.begin(at(30), &bench.experiments);
    bench.ledger.finish(&pass);
    assert_eq!(bench.ledger.change(), None);
    assert_eq!(bench.stored, before);
}

#[test]
fn another_source_begins_anew() {
    let mut bench = Bench::new(Vec::new());
    bench.runs = vec![failed("a", 10)];
    bench.pass(30);
    bench.ledger = Ledger::new("other", bench.stored.clone());
    assert!(bench.ledger.shown().0.is_empty());
    bench.pass(60);
    assert_eq!(bench.churn().0, [0, 0, 0]);
    let stored = bench.stored.as_ref().unwrap();
    assert_eq!((stored.source.as_str(), stored.runs.len()), ("other", 1));
}
