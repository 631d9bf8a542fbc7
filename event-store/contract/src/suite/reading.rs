//! Reading: a stream both ways, the whole log in pages, and the proof.

use std::collections::HashMap;

use super::{Direction, Filter, Store, events, ids, new_ids, read, read_all, stream, written};
use crate::{
    MAX_EVENTS_PER_READ, Position,
    proof::{GENESIS, chain_hash, content_hash},
};

pub(super) async fn a_stream_never_written_reads_as_empty(store: Store) {
    written(&store, &stream("case-1"), &events(2)).await;
    for direction in [Direction::Forwards, Direction::Backwards] {
        for from in [0, 1, u64::MAX] {
            assert_eq!(store.read_stream(&stream("case-2"), from, direction, 10).await, Ok(vec![]));
        }
    }
}

pub(super) async fn a_stream_reads_both_ways_from_anywhere(store: Store) {
    let name = stream("case-1");
    let mut all = Vec::new();
    for count in [1, 2, 3, 4] {
        let new = events(count);
        written(&store, &name, &new).await;
        written(&store, &stream("case-2"), &events(count)).await;
        all.extend(new_ids(&new));
    }
    for from in (0..12).chain([u64::MAX - 1, u64::MAX]) {
        for limit in [0, 1, 3, 10, 11, usize::MAX] {
            let start = usize::try_from(from).expect("a small number");
            let forwards: Vec<_> = all.iter().skip(start).take(limit).copied().collect();
            let recorded = store
                .read_stream(&name, from, Direction::Forwards, limit)
                .await
                .expect("events");
            assert_eq!(ids(&recorded), forwards, "{limit} forwards from {from}");
            assert!(
                recorded
                    .iter()
                    .zip(from..)
                    .all(|(event, revision)| event.revision == revision)
            );

            let backwards: Vec<_> = all.iter().take(start.saturating_add(1)).rev().take(limit).copied().collect();
            let recorded = store
                .read_stream(&name, from, Direction::Backwards, limit)
                .await
                .expect("events");
            assert_eq!(ids(&recorded), backwards, "{limit} backwards from {from}");
        }
    }
}

pub(super) async fn the_whole_log_reads_in_pages(store: Store) {
    let mut all = Vec::new();
    for round in 0..20 {
        let new = events(1 + round % 3);
        written(&store, &stream(&format!("case-{}", round % 7)), &new).await;
        all.extend(new_ids(&new));
    }
    for limit in [1, 7, 1_000, usize::MAX] {
        let recorded = read_all(&store, limit.min(MAX_EVENTS_PER_READ), &Filter::all()).await;
        assert_eq!(ids(&recorded), all, "in pages of {limit}");
        assert!(recorded.is_sorted_by_key(|event| event.position));
    }
    let head = store.head().await.expect("a head");
    let page = store.read_all(head, 10, &Filter::all()).await.expect("a page");
    assert_eq!((page.events.len(), page.position, page.end), (0, head, true));
    let page = store.read_all(None, 0, &Filter::all()).await.expect("a page");
    assert_eq!((page.events.len(), page.position, page.end), (0, None, false));
}

pub(super) async fn a_filter_lets_its_prefixes_through_and_the_position_moves_on(store: Store) {
    let names = [
        "constructionPermit-1",
        "constructionPermit-2",
        "project-1",
        "timer-1",
        "constructionPermitDraft-1",
    ]
    .map(stream);
    for round in 0..50 {
        written(&store, &names[round % names.len()], &events(1)).await;
    }
    for prefixes in [
        vec!["constructionPermit-"],
        vec!["project-", "timer-"],
        vec!["constructionPermit"],
        vec!["timer-1"],
        vec!["none-"],
    ] {
        let filter = Filter::prefixes(prefixes);
        let wanted = read_all(&store, 100, &Filter::all())
            .await
            .into_iter()
            .filter(|event| filter.wants(event.stream.as_str()));
        let wanted: Vec<_> = wanted.collect();
        for limit in [1, 3, 100] {
            assert_eq!(
                read_all(&store, limit, &filter).await,
                wanted,
                "{filter:?} in pages of {limit}"
            );
        }
    }
    let page = store.read_all(None, 100, &Filter::prefixes(["none-"])).await.expect("a page");
    assert_eq!(
        (page.events.len(), page.position, page.end),
        (0, store.head().await.expect("a head"), true)
    );
}

pub(super) async fn an_empty_log_has_no_head(store: Store) {
    assert_eq!(store.head().await, Ok(None));
    for after in [None, Some(Position(0)), Some(Position(99))] {
        let page = store.read_all(after, 10, &Filter::all()).await.expect("a page");
        assert_eq!((page.events.len(), page.position, page.end), (0, after, true));
    }
}

pub(super) async fn the_hash_chain_holds(store: Store) {
    for round in 0..30 {
        written(&store, &stream(&format!("case-{}", round % 4)), &events(1 + round % 3)).await;
    }
    let mut heads = HashMap::new();
    for event in read_all(&store, 7, &Filter::all()).await {
        let previous = heads.get(&event.stream).copied().unwrap_or(GENESIS);
        let content = content_hash(event.id, &event.name, &event.data, &event.metadata);
        let link = chain_hash(&previous, event.stream.as_str(), event.revision, &content);
        if let Some(hash) = event.hash {
            assert_eq!(hash, link);
        }
        heads.insert(event.stream.clone(), link);
    }
    for (name, head) in heads {
        let newest = store
            .read_stream(&name, u64::MAX, Direction::Backwards, 1)
            .await
            .expect("its newest event");
        assert_eq!(newest[0].hash, Some(head), "read from its end");
        assert_eq!(read(&store, &name).await.last().and_then(|event| event.hash), Some(head));
    }
}
