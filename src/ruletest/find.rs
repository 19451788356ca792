//! From the paths of a command line to test files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::rule::{self, FindError};
use crate::yaml::{self, read_file};

/// The test files that paths stand for, each once, in order. A file stands for itself; of a folder
/// and of a glob pattern those files count that hold tests. Folders and files whose names begin
/// with a dot are passed over.
///
/// # Errors
/// A path that is not there, or that holds no tests.
pub fn find_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, FindError> {
    let lacks = "no test files: none in promtool's format, and none whose name ends in .test";
    let found = rule::find_files(paths, |path, _| is_test(path), lacks)?;
    Ok(found.into_iter().map(|(path, _)| path).collect())
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
