//! What is due, and what the timers are told.

#![allow(clippy::unwrap_used)]

use chrono::Datelike as _;
use domain::rules::Rules;
use event_store_contract::Lane;

use super::*;
use crate::testing::{Stage, cases};

#[tokio::test(flavor = "multi_thread")]
async fn timers_are_told_what_fires_on_their_day_and_not_before() {
    let mut stage = Stage::new().await;
    stage.start();
    let mut all = cases(1, 25_000);
    all[0].submit();
    stage.write(&mut all[0]).await;
    stage.caught_up().await;
    let database = stage.views.database();
    let expected = all[0].state.kernel.deadlines(&Rules::embedded());
    let rows = of_case(database, all[0].id).await.unwrap();
    assert_eq!(rows.len(), expected.len());
    let fires_on = rows[0].fires_on.unwrap();
    assert_eq!(
        (rows[0].kind.as_str(), Some(fires_on)),
        ("correctionNotice", expected[0].fires_on)
    );
    assert_eq!(due(database, fires_on, Lane::WHOLE, 10).await.unwrap(), rows);
    assert!(
        due(database, fires_on.pred_opt().unwrap(), Lane::WHOLE, 10)
            .await
            .unwrap()
            .is_empty()
    );
    let in_city = DeadlineFilter {
        region_prefix: Some("3301".to_owned()),
        due_by: Some(fires_on),
        ..DeadlineFilter::default()
    };
    assert_eq!(list(database, &in_city, 10).await.unwrap(), rows);
    assert!(provisional_cases(database, 10, None).await.unwrap().is_empty());
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_divides_timers_as_the_program_divides_streams() {
    let mut stage = Stage::new().await;
    stage.start();
    let mut all = cases(12, 25_100);
    for case in &mut all {
        case.submit();
        stage.write(case).await;
    }
    stage.caught_up().await;
    let far_off = chrono::NaiveDate::MAX.with_year(2100).unwrap();
    let mut seen = 0;
    for index in 0..3 {
        let lane = Lane { index, of: 3 };
        for timer in due(stage.views.database(), far_off, lane, 100).await.unwrap() {
            let case = all.iter().find(|case| case.id == timer.case_id).unwrap();
            assert!(lane.has(&case.stream()), "{lane}: {}", case.stream());
            seen += 1;
        }
    }
    assert_eq!(seen, all.len());
    stage.stop().await;
}
