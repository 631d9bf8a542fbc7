//! What the timeline shows.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::{Stage, cases};

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_told_in_order_with_who_when_and_by_what_law() {
    let mut stage = Stage::new().await;
    stage.start();
    let mut all = cases(1, 23_000);
    all[0].straight();
    let names: Vec<String> = all[0].unwritten.iter().map(|event| event.name.to_string()).collect();
    stage.write(&mut all[0]).await;
    stage.caught_up().await;
    let entries = of_case(stage.views.database(), all[0].id, None, MAX_ENTRIES).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.name.clone()).collect::<Vec<_>>(), names);
    assert!(
        entries
            .iter()
            .all(|entry| !entry.title_zh.is_empty() && !entry.title_en.is_empty() && entry.channel == "Window")
    );
    assert_eq!(
        (entries[0].actor_id.as_str(), entries[0].actor_name.as_str()),
        ("client", "client·经办")
    );
    assert_eq!(entries[2].legal_basis.as_deref(), Some("行政许可法 42"));
    let rest = of_case(stage.views.database(), all[0].id, Some(entries[3].revision), 2)
        .await
        .unwrap();
    assert_eq!(rest, entries[4..6]);
    stage.stop().await;
}
