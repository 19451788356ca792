//! Drives the dispatcher: takes events, commits what changed, then performs what follows.
//!
//! One loop owns the dispatcher. While it waits for a commit, events queue up and go into the next
//! one together, so that a burst of alerts costs few transactions.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::alerting::Facts;
use crate::clock::Clock;
use crate::engine::attempt::attempt;
use crate::engine::committer::{Committer, StoreHealth};
use crate::engine::dispatcher::{DeliveryTicket, Dispatcher, Observation, RoutingSetup};
use crate::engine::facts::SharedFacts;
use crate::engine::silencing::{Pending, SilenceBoard, SilenceRequest};
use crate::engine::tell;
use crate::engine::wall::WallWatch;
use crate::engine::whereabouts::WhereaboutsRequest;
use crate::model::{IntegrationId, Monotonic, Now, RuleKey};
use crate::notify::Notifier;
use crate::outbox::Outcome;
use crate::storage::{Change, Store};
use crate::telemetry::Metrics;

/// How many deliveries may be in flight at once.
const MAX_IN_FLIGHT: usize = 64;
/// How many events go into one transaction at most.
const MAX_BATCH: usize = 1000;
/// With so many changes no more events and groups are taken in: it bounds memory in a storm.
const ENOUGH_CHANGES: usize = 10_000;
/// How often gauges are set at most.
const GAUGES: Duration = Duration::from_secs(1);
/// How many events may wait before those who send them have to.
const QUEUE: usize = 4096;

/// Who delivers to each integration.
pub type Notifiers = HashMap<IntegrationId, Arc<dyn Notifier>>;

pub(super) enum Event {
    Observed {
        rule: RuleKey,
        generator_url: Arc<str>,
        observation: Observation,
        committed: oneshot::Sender<()>,
    },
    RulesMoved(Vec<(RuleKey, RuleKey)>),
    Silence(SilenceRequest),
    Whereabouts(WhereaboutsRequest),
    Reload {
        setup: Arc<RoutingSetup>,
        notifiers: Arc<Notifiers>,
        heartbeat: Duration,
        done: oneshot::Sender<()>,
    },
    Stop,
}

/// Who waits for the end of a turn.
#[derive(Default)]
struct Answers {
    done: Vec<oneshot::Sender<()>>,
    pending: Vec<Pending>,
    /// Whether silences have changed.
    silences: bool,
}

/// The dispatch loop is gone, so nothing can be handed to it.
#[derive(Debug, thiserror::Error)]
#[error("the dispatch loop has stopped")]
pub struct Stopped;

/// The way to the dispatch loop.
#[derive(Clone)]
pub struct DispatchHandle {
    events: mpsc::Sender<Event>,
    store: StoreHealth,
    pub(super) silences: SilenceBoard,
}

impl DispatchHandle {
    /// Hands over what an evaluation found; returns when the changes are committed, or kept in
    /// memory where the store fails.
    pub async fn observe(
        &self,
        rule: &RuleKey,
        generator_url: &Arc<str>,
        observation: Observation,
    ) -> Result<(), Stopped> {
        let (committed, done) = oneshot::channel();
        let (rule, generator_url) = (rule.clone(), Arc::clone(generator_url));
        self.send(Event::Observed { rule, generator_url, observation, committed }).await?;
        done.await.map_err(|_| Stopped)
    }

    /// Tells that rules kept their alerts under new keys.
    pub async fn rules_moved(&self, moved: Vec<(RuleKey, RuleKey)>) -> Result<(), Stopped> {
        self.send(Event::RulesMoved(moved)).await
    }

    /// Puts new routes, receivers and time between heartbeats in place; returns when what follows is committed.
    pub async fn reload(
        &self,
        setup: Arc<RoutingSetup>,
        notifiers: Arc<Notifiers>,
        heartbeat: Duration,
    ) -> Result<(), Stopped> {
        let (done, committed) = oneshot::channel();
        self.send(Event::Reload { setup, notifiers, heartbeat, done }).await?;
        committed.await.map_err(|_| Stopped)
    }

    /// Asks the loop to finish what is in flight and to end.
    pub async fn stop(&self) -> Result<(), Stopped> {
        self.send(Event::Stop).await
    }

    /// Whether the last commit succeeded.
    pub fn store_ok(&self) -> bool {
        self.store.problem().is_none()
    }

    /// Why nothing can be stored at present.
    pub fn store_problem(&self) -> Option<Arc<str>> {
        self.store.problem()
    }

    pub(super) async fn send(&self, event: Event) -> Result<(), Stopped> {
        self.events.send(event).await.map_err(|_| Stopped)
    }
}

/// Owns the dispatcher and everything that it needs of the outside.
pub struct DispatchLoop {
    dispatcher: Dispatcher,
    notifiers: Arc<Notifiers>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    facts: SharedFacts,
    events: mpsc::Receiver<Event>,
    deliveries: JoinSet<(DeliveryTicket, Outcome, Duration)>,
    committer: Committer,
    silences: SilenceBoard,
    heartbeat: Duration,
    next_heartbeat: Monotonic,
    wall: WallWatch,
    next_gauges: Monotonic,
    /// Whether something has changed since the gauges were set.
    stale: bool,
    stopping: bool,
}

impl DispatchLoop {
    /// A loop over a dispatcher that has been loaded; `changes` are those of loading. Every
    /// `heartbeat` the store learns that the program is alive.
    pub fn new(
        dispatcher: Dispatcher,
        changes: Vec<Change>,
        notifiers: Arc<Notifiers>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        heartbeat: Duration,
    ) -> (Self, DispatchHandle) {
        let (sender, events) = mpsc::channel(QUEUE);
        let committer = Committer::new(store, changes, Arc::clone(&clock), Arc::clone(&metrics));
        let silences = SilenceBoard::default();
        silences.show(&dispatcher);
        let handle = DispatchHandle {
            events: sender,
            store: committer.health(),
            silences: silences.clone(),
        };
        let now = clock.now();
        let next_heartbeat = now.mono;
        let this = Self {
            dispatcher,
            notifiers,
            clock,
            metrics,
            facts: SharedFacts::default(),
            events,
            deliveries: JoinSet::new(),
            committer,
            silences,
            heartbeat,
            next_heartbeat,
            wall: WallWatch::new(now),
            next_gauges: next_heartbeat,
            stale: true,
            stopping: false,
        };
        (this, handle)
    }

    /// Notes what it sees of deliveries and the store among these facts.
    #[must_use]
    pub fn with_facts(self, facts: SharedFacts) -> Self {
        Self { facts, ..self }
    }

    /// Runs until [`DispatchHandle::stop`], then until what is in flight has an outcome, at most
    /// for `drain`. What is left undone is in the store.
    pub async fn run(mut self, drain: Duration) {
        let mut drained_by = None;
        loop {
            let mut answers = Answers::default();
            let mut changes = self.wait(drained_by, &mut answers).await;
            let now = self.clock.now();
            self.notice_jump(now, &mut changes);
            if !self.stopping {
                self.dispatcher.flush_due(now, ENOUGH_CHANGES, &mut changes);
            }
            self.commit(changes, now).await;
            self.answer(answers);
            if self.stopping {
                let by = *drained_by.get_or_insert(now.mono + drain);
                if self.deliveries.is_empty() || now.mono >= by {
                    break;
                }
            } else {
                self.start_deliveries();
            }
        }
        self.deliveries.abort_all();
        self.committer.finish().await;
    }

    /// Waits for something to happen and takes it in, with whatever else has happened by then.
    async fn wait(&mut self, drained_by: Option<Monotonic>, answers: &mut Answers) -> Vec<Change> {
        let with_attempts = self.deliveries.len() < MAX_IN_FLIGHT;
        let deadline = drained_by.unwrap_or_else(|| {
            let next = self.dispatcher.next_deadline(with_attempts);
            let gauges = self.stale.then_some(self.next_gauges);
            let others = next.into_iter().chain(gauges).chain(self.committer.next_try());
            others.fold(self.next_heartbeat, Monotonic::min)
        });
        let mut changes = Vec::new();
        tokio::select! {
            biased;
            Some(done) = self.deliveries.join_next() => self.delivered(done, &mut changes),
            event = self.events.recv(), if !self.stopping => match event {
                Some(event) => self.take(event, &mut changes, answers),
                None => self.stopping = true,
            },
            () = self.committer.answered() => {}
            () = self.clock.sleep_until(deadline) => {}
        }
        for _ in 0..MAX_BATCH {
            if changes.len() >= ENOUGH_CHANGES {
                break;
            } else if let Some(done) = self.deliveries.try_join_next() {
                self.delivered(done, &mut changes);
            } else if let (false, Ok(event)) = (self.stopping, self.events.try_recv()) {
                self.take(event, &mut changes, answers);
            } else {
                break;
            }
        }
        changes
    }

    fn take(&mut self, event: Event, changes: &mut Vec<Change>, answers: &mut Answers) {
        let now = self.clock.now();
        self.notice_jump(now, changes);
        match event {
            Event::Observed { rule, generator_url, observation, committed } => {
                changes.extend(self.dispatcher.observe(&rule, &generator_url, observation, now));
                answers.done.push(committed);
            }
            Event::RulesMoved(moved) => changes.extend(self.dispatcher.rules_moved(moved)),
            Event::Silence(request) => {
                let (changed, pending) = request.perform(&mut self.dispatcher, now);
                answers.silences |= !changed.is_empty();
                answers.pending.extend(pending);
                changes.extend(changed);
            }
            Event::Whereabouts(request) => request.tell(&self.dispatcher, now.wall),
            Event::Reload { setup, notifiers, heartbeat, done } => {
                self.notifiers = notifiers;
                self.heartbeat = heartbeat;
                self.next_heartbeat = self.next_heartbeat.min(now.mono + heartbeat);
                changes.extend(self.dispatcher.reload(setup, now));
                answers.done.push(done);
            }
            Event::Stop => self.stopping = true,
        }
    }

    /// Tells whoever waits that the turn is committed, or kept in memory.
    fn answer(&self, answers: Answers) {
        if answers.silences {
            self.silences.show(&self.dispatcher);
        }
        let stored = self.committer.health().problem().is_none();
        for answer in answers.pending {
            answer.send(stored);
        }
        // One that no longer waits does not mind.
        for answer in answers.done {
            let _ = answer.send(());
        }
    }

    fn delivered(
        &mut self,
        done: Result<(DeliveryTicket, Outcome, Duration), tokio::task::JoinError>,
        changes: &mut Vec<Change>,
    ) {
        // A panic is an outcome, and nothing is cancelled before the loop has ended.
        let Ok((ticket, outcome, took)) = done else { return };
        tell::attempt(&self.metrics, &ticket, &outcome, took);
        let now = self.clock.now();
        self.notice_jump(now, changes);
        // One that a reload has removed is nobody's trouble.
        if self.notifiers.contains_key(&ticket.integration) {
            self.facts.attempted(&ticket, &outcome, now.mono);
        }
        changes.extend(self.dispatcher.finished(&ticket, &outcome, now));
    }

    /// Tells the dispatcher where the wall clock has jumped, before anything is stamped with it.
    fn notice_jump(&mut self, now: Now, changes: &mut Vec<Change>) {
        if let Some(jumped) = self.wall.look(now) {
            changes.extend(self.dispatcher.clock_jumped(jumped, now));
            // A start must not take the jump for a stop.
            self.next_heartbeat = now.mono;
        }
    }

    async fn commit(&mut self, changes: Vec<Change>, now: Now) {
        tell::changes(&changes);
        self.committer.add(changes);
        if now.mono >= self.next_heartbeat {
            self.committer.add(vec![Change::Heartbeat(now.wall)]);
            self.next_heartbeat = now.mono + self.heartbeat;
        }
        self.stale |= self.committer.has_changes();
        self.measure(now);
        self.committer.commit().await;
        match self.committer.health().problem() {
            None => self.facts.with(Facts::store_committed),
            Some(problem) => self.facts.with(|facts| facts.store_failed(&problem)),
        }
    }

    /// Brings the gauges up to date, once a second at most: counting is not free.
    fn measure(&mut self, now: Now) {
        if self.stale && now.mono >= self.next_gauges {
            tell::gauges(&self.metrics, &self.dispatcher.counts(now));
            self.next_gauges = now.mono + GAUGES;
            self.stale = false;
        }
    }

    fn start_deliveries(&mut self) {
        let free = MAX_IN_FLIGHT.saturating_sub(self.deliveries.len());
        let now = self.clock.now();
        for ticket in self.dispatcher.take_due(free, now) {
            let notifier = self.notifiers.get(&ticket.integration).map(Arc::clone);
            let clock = Arc::clone(&self.clock);
            self.deliveries.spawn(async move {
                let outcome = match notifier {
                    Some(notifier) => attempt(&*notifier, &ticket, now).await,
                    None => Outcome::permanent("the receiver has no such integration any more"),
                };
                let took = clock.now().mono.since(now.mono);
                (ticket, outcome, took)
            });
        }
    }
}

#[cfg(test)]
mod tests;
