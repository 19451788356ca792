//! From the paths of a command line to files that may hold rules.

use std::path::{Path, PathBuf};

use crate::rule::{self, FindError, Origin};

/// A file that paths stand for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its path.
    pub path: PathBuf,
    /// Whether it was named itself. A file of a folder or a pattern that holds no rules is passed
    /// over.
    pub named: bool,
}

/// The files that paths stand for, each once, in order: a file for itself, a glob pattern for all that
/// it matches, a folder for what has the ending of a rule file. Names that begin with a dot are
/// passed over.
///
/// # Errors
/// A path that is not there, or that can hold no rules.
pub fn find_files(paths: &[PathBuf]) -> Result<Vec<Found>, FindError> {
    let wanted = |path: &Path, origin| origin == Origin::Pattern || may_hold_rules(path);
    let lacks = "no file with the ending .yaml, .yml or .rules";
    let found = rule::find_files(paths, wanted, lacks)?.into_iter();
    Ok(found.map(|(path, origin)| Found { path, named: origin == Origin::Named }).collect())
}

fn may_hold_rules(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.as_encoded_bytes()).unwrap_or_default();
    [".yaml", ".yml", ".rules"].iter().any(|end| name.ends_with(end.as_bytes()))
}
