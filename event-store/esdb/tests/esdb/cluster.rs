//! More nodes than one: who leads, and who is gone.

use event_store_contract::{EventStore as _, Expected, Filter, StoreError};
use event_store_esdb::EsdbStore;

use crate::{
    fake,
    house::{House, event, name, url},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_does_not_lead_sends_us_to_the_one_that_does() {
    let mut house = House::new().await;
    let leader = house.address;
    let follower = fake::serve(move |path| {
        if !path.contains(".streams.") {
            return fake::unimplemented();
        }
        let (host, port) = (leader.ip().to_string(), leader.port().to_string());
        fake::refusal(
            "5",
            &[
                ("exception", "not-leader".into()),
                ("leader-endpoint-host", host),
                ("leader-endpoint-port", port),
            ],
        )
    })
    .await;
    let store = EsdbStore::connect(&url(follower)).await.unwrap();
    let stream = name("case-1");
    let first = store.append(&stream, Expected::NoStream, vec![event("First")]).await.unwrap();
    let mut following = store.follow(None, Filter::all()).await.unwrap();
    assert_eq!(following.next(10).await.unwrap().position, Some(first.position));

    // The leader goes away and comes back: the way to it begins at the address again.
    house.kill().await;
    house.start().await;
    let second = store
        .append(&stream, Expected::Revision(0), vec![event("Second")])
        .await
        .unwrap();
    loop {
        match following.next(10).await {
            Ok(page) => {
                assert_eq!((page.events.len(), page.position), (1, Some(second.position)));
                break;
            }
            Err(error) => assert!(matches!(error, StoreError::Unavailable(_)), "{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_gone_is_passed_over() {
    let house = House::new().await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [
        format!("esdb://{gone},{}?tls=false", house.address),
        format!("kurrentdb+discover://{}?tls=false", house.address),
    ] {
        let store = EsdbStore::connect(&address).await.unwrap();
        let appended = store.append(&name("case-1"), Expected::Any, vec![event("Happened")]).await;
        assert!(appended.is_ok(), "{address}: {appended:?}");
    }
}
