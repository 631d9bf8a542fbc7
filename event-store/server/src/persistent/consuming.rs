//! One consumer's call: messages go out, answers come in, until one of the two ends it.

use std::{pin::Pin, sync::Arc};

use event_store_embedded::Seen;
use futures_util::{Stream, stream};
use tokio::sync::mpsc;
use tonic::{Status, Streaming, metadata::MetadataMap};
use uuid::Uuid;

use super::{
    answers::{self, IdForm},
    door::{Door, Guest, Handed, Verdict},
    group::{ConsumerId, Nack},
    register::FoundGroup,
    settings::MAX_CONSUMER_SLOTS,
};
use crate::{
    access::Sight,
    protocol::event_store::client::{
        self as protocol,
        persistent_subscriptions::{
            ReadReq, ReadResp,
            read_req::{Content, Options, nack::Action, options::uuid_option},
        },
    },
    refusal,
    streams::words,
};

/// How a connection is called that did not say its name.
const UNNAMED: &str = "<unknown>";

/// What a consumer receives.
pub(crate) type Messages = Pin<Box<dyn Stream<Item = Result<ReadResp, Status>> + Send>>;

/// Who consumes, and what they may see behind links.
pub(super) struct Who {
    pub(super) user: String,
    pub(super) sight: Sight,
}

/// A place at a group's table. Whoever drops it, leaves.
struct Seat {
    door: Door,
    consumer: ConsumerId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.door.leave(self.consumer);
    }
}

/// The first thing a consumer says.
pub(super) async fn introduction(mut requests: Streaming<ReadReq>) -> Result<(Options, Streaming<ReadReq>), Status> {
    match requests.message().await?.and_then(|request| request.content) {
        Some(Content::Options(options)) => Ok((options, requests)),
        _ => Err(Status::invalid_argument("a consumer first says which group it comes for")),
    }
}

/// Joins the group: what comes back is confirmed, and then its messages.
pub(super) async fn consume(
    found: &FoundGroup,
    options: &Options,
    requests: Streaming<ReadReq>,
    who: Who,
    metadata: &MetadataMap,
) -> Result<Messages, Status> {
    let Who { user, sight } = who;
    let slots = usize::try_from(options.buffer_size).unwrap_or_default();
    if slots == 0 {
        return Err(Status::invalid_argument(
            "a consumer takes at least one message at a time: buffer_size is too small",
        ));
    }
    let connection = metadata.get("connection-name").and_then(|name| name.to_str().ok());
    let (deliveries, received) = mpsc::unbounded_channel();
    let guest = Guest {
        user,
        connection: connection.unwrap_or(UNNAMED).to_owned(),
        slots: slots.min(MAX_CONSUMER_SLOTS),
        deliveries: deliveries.clone(),
    };
    let consumer = found.door.join(guest).await?;
    let door = found.door.clone();
    let seat = Seat {
        door: door.clone(),
        consumer,
    };
    tokio::spawn(take_answers(door, consumer, requests, deliveries));
    let form = options.uuid_option.and_then(|option| option.content);
    let ids = match form {
        Some(uuid_option::Content::String(())) => IdForm::Text,
        Some(uuid_option::Content::Structured(())) | None => IdForm::Halves,
    };
    let confirmation = answers::confirmation(found.config.name.to_string());
    let messages = stream::unfold(Some((seat, received, sight)), move |sitting| async move {
        let (seat, mut received, sight) = sitting?;
        match received.recv().await {
            Some(Ok(handed)) => match veiled(handed, &sight) {
                Ok(handed) => Some((Ok(answers::message(&handed, ids)), Some((seat, received, sight)))),
                Err(status) => Some((Err(status), None)),
            },
            Some(Err(status)) => Some((Err(status), None)),
            // An end without a word would make clients wait for ever.
            None => Some((Err(refusal::stopping()), None)),
        }
    });
    let confirmed = stream::once(async move { Ok(confirmation) });
    Ok(Box::pin(futures_util::StreamExt::chain(confirmed, messages)))
}

/// The message, without what its consumer may not see.
fn veiled(handed: Handed, sight: &Sight) -> Result<Handed, Status> {
    if handed.seen.link.is_none() || matches!(sight, Sight::Whole) {
        return Ok(handed);
    }
    let mut seen = Seen::clone(&handed.seen);
    sight.veil(std::slice::from_mut(&mut seen))?;
    Ok(Handed {
        seen: Arc::new(seen),
        retries: handed.retries,
    })
}

/// Passes on what the consumer answers, until it says no more, or nobody listens to its messages.
async fn take_answers(
    door: Door,
    consumer: ConsumerId,
    mut requests: Streaming<ReadReq>,
    deliveries: mpsc::UnboundedSender<Result<Handed, Status>>,
) {
    loop {
        let request = tokio::select! {
            () = deliveries.closed() => return,
            request = requests.message() => request,
        };
        let outcome = match request {
            Ok(Some(request)) => answer(&door, consumer, request).await,
            // It may go on to receive what it will not answer for.
            Ok(None) => return,
            Err(_) => return door.leave(consumer),
        };
        if let Err(status) = outcome {
            deliveries.send(Err(status)).ok();
            return door.leave(consumer);
        }
    }
}

async fn answer(door: &Door, consumer: ConsumerId, request: ReadReq) -> Result<(), Status> {
    let (ids, verdict) = match request.content {
        Some(Content::Ack(ack)) => (ack.ids, Verdict::Done),
        Some(Content::Nack(nack)) => {
            let action = Action::try_from(nack.action)
                .map_err(|_| Status::invalid_argument(format!("{} is nothing to do with a message", nack.action)))?;
            let what = match action {
                Action::Unknown | Action::Retry => Nack::Retry,
                Action::Park => Nack::Park,
                // The protocol's own server takes both for done.
                Action::Skip | Action::Stop => Nack::Skip,
            };
            let reason = nack.reason;
            (nack.ids, Verdict::NotDone { nack: what, reason })
        }
        Some(Content::Options(_)) | None => {
            return Err(Status::invalid_argument("a consumer says once which group it comes for"));
        }
    };
    let id = |id: protocol::Uuid| words::id(Some(id));
    let ids: Vec<Uuid> = ids.into_iter().map(id).collect::<Result<_, _>>()?;
    door.answer(consumer, ids, verdict).await;
    Ok(())
}
