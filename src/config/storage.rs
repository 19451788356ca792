//! The section `storage`: where state lives and for how long history is kept.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::yaml::{Node, Reader};

/// Alertmanager's own default of `--data.retention`.
const DEFAULT_RETENTION: Duration = Duration::from_secs(120 * 3600);

/// Where state lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageConfig {
    /// The folder of the embedded store.
    pub path: PathBuf,
    /// For how long history is kept.
    pub retention: Duration,
}

impl StorageConfig {
    /// The folder `data` beside the configuration.
    pub(super) fn in_directory(directory: &Path) -> Self {
        Self { path: directory.join("data"), retention: DEFAULT_RETENTION }
    }

    pub(super) fn read(reader: &mut Reader, node: &Node, directory: &Path) -> Option<Self> {
        let mut fields = reader.mapping(node, "`storage`")?;
        fields.unsupported(reader, "postgres", "only the embedded store exists");
        let default = Self::in_directory(directory);
        let path = fields.string(reader, "path").filter(|path| !path.is_empty());
        let config = Self {
            path: path.map_or(default.path, |path| directory.join(path)),
            retention: fields.duration(reader, "retention").unwrap_or(default.retention),
        };
        fields.finish(reader);
        Some(config)
    }
}
