//! Following: first the past by a cursor of one's own, then what everybody hears. Without a gap, for the cursor goes on
//! until it has reached the place from which on everything is heard.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use event_store_contract::{Direction, Position, StreamName};
use event_store_embedded::{LINK_NAME, Life, LogFrom, LogPage, SeenStream, is_virtual};
use futures_util::{Stream, stream};
use tonic::Status;
use uuid::Uuid;

use crate::{
    Desk,
    filter::Filter,
    protocol::event_store::client::streams::{
        read_req::options::{all_options::AllOption, stream_options::RevisionOption},
        read_resp::{self, Content},
    },
    refusal,
    streams::{
        answer::Piece,
        frames::{self, Ids},
        live::{Fresh, Heard, Hearing},
        reading::original,
    },
};

/// Events of one page while catching up.
const PAGE: usize = 512;
/// The most events of the log that one page looks through while catching up.
const MAX_LOOKED_THROUGH: u64 = 20_000;
/// So near to the head, checkpoints come exactly when they are due; before, at the end of a page that is worth reading.
const EXACT_WITHIN: u64 = 10_000;
const MIN_LOOKED_THROUGH: u64 = 1_000;

/// Follows the whole log.
pub(crate) fn to_all(
    desk: Arc<Desk>,
    from: AllOption,
    filter: Filter,
    resolve_links: bool,
    ids: Ids,
) -> impl Stream<Item = Piece> + Send + 'static {
    let head = desk.store.committed().borrow().head;
    let after = match from {
        AllOption::Start(()) => 0,
        AllOption::Position(at) if at.commit_position < i64::MAX.cast_unsigned() => at.commit_position,
        AllOption::Position(_) | AllOption::End(()) => head,
    };
    pieces(Subscription {
        desk,
        resolve_links,
        ids,
        mode: Mode::Begin,
        follows: Log {
            filter: Arc::new(filter),
            after,
            is_new: after >= head,
            considered: 0,
            last_checkpoint: 0,
        },
    })
}

/// Follows a stream.
pub(crate) fn to_stream(
    desk: Arc<Desk>,
    stream: StreamName,
    from: RevisionOption,
    resolve_links: bool,
    ids: Ids,
) -> impl Stream<Item = Piece> + Send + 'static {
    pieces(Subscription {
        desk,
        resolve_links,
        ids,
        mode: Mode::Begin,
        follows: OneStream {
            is_virtual: is_virtual(stream.as_str()),
            stream,
            from: Some(from),
            next: 0,
            announced: false,
        },
    })
}

fn pieces<F: Follows>(subscription: Subscription<F>) -> impl Stream<Item = Piece> + Send + 'static {
    stream::unfold(Some(subscription), |subscription| async move {
        let mut subscription = subscription?;
        match subscription.next().await {
            Ok(messages) => Some((Piece::Messages(messages), Some(subscription))),
            Err(status) => Some((Piece::End(status), None)),
        }
    })
}

struct Subscription<F> {
    desk: Arc<Desk>,
    resolve_links: bool,
    ids: Ids,
    mode: Mode,
    follows: F,
}

enum Mode {
    /// Nothing was said yet.
    Begin,
    /// Reading the past; whoever has a place among the listeners already reads up to it.
    CatchingUp(Option<Hearing>),
    /// Hearing what is new.
    Live(Hearing),
}

/// What somebody follows.
trait Follows: Send + Sized + 'static {
    /// Finds its place.
    fn begin(&mut self, desk: &Desk) -> Result<(), Status>;
    /// Listens.
    fn join(&self, desk: &Desk) -> Option<Hearing>;
    /// Reads on; whether that was the end, up to where everything will be heard.
    fn read_on(
        subscription: &mut Subscription<Self>,
        out: &mut BytesMut,
        heard_from: Option<u64>,
    ) -> impl Future<Output = Result<bool, Status>> + Send;
    /// Says that the past is over.
    fn caught_up(&mut self, now: DateTime<Utc>, out: &mut BytesMut);
    /// Takes what is new. Whether it has to be read instead.
    fn hear(subscription: &mut Subscription<Self>, heard: &Heard, out: &mut BytesMut) -> Result<bool, Status>;
    /// Was let go, and has to catch up again.
    fn fell_behind(&mut self);
    /// Whether it has ended, after what was said last.
    fn ended(&self) -> Result<(), Status>;
}

impl<F: Follows> Subscription<F> {
    /// The next messages; or how it ends, which is never well.
    async fn next(&mut self) -> Result<Bytes, Status> {
        let mut out = BytesMut::new();
        self.follows.ended()?;
        while out.is_empty() {
            match std::mem::replace(&mut self.mode, Mode::CatchingUp(None)) {
                Mode::Begin => {
                    let confirmation = read_resp::SubscriptionConfirmation {
                        subscription_id: Uuid::new_v4().to_string(),
                    };
                    say(&mut out, Content::Confirmation(confirmation));
                    self.follows.begin(&self.desk)?;
                }
                Mode::CatchingUp(hearing) => self.catch_up(hearing, &mut out).await?,
                Mode::Live(mut hearing) => {
                    let heard = tokio::select! {
                        biased;
                        heard = hearing.next() => heard,
                        () = self.desk.stopped() => return Err(refusal::stopping()),
                    };
                    let Some(heard) = heard else {
                        self.follows.fell_behind();
                        continue;
                    };
                    self.mode = if F::hear(self, &heard, &mut out)? {
                        Mode::CatchingUp(Some(hearing))
                    } else {
                        Mode::Live(hearing)
                    };
                }
            }
        }
        Ok(out.freeze())
    }

    async fn catch_up(&mut self, hearing: Option<Hearing>, out: &mut BytesMut) -> Result<(), Status> {
        if *self.desk.stopping.borrow() {
            return Err(refusal::stopping());
        }
        let heard_from = hearing.as_ref().map(|hearing| hearing.upto);
        let at_end = F::read_on(self, out, heard_from).await?;
        self.mode = match hearing {
            Some(hearing) if at_end => {
                let now = self.desk.now();
                self.follows.caught_up(now, out);
                Mode::Live(hearing)
            }
            None if at_end => Mode::CatchingUp(Some(self.follows.join(&self.desk).ok_or_else(refusal::stopping)?)),
            hearing => Mode::CatchingUp(hearing),
        };
        Ok(())
    }
}

fn say(out: &mut BytesMut, content: Content) {
    out.extend_from_slice(&frames::content(content));
}

fn timestamp(now: DateTime<Utc>) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: now.timestamp(),
        nanos: now.timestamp_subsec_nanos().cast_signed(),
    }
}

/// Reads on a thread that may block.
async fn elsewhere<T: Send + 'static>(read: impl FnOnce() -> Result<T, Status> + Send + 'static) -> Result<T, Status> {
    tokio::task::spawn_blocking(read)
        .await
        .unwrap_or_else(|error| Err(Status::internal(format!("a reader failed: {error}"))))
}

/// The whole log.
struct Log {
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
    fn checkpoint(&mut self, now: DateTime<Utc>, out: &mut BytesMut) {
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
    fn looked_at(&mut self, position: u64, now: DateTime<Utc>, out: &mut BytesMut) {
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

    async fn read_on(subscription: &mut Subscription<Self>, out: &mut BytesMut, heard_from: Option<u64>) -> Result<bool, Status> {
        let Subscription { desk, follows, ids, .. } = subscription;
        if heard_from.is_some_and(|upto| upto <= follows.after) {
            return Ok(true);
        }
        let head = desk.store.committed().borrow().head;
        if head <= follows.after {
            return Ok(true);
        }
        let (store, filter, now) = (desk.store.clone(), follows.filter.clone(), desk.now());
        let (after, look, resolve_links) = (follows.after, follows.next_look(head), subscription.resolve_links);
        follows.is_new = false;
        let read = move || {
            let wants = |stream: &str, name: &str| filter.wants(stream, name);
            let from = LogFrom::After(Position(after));
            let page = store
                .log_as_seen(from, Direction::Forwards, PAGE, look, &wants, resolve_links, now)
                .map_err(|error| refusal::of_store(&error))?;
            filter.holds()?;
            Ok(page)
        };
        let page: LogPage = if head - after <= MIN_LOOKED_THROUGH {
            read()?
        } else {
            elsewhere(read).await?
        };
        for seen in &page.events {
            frames::event(out, seen, *ids);
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

    fn caught_up(&mut self, now: DateTime<Utc>, out: &mut BytesMut) {
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

    fn hear(subscription: &mut Subscription<Self>, heard: &Heard, out: &mut BytesMut) -> Result<bool, Status> {
        let news = &heard.news;
        let has_link = |fresh: &Fresh| fresh.event().is_some_and(|event| &*event.name == LINK_NAME);
        let filter = subscription.follows.filter.clone();
        let plain = !subscription.resolve_links || !news.events.iter().any(has_link);
        if plain && filter.is_everything() && filter.checkpoint_every.is_none() && subscription.follows.after <= news.after {
            let whole = news.whole(subscription.ids, |event| filter.wants(event.stream.as_str(), &event.name));
            out.extend_from_slice(&whole);
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
                if subscription.resolve_links && has_link(fresh) {
                    resolved(&subscription.desk, event.position, subscription.ids, out)?;
                } else {
                    out.extend_from_slice(fresh.message(subscription.ids));
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

/// One link with the event that it leads to.
fn resolved(desk: &Desk, position: Position, ids: Ids, out: &mut BytesMut) -> Result<(), Status> {
    let everything = |_: &str, _: &str| true;
    let page = desk
        .store
        .log_as_seen(
            LogFrom::At(position),
            Direction::Forwards,
            1,
            1,
            &everything,
            true,
            desk.now(),
        )
        .map_err(|error| refusal::of_store(&error))?;
    for seen in &page.events {
        frames::event(out, seen, ids);
    }
    Ok(())
}

/// One stream.
struct OneStream {
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

    async fn read_on(
        subscription: &mut Subscription<Self>,
        out: &mut BytesMut,
        _heard_from: Option<u64>,
    ) -> Result<bool, Status> {
        let Subscription { desk, follows, ids, .. } = subscription;
        let (store, stream, now) = (desk.store.clone(), follows.stream.clone(), desk.now());
        let (next, resolve_links) = (follows.next, subscription.resolve_links);
        let read = move || {
            store
                .stream_as_seen(&stream, next, Direction::Forwards, PAGE, resolve_links, now)
                .map_err(|error| refusal::of_store(&error))
        };
        // A list that the store keeps may have to be made first.
        let seen: SeenStream = if follows.is_virtual { elsewhere(read).await? } else { read()? };
        match seen.life {
            Life::Tombstoned => return Err(refusal::stream_deleted(follows.stream.as_str())),
            Life::Missing | Life::SoftDeleted => return Ok(true),
            Life::Live => {}
        }
        for seen in &seen.events {
            frames::event(out, seen, *ids);
        }
        if let Some(last) = seen.events.last().and_then(original) {
            follows.next = last.revision.saturating_add(1);
        }
        Ok(seen.end || seen.events.is_empty())
    }

    fn caught_up(&mut self, now: DateTime<Utc>, out: &mut BytesMut) {
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

    fn hear(subscription: &mut Subscription<Self>, heard: &Heard, out: &mut BytesMut) -> Result<bool, Status> {
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
            if subscription.resolve_links && &*event.name == LINK_NAME {
                resolved(&subscription.desk, event.position, subscription.ids, out)?;
            } else {
                out.extend_from_slice(fresh.message(subscription.ids));
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
