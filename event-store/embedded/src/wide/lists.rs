//! The file in which the store keeps lists of what was written.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
    sync::Arc,
};

use event_store_contract::{Direction, MAX_STREAM_NAME_BYTES, StoreError, StreamName};
use rusqlite::{Connection, OptionalExtension, params};

use super::{LINK_NAME, seen::Asked};
use crate::{
    interned::{KnownStreams, StreamNames},
    reader::{ReadError, is_damage, unreadable},
    record::{Broken, TOMBSTONE_NAME},
    removed::covers,
};

/// The version of the tables below; a file with another one is made anew.
const FORMAT: i32 = 1;
/// How many events are listed in one commit.
const EVENTS_PER_COMMIT: usize = 50_000;
/// The most names of lists that are kept in memory with their ends.
const MAX_KNOWN_LISTS: usize = 65_536;

const TABLES: &str = "
    CREATE TABLE progress (pos INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;
    INSERT INTO progress VALUES (0, x'');
    CREATE TABLE lists (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        length INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE entries (
        list_id INTEGER NOT NULL,
        number INTEGER NOT NULL,
        pos INTEGER NOT NULL,
        PRIMARY KEY (list_id, number)
    ) STRICT, WITHOUT ROWID;
";

/// The open file, and what is known of it.
pub(super) struct Lists {
    connection: Connection,
    /// The position of the last event that is listed.
    listed: u64,
    /// Number and length of each list.
    known: HashMap<Arc<str>, (i64, u64)>,
}

/// Why a list could not be read.
pub(super) enum ListError {
    /// The file of the lists.
    Lists(rusqlite::Error),
    /// The store.
    Store(StoreError),
}

impl From<rusqlite::Error> for ListError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Lists(error)
    }
}

impl From<StoreError> for ListError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a list holds of what was asked.
pub(super) struct Piece {
    /// The number of the last entry of the list.
    pub(super) last: u64,
    /// Numbers and positions.
    pub(super) entries: Vec<(u64, u64)>,
    pub(super) end: bool,
}

impl Lists {
    /// Opens the file; makes it anew if it is not there, or is not of this store.
    pub(super) fn open(path: &Path, store: &Connection) -> Result<Self, ListError> {
        if path.exists() {
            match Self::open_existing(path, store) {
                Ok(Some(lists)) => return Ok(lists),
                Ok(None) => {}
                Err(ListError::Lists(error)) if is_damage(&error) => {}
                Err(error) => return Err(error),
            }
            remove(path);
        }
        let connection = connect(path)?;
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {FORMAT}; COMMIT;"))?;
        Ok(Self {
            connection,
            listed: 0,
            known: HashMap::new(),
        })
    }

    fn open_existing(path: &Path, store: &Connection) -> Result<Option<Self>, ListError> {
        let connection = connect(path)?;
        if connection.pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0))? != FORMAT {
            return Ok(None);
        }
        let (listed, hash) = connection.query_row("SELECT pos, hash FROM progress", [], |row| {
            Ok((row.get::<_, u64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })?;
        let same = match hash_at(store, listed)? {
            _ if listed == 0 => true,
            Some(stands) => stands == hash,
            None => covers(store, listed, listed).map_err(|error| unreadable(&error, "the log", 0, listed))?,
        };
        Ok(same.then(|| Self {
            connection,
            listed,
            known: HashMap::new(),
        }))
    }

    /// Lists what was written since the last time.
    pub(super) fn catch_up(&mut self, store: &Connection, known: &KnownStreams) -> Result<(), ListError> {
        loop {
            let entries = entries_after(store, known, self.listed).map_err(|error| error.at("the log", 0, self.listed + 1))?;
            let Some(last) = entries.last() else { return Ok(()) };
            let (position, more) = (last.position, entries.len() == EVENTS_PER_COMMIT);
            let hash = hash_at(store, position)?.unwrap_or_default();
            if let Err(error) = self.add(&entries, &hash) {
                self.known.clear();
                self.connection.execute_batch("ROLLBACK").ok();
                return Err(error.into());
            }
            self.listed = position;
            if self.known.len() > MAX_KNOWN_LISTS {
                self.known.clear();
            }
            if !more {
                return Ok(());
            }
        }
    }

    fn add(&mut self, entries: &[Entry], hash: &[u8]) -> rusqlite::Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut grown: HashSet<Arc<str>> = HashSet::new();
        for entry in entries {
            for name in lists_of(entry).into_iter().flatten() {
                let (name, (list_id, length)) = self.list_to_grow(&name)?;
                self.connection
                    .prepare_cached("INSERT INTO entries (list_id, number, pos) VALUES (?, ?, ?)")?
                    .execute(params![list_id, length, entry.position])?;
                self.known.insert(name.clone(), (list_id, length + 1));
                grown.insert(name);
            }
        }
        let mut statement = self.connection.prepare_cached("UPDATE lists SET length = ?2 WHERE id = ?1")?;
        for name in grown {
            let (list_id, length) = self.known[&name];
            statement.execute(params![list_id, length])?;
        }
        self.connection
            .prepare_cached("UPDATE progress SET pos = ?, hash = ?")?
            .execute(params![entries.last().map_or(self.listed, |entry| entry.position), hash])?;
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// Number and length of a list; makes it if there is none.
    fn list_to_grow(&mut self, name: &str) -> rusqlite::Result<(Arc<str>, (i64, u64))> {
        if let Some((name, list)) = self.known.get_key_value(name) {
            return Ok((name.clone(), *list));
        }
        let list = if let Some(list) = self.list(name)? {
            list
        } else {
            self.connection
                .prepare_cached("INSERT INTO lists (name, length) VALUES (?, 0)")?
                .execute([name])?;
            (self.connection.last_insert_rowid(), 0)
        };
        Ok((name.into(), list))
    }

    /// Number and length of a list.
    pub(super) fn list(&self, name: &str) -> rusqlite::Result<Option<(i64, u64)>> {
        if let Some(list) = self.known.get(name) {
            return Ok(Some(*list));
        }
        self.connection
            .prepare_cached("SELECT id, length FROM lists WHERE name = ?1")?
            .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
    }

    pub(super) fn piece(&self, asked: &Asked<'_>, from: u64) -> rusqlite::Result<Option<Piece>> {
        let Some((list_id, length @ 1..)) = self.list(asked.stream.as_str())? else {
            return Ok(None);
        };
        let last = length - 1;
        let (sql, from) = match asked.direction {
            Direction::Forwards if from > last => ("", 0),
            Direction::Forwards => ("number >= ?2 ORDER BY number", from),
            Direction::Backwards => ("number <= ?2 ORDER BY number DESC", from.min(last)),
        };
        if sql.is_empty() {
            let entries = Vec::new();
            return Ok(Some(Piece {
                last,
                entries,
                end: true,
            }));
        }
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT number, pos FROM entries WHERE list_id = ?1 AND {sql} LIMIT ?3"
        ))?;
        let rows = statement.query_map(params![list_id, from, asked.limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let entries: Vec<(u64, u64)> = rows.collect::<Result<_, _>>()?;
        let end = match (entries.last(), asked.direction) {
            (None, _) => asked.limit > 0,
            (Some((number, _)), Direction::Forwards) => *number == last,
            (Some((number, _)), Direction::Backwards) => *number == 0,
        };
        Ok(Some(Piece { last, entries, end }))
    }
}

/// An event as far as the lists need it.
struct Entry {
    position: u64,
    revision: u64,
    stream: StreamName,
    name: String,
}

fn entries_after(store: &Connection, known: &KnownStreams, after: u64) -> Result<Vec<Entry>, ReadError> {
    let mut streams = StreamNames {
        connection: store,
        known,
        latest: None,
    };
    let mut statement =
        store.prepare_cached("SELECT pos, stream_id, rev, type FROM events WHERE pos > ?1 ORDER BY pos LIMIT ?2")?;
    let mut rows = statement.query(params![after, EVENTS_PER_COMMIT])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let (position, revision) = (row.get(0)?, row.get(2)?);
        let stream = streams.name(row.get(1)?)?.ok_or_else(|| Broken {
            position,
            revision,
            reason: "its stream has no name".into(),
        })?;
        entries.push(Entry {
            position,
            revision,
            stream,
            name: row.get(3)?,
        });
    }
    Ok(entries)
}

/// The lists that an event belongs to: of its category, of its name, of all streams if it begins one. What the system
/// says of itself has no category and is no stream of its users.
fn lists_of(entry: &Entry) -> [Option<String>; 3] {
    if entry.name == TOMBSTONE_NAME {
        return [None, None, None];
    }
    let stream = Some(entry.stream.as_str()).filter(|name| !name.starts_with('$'));
    let category = stream
        .and_then(|name| name.split_once('-'))
        .map(|(category, _)| format!("$ce-{category}"));
    let name = (entry.name != LINK_NAME).then(|| format!("$et-{}", entry.name));
    let begins = stream.filter(|_| entry.revision == 0).map(|_| "$streams".to_owned());
    [category, name, begins].map(|list| list.filter(|name| name.len() <= MAX_STREAM_NAME_BYTES))
}

fn hash_at(store: &Connection, position: u64) -> Result<Option<Vec<u8>>, ListError> {
    let read = || {
        store
            .prepare_cached("SELECT hash FROM events WHERE pos = ?1")?
            .query_row([position], |row| row.get(0))
            .optional()
    };
    read().map_err(|error| unreadable(&error, "the log", 0, position).into())
}

/// Whatever is lost here is made anew, so a commit need not wait for the disk.
fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}

pub(super) fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        // What is not there need not be removed; what cannot be removed shows when it is opened.
        let _ = fs::remove_file(file);
    }
}
