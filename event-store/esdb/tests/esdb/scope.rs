//! A part of a shared store that looks like a fresh store: only streams with a prefix of its own, which nobody sees.

use std::sync::Arc;

use async_trait::async_trait;
use event_store_contract::{
    Appended, Direction, EventStore, Expected, Filter, Follow, MAX_EVENTS_PER_READ, NewEvent, Page, Position, RecordedEvent,
    StoreError, StreamName,
    proof::{GENESIS, chain_hash, content_hash},
};

pub(crate) struct Scope {
    inner: Arc<dyn EventStore>,
    prefix: Arc<str>,
    /// Where the shared log was when the scope began.
    origin: Option<Position>,
}

impl Scope {
    pub(crate) async fn new(inner: Arc<dyn EventStore>, prefix: &str) -> Self {
        let origin = inner.head().await.unwrap();
        Self {
            inner,
            prefix: prefix.into(),
            origin,
        }
    }

    fn inside(&self, stream: &StreamName) -> StreamName {
        StreamName::new(format!("{}{stream}", self.prefix)).unwrap()
    }

    fn filter(&self, filter: &Filter) -> Filter {
        if filter.prefixes.is_empty() {
            return Filter::prefixes([&*self.prefix]);
        }
        Filter::prefixes(filter.prefixes.iter().map(|prefix| format!("{}{prefix}", self.prefix)))
    }
}

/// The page as the scope shows it. Links of the log are left away: they cover the name with its prefix.
fn shown(prefix: &str, mut page: Page) -> Page {
    for event in &mut page.events {
        event.stream = StreamName::new(event.stream.as_str().strip_prefix(prefix).unwrap()).unwrap();
        event.hash = None;
    }
    page
}

#[async_trait]
impl EventStore for Scope {
    async fn append(&self, stream: &StreamName, expected: Expected, events: Vec<NewEvent>) -> Result<Appended, StoreError> {
        let answer = self.inner.append(&self.inside(stream), expected, events).await;
        answer.map_err(|error| match error {
            StoreError::WrongRevision { expected, actual, .. } => StoreError::WrongRevision {
                stream: stream.clone(),
                expected,
                actual,
            },
            other => other,
        })
    }

    /// Proves the chain of the stream as it is, and gives the events the links that they would have without the prefix.
    async fn read_stream(
        &self,
        stream: &StreamName,
        from: u64,
        direction: Direction,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let inside = self.inside(stream);
        let asked = self.inner.read_stream(&inside, from, direction, limit).await?;
        let whole = self
            .inner
            .read_stream(&inside, 0, Direction::Forwards, MAX_EVENTS_PER_READ)
            .await?;
        let (mut inner, mut outer, mut links) = (GENESIS, GENESIS, Vec::new());
        for event in &whole {
            let content = content_hash(event.id, &event.name, &event.data, &event.metadata);
            inner = chain_hash(&inner, inside.as_str(), event.revision, &content);
            outer = chain_hash(&outer, stream.as_str(), event.revision, &content);
            assert_eq!(event.hash, Some(inner), "the chain holds");
            links.push((inner, outer));
        }
        let shown = asked.into_iter().map(|mut event| {
            let (inner, outer) = links[usize::try_from(event.revision).unwrap()];
            assert_eq!(event.hash, Some(inner), "the chain holds, wherever it is read from");
            event.stream = stream.clone();
            event.hash = Some(outer);
            event
        });
        Ok(shown.collect())
    }

    async fn read_all(&self, after: Option<Position>, limit: usize, filter: &Filter) -> Result<Page, StoreError> {
        let from = after.max(self.origin);
        let page = self.inner.read_all(from, limit, &self.filter(filter)).await?;
        let mut page = shown(&self.prefix, page);
        if page.end && page.events.is_empty() {
            // The end of this scope, wherever the shared log has come to.
            page.position = after.max(self.head().await?);
        } else if page.position == self.origin {
            page.position = after;
        }
        Ok(page)
    }

    async fn head(&self) -> Result<Option<Position>, StoreError> {
        let (mut head, mut after) = (None, self.origin);
        loop {
            let page = self.inner.read_all(after, 1_000, &self.filter(&Filter::all())).await?;
            head = page.events.last().map(|event| event.position).or(head);
            after = page.position;
            if page.end {
                return Ok(head);
            }
        }
    }

    async fn follow(&self, after: Option<Position>, filter: Filter) -> Result<Box<dyn Follow>, StoreError> {
        let inner = self.inner.follow(after.max(self.origin), self.filter(&filter)).await?;
        let prefix = self.prefix.clone();
        Ok(Box::new(ScopeFollow { inner, prefix }))
    }
}

struct ScopeFollow {
    inner: Box<dyn Follow>,
    prefix: Arc<str>,
}

#[async_trait]
impl Follow for ScopeFollow {
    async fn next(&mut self, limit: usize) -> Result<Page, StoreError> {
        Ok(shown(&self.prefix, self.inner.next(limit).await?))
    }
}
