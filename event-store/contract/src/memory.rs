//! A store in memory, for tests and as the model that the others are held against.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound, Utc};
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    Appended, Direction, EventStore, Expected, Filter, Follow, MAX_EVENTS_PER_READ, NewEvent, Page, Position, RecordedEvent,
    StoreError, StreamName, Verdict, check_limits, judge,
    proof::{self, GENESIS},
};

/// A store that forgets everything when it is dropped, and does all else as the contract says.
#[derive(Clone)]
pub struct MemoryStore {
    log: Arc<RwLock<Log>>,
    head: watch::Sender<u64>,
    clock: fn() -> DateTime<Utc>,
}

/// Positions are 1, 2, 3…: the event at position `p` is `events[p - 1]`.
#[derive(Default)]
struct Log {
    events: Vec<RecordedEvent>,
    streams: HashMap<StreamName, Stream>,
}

#[derive(Default)]
struct Stream {
    /// Where its events are in the log, by revision.
    places: Vec<usize>,
    /// The revision that last carried each id.
    ids: HashMap<Uuid, u64>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::with_clock(|| std::time::SystemTime::now().into())
    }

    /// An empty store that takes the time of recording from this clock.
    pub fn with_clock(clock: fn() -> DateTime<Utc>) -> Self {
        Self {
            log: Arc::default(),
            head: watch::Sender::new(0),
            clock,
        }
    }

    fn read<T>(&self, look: impl FnOnce(&Log) -> T) -> T {
        look(&self.log.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Log {
    fn append(
        &mut self,
        name: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
        now: DateTime<Utc>,
    ) -> Result<Appended, StoreError> {
        let stream = self.streams.get(name);
        let last = stream
            .and_then(|stream| stream.places.len().checked_sub(1))
            .map(|last| last as u64);
        let conflict = StoreError::WrongRevision {
            stream: name.clone(),
            expected,
            actual: last,
        };
        let same_again = match (judge(expected, last), stream) {
            (Verdict::Conflict, _) => return Err(conflict),
            (Verdict::Write, _) | (_, None) => None,
            (Verdict::Compare { from }, Some(stream)) => Some(self.compare(stream, from, &events).ok_or(conflict)?),
            (Verdict::Recall, Some(stream)) => {
                let known: Vec<u64> = events.iter().filter_map(|event| stream.ids.get(&event.id).copied()).collect();
                match known.last() {
                    None => None,
                    Some(last) if known.len() == events.len() => Some(*last),
                    Some(_) => return Err(conflict),
                }
            }
        };
        match same_again {
            Some(revision) => Ok(self.appended(name, revision)),
            None => Ok(self.write(name, events, now)),
        }
    }

    /// The revision of the last of these events, if they all stand from this revision on.
    fn compare(&self, stream: &Stream, from: u64, events: &[NewEvent]) -> Option<u64> {
        let from = usize::try_from(from).ok()?;
        let places = stream.places.get(from..from.checked_add(events.len())?)?;
        let same = places
            .iter()
            .zip(events)
            .all(|(place, event)| self.events[*place].id == event.id);
        same.then(|| (from + events.len() - 1) as u64)
    }

    fn appended(&self, name: &StreamName, revision: u64) -> Appended {
        let place = usize::try_from(revision)
            .ok()
            .and_then(|revision| self.streams.get(name)?.places.get(revision));
        let position = place.map(|place| self.events[*place].position).unwrap_or_default();
        Appended { revision, position }
    }

    fn write(&mut self, name: &StreamName, events: Vec<NewEvent>, now: DateTime<Utc>) -> Appended {
        let stream = self.streams.entry(name.clone()).or_default();
        let mut previous = stream
            .places
            .last()
            .and_then(|place| self.events[*place].hash)
            .unwrap_or(GENESIS);
        let mut appended = Appended {
            revision: 0,
            position: Position(0),
        };
        for NewEvent {
            id,
            name: event_name,
            data,
            metadata,
        } in events
        {
            let revision = stream.places.len() as u64;
            let content = proof::content_hash(id, &event_name, &data, &metadata);
            previous = proof::chain_hash(&previous, name.as_str(), revision, &content);
            stream.places.push(self.events.len());
            stream.ids.insert(id, revision);
            let position = Position(self.events.len() as u64 + 1);
            appended = Appended { revision, position };
            self.events.push(RecordedEvent {
                id,
                stream: name.clone(),
                revision,
                position,
                name: event_name,
                data,
                metadata,
                created: now.trunc_subsecs(6),
                hash: Some(previous),
            });
        }
        appended
    }

    fn stream(&self, name: &StreamName, from: u64, direction: Direction, limit: usize) -> Vec<RecordedEvent> {
        let places = self
            .streams
            .get(name)
            .map(|stream| stream.places.as_slice())
            .unwrap_or_default();
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let read = |place: &usize| self.events[*place].clone();
        match direction {
            Direction::Forwards => places.iter().skip(from).take(limit).map(read).collect(),
            Direction::Backwards => places[..places.len().min(from.saturating_add(1))]
                .iter()
                .rev()
                .take(limit)
                .map(read)
                .collect(),
        }
    }

    fn page(&self, after: Option<Position>, limit: usize, filter: &Filter) -> Page {
        let start = after
            .map_or(0, |position| usize::try_from(position.0).unwrap_or(usize::MAX))
            .min(self.events.len());
        let mut page = Page {
            events: Vec::new(),
            position: after,
            end: true,
        };
        for event in &self.events[start..] {
            if page.events.len() == limit {
                page.end = false;
                break;
            }
            page.position = Some(event.position);
            if filter.wants(event.stream.as_str()) {
                page.events.push(event.clone());
            }
        }
        page
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    async fn append(&self, stream: &StreamName, expected: Expected, events: Vec<NewEvent>) -> Result<Appended, StoreError> {
        check_limits(&events)?;
        let now = (self.clock)();
        let mut log = self.log.write().unwrap_or_else(PoisonError::into_inner);
        let appended = log.append(stream, expected, events, now)?;
        // Under the lock, so that the head never goes back.
        self.head.send_replace(log.events.len() as u64);
        Ok(appended)
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: u64,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        Ok(self.read(|log| log.stream(stream, from, direction, limit.min(MAX_EVENTS_PER_READ))))
    }

    async fn read_all(&self, after: Option<Position>, limit: usize, filter: &Filter) -> Result<Page, StoreError> {
        Ok(self.read(|log| log.page(after, limit.min(MAX_EVENTS_PER_READ), filter)))
    }

    async fn head(&self) -> Result<Option<Position>, StoreError> {
        Ok(self.read(|log| log.events.last().map(|event| event.position)))
    }

    async fn follow(&self, after: Option<Position>, filter: Filter) -> Result<Box<dyn Follow>, StoreError> {
        Ok(Box::new(MemoryFollow {
            log: self.log.clone(),
            head: self.head.subscribe(),
            after,
            filter,
        }))
    }
}

/// A cursor on the log, and the news of how long it is.
struct MemoryFollow {
    log: Arc<RwLock<Log>>,
    head: watch::Receiver<u64>,
    after: Option<Position>,
    filter: Filter,
}

#[async_trait]
impl Follow for MemoryFollow {
    async fn next(&mut self, limit: usize) -> Result<Page, StoreError> {
        let after = self.after.map_or(0, |position| position.0);
        let closed = |_| StoreError::Unavailable("it was closed".into());
        self.head.wait_for(|head| *head > after).await.map_err(closed)?;
        let log = self.log.read().unwrap_or_else(PoisonError::into_inner);
        let page = log.page(self.after, limit.clamp(1, MAX_EVENTS_PER_READ), &self.filter);
        self.after = page.position;
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_store_in_memory_passes_the_suite() {
        crate::suite::run_all(async || Arc::new(MemoryStore::new()) as Arc<dyn EventStore>).await;
    }
}
