//! What holds whatever the consumers do.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::prelude::*;

use super::{
    tests::{event, rules, seconds},
    *,
};
use crate::persistent::settings::Strategy as Way;

/// Something that happens. Numbers choose among what there is.
#[derive(Debug, Clone)]
enum Step {
    Arrive(u64),
    Join(usize),
    Leave(usize),
    Ack(usize, usize),
    Nack(usize, usize, u8),
    Wait(u64),
    Stored,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..8_u64).prop_map(Step::Arrive),
        1 => (1..6_usize).prop_map(Step::Join),
        1 => any::<usize>().prop_map(Step::Leave),
        8 => (any::<usize>(), any::<usize>()).prop_map(|(who, what)| Step::Ack(who, what)),
        3 => (any::<usize>(), any::<usize>(), 0..3_u8).prop_map(|(who, what, how)| Step::Nack(who, what, how)),
        1 => (0..40_u64).prop_map(Step::Wait),
        1 => Just(Step::Stored),
    ]
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![
        Just(Way::RoundRobin),
        Just(Way::DispatchToSingle),
        Just(Way::Pinned),
        Just(Way::PinnedByCorrelation)
    ]
}

/// The world around a group: what it was given, and who was given what.
struct World {
    group: Group<u64>,
    way: Way,
    now: Duration,
    arrived: u64,
    slots: BTreeMap<ConsumerId, usize>,
    /// Who holds what, and until when.
    held: BTreeMap<u64, (ConsumerId, Duration)>,
    deliveries: BTreeMap<u64, u32>,
    being_parked: Vec<Park<u64>>,
    done: BTreeSet<u64>,
}

/// Seven streams, so that pins matter.
fn pin(place: u64) -> u32 {
    u32::try_from(place % 7).unwrap()
}

impl World {
    fn new(way: Way) -> Self {
        Self {
            group: Group::new(rules(way), None),
            way,
            now: seconds(0),
            arrived: 0,
            slots: BTreeMap::new(),
            held: BTreeMap::new(),
            deliveries: BTreeMap::new(),
            being_parked: Vec::new(),
            done: BTreeSet::new(),
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Arrive(count) => {
                let places = self.arrived..self.arrived + count;
                self.group.arrive(places.map(|place| event(place, pin(place))), None, 0);
                self.arrived += count;
            }
            Step::Join(slots) => {
                let consumer = self.group.join(slots).unwrap();
                self.slots.insert(consumer, slots);
            }
            Step::Leave(who) => {
                if let Some(consumer) = nth(self.slots.keys(), who).copied() {
                    self.slots.remove(&consumer);
                    self.held.retain(|_, (holder, _)| *holder != consumer);
                    self.group.leave(consumer);
                }
            }
            Step::Ack(who, what) => {
                if let Some((place, consumer)) = self.chosen(who, what) {
                    self.group.ack(consumer, &[event(place, 0).id], self.now);
                    self.held.remove(&place);
                    self.done.insert(place);
                }
            }
            Step::Nack(who, what, how) => {
                if let Some((place, consumer)) = self.chosen(who, what) {
                    let nack = [Nack::Retry, Nack::Park, Nack::Skip][usize::from(how)];
                    self.group.nack(consumer, &[event(place, 0).id], nack, "", self.now);
                    self.held.remove(&place);
                    if nack == Nack::Skip {
                        self.done.insert(place);
                    }
                }
            }
            Step::Wait(time) => {
                self.now += seconds(time);
                let now = self.now;
                self.held.retain(|_, (_, due)| *due > now);
                self.group.time_passes(now);
            }
            Step::Stored => {
                for park in self.being_parked.drain(..) {
                    self.group.parked(park.key);
                    self.done.insert(park.content);
                }
            }
        }
        self.being_parked.extend(self.group.take_to_park());
        for delivery in self.group.deliver(self.now) {
            self.receive(&delivery);
        }
        self.look();
    }

    /// A message that somebody holds, and who.
    fn chosen(&self, who: usize, what: usize) -> Option<(u64, ConsumerId)> {
        let consumer = *nth(self.slots.keys(), who)?;
        let held = self.held.iter().filter(|(_, (holder, _))| *holder == consumer);
        nth(held, what).map(|(place, _)| (*place, consumer))
    }

    fn receive(&mut self, delivery: &Delivery<u64>) {
        let place = delivery.content;
        assert!(!self.done.contains(&place), "{place} is handed out although it is done");
        let due = self.now + seconds(30);
        let before = self.held.insert(place, (delivery.consumer, due));
        assert_eq!(before, None, "{place} is with two at once");
        *self.deliveries.entry(place).or_default() += 1;
    }

    fn look(&mut self) {
        for (consumer, slots) in &self.slots {
            let holds = self.held.values().filter(|(holder, _)| holder == consumer).count();
            assert!(holds <= *slots, "a consumer with {slots} slots holds {holds}");
        }
        if self.way.pins() {
            let mut holders = BTreeMap::new();
            for (place, (holder, _)) in &self.held {
                let first = holders.entry(pin(*place)).or_insert(holder);
                assert_eq!(*first, holder, "stream {} is with two consumers", pin(*place));
            }
        }
        let state = self.group.state();
        let accounted = state.fresh + state.again + state.unanswered + self.done.len();
        assert_eq!(accounted as u64, self.arrived, "every event is in exactly one place");
        if let Some(place) = self.group.due_checkpoint(self.now) {
            let all_done = (0..=place).all(|place| self.done.contains(&place));
            assert!(all_done, "the checkpoint {place} passes over what is not done");
        }
    }
}

fn nth<T>(items: impl Iterator<Item = T>, index: usize) -> Option<T> {
    let items: Vec<T> = items.collect();
    let count = items.len();
    items.into_iter().nth(index.checked_rem(count)?)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_event_is_lost_and_none_is_with_two_at_once(way in way(), steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new(way);
        for step in &steps {
            world.step(step);
        }
        // Everybody goes, and one comes who does all that is left.
        while !world.slots.is_empty() {
            world.step(&Step::Leave(0));
        }
        world.step(&Step::Join(5));
        while world.group.state().fresh + world.group.state().again + world.held.len() > 0 {
            world.step(&Step::Ack(0, 0));
        }
        world.step(&Step::Stored);
        prop_assert_eq!(world.done.len() as u64, world.arrived);
    }

    #[test]
    fn one_consumer_gets_everything_in_order(events in 1..80_u64, slots in 1..9_usize, batch in 1..9_u64) {
        let mut group = Group::new(rules(Way::DispatchToSingle), None);
        let consumer = group.join(slots).unwrap();
        group.join(slots).unwrap();
        group.leave(ConsumerId(2));
        let mut got = Vec::new();
        let mut arrived = 0;
        while (got.len() as u64) < events {
            let until = (arrived + batch).min(events);
            group.arrive((arrived..until).map(|place| event(place, 0)), None, 0);
            arrived = until;
            for delivery in group.deliver(seconds(0)) {
                got.push(delivery.content);
                group.ack(consumer, &[delivery.id], seconds(0));
            }
        }
        prop_assert!(got.is_sorted());
        prop_assert_eq!(group.checkpoint(seconds(0)), Some(events - 1));
    }

    #[test]
    fn what_nobody_can_do_is_parked_after_max_retries(events in 1..20_u64, slots in 1..9_usize, max in 0..6_u32, by_timeout: bool) {
        let mut group = Group::new(Rules { max_retries: max, ..rules(Way::RoundRobin) }, None);
        let consumer = group.join(slots).unwrap();
        group.arrive((0..events).map(|place| event(place, 0)), None, 0);
        let mut deliveries = BTreeMap::<u64, u32>::new();
        let mut now = seconds(0);
        loop {
            let handed_out = group.deliver(now);
            if handed_out.is_empty() {
                break;
            }
            now += seconds(30);
            for delivery in handed_out {
                *deliveries.entry(delivery.content).or_default() += 1;
                if !by_timeout {
                    group.nack(consumer, &[delivery.id], Nack::Retry, "", now);
                }
            }
            group.time_passes(now);
        }
        prop_assert_eq!(group.take_to_park().len() as u64, events);
        prop_assert!(deliveries.values().all(|times| *times == max + 1));
    }
}
