//! What outlives a process: true time, the plan, the two models, and the trace.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use watchbell::model::Timestamp;

use super::duties::Duties;
use super::plan::{Crash, DAY, Effect, HOUR, MINUTE, Ms, Plan};
use super::rules::Rules;

/// Everything around the process.
pub struct World {
    pub plan: Plan,
    state: Mutex<State>,
    died: Notify,
}

/// What changes in it.
pub struct State {
    /// True time at the start of the process that lives, and that moment on tokio's clock.
    life: (Ms, Option<Instant>),
    /// How far the wall clock is ahead of true time.
    pub offset: Ms,
    former_offset: Ms,
    stepped: Ms,
    dead: bool,
    crashes: Vec<Crash>,
    effects: usize,
    /// How long the process that has died is down.
    pub down: Ms,
    pub failure: Option<String>,
    pub rules: Rules,
    pub duties: Duties,
    hash: DefaultHasher,
    pub lines: Option<Vec<String>>,
    /// How often a process died.
    pub deaths: usize,
}

impl World {
    /// `tell` keeps the trace in words.
    pub fn new(plan: Plan, tell: bool) -> Self {
        let mut crashes = plan.crashes.clone();
        crashes.reverse();
        let state = State {
            life: (0, None),
            offset: 0,
            former_offset: 0,
            stepped: -HOUR,
            dead: true,
            crashes,
            effects: 0,
            down: 0,
            failure: None,
            rules: Rules::new(&plan),
            duties: Duties::new(),
            hash: DefaultHasher::new(),
            lines: tell.then(Vec::new),
            deaths: 0,
        };
        Self { plan, state: Mutex::new(state), died: Notify::new() }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process begins to live now, on the runtime that this is called in.
    pub fn born(&self, at: Ms) {
        let mut state = self.state();
        state.life = (at, Some(Instant::now()));
        state.dead = false;
    }

    /// Waits until the process dies.
    pub async fn death(&self) {
        self.died.notified().await;
    }

    /// True time.
    pub fn now(&self) -> Ms {
        self.state().now()
    }

    /// The process does something that has an effect, and may die of it: then this never returns,
    /// and nothing that it does has an effect any more.
    pub async fn effect(&self, effect: Effect) {
        if self.dies_of(effect) {
            std::future::pending::<()>().await;
        }
    }

    /// The time that a question or a message is on its way.
    pub async fn latency(&self) {
        // A sleep of no time is a turn of the clock all the same, which costs.
        if !self.plan.latency.is_zero() {
            tokio::time::sleep(self.plan.latency).await;
        }
    }

    fn dies_of(&self, effect: Effect) -> bool {
        let mut state = self.state();
        if state.dead {
            return true;
        }
        let now = state.now();
        let due = |crash: &Crash| crash.from <= now && now < DAY;
        let Some(crash) = state.crashes.last().copied().filter(due) else {
            return false;
        };
        if crash.effect.is_none_or(|awaited| awaited == effect) {
            state.effects += 1;
        }
        if state.effects < crash.nth {
            return false;
        }
        state.crashes.pop();
        state.effects = 0;
        state.die(crash.down, &format!("dies at {effect:?}"));
        self.died.notify_one();
        true
    }

    /// Something is not as it must be. The run ends.
    pub fn fail(&self, what: String) {
        let mut state = self.state();
        state.fail(what);
        self.died.notify_one();
    }

    /// Takes the answer of a model.
    pub fn check(&self, result: Result<(), String>) {
        if let Err(what) = result {
            self.fail(what);
        }
    }
}

impl State {
    pub fn now(&self) -> Ms {
        let (start, epoch) = self.life;
        start + epoch.map_or(0, |epoch| epoch.elapsed().as_millis() as Ms)
    }

    pub fn die(&mut self, down: Ms, why: &str) {
        self.dead = true;
        self.down = down;
        self.deaths += 1;
        self.note(|| format!("{why}, down for {} s", down / 1000));
    }

    pub fn fail(&mut self, what: String) {
        self.dead = true;
        self.note(|| format!("FAILED: {what}"));
        let now = self.now();
        self.failure.get_or_insert(format!("at {}: {what}", clock(now)));
    }

    /// The wall clock is put forward or back.
    pub fn step(&mut self, by: Ms) {
        self.former_offset = self.offset;
        self.stepped = self.now();
        self.offset += by;
        self.note(|| format!("the wall clock steps by {} s", by / 1000));
    }

    /// Whether the wall clock has just stepped.
    pub fn has_just_stepped(&self) -> bool {
        self.now() - self.stepped < 2 * MINUTE
    }

    /// True time of a stamp of the process, which may be from before a step of the clock.
    pub fn true_time(&self, plan: &Plan, at: Timestamp) -> Ms {
        let wall = at.millis() - plan.start.millis();
        let now = self.now();
        if (wall - self.offset - now).abs() > HOUR / 2
            && (wall - self.former_offset - now).abs() < HOUR / 2
        {
            return wall - self.former_offset;
        }
        wall - self.offset
    }

    /// What the wall clock shows at a true time, by today's difference.
    pub fn wall(&self, plan: &Plan, at: Ms) -> Timestamp {
        Timestamp::from_millis(plan.start.millis() + at + self.offset)
    }

    /// Adds to the trace, which is the same in every run of a seed.
    pub fn note(&mut self, line: impl FnOnce() -> String) {
        let line = line();
        let now = self.now();
        (now, &line).hash(&mut self.hash);
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{} {line}", clock(now)));
        }
    }

    pub fn hash(&self) -> u64 {
        self.hash.finish()
    }
}

/// A time of the day, from its start.
pub fn clock(at: Ms) -> String {
    let (hours, rest) = (at / HOUR, at % HOUR);
    format!("{hours:02}:{:02}:{:06.3}", rest / 60_000, (rest % 60_000) as f64 / 1000.0)
}
