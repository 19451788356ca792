//! Stand-ins for the outside: a datasource that knows the recorded samples up to now, receivers that
//! print, and a store that tells what is committed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc::UnboundedSender;

use crate::cli::demo::incident::Incident;
use crate::collect::Collected;
use crate::daemon::{CoreSetup, RuleSettings, routing_setup};
use crate::engine::{Evaluator, Notifiers, SharedFacts};
use crate::model::{IntegrationId, NotifyReason, Timestamp};
use crate::notify::{Delivery, Notifier, Preview, RenderError};
use crate::outbox::Outcome;
use crate::promql::eval::Options;
use crate::query::{MemoryQuerier, Querier, QueryError, QueryResult, RangeResult};
use crate::ruletest::unit::Feed;
use crate::storage::{
    CaseFilter, Change, Deliveries, DeliveryFilter, Dossier, History, HistoryFilter, MemoryStore,
    Snapshot, Store, StoreError,
};

/// Something that people want to see.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// Something was committed.
    Committed(Vec<Change>),
    /// A message goes out.
    Message(Box<Message>),
}

/// A message as its receiver would see it.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) at: Timestamp,
    pub(super) integration: IntegrationId,
    pub(super) reason: NotifyReason,
    pub(super) preview: Result<Preview, RenderError>,
}

/// The stand-ins, and the way to whoever looks.
pub(super) struct Stage {
    querier: Arc<Recorded>,
    store: Arc<TellingStore>,
    sender: UnboundedSender<Event>,
}

impl Stage {
    pub(super) fn new(
        incident: &Incident,
        start: Timestamp,
        sender: UnboundedSender<Event>,
    ) -> Self {
        let store = TellingStore { inner: MemoryStore::new(), sender: sender.clone() };
        let querier = Arc::new(Recorded::new(incident, start));
        Self { querier, store: Arc::new(store), sender }
    }

    /// The store, for the core and the API.
    pub(super) fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    /// What the core runs on: all as in the daemon, but for the stand-ins.
    pub(super) fn setup(&self, incident: &Incident) -> CoreSetup {
        let loaded = &incident.loaded;
        let config = &loaded.config;
        let integrations = loaded.receivers.iter().flat_map(|receiver| &receiver.integrations);
        let notifiers: Notifiers = integrations
            .map(|one| {
                let notifier = Printed {
                    id: one.id.clone(),
                    real: Arc::clone(&one.notifier),
                    sender: self.sender.clone(),
                };
                (one.id.clone(), Arc::new(notifier) as Arc<dyn Notifier>)
            })
            .collect();
        let evaluator = Evaluator {
            querier: Arc::clone(&self.querier) as Arc<dyn Querier>,
            external_labels: config.global.external_labels.clone(),
            external_url: "http://prometheus.example.com".to_string(),
        };
        CoreSetup {
            groups: loaded.rules.groups.clone(),
            rules: RuleSettings {
                evaluator,
                evaluation_interval: config.global.evaluation_interval,
                query_offset: config.global.rule_query_offset,
                fingerprint: String::new(),
                builtin: config.builtin_alerts.group.clone(),
                policies: config.rule_policies.clone(),
                facts: SharedFacts::default(),
            },
            routing: Arc::new(routing_setup(config)),
            notifiers: Arc::new(notifiers),
        }
    }
}

/// The recorded samples. A query sees those up to its own time.
struct Recorded {
    memory: MemoryQuerier,
    feed: Mutex<Feed>,
}

impl Recorded {
    fn new(incident: &Incident, start: Timestamp) -> Self {
        let memory = MemoryQuerier::new(Options::default());
        let times = (start - incident.prelude, incident.interval);
        let feed = Feed::new(&incident.series, times, &mut memory.series_mut());
        Self { memory, feed: Mutex::new(feed) }
    }

    /// Appends the samples up to a time.
    fn play(&self, until: Timestamp) {
        let mut feed = self.feed.lock().unwrap_or_else(PoisonError::into_inner);
        // A test of the incident holds that its series can take their samples.
        let _ = feed.until(until, &mut self.memory.series_mut());
    }
}

#[async_trait]
impl Querier for Recorded {
    async fn instant(&self, query: &str, at: Timestamp) -> Result<QueryResult, QueryError> {
        self.play(at);
        self.memory.instant(query, at).await
    }

    async fn range(
        &self,
        query: &str,
        start: Timestamp,
        end: Timestamp,
        step: Duration,
    ) -> Result<RangeResult, QueryError> {
        self.play(end);
        self.memory.range(query, start, end, step).await
    }
}

/// Renders as the real one does, and sends nothing.
struct Printed {
    id: IntegrationId,
    real: Arc<dyn Notifier>,
    sender: UnboundedSender<Event>,
}

#[async_trait]
impl Notifier for Printed {
    async fn deliver(&self, delivery: &Delivery, now: Timestamp) -> Outcome {
        let message = Message {
            at: now,
            integration: self.id.clone(),
            reason: delivery.notification.reason,
            preview: self.real.preview(delivery, now),
        };
        // Whoever looked may have gone.
        let _ = self.sender.send(Event::Message(Box::new(message)));
        Outcome::Delivered { receiver_state: None, status: None }
    }

    fn preview(&self, delivery: &Delivery, now: Timestamp) -> Result<Preview, RenderError> {
        self.real.preview(delivery, now)
    }
}

/// A store in memory that tells what is committed.
struct TellingStore {
    inner: MemoryStore,
    sender: UnboundedSender<Event>,
}

#[async_trait]
impl Store for TellingStore {
    async fn load(&self) -> Result<Snapshot, StoreError> {
        self.inner.load().await
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let _ = self.sender.send(Event::Committed(changes.clone()));
        self.inner.commit(changes).await
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<History, StoreError> {
        self.inner.history(filter).await
    }

    async fn dossier(&self, filter: &CaseFilter) -> Result<Dossier, StoreError> {
        self.inner.dossier(filter).await
    }

    async fn collected(&self) -> Result<Option<Collected>, StoreError> {
        self.inner.collected().await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Deliveries, StoreError> {
        self.inner.deliveries(filter).await
    }

    async fn prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.inner.prune(before).await
    }
}
