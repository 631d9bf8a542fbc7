//! What tests stand on: a PostgreSQL of their own, a store in memory with random histories, and views compared row by row.

#![allow(clippy::unwrap_used, missing_docs)]

pub(crate) mod histories;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::rules::Rules;
use event_store_contract::{Appended, EventStore, Expected, MemoryStore, Position};
use private_postgres::PrivatePostgres;
use tokio::{
    sync::{OnceCell, watch},
    task::JoinHandle,
};
use tokio_postgres::{Client, NoTls};

use crate::{ALL, Projections, View, views};
use histories::{Dice, History};

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How many clusters are tried: another run of these tests may be using the first.
const MAX_CLUSTERS: u32 = 8;

static POSTGRES: OnceCell<(PrivatePostgres, String)> = OnceCell::const_new();
static SCHEMAS: AtomicU64 = AtomicU64::new(0);

/// The cluster that all tests of this run share. It is kept between runs, so that the next need not make it again.
pub(crate) async fn database_url() -> String {
    let (_, url) = POSTGRES
        .get_or_init(|| async {
            let mut last = None;
            for number in 0..MAX_CLUSTERS {
                let user = std::env::var("USER").unwrap_or_default();
                let place = std::env::temp_dir().join(format!("zhulu-projections-tests-{user}-{number}"));
                match PrivatePostgres::start(&place).await {
                    Ok(postgres) => {
                        let url = postgres.url().to_owned();
                        sweep(&url).await;
                        return (postgres, url);
                    }
                    Err(cause) => last = Some(cause),
                }
            }
            panic!("no PostgreSQL for the tests: {last:?}");
        })
        .await;
    url.clone()
}

/// Removes what earlier runs left.
async fn sweep(url: &str) {
    let client = connect(url).await;
    let schemas = client
        .query("select nspname::text from pg_namespace where nspname like 'test\\_%'", &[])
        .await
        .unwrap();
    for row in schemas {
        client
            .batch_execute(&format!("drop schema {} cascade", row.get::<_, &str>(0)))
            .await
            .unwrap();
    }
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Views over a store in memory, in schemas of their own.
pub(crate) struct Stage {
    pub(crate) url: String,
    pub(crate) schema: String,
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) views: Projections,
    running: Option<(watch::Sender<bool>, JoinHandle<()>)>,
}

impl Stage {
    /// All views of the house, over an empty store.
    pub(crate) async fn new() -> Self {
        Self::with(Arc::new(MemoryStore::new()), views::all()).await
    }

    pub(crate) async fn with(store: Arc<dyn EventStore>, views: Vec<Box<dyn View>>) -> Self {
        let url = database_url().await;
        let schema = format!("test_{}_{}", std::process::id(), SCHEMAS.fetch_add(1, Ordering::Relaxed));
        let views = Projections::open_in(&url, &schema, store.clone(), views).await.unwrap();
        Self {
            url,
            schema,
            store,
            views,
            running: None,
        }
    }

    /// The same database and store, as a program that was started again sees them.
    pub(crate) async fn opened_again(mut self, views: Vec<Box<dyn View>>) -> Self {
        self.stop().await;
        let views = Projections::open_in(&self.url, &self.schema, self.store.clone(), views)
            .await
            .unwrap();
        Self {
            views,
            running: None,
            ..self
        }
    }

    pub(crate) fn start(&mut self) {
        let (stop, told) = watch::channel(false);
        let views = self.views.clone();
        self.running = Some((stop, tokio::spawn(async move { views.run(told).await })));
    }

    pub(crate) async fn stop(&mut self) {
        if let Some((stop, task)) = self.running.take() {
            stop.send(true).unwrap();
            task.await.unwrap();
        }
    }

    /// Drops the loop where it stands, as a crash would.
    pub(crate) async fn crash(&mut self) {
        if let Some((_stop, task)) = self.running.take() {
            task.abort();
            let _ = task.await;
        }
    }

    /// Writes what a case has not written yet.
    pub(crate) async fn write(&self, case: &mut History) -> Option<Appended> {
        let events = std::mem::take(&mut case.unwritten);
        if events.is_empty() {
            return None;
        }
        Some(self.store.append(&case.stream(), Expected::Any, events).await.unwrap())
    }

    pub(crate) async fn head(&self) -> Position {
        self.store.head().await.unwrap().unwrap_or_default()
    }

    pub(crate) async fn caught_up(&self) {
        let head = self.head().await;
        let there = self.views.caught_up(ALL, head, PATIENCE).await;
        assert!(
            there,
            "the views did not catch up with {head:?}: {:?}",
            self.views.status().await.unwrap()
        );
    }

    /// Lets random cases live for a while, several at a time, as many steps as told.
    pub(crate) async fn live(&self, cases: &mut [History], steps: u64, seed: u64) {
        let mut dice = Dice::new(seed);
        for _ in 0..steps {
            let at = usize::try_from(dice.below(cases.len() as u64)).unwrap();
            let case = &mut cases[at];
            match (
                case.unwritten.is_empty() && case.state.kernel.stage == domain::case::Stage::Draft,
                dice.below(6),
            ) {
                (true, 0..=1) => {
                    case.import("b1");
                }
                (true, _) => {
                    case.submit();
                }
                (false, 0) => {
                    case.roll_back("b1");
                }
                (false, 1) if case.state.kernel.stage == domain::case::Stage::RolledBack => {
                    case.import("b1");
                }
                (false, _) => case.step(),
            }
            self.write(case).await;
        }
    }

    /// Every row of every view, as text, in an order of its own.
    pub(crate) async fn rows(&self) -> Vec<String> {
        let client = connect(&self.url).await;
        let mut all = Vec::new();
        for view in self.views.0.views.iter() {
            for table in view.tables() {
                let name = format!("{}_{}.{}", self.schema, view.name(), table.name);
                let sql = format!("select row_to_json(t)::text from {name} t order by 1");
                for row in client.query(&sql, &[]).await.unwrap() {
                    all.push(format!("{}: {}", table.name, row.get::<_, &str>(0)));
                }
            }
        }
        all
    }
}

pub(crate) fn cases(count: u64, first_seed: u64) -> Vec<History> {
    let rules = Rules::embedded();
    (0..count).map(|at| History::new(first_seed + at, &rules)).collect()
}

/// Says which rows differ, and not all that do not.
#[track_caller]
pub(crate) fn assert_same_rows(left: &[String], right: &[String]) {
    for (left, right) in left.iter().zip(right) {
        assert_eq!(left, right);
    }
    assert_eq!(left.len(), right.len());
}
