//! Rebuilt equals live, row for row, whatever happened and whoever crashed.

use std::sync::Arc;

use event_store_contract::MemoryStore;

use crate::{
    ALL,
    testing::{Stage, assert_same_rows, cases},
    views,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_view_equals_the_one_that_followed_row_for_row() {
    let mut stage = Stage::new().await;
    let mut many = cases(60, 1_000);
    stage.start();
    stage.live(&mut many, 1_500, 7).await;
    stage.caught_up().await;
    let followed = stage.rows().await;
    assert!(followed.len() > 500, "only {} rows", followed.len());

    let report = stage.views.rebuild(ALL, |_| {}).await.unwrap();
    assert_eq!(report.views.len(), 7);
    stage.caught_up().await;
    assert_same_rows(&followed, &stage.rows().await);

    stage.live(&mut many, 300, 8).await;
    stage.caught_up().await;
    let followed = stage.rows().await;
    stage.stop().await;
    stage.views.rebuild(ALL, |_| {}).await.unwrap();
    assert_same_rows(&followed, &stage.rows().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn views_that_crash_again_and_again_show_the_same_as_ones_that_never_did() {
    let store = Arc::new(MemoryStore::new());
    let mut crashing = Stage::with(store.clone(), views::all()).await;
    let mut many = cases(30, 2_000);
    for round in 0..12 {
        crashing.start();
        crashing.live(&mut many, 60, 100 + round).await;
        if round % 3 == 0 {
            crashing.caught_up().await;
        }
        crashing.crash().await;
    }
    let mut crashing = crashing.opened_again(views::all()).await;
    crashing.start();
    crashing.caught_up().await;

    let steady = Stage::with(store, views::all()).await;
    steady.views.rebuild(ALL, |_| {}).await.unwrap();
    assert_same_rows(&crashing.rows().await, &steady.rows().await);
    crashing.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_taken_back_leaves_every_view_as_before() {
    let mut stage = Stage::new().await;
    stage.start();
    let mut native = cases(5, 3_000);
    for case in &mut native {
        case.straight();
        stage.write(case).await;
    }
    stage.caught_up().await;
    let before = stage.rows().await;
    let mut imported = cases(20, 3_100);
    for case in &mut imported {
        assert!(case.import("b7"));
        stage.write(case).await;
    }
    stage.caught_up().await;
    assert!(stage.rows().await.len() > before.len());
    for case in &mut imported {
        assert!(case.roll_back("b7"));
        stage.write(case).await;
    }
    stage.caught_up().await;
    assert_same_rows(&before, &stage.rows().await);
    stage.stop().await;
}
