//! Following the whole log: in its order, through a filter, with checkpoints.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use event_store_contract::{Direction, Position};
use event_store_embedded::{LINK_NAME, LogFrom, LogPage};
use tonic::Status;

use crate::{
    Desk,
    filter::Filter,
    protocol::event_store::client::streams::read_resp::{self, Content},
    refusal,
    streams::{
        frames,
        live::{Fresh, Heard, Hearing},
        subscribe::{Follows, Out, PAGE, Subscription, elsewhere, resolved, say, timestamp},
    },
};

/// The most events of the log that one page looks through while catching up.
const MAX_LOOKED_THROUGH: u64 = 20_000;
/// So near to the head, checkpoints come exactly when they are due; before, at the end of a page that is worth reading.
const EXACT_WITHIN: u64 = 10_000;
const MIN_LOOKED_THROUGH: u64 = 1_000;

/// The whole log.
pub(super) struct Log {
    filter: Arc<Filter>,
    /// The position of the last event that was looked at.
    after: u64,
    /// Whether there was no past to catch up with.
    is_new: bool,
    /// Events that were looked at since the last checkpoint.
    considered: u64,
    last_checkpoint: u64,
}

impl Log {
    /// Follows after a position; the head is where the log ends now.
    pub(super) fn new(filter: Filter, after: u64, head: u64) -> Self {
        Self {
            filter: Arc::new(filter),
            after,
            is_new: after >= head,
            considered: 0,
            last_checkpoint: 0,
        }
    }

    fn checkpoint(&mut self, now: DateTime<Utc>, out: &mut Out) {
        self.considered = 0;
        if self.filter.checkpoint_every.is_none() || self.after <= self.last_checkpoint {
            return;
        }
        self.last_checkpoint = self.after;
        let checkpoint = read_resp::Checkpoint {
            commit_position: self.after,
            prepare_position: self.after,
            timestamp: Some(timestamp(now)),
        };
        say(out, Content::Checkpoint(checkpoint));
    }

    /// Looked at one more event.
    fn looked_at(&mut self, position: u64, now: DateTime<Utc>, out: &mut Out) {
        self.after = position;
        self.considered += 1;
        if self.filter.checkpoint_every.is_some_and(|every| self.considered >= every) {
            self.checkpoint(now, out);
        }
    }

    /// How many events the next page looks through.
    fn next_look(&self, head: u64) -> u64 {
        match self.filter.checkpoint_every {
            None => MAX_LOOKED_THROUGH,
            Some(every) => {
                let due = every.saturating_sub(self.considered).clamp(1, MAX_LOOKED_THROUGH);
                let is_near = head.saturating_sub(self.after) <= EXACT_WITHIN;
                if is_near { due } else { due.max(MIN_LOOKED_THROUGH) }
            }
        }
    }
}

impl Follows for Log {
    fn begin(&mut self, _desk: &Desk) -> Result<(), Status> {
        Ok(())
    }

    fn join(&self, desk: &Desk) -> Option<Hearing> {
        desk.live.join(None)
    }

    async fn read_on(subscription: &mut Subscription<Self>, out: &mut Out, heard_from: Option<u64>) -> Result<bool, Status> {
        let Subscription { desk, follows, ids, .. } = subscription;
        if heard_from.is_some_and(|upto| upto <= follows.after) {
            return Ok(true);
        }
        let head = desk.store.committed().borrow().head;
        if head <= follows.after {
            return Ok(true);
        }
        let (store, filter, now) = (desk.store.clone(), follows.filter.clone(), desk.now());
        let (after, look, links) = (follows.after, follows.next_look(head), subscription.links.clone());
        follows.is_new = false;
        let read = move || {
            let wants = |stream: &str, name: &str| filter.wants(stream, name);
            let from = LogFrom::After(Position(after));
            let mut page = store
                .log_as_seen(from, Direction::Forwards, PAGE, look, &wants, links.are_followed(), now)
                .map_err(|error| refusal::of_store(&error))?;
            filter.holds()?;
            links.veil(&mut page.events)?;
            Ok(page)
        };
        let page: LogPage = if head - after <= MIN_LOOKED_THROUGH {
            read()?
        } else {
            elsewhere(read).await?
        };
        for seen in &page.events {
            frames::event(out.own(), seen, *ids);
        }
        follows.after = page.position.map_or(follows.after, |position| position.0);
        follows.considered += page.looked_through;
        if page.end {
            follows.after = follows.after.max(head);
        } else if follows
            .filter
            .checkpoint_every
            .is_some_and(|every| follows.considered >= every)
        {
            follows.checkpoint(now, out);
        }
        Ok(page.end)
    }

    fn caught_up(&mut self, now: DateTime<Utc>, out: &mut Out) {
        if !self.is_new {
            self.checkpoint(now, out);
        }
        let position = read_resp::Position {
            commit_position: self.after,
            prepare_position: self.after,
        };
        let caught_up = read_resp::CaughtUp {
            timestamp: Some(timestamp(now)),
            stream_revision: None,
            position: (self.after > 0).then_some(position),
        };
        say(out, Content::CaughtUp(caught_up));
    }

    fn hear(subscription: &mut Subscription<Self>, heard: &Heard, out: &mut Out) -> Result<bool, Status> {
        let news = &heard.news;
        let has_link = |fresh: &Fresh| fresh.event().is_some_and(|event| &*event.name == LINK_NAME);
        let filter = subscription.follows.filter.clone();
        let plain = !subscription.links.are_followed() || !news.events.iter().any(has_link);
        if plain && filter.is_everything() && filter.checkpoint_every.is_none() && subscription.follows.after <= news.after {
            let whole = news.whole(subscription.ids, |event| filter.wants(event.stream.as_str(), &event.name));
            out.share(whole);
            subscription.follows.after = news.upto;
            return Ok(false);
        }
        let now = subscription.desk.now();
        for fresh in &news.events {
            let Some(event) = fresh.event() else { continue };
            if event.position.0 <= subscription.follows.after {
                continue;
            }
            if filter.wants(event.stream.as_str(), &event.name) {
                if subscription.links.are_followed() && has_link(fresh) {
                    resolved(&subscription.desk, &subscription.links, event.position, subscription.ids, out)?;
                } else {
                    out.share(fresh.message(subscription.ids).clone());
                }
            }
            subscription.follows.looked_at(event.position.0, now, out);
        }
        filter.holds()?;
        subscription.follows.after = subscription.follows.after.max(news.upto);
        Ok(false)
    }

    fn fell_behind(&mut self) {
        self.is_new = false;
    }

    fn ended(&self) -> Result<(), Status> {
        Ok(())
    }
}
