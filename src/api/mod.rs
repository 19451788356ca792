//! Tier 8: the HTTP API.
