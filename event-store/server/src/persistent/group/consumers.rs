//! Who consumes, what each of them holds, and who gets the next message.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::Duration,
};

use uuid::Uuid;

use super::{super::settings::Strategy, latencies::Latencies};

/// Pinned messages are spread over so many buckets, and the buckets over the consumers. As the protocol's documents say.
pub(crate) const BUCKETS: usize = 1024;

/// A consumer, in the order in which they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ConsumerId(pub(crate) u64);

/// Why a consumer cannot come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JoinError {
    #[error("the group has as many consumers as it takes: {0}")]
    Full(usize),
}

/// How a consumer is doing.
#[derive(Debug, Clone)]
pub(crate) struct ConsumerState {
    pub(crate) consumer: ConsumerId,
    /// Messages that it was given so far.
    pub(crate) delivered: u64,
    pub(crate) in_flight: usize,
    pub(crate) free_slots: usize,
    /// How long messages took it, by name, in milliseconds.
    pub(crate) latencies: Vec<(&'static str, i64)>,
}

/// Who gets the next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Consumer(ConsumerId),
    /// Only one may have it, and that one has no room.
    Busy,
    NobodyHasRoom,
}

#[derive(Debug)]
struct Consumer {
    slots: usize,
    /// Keys of what it holds, by the id that it answers with. An id may be there twice: it is not unique in a log.
    holds: HashMap<Uuid, VecDeque<u64>>,
    in_flight: usize,
    delivered: u64,
    latencies: Option<Latencies>,
}

impl Consumer {
    fn has_room(&self) -> bool {
        self.in_flight < self.slots
    }
}

#[derive(Debug)]
pub(super) struct Consumers {
    strategy: Strategy,
    known: BTreeMap<ConsumerId, Consumer>,
    /// Whose turn it is, for the strategies that take turns.
    turns: VecDeque<ConsumerId>,
    buckets: Vec<Bucket>,
    next: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Bucket {
    owner: Option<ConsumerId>,
    in_flight: usize,
}

impl Consumers {
    pub(super) fn new(strategy: Strategy) -> Self {
        let buckets = if strategy.pins() { BUCKETS } else { 0 };
        Self {
            strategy,
            known: BTreeMap::new(),
            turns: VecDeque::new(),
            buckets: vec![Bucket::default(); buckets],
            next: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub(super) fn have_room(&self) -> bool {
        self.known.values().any(Consumer::has_room)
    }

    pub(super) fn join(&mut self, slots: usize, most: Option<usize>, measured: bool) -> Result<ConsumerId, JoinError> {
        if let Some(most) = most.filter(|most| self.known.len() >= *most) {
            return Err(JoinError::Full(most));
        }
        self.next += 1;
        let id = ConsumerId(self.next);
        let consumer = Consumer {
            slots,
            holds: HashMap::new(),
            in_flight: 0,
            delivered: 0,
            latencies: measured.then(Latencies::default),
        };
        self.known.insert(id, consumer);
        self.turns.push_back(id);
        self.give_a_share_to(id);
        Ok(id)
    }

    /// Returns the keys of what it held.
    pub(super) fn leave(&mut self, id: ConsumerId) -> Vec<u64> {
        let Some(consumer) = self.known.remove(&id) else {
            return Vec::new();
        };
        self.turns.retain(|other| *other != id);
        for bucket in self.buckets.iter_mut().filter(|bucket| bucket.owner == Some(id)) {
            *bucket = Bucket::default();
        }
        consumer.holds.into_values().flatten().collect()
    }

    /// Who gets a message with this pin.
    pub(super) fn choose(&mut self, pin: u32) -> Choice {
        match self.strategy {
            Strategy::RoundRobin => self.choose_in_turn(true),
            Strategy::DispatchToSingle => self.choose_in_turn(false),
            Strategy::Pinned | Strategy::PinnedByCorrelation => self.choose_pinned(pin),
        }
    }

    /// The first in turn who has room; those without room go to the end. `pass_on`: whoever gets it goes there, too.
    fn choose_in_turn(&mut self, pass_on: bool) -> Choice {
        for _ in 0..self.turns.len() {
            let Some(id) = self.turns.front().copied() else { break };
            let has_room = self.known.get(&id).is_some_and(Consumer::has_room);
            if pass_on || !has_room {
                self.turns.rotate_left(1);
            }
            if has_room {
                return Choice::Consumer(id);
            }
        }
        Choice::NobodyHasRoom
    }

    fn choose_pinned(&mut self, pin: u32) -> Choice {
        if !self.have_room() {
            return Choice::NobodyHasRoom;
        }
        let index = bucket_of(pin);
        let owner = self.buckets[index].owner.or_else(|| self.with_fewest_buckets());
        self.buckets[index].owner = owner;
        let free = owner.filter(|owner| self.known.get(owner).is_some_and(Consumer::has_room));
        free.map_or(Choice::Busy, Choice::Consumer)
    }

    fn with_fewest_buckets(&self) -> Option<ConsumerId> {
        let shares = self.shares();
        shares.into_iter().min_by_key(|(id, share)| (*share, *id)).map(|(id, _)| id)
    }

    fn shares(&self) -> BTreeMap<ConsumerId, usize> {
        let mut shares: BTreeMap<_, _> = self.known.keys().map(|id| (*id, 0)).collect();
        for owner in self.buckets.iter().filter_map(|bucket| bucket.owner) {
            *shares.entry(owner).or_default() += 1;
        }
        shares
    }

    /// A newcomer takes buckets of those who have more than their share. A bucket with messages in flight stays where
    /// it is, so that its messages never go to two consumers at once.
    fn give_a_share_to(&mut self, newcomer: ConsumerId) {
        let mut shares = self.shares();
        let assigned: usize = shares.values().sum();
        let fair = assigned / self.known.len().max(1);
        let mut wanted = fair;
        for bucket in self.buckets.iter_mut().filter(|bucket| bucket.in_flight == 0) {
            let Some(owner) = bucket.owner else { continue };
            let Some(share) = shares.get_mut(&owner) else { continue };
            if wanted > 0 && *share > fair {
                *share -= 1;
                wanted -= 1;
                bucket.owner = Some(newcomer);
            }
        }
    }

    /// The consumer has been given this message.
    pub(super) fn take(&mut self, id: ConsumerId, message: Uuid, key: u64, pin: u32) {
        if let Some(consumer) = self.known.get_mut(&id) {
            consumer.holds.entry(message).or_default().push_back(key);
            consumer.in_flight += 1;
            consumer.delivered += 1;
        }
        if let Some(bucket) = self.buckets.get_mut(bucket_of(pin)) {
            bucket.in_flight += 1;
        }
    }

    /// The key of the oldest message with this id that the consumer holds.
    pub(super) fn held(&self, id: ConsumerId, message: Uuid) -> Option<u64> {
        self.known.get(&id)?.holds.get(&message)?.front().copied()
    }

    /// The consumer holds this message no longer.
    pub(super) fn put_back(&mut self, id: ConsumerId, message: Uuid, key: u64, pin: u32, took: Option<Duration>) {
        let Some(consumer) = self.known.get_mut(&id) else { return };
        let Some(keys) = consumer.holds.get_mut(&message) else {
            return;
        };
        keys.retain(|held| *held != key);
        if keys.is_empty() {
            consumer.holds.remove(&message);
        }
        consumer.in_flight -= 1;
        if let (Some(latencies), Some(took)) = (&mut consumer.latencies, took) {
            latencies.add(took);
        }
        if let Some(bucket) = self.buckets.get_mut(bucket_of(pin)) {
            bucket.in_flight = bucket.in_flight.saturating_sub(1);
        }
    }

    pub(super) fn state(&self) -> Vec<ConsumerState> {
        let state = |(id, consumer): (&ConsumerId, &Consumer)| ConsumerState {
            consumer: *id,
            delivered: consumer.delivered,
            in_flight: consumer.in_flight,
            free_slots: consumer.slots.saturating_sub(consumer.in_flight),
            latencies: consumer.latencies.as_ref().map(Latencies::figures).unwrap_or_default(),
        };
        self.known.iter().map(state).collect()
    }
}

fn bucket_of(pin: u32) -> usize {
    pin as usize % BUCKETS
}
