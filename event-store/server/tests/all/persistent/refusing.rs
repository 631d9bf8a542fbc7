//! What is refused, by which code and which trailers.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Code, Status};

use super::{
    super::support::{
        House, event, id_text, named,
        protocol::event_store::client::persistent_subscriptions::{
            CreateReq, ListReq, ReadReq, create_req, list_req,
            read_req::{Content, options::uuid_option},
        },
        trailer,
    },
    raw::{options, settings},
};

fn is(status: &Status, code: Code, exception: &str) {
    assert_eq!(status.code(), code, "{status:?}");
    assert_eq!(trailer(status, "exception"), exception);
    assert_eq!(
        (trailer(status, "stream-name"), trailer(status, "group-name")),
        ("letters", "readers")
    );
}

#[tokio::test]
async fn a_group_that_exists_is_not_made_again() {
    let house = House::open().await;
    house.create_group("letters", "readers", settings()).await.unwrap();
    let status = house.create_group("letters", "readers", settings()).await.unwrap_err();
    is(&status, Code::AlreadyExists, "persistent-subscription-exists");
    assert_eq!(status.message(), "Subscription group readers on stream letters exists.");
}

#[tokio::test]
async fn a_group_that_does_not_exist_cannot_be_used() {
    let house = House::open().await;
    let exception = "persistent-subscription-does-not-exist";
    let statuses = [
        house.delete_group("letters", "readers").await.unwrap_err(),
        house.group_info("letters", "readers").await.unwrap_err(),
        house.consume("letters", "readers", 1).await.err().unwrap(),
    ];
    for status in statuses {
        is(&status, Code::NotFound, exception);
        assert_eq!(
            status.message(),
            "Subscription group readers on stream letters does not exist."
        );
    }
    let list = list_req::Options {
        list_option: Some(list_req::options::ListOption::ListForStream(list_req::StreamOption {
            stream_option: Some(list_req::stream_option::StreamOption::Stream(named("letters"))),
        })),
    };
    let none = house.groups().list(ListReq { options: Some(list) }).await.unwrap_err();
    assert_eq!(none.code(), Code::NotFound);
    let list = list_req::Options {
        list_option: Some(list_req::options::ListOption::ListAllSubscriptions(())),
    };
    let all = house.groups().list(ListReq { options: Some(list) }).await.unwrap();
    assert!(all.into_inner().subscriptions.is_empty());
}

#[tokio::test]
async fn a_group_that_cannot_work_is_not_made() {
    let house = House::open().await;
    for (wrong, reason) in [
        (
            create_req::Settings {
                consumer_strategy: "ByTheMoon".into(),
                ..settings()
            },
            "Consumer strategy ByTheMoon does not exist.",
        ),
        (
            create_req::Settings {
                read_batch_size: 500,
                ..settings()
            },
            "read_batch_size (500) must be smaller than history_buffer_size (500).",
        ),
        (
            create_req::Settings {
                max_retry_count: -1,
                ..settings()
            },
            "max_retry_count must be at least 0; it is -1.",
        ),
    ] {
        let status = house.create_group("letters", "readers", wrong).await.unwrap_err();
        is(&status, Code::Internal, "persistent-subscription-failed");
        assert_eq!(trailer(&status, "reason"), reason);
    }
    let longest = "x".repeat(event_store_contract::MAX_STREAM_NAME_BYTES);
    let status = house.create_group(&longest, "readers", settings()).await.unwrap_err();
    assert_eq!(trailer(&status, "exception"), "persistent-subscription-failed");
}

#[tokio::test]
async fn a_position_that_the_log_has_not_reached_is_no_beginning() {
    let house = House::open().await;
    let begin = |commit_position, prepare_position| {
        let position = create_req::Position {
            commit_position,
            prepare_position,
        };
        let all = create_req::AllOptions {
            all_option: Some(create_req::all_options::AllOption::Position(position)),
            filter_option: Some(create_req::all_options::FilterOption::NoFilter(())),
        };
        #[allow(deprecated)]
        let options = create_req::Options {
            stream_identifier: None,
            group_name: "clerks".into(),
            settings: Some(settings()),
            stream_option: Some(create_req::options::StreamOption::All(all)),
        };
        CreateReq { options: Some(options) }
    };
    for (commit, prepare) in [(1_000_000, 1_000_000), (1, 2)] {
        let status = house.groups().create(begin(commit, prepare)).await.unwrap_err();
        assert_eq!(trailer(&status, "exception"), "persistent-subscription-failed");
        assert!(status.message().contains("Invalid Start From position"), "{status:?}");
    }
}

#[tokio::test]
async fn no_more_consumers_come_in_than_the_group_takes() {
    let house = House::open().await;
    let one = create_req::Settings {
        max_subscriber_count: 1,
        ..settings()
    };
    house.create_group("letters", "readers", one).await.unwrap();
    let mut first = house.consume("letters", "readers", 1).await.unwrap();
    first.next().await.unwrap();
    let status = house.consume("letters", "readers", 1).await.err().unwrap();
    is(&status, Code::FailedPrecondition, "maximum-subscribers-reached");
}

#[tokio::test]
async fn consumers_of_a_deleted_group_are_dropped() {
    let house = House::open().await;
    house.create_group("letters", "readers", settings()).await.unwrap();
    let mut consumer = house.consume("letters", "readers", 1).await.unwrap();
    house.delete_group("letters", "readers").await.unwrap();
    is(&consumer.end().await, Code::Cancelled, "persistent-subscription-dropped");
}

#[tokio::test]
async fn consumers_of_a_tombstoned_stream_are_dropped() {
    let house = House::open().await;
    house.create_group("letters", "readers", settings()).await.unwrap();
    house.write("letters", vec![event("A")]).await;
    let mut consumer = house.consume("letters", "readers", 1).await.unwrap();
    consumer.next_event().await;
    house.tombstone("letters").await.unwrap();
    is(&consumer.end().await, Code::Cancelled, "persistent-subscription-dropped");
    is(
        &house.consume("letters", "readers", 1).await.err().unwrap(),
        Code::Cancelled,
        "persistent-subscription-dropped",
    );
}

#[tokio::test]
async fn a_server_that_stops_is_unavailable_to_consumers() {
    let house = House::open().await;
    house.create_group("letters", "readers", settings()).await.unwrap();
    let mut consumer = house.consume("letters", "readers", 1).await.unwrap();
    consumer.next().await.unwrap();
    house.server.stop(Duration::from_secs(5)).await;
    assert_eq!(consumer.end().await.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_consumer_that_makes_no_sense_is_told_so() {
    let house = House::open().await;
    house.create_group("letters", "readers", settings()).await.unwrap();
    let nothing = house.consume("letters", "readers", 0).await.err().unwrap();
    assert_eq!(nothing.code(), Code::InvalidArgument);

    let (says, said) = mpsc::unbounded_channel();
    says.send(ReadReq { content: None }).unwrap();
    let silent = house.groups().read(UnboundedReceiverStream::new(said)).await;
    assert_eq!(silent.unwrap_err().code(), Code::InvalidArgument);

    let mut consumer = house.consume("letters", "readers", 1).await.unwrap();
    consumer.nack(vec![id_text(uuid::Uuid::new_v4())], 99);
    assert_eq!(consumer.end().await.code(), Code::InvalidArgument);

    let mut consumer = house.consume("letters", "readers", 1).await.unwrap();
    let again = options("letters", "readers", 1, uuid_option::Content::String(()));
    consumer
        .says
        .send(ReadReq {
            content: Some(Content::Options(again)),
        })
        .unwrap();
    assert_eq!(consumer.end().await.code(), Code::InvalidArgument);
}
