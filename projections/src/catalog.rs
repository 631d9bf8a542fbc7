//! What stands where: the table of views with their checkpoints, and the schemas of their generations.
//!
//! A view's tables live in the schema `<base>_<view>`. A generation that is being built lives beside it, in
//! `<base>_<view>_v<version>_g<generation>`, and takes its name in the moment of the swap. A schema is renamed without
//! a lock on its tables, so nobody who reads is made to wait.

use std::collections::BTreeMap;

use event_store_contract::Position;
use tokio_postgres::{Client, Error, Row};
use uuid::Uuid;

use crate::{
    leases::Held,
    status::{Stop, ViewState},
    view::{Table, View},
};

/// The line in a view's SQL after which it says what is done when the rows are in.
const AFTER_LOADING: &str = "-- after loading";
/// The key of the lock that keeps two programs from laying out the same database at once.
const LAYOUT_LOCK: i64 = 0x007a_6875_6c75;

/// What the table of views says of one.
#[derive(Debug, Clone)]
pub(crate) struct ViewRecord {
    pub(crate) name: String,
    pub(crate) version: u32,
    pub(crate) generation: u32,
    /// Up to where it is shown: the least of its checkpoints.
    pub(crate) position: Position,
    /// The checkpoint of each lane.
    pub(crate) lanes: Vec<Position>,
    pub(crate) state: ViewState,
}

/// A table as it was created: what its rows must be written as.
#[derive(Debug, Clone)]
pub(crate) struct TableShape {
    pub(crate) table: Table,
    /// `a, b, c`
    pub(crate) columns: String,
    /// `$1::uuid[], $2::text[], …`
    pub(crate) arrays: String,
    pub(crate) type_oids: Vec<u32>,
}

/// The schema that readers see.
pub(crate) fn public_schema(base: &str, view: &str) -> String {
    format!("{base}_{view}")
}

/// The schema of a generation while it is built beside the one that is shown.
pub(crate) fn side_schema(base: &str, view: &dyn View, generation: u32) -> String {
    format!("{base}_{}_v{}_g{generation}", view.name(), view.version())
}

/// Makes what is not a view, and an empty generation of each view that never was; tells into how many lanes the streams
/// are divided. A database that is laid out for the first time is divided as told, into one lane if nothing was.
pub(crate) async fn lay_out(client: &Client, base: &str, views: &[Box<dyn View>], lanes: Option<u32>) -> Result<u32, Error> {
    client
        .batch_execute(&format!(
            "begin; select pg_advisory_xact_lock({LAYOUT_LOCK});
             create schema if not exists {base};
             create table if not exists {base}.view_status (
                 name text primary key, version int4 not null, generation int4 not null, position int8 not null,
                 stopped_event uuid, stopped_stream text, stopped_revision int8, stopped_position int8, stopped_reason text,
                 updated_at timestamptz not null default now()
             ) with (fillfactor = 50);
             create table if not exists {base}.bookmarks (name text primary key, position int8 not null);
             {}
             insert into {base}.house (lanes) values ({}) on conflict do nothing;",
            lanes_sql(base),
            lanes.unwrap_or(1)
        ))
        .await?;
    let row = client.query_one(&format!("select lanes from {base}.house"), &[]).await?;
    let lanes = row.get::<_, i32>(0).cast_unsigned();
    let known = load(client, base).await?;
    for view in views.iter().filter(|view| !known.contains_key(view.name())) {
        let schema = public_schema(base, view.name());
        client
            .batch_execute(&format!("drop schema if exists {schema} cascade"))
            .await?;
        create_tables(client, &schema, view.as_ref()).await?;
        client
            .batch_execute(&format!("set local search_path to {schema}; {}", split_sql(view.as_ref()).1))
            .await?;
        client
            .execute(
                &format!("insert into {base}.view_status (name, version, generation, position) values ($1, $2, 1, 0)"),
                &[&view.name(), &view.version().cast_signed()],
            )
            .await?;
    }
    // A view that stopped may try again when the program starts again: it may be another program.
    client
        .batch_execute(&format!(
            "update {base}.view_status set stopped_event = null, stopped_stream = null, stopped_revision = null, \
             stopped_position = null, stopped_reason = null where stopped_event is not null;
             {}
             insert into {base}.leases (what, lane, lanes) select what, lane, {lanes}
             from unnest(array['views', 'reactions']) as what, generate_series(0, {lanes} - 1) as lane
             on conflict do nothing; commit",
            missing_checkpoints_sql(base)
        ))
        .await?;
    Ok(lanes)
}

/// The tables of lanes: how many there are, how far each view is in each, who takes part, and who holds what.
fn lanes_sql(base: &str) -> String {
    format!(
        "create table if not exists {base}.house (one bool primary key default true check (one), lanes int4 not null);
         create table if not exists {base}.view_lanes (
             name text, lane int4, generation int4 not null, epoch int8 not null default 0, position int8 not null,
             updated_at timestamptz not null default now(), primary key (name, lane)
         ) with (fillfactor = 50);
         create table if not exists {base}.members (
             id uuid, duty text, pid int4 not null, backend_start timestamptz not null, until timestamptz not null,
             primary key (id, duty)
         ) with (fillfactor = 50);
         create table if not exists {base}.leases (
             what text, lane int4, lanes int4 not null, holder uuid, epoch int8 not null default 0, until timestamptz,
             primary key (what, lane)
         ) with (fillfactor = 50);"
    )
}

/// A lane without a checkpoint begins where its view's generation begins.
pub(crate) fn missing_checkpoints_sql(base: &str) -> String {
    format!(
        "insert into {base}.view_lanes (name, lane, generation, position)
         select view.name, lane, view.generation, view.position
         from {base}.view_status as view, {base}.house, generate_series(0, house.lanes - 1) as lane
         on conflict do nothing;"
    )
}

/// Makes the checkpoints of a lane those of this lease; whether they are. From then on an earlier holder's writing fails.
pub(crate) async fn claim(client: &Client, base: &str, held: Held) -> Result<bool, Error> {
    let lane = held.lane.index.cast_signed();
    client
        .execute(
            &format!(
                "with mine as (select 1 from {base}.leases where what = 'views' and lane = $1 and epoch = $2 for share)
                 update {base}.view_lanes set epoch = $2 where lane = $1 and epoch < $2 and exists (select from mine)"
            ),
            &[&lane, &held.epoch],
        )
        .await?;
    let row = client
        .query_one(
            &format!("select coalesce(bool_and(epoch = $2), false) from {base}.view_lanes where lane = $1"),
            &[&lane, &held.epoch],
        )
        .await?;
    Ok(row.get(0))
}

/// The table of views.
pub(crate) async fn load(client: &Client, base: &str) -> Result<BTreeMap<String, ViewRecord>, Error> {
    let rows = client.query(&records_sql(base), &[]).await?;
    Ok(rows.iter().map(record).map(|record| (record.name.clone(), record)).collect())
}

/// The query behind [`load`].
pub(crate) fn records_sql(base: &str) -> String {
    format!(
        "select name, version, generation, position, stopped_event, stopped_stream, stopped_revision, stopped_position, \
         stopped_reason, array(select lane.position from {base}.view_lanes as lane where lane.name = view.name order by lane.lane) \
         from {base}.view_status as view"
    )
}

/// One line of the table of views.
pub(crate) fn record(row: &Row) -> ViewRecord {
    let state = match row.get::<_, Option<Uuid>>(4) {
        None => ViewState::Running,
        Some(event_id) => ViewState::Stopped(Stop {
            event_id,
            stream: row.get::<_, Option<String>>(5).unwrap_or_default(),
            revision: row.get::<_, Option<i64>>(6).unwrap_or_default().cast_unsigned(),
            position: Position(row.get::<_, Option<i64>>(7).unwrap_or_default().cast_unsigned()),
            reason: row.get::<_, Option<String>>(8).unwrap_or_default(),
        }),
    };
    let lanes: Vec<Position> = row
        .get::<_, Vec<i64>>(9)
        .into_iter()
        .map(|position| Position(position.cast_unsigned()))
        .collect();
    let began = Position(row.get::<_, i64>(3).cast_unsigned());
    ViewRecord {
        name: row.get(0),
        version: row.get::<_, i32>(1).cast_unsigned(),
        generation: row.get::<_, i32>(2).cast_unsigned(),
        position: lanes.iter().min().copied().unwrap_or(began),
        lanes,
        state,
    }
}

/// Writes down at which event a view stopped.
pub(crate) async fn mark_stopped(client: &Client, base: &str, view: &str, stop: &Stop) -> Result<(), Error> {
    client
        .execute(
            &format!(
                "update {base}.view_status set stopped_event = $2, stopped_stream = $3, stopped_revision = $4, \
                 stopped_position = $5, stopped_reason = $6, updated_at = now() where name = $1"
            ),
            &[
                &view,
                &stop.event_id,
                &stop.stream,
                &stop.revision.cast_signed(),
                &stop.position.0.cast_signed(),
                &stop.reason.replace('\0', ""),
            ],
        )
        .await?;
    Ok(())
}

/// What to run before the rows are loaded, and what after.
pub(crate) fn split_sql(view: &dyn View) -> (&'static str, &'static str) {
    view.tables_sql().split_once(AFTER_LOADING).unwrap_or((view.tables_sql(), ""))
}

/// Creates a schema with a view's tables, without their indexes.
pub(crate) async fn create_tables(client: &Client, schema: &str, view: &dyn View) -> Result<(), Error> {
    client
        .batch_execute(&format!(
            "create schema {schema}; set local search_path to {schema}; {}",
            split_sql(view).0
        ))
        .await
}

/// What the tables of a view must be written as.
pub(crate) async fn shapes(client: &Client, schema: &str, view: &dyn View) -> Result<Vec<TableShape>, Error> {
    let mut shapes = Vec::new();
    for table in view.tables() {
        let rows = client
            .query(
                "select a.attname::text, format_type(a.atttypid, a.atttypmod), a.atttypid from pg_attribute a \
                 where a.attrelid = $1::text::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum",
                &[&format!("{schema}.{}", table.name)],
            )
            .await?;
        let columns: Vec<String> = rows.iter().map(|row| format!("\"{}\"", row.get::<_, &str>(0))).collect();
        let arrays: Vec<String> = rows
            .iter()
            .enumerate()
            .map(|(at, row)| format!("${}::{}[]", at + 1, row.get::<_, &str>(1)))
            .collect();
        shapes.push(TableShape {
            table: *table,
            columns: columns.join(", "),
            arrays: arrays.join(", "),
            type_oids: rows.iter().map(|row| row.get(2)).collect(),
        });
    }
    Ok(shapes)
}
