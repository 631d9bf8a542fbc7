//! What was, at any moment, and what changed.

use chrono::TimeDelta;
use commands::{Envelope, Moment};
use domain::case::Stage;
use event_store_contract::{Direction, proof};
use uuid::Uuid;

use crate::support::{CATEGORY, accept, ask, assign, bureau, by, clerk, noon, submit};

#[tokio::test]
async fn a_case_can_be_seen_as_it_was_by_revision_and_by_either_time() {
    let (bureau, _) = bureau().await;
    let case = Uuid::new_v4();
    ask(&bureau, case, submit(), &clerk("2026-09-01")).await.unwrap();
    // Accepted on paper on the 2nd, entered on the 4th.
    let late = Envelope {
        occurred_at: Some(noon("2026-09-02")),
        ..clerk("2026-09-04")
    };
    ask(&bureau, case, accept(), &late).await.unwrap();
    let at = async |moment| bureau.case_at(CATEGORY, case, moment).await.unwrap();
    let stage = async |moment| at(moment).await.map(|seen| seen.case.stage());
    assert_eq!(stage(Moment::Head).await, Some(Stage::Accepted));
    assert_eq!(stage(Moment::Revision(0)).await, Some(Stage::Received));
    assert_eq!(stage(Moment::Revision(9)).await, Some(Stage::Accepted));
    assert_eq!(stage(Moment::RecordedAt(noon("2026-09-03"))).await, Some(Stage::Received));
    assert_eq!(stage(Moment::OccurredAt(noon("2026-09-03"))).await, Some(Stage::Accepted));
    assert_eq!(stage(Moment::RecordedAt(noon("2026-08-31"))).await, None);
    let seen = at(Moment::OccurredAt(noon("2026-09-03"))).await.unwrap();
    assert_eq!((seen.revision, seen.events_seen), (1, 2));
    assert_eq!((seen.occurred_at, seen.recorded_at), (noon("2026-09-02"), noon("2026-09-04")));
    assert!(
        bureau
            .case_at(CATEGORY, Uuid::new_v4(), Moment::Head)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_history_tells_each_event_in_words_with_its_place_in_the_chain() {
    let (bureau, _) = bureau().await;
    let case = Uuid::new_v4();
    ask(&bureau, case, submit(), &clerk("2026-09-01")).await.unwrap();
    ask(&bureau, case, accept(), &clerk("2026-09-02")).await.unwrap();
    let history = bureau.case_history(CATEGORY, case, 0, 10, Direction::Forwards).await.unwrap();
    assert_eq!(
        history.iter().map(|event| event.name.as_str()).collect::<Vec<_>>(),
        ["ApplicationSubmitted", "ApplicationAccepted"]
    );
    assert!(
        history
            .iter()
            .all(|event| !event.title_zh.is_empty() && !event.title_en.is_empty() && event.hash.len() == 64)
    );
    let metadata = serde_json::to_vec(&history[0].metadata).unwrap();
    let content = proof::content_hash(history[0].id, &history[0].name, history[0].data.get().as_bytes(), &metadata);
    let hash = proof::chain_hash(&proof::GENESIS, &format!("{CATEGORY}-{case}"), 0, &content);
    assert_eq!(
        history[0].hash,
        hash.map(|byte| format!("{byte:02x}")).concat(),
        "what is shown is what was hashed"
    );
    let newest = bureau
        .case_history(CATEGORY, case, u64::MAX, 1, Direction::Backwards)
        .await
        .unwrap();
    assert_eq!(newest[0].revision, 1);
}

#[tokio::test]
async fn a_comparison_names_what_changed_who_did_it_and_when() {
    let (bureau, _) = bureau().await;
    let case = Uuid::new_v4();
    ask(&bureau, case, submit(), &clerk("2026-09-01")).await.unwrap();
    ask(&bureau, case, accept(), &clerk("2026-09-02")).await.unwrap();
    ask(&bureau, case, assign("zhang"), &by("li", "sectionChief", "2026-09-03"))
        .await
        .unwrap();
    let diff = bureau
        .case_diff(CATEGORY, case, Moment::Revision(0), Moment::Head)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(diff.events.len(), 2);
    let stage = diff.changes.iter().find(|change| change.path == "/kernel/stage").unwrap();
    assert_eq!(
        (stage.before.as_str(), stage.after.as_str()),
        (Some("Received"), Some("UnderReview"))
    );
    assert_eq!(
        (stage.event.as_deref(), stage.actor.as_deref()),
        (Some("HandlerAssigned"), Some("li"))
    );
    assert_eq!(stage.occurred_at, Some(noon("2026-09-03")));
    let accepted = diff
        .changes
        .iter()
        .find(|change| change.path.starts_with("/kernel/acceptance"))
        .unwrap();
    assert_eq!(accepted.event.as_deref(), Some("ApplicationAccepted"));
    assert!(diff.changes.iter().all(|change| change.event.is_some()), "{:?}", diff.changes);
    // Backwards it is the same, the other way round.
    let back = bureau
        .case_diff(CATEGORY, case, Moment::Head, Moment::Revision(0))
        .await
        .unwrap()
        .unwrap();
    let stage = back.changes.iter().find(|change| change.path == "/kernel/stage").unwrap();
    assert_eq!(
        (stage.before.as_str(), stage.after.as_str()),
        (Some("UnderReview"), Some("Received"))
    );
    let same = Moment::RecordedAt(noon("2026-09-03") + TimeDelta::hours(1));
    assert!(
        bureau
            .case_diff(CATEGORY, case, same, Moment::Head)
            .await
            .unwrap()
            .unwrap()
            .changes
            .is_empty()
    );
}
