//! Following: first the past, then what is new, without a gap; checkpoints; how it ends.

use std::time::Duration;

use event_store_embedded::EmbeddedStore;
use tonic::Code;

use crate::support::{
    AllOption, Content, House, RevisionOption, Wanted, all_from, event, events, filtered, following, position, resolving,
    stream_from, trailer, types, whole_stream,
};

#[tokio::test]
async fn a_stream_is_followed_from_the_past_into_the_present() {
    let house = House::open().await;
    house.write("order-1", events(3)).await;
    let mut follows = house.follow(following(whole_stream("order-1"))).await;
    let (past, caught_up) = follows.until_caught_up().await;
    assert_eq!(types(&past), ["Event0", "Event1", "Event2"]);
    assert_eq!(caught_up.stream_revision, Some(2));
    assert!(caught_up.position.is_none() && caught_up.timestamp.is_some());
    house.write("order-2", events(1)).await;
    house.write("order-1", vec![event("New")]).await;
    let next = follows.next_event().await.event.unwrap();
    assert_eq!((next.stream_revision, &*next.metadata["type"]), (3, "New"));
}

#[tokio::test]
async fn one_follows_after_a_revision_without_its_event() {
    let house = House::open().await;
    house.write("order-1", events(3)).await;
    let from = stream_from("order-1", RevisionOption::Revision(1), 0);
    let (past, _) = house.follow(following(from)).await.until_caught_up().await;
    assert_eq!(types(&past), ["Event2"]);
    let from = stream_from("order-1", RevisionOption::End(()), 0);
    let mut follows = house.follow(following(from)).await;
    let (past, caught_up) = follows.until_caught_up().await;
    assert!(past.is_empty());
    assert_eq!(caught_up.stream_revision, Some(2));
    house.write("order-1", vec![event("New")]).await;
    assert_eq!(follows.next_event().await.event.unwrap().stream_revision, 3);
}

#[tokio::test]
async fn one_may_wait_for_a_stream_that_is_not_there_yet() {
    let house = House::open().await;
    let mut follows = house.follow(following(whole_stream("order-1"))).await;
    let (past, caught_up) = follows.until_caught_up().await;
    assert!(past.is_empty() && caught_up.stream_revision.is_none());
    house.write("order-1", events(1)).await;
    assert_eq!(follows.next_event().await.event.unwrap().stream_revision, 0);
}

#[tokio::test]
async fn the_log_is_followed_after_a_position_without_its_event() {
    let house = House::open().await;
    let (_, first) = house.write("order-1", events(1)).await;
    let (_, second) = house.write("order-2", events(1)).await;
    let mut follows = house.follow(following(all_from(position(first), 0))).await;
    let (past, caught_up) = follows.until_caught_up().await;
    let [Content::Event(event)] = &past[..] else {
        panic!("{past:?}")
    };
    assert_eq!(event.event.as_ref().unwrap().commit_position, second);
    assert_eq!(caught_up.position.unwrap().commit_position, second);
    assert!(caught_up.stream_revision.is_none());
    house.write("order-3", events(2)).await;
    for revision in [0, 1] {
        assert_eq!(follows.next_event().await.event.unwrap().stream_revision, revision);
    }
}

#[tokio::test]
async fn an_empty_log_has_no_position_to_be_caught_up_at() {
    let house = House::open().await;
    let (past, caught_up) = house
        .follow(following(all_from(AllOption::Start(()), 0)))
        .await
        .until_caught_up()
        .await;
    assert!(past.is_empty() && caught_up.position.is_none());
}

#[tokio::test]
async fn a_subscriber_between_appends_misses_nothing_and_sees_nothing_twice() {
    let house = House::open().await;
    let writing = async {
        for _ in 0..300 {
            house.write("busy-1", events(2)).await;
        }
    };
    let following = async {
        let mut seen = Vec::new();
        for _ in 0..5 {
            let mut follows = house.follow(following(whole_stream("busy-1"))).await;
            let mut all = house.follow(following(all_from(AllOption::Start(()), 0))).await;
            let (mut revisions, mut positions) = (Vec::new(), Vec::new());
            for _ in 0..600 {
                revisions.push(follows.next_event().await.event.unwrap().stream_revision);
                positions.push(all.next_event().await.event.unwrap().stream_revision);
            }
            seen.push(revisions);
            seen.push(positions);
        }
        seen
    };
    let ((), seen) = tokio::join!(writing, following);
    for revisions in seen {
        assert!(revisions.into_iter().eq(0..600));
    }
}

#[tokio::test]
async fn a_slow_reader_catches_up_and_misses_nothing() {
    let house = House::open().await;
    let mut follows = house.follow(following(all_from(AllOption::Start(()), 0))).await;
    follows.until_caught_up().await;
    let large = "x".repeat(20_000);
    for number in 0..600 {
        let id = uuid::Uuid::new_v4();
        house
            .write(
                "busy-1",
                vec![crate::support::event_with(id, &format!("Event{number}"), large.clone())],
            )
            .await;
    }
    for revision in 0..600 {
        assert_eq!(follows.next_event().await.event.unwrap().stream_revision, revision);
    }
}

#[tokio::test]
async fn a_filtered_subscription_has_a_checkpoint_when_it_goes_live() {
    let house = House::open().await;
    let (_, last) = house.write("order-1", events(3)).await;
    let wanted = Wanted::StreamPrefixes(&["nobody"]);
    let options = filtered(following(all_from(AllOption::Start(()), 0)), &wanted, 100, 1);
    let (past, caught_up) = house.follow(options).await.until_caught_up().await;
    let [Content::Checkpoint(checkpoint)] = &past[..] else {
        panic!("{past:?}")
    };
    assert_eq!(checkpoint.commit_position, last);
    assert!(checkpoint.timestamp.is_some());
    assert_eq!(caught_up.position.unwrap().commit_position, last);
}

fn checkpoints(contents: &[Content]) -> Vec<u64> {
    let positions = contents.iter().filter_map(|content| match content {
        Content::Checkpoint(checkpoint) => Some(checkpoint.commit_position),
        _ => None,
    });
    positions.collect()
}

#[tokio::test]
async fn checkpoints_come_each_window_times_the_multiplier_and_never_twice() {
    let house = House::open().await;
    for _ in 0..10 {
        house.write("order-1", events(10)).await;
    }
    let wanted = Wanted::StreamPrefixes(&["invoice-"]);
    let options = filtered(following(all_from(AllOption::Start(()), 0)), &wanted, 5, 4);
    let mut follows = house.follow(options).await;
    let (past, _) = follows.until_caught_up().await;
    let seen = checkpoints(&past);
    assert_eq!(seen.len(), 5, "{seen:?}");
    assert!(seen.is_sorted_by(|one, next| one < next));
    for _ in 0..4 {
        house.write("order-1", events(10)).await;
    }
    house.write("invoice-1", events(1)).await;
    let mut live = Vec::new();
    loop {
        match follows.next().await.unwrap() {
            Content::Event(_) => break,
            other => live.push(other),
        }
    }
    assert_eq!(checkpoints(&live).len(), 2, "{live:?}");
}

#[tokio::test]
async fn an_unfiltered_subscription_has_no_checkpoints() {
    let house = House::open().await;
    house.write("order-1", events(100)).await;
    let (past, _) = house
        .follow(following(all_from(AllOption::Start(()), 0)))
        .await
        .until_caught_up()
        .await;
    assert!(checkpoints(&past).is_empty());
}

#[tokio::test]
async fn a_category_is_followed_with_its_links_resolved() {
    let house = House::open().await;
    house.write("order-1", events(1)).await;
    let mut follows = house.follow(resolving(following(whole_stream("$ce-order")))).await;
    let (past, _) = follows.until_caught_up().await;
    assert_eq!(types(&past), ["Event0"]);
    house.write("invoice-1", events(1)).await;
    house.write("order-2", vec![event("New")]).await;
    let next = follows.next_event().await;
    assert_eq!(next.event.unwrap().metadata["type"], "New");
    assert_eq!(next.link.unwrap().stream_revision, 1);
}

#[tokio::test]
async fn a_thousand_subscriptions_hear_the_same() {
    let house = House::open().await;
    let mut subscriptions = Vec::new();
    for _ in 0..1000 {
        subscriptions.push(house.follow(following(all_from(AllOption::Start(()), 0))).await);
    }
    for _ in 0..20 {
        house.write("order-1", events(1)).await;
    }
    for subscription in &mut subscriptions {
        for revision in 0..20 {
            assert_eq!(subscription.next_event().await.event.unwrap().stream_revision, revision);
        }
    }
}

#[tokio::test]
async fn a_subscription_ends_with_unavailable_when_the_server_stops() {
    let house = House::open().await;
    let mut quiet = house.follow(following(whole_stream("order-1"))).await;
    quiet.until_caught_up().await;
    let mut all = house.follow(following(all_from(AllOption::Start(()), 0))).await;
    all.until_caught_up().await;
    let House { server, .. } = house;
    server.stop(Duration::from_secs(5)).await;
    assert_eq!(quiet.next().await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(all.next().await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn a_subscriber_goes_on_after_its_last_position_when_the_server_comes_back() {
    let house = House::open().await;
    house.write("order-1", events(2)).await;
    let mut follows = house.follow(following(all_from(AllOption::Start(()), 0))).await;
    let last = follows.next_event().await.event.unwrap().commit_position;
    let House {
        server,
        store,
        directory,
        ..
    } = house;
    server.stop(Duration::from_secs(5)).await;
    store.close().unwrap();
    drop(store);
    let store = EmbeddedStore::open(&directory.path().join("store")).unwrap();
    let house = House::serve(directory, store).await;
    let mut follows = house.follow(following(all_from(position(last), 0))).await;
    let (past, _) = follows.until_caught_up().await;
    assert_eq!(types(&past), ["Event1"]);
}

#[tokio::test]
async fn a_pattern_that_cannot_be_used_ends_a_subscription_before_it_begins() {
    let house = House::open().await;
    let options = filtered(following(all_from(AllOption::Start(()), 0)), &Wanted::TypeRegex("["), 32, 1);
    let status = house.open_read(options).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(trailer(&status, "exception"), "");
}
