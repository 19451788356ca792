//! One day: processes live and die over what stays, until all is quiet.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use watchbell::alerting::{BuiltinConfig, RulePolicies};
use watchbell::clock::{Clock, VirtualClock};
use watchbell::daemon::{Core, CoreSetup, RuleSettings};
use watchbell::engine::{Evaluator, Notifiers, SharedFacts, SilenceFailure};
use watchbell::model::{LabelSet, MatchOp, Matcher, Matchers, SilenceDraft, Timestamp};
use watchbell::notify::Notifier;
use watchbell::query::Querier;
use watchbell::storage::{MemoryStore, Store};
use watchbell::telemetry::{BuildInfo, Metrics};

use super::plan::{DAY, Effect, Event, INTEGRATIONS, MINUTE, Ms, Plan, QUIET, SECOND};
use super::prometheus::Prometheus;
use super::receivers::Receiver;
use super::setup::{groups, integration, routing};
use super::store::FaultyStore;
use super::world::World;

/// For how long a stop waits for deliveries.
const DRAIN: Duration = Duration::from_secs(10);
/// How soon a process that cannot start is started again.
const AGAIN: Ms = 30 * SECOND;

/// How often the models say whether all is as it must be.
const CHECKED_EVERY: Ms = 2 * MINUTE;

/// How a day went.
pub struct Report {
    /// What was not as it must be.
    pub failure: Option<String>,
    /// Of everything that happened.
    pub hash: u64,
    /// The same in words, where asked for.
    pub lines: Vec<String>,
    pub deaths: usize,
    pub messages: usize,
    pub repeated: usize,
}

/// Runs the day of a seed. `tell` keeps the trace in words.
pub fn run(seed: u64, tell: bool) -> Report {
    run_plan(Plan::new(seed), tell)
}

/// Runs a day as planned.
pub fn run_plan(plan: Plan, tell: bool) -> Report {
    let world = Arc::new(World::new(plan, tell));
    let mut day = Day {
        disk: Arc::new(MemoryStore::new()),
        setup: world.plan.first,
        events: world.plan.events.iter().copied().collect(),
        facts: SharedFacts::default(),
        world,
    };
    let mut birth = Some(0);
    while let Some(at) = birth {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        birth = runtime.block_on(day.live(at));
        drop(runtime);
    }
    let mut state = day.world.state();
    Report {
        failure: state.failure.take(),
        hash: state.hash(),
        lines: state.lines.take().unwrap_or_default(),
        deaths: state.deaths,
        messages: state.duties.messages,
        repeated: state.duties.repeated,
    }
}

struct Day {
    world: Arc<World>,
    disk: Arc<MemoryStore>,
    /// Which rules and which routes the files hold.
    setup: (usize, usize),
    events: VecDeque<(Ms, Event)>,
    facts: SharedFacts,
}

impl Day {
    /// The life of one process. Gives when the next one is born; `None` when the day is over.
    async fn live(&mut self, at: Ms) -> Option<Ms> {
        self.skip(at);
        self.facts = SharedFacts::default();
        self.world.born(at);
        let clock = Arc::new(VirtualClock::new(self.wall(at)));
        {
            let mut state = self.world.state();
            let (ruleset, routing) = self.setup;
            let offset = state.offset;
            state.note(|| format!("a process is born with rules {ruleset}, routes {routing}"));
            state.rules.born(&self.world.plan, ruleset, at, offset);
            state.duties.configure(routing);
        }
        let world = Arc::clone(&self.world);
        let (setup, store) = (self.core_setup(), self.store());
        let build = BuildInfo { version: String::new(), revision: String::new() };
        let metrics = Arc::new(Metrics::new(&build, self.wall(at)));
        let start = Core::start(setup, store, Arc::clone(&clock) as Arc<dyn Clock>, metrics, DRAIN);
        tokio::select! {
            biased;
            () = world.death() => {}
            core = start => match core {
                Err(error) => {
                    let mut state = world.state();
                    state.die(AGAIN, &format!("does not start: {error}"));
                }
                Ok(core) => tokio::select! {
                    biased;
                    () = world.death() => {}
                    over = self.run(core, &clock) => if over { return None },
                },
            }
        }
        let mut state = self.world.state();
        if state.failure.is_some() {
            return None;
        }
        let stepped = state.has_just_stepped();
        state.duties.died(stepped);
        Some(state.now() + state.down)
    }

    /// Everything that happens to a process that has started. Whether the day is over.
    async fn run(&mut self, mut core: Core, clock: &VirtualClock) -> bool {
        let until = self.world.now().max(DAY) + QUIET;
        let mut next_check = self.world.now() + CHECKED_EVERY;
        // A step in the instant of a start is noticed by nobody, since nothing runs yet.
        let started = self.world.now() + SECOND;
        loop {
            let event = self.events.front().map_or(Ms::MAX, |(at, _)| (*at).max(started));
            let next = event.min(next_check).min(until);
            let wait = (next - self.world.now()).max(0);
            tokio::time::sleep(Duration::from_millis(wait as u64)).await;
            let now = self.world.now();
            if event <= now {
                let Some((_, event)) = self.events.pop_front() else { continue };
                match event {
                    Event::Step(by) => {
                        clock.jump_wall(by);
                        self.world.state().step(by);
                    }
                    Event::Reload(rules, routes) => self.reload(&mut core, (rules, routes)).await,
                    Event::Silence(pod, length) => self.silence(&core, pod, length).await,
                    Event::Restart(down) => {
                        core.stop().await;
                        self.world.state().die(down, "is stopped");
                        return false;
                    }
                }
            } else if now >= until {
                self.end(core).await;
                return true;
            } else {
                next_check = now + CHECKED_EVERY;
                self.check(now);
            }
        }
    }

    async fn reload(&mut self, core: &mut Core, setup: (usize, usize)) {
        self.setup = setup;
        self.world.state().note(|| format!("reload to rules {}, routes {}", setup.0, setup.1));
        self.world.effect(Effect::ReloadBegun).await;
        self.world.state().duties.configure(setup.1);
        if core.reload(self.core_setup()).await.is_err() {
            self.world.fail("the dispatch loop has stopped".to_string());
        }
        {
            let mut state = self.world.state();
            let now = state.now();
            state.rules.configure(&self.world.plan, setup.0, now);
        }
        self.world.effect(Effect::Reloaded).await;
    }

    async fn silence(&self, core: &Core, pod: usize, length: Ms) {
        let begin = self.wall(self.world.now());
        let end = begin + Duration::from_millis(length as u64);
        let number = {
            let mut state = self.world.state();
            state.note(|| format!("p{pod} is silenced for {} s", length / 1000));
            state.duties.silence(pod, begin, end)
        };
        let matcher = Matcher::new("pod", MatchOp::Equal, format!("p{pod}"));
        let draft = SilenceDraft {
            id: None,
            matchers: Matchers(vec![matcher.unwrap()]),
            starts_at: begin,
            ends_at: end,
            created_by: "someone".to_string(),
            comment: "maintenance".to_string(),
        };
        match core.dispatch().set_silence(draft).await {
            Ok(_) => self.world.state().duties.silenced(number, true),
            Err(SilenceFailure::NotStored(_)) => {
                self.world.state().duties.silenced(number, false);
            }
            Err(error) => self.world.fail(error.to_string()),
        }
    }

    fn check(&self, now: Ms) {
        let result = {
            let mut state = self.world.state();
            let state = &mut *state;
            let wall = state.wall(&self.world.plan, now);
            let overdue = state.rules.overdue(&self.world.plan, now);
            overdue.and_then(|()| state.duties.check(&self.world.plan, &state.rules, now, wall))
        };
        self.world.check(result);
    }

    /// All was well for hours, and nothing fires: nothing may be left.
    async fn end(&self, core: Core) {
        let open = self.world.state().duties.open();
        let pending = core.board().pending();
        core.stop().await;
        let left = match self.disk.load().await {
            Ok(left) => left,
            Err(error) => return self.world.fail(error.to_string()),
        };
        let (alerts, groups) = (left.alerts.len(), left.groups.len());
        let (lanes, entries) = (left.lanes.len(), left.entries.len());
        if !open.is_empty() {
            self.world.fail(format!("announced and never resolved: {open:?}"));
        } else if !self.world.state().rules.is_quiet() {
            self.world.fail("an alert is left in the model".to_string());
        } else if alerts + groups + lanes + entries + pending > 0 {
            self.world.fail(format!(
                "left: {alerts} alerts, {groups} groups, {lanes} lanes, {entries} entries, \
                 {pending} pending"
            ));
        }
    }

    /// What happened while no process ran. Steps of the clock wait for the next one.
    fn skip(&mut self, until: Ms) {
        for (at, event) in std::mem::take(&mut self.events) {
            match event {
                Event::Reload(rules, routes) if at <= until => self.setup = (rules, routes),
                Event::Restart(_) | Event::Silence(..) if at <= until => {}
                event => self.events.push_back((at, event)),
            }
        }
    }

    fn wall(&self, at: Ms) -> Timestamp {
        self.world.state().wall(&self.world.plan, at)
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::new(FaultyStore::new(&self.world, &self.disk))
    }

    fn core_setup(&self) -> CoreSetup {
        let notifier = |number| {
            let receiver: Arc<dyn Notifier> = Arc::new(Receiver::new(&self.world, number));
            (integration(number), receiver)
        };
        let notifiers: Notifiers = (0..INTEGRATIONS.len()).map(notifier).collect::<HashMap<_, _>>();
        let evaluator = Evaluator {
            querier: Arc::new(Prometheus::new(&self.world)) as Arc<dyn Querier>,
            external_labels: LabelSet::new(),
            external_url: "http://prometheus".to_string(),
        };
        // What Watchbell says of itself is not simulated.
        let mut builtin = BuiltinConfig::default().group;
        builtin.rules.clear();
        builtin.interval = Some(Duration::from_secs(6 * 3600));
        CoreSetup {
            groups: groups(&self.world.plan, self.setup.0),
            rules: RuleSettings {
                evaluator,
                evaluation_interval: Duration::from_secs(60),
                query_offset: Duration::ZERO,
                fingerprint: String::new(),
                builtin,
                policies: RulePolicies::default(),
                facts: self.facts.clone(),
            },
            routing: routing(self.setup.1),
            notifiers: Arc::new(notifiers),
        }
    }
}
