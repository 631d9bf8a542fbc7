//! Racing: many writers, one order, and readers who never see half an append.

use std::collections::{HashMap, HashSet};

use super::{Direction, Expected, Filter, Store, StoreError, append, event, events, ids, read, read_all, stream, written};

const WRITERS: usize = 8;
const APPENDS_EACH: usize = 25;

pub(super) async fn of_racing_writers_exactly_one_wins_each_revision(store: Store) {
    let mut racers = tokio::task::JoinSet::new();
    for racer in 0..WRITERS {
        let store = store.clone();
        racers.spawn(async move {
            let name = stream("case-1");
            let mut won = Vec::new();
            while won.len() < APPENDS_EACH {
                let newest = store
                    .read_stream(&name, u64::MAX, Direction::Backwards, 1)
                    .await
                    .expect("the newest event");
                let expected = newest
                    .first()
                    .map_or(Expected::NoStream, |event| Expected::Revision(event.revision));
                let mine = event(&format!("WonBy{racer}"));
                match append(&store, &name, expected, std::slice::from_ref(&mine)).await {
                    Ok(appended) => won.push((appended, mine.id)),
                    Err(StoreError::WrongRevision { .. }) => {}
                    Err(other) => panic!("a race ends with a winner or a conflict, not with {other}"),
                }
            }
            won
        });
    }
    let won: HashMap<_, _> = racers
        .join_all()
        .await
        .into_iter()
        .flatten()
        .map(|(appended, id)| (appended.revision, (appended.position, id)))
        .collect();
    let recorded = read(&store, &stream("case-1")).await;
    assert_eq!((won.len(), recorded.len()), (WRITERS * APPENDS_EACH, WRITERS * APPENDS_EACH));
    for event in recorded {
        assert_eq!(won[&event.revision], (event.position, event.id));
    }
}

pub(super) async fn many_writers_leave_one_order(store: Store) {
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            let name = stream(&format!("case-{writer}"));
            let mut positions = Vec::new();
            for _ in 0..APPENDS_EACH {
                positions.push(written(&store, &name, &events(1)).await.position);
            }
            positions
        });
    }
    let mut promised: Vec<_> = writers.join_all().await.into_iter().flatten().collect();
    promised.sort_unstable();
    let all = read_all(&store, 33, &Filter::all()).await;
    assert_eq!(all.iter().map(|event| event.position).collect::<Vec<_>>(), promised);
    assert_eq!(ids(&all).into_iter().collect::<HashSet<_>>().len(), WRITERS * APPENDS_EACH);
}

pub(super) async fn readers_see_only_whole_appends(store: Store) {
    const TOGETHER: usize = 5;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let store = store.clone();
        writers.spawn(async move {
            let name = stream(&format!("case-{writer}"));
            for _ in 0..APPENDS_EACH {
                written(&store, &name, &events(TOGETHER)).await;
            }
        });
    }
    let total = WRITERS * APPENDS_EACH * TOGETHER;
    let mut seen = 0;
    while seen < total {
        let page = store.read_all(None, total, &Filter::all()).await.expect("a page");
        assert!(page.events.len() >= seen, "what was seen stays");
        seen = page.events.len();
        assert_eq!(seen % TOGETHER, 0, "no half of an append is seen");
        for together in page.events.chunks(TOGETHER) {
            assert!(
                together.iter().all(|event| event.stream == together[0].stream),
                "an append stands together"
            );
        }
    }
    writers.join_all().await;
}
