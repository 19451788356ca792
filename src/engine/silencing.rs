//! Silences on their way into the dispatch loop and back.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::oneshot;

use crate::engine::dispatch_loop::{DispatchHandle, Event, Stopped};
use crate::engine::dispatcher::Dispatcher;
use crate::model::{Now, Silence, SilenceDraft, SilenceError, SilenceId, Timestamp};
use crate::storage::Change;

/// Why a silence was not set or ended as asked.
#[derive(Debug, thiserror::Error)]
pub enum SilenceFailure {
    /// It is refused; nothing has changed.
    #[error(transparent)]
    Refused(#[from] SilenceError),
    /// The change is in effect, but would not survive a restart.
    #[error(
        "silence {0} is changed, but not stored yet: the store fails, and a restart would undo it"
    )]
    NotStored(SilenceId),
    /// The system gives no random numbers, so there is no identity for it.
    #[error("no random numbers for the silence's id: {0}")]
    NoRandom(String),
    /// Nobody is there to do it.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

type Answer = oneshot::Sender<Result<SilenceId, SilenceFailure>>;

/// What is asked of the silences.
pub(super) enum SilenceRequest {
    /// Set one; the identity is for a new one.
    Set(SilenceDraft, SilenceId, Answer),
    /// End one.
    Expire(SilenceId, Answer),
    /// Forget what was over before a time.
    Prune(Timestamp),
}

/// An answer that waits for the commit.
pub(super) struct Pending(SilenceId, Answer);

impl Pending {
    /// Sends the answer. One that no longer waits does not mind.
    pub(super) fn send(self, stored: bool) {
        let Self(id, answer) = self;
        let _ = answer.send(if stored { Ok(id) } else { Err(SilenceFailure::NotStored(id)) });
    }
}

impl SilenceRequest {
    /// Does what is asked. A refusal is told at once, the rest after the commit.
    pub(super) fn perform(
        self,
        dispatcher: &mut Dispatcher,
        now: Now,
    ) -> (Vec<Change>, Option<Pending>) {
        let (done, answer) = match self {
            Self::Set(draft, fresh, answer) => (dispatcher.set_silence(draft, fresh, now), answer),
            Self::Expire(id, answer) => {
                (dispatcher.expire_silence(id, now).map(|changes| (id, changes)), answer)
            }
            Self::Prune(before) => return (dispatcher.prune_silences(before), None),
        };
        match done {
            Ok((id, changes)) => (changes, Some(Pending(id, answer))),
            Err(error) => {
                let _ = answer.send(Err(error.into()));
                (Vec::new(), None)
            }
        }
    }
}

/// The silences for whoever wants to look at them.
#[derive(Clone, Debug, Default)]
pub(super) struct SilenceBoard(Arc<RwLock<Arc<[Arc<Silence>]>>>);

impl SilenceBoard {
    /// Shows the dispatcher's silences.
    pub(super) fn show(&self, dispatcher: &Dispatcher) {
        let all = dispatcher.silences().iter().map(Arc::clone).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = all;
    }

    fn all(&self) -> Arc<[Arc<Silence>]> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl DispatchHandle {
    /// Sets a silence; returns its identity when it is stored. See
    /// [`Silences::set`](crate::routing::Silences::set).
    ///
    /// # Errors
    /// Why it is not in effect, or in effect but not stored.
    pub async fn set_silence(&self, draft: SilenceDraft) -> Result<SilenceId, SilenceFailure> {
        let mut random = [0; 16];
        getrandom::getrandom(&mut random)
            .map_err(|error| SilenceFailure::NoRandom(error.to_string()))?;
        let fresh = SilenceId::from_random(random);
        self.ask(|answer| SilenceRequest::Set(draft, fresh, answer)).await
    }

    /// Ends a silence; returns when that is stored.
    ///
    /// # Errors
    /// As [`DispatchHandle::set_silence`].
    pub async fn expire_silence(&self, id: SilenceId) -> Result<(), SilenceFailure> {
        self.ask(|answer| SilenceRequest::Expire(id, answer)).await.map(drop)
    }

    /// Forgets the silences that were over before a time.
    ///
    /// # Errors
    /// Where the loop is gone.
    pub async fn prune_silences(&self, before: Timestamp) -> Result<(), Stopped> {
        self.send(Event::Silence(SilenceRequest::Prune(before))).await
    }

    /// All silences in the order of their identities, those that are over among them.
    pub fn silences(&self) -> Arc<[Arc<Silence>]> {
        self.silences.all()
    }

    /// One silence.
    pub fn silence(&self, id: SilenceId) -> Option<Arc<Silence>> {
        let all = self.silences.all();
        let place = all.binary_search_by_key(&id, |silence| silence.id).ok()?;
        all.get(place).map(Arc::clone)
    }

    async fn ask(
        &self,
        request: impl FnOnce(Answer) -> SilenceRequest,
    ) -> Result<SilenceId, SilenceFailure> {
        let (answer, done) = oneshot::channel();
        self.send(Event::Silence(request(answer))).await?;
        done.await.map_err(|_| Stopped)?
    }
}
