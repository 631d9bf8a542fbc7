//! The rules of the Operations service.
#![allow(clippy::unwrap_used)]

use event_store_contract::{Direction, Expected, NewEvent, RecordedEvent, StreamName};
use event_store_embedded::{Draft, LINK_NAME, METADATA_NAME, Write};
use tonic::metadata::MetadataMap;

use super::*;
use crate::{
    protocol::event_store::client::operations::{start_scavenge_req, stop_scavenge_req},
    testing::{TestDesk, as_admin, request, secure_desk},
};

async fn start(keeper: &Keeper) -> ScavengeResp {
    let options = Some(start_scavenge_req::Options {
        thread_count: 1,
        start_from_chunk: 0,
    });
    let asked = request(&as_admin(), StartScavengeReq { options });
    keeper.start_scavenge(asked).await.unwrap().into_inner()
}

async fn stop(keeper: &Keeper, id: &str) -> Result<ScavengeResp, Status> {
    let options = Some(stop_scavenge_req::Options { scavenge_id: id.into() });
    let asked = request(&as_admin(), StopScavengeReq { options });
    keeper.stop_scavenge(asked).await.map(Response::into_inner)
}

fn read(desk: &TestDesk, stream: &str) -> Vec<RecordedEvent> {
    let stream = StreamName::new(stream).unwrap();
    desk.store.read_stream_blocking(&stream, 0, Direction::Forwards, 100).unwrap()
}

/// Waits until the log has come so far that the stream has so many events.
async fn wait_for(desk: &TestDesk, stream: &str, events: usize) -> Vec<RecordedEvent> {
    let mut committed = desk.store.committed();
    loop {
        let found = read(desk, stream);
        if found.len() >= events {
            return found;
        }
        committed.changed().await.unwrap();
    }
}

async fn write(desk: &TestDesk, stream: &str, name: &str, data: &[&str]) {
    let events = data.iter().map(|data| {
        Draft::from(NewEvent {
            id: Uuid::new_v4(),
            name: name.into(),
            data: data.as_bytes().to_vec().into(),
            metadata: b"".to_vec().into(),
        })
    });
    let write = Write {
        stream: StreamName::new(stream).unwrap(),
        expected: Expected::Any,
        events: events.collect(),
    };
    desk.store.write(vec![write], Vec::new()).await.unwrap();
}

#[tokio::test]
async fn a_scavenge_takes_out_what_nobody_can_read_and_is_remembered() {
    let desk = secure_desk().await;
    let keeper = Keeper(desk.desk.clone());
    write(&desk, "plans", "PlanDrawn", &["{}", "{}", "{}"]).await;
    write(&desk, "$$plans", METADATA_NAME, &[r#"{"$maxCount": 1}"#]).await;
    let started = start(&keeper).await;
    assert_eq!(started.scavenge_result, i32::from(ScavengeResult::Started));

    let own = format!("$scavenges-{}", started.scavenge_id);
    let told = wait_for(&desk, &own, 2).await;
    assert_eq!([&*told[0].name, &*told[1].name], ["$scavengeStarted", "$scavengeCompleted"]);
    let end: serde_json::Value = serde_json::from_slice(&told[1].data).unwrap();
    assert_eq!(end["scavengeId"], *started.scavenge_id);
    assert_eq!((&end["result"], &end["eventsRemoved"]), (&"Success".into(), &2.into()));
    assert_eq!(read(&desk, "plans").len(), 1);

    let links = wait_for(&desk, "$scavenges", 2).await;
    assert!(links.iter().all(|link| &*link.name == LINK_NAME));
    assert_eq!(links[1].data, format!("1@{own}"));
}

#[tokio::test]
async fn a_scavenge_that_does_not_run_cannot_be_stopped() {
    let desk = secure_desk().await;
    let keeper = Keeper(desk.desk.clone());
    let id = Uuid::new_v4().to_string();
    for meant in [&*id, CURRENT_SCAVENGE] {
        let status = stop(&keeper, meant).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(status.metadata().get("exception").unwrap(), "scavenge-not-found");
        assert_eq!(status.metadata().get("scavenge-id").unwrap(), meant);
    }
}

#[tokio::test]
async fn a_second_scavenge_is_the_one_that_runs_and_that_can_be_stopped() {
    let desk = secure_desk().await;
    let keeper = Keeper(desk.desk.clone());
    let (id, flag) = (Uuid::new_v4(), Arc::new(AtomicBool::new(false)));
    *desk.office.scavenge() = Some(Scavenge { id, stop: flag.clone() });
    let second = start(&keeper).await;
    assert_eq!(second, answer((id, ScavengeResult::InProgress)));
    let stopped = stop(&keeper, &second.scavenge_id).await.unwrap();
    assert_eq!(stopped, answer((id, ScavengeResult::Stopped)));
    assert!(flag.load(Ordering::Relaxed));
}

#[tokio::test]
async fn the_end_of_the_process_is_passed_on_to_whoever_waits_for_it() {
    let desk = secure_desk().await;
    let keeper = Keeper(desk.desk.clone());
    let status = keeper.shutdown(request(&as_admin(), ())).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition, "nobody waits for it");
    let mut asked = desk.office.shutdown_asked();
    assert!(!*asked.borrow_and_update());
    keeper.shutdown(request(&as_admin(), ())).await.unwrap();
    asked.changed().await.unwrap();
    assert!(*asked.borrow());
}

#[tokio::test]
async fn what_concerns_a_cluster_is_answered_and_changes_nothing() {
    let desk = secure_desk().await;
    let keeper = Keeper(desk.desk.clone());
    let before = desk.store.committed().borrow().head;
    keeper.merge_indexes(request(&as_admin(), ())).await.unwrap();
    keeper.resign_node(request(&as_admin(), ())).await.unwrap();
    let priority = SetNodePriorityReq { priority: 7 };
    keeper.set_node_priority(request(&as_admin(), priority)).await.unwrap();
    assert_eq!(desk.store.committed().borrow().head, before);
}

#[tokio::test]
async fn operations_are_for_operators_and_administrators() {
    let desk = secure_desk().await;
    let keeper = Keeper(desk.desk.clone());
    let nobody = MetadataMap::new();
    let refusals = [
        keeper
            .start_scavenge(request(&nobody, StartScavengeReq::default()))
            .await
            .err(),
        keeper.stop_scavenge(request(&nobody, StopScavengeReq::default())).await.err(),
        keeper.shutdown(request(&nobody, ())).await.err(),
        keeper.merge_indexes(request(&nobody, ())).await.err(),
        keeper.resign_node(request(&nobody, ())).await.err(),
        keeper
            .set_node_priority(request(&nobody, SetNodePriorityReq::default()))
            .await
            .err(),
        keeper.restart_persistent_subscriptions(request(&nobody, ())).await.err(),
    ];
    for status in refusals {
        assert_eq!(status.unwrap().code(), Code::PermissionDenied);
    }
}
