//! The way to a group: what one can ask of it, and what it tells.

use std::sync::Arc;

use event_store_embedded::Seen;
use tokio::sync::{mpsc, oneshot};
use tonic::Status;
use uuid::Uuid;

use super::{
    group::{ConsumerId, GroupState, Nack},
    names::GroupName,
    refusals,
};

/// What waits to be taken in; whoever sends more waits, too.
const MAX_WAITING_ASKS: usize = 1_024;

/// A message for a consumer.
#[derive(Debug, Clone)]
pub(super) struct Handed {
    pub(super) seen: Arc<Seen>,
    pub(super) retries: u32,
}

/// A consumer, as it introduces itself.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) user: String,
    pub(super) connection: String,
    /// How many messages it takes at a time.
    pub(super) slots: usize,
    /// Where its messages go. There are never more in it than it has slots.
    pub(super) deliveries: mpsc::UnboundedSender<Result<Handed, Status>>,
}

/// What a consumer says of messages.
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    Done,
    NotDone { nack: Nack, reason: String },
}

/// Why a group closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    /// It was deleted: nothing is to be remembered.
    Deleted,
    /// It opens again, perhaps with other settings.
    Reopening,
    /// The server stops.
    Stopping,
}

/// How a group is doing, and who consumes.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) group: GroupState,
    pub(super) replaying: bool,
    /// Deliveries since the last look, and how many that is in a second.
    pub(super) newly_delivered: u64,
    pub(super) per_second: u64,
    pub(super) guests: Vec<GuestLook>,
}

/// How a consumer is doing.
#[derive(Debug)]
pub(super) struct GuestLook {
    pub(super) consumer: ConsumerId,
    pub(super) user: String,
    pub(super) connection: String,
    pub(super) newly_delivered: u64,
    pub(super) per_second: u64,
}

/// Something that happens to a group.
pub(super) enum Ask {
    Join(Guest, oneshot::Sender<Result<ConsumerId, Status>>),
    Answer(ConsumerId, Vec<Uuid>, Verdict),
    Leave(ConsumerId),
    Look(oneshot::Sender<Look>),
    Replay(u64, oneshot::Sender<Result<(), Status>>),
    Close(Closing),
}

/// The way to a group. Cheap to clone.
#[derive(Clone)]
pub(super) struct Door {
    name: Arc<GroupName>,
    asks: mpsc::Sender<Ask>,
}

impl Door {
    /// The way in, and where what happens comes out.
    pub(super) fn new(name: Arc<GroupName>) -> (Self, mpsc::Receiver<Ask>) {
        let (asks, receiver) = mpsc::channel(MAX_WAITING_ASKS);
        (Self { name, asks }, receiver)
    }

    pub(super) async fn join(&self, guest: Guest) -> Result<ConsumerId, Status> {
        let (answer, answered) = oneshot::channel();
        self.ask(Ask::Join(guest, answer), answered).await?
    }

    pub(super) async fn answer(&self, consumer: ConsumerId, ids: Vec<Uuid>, verdict: Verdict) {
        // A group that is gone has nothing to be told.
        self.asks.send(Ask::Answer(consumer, ids, verdict)).await.ok();
    }

    /// May be called from anywhere; comes after what was said before, as far as there is room.
    pub(super) fn leave(&self, consumer: ConsumerId) {
        if let Err(mpsc::error::TrySendError::Full(ask)) = self.asks.try_send(Ask::Leave(consumer))
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let asks = self.asks.clone();
            runtime.spawn(async move { asks.send(ask).await.ok() });
        }
    }

    pub(super) async fn look(&self) -> Result<Look, Status> {
        let (answer, answered) = oneshot::channel();
        self.ask(Ask::Look(answer), answered).await
    }

    /// Hands out again the parked messages before a revision.
    pub(super) async fn replay(&self, before: u64) -> Result<(), Status> {
        let (answer, answered) = oneshot::channel();
        self.ask(Ask::Replay(before, answer), answered).await?
    }

    pub(super) async fn close(&self, closing: Closing) {
        self.asks.send(Ask::Close(closing)).await.ok();
    }

    async fn ask<T>(&self, ask: Ask, answered: oneshot::Receiver<T>) -> Result<T, Status> {
        let gone = || refusals::dropped(&self.name);
        self.asks.send(ask).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())
    }
}
