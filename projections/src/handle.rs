//! The handle that everybody else holds: open, run, ask how far the views are, rebuild them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::case::Stage;
use event_store_contract::{EventStore, Position, StoreError};
use tokio::sync::{Notify, broadcast, watch};
use tokio_postgres::Config;
use uuid::Uuid;

use crate::{
    bookmarks::PgBookmarks,
    catalog,
    database::{Database, QueryError, query_error},
    live,
    rebuild::{self, Progress, RebuildReport},
    status::{ViewState, ViewStatus},
    view::View,
};

/// The schema that everything of an instance lives in, or beside, unless told otherwise.
pub const DEFAULT_SCHEMA: &str = "zhulu";
/// What stands for every view, where a view is named.
pub const ALL: &str = "all";
/// How many batches of changes a slow watcher may be behind before it misses some.
const MAX_CHANGES_BEHIND: usize = 1_024;
/// The longest name of a schema that still leaves room for a generation's.
const MAX_SCHEMA_BYTES: usize = 24;

/// Why the views cannot be opened or rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// PostgreSQL said no, or nothing.
    #[error("the database of the views: {0}")]
    Database(String),
    /// The event store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no view of this name.
    #[error("there is no view {name}; choose one of {known}, or all")]
    UnknownView {
        /// The name.
        name: String,
        /// The views that there are.
        known: String,
    },
    /// Somebody else is rebuilding it.
    #[error("the view {0} is being rebuilt already; wait until that is done")]
    RebuiltAlready(String),
    /// An event stands in the way.
    #[error("the view {view} cannot take event {event_id} (stream {stream}, revision {revision}): {reason}")]
    Poisoned {
        /// The view.
        view: String,
        /// The event.
        event_id: Uuid,
        /// Its stream.
        stream: String,
        /// Its revision.
        revision: u64,
        /// What was wrong.
        reason: String,
    },
    /// The schema's name cannot be used.
    #[error("{0} is no name for a schema: use 1 to {MAX_SCHEMA_BYTES} lower-case letters, digits and underscores")]
    BadSchema(String),
    /// Readers or writers did not let go in time.
    #[error("the rebuilt view {0} could not be swapped in: others held it for too long; try again")]
    NotSwapped(String),
    /// A part of the work was broken off.
    #[error("the rebuild was broken off: {0}")]
    BrokenOff(String),
}

impl From<tokio_postgres::Error> for ProjectionError {
    fn from(cause: tokio_postgres::Error) -> Self {
        Self::Database(query_error(&cause).to_string())
    }
}

/// What changed in a case; told after it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseChange {
    /// The case.
    pub case_id: Uuid,
    /// Its type's stream category.
    pub category: &'static str,
    /// The revision of its last event.
    pub revision: u64,
    /// The position of its last event.
    pub position: Position,
    /// Where it stands now.
    pub stage: Stage,
    /// Whether its tasks changed.
    pub worklist: bool,
}

/// How far each running view has come.
pub(crate) type Positions = BTreeMap<&'static str, Position>;

/// The views. Cheap to clone.
#[derive(Clone)]
pub struct Projections(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) base: String,
    pub(crate) database: Database,
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) views: Arc<Vec<Box<dyn View>>>,
    /// Views that run here, with how far they are. A view that stopped or is not loaded yet is not in it.
    pub(crate) positions: watch::Sender<Positions>,
    pub(crate) advanced: watch::Sender<Position>,
    pub(crate) changes: broadcast::Sender<Arc<Vec<CaseChange>>>,
    /// A generation was swapped in: look again where the views are.
    pub(crate) swapped: Notify,
    pub(crate) rebuilding: Mutex<BTreeSet<&'static str>>,
    /// Views that stopped at an event.
    pub(crate) stopped: Mutex<BTreeSet<&'static str>>,
}

impl Projections {
    /// Lays out what is missing, and opens the views. They stand still until [`Projections::run`].
    pub async fn open(
        database_url: &str,
        store: Arc<dyn EventStore>,
        views: Vec<Box<dyn View>>,
    ) -> Result<Self, ProjectionError> {
        Self::open_in(database_url, DEFAULT_SCHEMA, store, views).await
    }

    /// As [`Projections::open`], in schemas whose names begin so: several instances can share a database.
    pub async fn open_in(
        database_url: &str,
        schema: &str,
        store: Arc<dyn EventStore>,
        views: Vec<Box<dyn View>>,
    ) -> Result<Self, ProjectionError> {
        let opened = Self::look_in(database_url, schema, store, views)?;
        let session = opened.0.database.dedicated().await?;
        if let Err(cause) = catalog::lay_out(&session.client, schema, &opened.0.views).await {
            let _ = session.client.batch_execute("rollback").await;
            return Err(cause.into());
        }
        Ok(opened)
    }

    /// Looks at views that another program keeps: nothing is laid out, and nothing is connected before the first question.
    pub fn look(database_url: &str, store: Arc<dyn EventStore>, views: Vec<Box<dyn View>>) -> Result<Self, ProjectionError> {
        Self::look_in(database_url, DEFAULT_SCHEMA, store, views)
    }

    /// As [`Projections::look`], in schemas whose names begin so.
    pub fn look_in(
        database_url: &str,
        schema: &str,
        store: Arc<dyn EventStore>,
        views: Vec<Box<dyn View>>,
    ) -> Result<Self, ProjectionError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if schema.is_empty() || schema.len() > MAX_SCHEMA_BYTES || !schema.bytes().all(plain) {
            return Err(ProjectionError::BadSchema(schema.to_owned()));
        }
        let config: Config = database_url.parse()?;
        let names: Vec<&str> = views.iter().map(|view| view.name()).collect();
        Ok(Self(Arc::new(Inner {
            base: schema.to_owned(),
            database: Database::new(config, schema, &names),
            store,
            views: Arc::new(views),
            positions: watch::Sender::new(Positions::new()),
            advanced: watch::Sender::new(Position::default()),
            changes: broadcast::Sender::new(MAX_CHANGES_BEHIND),
            swapped: Notify::new(),
            rebuilding: Mutex::default(),
            stopped: Mutex::default(),
        })))
    }

    /// Follows the log until told to stop. Errors are waited out; a view that cannot take an event stops alone.
    /// What is new, of another version, or far behind is rebuilt beside what is shown.
    pub async fn run(&self, stop: watch::Receiver<bool>) {
        live::run(&self.0, stop).await;
    }

    /// Waits until a view (or [`ALL`] that run) shows everything up to a position; whether it does.
    /// A view that stopped does not, and nobody waits for it.
    pub async fn caught_up(&self, view: &str, position: Position, wait: Duration) -> bool {
        let mut positions = self.0.positions.subscribe();
        let there = |positions: &Positions| match view {
            ALL => !positions.is_empty() && positions.values().all(|at| *at >= position),
            one => positions.get(one).is_some_and(|at| *at >= position),
        };
        let stopped = |_: &Positions| self.0.stopped.lock().unwrap_or_else(PoisonError::into_inner).contains(view);
        let seen = tokio::time::timeout(wait, positions.wait_for(|positions| there(positions) || stopped(positions))).await;
        matches!(seen, Ok(Ok(positions)) if there(&positions))
    }

    /// Tells how far all running views are, whenever they have come further.
    pub fn advanced(&self) -> watch::Receiver<Position> {
        self.0.advanced.subscribe()
    }

    /// Tells which cases changed, after the change can be read.
    pub fn changes(&self) -> broadcast::Receiver<Arc<Vec<CaseChange>>> {
        self.0.changes.subscribe()
    }

    /// How the views are doing.
    pub async fn status(&self) -> Result<Vec<ViewStatus>, ProjectionError> {
        let head = self.0.store.head().await?.unwrap_or_default();
        let rows = self.0.database.query(&catalog::records_sql(&self.0.base), &[]).await?;
        let rebuilding = self.0.rebuilding.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let here = self.0.positions.borrow().clone();
        let mut status: Vec<ViewStatus> = rows
            .iter()
            .map(catalog::record)
            .map(|record| {
                let state = if rebuilding.contains(record.name.as_str()) {
                    ViewState::Rebuilding
                } else {
                    record.state
                };
                let seen = here.get(record.name.as_str()).copied().unwrap_or_default();
                ViewStatus {
                    version: record.version,
                    generation: record.generation,
                    state,
                    position: record.position.max(seen),
                    head,
                    name: record.name,
                }
            })
            .collect();
        status.sort_by_key(|status| self.0.views.iter().position(|view| view.name() == status.name));
        Ok(status)
    }

    /// Builds a view (or [`ALL`]) anew beside what is shown, then swaps it in. Tells how it goes now and then.
    pub async fn rebuild(
        &self,
        view: &str,
        progress: impl Fn(Progress) + Send + Sync + 'static,
    ) -> Result<RebuildReport, ProjectionError> {
        let views: Vec<usize> = (0..self.0.views.len())
            .filter(|at| view == ALL || self.0.views[*at].name() == view)
            .collect();
        if views.is_empty() {
            let known = self.0.views.iter().map(|view| view.name()).collect::<Vec<_>>().join(", ");
            return Err(ProjectionError::UnknownView {
                name: view.to_owned(),
                known,
            });
        }
        rebuild::rebuild(&self.0, &views, Arc::new(progress)).await
    }

    /// The readers' door to the tables.
    pub fn database(&self) -> &Database {
        &self.0.database
    }

    /// Bookmarks for those who read the log for other purposes.
    pub fn bookmarks(&self) -> PgBookmarks {
        PgBookmarks::new(self.0.database.clone())
    }
}

impl From<QueryError> for ProjectionError {
    fn from(cause: QueryError) -> Self {
        Self::Database(cause.to_string())
    }
}

impl Inner {
    /// Which streams the views look at.
    pub(crate) fn filter() -> event_store_contract::Filter {
        let categories = domain::case_types::CATEGORIES.iter().copied();
        let rules = std::iter::once(domain::registers::calendar_publication::CATEGORY);
        event_store_contract::Filter::prefixes(categories.chain(rules).map(|category| format!("{category}-")))
    }

    /// Remembers whether a view has stopped, for those who would wait for it.
    pub(crate) fn remember_stopped(&self, view: &'static str, stopped: bool) {
        let mut known = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        if stopped {
            known.insert(view);
        } else {
            known.remove(view);
        }
    }

    /// Tells everybody how far the views are.
    pub(crate) fn tell(&self, positions: Positions) {
        let least = positions.values().min().copied();
        self.positions.send_replace(positions);
        if let Some(least) = least {
            self.advanced.send_if_modified(|at| {
                let further = least > *at;
                *at = least.max(*at);
                further
            });
        }
    }
}
