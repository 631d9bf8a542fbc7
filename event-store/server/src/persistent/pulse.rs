//! Whose stream has grown: one look at the log for all groups, so that a busy store wakes only those whom it concerns.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use event_store_contract::{Direction, Position, StoreError};
use event_store_embedded::{Committed, EmbeddedStore, LogFrom, is_virtual};
use tokio::sync::{Notify, watch};

use super::names::Source;

/// How many events one look goes over.
const EVENTS_PER_LOOK: u64 = 10_000;
/// After the log could not be read, it is tried again no sooner.
const AFTER_A_FAILURE: Duration = Duration::from_secs(1);

/// The streams on which there are groups, each with the way to wake them. What is sent is only ever more.
pub(super) struct Pulse {
    store: EmbeddedStore,
    streams: Mutex<HashMap<String, watch::Sender<u64>>>,
    begun: AtomicBool,
    end: Notify,
}

/// Tells a group that its source may have grown.
pub(super) enum News {
    /// It reads the whole log, or a list of it: it may have grown whenever the log has.
    OfLog(watch::Receiver<Committed>),
    OfStream(watch::Receiver<u64>),
}

impl News {
    /// Waits for the next news; false, if there will be none. Cancel-safe.
    pub(super) async fn next(&mut self) -> bool {
        match self {
            Self::OfLog(log) => log.changed().await.is_ok() && !log.borrow_and_update().closed,
            Self::OfStream(stream) => stream.changed().await.is_ok(),
        }
    }
}

impl Pulse {
    pub(super) fn new(store: EmbeddedStore) -> Self {
        Self {
            store,
            streams: Mutex::default(),
            begun: AtomicBool::new(false),
            end: Notify::new(),
        }
    }

    /// News of everything that is written from now on.
    pub(super) fn news_of(&self, source: &Source) -> News {
        match source {
            Source::Stream(stream) if !is_virtual(stream.as_str()) => {
                let mut streams = self.streams();
                let sender = streams.entry(stream.as_str().to_owned()).or_default();
                News::OfStream(sender.subscribe())
            }
            Source::Stream(_) | Source::All => News::OfLog(self.store.committed()),
        }
    }

    /// Begins to look at what is written, if that has not begun.
    pub(super) fn begin(self: &Arc<Self>, clock: fn() -> DateTime<Utc>) {
        if !self.begun.swap(true, Ordering::Relaxed) {
            tokio::spawn(self.clone().beat(clock));
        }
    }

    /// Looks no more.
    pub(super) fn end(&self) {
        self.end.notify_one();
    }

    async fn beat(self: Arc<Self>, clock: fn() -> DateTime<Utc>) {
        let mut log = self.store.committed();
        let mut seen = log.borrow().head;
        while !log.borrow_and_update().closed {
            let pulse = self.clone();
            let more;
            match tokio::task::spawn_blocking(move || pulse.look(seen, clock())).await {
                Ok(Ok(looked)) => (seen, more) = looked,
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the log could not be looked at for persistent subscriptions");
                    tokio::time::sleep(AFTER_A_FAILURE).await;
                    more = true;
                }
                // The runtime ends.
                Err(_) => break,
            }
            if more {
                continue;
            }
            tokio::select! {
                changed = log.changed() => if changed.is_err() { break },
                () = self.end.notified() => break,
            }
        }
        // There will be no news: whoever waits for some, ends.
        self.streams().clear();
    }

    /// Wakes those whose streams were written after a position; answers how far it looked, and whether there is more.
    fn look(&self, after: u64, now: DateTime<Utc>) -> Result<(u64, bool), StoreError> {
        // Looked at first: whoever comes after this reads what was written before.
        let head = self.store.committed().borrow().head;
        let nobody = {
            let mut streams = self.streams();
            streams.retain(|_, sender| sender.receiver_count() > 0);
            streams.is_empty()
        };
        if nobody {
            return Ok((head, false));
        }
        let wake = |stream: &str, _: &str| {
            if let Some(sender) = self.streams().get(stream) {
                sender.send_modify(|count| *count += 1);
            }
            false
        };
        let from = LogFrom::After(Position(after));
        let page = self
            .store
            .log_as_seen(from, Direction::Forwards, 1, EVENTS_PER_LOOK, &wake, false, now)?;
        let through = page.position.map_or(after, |Position(position)| position);
        Ok((through, !page.end))
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<u64>>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
