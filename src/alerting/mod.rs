//! Tier 3: the alerting step: expanded samples and a time give transitions.
//!
//! An evaluation hands the samples of a rule's expression, with labels and annotations already
//! expanded, to [`RuleAlerts::step`]. The step moves the rule's alerts through inactive, pending
//! and firing and returns what is worth storing. It asks for no time, keeps no log and sends
//! nothing, so that the daemon, the tests of rules and a backtest all run the very same code.
//! The behaviour is that of Prometheus' `rules` package; where it differs, the item says so.
//!
//! `builtin` has the alerts about the program itself, which take the same step.

mod builtin;
mod carry;
mod instance;
mod labels;
mod policy;
mod restore;
mod step;
mod transition;

#[cfg(test)]
mod property_tests;

pub use builtin::{
    BUILTIN_FILE, BuiltinAlert, BuiltinConfig, Facts, HOLD_FAILED, Look,
    evaluate as evaluate_builtin, is_builtin, remember as remember_builtin,
};
pub use carry::{CarriedOver, RemovedRule, RuleIdentity, carry_over};
pub use instance::{AlertInstance, AlertState};
pub use labels::final_labels;
pub use policy::{NoData, OnError, Policy, RulePolicies, RulePolicy, has_data, kept_transitions};
pub use restore::{
    GRACE_PERIOD, OUTAGE_TOLERANCE, RangeEvidence, Restoration, Stop, TOLERATED_INTERVALS, restore,
};
pub use step::{ActiveSample, RESOLVED_RETENTION, RuleAlerts, RuleTiming, Step, StepError};
pub use transition::{Transition, TransitionReason};
