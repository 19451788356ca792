//! Silences of the running daemon: Debian's amtool drives it, `watchbell silence` drives it and a
//! real Alertmanager, and its API answers as that does.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test stops at the first surprise

mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Output};

use serde_json::{Value, json};

use support::http::{Response, get, request};
use support::process::Process;
use support::{Part, Peer, TempDir, require, wait_until};

/// A daemon without rules: its datasource need not answer.
const CONFIG: &str = "datasource: {url: 'http://127.0.0.1:1'}\nrule_files: []\n\
                      route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";

struct Daemon {
    url: String,
    _process: Process,
    folder: TempDir,
}

fn daemon() -> Daemon {
    daemon_in(TempDir::new("silences"), &[])
}

fn daemon_in(folder: TempDir, options: &[&str]) -> Daemon {
    let config = folder.write("watchbell.yaml", CONFIG);
    let arguments = ["run", "--config", &config, "--listen", "127.0.0.1:0"];
    let mut process = Process::watchbell(&[&arguments, options].concat());
    let line = process.wait_for_line("listening");
    let address = line.split("address=").nth(1).expect("the line names the address");
    let url = format!("http://{}", address.split_whitespace().next().unwrap());
    Daemon { url, _process: process, folder }
}

fn alertmanager(folder: &TempDir) -> Option<Peer> {
    let part = require(Part::Alertmanager)?;
    Some(part.start(&["--dir", &folder.join("alertmanager")]))
}

/// Runs a tool against a server; its output where it ends with `code`.
fn run(program: &str, arguments: &[&str], code: i32) -> String {
    let done = Command::new(program).args(arguments).env("USER", "ann").output().expect("it runs");
    let Output { status, stdout, stderr } = done;
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    assert_eq!(status.code(), Some(code), "{program} {arguments:?}: {stderr}");
    let stdout = String::from_utf8(stdout).unwrap();
    if code == 0 { stdout } else { stderr }
}

fn amtool(url: &str, arguments: &[&str]) -> String {
    let server = format!("--alertmanager.url={url}");
    run("amtool", &[&[server.as_str(), "silence"], arguments].concat(), 0)
}

fn watchbell(url: &str, arguments: &[&str]) -> String {
    let (command, rest) = arguments.split_first().unwrap();
    let all = [&["silence", command, "--url", url], rest].concat();
    run(env!("CARGO_BIN_EXE_watchbell"), &all, 0)
}

fn silences(url: &str) -> Vec<Value> {
    let answer = get(&format!("{url}/api/v2/silences")).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json().as_array().unwrap().clone()
}

fn silence(url: &str, id: &str) -> Value {
    get(&format!("{url}/api/v2/silence/{id}")).unwrap().json()
}

fn post(url: &str, body: &str) -> Response {
    let headers = [("Content-Type", "application/json")];
    request("POST", &format!("{url}/api/v2/silences"), &headers, body).unwrap()
}

#[test]
fn amtool_sets_shows_changes_imports_and_ends_silences() {
    if require(Part::Alertmanager).is_none() {
        return;
    }
    let daemon = daemon();
    let url = daemon.url.as_str();
    let add = ["add", "Down", "pod=~a|b", "--author=bob", "--comment=disk swap", "--duration=2h"];
    let id = amtool(url, &add).trim().to_owned();
    let set = silence(url, &id);
    assert_eq!(
        (&set["status"]["state"], &set["createdBy"], &set["comment"]),
        (&json!("active"), &json!("bob"), &json!("disk swap"))
    );
    assert_eq!(
        set["matchers"],
        json!([
            {"isEqual": true, "isRegex": false, "name": "alertname", "value": "Down"},
            {"isEqual": true, "isRegex": true, "name": "pod", "value": "a|b"},
        ])
    );
    let other = amtool(url, &["add", "pod=x", "--comment=other"]).trim().to_owned();

    let shown = amtool(url, &["query"]);
    assert!(
        shown.contains(&id) && shown.contains("disk swap") && shown.contains(&other),
        "{shown}"
    );
    assert_eq!(amtool(url, &["query", "-q", "Down"]).trim(), id);
    assert_eq!(amtool(url, &["query", "-q", "--within=90m"]).trim(), other);
    let extended = amtool(url, &["query", "-o", "extended", "--created-by=bob"]);
    assert!(extended.contains(&id) && !extended.contains(&other), "{extended}");

    let before = silence(url, &id);
    amtool(url, &["update", "--duration=5h", "--comment=takes longer", &id]);
    let after = silence(url, &id);
    assert_eq!((&after["comment"], &after["id"]), (&json!("takes longer"), &before["id"]));
    assert!(after["endsAt"].as_str() > before["endsAt"].as_str(), "{before} {after}");

    let file = daemon.folder.write("out.json", &amtool(url, &["query", "-o", "json"]));
    assert_eq!(amtool(url, &["import", &file]).lines().count(), 2);
    assert_eq!(silences(url).len(), 2, "they were there");
    assert_eq!(amtool(url, &["import", "--force", &file]).lines().count(), 2);
    assert_eq!(silences(url).len(), 4);

    amtool(url, &["expire", &id, &other]);
    assert_eq!(silence(url, &id)["status"]["state"], "expired");
    let expired = amtool(url, &["query", "-q", "--expired"]);
    assert!(expired.contains(&id) && expired.lines().count() == 2, "{expired}");
    let metrics = get(&format!("{url}/metrics")).unwrap().body;
    for line in [
        "watchbell_silences{state=\"active\"} 2",
        "watchbell_silences{state=\"expired\"} 2",
        "watchbell_silences{state=\"pending\"} 0",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

/// The same commands against both.
fn watchbell_drives(url: &str, folder: &TempDir) {
    let add = ["add", "Down", "pod=~a|b", "--comment", "disk swap", "--duration", "2h"];
    let id = watchbell(url, &add).trim().to_owned();
    assert_eq!(silence(url, &id)["createdBy"], "ann");
    let later = ["add", "x!=\"\"", "-c", "later", "--start", "2099-01-01T00:00:00Z"];
    let later = watchbell(url, &later).trim().to_owned();
    assert_eq!(silence(url, &later)["status"]["state"], "pending");
    assert_eq!(silence(url, &later)["endsAt"], "2099-01-01T01:00:00.000Z");

    let shown = watchbell(url, &["query", "Down"]);
    assert!(shown.contains(&id) && shown.contains("{alertname=\"Down\",pod=~\"a|b\"}"), "{shown}");
    assert!(!shown.contains(&later), "{shown}");
    assert_eq!(watchbell(url, &["query", "--quiet", "--within", "3h"]).trim(), id);
    let extended = watchbell(url, &["query", "-o", "extended"]);
    assert!(extended.contains("2099-01-01 00:00:00 UTC") && extended.contains("pending"));

    let changed =
        watchbell(url, &["update", "-q", "--end", "2098-01-01T00:00:00Z", "-c", "more", &id]);
    assert_eq!(changed.trim(), id);
    let set = silence(url, &id);
    assert_eq!(
        (&set["endsAt"], &set["comment"]),
        (&json!("2098-01-01T00:00:00.000Z"), &json!("more"))
    );

    let file = folder.write("silences.json", &watchbell(url, &["query", "--format", "json"]));
    watchbell(url, &["expire", &id, &later]);
    assert_eq!(watchbell(url, &["query", "--quiet"]), "");
    let expired = watchbell(url, &["query", "--quiet", "--expired", "--within", "1h"]);
    assert_eq!(expired.lines().count(), 2, "{expired}");
    let imported = watchbell(url, &["import", &file]);
    assert!(imported.lines().count() == 2 && !imported.contains(&id), "{imported}");
    assert_eq!(watchbell(url, &["query", "--quiet"]).lines().count(), 2);
    // What is not there is set anew, as after a move from another server.
    let text = std::fs::read_to_string(&file).unwrap();
    let moved = text.replace(&later, "00000000-0000-4000-8000-000000000000");
    watchbell(url, &["import", &folder.write("moved.json", &moved)]);
    assert_eq!(watchbell(url, &["query", "--quiet"]).lines().count(), 4);
}

#[test]
fn watchbell_drives_a_daemon() {
    let daemon = daemon();
    watchbell_drives(&daemon.url, &daemon.folder);
}

/// A server that has too many requests says when to come back, and is asked again then.
#[test]
fn an_import_waits_for_a_server_that_has_too_many_requests() {
    let folder = TempDir::new("limited");
    let web = folder.write("web.yaml", "rate_limit: {interval: 300ms, burst: 3}\n");
    let daemon = daemon_in(folder, &["--web-config-file", &web]);
    let silence = json!({
        "matchers": [{"name": "job", "value": "x", "isRegex": false, "isEqual": true}],
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
        "createdBy": "ann", "comment": "many", "id": "",
    });
    let file = daemon.folder.write("many.json", &Value::from(vec![silence; 8]).to_string());
    assert_eq!(watchbell(&daemon.url, &["import", &file]).lines().count(), 8);
    let counted = r#"watchbell_http_requests_refused_total{reason="rate"}"#;
    let refused = wait_until("metrics are let in", || {
        let answer = get(&format!("{}/metrics", daemon.url)).unwrap();
        let line = answer.body.lines().find(|line| line.starts_with(counted));
        Some(line?.rsplit(' ').next()?.parse::<u32>().unwrap())
    });
    assert!(refused >= 1, "the limit was met");
}

#[test]
fn watchbell_drives_an_alertmanager() {
    let folder = TempDir::new("alertmanager");
    let Some(peer) = alertmanager(&folder) else { return };
    watchbell_drives(&peer.url(""), &folder);
}

/// One request, and what may differ in its answer.
struct Ask(&'static str, &'static str, Value);

/// Status and body of both servers agree for the same requests, but for ids, times and reasons.
#[test]
fn the_api_answers_as_alertmanager_does() {
    let folder = TempDir::new("alertmanager");
    let Some(peer) = alertmanager(&folder) else { return };
    let daemon = daemon();
    let good = json!({
        "matchers": [{"name": "a", "value": "b", "isRegex": false}], "comment": "c",
        "startsAt": "2099-01-01T00:00:00Z", "endsAt": "2099-01-02T00:00:00Z", "createdBy": "ann",
    });
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let unknown = "00000000-0000-4000-8000-000000000000";
    let asks = [
        Ask("POST", "/silences", json!({})),
        Ask("POST", "/silences", with("matchers", json!([]))),
        Ask("POST", "/silences", with("matchers", json!([{"name": "a", "value": "b"}]))),
        Ask(
            "POST",
            "/silences",
            with("matchers", json!([{"name": "a", "value": "", "isRegex": false}])),
        ),
        Ask(
            "POST",
            "/silences",
            with("matchers", json!([{"name": "", "value": "x", "isRegex": false}])),
        ),
        Ask("POST", "/silences", with("endsAt", json!("2098-01-01T00:00:00Z"))),
        Ask("POST", "/silences", {
            let mut past = with("endsAt", json!("2001-01-01T00:00:00Z"));
            past["startsAt"] = json!("2000-01-01T00:00:00Z");
            past
        }),
        Ask("POST", "/silences", with("id", json!(unknown))),
        Ask("POST", "/silences", with("id", json!("x"))),
        Ask("POST", "/silences", with("comment", Value::Null)),
        Ask("GET", "/silence/x", Value::Null),
        Ask("GET", "/silence/00000000-0000-4000-8000-000000000000", Value::Null),
        Ask("GET", "/silences?filter=a%3Db", Value::Null),
    ];
    for Ask(method, path, body) in &asks {
        let ask = |url: &str| {
            let headers = [("Content-Type", "application/json")];
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let url = format!("{url}/api/v2{path}");
            let answer = request(method, &url, &headers, &body).unwrap();
            (answer.status, answer.body.trim().to_owned())
        };
        assert_eq!(ask(&daemon.url), ask(&peer.url("")), "{method} {path} {body}");
    }
    // The shapes of what there is.
    let shapes = |url: &str| {
        let set = post(url, &good.to_string());
        assert_eq!(set.status, 200, "{}", set.body);
        let id = set.json()["silenceID"].as_str().unwrap().to_owned();
        let mut one = silence(url, &id);
        assert_eq!(silences(url), [one.clone()]);
        assert_eq!(one["id"], id.as_str());
        for varying in ["id", "updatedAt"] {
            one[varying] = Value::Null;
        }
        let status = get(&format!("{url}/api/v2/status")).unwrap().json();
        let cluster = status["cluster"].clone();
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let keys = (keys(&status), keys(&status["versionInfo"]));
        // Ending it twice is no mistake.
        let address = format!("{url}/api/v2/silence/{id}");
        let ends = [0, 1].map(|_| request("DELETE", &address, &[], "").unwrap());
        let ends = ends.map(|answer| (answer.status, answer.body));
        (one, cluster, keys, ends)
    };
    assert_eq!(shapes(&daemon.url), shapes(&peer.url("")));
}

/// The login is read from a file in the form of an `http_config`, its paths beside it.
#[test]
fn a_login_of_a_file_is_sent() {
    let folder = TempDir::new("login");
    folder.write("password", "secret\n");
    let file = folder.write("http.yml", "basic_auth: {username: ann, password_file: password}");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let lines = BufReader::new(&stream).lines().map(Result::unwrap);
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]";
        (&stream).write_all(answer.as_bytes()).unwrap();
        head
    });
    let shown = watchbell(&url, &["query", "Down", "--http-config", &file]);
    assert_eq!(shown, "ID  Matchers  Ends At  Created By  Comment\n");
    let head = server.join().unwrap();
    assert_eq!(head[0], "GET /api/v2/silences?filter=alertname%3D%22Down%22 HTTP/1.1");
    let login = "authorization: Basic YW5uOnNlY3JldA==";
    assert!(head.iter().any(|line| line.eq_ignore_ascii_case(login)), "{head:?}");
}

#[test]
fn what_is_too_large_or_no_json_is_refused() {
    let daemon = daemon();
    let refused = |status: u16, body: &str| {
        let answer = post(&daemon.url, body);
        assert_eq!(answer.status, status, "{}", answer.body);
        answer.body
    };
    let text = refused(400, "{");
    assert!(text.contains("parsing silence body"), "{text}");
    refused(413, &format!("{{\"comment\": \"{}\"}}", "x".repeat(3 << 20)));
    let long = json!({
        "matchers": [{"name": "a", "value": "b", "isRegex": false}], "comment": "x".repeat(9_000),
        "startsAt": "2099-01-01T00:00:00Z", "endsAt": "2099-01-02T00:00:00Z", "createdBy": "ann",
    });
    let text = refused(400, &long.to_string());
    assert!(text.contains("comment has 9000 bytes, at most 8192 are taken"), "{text}");
    let form = request("POST", &format!("{}/api/v2/silences", daemon.url), &[], "a=b").unwrap();
    assert_eq!(form.status, 415, "{}", form.body);
    assert!(silences(&daemon.url).is_empty());
}
