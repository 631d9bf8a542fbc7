//! Following the log: pages as long as there is a past, then a subscription, and pages again whenever it ends.
//!
//! A task of its own does this, for the client's subscriptions do not survive a dropped wait. It hands its pages on
//! through a short queue: a reader who does not come slows the server down and nobody else.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_trait::async_trait;
use event_store_contract::{Filter, Follow, MAX_EVENTS_PER_READ, Page, Position, RecordedEvent, StoreError};
use futures_util::{Stream, StreamExt as _, stream};
use kurrentdb::{Subscription, SubscriptionEvent};
use tokio::{sync::mpsc, task::JoinHandle, time::sleep};

use crate::{
    Inner,
    connection::Connection,
    convert,
    ending::{Alarm, guarded},
    reading::{place, visible},
    trouble::{Trouble, sorted},
};

/// How many events of the past a page has.
const PAGE: usize = 512;
/// How many bytes of events wait for a reader who does not come, beside the pages in the queue.
const MAX_WAITING_BYTES: usize = 8 * 1024 * 1024;
/// How many pages the queue has.
const QUEUE: usize = 2;
/// The pause after a subscription that ended before it brought anything; it doubles.
const PAUSE_MIN: Duration = Duration::from_millis(20);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(1);

type Pages = mpsc::Sender<Result<Page, StoreError>>;

/// A reader that walks along the log.
pub(crate) struct EsdbFollow {
    pages: mpsc::Receiver<Result<Page, StoreError>>,
    task: JoinHandle<()>,
    /// Taken from the queue and not returned yet.
    waiting: VecDeque<RecordedEvent>,
    /// Where the log is looked through to, when nothing waits any more.
    position: Option<Position>,
    /// Whether that was the end.
    is_end: bool,
    trouble: Option<StoreError>,
}

impl EsdbFollow {
    pub(crate) fn start(inner: Arc<Inner>, after: Option<Position>, filter: Filter) -> Self {
        let (sender, pages) = mpsc::channel(QUEUE);
        Self {
            pages,
            task: tokio::spawn(walk(inner, after, filter, sender)),
            waiting: VecDeque::new(),
            position: after,
            is_end: false,
            trouble: None,
        }
    }

    fn put(&mut self, page: Page) {
        self.waiting.extend(page.events);
        self.position = page.position;
        self.is_end = page.end;
    }

    fn take(&mut self, limit: usize) -> Page {
        if self.waiting.len() <= limit {
            return Page {
                events: self.waiting.drain(..).collect(),
                position: self.position,
                end: self.is_end,
            };
        }
        let events: Vec<_> = self.waiting.drain(..limit).collect();
        Page {
            position: events.last().map(|event| event.position),
            events,
            end: false,
        }
    }
}

impl Drop for EsdbFollow {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[async_trait]
impl Follow for EsdbFollow {
    async fn next(&mut self, limit: usize) -> Result<Page, StoreError> {
        let limit = limit.clamp(1, MAX_EVENTS_PER_READ);
        if let Some(trouble) = self.trouble.take() {
            return Err(trouble);
        }
        // The only wait: everything after it is done at once, so a dropped wait loses nothing.
        if self.waiting.is_empty() {
            match self.pages.recv().await {
                Some(Ok(page)) => self.put(page),
                Some(Err(trouble)) => return Err(trouble),
                None => return Err(StoreError::Unavailable("its follower ended".into())),
            }
        }
        while self.waiting.len() < limit {
            match self.pages.try_recv() {
                Ok(Ok(page)) => self.put(page),
                Ok(Err(trouble)) => {
                    self.trouble = Some(trouble);
                    break;
                }
                Err(_) => break,
            }
        }
        Ok(self.take(limit))
    }
}

/// How far the walk has come.
struct Walk {
    inner: Arc<Inner>,
    /// Everything up to here has been handed on.
    after: Option<Position>,
    filter: Filter,
    pages: Pages,
}

/// The reader is gone.
struct Gone;

async fn walk(inner: Arc<Inner>, after: Option<Position>, filter: Filter, pages: Pages) {
    let mut walk = Walk {
        inner,
        after,
        filter,
        pages,
    };
    let mut pause = PAUSE_MIN;
    loop {
        if walk.past().await.is_err() {
            return;
        }
        let before = walk.after;
        let reason = match walk.present().await {
            Ok(reason) => reason,
            Err(Gone) => return,
        };
        tracing::debug!(after = ?walk.after, reason, "a subscription ended; the follower goes on after its position");
        pause = if walk.after > before {
            PAUSE_MIN
        } else {
            PAUSE_MAX.min(pause * 2)
        };
        sleep(pause).await;
    }
}

impl Walk {
    /// Reads pages up to the end of the log. A store that does not answer is told to the reader, and asked again.
    async fn past(&mut self) -> Result<(), Gone> {
        loop {
            let page = tokio::select! {
                page = crate::reading::log(&self.inner.connection, self.after, PAGE, &self.filter) => page,
                () = self.pages.closed() => return Err(Gone),
            };
            let page = match page {
                Ok(page) => page,
                Err(trouble) => {
                    self.pages.send(Err(trouble)).await.map_err(|_| Gone)?;
                    sleep(PAUSE_MAX).await;
                    continue;
                }
            };
            let is_end = page.end;
            if page.position > self.after {
                self.after = page.position;
                self.pages.send(Ok(page)).await.map_err(|_| Gone)?;
            }
            if is_end {
                return Ok(());
            }
        }
    }

    /// Hands on what a subscription brings, until it ends; says why it did.
    async fn present(&mut self) -> Result<String, Gone> {
        let inner = self.inner.clone();
        let alarm = Alarm::default();
        let session = self.session(&inner.connection, &alarm);
        match guarded(&alarm, session).await {
            Ok(ended) => ended,
            Err(reason) => Ok(reason),
        }
    }

    async fn session(&mut self, connection: &Connection, alarm: &Alarm) -> Result<String, Gone> {
        let link = connection.current();
        let options = connection.subscribe_options().position(place(self.after)).filter(visible());
        let subscription = messages(link.client.subscribe_to_all(&options).await);
        let mut subscription = std::pin::pin!(subscription);
        let mut waiting = Waiting::after(self.after);
        loop {
            tokio::select! {
                biased;
                free = self.pages.reserve(), if waiting.has_news() => {
                    let page = waiting.take();
                    self.after = page.position;
                    free.map_err(|_| Gone)?.send(Ok(page));
                }
                () = self.pages.closed() => return Err(Gone),
                message = subscription.next(), if !waiting.is_full() => {
                    alarm.message_came();
                    match message {
                        Some(Ok(SubscriptionEvent::EventAppeared(event))) => {
                            if let Some(event) = event.event.or(event.link) {
                                waiting.put(event, &self.filter);
                            }
                        }
                        Some(Ok(_)) => connection.works(),
                        Some(Err(error)) => {
                            return Ok(match sorted(error) {
                                Trouble::Again(reason) | Trouble::Lost(reason) => reason,
                                Trouble::Final(error) => error.to_string(),
                            });
                        }
                        None => return Ok("it ended".into()),
                    }
                }
            }
        }
    }
}

/// The messages of a subscription as a stream, whose wait may be dropped: the one for the next message is kept.
fn messages(subscription: Subscription) -> impl Stream<Item = kurrentdb::Result<SubscriptionEvent>> {
    stream::unfold(subscription, async |mut subscription| {
        Some((subscription.next_subscription_event().await, subscription))
    })
}

/// What came and is not handed on yet.
struct Waiting {
    events: Vec<RecordedEvent>,
    bytes: usize,
    position: Option<Position>,
    has_news: bool,
}

impl Waiting {
    fn after(position: Option<Position>) -> Self {
        Self {
            events: Vec::new(),
            bytes: 0,
            position,
            has_news: false,
        }
    }

    fn put(&mut self, event: kurrentdb::RecordedEvent, filter: &Filter) {
        let position = Position(event.position.commit);
        if Some(position) <= self.position {
            return;
        }
        self.position = Some(position);
        self.has_news = true;
        if let Some(event) = convert::incoming(event).filter(|event| filter.wants(event.stream.as_str())) {
            self.bytes += event.data.len() + event.metadata.len();
            self.events.push(event);
        }
    }

    fn has_news(&self) -> bool {
        self.has_news
    }

    fn is_full(&self) -> bool {
        self.events.len() >= PAGE || self.bytes >= MAX_WAITING_BYTES
    }

    fn take(&mut self) -> Page {
        self.has_news = false;
        self.bytes = 0;
        Page {
            events: std::mem::take(&mut self.events),
            position: self.position,
            end: true,
        }
    }
}
