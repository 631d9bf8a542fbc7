//! What the view of processes shows.

#![allow(clippy::unwrap_used)]

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
