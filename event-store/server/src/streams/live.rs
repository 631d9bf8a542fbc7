//! The head of the log, read once for everybody who follows it.
//!
//! One task reads what is new and hands it to all subscriptions that have caught up. Whoever does not keep pace is let
//! go, and catches up again by reading the log itself: so nothing waits for the slowest, and nothing is lost.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use event_store_contract::{Direction, Position, RecordedEvent, StoreError, StreamName};
use event_store_embedded::{EmbeddedStore, LogFrom, Seen};
use tokio::sync::{mpsc, watch};

use crate::streams::frames::{self, Ids};

/// Pieces of news that wait for one subscription; one more, and it has to catch up by itself.
const MAX_WAITING: usize = 64;
/// The most events in one piece of news.
const MAX_NEWS: usize = 1024;
/// Up to so many new events are read on the spot: it takes less time than sending for another thread.
const MAX_READ_IN_PLACE: u64 = 128;

/// Who listens, and how far they have been told.
#[derive(Default)]
pub(crate) struct Live {
    listeners: Mutex<Listeners>,
}

#[derive(Default)]
struct Listeners {
    upto: u64,
    closed: bool,
    next_id: u64,
    all: HashMap<u64, mpsc::Sender<Heard>>,
    streams: HashMap<StreamName, HashMap<u64, mpsc::Sender<Heard>>>,
}

/// A piece of news.
#[derive(Clone)]
pub(crate) struct Heard {
    pub(crate) news: Arc<News>,
    /// Which of its events are of the listener's stream; all of them, if it listens to the whole log.
    pub(crate) which: Option<Arc<[usize]>>,
}

/// Events that were appended together, or one soon after the other.
pub(crate) struct News {
    /// The position before the first of them.
    pub(crate) after: u64,
    /// The position of the last of them.
    pub(crate) upto: u64,
    pub(crate) events: Vec<Fresh>,
    whole: [OnceLock<Bytes>; 2],
}

/// An event with its message, written when the first subscription asks for it.
pub(crate) struct Fresh {
    pub(crate) seen: Seen,
    message: [OnceLock<Bytes>; 2],
}

/// A place among the listeners; dropped, it is given up.
pub(crate) struct Hearing {
    live: Arc<Live>,
    id: u64,
    stream: Option<StreamName>,
    /// Everything after this position will be heard.
    pub(crate) upto: u64,
    heard: mpsc::Receiver<Heard>,
}

impl Live {
    /// Listens to the whole log, or to one stream. None, if the store was closed.
    pub(crate) fn join(self: &Arc<Self>, stream: Option<&StreamName>) -> Option<Hearing> {
        let (sender, heard) = mpsc::channel(MAX_WAITING);
        let mut listeners = self.lock();
        if listeners.closed {
            return None;
        }
        let id = listeners.next_id;
        listeners.next_id += 1;
        match stream {
            None => listeners.all.insert(id, sender),
            Some(stream) => listeners.streams.entry(stream.clone()).or_default().insert(id, sender),
        };
        Some(Hearing {
            live: self.clone(),
            id,
            stream: stream.cloned(),
            upto: listeners.upto,
            heard,
        })
    }

    /// How many subscriptions listen.
    pub(crate) fn listening(&self) -> usize {
        let listeners = self.lock();
        listeners.all.len() + listeners.streams.values().map(HashMap::len).sum::<usize>()
    }

    /// Reads the head of the log and tells of it, until the store is closed or the server stops.
    pub(crate) async fn run(
        self: Arc<Self>,
        store: EmbeddedStore,
        mut stopping: watch::Receiver<bool>,
        now: fn() -> DateTime<Utc>,
    ) {
        let mut committed = store.committed();
        let mut upto = committed.borrow().head;
        self.lock().upto = upto;
        loop {
            let head = tokio::select! {
                _ = stopping.wait_for(|stopping| *stopping) => break,
                longer = committed.wait_for(|committed| committed.closed || committed.head > upto) => match longer {
                    Ok(committed) if !committed.closed => committed.head,
                    _ => break,
                },
            };
            if self.skip_if_alone(head) {
                upto = head;
                continue;
            }
            match read(&store, upto, head, now()).await {
                Ok(news) => {
                    upto = news.upto;
                    self.tell(news);
                }
                Err(error) => {
                    // Whoever listens reads by itself, and meets the damage by itself.
                    tracing::warn!(%error, "the head of the log could not be read for the subscriptions");
                    self.let_all_go(head);
                    upto = head;
                }
            }
        }
        let mut listeners = self.lock();
        listeners.closed = true;
        listeners.all.clear();
        listeners.streams.clear();
    }

    /// Where nobody listens, nothing is read.
    fn skip_if_alone(&self, head: u64) -> bool {
        let mut listeners = self.lock();
        let alone = listeners.all.is_empty() && listeners.streams.is_empty();
        if alone {
            listeners.upto = head;
        }
        alone
    }

    fn let_all_go(&self, head: u64) {
        let mut listeners = self.lock();
        listeners.upto = head;
        listeners.all.clear();
        listeners.streams.clear();
    }

    fn tell(&self, news: News) {
        let news = Arc::new(news);
        let mut listeners = self.lock();
        listeners.upto = news.upto;
        let whole = Heard {
            news: news.clone(),
            which: None,
        };
        listeners.all.retain(|_, sender| sender.try_send(whole.clone()).is_ok());
        if listeners.streams.is_empty() {
            return;
        }
        let mut of_stream: HashMap<&StreamName, Vec<usize>> = HashMap::new();
        for (place, fresh) in news.events.iter().enumerate() {
            if let Some(event) = fresh.event()
                && listeners.streams.contains_key(&event.stream)
            {
                of_stream.entry(&event.stream).or_default().push(place);
            }
        }
        for (stream, which) in of_stream {
            let Some(senders) = listeners.streams.get_mut(stream) else {
                continue;
            };
            let heard = Heard {
                news: news.clone(),
                which: Some(which.into()),
            };
            senders.retain(|_, sender| sender.try_send(heard.clone()).is_ok());
            if senders.is_empty() {
                listeners.streams.remove(stream);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Listeners> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(store: &EmbeddedStore, after: u64, head: u64, now: DateTime<Utc>) -> Result<News, StoreError> {
    let store = store.clone();
    let read = move || {
        let everything = |_: &str, _: &str| true;
        store.log_as_seen(
            LogFrom::After(Position(after)),
            Direction::Forwards,
            MAX_NEWS,
            MAX_NEWS as u64,
            &everything,
            false,
            now,
        )
    };
    let page = if head - after <= MAX_READ_IN_PLACE {
        read()?
    } else {
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|error| StoreError::Unavailable(format!("a reader failed: {error}")))??
    };
    Ok(News {
        after,
        // Positions may have gaps: a page of nothing went all the way.
        upto: page.position.map_or(head, |position| position.0),
        events: page.events.into_iter().map(Fresh::new).collect(),
        whole: Default::default(),
    })
}

impl News {
    /// All of its events that are not the server's own book-keeping, as messages.
    pub(crate) fn whole(&self, ids: Ids, wants: impl Fn(&RecordedEvent) -> bool) -> Bytes {
        let whole = self.whole[usize::from(ids == Ids::Halves)].get_or_init(|| {
            let mut out = BytesMut::new();
            for fresh in &self.events {
                if fresh.event().is_some_and(&wants) {
                    frames::event(&mut out, &fresh.seen, ids);
                }
            }
            out.freeze()
        });
        whole.clone()
    }
}

impl Fresh {
    fn new(seen: Seen) -> Self {
        Self {
            seen,
            message: Default::default(),
        }
    }

    /// The event itself; links are not resolved here.
    pub(crate) fn event(&self) -> Option<&RecordedEvent> {
        self.seen.event.as_ref()
    }

    /// Its message.
    pub(crate) fn message(&self, ids: Ids) -> &Bytes {
        self.message[usize::from(ids == Ids::Halves)].get_or_init(|| {
            let mut out = BytesMut::new();
            frames::event(&mut out, &self.seen, ids);
            out.freeze()
        })
    }
}

impl Hearing {
    /// The next piece of news. None, if this listener was let go because it did not keep pace, or the store was closed.
    pub(crate) async fn next(&mut self) -> Option<Heard> {
        self.heard.recv().await
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        let mut listeners = self.live.lock();
        match &self.stream {
            None => {
                listeners.all.remove(&self.id);
            }
            Some(stream) => {
                if let Some(of_stream) = listeners.streams.get_mut(stream) {
                    of_stream.remove(&self.id);
                    if of_stream.is_empty() {
                        listeners.streams.remove(stream);
                    }
                }
            }
        }
    }
}
