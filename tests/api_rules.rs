//! The API of the running daemon: the shape of a real Prometheus' answers for the same rules, and
//! what it says of itself.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test stops at the first surprise

mod support;

use serde_json::{Value, json};

use support::http::{get, request};
use support::process::Process;
use support::{Part, TempDir, require, wait_until};

const RULES: &str = r#"
groups:
- name: second
  interval: 1s
  limit: 5
  rules:
  - alert: Firing
    expr: vector(1) > 0
    labels: {severity: critical, job: 'x{{ $value }}'}
    annotations: {summary: 'v {{ $value }}'}
  - alert: Pending
    expr: label_replace(vector(0.25), "job", "a", "", "")
    for: 1h
    keep_firing_for: 5m
  - record: job:one:sum
    expr: sum by (job) (vector(1))
    labels: {x: y}
- name: first
  rules:
  - alert: Inactive
    expr: vector(1)<0
  - alert: Broken
    expr: vector(1) + on (job) group_left () (label_replace(vector(1), "a", "b", "", "") or vector(2))
"#;

/// Values that differ from one run, or one program, to the next: only their type counts.
const VARYING: [&str; 6] =
    ["file", "evaluationTime", "lastEvaluation", "activeAt", "lastError", "keepFiringSince"];

/// A running daemon with the rules above.
struct Daemon {
    process: Process,
    folder: TempDir,
    url: String,
}

impl Daemon {
    fn start(prometheus: &str) -> Self {
        let folder = TempDir::new("api");
        folder.write("rules.yml", RULES);
        let config = folder.write("watchbell.yaml", &config(prometheus, "default"));
        let mut process =
            Process::watchbell(&["run", "--config", &config, "--listen", "127.0.0.1:0"]);
        let line = process.wait_for_line("listening");
        let address = line.split("address=").nth(1).expect("the line names the address");
        let address = address.split_whitespace().next().unwrap();
        Self { url: format!("http://{address}"), process, folder }
    }

    fn get(&self, path: &str) -> Value {
        let answer = get(&format!("{}{path}", self.url)).unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        answer.json()
    }

    fn status(&self) -> Value {
        self.get("/api/watchbell/status")["data"].clone()
    }
}

fn config(prometheus: &str, receiver: &str) -> String {
    format!(
        "datasource: {{url: '{prometheus}'}}\n\
         global: {{evaluation_interval: 1s}}\n\
         rule_files: [rules.yml]\n\
         builtin_alerts: {{disable: [WatchbellDatasourceUnreachable, WatchbellReloadFailed]}}\n\
         route: {{receiver: {receiver}}}\n\
         receivers: [{{name: default}}]\n"
    )
}

#[test]
fn answers_have_the_shape_of_a_real_prometheus() {
    let Some(prometheus) = require(Part::Prometheus) else { return };
    let folder = TempDir::new("prometheus");
    folder.write("rules.yml", RULES);
    folder.write(
        "prometheus.yml",
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [rules.yml]\n",
    );
    let prometheus = prometheus.start(&["--dir", folder.path().to_str().unwrap()]);
    let daemon = Daemon::start(&prometheus.url(""));
    for (url, name) in [(prometheus.url(""), "Prometheus"), (daemon.url.clone(), "Watchbell")] {
        wait_until(&format!("{name} has evaluated all alerting rules"), || {
            let rules = get(&format!("{url}/api/v1/rules?type=alert")).ok()?.json().to_string();
            (!rules.contains(r#""health":"unknown""#)
                && rules.contains(r#""state":"firing""#)
                && rules.contains(r#""state":"pending""#))
            .then_some(())
        });
    }
    for path in [
        "/api/v1/rules",
        "/api/v1/rules?type=alert",
        "/api/v1/rules?type=record",
        "/api/v1/alerts",
        "/api/v1/status/buildinfo",
        "/api/v1/rules?type=nothing",
    ] {
        let theirs = get(&prometheus.url(path)).unwrap();
        let ours = get(&format!("{}{path}", daemon.url)).unwrap();
        assert_eq!(theirs.status, ours.status, "{path}: {}", ours.body);
        let mut wrong = Vec::new();
        // Prometheus 3 leaves out groups without a wanted rule; 2.42 names them.
        let mut known = theirs.json();
        if let Some(groups) = known.pointer_mut("/data/groups").and_then(Value::as_array_mut) {
            groups.retain(|group| group["rules"] != json!([]));
        }
        // Prometheus has no alerts about itself.
        let mut own = ours.json();
        if let Some(groups) = own.pointer_mut("/data/groups").and_then(Value::as_array_mut) {
            groups.retain(|group| group["file"] != "(built-in)");
        }
        compare(&known, &own, path, &mut wrong);
        assert!(wrong.is_empty(), "{}\n{}\n{}", wrong.join("\n"), theirs.body, ours.body);
    }
}

/// Everything that they have, we have: the same type, and the same value where it cannot vary.
fn compare(theirs: &Value, ours: &Value, place: &str, wrong: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            let recording = theirs.get("type") == Some(&json!("recording"));
            for (key, value) in theirs {
                let place = format!("{place}/{key}");
                match ours.get(key) {
                    None => wrong.push(format!("{place} is missing")),
                    // Recording rules are not evaluated.
                    Some(Value::String(_)) if recording && key == "health" => {}
                    Some(ours)
                        if VARYING.contains(&key.as_str()) || place.contains("buildinfo") =>
                    {
                        if std::mem::discriminant(value) != std::mem::discriminant(ours) {
                            wrong.push(format!("{place} has another type"));
                        } else if value.is_object() {
                            compare(value, ours, &place, wrong);
                        }
                    }
                    Some(ours) => compare(value, ours, &place, wrong),
                }
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            if theirs.len() != ours.len() {
                wrong.push(format!("{place} has {} items, not {}", ours.len(), theirs.len()));
            }
            for (index, (theirs, ours)) in theirs.iter().zip(ours).enumerate() {
                compare(theirs, ours, &format!("{place}/{index}"), wrong);
            }
        }
        (theirs, ours) if place.ends_with("/error") => {
            if theirs.is_string() != ours.is_string() {
                wrong.push(format!("{place} has another type"));
            }
        }
        (theirs, ours) if theirs.as_f64() == ours.as_f64() && theirs.is_number() => {}
        (theirs, ours) if theirs == ours => {}
        (theirs, ours) => wrong.push(format!("{place} is {ours}, not {theirs}")),
    }
}

#[test]
fn the_daemon_tells_of_itself() {
    // Nobody listens there: every rule fails.
    let mut daemon = Daemon::start("http://127.0.0.1:1");
    wait_until("all rules have failed", || {
        (daemon.status()["counts"]["failingRules"] == 4).then_some(())
    });
    let status = daemon.status();
    assert_eq!((&status["ready"], &status["storeOk"]), (&json!(true), &json!(true)));
    assert_eq!(status["lastReload"]["refused"], Value::Null);
    let counts = json!({
        "groups": 2, "alertingRules": 4, "recordingRules": 1, "failingRules": 4, "pending": 0,
        "firing": 0,
    });
    assert_eq!(status["counts"], counts);
    let rules = daemon.get("/api/v1/rules?type=alert&group_limit=1");
    assert_eq!(rules["data"]["groups"][0]["name"], "first");
    let rule = &rules["data"]["groups"][0]["rules"][0];
    assert!(rule["lastError"].as_str().unwrap().contains("cannot connect"), "{rule}");
    assert!(rules["data"]["groupNextToken"].is_string());

    // A configuration that is refused is told of; what ran goes on.
    daemon.folder.write("watchbell.yaml", &config("http://127.0.0.1:1", "unknown"));
    let reload = request("POST", &format!("{}/-/reload", daemon.url), &[], "").unwrap();
    assert_eq!(reload.status, 500);
    let refused = &daemon.status()["lastReload"]["refused"];
    assert!(refused["error"].as_str().unwrap().contains("unknown"), "{refused}");
    assert_eq!(daemon.status()["counts"], counts);

    for (method, path, code) in [
        ("GET", "/api/v1/nothing", 404),
        ("POST", "/api/v1/rules", 405),
        ("GET", "/-/reload", 405),
        ("GET", "/api/v1/rules?group_limit=x", 400),
    ] {
        let answer = request(method, &format!("{}{path}", daemon.url), &[], "").unwrap();
        assert_eq!(answer.status, code, "{method} {path}");
        let body = answer.json();
        assert_eq!(body["status"], "error", "{body}");
        assert!(body["errorType"].is_string() && body["error"].is_string(), "{body}");
    }
    daemon.process.signal("TERM");
    assert!(daemon.process.wait().success());
}
