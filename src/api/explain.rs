//! What happened and whether someone was told: `/api/watchbell/explain` and
//! `/api/watchbell/notifications`.

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;

use crate::api::Shared;
use crate::api::answer::{ApiError, success};
use crate::api::params::Params;
use crate::explain::{Window, explain as explained, hint, list, parse_integration};
use crate::model::{Matchers, Timestamp, parse_matchers};
use crate::outbox::AttemptOutcome;
use crate::rule::Rule;
use crate::storage::{CaseFilter, DeliveryFilter, MAX_CASES, MAX_HISTORY};

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/watchbell/explain", get(explain))
        .route("/api/watchbell/notifications", get(notifications))
}

/// How many alerts are told of where nobody says.
const DEFAULT_ALERTS: usize = 10;
/// How many events, or deliveries, are told where nobody says.
const DEFAULT_LIMIT: usize = 200;

/// Where the store fails: what is known is told all the same, and that it is not all.
const STORE_FAILS: &str = "the store fails: what has happened since is in memory only, goes on, and \
                           is not shown here until the store commits again";

/// The alerts that match all of `filter`: `since`, `until` and `limit` choose the events, `alerts`
/// says how many alerts at most.
async fn explain(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let params = Params::parse(query.as_deref())?;
    let matchers = matchers(&params)?;
    if matchers.0.is_empty() {
        return Err(ApiError::parameter("filter", "at least one matcher is needed"));
    }
    let window = Window {
        since: time(&params, "since")?,
        until: time(&params, "until")?,
        limit: number(&params, "limit", DEFAULT_LIMIT, usize::MAX)?,
    };
    let limit = number(&params, "alerts", DEFAULT_ALERTS, MAX_CASES)?;
    let filter = CaseFilter { matchers, limit };
    let dossier = shared.daemon.store.dossier(&filter).await.map_err(ApiError::store)?;
    let mut answer = explained(&dossier, &window, shared.daemon.clock.now().wall);
    if answer.alerts.is_empty() {
        answer.hint = Some(hint(&filter.matchers, &dossier.nearby, &rule_names(&shared)));
    }
    if !shared.daemon.dispatch.store_ok() {
        // Then the heartbeat is old as well, and says nothing.
        answer.warnings = vec![STORE_FAILS.to_string()];
    }
    Ok(success(answer))
}

/// The names of the alerting rules that are loaded.
fn rule_names(shared: &Shared) -> Vec<String> {
    let groups = shared.daemon.board.groups();
    let rules = groups.iter().flat_map(|view| &view.group.rules);
    rules.filter_map(Rule::as_alerting).map(|rule| rule.name.clone()).collect()
}

/// Attempts at delivery, or with `pending=true` what waits; `receiver`, `integration`, `filter`,
/// `outcome`, `since` and `limit` choose.
async fn notifications(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let params = Params::parse(query.as_deref())?;
    let mut filter = DeliveryFilter {
        pending: params.bool("pending")?,
        receiver: params.first("receiver").map(str::to_string),
        matchers: matchers(&params)?,
        outcome: outcome(&params)?,
        since: time(&params, "since")?,
        limit: number(&params, "limit", DEFAULT_LIMIT, MAX_HISTORY)?,
        ..DeliveryFilter::default()
    };
    if let Some(text) = params.first("integration") {
        let parsed = parse_integration(text);
        let (kind, index) = parsed.map_err(|error| ApiError::parameter("integration", error))?;
        (filter.kind, filter.index) = (Some(kind), index);
    }
    let deliveries = shared.daemon.store.deliveries(&filter).await.map_err(ApiError::store)?;
    let mut answer = list(&deliveries, shared.daemon.clock.now().wall);
    if !shared.daemon.dispatch.store_ok() {
        answer.warnings = vec![STORE_FAILS.to_string()];
    }
    Ok(success(answer))
}

/// All values of `filter`, each a matcher or several.
fn matchers(params: &Params) -> Result<Matchers, ApiError> {
    let mut all = Matchers::default();
    for text in params.all("filter") {
        let parsed = parse_matchers(text).map_err(|error| ApiError::parameter("filter", error))?;
        all.0.extend(parsed.0);
    }
    Ok(all)
}

fn time(params: &Params, name: &str) -> Result<Option<Timestamp>, ApiError> {
    let parsed = params.first(name).map(str::parse).transpose();
    parsed.map_err(|error| ApiError::parameter(name, error))
}

/// A number from 1 up to a limit, beyond which it is the limit.
fn number(params: &Params, name: &str, default: usize, most: usize) -> Result<usize, ApiError> {
    match params.first(name) {
        None => Ok(default),
        Some(text) => match text.parse::<usize>() {
            Ok(number) if number > 0 => Ok(number.min(most)),
            _ => Err(ApiError::parameter(name, format!("{text:?} is not a number from 1 on"))),
        },
    }
}

fn outcome(params: &Params) -> Result<Option<AttemptOutcome>, ApiError> {
    let all = [AttemptOutcome::Delivered, AttemptOutcome::Retry, AttemptOutcome::Permanent];
    let Some(text) = params.first("outcome") else { return Ok(None) };
    let found = all.into_iter().find(|outcome| outcome.as_str() == text);
    let no = || ApiError::parameter("outcome", "write delivered, retry or permanent");
    found.map(Some).ok_or_else(no)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(query: &str) -> Params {
        Params::parse(Some(query)).unwrap()
    }

    #[test]
    fn what_cannot_be_understood_is_refused_by_name() {
        let wrong = |result: Result<(), ApiError>| match result {
            Err(ApiError::BadData(message)) => message,
            other => panic!("{other:?}"),
        };
        assert!(wrong(matchers(&params("filter=a")).map(drop)).contains("\"filter\""));
        assert!(wrong(time(&params("since=x"), "since").map(drop)).contains("\"since\""));
        for text in ["0", "-1", "x", "1.5"] {
            let query = params(&format!("limit={text}"));
            assert!(wrong(number(&query, "limit", 1, 9).map(drop)).contains("\"limit\""));
        }
        assert!(wrong(outcome(&params("outcome=failed")).map(drop)).contains("\"outcome\""));
    }

    #[test]
    fn matchers_of_all_filters_count() {
        let both = matchers(&params("filter=a%3Db&filter=c%3D~%22d%22%2Ce!%3Df")).unwrap();
        assert_eq!(both.to_string(), "{a=\"b\",c=~\"d\",e!=\"f\"}");
        assert_eq!(number(&params("limit=99"), "limit", 1, 9).unwrap(), 9);
        assert_eq!(number(&params(""), "limit", 1, 9).unwrap(), 1);
    }
}
