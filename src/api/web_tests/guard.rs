//! The guard: what is let in, which words and statuses the rest gets, and what is counted.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use futures::{StreamExt, stream};

use super::{ELSEWHERE, HERE, HUNTER2, SESAME, Site};
use crate::api::guard::MAX_BODY;

fn basic(pair: &str) -> String {
    use base64::Engine;
    format!("Authorization: Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

#[tokio::test]
async fn it_is_closed_to_other_machines_by_default() {
    let site = Site::new("");
    for (method, path, here, elsewhere) in [
        ("GET", "/-/healthy", 200, 200),
        ("HEAD", "/-/ready", 200, 200),
        ("GET", "/metrics", 200, 200),
        ("GET", "/", 200, 403),
        ("GET", "/api/rules", 200, 403),
        ("POST", "/api/silences", 200, 403),
        ("DELETE", "/api/silence", 200, 403),
        ("POST", "/-/reload", 200, 403),
        // What does not exist is no one's business either.
        ("GET", "/nothing", 404, 403),
        ("PUT", "/-/healthy", 405, 403),
    ] {
        assert_eq!(site.status(HERE, method, path, &[]).await, here, "{method} {path}");
        assert_eq!(site.status(ELSEWHERE, method, path, &[]).await, elsewhere, "{method} {path}");
    }
    let answer = site.ask(ELSEWHERE, "GET", "/api/rules", &[]).await;
    assert!(answer.body.contains("--web-config-file"), "{}", answer.body);
    assert_eq!(answer.header("content-type"), ["text/plain; charset=utf-8"]);
    let refused = site.metric("watchbell_http_requests_refused_total{reason=\"closed\"}");
    assert_eq!(refused.as_deref(), Some("8"));
    let of_api = "watchbell_http_requests_total{code=\"403\",handler=\"/api/{name}\"}";
    assert_eq!(site.metric(of_api).as_deref(), Some("4"), "{}", site.metrics.encode());
    let other = "watchbell_http_requests_total{code=\"404\",handler=\"other\"}";
    assert_eq!(site.metric(other).as_deref(), Some("1"));
}

#[tokio::test]
async fn roles_say_who_may_change_something() {
    let site = Site::new(&format!(
        "basic_auth_users: {{ann: {HUNTER2}, tom: {SESAME}}}\n\
         user_roles: {{tom: read}}\n\
         bearer_auth: [{{name: tv, token_file: tv.token, role: read}}]\n"
    ));
    let (ann, tom) = (basic("ann:hunter2"), basic("tom:sesame"));
    let television = "Authorization: Bearer a-token-for-the-television".to_string();
    for client in [HERE, ELSEWHERE] {
        for (header, read, change) in [
            (Some(&ann), 200, 200),
            (Some(&tom), 200, 403),
            (Some(&television), 200, 403),
            (Some(&basic("tom:hunter2")), 401, 401),
            (Some(&basic("eve:sesame")), 401, 401),
            (None, 401, 401),
        ] {
            let headers: Vec<&str> = header.into_iter().map(String::as_str).collect();
            for (method, path, expected) in [
                ("GET", "/api/rules", read),
                ("HEAD", "/", read),
                ("GET", "/metrics", read),
                ("POST", "/api/silences", change),
                ("DELETE", "/api/silence", change),
                ("POST", "/-/reload", change),
                ("GET", "/-/healthy", 200),
            ] {
                let status = site.status(client, method, path, &headers).await;
                assert_eq!(status, expected, "{client} {header:?} {method} {path}");
            }
        }
    }
    let answer = site.ask(HERE, "GET", "/", &[]).await;
    let challenges = ["Basic realm=\"watchbell\", charset=\"UTF-8\"", "Bearer realm=\"watchbell\""];
    assert_eq!(answer.header("www-authenticate"), challenges);
    assert!(site.ask(HERE, "POST", "/", &[&tom]).await.header("www-authenticate").is_empty());
}

#[tokio::test]
async fn pages_of_other_sites_get_nothing() {
    let site = Site::new("");
    for (headers, change) in [
        (&["Host: localhost:9093", "Origin: http://localhost:9093"][..], 200),
        (&["Host: localhost:9093", "Origin: http://evil.example"], 403),
        (&["Host: localhost:9093", "Origin: null"], 403),
        (&["Host: localhost:9093", "Sec-Fetch-Site: cross-site"], 403),
        (&["Host: localhost:9093", "Sec-Fetch-Site: same-origin"], 200),
        (&["Host: evil.example"], 403),
        (&["Host: evil.example", "Origin: http://evil.example"], 403),
    ] {
        let status = site.status(HERE, "POST", "/api/silences", headers).await;
        assert_eq!(status, change, "{headers:?}");
    }
    let link = ["Host: localhost", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"];
    assert_eq!(site.status(HERE, "GET", "/", &link).await, 200, "a link in a mail");
    let answer = site.ask(HERE, "GET", "/", &["Host: evil.example"]).await;
    assert!(answer.body.contains("allowed_hosts"), "{}", answer.body);
}

#[tokio::test]
async fn the_name_under_which_messages_lead_here_is_ours() {
    let site = Site::new("");
    let bell = ["Host: bell.example.com"];
    assert_eq!(site.status(HERE, "GET", "/", &bell).await, 403);
    site.state.set_external_url("https://bell.example.com:8443/base");
    assert_eq!(site.status(HERE, "GET", "/", &bell).await, 200);
    assert_eq!(site.status(HERE, "GET", "/", &["Host: evil.example"]).await, 403);
    assert_eq!(site.status(ELSEWHERE, "GET", "/", &bell).await, 403, "it opens nothing");
    site.state.set_external_url("");
    assert_eq!(site.status(HERE, "GET", "/", &bell).await, 403, "after a reload without it");
}

#[tokio::test(start_paused = true)]
async fn too_many_requests_are_told_when_to_come_back() {
    let site = Site::new(
        "anonymous_role: read\n\
         rate_limit_per_client: {interval: 2s, burst: 3}\n\
         rate_limit: {interval: 100ms, burst: 10}\n",
    );
    for _ in 0..3 {
        assert_eq!(site.status(ELSEWHERE, "GET", "/", &[]).await, 200);
    }
    let answer = site.ask(ELSEWHERE, "GET", "/", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, vec!["2"]));
    assert!(answer.body.contains("from your address"), "{}", answer.body);
    assert_eq!(site.status("192.0.2.8", "GET", "/", &[]).await, 200, "others are not held up");
    assert_eq!(site.status(ELSEWHERE, "GET", "/-/ready", &[]).await, 200, "nor are probes");
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(site.status(ELSEWHERE, "GET", "/", &[]).await, 200);
    // This machine has no budget of its own, and shares that of all.
    tokio::time::advance(Duration::from_secs(60)).await;
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(site.status(HERE, "GET", "/", &[]).await);
    }
    assert_eq!(statuses[..10], [200; 10]);
    assert_eq!(statuses[10..], [429; 2]);
    let refused = |reason| {
        site.metric(&format!("watchbell_http_requests_refused_total{{reason=\"{reason}\"}}"))
    };
    assert_eq!(refused("client_rate").as_deref(), Some("1"));
    assert_eq!(refused("rate").as_deref(), Some("2"));
}

#[tokio::test(start_paused = true)]
async fn sizes_and_times_have_limits() {
    let site = Site::new("");
    let post = |body: Body| Request::post("/api/silences").body(body).unwrap();
    let full = vec![b'x'; MAX_BODY];
    assert_eq!(site.send(HERE, post(full.clone().into())).await.body.len(), MAX_BODY);
    let large = [full, vec![b'x']].concat();
    let announced = Request::post("/api/silences").header("content-length", large.len());
    let announced = announced.body(Body::from(large.clone())).unwrap();
    let streamed = Body::from_stream(stream::iter([Ok::<_, Infallible>(large)]));
    for request in [announced, post(streamed)] {
        let answer = site.send(HERE, request).await;
        assert_eq!(answer.status.as_u16(), 413);
        assert_eq!(answer.body, "a body may have 2097152 bytes\n");
    }
    let begun = stream::iter([Ok::<_, Infallible>("{")]).chain(stream::pending());
    let answer = site.send(HERE, post(Body::from_stream(begun))).await;
    assert_eq!(answer.status.as_u16(), 408);
    assert_eq!(answer.body, "the body did not come within 30 s\n");
    let broken = stream::iter([Err::<&str, _>(std::io::Error::other("gone"))]);
    assert_eq!(site.send(HERE, post(Body::from_stream(broken))).await.status.as_u16(), 400);

    let long = format!("/api/rules?match[]={}", "x".repeat(8 * 1024));
    let answer = site.ask(HERE, "GET", &long.replace("[]", "%5B%5D"), &[]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.body.as_str()),
        (414, "a URL may have 8192 bytes\n")
    );

    let answer = site.ask(HERE, "GET", "/slow", &[]).await;
    assert_eq!(answer.status.as_u16(), 503, "{}", answer.body);
    for (reason, count) in [("body_too_large", "2"), ("slow_body", "1"), ("url_too_long", "1")] {
        let series = format!("watchbell_http_requests_refused_total{{reason=\"{reason}\"}}");
        assert_eq!(site.metric(&series).as_deref(), Some(count), "{reason}");
    }
}

#[tokio::test]
async fn whoever_is_not_let_in_cannot_send_a_body() {
    let site = Site::new("");
    let never = Body::from_stream(stream::pending::<Result<String, Infallible>>());
    let request = Request::post("/api/silences").body(never).unwrap();
    assert_eq!(site.send(ELSEWHERE, request).await.status.as_u16(), 403, "it is not waited for");
}

#[tokio::test]
async fn every_answer_has_the_headers() {
    let site = Site::new(
        "http_server_config: {headers: {X-Frame-Options: sameorigin, \
         Strict-Transport-Security: max-age=60}}\n",
    );
    for (client, path) in [(HERE, "/"), (ELSEWHERE, "/"), (HERE, "/nothing")] {
        let answer = site.ask(client, "GET", path, &[]).await;
        assert_eq!(answer.header("x-frame-options"), ["sameorigin"]);
        assert_eq!(answer.header("strict-transport-security"), ["max-age=60"]);
        assert_eq!(answer.header("x-content-type-options"), ["nosniff"]);
    }
    assert_eq!(Site::new("").ask(HERE, "GET", "/", &[]).await.header("x-frame-options"), ["deny"]);
}
