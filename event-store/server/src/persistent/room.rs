//! The task of one group: it reads ahead, hands out, takes answers, and keeps the group's state in the store.
//!
//! Everything that happens to a group goes through its door, one thing after the other. Reading and writing go on beside
//! it, one of each at a time; what is done while a write is under way is written with the next one.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use event_store_contract::StoreError;
use event_store_embedded::{EmbeddedStore, Refusal, Seen};
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};
use tonic::Status;

use super::{
    configuration::{GroupConfig, StoredFilter},
    door::{Ask, Closing, Door, Guest, GuestLook, Handed, Look, Verdict},
    group::{ConsumerId, Delivery, Group, JoinError, Park},
    keeping,
    names::{GroupName, StateStreams},
    page::{Page, Writing, write},
    pulse::News,
    reading::{Batch, ParkedBatch, Reading, ReadingError},
    refusals,
    settings::Rules,
};

/// After looking in vain, a group looks again no sooner: others may write very often.
const BETWEEN_LOOKS_IN_VAIN: Duration = Duration::from_millis(10);
/// After the store could not read or write, it is tried again no sooner.
const AFTER_A_FAILURE: Duration = Duration::from_secs(1);
/// A group with nothing to do looks up as often.
const LONGEST_SLEEP: Duration = Duration::from_secs(3_600);
/// At the end, what remains to be written is tried so often.
const LAST_TRIES: usize = 3;

/// What was read.
enum Found {
    Source(Batch),
    Parked(ParkedBatch),
}

/// Parked messages on their way back.
struct Replay {
    next: u64,
    before: u64,
}

struct Room {
    name: Arc<GroupName>,
    store: EmbeddedStore,
    streams: StateStreams,
    clock: fn() -> DateTime<Utc>,
    opened: Instant,
    reading: Arc<Reading>,
    rules: Rules,
    group: Group<Arc<Seen>>,
    guests: BTreeMap<ConsumerId, (Guest, u64)>,
    last_look: (Duration, u64),
    /// The next place to read.
    next: u64,
    /// Everything that was committed when last looked has been read.
    at_end: bool,
    read_no_sooner: Instant,
    write_no_sooner: Instant,
    finding: Option<JoinHandle<Result<Found, ReadingError>>>,
    writing: Option<Writing>,
    /// What could not be written, and is tried again.
    failed: Option<Page>,
    replay: Option<Replay>,
    /// Parked messages before this revision have been taken in again since the group was opened.
    replayed_before: u64,
    truncated_before: u64,
    /// Why nobody is served any more.
    fault: Option<String>,
}

/// Opens a group: it goes on where its checkpoint says. The second part ends when the group has closed.
pub(super) fn open(
    store: EmbeddedStore,
    clock: fn() -> DateTime<Utc>,
    config: &GroupConfig,
    news: News,
) -> Result<(Door, JoinHandle<()>), StoreError> {
    let unusable = |reason: String| StoreError::Unavailable(format!("persistent subscription {}: {reason}", config.name));
    let streams = StateStreams::of(&config.name).map_err(|error| unusable(error.to_string()))?;
    let rules = config.settings.rules().map_err(|error| unusable(error.to_string()))?;
    let filter = config.filter.as_ref().map(StoredFilter::compiled).transpose();
    let filter = filter.map_err(|status| unusable(status.message().into()))?;
    let checkpoint = keeping::last_checkpoint(&store, &streams, config.name.source.kind(), clock())?;
    let name = Arc::new(config.name.clone());
    let (door, asks) = Door::new(name.clone());
    let now = Instant::now();
    let room = Room {
        name,
        reading: Arc::new(Reading {
            source: config.name.source.clone(),
            filter,
            resolve_links: config.settings.resolve_links,
            strategy: rules.strategy,
        }),
        group: Group::new(rules.clone(), checkpoint),
        rules,
        store,
        streams,
        clock,
        opened: now,
        guests: BTreeMap::new(),
        last_look: (Duration::ZERO, 0),
        next: checkpoint.map_or(config.begins_with, |place| place + 1),
        at_end: false,
        read_no_sooner: now,
        write_no_sooner: now,
        finding: None,
        writing: None,
        failed: None,
        replay: None,
        replayed_before: 0,
        truncated_before: 0,
        fault: None,
    };
    Ok((door, tokio::spawn(room.run(asks, news))))
}

impl Room {
    async fn run(mut self, mut asks: mpsc::Receiver<Ask>, mut news: News) {
        let closing = loop {
            self.begin_to_read();
            self.begin_to_write();
            let wake = self.wake();
            tokio::select! {
                ask = asks.recv() => match ask {
                    Some(Ask::Close(closing)) => break closing,
                    Some(ask) => self.answer(ask),
                    None => break Closing::Stopping,
                },
                found = ended(&mut self.finding) => self.take_in(found),
                (page, written) = ended(&mut self.writing) => self.was_written(page, written),
                more = news.next(), if self.at_end => {
                    if !more {
                        break Closing::Stopping;
                    }
                    self.at_end = false;
                }
                () = tokio::time::sleep_until(wake) => {}
            }
            let now = self.age();
            self.group.time_passes(now);
            self.hand_out(now);
        };
        self.close(closing).await;
    }

    fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    /// When there is something to do, if nothing happens before.
    fn wake(&self) -> Instant {
        let now = Instant::now();
        let at = |age: Duration| self.opened + age;
        let mut wake = now + LONGEST_SLEEP;
        if let Some(timeout) = self.group.next_timeout() {
            wake = wake.min(at(timeout));
        }
        if self.writing.is_none() {
            let checkpoint = self.group.next_checkpoint().map(at);
            let again = self.failed.is_some().then_some(now);
            if let Some(write) = checkpoint.into_iter().chain(again).min() {
                wake = wake.min(write.max(self.write_no_sooner));
            }
        }
        if self.finding.is_none() && self.read_no_sooner > now && (!self.at_end || self.replay.is_some()) {
            wake = wake.min(self.read_no_sooner);
        }
        wake
    }

    fn answer(&mut self, ask: Ask) {
        let now = self.age();
        match ask {
            Ask::Join(guest, answer) => {
                let joined = self.join(guest);
                if let Err(Ok(consumer)) = answer.send(joined) {
                    self.leave(consumer);
                }
            }
            Ask::Answer(consumer, ids, Verdict::Done) => self.group.ack(consumer, &ids, now),
            Ask::Answer(consumer, ids, Verdict::NotDone { nack, reason }) => {
                self.group.nack(consumer, &ids, nack, &reason, now);
            }
            Ask::Leave(consumer) => self.leave(consumer),
            Ask::Look(answer) => {
                let look = self.look(now);
                answer.send(look).ok();
            }
            Ask::Replay(before, answer) => {
                answer.send(self.begin_replay(before)).ok();
            }
            Ask::Close(_) => {}
        }
    }

    fn join(&mut self, guest: Guest) -> Result<ConsumerId, Status> {
        if let Some(fault) = &self.fault {
            tracing::warn!(group = %self.name, fault, "a consumer is turned away");
            return Err(refusals::dropped(&self.name));
        }
        let joined = self.group.join(guest.slots);
        let consumer = joined.map_err(|JoinError::Full(_)| refusals::is_full(&self.name))?;
        self.guests.insert(consumer, (guest, 0));
        Ok(consumer)
    }

    fn leave(&mut self, consumer: ConsumerId) {
        if self.guests.remove(&consumer).is_some() {
            self.group.leave(consumer);
        }
    }

    fn begin_replay(&mut self, before: u64) -> Result<(), Status> {
        if self.replay.is_some() {
            return Err(refusals::failed(&self.name, "A replay is already in progress."));
        }
        let next = self.replayed_before;
        self.replay = (next < before).then_some(Replay { next, before });
        Ok(())
    }

    fn look(&mut self, now: Duration) -> Look {
        let group = self.group.state();
        let (last_look, last_delivered) = self.last_look;
        let time = now.saturating_sub(last_look);
        self.last_look = (now, group.delivered);
        let newly_delivered = group.delivered - last_delivered;
        let guests = group.consumers.iter().filter_map(|state| {
            let (guest, last_delivered) = self.guests.get_mut(&state.consumer)?;
            let newly_delivered = state.delivered - *last_delivered;
            *last_delivered = state.delivered;
            Some(GuestLook {
                consumer: state.consumer,
                user: guest.user.clone(),
                connection: guest.connection.clone(),
                newly_delivered,
                per_second: per_second(newly_delivered, time),
            })
        });
        let guests = guests.collect();
        Look {
            group,
            replaying: self.replay.is_some(),
            newly_delivered,
            per_second: per_second(newly_delivered, time),
            guests,
        }
    }

    fn hand_out(&mut self, now: Duration) {
        loop {
            let mut gone = Vec::new();
            for Delivery {
                consumer,
                retries,
                content: seen,
                ..
            } in self.group.deliver(now)
            {
                let handed = Ok(Handed { seen, retries });
                let received = self.guests.get(&consumer).map(|(guest, _)| guest.deliveries.send(handed));
                if !matches!(received, Some(Ok(()))) {
                    gone.push(consumer);
                }
            }
            if gone.is_empty() {
                return;
            }
            // Gone without a word: what they were given goes to others.
            for consumer in gone {
                self.leave(consumer);
            }
        }
    }

    /// Reads parked messages first, then the source, as far as there is room.
    fn begin_to_read(&mut self) {
        if self.finding.is_some() || self.fault.is_some() || Instant::now() < self.read_no_sooner {
            return;
        }
        let (store, reading, now) = (self.store.clone(), self.reading.clone(), (self.clock)());
        if let Some(Replay { next, before }) = self.replay {
            let left = usize::try_from(before - next).unwrap_or(usize::MAX);
            let limit = self.rules.read_batch_size.min(left);
            if self.group.state().again < self.rules.history_buffer_size {
                let parked = self.streams.parked.clone();
                let find = move || {
                    let found = reading.next_parked(&store, &parked, next, limit, now);
                    found.map(Found::Parked)
                };
                self.finding = Some(tokio::task::spawn_blocking(find));
                return;
            }
        }
        let room = self.group.room();
        if room == 0 {
            self.group.set_live(self.at_end);
        } else if !self.at_end {
            let next = self.next;
            let find = move || reading.next(&store, next, room, now).map(Found::Source);
            self.finding = Some(tokio::task::spawn_blocking(find));
        }
    }

    fn take_in(&mut self, found: Result<Result<Found, ReadingError>, tokio::task::JoinError>) {
        match found {
            Ok(Ok(Found::Source(batch))) => {
                if batch.next == self.next {
                    self.read_no_sooner = Instant::now() + BETWEEN_LOOKS_IN_VAIN;
                }
                self.next = batch.next;
                self.at_end = batch.end;
                self.group.arrive(batch.arrivals, batch.through, batch.skipped);
                self.group.set_live(batch.end);
            }
            Ok(Ok(Found::Parked(batch))) => self.take_in_parked(batch),
            Ok(Err(ReadingError::NeverAgain(reason))) => self.give_up(reason),
            Ok(Err(ReadingError::Store(error @ StoreError::Damaged { .. }))) => self.give_up(error.to_string()),
            Ok(Err(ReadingError::Store(error))) => {
                tracing::warn!(group = %self.name, %error, "a persistent subscription could not read; it tries again");
                self.read_no_sooner = Instant::now() + AFTER_A_FAILURE;
            }
            // The runtime ends.
            Err(cancelled) if cancelled.is_cancelled() => {}
            Err(panic) => self.give_up(panic.to_string()),
        }
    }

    fn take_in_parked(&mut self, batch: ParkedBatch) {
        let Some(Replay { before, .. }) = self.replay.take() else {
            return;
        };
        for arrival in batch.arrivals.into_iter().filter(|arrival| arrival.place < before) {
            self.group.replay(arrival);
        }
        let next = batch.next.filter(|next| *next < before);
        self.replayed_before = next.unwrap_or(before);
        self.replay = next.map(|next| Replay { next, before });
    }

    /// Nobody can be served any more, until somebody changes or restarts the group.
    fn give_up(&mut self, reason: String) {
        tracing::error!(group = %self.name, reason, "a persistent subscription cannot go on; its consumers are dropped");
        self.fault = Some(reason);
        self.drop_guests(&refusals::dropped(&self.name));
    }

    fn drop_guests(&mut self, status: &Status) {
        for (consumer, (guest, _)) in std::mem::take(&mut self.guests) {
            guest.deliveries.send(Err(status.clone())).ok();
            self.group.leave(consumer);
        }
    }

    /// What is to be written now.
    fn page(&mut self, at_the_end: bool) -> Page {
        if let Some(failed) = self.failed.take() {
            return failed;
        }
        let now = self.age();
        let mut page = Page::default();
        for Park { key, reason, content } in self.group.take_to_park() {
            match keeping::link_to(&content, &reason, (self.clock)()) {
                Some(link) => page.parks.push((key, link)),
                None => self.group.parked(key),
            }
        }
        page.checkpoint = if at_the_end {
            self.group.checkpoint(now)
        } else {
            self.group.due_checkpoint(now)
        };
        let done_before = self.group.oldest_replayed().unwrap_or(self.replayed_before);
        page.truncate_before = Some(done_before).filter(|before| *before > self.truncated_before);
        page
    }

    fn begin_to_write(&mut self) {
        if self.writing.is_some() || Instant::now() < self.write_no_sooner {
            return;
        }
        let page = self.page(false);
        if !page.is_empty() {
            let (store, streams, name) = (self.store.clone(), self.streams.clone(), self.name.clone());
            self.writing = Some(Box::pin(write(store, streams, name, page)));
        }
    }

    fn was_written(&mut self, page: Page, written: Result<(), Refusal>) {
        match written {
            Ok(()) => {
                self.truncated_before = page.truncate_before.unwrap_or(self.truncated_before);
                for (key, _) in page.parks {
                    self.group.parked(key);
                }
            }
            Err(refusal) => {
                self.failed = Some(page);
                self.write_no_sooner = Instant::now() + AFTER_A_FAILURE;
                if matches!(refusal, Refusal::Store(StoreError::Unavailable(_))) {
                    tracing::warn!(group = %self.name, %refusal, "a persistent subscription could not write; it tries again");
                } else if self.fault.is_none() {
                    self.give_up(refusal.to_string());
                }
            }
        }
    }

    async fn close(mut self, closing: Closing) {
        let status = match closing {
            Closing::Deleted | Closing::Reopening => refusals::dropped(&self.name),
            Closing::Stopping => crate::refusal::stopping(),
        };
        self.drop_guests(&status);
        if let Some(finding) = self.finding.take() {
            // A closed group reads no more, so that its streams can be deleted.
            finding.await.ok();
        }
        if let Some(writing) = self.writing.take() {
            let (page, written) = writing.await;
            self.was_written(page, written);
        }
        if closing == Closing::Deleted {
            return;
        }
        for _ in 0..LAST_TRIES {
            let page = self.page(true);
            if page.is_empty() {
                return;
            }
            let (page, written) = write(self.store.clone(), self.streams.clone(), self.name.clone(), page).await;
            self.was_written(page, written);
        }
    }
}

/// Waits for what goes on beside, if anything does; it is gone from there afterwards.
async fn ended<F: Future + Unpin>(beside: &mut Option<F>) -> F::Output {
    match beside {
        Some(future) => {
            let output = future.await;
            *beside = None;
            output
        }
        None => std::future::pending().await,
    }
}

fn per_second(count: u64, time: Duration) -> u64 {
    let milliseconds = time.as_millis().max(1);
    u64::try_from(u128::from(count) * 1_000 / milliseconds).unwrap_or(u64::MAX)
}
