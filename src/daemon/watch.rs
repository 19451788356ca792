//! Notices that files have changed.
//!
//! Folders are watched, not files: editors replace files, and Kubernetes swaps a symbolic link in
//! the folder of a ConfigMap. What counts in the end is the content: an event that changes none is
//! ignored.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::config::Loaded;

/// How long files must have been quiet before they are read: several are often written together.
const QUIET: Duration = Duration::from_millis(500);

/// Watches the files of a configuration.
pub(super) struct FileWatch {
    events: mpsc::Receiver<()>,
    /// Keeps the watch alive; `None` where the system offers none.
    _watcher: Option<RecommendedWatcher>,
    /// The content that was last looked at.
    seen: Option<u64>,
}

impl FileWatch {
    /// Watches the folders of all files and patterns of a configuration. Where that fails, the
    /// other ways to reload remain, and the log says so.
    pub(super) fn new(loaded: &Loaded) -> Self {
        let (sender, events) = mpsc::channel(1);
        // What changed between reading the files and watching them is looked for once.
        let _ = sender.try_send(());
        let watcher = watch(loaded, sender);
        if let Err(error) = &watcher {
            tracing::warn!(%error, "files are not watched, reload by SIGHUP or POST /-/reload");
        }
        Self { events, _watcher: watcher.ok(), seen: None }
    }

    /// Waits until something has happened and files have been quiet since.
    pub(super) async fn changed(&mut self) {
        if self.events.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        while tokio::time::timeout(QUIET, self.events.recv()).await.is_ok_and(|e| e.is_some()) {}
    }

    /// Whether the files hold something else than what is loaded and what was looked at last.
    pub(super) fn differs(&self, loaded: &Loaded) -> bool {
        let now = loaded.present_hash();
        now != loaded.hash && self.seen != Some(now)
    }

    /// Remembers the present content, whatever comes of it.
    pub(super) fn seen(&mut self, loaded: &Loaded) {
        self.seen = Some(loaded.present_hash());
    }
}

fn watch(loaded: &Loaded, sender: mpsc::Sender<()>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let reads_only = event.is_ok_and(|event| event.kind.is_access());
        if !reads_only {
            // A full channel already holds the news.
            let _ = sender.try_send(());
        }
    })?;
    for folder in folders(loaded) {
        watcher.watch(&folder, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

/// The folders of all files, and the folder in which each pattern begins.
fn folders(loaded: &Loaded) -> BTreeSet<PathBuf> {
    let config = &loaded.config;
    let of_files = loaded.files.iter().filter_map(|file| file.parent()).map(Path::to_path_buf);
    let patterns = config.rule_files.iter().chain(&config.templates);
    let of_patterns = patterns.map(|pattern| config.directory.join(fixed_part(&pattern.pattern)));
    let here = |folder: PathBuf| if folder.as_os_str().is_empty() { ".".into() } else { folder };
    of_files.chain(of_patterns).map(here).filter(|folder| folder.is_dir()).collect()
}

/// The folders of a pattern up to its first special character.
fn fixed_part(pattern: &str) -> &Path {
    let special = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    let end = pattern.get(..special).and_then(|fixed| fixed.rfind('/')).unwrap_or(0);
    Path::new(pattern.get(..end).unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_begins_in_its_last_fixed_folder() {
        assert_eq!(fixed_part("rules/*.yaml"), Path::new("rules"));
        assert_eq!(fixed_part("notifiers/**/*.hbs"), Path::new("notifiers"));
        assert_eq!(fixed_part("rules/team-a/x.yaml"), Path::new("rules/team-a"));
        assert_eq!(fixed_part("*.yaml"), Path::new(""));
    }
}
