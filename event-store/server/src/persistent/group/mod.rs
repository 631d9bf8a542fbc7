//! One group of consumers, as a state machine: which message goes to whom, what comes back, what is done. It reads no
//! store and no clock: messages arrive, consumers answer, time passes, and out come deliveries, messages to park and
//! checkpoints.
//!
//! A message is in exactly one place: waiting (`fresh`, `again`), in flight at one consumer, being parked, or done. What
//! is not done holds the checkpoint back, so a restart hands it out once more: at least once, never lost.

mod consumers;
mod latencies;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::Duration,
};

use uuid::Uuid;

use self::consumers::{Choice, Consumers};
pub(crate) use self::consumers::{ConsumerId, ConsumerState, JoinError};
use super::settings::Rules;

/// The most bytes of waiting messages in one group: beyond it, nothing more is read until consumers have caught up.
pub(crate) const MAX_WAITING_BYTES: usize = 32 * 1024 * 1024;

/// What a consumer wants to become of a message that it did not finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nack {
    /// Hand it out again; park it when that has been done often enough.
    Retry,
    /// Put it aside at once.
    Park,
    /// Treat it as done.
    Skip,
}

/// A message on its way in from the stream or the log.
#[derive(Debug, Clone)]
pub(crate) struct Arrival<E> {
    /// The id by which consumers answer.
    pub(crate) id: Uuid,
    /// Its revision or position.
    pub(crate) place: u64,
    /// The hash of what pins it to a consumer.
    pub(crate) pin: u32,
    /// How much memory it takes.
    pub(crate) bytes: usize,
    /// What is delivered.
    pub(crate) content: E,
}

/// A message for a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery<E> {
    pub(crate) consumer: ConsumerId,
    pub(crate) id: Uuid,
    /// How often it was handed out before.
    pub(crate) retries: u32,
    pub(crate) content: E,
}

/// A message to be put aside. It is done when [`Group::parked`] says that this was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Park<E> {
    pub(crate) key: u64,
    pub(crate) reason: String,
    pub(crate) content: E,
}

/// Where a message comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The stream or the log.
    Source,
    /// The parked messages; its revision there.
    Parked { revision: u64 },
}

#[derive(Debug, Clone)]
struct Message<E> {
    /// Growing in the order of arrival; unique in the group.
    key: u64,
    id: Uuid,
    origin: Origin,
    pin: u32,
    bytes: usize,
    retries: u32,
    content: E,
}

#[derive(Debug)]
struct InFlight<E> {
    message: Message<E>,
    consumer: ConsumerId,
    since: Duration,
    due: Option<Duration>,
}

/// How far the source has been looked through: the place, and how many events that were since the group was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Progress {
    place: Option<u64>,
    count: u64,
}

/// A group of consumers. Times are since the group was opened.
#[derive(Debug)]
pub(crate) struct Group<E> {
    rules: Rules,
    consumers: Consumers,
    fresh: VecDeque<Message<E>>,
    /// To be handed out again, before anything fresh: by arrival, replayed ones last.
    again: VecDeque<Message<E>>,
    waiting_bytes: usize,
    in_flight: HashMap<u64, InFlight<E>>,
    due: BTreeSet<(Duration, u64)>,
    parking: HashMap<u64, Message<E>>,
    to_park: Vec<Park<E>>,
    /// What came from the source and is not done, with the progress before it.
    unfinished: BTreeMap<u64, Progress>,
    /// Revisions of parked messages that were taken in again and are not done.
    replayed: BTreeSet<u64>,
    next_key: u64,
    looked_through: Progress,
    checkpointed: Progress,
    checkpointed_at: Duration,
    live: bool,
    delivered: u64,
}

impl<E: Clone> Group<E> {
    /// A group that goes on after its checkpoint.
    pub(crate) fn new(rules: Rules, checkpoint: Option<u64>) -> Self {
        let begin = Progress {
            place: checkpoint,
            count: 0,
        };
        Self {
            consumers: Consumers::new(rules.strategy),
            rules,
            fresh: VecDeque::new(),
            again: VecDeque::new(),
            waiting_bytes: 0,
            in_flight: HashMap::new(),
            due: BTreeSet::new(),
            parking: HashMap::new(),
            to_park: Vec::new(),
            unfinished: BTreeMap::new(),
            replayed: BTreeSet::new(),
            next_key: 0,
            looked_through: begin,
            checkpointed: begin,
            checkpointed_at: Duration::ZERO,
            live: false,
            delivered: 0,
        }
    }

    /// How many events may be read now. Without consumers only a taste of what is there is kept.
    pub(crate) fn room(&self) -> usize {
        let most = if self.consumers.is_empty() {
            self.rules.read_batch_size
        } else if self.live {
            self.rules.live_buffer_size
        } else {
            self.rules.history_buffer_size
        };
        if self.waiting_bytes >= MAX_WAITING_BYTES {
            return 0;
        }
        most.saturating_sub(self.waiting()).min(self.rules.read_batch_size)
    }

    /// Takes in what was read, in order, up to and including a place; `skipped` events before it were not wanted.
    pub(crate) fn arrive(&mut self, arrivals: impl IntoIterator<Item = Arrival<E>>, through: Option<u64>, skipped: u64) {
        for arrival in arrivals {
            let Arrival {
                id,
                place,
                pin,
                bytes,
                content,
            } = arrival;
            let key = self.key();
            self.unfinished.insert(key, self.looked_through);
            self.looked_through = Progress {
                place: Some(place),
                count: self.looked_through.count + 1,
            };
            self.waiting_bytes += bytes;
            self.fresh.push_back(Message {
                key,
                id,
                origin: Origin::Source,
                pin,
                bytes,
                retries: 0,
                content,
            });
        }
        self.looked_through.place = self.looked_through.place.max(through);
        self.looked_through.count += skipped;
    }

    /// Takes in a parked message once more; its place is its revision among the parked.
    pub(crate) fn replay(&mut self, arrival: Arrival<E>) {
        let Arrival {
            id,
            place: revision,
            pin,
            bytes,
            content,
        } = arrival;
        let key = self.key();
        self.replayed.insert(revision);
        self.waiting_bytes += bytes;
        self.again.push_back(Message {
            key,
            id,
            origin: Origin::Parked { revision },
            pin,
            bytes,
            retries: 0,
            content,
        });
    }

    /// The oldest parked message that was taken in again and is not done.
    pub(crate) fn oldest_replayed(&self) -> Option<u64> {
        self.replayed.first().copied()
    }

    /// Says whether everything there is has been read.
    pub(crate) fn set_live(&mut self, live: bool) {
        self.live = live;
    }

    /// A consumer that takes so many messages at a time comes in.
    pub(crate) fn join(&mut self, slots: usize) -> Result<ConsumerId, JoinError> {
        self.consumers
            .join(slots, self.rules.max_consumers, self.rules.extra_statistics)
    }

    /// A consumer goes; what it held is handed to others.
    pub(crate) fn leave(&mut self, consumer: ConsumerId) {
        let mut held = self.consumers.leave(consumer);
        held.sort_unstable();
        for key in held {
            if let Some(InFlight { message, due, .. }) = self.in_flight.remove(&key) {
                due.map(|due| self.due.remove(&(due, key)));
                self.hand_out_again(message);
            }
        }
    }

    /// Hands out what waits to those who have room.
    pub(crate) fn deliver(&mut self, now: Duration) -> Vec<Delivery<E>> {
        let mut deliveries = Vec::new();
        if self.consumers.have_room() {
            let mut again = std::mem::take(&mut self.again);
            self.deliver_from(&mut again, now, &mut deliveries);
            self.again = again;
            let mut fresh = std::mem::take(&mut self.fresh);
            self.deliver_from(&mut fresh, now, &mut deliveries);
            self.fresh = fresh;
        }
        deliveries
    }

    fn deliver_from(&mut self, waiting: &mut VecDeque<Message<E>>, now: Duration, deliveries: &mut Vec<Delivery<E>>) {
        let mut index = 0;
        while let Some(message) = waiting.get(index) {
            match self.consumers.choose(message.pin) {
                Choice::NobodyHasRoom => return,
                // Pinned to somebody who is busy: it keeps its place, others may overtake it.
                Choice::Busy => index += 1,
                Choice::Consumer(consumer) => {
                    let Some(message) = waiting.remove(index) else { return };
                    deliveries.push(self.send(message, consumer, now));
                }
            }
        }
    }

    fn send(&mut self, message: Message<E>, consumer: ConsumerId, now: Duration) -> Delivery<E> {
        let delivery = Delivery {
            consumer,
            id: message.id,
            retries: message.retries,
            content: message.content.clone(),
        };
        self.consumers.take(consumer, message.id, message.key, message.pin);
        self.waiting_bytes -= message.bytes;
        self.delivered += 1;
        let due = self.rules.message_timeout.and_then(|timeout| now.checked_add(timeout));
        due.map(|due| self.due.insert((due, message.key)));
        let key = message.key;
        self.in_flight.insert(
            key,
            InFlight {
                message,
                consumer,
                since: now,
                due,
            },
        );
        delivery
    }

    /// These messages are done, if this consumer holds them.
    pub(crate) fn ack(&mut self, consumer: ConsumerId, ids: &[Uuid], now: Duration) {
        for id in ids {
            if let Some(message) = self.give_back(consumer, *id, now) {
                self.finish(&message);
            }
        }
    }

    /// These messages are not done, if this consumer holds them.
    pub(crate) fn nack(&mut self, consumer: ConsumerId, ids: &[Uuid], nack: Nack, reason: &str, now: Duration) {
        let mut to_retry = Vec::new();
        for id in ids {
            let Some(message) = self.give_back(consumer, *id, now) else {
                continue;
            };
            match nack {
                Nack::Retry => to_retry.push(message),
                Nack::Park => self.park(message, format!("Client explicitly NAK'ed message.\n{reason}")),
                Nack::Skip => self.finish(&message),
            }
        }
        for message in to_retry {
            self.retry(message);
        }
    }

    /// Takes back what was not answered in time.
    pub(crate) fn time_passes(&mut self, now: Duration) {
        while let Some((due, key)) = self.due.first().copied().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, key));
            if let Some(InFlight { message, consumer, .. }) = self.in_flight.remove(&key) {
                self.consumers.put_back(consumer, message.id, key, message.pin, None);
                self.retry(message);
            }
        }
    }

    /// The next moment at which a message is taken back, if nothing else happens.
    pub(crate) fn next_timeout(&self) -> Option<Duration> {
        self.due.first().map(|(due, _)| *due)
    }

    /// The next moment at which a checkpoint is due, if nothing else happens.
    pub(crate) fn next_checkpoint(&self) -> Option<Duration> {
        let after = self.rules.checkpoint_after?;
        let enough = self.uncheckpointed() >= self.rules.min_checkpoint_count.max(1);
        enough.then(|| self.checkpointed_at.saturating_add(after))
    }

    /// What is to be put aside now.
    pub(crate) fn take_to_park(&mut self) -> Vec<Park<E>> {
        std::mem::take(&mut self.to_park)
    }

    /// This message was put aside, durably.
    pub(crate) fn parked(&mut self, key: u64) {
        if let Some(message) = self.parking.remove(&key) {
            self.finish(&message);
        }
    }

    /// The place to remember now, if enough is done or enough time has passed.
    pub(crate) fn due_checkpoint(&mut self, now: Duration) -> Option<u64> {
        let done = self.uncheckpointed();
        let by_count = done >= self.rules.max_checkpoint_count.max(1);
        let by_time = done >= self.rules.min_checkpoint_count.max(1)
            && self
                .rules
                .checkpoint_after
                .is_some_and(|after| now >= self.checkpointed_at.saturating_add(after));
        if by_count || by_time { self.checkpoint(now) } else { None }
    }

    /// The place to remember at the end, if anything was done since the last one.
    pub(crate) fn checkpoint(&mut self, now: Duration) -> Option<u64> {
        let done = self.done();
        if done.count <= self.checkpointed.count || done.place <= self.checkpointed.place {
            return None;
        }
        self.checkpointed = done;
        self.checkpointed_at = now;
        done.place
    }

    /// How the group is doing.
    pub(crate) fn state(&self) -> GroupState {
        GroupState {
            live: self.live,
            delivered: self.delivered,
            fresh: self.fresh.len(),
            again: self.again.len(),
            in_flight: self.in_flight.len(),
            unanswered: self.in_flight.len() + self.parking.len(),
            replayed: self.replayed.len() as u64,
            checkpoint: self.checkpointed.place,
            looked_through: self.looked_through.place,
            consumers: self.consumers.state(),
        }
    }

    fn waiting(&self) -> usize {
        self.fresh.len() + self.again.len()
    }

    fn key(&mut self) -> u64 {
        self.next_key += 1;
        self.next_key
    }

    /// Everything up to here is done.
    fn done(&self) -> Progress {
        self.unfinished
            .first_key_value()
            .map_or(self.looked_through, |(_, before)| *before)
    }

    fn uncheckpointed(&self) -> u64 {
        let done = self.done();
        if done.place <= self.checkpointed.place {
            return 0;
        }
        done.count - self.checkpointed.count
    }

    /// Takes a message from a consumer that answers for it.
    fn give_back(&mut self, consumer: ConsumerId, id: Uuid, now: Duration) -> Option<Message<E>> {
        let key = self.consumers.held(consumer, id)?;
        let InFlight { message, since, due, .. } = self.in_flight.remove(&key)?;
        due.map(|due| self.due.remove(&(due, key)));
        let took = now.saturating_sub(since);
        self.consumers.put_back(consumer, id, key, message.pin, Some(took));
        Some(message)
    }

    fn retry(&mut self, message: Message<E>) {
        if message.retries >= self.rules.max_retries {
            let reason = format!("Reached retry count of {}", self.rules.max_retries);
            self.park(message, reason);
        } else {
            self.hand_out_again(message);
        }
    }

    fn hand_out_again(&mut self, mut message: Message<E>) {
        message.retries = message.retries.saturating_add(1);
        self.waiting_bytes += message.bytes;
        let replayed = |message: &Message<E>| message.origin != Origin::Source;
        let order = (replayed(&message), message.key);
        let place = self.again.partition_point(|other| (replayed(other), other.key) < order);
        self.again.insert(place, message);
    }

    fn park(&mut self, message: Message<E>, reason: String) {
        self.to_park.push(Park {
            key: message.key,
            reason,
            content: message.content.clone(),
        });
        self.parking.insert(message.key, message);
    }

    fn finish(&mut self, message: &Message<E>) {
        match message.origin {
            Origin::Source => {
                self.unfinished.remove(&message.key);
            }
            Origin::Parked { revision } => {
                self.replayed.remove(&revision);
            }
        }
    }
}

/// How a group is doing.
#[derive(Debug, Clone)]
pub(crate) struct GroupState {
    /// Everything there is has been read.
    pub(crate) live: bool,
    /// Messages handed out since the group was opened, repetitions included.
    pub(crate) delivered: u64,
    /// Messages that wait for their first delivery.
    pub(crate) fresh: usize,
    /// Messages that wait to be delivered again.
    pub(crate) again: usize,
    /// Messages that consumers hold.
    pub(crate) in_flight: usize,
    /// Messages that consumers hold, or that are being parked.
    pub(crate) unanswered: usize,
    /// Parked messages that were taken in again and are not done.
    pub(crate) replayed: u64,
    /// The last place that was remembered.
    pub(crate) checkpoint: Option<u64>,
    /// How far was read.
    pub(crate) looked_through: Option<u64>,
    /// Those who consume, by the time they came.
    pub(crate) consumers: Vec<ConsumerState>,
}
