//! Transcripts of the commands: each file in `tests/cli` holds command lines with what the real
//! binary says to them and its exit code. They run in a copy of `tests/fixtures`, beside a small
//! server that answers as Prometheus and as webhooks do.
//!
//! `WATCHBELL_BLESS=1 cargo test --test cli` writes the files anew; read the difference before you
//! commit it.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test stops at the first surprise

mod stories;
mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use support::{TempDir, root};

/// The port that fixtures and transcripts name in place of the server's own.
const PORT: &str = "127.0.0.1:19999";
/// Words that stand in the fixtures and must never be shown.
const SECRETS: [&str; 10] = [
    "datasource-password",
    "default-secret-path",
    "oncall-secret-path",
    "broken-secret-path",
    "webhook-bearer-token",
    "planted-",
    "smtp-password",
    "slack-secret-path",
    "ml-secret-path",
    "routing-key-secret",
];

#[test]
fn every_transcript_holds() {
    let server = serve();
    let folder = root().join("tests/cli");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 6, "{files:?}");
    let mut wrong = Vec::new();
    for file in files {
        let expected = fs::read_to_string(&file).unwrap();
        let work = TempDir::new("cli");
        copy(&root().join("tests/fixtures"), work.path(), &server);
        if expected.contains(" --config explain/") {
            stories::write(&work.path().join("explain"));
        }
        let found = replay(&expected, work.path(), &server);
        if found == expected {
            continue;
        }
        if std::env::var_os("WATCHBELL_BLESS").is_some() {
            fs::write(&file, &found).unwrap();
        }
        wrong.push(format!("{}:\n{}", file.display(), difference(&expected, &found)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs every command of a transcript and writes it anew.
fn replay(transcript: &str, folder: &Path, server: &str) -> String {
    let mut out = String::new();
    let kept = |line: &&str| line.starts_with("$ ") || line.starts_with("## ");
    for line in transcript.lines().filter(kept) {
        if let Some(command) = line.strip_prefix("$ watchbell") {
            out.push_str(&format!("{line}\n{}\n", run(command, folder, server)));
        } else {
            out.push_str(&format!("{line}\n"));
        }
    }
    out
}

/// What one command says: standard output, standard error if any, exit code.
fn run(arguments: &str, folder: &Path, server: &str) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_watchbell"))
        .args(words(&arguments.replace(PORT, server)))
        .current_dir(folder)
        .env_remove("WATCHBELL_CONFIG")
        .env_remove("COLUMNS")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap().replace(server, PORT);
        let text = text.replace(folder.to_str().unwrap(), "FOLDER");
        assert!(!text.contains('\x1b'), "colour without a terminal: {text}");
        without_latency(&text)
    };
    for bytes in [&done.stdout, &done.stderr] {
        let text = String::from_utf8_lossy(bytes);
        let shown = SECRETS.iter().find(|secret| text.contains(**secret));
        assert!(shown.is_none(), "{arguments} shows {shown:?}:\n{text}");
    }
    let (out, err) = (text(&done.stdout), text(&done.stderr));
    let err = if err.is_empty() { err } else { format!("--- standard error\n{err}") };
    format!("{out}{err}--- exit code {}\n", done.status.code().expect("no signal"))
}

/// `in 0.012 s` differs from run to run.
fn without_latency(text: &str) -> String {
    let latency = regex::Regex::new(r"in \d+\.\d{3} s").unwrap();
    latency.replace_all(text, "in N s").into_owned()
}

/// The words of a command line; single quotes hold words together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The first lines that differ.
fn difference(expected: &str, found: &str) -> String {
    let (mut a, mut b) = (expected.lines(), found.lines());
    for number in 1.. {
        let pair = (a.next(), b.next());
        if pair.0 != pair.1 || pair == (None, None) {
            return format!("line {number}\n  expected {:?}\n  found    {:?}", pair.0, pair.1);
        }
    }
    String::new()
}

/// Copies the fixtures; files name the server by its real port.
fn copy(from: &Path, to: &Path, server: &str) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target, server);
        } else {
            let text = fs::read_to_string(entry.path()).unwrap().replace(PORT, server);
            fs::write(target, text).unwrap();
        }
    }
}

/// Starts the server and gives its address. It ends with the process.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || drop(answer(stream.unwrap())));
        }
    });
    address
}

/// Answers one request.
fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let path = first.split(' ').nth(1).unwrap_or_default();
    let (status, answer) = match path {
        "/api/v1/query" => query(&String::from_utf8_lossy(&body)),
        "/hooks/pagerduty" => ("202 Accepted", json!({"status": "success", "dedup_key": "d"})),
        hook if hook.starts_with("/hooks/slack/") => ("200 OK", Value::Null),
        hook if hook.starts_with("/hooks/") => ("200 OK", json!({})),
        _ => ("404 Not Found", json!("no such hook")),
    };
    // Slack's webhooks say a word, not JSON.
    let text = if answer.is_null() { "ok".to_owned() } else { answer.to_string() };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{text}",
        text.len()
    )
}

/// What this Prometheus knows.
fn query(body: &str) -> (&'static str, Value) {
    let samples = [
        ("up%7B", json!({"__name__": "up", "job": "mlflow", "instance": "mlflow-0:5000"}), "0"),
        ("mlflow_latency", json!({"model": "churn \u{1b}[31m"}), "2.5"),
        ("disk_used_ratio", json!({"instance": "node-1"}), "0.95"),
        ("failed_runs", json!({"experiment": "fraud"}), "+Inf"),
        ("vector", json!({}), "1"),
    ];
    if body.contains("broken_query") {
        let error = "query processing would load too many samples into memory";
        return (
            "422 Unprocessable Entity",
            json!({"status": "error", "errorType": "execution", "error": error}),
        );
    }
    let found = samples.iter().filter(|(part, ..)| body.contains(part));
    let found: Vec<Value> = found
        .map(|(_, labels, value)| json!({"metric": labels, "value": [1_777_888_800, value]}))
        .collect();
    ("200 OK", json!({"status": "success", "data": {"resultType": "vector", "result": found}}))
}
