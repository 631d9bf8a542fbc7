//! Comparing two logs, event by event.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
};

use crate::{
    EventStore, Filter, Position, RecordedEvent, StreamName,
    moving::{
        MoveError, Moved, Progress,
        copying::{EVENTS_PER_PAGE, size},
    },
    proof::{GENESIS, Hash, chain_hash, content_hash},
};

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Events that are the same on both sides, in the same order.
    pub events: u64,
    /// Streams that they belong to.
    pub streams: u64,
    /// The bytes of their names, data and metadata.
    pub bytes: u64,
    /// The first thing that is not the same; the comparison ended there.
    pub difference: Option<Difference>,
}

/// What is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The stream.
    pub stream: StreamName,
    /// The event's revision.
    pub revision: u64,
    /// What is the matter with it.
    pub kind: DifferenceKind,
}

/// In which way two logs differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DifferenceKind {
    /// The target ends before it.
    Missing,
    /// The target has it, and the source's log had ended.
    TooMuch,
    /// At the same place in the log, the target has another event.
    OtherEvent {
        /// Its stream.
        stream: StreamName,
        /// Its revision.
        revision: u64,
    },
    /// It is the same event, and a part of it is not the same.
    Part(&'static str),
    /// A revision is left out, or comes twice.
    Gap {
        /// The revision that should have come.
        expected: u64,
    },
    /// The link that this side keeps is not the one that follows from the events.
    Chain(&'static str),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stream, revision, kind } = self;
        write!(f, "{stream} revision {revision}: ")?;
        match kind {
            DifferenceKind::Missing => f.write_str("the target does not have it"),
            DifferenceKind::TooMuch => f.write_str("the target has it, the source does not"),
            DifferenceKind::OtherEvent { stream, revision } => {
                write!(f, "at this place of its log the target has {stream} revision {revision}")
            }
            DifferenceKind::Part(part) => write!(f, "its {part} is not the same"),
            DifferenceKind::Gap { expected } => write!(f, "revision {expected} should have come"),
            DifferenceKind::Chain(side) => write!(f, "the {side}'s hash chain does not hold here"),
        }
    }
}

/// Compares what a filter lets through, in the order of the logs, up to a position of the source (to its end, if none),
/// and computes the chain of every stream. It holds one link for each stream, about a hundred bytes.
pub async fn compare(
    from: &dyn EventStore,
    to: &dyn EventStore,
    filter: &Filter,
    until: Option<Position>,
    progress: Progress<'_>,
) -> Result<Comparison, MoveError> {
    let (mut source, mut target) = (Cursor::new(from, filter), Cursor::new(to, filter));
    let mut chains = Chains::default();
    let mut comparison = Comparison::default();
    loop {
        tokio::try_join!(async { source.fill().await.map_err(MoveError::Source) }, async {
            target.fill().await.map_err(MoveError::Target)
        },)?;
        loop {
            let is_over = source.is_over() || until.is_some() && source.peek().is_some_and(|event| Some(event.position) > until);
            if is_over {
                // What was appended to the target since is its own, unless the whole source was meant.
                comparison.difference = target
                    .peek()
                    .filter(|_| until.is_none())
                    .map(|event| at(event, DifferenceKind::TooMuch));
                if target.peek().is_none() && !target.is_over() {
                    break;
                }
                comparison.streams = chains.0.len() as u64;
                return Ok(comparison);
            }
            let Some(event) = source.peek() else { break };
            let difference = match target.peek() {
                Some(other) => differs(event, other).or_else(|| chains.follow(event, other)),
                None if target.is_over() => Some(at(event, DifferenceKind::Missing)),
                None => break,
            };
            if difference.is_some() {
                comparison.streams = chains.0.len() as u64;
                comparison.difference = difference;
                return Ok(comparison);
            }
            comparison.events += 1;
            comparison.bytes += size(event) as u64;
            source.events.pop_front();
            target.events.pop_front();
        }
        progress(Moved {
            events: comparison.events,
            bytes: comparison.bytes,
            position: source.after,
        });
    }
}

fn at(event: &RecordedEvent, kind: DifferenceKind) -> Difference {
    Difference {
        stream: event.stream.clone(),
        revision: event.revision,
        kind,
    }
}

fn differs(event: &RecordedEvent, other: &RecordedEvent) -> Option<Difference> {
    if event.stream != other.stream || event.revision != other.revision {
        let (stream, revision) = (other.stream.clone(), other.revision);
        return Some(at(event, DifferenceKind::OtherEvent { stream, revision }));
    }
    let part = match () {
        () if event.id != other.id => "id",
        () if event.name != other.name => "name",
        () if event.data != other.data => "data",
        () if event.metadata != other.metadata => "metadata",
        () => return None,
    };
    Some(at(event, DifferenceKind::Part(part)))
}

/// The last link of each stream.
#[derive(Default)]
struct Chains(HashMap<StreamName, (u64, Hash)>);

impl Chains {
    /// Goes on by one event, which is the same on both sides.
    fn follow(&mut self, event: &RecordedEvent, other: &RecordedEvent) -> Option<Difference> {
        let (next, previous) = self.0.get(&event.stream).copied().unwrap_or((0, GENESIS));
        if event.revision != next {
            return Some(at(event, DifferenceKind::Gap { expected: next }));
        }
        let link = link(&previous, event);
        let breaks = |hash: Option<Hash>| hash.is_some_and(|hash| hash != link);
        if breaks(event.hash) {
            return Some(at(event, DifferenceKind::Chain("source")));
        }
        if breaks(other.hash) {
            return Some(at(event, DifferenceKind::Chain("target")));
        }
        self.0.insert(event.stream.clone(), (next + 1, link));
        None
    }
}

/// The link that follows from an event and the link before it.
pub(super) fn link(previous: &Hash, event: &RecordedEvent) -> Hash {
    let content = content_hash(event.id, &event.name, &event.data, &event.metadata);
    chain_hash(previous, event.stream.as_str(), event.revision, &content)
}

/// A place in a log, and the next events there.
struct Cursor<'a> {
    store: &'a dyn EventStore,
    filter: &'a Filter,
    events: VecDeque<RecordedEvent>,
    after: Option<Position>,
    has_more: bool,
}

impl<'a> Cursor<'a> {
    fn new(store: &'a dyn EventStore, filter: &'a Filter) -> Self {
        Self {
            store,
            filter,
            events: VecDeque::new(),
            after: None,
            has_more: true,
        }
    }

    fn peek(&self) -> Option<&RecordedEvent> {
        self.events.front()
    }

    fn is_over(&self) -> bool {
        self.events.is_empty() && !self.has_more
    }

    async fn fill(&mut self) -> Result<(), crate::StoreError> {
        while self.events.is_empty() && self.has_more {
            let page = self.store.read_all(self.after, EVENTS_PER_PAGE, self.filter).await?;
            self.events = page.events.into();
            self.after = page.position;
            self.has_more = !page.end;
        }
        Ok(())
    }
}
