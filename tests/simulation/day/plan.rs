//! What a seed makes of a day: when series are there, what fails when, and when the process dies.
//!
//! Times are milliseconds of true time since the day's start. The process sees a wall clock that
//! may be put forward or back.

use std::time::Duration;

use watchbell::model::Timestamp;

use crate::rng::Rng;

/// Milliseconds of true time since the day's start, or between two points.
pub type Ms = i64;

pub const SECOND: Ms = 1_000;
pub const MINUTE: Ms = 60 * SECOND;
pub const HOUR: Ms = 60 * MINUTE;
/// How long anything happens.
pub const DAY: Ms = 24 * HOUR;
/// The time after it, in which all is well and everything has to end.
pub const QUIET: Ms = 2 * HOUR;

/// The targets of the datasource; each rule may have one alert of each.
pub const PODS: usize = 2;
/// The integrations, by number. Only the last is not told of ends.
pub const INTEGRATIONS: [(&str, &str); 4] =
    [("a", "webhook"), ("b", "slack"), ("c", "pagerduty"), ("a", "email")];

/// A rule. It belongs to the group of its place.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub group: usize,
    pub severity: &'static str,
    pub held: Ms,
    pub keep: Ms,
}

/// From when until when something lasts.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub from: Ms,
    pub to: Ms,
}

impl Span {
    pub fn contains(self, at: Ms) -> bool {
        (self.from..self.to).contains(&at)
    }
}

/// How the datasource is away.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    pub span: Span,
    /// It does not answer at all, instead of refusing.
    pub hangs: bool,
    /// It has stopped and starts again, instead of only being out of reach.
    pub stops: bool,
}

/// How the store fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// The disk is full: no commit succeeds.
    Full,
    /// Commits are done and answered when it is over.
    Hangs,
    /// Commits succeed, and the answer says that they did not.
    LosesAnswers,
    /// It cannot be read at a start, and does not commit.
    Unreadable,
}

/// How a receiver answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    Works,
    /// 503.
    Fails,
    /// 429 with Retry-After.
    Limits(Ms),
    /// Nothing arrives and nothing is answered.
    Hangs,
    /// Refused for good.
    Refuses,
    /// The message arrives, the answer does not.
    LosesAnswers,
}

/// What the operator or the machine does at a point of time.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// Another configuration: which rules, which routes.
    Reload(usize, usize),
    /// The wall clock is put forward or back.
    Step(Ms),
    /// The process is stopped in order and started again after so long.
    Restart(Ms),
    /// All alerts of a pod are silenced for so long.
    Silence(usize, Ms),
}

/// The points at which a process may die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Loaded,
    QueryAsked,
    QueryAnswered,
    /// A commit of something else than a heartbeat begins.
    CommitBegun,
    /// It is done, and nobody knows yet.
    Committed,
    DeliveryBegun,
    Arrived,
    Answered,
    ReloadBegun,
    Reloaded,
}

const EFFECTS: [Effect; 10] = [
    Effect::Loaded,
    Effect::QueryAsked,
    Effect::QueryAnswered,
    Effect::CommitBegun,
    Effect::Committed,
    Effect::DeliveryBegun,
    Effect::Arrived,
    Effect::Answered,
    Effect::ReloadBegun,
    Effect::Reloaded,
];

/// A death: at the `nth` such effect from `from` on, for `down`.
#[derive(Clone, Copy, Debug)]
pub struct Crash {
    pub from: Ms,
    /// `None` counts every effect.
    pub effect: Option<Effect>,
    pub nth: usize,
    pub down: Ms,
}

/// The whole day.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What the wall clock shows at first.
    pub start: Timestamp,
    pub intervals: [Ms; 3],
    pub rules: Vec<Rule>,
    /// By rule and pod: when the expression begins and ceases to return it, in turn.
    pub toggles: Vec<[Vec<Ms>; PODS]>,
    /// How long after the datasource's start each pod is scraped first.
    pub scraped_after: [Ms; PODS],
    pub outages: Vec<Outage>,
    pub store: Vec<(Span, StoreFault)>,
    pub receivers: Vec<(Span, usize, Health)>,
    pub events: Vec<(Ms, Event)>,
    pub crashes: Vec<Crash>,
    pub first: (usize, usize),
    pub latency: Duration,
}

/// Evenings before the clocks change, and one of no importance. 20:00 UTC.
pub const DAYS: [i64; 3] = [1_792_872_000, 1_774_728_000, 1_780_344_000];

impl Plan {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let rng = &mut rng;
        // Most groups are evaluated seldom, so that more days can be run.
        let fast = rng.below(32) == 0;
        let mut interval = |first: bool| {
            if first && fast { 15 * SECOND } else { pick(rng, &[1, 2, 3, 5, 5, 5]) * MINUTE }
        };
        let intervals = [interval(true), interval(false), interval(false)];
        let rules: Vec<Rule> = [(0, "critical"), (0, "warning"), (1, "warning"), (2, "critical")]
            .into_iter()
            .map(|(group, severity)| Rule {
                group,
                severity,
                held: pick(rng, &[0, 0, 1, 3, 15, 25]) * MINUTE,
                keep: pick(rng, &[0, 0, 5, 12]) * MINUTE,
            })
            .collect();
        let toggles = rules.iter().map(|_| [toggles(rng), toggles(rng)]).collect();
        let plan = Self {
            start: Timestamp::from_secs(DAYS[rng.below(3)]),
            intervals,
            rules,
            toggles,
            scraped_after: [between(rng, 0, MINUTE), between(rng, 0, MINUTE)],
            outages: outages(rng),
            store: store_faults(rng),
            receivers: receivers(rng),
            events: events(rng),
            crashes: crashes(rng),
            first: (0, rng.below(crate::day::setup::ROUTINGS)),
            latency: Duration::from_millis([0, 0, 20, 900][rng.below(4)]),
        };
        if rng.percent(5) { plan.with_a_long_hang(rng) } else { plan.with_short_hangs(fast) }
    }

    /// Nothing is seen of what the process finds while the store hangs, and what it may have found
    /// either way has to be seen before the next evaluation. So hangs are shorter than that...
    fn with_short_hangs(mut self, fast: bool) -> Self {
        let steps = self.events.iter().any(|(_, event)| matches!(event, Event::Step(_)));
        let longest = if fast { 12 * SECOND } else { 50 * SECOND };
        for (span, fault) in self.store.iter_mut().filter(|(_, f)| *f == StoreFault::Hangs) {
            span.to = span.to.min(span.from + longest);
            if steps {
                *fault = StoreFault::Full;
            }
        }
        self
    }

    /// ...but on days without anything that leaves a choice.
    fn with_a_long_hang(mut self, rng: &mut Rng) -> Self {
        self.outages.clear();
        self.crashes.clear();
        self.events.retain(|(_, event)| matches!(event, Event::Silence(..)));
        let from = between(rng, 0, DAY - HOUR);
        self.store = vec![(Span { from, to: from + length(rng, HOUR) }, StoreFault::Hangs)];
        self
    }

    /// How an integration answers at a time.
    pub fn health(&self, integration: usize, at: Ms) -> Health {
        let mut spans = self.receivers.iter();
        let found = spans.find(|(span, who, _)| *who == integration && span.contains(at));
        found.map_or(Health::Works, |(_, _, health)| *health)
    }

    pub fn store_fault(&self, at: Ms) -> Option<StoreFault> {
        self.store.iter().find(|(span, _)| span.contains(at)).map(|(_, fault)| *fault)
    }

    /// For how long the fault of a time lasts from then on.
    pub fn store_fault_left(&self, at: Ms) -> Duration {
        let found = self.store.iter().find(|(span, _)| span.contains(at));
        Duration::from_millis(found.map_or(0, |(span, _)| (span.to - at) as u64))
    }
}

fn pick(rng: &mut Rng, of: &[Ms]) -> Ms {
    of[rng.below(of.len())]
}

fn between(rng: &mut Rng, from: Ms, to: Ms) -> Ms {
    from + rng.below((to - from) as usize) as Ms
}

/// A length of time: seconds, minutes and hours are as frequent as each other.
fn length(rng: &mut Rng, longest: Ms) -> Ms {
    let scale = pick(rng, &[MINUTE, 10 * MINUTE, HOUR, 4 * HOUR]);
    between(rng, SECOND, scale.min(longest))
}

fn toggles(rng: &mut Rng) -> Vec<Ms> {
    let mut times = Vec::new();
    let mut at = between(rng, 0, 4 * HOUR);
    loop {
        let end = at + length(rng, 4 * HOUR);
        if end >= DAY {
            return times;
        }
        times.extend([at, end]);
        at = end + if rng.percent(60) { length(rng, HOUR) } else { between(rng, 0, 5 * HOUR) };
    }
}

/// Some spans of the day, apart from each other.
fn spans(rng: &mut Rng, most: usize, longest: Ms, apart: Ms) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for _ in 0..rng.below(most + 1) {
        let from = between(rng, 0, DAY);
        let span = Span { from, to: (from + length(rng, longest)).min(DAY) };
        if spans.iter().all(|other| span.from > other.to + apart || span.to + apart < other.from) {
            spans.push(span);
        }
    }
    spans.sort_by_key(|span| span.from);
    spans
}

fn outages(rng: &mut Rng) -> Vec<Outage> {
    let spans = spans(rng, 4, HOUR, 15 * MINUTE).into_iter();
    spans.map(|span| Outage { span, hangs: rng.percent(30), stops: rng.percent(60) }).collect()
}

fn store_faults(rng: &mut Rng) -> Vec<(Span, StoreFault)> {
    use StoreFault::{Full, Hangs, LosesAnswers, Unreadable};
    if rng.percent(50) {
        return Vec::new();
    }
    let spans = spans(rng, 3, 2 * HOUR, MINUTE).into_iter();
    spans.map(|span| (span, [Full, Full, Hangs, LosesAnswers, Unreadable][rng.below(5)])).collect()
}

fn receivers(rng: &mut Rng) -> Vec<(Span, usize, Health)> {
    let mut all = Vec::new();
    for integration in 0..INTEGRATIONS.len() {
        for span in spans(rng, 4, 4 * HOUR, SECOND) {
            let health = match rng.below(6) {
                0 => Health::Limits(between(rng, SECOND, 5 * MINUTE)),
                1 => Health::Hangs,
                2 => Health::Refuses,
                3 => Health::LosesAnswers,
                _ => Health::Fails,
            };
            all.push((span, integration, health));
        }
    }
    all
}

fn events(rng: &mut Rng) -> Vec<(Ms, Event)> {
    let mut events = Vec::new();
    if rng.percent(60) {
        for _ in 0..rng.below(5) {
            let setup =
                (rng.below(crate::day::setup::RULESETS), rng.below(crate::day::setup::ROUTINGS));
            events.push((between(rng, 0, DAY), Event::Reload(setup.0, setup.1)));
        }
    }
    if rng.percent(40) {
        // A raised `for` is measured in stamps where an alert fires: not together with a step.
        for (_, event) in &mut events {
            if let Event::Reload(rules, _) = event {
                *rules = 0;
            }
        }
        for _ in 0..=rng.below(2) {
            let step = if rng.percent(50) { HOUR } else { -HOUR };
            events.push((between(rng, 0, DAY), Event::Step(step)));
        }
    }
    if rng.percent(40) {
        for _ in 0..=rng.below(2) {
            events.push((between(rng, 0, DAY), Event::Restart(length(rng, 4 * HOUR))));
        }
    }
    for _ in 0..rng.below(4) {
        let silence = Event::Silence(rng.below(PODS), length(rng, 4 * HOUR));
        events.push((between(rng, 0, DAY), silence));
    }
    events.sort_by_key(|(at, _)| *at);
    events
}

fn crashes(rng: &mut Rng) -> Vec<Crash> {
    let mut crashes = Vec::new();
    if rng.percent(75) {
        for _ in 0..=rng.below(5) {
            let effect = rng.percent(90).then(|| EFFECTS[rng.below(EFFECTS.len())]);
            let nth = 1 + rng.below(if effect.is_some() { 4 } else { 40 });
            let (from, down) = (between(rng, 0, DAY), length(rng, 4 * HOUR));
            crashes.push(Crash { from, effect, nth, down });
        }
    }
    crashes.sort_by_key(|crash| crash.from);
    crashes
}
