//! The pages for people, over HTTP from the real binary, with labels that would like to be markup
//! and a storm of a thousand alerts.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test stops at the first surprise

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::json;

use support::http::{Response, get, request};
use support::process::Process;
use support::{TempDir, wait_until};

const RULES: &str = r#"
groups:
- name: a
  interval: 1s
  rules:
  - alert: Storm
    expr: storm
    annotations: {summary: 'Pod {{ $labels.pod }} is in trouble'}
  - alert: Hostile
    expr: hostile
    labels: {severity: critical}
    annotations: {summary: '<script>alert(1)</script>', runbook_url: 'javascript:alert(2)'}
  - alert: Inhibited
    expr: one
  - alert: Waiting
    expr: one
    for: 1h
"#;

const CONFIG: &str = r#"
rule_files: [rules.yml]
external_url: https://bell.example.com
global: {evaluation_interval: 1s, external_labels: {cluster: prod}}
route:
  receiver: team
  routes: [{matchers: [alertname="Hostile"], receiver: oncall}]
receivers: [{name: team}, {name: oncall}]
inhibit_rules:
- {source_matchers: [alertname="Hostile"], target_matchers: [alertname="Inhibited"]}
"#;

const HOSTILE: &str = "\"><script>alert('x')</script>\n\u{202e}gnp&amp;\\";

/// Answers queries by what they name.
fn datasource() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    url
}

fn answer(mut stream: TcpStream) -> Option<()> {
    let mut asked = Vec::new();
    let mut buffer = [0; 4096];
    // The parameters come in the body, which is short.
    while !String::from_utf8_lossy(&asked).contains("query=") {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        asked.extend_from_slice(buffer.get(..read)?);
    }
    let asked = String::from_utf8_lossy(&asked).into_owned();
    let series: Vec<_> = match () {
        () if asked.contains("query=storm") => (0..1000)
            .map(|n| {
                let zone = ["a", "b", "c"][n % 3];
                json!({"pod": format!("pod-{n:04}"), "zone": zone, "severity": "warning"})
            })
            .collect(),
        () if asked.contains("query=hostile") => vec![json!({"evil": HOSTILE})],
        () => vec![json!({})],
    };
    let result: Vec<_> =
        series.into_iter().map(|metric| json!({"metric": metric, "value": [0, "1"]})).collect();
    let body = json!({"status": "success", "data": {"resultType": "vector", "result": result}});
    let body = body.to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).ok()
}

struct Site {
    url: String,
    _process: Process,
    _folder: TempDir,
}

impl Site {
    /// A daemon in which all alerts are active.
    fn start() -> Self {
        let folder = TempDir::new("pages");
        folder.write("rules.yml", RULES);
        let config = format!("datasource: {{url: '{}'}}\n{CONFIG}", datasource());
        let config = folder.write("watchbell.yaml", &config);
        let mut process =
            Process::watchbell(&["run", "--config", &config, "--listen", "127.0.0.1:0"]);
        let line = process.wait_for_line("listening");
        let address = line.split("address=").nth(1).unwrap().split_whitespace().next().unwrap();
        let site = Self { url: format!("http://{address}"), _process: process, _folder: folder };
        wait_until("all alerts are active", || {
            site.get("alerts").body.contains(">1003 all<").then_some(())
        });
        site
    }

    fn get(&self, path: &str) -> Response {
        let answer = get(&format!("{}/{path}", self.url)).unwrap();
        assert!(!answer.body.contains("<script>alert"), "{}", answer.body);
        assert!(!answer.body.contains("javascript:"), "{}", answer.body);
        assert!(!answer.body.contains('\u{202e}'), "{}", answer.body);
        answer
    }

    /// Sends a form as a browser does from one of our pages.
    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.post_from(&self.url, path, fields)
    }

    fn post_from(&self, origin: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Origin", origin)];
        request("POST", &format!("{}/{path}", self.url), &headers, &body.finish()).unwrap()
    }
}

/// A text out of HTML.
fn unescape(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&#39;", "'").replace("&amp;", "&")
}

/// The values of an attribute whose beginning is given, in order.
fn values(page: &str, before: &str) -> Vec<String> {
    page.split(before).skip(1).map(|rest| unescape(rest.split('"').next().unwrap())).collect()
}

/// The matchers of a form.
fn matchers(page: &str) -> Vec<String> {
    values(page, "name=\"matcher\" value=\"")
}

#[test]
fn the_alerts_of_this_moment_are_listed_in_pages() {
    let site = Site::start();
    let page = site.get("");
    assert_eq!(page.status, 200);
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
    ] {
        assert_eq!(page.header(name), Some(value), "{name}");
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    for text in [">1001 firing<", ">1 pending<", ">1 held back<", ">1000</td>", "page 1 of 21"] {
        assert!(page.body.contains(text), "{text} in {}", page.body);
    }
    assert_eq!(page.body.matches("<article").count(), 50);
    assert!(page.body.len() < 150_000, "{}", page.body.len());
    let held = site.get("alerts?state=held").body;
    assert!(held.contains("inhibited inhibit rule 1, by"), "{held}");
    let zone = site.get("alerts?filter=zone=%22b%22&state=firing&page=7").body;
    assert!(zone.contains(">333 all<") && zone.matches("<article").count() == 33, "{zone}");
    let oncall = site.get("alerts?filter=cluster=%22prod%22&receiver=oncall").body;
    assert!(oncall.contains(">1 all<") && oncall.contains("goes to <b>oncall</b>"), "{oncall}");
    let wrong = site.get("alerts?filter=%7Bnonsense");
    assert_eq!(wrong.status, 400);
    assert_eq!(values(&wrong.body, "name=\"filter\" value=\""), ["{nonsense"], "it is kept");
    assert_eq!(site.get("alerts?page=99999999999999999999").status, 200);
}

#[test]
fn a_silence_is_made_from_a_link_shown_and_ended() {
    let site = Site::start();
    let list = site.get("alerts?filter=alertname=%22Hostile%22").body;
    let link = values(&list, "href=\"").into_iter().rfind(|l| l.contains("silences/new?filter"));
    let link = link.unwrap();
    let form = site.get(&link).body;
    let mut rows = matchers(&form);
    rows.retain(|row| !row.is_empty());
    assert_eq!(rows.len(), 4, "alertname, cluster, evil, severity: {rows:?}");
    assert!(form.contains("1 alert matches now"), "{form}");
    // The name of the cluster is unticked.
    let mut fields: Vec<(&str, &str)> = rows.iter().map(|row| ("matcher", row.as_str())).collect();
    fields.extend([("on", "0"), ("on", "2"), ("on", "3"), ("duration", "2h")]);

    let refused = site.post("silences/new", &fields);
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("say who you are") && refused.body.contains("say why"));
    assert_eq!(matchers(&refused.body)[..4], rows, "nothing that was typed is lost");

    fields.extend([("author", "ann <b>"), ("comment", "</p><script>alert(3)</script>")]);
    let looked = site.post("silences/new", &[&fields[..], &[("action", "preview")]].concat());
    assert_eq!(looked.status, 200);
    assert_eq!(values(&looked.body, "name=\"author\" value=\""), ["ann <b>"]);
    let foreign = site.post_from("https://evil.example", "silences/new", &fields);
    assert_eq!(foreign.status, 403, "a page of somebody else silences nothing");
    let made = site.post("silences/new", &fields);
    assert_eq!(made.status, 303, "{}", made.body);
    let there = made.header("location").unwrap().strip_prefix("../").unwrap().to_string();
    let page = site.get(&there).body;
    assert!(page.contains("ends in 1h 59m") || page.contains("ends in 2h"), "{page}");
    assert!(page.contains("1 alert matches now") && page.contains("ann &lt;b&gt;"), "{page}");
    assert_eq!(page.matches("<li>").count(), 3 + 3, "three matchers and the alert's labels");
    assert!(site.get("silences").body.contains("<h2>Active (1)</h2>"));
    assert!(site.get("silences?q=nobody").body.contains("<h2>Active (0)</h2>"));
    let held = site.get("alerts?filter=alertname=%22Hostile%22").body;
    assert!(held.contains("held back from <b>oncall</b>: silenced silence"), "{held}");
    assert!(held.contains(&format!("href=\"{there}\"")), "{held}");

    let ended = site.post(&format!("{there}/expire"), &[]);
    assert_eq!(ended.status, 303);
    assert!(site.get(&there).body.contains("over since"));
    let unknown = site.post("silences/11a82337-ce7a-49c4-9cab-744b40195631/expire", &[]);
    assert_eq!(unknown.status, 404, "{}", unknown.body);
    assert!(site.get("silences").body.contains("<h2>Over (1)</h2>"));
    for path in ["silences/nonsense", "silences/11a82337-ce7a-49c4-9cab-744b40195631"] {
        assert_eq!(site.get(path).status, 404);
    }
}

#[test]
fn an_alert_with_long_labels_is_named_by_its_fingerprint() {
    let site = Site::start();
    let alerts = get(&format!("{}/api/v1/alerts", site.url)).unwrap().json();
    let alerts = alerts["data"]["alerts"].as_array().unwrap().clone();
    let waiting = alerts.iter().find(|a| a["labels"]["alertname"] == "Waiting").unwrap();
    assert_eq!(waiting["state"], "pending");
    // FNV-1a over the labels that it is routed with, by the same means as the program's.
    let labels = watchbell::model::LabelSet::from([("alertname", "Waiting"), ("cluster", "prod")]);
    let form = site.get(&format!("silences/new?alert={}", labels.fingerprint())).body;
    assert_eq!(matchers(&form)[..2], ["alertname=\"Waiting\"", "cluster=\"prod\""]);
    let gone = site.get("silences/new?alert=0000000000000000").body;
    assert!(gone.contains("not active any more"), "{gone}");
}
