//! What a group does for its consumers.

use std::{collections::BTreeSet, time::Duration};

use kurrentdb::{
    NakAction, PersistentSubscriptionOptions, PersistentSubscriptionToAllOptions, StreamPosition, SubscriptionFilter,
    SystemConsumerStrategy,
};

use super::{
    super::support::House, consumer, do_next, from_start, group, next, parked, replay, until_parked, until_remembered,
    until_remembered_on_all,
};

const NAMES: [&str; 10] = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"];

#[tokio::test]
async fn two_consumers_share_the_events_of_a_stream() {
    let house = House::open().await;
    let client = house.client();
    group(&client, &from_start()).await;
    let mut first = consumer(&client, "letters", "readers", 20).await;
    let mut second = consumer(&client, "letters", "readers", 20).await;
    house.happen("letters", &NAMES).await;
    let mut got = BTreeSet::new();
    for _ in 0..5 {
        assert!(got.insert(do_next(&mut first).await));
        assert!(got.insert(do_next(&mut second).await));
    }
    assert_eq!(got.len(), 10);
    until_remembered(&client, "letters", "readers", 9).await;
}

#[tokio::test]
async fn a_consumer_gets_no_more_than_it_takes_at_a_time_and_what_it_held_goes_to_another() {
    let house = House::open().await;
    let client = house.client();
    let single = from_start().consumer_strategy_name(SystemConsumerStrategy::DispatchToSingle);
    group(&client, &single).await;
    house.happen("letters", &NAMES[..4]).await;
    let mut first = consumer(&client, "letters", "readers", 2).await;
    assert_eq!(next(&mut first).await.1, 0);
    next(&mut first).await;
    let mut second = consumer(&client, "letters", "readers", 10).await;
    assert_eq!(do_next(&mut second).await, "C", "the first two are with the first consumer");
    assert_eq!(do_next(&mut second).await, "D");
    drop(first);
    let (again, retries) = next(&mut second).await;
    assert_eq!((again.get_original_event().revision, retries), (0, 1));
}

#[tokio::test]
async fn a_message_that_is_not_answered_in_time_comes_again() {
    let house = House::open().await;
    let client = house.client();
    let hasty = from_start().message_timeout(Duration::from_millis(50)).max_retry_count(1_000);
    group(&client, &hasty).await;
    house.happen("letters", &["A"]).await;
    let mut reader = consumer(&client, "letters", "readers", 1).await;
    assert_eq!(next(&mut reader).await.1, 0);
    assert_eq!(next(&mut reader).await.1, 1);
    assert_eq!(do_next(&mut reader).await, "A");
}

#[tokio::test]
async fn a_message_is_parked_after_max_retries() {
    let house = House::open().await;
    let client = house.client();
    let once = from_start().max_retry_count(1);
    group(&client, &once).await;
    house.happen("letters", &["A", "B"]).await;
    let mut reader = consumer(&client, "letters", "readers", 1).await;
    for retries in 0..=1 {
        let (event, retried) = next(&mut reader).await;
        assert_eq!((event.get_original_event().revision, retried), (0, retries));
        reader.nack(&event, NakAction::Retry, "not now").await.unwrap();
    }
    assert_eq!(do_next(&mut reader).await, "B");
    until_parked(&client, "letters", "readers", 1).await;
}

#[tokio::test]
async fn parked_messages_come_back_when_they_are_replayed() {
    let house = House::open().await;
    let client = house.client();
    group(&client, &from_start()).await;
    house.happen("letters", &NAMES[..3]).await;
    let mut reader = consumer(&client, "letters", "readers", 10).await;
    for _ in 0..3 {
        let (event, _) = next(&mut reader).await;
        reader.nack(&event, NakAction::Park, "because reasons").await.unwrap();
    }
    until_parked(&client, "letters", "readers", 3).await;
    until_remembered(&client, "letters", "readers", 2).await;
    let two = kurrentdb::ReplayParkedMessagesOptions::default().stop_at(2);
    client.replay_parked_messages("letters", "readers", &two).await.unwrap();
    let (event, retries) = next(&mut reader).await;
    assert_eq!(retries, 0);
    assert!(event.link.as_ref().unwrap().stream_id().ends_with("-parked"));
    reader.ack(&event).await.unwrap();
    assert_eq!(event.event.unwrap().event_type, "A");
    assert_eq!(do_next(&mut reader).await, "B");
    until_parked(&client, "letters", "readers", 1).await;
    replay(&client).await;
    assert_eq!(do_next(&mut reader).await, "C");
    until_parked(&client, "letters", "readers", 0).await;
}

#[tokio::test]
async fn a_skipped_or_stopped_message_is_done() {
    let house = House::open().await;
    let client = house.client();
    group(&client, &from_start()).await;
    house.happen("letters", &NAMES[..2]).await;
    let mut reader = consumer(&client, "letters", "readers", 10).await;
    for action in [NakAction::Skip, NakAction::Stop] {
        let (event, _) = next(&mut reader).await;
        reader.nack(&event, action, "").await.unwrap();
    }
    until_remembered(&client, "letters", "readers", 1).await;
    assert_eq!(parked(&client, "letters", "readers").await, 0);
}

#[tokio::test]
async fn a_group_from_the_end_gets_what_is_written_after_it_was_made() {
    let house = House::open().await;
    let client = house.client();
    house.happen("letters", &["Before"]).await;
    group(&client, &Default::default()).await;
    house.happen("letters", &["After"]).await;
    let house = house.restart().await;
    let client = house.client();
    let mut reader = consumer(&client, "letters", "readers", 10).await;
    assert_eq!(do_next(&mut reader).await, "After");
}

#[tokio::test]
async fn a_group_begins_with_the_revision_that_it_names() {
    let house = House::open().await;
    let client = house.client();
    house.happen("letters", &NAMES).await;
    let fourth = PersistentSubscriptionOptions::default().start_from(StreamPosition::Position(4));
    group(&client, &fourth).await;
    let mut reader = consumer(&client, "letters", "readers", 10).await;
    assert_eq!(do_next(&mut reader).await, "E");
    let info = client
        .get_persistent_subscription_info("letters", "readers", &Default::default())
        .await
        .unwrap();
    assert_eq!(info.settings.unwrap().start_from, StreamPosition::Position(4));
}

#[tokio::test]
async fn a_group_on_the_whole_log_gets_what_its_filter_wants() {
    let house = House::open().await;
    let client = house.client();
    let filter = SubscriptionFilter::on_stream_name().regex("^(?!case-2|\\$).*");
    let options = PersistentSubscriptionToAllOptions::default()
        .start_from(StreamPosition::Start)
        .filter(filter)
        .checkpoint_lower_bound(1)
        .checkpoint_upper_bound(1);
    client
        .create_persistent_subscription_to_all("clerks", &options)
        .await
        .unwrap();
    let mut clerk = client
        .subscribe_to_persistent_subscription_to_all("clerks", &Default::default())
        .await
        .unwrap();
    clerk.next_subscription_event().await.unwrap();
    for (stream, name) in [("case-1", "Filed"), ("case-2", "Filed"), ("case-3", "Closed")] {
        house.happen(stream, &[name]).await;
    }
    for stream in ["case-1", "case-3"] {
        let (event, _) = next(&mut clerk).await;
        assert_eq!(event.get_original_stream_id(), stream);
        clerk.ack(&event).await.unwrap();
        until_remembered_on_all(&client, "clerks", event.get_original_event().position).await;
    }
    let house = house.restart().await;
    house.happen("case-4", &["Filed"]).await;
    let client = house.client();
    let mut clerk = client
        .subscribe_to_persistent_subscription_to_all("clerks", &Default::default())
        .await
        .unwrap();
    clerk.next_subscription_event().await.unwrap();
    let (event, _) = next(&mut clerk).await;
    assert_eq!(event.get_original_stream_id(), "case-4", "filter and place are remembered");
}

#[tokio::test]
async fn a_message_of_the_whole_log_can_be_parked_and_replayed() {
    let house = House::open().await;
    let client = house.client();
    client
        .create_persistent_subscription_to_all("clerks", &Default::default())
        .await
        .unwrap();
    let mut clerk = client
        .subscribe_to_persistent_subscription_to_all("clerks", &Default::default())
        .await
        .unwrap();
    clerk.next_subscription_event().await.unwrap();
    house.happen("case-1", &["Filed"]).await;
    let event = loop {
        let (event, _) = next(&mut clerk).await;
        if event.get_original_stream_id() == "case-1" {
            break event;
        }
        // That the group was made stands in the log, too.
        clerk.ack(&event).await.unwrap();
    };
    clerk.nack(&event, NakAction::Park, "").await.unwrap();
    loop {
        let info = client
            .get_persistent_subscription_info_to_all("clerks", &Default::default())
            .await
            .unwrap();
        if info.stats.parked_message_count == 1 {
            break;
        }
        tokio::task::yield_now().await;
    }
    client
        .replay_parked_messages_to_all("clerks", &Default::default())
        .await
        .unwrap();
    let (event, _) = next(&mut clerk).await;
    assert_eq!(event.event.as_ref().unwrap().stream_id(), "case-1");
    clerk.ack(&event).await.unwrap();
}

#[tokio::test]
async fn a_group_on_a_category_resolves_the_links_of_the_list() {
    let house = House::open().await;
    let client = house.client();
    house.happen("case-1", &["Filed"]).await;
    house.happen("case-2", &["Closed"]).await;
    let resolving = from_start()
        .resolve_link_tos(true)
        .consumer_strategy_name(SystemConsumerStrategy::Pinned);
    client
        .create_persistent_subscription("$ce-case", "clerks", &resolving)
        .await
        .unwrap();
    let mut clerk = consumer(&client, "$ce-case", "clerks", 10).await;
    for (stream, number) in [("case-1", 0), ("case-2", 1)] {
        let (event, _) = next(&mut clerk).await;
        assert_eq!(event.event.as_ref().unwrap().stream_id(), stream);
        assert_eq!(event.link.as_ref().unwrap().revision, number);
        clerk.nack(&event, NakAction::Park, "").await.unwrap();
    }
    until_parked(&client, "$ce-case", "clerks", 2).await;
    client
        .replay_parked_messages("$ce-case", "clerks", &Default::default())
        .await
        .unwrap();
    assert_eq!(do_next(&mut clerk).await, "Filed");
    assert_eq!(do_next(&mut clerk).await, "Closed");
}

#[tokio::test]
async fn groups_tell_how_they_are_doing() {
    let house = House::open().await;
    let client = house.client();
    let measured = from_start().extra_statistics(true).max_subscriber_count(7);
    group(&client, &measured).await;
    client
        .create_persistent_subscription("letters", "writers", &from_start())
        .await
        .unwrap();
    client
        .create_persistent_subscription_to_all("clerks", &Default::default())
        .await
        .unwrap();
    house.happen("letters", &NAMES[..2]).await;
    let mut reader = consumer(&client, "letters", "readers", 10).await;
    do_next(&mut reader).await;
    next(&mut reader).await;
    until_remembered(&client, "letters", "readers", 0).await;
    let info = client
        .get_persistent_subscription_info("letters", "readers", &Default::default())
        .await
        .unwrap();
    assert_eq!(
        (&*info.event_source, &*info.group_name, &*info.status),
        ("letters", "readers", "Live")
    );
    assert_eq!(info.stats.last_known_event_revision, Some(1));
    assert_eq!((info.stats.total_items, info.stats.total_in_flight_messages), (2, 1));
    let settings = info.settings.unwrap();
    assert_eq!(
        (settings.max_subscriber_count, settings.start_from),
        (7, StreamPosition::Start)
    );
    assert_eq!(settings.consumer_strategy_name, SystemConsumerStrategy::RoundRobin);
    let [connection] = &info.connections[..] else {
        panic!("one consumer")
    };
    assert_eq!((connection.in_flight_messages, connection.available_slots), (1, 9));
    assert!(connection.extra_statistics.get("Quintile 3").is_some());

    let all = client.list_all_persistent_subscriptions(&Default::default()).await.unwrap();
    assert_eq!(all.len(), 3);
    let of_letters = client
        .list_persistent_subscriptions_for_stream("letters", &Default::default())
        .await
        .unwrap();
    assert_eq!(of_letters.len(), 2);
    let of_all = client
        .list_persistent_subscriptions_to_all(&Default::default())
        .await
        .unwrap();
    assert_eq!(of_all[0].group_name, "clerks");
}

#[tokio::test]
async fn groups_on_many_streams_each_hear_of_their_own() {
    let house = House::open().await;
    let client = house.client();
    let mut readers = Vec::new();
    for number in 0..20 {
        let stream = format!("letters-{number}");
        client
            .create_persistent_subscription(&*stream, "readers", &from_start())
            .await
            .unwrap();
        readers.push(consumer(&client, &stream, "readers", 1).await);
    }
    for name in &NAMES[..5] {
        for number in (0..20).rev() {
            house.happen(&format!("letters-{number}"), &[*name]).await;
        }
        for reader in &mut readers {
            assert_eq!(do_next(reader).await, *name);
        }
    }
}
