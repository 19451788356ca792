//! Tier 3: what is to be delivered and what has been.
//!
//! There is one [`Lane`] for each group and integration. It remembers what was decided to be said
//! (`enqueued`), what the receiver is known to have (`delivered`), and holds at most one entry in
//! flight and one waiting. The functions are pure: they take the time and return what changed.

mod backoff;
mod duty;
mod entry;
mod lane;
#[cfg(test)]
mod tests;

pub use backoff::{MAX_BACKOFF, MAX_RETRY_AFTER, backoff};
pub use entry::{Attempt, AttemptOutcome, EntryId, OutboxEntry, Outcome, Told};
pub use lane::{Current, Finished, Lane, LaneKey};
