//! Writing a batch: the rows of all views and their checkpoints, pipelined, in one transaction.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
};

use bytes::Bytes;
use event_store_contract::Position;
use futures_util::{SinkExt, future::join_all};
use tokio_postgres::{Error, Statement, error::SqlState, types::ToSql};

use crate::{
    catalog::{self, TableShape},
    derive::Derived,
    leases::Held,
    rows::{COPY_HEADER, COPY_TRAILER, ColumnArray, TableRows},
    session::Session,
    view::{RowsOf, View},
};

/// From so many rows on it is worth a question and an answer to copy them: an `insert` from arrays takes them in as one
/// list for each column, which costs more than the rows themselves when there are many columns.
#[cfg(not(test))]
const ROWS_TO_COPY: usize = 300;
/// So few in tests that both ways are taken.
#[cfg(test)]
const ROWS_TO_COPY: usize = 4;

/// A generation of a view that is written to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The view's place in the list of views.
    pub(crate) view: usize,
    /// The view's name.
    pub(crate) name: &'static str,
    pub(crate) generation: u32,
    pub(crate) schema: String,
    pub(crate) shapes: Arc<Vec<TableShape>>,
    /// The checkpoint as it is written in the database.
    pub(crate) saved: Position,
    /// How far the view has come: further than the checkpoint when what followed was not for it.
    pub(crate) position: Position,
    /// The lease by which its checkpoint is moved.
    pub(crate) held: Held,
}

impl Target {
    /// A view as it stands in this schema, with what PostgreSQL knows of its tables.
    pub(crate) async fn of(
        session: &Session,
        (at, view): (usize, &dyn View),
        generation: u32,
        schema: String,
        position: Position,
        held: Held,
    ) -> Result<Self, Error> {
        let shapes = Arc::new(catalog::shapes(&session.client, &schema, view).await?);
        Ok(Self {
            view: at,
            name: view.name(),
            generation,
            schema,
            shapes,
            saved: position,
            position,
            held,
        })
    }
}

/// Why a batch was not written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// Somebody else moved a checkpoint, swapped a generation or holds the lane. Look again where the views are.
    Fenced,
    /// PostgreSQL refused it, or cannot be reached.
    Sql(Error),
}

impl From<Error> for WriteError {
    fn from(cause: Error) -> Self {
        if cause.code() == Some(&SqlState::DIVISION_BY_ZERO) {
            return Self::Fenced;
        }
        Self::Sql(cause)
    }
}

/// What happens to the transaction in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It counts, and moves the checkpoints to this position.
    Commit(Position),
    /// It was only to see whether PostgreSQL takes the rows.
    RollBack,
    /// It is part of a transaction that the caller began and ends; there is no checkpoint yet.
    Inside,
}

/// One statement with its parameters, ready to be sent.
struct Order {
    statement: Statement,
    params: Vec<Box<dyn ToSql + Sync + Send>>,
}

/// What a batch comes to: orders that are sent together, rows that are copied, and orders that come after both.
#[derive(Default)]
struct Orders<'a> {
    first: Vec<Order>,
    copies: Vec<(String, &'a TableRows)>,
    last: Vec<Order>,
}

/// Writes what was derived for these targets.
pub(crate) async fn write(
    session: &Session,
    base: &str,
    batch: &[(&Target, &Derived)],
    ending: Ending,
) -> Result<(), WriteError> {
    let mut orders = Orders::default();
    if let Ending::Commit(to) = ending {
        orders.first.push(checkpoint(session, base, batch, to).await?);
    }
    for (target, derived) in batch {
        order_rows(session, target, derived, &mut orders).await?;
    }
    let sent = send(session, &orders, ending).await;
    if sent.is_err() && !orders.copies.is_empty() && ending != Ending::Inside {
        // What was sent in parts may have been left in the middle.
        let _ = session.client.batch_execute("rollback").await;
    }
    sent
}

async fn order_rows<'a>(session: &Session, target: &Target, derived: &'a Derived, orders: &mut Orders<'a>) -> Result<(), Error> {
    let schema = &target.schema;
    for (shape, rows) in target.shapes.iter().zip(&derived.rows.tables) {
        let name = shape.table.name;
        if shape.table.rows_of == RowsOf::Case && !derived.replaced.is_empty() {
            let statement = session
                .statement(&format!("delete from {schema}.{name} where case_id = any($1)"))
                .await?;
            orders.first.push(Order {
                statement,
                params: vec![Box::new(derived.replaced.clone())],
            });
        }
        if rows.count >= ROWS_TO_COPY {
            orders.copies.push((format!("{schema}.{name}"), rows));
        } else if rows.count > 0 {
            let sql = format!(
                "insert into {schema}.{name} ({}) select * from unnest({})",
                shape.columns, shape.arrays
            );
            let statement = session.statement(&sql).await?;
            let params = rows
                .columns(&shape.type_oids)
                .into_iter()
                .map(|column: ColumnArray| Box::new(column) as _)
                .collect();
            orders.first.push(Order { statement, params });
        }
        if shape.table.rows_of == RowsOf::Event && !derived.taken_back.is_empty() {
            let statement = session.statement(&taken_back_sql(schema, name)).await?;
            let (cases, positions): (Vec<_>, Vec<_>) = derived
                .taken_back
                .iter()
                .map(|(case_id, position)| (*case_id, position.0.cast_signed()))
                .unzip();
            orders.last.push(Order {
                statement,
                params: vec![Box::new(cases), Box::new(positions)],
            });
        }
    }
    Ok(())
}

/// Removes the rows of events that were taken back with their import.
pub(crate) fn taken_back_sql(schema: &str, table: &str) -> String {
    format!(
        "delete from {schema}.{table} as gone using unnest($1::uuid[], $2::int8[]) as back(case_id, position) \
         where gone.case_id = back.case_id and gone.position <= back.position"
    )
}

/// Moves the checkpoints; divides by zero, which ends the transaction, if one of them is not where it was left, or if the
/// lane was taken over by somebody else.
async fn checkpoint(session: &Session, base: &str, batch: &[(&Target, &Derived)], to: Position) -> Result<Order, Error> {
    let sql = format!(
        "with moved as (
             update {base}.view_lanes as view set position = $4, updated_at = now()
             from unnest($1::text[], $2::int4[], $3::int8[]) as was(name, generation, position)
             where view.name = was.name and view.lane = $6 and view.epoch = $7
                 and view.generation = was.generation and view.position = was.position
             returning 1)
         select 1 / (case when count(*) = $5 then 1 else 0 end) from moved"
    );
    let statement = session.statement(&sql).await?;
    let names: Vec<&'static str> = batch.iter().map(|(target, _)| target.name).collect();
    let generations: Vec<i32> = batch.iter().map(|(target, _)| target.generation.cast_signed()).collect();
    let saved: Vec<i64> = batch.iter().map(|(target, _)| target.saved.0.cast_signed()).collect();
    let count = i64::try_from(batch.len()).unwrap_or(i64::MAX);
    // A batch is one lane's: all its targets are written by one lease.
    let held = batch.first().map_or(Held::NOBODY, |(target, _)| target.held);
    Ok(Order {
        statement,
        params: vec![
            Box::new(names),
            Box::new(generations),
            Box::new(saved),
            Box::new(to.0.cast_signed()),
            Box::new(count),
            Box::new(held.lane.index.cast_signed()),
            Box::new(held.epoch),
        ],
    })
}

/// Sends it: all at once, unless there is so much that some of it is copied. The first error is the one that counts: what
/// follows it in a transaction fails because of it, and the commit then rolls back.
async fn send(session: &Session, orders: &Orders<'_>, ending: Ending) -> Result<(), WriteError> {
    let begin = (ending != Ending::Inside).then_some("begin");
    let end = match ending {
        Ending::Commit(_) => Some("commit"),
        Ending::RollBack => Some("rollback"),
        Ending::Inside => None,
    };
    if orders.copies.is_empty() {
        return send_together(session, begin, orders.first.iter().chain(&orders.last), end).await;
    }
    send_together(session, begin, orders.first.iter(), None).await?;
    for (table, rows) in &orders.copies {
        copy(session, table, rows).await?;
    }
    send_together(session, None, orders.last.iter(), end).await
}

/// Sends orders without waiting for answers in between, and then waits for all of them.
async fn send_together(
    session: &Session,
    begin: Option<&str>,
    orders: impl Iterator<Item = &Order>,
    end: Option<&str>,
) -> Result<(), WriteError> {
    type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;
    let client = &session.client;
    let mut answers: Vec<Answer<'_>> = Vec::new();
    answers.extend(begin.map(|begin| Box::pin(client.batch_execute(begin)) as _));
    for order in orders {
        answers.push(Box::pin(async move {
            let params: Vec<&(dyn ToSql + Sync)> = order.params.iter().map(|param| &**param as _).collect();
            client.execute(&order.statement, &params).await.map(|_| ())
        }));
    }
    answers.extend(end.map(|end| Box::pin(client.batch_execute(end)) as _));
    for answer in join_all(answers).await {
        answer?;
    }
    Ok(())
}

/// Copies rows into a table that has others.
async fn copy(session: &Session, table: &str, rows: &TableRows) -> Result<(), Error> {
    let sink = session
        .client
        .copy_in::<_, Bytes>(&format!("copy {table} from stdin (format binary)"))
        .await?;
    let mut sink = pin!(sink);
    sink.feed(Bytes::from_static(COPY_HEADER)).await?;
    sink.feed(Bytes::copy_from_slice(&rows.bytes)).await?;
    sink.feed(Bytes::from_static(COPY_TRAILER)).await?;
    sink.finish().await?;
    Ok(())
}
