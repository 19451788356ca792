//! Tier 9: the commands.
