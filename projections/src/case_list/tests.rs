//! What the list shows, filters, sorts and pages.

#![allow(clippy::unwrap_used, clippy::too_many_lines)]

use std::collections::BTreeSet;

use domain::case::Stage as CaseStage;

use super::*;
use crate::testing::{Stage, cases};

async fn ids(stage: &Stage, filter: CaseFilter) -> Vec<uuid::Uuid> {
    let page = page(
        stage.views.database(),
        &filter,
        CaseSort::default(),
        &Paging::first(MAX_PAGE_CASES),
    )
    .await
    .unwrap();
    assert_eq!(
        i64::try_from(page.cases.len()).unwrap(),
        count(stage.views.database(), &filter).await.unwrap(),
        "{filter:?}"
    );
    page.cases.into_iter().map(|case| case.case_id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_finds_what_it_names_and_nothing_else() {
    let mut stage = Stage::new().await;
    stage.start();
    let mut all = cases(6, 20_000);
    all[0].submit();
    all[1].straight();
    all[2].import("b1");
    all[3].import("b2");
    for case in &mut all[..4] {
        stage.write(case).await;
    }
    stage.caught_up().await;
    let row = find(stage.views.database(), all[1].id).await.unwrap().unwrap();
    assert_eq!(row.stage, CaseStage::Delivered);
    assert_eq!(row.handler_name.as_deref(), Some("zhang·承办"));
    assert_eq!(row.source, crate::NATIVE);
    assert!(row.accepted_on.is_some() && row.decided_on.is_some() && row.delivered_on.is_some());
    assert!(row.project_name.is_some());
    let open = find(stage.views.database(), all[0].id).await.unwrap().unwrap();
    assert!(open.open && open.due_on.is_some() && open.case_no.is_some());
    let some = |name: &str| Some(name.to_owned());
    let none = CaseFilter::default;
    let licence = row.licence_no.clone();
    for (filter, expected) in [
        (none(), vec![0, 1, 2, 3]),
        (
            CaseFilter {
                stages: vec![CaseStage::Received],
                batch: None,
                source: some("native"),
                ..none()
            },
            vec![0],
        ),
        (
            CaseFilter {
                open: Some(true),
                source: some("native"),
                ..none()
            },
            vec![0],
        ),
        (
            CaseFilter {
                region_prefix: some("3301"),
                source: some("native"),
                ..none()
            },
            vec![0, 1],
        ),
        (
            CaseFilter {
                region_prefix: some("32"),
                ..none()
            },
            vec![],
        ),
        (
            CaseFilter {
                handler_id: some("zhang"),
                ..none()
            },
            vec![1],
        ),
        (
            CaseFilter {
                applicant: some("示范建设"),
                ..none()
            },
            vec![0, 1],
        ),
        (
            CaseFilter {
                applicant: some("100%_"),
                ..none()
            },
            vec![],
        ),
        (
            CaseFilter {
                applicant_id_no: some("91110000600037341L"),
                ..none()
            },
            vec![0, 1],
        ),
        (
            CaseFilter {
                case_no: row.case_no.clone(),
                ..none()
            },
            vec![1],
        ),
        (
            CaseFilter {
                licence_no: licence.clone(),
                ..none()
            },
            vec![1],
        ),
        (
            CaseFilter {
                legacy_id: some("L-20002"),
                ..none()
            },
            vec![2],
        ),
        (
            CaseFilter {
                batch: some("b2"),
                ..none()
            },
            vec![3],
        ),
        (
            CaseFilter {
                attributes: vec![("city".to_owned(), "los-angeles".to_owned())],
                ..none()
            },
            vec![2, 3],
        ),
        (
            CaseFilter {
                attributes: vec![("city".to_owned(), "seattle".to_owned())],
                ..none()
            },
            vec![],
        ),
        (
            CaseFilter {
                submitted_from: Some(row.submitted_on),
                submitted_to: Some(row.submitted_on),
                source: some("native"),
                handler_id: some("zhang"),
                ..none()
            },
            vec![1],
        ),
        (
            CaseFilter {
                decided_from: row.decided_on,
                decided_to: row.decided_on,
                ..none()
            },
            vec![1],
        ),
        (
            CaseFilter {
                due_by: open.due_on,
                ..none()
            },
            vec![0],
        ),
        (
            CaseFilter {
                due_by: open.due_on.and_then(|on| on.pred_opt()),
                ..none()
            },
            vec![],
        ),
        (
            CaseFilter {
                overdue_on: Some(NOT_DUE),
                ..none()
            },
            vec![],
        ),
        (
            CaseFilter {
                text: licence.map(|no| no[2..].to_owned()),
                ..none()
            },
            vec![1],
        ),
        (
            CaseFilter {
                text: some(" CO "),
                ..none()
            },
            vec![0, 1],
        ),
        (
            CaseFilter {
                ids: Some(vec![all[3].id]),
                ..none()
            },
            vec![3],
        ),
    ] {
        let expected: BTreeSet<_> = expected.into_iter().map(|at: usize| all[at].id).collect();
        let found: BTreeSet<_> = ids(&stage, filter.clone()).await.into_iter().collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    assert_eq!(
        find_by_legacy_id(stage.views.database(), "L-20003")
            .await
            .unwrap()
            .unwrap()
            .case_id,
        all[3].id
    );
    assert!(find_by_licence_no(stage.views.database(), "nothing").await.unwrap().is_none());
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_through_the_whole_list_both_ways_in_every_order() {
    let mut stage = Stage::new().await;
    stage.start();
    let mut all = cases(23, 21_000);
    stage.live(&mut all, 300, 5).await;
    stage.caught_up().await;
    let database = stage.views.database();
    for key in [
        CaseSortKey::SubmittedOn,
        CaseSortKey::DueOn,
        CaseSortKey::LastChange,
        CaseSortKey::CaseNo,
    ] {
        for descending in [false, true] {
            let sort = CaseSort { key, descending };
            let whole = page(database, &CaseFilter::default(), sort, &Paging::first(MAX_PAGE_CASES))
                .await
                .unwrap()
                .cases;
            assert!(whole.len() > 10);
            let mut walked = Vec::new();
            let mut paging = Paging::first(4);
            loop {
                let piece = page(database, &CaseFilter::default(), sort, &paging).await.unwrap();
                assert_eq!(piece.has_previous, !walked.is_empty());
                walked.extend(piece.cases);
                if !piece.has_next {
                    break;
                }
                paging.after = walked.last().map(|case| case.cursor(key).to_string().parse().unwrap());
            }
            assert_eq!(walked, whole);
            let mut back: Vec<CaseRow> = Vec::new();
            let mut paging = Paging {
                backwards: true,
                ..Paging::first(5)
            };
            loop {
                let piece = page(database, &CaseFilter::default(), sort, &paging).await.unwrap();
                back.splice(0..0, piece.cases);
                if !piece.has_previous {
                    break;
                }
                paging.before = back.first().map(|case| case.cursor(key));
            }
            assert_eq!(back, whole, "{sort:?}");
        }
    }
    assert!("nonsense".parse::<CaseCursor>().is_err());
    let foreign = CaseCursor {
        key: "not a date".to_owned(),
        id: uuid::Uuid::nil(),
    };
    let paging = Paging {
        after: Some(foreign),
        ..Paging::first(1)
    };
    let sort = CaseSort {
        key: CaseSortKey::DueOn,
        descending: false,
    };
    assert!(page(database, &CaseFilter::default(), sort, &paging).await.is_err());
    stage.stop().await;
}
