//! Reading the state of a folder in which nothing can be written, or whose file is damaged.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::storage::sqlite::{open, read, read_error};
use crate::storage::{Snapshot, StoreError};

/// Reads the current state without writing anything: what a full disk or a read-only folder
/// allows. A folder without a file holds nothing.
pub fn salvage(folder: &Path) -> Result<Snapshot, StoreError> {
    let path = open::file(folder);
    let is_unclean = open::is_unclean(folder);
    if matches!(path.try_exists(), Ok(false)) && folder.is_dir() && !is_unclean {
        return Ok(Snapshot::default());
    }
    let mut db = if is_unclean {
        open::to_read(folder)?
    } else {
        // Without this word SQLite would want to make its other files.
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let uri = format!("file:{}?immutable=1", escaped(&path));
        open::checked_to_read(folder, || Connection::open_with_flags(uri, flags))?
    };
    read::snapshot(&mut db).map_err(|error| read_error(folder, &error))
}

/// A path as it is written in a URI.
fn escaped(path: &Path) -> String {
    let mut text = String::new();
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}
