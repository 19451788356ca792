//! From glob patterns to the rules of all files.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::diag::{self, Diagnostic, SourceFile, Span};
use crate::rule::{RecordingRule, Rule, RuleGroup, check};
use crate::yaml::{self, read_file};

/// A path or glob pattern with the place that it comes from.
#[derive(Clone, Debug)]
pub struct RulePattern {
    /// A path, or a pattern with `*`, `?`, `[…]` or `**`, which do not match a name that begins with a dot.
    pub pattern: String,
    /// The file that holds it.
    pub source: Arc<SourceFile>,
    /// Where it stands there.
    pub span: Span,
}

impl RulePattern {
    /// A pattern from the command line.
    pub fn argument(pattern: impl Into<String>) -> Self {
        let pattern = pattern.into();
        let source = Arc::new(SourceFile::new("argument", pattern.as_str()));
        let span = Span::new(0, pattern.len());
        Self { pattern, source, span }
    }

    /// Whether it may stand for any number of files, none included.
    pub fn is_glob(&self) -> bool {
        self.pattern.contains(['*', '?', '['])
    }

    fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error("rule/file", &self.source, self.span, message)
    }
}

/// The rules of all files.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// The groups, in order of the patterns, then of the paths, then of the file.
    pub groups: Vec<Arc<RuleGroup>>,
    /// The files that were read, as paths that can be opened.
    pub files: Vec<PathBuf>,
    /// The glob patterns that match no file. Whether that is a mistake, the caller decides.
    pub unmatched: Vec<RulePattern>,
    /// Findings that refuse nothing.
    pub warnings: Vec<Diagnostic>,
}

/// Loads the rule files that the patterns stand for; relative ones begin at `base`, the folder of
/// the configuration. A file that two patterns match is loaded once. A group names its file as the
/// pattern does, so that a rule keeps its identity when the program is started from another folder.
///
/// # Errors
/// Every finding of every file, if one of them is an error.
pub fn load_files(base: &Path, patterns: &[RulePattern]) -> Result<RuleSet, Vec<Diagnostic>> {
    let mut set = RuleSet::default();
    let mut seen = HashSet::new();
    for pattern in patterns {
        let paths = match expand_pattern(base, pattern) {
            Ok(paths) => paths,
            Err(finding) => {
                set.warnings.push(*finding);
                continue;
            }
        };
        if paths.is_empty() {
            set.unmatched.push(pattern.clone());
        }
        for path in paths {
            if seen.insert(path.clone()) {
                set.add(base, path, pattern);
            }
        }
    }
    if diag::has_errors(&set.warnings) {
        return Err(set.warnings);
    }
    Ok(set)
}

impl RuleSet {
    /// The recording rules of all groups.
    pub fn recording_rules(&self) -> impl Iterator<Item = &RecordingRule> {
        self.groups.iter().flat_map(|group| &group.rules).filter_map(Rule::as_recording)
    }

    fn add(&mut self, base: &Path, path: PathBuf, pattern: &RulePattern) {
        match read_file(&path) {
            // `rules/*.yaml` also matches the unit tests that stand beside the rules.
            Ok(source) if pattern.is_glob() && is_unit_test(&source) => return,
            Ok(source) => {
                let name = path.strip_prefix(base).unwrap_or(&path).display().to_string();
                let (groups, findings) = check::check_as(&source, &name);
                self.groups.extend(groups.into_iter().map(Arc::new));
                self.warnings.extend(findings);
            }
            Err(error) => self.warnings.push(pattern.error(error.to_string())),
        }
        self.files.push(path);
    }
}

/// Whether a file holds unit tests in promtool's format: `tests`, and no `groups`.
fn is_unit_test(source: &Arc<SourceFile>) -> bool {
    // To look twice at every large file would double the time of a start.
    source.text().contains("tests")
        && yaml::load(source).is_ok_and(|document| {
            document.root.get("tests").is_some() && document.root.get("groups").is_none()
        })
}

/// The files of a pattern, sorted by path. A plain path stands for itself, there or not.
///
/// # Errors
/// A pattern that is none, or a folder that cannot be read.
pub fn expand_pattern(base: &Path, pattern: &RulePattern) -> Result<Vec<PathBuf>, Box<Diagnostic>> {
    if !pattern.is_glob() {
        return Ok(vec![base.join(&pattern.pattern)]);
    }
    let full = match Path::new(&pattern.pattern) {
        absolute if absolute.is_absolute() => pattern.pattern.clone(),
        // Only the pattern's own characters have a special meaning.
        _ if base.as_os_str().is_empty() => pattern.pattern.clone(),
        _ => {
            let base = glob::Pattern::escape(&base.display().to_string());
            format!("{base}/{}", pattern.pattern)
        }
    };
    let paths = glob::glob(&full)
        .map_err(|error| pattern.error(format!("not a valid pattern: {}", error.msg)))?;
    let mut files = Vec::new();
    for path in paths {
        match path {
            // Kubernetes mounts each file of a ConfigMap three times, twice in folders with a dot.
            Ok(path) if hidden(&path) > hidden(Path::new(&full)) || path.is_dir() => {}
            Ok(path) => files.push(path),
            Err(error) => {
                let path = error.path().display();
                let message = format!("cannot read {path}: {}", error.error());
                return Err(Box::new(pattern.error(message)));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// How many parts of a path begin with a dot.
fn hidden(path: &Path) -> usize {
    let is_hidden = |part: &Component<'_>| match part {
        Component::Normal(name) => name.as_encoded_bytes().starts_with(b"."),
        _ => false,
    };
    path.components().filter(is_hidden).count()
}
