//! The chain of a stream, which the protocol does not keep: computed from the stream's beginning whenever it is read.
//!
//! So that reading on does not read everything before again, some links of recently read streams are remembered. What
//! was remembered is held against what is read later: a history that is no longer what it was is damage.

use std::sync::{Mutex, PoisonError};

use event_store_contract::{
    Direction, MAX_EVENTS_PER_READ, RecordedEvent, StoreError, StreamName,
    proof::{GENESIS, Hash, chain_hash, content_hash},
};
use lru::LruCache;

use crate::{connection::Connection, reading};

/// Of each run of so many events of a stream, one link is remembered: so many are read again at most.
const EVENTS_PER_LINK: u64 = 256;
/// How many links are remembered, about 150 bytes each.
const MAX_LINKS: std::num::NonZeroUsize = std::num::NonZeroUsize::new(100_000).unwrap();

/// The links that are remembered.
pub(crate) struct Chain(Mutex<LruCache<(StreamName, u64), Link>>);

/// The hash of the event before this revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Link {
    next: u64,
    hash: Hash,
}

const BEGINNING: Link = Link { next: 0, hash: GENESIS };

impl Default for Chain {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(MAX_LINKS)))
    }
}

impl Chain {
    /// The last link known before or at this revision. A whole run without one ends the search: reading it is cheaper
    /// than looking through the runs of a stream that nobody read.
    fn nearest(&self, stream: &StreamName, revision: u64) -> Link {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let run = revision / EVENTS_PER_LINK;
        for run in (0..=run).rev() {
            match known.get(&(stream.clone(), run)) {
                Some(link) if link.next <= revision => return *link,
                Some(_later) => {}
                // Only the run asked for may not have been begun: the others were read through together.
                None if run < revision / EVENTS_PER_LINK => break,
                None => {}
            }
        }
        BEGINNING
    }

    /// Remembers a link. The same place with another hash is answered with the hash that was known.
    fn remember(&self, stream: &StreamName, link: Link) -> Result<(), Hash> {
        if link.next == 0 {
            return Ok(());
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let run = (stream.clone(), link.next / EVENTS_PER_LINK);
        match known.get(&run) {
            Some(other) if other.next == link.next && other.hash != link.hash => return Err(other.hash),
            Some(other) if other.next >= link.next => {}
            _ => {
                known.put(run, link);
            }
        }
        Ok(())
    }
}

/// Walks along a stream from a known link, and gives each event its own.
struct Walk<'a> {
    chain: &'a Chain,
    stream: &'a StreamName,
    at: Link,
    /// The stream's beginning was cut off by its own metadata, so nobody can say what the chain is.
    is_cut: bool,
}

impl Walk<'_> {
    fn step(&mut self, event: &mut RecordedEvent) -> Result<(), StoreError> {
        if self.at == BEGINNING && event.revision > 0 {
            self.is_cut = true;
        }
        if self.is_cut {
            self.at.next = event.revision + 1;
            return Ok(());
        }
        if event.revision != self.at.next {
            return Err(damaged(event, format!("revision {} should follow", self.at.next)));
        }
        let content = content_hash(event.id, &event.name, &event.data, &event.metadata);
        self.at = Link {
            next: event.revision + 1,
            hash: chain_hash(&self.at.hash, self.stream.as_str(), event.revision, &content),
        };
        event.hash = Some(self.at.hash);
        if self.at.next.is_multiple_of(EVENTS_PER_LINK) {
            self.remember(event)?;
        }
        Ok(())
    }

    fn remember(&self, last: &RecordedEvent) -> Result<(), StoreError> {
        if self.is_cut {
            return Ok(());
        }
        self.chain
            .remember(self.stream, self.at)
            .map_err(|_| damaged(last, "its history is not the one that was read before".into()))
    }
}

fn damaged(event: &RecordedEvent, reason: String) -> StoreError {
    StoreError::Damaged {
        stream: event.stream.to_string(),
        revision: event.revision,
        position: event.position,
        reason,
    }
}

/// Events of a stream from `from` on, with their links.
pub(crate) async fn forwards(
    connection: &Connection,
    chain: &Chain,
    stream: &StreamName,
    from: u64,
    limit: usize,
) -> Result<Vec<RecordedEvent>, StoreError> {
    if limit == 0 || i64::try_from(from).is_err() {
        return Ok(Vec::new());
    }
    let mut walk = Walk {
        chain,
        stream,
        at: chain.nearest(stream, from),
        is_cut: false,
    };
    let mut wanted = Vec::new();
    while wanted.len() < limit {
        let before = usize::try_from(from.saturating_sub(walk.at.next)).unwrap_or(usize::MAX);
        let asked = before.saturating_add(limit - wanted.len()).min(MAX_EVENTS_PER_READ);
        let page = reading::stream(connection, stream, walk.at.next, Direction::Forwards, asked).await?;
        let read = page.len();
        let mut last = None;
        for mut event in page {
            walk.step(&mut event)?;
            if event.revision >= from {
                wanted.push(event);
            } else {
                last = Some(event);
            }
        }
        if let Some(last) = wanted.last().or(last.as_ref()) {
            walk.remember(last)?;
        }
        if read < asked {
            break;
        }
    }
    wanted.truncate(limit);
    Ok(wanted)
}

/// Events of a stream from `from` back, with their links.
pub(crate) async fn backwards(
    connection: &Connection,
    chain: &Chain,
    stream: &StreamName,
    from: u64,
    limit: usize,
) -> Result<Vec<RecordedEvent>, StoreError> {
    let mut events = reading::stream(connection, stream, from, Direction::Backwards, limit).await?;
    let Some(lowest) = events.last().map(|event| event.revision) else {
        return Ok(events);
    };
    let mut walk = Walk {
        chain,
        stream,
        at: chain.nearest(stream, lowest),
        is_cut: false,
    };
    // What stands before is only walked along.
    while walk.at.next < lowest {
        let before = usize::try_from(lowest - walk.at.next).unwrap_or(usize::MAX);
        let page = reading::stream(
            connection,
            stream,
            walk.at.next,
            Direction::Forwards,
            before.min(MAX_EVENTS_PER_READ),
        )
        .await?;
        let before = walk.at.next;
        for mut event in page.into_iter().filter(|event| event.revision < lowest) {
            walk.step(&mut event)?;
        }
        // A stream whose beginning was cut off answers with what comes after it.
        walk.is_cut |= walk.at.next == before;
        if walk.is_cut {
            break;
        }
    }
    for event in events.iter_mut().rev() {
        walk.step(event)?;
    }
    if let Some(newest) = events.first() {
        walk.remember(newest)?;
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(next: u64) -> Link {
        Link {
            next,
            hash: [u8::try_from(next % 251).unwrap_or_default(); 32],
        }
    }

    #[test]
    fn the_nearest_link_before_a_revision_is_found() {
        let (chain, stream) = (Chain::default(), StreamName::new("case-1").expect("a name"));
        assert_eq!(chain.nearest(&stream, 700), BEGINNING);
        for next in [256, 512, 600] {
            assert_eq!(chain.remember(&stream, link(next)), Ok(()));
        }
        assert_eq!(chain.nearest(&stream, 700), link(600));
        assert_eq!(chain.nearest(&stream, 600), link(600));
        assert_eq!(chain.nearest(&stream, 511), link(256));
        assert_eq!(chain.nearest(&stream, 255), BEGINNING);
        assert_eq!(chain.nearest(&StreamName::new("case-2").expect("a name"), 700), BEGINNING);
    }

    #[test]
    fn another_history_than_the_one_known_is_seen() {
        let (chain, stream) = (Chain::default(), StreamName::new("case-1").expect("a name"));
        assert_eq!(chain.remember(&stream, link(7)), Ok(()));
        let other = Link { next: 7, hash: [9; 32] };
        assert_eq!(chain.remember(&stream, other), Err(link(7).hash));
    }
}
