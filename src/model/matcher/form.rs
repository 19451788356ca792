//! A matcher in JSON.

use serde::{Deserialize, Serialize};

use crate::model::{MatchOp, Matcher, MatcherError};

/// A matcher as Alertmanager's API writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MatcherForm {
    /// Whether the value must match, or must not.
    #[serde(default = "yes")]
    pub is_equal: bool,
    /// Whether the value is a regular expression.
    pub is_regex: bool,
    /// The label.
    pub name: String,
    /// What it is compared with.
    pub value: String,
}

fn yes() -> bool {
    true
}

impl From<&Matcher> for MatcherForm {
    fn from(matcher: &Matcher) -> Self {
        let op = matcher.op();
        Self {
            is_equal: matches!(op, MatchOp::Equal | MatchOp::Regex),
            is_regex: matches!(op, MatchOp::Regex | MatchOp::NotRegex),
            name: matcher.name().to_string(),
            value: matcher.value().to_string(),
        }
    }
}

impl TryFrom<MatcherForm> for Matcher {
    type Error = MatcherError;

    fn try_from(form: MatcherForm) -> Result<Self, Self::Error> {
        let op = match (form.is_equal, form.is_regex) {
            (true, false) => MatchOp::Equal,
            (false, false) => MatchOp::NotEqual,
            (true, true) => MatchOp::Regex,
            (false, true) => MatchOp::NotRegex,
        };
        Matcher::new(form.name, op, form.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matcher_survives_its_json() {
        for text in ["a=b", "a!=b", "a=~b.*", "a!~b|c"] {
            let matcher = crate::model::parse_matcher(text).unwrap();
            let json = serde_json::to_string(&MatcherForm::from(&matcher)).unwrap();
            let form: MatcherForm = serde_json::from_str(&json).unwrap();
            assert_eq!(Matcher::try_from(form), Ok(matcher), "{json}");
        }
        let old: MatcherForm =
            serde_json::from_str(r#"{"name":"a","value":"b","isRegex":false}"#).unwrap();
        assert!(old.is_equal, "clients before isEqual meant equality");
    }
}
