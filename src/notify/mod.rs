//! Tier 5: integrations, one file each.
