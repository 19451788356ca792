//! Who has a mail already that others still wait for.
//!
//! A server may take a mail for one recipient and postpone another (a full mailbox, greylisting).
//! The first must not get it again with each attempt, so what is done is remembered until the
//! entry is. After a restart the memory is gone: then a mail comes twice, with one Message-ID.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use lettre::Address;

/// After this many attempts (some eight minutes) whoever is still postponed is given up, so that
/// one full mailbox does not hold back a group's news for all others.
pub(super) const MAX_ATTEMPTS: u32 = 12;
/// How many mails are remembered.
const MAX_MAILS: usize = 1000;

/// By idempotency key: those who have the mail, or were refused for good.
#[derive(Default)]
pub(super) struct Partial(Mutex<BTreeMap<String, BTreeSet<String>>>);

impl Partial {
    /// Those of a mail's recipients who do not have it yet.
    pub(super) fn waiting(&self, key: &str, recipients: &[Address]) -> Vec<Address> {
        let done = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let done = done.get(key);
        let is_done = |to: &Address| done.is_some_and(|done| done.contains(&to.to_string()));
        recipients.iter().filter(|to| !is_done(to)).cloned().collect()
    }

    /// Notes that of a mail's recipients only `open` still wait.
    pub(super) fn keep(&self, key: &str, recipients: &[Address], open: &[Address]) {
        let mut mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if mails.len() >= MAX_MAILS && !mails.contains_key(key) {
            // The words of a superseded mail are never sent again, so any may go.
            mails.pop_first();
        }
        let done = recipients.iter().filter(|to| !open.contains(to)).map(Address::to_string);
        mails.insert(key.to_string(), done.collect());
    }

    /// The mail is done.
    pub(super) fn forget(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_who_wait_are_tried_again() {
        let [a, b]: [Address; 2] = ["a@x.test", "b@x.test"].map(|a| a.parse().unwrap());
        let all = [a, b.clone()];
        let partial = Partial::default();
        partial.keep("k", &all, std::slice::from_ref(&b));
        assert_eq!(partial.waiting("k", &all), [b]);
        assert_eq!(partial.waiting("other", &all), all);
        partial.forget("k");
        assert_eq!(partial.waiting("k", &all), all);
        for i in 0..MAX_MAILS + 10 {
            partial.keep(&i.to_string(), &all, &[]);
        }
        assert_eq!(partial.0.lock().unwrap().len(), MAX_MAILS);
    }
}
