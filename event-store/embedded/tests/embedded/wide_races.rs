//! The wide door when many want through it at once.

use event_store_contract::Expected;
use event_store_embedded::Refusal;

use crate::{
    stream,
    wide_writes::{events, open, write},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_those_who_race_for_a_revision_exactly_one_wins() {
    const RACERS: usize = 8;
    const REVISIONS: u64 = 40;
    let (_dir, store) = open();
    let mut race = tokio::task::JoinSet::new();
    for _ in 0..RACERS {
        let store = store.clone();
        race.spawn(async move {
            let mut won = Vec::new();
            for revision in 0..REVISIONS {
                let expected = revision.checked_sub(1).map_or(Expected::NoStream, Expected::Revision);
                match write(&store, "race-1", expected, &events(1)).await {
                    Ok(place) => won.push(place.revision),
                    Err(Refusal::WrongRevision { .. }) => {}
                    Err(other) => panic!("{other}"),
                }
                // Whoever is behind waits for the others.
                while store.stream_head(&stream("race-1")).unwrap().last < Some(revision) {
                    tokio::task::yield_now().await;
                }
            }
            won
        });
    }
    let mut won = race.join_all().await.concat();
    won.sort_unstable();
    assert_eq!(won, (0..REVISIONS).collect::<Vec<_>>());
}
