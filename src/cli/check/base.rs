//! What files were before a change, as Git knows it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::diag::SourceFile;
use crate::lint::{Project, RuleFile, read};

/// The files of a project as they were at a commit; those that are gone since then among them.
///
/// # Errors
/// Where Git is missing, this is no repository, or it knows no such commit.
pub(super) fn at(base: &str, project: &Project) -> anyhow::Result<Vec<RuleFile>> {
    if base.starts_with('-') {
        bail!("{base:?} is no commit");
    }
    let paths: BTreeSet<&str> =
        project.sources().map(|source| source.path()).filter(|path| *path != "stdin").collect();
    let folders: BTreeSet<&Path> = paths.iter().map(|path| folder(Path::new(path))).collect();
    let mut files = Vec::new();
    for folder in folders {
        let verified =
            git(folder, &["rev-parse", "--verify", "--quiet", &format!("{base}^{{commit}}")])?;
        if verified.is_none() {
            bail!("{base:?} is no commit of the repository of {}", folder.display());
        }
        let names = ["diff", "--name-only", "--diff-filter=D", "--relative", "-z", base, "--", "."];
        let gone = git(folder, &names)?.unwrap_or_default();
        for name in
            gone.split('\0').filter(|name| name.ends_with(".yaml") || name.ends_with(".yml"))
        {
            files.extend(file(folder, &folder.join(name), base)?);
        }
    }
    for path in paths {
        let path = PathBuf::from(path);
        files.extend(file(folder(&path), &path, base)?);
    }
    Ok(files)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A file as it was. One that was not there gives nothing.
fn file(folder: &Path, path: &Path, base: &str) -> anyhow::Result<Vec<RuleFile>> {
    let name = path.strip_prefix(folder).unwrap_or(path).display().to_string();
    let Some(text) = git(folder, &["show", &format!("{base}:./{name}")])? else {
        return Ok(Vec::new());
    };
    let source = Arc::new(SourceFile::new(path.display().to_string(), text));
    let files = read(&source, false);
    if files.is_empty() {
        return Ok(vec![RuleFile {
            source,
            groups: Vec::new(),
            findings: Vec::new(),
            documents: Vec::new(),
        }]);
    }
    Ok(files)
}

/// What Git prints, or nothing where it says no.
fn git(folder: &Path, arguments: &[&str]) -> anyhow::Result<Option<String>> {
    let done = Command::new("git").arg("-C").arg(folder).args(arguments).output();
    let done = done.context("cannot run git")?;
    Ok(done.status.success().then(|| String::from_utf8_lossy(&done.stdout).into_owned()))
}
