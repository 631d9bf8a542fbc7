//! Reading page after page: the next one is read while the connection takes the last.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use event_store_contract::{Direction, StreamName};
use event_store_embedded::{EmbeddedStore, Life, LogFrom, Seen};
use futures_util::{Stream, StreamExt, stream};
use tokio::task::JoinHandle;
use tonic::Status;

use crate::{
    access::Sight,
    filter::Filter,
    protocol::event_store::client::{
        StreamIdentifier,
        streams::read_resp::{self, Content},
    },
    refusal,
    streams::{
        answer::Piece,
        frames::{self, Ids},
    },
};

/// Events of the first page, which is read on the spot: most readers want no more.
const FIRST_PAGE: usize = 64;
/// About so many bytes a page has, once it is known how large the events are.
const PAGE_BYTES: usize = 1024 * 1024;
/// However small or large the events are.
const MIN_PAGE: usize = 8;
const MAX_PAGE: usize = 4096;
/// The most events of the log that one page looks through.
const MAX_LOOKED_THROUGH: u64 = 50_000;
/// How many events KurrentDB reads at once. A reader who begins further than that before the first event that can be
/// seen is told where it is.
const FIRST_POSITION_WITHIN: u64 = 32;

/// Something that is read page after page.
pub(crate) trait Source: Send + Sync + 'static {
    /// A place to go on at.
    type At: Send + 'static;

    /// A page of at most so many events, on the calling thread.
    fn page(&self, at: Self::At, limit: usize, left: u64, is_first: bool) -> Result<Page<Self::At>, Status>;
}

/// A page, as it goes to the reader.
pub(crate) struct Page<At> {
    bytes: Bytes,
    events: u64,
    next: Option<At>,
}

/// What becomes of links on their way out.
#[derive(Clone)]
pub(crate) enum Links {
    /// They are shown.
    AsTheyAre,
    /// What they lead to is shown with them, as far as the reader may see it.
    Followed(Sight),
}

impl Links {
    pub(crate) fn are_followed(&self) -> bool {
        matches!(self, Self::Followed(_))
    }

    /// Takes out what the reader may not see.
    pub(crate) fn veil(&self, events: &mut [Seen]) -> Result<(), Status> {
        match self {
            Self::AsTheyAre => Ok(()),
            Self::Followed(sight) => sight.veil(events),
        }
    }
}

/// A stream that somebody reads.
pub(crate) struct StreamReading {
    pub(crate) store: EmbeddedStore,
    pub(crate) stream: StreamName,
    pub(crate) direction: Direction,
    pub(crate) links: Links,
    pub(crate) ids: Ids,
    /// Whether the reader knows the answers about the first and the last position.
    pub(crate) tells_positions: bool,
    pub(crate) now: DateTime<Utc>,
}

/// The whole log that somebody reads.
pub(crate) struct LogReading {
    pub(crate) store: EmbeddedStore,
    pub(crate) direction: Direction,
    pub(crate) filter: Filter,
    pub(crate) links: Links,
    pub(crate) ids: Ids,
    pub(crate) now: DateTime<Utc>,
}

/// All pages, as the pieces of an answer. The first one is read before there is an answer: a reading that fails at once is
/// answered with nothing but why, and clients see that in the call itself.
pub(crate) async fn pages<S: Source>(
    source: S,
    from: S::At,
    count: u64,
) -> Result<impl Stream<Item = Piece> + Send + 'static, Status> {
    let mut pages = Pages {
        source: Arc::new(source),
        next: (count > 0).then_some(from),
        left: count,
        limit: FIRST_PAGE,
        ahead: None,
        is_first: true,
        ended: false,
    };
    let first = match pages.next().await {
        Some(Piece::End(status)) => return Err(status),
        first => first,
    };
    let rest = stream::unfold(
        pages,
        |mut pages| async move { pages.next().await.map(|piece| (piece, pages)) },
    );
    Ok(stream::iter(first).chain(rest))
}

struct Pages<S: Source> {
    source: Arc<S>,
    next: Option<S::At>,
    left: u64,
    limit: usize,
    ahead: Option<JoinHandle<Result<Page<S::At>, Status>>>,
    is_first: bool,
    ended: bool,
}

impl<S: Source> Pages<S> {
    async fn next(&mut self) -> Option<Piece> {
        while !self.ended {
            let page = match (self.ahead.take(), self.next.take()) {
                (Some(ahead), _) => ahead
                    .await
                    .unwrap_or_else(|error| Err(Status::internal(format!("a reader failed: {error}")))),
                (None, Some(from)) => self.source.page(from, self.limit, self.left, self.is_first),
                (None, None) => break,
            };
            match page.map(|page| self.go_on(page)) {
                Ok(messages) if messages.is_empty() => {}
                Ok(messages) => return Some(Piece::Messages(messages)),
                Err(status) => {
                    self.ended = true;
                    return Some(Piece::End(status));
                }
            }
        }
        None
    }

    /// Sends for the page after this one.
    fn go_on(&mut self, page: Page<S::At>) -> Bytes {
        self.is_first = false;
        self.left = self.left.saturating_sub(page.events);
        let events = usize::try_from(page.events).unwrap_or(usize::MAX).max(1);
        self.limit = (PAGE_BYTES / (page.bytes.len() / events).max(1)).clamp(MIN_PAGE, MAX_PAGE);
        if let Some(next) = page.next {
            let (source, limit, left) = (self.source.clone(), self.limit, self.left);
            self.ahead = Some(tokio::task::spawn_blocking(move || source.page(next, limit, left, false)));
        }
        page.bytes
    }
}

impl Source for StreamReading {
    type At = u64;

    fn page(&self, from: u64, limit: usize, left: u64, is_first: bool) -> Result<Page<u64>, Status> {
        let limit = limit.min(usize::try_from(left).unwrap_or(usize::MAX));
        let mut seen = self
            .store
            .stream_as_seen(&self.stream, from, self.direction, limit, self.links.are_followed(), self.now)
            .map_err(|error| refusal::of_store(&error))?;
        self.links.veil(&mut seen.events)?;
        match seen.life {
            Life::Live => {}
            Life::Tombstoned => return Err(refusal::stream_deleted(self.stream.as_str())),
            Life::Missing | Life::SoftDeleted => return Ok(not_found(&self.stream)),
        }
        let mut bytes = BytesMut::new();
        if is_first && self.tells_positions && self.direction == Direction::Forwards {
            let window = FIRST_POSITION_WITHIN.min(left);
            if let Some(first) = seen.first
                && first > from
                && first - from >= window
            {
                bytes.extend_from_slice(&frames::content(Content::FirstStreamPosition(first)));
            }
        }
        let events = frames::events(&seen.events, self.ids);
        let next = match (seen.events.last().and_then(original), self.direction) {
            (Some(last), Direction::Forwards) => last.revision.checked_add(1),
            (Some(last), Direction::Backwards) => last.revision.checked_sub(1),
            (None, _) => None,
        };
        let count = seen.events.len() as u64;
        let next = next.filter(|_| !seen.end && count < left);
        if bytes.is_empty() && (next.is_some() || !self.tells_positions) {
            return Ok(Page {
                bytes: events,
                events: count,
                next,
            });
        }
        bytes.extend_from_slice(&events);
        if next.is_none()
            && self.tells_positions
            && let Some(last) = seen.last
        {
            bytes.extend_from_slice(&frames::content(Content::LastStreamPosition(last)));
        }
        Ok(Page {
            bytes: bytes.freeze(),
            events: count,
            next,
        })
    }
}

/// The event by whose place the reader goes on: the link, if one was followed.
pub(crate) fn original(seen: &Seen) -> Option<&event_store_contract::RecordedEvent> {
    seen.link.as_ref().or(seen.event.as_ref())
}

fn not_found<At>(stream: &StreamName) -> Page<At> {
    let identifier = StreamIdentifier {
        stream_name: stream.to_string().into(),
    };
    Page {
        bytes: frames::content(Content::StreamNotFound(read_resp::StreamNotFound {
            stream_identifier: Some(identifier),
        })),
        events: 0,
        next: None,
    }
}

impl Source for LogReading {
    type At = LogFrom;

    fn page(&self, from: LogFrom, limit: usize, left: u64, _is_first: bool) -> Result<Page<LogFrom>, Status> {
        let limit = limit.min(usize::try_from(left).unwrap_or(usize::MAX));
        let wants = |stream: &str, name: &str| self.filter.wants(stream, name);
        let mut page = self
            .store
            .log_as_seen(
                from,
                self.direction,
                limit,
                MAX_LOOKED_THROUGH,
                &wants,
                self.links.are_followed(),
                self.now,
            )
            .map_err(|error| refusal::of_store(&error))?;
        self.filter.holds()?;
        self.links.veil(&mut page.events)?;
        let events = page.events.len() as u64;
        let next = page.position.map(LogFrom::After).filter(|_| !page.end && events < left);
        Ok(Page {
            bytes: frames::events(&page.events, self.ids),
            events,
            next,
        })
    }
}
