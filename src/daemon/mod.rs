//! Tier 7: the long-running process.
