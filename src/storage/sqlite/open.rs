//! Opening a folder: ownership, checks, migrations.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::storage::StoreError;
use crate::storage::sqlite::{is_damage, wal};

/// The migrations in their order; the file's `user_version` says how many it has had. A released
/// one never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_state_and_history.sql"),
    include_str!("migrations/0002_silence.sql"),
    include_str!("migrations/0003_known_alerts.sql"),
    include_str!("migrations/0004_unlearned_outcomes.sql"),
    include_str!("migrations/0005_collected_runs.sql"),
];

/// Files up to this size are checked as they are opened, which takes a fraction of a second.
const CHEAP_CHECK: u64 = 64 << 20;

/// The file that holds the data.
pub fn file(folder: &Path) -> PathBuf {
    folder.join("watchbell.db")
}

/// Whether the last owner was killed: what it committed last is not in the file yet.
pub fn is_unclean(folder: &Path) -> bool {
    size(&wal_file(folder)) > 0
}

fn wal_file(folder: &Path) -> PathBuf {
    folder.join("watchbell.db-wal")
}

/// A folder that this process owns, with its file open.
pub struct Owned {
    /// The connection that writes.
    pub db: Connection,
    /// Which file that connection has open.
    pub file: FileIdentity,
    /// The last owner was killed, and the file is too large to be checked while a start waits for
    /// it: [`check`] has to pass before anything is written.
    pub unchecked: bool,
    folder: PathBuf,
    place: FileIdentity,
    /// Free once it is dropped, or once the process is gone. After the connection, so that the
    /// next owner never meets it.
    pub lock: Lock,
}

/// Opens a folder to write in.
pub fn own(folder: &Path) -> Result<Owned, StoreError> {
    own_with(folder, Lock::take(folder)?).map_err(|(_, error)| error)
}

/// The same with the lock in hand, which is given back where it fails. A file that is damaged is
/// left as it is.
pub fn own_with(folder: &Path, lock: Lock) -> Result<Owned, (Lock, StoreError)> {
    match open_file(folder) {
        Ok(Opened { db, unchecked, file, place }) => {
            Ok(Owned { db, file, unchecked, folder: folder.into(), place, lock })
        }
        Err(error) => Err((lock, error)),
    }
}

impl Owned {
    /// Writes the file anew, after someone has deleted it: as long as it is open, everything is
    /// still there. Nothing is written where the folder itself has gone or has been replaced.
    pub fn restore(&mut self) -> Result<(), String> {
        let said = |error: &dyn std::fmt::Display| format!("it has been deleted: {error}");
        let place = FileIdentity::of(&self.folder).map_err(|e| e.to_string())?;
        if place != self.place {
            return Err("another folder has taken its place".to_string());
        }
        let new = new_file(&self.folder).map_err(|e| said(&e))?;
        let name = new.to_string_lossy();
        self.db.execute("VACUUM INTO ?1", [&*name]).map_err(|e| said(&e))?;
        // It deletes its log by name as it is closed, so that has to be before there is another.
        self.db = Connection::open_in_memory().map_err(|e| said(&e))?;
        // It is left behind where its file is gone, and all of it is in the new one.
        match std::fs::remove_file(wal_file(&self.folder)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(said(&error)),
            _ => {}
        }
        take_name(&self.folder, &new).map_err(|e| said(&e))?;
        let opened = open_file(&self.folder).map_err(|e| said(&e))?;
        (self.db, self.file) = (opened.db, opened.file);
        tracing::warn!(folder = %self.folder.display(), "the store was deleted and has been written anew");
        Ok(())
    }
}

/// An opened file, which file that is, and in which folder.
struct Opened {
    db: Connection,
    unchecked: bool,
    file: FileIdentity,
    place: FileIdentity,
}

/// Opens the file of a folder.
fn open_file(folder: &Path) -> Result<Opened, StoreError> {
    let failed = |error: std::io::Error| open_error(folder, error.to_string());
    let path = file(folder);
    if !path.try_exists().map_err(failed)? {
        create(folder)?;
    }
    let (db, unchecked) = prepare(folder, &path).map_err(|error| refused(folder, error))?;
    let file = FileIdentity::of(&path).map_err(failed)?;
    Ok(Opened { db, unchecked, file, place: FileIdentity::of(folder).map_err(failed)? })
}

/// Makes an empty store. It gets its name when it is whole, so that an empty file of that name is
/// always one that has lost what it held.
fn create(folder: &Path) -> Result<(), StoreError> {
    let failed = |error: std::io::Error| open_error(folder, error.to_string());
    if is_unclean(folder) {
        let reason = "it is gone, and its write-ahead log is still there".to_string();
        return Err(refused(folder, Refusal::Damaged(reason)));
    }
    let new = new_file(folder).map_err(failed)?;
    let make = || -> Result<(), Refusal> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        migrate(&mut Connection::open_with_flags(&new, flags)?)
    };
    make().map_err(|error| refused(folder, error))?;
    take_name(folder, &new).map_err(failed)
}

/// An empty file that becomes the store once it is whole.
fn new_file(folder: &Path) -> std::io::Result<PathBuf> {
    let new = folder.join("watchbell.db-new");
    // What a start that was cut short has left.
    for name in ["watchbell.db-new", "watchbell.db-new-journal", "watchbell.db-shm"] {
        match std::fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    // SQLite gives its other files the mode of this one.
    private_file(&new).map(|_| new)
}

/// Gives a whole file its name.
fn take_name(folder: &Path, new: &Path) -> std::io::Result<()> {
    std::fs::rename(new, file(folder))?;
    File::open(folder)?.sync_all()
}

/// Whether a folder holds a store of today's format.
pub fn is_current(folder: &Path) -> bool {
    size(&file(folder)) > 0 && to_read(folder).is_ok()
}

/// Opens a folder to read from.
pub fn to_read(folder: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    checked_to_read(folder, || Connection::open_with_flags(file(folder), flags))
}

/// A connection of which this program knows the format.
pub fn checked_to_read(
    folder: &Path,
    connect: impl FnOnce() -> rusqlite::Result<Connection>,
) -> Result<Connection, StoreError> {
    let open = || -> Result<Connection, Refusal> {
        let db = connect()?;
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

/// The connection, and whether the file is still to be checked.
fn prepare(folder: &Path, path: &Path) -> Result<(Connection, bool), Refusal> {
    let io = |error: std::io::Error| Refusal::Other(error.to_string());
    let unclean = is_unclean(folder);
    // SQLite would take it for a new one, and what is left of its log for worthless.
    if path.metadata().map_err(io)?.len() == 0 {
        return Err(Refusal::Damaged("it is empty".to_string()));
    }
    if let Some(damage) = wal::damage(&wal_file(folder)).map_err(io)? {
        return Err(Refusal::Damaged(damage));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    // Whoever wants to save what is in a damaged file finds it untouched.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // First, so that the file of a newer program is left as it is.
    let version = version(&db)?;
    // SQLite is content with less than was asked for, and would be so for ever.
    if db.is_readonly("main")? {
        return Err(Refusal::Other("the file can be read only".to_string()));
    }
    let is_cheap = size(path) <= CHEAP_CHECK;
    // A migration writes.
    let at_once = is_cheap || (unclean && version < newest());
    if at_once && let Some(damage) = check(&db)? {
        return Err(Refusal::Damaged(damage));
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
    let unchecked = unclean && !at_once;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, unchecked)?;
    Ok((db, unchecked))
}

fn newest() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// How many migrations the file has had.
fn version(db: &Connection) -> Result<u32, Refusal> {
    let version: u32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > newest() { Err(Refusal::Newer(version)) } else { Ok(version) }
}

/// Looks through the whole file; says what is damaged, if anything is.
pub fn check(db: &Connection) -> rusqlite::Result<Option<String>> {
    let found: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((found != "ok").then_some(found))
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
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Takes the lock on a folder, which is created where it is missing. One in which nothing can
    /// be written is locked too, where it has been used before.
    pub fn take(folder: &Path) -> Result<Self, StoreError> {
        let failed = |error: std::io::Error| open_error(folder, error.to_string());
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let path = folder.join("lock");
        let mut file = private_file(&path)
            .or_else(|error| File::open(&path).map_err(|_| error))
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked { path: folder.into(), owner: owner(&mut file) });
            }
        }
        // For whoever finds it taken; on a full disk he has to do without.
        let pid = format!("{}\n", std::process::id());
        let _ = file.set_len(0).and_then(|()| file.write_all(pid.as_bytes()));
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
