//! Tier 0: the values that every layer speaks of.
//!
//! Nothing here reads a clock, a socket or a log. A type lives here when at least two layers
//! share it; what only one layer needs is defined in that layer.

pub mod alert;
pub mod duration;
pub mod float;
pub mod histogram;
pub mod kahan;
pub mod kept;
pub mod label;
pub mod matcher;
pub mod notification;
pub mod parallel;
pub mod regexp;
pub mod sample;
pub mod secret;
pub mod silence;
pub mod tally;
pub mod time;
pub mod underscores;

pub use alert::{Alert, AlertStatus, RuleKey, RulePlace};
pub use duration::{DurationError, format_duration, parse_duration};
pub use histogram::{CounterResetHint, FloatHistogram, HistogramError};
pub use label::{Fingerprint, LabelSet, LabelSetBuilder};
pub use matcher::{
    MatchOp, Matcher, MatcherError, MatcherForm, Matchers, parse_matcher, parse_matchers,
};
pub use notification::{
    GroupKey, IntegrationId, Notification, NotificationStatus, NotifiedAlert, NotifyReason,
};
pub use sample::{InstantVector, Sample};
pub use secret::{Secret, SecretError, SecretSource};
pub use silence::{Silence, SilenceDraft, SilenceError, SilenceId, SilenceState};
pub use tally::Tally;
pub use time::{Monotonic, Now, Timestamp};
pub use underscores::underscores_separate;
