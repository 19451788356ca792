//! Tier 3: the routing decision: tree, groups, inhibition, deduplication.
