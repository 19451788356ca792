//! Tier 3: what is to be delivered and what has been.
