//! The process, its store, and time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use watchbell::alerting::{ActiveSample, RuleAlerts, RuleTiming, Stop, restore};
use watchbell::engine::{DeliveryTicket, Dispatcher, Observation, RoutingSetup};
use watchbell::model::{Fingerprint, IntegrationId, LabelSet, Monotonic, Now, RuleKey, Timestamp};
use watchbell::outbox::Outcome;
use watchbell::storage::{Change, MemoryStore, Snapshot, Store};

use crate::receivers::{Health, Receivers};
use crate::rng::Rng;

/// How often the rules are evaluated.
pub const INTERVAL: Duration = Duration::from_secs(5);
/// 2026-01-05 10:00 UTC.
const START: i64 = 1_767_607_200;

/// A rule and the alerts that its expression returns now.
#[derive(Clone)]
pub struct Rule {
    pub key: RuleKey,
    pub timing: RuleTiming,
    pub alerts: RuleAlerts,
    pub returned: BTreeMap<Fingerprint, LabelSet>,
}

struct InFlight {
    ends: Monotonic,
    ticket: DeliveryTicket,
    health: Health,
    /// Whether the receiver already has it, although no answer has arrived.
    arrived: bool,
}

/// One process with everything around it.
pub struct World {
    pub now: Now,
    pub setup: Arc<RoutingSetup>,
    pub dispatcher: Dispatcher,
    pub store: MemoryStore,
    pub rules: Vec<Rule>,
    pub health: BTreeMap<IntegrationId, Health>,
    pub slow: bool,
    pub receivers: Receivers,
    pub rng: Rng,
    next_evaluation: Monotonic,
    in_flight: Vec<InFlight>,
}

impl World {
    pub fn new(setup: Arc<RoutingSetup>, rules: Vec<Rule>, rng: Rng) -> Self {
        let now = Now { wall: Timestamp::from_secs(START), mono: Monotonic::from_millis(7_000) };
        Self {
            now,
            dispatcher: Dispatcher::new(Arc::clone(&setup)),
            setup,
            store: MemoryStore::new(),
            rules,
            health: BTreeMap::new(),
            slow: false,
            receivers: Receivers::default(),
            rng,
            next_evaluation: now.mono,
            in_flight: Vec::new(),
        }
    }

    /// Lets time pass, and everything happen that is due until then.
    pub fn pass(&mut self, time: Duration) {
        let until = self.now.mono + time;
        loop {
            let ends = self.in_flight.iter().map(|delivery| delivery.ends).min();
            let due = [self.dispatcher.next_deadline(true), ends, Some(self.next_evaluation)];
            let next = due.into_iter().flatten().min().unwrap_or(until).min(until);
            let step = next.since(self.now.mono);
            self.now = Now { wall: self.now.wall + step, mono: self.now.mono + step };
            if self.now.mono >= self.next_evaluation {
                self.evaluate();
                self.next_evaluation = self.next_evaluation + INTERVAL;
            }
            self.turn();
            if self.now.mono >= until {
                return;
            }
        }
    }

    /// One turn of the dispatch loop.
    fn turn(&mut self) {
        self.finish_due();
        let changes = self.dispatcher.on_time(self.now);
        self.commit(changes);
        for ticket in self.dispatcher.take_due(64, self.now) {
            let same = |other: &InFlight| {
                (&other.ticket.integration, &other.ticket.group)
                    == (&ticket.integration, &ticket.group)
            };
            let excused = self.in_flight.iter().any(|other| same(other) && !other.arrived);
            assert!(excused || !self.in_flight.iter().any(same), "two in flight: {ticket:?}");
            let health = self.health.get(&ticket.integration).copied().unwrap_or(Health::Works);
            let takes = if self.slow { self.rng.below(50_000) as u64 } else { 100 };
            let ends = self.now.mono + Duration::from_millis(takes);
            let arrived = health == Health::Works;
            if arrived {
                self.receivers.receive(&ticket, self.now.wall, &self.setup);
            }
            self.in_flight.push(InFlight { ends, ticket, health, arrived });
        }
    }

    fn finish_due(&mut self) {
        let now = self.now.mono;
        let flying = std::mem::take(&mut self.in_flight);
        let (done, flying) = flying.into_iter().partition(|delivery| delivery.ends <= now);
        self.in_flight = flying;
        let done: Vec<InFlight> = done;
        for InFlight { ticket, health, .. } in done {
            let outcome = match health {
                Health::Works => Outcome::delivered(Some(200)),
                Health::Refuses => Outcome::permanent("refused"),
                Health::Fails => {
                    let after = self.rng.percent(10).then(|| Duration::from_secs(45));
                    Outcome::Retry { after, error: "down".to_string(), status: Some(503) }
                }
            };
            let changes = self.dispatcher.finished(&ticket, &outcome, self.now);
            self.commit(changes);
        }
    }

    fn evaluate(&mut self) {
        for index in 0..self.rules.len() {
            let rule = &mut self.rules[index];
            let sample = |labels: &LabelSet| ActiveSample {
                labels: labels.clone(),
                annotations: LabelSet::new(),
                value: 1.0,
            };
            let vector = rule.returned.values().map(sample).collect();
            let step = rule.alerts.step(&rule.timing, vector, self.now.wall);
            let firing = rule.alerts.active().map(|(_, alert)| alert.clone());
            let firing = firing.filter(|alert| alert.fired_at.is_some()).collect();
            let observation = Observation { transitions: step.transitions, firing };
            let key = rule.key.clone();
            let changes = self.dispatcher.observe(&key, "http://p/graph", observation, self.now);
            self.commit(changes);
        }
    }

    fn commit(&self, changes: Vec<Change>) {
        block_on(self.store.commit(changes)).unwrap();
    }

    pub fn snapshot(&self) -> Snapshot {
        block_on(self.store.load()).unwrap()
    }

    pub fn reload(&mut self, setup: Arc<RoutingSetup>) {
        self.setup = Arc::clone(&setup);
        self.receivers.reloaded(&setup);
        let mut changes = self.dispatcher.reload(setup, self.now);
        changes.extend(self.dispatcher.on_time(self.now));
        self.commit(changes);
    }

    /// The process dies and starts again with what is stored. What was in flight may have
    /// arrived, or not.
    pub fn crash(&mut self, down: Duration) {
        for delivery in self.in_flight.drain(..) {
            self.receivers.crashed(&delivery.ticket);
        }
        self.now = Now {
            wall: self.now.wall + down,
            mono: Monotonic::from_millis(self.rng.below(1_000_000) as i64),
        };
        self.load();
        self.next_evaluation = self.now.mono;
        let stored = self.snapshot().alerts;
        for rule in &mut self.rules {
            let own = stored.iter().filter(|a| a.rule == rule.key && a.instance.is_active());
            let stop = Stop {
                last_alive: self.now.wall,
                now: self.now.wall,
                interval: INTERVAL,
                for_duration: rule.timing.for_duration,
                evidence: None,
            };
            rule.alerts = restore(own.map(|a| a.instance.clone()).collect(), &stop).alerts;
        }
    }

    /// Puts a dispatcher in place that is loaded from the store.
    pub fn load(&mut self) {
        let setup = Arc::clone(&self.setup);
        let (dispatcher, changes) = Dispatcher::load(setup, self.snapshot(), self.now);
        self.dispatcher = dispatcher;
        self.commit(changes);
    }

    /// The same world with a process that is loaded from the store. Nothing may be in flight.
    pub fn fork(&self) -> Self {
        let snapshot = self.snapshot();
        let store = MemoryStore::new();
        let alerts = snapshot.alerts.iter().cloned().map(Change::PutAlert);
        let groups = snapshot.groups.iter().cloned().map(Change::PutGroup);
        let lanes = snapshot.lanes.iter().cloned().map(Change::put_lane);
        let entries = snapshot.entries.iter().cloned().map(Change::put_entry);
        block_on(store.commit(alerts.chain(groups).chain(lanes).chain(entries).collect())).unwrap();
        let mut other = Self {
            now: self.now,
            setup: Arc::clone(&self.setup),
            dispatcher: Dispatcher::new(Arc::clone(&self.setup)),
            store,
            rules: self.rules.clone(),
            health: self.health.clone(),
            slow: self.slow,
            receivers: self.receivers.clone(),
            rng: self.rng.clone(),
            next_evaluation: self.next_evaluation,
            in_flight: Vec::new(),
        };
        other.load();
        other
    }

    pub fn is_delivering(&self) -> bool {
        !self.in_flight.is_empty()
    }
}

/// The memory's store never waits.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("the store waits"),
    }
}
