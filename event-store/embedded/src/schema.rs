//! The SQLite file: its tables, and how connections to it are opened.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use crate::OpenError;

/// The log, in the store's directory.
pub(crate) const FILE: &str = "events.sqlite";

/// Marks the file as ours (`ZhuL`), so that no other SQLite file is taken for a store.
const APPLICATION_ID: i32 = 0x5a68_754c;
/// The version of the tables below.
const FORMAT: i32 = 2;
/// The version before: without flags, and without anything that was removed.
const FORMAT_WITHOUT_FLAGS: i32 = 1;

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
        flags INTEGER NOT NULL DEFAULT 0,
        event_id BLOB NOT NULL,
        hash BLOB NOT NULL,
        type TEXT NOT NULL,
        meta BLOB NOT NULL,
        data BLOB NOT NULL,
        UNIQUE (stream_id, rev)
    ) STRICT;
";
/// What was taken out, so that nothing else can be missing unnoticed: ranges of positions that do not touch each other,
/// and where the chain of a stream begins whose first events are gone.
const REMOVED: &str = "
    CREATE TABLE removed (
        first INTEGER PRIMARY KEY,
        last INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE beginnings (
        stream_id INTEGER PRIMARY KEY,
        rev INTEGER NOT NULL,
        hash BLOB NOT NULL
    ) STRICT;
";
/// What an older file lacks, for a connection that only reads it.
const AS_IF_NEWER: &str = "
    CREATE TEMP VIEW events AS
        SELECT pos, stream_id, rev, created, crc, 0 AS flags, event_id, hash, type, meta, data FROM main.events;
    CREATE TEMP VIEW removed AS SELECT 0 AS first, 0 AS last WHERE 0;
    CREATE TEMP VIEW beginnings AS SELECT 0 AS stream_id, 0 AS rev, x'' AS hash WHERE 0;
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
            "BEGIN IMMEDIATE; {TABLES} {REMOVED} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}; COMMIT;"
        );
        connection.execute_batch(&create)?;
    }
    if check(&connection, path)? == FORMAT_WITHOUT_FLAGS {
        // Adds a column to the table's description; no row is rewritten.
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; ALTER TABLE events ADD COLUMN flags INTEGER NOT NULL DEFAULT 0; {REMOVED}
             PRAGMA user_version = {FORMAT}; COMMIT;"
        ))?;
    }
    Ok(connection)
}

/// A connection that reads.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    let connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_ONLY))?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    keep_plans(&connection)?;
    connection.pragma_update_and_check(None, "mmap_size", READER_MAP_BYTES, |_| Ok(()))?;
    if check(&connection, path)? == FORMAT_WITHOUT_FLAGS {
        connection.execute_batch(AS_IF_NEWER)?;
    }
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

/// The format of the file, if it is one of ours.
fn check(connection: &Connection, path: &Path) -> Result<i32, OpenError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    if pragma("application_id")? != APPLICATION_ID {
        return Err(OpenError::NotAStore { path: path.to_owned() });
    }
    match pragma("user_version")? {
        known @ (FORMAT | FORMAT_WITHOUT_FLAGS) => Ok(known),
        found => Err(OpenError::OtherFormat {
            path: path.to_owned(),
            found,
            known: FORMAT,
        }),
    }
}
