//! The readers' door to PostgreSQL: a few shared connections, pipelined, with prepared statements and an admission limit.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio_postgres::{Config, Row, types::ToSql};

use crate::session::Session;

/// Connections that all readers share. On few cores more of them only add processes to switch between.
const READ_CONNECTIONS: usize = 4;
/// The most queries under way at once; more wait for their turn.
const MAX_QUERIES_UNDER_WAY: usize = 256;
/// How long a query waits for its turn before it is told to come again.
const MAX_WAIT_FOR_TURN: Duration = Duration::from_secs(2);
/// The longest a query may run.
const MAX_QUERY_SECONDS: u32 = 10;

/// A parameter of a query.
pub type Param = Box<dyn ToSql + Sync + Send>;

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// Too many at once. Try again.
    #[error("too many queries are waiting; try again in a moment")]
    Busy,
    /// PostgreSQL cannot be reached. Try again.
    #[error("the database of the views is not available: {0}")]
    Unavailable(String),
    /// The cursor is not one of ours, or belongs to another order.
    #[error("this cursor does not belong to this list: {0}")]
    BadCursor(String),
    /// A limit of the query was broken, or it asks for something that is not there.
    #[error("{0}")]
    Invalid(String),
    /// PostgreSQL refused it; this is ours to repair.
    #[error("the database refused a query of ours: {0}")]
    Failed(String),
}

/// The readers' door. Cheap to clone.
#[derive(Clone)]
pub struct Database(Arc<Inner>);

struct Inner {
    config: Config,
    base: String,
    search_path: String,
    slots: Vec<Mutex<Option<Arc<Session>>>>,
    next: AtomicUsize,
    admission: Semaphore,
}

impl Database {
    /// A door to the database at this address; connects when it is first asked.
    pub(crate) fn new(config: Config, base: &str, views: &[&str]) -> Self {
        let mut search_path = base.to_owned();
        for view in views {
            search_path = format!("{search_path}, {base}_{view}");
        }
        Self(Arc::new(Inner {
            config,
            base: base.to_owned(),
            search_path,
            slots: (0..READ_CONNECTIONS).map(|_| Mutex::new(None)).collect(),
            next: AtomicUsize::new(0),
            admission: Semaphore::new(MAX_QUERIES_UNDER_WAY),
        }))
    }

    /// The schema that holds what is not a view; a view's own schema is `<base>_<view>`.
    pub fn base(&self) -> &str {
        &self.0.base
    }

    /// The rows that answer a query. Tables of views are named without a schema (`case_list_cases`).
    pub async fn query(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, QueryError> {
        let _turn = tokio::time::timeout(MAX_WAIT_FOR_TURN, self.0.admission.acquire())
            .await
            .map_err(|_| QueryError::Busy)?
            .map_err(|_| QueryError::Busy)?;
        let slot = self.0.next.fetch_add(1, Ordering::Relaxed) % READ_CONNECTIONS;
        match self.query_on(slot, sql, params).await {
            Err(cause) if cause.is_closed() => self.query_on(slot, sql, params).await,
            answer => answer,
        }
        .map_err(|cause| query_error(&cause))
    }

    /// As [`Database::query`], with parameters that the query owns.
    pub async fn query_owned(&self, sql: &str, params: &[Param]) -> Result<Vec<Row>, QueryError> {
        let borrowed: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect();
        self.query(sql, &borrowed).await
    }

    async fn query_on(&self, slot: usize, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, tokio_postgres::Error> {
        let session = self.session(slot).await?;
        let statement = session.statement(sql).await?;
        session.client.query(&statement, params).await
    }

    /// The shared connection of a slot; a new one if it was lost.
    async fn session(&self, slot: usize) -> Result<Arc<Session>, tokio_postgres::Error> {
        let mut held = self.0.slots[slot].lock().await;
        if let Some(session) = held.as_ref().filter(|session| !session.client.is_closed()) {
            return Ok(session.clone());
        }
        let session = self.dedicated().await?;
        session
            .client
            .batch_execute(&format!("set statement_timeout to '{MAX_QUERY_SECONDS}s'"))
            .await?;
        *held = Some(session.clone());
        Ok(session)
    }

    /// A connection of one's own: for the writing loop, for rebuilds.
    pub(crate) async fn dedicated(&self) -> Result<Arc<Session>, tokio_postgres::Error> {
        Session::open(&self.0.config, &self.0.search_path).await
    }

    /// As [`Database::dedicated`], and hands on what others notify.
    pub(crate) async fn hearing(&self, heard: mpsc::Sender<String>) -> Result<Arc<Session>, tokio_postgres::Error> {
        Session::open_hearing(&self.0.config, &self.0.search_path, heard).await
    }
}

/// Whose turn it is after this error.
pub(crate) fn query_error(cause: &tokio_postgres::Error) -> QueryError {
    match cause.as_db_error() {
        Some(refused) => QueryError::Failed(format!("{} ({})", refused.message(), refused.code().code())),
        None if cause.is_closed()
            || std::error::Error::source(cause).is_some_and(<dyn std::error::Error>::is::<std::io::Error>) =>
        {
            QueryError::Unavailable(cause.to_string())
        }
        None => QueryError::Failed(cause.to_string()),
    }
}

/// The condition of a query and its parameters, built up clause by clause.
#[derive(Default)]
pub(crate) struct Condition {
    clauses: Vec<String>,
    pub(crate) params: Vec<Param>,
}

impl Condition {
    /// The next parameter's placeholder.
    pub(crate) fn param(&mut self, value: impl ToSql + Sync + Send + 'static) -> String {
        self.params.push(Box::new(value));
        format!("${}", self.params.len())
    }

    /// One more clause that must hold; `?` stands for the value.
    pub(crate) fn and(&mut self, clause: &str, value: impl ToSql + Sync + Send + 'static) {
        let placeholder = self.param(value);
        self.clauses.push(clause.replace('?', &placeholder));
    }

    /// One more clause without a value.
    pub(crate) fn and_plain(&mut self, clause: impl Into<String>) {
        self.clauses.push(clause.into());
    }

    /// ` where …`, or nothing.
    pub(crate) fn sql(&self) -> String {
        if self.clauses.is_empty() {
            return String::new();
        }
        format!(" where {}", self.clauses.join(" and "))
    }
}

/// A value as the beginning of a `like` pattern, with its wildcards made literal.
pub(crate) fn starts_with_pattern(value: &str) -> String {
    format!("{}%", literal_pattern(value))
}

/// A value as the middle of a `like` pattern, with its wildcards made literal.
pub(crate) fn contains_pattern(value: &str) -> String {
    format!("%{}%", literal_pattern(value))
}

fn literal_pattern(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
        .replace('\0', "")
}
