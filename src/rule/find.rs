//! From the paths of a command line to files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::rule::{RulePattern, expand_pattern};

/// The deepest folder that is looked into.
const MAX_DEPTH: usize = 32;

/// Why there are no files.
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
    /// No file of a folder or pattern is wanted.
    #[error("{path} holds {lacks}")]
    Nothing {
        /// The folder or the pattern.
        path: PathBuf,
        /// What it holds then, in words.
        lacks: &'static str,
    },
}

/// How a file was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was named itself.
    Named,
    /// A glob pattern matches it.
    Pattern,
    /// It lies in a folder that was named, or in one below.
    Folder,
}

/// The files that paths stand for, each once, in order. A file stands for itself; of a folder and
/// of a glob pattern those count that are `wanted`. Folders and files whose names begin with a dot
/// are passed over. `lacks` says of a folder what it holds where that is nothing: "no …".
///
/// # Errors
/// A path that is not there, or that has nothing wanted.
pub fn find_files(
    paths: &[PathBuf],
    wanted: impl Fn(&Path, Origin) -> bool,
    lacks: &'static str,
) -> Result<Vec<(PathBuf, Origin)>, FindError> {
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    for path in paths {
        let (found, origin) = if path.is_dir() {
            let mut found = Vec::new();
            look_into(path, 0, &wanted, &mut found)?;
            (found, Origin::Folder)
        } else if path.exists() {
            (vec![path.clone()], Origin::Named)
        } else {
            let mut found = matches(path)?;
            found.retain(|file| wanted(file, Origin::Pattern));
            (found, Origin::Pattern)
        };
        if found.is_empty() {
            return Err(FindError::Nothing { path: path.clone(), lacks });
        }
        let new = found.into_iter().filter(|file| seen.insert(file.clone()));
        files.extend(new.map(|file| (file, origin)));
    }
    Ok(files)
}

/// The files of a glob pattern.
fn matches(path: &Path) -> Result<Vec<PathBuf>, FindError> {
    let pattern = RulePattern::argument(path.display().to_string());
    if !pattern.is_glob() {
        return Err(FindError::Missing(path.to_path_buf()));
    }
    expand_pattern(Path::new(""), &pattern)
        .map_err(|finding| FindError::Pattern(finding.to_string()))
}

fn look_into(
    folder: &Path,
    depth: usize,
    wanted: &impl Fn(&Path, Origin) -> bool,
    found: &mut Vec<PathBuf>,
) -> Result<(), FindError> {
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
                look_into(&path, depth + 1, wanted, found)?;
            }
        } else if wanted(&path, Origin::Folder) {
            found.push(path);
        }
    }
    Ok(())
}
