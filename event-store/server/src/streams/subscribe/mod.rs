//! Following: first the past by a cursor of one's own, then what everybody hears. Without a gap, for the cursor goes on
//! until it has reached the place from which on everything is heard.

mod log;
mod one_stream;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use event_store_contract::{Direction, Position, StreamName};
use event_store_embedded::LogFrom;
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
        live::{Heard, Hearing},
        reading::Links,
        subscribe::{log::Log, one_stream::OneStream},
    },
};

/// Events of one page while catching up.
const PAGE: usize = 512;

/// Follows the whole log.
pub(crate) fn to_all(
    desk: Arc<Desk>,
    from: AllOption,
    filter: Filter,
    links: Links,
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
        links,
        ids,
        mode: Mode::Begin,
        follows: Log::new(filter, after, head),
    })
}

/// Follows a stream.
pub(crate) fn to_stream(
    desk: Arc<Desk>,
    stream: StreamName,
    from: RevisionOption,
    links: Links,
    ids: Ids,
) -> impl Stream<Item = Piece> + Send + 'static {
    pieces(Subscription {
        desk,
        links,
        ids,
        mode: Mode::Begin,
        follows: OneStream::new(stream, from),
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
    links: Links,
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
        out: &mut Out,
        heard_from: Option<u64>,
    ) -> impl Future<Output = Result<bool, Status>> + Send;
    /// Says that the past is over.
    fn caught_up(&mut self, now: DateTime<Utc>, out: &mut Out);
    /// Takes what is new. Whether it has to be read instead.
    fn hear(subscription: &mut Subscription<Self>, heard: &Heard, out: &mut Out) -> Result<bool, Status>;
    /// Was let go, and has to catch up again.
    fn fell_behind(&mut self);
    /// Whether it has ended, after what was said last.
    fn ended(&self) -> Result<(), Status>;
}

impl<F: Follows> Subscription<F> {
    /// The next messages; or how it ends, which is never well.
    async fn next(&mut self) -> Result<Bytes, Status> {
        let mut out = Out::default();
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
                    // When the server stops, everybody is let go.
                    let Some(heard) = hearing.next().await else {
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
        Ok(out.finish())
    }

    async fn catch_up(&mut self, hearing: Option<Hearing>, out: &mut Out) -> Result<(), Status> {
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

fn say(out: &mut Out, content: Content) {
    out.share(frames::content(content));
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

/// What is said next. What everybody hears is not copied.
#[derive(Default)]
struct Out {
    shared: Option<Bytes>,
    own: BytesMut,
}

impl Out {
    fn is_empty(&self) -> bool {
        self.shared.is_none() && self.own.is_empty()
    }

    /// Says what others hear, too.
    fn share(&mut self, messages: Bytes) {
        if self.is_empty() && !messages.is_empty() {
            self.shared = Some(messages);
        } else {
            self.own().extend_from_slice(&messages);
        }
    }

    /// Where to write what nobody else hears.
    fn own(&mut self) -> &mut BytesMut {
        if let Some(shared) = self.shared.take() {
            self.own.extend_from_slice(&shared);
        }
        &mut self.own
    }

    fn finish(self) -> Bytes {
        self.shared.unwrap_or_else(|| self.own.freeze())
    }
}

/// One link with the event that it leads to.
fn resolved(desk: &Desk, links: &Links, position: Position, ids: Ids, out: &mut Out) -> Result<(), Status> {
    let everything = |_: &str, _: &str| true;
    let mut page = desk
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
    links.veil(&mut page.events)?;
    for seen in &page.events {
        frames::event(out.own(), seen, ids);
    }
    Ok(())
}
