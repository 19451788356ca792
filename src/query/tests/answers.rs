//! What the server says, and what becomes of it.

use super::{AT, EMPTY, ask, prometheus};
use crate::http::HttpError;
use crate::http::tests::server::{Seen, Server, response};
use crate::model::{LabelSet, Sample, Secret, Timestamp};
use crate::query::decode::decode;
use crate::query::{
    ApiErrorKind, DatasourceConfig, Prometheus, Querier, QueryError, QueryResult, QueryValue,
    Series,
};

async fn answer(status: u16, body: &'static str) -> Result<QueryResult, QueryError> {
    ask(&Server::start(move |_: &Seen| response(status, &[], body)).await).await
}

fn sample(labels: LabelSet, millis: i64, value: f64) -> Sample {
    Sample { labels, timestamp: Timestamp::from_millis(millis), value }
}

#[tokio::test]
async fn a_vector_with_all_kinds_of_values() {
    let result = answer(
        200,
        r#"{"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"__name__":"up","job":"é\n","empty":""},"value":[1700000000.123,"1"]},
            {"metric":{"a":"b"},"value":[1700000000,"1.5e+06"]},
            {"metric":{},"value":[-1.5,"-Inf"]},
            {"metric":{"c":"d"},"value":[1700000000.1234,"+Inf"]}
        ]}}"#,
    )
    .await
    .unwrap();
    let QueryValue::Vector(vector) = result.value else { panic!("{result:?}") };
    let expected = [
        sample(LabelSet::from([("__name__", "up"), ("job", "é\n")]), 1_700_000_000_123, 1.0),
        sample(LabelSet::from([("a", "b")]), 1_700_000_000_000, 1_500_000.0),
        sample(LabelSet::new(), -1_500, f64::NEG_INFINITY),
        sample(LabelSet::from([("c", "d")]), 1_700_000_000_123, f64::INFINITY),
    ];
    assert_eq!(vector, expected);
    assert!(result.warnings.is_empty() && result.infos.is_empty());

    let nan = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"NaN"]}}"#;
    let QueryValue::Scalar(value) = answer(200, nan).await.unwrap().value else { panic!() };
    assert!(value.is_nan());
}

#[tokio::test]
async fn scalars_strings_and_matrices() {
    // The type may follow the result: a JSON object has no order.
    let scalar = r#"{"data":{"result":[1700000000,"2"],"resultType":"scalar"},"status":"success"}"#;
    assert_eq!(answer(200, scalar).await.unwrap().value, QueryValue::Scalar(2.0));
    let text = r#"{"status":"success","data":{"resultType":"string","result":[1.5,"2"]}}"#;
    let expected = QueryValue::String("2".to_string());
    assert_eq!(answer(200, text).await.unwrap().value, expected);
    let matrix = r#"{"status":"success","data":{"resultType":"matrix","result":[
        {"metric":{"a":"b"},"values":[[1,"1"],[3,"3"]],"histograms":[[2,{"count":"1"}]]}]}}"#;
    let result = answer(200, matrix).await.unwrap();
    let at = Timestamp::from_secs;
    let samples = vec![(at(1), 1.0), (at(2), 0.0), (at(3), 3.0)];
    let series = Series { labels: LabelSet::from([("a", "b")]), samples };
    assert_eq!(result.value, QueryValue::Matrix(vec![series]));
    assert_eq!(answer(200, EMPTY).await.unwrap().value, QueryValue::Vector(Vec::new()));
    let null = r#"{"status":"success","data":{"resultType":"vector","result":null}}"#;
    assert_eq!(answer(200, null).await.unwrap().value, QueryValue::Vector(Vec::new()));
}

#[tokio::test]
async fn warnings_are_kept_and_native_histograms_cause_one() {
    let result = answer(
        200,
        r#"{"status":"success","warnings":["store b is down"],"infos":["metric might not be a counter"],
            "data":{"resultType":"vector","result":[
            {"metric":{"a":"b"},"histogram":[1,{"count":"3","sum":"2","buckets":[[0,"1","2","3"]]}]}]}}"#,
    )
    .await
    .unwrap();
    let expected = vec![sample(LabelSet::from([("a", "b")]), 1_000, 0.0)];
    assert_eq!(result.value, QueryValue::Vector(expected));
    assert_eq!(result.warnings, ["store b is down", "native histograms in the result count as 0"]);
    assert_eq!(result.infos, ["metric might not be a counter"]);
    let nulls = r#"{"status":"success","warnings":null,"infos":null,"other":{"x":[1]},
        "data":{"resultType":"vector","result":[],"stats":{}}}"#;
    assert!(answer(200, nulls).await.unwrap().warnings.is_empty());
}

#[tokio::test]
async fn the_servers_errors_are_typed() {
    for (status, body, kind, transient) in [
        (
            400,
            r#"{"status":"error","errorType":"bad_data","error":"m"}"#,
            ApiErrorKind::BadData,
            false,
        ),
        (
            422,
            r#"{"status":"error","errorType":"execution","error":"m"}"#,
            ApiErrorKind::Execution,
            false,
        ),
        (
            503,
            r#"{"status":"error","errorType":"timeout","error":"m"}"#,
            ApiErrorKind::Timeout,
            true,
        ),
        (
            503,
            r#"{"status":"error","errorType":"canceled","error":"m"}"#,
            ApiErrorKind::Canceled,
            true,
        ),
        (
            503,
            r#"{"status":"error","errorType":"unavailable","error":"m"}"#,
            ApiErrorKind::Unavailable,
            true,
        ),
        (
            500,
            r#"{"status":"error","errorType":"internal","error":"m"}"#,
            ApiErrorKind::Internal,
            true,
        ),
        (
            200,
            r#"{"status":"error","errorType":"execution","error":"m","data":null}"#,
            ApiErrorKind::Execution,
            false,
        ),
        (422, r#"{"status":"error","errorType":"422","error":"m"}"#, ApiErrorKind::Other, false),
        (429, r#"{"status":"error","error":"m"}"#, ApiErrorKind::Other, true),
    ] {
        let error = answer(status, body).await.unwrap_err();
        assert_eq!(error.is_transient(), transient, "{body}");
        assert_eq!(error.to_string(), format!("{}: m", kind.as_str()));
        let QueryError::Api { kind: found, status: code, .. } = error else { panic!("{error:?}") };
        assert_eq!((found, code), (kind, status));
        assert!(kind == ApiErrorKind::Other || ApiErrorKind::from_name(kind.as_str()) == kind);
    }
}

#[tokio::test]
async fn what_is_not_the_api_is_told_as_such() {
    for (status, body, expected) in [
        (502, "<html>bad\ngateway</html>", "answered 502: <html>bad gateway</html>"),
        (401, "", "answered 401: empty body"),
        (404, r#"{"message":"x"}"#, "answered 404: {\"message\":\"x\"}"),
        (200, "<html>login</html>", "unexpected answer: "),
        (200, "", "unexpected answer: "),
        (
            200,
            r#"{"status":"success","data":{"resultType":"vector","result":[{"#,
            "unexpected answer: ",
        ),
        (200, &EMPTY[..EMPTY.len() - 1], "unexpected answer: "),
        (200, r#"{"status":"success","data":{"resultType":"tensor","result":[]}}"#, "\"tensor\""),
        (200, r#"{"status":"success"}"#, "unknown result type"),
        (200, r#"{}"#, "other: the status is not success"),
        (
            200,
            r#"{"status":"success","data":{"resultType":"vector","result":[1]}}"#,
            "not an object",
        ),
        (
            200,
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}}"#,
            "no value",
        ),
        (
            200,
            r#"{"status":"success","data":{"resultType":"scalar","result":[1]}}"#,
            "malformed scalar",
        ),
        (
            200,
            r#"{"status":"success","data":{"resultType":"scalar","result":[1,"x"]}}"#,
            "\"x\" is not a value",
        ),
        (
            200,
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,2]}]}}"#,
            "unexpected",
        ),
    ] {
        let error = answer(status, body).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{body}: {error}");
    }
}

#[test]
fn nothing_broken_panics_and_depth_is_bounded() {
    let whole = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"1"]],"histogram":[1,{}]}]}}"#;
    for end in 0..whole.len() {
        assert!(decode(&whole.as_bytes()[..end], 10).is_err(), "{end}");
    }
    let deep = format!("{{\"x\":{}", "[".repeat(1_000_000));
    assert!(decode(deep.as_bytes(), 10).is_err());
}

#[test]
fn samples_are_counted() {
    let series = r#"{"metric":{},"values":[[1,"1"],[2,"1"]]}"#;
    let body = |n: usize| {
        let list = vec![series; n].join(",");
        format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":[{list}]}}}}"#)
    };
    // Each series counts for itself and its samples.
    assert!(decode(body(3).as_bytes(), 9).is_ok());
    let error = decode(body(3).as_bytes(), 8).unwrap_err();
    assert!(matches!(error, QueryError::TooManySamples { limit: 8 }), "{error}");
}

#[tokio::test]
async fn a_huge_answer_is_not_read() {
    let server = Server::start(|_: &Seen| {
        let never = futures::stream::pending::<Result<String, std::io::Error>>();
        let length = [("content-length", "100000000")];
        response(200, &length, axum::body::Body::from_stream(never))
    })
    .await;
    let error = ask(&server).await.unwrap_err();
    let too_large = matches!(error, QueryError::Http(HttpError::BodyTooLarge { .. }));
    assert!(too_large && error.kind() == "body_too_large", "{error}");
}

#[tokio::test]
async fn passwords_in_the_url_are_used_and_not_shown() {
    let server = Server::start(|_: &Seen| response(500, &[], "hunter2?")).await;
    let url = server.origin.replace("http://", "http://user:hunter2@");
    let querier = prometheus(&url);
    assert!(!format!("{querier:?}").contains("hunter2"));
    let error = querier.instant("up", AT).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    assert!(server.last().header("authorization").is_some());
    for url in ["ftp://hunter2", "http://h/?x=hunter2", "hunter2"] {
        let config = DatasourceConfig::new(Secret::new(url));
        let error = Prometheus::new(&config).unwrap_err();
        assert!(!format!("{error} {error:?} {config:?}").contains("hunter2"), "{error:?}");
    }
}
