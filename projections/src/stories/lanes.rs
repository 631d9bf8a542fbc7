//! Several processes keep the same views: each lane by one of them, whoever dies.

use std::time::Duration;

use event_store_contract::Position;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    ALL, Projections, ViewState,
    testing::{PATIENCE, Stage, assert_same_rows, cases, connect},
    views,
};

/// A process that keeps views beside those of the stage.
struct Other {
    views: Projections,
    running: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Other {
    async fn start(stage: &Stage) -> Self {
        let views = Projections::open_in(&stage.url, &stage.schema, stage.store.clone(), views::all())
            .await
            .unwrap();
        let (stop, told) = watch::channel(false);
        let run = views.clone();
        let running = tokio::spawn(async move { run.run(told).await });
        Self { views, running, stop }
    }

    /// As a crash would: nothing is given back.
    async fn crash(self) {
        self.running.abort();
        let _ = self.running.await;
    }

    async fn end(self) {
        self.stop.send(true).unwrap();
        self.running.await.unwrap();
    }
}

/// Who holds the lanes of views, by lane.
async fn holders(stage: &Stage) -> Vec<Option<uuid::Uuid>> {
    let rows = stage
        .views
        .database()
        .query("select holder from leases where what = 'views' order by lane", &[])
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Waits until the lanes are held as told.
async fn held(stage: &Stage, what: &str, is_so: impl Fn(&[Option<uuid::Uuid>]) -> bool) {
    let waiting = async {
        while !is_so(&holders(stage).await) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, waiting).await.is_ok();
    assert!(in_time, "{what}: {:?}", holders(stage).await);
}

fn count(holders: &[Option<uuid::Uuid>], of: &Projections) -> usize {
    holders.iter().filter(|holder| **holder == Some(of.leases().member())).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn lanes_are_divided_fairly_and_taken_over_from_the_dead() {
    let mut stage = Stage::new().await;
    stage.views.deal(6).await.unwrap();
    stage.start();
    held(&stage, "the first takes all", |lanes| count(lanes, &stage.views) == 6).await;
    let second = Other::start(&stage).await;
    held(&stage, "two share", |lanes| {
        count(lanes, &stage.views) == 3 && count(lanes, &second.views) == 3
    })
    .await;
    let third = Other::start(&stage).await;
    held(&stage, "three share", |lanes| {
        let counts = [&stage.views, &second.views, &third.views].map(|views| count(lanes, views));
        counts == [2, 2, 2]
    })
    .await;
    third.crash().await;
    second.end().await;
    held(&stage, "the one that is left takes all", |lanes| {
        count(lanes, &stage.views) == 6
    })
    .await;
    stage.stop().await;
    assert!(holders(&stage).await.iter().all(Option::is_none));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_nothing_is_lost_doubled_or_reordered() {
    let mut stage = Stage::new().await;
    stage.views.deal(3).await.unwrap();
    stage.start();
    let mut others = vec![Other::start(&stage).await, Other::start(&stage).await];
    let mut many = cases(40, 31_000);
    for round in 0..8 {
        stage.live(&mut many, 60, round).await;
        // The oldest dies in the middle of what it is at, and a new one comes.
        others.remove(0).crash().await;
        others.push(Other::start(&stage).await);
        if round % 3 == 2 {
            stage.crash().await;
            stage.start();
        }
    }
    stage.caught_up().await;
    for other in &others {
        assert!(other.views.caught_up(ALL, stage.head().await, PATIENCE).await);
    }
    let followed = stage.rows().await;
    for other in others {
        other.end().await;
    }
    stage.stop().await;
    let status = stage.views.status().await.unwrap();
    assert!(status.iter().all(|view| view.state == ViewState::Running), "{status:?}");
    stage.views.rebuild(ALL, |_| {}).await.unwrap();
    assert_same_rows(&followed, &stage.rows().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_slept_through_a_lease_writes_nothing() {
    let stage = Stage::new().await;
    let sleeper = Other::start(&stage).await;
    held(&stage, "the sleeper holds the lane", |lanes| {
        count(lanes, &sleeper.views) == 1
    })
    .await;
    let mut many = cases(5, 32_000);
    for case in &mut many {
        case.submit();
        stage.write(case).await;
    }
    assert!(sleeper.views.caught_up(ALL, stage.head().await, PATIENCE).await);
    // Somebody takes the lane over, and the sleeper knows nothing of it.
    let database = stage.views.database();
    database
        .query(
            "with somebody as (
                 insert into members (id, duty, pid, backend_start, until)
                 select gen_random_uuid(), 'views', pid, backend_start, now() + interval '1 minute'
                 from pg_stat_activity where pid = pg_backend_pid() returning id, until)
             update leases set epoch = epoch + 1, holder = somebody.id, until = somebody.until
             from somebody where what = 'views'",
            &[],
        )
        .await
        .unwrap();
    database.query("update view_lanes set epoch = epoch + 1", &[]).await.unwrap();
    let before = stage.rows().await;
    for case in &mut many {
        case.step();
        stage.write(case).await;
    }
    assert!(
        !sleeper
            .views
            .caught_up(ALL, stage.head().await, Duration::from_millis(500))
            .await
    );
    assert_same_rows(&before, &stage.rows().await);
    sleeper.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_only_answers_knows_what_others_write() {
    let mut stage = Stage::new().await;
    stage.views.deal(2).await.unwrap();
    let answering = Projections::look_in(&stage.url, &stage.schema, stage.store.clone(), views::all()).unwrap();
    let (stop, told) = watch::channel(false);
    let watcher = answering.clone();
    let watching = tokio::spawn(async move { watcher.watch(told).await });
    stage.start();
    stage.caught_up().await;
    let (mut changes, mut advanced) = (answering.changes(), answering.advanced());
    let mut many = cases(3, 33_000);
    for case in &mut many {
        case.submit();
        stage.write(case).await;
        let head = stage.head().await;
        assert!(answering.caught_up("case_list", head, PATIENCE).await);
        tokio::time::timeout(PATIENCE, advanced.wait_for(|at| *at >= head))
            .await
            .unwrap()
            .unwrap();
        let told = tokio::time::timeout(PATIENCE, async {
            loop {
                let batch = changes.recv().await.unwrap();
                if let Some(change) = batch.iter().find(|change| change.case_id == case.id) {
                    break change.clone();
                }
            }
        });
        let change = told.await.unwrap();
        assert_eq!((change.category, change.revision), (case.stream().category(), 1));
        assert!(change.position <= head && change.worklist);
    }
    stage.views.rebuild(ALL, |_| {}).await.unwrap();
    let generations = async {
        while answering.status().await.unwrap().iter().any(|view| view.generation != 2) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, generations).await.unwrap();
    assert!(answering.caught_up(ALL, stage.head().await, PATIENCE).await);
    assert!(!answering.caught_up(ALL, Position(u64::MAX), Duration::ZERO).await);
    stop.send(true).unwrap();
    watching.await.unwrap();
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hears_something_all_the_time_still_looks_at_the_checkpoints() {
    let stage = Stage::new().await;
    let answering = Projections::look_in(&stage.url, &stage.schema, stage.store.clone(), views::all()).unwrap();
    let (stop, told) = watch::channel(false);
    let watcher = answering.clone();
    let watching = tokio::spawn(async move { watcher.watch(told).await });
    // Somebody tells without a pause, and nothing of importance.
    let (teller, channel) = (connect(&stage.url).await, stage.views.leases().channel());
    let nothing = format!(
        r#"{{"from":"{}","told":{{"ComeTo":{{"lane":0,"views":[]}}}}}}"#,
        uuid::Uuid::max()
    );
    let telling = tokio::spawn(async move {
        loop {
            teller.query("select pg_notify($1, $2)", &[&channel, &nothing]).await.unwrap();
        }
    });
    // And somebody else comes further without a word, again and again.
    for position in 1..=3_i64 {
        stage
            .views
            .database()
            .query("update view_lanes set position = $1", &[&position])
            .await
            .unwrap();
        let come_to = Position(position.unsigned_abs());
        assert!(answering.caught_up(ALL, come_to, PATIENCE).await, "{position} is not seen");
    }
    telling.abort();
    stop.send(true).unwrap();
    watching.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_in_which_nothing_happens_saves_how_far_it_is_while_others_are_busy() {
    let mut stage = Stage::new().await;
    stage.views.deal(2).await.unwrap();
    stage.start();
    let mut many = cases(1, 35_000);
    many[0].submit();
    stage.write(&mut many[0]).await;
    stage.caught_up().await;
    let first = stage.head().await;
    let saved = async {
        // One case, so one lane, and never a pause.
        while saved_in_all_lanes(&stage).await <= first {
            many[0].step();
            stage.write(&mut many[0]).await;
        }
    };
    tokio::time::timeout(PATIENCE, saved).await.unwrap();
    stage.stop().await;
}

/// Up to where all checkpoints are saved.
async fn saved_in_all_lanes(stage: &Stage) -> Position {
    let rows = stage
        .views
        .database()
        .query("select min(position) from view_lanes", &[])
        .await
        .unwrap();
    Position(rows[0].get::<_, i64>(0).cast_unsigned())
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_divided_anew_while_cases_go_on() {
    let mut stage = Stage::new().await;
    stage.start();
    let other = Other::start(&stage).await;
    let mut many = cases(30, 34_000);
    let elsewhere = Projections::look_in(&stage.url, &stage.schema, stage.store.clone(), views::all()).unwrap();
    for (round, lanes) in [3, 1, 4, 2].into_iter().enumerate() {
        let dealing = elsewhere.clone();
        let dealt = tokio::spawn(async move { dealing.deal(lanes).await });
        stage.live(&mut many, 80, 40 + round as u64).await;
        dealt.await.unwrap().unwrap();
        assert_eq!(stage.views.lanes().await.unwrap(), lanes);
        stage.live(&mut many, 40, 60 + round as u64).await;
        stage.caught_up().await;
    }
    let followed = stage.rows().await;
    other.end().await;
    stage.stop().await;
    stage.views.rebuild(ALL, |_| {}).await.unwrap();
    assert_same_rows(&followed, &stage.rows().await);
    assert!(stage.views.deal(0).await.is_err());
    let wrong = Projections::open_dealt(&stage.url, &stage.schema, stage.store.clone(), views::all(), Some(5)).await;
    assert!(wrong.is_err_and(|cause| cause.to_string().contains("zhulu lanes 5")));
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_at_once_lay_the_tables_out_once() {
    let stage = Stage::new().await;
    let schema = format!("{}b", stage.schema);
    let opening = (0..6).map(|_| {
        let (url, schema, store) = (stage.url.clone(), schema.clone(), stage.store.clone());
        tokio::spawn(async move { Projections::open_dealt(&url, &schema, store, views::all(), Some(2)).await })
    });
    for opened in opening.collect::<Vec<_>>() {
        let status = opened.await.unwrap().unwrap().status().await.unwrap();
        assert!(status.iter().all(|view| view.generation == 1), "{status:?}");
    }
}
