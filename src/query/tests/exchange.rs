//! How the server is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;

use super::{AT, EMPTY, ask, prometheus};
use crate::http::tests::server::{Seen, Server, response};
use crate::model::{Secret, Timestamp};
use crate::query::{BuildInfo, DatasourceConfig, Prometheus, Querier};

fn empty(_: &Seen) -> axum::response::Response {
    response(200, &[("content-type", "application/json")], EMPTY)
}

fn form(seen: &Seen) -> Vec<(String, String)> {
    let pairs = url::form_urlencoded::parse(seen.body.as_bytes());
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

#[tokio::test]
async fn a_query_is_posted_as_a_form_below_the_prefix() {
    let server = Server::start(empty).await;
    let mut config = DatasourceConfig::new(Secret::new(server.url("/prom/")));
    config.timeout = Duration::from_secs(3600);
    config.params = vec![("partial_response".to_string(), "false".to_string())];
    let querier = Prometheus::new(&config).unwrap();
    querier.instant("up{a=\"é & +\"} == 0", AT).await.unwrap();
    let seen = server.last();
    assert_eq!((seen.method.as_str(), seen.uri.as_str()), ("POST", "/prom/api/v1/query"));
    let form = form(&seen);
    let value = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    assert_eq!(value("query"), Some("up{a=\"é & +\"} == 0"));
    assert_eq!(value("time"), Some("1700000000.123"));
    assert_eq!(value("partial_response"), Some("false"));
    // What is left of the hour after the wait for a place.
    let timeout = crate::model::parse_duration(value("timeout").unwrap()).unwrap();
    assert!(timeout <= config.timeout && timeout > Duration::from_secs(3590), "{timeout:?}");
}

#[tokio::test]
async fn times_keep_their_milliseconds() {
    let server = Server::start(empty).await;
    let querier = prometheus(&server.origin);
    for (millis, text) in [(0, "0.000"), (1_005, "1.005"), (-1_500, "-1.500"), (-5, "-0.005")] {
        querier.instant("up", Timestamp::from_millis(millis)).await.unwrap();
        let form = form(&server.last());
        assert!(form.contains(&("time".to_string(), text.to_string())), "{form:?}");
    }
}

#[tokio::test]
async fn get_follows_where_post_is_refused_and_stays() {
    for status in [403, 405, 501] {
        let server = Server::start(move |seen: &Seen| match seen.method.as_str() {
            "POST" => response(status, &[], "no"),
            _ => empty(seen),
        })
        .await;
        let querier = prometheus(&server.origin);
        querier.instant("a + b", AT).await.unwrap();
        querier.instant("up", AT).await.unwrap();
        let seen = server.seen();
        let methods: Vec<_> = seen.iter().map(|seen| seen.method.as_str()).collect();
        assert_eq!(methods, ["POST", "GET", "GET"], "{status}");
        assert!(seen[1].uri.starts_with("/api/v1/query?query=a+%2B+b&time=17000"));
    }
}

#[tokio::test]
async fn who_may_not_get_either_is_told_and_posts_again() {
    let server = Server::start(|_: &Seen| response(403, &[], "forbidden")).await;
    let querier = prometheus(&server.origin);
    for _ in 0..2 {
        let error = querier.instant("up", AT).await.unwrap_err();
        assert!(error.to_string().ends_with("answered 403: forbidden"), "{error}");
    }
    let seen = server.seen();
    let methods: Vec<_> = seen.iter().map(|seen| seen.method.as_str()).collect();
    assert_eq!(methods, ["POST", "GET", "POST", "GET"]);
}

#[tokio::test]
async fn a_redirect_that_loses_the_form_is_asked_again() {
    // As a proxy does that leads to another path: after 301 a POST becomes a GET without a body.
    let server = Server::start(|seen: &Seen| match seen.uri.split_once('?') {
        Some(("/api/v1/query", query)) => {
            let location = format!("/new/api/v1/query?{query}");
            response(301, &[("location", location.as_str())], "")
        }
        None if seen.uri == "/api/v1/query" => {
            response(301, &[("location", "/new/api/v1/query")], "")
        }
        Some(("/new/api/v1/query", query)) if query.contains("query=up") => empty(seen),
        _ => response(400, &[], r#"{"status":"error","errorType":"bad_data","error":"no query"}"#),
    })
    .await;
    ask(&server).await.unwrap();
}

#[tokio::test]
async fn not_more_than_the_allowed_queries_run_at_once() {
    let (active, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let highest = Arc::clone(&most);
    let server = Server::start(move |_: &Seen| {
        let active = Arc::clone(&active);
        most.fetch_max(active.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let body = async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            active.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, std::io::Error>(EMPTY)
        };
        response(200, &[], Body::from_stream(futures::stream::once(body)))
    })
    .await;
    let config = DatasourceConfig {
        max_concurrency: 2,
        ..DatasourceConfig::new(Secret::new(server.origin.as_str()))
    };
    let querier = Prometheus::new(&config).unwrap();
    let all = futures::future::join_all((0..6).map(|_| querier.instant("up", AT))).await;
    assert!(all.iter().all(Result::is_ok), "{all:?}");
    assert_eq!(highest.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn status_pages() {
    let server = Server::start(|seen: &Seen| match seen.uri.as_str() {
        "/api/v1/status/buildinfo" => {
            let body = r#"{"status":"success","data":{"version":"3.1.0","revision":"abc"}}"#;
            response(200, &[], body)
        }
        "/api/v1/status/runtimeinfo" => {
            let body =
                r#"{"status":"success","data":{"startTime":"2023-11-14T22:13:20.123456789Z"}}"#;
            response(200, &[], body)
        }
        "/-/ready" => response(503, &[], "starting"),
        _ => response(404, &[], ""),
    })
    .await;
    let full = prometheus(&server.origin);
    let info = BuildInfo { version: "3.1.0".to_string(), revision: "abc".to_string() };
    assert_eq!(full.build_info().await.unwrap(), Some(info));
    assert_eq!(full.started_at().await.unwrap(), Some(AT));
    assert!(!full.is_ready().await.unwrap());

    let bare = prometheus(&server.url("/other"));
    assert_eq!(bare.build_info().await.unwrap(), None);
    assert_eq!(bare.started_at().await.unwrap(), None);
    assert!(bare.is_ready().await.unwrap());
}
