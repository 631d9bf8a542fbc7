//! States at their revisions, so that the next command need not read the stream again.

use std::{
    any::Any,
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex as PlainMutex, PoisonError},
};

use event_store_contract::{MAX_EVENTS_PER_APPEND, Position, RecordedEvent, StreamName};
use lru::LruCache;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{
    aggregate::Aggregate,
    envelope::{FailedCause, Receipt, event_id},
};

/// The most streams whose state is kept in memory: a case with its form is some 10 KB, so this is some 40 MB at most.
pub const MAX_CACHED_STREAMS: NonZeroUsize = NonZeroUsize::new(4_096).unwrap();

/// A stream as far as it is known: its state, and which events led to it.
pub(crate) struct Folded<D: Aggregate> {
    pub(crate) state: D::State,
    pub(crate) revision: Option<u64>,
    ids: HashMap<Uuid, (u64, Position)>,
}

impl<D: Aggregate> Default for Folded<D> {
    fn default() -> Self {
        Self {
            state: D::State::default(),
            revision: None,
            ids: HashMap::new(),
        }
    }
}

impl<D: Aggregate> Folded<D> {
    /// Folds in an event as it was read.
    pub(crate) fn take(&mut self, event: &RecordedEvent) -> Result<(), FailedCause> {
        let read = D::read(&event.name, &event.data).map_err(|cause| FailedCause::Unreadable {
            stream: event.stream.clone(),
            revision: event.revision,
            reason: cause.to_string(),
        })?;
        self.fold(&read, event.id, event.revision, event.position);
        Ok(())
    }

    /// Folds in an event of which we know where it stands.
    pub(crate) fn fold(&mut self, event: &D::Event, id: Uuid, revision: u64, position: Position) {
        D::evolve(&mut self.state, event);
        self.revision = Some(revision);
        self.ids.insert(id, (revision, position));
    }

    /// The first answer to a command that was executed before.
    pub(crate) fn answer_of_that_time(&self, command_id: Uuid, stream: &StreamName) -> Option<Receipt> {
        let event_ids: Vec<Uuid> = (0..MAX_EVENTS_PER_APPEND)
            .map(|index| event_id(command_id, index))
            .take_while(|id| self.ids.contains_key(id))
            .collect();
        let (revision, position) = *self.ids.get(event_ids.last()?)?;
        Some(Receipt {
            command_id,
            stream: stream.clone(),
            revision: Some(revision),
            position: Some(position),
            event_ids,
            repeated: true,
        })
    }

    /// The revision of the next event.
    pub(crate) fn next_revision(&self) -> u64 {
        self.revision.map_or(0, |revision| revision + 1)
    }
}

/// A place for a stream's state. Whoever holds it is the only one in this process who writes to the stream.
/// It is empty while a command runs: a command that was dropped half-way leaves nothing that might be wrong.
pub(crate) type Place<D> = Arc<Mutex<Option<Folded<D>>>>;

/// The streams used last.
pub(crate) struct Cache(PlainMutex<LruCache<StreamName, Arc<dyn Any + Send + Sync>>>);

impl Cache {
    pub(crate) fn new(streams: NonZeroUsize) -> Self {
        Self(PlainMutex::new(LruCache::new(streams)))
    }

    /// The place of a stream; a new one, if it has none.
    pub(crate) fn place<D: Aggregate>(&self, stream: &StreamName) -> Place<D> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(stream).and_then(|place| place.clone().downcast().ok()) {
            return place;
        }
        let place = Place::<D>::default();
        places.put(stream.clone(), place.clone());
        place
    }

    /// The place of a stream, if it has one; else one that nobody remembers.
    pub(crate) fn passing_place<D: Aggregate>(&self, stream: &StreamName) -> Place<D> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places
            .get(stream)
            .and_then(|place| place.clone().downcast().ok())
            .unwrap_or_default()
    }
}
