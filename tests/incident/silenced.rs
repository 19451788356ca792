//! An incident that somebody silences over the API.

use serde_json::{Value, json};

use crate::site::{Site, nodes};
use crate::support::http;

/// How far a time lies ahead, in RFC 3339.
fn in_seconds(seconds: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds)).to_string()
}

/// Silences one node of a site for some seconds; returns the id.
fn silence(url: &str, node: &str, seconds: i64) -> String {
    let body = json!({
        "matchers": [{"name": "node", "value": node, "isRegex": false, "isEqual": true}],
        "startsAt": in_seconds(0), "endsAt": in_seconds(seconds), "createdBy": "ann",
        "comment": "known",
    });
    let headers = [("Content-Type", "application/json")];
    let url = format!("{url}/api/v2/silences");
    let answer = http::request("POST", &url, &headers, &body.to_string()).expect("it answers");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["silenceID"].as_str().expect("an id").to_owned()
}

/// The page is held, a kill changes nothing about that, and the end of the silence tells.
#[test]
fn a_silence_holds_a_page_over_a_kill_until_it_is_ended() {
    let Some(site) = Site::new("silenced") else { return };
    site.write_config(&site.ops());
    let daemon = site.start();
    let id = silence(daemon.url(), "a", 3600);
    site.fail(&["a", "b"]);
    let told = site.wait_for_taken("/webhook/ops", 1);
    assert_eq!(nodes(&told[0], "firing"), ["b"]);
    daemon.wait_for_metric("watchbell_alerts", &["state=\"suppressed\""], 1.0);
    daemon.crash();

    let daemon = site.start();
    let url = format!("{}/api/v2/silence/{id}", daemon.url());
    assert_eq!(http::get(&url).unwrap().json()["status"]["state"], "active");
    daemon.wait_for_metric("watchbell_alerts", &["state=\"suppressed\""], 1.0);
    daemon.wait_for_rounds(3);
    assert_eq!(site.taken("*").len(), 1, "held, and nothing is repeated");

    // The end of what was told goes out through a silence.
    silence(daemon.url(), "b", 3600);
    site.mend(&["b"]);
    let told = site.wait_for_taken("/webhook/ops", 2);
    assert_eq!(nodes(&told[1], "resolved"), ["b"]);
    assert_eq!(nodes(&told[1], "firing"), [""; 0]);

    let ended = http::request("DELETE", &url, &[], "").expect("it answers");
    assert_eq!(ended.status, 200, "{}", ended.body);
    let told = site.wait_for_taken("/webhook/ops", 3);
    assert_eq!(nodes(&told[2], "firing"), ["a"], "it fires still");
    site.mend(&["a"]);
    site.wait_for_taken("/webhook/ops", 4);
    daemon.wait_for_metric("watchbell_outbox_entries", &[], 0.0);
    daemon.stop();
    site.assert_correct();
}

/// Nobody has to end it: its time does.
#[test]
fn a_silence_that_runs_out_tells() {
    let Some(site) = Site::new("runs_out") else { return };
    site.write_config(&site.ops());
    let daemon = site.start();
    silence(daemon.url(), "a", 6);
    site.fail(&["a"]);
    daemon.wait_for_metric("watchbell_alerts", &["state=\"suppressed\""], 1.0);
    let told = site.wait_for_taken("/webhook/ops", 1);
    assert_eq!(nodes(&told[0], "firing"), ["a"]);
    let all = http::get(&format!("{}/api/v2/silences", daemon.url())).unwrap().json();
    assert_eq!(all[0]["status"], json!({"state": "expired"}));
    assert_ne!(all[0]["endsAt"], Value::Null);
    site.mend(&["a"]);
    site.wait_for_taken("/webhook/ops", 2);
    daemon.stop();
    site.assert_correct();
}
