//! Walking along the log, in either direction: what was taken out is passed over, what is missing is told.

use std::sync::Arc;

use bytes::BytesMut;
use event_store_contract::{Direction, Filter, Page, Position, RecordedEvent, StoreError};

use crate::{
    elsewhere,
    interned::{KnownStreams, StreamNames},
    reader::{ReadError, Reader, Readers, recorded, unreadable},
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
    /// Forwards: the last position that it comes to.
    pub(crate) to: u64,
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
        self.read_up_to(after, u64::MAX, limit, filter)
    }

    fn read_up_to(&self, after: Option<Position>, to: u64, limit: usize, filter: &Filter) -> Result<Page, StoreError> {
        let start = after.unwrap_or_default().0;
        let mut page = Page {
            events: Vec::with_capacity(limit.min(1_024)),
            position: after,
            end: true,
        };
        let walk = Walk {
            from: start,
            to,
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

    /// Whether all positions between two were taken out, or there are none.
    fn nothing_between(&self, before: u64, after: u64) -> Result<bool, StoreError> {
        let (first, last) = (before + 1, after.saturating_sub(1));
        self.with_connection(|connection| {
            Ok(first > last || covers(connection, first, last).map_err(|error| unreadable(&error, "the log", 0, first))?)
        })
    }
}

/// A page of the whole log by two readers at once, half of it each: most of the work is in the checksums and the copying.
pub(crate) async fn read_all_in_halves(
    readers: &Arc<Readers>,
    after: Option<Position>,
    limit: usize,
) -> Result<Page, StoreError> {
    let middle = Position(after.unwrap_or_default().0.saturating_add(limit as u64 / 2));
    let second = {
        let readers = readers.clone();
        tokio::task::spawn_blocking(move || readers.read_all(Some(middle), limit - limit / 2, &Filter::all()))
    };
    let first = {
        let readers = readers.clone();
        elsewhere(move || readers.read_up_to(after, middle.0, limit / 2, &Filter::all())).await
    };
    let second = second
        .await
        .map_err(|error| StoreError::Unavailable(format!("a reader failed: {error}")))?;
    let mut page = first?;
    if !page.end {
        return Ok(page);
    }
    let second = second?;
    let Some(next) = second.events.first() else {
        page.end = second.end;
        return Ok(page);
    };
    if !readers.nothing_between(page.position.unwrap_or_default().0, next.position.0)? {
        // The log has grown between the two; or something is missing, which one reader alone can tell.
        let readers = readers.clone();
        return elsewhere(move || readers.read_all(after, limit, &Filter::all())).await;
    }
    page.events.extend(second.events);
    Ok(Page {
        events: page.events,
        position: second.position,
        end: second.end,
    })
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
        let column = |position| i64::try_from(position).unwrap_or(i64::MAX);
        // Forwards, nothing is after the greatest position that a column can hold.
        let (after, to, order) = match walk.direction {
            Direction::Forwards => (column(walk.from), column(walk.to), "ASC"),
            Direction::Backwards => (0, column(walk.from.saturating_sub(1)), "DESC"),
        };
        let mut streams = StreamNames {
            connection,
            known,
            latest: None,
        };
        let mut block = BytesMut::new();
        let mut read = |walked: &mut Walked| -> Result<(), ReadError> {
            let mut statement = connection.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM events WHERE pos > ?1 AND pos <= ?2 ORDER BY pos {order}"
            ))?;
            let mut rows = statement.query([after, to])?;
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
