//! Following one stream, also one that is not there yet.

use chrono::{DateTime, Utc};
use event_store_contract::{Direction, StreamName};
use event_store_embedded::{LINK_NAME, Life, SeenStream, is_virtual};
use tonic::Status;

use crate::{
    Desk,
    protocol::event_store::client::streams::{
        read_req::options::stream_options::RevisionOption,
        read_resp::{self, Content},
    },
    refusal,
    streams::{
        frames,
        live::{Fresh, Heard, Hearing},
        reading::original,
        subscribe::{Follows, Out, PAGE, Subscription, elsewhere, resolved, say, timestamp},
    },
};

/// One stream.
pub(super) struct OneStream {
    stream: StreamName,
    is_virtual: bool,
    from: Option<RevisionOption>,
    /// The revision that is awaited.
    next: u64,
    /// Whether it was said that the past is over.
    announced: bool,
}

/// The revision of the event by which a stream ends for ever.
const TOMBSTONE_REVISION: u64 = i64::MAX.cast_unsigned();

impl OneStream {
    pub(super) fn new(stream: StreamName, from: RevisionOption) -> Self {
        Self {
            is_virtual: is_virtual(stream.as_str()),
            stream,
            from: Some(from),
            next: 0,
            announced: false,
        }
    }
}

impl Follows for OneStream {
    fn begin(&mut self, desk: &Desk) -> Result<(), Status> {
        self.next = match self.from.take() {
            None | Some(RevisionOption::Start(())) => 0,
            Some(RevisionOption::Revision(revision)) if revision < TOMBSTONE_REVISION => revision + 1,
            Some(RevisionOption::Revision(_) | RevisionOption::End(())) => {
                let head = desk
                    .store
                    .stream_head(&self.stream)
                    .map_err(|error| refusal::of_store(&error))?;
                head.last.map_or(0, |last| last.saturating_add(1))
            }
        };
        Ok(())
    }

    fn join(&self, desk: &Desk) -> Option<Hearing> {
        desk.live.join((!self.is_virtual).then_some(&self.stream))
    }

    async fn read_on(subscription: &mut Subscription<Self>, out: &mut Out, _heard_from: Option<u64>) -> Result<bool, Status> {
        let Subscription { desk, follows, ids, .. } = subscription;
        let (store, stream, now) = (desk.store.clone(), follows.stream.clone(), desk.now());
        let (next, links) = (follows.next, subscription.links.clone());
        let read = move || {
            let mut seen = store
                .stream_as_seen(&stream, next, Direction::Forwards, PAGE, links.are_followed(), now)
                .map_err(|error| refusal::of_store(&error))?;
            links.veil(&mut seen.events)?;
            Ok(seen)
        };
        // A list that the store keeps may have to be made first.
        let seen: SeenStream = if follows.is_virtual { elsewhere(read).await? } else { read()? };
        match seen.life {
            Life::Tombstoned => return Err(refusal::stream_deleted(follows.stream.as_str())),
            Life::Missing | Life::SoftDeleted => return Ok(true),
            Life::Live => {}
        }
        for seen in &seen.events {
            frames::event(out.own(), seen, *ids);
        }
        if let Some(last) = seen.events.last().and_then(original) {
            follows.next = last.revision.saturating_add(1);
        }
        Ok(seen.end || seen.events.is_empty())
    }

    fn caught_up(&mut self, now: DateTime<Utc>, out: &mut Out) {
        if self.announced {
            return;
        }
        self.announced = true;
        let caught_up = read_resp::CaughtUp {
            timestamp: Some(timestamp(now)),
            stream_revision: self.next.checked_sub(1).and_then(|revision| i64::try_from(revision).ok()),
            position: None,
        };
        say(out, Content::CaughtUp(caught_up));
    }

    fn hear(subscription: &mut Subscription<Self>, heard: &Heard, out: &mut Out) -> Result<bool, Status> {
        let follows = &mut subscription.follows;
        if follows.is_virtual {
            return Ok(touches(follows.stream.as_str(), heard));
        }
        for place in heard.which.as_deref().unwrap_or_default() {
            let Some(fresh) = heard.news.events.get(*place) else {
                continue;
            };
            let Some(event) = fresh.event().filter(|event| event.revision >= follows.next) else {
                continue;
            };
            if subscription.links.are_followed() && &*event.name == LINK_NAME {
                resolved(&subscription.desk, &subscription.links, event.position, subscription.ids, out)?;
            } else {
                out.share(fresh.message(subscription.ids).clone());
            }
            follows.next = event.revision.saturating_add(1);
        }
        Ok(false)
    }

    fn fell_behind(&mut self) {
        self.announced = false;
    }

    fn ended(&self) -> Result<(), Status> {
        if self.next > TOMBSTONE_REVISION {
            return Err(refusal::stream_deleted(self.stream.as_str()));
        }
        Ok(())
    }
}

/// Whether what is new belongs on a list that the store keeps.
fn touches(list: &str, heard: &Heard) -> bool {
    let category = list.strip_prefix("$ce-");
    let name = list.strip_prefix("$et-");
    heard
        .news
        .events
        .iter()
        .filter_map(Fresh::event)
        .any(|event| match (category, name) {
            (Some(category), _) => event.stream.category() == category,
            (_, Some(name)) => &*event.name == name,
            (None, None) => event.revision == 0,
        })
}
