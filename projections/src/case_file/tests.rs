//! What the file shows of a case.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::{Stage, cases};

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_the_whole_folded_case() {
    let mut stage = Stage::new().await;
    stage.start();
    let mut all = cases(1, 22_000);
    all[0].straight();
    let written = stage.write(&mut all[0]).await.unwrap();
    stage.caught_up().await;
    let file = find(stage.views.database(), all[0].id).await.unwrap().unwrap();
    assert_eq!(file.kernel, serde_json::to_value(&all[0].state.kernel).unwrap());
    assert_eq!(file.own, serde_json::to_value(&all[0].state.own).unwrap());
    assert_eq!(
        (file.revision, file.position),
        (written.revision.cast_signed(), written.position.0.cast_signed())
    );
    assert_eq!(file.documents.as_array().unwrap().len(), 7);
    assert!(file.first_recorded_at < file.last_recorded_at);
    assert_eq!(
        find_many(stage.views.database(), &[all[0].id, uuid::Uuid::nil()])
            .await
            .unwrap(),
        [file]
    );
    stage.stop().await;
}
