//! The same through the official Rust client, as it comes from its registry.

use kurrentdb::{
    AppendToStreamOptions, Client, DeleteStreamOptions, EventData, ReadAllOptions, ReadStreamOptions, StreamMetadataBuilder,
    StreamPosition, StreamState, SubscribeToAllOptions, SubscriptionEvent, SubscriptionFilter, TombstoneStreamOptions,
};
use serde_json::json;

use crate::support::{House, PATIENCE};

fn client(house: &House) -> Client {
    let settings = format!("esdb://{}?tls=false", house.server.address()).parse().unwrap();
    Client::new(settings).unwrap()
}

fn placed() -> EventData {
    EventData::json("Placed", &json!({"amount": 3}))
        .unwrap()
        .id(uuid::Uuid::new_v4())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_appends_reads_and_meets_conflicts() {
    let house = House::open().await;
    let client = client(&house);
    let first = AppendToStreamOptions::default().stream_state(StreamState::NoStream);
    let written = client
        .append_to_stream("order-1", &first, vec![placed(), placed()])
        .await
        .unwrap();
    assert_eq!(written.next_expected_version, 1);
    let error = client.append_to_stream("order-1", &first, vec![placed()]).await.unwrap_err();
    assert!(
        matches!(
            &error,
            kurrentdb::Error::WrongExpectedVersion {
                expected: StreamState::NoStream,
                ..
            }
        ),
        "{error:?}"
    );
    let mut stream = client.read_stream("order-1", &ReadStreamOptions::default()).await.unwrap();
    let mut revisions = Vec::new();
    while let Some(event) = stream.next().await.unwrap() {
        assert_eq!(event.get_original_event().event_type, "Placed");
        assert!(event.get_original_event().is_json);
        revisions.push(event.get_original_event().revision);
    }
    assert_eq!(revisions, [0, 1]);
    let nobody = client
        .read_stream("order-9", &ReadStreamOptions::default())
        .await
        .unwrap()
        .next()
        .await;
    assert!(matches!(nobody, Err(kurrentdb::Error::ResourceNotFound)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_follows_the_log_with_a_filter() {
    let house = House::open().await;
    let client = client(&house);
    let options = SubscribeToAllOptions::default()
        .position(StreamPosition::Start)
        .filter(SubscriptionFilter::on_stream_name().add_prefix("order-"));
    let mut subscription = client.subscribe_to_all(&options).await;
    client
        .append_to_stream("invoice-1", &AppendToStreamOptions::default(), placed())
        .await
        .unwrap();
    client
        .append_to_stream("order-1", &AppendToStreamOptions::default(), placed())
        .await
        .unwrap();
    let found = async {
        loop {
            if let SubscriptionEvent::EventAppeared(event) = subscription.next_subscription_event().await.unwrap() {
                return event.get_original_event().stream_id().to_owned();
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, found).await.unwrap(), "order-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_appends_in_batches() {
    let house = House::open().await;
    let client = client(&house);
    let batch = client.batch_append(&kurrentdb::BatchAppendOptions::default()).await.unwrap();
    for number in 0..10 {
        let written = batch
            .append_to_stream(format!("order-{number}"), StreamState::NoStream, vec![placed(), placed()])
            .await
            .unwrap();
        assert_eq!(written.current_revision(), Some(1));
    }
    let conflict = batch.append_to_stream("order-1", StreamState::NoStream, vec![placed()]).await;
    assert!(conflict.is_err());
    let mut all = client
        .read_all(&ReadAllOptions::default().position(StreamPosition::Start))
        .await
        .unwrap();
    let mut count = 0;
    while all.next().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_deletes_and_says_something_of_a_stream() {
    let house = House::open().await;
    let client = client(&house);
    client
        .append_to_stream("order-1", &AppendToStreamOptions::default(), placed())
        .await
        .unwrap();
    let about = StreamMetadataBuilder::new().max_count(5).build();
    client
        .set_stream_metadata("order-1", &AppendToStreamOptions::default(), &about)
        .await
        .unwrap();
    let read = client
        .get_stream_metadata("order-1", &ReadStreamOptions::default())
        .await
        .unwrap();
    let kurrentdb::StreamMetadataResult::Success(read) = read else {
        panic!("nothing was said of it: {read:?}")
    };
    assert_eq!(read.metadata().max_count, Some(5));
    client
        .delete_stream("order-1", &DeleteStreamOptions::default())
        .await
        .unwrap();
    client
        .append_to_stream("order-1", &AppendToStreamOptions::default(), placed())
        .await
        .unwrap();
    client
        .tombstone_stream("order-1", &TombstoneStreamOptions::default())
        .await
        .unwrap();
    let ended = client
        .append_to_stream("order-1", &AppendToStreamOptions::default(), placed())
        .await
        .unwrap_err();
    assert!(matches!(ended, kurrentdb::Error::ResourceDeleted), "{ended:?}");
}
