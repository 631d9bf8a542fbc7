//! What the view of processes shows.

#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::testing::{Stage, cases};

#[tokio::test(flavor = "multi_thread")]
async fn a_case_without_a_process_has_no_rows() {
    let mut stage = Stage::new().await;
    stage.start();
    let mut all = cases(3, 31_000);
    for case in &mut all {
        case.submit();
        stage.write(case).await;
    }
    stage.caught_up().await;
    let database = stage.views.database().clone();
    assert_eq!(tasks(&database, &ProcessTaskFilter::default(), None, 10).await.unwrap(), []);
    assert_eq!(instance(&database, all[0].id).await.unwrap(), None);
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_message_is_known_and_its_very_key_comes_first() {
    let mut stage = Stage::new().await;
    stage.start();
    let mut all = cases(3, 32_000);
    let awaited = |message: &str, key: u64, correlation: Option<&str>| {
        let mut event = json!({ "key": key, "owner": 0, "element": "site", "trigger": 0, "message": message });
        if let Some(correlation) = correlation {
            event["correlation"] = json!(correlation);
        }
        event
    };
    for (number, case) in all.iter_mut().enumerate() {
        case.submit();
        case.of_process(
            "ProcessStarted",
            &json!({ "process": { "model": "9f86", "process": "p" }, "version": 1, "at": "2026-09-15T04:00:00Z" }),
        );
        let key = ["a", "b", "b"][number];
        case.of_process("MessageAwaited", &awaited("SiteChecked", 5, Some(key)));
        case.of_process("MessageAwaited", &awaited("WithdrawalConfirmed", 6, None));
        stage.write(case).await;
    }
    all[0].of_process("MessageAwaited", &awaited("Anything", 7, None));
    all[1].of_process("MessageAwaited", &awaited("Anything", 7, Some("b")));
    stage.write(&mut all[0]).await;
    stage.write(&mut all[1]).await;
    stage.caught_up().await;
    let database = stage.views.database().clone();
    let waiting = async |message: &str, key: Option<&str>| {
        let found = waiting_for(&database, message, key, 10).await.unwrap();
        let ids = found
            .into_iter()
            .map(|(_, case_id)| all.iter().position(|case| case.id == case_id).unwrap());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(waiting("SiteChecked", Some("a")).await, [0]);
    assert_eq!(waiting("SiteChecked", Some("b")).await, [1, 2]);
    assert_eq!(waiting("SiteChecked", None).await, [] as [usize; 0], "each wants its key");
    assert_eq!(waiting("Anything", Some("b")).await, [1], "the very key comes first");
    assert_eq!(waiting("Anything", Some("c")).await, [0]);
    assert_eq!(waiting("Anything", None).await, [0]);
    assert_eq!(
        waiting("WithdrawalConfirmed", None).await,
        [] as [usize; 0],
        "the case tells it"
    );
    let of_case = MessageFilter {
        case_id: Some(all[0].id),
        ..MessageFilter::default()
    };
    let listed = messages(&database, &of_case, 10).await.unwrap();
    let names: Vec<&str> = listed.iter().map(|row| &*row.message).collect();
    assert_eq!(names, ["SiteChecked", "Anything"]);
    stage.stop().await;
}
