//! The SQLite file: its tables, and how connections to it are opened.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::OpenError;

/// The log, in the store's directory.
pub(crate) const FILE: &str = "events.sqlite";

/// Marks the file as ours (`ZhuL`), so that no other SQLite file is taken for a store.
const APPLICATION_ID: i32 = 0x5a68_754c;
/// The version of the tables below.
const FORMAT: i32 = 1;

/// How long a connection waits for another one; only a checkpoint at the very end of a process ever holds a lock that long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of pages that the writer's connection keeps.
const WRITER_CACHE_KIB: i64 = 16 * 1024;
/// The most bytes of pages that a reader's connection keeps; the operating system keeps the rest.
const READER_CACHE_KIB: i64 = 2 * 1024;
/// The most bytes of the file that a reader's connection looks at in place instead of copying its pages one by one.
const READER_MAP_BYTES: i64 = 256 * 1024 * 1024;

/// Fixed-width columns come first, so that a reader who skips an event does not walk over its bytes. There is no
/// `UNIQUE (event_id)`: ids are unique at their place only, and the index would halve the speed.
const TABLES: &str = "
    CREATE TABLE streams (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE events (
        pos INTEGER PRIMARY KEY,
        stream_id INTEGER NOT NULL,
        rev INTEGER NOT NULL,
        created INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        event_id BLOB NOT NULL,
        hash BLOB NOT NULL,
        type TEXT NOT NULL,
        meta BLOB NOT NULL,
        data BLOB NOT NULL,
        UNIQUE (stream_id, rev)
    ) STRICT;
";

/// The one connection that writes. Creates the tables if the file is new.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE))?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Before the first table: these two belong to the file. FULL makes every commit wait for the disk.
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Checkpoints have a thread of their own, see `checkpoint`.
    connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    keep_plans(&connection)?;
    if connection.pragma_query_value(None, "schema_version", |row| row.get::<_, i64>(0))? == 0 {
        let create = format!(
            "BEGIN IMMEDIATE; {TABLES} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}; COMMIT;"
        );
        connection.execute_batch(&create)?;
    }
    check(&connection, path)?;
    Ok(connection)
}

/// A connection that reads.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_ONLY))?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    keep_plans(&connection)?;
    connection.pragma_update_and_check(None, "mmap_size", READER_MAP_BYTES, |_| Ok(()))?;
    check(&connection, path)?;
    Ok(connection)
}

/// A connection is used by one thread at a time, so SQLite needs no lock of its own around it.
/// A statement is planned once: otherwise a new value in a range makes SQLite parse and plan it again, each time.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(|_| ())
}

fn flags(access: OpenFlags) -> OpenFlags {
    access | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn check(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    if pragma("application_id")? != APPLICATION_ID {
        return Err(OpenError::NotAStore { path: path.to_owned() });
    }
    match pragma("user_version")? {
        FORMAT => Ok(()),
        found => Err(OpenError::OtherFormat {
            path: path.to_owned(),
            found,
            known: FORMAT,
        }),
    }
}
