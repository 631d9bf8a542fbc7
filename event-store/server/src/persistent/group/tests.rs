//! What a group does, rule by rule.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::persistent::settings::Strategy;

pub(super) fn rules(strategy: Strategy) -> Rules {
    Rules {
        strategy,
        message_timeout: Some(seconds(30)),
        max_retries: 2,
        checkpoint_after: Some(seconds(2)),
        min_checkpoint_count: 2,
        max_checkpoint_count: 5,
        max_consumers: None,
        history_buffer_size: 50,
        live_buffer_size: 20,
        read_batch_size: 10,
        extra_statistics: true,
    }
}

pub(super) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The event at a place; its content is its place.
pub(super) fn event(place: u64, pin: u32) -> Arrival<u64> {
    Arrival {
        id: Uuid::from_u128(u128::from(place) + 1),
        place,
        pin,
        bytes: 1,
        content: place,
    }
}

fn id(place: u64) -> [Uuid; 1] {
    [event(place, 0).id]
}

fn group_with(strategy: Strategy, events: u64) -> Group<u64> {
    let mut group = Group::new(rules(strategy), None);
    group.arrive((0..events).map(|place| event(place, 0)), None, 0);
    group
}

/// Who got what, in order.
fn delivered(group: &mut Group<u64>, now: Duration) -> Vec<(u64, u64)> {
    let deliveries = group.deliver(now);
    deliveries
        .iter()
        .map(|delivery| (delivery.consumer.0, delivery.content))
        .collect()
}

#[test]
fn round_robin_gives_to_each_in_turn_and_passes_over_who_is_full() {
    let mut group = group_with(Strategy::RoundRobin, 6);
    group.join(3).unwrap();
    group.join(1).unwrap();
    assert_eq!(delivered(&mut group, seconds(0)), [(1, 0), (2, 1), (1, 2), (1, 3)]);
    group.ack(ConsumerId(2), &id(1), seconds(1));
    assert_eq!(delivered(&mut group, seconds(1)), [(2, 4)]);
}

#[test]
fn dispatch_to_single_fills_one_before_the_next() {
    let mut group = group_with(Strategy::DispatchToSingle, 5);
    group.join(2).unwrap();
    group.join(2).unwrap();
    assert_eq!(delivered(&mut group, seconds(0)), [(1, 0), (1, 1), (2, 2), (2, 3)]);
}

#[test]
fn pinned_keeps_a_stream_with_its_consumer_and_lets_others_overtake() {
    let mut group = Group::new(rules(Strategy::Pinned), None);
    let pins = [7, 7, 8, 7, 8];
    group.arrive(pins.iter().zip(0..).map(|(pin, place)| event(place, *pin)), None, 0);
    group.join(1).unwrap();
    group.join(1).unwrap();
    assert_eq!(delivered(&mut group, seconds(0)), [(1, 0), (2, 2)]);
    group.ack(ConsumerId(2), &id(2), seconds(0));
    assert_eq!(
        delivered(&mut group, seconds(0)),
        [(2, 4)],
        "stream 7 waits for its own consumer"
    );
    group.ack(ConsumerId(1), &id(0), seconds(0));
    assert_eq!(delivered(&mut group, seconds(0)), [(1, 1)]);
    group.leave(ConsumerId(1));
    group.ack(ConsumerId(2), &id(4), seconds(0));
    assert_eq!(
        delivered(&mut group, seconds(0)),
        [(2, 1)],
        "what the lost consumer held goes to another"
    );
}

#[test]
fn a_newcomer_gets_its_share_of_pinned_streams() {
    let mut group = Group::new(rules(Strategy::Pinned), None);
    group.join(100).unwrap();
    group.arrive((0..20).map(|place| event(place, u32::try_from(place).unwrap())), None, 0);
    assert_eq!(group.deliver(seconds(0)).len(), 20);
    (0..20).for_each(|place| group.ack(ConsumerId(1), &id(place), seconds(0)));
    group.join(100).unwrap();
    group.arrive(
        (20..40).map(|place| event(place, u32::try_from(place - 20).unwrap())),
        None,
        0,
    );
    let deliveries = group.deliver(seconds(0));
    assert_eq!(
        deliveries
            .iter()
            .filter(|delivery| delivery.consumer == ConsumerId(2))
            .count(),
        10
    );
}

#[test]
fn a_message_is_parked_after_exactly_so_many_retries() {
    let mut group = group_with(Strategy::RoundRobin, 1);
    let consumer = group.join(1).unwrap();
    for retries in 0..=2 {
        let delivery = group.deliver(seconds(0)).pop().expect("handed out again");
        assert_eq!(delivery.retries, retries);
        assert!(group.take_to_park().is_empty());
        group.nack(consumer, &[delivery.id], Nack::Retry, "not now", seconds(0));
    }
    assert!(group.deliver(seconds(0)).is_empty());
    let park = group.take_to_park().pop().expect("to be parked");
    assert_eq!((park.content, park.reason.as_str()), (0, "Reached retry count of 2"));
    assert_eq!(group.checkpoint(seconds(0)), None, "not done before it is stored");
    group.parked(park.key);
    assert_eq!(group.checkpoint(seconds(0)), Some(0));
}

#[test]
fn a_message_that_is_not_answered_in_time_is_handed_out_again() {
    let mut group = group_with(Strategy::RoundRobin, 1);
    let slow = group.join(1).unwrap();
    group.deliver(seconds(1));
    assert_eq!(group.next_timeout(), Some(seconds(31)));
    group.time_passes(seconds(30));
    assert!(group.deliver(seconds(30)).is_empty());
    group.time_passes(seconds(31));
    let quick = group.join(1).unwrap();
    group.leave(slow);
    let again = group.deliver(seconds(31)).pop().expect("handed out again");
    assert_eq!((again.consumer, again.retries), (quick, 1));
    group.ack(slow, &id(0), seconds(32));
    assert_eq!(group.state().in_flight, 1, "only who holds a message answers for it");
}

#[test]
fn what_comes_back_goes_out_before_what_is_fresh_and_in_order() {
    let mut group = group_with(Strategy::RoundRobin, 5);
    let consumer = group.join(3).unwrap();
    group.deliver(seconds(0));
    let ids = [id(2)[0], id(0)[0], id(1)[0]];
    group.nack(consumer, &ids, Nack::Retry, "", seconds(0));
    assert_eq!(delivered(&mut group, seconds(0)), [(1, 0), (1, 1), (1, 2)]);
}

#[test]
fn nack_parks_skips_or_hands_out_again() {
    let mut group = group_with(Strategy::RoundRobin, 3);
    let consumer = group.join(3).unwrap();
    group.deliver(seconds(0));
    group.nack(consumer, &id(0), Nack::Park, "a bad number", seconds(0));
    group.nack(consumer, &id(1), Nack::Skip, "", seconds(0));
    group.nack(consumer, &id(2), Nack::Retry, "", seconds(0));
    let parks = group.take_to_park();
    assert_eq!(parks.len(), 1);
    assert!(parks[0].reason.ends_with("a bad number"));
    assert_eq!(delivered(&mut group, seconds(0)), [(1, 2)]);
}

#[test]
fn no_more_consumers_than_the_group_takes() {
    let limited = Rules {
        max_consumers: Some(1),
        ..rules(Strategy::RoundRobin)
    };
    let mut group: Group<u64> = Group::new(limited, None);
    let first = group.join(1).unwrap();
    assert_eq!(group.join(1), Err(JoinError::Full(1)));
    group.leave(first);
    assert!(group.join(1).is_ok());
}

#[test]
fn a_checkpoint_stands_before_the_first_message_that_is_not_done() {
    let mut group = group_with(Strategy::RoundRobin, 10);
    let consumer = group.join(10).unwrap();
    group.deliver(seconds(0));
    for place in [0, 1, 2, 4, 5, 6] {
        group.ack(consumer, &id(place), seconds(0));
    }
    assert_eq!(
        group.due_checkpoint(seconds(1)),
        None,
        "three are too few for the count, and it is too early"
    );
    assert_eq!(group.next_checkpoint(), Some(seconds(2)));
    assert_eq!(group.due_checkpoint(seconds(2)), Some(2));
    assert_eq!(group.next_checkpoint(), None);
    group.ack(consumer, &id(3), seconds(2));
    group.ack(consumer, &id(7), seconds(2));
    assert_eq!(group.due_checkpoint(seconds(2)), Some(7), "five more are enough");
}

#[test]
fn events_that_the_filter_skips_move_the_checkpoint() {
    let mut group: Group<u64> = Group::new(rules(Strategy::RoundRobin), Some(100));
    group.arrive([], Some(104), 4);
    assert_eq!(group.due_checkpoint(seconds(0)), None);
    group.arrive([], Some(105), 1);
    assert_eq!(group.due_checkpoint(seconds(0)), Some(105));
    group.arrive([], Some(200), 0);
    assert_eq!(
        group.next_checkpoint(),
        None,
        "what does not count makes no checkpoint: they would call for each other"
    );
}

#[test]
fn a_replayed_message_does_not_touch_the_checkpoint_and_is_done_when_it_is_acked() {
    let mut group = group_with(Strategy::RoundRobin, 0);
    let consumer = group.join(2).unwrap();
    group.replay(event(3, 0));
    group.replay(event(4, 0));
    assert_eq!(group.oldest_replayed(), Some(3));
    group.deliver(seconds(0));
    group.ack(consumer, &id(3), seconds(0));
    assert_eq!(group.oldest_replayed(), Some(4));
    group.nack(consumer, &id(4), Nack::Park, "still", seconds(0));
    let park = group.take_to_park().pop().expect("to be parked anew");
    assert_eq!(
        group.oldest_replayed(),
        Some(4),
        "the old one is kept until the new one is stored"
    );
    group.parked(park.key);
    assert_eq!(group.oldest_replayed(), None);
    assert_eq!(group.checkpoint(seconds(9)), None);
}

#[test]
fn room_is_what_the_buffers_leave_and_little_without_consumers() {
    let mut group = group_with(Strategy::RoundRobin, 4);
    assert_eq!(group.room(), 6, "a batch without consumers");
    group.join(1).unwrap();
    assert_eq!(group.room(), 10);
    group.arrive((4..45).map(|place| event(place, 0)), None, 0);
    assert_eq!(group.room(), 5, "history");
    group.set_live(true);
    assert_eq!(group.room(), 0, "live");
    let mut large = event(45, 0);
    large.bytes = MAX_WAITING_BYTES;
    let mut group = group_with(Strategy::RoundRobin, 0);
    group.arrive([large], None, 0);
    assert_eq!(group.room(), 0, "bytes");
}

#[test]
fn the_same_id_twice_is_answered_twice() {
    let mut group: Group<u64> = Group::new(rules(Strategy::RoundRobin), None);
    let twin = |place| Arrival {
        id: Uuid::from_u128(9),
        ..event(place, 0)
    };
    group.arrive([twin(0), twin(1)], None, 0);
    let consumer = group.join(2).unwrap();
    assert_eq!(group.deliver(seconds(0)).len(), 2);
    group.ack(consumer, &[Uuid::from_u128(9)], seconds(0));
    assert_eq!(group.checkpoint(seconds(0)), Some(0));
    group.ack(consumer, &[Uuid::from_u128(9)], seconds(0));
    assert_eq!(group.checkpoint(seconds(0)), Some(1));
}

#[test]
fn latencies_are_told_by_the_names_that_clients_know() {
    let mut group = group_with(Strategy::RoundRobin, 4);
    let consumer = group.join(4).unwrap();
    group.deliver(seconds(0));
    for (place, second) in [(0, 1), (1, 2), (2, 3), (3, 6)] {
        group.ack(consumer, &id(place), seconds(second));
    }
    let figures = &group.state().consumers[0].latencies;
    for (name, milliseconds) in [("Mean", 3_000), ("Median", 2_000), ("Quintile 3", 3_000), ("Highest", 6_000)] {
        assert!(figures.contains(&(name, milliseconds)), "{name}: {figures:?}");
    }
}
