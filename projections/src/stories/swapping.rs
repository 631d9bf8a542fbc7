//! A rebuilt view takes the place of the old one under readers and writers.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use event_store_contract::MemoryStore;

use crate::{
    ALL, Phase, SeenCase, Table, View, ViewError, ViewState,
    case_list::{self, CaseFilter, CaseList},
    rows::Rows,
    testing::{PATIENCE, Stage, assert_same_rows, cases},
    views,
};

#[tokio::test(flavor = "multi_thread")]
async fn readers_never_miss_a_case_while_views_are_rebuilt_and_cases_go_on() {
    let mut stage = Stage::new().await;
    stage.start();
    let mut many = cases(200, 5_000);
    for case in &mut many {
        case.submit();
        stage.write(case).await;
    }
    stage.caught_up().await;
    let done = Arc::new(AtomicBool::new(false));
    let reads = Arc::new(AtomicU64::new(0));
    let mut readers = Vec::new();
    for _ in 0..4 {
        let (done, reads, database) = (done.clone(), reads.clone(), stage.views.database().clone());
        readers.push(tokio::spawn(async move {
            while !done.load(Ordering::Relaxed) {
                assert_eq!(case_list::count(&database, &CaseFilter::default()).await.unwrap(), 200);
                reads.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    for round in 0..5 {
        let swapping = Arc::new(AtomicBool::new(false));
        let seen = swapping.clone();
        let views = stage.views.clone();
        let rebuilt = tokio::spawn(async move {
            views
                .rebuild(ALL, move |progress| {
                    seen.store(progress.phase == Phase::Swapping, Ordering::Relaxed);
                })
                .await
        });
        for case in &mut many {
            case.step();
            stage.write(case).await;
        }
        rebuilt.await.unwrap().unwrap();
        assert!(swapping.load(Ordering::Relaxed));
        stage.caught_up().await;
        let status = stage.views.status().await.unwrap();
        assert!(
            status
                .iter()
                .all(|view| view.state == ViewState::Running && view.generation == round + 2),
            "{status:?}"
        );
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
    assert!(reads.load(Ordering::Relaxed) > 0);
    let followed = stage.rows().await;
    stage.stop().await;
    stage.views.rebuild(ALL, |_| {}).await.unwrap();
    assert_same_rows(&followed, &stage.rows().await);
}

/// The case list as the next program has it.
struct NextCaseList;

impl View for NextCaseList {
    fn name(&self) -> &'static str {
        CaseList.name()
    }

    fn version(&self) -> u32 {
        CaseList.version() + 1
    }

    fn tables(&self) -> &'static [Table] {
        CaseList.tables()
    }

    fn tables_sql(&self) -> &'static str {
        "create table case_list_cases (case_id uuid, stage_now text);\n-- after loading\nalter table case_list_cases add primary key (case_id);"
    }

    fn rows(&self, case: &SeenCase, _rules: &domain::rules::Rules, out: &mut Rows) -> Result<(), ViewError> {
        out.row(0).uuid(case.id).text(case.case.kernel().stage.into());
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_of_another_version_is_rebuilt_when_the_program_starts() {
    let mut stage = Stage::with(Arc::new(MemoryStore::new()), views::all()).await;
    stage.start();
    let mut many = cases(20, 6_000);
    for case in &mut many {
        case.straight();
        stage.write(case).await;
    }
    stage.caught_up().await;
    let mut next = views::all();
    next[0] = Box::new(NextCaseList);
    let mut stage = stage.opened_again(next).await;
    stage.start();
    assert!(stage.views.caught_up("case_list", stage.head().await, PATIENCE).await);
    let rows = stage
        .views
        .database()
        .query("select stage_now from case_list_cases", &[])
        .await
        .unwrap();
    assert_eq!(rows.len(), 20);
    let status = stage.views.status().await.unwrap();
    assert_eq!((status[0].version, status[0].generation), (2, 2));
    assert_eq!((status[1].version, status[1].generation), (views::all()[1].version(), 1));
    stage.stop().await;
}
