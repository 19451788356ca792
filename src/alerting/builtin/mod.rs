//! The alerts about the program itself: what they are, and when they hold.
//!
//! They are rules like any others, in `rules.yaml`, but their conditions are looked up in what the
//! program has observed of itself ([`Facts`]) and not asked of a datasource, which may be the very
//! thing that is away. [`evaluate`] takes the same alerting step as for any rule.

mod condition;
mod config;
mod facts;
#[cfg(test)]
mod tests;
mod watched;

use crate::alerting::AlertInstance;
use crate::model::RuleKey;

pub use condition::{Look, evaluate};
pub use config::BuiltinConfig;
pub use facts::{Facts, HOLD_FAILED};

/// What the rules' keys name in place of a file. No file has this name.
pub const BUILTIN_FILE: &str = "(built-in)";

/// Which alert it is. Each but the heartbeat is on unless the configuration says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BuiltinAlert {
    /// The datasource answers no query.
    DatasourceUnreachable,
    /// Rounds of a rule group are skipped.
    EvaluationsMissed,
    /// An integration refused a notification for good.
    NotificationFailed,
    /// An integration takes no notification for a long time.
    NotificationDelayed,
    /// The store takes no writes.
    StoreFailed,
    /// A new configuration was refused.
    ReloadFailed,
    /// What a collector asks has no answer.
    CollectorFailed,
    /// Active alerts of a rule have no data.
    RuleNoData,
    /// A rule cannot be evaluated.
    RuleEvaluationFailed,
    /// Always: the heartbeat for an outside service.
    Watchdog,
}

impl BuiltinAlert {
    /// All of them, in the order of the rules.
    pub const ALL: [Self; 10] = [
        Self::DatasourceUnreachable,
        Self::EvaluationsMissed,
        Self::NotificationFailed,
        Self::NotificationDelayed,
        Self::StoreFailed,
        Self::ReloadFailed,
        Self::CollectorFailed,
        Self::RuleNoData,
        Self::RuleEvaluationFailed,
        Self::Watchdog,
    ];

    /// The label `alertname`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DatasourceUnreachable => "WatchbellDatasourceUnreachable",
            Self::EvaluationsMissed => "WatchbellEvaluationsMissed",
            Self::NotificationFailed => "WatchbellNotificationFailed",
            Self::NotificationDelayed => "WatchbellNotificationDelayed",
            Self::StoreFailed => "WatchbellStoreFailed",
            Self::ReloadFailed => "WatchbellReloadFailed",
            Self::CollectorFailed => "WatchbellCollectorFailed",
            Self::RuleNoData => "WatchbellRuleNoData",
            Self::RuleEvaluationFailed => "WatchbellRuleEvaluationFailed",
            Self::Watchdog => "Watchdog",
        }
    }

    /// The alert with that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alert| alert.as_str() == name)
    }
}

/// Whether a rule is one of these.
pub fn is_builtin(rule: &RuleKey) -> bool {
    rule.file == BUILTIN_FILE
}

/// Notes what restored alerts say of the time before a restart, so that one goes on until it is
/// known again whether its condition holds.
pub fn remember(
    facts: &mut Facts,
    rule: &RuleKey,
    alert: &AlertInstance,
    at: crate::model::Monotonic,
) {
    if let Some(builtin) = BuiltinAlert::from_name(&rule.rule) {
        facts.remember(builtin, &alert.labels, at);
    }
}
