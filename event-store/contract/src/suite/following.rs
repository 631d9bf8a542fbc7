//! Following: the past, then the present, and no gap between them.

use std::time::Duration;

use super::{Filter, Store, StreamName, events, ids, read_all, stream, written};
use crate::Position;

/// How many appends the writer beside the follower makes.
const APPENDS: usize = 150;

/// Appends to three streams in turn, from a task of its own.
fn writer(store: &Store) -> tokio::task::JoinHandle<()> {
    let store = store.clone();
    tokio::spawn(async move {
        let names: [StreamName; 3] = ["case-1", "project-1", "case-2"].map(stream);
        for round in 0..APPENDS {
            written(&store, &names[round % names.len()], &events(1 + round % 2)).await;
        }
    })
}

pub(super) async fn a_follower_gets_the_past_and_then_the_present_without_a_gap(store: Store) {
    written(&store, &stream("case-0"), &events(20)).await;
    let writing = writer(&store);
    let mut follower = store.follow(None, Filter::all()).await.expect("a follower");
    let mut seen = Vec::new();
    while seen.len() < 20 + APPENDS * 3 / 2 {
        let page = follower.next(7).await.expect("a page");
        assert!(page.events.len() <= 7);
        seen.extend(page.events);
    }
    writing.await.expect("a writer that ends well");
    assert_eq!(ids(&seen), ids(&read_all(&store, 1_000, &Filter::all()).await));
}

pub(super) async fn a_follower_starts_after_its_position(store: Store) {
    let position = written(&store, &stream("case-1"), &events(3)).await.position;
    let mut from_the_beginning = store.follow(Some(Position(0)), Filter::all()).await.expect("a follower");
    assert_eq!(from_the_beginning.next(10).await.expect("a page").events.len(), 3);
    let mut live = store.follow(Some(position), Filter::all()).await.expect("a follower");
    let writing = writer(&store);
    let page = live.next(1).await.expect("a page");
    assert!(page.position > Some(position));
    assert_eq!(
        ids(&page.events),
        ids(&store
            .read_all(Some(position), 1, &Filter::all())
            .await
            .expect("a page")
            .events)
    );
    writing.await.expect("a writer that ends well");
}

pub(super) async fn a_dropped_wait_loses_nothing(store: Store) {
    let writing = writer(&store);
    let mut follower = store.follow(None, Filter::all()).await.expect("a follower");
    let mut seen = Vec::new();
    let mut patience_us = 0;
    while seen.len() < APPENDS * 3 / 2 {
        patience_us = (patience_us + 37) % 400;
        match tokio::time::timeout(Duration::from_micros(patience_us), follower.next(3)).await {
            Ok(page) => seen.extend(page.expect("a page").events),
            Err(_dropped) => tokio::task::yield_now().await,
        }
    }
    writing.await.expect("a writer that ends well");
    assert_eq!(ids(&seen), ids(&read_all(&store, 1_000, &Filter::all()).await));
}

pub(super) async fn a_filtered_follower_moves_on_with_the_log(store: Store) {
    let writing = writer(&store);
    let filter = Filter::prefixes(["project-"]);
    let mut follower = store.follow(None, filter.clone()).await.expect("a follower");
    let (mut seen, mut after) = (Vec::new(), None);
    writing.await.expect("a writer that ends well");
    let head = store.head().await.expect("a head");
    while after < head {
        let page = follower.next(5).await.expect("a page");
        assert!(page.position > after, "a follower moves on with every page");
        after = page.position;
        seen.extend(page.events);
    }
    assert_eq!(seen, read_all(&store, 1_000, &filter).await);
}
