//! Real rules of two public collections, where they are there: no crash, no error on a valid file,
//! and every bug-level finding stands in `tests/golden/check_corpus.txt`, where each has been read.

// Whoever runs the tests without the corpus has to see it.
#![allow(clippy::print_stderr)]

use std::collections::HashSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Severity};
use crate::lint::{Project, Settings, find_files, lint, read};
use crate::yaml::read_file;

const GOLDEN: &str = "tests/golden/check_corpus.txt";

fn corpus() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = root.ancestors().map(|a| a.join("shared/corpus"));
    folders.find(|folder| folder.join("wikimedia-alerts").is_dir())
}

/// All findings in the files of a collection, each file by itself, as they are used.
fn found_in(folder: &Path) -> (usize, Vec<Diagnostic>) {
    let mut rules = 0;
    let mut all = Vec::new();
    for found in find_files(&[folder.to_path_buf()]).unwrap() {
        let files = read(&read_file(&found.path).unwrap(), found.named);
        let project = Project::new(files, Settings::default());
        rules += project.rules().count();
        all.extend(lint(&project, 1));
    }
    (rules, all)
}

#[test]
fn findings_in_real_rules_are_those_that_were_read() {
    let Some(corpus) = corpus() else {
        eprintln!("skipped: no folder shared/corpus");
        return;
    };
    let mut text = String::new();
    for (name, rules) in [("awesome-prometheus-alerts", 954), ("wikimedia-alerts", 0)] {
        let (count, findings) = found_in(&corpus.join(name));
        assert!(count >= rules, "{name}: {count}");
        let by = |severity| findings.iter().filter(|f| f.severity == severity).count();
        let _ = writeln!(text, "# {name}: {count} rules");
        eprintln!("{name}: {count} rules, {:?}", Severity::ALL.map(|s| (s.as_str(), by(s))));
        for finding in findings {
            assert!(finding.severity != Severity::Error, "{finding}");
            let path = Path::new(finding.source.path()).strip_prefix(&corpus).unwrap();
            let (line, _) = finding.line_column();
            let rule = finding.rule.unwrap_or_default();
            let line =
                format!("{}:{line} {rule}: {}: {}\n", path.display(), finding.id, finding.message);
            if std::env::var_os("WATCHBELL_SHOW_ALL").is_some() {
                eprint!("{} {line}", finding.severity.as_str());
            }
            if finding.severity == Severity::Bug {
                text.push_str(&line);
            }
        }
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    let only_in = |one: &str, other: &str, mark: &str| -> String {
        let known: HashSet<&str> = other.lines().collect();
        let new = one.lines().filter(|line| !known.contains(line));
        new.map(|line| format!("{mark} {line}\n")).collect()
    };
    let differs = only_in(&expected, &text, "-") + &only_in(&text, &expected, "+");
    assert!(
        text == expected,
        "UPDATE_GOLDEN=1 writes {GOLDEN} anew; read the difference:\n{differs}"
    );
}
