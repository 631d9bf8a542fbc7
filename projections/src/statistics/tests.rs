//! What is counted of a case.

#![allow(clippy::unwrap_used)]

use crate::testing::{Stage, cases};

#[tokio::test(flavor = "multi_thread")]
async fn a_case_counts_by_what_became_of_it() {
    let mut stage = Stage::new().await;
    stage.start();
    let mut all = cases(2, 26_000);
    all[0].straight();
    all[1].submit();
    for case in &mut all {
        stage.write(case).await;
    }
    stage.caught_up().await;
    let sql = "select outcome, issued_on is null, statutory_on_time, calendar_days from statistics_cases order by outcome";
    let rows = stage.views.database().query(sql, &[]).await.unwrap();
    let found: Vec<(String, bool, Option<bool>, Option<i32>)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
        .collect();
    assert_eq!(
        found,
        [
            ("granted".to_owned(), false, Some(true), Some(2)),
            ("open".to_owned(), true, None, None)
        ]
    );
    stage.stop().await;
}
