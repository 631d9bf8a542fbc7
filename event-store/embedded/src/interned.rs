//! Names that are read again and again, kept so that they are made once.

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex},
};

use event_store_contract::StreamName;
use lru::LruCache;
use rusqlite::{Connection, OptionalExtension};

use crate::reader::lock;

/// The most names of streams that are kept, so that a reader of the log need not look each one up.
pub(crate) const MAX_KNOWN_STREAMS: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");
/// The most names of events that a connection keeps. A bureau has some hundreds.
const MAX_KNOWN_EVENT_NAMES: usize = 4_096;
/// The names of events that a connection has met.
pub(crate) type EventNames = HashMap<Box<str>, Arc<str>>;

/// The names of streams that any connection has met, by their number in the file.
pub(crate) type KnownStreams = Mutex<LruCache<i64, StreamName>>;

pub(crate) fn stream_name(connection: &Connection, id: i64) -> rusqlite::Result<Option<StreamName>> {
    let mut statement = connection.prepare_cached("SELECT name FROM streams WHERE id = ?1")?;
    let name = statement.query_row([id], |row| {
        Ok(row.get_ref(0)?.as_str().ok().and_then(|name| StreamName::new(name).ok()))
    });
    Ok(name.optional()?.flatten())
}

/// The names of streams by their number in the file: events of one stream often stand together.
pub(crate) struct StreamNames<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) known: &'a KnownStreams,
    pub(crate) latest: Option<(i64, StreamName)>,
}

impl StreamNames<'_> {
    pub(crate) fn name(&mut self, id: i64) -> rusqlite::Result<Option<StreamName>> {
        if let Some((latest, name)) = &self.latest
            && *latest == id
        {
            return Ok(Some(name.clone()));
        }
        let known = lock(self.known).get(&id).cloned();
        let name = match known {
            Some(name) => name,
            None => match stream_name(self.connection, id)? {
                Some(name) => {
                    lock(self.known).put(id, name.clone());
                    name
                }
                None => return Ok(None),
            },
        };
        self.latest = Some((id, name.clone()));
        Ok(Some(name))
    }
}

pub(crate) fn event_name(name: &str, known: &mut EventNames) -> Arc<str> {
    if let Some(known) = known.get(name) {
        return known.clone();
    }
    let new: Arc<str> = name.into();
    if known.len() < MAX_KNOWN_EVENT_NAMES {
        known.insert(name.into(), new.clone());
    }
    new
}
