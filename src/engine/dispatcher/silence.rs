//! Silences are set and ended.

use std::sync::Arc;

use crate::engine::dispatcher::Dispatcher;
use crate::model::{Now, Silence, SilenceDraft, SilenceError, SilenceId, Timestamp};
use crate::routing::Silences;
use crate::storage::Change;

impl Dispatcher {
    /// All silences.
    pub fn silences(&self) -> &Silences {
        &self.silences
    }

    /// Sets a silence; `fresh` is its identity where it is a new one. What it holds is not told from
    /// the next flush of its group on.
    ///
    /// # Errors
    /// What is wrong with it; see [`Silences::set`].
    pub fn set_silence(
        &mut self,
        draft: SilenceDraft,
        fresh: SilenceId,
        now: Now,
    ) -> Result<(SilenceId, Vec<Change>), SilenceError> {
        let changed = self.silences.set(draft, fresh, now.wall)?;
        let mut changes: Vec<Change> = changed.put.iter().map(put).collect();
        changes.extend(changed.dropped.into_iter().map(Change::DeleteSilence));
        Ok((changed.id, changes))
    }

    /// Ends a silence. What it held and still fires is told at the next flush of its group.
    ///
    /// # Errors
    /// Where there is none. One that is over stays as it is.
    pub fn expire_silence(&mut self, id: SilenceId, now: Now) -> Result<Vec<Change>, SilenceError> {
        Ok(self.silences.expire(id, now.wall)?.iter().map(put).collect())
    }

    /// Forgets the silences that were over before a time.
    pub fn prune_silences(&mut self, before: Timestamp) -> Vec<Change> {
        self.silences.prune(before).into_iter().map(Change::DeleteSilence).collect()
    }
}

fn put(silence: &Arc<Silence>) -> Change {
    Change::put_silence(Silence::clone(silence))
}
