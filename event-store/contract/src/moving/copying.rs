//! Copying a log in its own order.

use std::collections::HashSet;

use crate::{
    Append, Appended, Direction, EventStore, Expected, Filter, MAX_EVENTS_PER_APPEND, NewEvent, Position, RecordedEvent,
    StoreError, StreamName,
    moving::{MoveError, Moved, Progress},
};

/// How many events are read at once, and so how many the copy holds at most.
pub(super) const EVENTS_PER_PAGE: usize = 1_000;
/// A single append has at most so many bytes, unless one event alone has more.
const MAX_RUN_BYTES: usize = 4 * 1024 * 1024;

/// Appends to different streams that are written together have at most so many bytes, unless one alone has more.
const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// What a copy did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Copied {
    /// Events that had to be written.
    pub written: u64,
    /// Events that an earlier part of the same move had written.
    pub stood: u64,
    /// The bytes of all of them.
    pub bytes: u64,
    /// Where the copy ended in the source's log.
    pub until: Option<Position>,
}

/// Copies what a filter lets through to the end of the source's log, in its order. May be stopped anywhere: the same copy
/// again finds where it was, and nothing is written twice.
pub async fn copy(
    from: &dyn EventStore,
    to: &dyn EventStore,
    filter: &Filter,
    progress: Progress<'_>,
) -> Result<Copied, MoveError> {
    let mut writer = Writer::new(to).await?;
    let mut after = None;
    loop {
        let page = from
            .read_all(after, EVENTS_PER_PAGE, filter)
            .await
            .map_err(MoveError::Source)?;
        after = page.position;
        writer.page(page.events).await?;
        progress(Moved {
            events: writer.copied.written + writer.copied.stood,
            bytes: writer.copied.bytes,
            position: after,
        });
        if page.end {
            return Ok(Copied {
                until: after,
                ..writer.copied
            });
        }
    }
}

/// Writes events with the revisions that they have.
pub(super) struct Writer<'a> {
    to: &'a dyn EventStore,
    /// An earlier part of the move may have written the next page already, or a part of it.
    may_stand: bool,
    pub(super) copied: Copied,
}

/// Events of one stream that follow each other.
struct Run {
    stream: StreamName,
    first: u64,
    events: Vec<NewEvent>,
    bytes: usize,
}

impl Run {
    fn last(&self) -> u64 {
        self.first + self.events.len() as u64 - 1
    }

    fn append(&self) -> Append {
        Append {
            stream: self.stream.clone(),
            expected: after(self.first),
            events: self.events.clone(),
        }
    }
}

impl<'a> Writer<'a> {
    pub(super) async fn new(to: &'a dyn EventStore) -> Result<Self, MoveError> {
        let head = to.head().await.map_err(MoveError::Target)?;
        Ok(Self {
            to,
            may_stand: head.is_some(),
            copied: Copied::default(),
        })
    }

    /// Writes the events of a page that are not there yet.
    pub(super) async fn page(&mut self, events: Vec<RecordedEvent>) -> Result<(), MoveError> {
        let count = events.len() as u64;
        // A copy keeps the order of the log, so whoever finds the last event of a page finds all before it.
        if let Some(last) = events.last()
            && self.may_stand
        {
            if self.stands(&last.stream, last.revision, last.id).await? {
                self.copied.stood += count;
                self.copied.bytes += events.iter().map(size).sum::<usize>() as u64;
                return Ok(());
            }
            self.may_stand = false;
            for run in runs(events) {
                self.run(run).await?;
            }
            return Ok(());
        }
        for batch in batches(runs(events)) {
            self.batch(batch).await?;
        }
        Ok(())
    }

    /// Writes runs of different streams, together if the store can.
    async fn batch(&mut self, batch: Vec<Run>) -> Result<(), MoveError> {
        let lasts: Vec<_> = batch.iter().map(Run::last).collect();
        match self.to.append_in_order(batch.iter().map(Run::append).collect()).await {
            Ok(appended) if appended.iter().map(|appended| appended.revision).eq(lasts) => {
                for run in &batch {
                    self.copied.written += run.events.len() as u64;
                    self.copied.bytes += run.bytes as u64;
                }
            }
            // One by one it is found out which of them does not fit.
            Ok(_) | Err(StoreError::WrongRevision { .. }) => {
                for run in batch {
                    self.run(run).await?;
                }
            }
            Err(error) => return Err(MoveError::Target(error)),
        }
        Ok(())
    }

    async fn stands(&self, stream: &StreamName, revision: u64, id: uuid::Uuid) -> Result<bool, MoveError> {
        let found = self
            .to
            .read_stream(stream, revision, Direction::Forwards, 1)
            .await
            .map_err(MoveError::Target)?;
        match found.first() {
            None => Ok(false),
            Some(found) if found.id == id => Ok(true),
            Some(found) => Err(MoveError::Diverged {
                stream: stream.clone(),
                revision,
                reason: format!("has {} {} and not the event {id}", found.name, found.id),
            }),
        }
    }

    async fn run(&mut self, run: Run) -> Result<(), MoveError> {
        let (count, last) = (run.events.len() as u64, run.last());
        self.copied.bytes += run.bytes as u64;
        let expected = after(run.first);
        let ids: Vec<_> = run.events.iter().map(|event| event.id).collect();
        let rest = match self.append(&run.stream, expected, run.events.clone(), last).await {
            Ok(()) => {
                self.copied.written += count;
                return Ok(());
            }
            Err(MoveError::Target(StoreError::WrongRevision { actual, .. })) => {
                // An earlier part of the move ended in the middle of this run.
                let stood = actual.filter(|actual| (run.first..last).contains(actual));
                let Some(stood) = stood else {
                    return Err(diverged(&run.stream, run.first, actual));
                };
                let written = usize::try_from(stood - run.first).unwrap_or(usize::MAX);
                if !self.stands(&run.stream, stood, ids[written]).await? {
                    return Err(diverged(&run.stream, run.first, actual));
                }
                written + 1
            }
            Err(other) => return Err(other),
        };
        self.copied.stood += rest as u64;
        self.copied.written += count - rest as u64;
        let events = run.events[rest..].to_vec();
        match self.append(&run.stream, after(run.first + rest as u64), events, last).await {
            Err(MoveError::Target(StoreError::WrongRevision { actual, .. })) => Err(diverged(&run.stream, run.first, actual)),
            done => done,
        }
    }

    async fn append(&self, stream: &StreamName, expected: Expected, events: Vec<NewEvent>, last: u64) -> Result<(), MoveError> {
        let Appended { revision, .. } = self.to.append(stream, expected, events).await.map_err(MoveError::Target)?;
        if revision == last {
            return Ok(());
        }
        Err(MoveError::Diverged {
            stream: stream.clone(),
            revision,
            reason: format!("took what has revision {last} in the source"),
        })
    }
}

fn after(first: u64) -> Expected {
    first.checked_sub(1).map_or(Expected::NoStream, Expected::Revision)
}

fn diverged(stream: &StreamName, first: u64, actual: Option<u64>) -> MoveError {
    match actual {
        None => MoveError::Beheaded {
            stream: stream.clone(),
            revision: first,
        },
        Some(actual) if actual.checked_add(1).is_some_and(|next| next < first) => MoveError::Diverged {
            stream: stream.clone(),
            revision: actual,
            reason: format!("ends, and the next event that the source has is {first}"),
        },
        Some(actual) => MoveError::Diverged {
            stream: stream.clone(),
            revision: first,
            reason: format!("has other events, and ends at {actual}"),
        },
    }
}

pub(super) fn size(event: &RecordedEvent) -> usize {
    event.name.len() + event.data.len() + event.metadata.len()
}

/// Runs that can be written together: each of another stream, and not too many bytes.
fn batches(runs: Vec<Run>) -> Vec<Vec<Run>> {
    let mut batches: Vec<Vec<Run>> = Vec::new();
    let (mut streams, mut bytes) = (HashSet::new(), 0);
    for run in runs {
        bytes += run.bytes;
        if !streams.insert(run.stream.clone()) || bytes > MAX_BATCH_BYTES || batches.is_empty() {
            batches.push(Vec::new());
            streams = HashSet::from([run.stream.clone()]);
            bytes = run.bytes;
        }
        if let Some(batch) = batches.last_mut() {
            batch.push(run);
        }
    }
    batches
}

fn runs(events: Vec<RecordedEvent>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for event in events {
        let bytes = size(&event);
        let goes_on = runs.last().is_some_and(|run| {
            run.stream == event.stream
                && run.first + run.events.len() as u64 == event.revision
                && run.bytes + bytes <= MAX_RUN_BYTES
                && run.events.len() < MAX_EVENTS_PER_APPEND
        });
        if !goes_on {
            runs.push(Run {
                stream: event.stream,
                first: event.revision,
                events: Vec::new(),
                bytes: 0,
            });
        }
        if let Some(run) = runs.last_mut() {
            run.bytes += bytes;
            run.events.push(NewEvent {
                id: event.id,
                name: event.name,
                data: event.data,
                metadata: event.metadata,
            });
        }
    }
    runs
}
