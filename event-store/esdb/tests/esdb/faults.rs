//! Servers that are killed and connections that are cut: nothing is lost, doubled or reordered.

use std::{sync::Arc, time::Duration};

use event_store_contract::{Direction, EventStore, Expected, Filter, NewEvent, StoreError};
use event_store_esdb::{ConnectError, EsdbStore};
use tokio::{sync::watch, task::JoinSet};
use uuid::Uuid;

use crate::{
    house::{House, event, name, url},
    proxy::Proxy,
};

const WRITERS: usize = 6;

/// Appends as long as it takes: what is not available is asked for again, with the same ids.
async fn appended(store: &EsdbStore, stream: &str, expected: Expected, events: &[NewEvent]) -> u64 {
    loop {
        match store.append(&name(stream), expected, events.to_vec()).await {
            Ok(appended) => return appended.revision,
            Err(StoreError::Unavailable(_)) => {}
            Err(other) => panic!("{stream} after {expected:?}: {other}"),
        }
    }
}

/// Writers, each with a stream of its own, who tell how much they have written.
fn writers(store: &EsdbStore, appends: usize) -> (JoinSet<Vec<Uuid>>, watch::Receiver<usize>) {
    let (told, progress) = watch::channel(0);
    let told = Arc::new(told);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (store, told) = (store.clone(), told.clone());
        writers.spawn(async move {
            let stream = format!("case-{writer}");
            let (mut expected, mut ids) = (Expected::NoStream, Vec::new());
            for round in 0..appends {
                let events: Vec<_> = (0..=round % 2).map(|at| event(&format!("Happened{at}"))).collect();
                ids.extend(events.iter().map(|event| event.id));
                let revision = appended(&store, &stream, expected, &events).await;
                assert_eq!(revision, ids.len() as u64 - 1, "nothing but these events is in {stream}");
                // Some go by the revision, some by nothing but the ids.
                expected = if writer % 2 == 0 {
                    Expected::Revision(revision)
                } else {
                    Expected::Any
                };
                told.send_modify(|written| *written += 1);
            }
            ids
        });
    }
    (writers, progress)
}

/// A follower from the beginning, until it has seen so many events.
fn follower(store: &EsdbStore, events: usize) -> tokio::task::JoinHandle<Vec<Uuid>> {
    let store = store.clone();
    tokio::spawn(async move {
        let mut follower = store.follow(None, Filter::prefixes(["case-"])).await.unwrap();
        let (mut seen, mut after) = (Vec::new(), None);
        while seen.len() < events {
            match follower.next(50).await {
                Ok(page) => {
                    assert!(page.position > after, "a follower never goes back");
                    after = page.position;
                    seen.extend(page.events.iter().map(|event| event.id));
                }
                Err(StoreError::Unavailable(_)) => {}
                Err(other) => panic!("{other}"),
            }
        }
        seen
    })
}

/// What was promised is what is there, in every stream and in the order of the log, and a follower saw just that.
async fn everything_is_there(house: &House, writers: JoinSet<Vec<Uuid>>, follower: tokio::task::JoinHandle<Vec<Uuid>>) {
    let mut promised: Vec<_> = writers.join_all().await;
    for writer in 0..WRITERS {
        let stream = house
            .store
            .read_stream(&name(&format!("case-{writer}")), 0, Direction::Forwards, usize::MAX)
            .await
            .unwrap();
        let ids: Vec<_> = stream.iter().map(|event| event.id).collect();
        let at = promised
            .iter()
            .position(|promised| *promised == ids)
            .expect("the events of a writer");
        promised.swap_remove(at);
    }
    let log = house.store.read_all(None, 10_000, &Filter::all()).await.unwrap();
    assert!(log.end);
    let ids: Vec<_> = log.events.iter().map(|event| event.id).collect();
    assert_eq!(follower.await.unwrap(), ids);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    const APPENDS: usize = 200;
    let mut house = House::new().await;
    let store = house.connect().await;
    let following = follower(&store, WRITERS * APPENDS * 3 / 2);
    let (writing, mut progress) = writers(&store, APPENDS);
    for life in 1..8 {
        progress
            .wait_for(|written| *written >= life * WRITERS * APPENDS / 8)
            .await
            .unwrap();
        house.begin_again().await;
    }
    everything_is_there(&house, writing, following).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_cut_anywhere_lose_and_double_nothing() {
    const APPENDS: usize = 100;
    let house = House::new().await;
    let proxy = Proxy::before(house.address, 60_000, 20_261_123).await;
    let store = loop {
        match EsdbStore::connect(&url(proxy.address)).await {
            Ok(store) => break store,
            Err(ConnectError::Unreachable { .. }) => {}
            Err(other) => panic!("{other}"),
        }
    };
    let following = follower(&store, WRITERS * APPENDS * 3 / 2);
    let (writing, mut progress) = writers(&store, APPENDS);
    progress
        .wait_for(|written| *written >= WRITERS * APPENDS * 9 / 10)
        .await
        .unwrap();
    proxy.be_gentle();
    everything_is_there(&house, writing, following).await;
    let cuts = proxy.cuts.load(std::sync::atomic::Ordering::Relaxed);
    println!("{cuts} connections were cut");
    assert!(cuts > 5, "the proxy did its work");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_stays_away_is_said_to_be_unavailable_and_comes_back() {
    let mut house = House::new().await;
    let store = house.connect().await;
    appended(&store, "case-1", Expected::NoStream, &[event("First")]).await;
    house.kill().await;
    let events = vec![event("Second")];
    let stream = name("case-1");
    let (append, head) = tokio::join!(store.append(&stream, Expected::Revision(0), events.clone()), store.head());
    assert!(matches!(append, Err(StoreError::Unavailable(_))), "{append:?}");
    assert!(matches!(head, Err(StoreError::Unavailable(_))), "{head:?}");
    house.start().await;
    assert_eq!(appended(&store, "case-1", Expected::Revision(0), &events).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_who_does_not_come_holds_up_nobody_and_misses_nothing() {
    let house = House::new().await;
    let store = house.connect().await;
    let mut slow = store.follow(None, Filter::all()).await.unwrap();
    appended(&store, "case-1", Expected::NoStream, &[event("First")]).await;
    assert_eq!(slow.next(10).await.unwrap().events.len(), 1);
    for round in 0..40 {
        let large: Vec<_> = (0..50)
            .map(|_| NewEvent {
                data: vec![b' '; 4_000].into(),
                ..event("Large")
            })
            .collect();
        appended(&store, &format!("case-{}", round + 2), Expected::NoStream, &large).await;
    }
    let mut seen = 0;
    while seen < 2_000 {
        seen += slow.next(7).await.unwrap().events.len();
    }
    assert_eq!(seen, 2_000);
}

#[tokio::test]
async fn nobody_at_the_address_is_said_in_a_sentence() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let refused = EsdbStore::connect(&format!("esdb://{address}?tls=false")).await;
    let said = refused.map(|_| ()).unwrap_err().to_string();
    assert!(
        said.starts_with(&format!("no event store answers at esdb://{address}:")),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_of_a_broken_connection_replace_it_together() {
    let mut house = House::new().await;
    let store = house.connect().await;
    appended(&store, "case-0", Expected::NoStream, &[event("First")]).await;
    house.kill().await;
    house.start().await;
    let mut callers = JoinSet::new();
    for caller in 1..200 {
        let store = store.clone();
        callers.spawn(async move {
            let stream = format!("case-{caller}");
            appended(&store, &stream, Expected::NoStream, &[event("First")]).await
        });
    }
    let within = tokio::time::timeout(Duration::from_secs(60), callers.join_all()).await;
    assert!(within.expect("they all come through").iter().all(|revision| *revision == 0));
}
