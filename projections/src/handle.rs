//! The handle that everybody else holds: open, run, ask how far the views are, rebuild them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::case::Stage;
use event_store_contract::{EventStore, MAX_LANES, Position, StoreError};
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio_postgres::Config;
use uuid::Uuid;

use crate::{
    catalog::{self, ViewRecord},
    database::{Database, QueryError, query_error},
    lanes,
    leases::{Duty, Leases},
    live,
    rebuild::{self, Progress, RebuildReport},
    shown::Shown,
    status::{ViewState, ViewStatus},
    view::View,
    watching::{self, Told},
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
    /// The streams are divided otherwise.
    #[error("the streams are divided into {actual} lanes, not into {wanted}; change that with `zhulu lanes {wanted}`")]
    OtherLanes {
        /// As they are divided.
        actual: u32,
        /// As somebody believed.
        wanted: u32,
    },
    /// So many lanes cannot be.
    #[error("{0} lanes cannot be: choose 1 to {MAX_LANES}")]
    BadLanes(u32),
    /// The views of several lanes do not come to stand at one place.
    #[error("the views could not be stopped at one place: {0}; try again when less is written")]
    NotDealt(String),
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
    /// Who does what among several processes.
    pub(crate) leases: Leases,
    /// Whether there are other processes that want to be told what changed.
    pub(crate) others: AtomicBool,
    /// What is to be told to others.
    pub(crate) untold: mpsc::Sender<Told>,
    /// What others told, and what is to be told to them; held by the one who watches.
    pub(crate) ears: tokio::sync::Mutex<(mpsc::Receiver<String>, mpsc::Receiver<Told>)>,
    /// What is known of the views, lane by lane.
    pub(crate) shown: Shown,
    /// Views that run, with how far they are. A view that stopped or is of another version is not in it.
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
        Self::open_dealt(database_url, schema, store, views, None).await
    }

    /// As [`Projections::open_in`], with streams that are divided into so many lanes. Views that are laid out for the first
    /// time are divided so; for others it must be true already.
    pub async fn open_dealt(
        database_url: &str,
        schema: &str,
        store: Arc<dyn EventStore>,
        views: Vec<Box<dyn View>>,
        lanes: Option<u32>,
    ) -> Result<Self, ProjectionError> {
        if let Some(lanes) = lanes {
            lanes::check(lanes)?;
        }
        let opened = Self::look_in(database_url, schema, store, views)?;
        let session = opened.0.database.dedicated().await?;
        match catalog::lay_out(&session.client, schema, &opened.0.views, lanes).await {
            Ok(actual) => match lanes.filter(|wanted| *wanted != actual) {
                Some(wanted) => Err(ProjectionError::OtherLanes { actual, wanted }),
                None => Ok(opened),
            },
            Err(cause) => {
                let _ = session.client.batch_execute("rollback").await;
                Err(cause.into())
            }
        }
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
        let database = Database::new(config, schema, &names);
        let (hear, heard) = mpsc::channel(watching::MAX_HEARD);
        let (tell, untold) = watching::to_tell();
        Ok(Self(Arc::new(Inner {
            base: schema.to_owned(),
            leases: Leases::new(database.clone(), hear),
            database,
            store,
            views: Arc::new(views),
            others: AtomicBool::new(false),
            untold: tell,
            ears: tokio::sync::Mutex::new((heard, untold)),
            shown: Shown::new(),
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
        tokio::join!(self.watch(stop.clone()), self.lead(stop));
    }

    /// Learns what others make of the views until told to stop: for a process that answers questions and writes none.
    pub async fn watch(&self, stop: watch::Receiver<bool>) {
        watching::run(&self.0, stop).await;
    }

    /// Follows the log in the lanes that this process gets hold of.
    async fn lead(&self, stop: watch::Receiver<bool>) {
        let inner = &self.0;
        let work = |held, told| {
            let inner = inner.clone();
            async move { live::run(&inner, held, told).await }
        };
        inner.leases.keep(Duty::Views, stop, work).await;
    }

    /// The desk where leases are taken, for those who share other work.
    pub fn leases(&self) -> Leases {
        self.0.leases.clone()
    }

    /// Into how many lanes the streams are divided.
    pub async fn lanes(&self) -> Result<u32, ProjectionError> {
        lanes::count(&self.0).await
    }

    /// Divides the streams into so many lanes. Whoever follows stops for a moment, and goes on in the new lanes.
    pub async fn deal(&self, lanes: u32) -> Result<(), ProjectionError> {
        lanes::deal(&self.0, lanes).await
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

    /// Takes in what the table of views says; whether somebody swapped, stopped or divided something meanwhile.
    pub(crate) fn take_records(&self, records: &BTreeMap<String, ViewRecord>) -> bool {
        for view in self.views.iter() {
            let state = records.get(view.name()).map(|record| &record.state);
            self.remember_stopped(view.name(), matches!(state, Some(ViewState::Stopped(_))));
        }
        self.shown.take_records(&self.views, records)
    }

    /// The views show everything of a lane up to here: tells everybody, also elsewhere.
    pub(crate) fn come_to<'a>(&self, lane: u32, views: impl Iterator<Item = (&'a str, Position)> + Clone) {
        self.shown.advance(lane, views.clone());
        self.show();
        if self.others.load(Ordering::Relaxed) {
            self.tell_others(Told::ComeTo {
                lane,
                views: views.map(|(view, position)| (view.to_owned(), position.0)).collect(),
            });
        }
    }

    /// These cases changed, and can be read so.
    pub(crate) fn changed(&self, changes: Vec<CaseChange>) {
        if self.others.load(Ordering::Relaxed) {
            watching::changed(&changes).for_each(|told| self.tell_others(told));
        }
        let _ = self.changes.send(Arc::new(changes));
    }

    /// Tells other processes, if there are any.
    pub(crate) fn tell_others(&self, told: Told) {
        if self.others.load(Ordering::Relaxed) && self.untold.try_send(told).is_err() {
            tracing::debug!("too much is to be told; others find it by looking");
        }
    }

    /// Something was swapped or divided: everybody looks again where the views are.
    pub(crate) fn look_again(&self) {
        self.tell_others(Told::Look);
        self.swapped.notify_waiters();
    }

    /// Remembers whether a view has stopped, for those who would wait for it.
    pub(crate) fn remember_stopped(&self, view: &'static str, stopped: bool) {
        let mut known = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        if stopped {
            known.insert(view);
            self.shown.stop(view);
        } else {
            known.remove(view);
        }
    }

    /// Tells everybody here how far the views are.
    pub(crate) fn show(&self) {
        let positions = self.shown.positions();
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
