//! The form of a silence: out of a link, as it was sent, and what is wrong with it. Nothing that was
//! typed is lost.

use std::time::Duration;

use crate::api::params::Params;
use crate::api::ui::html::editable;
use crate::model::{
    LabelSet, MatchOp, Matcher, Matchers, SilenceDraft, SilenceError, Timestamp, parse_duration,
    parse_matcher, parse_matchers,
};

/// The most rows of matchers.
const MAX_ROWS: usize = 100;
/// How many empty rows are offered.
const EMPTY_ROWS: usize = 2;
/// How long a silence lasts if nobody says otherwise.
const DEFAULT: &str = "2h";
/// The durations that are offered: what is read, and how it is shown.
pub(super) const PRESETS: [(&str, &str); 7] = [
    ("30m", "30 min"),
    ("1h", "1 hour"),
    ("2h", "2 hours"),
    ("4h", "4 hours"),
    ("12h", "12 hours"),
    ("1d", "1 day"),
    ("1w", "1 week"),
];

/// One matcher as it is typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) text: String,
    /// Whether it is a part of the silence.
    pub(super) on: bool,
    pub(super) error: Option<String>,
}

impl Row {
    fn of(text: String) -> Self {
        Self { text, on: true, error: None }
    }
}

/// The form with what is typed, and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) rows: Vec<Row>,
    /// One of [`PRESETS`], or empty where `other` counts.
    pub(super) preset: String,
    pub(super) other: String,
    pub(super) author: String,
    pub(super) comment: String,
    pub(super) duration_error: Option<String>,
    pub(super) author_error: Option<String>,
    pub(super) comment_error: Option<String>,
    /// What is wrong with the whole.
    pub(super) error: Option<String>,
}

impl Form {
    /// The form that a link prefills: `filter`, `duration`, `author`, `comment`.
    pub(super) fn from_link(params: &Params) -> Self {
        let duration = params.first("duration").unwrap_or(DEFAULT);
        let text = |name| params.first(name).unwrap_or_default().to_string();
        let mut form = Self { author: text("author"), comment: text("comment"), ..Self::default() };
        form.set_duration(duration);
        for filter in params.all("filter").filter(|filter| !filter.trim().is_empty()) {
            match parse_matchers(filter) {
                Ok(matchers) => {
                    form.rows.extend(matchers.0.iter().map(|m| Row::of(editable(m))));
                }
                Err(error) => {
                    let error = Some(error.to_string());
                    form.rows.push(Row { error, ..Row::of(filter.to_string()) });
                }
            }
        }
        form.rows.truncate(MAX_ROWS);
        form
    }

    /// Adds a matcher for each label of an alert.
    pub(super) fn add_labels(&mut self, labels: &LabelSet) {
        let matchers = labels.iter().filter_map(|(n, v)| Matcher::new(n, MatchOp::Equal, v).ok());
        self.rows.extend(matchers.map(|matcher| Row::of(editable(&matcher))).take(MAX_ROWS));
    }

    /// The form as a browser sends it: `matcher` for each row, `on` with the number of each row
    /// that counts.
    pub(super) fn from_post(params: &Params) -> Self {
        let on: Vec<&str> = params.all("on").collect();
        let rows = params.all("matcher").take(MAX_ROWS).enumerate().map(|(number, text)| Row {
            text: text.trim().to_string(),
            on: on.contains(&number.to_string().as_str()),
            error: None,
        });
        let text = |name| params.first(name).unwrap_or_default().trim().to_string();
        let mut form = Self {
            rows: rows.filter(|row| !row.text.is_empty()).collect(),
            author: text("author"),
            comment: text("comment"),
            ..Self::default()
        };
        match params.first("duration") {
            Some(preset) if preset != "other" => form.set_duration(preset),
            _ => form.other = text("other"),
        }
        form
    }

    fn set_duration(&mut self, duration: &str) {
        match PRESETS.iter().any(|(preset, _)| *preset == duration) {
            true => self.preset = duration.to_string(),
            false => self.other = duration.to_string(),
        }
    }

    /// The rows to show: those that are typed, and some to type into.
    pub(super) fn shown_rows(&self) -> impl Iterator<Item = Row> + '_ {
        let empty = std::iter::repeat_with(|| Row::of(String::new())).take(EMPTY_ROWS);
        self.rows.iter().cloned().chain(empty).take(MAX_ROWS)
    }

    /// The matchers that count; what cannot be read is noted at its row.
    pub(super) fn matchers(&mut self) -> Option<Matchers> {
        let mut matchers = Vec::new();
        for row in self.rows.iter_mut().filter(|row| row.on) {
            match parse_matcher(&row.text) {
                Ok(matcher) => matchers.push(matcher),
                Err(error) => row.error = Some(error.to_string()),
            }
        }
        let wrong = self.rows.iter().any(|row| row.error.is_some());
        (!wrong).then_some(Matchers(matchers))
    }

    /// The silence that is asked for; otherwise every mistake is noted at its field.
    pub(super) fn draft(&mut self, now: Timestamp) -> Option<SilenceDraft> {
        let matchers = self.matchers();
        let text = if self.preset.is_empty() { &self.other } else { &self.preset };
        let duration = match parse_duration(text) {
            Ok(Duration::ZERO) => Err("a silence lasts longer than that".to_string()),
            Ok(duration) => Ok(duration),
            Err(error) => Err(error.to_string()),
        };
        self.duration_error = duration.as_ref().err().cloned();
        let missing = |text: &str, why: &str| text.is_empty().then(|| why.to_string());
        self.author_error = missing(&self.author, "say who you are, so that others can ask you");
        self.comment_error = missing(&self.comment, "say why, for whoever finds it later");
        let draft = SilenceDraft {
            id: None,
            matchers: matchers?,
            starts_at: now,
            ends_at: now + duration.ok()?,
            created_by: self.author.clone(),
            comment: self.comment.clone(),
        };
        if self.author_error.is_some() || self.comment_error.is_some() {
            return None;
        }
        match draft.check(now) {
            Ok(()) => Some(draft),
            Err(error) => {
                self.refuse(&error);
                None
            }
        }
    }

    /// Notes why a silence was refused.
    pub(super) fn refuse(&mut self, error: &SilenceError) {
        let words = match error {
            SilenceError::MatchesAll => {
                "this would silence everything: at least one matcher has to ask for a label's value"
                    .to_string()
            }
            error => error.to_string(),
        };
        match error {
            SilenceError::TooLong { field: "comment", .. } => self.comment_error = Some(words),
            SilenceError::TooLong { .. } => self.author_error = Some(words),
            SilenceError::Matcher { index, .. } => {
                let row = self.rows.iter_mut().filter(|row| row.on).nth(*index);
                match row {
                    Some(row) => row.error = Some(words),
                    None => self.error = Some(words),
                }
            }
            _ => self.error = Some(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1000);

    fn params(query: &str) -> Params {
        Params::parse(Some(query)).unwrap()
    }

    fn texts(form: &Form) -> Vec<&str> {
        form.rows.iter().map(|row| row.text.as_str()).collect()
    }

    #[test]
    fn a_link_fills_the_form() {
        let form = Form::from_link(&params(
            "filter=%7Balertname%3D%22Disk%22%2C%20instance=~%22a.*%22%7D&filter=b!=c&comment=x",
        ));
        assert_eq!(texts(&form), ["alertname=\"Disk\"", "instance=~\"a.*\"", "b!=\"c\""]);
        assert_eq!((form.preset.as_str(), form.comment.as_str()), ("2h", "x"));
        let form = Form::from_link(&params("filter=%7Boops&duration=90m"));
        assert_eq!((texts(&form), form.other.as_str()), (vec!["{oops"], "90m"));
        assert!(form.rows[0].error.is_some());
    }

    const GOOD: &str = "matcher=a=b&matcher=c=d&matcher=&on=0&on=2&author=ann&comment=swap";

    #[test]
    fn rows_that_are_off_do_not_count() {
        let mut form = Form::from_post(&params(&format!("{GOOD}&duration=1h")));
        let draft = form.draft(NOW).unwrap();
        assert_eq!(draft.matchers.to_string(), "{a=\"b\"}");
        assert_eq!(draft.ends_at, Timestamp::from_secs(4600));
        assert_eq!((draft.created_by.as_str(), draft.comment.as_str()), ("ann", "swap"));
        assert_eq!(texts(&form), ["a=\"b\"", "c=d"].map(|t| t.replace('"', "")), "both are kept");
    }

    #[test]
    fn another_duration_can_be_typed() {
        let form =
            |other: &str| Form::from_post(&params(&format!("{GOOD}&duration=other&other={other}")));
        assert_eq!(form("1h30m").draft(NOW).unwrap().ends_at, Timestamp::from_secs(6400));
        for other in ["", "0", "soon", "-1h"] {
            let mut form = form(other);
            assert_eq!(form.draft(NOW), None);
            assert!(form.duration_error.is_some() && form.other == other, "{form:?}");
        }
    }

    #[test]
    fn every_mistake_is_at_its_field_and_nothing_is_lost() {
        let mut form =
            Form::from_post(&params("matcher=a=b&matcher=oops&on=1&duration=x&comment="));
        assert_eq!(form.draft(NOW), None);
        assert!(form.rows[0].error.is_none() && form.rows[1].error.is_some());
        assert!(form.duration_error.is_some() && form.author_error.is_some());
        assert!(form.comment_error.is_some());
        assert_eq!((texts(&form), form.other.as_str()), (vec!["a=b", "oops"], "x"));
    }

    #[test]
    fn nobody_silences_everything() {
        for rows in ["matcher=a=~.*&on=0", "matcher=a=b", ""] {
            let mut form =
                Form::from_post(&params(&format!("{rows}&author=a&comment=c&duration=1h")));
            assert_eq!(form.draft(NOW), None);
            assert!(form.error.as_ref().is_some_and(|e| e.contains("everything")), "{form:?}");
        }
    }
}
