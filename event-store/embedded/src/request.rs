//! What is asked of the writer, on its way from whoever asked to the one who writes.

use event_store_contract::{
    Appended, Expected, NewEvent, StreamName,
    proof::{Hash, content_hash},
};
use tokio::sync::oneshot;

use crate::{
    record::content_checksum,
    wide::{Check, Draft, Refusal},
};

/// Something to be written, and who waits for it.
pub(crate) struct Request {
    pub(crate) asked: Asked,
    events: usize,
    bytes: usize,
    pub(crate) answer: oneshot::Sender<Answer>,
}

pub(crate) type Answer = Result<Answered, Refusal>;

/// What the writer can be asked.
pub(crate) enum Asked {
    Append(Part),
    Several { parts: Vec<Part>, checks: Vec<Check> },
    Delete { stream: StreamName, expected: Expected },
    Tombstone { stream: StreamName, expected: Expected },
}

/// What was written.
#[derive(Debug)]
pub(crate) enum Answered {
    One(Appended),
    /// As many as there were parts, and at least one.
    Several(Vec<Appended>),
}

impl Answered {
    pub(crate) fn last(&self) -> Appended {
        const NOTHING: Appended = Appended {
            revision: 0,
            position: event_store_contract::Position(0),
        };
        match self {
            Self::One(appended) => *appended,
            Self::Several(all) => all.last().copied().unwrap_or(NOTHING),
        }
    }

    pub(crate) fn all(self) -> Vec<Appended> {
        match self {
            Self::One(appended) => vec![appended],
            Self::Several(all) => all,
        }
    }
}

/// Events for one stream.
pub(crate) struct Part {
    pub(crate) stream: StreamName,
    pub(crate) expected: Expected,
    pub(crate) events: Vec<Prepared>,
    bytes: usize,
}

/// An event with what can be computed of it before its place is known.
pub(crate) struct Prepared {
    pub(crate) event: NewEvent,
    pub(crate) is_json: bool,
    pub(crate) content: Hash,
    pub(crate) checksum: crc32fast::Hasher,
}

impl Prepared {
    pub(crate) fn new(event: NewEvent, is_json: bool) -> Self {
        let content = content_hash(event.id, &event.name, &event.data, &event.metadata);
        let checksum = content_checksum(event.id, &event.name, &event.data, &event.metadata);
        Self {
            event,
            is_json,
            content,
            checksum,
        }
    }
}

impl Part {
    /// Hashes the content: in the thread of whoever appends, so that the one writer need not.
    pub(crate) fn new(stream: StreamName, expected: Expected, events: Vec<impl Into<Draft>>) -> Self {
        let mut bytes = 0;
        let prepare = |draft| {
            let Draft { event, is_json } = Into::into(draft);
            bytes += event.data.len() + event.metadata.len() + event.name.len();
            Prepared::new(event, is_json)
        };
        let events = events.into_iter().map(prepare).collect();
        Self {
            stream,
            expected,
            events,
            bytes,
        }
    }
}

impl Request {
    pub(crate) fn new(asked: Asked) -> (Self, oneshot::Receiver<Answer>) {
        let (answer, receiver) = oneshot::channel();
        let (events, bytes) = match &asked {
            Asked::Append(part) => (part.events.len(), part.bytes),
            Asked::Several { parts, .. } => parts.iter().fold((0, 0), |(events, bytes), part| {
                (events + part.events.len(), bytes + part.bytes)
            }),
            Asked::Delete { .. } | Asked::Tombstone { .. } => (1, 0),
        };
        let request = Self {
            asked,
            events,
            bytes,
            answer,
        };
        (request, receiver)
    }

    /// How many events it brings.
    pub(crate) fn len(&self) -> usize {
        self.events
    }

    /// How many bytes they have.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn refuse(self, reason: impl Into<Refusal>) {
        // Whoever asked may have gone; that is its right.
        let _ = self.answer.send(Err(reason.into()));
    }
}
