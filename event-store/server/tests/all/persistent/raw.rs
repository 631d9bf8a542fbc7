//! What the registry's client does not show, word by word.

use ::uuid::Uuid;
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Status, Streaming, transport::Channel};

use super::super::support::{
    House, PATIENCE, event_with, id_text, named,
    protocol::event_store::client::{
        Uuid as ProtocolUuid,
        persistent_subscriptions::{
            CreateReq, DeleteReq, GetInfoReq, ReadReq, ReadResp, ReplayParkedReq, SubscriptionInfo, create_req, delete_req,
            get_info_req,
            persistent_subscriptions_client::PersistentSubscriptionsClient,
            read_req::{self, Nack, options::uuid_option},
            read_resp, replay_parked_req,
        },
        uuid,
    },
};

impl House {
    pub(super) fn groups(&self) -> PersistentSubscriptionsClient<Channel> {
        PersistentSubscriptionsClient::new(self.channel.clone())
    }

    pub(super) async fn create_group(&self, stream: &str, group: &str, settings: create_req::Settings) -> Result<(), Status> {
        let request = CreateReq {
            options: Some(on_stream(stream, group, settings)),
        };
        self.groups().create(request).await.map(drop)
    }

    pub(super) async fn delete_group(&self, stream: &str, group: &str) -> Result<(), Status> {
        let options = delete_req::Options {
            stream_option: Some(delete_req::options::StreamOption::StreamIdentifier(named(stream))),
            group_name: group.into(),
        };
        self.groups().delete(DeleteReq { options: Some(options) }).await.map(drop)
    }

    pub(super) async fn group_info(&self, stream: &str, group: &str) -> Result<SubscriptionInfo, Status> {
        let options = get_info_req::Options {
            stream_option: Some(get_info_req::options::StreamOption::StreamIdentifier(named(stream))),
            group_name: group.into(),
        };
        let info = self.groups().get_info(GetInfoReq { options: Some(options) }).await?;
        Ok(info.into_inner().subscription_info.unwrap())
    }

    pub(super) async fn replay_group(&self, stream: &str, group: &str) {
        let options = replay_parked_req::Options {
            group_name: group.into(),
            stream_option: Some(replay_parked_req::options::StreamOption::StreamIdentifier(named(stream))),
            stop_at_option: Some(replay_parked_req::options::StopAtOption::NoLimit(())),
        };
        let request = ReplayParkedReq { options: Some(options) };
        self.groups().replay_parked(request).await.unwrap();
    }

    pub(super) async fn consume(&self, stream: &str, group: &str, slots: i32) -> Result<Consuming, Status> {
        let (says, said) = mpsc::unbounded_channel();
        says.send(ReadReq {
            content: Some(read_req::Content::Options(options(
                stream,
                group,
                slots,
                uuid_option::Content::String(()),
            ))),
        })
        .unwrap();
        let answers = self.groups().read(UnboundedReceiverStream::new(said)).await?.into_inner();
        Ok(Consuming { says, answers })
    }
}

/// A consumer.
pub(super) struct Consuming {
    pub(super) says: mpsc::UnboundedSender<ReadReq>,
    answers: Streaming<ReadResp>,
}

impl Consuming {
    pub(super) async fn next(&mut self) -> Result<read_resp::Content, Status> {
        let next = timeout(PATIENCE, self.answers.message()).await.expect("nothing came");
        Ok(next?.expect("a consumer's call never ends well").content.unwrap())
    }

    pub(super) async fn next_event(&mut self) -> read_resp::ReadEvent {
        loop {
            if let read_resp::Content::Event(event) = self.next().await.unwrap() {
                return event;
            }
        }
    }

    /// Why there is nothing more.
    pub(super) async fn end(&mut self) -> Status {
        loop {
            if let Err(status) = self.next().await {
                return status;
            }
        }
    }

    pub(super) fn ack(&self, ids: Vec<ProtocolUuid>) {
        let ack = read_req::Ack {
            id: bytes::Bytes::new(),
            ids,
        };
        let content = Some(read_req::Content::Ack(ack));
        self.says.send(ReadReq { content }).unwrap();
    }

    pub(super) fn nack(&self, ids: Vec<ProtocolUuid>, action: i32) {
        let nack = Nack {
            id: bytes::Bytes::new(),
            ids,
            action,
            reason: "a reason".into(),
        };
        let content = Some(read_req::Content::Nack(nack));
        self.says.send(ReadReq { content }).unwrap();
    }
}

pub(super) fn options(stream: &str, group: &str, slots: i32, ids: uuid_option::Content) -> read_req::Options {
    read_req::Options {
        stream_option: Some(read_req::options::StreamOption::StreamIdentifier(named(stream))),
        group_name: group.into(),
        buffer_size: slots,
        uuid_option: Some(read_req::options::UuidOption { content: Some(ids) }),
    }
}

pub(super) fn on_stream(stream: &str, group: &str, settings: create_req::Settings) -> create_req::Options {
    let start = create_req::StreamOptions {
        stream_identifier: Some(named(stream)),
        revision_option: Some(create_req::stream_options::RevisionOption::Start(())),
    };
    #[allow(deprecated)]
    create_req::Options {
        stream_identifier: None,
        group_name: group.into(),
        settings: Some(settings),
        stream_option: Some(create_req::options::StreamOption::Stream(start)),
    }
}

pub(super) fn settings() -> create_req::Settings {
    use create_req::settings::{CheckpointAfter, MessageTimeout};
    create_req::Settings {
        max_retry_count: 10,
        message_timeout: Some(MessageTimeout::MessageTimeoutMs(30_000)),
        checkpoint_after: Some(CheckpointAfter::CheckpointAfterMs(2_000)),
        min_checkpoint_count: 1,
        max_checkpoint_count: 1,
        live_buffer_size: 500,
        read_batch_size: 20,
        history_buffer_size: 500,
        consumer_strategy: "RoundRobin".into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn ids_are_halves_for_those_who_want_halves() {
    let house = House::open().await;
    house.create_group("letters", "readers", settings()).await.unwrap();
    let id = Uuid::new_v4();
    house.write("letters", vec![event_with(id, "A", "{}")]).await;
    let (says, said) = mpsc::unbounded_channel();
    let halves = options("letters", "readers", 1, uuid_option::Content::Structured(()));
    says.send(ReadReq {
        content: Some(read_req::Content::Options(halves)),
    })
    .unwrap();
    let answers = house
        .groups()
        .read(UnboundedReceiverStream::new(said))
        .await
        .unwrap()
        .into_inner();
    let mut consuming = Consuming { says, answers };
    let event = consuming.next_event().await;
    let recorded = event.event.unwrap();
    let (most, least) = id.as_u64_pair();
    assert_eq!(
        recorded.id.unwrap().value,
        Some(uuid::Value::Structured(uuid::Structured {
            most_significant_bits: most.cast_signed(),
            least_significant_bits: least.cast_signed(),
        }))
    );
    assert_eq!(recorded.metadata["type"], "A");
    assert_eq!(recorded.metadata["content-type"], "application/json");
    assert!(recorded.metadata["created"].parse::<i64>().unwrap() > 0);
    assert_eq!(event.count, Some(read_resp::read_event::Count::RetryCount(0)));
    let place = recorded.commit_position;
    assert_eq!(event.position, Some(read_resp::read_event::Position::CommitPosition(place)));
}

#[tokio::test]
async fn a_strategy_is_known_by_its_name_and_by_its_old_number() {
    let house = House::open().await;
    for (index, (name, number, strategy)) in [
        ("", 0, "DispatchToSingle"),
        ("", 1, "RoundRobin"),
        ("", 2, "Pinned"),
        ("PinnedByCorrelation", 0, "PinnedByCorrelation"),
    ]
    .into_iter()
    .enumerate()
    {
        let group = format!("group-{index}");
        #[allow(deprecated)]
        let settings = create_req::Settings {
            consumer_strategy: name.into(),
            named_consumer_strategy: number,
            ..settings()
        };
        house.create_group("letters", &group, settings).await.unwrap();
        let info = house.group_info("letters", &group).await.unwrap();
        assert_eq!(info.named_consumer_strategy, strategy);
    }
}

#[tokio::test]
async fn a_time_in_ticks_and_a_stream_in_the_old_place_are_understood() {
    use create_req::settings::{CheckpointAfter, MessageTimeout};
    let house = House::open().await;
    #[allow(deprecated)]
    let old = create_req::Options {
        stream_identifier: Some(named("letters")),
        group_name: "readers".into(),
        settings: Some(create_req::Settings {
            revision: 3,
            message_timeout: Some(MessageTimeout::MessageTimeoutTicks(150_000_000)),
            checkpoint_after: Some(CheckpointAfter::CheckpointAfterTicks(20_000)),
            ..settings()
        }),
        stream_option: None,
    };
    house.groups().create(CreateReq { options: Some(old) }).await.unwrap();
    let info = house.group_info("letters", "readers").await.unwrap();
    assert_eq!(info.start_from, "3");
    assert_eq!(
        (info.message_timeout_milliseconds, info.check_point_after_milliseconds),
        (15_000, 2)
    );
    assert_eq!(info.last_known_event_position, "", "there is no such stream yet");
}

#[tokio::test]
async fn pinned_messages_with_one_correlation_go_to_one_consumer() {
    let house = House::open().await;
    let pinned = create_req::Settings {
        consumer_strategy: "PinnedByCorrelation".into(),
        ..settings()
    };
    house.create_group("letters", "readers", pinned).await.unwrap();
    let mut first = house.consume("letters", "readers", 100).await.unwrap();
    let mut second = house.consume("letters", "readers", 100).await.unwrap();
    let correlated = |number: usize| {
        let mut event = event_with(Uuid::new_v4(), "A", format!("{number}"));
        event.custom_metadata = format!(r#"{{"$correlationId":"case {}"}}"#, number % 8).into();
        event
    };
    house.write("letters", (0..40).map(correlated).collect()).await;
    let mut holders = [None; 8];
    for _ in 0..40 {
        let (holder, event) = tokio::select! {
            event = first.next_event() => (1, event),
            event = second.next_event() => (2, event),
        };
        let number: usize = String::from_utf8(event.event.unwrap().data.to_vec())
            .unwrap()
            .parse()
            .unwrap();
        let known = holders[number % 8].get_or_insert(holder);
        assert_eq!(*known, holder, "case {} is with both", number % 8);
    }
    assert!(holders.contains(&Some(1)) && holders.contains(&Some(2)));
}

#[tokio::test]
async fn an_answer_for_a_message_that_one_does_not_hold_changes_nothing() {
    let house = House::open().await;
    house.create_group("letters", "readers", settings()).await.unwrap();
    let id = Uuid::new_v4();
    house.write("letters", vec![event_with(id, "A", "{}")]).await;
    let mut holder = house.consume("letters", "readers", 1).await.unwrap();
    holder.next_event().await;
    let mut other = house.consume("letters", "readers", 1).await.unwrap();
    other.next().await.unwrap();
    other.ack(vec![id_text(id), id_text(Uuid::new_v4())]);
    // Its next message comes after its answer was taken.
    house.write("letters", vec![event_with(Uuid::new_v4(), "B", "{}")]).await;
    assert_eq!(other.next_event().await.event.unwrap().metadata["type"], "B");
    let info = house.group_info("letters", "readers").await.unwrap();
    assert_eq!(info.total_in_flight_messages, 2);
    assert_eq!(info.last_checkpointed_event_position, "");
}
