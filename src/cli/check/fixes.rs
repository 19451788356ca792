//! Safe changes, written to the files that they are for.

use std::io::Write;
use std::path::Path;
use std::{fs, io};

use anyhow::{Context, bail};

use crate::diag::Diagnostic;
use crate::lint::{Project, fix};

/// Makes the safe changes; how many.
///
/// # Errors
/// Where a file cannot be written. It is then as it was.
pub(super) fn write(project: &Project, findings: &[Diagnostic]) -> anyhow::Result<usize> {
    let mut paths: Vec<&str> = project.files.iter().map(|file| file.source.path()).collect();
    paths.dedup();
    let mut count = 0;
    for path in paths {
        let own: Vec<&Diagnostic> = findings.iter().filter(|f| f.source.path() == path).collect();
        if own.iter().all(|finding| finding.fix.is_none()) {
            continue;
        }
        if path == "stdin" {
            bail!("--fix changes files, and standard input is none");
        }
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
        let (text, changes) = fix(&text, &own);
        let replaced = replace(Path::new(path), &text);
        replaced.with_context(|| format!("cannot write {path}, which is as it was"))?;
        count += changes;
    }
    Ok(count)
}

/// Gives a file another text, or leaves it as it is where that fails: a disk can be full.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // What a link leads to is replaced, not the link.
    let path = path.canonicalize()?;
    let permissions = fs::metadata(&path)?.permissions();
    if permissions.readonly() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is read-only"));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = write_new(&beside, text, permissions).and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn write_new(path: &Path, text: &str, permissions: fs::Permissions) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.set_permissions(permissions)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
