//! Writing a batch: the rows of all views and their checkpoints, pipelined, in one transaction.

use std::{future::Future, pin::Pin, sync::Arc};

use event_store_contract::Position;
use futures_util::future::join_all;
use tokio_postgres::{Error, Statement, error::SqlState, types::ToSql};

use crate::{catalog::TableShape, derive::Derived, leases::Held, rows::ColumnArray, session::Session, view::RowsOf};

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

/// Writes what was derived for these targets.
pub(crate) async fn write(
    session: &Session,
    base: &str,
    batch: &[(&Target, &Derived)],
    ending: Ending,
) -> Result<(), WriteError> {
    let mut orders = Vec::new();
    if let Ending::Commit(to) = ending {
        orders.push(checkpoint(session, base, batch, to).await?);
    }
    for (target, derived) in batch {
        order_rows(session, target, derived, &mut orders).await?;
    }
    send(session, &orders, ending).await
}

async fn order_rows(session: &Session, target: &Target, derived: &Derived, orders: &mut Vec<Order>) -> Result<(), Error> {
    let schema = &target.schema;
    for (shape, rows) in target.shapes.iter().zip(&derived.rows.tables) {
        let name = shape.table.name;
        if shape.table.rows_of == RowsOf::Case && !derived.replaced.is_empty() {
            let statement = session
                .statement(&format!("delete from {schema}.{name} where case_id = any($1)"))
                .await?;
            orders.push(Order {
                statement,
                params: vec![Box::new(derived.replaced.clone())],
            });
        }
        if rows.count > 0 {
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
            orders.push(Order { statement, params });
        }
        if shape.table.rows_of == RowsOf::Event && !derived.taken_back.is_empty() {
            let statement = session.statement(&taken_back_sql(schema, name)).await?;
            let (cases, positions): (Vec<_>, Vec<_>) = derived
                .taken_back
                .iter()
                .map(|(case_id, position)| (*case_id, position.0.cast_signed()))
                .unzip();
            orders.push(Order {
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

/// Sends everything at once and waits for all answers. The first error is the one that counts: what follows it in a
/// transaction fails because of it, and the commit then rolls back.
async fn send(session: &Session, orders: &[Order], ending: Ending) -> Result<(), WriteError> {
    type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;
    let client = &session.client;
    let params: Vec<Vec<&(dyn ToSql + Sync)>> = orders
        .iter()
        .map(|order| order.params.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect())
        .collect();
    let mut answers: Vec<Answer<'_>> = Vec::with_capacity(orders.len() + 2);
    if ending != Ending::Inside {
        answers.push(Box::pin(client.batch_execute("begin")));
    }
    for (order, params) in orders.iter().zip(&params) {
        answers.push(Box::pin(
            async move { client.execute(&order.statement, params).await.map(|_| ()) },
        ));
    }
    match ending {
        Ending::Commit(_) => answers.push(Box::pin(client.batch_execute("commit"))),
        Ending::RollBack => answers.push(Box::pin(client.batch_execute("rollback"))),
        Ending::Inside => {}
    }
    for answer in join_all(answers).await {
        answer?;
    }
    Ok(())
}
