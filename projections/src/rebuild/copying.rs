//! PostgreSQL's side of a load: copies rows in, removes what turned out not to count, builds keys and indexes.

use std::{
    collections::VecDeque,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use event_store_contract::Position;
use futures_util::SinkExt;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{BULK_SETTINGS, Building};
use crate::{
    catalog,
    handle::{Inner, ProjectionError},
    session::Session,
    view::RowsOf,
    writing::taken_back_sql,
};

/// How many indexes are built at once.
const INDEX_BUILDERS: usize = 2;
/// What binary copy begins with: its signature, no flags, no extension.
const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What binary copy ends with.
const COPY_TRAILER: &[u8] = &[0xff, 0xff];

/// A connection for bulk work.
pub(super) async fn bulk_session(inner: &Inner) -> Result<Arc<Session>, ProjectionError> {
    let session = inner.database.dedicated().await?;
    session.client.batch_execute(BULK_SETTINGS).await?;
    Ok(session)
}

/// What a copy finds in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Onto {
    /// Nothing that counts: the table begins with a new file, and PostgreSQL need not log what goes into it.
    Nothing,
    /// Rows of another copy.
    Rows,
}

/// Copies chunks of rows into a table, until there are no more.
pub(super) async fn copy(
    session: Arc<Session>,
    table: String,
    onto: Onto,
    mut chunks: mpsc::Receiver<Vec<u8>>,
) -> Result<(), ProjectionError> {
    let (begin, options) = match onto {
        // Nobody sees the table before all of it is there, so its rows need not be looked at again to be settled.
        Onto::Nothing => (format!("begin; truncate {table}"), "format binary, freeze"),
        Onto::Rows => ("begin".to_owned(), "format binary"),
    };
    session.client.batch_execute(&begin).await?;
    let mut sink = pin!(
        session
            .client
            .copy_in::<_, Bytes>(&format!("copy {table} from stdin ({options})"))
            .await?
    );
    sink.feed(Bytes::from_static(COPY_HEADER)).await?;
    while let Some(chunk) = chunks.recv().await {
        sink.send(Bytes::from(chunk)).await?;
    }
    sink.feed(Bytes::from_static(COPY_TRAILER)).await?;
    sink.finish().await?;
    session.client.batch_execute("commit").await?;
    Ok(())
}

/// Removes the rows of events that were taken back later in the log.
pub(super) async fn remove_taken_back(
    inner: &Inner,
    building: &[Building],
    taken_back: &[(Uuid, Position)],
) -> Result<(), ProjectionError> {
    if taken_back.is_empty() {
        return Ok(());
    }
    let (cases, positions): (Vec<Uuid>, Vec<i64>) = taken_back
        .iter()
        .map(|(case_id, position)| (*case_id, position.0.cast_signed()))
        .unzip();
    let session = bulk_session(inner).await?;
    for view in building {
        for shape in view.target.shapes.iter().filter(|shape| shape.table.rows_of == RowsOf::Event) {
            session
                .client
                .execute(&taken_back_sql(&view.target.schema, shape.table.name), &[&cases, &positions])
                .await?;
        }
    }
    Ok(())
}

/// Removes all rows of cases that are to be written again.
pub(super) async fn remove_cases(inner: &Inner, building: &[Building], cases: &[Uuid]) -> Result<(), ProjectionError> {
    let session = bulk_session(inner).await?;
    for view in building {
        for shape in view.target.shapes.iter() {
            let sql = format!(
                "delete from {}.{} as gone using unnest($1::uuid[]) as late(case_id) where gone.case_id = late.case_id",
                view.target.schema, shape.table.name
            );
            session.client.execute(&sql, &[&cases]).await?;
        }
    }
    Ok(())
}

/// Builds keys and indexes, several at a time, and counts what the planner wants to know.
pub(super) async fn index(inner: &Arc<Inner>, ready: &[Building]) -> Result<(), ProjectionError> {
    let mut keys = Vec::new();
    let mut indexes = Vec::new();
    for view in ready {
        let schema = &view.target.schema;
        for statement in catalog::split_sql(inner.views[view.target.view].as_ref())
            .1
            .split(';')
            .map(str::trim)
        {
            let list = if statement.starts_with("alter table") {
                &mut keys
            } else {
                &mut indexes
            };
            if !statement.is_empty() {
                list.push(format!("set search_path to {schema}; {statement}"));
            }
        }
        let tables: Vec<String> = view
            .target
            .shapes
            .iter()
            .map(|shape| format!("{schema}.{}", shape.table.name))
            .collect();
        indexes.push(format!("analyze {}", tables.join(", ")));
    }
    // A key locks its table against everybody else; indexes of one table can be built at the same time.
    in_parallel(inner, keys).await?;
    in_parallel(inner, indexes).await
}

async fn in_parallel(inner: &Arc<Inner>, statements: Vec<String>) -> Result<(), ProjectionError> {
    let queue = Arc::new(Mutex::new(statements.into_iter().collect::<VecDeque<_>>()));
    let mut builders = Vec::new();
    for _ in 0..INDEX_BUILDERS {
        let session = bulk_session(inner).await?;
        let queue = queue.clone();
        builders.push(tokio::spawn(async move {
            loop {
                let Some(statement) = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front() else {
                    return Ok(());
                };
                session.client.batch_execute(&statement).await?;
            }
        }));
    }
    for builder in builders {
        let built: Result<(), tokio_postgres::Error> =
            builder.await.map_err(|cause| ProjectionError::BrokenOff(cause.to_string()))?;
        built?;
    }
    Ok(())
}
