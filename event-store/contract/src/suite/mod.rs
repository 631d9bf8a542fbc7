//! The suite that every store passes: each check is a sentence, and gets a fresh store.

mod appending;
mod following;
mod racing;
mod reading;
mod retrying;

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use uuid::Uuid;

use crate::{Append, Appended, Direction, EventStore, Expected, Filter, NewEvent, RecordedEvent, StoreError, StreamName};

/// A check that is still waiting after this long will wait for ever.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs every check against a store that `make` makes anew for each.
///
/// # Panics
/// When the store breaks the contract; the name of the check was printed before.
pub async fn run_all(make: impl AsyncFn() -> Arc<dyn EventStore>) {
    macro_rules! checks {
        ($($room:ident: $($name:ident),+ $(,)?);+ $(;)?) => {
            $($(run(stringify!($name), $room::$name(make().await)).await;)+)+
        };
    }
    checks! {
        appending:
            revisions_count_from_zero_and_positions_grow,
            an_append_is_all_or_nothing_and_contiguous,
            every_expectation_meets_every_situation,
            a_conflict_names_the_actual_revision,
            an_append_without_events_is_refused,
            what_is_over_the_limits_is_refused,
            the_largest_append_is_taken,
            any_text_and_any_bytes_come_back_unchanged,
            streams_with_similar_names_are_apart,
            several_appends_stand_in_their_order;
        retrying:
            the_same_append_again_is_the_first_answer,
            the_same_append_again_succeeds_after_others_wrote,
            an_append_that_agrees_in_part_is_refused,
            an_append_that_reaches_past_the_end_is_refused,
            without_a_revision_recent_ids_are_remembered,
            the_same_id_may_stand_in_other_streams;
        reading:
            a_stream_never_written_reads_as_empty,
            a_stream_reads_both_ways_from_anywhere,
            the_whole_log_reads_in_pages,
            a_filter_lets_its_prefixes_through_and_the_position_moves_on,
            an_empty_log_has_no_head,
            the_hash_chain_holds;
        following:
            a_follower_gets_the_past_and_then_the_present_without_a_gap,
            a_follower_starts_after_its_position,
            a_dropped_wait_loses_nothing,
            a_filtered_follower_moves_on_with_the_log;
        racing:
            of_racing_writers_exactly_one_wins_each_revision,
            many_writers_leave_one_order,
            readers_see_only_whole_appends;
    }
}

async fn run(name: &str, check: impl Future<Output = ()>) {
    println!("  the store: {}", name.replace('_', " "));
    assert!(tokio::time::timeout(PATIENCE, check).await.is_ok(), "{name} waited for ever");
}

type Store = Arc<dyn EventStore>;

fn stream(name: &str) -> StreamName {
    StreamName::new(name).expect("a name of a stream")
}

fn event(name: &str) -> NewEvent {
    event_with(name, format!("{{\"言\":\"{name}\"}}"))
}

fn event_with(name: &str, data: impl Into<Bytes>) -> NewEvent {
    NewEvent {
        id: Uuid::new_v4(),
        name: name.into(),
        data: data.into(),
        metadata: Bytes::from_static(b"{\"actor\":\"suite\"}"),
    }
}

fn events(count: usize) -> Vec<NewEvent> {
    (0..count).map(|at| event(&format!("Happened{at}"))).collect()
}

async fn append(store: &Store, to: &StreamName, expected: Expected, events: &[NewEvent]) -> Result<Appended, StoreError> {
    store.append(to, expected, events.to_vec()).await
}

async fn written(store: &Store, to: &StreamName, events: &[NewEvent]) -> Appended {
    append(store, to, Expected::Any, events)
        .await
        .expect("an append that expects nothing")
}

async fn read(store: &Store, from: &StreamName) -> Vec<RecordedEvent> {
    store
        .read_stream(from, 0, Direction::Forwards, usize::MAX)
        .await
        .expect("a stream to read")
}

/// Everything that the filter lets through, read in pages of `limit`.
async fn read_all(store: &Store, limit: usize, filter: &Filter) -> Vec<RecordedEvent> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = store.read_all(after, limit, filter).await.expect("a page of the log");
        assert!(page.events.len() <= limit);
        assert!(page.end || page.position > after, "a page that is not the end moves on");
        after = page.position;
        all.extend(page.events);
        if page.end {
            return all;
        }
    }
}

fn ids<'a>(events: impl IntoIterator<Item = &'a RecordedEvent>) -> Vec<Uuid> {
    events.into_iter().map(|event| event.id).collect()
}

fn new_ids<'a>(events: impl IntoIterator<Item = &'a NewEvent>) -> Vec<Uuid> {
    events.into_iter().map(|event| event.id).collect()
}

fn conflict(on: &StreamName, expected: Expected, actual: Option<u64>) -> Result<Appended, StoreError> {
    Err(StoreError::WrongRevision {
        stream: on.clone(),
        expected,
        actual,
    })
}
