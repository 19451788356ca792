//! The parameters of a request's query, and what they pick of the rules.

use std::collections::HashSet;

use crate::api::answer::ApiError;
use crate::model::{LabelSet, Matcher};
use crate::promql::{self, ExprKind};

/// How many values one request may have in all.
const MAX_VALUES: usize = 1000;

/// Names and values of a query, in order. A name may come more than once.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads the part of an address behind its question mark.
    pub(super) fn parse(query: Option<&str>) -> Result<Self, ApiError> {
        let query = query.unwrap_or_default().as_bytes();
        let pairs: Vec<_> =
            url::form_urlencoded::parse(query).into_owned().take(MAX_VALUES + 1).collect();
        if pairs.len() > MAX_VALUES {
            let message = format!("a request may have {MAX_VALUES} parameters");
            return Err(ApiError::BadData(message));
        }
        Ok(Self(pairs))
    }

    /// All values of a parameter.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The first value of a parameter; an empty one is the same as none.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    /// A truth value in the forms that Go reads.
    pub(super) fn bool(&self, name: &str) -> Result<bool, ApiError> {
        match self.first(name) {
            None | Some("0" | "f" | "F" | "false" | "False" | "FALSE") => Ok(false),
            Some("1" | "t" | "T" | "true" | "True" | "TRUE") => Ok(true),
            Some(other) => {
                Err(ApiError::parameter(name, format!("{other:?} is not true or false")))
            }
        }
    }
}

/// Which rules a request asks for.
pub(super) struct RuleFilter {
    /// Whether alerting rules are wanted.
    pub(super) alerting: bool,
    /// Whether recording rules are wanted.
    pub(super) recording: bool,
    names: HashSet<String>,
    groups: HashSet<String>,
    files: HashSet<String>,
    /// A rule passes if all matchers of any of these pass.
    matchers: Vec<Vec<Matcher>>,
}

impl RuleFilter {
    /// Reads `type`, `rule_name[]`, `rule_group[]`, `file[]` and `match[]`.
    pub(super) fn read(params: &Params) -> Result<Self, ApiError> {
        let (alerting, recording) = match params.first("type") {
            None => (true, true),
            Some("alert") => (true, false),
            Some("record") => (false, true),
            Some(other) => {
                return Err(ApiError::parameter("type", format!("not supported value {other:?}")));
            }
        };
        let set = |name| params.all(name).map(str::to_string).collect();
        Ok(Self {
            alerting,
            recording,
            names: set("rule_name[]"),
            groups: set("rule_group[]"),
            files: set("file[]"),
            matchers: params.all("match[]").map(selector).collect::<Result<_, _>>()?,
        })
    }

    /// Whether a group may hold wanted rules.
    pub(super) fn group(&self, file: &str, name: &str) -> bool {
        let wanted = |set: &HashSet<String>, value| set.is_empty() || set.contains(value);
        wanted(&self.files, file) && wanted(&self.groups, name)
    }

    /// Whether a rule is wanted, by its name and its labels as they are written.
    pub(super) fn rule(&self, name: &str, labels: &LabelSet) -> bool {
        let matches = |matchers: &Vec<Matcher>| matchers.iter().all(|m| m.matches(labels));
        (self.names.is_empty() || self.names.contains(name))
            && (self.matchers.is_empty() || self.matchers.iter().any(matches))
    }
}

/// The matchers of a series selector such as `{severity="critical"}`.
fn selector(text: &str) -> Result<Vec<Matcher>, ApiError> {
    let expr = promql::parse(text).map_err(|error| ApiError::parameter("match[]", error))?;
    let ExprKind::VectorSelector(selector) = expr.kind else {
        return Err(ApiError::parameter("match[]", format!("{text:?} is not a series selector")));
    };
    let name = selector.name.iter().filter_map(|name| {
        Matcher::new(crate::model::label::METRIC_NAME, crate::model::MatchOp::Equal, name).ok()
    });
    Ok(name.chain(selector.matchers.iter().map(|m| m.matcher.clone())).collect())
}
