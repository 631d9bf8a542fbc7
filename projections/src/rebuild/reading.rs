//! The log's side of a load: reads events and deals them out to the folding threads, by the hash of their stream.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::{Duration, Instant},
};

use domain::rules::Rules;
use event_store_contract::{Direction, MAX_EVENTS_PER_READ, Position, RecordedEvent, StreamName};
use futures_util::{StreamExt, stream};
use tokio::sync::mpsc;

use super::{Phase, Progress, Tell, folding::Work, per_second};
use crate::{
    fold::{changed_rules, is_rule_change},
    handle::{Inner, ProjectionError},
};

/// The most events in one page of the log.
#[cfg(not(test))]
const PAGE_EVENTS: usize = 10_000;
/// So few in tests that a log has many pages.
#[cfg(test)]
const PAGE_EVENTS: usize = 100;
/// How many streams are read at once.
const STREAMS_AT_ONCE: usize = 16;

/// The rules in the order in which they came into force: each holds from its position on.
pub(super) type RulesInTime = Vec<(Position, Rules)>;

/// What was read of the log.
pub(super) struct Reading {
    pub(super) events: u64,
    pub(super) position: Position,
    pub(super) rules: RulesInTime,
}

/// Reads the log to its end.
pub(super) async fn read_log(
    inner: &Arc<Inner>,
    senders: &[mpsc::Sender<Work>],
    head: Position,
    tell: &Tell,
) -> Result<Reading, ProjectionError> {
    let began = Instant::now();
    let filter = Inner::filter();
    let mut read = Reading {
        events: 0,
        position: Position::default(),
        rules: vec![(Position::default(), Rules::embedded())],
    };
    loop {
        let after = Some(read.position).filter(|position| position.0 > 0);
        let page = inner.store.read_all(after, PAGE_EVENTS, &filter).await?;
        read.position = page.position.unwrap_or(read.position);
        let mut dealt: Vec<Vec<RecordedEvent>> = senders
            .iter()
            .map(|_| Vec::with_capacity(page.events.len() / senders.len() + 64))
            .collect();
        for event in page.events {
            if is_rule_change(&event) {
                let Some((_, before)) = read.rules.last() else { continue };
                let rules = changed_rules(before, &event);
                for (sender, events) in senders.iter().zip(&mut dealt) {
                    deal(sender, Work::Events(std::mem::take(events))).await?;
                    deal(sender, Work::Rules(rules.clone())).await?;
                }
                read.rules.push((event.position, rules));
                continue;
            }
            read.events += 1;
            dealt[place_of(&event.stream, senders.len())].push(event);
        }
        for (sender, events) in senders.iter().zip(dealt) {
            deal(sender, Work::Events(events)).await?;
        }
        tell(Progress {
            phase: Phase::Folding,
            events: read.events,
            position: read.position,
            head,
            events_per_second: per_second(read.events, began.elapsed()),
            time_left: time_left(read.position, head, began.elapsed()),
        });
        if page.end {
            return Ok(read);
        }
    }
}

/// Reads these streams, each as a whole, up to a position of the log.
pub(super) async fn read_streams(
    inner: &Arc<Inner>,
    senders: &[mpsc::Sender<Work>],
    streams: Vec<StreamName>,
    through: Position,
    rules: &RulesInTime,
) -> Result<(), ProjectionError> {
    let mut reads = stream::iter(streams)
        .map(|stream| read_stream(inner, stream, through))
        .buffer_unordered(STREAMS_AT_ONCE);
    while let Some(read) = reads.next().await {
        let mut events = read?;
        let Some(stream) = events.first().map(|event| event.stream.clone()) else {
            continue;
        };
        let sender = &senders[place_of(&stream, senders.len())];
        for (at, (_, in_force)) in rules.iter().enumerate() {
            let until = rules.get(at + 1).map_or(Position(u64::MAX), |(position, _)| *position);
            let rest = events.split_off(events.partition_point(|event| event.position < until));
            if !events.is_empty() {
                deal(sender, Work::Rules(in_force.clone())).await?;
                deal(sender, Work::Events(events)).await?;
            }
            events = rest;
        }
    }
    Ok(())
}

async fn read_stream(inner: &Inner, stream: StreamName, through: Position) -> Result<Vec<RecordedEvent>, ProjectionError> {
    let mut all = Vec::new();
    loop {
        let events = inner
            .store
            .read_stream(&stream, all.len() as u64, Direction::Forwards, MAX_EVENTS_PER_READ)
            .await?;
        let count = events.len();
        all.extend(events.into_iter().filter(|event| event.position <= through));
        if count < MAX_EVENTS_PER_READ {
            return Ok(all);
        }
    }
}

fn time_left(position: Position, head: Position, elapsed: Duration) -> Option<Duration> {
    let left = head.0.saturating_sub(position.0);
    let done = u32::try_from(position.0.min(u64::from(u32::MAX)))
        .ok()
        .filter(|done| *done > 0)?;
    Some((elapsed / done).saturating_mul(u32::try_from(left).unwrap_or(u32::MAX)))
}

async fn deal(sender: &mpsc::Sender<Work>, work: Work) -> Result<(), ProjectionError> {
    sender
        .send(work)
        .await
        .map_err(|_| ProjectionError::BrokenOff("a folding thread ended early".to_owned()))
}

/// Which thread folds a stream.
fn place_of(stream: &StreamName, threads: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    stream.hash(&mut hasher);
    usize::try_from(hasher.finish() % threads as u64).unwrap_or(0)
}
