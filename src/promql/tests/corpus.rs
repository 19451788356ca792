//! Real rules and Prometheus' own test queries. They lie beside the repository; where they are
//! missing, the tests say so.

// What is skipped, and how much was read, is told to whoever runs the tests.
#![allow(clippy::print_stderr)]

use std::path::{Path, PathBuf};

use super::check_places;
use crate::promql::{MAX_HEIGHT, parse};

fn corpus(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus").join(name);
    // Worktrees lie one folder deeper.
    let deeper = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus").join(name);
    [path, deeper].into_iter().find(|path| path.is_dir())
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|e| e.to_str().is_some_and(|e| ending.contains(e))) {
            found.push(path);
        }
    }
}

/// The rules' expressions of all rule files under a folder.
fn expressions(folder: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    files(folder, "yaml yml", &mut paths);
    let mut found = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let Ok(file) = serde_yaml::from_str::<serde_yaml::Value>(&text) else { continue };
        let groups = file["groups"].as_sequence().cloned().unwrap_or_default();
        let rules = groups.iter().filter_map(|g| g["rules"].as_sequence()).flatten();
        found.extend(rules.filter_map(|r| r["expr"].as_str().map(str::to_string)));
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn every_expression_of_real_rules_parses_with_right_places() {
    for (name, least) in [("awesome-prometheus-alerts", 500), ("wikimedia-alerts", 300)] {
        let Some(folder) = corpus(name) else {
            eprintln!("skipped: ../shared/corpus/{name} is not there");
            continue;
        };
        let all = expressions(&folder);
        for text in &all {
            let expr = parse(text).unwrap_or_else(|e| panic!("{text}\n{e:?}"));
            check_places(text, &expr);
            assert!(expr.walk().count() < MAX_HEIGHT, "far below the caps: {text}");
        }
        eprintln!("{name}: {} different expressions parsed", all.len());
        assert!(all.len() > least, "{name}: only {} expressions found", all.len());
    }
}

/// Constructs of Prometheus' tests that are refused, by the words of the refusal.
const UNSUPPORTED: &str = "not supported yet";

#[test]
fn prometheus_own_queries_parse() {
    let Some(folder) = corpus("promqltest") else {
        eprintln!("skipped: ../shared/corpus/promqltest is not there");
        return;
    };
    let mut paths = Vec::new();
    files(&folder, "test", &mut paths);
    let (mut parsed, mut unsupported, mut refused) = (0, 0, Vec::new());
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (i, line) in lines.iter().enumerate() {
            let Some(query) = line.strip_prefix("eval instant at ") else { continue };
            let Some((_, query)) = query.split_once(char::is_whitespace) else { continue };
            let expected = lines.iter().skip(i + 1).take_while(|l| l.starts_with([' ', '\t']));
            if expected.into_iter().any(|l| l.trim().starts_with("expect fail")) {
                continue;
            }
            match parse(query) {
                Ok(expr) => {
                    check_places(query, &expr);
                    parsed += 1;
                }
                Err(e) if e.message.contains(UNSUPPORTED) => unsupported += 1,
                Err(e) => refused.push(format!("{query}\n  {e:?}")),
            }
        }
    }
    eprintln!("parsed {parsed}, not supported {unsupported}, refused {}", refused.len());
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(parsed > 900, "{parsed}");
}
