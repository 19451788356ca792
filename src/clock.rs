//! Tier 4: the only reader of the machine's clocks.
