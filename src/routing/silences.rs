//! All silences, and which of them hold an alert.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::model::{
    LabelSet, Matcher, Matchers, Silence, SilenceDraft, SilenceError, SilenceId, SilenceState,
    Timestamp,
};
use crate::routing::silence_index::SilenceIndex;

/// How many silences may be pending or active.
const MAX_WANTED: usize = 10_000;
/// How many silences are kept in all; beyond, those go first that have been over for longest.
const MAX_KEPT: usize = 50_000;
/// For how long a silence that is over can still be found: the clock may be put back.
const CLOCK_SLACK: Duration = Duration::from_secs(24 * 3600);

/// What has become of a request to set a silence.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// The silence that is in place now.
    pub id: SilenceId,
    /// What is new or different, the one before it among them where that has been ended.
    pub put: Vec<Arc<Silence>>,
    /// What has been forgotten to make room.
    pub dropped: Vec<SilenceId>,
}

/// All silences that are known, those that are over among them.
#[derive(Debug, Default)]
pub struct Silences {
    by_id: BTreeMap<SilenceId, Arc<Silence>>,
    /// The same by their ends.
    ends: BTreeSet<(Timestamp, SilenceId)>,
    index: SilenceIndex,
}

impl Silences {
    /// All silences in the order of their identities.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Silence>> {
        self.by_id.values()
    }

    /// One silence.
    pub fn get(&self, id: SilenceId) -> Option<&Arc<Silence>> {
        self.by_id.get(&id)
    }

    /// The silences that hold an alert with these labels at a time, in the order of their
    /// identities. It costs about one look-up for each label, however many silences there are, as
    /// long as they name or begin the value of some label.
    pub fn silenced_by(&self, labels: &LabelSet, now: Timestamp) -> Vec<SilenceId> {
        let mut found = self.index.candidates(labels);
        found.retain(|id| self.by_id.get(id).is_some_and(|s| s.silences(labels, now)));
        found
    }

    /// Sets a silence as Alertmanager does. Comment, author and end are changed in place, the start
    /// too as long as it lies ahead. Where the matchers differ, or the start of one that is active,
    /// that one is ended and `fresh` takes its place; one that is over never changes.
    ///
    /// # Errors
    /// What is wrong with the draft; nothing has changed then.
    pub fn set(
        &mut self,
        draft: SilenceDraft,
        fresh: SilenceId,
        now: Timestamp,
    ) -> Result<Changed, SilenceError> {
        draft.check(now)?;
        let before = match draft.id {
            None => None,
            Some(id) => Some(Arc::clone(self.get(id).ok_or(SilenceError::NotFound)?)),
        };
        if let Some(before) = &before
            && can_update(before, &draft, now)
        {
            let mut after = draft.into_silence(before.id, now);
            if before.state(now) == SilenceState::Active {
                after.starts_at = before.starts_at;
            }
            let after = self.put(after);
            return Ok(Changed { id: after.id, put: vec![after], dropped: Vec::new() });
        }
        let wanted = self.ends.range((now, SilenceId::MAX)..).count();
        let ended = before.filter(|before| before.state(now) != SilenceState::Expired);
        if wanted - usize::from(ended.is_some()).min(wanted) >= MAX_WANTED {
            return Err(SilenceError::TooMany(wanted));
        }
        let mut put = Vec::new();
        if let Some(ended) = ended {
            put.push(self.put(ended_now(&ended, now)));
        }
        let mut silence = draft.into_silence(fresh, now);
        silence.starts_at = silence.starts_at.max(now);
        put.push(self.put(silence));
        Ok(Changed { id: fresh, put, dropped: self.make_room(now) })
    }

    /// Ends a silence now and returns it. One that has not begun never does; one that is over stays
    /// as it is, and nothing is returned.
    ///
    /// # Errors
    /// [`SilenceError::NotFound`].
    pub fn expire(
        &mut self,
        id: SilenceId,
        now: Timestamp,
    ) -> Result<Option<Arc<Silence>>, SilenceError> {
        let silence = self.get(id).ok_or(SilenceError::NotFound)?;
        if silence.state(now) == SilenceState::Expired {
            return Ok(None);
        }
        let ended = ended_now(silence, now);
        Ok(Some(self.put(ended)))
    }

    /// Forgets the silences that were over before a time; returns which.
    pub fn prune(&mut self, before: Timestamp) -> Vec<SilenceId> {
        let old: Vec<_> = self.ends.iter().take_while(|(end, _)| *end < before).copied().collect();
        old.into_iter().map(|(_, id)| self.forget(id)).collect()
    }

    fn put(&mut self, silence: Silence) -> Arc<Silence> {
        let silence = Arc::new(silence);
        self.index.put(silence.id, &silence.matchers);
        self.ends.insert((silence.ends_at, silence.id));
        if let Some(before) = self.by_id.insert(silence.id, Arc::clone(&silence))
            && before.ends_at != silence.ends_at
        {
            self.ends.remove(&(before.ends_at, before.id));
        }
        silence
    }

    fn forget(&mut self, id: SilenceId) -> SilenceId {
        self.index.remove(id);
        if let Some(silence) = self.by_id.remove(&id) {
            self.ends.remove(&(silence.ends_at, id));
        }
        id
    }

    /// Keeps the index and the whole small.
    fn make_room(&mut self, now: Timestamp) -> Vec<SilenceId> {
        let over = self.ends.iter().take_while(|(end, _)| *end < now - CLOCK_SLACK);
        for (_, id) in over {
            self.index.remove(*id);
        }
        let surplus = self.by_id.len().saturating_sub(MAX_KEPT);
        let oldest: Vec<_> = self.ends.iter().take(surplus).map(|(_, id)| *id).collect();
        oldest.into_iter().map(|id| self.forget(id)).collect()
    }
}

impl FromIterator<Silence> for Silences {
    fn from_iter<I: IntoIterator<Item = Silence>>(silences: I) -> Self {
        let mut this = Self::default();
        for silence in silences {
            this.put(silence);
        }
        this
    }
}

fn ended_now(silence: &Silence, now: Timestamp) -> Silence {
    let starts_at = silence.starts_at.min(now);
    Silence { starts_at, ends_at: now, updated_at: now, ..silence.clone() }
}

/// Whether a silence can be changed in place.
fn can_update(before: &Silence, draft: &SilenceDraft, now: Timestamp) -> bool {
    // Clients send starts in whole seconds or with milliseconds.
    let second = |at: Timestamp| at.millis().div_euclid(1000);
    sorted(&before.matchers) == sorted(&draft.matchers)
        && match before.state(now) {
            SilenceState::Pending => draft.starts_at >= now,
            SilenceState::Active => second(draft.starts_at) == second(before.starts_at),
            SilenceState::Expired => false,
        }
}

fn sorted(matchers: &Matchers) -> Vec<&Matcher> {
    let mut list: Vec<&Matcher> = matchers.0.iter().collect();
    list.sort_unstable_by_key(|m| (m.name(), m.op(), m.value()));
    list
}
