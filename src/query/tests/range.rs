//! Range queries, whole and in parts.

use std::time::Duration;

use super::{AT, prometheus};
use crate::http::tests::server::{Seen, Server, response};
use crate::model::{LabelSet, Timestamp};
use crate::query::{Querier, QueryError, Series};

fn field(seen: &Seen, name: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(seen.body.as_bytes());
    pairs.find(|(n, _)| n == name).map(|(_, value)| value.into_owned()).unwrap()
}

/// Answers with one sample at the start and one at the end of what is asked for.
fn ends(seen: &Seen) -> axum::response::Response {
    let (start, end) = (field(seen, "start"), field(seen, "end"));
    let body = format!(
        r#"{{"status":"success","warnings":["w"],"data":{{"resultType":"matrix","result":[
        {{"metric":{{"a":"b"}},"values":[[{start},"1"],[{end},"2"]]}},
        {{"metric":{{"empty":"series"}},"values":[]}}]}}}}"#
    );
    response(200, &[], body)
}

#[tokio::test]
async fn a_long_range_is_asked_for_in_parts() {
    let server = Server::start(ends).await;
    let step = Duration::from_secs(30);
    let at = |n: u32| Timestamp::from_secs(1_000_000) + step * n;
    let result = prometheus(&server.origin).range("up", at(0), at(22_000), step).await.unwrap();
    let asked: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| (field(seen, "start"), field(seen, "end"), field(seen, "step")))
        .collect();
    let text = |n: u32| format!("{}.000", 1_000_000 + 30 * n);
    let part = |from, to| (text(from), text(to), "30.000".to_string());
    // 11,000 points each, no point twice.
    assert_eq!(asked, [part(0, 10_999), part(11_000, 21_999), part(22_000, 22_000)]);
    let samples =
        [(0, 1.0), (10_999, 2.0), (11_000, 1.0), (21_999, 2.0), (22_000, 1.0), (22_000, 2.0)];
    let samples = samples.map(|(n, value)| (at(n), value)).to_vec();
    assert_eq!(result.series, [Series { labels: LabelSet::from([("a", "b")]), samples }]);
    assert_eq!(result.warnings, ["w"], "once, not for each part");
}

#[tokio::test]
async fn a_short_range_is_one_query() {
    let server = Server::start(ends).await;
    let querier = prometheus(&server.origin);
    querier.range("up", AT, AT, Duration::from_millis(500)).await.unwrap();
    let seen = server.last();
    assert_eq!(seen.uri, "/api/v1/query_range");
    assert_eq!(field(&seen, "step"), "0.500");
    assert_eq!(field(&seen, "end"), "1700000000.123");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn what_is_no_range_is_refused_unsent() {
    let querier = prometheus("http://127.0.0.1:1");
    let later = AT + Duration::from_secs(1);
    for (start, end, step) in [
        (AT, later, Duration::ZERO),
        (AT, later, Duration::from_micros(900)),
        (later, AT, Duration::from_secs(1)),
    ] {
        let error = querier.range("up", start, end, step).await.unwrap_err();
        assert!(matches!(error, QueryError::Range { .. }), "{error}");
    }
}

#[tokio::test]
async fn times_at_the_edge_end() {
    let server = Server::start(ends).await;
    let edge = Timestamp::from_millis(i64::MAX);
    let querier = prometheus(&server.origin);
    querier.range("up", edge, edge, Duration::MAX).await.unwrap();
    querier.range("up", edge, edge, Duration::from_secs(1)).await.unwrap();
}
