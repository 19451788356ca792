//! Tier 2: rule files, from text to checked groups.
