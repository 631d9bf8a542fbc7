//! Walking along the log, in either direction: what was taken out is passed over, what is missing is told.

use bytes::BytesMut;
use event_store_contract::{Direction, Filter, Page, Position, RecordedEvent, StoreError};

use crate::{
    interned::{KnownStreams, StreamNames},
    reader::{ReadError, Reader, Readers, recorded},
    record::{Broken, COLUMNS, Record},
    removed::covers,
};

/// The most events that one page looks through, whatever its filter lets pass.
pub(crate) const MAX_LOOKED_THROUGH: u64 = 100_000;
/// The most bytes in one page of the log; an event that goes over it is the page's last.
pub(crate) const MAX_PAGE_BYTES: usize = 64 * 1024 * 1024;
/// Readers of the whole log work through their blocks in order and let them go.
const PAGE_BLOCK_BYTES: usize = 256 * 1024;

/// A walk along the log.
pub(crate) struct Walk {
    /// Forwards: the position after which it begins. Backwards: the one before which it begins.
    pub(crate) from: u64,
    pub(crate) direction: Direction,
    pub(crate) limit: usize,
    pub(crate) max_looked_through: u64,
}

/// Where a walk came to.
pub(crate) struct Walked {
    /// The last position that was looked at; where it began, if none was.
    pub(crate) last: u64,
    pub(crate) looked_through: u64,
    pub(crate) end: bool,
}

impl Readers {
    /// Up to `limit` events of the whole log after a position, checksums verified.
    pub(crate) fn read_all(&self, after: Option<Position>, limit: usize, filter: &Filter) -> Result<Page, StoreError> {
        let start = after.unwrap_or_default().0;
        let mut page = Page {
            events: Vec::with_capacity(limit.min(1_024)),
            position: after,
            end: true,
        };
        let walk = Walk {
            from: start,
            direction: Direction::Forwards,
            limit,
            max_looked_through: MAX_LOOKED_THROUGH,
        };
        let walked = self.with(|reader| {
            let wants = |stream: &str, _: &str| filter.wants(stream);
            reader.walk(&walk, &self.streams, wants, |event, _| page.events.push(event))
        })?;
        page.end = walked.end;
        if walked.last > start {
            page.position = Some(Position(walked.last));
        }
        Ok(page)
    }
}

impl Reader {
    /// Walks along the log and hands over what is wanted, by stream and name, checksums verified, with whether it is JSON.
    pub(crate) fn walk(
        &mut self,
        walk: &Walk,
        known: &KnownStreams,
        wants: impl Fn(&str, &str) -> bool,
        mut take: impl FnMut(RecordedEvent, bool),
    ) -> Result<Walked, StoreError> {
        let Self { connection, event_names } = self;
        let mut walked = Walked {
            last: walk.from,
            looked_through: 0,
            end: true,
        };
        let (start, statement) = match walk.direction {
            Direction::Forwards => (i64::try_from(walk.from).ok(), "WHERE pos > ?1 ORDER BY pos"),
            Direction::Backwards => (
                Some(i64::try_from(walk.from).unwrap_or(i64::MAX)),
                "WHERE pos < ?1 ORDER BY pos DESC",
            ),
        };
        let Some(start) = start else {
            return Ok(walked);
        };
        let mut streams = StreamNames {
            connection,
            known,
            latest: None,
        };
        let mut block = BytesMut::new();
        let mut read = |walked: &mut Walked| -> Result<(), ReadError> {
            let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM events {statement}"))?;
            let mut rows = statement.query([start])?;
            let (mut taken, mut bytes) = (0, 0);
            while let Some(row) = rows.next()? {
                if taken >= walk.limit || walked.looked_through >= walk.max_looked_through || bytes >= MAX_PAGE_BYTES {
                    walked.end = false;
                    break;
                }
                let record = Record::of(row)?;
                let gap = match walk.direction {
                    Direction::Forwards => (walked.last + 1, record.position - 1),
                    Direction::Backwards => (record.position + 1, walked.last - 1),
                };
                if gap.0 <= gap.1 && !covers(connection, gap.0, gap.1)? {
                    let reason = format!("the events from position {} to {} are missing", gap.0, gap.1);
                    return Err(record.broken(reason).into());
                }
                let stream = streams
                    .name(record.stream_id)?
                    .ok_or_else(|| record.broken("its stream has no name"))?;
                if wants(stream.as_str(), record.name) {
                    record
                        .verify_checksum(stream.as_str())
                        .map_err(|broken| ReadError::In(stream.clone(), broken))?;
                    bytes += record.data.len() + record.metadata.len();
                    let is_json = record.is_json();
                    take(recorded(&record, stream, event_names, &mut block, PAGE_BLOCK_BYTES)?, is_json);
                    taken += 1;
                }
                walked.last = record.position;
                walked.looked_through += 1;
            }
            let before = walked.last.saturating_sub(1);
            if walked.end && walk.direction == Direction::Backwards && before > 0 && !covers(connection, 1, before)? {
                return Err(Broken {
                    position: before,
                    revision: 0,
                    reason: format!("the events from position 1 to {before} are missing"),
                }
                .into());
            }
            Ok(())
        };
        let outcome = read(&mut walked);
        outcome.map_err(|error| error.at("a stream that cannot be told", 0, walked.last + 1))?;
        Ok(walked)
    }
}
