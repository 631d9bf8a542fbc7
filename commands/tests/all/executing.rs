//! Idempotency, conflicts, the cache, refusals on record.

use std::sync::atomic::Ordering;

use commands::{CommandError, Envelope, event_id};
use domain::{case::Command, metadata::Metadata};
use event_store_contract::{Direction, EventStore, MemoryStore, StreamName};
use uuid::Uuid;

use crate::support::{Moody, accept, actor, ask, assign, bureau, by, case_stream, clerk, names, noon, plain, submit};

#[tokio::test]
async fn a_repeated_command_is_answered_not_executed() {
    let (bureau, store) = bureau().await;
    let (case, envelope) = (Uuid::new_v4(), clerk("2026-09-01"));
    let first = ask(&bureau, case, submit(), &envelope).await.unwrap();
    assert!(!first.repeated);
    assert_eq!(first.event_ids, [event_id(envelope.command_id, 0)]);
    ask(&bureau, case, accept(), &clerk("2026-09-01")).await.unwrap();
    let again = ask(&bureau, case, submit(), &envelope).await.unwrap();
    assert!(again.repeated);
    assert_eq!(
        (again.revision, again.position, &again.event_ids),
        (first.revision, first.position, &first.event_ids)
    );
    // Also by a bureau that has never seen the case.
    let restarted = plain(store.clone()).await;
    let once_more = ask(&restarted, case, submit(), &envelope).await.unwrap();
    assert_eq!(once_more, again);
    assert_eq!(
        names(&*store, &case_stream(case)).await,
        ["ApplicationSubmitted", "ApplicationAccepted"]
    );
}

#[tokio::test]
async fn a_command_whose_answer_was_lost_is_answered_when_it_is_sent_again() {
    let store = Moody::new(MemoryStore::new());
    let bureau = plain(store.clone()).await;
    let (case, envelope) = (Uuid::new_v4(), clerk("2026-09-01"));
    store.lost_answers.store(1, Ordering::SeqCst);
    let lost = ask(&bureau, case, submit(), &envelope).await.unwrap_err();
    assert!(lost.is_passing(), "{lost}");
    assert!(ask(&bureau, case, submit(), &envelope).await.unwrap().repeated);
    assert_eq!(names(&store.inner, &case_stream(case)).await, ["ApplicationSubmitted"]);
}

#[tokio::test]
async fn a_command_is_decided_again_after_a_conflict_and_then_is_busy() {
    let store = Moody::new(MemoryStore::new());
    let bureau = plain(store.clone()).await;
    let (case, envelope) = (Uuid::new_v4(), clerk("2026-09-01"));
    store.conflicts.store(4, Ordering::SeqCst);
    ask(&bureau, case, submit(), &envelope).await.unwrap();
    store.conflicts.store(5, Ordering::SeqCst);
    assert_eq!(
        ask(&bureau, case, accept(), &clerk("2026-09-01")).await,
        Err(CommandError::Busy)
    );
    ask(&bureau, case, accept(), &clerk("2026-09-01")).await.unwrap();
}

#[tokio::test]
async fn a_known_case_is_not_read_again() {
    let store = Moody::new(MemoryStore::new());
    let bureau = plain(store.clone()).await;
    let case = Uuid::new_v4();
    ask(&bureau, case, submit(), &clerk("2026-09-01")).await.unwrap();
    let before = store.stream_reads.load(Ordering::SeqCst);
    ask(&bureau, case, accept(), &clerk("2026-09-01")).await.unwrap();
    ask(&bureau, case, assign("zhang"), &by("li", "sectionChief", "2026-09-01"))
        .await
        .unwrap();
    assert_eq!(store.stream_reads.load(Ordering::SeqCst), before);
}

#[tokio::test]
async fn what_another_process_wrote_is_seen_before_anything_is_decided_or_refused() {
    let (one, store) = bureau().await;
    let other = plain(store.clone()).await;
    let case = Uuid::new_v4();
    ask(&one, case, submit(), &clerk("2026-09-01")).await.unwrap();
    ask(&other, case, accept(), &clerk("2026-09-01")).await.unwrap();
    // `one` still believes that the case is only filed: it would refuse this if it did not look again.
    ask(&one, case, assign("zhang"), &by("li", "sectionChief", "2026-09-01"))
        .await
        .unwrap();
    // `other` still believes that nobody handles it: the append meets a conflict and is decided again.
    ask(&other, case, assign("zhao"), &by("li", "sectionChief", "2026-09-01"))
        .await
        .unwrap();
    assert_eq!(
        names(&*store, &case_stream(case)).await,
        [
            "ApplicationSubmitted",
            "ApplicationAccepted",
            "HandlerAssigned",
            "HandlerReassigned"
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_commands_to_one_case_at_once_all_find_their_place() {
    let (bureau, store) = bureau().await;
    let case = Uuid::new_v4();
    ask(&bureau, case, submit(), &clerk("2026-09-01")).await.unwrap();
    let asked = (0..64).map(|index| {
        let bureau = bureau.clone();
        tokio::spawn(async move {
            let officer = if index % 2 == 0 { "zhang" } else { "zhao" };
            ask(&bureau, case, assign(officer), &by("li", "sectionChief", "2026-09-01")).await
        })
    });
    let mut written = 0;
    for answer in asked.collect::<Vec<_>>() {
        written += answer.await.unwrap().map_or(0, |receipt| receipt.event_ids.len());
    }
    assert_eq!(names(&*store, &case_stream(case)).await.len(), written + 1);
}

#[tokio::test]
async fn every_refused_command_is_on_record() {
    let (bureau, store) = bureau().await;
    let case = Uuid::new_v4();
    let early = clerk("2026-09-01");
    let rejected = ask(&bureau, case, accept(), &early).await.unwrap_err();
    assert!(
        matches!(&rejected, CommandError::Rejected(refusal) if refusal.code == "NOT_NOW"),
        "{rejected:?}"
    );
    let stranger = by("wang", "statistician", "2026-09-01");
    let forbidden = ask(&bureau, case, submit(), &stranger).await.unwrap_err();
    assert!(matches!(&forbidden, CommandError::Forbidden { role, .. } if role == "statistician"));
    assert!(names(&*store, &case_stream(case)).await.is_empty());
    let refusals = bureau.refusals("2026-09-01".parse().unwrap(), 10).await.unwrap();
    let told: Vec<_> = refusals
        .iter()
        .map(|one| (one.command_id, one.command.as_str(), one.code.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (stranger.command_id, "Submit", "FORBIDDEN"),
            (early.command_id, "Accept", "NOT_NOW")
        ]
    );
    assert!(
        refusals
            .iter()
            .all(|one| one.stream == case_stream(case) && !one.message_zh.is_empty())
    );
    assert!(bureau.refusals("2026-09-02".parse().unwrap(), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn every_event_says_who_did_it_when_and_by_which_command() {
    let (bureau, store) = bureau().await;
    let case = Uuid::new_v4();
    let envelope = Envelope {
        occurred_at: Some(noon("2026-08-28")),
        legal_basis: Some("行政许可法 29".into()),
        ..Envelope::new(Uuid::new_v4(), actor("wang", "windowClerk"), "330109", noon("2026-09-01"))
    };
    ask(&bureau, case, submit(), &envelope).await.unwrap();
    let stream = StreamName::new(case_stream(case)).unwrap();
    let events = store.read_stream(&stream, 0, Direction::Forwards, 1).await.unwrap();
    let metadata: Metadata = serde_json::from_slice(&events[0].metadata).unwrap();
    assert_eq!(metadata.command_id, envelope.command_id);
    assert_eq!(metadata.correlation_id, envelope.command_id);
    assert_eq!((metadata.command.as_str(), metadata.actor.id.as_str()), ("Submit", "wang"));
    assert_eq!(
        (metadata.occurred_at, metadata.recorded_at),
        (noon("2026-08-28"), noon("2026-09-01"))
    );
    assert_eq!(metadata.legal_basis.as_deref(), Some("行政许可法 29"));
}

#[tokio::test]
async fn a_command_that_changes_nothing_writes_nothing() {
    let (bureau, store) = bureau().await;
    let case = Uuid::new_v4();
    ask(&bureau, case, submit(), &clerk("2026-09-01")).await.unwrap();
    let timer = Command::FireTimer {
        timer: "statutory".into(),
        due_on: "2026-09-30".parse().unwrap(),
    };
    let receipt = ask(&bureau, case, timer, &by("zhulu", "system", "2026-09-02")).await.unwrap();
    assert_eq!((receipt.revision, receipt.position, receipt.event_ids.len()), (None, None, 0));
    assert_eq!(names(&*store, &case_stream(case)).await.len(), 1);
}

#[tokio::test]
async fn a_category_that_is_no_case_type_is_named() {
    let (bureau, _) = bureau().await;
    let failed = bureau
        .to_any_case("spaceship", Uuid::new_v4(), submit(), &clerk("2026-09-01"))
        .await
        .unwrap_err();
    assert!(
        failed.to_string().contains("spaceship") && failed.to_string().contains("constructionPermit"),
        "{failed}"
    );
}
