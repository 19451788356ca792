//! Tier 4: metrics in one table, and logging.
