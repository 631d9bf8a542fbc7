//! A poisoned event stops one view, says which event, and never blocks the others.

use std::sync::Arc;

use domain::{case::Stage as CaseStage, rules::Rules};
use event_store_contract::{Expected, MemoryStore, NewEvent};
use uuid::Uuid;

use crate::{
    ALL, Rows, RowsOf, SeenCase, Table, View, ViewError, ViewState,
    case_list::{self, CaseFilter, CaseSort, Paging},
    testing::{PATIENCE, Stage, cases},
    views,
};

/// A view that will not have granted permits.
struct Fussy {
    /// Whether PostgreSQL refuses them, rather than the view itself.
    by_database: bool,
}

impl View for Fussy {
    fn name(&self) -> &'static str {
        "fussy"
    }

    fn version(&self) -> u32 {
        1
    }

    fn tables(&self) -> &'static [Table] {
        &[Table {
            name: "fussy_cases",
            rows_of: RowsOf::Case,
        }]
    }

    fn tables_sql(&self) -> &'static str {
        "create table fussy_cases (case_id uuid primary key, stage text not null check (stage <> 'Granted'))"
    }

    fn rows(&self, case: &SeenCase, _rules: &Rules, out: &mut Rows) -> Result<(), ViewError> {
        let stage = case.case.kernel().stage;
        if stage == CaseStage::Granted && !self.by_database {
            return Err(ViewError("granted permits are not for me".to_owned()));
        }
        out.row(0).uuid(case.id).text(stage.into());
        Ok(())
    }
}

async fn the_fussy_view_stops_alone(by_database: bool) {
    let mut views = views::all();
    views.push(Box::new(Fussy { by_database }));
    let mut stage = Stage::with(Arc::new(MemoryStore::new()), views).await;
    stage.start();
    let mut quiet = cases(3, 4_000);
    for case in &mut quiet {
        case.submit();
        stage.write(case).await;
    }
    stage.caught_up().await;
    let mut granted = cases(1, 4_100);
    granted[0].straight();
    // Event by event, so that the case is seen while it is granted.
    let events = std::mem::take(&mut granted[0].unwritten);
    let mut culprit = None;
    for event in events {
        let (id, name) = (event.id, event.name.clone());
        stage
            .store
            .append(&granted[0].stream(), Expected::Any, vec![event])
            .await
            .unwrap();
        stage.views.caught_up("case_list", stage.head().await, PATIENCE).await;
        if &*name == "DecisionGranted" {
            culprit = Some(id);
        }
    }
    stage.caught_up().await;
    let status = stage.views.status().await.unwrap();
    for view in &status {
        match (&view.state, view.name.as_str()) {
            (ViewState::Stopped(stop), "fussy") => {
                assert_eq!(Some(stop.event_id), culprit, "{stop:?}");
                assert_eq!(stop.stream, granted[0].stream().to_string());
            }
            (ViewState::Running, name) => {
                assert_ne!(name, "fussy");
                assert_eq!(view.position, view.head);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(
        !stage
            .views
            .caught_up("fussy", stage.head().await, std::time::Duration::ZERO)
            .await
    );
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_cannot_take_an_event_stops_there_and_the_others_go_on() {
    the_fussy_view_stops_alone(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_whose_rows_the_database_refuses_stops_there_and_the_others_go_on() {
    the_fussy_view_stops_alone(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_event_stops_the_case_file_and_the_list_shows_what_was_readable() {
    let mut stage = Stage::new().await;
    stage.start();
    let mut many = cases(2, 4_200);
    for case in &mut many {
        case.submit();
        stage.write(case).await;
    }
    let id = Uuid::from_u128(99);
    let poison = NewEvent {
        id,
        name: "PermitSold".into(),
        data: "{\"to\":1}".into(),
        metadata: "{}".into(),
    };
    stage
        .store
        .append(&many[0].stream(), Expected::Any, vec![poison])
        .await
        .unwrap();
    many[1].step();
    many[1].straight();
    stage.write(&mut many[1]).await;
    stage.caught_up().await;
    let page = case_list::page(
        stage.views.database(),
        &CaseFilter::default(),
        CaseSort::default(),
        &Paging::first(10),
    )
    .await
    .unwrap();
    assert_eq!(page.cases.len(), 2);
    assert_eq!(
        page.cases
            .iter()
            .filter(|case| case.unreadable)
            .map(|case| case.case_id)
            .collect::<Vec<_>>(),
        [many[0].id]
    );
    let status = stage.views.status().await.unwrap();
    let stopped: Vec<_> = status.iter().filter(|view| view.state != ViewState::Running).collect();
    assert_eq!(stopped.len(), 1);
    assert_eq!(stopped[0].name, "case_file");
    let ViewState::Stopped(stop) = &stopped[0].state else {
        panic!("{stopped:?}")
    };
    assert_eq!((stop.event_id, stop.revision), (id, 2));
    assert!(stop.reason.contains("PermitSold"), "{}", stop.reason);

    let report = stage.views.rebuild(ALL, |_| {}).await.unwrap();
    assert_eq!(report.views.len(), 6);
    assert_eq!(report.stopped.len(), 1);
    assert_eq!(report.stopped[0].1.event_id, id);
    assert!(
        stage
            .views
            .rebuild("case_file", |_| {})
            .await
            .unwrap_err()
            .to_string()
            .contains(&id.to_string())
    );
    stage.stop().await;
}
