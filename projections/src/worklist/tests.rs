//! What the worklist shows.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::{Stage, cases};

#[tokio::test(flavor = "multi_thread")]
async fn a_task_waits_for_its_role_until_it_is_done_and_pages_follow_the_dates() {
    let mut stage = Stage::new().await;
    stage.start();
    let mut all = cases(9, 24_000);
    for case in &mut all {
        case.submit();
        stage.write(case).await;
    }
    stage.caught_up().await;
    let database = stage.views.database().clone();
    let clerks = TaskFilter {
        roles: vec!["windowClerk".to_owned()],
        ..TaskFilter::default()
    };
    let whole = page(&database, &clerks, 100, None).await.unwrap();
    assert_eq!(whole.tasks.len(), 9);
    assert!(
        whole
            .tasks
            .iter()
            .all(|task| task.task_key == "accept" && task.due_on.is_some() && task.case_no.is_some())
    );
    assert!(whole.tasks.is_sorted_by_key(|task| task.due_on));
    let mut walked = Vec::new();
    loop {
        let after = walked
            .last()
            .map(|task: &TaskRow| task.cursor().to_string().parse::<TaskCursor>().unwrap());
        let piece = page(&database, &clerks, 4, after.as_ref()).await.unwrap();
        walked.extend(piece.tasks);
        if !piece.has_next {
            break;
        }
    }
    assert_eq!(walked, whole.tasks);
    let counts = counts(&database, &TaskFilter::default(), NOT_DUE).await.unwrap();
    assert_eq!(
        counts,
        [TaskCount {
            role: "windowClerk".to_owned(),
            tasks: 9,
            unassigned: 9,
            overdue: 9
        }]
    );

    let mut changes = stage.views.changes();
    all[0].straight();
    stage.write(&mut all[0]).await;
    stage.caught_up().await;
    let change = changes.recv().await.unwrap();
    assert!(change[0].worklist && change[0].case_id == all[0].id);
    let of_case = TaskFilter {
        case_id: Some(all[0].id),
        ..TaskFilter::default()
    };
    let tasks = page(&database, &of_case, 10, None).await.unwrap().tasks;
    assert!(tasks.iter().all(|task| task.task_key != "accept"), "{tasks:?}");
    stage.stop().await;
}
