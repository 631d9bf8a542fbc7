//! What a group remembers.

use kurrentdb::{Error, NakAction};
use tokio::time::timeout;

use super::{
    super::support::{House, PATIENCE},
    consumer, do_next, from_start, next, parked, until_parked, until_remembered,
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
    client
        .create_persistent_subscription("letters", "readers", &rarely)
        .await
        .unwrap();
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
    client
        .replay_parked_messages("letters", "readers", &Default::default())
        .await
        .unwrap();
    assert_eq!(do_next(&mut reader).await, "B");
}

#[tokio::test]
async fn a_replayed_message_that_nobody_did_is_still_parked_after_a_restart() {
    let house = House::open().await;
    let client = house.client();
    client
        .create_persistent_subscription("letters", "readers", &from_start())
        .await
        .unwrap();
    house.happen("letters", &["A"]).await;
    let mut reader = consumer(&client, "letters", "readers", 10).await;
    let (event, _) = next(&mut reader).await;
    reader.nack(&event, NakAction::Park, "").await.unwrap();
    until_parked(&client, "letters", "readers", 1).await;
    client
        .replay_parked_messages("letters", "readers", &Default::default())
        .await
        .unwrap();
    next(&mut reader).await;
    assert_eq!(parked(&client, "letters", "readers").await, 0, "it is on its way");
    let house = house.restart().await;
    assert_eq!(parked(&house.client(), "letters", "readers").await, 1);
}

#[tokio::test]
async fn the_subsystem_begins_again_from_what_is_stored() {
    let house = House::open().await;
    let client = house.client();
    client
        .create_persistent_subscription("letters", "readers", &from_start())
        .await
        .unwrap();
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
    client
        .create_persistent_subscription("letters", "readers", &from_start())
        .await
        .unwrap();
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
    client
        .create_persistent_subscription("letters", "readers", &from_start())
        .await
        .unwrap();
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
    client
        .create_persistent_subscription("letters", "readers", &from_start())
        .await
        .unwrap();
    assert_eq!(parked(&client, "letters", "readers").await, 0);
    let mut reader = consumer(&client, "letters", "readers", 1).await;
    assert_eq!(do_next(&mut reader).await, "A");
    until_remembered(&client, "letters", "readers", 0).await;
}
