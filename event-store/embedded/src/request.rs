//! An append on its way from whoever asked to the one who writes.

use event_store_contract::{
    Appended, Expected, NewEvent, StoreError, StreamName,
    proof::{Hash, content_hash},
};
use tokio::sync::oneshot;

use crate::record::content_checksum;

/// An append on its way to the disk.
pub(crate) struct Request {
    pub(crate) stream: StreamName,
    pub(crate) expected: Expected,
    pub(crate) events: Vec<Prepared>,
    bytes: usize,
    pub(crate) answer: oneshot::Sender<Answer>,
}

pub(crate) type Answer = Result<Appended, StoreError>;

/// An event with what can be computed of it before its place is known.
pub(crate) struct Prepared {
    pub(crate) event: NewEvent,
    pub(crate) content: Hash,
    pub(crate) checksum: crc32fast::Hasher,
}

impl Request {
    /// Hashes the content: in the thread of whoever appends, so that the one writer need not.
    pub(crate) fn new(stream: &StreamName, expected: Expected, events: Vec<NewEvent>) -> (Self, oneshot::Receiver<Answer>) {
        let (answer, receiver) = oneshot::channel();
        let mut bytes = 0;
        let prepare = |event: NewEvent| {
            bytes += event.data.len() + event.metadata.len() + event.name.len();
            let content = content_hash(event.id, &event.name, &event.data, &event.metadata);
            let checksum = content_checksum(event.id, &event.name, &event.data, &event.metadata);
            Prepared {
                event,
                content,
                checksum,
            }
        };
        let events = events.into_iter().map(prepare).collect();
        (
            Self {
                stream: stream.clone(),
                expected,
                events,
                bytes,
                answer,
            },
            receiver,
        )
    }

    /// How many events it brings.
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// How many bytes they have.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn refuse(self, reason: StoreError) {
        // Whoever asked may have gone; that is its right.
        let _ = self.answer.send(Err(reason));
    }
}
