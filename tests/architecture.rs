//! Holds the layers of the source: a module imports only from the tiers below its own, tiers 0 to
//! 3 know no runtime, no network, no log and no clock, and files stay small.
//!
//! The check reads tokens, not text, so that comments and strings never count. Test code counts.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may stop at the first surprise

use std::fs;
use std::path::{Path, PathBuf};

#[path = "support/tokens.rs"]
mod tokens;
use tokens::{Token, tokens};

/// Every top-level module and its tier. A module that is not here fails the check.
const TIERS: &[(&str, u8)] = &[
    ("model", 0),
    ("diag", 0),
    ("promql", 1),
    ("template", 1),
    ("yaml", 1),
    ("rule", 2),
    ("alerting", 3),
    ("routing", 3),
    ("outbox", 3),
    ("collect", 3),
    ("clock", 4),
    ("http", 4),
    ("telemetry", 4),
    ("storage", 5),
    ("query", 5),
    ("notify", 5),
    ("mlflow", 5),
    ("web", 5),
    ("config", 6),
    ("engine", 6),
    ("explain", 6),
    ("daemon", 7),
    ("lint", 7),
    ("backtest", 7),
    ("api", 8),
    ("ruletest", 8),
    ("cli", 9),
];

/// The last tier of values and pure steps.
const LAST_PURE_TIER: u8 = 3;

/// What a pure tier never names: the runtime, the network, the log, and what brings them along.
const IMPURE: &[&str] = &[
    "tokio",
    "reqwest",
    "tracing",
    "tracing_subscriber",
    "axum",
    "lettre",
    "rusqlite",
    "tokio_postgres",
];

/// The most lines of a source file, tests included.
const MAX_LINES: usize = 400;
/// The most lines of `main.rs`.
const MAIN_LINES: usize = 59;

fn tier(module: &str) -> Option<u8> {
    TIERS.iter().find(|(name, _)| *name == module).map(|(_, tier)| *tier)
}

/// A file's place in the module tree: `src/a/b.rs` is `a::b`, `src/a/mod.rs` is `a`.
fn module_path(file: &str) -> Vec<&str> {
    let inside = file.trim_start_matches("src/").trim_end_matches(".rs");
    let mut parts: Vec<&str> = inside.split('/').collect();
    if matches!(parts.last(), Some(&"mod")) || matches!(parts[..], ["lib"] | ["main"]) {
        parts.pop();
    }
    parts
}

/// The first names below the crate's root that a path reaches. The path starts at `i`, `depth`
/// modules below the root. The answer holds `*` for a glob and an empty name for the root itself.
fn names_at_root(
    tokens: &[(Token, usize)],
    mut i: usize,
    mut depth: usize,
) -> Vec<(String, usize)> {
    loop {
        let Some((token, line)) = tokens.get(i) else { return Vec::new() };
        let continues = matches!(tokens.get(i + 1), Some((Token::Path, _)));
        match token {
            Token::Word(word) if word == "super" && depth > 0 => depth -= 1,
            Token::Word(word) if word == "crate" => depth = 0,
            Token::Word(word) if word == "self" && continues => {}
            Token::Word(word) if depth == 0 && word == "self" => {
                return vec![(String::new(), *line)];
            }
            Token::Word(word) if depth == 0 => return vec![(word.clone(), *line)],
            Token::Mark('*') if depth == 0 => return vec![("*".to_owned(), *line)],
            Token::Mark('{') => {
                let starts = items_in_braces(tokens, i);
                return starts.flat_map(|item| names_at_root(tokens, item, depth)).collect();
            }
            _ => return Vec::new(),
        }
        if !continues {
            // `pub(crate)` and `pub(super)` are no import, `use crate as other` hides one.
            let renamed = tokens.get(i + 1).is_some_and(|(t, _)| *t == Token::Word("as".into()));
            return if depth == 0 && renamed { vec![(String::new(), *line)] } else { Vec::new() };
        }
        i += 2;
    }
}

/// The places of the items of a brace group that opens at `open`, nested groups left alone.
fn items_in_braces(
    tokens: &[(Token, usize)],
    open: usize,
) -> impl Iterator<Item = usize> + use<'_> {
    let mut depth = 0;
    tokens
        .iter()
        .enumerate()
        .skip(open)
        .map_while(move |(i, (token, _))| {
            match token {
                Token::Mark('{') => depth += 1,
                Token::Mark('}') => depth -= 1,
                _ => {}
            }
            let starts = depth == 1 && matches!(token, Token::Mark('{' | ','));
            (depth > 0).then_some((i, starts))
        })
        .filter_map(|(i, starts)| starts.then_some(i + 1))
}

/// Every name directly below the crate's root that a file's code names by a path.
fn root_names(tokens: &[(Token, usize)], file_depth: usize) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    // Whether each open brace is an inline module's: those deepen the meaning of `super`.
    let mut braces: Vec<bool> = Vec::new();
    for (i, (token, _)) in tokens.iter().enumerate() {
        let before = |n: usize| i.checked_sub(n).map(|i| &tokens[i].0);
        match token {
            Token::Mark('{') => braces.push(before(2) == Some(&Token::Word("mod".into()))),
            Token::Mark('}') => drop(braces.pop()),
            Token::Word(word)
                if matches!(word.as_str(), "crate" | "super" | "self")
                    && before(1) != Some(&Token::Path) =>
            {
                let depth = file_depth + braces.iter().filter(|is_mod| **is_mod).count();
                found.extend(names_at_root(tokens, i, depth));
            }
            _ => {}
        }
    }
    found
}

/// What is wrong with one file of `src/`.
fn violations(file: &str, source: &str) -> Vec<String> {
    let tokens = tokens(source);
    let mut wrong = wrong_size(file, source);
    let path = module_path(file);
    let own = path.first().copied().unwrap_or_default();
    if path.is_empty() {
        wrong.extend(unknown_modules(file, &tokens));
    } else if let Some(own_tier) = tier(own) {
        wrong.extend(wrong_imports(file, own, own_tier, root_names(&tokens, path.len())));
        if own_tier <= LAST_PURE_TIER {
            wrong.extend(impure_words(file, own_tier, &tokens));
        }
    } else {
        wrong.push(format!("{file}: the module `{own}` has no tier in tests/architecture.rs"));
    }
    for (i, (token, line)) in tokens.iter().enumerate() {
        let around = |n: usize| tokens.get((i + n).wrapping_sub(1)).map(|(token, _)| token);
        if *token == Token::Word("anyhow".into()) && own != "cli" {
            wrong.push(format!("{file}:{line}: anyhow is for cli only"));
        }
        let in_attribute =
            around(0) == Some(&Token::Mark('[')) && around(2) == Some(&Token::Mark('='));
        if *token == Token::Word("path".into()) && in_attribute {
            wrong.push(format!("{file}:{line}: #[path] hides where a module belongs"));
        }
    }
    wrong
}

fn wrong_size(file: &str, source: &str) -> Vec<String> {
    let lines = source.lines().count();
    let limit = if file == "src/main.rs" { MAIN_LINES } else { MAX_LINES };
    if lines <= limit {
        return Vec::new();
    }
    vec![format!("{file}: {lines} lines, the limit is {limit}")]
}

/// The modules that `lib.rs` or `main.rs` declares and the table does not know.
fn unknown_modules(file: &str, tokens: &[(Token, usize)]) -> Vec<String> {
    let declared = tokens.windows(2).filter_map(|pair| match pair {
        [(Token::Word(word), line), (Token::Word(name), _)] if word == "mod" => Some((name, line)),
        _ => None,
    });
    declared
        .filter(|(name, _)| tier(name).is_none())
        .map(|(name, line)| format!("{file}:{line}: the module `{name}` has no tier"))
        .collect()
}

fn wrong_imports(
    file: &str,
    own: &str,
    own_tier: u8,
    names: Vec<(String, usize)>,
) -> impl Iterator<Item = String> {
    names.into_iter().filter(move |(name, _)| name != own).filter_map(
        move |(name, line)| match tier(&name) {
            None => Some(format!("{file}:{line}: `crate::{name}` is no module with a tier")),
            Some(tier) if tier >= own_tier => Some(format!(
                "{file}:{line}: `{own}` (tier {own_tier}) imports `{name}` (tier {tier})"
            )),
            Some(_) => None,
        },
    )
}

/// Where a pure module names what it must not know, or asks for the time.
fn impure_words(file: &str, own_tier: u8, tokens: &[(Token, usize)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (i, (token, line)) in tokens.iter().enumerate() {
        let Token::Word(word) = token else { continue };
        let before = |n: usize| i.checked_sub(n).map(|i| &tokens[i].0);
        if IMPURE.contains(&word.as_str()) {
            wrong.push(format!("{file}:{line}: tier {own_tier} names {word}"));
        }
        let of_a_type = match before(2) {
            Some(Token::Word(owner)) => {
                owner.starts_with(char::is_uppercase) || matches!(owner.as_str(), "jiff" | "time")
            }
            other => other == Some(&Token::Mark('>')),
        };
        let asks = (word == "now" && before(1) == Some(&Token::Path) && of_a_type)
            || (word == "elapsed" && before(1) == Some(&Token::Mark('.')));
        if asks {
            wrong.push(format!("{file}:{line}: tier {own_tier} asks for the time ({word})"));
        }
    }
    wrong
}

/// The package's folder: of this run, not of the build, which may come from a copied `target`.
fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into()).into()
}

/// All Rust files under a folder, as paths from the package's root.
fn rust_files(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("src is readable") {
        let path = entry.expect("src is readable").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let inside = path.strip_prefix(root()).expect("below the package");
            found.push(inside.to_string_lossy().replace('\\', "/"));
        }
    }
}

#[test]
fn the_source_keeps_its_layers() {
    let root = root();
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    files.sort();
    assert!(files.contains(&"src/lib.rs".to_owned()) && files.len() > 20, "only {files:?}");
    let wrong: Vec<String> = files
        .iter()
        .flat_map(|file| violations(file, &fs::read_to_string(root.join(file)).unwrap()))
        .collect();
    assert!(wrong.is_empty(), "{} violations:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_planted_violation_is_caught() {
    let long = "//\n".repeat(401);
    let long_main = "//\n".repeat(60);
    let cases: &[(&str, &str, &str)] = &[
        ("src/model/a.rs", "use crate::rule::R;", "imports `rule`"),
        ("src/model/a.rs", "use crate::diag::D;", "imports `diag`"),
        ("src/rule/a.rs", "use crate::{model::{A, b::{C}}, engine::{E}};", "imports `engine`"),
        ("src/rule/a.rs", "use {crate::cli::x, std::fmt};", "imports `cli`"),
        ("src/rule/a.rs", "fn f() { let x = 'a'; crate::api::serve::<'_>() }", "imports `api`"),
        ("src/rule/a.rs", "#[cfg(test)] mod tests { use crate::config::C; }", "imports `config`"),
        ("src/rule/mod.rs", "use super::http::Client;", "imports `http`"),
        ("src/rule/a.rs", "use super::{super::notify::N, b};", "imports `notify`"),
        ("src/rule/mod.rs", "mod tests { use super::super::query::Q; }", "imports `query`"),
        ("src/clock.rs", "pub(in crate::http) fn f() {}", "imports `http`"),
        ("src/rule/a.rs", "use crate::*;", "`crate::*` is no module"),
        ("src/rule/a.rs", "use crate as all;", "`crate::` is no module"),
        ("src/rule/a.rs", "use crate::{self as all};", "`crate::` is no module"),
        ("src/rule/a.rs", "use crate::helpers::h;", "`crate::helpers` is no module"),
        ("src/helpers/mod.rs", "", "`helpers` has no tier"),
        ("src/lib.rs", "pub mod model;\nmod helpers;", "src/lib.rs:2: the module `helpers`"),
        ("src/rule/a.rs", "#[path = \"../x.rs\"] mod x;", "#[path]"),
        ("src/outbox/a.rs", "use tokio::time;", "names tokio"),
        ("src/outbox/a.rs", "fn f(c: reqwest::Client) {}", "names reqwest"),
        ("src/outbox/a.rs", "fn f() { tracing::info!(\"x\") }", "names tracing"),
        ("src/outbox/a.rs", "/* \" */ use std::time as t; fn f() { t::SystemTime::now() }", "time"),
        ("src/outbox/a.rs", "fn f() { g('\"', std::time::Instant::now()) }", "time"),
        ("src/outbox/a.rs", "fn f() { jiff::Timestamp::now() }", "time"),
        ("src/outbox/a.rs", "fn f() { g(Zoned::now) }", "time"),
        ("src/outbox/a.rs", "fn f() { <SystemTime>::now() }", "time"),
        ("src/outbox/a.rs", "fn f() { UNIX_EPOCH.elapsed() }", "time"),
        ("src/engine/a.rs", "use anyhow::Result;", "anyhow"),
        ("src/main.rs", "use anyhow::Result;", "anyhow"),
        ("src/main.rs", &long_main, "60 lines"),
        ("src/engine/a.rs", &long, "401 lines"),
    ];
    for (file, source, expected) in cases {
        let found = violations(file, source);
        assert!(
            matches!(&found[..], [only] if only.contains(expected)),
            "{file}: {source}\nexpected one violation with {expected:?}, found {found:?}"
        );
    }
}

#[test]
fn what_is_allowed_passes() {
    let cases: &[(&str, &str)] = &[
        ("src/lib.rs", "pub mod model;\npub use crate::model::Label;"),
        ("src/main.rs", "fn main() { watchbell::cli::main() }"),
        ("src/model/a.rs", "use crate::model::b::B; use super::c; use self::d::{self, E};"),
        ("src/cli/a.rs", "use anyhow::Result; use crate::{api, daemon::{run, x::*}, model};"),
        ("src/engine/a.rs", "use tokio::time::Instant; fn f() { Instant::now().elapsed(); }"),
        ("src/rule/a.rs", "// crate::cli::x\n/* tokio /* */ crate::api */ pub(crate) fn f() {}"),
        ("src/rule/a.rs", "//! see [`crate::engine`]\n/// crate::api\nfn f<'a>() { 'a: loop {} }"),
        ("src/rule/a.rs", "const A: &str = \"\\\" crate::cli tokio\"; const B: char = '\\'';"),
        ("src/rule/a.rs", "const A: &str = r#\"\" tokio \"#; const B: &[u8] = b\"tokio\";"),
        (
            "src/rule/a.rs",
            "const A: char = '\\u{1F514}'; const B: u8 = b'\"'; const C: u8 = b'\\'';",
        ),
        ("src/rule/a.rs", "fn f(now: u64) -> u64 { let r#type = b(now); g(now, 1.0, r#type) }"),
        ("src/rule/mod.rs", "mod tests { use super::parse; mod more { use super::super::x; } }"),
    ];
    for (file, source) in cases {
        assert_eq!(violations(file, source), Vec::<String>::new(), "{file}: {source}");
    }
    let lexed = tokens("let a = r\"x\\\"; /*\n*/ b");
    assert_eq!(lexed.last(), Some(&(Token::Word("b".into()), 2)), "lines are counted: {lexed:?}");
}
