//! `/api/v2/silences` and `/api/v2/silence/{id}` in Alertmanager's shapes.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;

use crate::api::Shared;
use crate::api::answer::time;
use crate::api::params::Params;
use crate::api::postable::read_draft;
use crate::api::v2::Refusal;
use crate::engine::SilenceFailure;
use crate::model::{
    LabelSet, MatcherForm, Matchers, Silence, SilenceError, SilenceId, SilenceState, Timestamp,
    parse_matcher,
};

/// The largest silence that is taken, in bytes: as many matchers as one may have, at their longest.
const MAX_BODY: usize = 2 * 1024 * 1024;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route(
            "/api/v2/silences",
            get(list).merge(post(set).layer(DefaultBodyLimit::max(MAX_BODY))),
        )
        .route("/api/v2/silence/{id}", get(one).delete(expire))
}

/// A silence as Alertmanager writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Gettable<'a> {
    id: SilenceId,
    status: Status,
    #[serde(serialize_with = "time")]
    updated_at: Timestamp,
    comment: &'a str,
    created_by: &'a str,
    #[serde(serialize_with = "time")]
    ends_at: Timestamp,
    matchers: Vec<MatcherForm>,
    #[serde(serialize_with = "time")]
    starts_at: Timestamp,
}

#[derive(Serialize)]
struct Status {
    state: SilenceState,
}

impl<'a> Gettable<'a> {
    fn new(silence: &'a Silence, now: Timestamp) -> Self {
        Self {
            id: silence.id,
            status: Status { state: silence.state(now) },
            updated_at: silence.updated_at,
            comment: &silence.comment,
            created_by: &silence.created_by,
            ends_at: silence.ends_at,
            matchers: silence.matchers.0.iter().map(MatcherForm::from).collect(),
            starts_at: silence.starts_at,
        }
    }
}

/// All silences that pass the filters: active ones first, the one that ends next before the others;
/// then pending ones, the one that begins next first; then expired ones, the last one first.
async fn list(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let filter = Filter::read(query.as_deref())?;
    let all = shared.daemon.dispatch.silences();
    let now = shared.daemon.clock.now().wall;
    Ok(Json(shown(&all, &filter, now)).into_response())
}

fn shown<'a>(all: &'a [Arc<Silence>], filter: &Filter, now: Timestamp) -> Vec<Gettable<'a>> {
    let mut found: Vec<&Silence> =
        all.iter().map(AsRef::as_ref).filter(|silence| filter.passes(silence)).collect();
    found.sort_by_key(|silence| match silence.state(now) {
        SilenceState::Active => (0, silence.ends_at.millis(), Reverse(0)),
        SilenceState::Pending => (1, silence.starts_at.millis(), Reverse(0)),
        SilenceState::Expired => (2, 0, Reverse(silence.ends_at.millis())),
    });
    found.into_iter().map(|silence| Gettable::new(silence, now)).collect()
}

/// Which silences are wanted, by their matchers.
struct Filter(Matchers);

impl Filter {
    /// Reads `filter`, which may come more than once: one matcher each.
    fn read(query: Option<&str>) -> Result<Self, Refusal> {
        let params = Params::parse(query).map_err(|error| Refusal::bad_request(error.text()))?;
        let named = params.all("filter").chain(params.all("filter[]"));
        let matchers = named.map(|text| {
            parse_matcher(text)
                .map_err(|error| Refusal::bad_request(format!("bad matcher format: {error}")))
        });
        Ok(Self(Matchers(matchers.collect::<Result<_, _>>()?)))
    }

    /// Whether the values that a silence's matchers compare with pass, each taken as the value of
    /// its label.
    fn passes(&self, silence: &Silence) -> bool {
        if self.0.0.is_empty() {
            return true;
        }
        let pairs = silence.matchers.0.iter().map(|m| (m.name(), m.value()));
        self.0.matches(&pairs.collect::<LabelSet>())
    }
}

#[derive(Serialize)]
struct Set {
    #[serde(rename = "silenceID")]
    id: SilenceId,
}

/// Sets a silence; answers when it is stored.
async fn set(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    json_only(&headers)?;
    let draft = read_draft(&body)?;
    let id = shared.daemon.dispatch.set_silence(draft).await.map_err(refusal)?;
    Ok(Json(Set { id }).into_response())
}

/// A page of another origin can send a form without asking, but no JSON.
fn json_only(headers: &HeaderMap) -> Result<(), Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let message = format!("unsupported media type {kind:?}, only [application/json] are allowed");
    Err(Refusal::Form(415, message))
}

async fn one(State(shared): State<Shared>, Path(id): Path<String>) -> Result<Response, Refusal> {
    let silence = shared.daemon.dispatch.silence(read_id(&id)?).ok_or(Refusal::NotFound)?;
    Ok(Json(Gettable::new(&silence, shared.daemon.clock.now().wall)).into_response())
}

/// Ends a silence; answers when that is stored.
async fn expire(
    State(shared): State<Shared>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let done = shared.daemon.dispatch.expire_silence(read_id(&id)?).await;
    done.map(|()| StatusCode::OK).map_err(|failure| match failure {
        SilenceFailure::Refused(SilenceError::NotFound) => Refusal::NotFound,
        failure => Refusal::Text(StatusCode::INTERNAL_SERVER_ERROR, failure.to_string()),
    })
}

fn read_id(text: &str) -> Result<SilenceId, Refusal> {
    text.parse().map_err(|_| {
        Refusal::Form(601, format!("silenceID in path must be of type uuid: {text:?}"))
    })
}

fn refusal(failure: SilenceFailure) -> Refusal {
    let status = match &failure {
        SilenceFailure::Refused(SilenceError::NotFound) => StatusCode::NOT_FOUND,
        SilenceFailure::Refused(_) => StatusCode::BAD_REQUEST,
        SilenceFailure::NotStored(_) | SilenceFailure::NoRandom(_) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        SilenceFailure::Stopped(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    Refusal::Text(status, failure.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::parse_matchers;

    fn silence(number: u8, matchers: &str, from: i64, to: i64) -> Arc<Silence> {
        Arc::new(Silence {
            id: SilenceId::from_random([number; 16]),
            matchers: parse_matchers(matchers).unwrap(),
            starts_at: Timestamp::from_secs(from),
            ends_at: Timestamp::from_secs(to),
            updated_at: Timestamp::from_millis(1_500),
            created_by: "ann".to_string(),
            comment: format!("{number}"),
        })
    }

    fn found(all: &[Arc<Silence>], query: &str) -> Vec<String> {
        let filter = Filter::read(Some(query)).unwrap_or_else(|e| panic!("{e:?}"));
        let shown = shown(all, &filter, Timestamp::from_secs(100));
        shown.iter().map(|silence| silence.comment.to_string()).collect()
    }

    #[test]
    fn a_silence_has_alertmanagers_shape() {
        let silence = silence(1, "a=~\"b.*\",c!=d", 50, 200);
        let shown = Gettable::new(&silence, Timestamp::from_secs(100));
        assert_eq!(
            serde_json::to_value(shown).unwrap(),
            json!({
                "id": "01010101-0101-4101-8101-010101010101", "status": {"state": "active"},
                "updatedAt": "1970-01-01T00:00:01.500Z", "comment": "1", "createdBy": "ann",
                "endsAt": "1970-01-01T00:03:20.000Z", "startsAt": "1970-01-01T00:00:50.000Z",
                "matchers": [
                    {"isEqual": true, "isRegex": true, "name": "a", "value": "b.*"},
                    {"isEqual": false, "isRegex": false, "name": "c", "value": "d"},
                ],
            })
        );
    }

    #[test]
    fn they_come_by_state_then_by_what_is_next() {
        let all = [
            silence(1, "a=b", 10, 20),
            silence(2, "a=b", 10, 30),
            silence(3, "a=b", 300, 400),
            silence(4, "a=b", 200, 900),
            silence(5, "a=b", 10, 800),
            silence(6, "a=b", 10, 700),
        ];
        assert_eq!(found(&all, ""), ["6", "5", "4", "3", "2", "1"]);
    }

    #[test]
    fn filters_look_at_what_the_matchers_compare_with() {
        let all = [
            silence(1, "alertname=Down", 50, 200),
            silence(2, "alertname=~\"Down|Slow\"", 50, 201),
            silence(3, "pod!=x", 50, 202),
        ];
        for (query, expected) in [
            ("filter=alertname%3DDown", &["1"][..]),
            ("filter=alertname%3D~%22Down.*%22", &["1", "2"]),
            ("filter[]=pod%3Dx", &["3"]),
            ("filter=alertname!%3DDown", &["2", "3"]),
            ("filter=alertname%3D~%22.%2B%22&filter=alertname!%3DDown", &["2"]),
            ("filter=alertname%3D%22%22", &["3"]),
            ("other=1", &["1", "2", "3"]),
        ] {
            assert_eq!(found(&all, query), expected, "{query}");
        }
        for bad in ["filter=foo", "filter=%7Ba%3Db%2Cc%3Dd%7D"] {
            let Err(Refusal::Text(status, text)) = Filter::read(Some(bad)) else { panic!("{bad}") };
            assert_eq!(status, StatusCode::BAD_REQUEST);
            assert!(text.starts_with("bad matcher format: "), "{text}");
        }
    }

    #[test]
    fn what_is_not_stored_is_no_good_answer() {
        let id = SilenceId::from_random([1; 16]);
        let of = |failure| match refusal(failure) {
            Refusal::Text(status, text) => (status.as_u16(), text),
            other => panic!("{other:?}"),
        };
        let (status, text) = of(SilenceFailure::NotStored(id));
        assert!(status == 500 && text.contains("not stored"), "{status} {text}");
        let (status, text) = of(SilenceError::NotFound.into());
        assert_eq!((status, text.as_str()), (404, "silence not found"));
        assert_eq!(of(SilenceError::TooMany(10_000).into()).0, 400);
    }

    #[test]
    fn only_json_is_taken() {
        let of = |kind: &str| {
            json_only(&HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]))
        };
        assert_eq!(of("application/json"), Ok(()));
        assert_eq!(of("Application/JSON; charset=utf-8"), Ok(()));
        for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
            assert!(matches!(of(kind), Err(Refusal::Form(415, _))), "{kind}");
        }
        assert!(json_only(&HeaderMap::new()).is_err());
    }
}
