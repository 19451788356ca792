//! Where an alert goes at this moment and what holds it back, for whoever wants to look.

use tokio::sync::oneshot;

use crate::engine::dispatch_loop::{DispatchHandle, Event, Stopped};
use crate::engine::dispatcher::Dispatcher;
use crate::model::{LabelSet, SilenceId, Timestamp};

/// Where one alert goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// The labels under which it is routed: with external labels.
    pub labels: LabelSet,
    /// The routes at which it ends, at least one.
    pub ends: Vec<RouteEnd>,
}

/// One end of an alert's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteEnd {
    /// The route's receiver.
    pub receiver: String,
    /// What holds the alert back there; nothing where it is told of.
    pub held: Option<HeldBack>,
}

/// What holds an alert back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBack {
    /// The reason's name, as shown everywhere.
    pub reason: &'static str,
    /// The silences, alert or interval, in words.
    pub words: String,
    /// The silences that hold it.
    pub silences: Vec<SilenceId>,
}

/// What is asked of the dispatch loop.
pub(super) struct WhereaboutsRequest {
    pub(super) labels: Vec<LabelSet>,
    pub(super) answer: oneshot::Sender<Vec<Whereabouts>>,
}

impl WhereaboutsRequest {
    /// Answers. One that no longer waits does not mind.
    pub(super) fn tell(self, dispatcher: &Dispatcher, now: Timestamp) {
        let found = self.labels.iter().map(|labels| dispatcher.whereabouts(labels, now)).collect();
        let _ = self.answer.send(found);
    }
}

impl DispatchHandle {
    /// Where alerts with some labels go, in the order of the labels.
    ///
    /// # Errors
    /// Where the loop is gone.
    pub async fn whereabouts(&self, labels: Vec<LabelSet>) -> Result<Vec<Whereabouts>, Stopped> {
        let (answer, told) = oneshot::channel();
        self.send(Event::Whereabouts(WhereaboutsRequest { labels, answer })).await?;
        told.await.map_err(|_| Stopped)
    }
}
