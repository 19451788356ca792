//! Tier 5: where samples come from.
