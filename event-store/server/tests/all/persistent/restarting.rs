//! What a group remembers.

use std::collections::BTreeSet;

use ::uuid::Uuid;
use event_store_embedded::EmbeddedStore;
use kurrentdb::{Error, NakAction};
use tokio::time::timeout;

use super::{
    super::support::{
        House, PATIENCE, event_with, id_text,
        protocol::event_store::client::{persistent_subscriptions::read_resp, uuid},
    },
    consumer, do_next, from_start, group, next, parked,
    raw::settings,
    replay, until_parked, until_remembered,
};

/// The consumer is told that it is one no longer.
async fn until_dropped(consumer: &mut kurrentdb::PersistentSubscription) -> Error {
    loop {
        if let Err(error) = timeout(PATIENCE, consumer.next_subscription_event())
            .await
            .expect("nothing came")
        {
            return error;
        }
    }
}

#[tokio::test]
async fn a_group_goes_on_where_it_was_after_a_restart() {
    let house = House::open().await;
    let client = house.client();
    let rarely = from_start().checkpoint_lower_bound(1_000).checkpoint_upper_bound(1_000);
    group(&client, &rarely).await;
    house.happen("letters", &["A", "B", "C", "D"]).await;
    let mut reader = consumer(&client, "letters", "readers", 10).await;
    assert_eq!(do_next(&mut reader).await, "A");
    let (parked_one, _) = next(&mut reader).await;
    reader.nack(&parked_one, NakAction::Park, "later").await.unwrap();
    let (unanswered, _) = next(&mut reader).await;
    assert_eq!(unanswered.get_original_event().revision, 2);
    until_parked(&client, "letters", "readers", 1).await;
    let house = house.restart().await;
    let error = until_dropped(&mut reader).await;
    assert!(matches!(error, Error::ServerError(_)), "unavailable, not {error:?}");

    let client = house.client();
    let mut reader = consumer(&client, "letters", "readers", 10).await;
    assert_eq!(
        do_next(&mut reader).await,
        "C",
        "A is done, B is parked, C was never answered"
    );
    assert_eq!(do_next(&mut reader).await, "D");
    assert_eq!(parked(&client, "letters", "readers").await, 1);
    replay(&client).await;
    assert_eq!(do_next(&mut reader).await, "B");
}

#[tokio::test]
async fn a_replayed_message_that_nobody_did_is_still_parked_after_a_restart() {
    let house = House::open().await;
    let client = house.client();
    group(&client, &from_start()).await;
    house.happen("letters", &["A"]).await;
    let mut reader = consumer(&client, "letters", "readers", 10).await;
    let (event, _) = next(&mut reader).await;
    reader.nack(&event, NakAction::Park, "").await.unwrap();
    until_parked(&client, "letters", "readers", 1).await;
    replay(&client).await;
    next(&mut reader).await;
    assert_eq!(parked(&client, "letters", "readers").await, 0, "it is on its way");
    let house = house.restart().await;
    assert_eq!(parked(&house.client(), "letters", "readers").await, 1);
}

#[tokio::test]
async fn the_subsystem_begins_again_from_what_is_stored() {
    let house = House::open().await;
    let client = house.client();
    group(&client, &from_start()).await;
    house.happen("letters", &["A", "B"]).await;
    let mut reader = consumer(&client, "letters", "readers", 1).await;
    do_next(&mut reader).await;
    until_remembered(&client, "letters", "readers", 0).await;
    client
        .restart_persistent_subscription_subsystem(&Default::default())
        .await
        .unwrap();
    let error = until_dropped(&mut reader).await;
    assert!(matches!(error, Error::IllegalStateError(_)), "dropped, not {error:?}");
    let mut reader = consumer(&client, "letters", "readers", 1).await;
    assert_eq!(do_next(&mut reader).await, "B");
}

#[tokio::test]
async fn an_update_drops_the_consumers_and_keeps_the_place() {
    let house = House::open().await;
    let client = house.client();
    group(&client, &from_start()).await;
    house.happen("letters", &["A", "B"]).await;
    let mut reader = consumer(&client, "letters", "readers", 1).await;
    do_next(&mut reader).await;
    until_remembered(&client, "letters", "readers", 0).await;
    let other = from_start().max_retry_count(3);
    client
        .update_persistent_subscription("letters", "readers", &other)
        .await
        .unwrap();
    let error = until_dropped(&mut reader).await;
    assert!(matches!(error, Error::IllegalStateError(_)), "dropped, not {error:?}");
    let house = house.restart().await;
    let client = house.client();
    let info = client
        .get_persistent_subscription_info("letters", "readers", &Default::default())
        .await
        .unwrap();
    assert_eq!(info.settings.unwrap().max_retry_count, 3);
    let mut reader = consumer(&client, "letters", "readers", 1).await;
    assert_eq!(do_next(&mut reader).await, "B");
}

#[tokio::test]
async fn a_deleted_group_is_gone_and_a_new_one_of_its_name_begins_anew() {
    let house = House::open().await;
    let client = house.client();
    group(&client, &from_start()).await;
    house.happen("letters", &["A", "B"]).await;
    let mut reader = consumer(&client, "letters", "readers", 1).await;
    do_next(&mut reader).await;
    let (second, _) = next(&mut reader).await;
    reader.nack(&second, NakAction::Park, "").await.unwrap();
    until_parked(&client, "letters", "readers", 1).await;
    until_remembered(&client, "letters", "readers", 1).await;
    client
        .delete_persistent_subscription("letters", "readers", &Default::default())
        .await
        .unwrap();
    let error = until_dropped(&mut reader).await;
    assert!(matches!(error, Error::IllegalStateError(_)), "dropped, not {error:?}");
    let house = house.restart().await;
    let client = house.client();
    let gone = client
        .subscribe_to_persistent_subscription("letters", "readers", &Default::default())
        .await;
    assert!(matches!(gone, Err(Error::ResourceNotFound)));
    group(&client, &from_start()).await;
    assert_eq!(parked(&client, "letters", "readers").await, 0);
    let mut reader = consumer(&client, "letters", "readers", 1).await;
    assert_eq!(do_next(&mut reader).await, "A");
    until_remembered(&client, "letters", "readers", 0).await;
}

#[tokio::test]
async fn what_was_not_done_when_the_power_failed_is_handed_out_again() {
    let house = House::open().await;
    house.create_group("letters", "readers", settings()).await.unwrap();
    let letters: Vec<Uuid> = (0..200).map(|_| Uuid::new_v4()).collect();
    let events = letters.iter().map(|id| event_with(*id, "Letter", "{}"));
    house.write("letters", events.collect()).await;
    let mut reader = house.consume("letters", "readers", 10).await.unwrap();
    let (client, mut answered) = (house.client(), BTreeSet::new());
    for number in 0..120 {
        let id = id_of(&reader.next_event().await);
        if number % 5 == 0 {
            reader.nack(vec![id_text(id)], 1);
        } else {
            reader.ack(vec![id_text(id)]);
            answered.insert(id);
        }
        if number == 59 {
            // The first messages are remembered as done; the others are on their way when the power fails.
            until_remembered(&client, "letters", "readers", 59).await;
        }
    }
    // What a disk holds at some moment, and nothing of what was in memory.
    let directory = tempfile::tempdir().unwrap();
    house.store.backup(&directory.path().join("store"), |_| {}).unwrap();
    let store = EmbeddedStore::open(&directory.path().join("store")).unwrap();
    let house = House::serve(directory, store).await;

    let mut reader = house.consume("letters", "readers", 10).await.unwrap();
    let last = Uuid::new_v4();
    house.write("letters", vec![event_with(last, "Last", "{}")]).await;
    let mut handed_out = BTreeSet::new();
    while !handed_out.contains(&last) {
        let id = id_of(&reader.next_event().await);
        reader.ack(vec![id_text(id)]);
        handed_out.insert(id);
    }
    let parked = house.group_info("letters", "readers").await.unwrap().parked_message_count;
    house.replay_group("letters", "readers").await;
    for _ in 0..parked {
        let message = reader.next_event().await;
        reader.ack(vec![message.link.clone().unwrap().id.unwrap()]);
        handed_out.insert(id_of(&message));
    }
    let missing: Vec<_> = letters
        .iter()
        .filter(|id| !handed_out.contains(id) && !answered.contains(id))
        .collect();
    assert!(
        missing.is_empty(),
        "neither answered before nor handed out again: {missing:?}"
    );
    assert!(handed_out.len() < 200, "what was done is remembered");
}

fn id_of(message: &read_resp::ReadEvent) -> Uuid {
    match message.event.as_ref().unwrap().id.as_ref().unwrap().value.as_ref().unwrap() {
        uuid::Value::String(id) => id.parse().unwrap(),
        uuid::Value::Structured(_) => panic!("text was asked for"),
    }
}
