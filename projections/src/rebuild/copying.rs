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
    rows::{COPY_HEADER, COPY_TRAILER},
    session::Session,
    view::RowsOf,
    writing::taken_back_sql,
};

/// How many indexes are built at once: more than there are processors, for each waits in the end until it is on the disk.
const INDEX_BUILDERS: usize = 4;

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
    // Keys come before other indexes, for a key locks its table against everybody else; and tables of events before those
    // of cases, for they have the most rows and nobody should be left alone with them in the end.
    let mut statements = Vec::new();
    for view in ready {
        let schema = &view.target.schema;
        let of_events = view.target.shapes.iter().any(|shape| shape.table.rows_of == RowsOf::Event);
        for statement in catalog::split_sql(inner.views[view.target.view].as_ref())
            .1
            .split(';')
            .map(str::trim)
            .filter(|statement| !statement.is_empty())
        {
            let is_key = statement.starts_with("alter table");
            statements.push((!is_key, !of_events, format!("set search_path to {schema}; {statement}")));
        }
        let tables: Vec<String> = view
            .target
            .shapes
            .iter()
            .map(|shape| format!("{schema}.{}", shape.table.name))
            .collect();
        statements.push((true, !of_events, format!("analyze {}", tables.join(", "))));
    }
    statements.sort_by_key(|(is_no_key, is_of_cases, _)| (*is_no_key, *is_of_cases));
    in_parallel(inner, statements.into_iter().map(|(_, _, statement)| statement).collect()).await
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
