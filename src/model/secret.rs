//! Values that must never be seen: passwords, tokens, webhook URLs.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

/// What stands in place of a secret wherever one would be shown, as in Prometheus' tools.
const REDACTED: &str = "<secret>";

/// A text that `Debug` and `Serialize` never show. There is no `Display`: whoever needs the text
/// says so with [`Secret::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

/// Where a secret comes from. A file is read each time it is needed, so that a rotated Secret in
/// Kubernetes is used without a reload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SecretSource {
    /// Written in the configuration.
    Inline(Secret),
    /// In a file of its own; white space around it is not part of it.
    File(PathBuf),
}

/// Why a secret could not be had. Names the file, never the content.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the secret file {path}: {reason}")]
pub struct SecretError {
    /// The file.
    pub path: String,
    /// What the system said of it.
    pub reason: String,
}

/// More than any token, password or URL needs; a larger file is a mistake.
const MAX_SECRET_BYTES: u64 = 64 * 1024;

impl SecretSource {
    /// The secret; a file is read now.
    ///
    /// # Errors
    /// When the file is missing, unreadable, too large, not UTF-8 or empty.
    pub fn read(&self) -> Result<Secret, SecretError> {
        match self {
            Self::Inline(secret) => Ok(secret.clone()),
            Self::File(path) => read_file(path)
                .map_err(|reason| SecretError { path: path.display().to_string(), reason }),
        }
    }
}

fn read_file(path: &Path) -> Result<Secret, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > MAX_SECRET_BYTES {
        return Err(format!("it has {size} bytes, a secret has at most {MAX_SECRET_BYTES}"));
    }
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    match text.trim() {
        "" => Err("it is empty".to_string()),
        trimmed => Ok(Secret::new(trimmed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_in_no_form() {
        let source = SecretSource::Inline(Secret::new("hunter2"));
        assert!(!format!("{source:?}").contains("hunter2"));
        assert_eq!(serde_json::to_string(&source).unwrap(), "\"<secret>\"");
        assert_eq!(source.read().unwrap().expose(), "hunter2");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = SecretSource::File("/nonexistent/token".into()).read().unwrap_err();
        assert!(error.to_string().contains("/nonexistent/token"), "{error}");
    }
}
