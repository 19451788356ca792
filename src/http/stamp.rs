//! Whether files have changed since they were read.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The state of files: when one has changed, vanished or come, another set is not equal to it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FileStamps(Vec<(PathBuf, Option<State>)>);

/// The third part tells a file from another one of the same size that was put in its place within
/// the clock's grain.
type State = (SystemTime, u64, u64);

impl FileStamps {
    /// The state that the files have now.
    pub fn of(paths: &[PathBuf]) -> Self {
        Self(paths.iter().map(|path| (path.clone(), state(path))).collect())
    }

    /// The same with more files.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        self.0.extend(more.0);
        self
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn state(path: &Path) -> Option<State> {
    let metadata = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    let place = std::os::unix::fs::MetadataExt::ino(&metadata);
    #[cfg(not(unix))]
    let place = 0;
    Some((metadata.modified().ok()?, metadata.len(), place))
}
