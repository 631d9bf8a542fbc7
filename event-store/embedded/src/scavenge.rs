//! Scavenging: what no reader is shown any more is taken out of the file, a little at a time, beside those who write.
//!
//! Of a stream only its first events are taken out, and never its last one. Where its chain then begins, and which
//! positions are gone, is noted in the same commit: so `verify` still tells when anything else is missing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use event_store_contract::{StoreError, StreamName, proof::Hash};
use rusqlite::{Connection, params};

use crate::{
    EmbeddedStore, elsewhere,
    group::Group,
    reader::{Readers, unreadable},
    record::TOMBSTONE_REVISION,
    removed::{Beginning, begin, note},
    wide::{StreamMetadata, Window, first_in, newest, subject},
};

/// The most events that are taken out in one commit: writers wait while it lasts.
const EVENTS_PER_COMMIT: usize = 256;
/// The most bytes of events that are taken out in one commit, unless one event alone has more.
const BYTES_PER_COMMIT: u64 = 2 * 1024 * 1024;
/// How long the writers have for themselves between two such commits.
const PAUSE: Duration = Duration::from_millis(1);
/// How many streams are looked at between two tellings of the progress.
const STREAMS_PER_STEP: usize = 1_000;

/// What to scavenge. Of streams that are kept whole nothing is taken out, nor of what was said about them.
#[derive(Debug, Clone)]
pub struct ScavengeOptions {
    /// The moment at which an event is too old or not.
    pub now: DateTime<Utc>,
    /// Whoever sets it stops the scavenge after its next commit.
    pub stop: Arc<AtomicBool>,
}

/// How far a scavenge has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScavengeProgress {
    /// Streams that were looked at.
    pub streams_looked_at: u64,
    /// Streams in the store when it began.
    pub of_streams: u64,
    /// Events that were taken out.
    pub events: u64,
}

/// What a scavenge has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScavengeReport {
    /// Streams of which something was taken out.
    pub streams: u64,
    /// Events that were taken out.
    pub events: u64,
    /// Bytes of their data and metadata.
    pub bytes: u64,
    /// Bytes of the file that are free now. The next events fill them; a backup leaves them out, so that a store restored
    /// from it is smaller.
    pub free_bytes: u64,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

impl EmbeddedStore {
    /// Takes out what readers are not shown any more: of deleted and truncated streams. Appends and reads go on
    /// meanwhile. One scavenge at a time; stopped or interrupted, the next one goes on where it was.
    pub async fn scavenge(
        &self,
        options: ScavengeOptions,
        progress: impl FnMut(ScavengeProgress) + Send + 'static,
    ) -> Result<ScavengeReport, StoreError> {
        let unavailable = |reason: &str| StoreError::Unavailable(reason.into());
        let Some(writing) = &self.0.writing else {
            return Err(unavailable("it was opened for reading only"));
        };
        let running = Running::begin(&writing.scavenging).ok_or_else(|| unavailable("a scavenge is running already"))?;
        let (readers, group) = (self.0.readers.clone(), writing.group.clone());
        elsewhere(move || {
            let _running = running;
            scavenge(&readers, &group, &options, progress)
        })
        .await
    }
}

/// Only one scavenge at a time has this.
struct Running(Arc<AtomicBool>);

impl Running {
    fn begin(flag: &Arc<AtomicBool>) -> Option<Self> {
        let begun = flag.compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire);
        begun.is_ok().then(|| Self(flag.clone()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

fn scavenge(
    readers: &Readers,
    group: &Group,
    options: &ScavengeOptions,
    mut progress: impl FnMut(ScavengeProgress),
) -> Result<ScavengeReport, StoreError> {
    let mut report = ScavengeReport::default();
    let told = |error: rusqlite::Error| unreadable(&error, "the log", 0, 0);
    let mut at = ScavengeProgress {
        of_streams: readers.with_connection(|connection| count_streams(connection).map_err(told))?,
        ..ScavengeProgress::default()
    };
    let mut after = 0;
    loop {
        let streams = readers.with_connection(|connection| streams_after(connection, after).map_err(told))?;
        let Some((last_id, _)) = streams.last() else { break };
        after = *last_id;
        for (stream_id, stream) in &streams {
            if options.stop.load(Ordering::Acquire) {
                report.stopped = true;
                break;
            }
            at.streams_looked_at += 1;
            let spoken_of = subject(stream.as_str()).unwrap_or(stream.as_str());
            if readers.metadatas.as_ref().is_some_and(|known| known.keeps_whole(spoken_of)) {
                continue;
            }
            let hidden = readers
                .with_connection(|connection| Ok(hidden_before(connection, *stream_id, stream, options.now)?.is_some()))?;
            if hidden {
                scavenge_stream(group, *stream_id, stream, options, &mut report)?;
            }
        }
        at.events = report.events;
        progress(at);
        if report.stopped {
            break;
        }
    }
    report.free_bytes = readers.with_connection(|connection| free_bytes(connection).map_err(told))?;
    Ok(report)
}

fn scavenge_stream(
    group: &Group,
    stream_id: i64,
    stream: &StreamName,
    options: &ScavengeOptions,
    report: &mut ScavengeReport,
) -> Result<(), StoreError> {
    let mut touched = false;
    loop {
        let taken = group.between_commits(|connection| take_out_some(connection, stream_id, stream, options.now))??;
        let Some(Taken { events, bytes }) = taken else { break };
        group.wrote(events, 0);
        touched = true;
        report.events += events as u64;
        report.bytes += bytes;
        if options.stop.load(Ordering::Acquire) {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    report.streams += u64::from(touched);
    Ok(())
}

/// What one commit took out.
struct Taken {
    events: usize,
    bytes: u64,
}

/// Takes out the first events of a stream that nobody is shown; none, if there are no such events.
fn take_out_some(
    connection: &mut Connection,
    stream_id: i64,
    stream: &StreamName,
    now: DateTime<Utc>,
) -> Result<Option<Taken>, StoreError> {
    let told = |error: rusqlite::Error| unreadable(&error, stream.as_str(), 0, 0);
    let transaction = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(told)?;
    // Asked again, for somebody may have brought the stream back.
    let Some(keep_from) = hidden_before(&transaction, stream_id, stream, now)? else {
        return Ok(None);
    };
    let taken = take_out(&transaction, stream_id, keep_from).map_err(told)?;
    transaction.commit().map_err(told)?;
    Ok(Some(taken))
}

fn take_out(connection: &Connection, stream_id: i64, keep_from: u64) -> rusqlite::Result<Taken> {
    let mut statement = connection.prepare_cached(
        "SELECT pos, rev, hash, length(data) + length(meta) FROM events WHERE stream_id = ?1 AND rev < ?2
         ORDER BY rev LIMIT ?3",
    )?;
    let mut rows = statement.query(params![stream_id, keep_from, EVENTS_PER_COMMIT])?;
    let mut positions: Vec<u64> = Vec::new();
    let mut bytes = 0;
    let mut last: Option<(u64, Hash)> = None;
    while let Some(row) = rows.next()? {
        positions.push(row.get(0)?);
        last = Some((row.get(1)?, row.get(2)?));
        bytes += row.get::<_, u64>(3)?;
        if bytes >= BYTES_PER_COMMIT {
            break;
        }
    }
    drop(rows);
    let events = positions.len();
    if let Some((last, hash)) = last {
        connection
            .prepare_cached("DELETE FROM events WHERE stream_id = ?1 AND rev <= ?2")?
            .execute(params![stream_id, last])?;
        let revision = connection
            .prepare_cached("SELECT min(rev) FROM events WHERE stream_id = ?1")?
            .query_row([stream_id], |row| row.get(0))?;
        begin(connection, stream_id, Beginning { revision, hash })?;
        note_all(connection, positions)?;
    }
    Ok(Taken { events, bytes })
}

fn note_all(connection: &Connection, mut positions: Vec<u64>) -> rusqlite::Result<()> {
    positions.sort_unstable();
    for range in positions.chunk_by(|one, next| one + 1 == *next) {
        if let [first, .., last] | [first @ last] = range {
            note(connection, *first, *last)?;
        }
    }
    Ok(())
}

/// The first revision of a stream that has to stay, if there are any before it.
fn hidden_before(
    connection: &Connection,
    stream_id: i64,
    stream: &StreamName,
    now: DateTime<Utc>,
) -> Result<Option<u64>, StoreError> {
    let told = |error: rusqlite::Error| unreadable(&error, stream.as_str(), 0, 0);
    let ends = connection
        .prepare_cached("SELECT min(rev), max(rev) FROM events WHERE stream_id = ?1")
        .and_then(|mut statement| {
            statement.query_row([stream_id], |row| {
                Ok((row.get::<_, Option<u64>>(0)?, row.get::<_, Option<u64>>(1)?))
            })
        })
        .map_err(told)?;
    let (Some(first), Some(last)) = ends else { return Ok(None) };
    if first == last {
        return Ok(None);
    }
    let keep_from = if last == TOMBSTONE_REVISION {
        last
    } else {
        let metadata = newest(connection, stream)?;
        if metadata.as_ref().is_some_and(StreamMetadata::deletes) {
            last
        } else {
            let window = Window::new(stream, metadata.as_ref(), last, now);
            first_in(connection, stream_id, window).map_err(told)?.unwrap_or(last)
        }
    };
    Ok((first < keep_from).then_some(keep_from))
}

fn count_streams(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT count(*) FROM streams", [], |row| row.get(0))
}

fn streams_after(connection: &Connection, after: i64) -> rusqlite::Result<Vec<(i64, StreamName)>> {
    let mut statement = connection.prepare_cached("SELECT id, name FROM streams WHERE id > ?1 ORDER BY id LIMIT ?2")?;
    let mut rows = statement.query(params![after, STREAMS_PER_STEP])?;
    let mut streams = Vec::new();
    while let Some(row) = rows.next()? {
        // A name that cannot be read is damage, which is left as it is.
        if let Ok(name) = StreamName::new(row.get_ref(1)?.as_str().unwrap_or_default()) {
            streams.push((row.get(0)?, name));
        }
    }
    Ok(streams)
}

fn free_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    Ok(pragma("freelist_count")? * pragma("page_size")?)
}
