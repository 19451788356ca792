//! A file of unit tests, checked.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::diag::{SourceFile, Span};
use crate::model::{LabelSet, Matchers, Timestamp};
use crate::promql::Expr;
use crate::promql::series::SampleValue;
use crate::promql::series::notation::SequenceValue;
use crate::rule::RulePattern;

/// A file in promtool's format, and what is beyond it. Paths in it are relative to its folder.
#[derive(Debug)]
pub struct UnitTestFile {
    /// The file's text.
    pub source: Arc<SourceFile>,
    /// The folder that relative paths begin at.
    pub directory: PathBuf,
    /// The rules under test.
    pub rule_files: Vec<RulePattern>,
    /// How often the rules are evaluated, whatever the groups say themselves.
    pub evaluation_interval: Duration,
    /// The names of groups that are evaluated in this order; without it, that of the files.
    pub group_eval_order: Vec<String>,
    /// Numbers may differ by one unit in the last place.
    pub fuzzy_compare: bool,
    /// The configuration whose routes say who is told: needed by `notification_test`.
    pub config_file: Option<(PathBuf, Span)>,
    /// The tests.
    pub cases: Vec<Case>,
}

/// One entry of `tests`.
#[derive(Debug)]
pub struct Case {
    /// Its name; may be empty.
    pub name: String,
    /// Where it begins.
    pub span: Span,
    /// The distance of two samples of `input_series`.
    pub interval: Duration,
    /// When the test begins (`start_timestamp`).
    pub start: Timestamp,
    /// What templates see as `$externalLabels`.
    pub external_labels: LabelSet,
    /// What templates see as `$externalURL`.
    pub external_url: String,
    /// The series before any rule.
    pub input_series: Vec<InputSeries>,
    /// Silences, for `notification_test`.
    pub silences: Vec<TestSilence>,
    /// What must fire.
    pub alerts: Vec<AlertTest>,
    /// What expressions must give.
    pub exprs: Vec<ExprTest>,
    /// Who must be told.
    pub notifications: Vec<NotificationTest>,
}

/// A series and its samples, one at each interval; `None` where there is none. Cloning copies pointers.
#[derive(Clone, Debug)]
pub struct InputSeries {
    /// The labels, `__name__` among them.
    pub labels: LabelSet,
    /// The samples.
    pub values: Arc<[Option<SampleValue>]>,
}

/// A silence that holds during a test.
#[derive(Debug)]
pub struct TestSilence {
    /// Where it stands.
    pub span: Span,
    /// Whom it silences.
    pub matchers: Matchers,
    /// When it begins, from the test's start.
    pub starts: Duration,
    /// When it ends.
    pub ends: Duration,
}

/// Which alerts of one name fire at a time: an entry of `alert_rule_test`.
#[derive(Debug)]
pub struct AlertTest {
    /// Where it stands.
    pub span: Span,
    /// The time, from the test's start.
    pub eval_time: Duration,
    /// The name of the alerts.
    pub alertname: String,
    /// The alerts, labels with `alertname`.
    pub expected: Vec<ExpectedAlert>,
}

/// An alert that must fire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedAlert {
    /// All of its labels.
    pub labels: LabelSet,
    /// All of its annotations.
    pub annotations: LabelSet,
}

/// What an expression gives at a time: an entry of `promql_expr_test`.
#[derive(Debug)]
pub struct ExprTest {
    /// Where the expression stands.
    pub span: Span,
    /// The time, from the test's start.
    pub eval_time: Duration,
    /// The expression.
    pub expr: Expr,
    /// The expression as it is written.
    pub query: String,
    /// The samples.
    pub expected: Vec<ExpectedSample>,
}

/// A sample that an expression must give.
#[derive(Clone, Debug)]
pub struct ExpectedSample {
    /// All of its labels.
    pub labels: LabelSet,
    /// The value.
    pub value: SequenceValue,
}

/// Who has been told what by a time, and who has not and why: an entry of `notification_test`.
#[derive(Debug)]
pub struct NotificationTest {
    /// Where it stands.
    pub span: Span,
    /// The time, from the test's start.
    pub eval_time: Duration,
    /// What was sent since the entry before; `None` where it is not asked.
    pub sent: Option<Vec<ExpectedNotification>>,
    /// What is held back at the time; `None` where it is not asked.
    pub held: Option<Vec<ExpectedHold>>,
}

/// A notification that must have been sent. What is not said is not compared.
#[derive(Clone, Debug, Default)]
pub struct ExpectedNotification {
    /// Where it stands.
    pub span: Span,
    /// The receiver.
    pub receiver: String,
    /// The integration: `slack`, or `slack[1]` for the receiver's second one.
    pub integration: Option<String>,
    /// `firing` or `resolved`.
    pub status: Option<String>,
    /// The labels that the group's alerts share by `group_by`.
    pub group_labels: Option<LabelSet>,
    /// The alerts in it.
    pub alerts: Option<Vec<NotifiedAlertTest>>,
    /// The rendered parts by name, such as `subject`, `title` or `text`, whole.
    pub parts: Vec<(String, String)>,
    /// Texts that must stand somewhere in the rendered message.
    pub contains: Vec<String>,
}

/// An alert inside a notification.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotifiedAlertTest {
    /// All of its labels, external ones among them.
    pub labels: LabelSet,
    /// `firing` or `resolved`.
    pub status: String,
}

/// An alert that must be held back at a receiver.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedHold {
    /// All of the alert's labels, external ones among them.
    pub labels: LabelSet,
    /// The receiver that is not told.
    pub receiver: String,
    /// Why: `inhibited`, `silenced`, `in_mute_interval`, `outside_active_interval`.
    pub reason: String,
}
