//! `/api/v1/rules`: the groups with their rules and alerts.

use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::api::Shared;
use crate::api::alert::Alert;
use crate::api::answer::{ApiError, seconds, success, time_or_never};
use crate::api::params::{Params, RuleFilter};
use crate::daemon::{GroupView, Health, RuleView};
use crate::model::{LabelSet, Timestamp};
use crate::rule::{AlertingRule, RecordingRule, Rule};

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/api/v1/rules", get(rules))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Groups {
    groups: Vec<Group>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    name: String,
    file: String,
    rules: Vec<RuleAnswer>,
    #[serde(serialize_with = "seconds")]
    interval: Duration,
    limit: u64,
    #[serde(serialize_with = "seconds")]
    evaluation_time: Duration,
    #[serde(serialize_with = "time_or_never")]
    last_evaluation: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum RuleAnswer {
    Alerting(Alerting),
    Recording(Common),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Alerting {
    state: &'static str,
    #[serde(serialize_with = "seconds")]
    duration: Duration,
    #[serde(serialize_with = "seconds")]
    keep_firing_for: Duration,
    annotations: LabelSet,
    alerts: Vec<Alert>,
    #[serde(flatten)]
    common: Common,
}

/// What both kinds of rules have.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Common {
    name: String,
    query: String,
    labels: LabelSet,
    health: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    last_error: String,
    #[serde(serialize_with = "seconds")]
    evaluation_time: Duration,
    #[serde(serialize_with = "time_or_never")]
    last_evaluation: Option<Timestamp>,
}

async fn rules(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    Ok(success(select(&shared.daemon.board.groups(), query.as_deref())?))
}

/// The groups that a query asks for. They come sorted by file and name.
pub(super) fn select(views: &[GroupView], query: Option<&str>) -> Result<Groups, ApiError> {
    let params = Params::parse(query)?;
    let filter = RuleFilter::read(&params)?;
    let with_alerts = !params.bool("exclude_alerts")?;
    let page = Page::read(&params)?;
    page.of(views.iter().filter_map(|view| group(view, &filter, with_alerts)))
}

/// Which groups of the answer are sent.
struct Page {
    limit: Option<usize>,
    token: Option<String>,
}

impl Page {
    fn read(params: &Params) -> Result<Self, ApiError> {
        let limit = params.first("group_limit").map(|text| {
            let limit = text.parse().map_err(|_| {
                ApiError::parameter("group_limit", format!("{text:?} is not a number"))
            });
            limit.and_then(|limit| match limit {
                0 => Err(ApiError::parameter("group_limit", "must be more than zero")),
                limit => Ok(limit),
            })
        });
        let (limit, token) = (limit.transpose()?, params.first("group_next_token"));
        if token.is_some() && limit.is_none() {
            let reason = "group_limit needs to be set along with it";
            return Err(ApiError::parameter("group_next_token", reason));
        }
        Ok(Self { limit, token: token.map(str::to_string) })
    }

    /// The groups of this page, and the token of the next one. A token names the group that the
    /// next page begins with, so that groups which appear meanwhile shift nothing.
    fn of(&self, groups: impl Iterator<Item = Group>) -> Result<Groups, ApiError> {
        let mut groups = groups.peekable();
        if let Some(token) = &self.token {
            while groups.next_if(|group| group.token() != *token).is_some() {}
            if groups.peek().is_none() {
                let reason = "it names no group, were rule groups changed?";
                return Err(ApiError::parameter("group_next_token", reason));
            }
        }
        let page = groups.by_ref().take(self.limit.unwrap_or(usize::MAX)).collect();
        Ok(Groups { groups: page, group_next_token: groups.peek().map(Group::token) })
    }
}

impl Group {
    fn token(&self) -> String {
        let hash = Sha256::digest(format!("{};{}", self.file, self.name));
        hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A group with its wanted rules; nothing where it has none, as in Prometheus 3.
fn group(view: &GroupView, filter: &RuleFilter, with_alerts: bool) -> Option<Group> {
    let group = &view.group;
    if !filter.group(&group.file, &group.name) {
        return None;
    }
    let rules = group.rules.iter().zip(&view.rules);
    let rules: Vec<_> =
        rules.filter_map(|(rule, view)| answer(rule, view, filter, with_alerts)).collect();
    if rules.is_empty() && !group.rules.is_empty() {
        return None;
    }
    Some(Group {
        name: group.name.clone(),
        file: group.file.clone(),
        rules,
        interval: view.interval,
        limit: group.limit,
        evaluation_time: view.evaluation_time,
        last_evaluation: view.last_evaluation,
    })
}

fn answer(
    rule: &Rule,
    view: &RuleView,
    filter: &RuleFilter,
    with_alerts: bool,
) -> Option<RuleAnswer> {
    let (wanted, labels) = match rule {
        Rule::Alerting(rule) => (filter.alerting, written_labels(rule)),
        Rule::Recording(rule) => (filter.recording, recording_labels(rule)),
    };
    if !wanted || !filter.rule(rule.name(), &labels) {
        return None;
    }
    let common = Common {
        name: rule.name().to_string(),
        query: rule.expr().to_string(),
        labels,
        health: match view.health {
            Health::Unknown => "unknown",
            Health::Ok => "ok",
            Health::Err => "err",
        },
        last_error: view.last_error.clone(),
        evaluation_time: view.evaluation_time,
        last_evaluation: view.last_evaluation,
    };
    Some(match rule {
        Rule::Recording(_) => RuleAnswer::Recording(common),
        Rule::Alerting(rule) => RuleAnswer::Alerting(alerting(rule, view, common, with_alerts)),
    })
}

fn alerting(rule: &AlertingRule, view: &RuleView, common: Common, with_alerts: bool) -> Alerting {
    let alerts = view.alerts.active().map(|(_, alert)| alert);
    // What was taken up from a former process counts before the first evaluation.
    let known = view.last_evaluation.is_some() || view.alerts.active().next().is_some();
    Alerting {
        state: if known { view.alerts.state().as_str() } else { "unknown" },
        duration: rule.for_duration,
        keep_firing_for: rule.keep_firing_for,
        annotations: rule.annotations.iter().map(|(n, text)| (n.as_str(), text.text())).collect(),
        alerts: alerts.take(if with_alerts { usize::MAX } else { 0 }).map(Alert::new).collect(),
        common,
    }
}

fn written_labels(rule: &AlertingRule) -> LabelSet {
    rule.labels.iter().map(|(name, text)| (name.as_str(), text.text())).collect()
}

fn recording_labels(rule: &RecordingRule) -> LabelSet {
    rule.labels.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
}
