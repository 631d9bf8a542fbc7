//! The streams that the store itself makes: lists of what was written, by category, by name of the event, of all streams.
//!
//! They live in a file of their own, which is brought up to the end of the log whenever one of them is read, and costs
//! who writes nothing. It can be thrown away at any time; then it is made anew.

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use bytes::Bytes;
use event_store_contract::{Direction, RecordedEvent, StoreError, StreamName};
use uuid::Uuid;

use super::{
    LINK_NAME, Life, Seen, SeenStream, StreamHead,
    lists::{ListError, Lists, Piece, remove},
    seen::Asked,
};
use crate::reader::{Readers, is_damage, lock};

/// The lists, in the store's directory.
const FILE: &str = "index.sqlite";
/// The lists of a store.
pub(crate) struct Index {
    path: PathBuf,
    /// Only the process that writes to the store keeps the lists.
    kept: bool,
    open: Mutex<Option<Lists>>,
}

impl Index {
    pub(crate) fn new(dir: &Path, kept: bool) -> Self {
        Self {
            path: dir.join(FILE),
            kept,
            open: Mutex::new(None),
        }
    }

    /// Lets the file go.
    pub(crate) fn close(&self) {
        *lock(&self.open) = None;
    }

    /// Where a list stands.
    pub(crate) fn head(&self, readers: &Readers, stream: &StreamName) -> Result<StreamHead, StoreError> {
        let length = self.with_lists(readers, |lists| Ok(lists.list(stream.as_str())?.map_or(0, |list| list.1)))?;
        Ok(StreamHead {
            life: if length > 0 { Life::Live } else { Life::Missing },
            last: length.checked_sub(1),
        })
    }

    /// A piece of a list. Not empty before its end: entries of scavenged events are passed over.
    pub(crate) fn read(&self, readers: &Readers, asked: &Asked<'_>) -> Result<SeenStream, StoreError> {
        let mut from = asked.from;
        loop {
            let piece = self.with_lists(readers, |lists| Ok(lists.piece(asked, from)?))?;
            let Some(Piece { last, entries, end }) = piece else {
                return Ok(SeenStream {
                    life: Life::Missing,
                    events: Vec::new(),
                    first: None,
                    last: None,
                    end: true,
                });
            };
            let reached = entries.last().map(|(number, _)| *number);
            let events = Self::events(readers, asked, entries)?;
            match (reached, asked.direction) {
                (Some(number), Direction::Forwards) if events.is_empty() && !end => from = number + 1,
                (Some(number), Direction::Backwards) if events.is_empty() && !end => from = number - 1,
                _ => {
                    return Ok(SeenStream {
                        life: Life::Live,
                        events,
                        first: Some(0),
                        last: Some(last),
                        end,
                    });
                }
            }
        }
    }

    /// What stands at these numbers and positions.
    fn events(readers: &Readers, asked: &Asked<'_>, entries: Vec<(u64, u64)>) -> Result<Vec<Seen>, StoreError> {
        readers.with(|reader| {
            let mut events = Vec::with_capacity(entries.len());
            for (number, position) in entries {
                // An event that was scavenged is in no list any more.
                let Some(event) = reader.at_position(position, &readers.streams)? else {
                    continue;
                };
                events.push(Seen {
                    event: Some(link(asked.stream, number, &event)),
                    is_json: false,
                    link: None,
                });
            }
            if asked.resolve_links {
                readers.follow_links(reader, &mut events, asked.now)?;
            }
            Ok(events)
        })
    }

    /// Works with the lists after they were brought up to the end of the log.
    fn with_lists<T>(&self, readers: &Readers, work: impl FnOnce(&mut Lists) -> Result<T, ListError>) -> Result<T, StoreError> {
        if !self.kept {
            let reason = "lists of events are kept by the process that writes to the store";
            return Err(StoreError::Unavailable(reason.into()));
        }
        let mut open = lock(&self.open);
        let answer = readers.with(|reader| {
            let opened = match open.take() {
                Some(lists) => Ok(lists),
                None => Lists::open(&self.path, &reader.connection),
            };
            Ok(opened.and_then(|lists| {
                let lists = open.insert(lists);
                lists.catch_up(&reader.connection, &readers.streams)?;
                work(lists)
            }))
        })?;
        answer.map_err(|error| match error {
            ListError::Store(error) => error,
            ListError::Lists(error) => {
                *open = None;
                if is_damage(&error) {
                    tracing::warn!(%error, "the lists of events are damaged; they are made anew");
                    remove(&self.path);
                }
                StoreError::Unavailable(format!("the lists of events: {error}"))
            }
        })
    }
}

/// The entry of a list, as an event that stands for another one.
fn link(list: &StreamName, number: u64, event: &RecordedEvent) -> RecordedEvent {
    let place = format!("{}@{}", event.revision, event.stream);
    RecordedEvent {
        // Always the same for the same entry.
        id: Uuid::new_v5(&event.id, list.as_str().as_bytes()),
        stream: list.clone(),
        revision: number,
        position: event.position,
        name: LINK_NAME.into(),
        data: Bytes::from(place),
        metadata: Bytes::from(format!(r#"{{"$causedBy":"{}"}}"#, event.id)),
        created: event.created,
        hash: None,
    }
}
