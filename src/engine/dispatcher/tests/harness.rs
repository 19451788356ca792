//! A dispatcher with its store, receivers that answer as told, and a clock that is moved by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::alerting::{AlertInstance, AlertState, Transition, TransitionReason};
use crate::diag::SourceFile;
use crate::engine::dispatcher::{DeliveryTicket, Dispatcher, Observation, RoutingSetup};
use crate::model::{
    IntegrationId, LabelSet, Monotonic, NotificationStatus, NotifiedAlert, Now, RuleKey, Timestamp,
    parse_matchers,
};
use crate::outbox::Outcome;
use crate::routing::{
    KnownNames, RoutingTree, read_inhibit_rules, read_route, read_time_intervals,
};
use crate::storage::{
    CaseFilter, Change, Dossier, History, HistoryFilter, MemoryStore, Snapshot, Store,
};
use crate::yaml::{self, Reader};

/// 2026-01-05 10:00 UTC.
const START: i64 = 1_767_607_200;
/// Where monotonic time stands then.
const MONO: i64 = 3_000_000;

/// How a receiver answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    Works,
    Down,
    RetryAfter(u64),
    Refuses,
    /// It does not, until [`Bench::land`].
    Hangs,
}

/// The root route's timing: 10 s, 1 min, 10 min, grouped by team.
pub const ROUTE: &str =
    "receiver: r, group_by: [team], group_wait: 10s, group_interval: 1m, repeat_interval: 10m";

/// Everything around a dispatcher.
pub struct Bench {
    pub now: Now,
    pub dispatcher: Dispatcher,
    pub answer: Answer,
    /// The keys of all attempts that reached a receiver.
    pub keys: Vec<String>,
    /// When attempts were made, in seconds since the start.
    pub attempts: Vec<f64>,
    pub flying: Vec<DeliveryTicket>,
    setup: Arc<RoutingSetup>,
    store: MemoryStore,
    sent: Vec<String>,
    decided: Vec<String>,
    instances: BTreeMap<(u32, LabelSet), AlertInstance>,
}

/// A setup: the root route's settings (see [`ROUTE`]), further sections, and the integrations as
/// `receiver/kind`, with a `!` behind those that are not told of resolved alerts.
pub fn setup(route: &str, sections: &str, integrations: &[&str]) -> Arc<RoutingSetup> {
    let text = format!("route: {{{route}}}\n{sections}");
    let source = Arc::new(SourceFile::new("watchbell.yml", text));
    let document = yaml::load(&source).unwrap();
    let mut reader = Reader::new(&document);
    let mut fields = reader.mapping(&document.root, "the configuration").unwrap();
    let intervals = read_time_intervals(&mut reader, fields.get("time_intervals"), None);
    let inhibit_rules = fields
        .get("inhibit_rules")
        .map_or(Vec::new(), |node| read_inhibit_rules(&mut reader, node));
    let route = read_route(&mut reader, fields.get("route").unwrap()).unwrap();
    let mut receivers: BTreeMap<String, Vec<(IntegrationId, bool)>> = BTreeMap::new();
    for name in integrations {
        let (receiver, kind) = name.trim_end_matches('!').split_once('/').unwrap();
        let id = IntegrationId { receiver: receiver.into(), kind: kind.into(), index: 0 };
        receivers.entry(receiver.to_string()).or_default().push((id, !name.ends_with('!')));
    }
    let names: BTreeSet<&str> = ["r", "other"].into_iter().collect();
    let known = KnownNames { receivers: &names, intervals: &intervals };
    let tree = RoutingTree::build(&route, known, &mut reader);
    Arc::new(RoutingSetup {
        tree: tree.unwrap_or_else(|| panic!("{:?}", reader.into_diagnostics())),
        external_labels: LabelSet::new(),
        inhibit_rules,
        intervals,
        receivers,
    })
}

pub fn rule(nth: u32) -> RuleKey {
    RuleKey::new("rules.yaml", "g", "R", nth)
}

/// `A x=1` is the alert `A` with the label `x`.
pub fn labels(text: &str) -> LabelSet {
    let mut words = text.split(' ');
    let name = words.next().unwrap();
    let rest = words.map(|word| word.split_once('=').unwrap());
    rest.chain([("alertname", name)]).collect()
}

impl Bench {
    /// One receiver `r` with one webhook.
    pub fn new() -> Self {
        Self::with(setup(ROUTE, "", &["r/webhook"]))
    }

    pub fn with(setup: Arc<RoutingSetup>) -> Self {
        let now = Now { wall: Timestamp::from_secs(START), mono: Monotonic::from_millis(MONO) };
        Self {
            now,
            dispatcher: Dispatcher::new(Arc::clone(&setup)),
            answer: Answer::Works,
            keys: Vec::new(),
            attempts: Vec::new(),
            flying: Vec::new(),
            setup,
            store: MemoryStore::new(),
            sent: Vec::new(),
            decided: Vec::new(),
            instances: BTreeMap::new(),
        }
    }

    pub fn commit(&mut self, changes: Vec<Change>) {
        for change in &changes {
            if let Change::AddDecision(decision) = change {
                self.decided.push(decision.reason.to_string());
            }
        }
        ready(self.store.commit(changes)).unwrap();
    }

    /// What the store knows of the alerts that match.
    pub fn dossier(&self, matchers: &str) -> Dossier {
        let matchers = parse_matchers(matchers).unwrap();
        ready(self.store.dossier(&CaseFilter { matchers, limit: 0 })).unwrap()
    }

    pub fn snapshot(&self) -> Snapshot {
        ready(self.store.load()).unwrap()
    }

    pub fn history(&self) -> History {
        ready(self.store.history(&HistoryFilter::default())).unwrap()
    }

    /// Seconds since the start, by the wall clock.
    pub fn clock(&self) -> f64 {
        (self.now.wall.millis() - START * 1000) as f64 / 1000.0
    }

    pub fn fire(&mut self, alert: &str) -> &mut Self {
        self.fire_by(0, alert, 0)
    }

    /// Rule `nth` says that an alert fires, and has fired for some seconds.
    pub fn fire_by(&mut self, nth: u32, alert: &str, since: u64) -> &mut Self {
        let at = self.now.wall - Duration::from_secs(since);
        let instance = AlertInstance {
            labels: labels(alert),
            annotations: LabelSet::new(),
            state: AlertState::Firing,
            value: 1.0,
            active_at: at,
            fired_at: Some(at),
            keep_firing_since: None,
            resolved_at: None,
        };
        self.instances.insert((nth, labels(alert)), instance.clone());
        let from = AlertState::Inactive;
        self.observe(nth, transition(instance, from, TransitionReason::BecameActive, self.now))
    }

    pub fn resolve(&mut self, alert: &str) -> &mut Self {
        self.resolve_by(0, alert)
    }

    pub fn resolve_by(&mut self, nth: u32, alert: &str) -> &mut Self {
        let mut instance = self.instances.remove(&(nth, labels(alert))).unwrap();
        instance.state = AlertState::Inactive;
        instance.resolved_at = Some(self.now.wall);
        let from = AlertState::Firing;
        self.observe(nth, transition(instance, from, TransitionReason::Absent, self.now))
    }

    /// The rule's `for` was raised: the alert is pending again.
    pub fn pending_again(&mut self, alert: &str) -> &mut Self {
        let mut instance = self.instances.get(&(0, labels(alert))).unwrap().clone();
        instance.state = AlertState::Pending;
        instance.fired_at = None;
        let from = AlertState::Firing;
        self.observe(0, transition(instance, from, TransitionReason::ForRaised, self.now))
    }

    pub fn observe(&mut self, nth: u32, transition: Transition) -> &mut Self {
        let observation = Observation { transitions: vec![transition], firing: Vec::new() };
        let changes = self.dispatcher.observe(&rule(nth), "http://p", observation, self.now);
        self.commit(changes);
        self
    }

    /// Lets seconds pass; everything that is due happens in its time.
    pub fn pass(&mut self, secs: u64) -> &mut Self {
        let until = self.now.mono + Duration::from_secs(secs);
        loop {
            self.turn();
            let next = self.dispatcher.next_deadline(true).unwrap_or(until).min(until);
            let step = next.since(self.now.mono);
            self.now = Now { wall: self.now.wall + step, mono: self.now.mono + step };
            if self.now.mono >= until {
                self.turn();
                return self;
            }
        }
    }

    fn turn(&mut self) {
        let changes = self.dispatcher.on_time(self.now);
        self.commit(changes);
        for ticket in self.dispatcher.take_due(64, self.now) {
            self.flying.push(ticket);
            if self.answer != Answer::Hangs {
                self.land(self.answer);
            }
        }
    }

    /// The oldest attempt in flight ends.
    pub fn land(&mut self, answer: Answer) -> &mut Self {
        let ticket = self.flying.remove(0);
        self.attempts.push(self.clock());
        self.keys.push(ticket.delivery.idempotency_key.clone());
        let outcome = match answer {
            Answer::Works => {
                self.sent.push(sentence(&ticket, self.clock()));
                Outcome::delivered(Some(200))
            }
            Answer::Refuses => Outcome::permanent("refused"),
            Answer::Down | Answer::Hangs => Outcome::retry("down"),
            Answer::RetryAfter(secs) => Outcome::Retry {
                after: Some(Duration::from_secs(secs)),
                error: "busy".to_string(),
                status: Some(429),
            },
        };
        let changes = self.dispatcher.finished(&ticket, &outcome, self.now);
        self.commit(changes);
        self
    }

    /// The process is killed, and starts again some seconds later.
    pub fn restart(&mut self, down: u64) -> &mut Self {
        self.flying.clear();
        let wall = self.now.wall + Duration::from_secs(down);
        self.now = Now { wall, mono: Monotonic::from_millis(500) };
        let setup = Arc::clone(&self.setup);
        let (dispatcher, changes) = Dispatcher::load(setup, self.snapshot(), self.now);
        self.dispatcher = dispatcher;
        self.commit(changes);
        self
    }

    pub fn reload(&mut self, setup: Arc<RoutingSetup>) -> &mut Self {
        self.setup = Arc::clone(&setup);
        let changes = self.dispatcher.reload(setup, self.now);
        self.commit(changes);
        self
    }

    /// A new configuration takes effect while the process is down.
    pub fn restart_with(&mut self, setup: Arc<RoutingSetup>) -> &mut Self {
        self.setup = setup;
        self.restart(1)
    }

    /// What was delivered since the last call: second, integration, reason, alerts; `-A` is
    /// resolved, `?A` was missed.
    pub fn sent(&mut self) -> Vec<String> {
        std::mem::take(&mut self.sent)
    }

    /// The reasons of the decisions since the last call.
    pub fn decided(&mut self) -> Vec<String> {
        std::mem::take(&mut self.decided)
    }

    /// Nothing is left, in memory or in the store.
    pub fn assert_empty(&self) {
        let left = self.snapshot();
        assert_eq!((left.alerts, left.groups), (vec![], vec![]));
        assert_eq!((left.lanes, left.entries), (vec![], vec![]));
        assert_eq!(self.dispatcher.next_deadline(true), None);
        assert!(self.dispatcher.alerts.is_empty() && self.dispatcher.groups.is_empty());
    }
}

fn transition(
    instance: AlertInstance,
    from: AlertState,
    reason: TransitionReason,
    now: Now,
) -> Transition {
    let (fingerprint, to) = (instance.fingerprint(), instance.state);
    Transition { fingerprint, instance, from, to, reason, at: now.wall }
}

fn sentence(ticket: &DeliveryTicket, clock: f64) -> String {
    let notification = &ticket.delivery.notification;
    let word = |named: &NotifiedAlert| {
        let mark = match (named.missed, named.status()) {
            (true, _) => "?",
            (false, NotificationStatus::Resolved) => "-",
            (false, NotificationStatus::Firing) => "",
        };
        format!("{mark}{}", named.alert.labels.alertname())
    };
    let alerts: Vec<String> = notification.alerts.iter().map(word).collect();
    let integration = &ticket.integration;
    let to = format!("{}/{}", integration.receiver, integration.kind);
    format!("{} {to} {}: {}", clock.floor(), notification.reason.as_str(), alerts.join(" "))
}

/// The memory's store never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    futures::FutureExt::now_or_never(future).expect("the store waits")
}
