//! Tier 3: the alerting step: expanded samples and a time give transitions.
