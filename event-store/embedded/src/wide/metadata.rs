//! What is said about a stream: the newest `$metadata` event of `$$stream`, and a memory of it that is never out of date.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use event_store_contract::{StoreError, StreamName};
use lru::LruCache;
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;

use crate::{
    reader::{ReadError, Readers, lock},
    record::{COLUMNS, Record, TOMBSTONE_REVISION},
};

/// The name of an event that says something about a stream.
pub const METADATA_NAME: &str = "$metadata";
/// What the name of a stream begins with that says something about another one.
const PREFIX: &str = "$$";
/// The value of `$tb` that deletes a stream.
pub(crate) const DELETED: u64 = TOMBSTONE_REVISION;
/// The most streams whose metadata are kept in memory.
const MAX_KNOWN: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");

/// What is said about a stream. A key that does not hold what it should is as if it were not there; only an `$acl` that
/// cannot be read lets nobody in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamMetadata {
    /// `$maxCount`: how many of the newest events can be seen.
    pub max_count: Option<u64>,
    /// `$maxAge`: how long an event can be seen.
    pub max_age: Option<Duration>,
    /// `$tb`: the first revision that can be seen.
    pub truncate_before: Option<u64>,
    /// `$cacheControl`: how long others may keep what they read.
    pub cache_control: Option<Duration>,
    /// `$acl`: who may do what.
    pub acl: Option<Acl>,
    /// The whole of it, as it was written.
    pub raw: Bytes,
    /// Its revision in `$$stream`.
    pub revision: u64,
}

/// Who may do what with a stream: names of users and groups. What is not said is as it is for all streams.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acl {
    /// `$r`
    pub read: Option<Vec<String>>,
    /// `$w`
    pub write: Option<Vec<String>>,
    /// `$d`
    pub delete: Option<Vec<String>>,
    /// `$mr`
    pub read_metadata: Option<Vec<String>>,
    /// `$mw`
    pub write_metadata: Option<Vec<String>>,
}

impl StreamMetadata {
    /// Reads what was written.
    pub fn parse(raw: Bytes, revision: u64) -> Self {
        let json: Value = serde_json::from_slice(&raw).unwrap_or_default();
        let number = |key| json.get(key).and_then(Value::as_u64);
        let positive = |key| number(key).filter(|number| *number > 0);
        Self {
            max_count: positive("$maxCount"),
            max_age: positive("$maxAge").map(Duration::from_secs),
            truncate_before: number("$tb"),
            cache_control: positive("$cacheControl").map(Duration::from_secs),
            acl: json.get("$acl").filter(|acl| !acl.is_null()).map(Acl::read),
            raw,
            revision,
        }
    }

    /// The same of a stream that is kept whole: it hides nothing of it.
    fn hiding_nothing(self) -> Self {
        Self {
            max_count: None,
            max_age: None,
            truncate_before: None,
            ..self
        }
    }

    /// Whether it deletes its stream.
    pub fn deletes(&self) -> bool {
        self.truncate_before == Some(DELETED)
    }

    /// The same, but with another first revision that can be seen.
    pub(crate) fn raw_with_truncate_before(&self, revision: u64) -> Bytes {
        let mut json = match serde_json::from_slice(&self.raw) {
            Ok(Value::Object(json)) => json,
            _ => serde_json::Map::new(),
        };
        json.insert("$tb".into(), revision.into());
        Value::Object(json).to_string().into()
    }
}

impl Acl {
    /// Reads a list. One that is no list at all lets nobody in.
    pub fn read(json: &Value) -> Self {
        let Value::Object(_) = json else {
            let nobody = || Some(Vec::new());
            return Self {
                read: nobody(),
                write: nobody(),
                delete: nobody(),
                read_metadata: nobody(),
                write_metadata: nobody(),
            };
        };
        let who = |key| match json.get(key)? {
            Value::Null => None,
            Value::String(one) => Some(vec![one.clone()]),
            Value::Array(several) => Some(several.iter().filter_map(Value::as_str).map(Into::into).collect()),
            _ => Some(Vec::new()),
        };
        Self {
            read: who("$r"),
            write: who("$w"),
            delete: who("$d"),
            read_metadata: who("$mr"),
            write_metadata: who("$mw"),
        }
    }
}

/// The stream that speaks of this one; none, if its name would be too long to exist.
pub(crate) fn metadata_stream(stream: &StreamName) -> Option<StreamName> {
    StreamName::new(format!("{PREFIX}{stream}")).ok()
}

/// The stream that this one speaks of.
pub(crate) fn subject(stream: &str) -> Option<&str> {
    stream.strip_prefix(PREFIX)
}

/// What is said about a stream, read from the file.
pub(crate) fn newest(connection: &Connection, stream: &StreamName) -> Result<Option<StreamMetadata>, StoreError> {
    let Some(name) = metadata_stream(stream) else {
        return Ok(None);
    };
    read_newest(connection, &name).map_err(|error| error.at(name.as_str(), 0, 0))
}

fn read_newest(connection: &Connection, name: &StreamName) -> Result<Option<StreamMetadata>, ReadError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM events WHERE stream_id = (SELECT id FROM streams WHERE name = ?1) ORDER BY rev DESC LIMIT 1"
    ))?;
    let mut rows = statement.query([name.as_str()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let record = Record::of(row)?;
    record.verify_checksum(name.as_str())?;
    Ok(Some(if record.name == METADATA_NAME {
        StreamMetadata::parse(Bytes::copy_from_slice(record.data), record.revision)
    } else {
        StreamMetadata {
            revision: record.revision,
            ..StreamMetadata::default()
        }
    }))
}

/// Whether any stream has metadata: most stores never do, and then nobody need look.
pub(crate) fn any(connection: &Connection) -> rusqlite::Result<bool> {
    // The names between `$$` and what follows it in order of bytes.
    let found = connection
        .prepare_cached("SELECT 1 FROM streams WHERE name >= '$$' AND name < '$%' LIMIT 1")?
        .query_row([], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// Which streams are kept whole, by their names.
pub type KeptWhole = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// What is known about streams, shared by the writer and the readers of one process.
pub(crate) struct Metadatas {
    kept_whole: OnceLock<KeptWhole>,
    any: AtomicBool,
    /// Counts the commits that changed any, so that nobody keeps what was read before one and is put here after it.
    changes: AtomicU64,
    known: Mutex<LruCache<StreamName, Option<Arc<StreamMetadata>>>>,
}

impl Metadatas {
    pub(crate) fn new() -> Self {
        Self {
            kept_whole: OnceLock::new(),
            any: AtomicBool::new(false),
            changes: AtomicU64::new(0),
            known: Mutex::new(LruCache::sparse(MAX_KNOWN)),
        }
    }

    /// From now on these streams are kept whole. Said once, before anybody asks.
    pub(crate) fn keep_whole(&self, which: KeptWhole) {
        if self.kept_whole.set(which).is_err() {
            tracing::warn!("which streams are kept whole was said before; that stays");
        }
        self.changes.fetch_add(1, Ordering::Release);
        lock(&self.known).clear();
    }

    /// Whether nothing of a stream may ever be hidden or taken out, whatever is said about it.
    pub(crate) fn keeps_whole(&self, stream: &str) -> bool {
        self.kept_whole.get().is_some_and(|kept_whole| kept_whole(stream))
    }

    /// What is said about a stream, read from the file, as far as it counts.
    pub(crate) fn newest(&self, connection: &Connection, stream: &StreamName) -> Result<Option<StreamMetadata>, StoreError> {
        let said = newest(connection, stream)?;
        if self.keeps_whole(stream.as_str()) {
            return Ok(said.map(StreamMetadata::hiding_nothing));
        }
        Ok(said)
    }

    /// Whether there can be any.
    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// The writer writes some, or has found some.
    pub(crate) fn expect_some(&self) {
        self.any.store(true, Ordering::Release);
    }

    /// These were changed by what has just been committed.
    pub(crate) fn changed(&self, streams: impl IntoIterator<Item = StreamName>) {
        let mut known = lock(&self.known);
        self.changes.fetch_add(1, Ordering::Release);
        for stream in streams {
            known.pop(&stream);
        }
    }

    fn get(
        &self,
        stream: &StreamName,
        read: impl FnOnce() -> Result<Option<StreamMetadata>, StoreError>,
    ) -> Result<Option<Arc<StreamMetadata>>, StoreError> {
        if !self.any() {
            return Ok(None);
        }
        if let Some(known) = lock(&self.known).get(stream) {
            return Ok(known.clone());
        }
        let changes = self.changes.load(Ordering::Acquire);
        let found = read()?.map(Arc::new);
        let mut known = lock(&self.known);
        if self.changes.load(Ordering::Acquire) == changes {
            known.put(stream.clone(), found.clone());
        }
        Ok(found)
    }
}

impl Readers {
    /// What is said about a stream.
    pub(crate) fn metadata(&self, stream: &StreamName) -> Result<Option<Arc<StreamMetadata>>, StoreError> {
        match &self.metadatas {
            Some(metadatas) => metadatas.get(stream, || {
                self.with_connection(|connection| metadatas.newest(connection, stream))
            }),
            // Another process writes, and tells nobody.
            None => Ok(self.with_connection(|connection| newest(connection, stream))?.map(Arc::new)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_that_make_no_sense_say_nothing_but_an_unreadable_acl_lets_nobody_in() {
        let parse = |raw: &'static str| StreamMetadata::parse(Bytes::from_static(raw.as_bytes()), 0);
        let usual = parse(r#"{"$maxCount":5,"$maxAge":60,"$tb":3,"$cacheControl":9,"$acl":{"$r":"$all","$w":["a","b"]}}"#);
        assert_eq!(
            (usual.max_count, usual.max_age, usual.truncate_before, usual.cache_control),
            (Some(5), Some(Duration::from_secs(60)), Some(3), Some(Duration::from_secs(9)))
        );
        let acl = usual.acl.expect("an ACL");
        assert_eq!(acl.read, Some(vec!["$all".to_owned()]));
        assert_eq!(acl.write.map(|who| who.len()), Some(2));
        assert_eq!(acl.delete, None);
        let odd = parse(r#"{"$maxCount":0,"$maxAge":-1,"$tb":"x","$acl":7}"#);
        assert_eq!((odd.max_count, odd.max_age, odd.truncate_before), (None, None, None));
        assert_eq!(odd.acl.expect("an ACL").read, Some(Vec::new()));
        assert_eq!(parse("no JSON").acl, None);
    }

    #[test]
    fn undeleting_keeps_the_other_keys() {
        let deleted = StreamMetadata::parse(Bytes::from_static(br#"{"$tb":9223372036854775807,"owner":"a"}"#), 4);
        assert!(deleted.deletes());
        assert_eq!(deleted.raw_with_truncate_before(7), r#"{"$tb":7,"owner":"a"}"#);
    }
}
