//! The silence in the body of a request, with Alertmanager's refusals.

use serde::Deserialize;

use crate::api::v2::Refusal;
use crate::model::{MatcherForm, Matchers, SilenceDraft, SilenceError, Timestamp};

/// The code of a field that is missing.
const REQUIRED: u16 = 602;
/// The code of a list that is too short.
const TOO_FEW: u16 = 612;

/// What is missing is told by name, so nothing is required here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Postable {
    id: Option<String>,
    comment: Option<String>,
    created_by: Option<String>,
    ends_at: Option<String>,
    matchers: Option<Vec<PostableMatcher>>,
    starts_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostableMatcher {
    is_equal: Option<bool>,
    is_regex: Option<bool>,
    name: Option<String>,
    value: Option<String>,
}

/// Reads a silence. Fields that are not known are passed over, as Alertmanager does.
pub(super) fn read_draft(body: &[u8]) -> Result<SilenceDraft, Refusal> {
    let bad = |reason: String| {
        let message = format!("parsing silence body from \"\" failed, because {reason}");
        Refusal::Form(400, message)
    };
    let posted: Postable = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
    let time = |text: &str| {
        let at = text.parse::<jiff::Timestamp>();
        at.map(|at| Timestamp::from_millis(at.as_millisecond()))
            .map_err(|error| bad(format!("the time {text:?} cannot be read: {error}")))
    };
    let comment = required("comment", posted.comment)?;
    let created_by = required("createdBy", posted.created_by)?;
    let ends_at = time(&required("endsAt", posted.ends_at)?)?;
    let matchers = read_matchers(required("matchers", posted.matchers)?)?;
    let starts_at = time(&required("startsAt", posted.starts_at)?)?;
    // Whatever is not an id names no silence.
    let id = match posted.id.as_deref() {
        None | Some("") => None,
        Some(id) => Some(id.parse().map_err(|_| not_found())?),
    };
    Ok(SilenceDraft { id, matchers, starts_at, ends_at, created_by, comment })
}

fn not_found() -> Refusal {
    Refusal::Text(axum::http::StatusCode::NOT_FOUND, SilenceError::NotFound.to_string())
}

fn read_matchers(posted: Vec<PostableMatcher>) -> Result<Matchers, Refusal> {
    if posted.is_empty() {
        let message = "matchers in body should have at least 1 items".to_string();
        return Err(Refusal::Form(TOO_FEW, message));
    }
    let mut forms = Vec::new();
    for (index, matcher) in posted.into_iter().enumerate() {
        let field = |name: &str| format!("matchers.{index}.{name}");
        forms.push(MatcherForm {
            is_equal: matcher.is_equal.unwrap_or(true),
            is_regex: required(&field("isRegex"), matcher.is_regex)?,
            name: required(&field("name"), matcher.name)?,
            value: required(&field("value"), matcher.value)?,
        });
    }
    let matchers = forms.into_iter().enumerate().map(|(index, form)| {
        form.try_into().map_err(|error: crate::model::MatcherError| {
            Refusal::bad_request(SilenceError::Matcher { index, reason: error.to_string() })
        })
    });
    Ok(Matchers(matchers.collect::<Result<_, _>>()?))
}

fn required<T>(name: &str, field: Option<T>) -> Result<T, Refusal> {
    field.ok_or_else(|| Refusal::Form(REQUIRED, format!("{name} in body is required")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::SilenceId;

    fn good() -> Value {
        json!({
            "matchers": [{"name": "a", "value": "b.*", "isRegex": true, "isEqual": false}],
            "startsAt": "2026-11-26T00:00:00+01:00", "endsAt": "2026-11-27T00:00:00.5Z",
            "createdBy": "ann", "comment": "", "unknown": 1,
        })
    }

    fn refused(change: impl FnOnce(&mut Value)) -> Refusal {
        let mut body = good();
        change(&mut body);
        read_draft(body.to_string().as_bytes()).unwrap_err()
    }

    #[test]
    fn a_silence_is_read() {
        let draft = read_draft(good().to_string().as_bytes()).unwrap();
        assert_eq!(draft.matchers.to_string(), "{a!~\"b.*\"}");
        assert_eq!(draft.starts_at.rfc3339(), "2026-11-25T23:00:00.000Z");
        assert_eq!(draft.ends_at.rfc3339(), "2026-11-27T00:00:00.500Z");
        assert_eq!((draft.id, draft.created_by.as_str()), (None, "ann"));
        let mut body = good();
        body["id"] = json!("");
        assert_eq!(read_draft(body.to_string().as_bytes()).unwrap().id, None);
        body["id"] = json!("11a82337-ce7a-49c4-9cab-744b40195631");
        let id: SilenceId = "11a82337-ce7a-49c4-9cab-744b40195631".parse().unwrap();
        assert_eq!(read_draft(body.to_string().as_bytes()).unwrap().id, Some(id));
    }

    /// As Alertmanager 0.25 answers the same.
    #[test]
    fn refusals_are_alertmanagers() {
        let form = |code, message: &str| Refusal::Form(code, message.to_string());
        for name in ["comment", "createdBy", "endsAt", "matchers", "startsAt"] {
            let refusal = refused(|body| drop(body.as_object_mut().unwrap().remove(name)));
            assert_eq!(refusal, form(602, &format!("{name} in body is required")));
        }
        let refusal = refused(|body| body["matchers"] = json!([]));
        assert_eq!(refusal, form(612, "matchers in body should have at least 1 items"));
        let refusal = refused(|body| body["matchers"] = json!([{"name": "a", "value": "b"}]));
        assert_eq!(refusal, form(602, "matchers.0.isRegex in body is required"));
        let refusal = refused(|body| body["id"] = json!("x"));
        assert_eq!(refusal, not_found());
        let refusal = refused(|body| body["matchers"][0]["value"] = json!("("));
        let Refusal::Text(status, text) = refusal else { panic!("{refusal:?}") };
        assert_eq!(status, 400);
        assert!(text.starts_with("silence invalid: invalid label matcher 0: "), "{text}");
        for broken in [&b"{"[..], b"[]", b"", b"{\"comment\": 1}", b"\xff"] {
            let refusal = read_draft(broken).unwrap_err();
            let Refusal::Form(400, message) = &refusal else { panic!("{refusal:?}") };
            assert!(message.starts_with("parsing silence body from"), "{message}");
        }
        assert!(matches!(refused(|body| body["endsAt"] = json!("x")), Refusal::Form(400, _)));
    }
}
