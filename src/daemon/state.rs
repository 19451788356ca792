//! Whether the daemon is ready, and how its last reload went.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::config::ConfigError;
use crate::model::Timestamp;

/// Why a reload was refused. What ran before goes on.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The configuration has mistakes.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A glob pattern of `rule_files` that matched files before matches none.
    #[error("no file matches {0} any more: if that is meant, remove it from `rule_files`")]
    RulesGone(String),
    /// A setting has changed that cannot change while the program runs.
    #[error("`{0}` has changed, which needs a restart")]
    NeedsRestart(&'static str),
    /// Something that the configuration names cannot be used.
    #[error("{0}")]
    Start(String),
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    Stopping,
}

/// How the last reload went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastReload {
    /// When the configuration in use was loaded.
    pub succeeded_at: Option<Timestamp>,
    /// Why a newer one was refused, and when.
    pub refused: Option<(Timestamp, String)>,
}

/// What the API tells of the daemon itself.
#[derive(Debug, Default)]
pub struct DaemonState {
    started_at: Timestamp,
    ready: AtomicBool,
    reload: RwLock<LastReload>,
    own_host: RwLock<Option<Arc<str>>>,
}

impl DaemonState {
    pub(super) fn new(started_at: Timestamp) -> Self {
        Self { started_at, ..Self::default() }
    }

    /// When the daemon started.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Whether alerts are evaluated and delivered.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// How the last reload went.
    pub fn last_reload(&self) -> LastReload {
        self.reload.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The host of `external_url`, under which messages lead people here.
    pub fn own_host(&self) -> Option<Arc<str>> {
        self.own_host.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the host of an `external_url`; of an empty one there is none.
    pub fn set_external_url(&self, url: &str) {
        let url = url::Url::parse(url).ok();
        let host = url.as_ref().and_then(url::Url::host_str).map(Arc::from);
        *self.own_host.write().unwrap_or_else(PoisonError::into_inner) = host;
    }

    pub(super) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Relaxed);
    }

    pub(super) fn reload_succeeded(&self, at: Timestamp) {
        let mut reload = self.reload.write().unwrap_or_else(PoisonError::into_inner);
        *reload = LastReload { succeeded_at: Some(at), refused: None };
    }

    pub(super) fn reload_failed(&self, error: String, at: Timestamp) {
        let mut reload = self.reload.write().unwrap_or_else(PoisonError::into_inner);
        reload.refused = Some((at, error));
    }
}
