//! What a group reads: the next events of its stream or of the log, and parked messages.

use std::{cell::Cell, sync::Arc};

use chrono::{DateTime, Utc};
use event_store_contract::{Direction, Position, RecordedEvent, StoreError, StreamName};
use event_store_embedded::{EmbeddedStore, LINK_NAME, Life, LogFrom, Seen};

use super::{group::Arrival, names::Source, settings::Strategy};
use crate::filter::Filter;

/// How many events of the log one read looks through, whatever the filter lets pass.
const LOOKED_THROUGH_PER_READ: u64 = 10_000;
/// The streams in which groups on the whole log keep their state. They are never delivered, and they do not count: a
/// checkpoint that calls for the next checkpoint would never end.
const STATE_OF_GROUPS_ON_ALL: &str = "$persistentsubscription-$all::";
/// By this property of an event's metadata messages belong together.
const CORRELATION: &str = "$correlationId";

/// What a group reads, and how.
pub(super) struct Reading {
    pub(super) source: Source,
    pub(super) filter: Option<Filter>,
    pub(super) resolve_links: bool,
    pub(super) strategy: Strategy,
}

/// A piece of the source.
pub(super) struct Batch {
    pub(super) arrivals: Vec<Arrival<Arc<Seen>>>,
    /// The place of the last event that was looked at.
    pub(super) through: Option<u64>,
    /// How many events the filter left out.
    pub(super) skipped: u64,
    /// The place with which to go on.
    pub(super) next: u64,
    /// There is nothing more for now.
    pub(super) end: bool,
}

/// Parked messages, placed by their revisions among the parked.
pub(super) struct ParkedBatch {
    pub(super) arrivals: Vec<Arrival<Arc<Seen>>>,
    /// The revision with which to go on; none, if there are no more.
    pub(super) next: Option<u64>,
}

/// Why a group cannot go on reading.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadingError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0}")]
    NeverAgain(String),
}

impl Reading {
    /// Up to `limit` events from a place on.
    pub(super) fn next(&self, store: &EmbeddedStore, from: u64, limit: usize, now: DateTime<Utc>) -> Result<Batch, ReadingError> {
        match &self.source {
            Source::Stream(stream) => self.next_of_stream(store, stream, from, limit, now),
            Source::All => self.next_of_all(store, from, limit, now),
        }
    }

    fn next_of_stream(
        &self,
        store: &EmbeddedStore,
        stream: &StreamName,
        from: u64,
        limit: usize,
        now: DateTime<Utc>,
    ) -> Result<Batch, ReadingError> {
        let page = store.stream_as_seen(stream, from, Direction::Forwards, limit, self.resolve_links, now)?;
        if page.life == Life::Tombstoned {
            return Err(ReadingError::NeverAgain(format!("Event stream '{stream}' is deleted.")));
        }
        let arrivals: Vec<_> = page.events.into_iter().filter_map(|seen| self.arrival(seen)).collect();
        let through = arrivals.last().map(|arrival| arrival.place);
        Ok(Batch {
            arrivals,
            through,
            skipped: 0,
            next: match through {
                Some(place) => place + 1,
                None if page.end => from,
                // All that a list had there was scavenged.
                None => from.saturating_add(limit as u64),
            },
            end: page.end,
        })
    }

    fn next_of_all(&self, store: &EmbeddedStore, from: u64, limit: usize, now: DateTime<Utc>) -> Result<Batch, ReadingError> {
        let everything = Filter::everything();
        let filter = self.filter.as_ref().unwrap_or(&everything);
        let skipped = Cell::new(0);
        let wants = |stream: &str, name: &str| {
            let wanted = filter.wants(stream, name);
            if !wanted && !stream.starts_with(STATE_OF_GROUPS_ON_ALL) {
                skipped.set(skipped.get() + 1);
            }
            wanted
        };
        let page = store.log_as_seen(
            LogFrom::At(Position(from)),
            Direction::Forwards,
            limit,
            LOOKED_THROUGH_PER_READ,
            &wants,
            self.resolve_links,
            now,
        )?;
        filter
            .holds()
            .map_err(|status| ReadingError::NeverAgain(status.message().into()))?;
        let through = page.position.map(|Position(position)| position);
        Ok(Batch {
            arrivals: page.events.into_iter().filter_map(|seen| self.arrival(seen)).collect(),
            through,
            skipped: skipped.get(),
            next: through.map_or(from, |place| place + 1),
            end: page.end,
        })
    }

    /// Up to `limit` parked messages from a revision on.
    pub(super) fn next_parked(
        &self,
        store: &EmbeddedStore,
        parked: &StreamName,
        from: u64,
        limit: usize,
        now: DateTime<Utc>,
    ) -> Result<ParkedBatch, ReadingError> {
        let page = store.stream_as_seen(parked, from, Direction::Forwards, limit, true, now)?;
        let of_parked = |seen: &Seen| seen.link.as_ref().or(seen.event.as_ref()).map(|event| event.revision);
        let next = page.events.last().and_then(of_parked).map(|revision| revision + 1);
        let arrivals = page
            .events
            .into_iter()
            // What leads to nothing any more is done.
            .filter(|seen| seen.event.is_some())
            .filter_map(|seen| {
                let place = of_parked(&seen)?;
                self.arrival(seen).map(|arrival| Arrival { place, ..arrival })
            })
            .collect();
        Ok(ParkedBatch {
            arrivals,
            next: next.filter(|_| !page.end),
        })
    }

    fn arrival(&self, seen: Seen) -> Option<Arrival<Arc<Seen>>> {
        let original = seen.link.as_ref().or(seen.event.as_ref())?;
        let id = original.id;
        let bytes = [&seen.event, &seen.link].into_iter().flatten().map(memory).sum();
        Some(Arrival {
            id,
            place: self.source.place(&seen)?,
            pin: pin(&seen, self.strategy),
            bytes,
            content: Arc::new(seen),
        })
    }
}

/// About what an event takes in memory.
fn memory(event: &RecordedEvent) -> usize {
    size_of::<RecordedEvent>() + event.name.len() + event.data.len() + event.metadata.len()
}

/// The hash of what pins a message to a consumer.
fn pin(seen: &Seen, strategy: Strategy) -> u32 {
    let Some(event) = seen.event.as_ref().or(seen.link.as_ref()) else {
        return 0;
    };
    if strategy == Strategy::PinnedByCorrelation
        && let Ok(metadata) = serde_json::from_slice::<serde_json::Value>(&event.metadata)
        && let Some(correlation) = metadata.get(CORRELATION).and_then(serde_json::Value::as_str)
    {
        return hash(correlation.as_bytes());
    }
    if !strategy.pins() {
        return 0;
    }
    // A link belongs to the stream that it leads to.
    let leads_to = std::str::from_utf8(&event.data).ok().and_then(|place| place.split_once('@'));
    match leads_to {
        Some((_, stream)) if &*event.name == LINK_NAME => hash(stream.as_bytes()),
        _ => hash(event.stream.as_str().as_bytes()),
    }
}

/// FNV-1a: the same on every machine and in every version.
fn hash(bytes: &[u8]) -> u32 {
    let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    bytes.iter().fold(0x811c_9dc5, step)
}
