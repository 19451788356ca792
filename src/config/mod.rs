//! Tier 6: the configuration file, from text to checked values.
