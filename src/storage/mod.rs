//! Tier 5: the durable store.
