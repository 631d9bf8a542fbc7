//! Following the log: one cursor, and the news of how far the log has come. No buffer, so no gap.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use event_store_contract::{Filter, Follow, MAX_EVENTS_PER_READ, Page, Position, StoreError};
use tokio::sync::watch;

use crate::{reader::Readers, wide::Committed};

/// How often a reader of a store that another process writes looks for new events.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// Up to so many new events are read on the calling thread; it takes less time than sending for another.
const MAX_READ_IN_PLACE: u64 = 128;

/// How a follower hears of new events.
pub(crate) enum Hearing {
    /// The writer is in this process.
    News(watch::Receiver<Committed>),
    /// Another process writes.
    Looking,
}

pub(crate) struct EmbeddedFollow {
    pub(crate) readers: Arc<Readers>,
    pub(crate) hearing: Hearing,
    pub(crate) after: Option<Position>,
    pub(crate) filter: Arc<Filter>,
}

impl EmbeddedFollow {
    /// Waits until the log is longer than what was seen, and says how long it is.
    async fn longer_than(&mut self, seen: u64) -> Result<u64, StoreError> {
        let closed = || StoreError::Unavailable("it was closed".into());
        match &mut self.hearing {
            Hearing::News(news) => {
                let news = *news
                    .wait_for(|news| news.closed || news.head > seen)
                    .await
                    .map_err(|_| closed())?;
                if news.closed { Err(closed()) } else { Ok(news.head) }
            }
            Hearing::Looking => loop {
                let head = self.readers.head()?;
                if head > seen {
                    return Ok(head);
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            },
        }
    }
}

#[async_trait]
impl Follow for EmbeddedFollow {
    async fn next(&mut self, limit: usize) -> Result<Page, StoreError> {
        let limit = limit.clamp(1, MAX_EVENTS_PER_READ);
        let seen = self.after.unwrap_or_default().0;
        let head = self.longer_than(seen).await?;
        let page = if head - seen <= MAX_READ_IN_PLACE || limit as u64 <= MAX_READ_IN_PLACE && self.filter.prefixes.is_empty() {
            self.readers.read_all(self.after, limit, &self.filter)?
        } else {
            let (readers, after, filter) = (self.readers.clone(), self.after, self.filter.clone());
            crate::elsewhere(move || readers.read_all(after, limit, &filter)).await?
        };
        self.after = page.position;
        Ok(page)
    }
}
