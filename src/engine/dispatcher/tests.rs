//! The dispatcher step by step, in virtual time. `tests/simulation` tries random incidents.

mod delivery;
pub(in crate::engine) mod harness;
mod held;
mod lifecycle;
mod recorded;
mod reload;
mod restart;
mod silence;
mod timing;

use harness::{Answer, Bench};
