//! What the worklist shows.

#![allow(clippy::unwrap_used)]

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::testing::{Stage, assert_same_rows, cases};

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

#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_process_knows_waits_in_the_same_list_for_whoever_is_asked() {
    let mut stage = Stage::new().await;
    stage.start();
    let mut all = cases(3, 26_000);
    for case in &mut all {
        case.submit();
        case.of_process("ProcessStarted", &started());
        case.of_process("TaskOpened", &opened(5, &["role:inspector", "role:archivist"], &[]));
        // The case keeps the acceptance itself.
        case.of_process("TaskOpened", &opened(6, &["role:windowClerk"], &["Accept"]));
        case.of_process("TaskOpened", &opened(7, &["org:fire-design"], &[]));
        case.of_process("TaskOpened", &opened(8, &["gao"], &[]));
        stage.write(case).await;
    }
    stage.caught_up().await;
    let database = stage.views.database().clone();
    let of_case = |case: Uuid| TaskFilter {
        case_id: Some(case),
        ..TaskFilter::default()
    };
    let listed = async |filter: TaskFilter| {
        let found = page(&database, &filter, 100, None).await.unwrap().tasks;
        let mut keys: Vec<String> = found.into_iter().map(|task| task.task_key).collect();
        keys.sort();
        keys
    };
    let one = all[0].id;
    assert_eq!(listed(of_case(one)).await, ["accept", "process:5", "process:7", "process:8"]);
    let of_role = |role: &str| TaskFilter {
        roles: vec![role.to_owned()],
        ..of_case(one)
    };
    assert_eq!(listed(of_role("inspector")).await, ["process:5"]);
    assert_eq!(listed(of_role("archivist")).await, ["process:5"], "asked beside another role");
    assert_eq!(listed(of_role("windowClerk")).await, ["accept"]);
    assert_eq!(listed(of_role("org:fire-design")).await, ["process:7"]);
    let mine = |person: &str, role: &str, section: &str| TaskFilter {
        mine: Some(Mine {
            person: person.to_owned(),
            role: role.to_owned(),
            asked: vec![person.to_owned(), format!("role:{role}"), format!("org:{section}")],
        }),
        ..of_case(one)
    };
    assert_eq!(
        listed(mine("gao", "inspector", "fire-design")).await,
        ["process:5", "process:7", "process:8"]
    );
    assert_eq!(listed(mine("wang", "windowClerk", "hall")).await, ["accept"]);
    let both = TaskFilter {
        roles: vec!["inspector".to_owned()],
        ..mine("gao", "inspector", "fire-design")
    };
    assert_eq!(listed(both).await, ["process:5"]);

    let claimed = json!({ "key": 5, "by": { "id": "lin", "name": "林" }, "at": "2026-09-15T04:00:00Z" });
    all[0].of_process("TaskClaimed", &claimed);
    stage.write(&mut all[0]).await;
    stage.caught_up().await;
    assert_eq!(
        listed(mine("gao", "inspector", "fire-design")).await,
        ["process:7", "process:8"],
        "somebody else has it now"
    );
    assert_eq!(listed(mine("lin", "archivist", "hall")).await, ["process:5"]);
    let inspectors = TaskFilter {
        roles: vec!["inspector".to_owned()],
        ..TaskFilter::default()
    };
    let pages = page(&database, &inspectors, 2, None).await.unwrap();
    assert!(pages.has_next && pages.tasks.len() == 2 && pages.tasks[0].process_task == Some(5));
    let last = pages.tasks[1].cursor();
    let rest = page(&database, &inspectors, 2, Some(&last)).await.unwrap();
    assert_eq!(rest.tasks.len(), 1);
    let roles: Vec<String> = counts(&database, &TaskFilter::default(), NOT_DUE)
        .await
        .unwrap()
        .into_iter()
        .map(|count| count.role)
        .collect();
    assert_eq!(roles, ["inspector", "windowClerk"]);

    let followed = stage.rows().await;
    stage.views.rebuild(crate::ALL, |_| {}).await.unwrap();
    stage.caught_up().await;
    assert_same_rows(&followed, &stage.rows().await);
    stage.stop().await;
}

fn started() -> serde_json::Value {
    json!({ "process": { "model": "9f86", "process": "constructionPermit" }, "version": 1, "at": "2026-09-15T04:00:00Z" })
}

fn opened(key: u64, candidates: &[&str], means: &[&str]) -> serde_json::Value {
    let people: Vec<_> = candidates.iter().map(|id| json!({ "id": id, "name": id })).collect();
    json!({ "key": key, "owner": key, "element": "check", "name": "抽查", "candidates": people, "means": means,
            "at": "2026-09-15T04:00:00Z" })
}
