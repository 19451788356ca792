//! Opening a folder: ownership, checks, migrations.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::storage::StoreError;
use crate::storage::sqlite::is_damage;

/// The migrations in their order; the file's `user_version` says how many it has had. A released
/// one never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_state_and_history.sql"),
    include_str!("migrations/0002_silence.sql"),
    include_str!("migrations/0003_known_alerts.sql"),
];

/// Files up to this size are checked at every start, which takes a fraction of a second.
const CHEAP_CHECK: u64 = 64 << 20;

/// The file that holds the data.
pub fn file(folder: &Path) -> PathBuf {
    folder.join("watchbell.db")
}

/// A folder that this process owns.
pub struct Owned {
    /// The connection that writes.
    pub db: Connection,
    /// Which file that connection has open.
    pub file: FileIdentity,
    /// Free once it is dropped, or once the process is gone. After the connection, so that the
    /// next owner never meets it.
    _lock: Lock,
}

/// Opens a folder to write in.
pub fn own(folder: &Path) -> Result<Owned, StoreError> {
    let failed = |error: std::io::Error| open_error(folder, error.to_string());
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let lock = Lock::take(folder)?;
    let path = file(folder);
    // SQLite gives its other files the mode of this one.
    private_file(&path).map_err(failed)?;
    let unclean = size(&folder.join("watchbell.db-wal")) > 0;
    let db = prepare(&path, unclean).map_err(|error| refused(folder, error))?;
    let file = FileIdentity::of(&path).map_err(failed)?;
    Ok(Owned { db, file, _lock: lock })
}

/// Opens a folder to read from.
pub fn to_read(folder: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> Result<Connection, Refusal> {
        let db = Connection::open_with_flags(file(folder), flags)?;
        match version(&db)? {
            current if current == newest() => Ok(db),
            0 => Err(Refusal::Other("it holds no store yet".to_string())),
            old => Err(Refusal::Other(format!(
                "it has format {old}, which the daemon brings to {} at its next start",
                newest()
            ))),
        }
    };
    open().map_err(|error| refused(folder, error))
}

/// Why a file is not opened.
enum Refusal {
    Sqlite(rusqlite::Error),
    Newer(u32),
    Damaged(String),
    Other(String),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn refused(folder: &Path, refusal: Refusal) -> StoreError {
    let path = file(folder);
    match refusal {
        Refusal::Newer(found) => StoreError::Newer { path, found, known: newest() },
        Refusal::Damaged(reason) => StoreError::Corrupt { path, reason },
        Refusal::Sqlite(error) if is_damage(&error) => {
            StoreError::Corrupt { path, reason: error.to_string() }
        }
        Refusal::Sqlite(error) => open_error(folder, error.to_string()),
        Refusal::Other(reason) => open_error(folder, reason),
    }
}

fn open_error(folder: &Path, reason: String) -> StoreError {
    StoreError::Open { path: folder.into(), reason }
}

fn prepare(path: &Path, unclean: bool) -> Result<Connection, Refusal> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    // First, so that the file of a newer program is left as it is.
    version(&db)?;
    if unclean || size(path) <= CHEAP_CHECK {
        check(&db)?;
    }
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        let reason = format!("its file system allows no write-ahead log, only {mode:?}");
        return Err(Refusal::Other(reason));
    }
    // Every commit waits until the disk has it.
    db.pragma_update(None, "synchronous", "full")?;
    db.set_prepared_statement_cache_capacity(32);
    migrate(&mut db)?;
    Ok(db)
}

fn newest() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// How many migrations the file has had.
fn version(db: &Connection) -> Result<u32, Refusal> {
    let version: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > newest() { Err(Refusal::Newer(version)) } else { Ok(version) }
}

fn check(db: &Connection) -> Result<(), Refusal> {
    let found: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(Refusal::Damaged(found)) }
}

/// Brings the file to the newest format, one transaction for each step.
fn migrate(db: &mut Connection) -> Result<(), Refusal> {
    let done = version(db)?;
    for (number, sql) in (1u32..).zip(MIGRATIONS).filter(|(number, _)| *number > done) {
        let step = db.transaction()?;
        step.execute_batch(sql)?;
        step.pragma_update(None, "user_version", number)?;
        step.commit()?;
    }
    Ok(())
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |file| file.len())
}

/// Opens or creates a file that only its owner may read: alerts tell of a company's inside.
fn private_file(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Tells one file from another that later has its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    device: u64,
    inode: u64,
}

impl FileIdentity {
    /// The file that has a path now.
    pub fn of(path: &Path) -> std::io::Result<Self> {
        let file = path.metadata()?;
        Ok(Self { device: file.dev(), inode: file.ino() })
    }
}

/// The lock on a folder. The system frees it with the process, however that ends.
struct Lock(File);

impl Lock {
    fn take(folder: &Path) -> Result<Self, StoreError> {
        let failed = |error: std::io::Error| open_error(folder, error.to_string());
        let mut file = private_file(&folder.join("lock")).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked { path: folder.into(), owner: owner(&mut file) });
            }
        }
        let pid = format!("{}\n", std::process::id());
        file.set_len(0).and_then(|()| file.write_all(pid.as_bytes())).map_err(failed)?;
        Ok(Self(file))
    }
}

impl Drop for Lock {
    /// Leaves no stale number behind. The lock itself goes with the file.
    fn drop(&mut self) {
        let _ = self.0.set_len(0);
    }
}

/// What the owner wrote about itself; it may be at it right now.
fn owner(file: &mut File) -> String {
    let mut pid = String::new();
    match file.take(32).read_to_string(&mut pid) {
        Ok(_) if !pid.trim().is_empty() => format!("process {}", pid.trim()),
        _ => "its number is not known".to_string(),
    }
}
