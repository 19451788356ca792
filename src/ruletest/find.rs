//! From the paths of a command line to test files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::rule::{RulePattern, expand_pattern};
use crate::yaml::{self, read_file};

/// The deepest folder that is looked into.
const MAX_DEPTH: usize = 32;

/// Why there are no files to test.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// There is nothing of that name.
    #[error("cannot find {0}")]
    Missing(PathBuf),
    /// A folder cannot be read.
    #[error("cannot read {path}: {error}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A pattern is none.
    #[error("{0}")]
    Pattern(String),
    /// No file in a folder, or of a pattern, holds tests.
    #[error(
        "{0} holds no test files: none in promtool's format, and none whose name ends in .test"
    )]
    NoTests(String),
}

/// The test files that paths stand for, each once, in order. A file stands for itself; of a folder
/// and of a glob pattern those files count that hold tests. Folders and files whose names begin
/// with a dot are passed over.
///
/// # Errors
/// A path that is not there, or that holds no tests.
pub fn find_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, FindError> {
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    for path in paths {
        let found = if path.is_dir() {
            let mut found = Vec::new();
            look_into(path, 0, &mut found)?;
            some_of(path, found)?
        } else if path.exists() {
            vec![path.clone()]
        } else {
            matches(path)?
        };
        files.extend(found.into_iter().filter(|file| seen.insert(file.clone())));
    }
    Ok(files)
}

fn some_of(path: &Path, found: Vec<PathBuf>) -> Result<Vec<PathBuf>, FindError> {
    if found.is_empty() { Err(FindError::NoTests(path.display().to_string())) } else { Ok(found) }
}

/// The test files of a glob pattern.
fn matches(path: &Path) -> Result<Vec<PathBuf>, FindError> {
    let pattern = RulePattern::argument(path.display().to_string());
    if !pattern.is_glob() {
        return Err(FindError::Missing(path.to_path_buf()));
    }
    let found = expand_pattern(Path::new(""), &pattern)
        .map_err(|finding| FindError::Pattern(finding.to_string()))?;
    some_of(path, found.into_iter().filter(|file| is_test(file)).collect())
}

fn look_into(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), FindError> {
    let refused = |error| FindError::Folder { path: folder.to_path_buf(), error };
    let entries = std::fs::read_dir(folder).map_err(refused)?;
    let paths: Result<BTreeSet<PathBuf>, _> = entries.map(|e| e.map(|e| e.path())).collect();
    for path in paths.map_err(refused)? {
        let hidden = path.file_name().is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
        if hidden {
            continue;
        }
        if path.is_dir() {
            // A link to a folder above would lead round and round.
            if depth < MAX_DEPTH && !path.is_symlink() {
                look_into(&path, depth + 1, found)?;
            }
        } else if is_test(&path) {
            found.push(path);
        }
    }
    Ok(())
}

/// Whether a file holds tests: a script by its name, a file in promtool's format by its keys. One
/// that is no YAML is taken for tests where its name says so, so that its mistake is shown.
fn is_test(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.ends_with(".test") {
        return true;
    }
    let Some(stem) = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml")) else {
        return false;
    };
    let named = stem.ends_with("_test") || stem.ends_with(".test") || stem.ends_with("_tests");
    match read_file(path) {
        Ok(source) if !source.text().contains("tests") => false,
        // Seen at once in nearly every file; to read one twice takes longer than many a test.
        Ok(source) if named && holds_tests(source.text()) => true,
        Ok(source) => match yaml::load(&Arc::clone(&source)) {
            Ok(document) => {
                document.root.get("tests").is_some() && document.root.get("groups").is_none()
            }
            Err(_) => named,
        },
        Err(_) => named,
    }
}

/// Whether a text has the key `tests` at its top level in plain sight, and nowhere the word `groups`.
fn holds_tests(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("tests:")) && !text.contains("groups")
}
