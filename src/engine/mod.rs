//! Tier 6: the pure steps joined to store, querier and notifiers.
