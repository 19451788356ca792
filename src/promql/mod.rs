//! Tier 1: PromQL expressions with spans.
