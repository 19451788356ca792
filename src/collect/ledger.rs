//! What has been counted, and what to ask for next.
//!
//! Runs are found by the time at which they ended, which the machines that train set by clocks of
//! their own, and say when they get round to it. So each pass asks again for an hour before the
//! newest end that is known, and runs are told apart by their ids, which are remembered.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::collect::{
    Collected, CollectedExperiment, CollectedRun, CollectionChange, Counts, EndedRun, Experiment,
    RunStatus, Shown,
};
use crate::model::Timestamp;

/// How much later than another run one may become known that ended before it.
const LATE: Duration = Duration::from_secs(3600);
/// For how long a run is remembered: one that is resumed and ends again is not counted again.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);
/// How many runs are remembered at most. Of those that ended before the ones that are forgotten
/// none is counted any more, so none is counted twice.
pub(super) const MAX_RUNS: usize = 100_000;
/// How many experiments have series of their own.
pub(super) const MAX_EXPERIMENTS: usize = 1_000;
/// How many characters of a name are shown.
const MAX_NAME: usize = 128;
/// The name of all experiments that have no series of their own.
pub const OTHERS: &str = "(others)";

/// The counts of one source of runs.
#[derive(Clone, Debug)]
pub struct Ledger {
    source: String,
    /// The newest end that is known; `None` until a first pass has noted what is there already.
    cursor: Option<Timestamp>,
    floor: Timestamp,
    /// By id; an empty id stands for all that have no place of their own.
    experiments: BTreeMap<Arc<str>, Tally>,
    /// How many experiments have no place of their own.
    beyond: usize,
    runs: HashMap<Arc<str>, Timestamp>,
    by_end: BTreeSet<(Timestamp, Arc<str>)>,
    /// Up to where a pass that was cut short has read, and how many runs it could read. What ended
    /// before it is not read again until the last hour has fewer than half of them.
    read_to: Option<(Timestamp, usize)>,
    /// When the last whole pass of this process began.
    last_pass: Option<Timestamp>,
    unsaved: Unsaved,
}

#[derive(Clone, Debug, Default)]
struct Tally {
    name: Arc<str>,
    counts: Counts,
    last_failed: Option<Timestamp>,
    /// Whether the source has it still. One that was deleted may come back.
    is_there: bool,
}

/// What the store does not have yet.
#[derive(Clone, Debug, Default)]
struct Unsaved {
    anew: bool,
    head: bool,
    experiments: BTreeSet<Arc<str>>,
    gone: BTreeSet<Arc<str>>,
    runs: BTreeMap<Arc<str>, Timestamp>,
}

/// One reading of the source.
#[derive(Clone, Debug)]
pub struct Pass {
    /// Runs are wanted that ended at this time or later.
    pub from: Timestamp,
    now: Timestamp,
    newest: Timestamp,
    /// Up to which end a list was read that was cut short; the earliest of them.
    cut: Option<Timestamp>,
    /// How many runs were read.
    read: usize,
}

impl Pass {
    /// A list of runs was not read to its end. It is ordered by end; `last` is the last that was
    /// read.
    pub fn cut_short(&mut self, last: Timestamp) {
        self.cut = Some(self.cut.map_or(last, |cut| cut.min(last)));
    }
}

/// How far a pass has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// All has been read.
    Whole,
    /// There is more, and the next pass goes on there.
    Behind,
    /// More runs ended in one millisecond than can be read: some of them are not counted.
    Skipped,
}

impl Ledger {
    /// A ledger that goes on from what is stored, or begins where that is of another source.
    pub fn new(source: &str, stored: Option<Collected>) -> Self {
        let anew = stored.as_ref().is_some_and(|stored| stored.source != source);
        let stored = stored.filter(|stored| stored.source == source);
        let cursor = stored.as_ref().map(|stored| stored.cursor);
        let Collected { floor, experiments, runs, .. } = stored.unwrap_or_default();
        let tally = |e: CollectedExperiment| {
            let tally = Tally {
                name: e.name,
                counts: e.counts,
                last_failed: e.last_failed,
                is_there: true,
            };
            (e.id, tally)
        };
        Self {
            source: source.to_string(),
            cursor,
            floor,
            experiments: experiments.into_iter().map(tally).collect(),
            beyond: 0,
            by_end: runs.iter().map(|run| (run.ended_at, Arc::clone(&run.id))).collect(),
            runs: runs.into_iter().map(|run| (run.id, run.ended_at)).collect(),
            read_to: None,
            last_pass: None,
            unsaved: Unsaved { anew, ..Unsaved::default() },
        }
    }

    /// Begins a pass over the experiments that the source has now.
    pub fn begin(&mut self, now: Timestamp, present: &[Experiment]) -> Pass {
        self.register(present);
        let from = match self.cursor {
            None => now - LATE,
            // A clock that was ahead must not hide what ended by the right time.
            Some(cursor) => cursor.min(now) - LATE,
        };
        let from = self.read_to.map_or(from, |(read_to, _)| from.max(read_to)).max(self.floor);
        Pass { from, now, newest: from, cut: None, read: 0 }
    }

    fn register(&mut self, present: &[Experiment]) {
        let ids: BTreeSet<&str> = present.iter().map(|e| &*e.id).collect();
        for (id, tally) in &mut self.experiments {
            tally.is_there = id.is_empty() || ids.contains(&**id);
        }
        self.beyond = 0;
        for experiment in present {
            if let Some(tally) = self.experiments.get_mut(&experiment.id) {
                if tally.name != experiment.name {
                    tally.name = Arc::clone(&experiment.name);
                    self.unsaved.experiments.insert(Arc::clone(&experiment.id));
                }
            } else if self.make_room() {
                let name = Arc::clone(&experiment.name);
                let tally = Tally { name, is_there: true, ..Tally::default() };
                self.put(&experiment.id, tally);
            } else {
                self.beyond += 1;
            }
        }
    }

    /// Whether one more experiment has a place; one that is gone gives up its own.
    fn make_room(&mut self) -> bool {
        let own = self.experiments.keys().filter(|id| !id.is_empty()).count();
        if own < MAX_EXPERIMENTS {
            return true;
        }
        let gone = self.experiments.iter().find(|(_, tally)| !tally.is_there);
        let Some(id) = gone.map(|(id, _)| Arc::clone(id)) else { return false };
        self.experiments.remove(&id);
        self.unsaved.experiments.remove(&id);
        self.unsaved.gone.insert(id);
        true
    }

    fn put(&mut self, id: &Arc<str>, tally: Tally) {
        self.unsaved.experiments.insert(Arc::clone(id));
        self.experiments.insert(Arc::clone(id), tally);
    }

    /// Takes runs of an answer. What a former pass has counted changes nothing.
    pub fn take(&mut self, pass: &mut Pass, runs: &[EndedRun]) {
        let floor = self.floor;
        pass.read += runs.len();
        for run in runs.iter().filter(|run| run.ended_at >= floor) {
            pass.newest = pass.newest.max(run.ended_at.min(pass.now));
            let known = self.runs.get(&run.id).copied();
            if known == Some(run.ended_at) {
                continue;
            }
            self.remember(run, known);
            // What ended before the counting began is noted, so that it is not counted later.
            let counts = known.is_none() && self.cursor.is_some();
            self.note(run, counts, pass.now);
        }
    }

    fn remember(&mut self, run: &EndedRun, known: Option<Timestamp>) {
        if let Some(known) = known {
            self.by_end.remove(&(known, Arc::clone(&run.id)));
        }
        self.by_end.insert((run.ended_at, Arc::clone(&run.id)));
        self.runs.insert(Arc::clone(&run.id), run.ended_at);
        self.unsaved.runs.insert(Arc::clone(&run.id), run.ended_at);
    }

    fn note(&mut self, run: &EndedRun, counts: bool, now: Timestamp) {
        let failed = run.status == RunStatus::Failed;
        if !counts && !failed {
            return;
        }
        let id = if self.experiments.contains_key(&run.experiment) {
            Arc::clone(&run.experiment)
        } else {
            self.experiments.entry("".into()).or_default().is_there = true;
            Arc::from("")
        };
        let when = self.seen_at(run.ended_at, now);
        if let Some(tally) = self.experiments.get_mut(&id) {
            for (status, count) in RunStatus::ALL.iter().zip(&mut tally.counts) {
                if counts && *status == run.status {
                    *count = count.saturating_add(1);
                }
            }
            if failed {
                tally.last_failed = tally.last_failed.max(Some(when));
            }
        }
        self.unsaved.experiments.insert(id);
    }

    /// When a run ended by our clock: what was not there at the last whole pass ended after it,
    /// and nothing ends in the future.
    fn seen_at(&self, ended_at: Timestamp, now: Timestamp) -> Timestamp {
        let earliest = self.last_pass.filter(|_| self.cursor.is_some());
        earliest.map_or(ended_at, |earliest| ended_at.max(earliest)).min(now)
    }

    /// Ends a pass in which every list was read, to its end or until it was cut short.
    pub fn finish(&mut self, pass: &Pass) -> Progress {
        let before = (self.cursor, self.floor);
        let tick = Duration::from_millis(1);
        let progress = match (pass.cut, self.cursor) {
            (None, cursor) => {
                let cursor = cursor.map_or(pass.now, |cursor| cursor.max(pass.newest));
                self.cursor = Some(cursor);
                self.last_pass = Some(pass.now);
                let lately = self.by_end.range((cursor - LATE, Arc::from(""))..).count();
                self.read_to = self.read_to.filter(|(_, capacity)| lately * 2 > *capacity);
                Progress::Whole
            }
            // Too much to note one by one: nothing that has ended by now is counted.
            (Some(_), None) => {
                (self.cursor, self.floor) = (Some(pass.now), pass.now + tick);
                Progress::Whole
            }
            (Some(cut), Some(_)) => {
                let (progress, read_to) = match cut > pass.from {
                    true => (Progress::Behind, cut),
                    false => (Progress::Skipped, pass.from + tick),
                };
                self.cursor = Some(read_to);
                self.read_to = Some((read_to, pass.read));
                progress
            }
        };
        self.forget();
        self.unsaved.head |= before != (self.cursor, self.floor);
        progress
    }

    /// Forgets the oldest runs where there are too many or they are old enough.
    fn forget(&mut self) {
        let old = self.cursor.map(|cursor| cursor - REMEMBERED);
        let keep = if self.by_end.len() > MAX_RUNS { MAX_RUNS / 10 * 9 } else { MAX_RUNS };
        while let Some((end, id)) = self.by_end.first() {
            let is_old = old.is_some_and(|old| *end < old);
            if !is_old && *end >= self.floor && self.by_end.len() <= keep {
                break;
            }
            self.floor = self.floor.max(*end + Duration::from_millis(1));
            self.runs.remove(id);
            self.unsaved.runs.remove(id);
            self.by_end.pop_first();
        }
    }

    /// What the store does not have yet. [`Ledger::stored`] says that it has it.
    pub fn change(&self) -> Option<CollectionChange> {
        let Unsaved { anew, head, experiments, gone, runs } = &self.unsaved;
        let is_empty = experiments.is_empty() && gone.is_empty() && runs.is_empty();
        // Before the first whole pass there is no place to go on from.
        let cursor = self.cursor.filter(|_| *anew || *head || !is_empty)?;
        let experiment = |id: &Arc<str>| {
            let tally = self.experiments.get(id)?;
            Some(CollectedExperiment {
                id: Arc::clone(id),
                name: Arc::clone(&tally.name),
                counts: tally.counts,
                last_failed: tally.last_failed,
            })
        };
        let run = |(id, ended_at): (&Arc<str>, &Timestamp)| CollectedRun {
            id: Arc::clone(id),
            ended_at: *ended_at,
        };
        Some(CollectionChange {
            anew: *anew,
            source: self.source.clone(),
            cursor,
            floor: self.floor,
            experiments: experiments.iter().filter_map(experiment).collect(),
            gone: gone.iter().cloned().collect(),
            runs: runs.iter().map(run).collect(),
        })
    }

    /// The store has what [`Ledger::change`] said.
    pub fn stored(&mut self) {
        self.unsaved = Unsaved::default();
    }

    /// What is to be shown, by name: experiments that the source has, and how many of them have no
    /// series of their own.
    pub fn shown(&self) -> (BTreeMap<String, Shown>, usize) {
        let mut shown: BTreeMap<String, Shown> = BTreeMap::new();
        for (id, tally) in self.experiments.iter().filter(|(_, tally)| tally.is_there) {
            let name = if id.is_empty() { OTHERS.to_string() } else { short(&tally.name) };
            let entry = shown.entry(name).or_default();
            for (sum, count) in entry.counts.iter_mut().zip(tally.counts) {
                *sum = sum.saturating_add(count);
            }
            entry.last_failed = entry.last_failed.max(tally.last_failed);
        }
        (shown, self.beyond)
    }
}

/// A name as the value of a label.
fn short(name: &str) -> String {
    match name.char_indices().nth(MAX_NAME) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
        None => name.to_string(),
    }
}
