//! From the paths of a command line to files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::rule::{RulePattern, expand_pattern};

/// The deepest folder that is looked into.
const MAX_DEPTH: usize = 32;

/// Why there is nothing to check.
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
    /// A folder or pattern holds nothing that could hold rules.
    #[error("{0} holds no file with the ending .yaml, .yml or .rules")]
    Nothing(String),
}

/// A file that paths stand for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its path.
    pub path: PathBuf,
    /// Whether it was named itself. A file of a folder or a pattern that holds no rules is passed
    /// over.
    pub named: bool,
}

/// The files that paths stand for, each once, in order: a file for itself, a folder and a glob
/// pattern for what has the ending of a rule file. Names that begin with a dot are passed over.
///
/// # Errors
/// A path that is not there, or that can hold no rules.
pub fn find_files(paths: &[PathBuf]) -> Result<Vec<Found>, FindError> {
    let mut files: Vec<Found> = Vec::new();
    let mut seen = BTreeSet::new();
    for path in paths {
        let found = if path.is_dir() {
            let mut found = Vec::new();
            look_into(path, 0, &mut found)?;
            some_of(path, found)?
        } else if path.exists() {
            vec![Found { path: path.clone(), named: true }]
        } else {
            matches(path)?
        };
        files.extend(found.into_iter().filter(|file| seen.insert(file.path.clone())));
    }
    Ok(files)
}

fn some_of(path: &Path, found: Vec<Found>) -> Result<Vec<Found>, FindError> {
    if found.is_empty() { Err(FindError::Nothing(path.display().to_string())) } else { Ok(found) }
}

fn matches(path: &Path) -> Result<Vec<Found>, FindError> {
    let pattern = RulePattern::argument(path.display().to_string());
    if !pattern.is_glob() {
        return Err(FindError::Missing(path.to_path_buf()));
    }
    let found = expand_pattern(Path::new(""), &pattern)
        .map_err(|finding| FindError::Pattern(finding.to_string()))?;
    let found = found.into_iter().map(|path| Found { path, named: false });
    some_of(path, found.collect())
}

fn look_into(folder: &Path, depth: usize, found: &mut Vec<Found>) -> Result<(), FindError> {
    let refused = |error| FindError::Folder { path: folder.to_path_buf(), error };
    let entries = std::fs::read_dir(folder).map_err(refused)?;
    let paths: Result<BTreeSet<PathBuf>, _> = entries.map(|e| e.map(|e| e.path())).collect();
    for path in paths.map_err(refused)? {
        let name = path.file_name().map(|n| n.as_encoded_bytes()).unwrap_or_default();
        if name.starts_with(b".") {
            continue;
        }
        if path.is_dir() {
            // A link to a folder above would lead round and round.
            if depth < MAX_DEPTH && !path.is_symlink() {
                look_into(&path, depth + 1, found)?;
            }
        } else if [".yaml", ".yml", ".rules"].iter().any(|end| name.ends_with(end.as_bytes())) {
            found.push(Found { path, named: false });
        }
    }
    Ok(())
}
