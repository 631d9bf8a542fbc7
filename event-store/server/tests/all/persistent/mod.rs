//! Persistent subscriptions: by the registry's own client, and where that one is too kind, word by word.
#![allow(clippy::default_trait_access, reason = "the client takes options for everything")]

mod raw;
mod refusing;
mod restarting;
mod stock;

use std::time::Duration;

use kurrentdb::{
    Client, ClientSettings, PersistentSubscription, PersistentSubscriptionEvent, PersistentSubscriptionOptions, Position,
    ResolvedEvent, StreamPosition, SubscribeToPersistentSubscriptionOptions,
};
use tokio::time::timeout;

use super::support::{House, PATIENCE, event};

impl House {
    /// The registry's own client.
    pub(super) fn client(&self) -> Client {
        let address = format!("esdb://{}?tls=false", self.server.address());
        Client::new(address.parse::<ClientSettings>().unwrap()).unwrap()
    }

    /// Stops the server and starts another one on the same store.
    pub(super) async fn restart(self) -> Self {
        let Self {
            server,
            store,
            directory,
            ..
        } = self;
        server.stop(Duration::from_secs(1)).await;
        Self::serve(directory, store).await
    }

    /// Appends events with these names to a stream.
    async fn happen(&self, stream: &str, names: &[&str]) {
        self.write(stream, names.iter().map(|name| event(name)).collect()).await;
    }
}

/// From the first event on; whatever is done is remembered at once.
fn from_start() -> PersistentSubscriptionOptions {
    PersistentSubscriptionOptions::default()
        .start_from(StreamPosition::Start)
        .checkpoint_lower_bound(1)
        .checkpoint_upper_bound(1)
}

/// The group of readers of letters that most of these tests are about.
async fn group(client: &Client, options: &PersistentSubscriptionOptions) {
    client
        .create_persistent_subscription("letters", "readers", options)
        .await
        .unwrap();
}

/// Hands out again what that group has parked.
async fn replay(client: &Client) {
    client
        .replay_parked_messages("letters", "readers", &Default::default())
        .await
        .unwrap();
}

/// A consumer that takes so many messages at a time.
async fn consumer(client: &Client, stream: &str, group: &str, slots: usize) -> PersistentSubscription {
    let options = SubscribeToPersistentSubscriptionOptions::default().buffer_size(slots);
    let mut consumer = client
        .subscribe_to_persistent_subscription(stream, group, &options)
        .await
        .unwrap();
    match consumer.next_subscription_event().await.unwrap() {
        PersistentSubscriptionEvent::Confirmed(id) => assert_eq!(id, format!("{stream}::{group}")),
        PersistentSubscriptionEvent::EventAppeared { .. } => panic!("the confirmation comes first"),
    }
    consumer
}

/// The next message, and how often it was handed out before.
async fn next(consumer: &mut PersistentSubscription) -> (ResolvedEvent, usize) {
    let next = timeout(PATIENCE, consumer.next_subscription_event())
        .await
        .expect("nothing came");
    match next.unwrap() {
        PersistentSubscriptionEvent::EventAppeared { event, retry_count } => (event, retry_count),
        PersistentSubscriptionEvent::Confirmed(_) => panic!("it was confirmed already"),
    }
}

/// The next message's type, after it was acknowledged.
async fn do_next(consumer: &mut PersistentSubscription) -> String {
    let (event, _) = next(consumer).await;
    consumer.ack(&event).await.unwrap();
    event.event.unwrap().event_type
}

/// How many messages of a group on a stream are parked.
async fn parked(client: &Client, stream: &str, group: &str) -> usize {
    let info = client
        .get_persistent_subscription_info(stream, group, &Default::default())
        .await
        .unwrap();
    info.stats.parked_message_count
}

/// Looks until so many messages are parked.
async fn until_parked(client: &Client, stream: &str, group: &str, count: usize) {
    let looking = async {
        while parked(client, stream, group).await != count {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, looking).await.expect("so many were never parked");
}

/// Looks until everything up to a revision is remembered as done.
async fn until_remembered(client: &Client, stream: &str, group: &str, revision: u64) {
    let looking = async {
        loop {
            let info = client
                .get_persistent_subscription_info(stream, group, &Default::default())
                .await
                .unwrap();
            if info.stats.last_checkpointed_event_revision == Some(revision) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, looking).await.expect("it was never remembered");
}

/// Looks until everything of the whole log up to a position is remembered as done.
async fn until_remembered_on_all(client: &Client, group: &str, position: Position) {
    let looking = async {
        loop {
            let info = client
                .get_persistent_subscription_info_to_all(group, &Default::default())
                .await
                .unwrap();
            if info
                .stats
                .last_checkpointed_position
                .is_some_and(|done| done.commit >= position.commit)
            {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, looking).await.expect("it was never remembered");
}
