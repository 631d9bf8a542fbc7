//! Dividing the streams into lanes, and dividing them anew.
//!
//! One lane is enough for one machine. More let several processes keep the views and react at the same time, each in
//! lanes of its own. Divided anew, every view goes on in all new lanes from one place of the log: what the slower of the
//! old lanes are behind is caught up first, in the same transaction.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use event_store_contract::{Lane, MAX_LANES, Page, Position};

use crate::{
    catalog::{self, ViewRecord},
    derive::Folder,
    fold::{is_rule_change, rules_at},
    handle::{Inner, ProjectionError},
    leases::Held,
    session::Session,
    status::ViewState,
    writing::{Ending, Target, WriteError, write},
};

/// How often it is tried to stop the views at one place.
const MAX_ATTEMPTS: u32 = 20;
/// The pause between attempts.
const PAUSE: Duration = Duration::from_millis(500);
/// How long one attempt waits for those who write.
const LOCK_TIMEOUT_MS: u32 = 2_000;
/// The most positions that are caught up while everybody waits; views that are further behind are left to catch up first.
const MAX_POSITIONS_BEHIND: u64 = 20_000;
/// How many events are caught up in one batch.
const EVENTS_PER_BATCH: usize = 5_000;

/// Refuses numbers of lanes that cannot be.
pub(crate) fn check(lanes: u32) -> Result<(), ProjectionError> {
    if (1..=MAX_LANES).contains(&lanes) {
        return Ok(());
    }
    Err(ProjectionError::BadLanes(lanes))
}

/// Into how many lanes the streams are divided.
pub(crate) async fn count(inner: &Inner) -> Result<u32, ProjectionError> {
    let rows = inner
        .database
        .query(&format!("select lanes from {}.house", inner.base), &[])
        .await?;
    Ok(rows.first().map_or(1, |row| row.get::<_, i32>(0).cast_unsigned()))
}

/// Divides the streams into so many lanes.
pub(crate) async fn deal(inner: &Arc<Inner>, lanes: u32) -> Result<(), ProjectionError> {
    check(lanes)?;
    let session = inner.database.dedicated().await?;
    let mut why = String::new();
    for _ in 0..MAX_ATTEMPTS {
        match attempt(inner, &session, lanes).await {
            Ok(()) => {
                // Nobody may have told us who the others are; they are told in any case.
                inner.swapped.notify_waiters();
                return Ok(());
            }
            Err(cause) => {
                session.client.batch_execute("rollback").await?;
                why = cause.to_string();
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(ProjectionError::NotDealt(why))
}

async fn attempt(inner: &Arc<Inner>, session: &Session, lanes: u32) -> Result<(), ProjectionError> {
    let base = &inner.base;
    session
        .client
        .batch_execute(&format!(
            "begin; set local lock_timeout to {LOCK_TIMEOUT_MS};
             select from {base}.view_lanes order by name, lane for update"
        ))
        .await?;
    let records = catalog::load(&session.client, base).await?;
    let head = records
        .values()
        .flat_map(|record| record.lanes.iter().copied())
        .max()
        .unwrap_or_default();
    catch_up(inner, session, &records, head).await?;
    let bookmarks = bookmarks_anew(inner, session, lanes).await?;
    session
        .client
        .batch_execute(&format!(
            "update {base}.house set lanes = {lanes};
             update {base}.view_status as view set position = greatest(view.position, (
                 select max(lane.position) from {base}.view_lanes as lane where lane.name = view.name));
             delete from {base}.view_lanes;
             {}
             update {base}.leases set lanes = {lanes}, epoch = epoch + 1, holder = null;
             delete from {base}.leases where lane >= {lanes};
             insert into {base}.leases (what, lane, lanes, epoch)
             select what, lane, {lanes}, (select max(epoch) from {base}.leases)
             from unnest(array['views', 'reactions']) as what, generate_series(0, {lanes} - 1) as lane
             on conflict do nothing;
             {bookmarks}
             commit",
            catalog::missing_checkpoints_sql(base)
        ))
        .await?;
    Ok(())
}

/// Brings the slower lanes of each view to where its fastest is.
async fn catch_up(
    inner: &Arc<Inner>,
    session: &Session,
    records: &BTreeMap<String, ViewRecord>,
    head: Position,
) -> Result<(), ProjectionError> {
    let of = records.values().map(|record| record.lanes.len()).max().unwrap_or(1);
    let of = u32::try_from(of).unwrap_or(MAX_LANES);
    for index in 0..of {
        let mut targets = Vec::new();
        for (at, view) in inner.views.iter().enumerate() {
            let Some(record) = records.get(view.name()) else { continue };
            let to = record.lanes.iter().max().copied().unwrap_or_default();
            let position = record.lanes.get(index as usize).copied().unwrap_or(to);
            if position == to {
                continue;
            }
            if record.state != ViewState::Running || to < head || to.0 - position.0 > MAX_POSITIONS_BEHIND {
                return Err(ProjectionError::NotDealt(format!(
                    "{} is at {} in lane {index}, others at {}; let it catch up or rebuild it",
                    view.name(),
                    position.0,
                    head.0
                )));
            }
            let schema = catalog::public_schema(&inner.base, view.name());
            targets.push(
                Target::of(
                    session,
                    (at, view.as_ref()),
                    record.generation,
                    schema,
                    position,
                    Held::NOBODY,
                )
                .await?,
            );
        }
        if !targets.is_empty() {
            write_through(inner, session, Lane { index, of }, targets, head).await?;
        }
    }
    Ok(())
}

/// Writes what happened in a lane up to a position, in the transaction that is under way.
async fn write_through(
    inner: &Arc<Inner>,
    session: &Session,
    lane: Lane,
    mut targets: Vec<Target>,
    head: Position,
) -> Result<(), ProjectionError> {
    let mut at = targets.iter().map(|target| target.position).min().unwrap_or_default();
    let mut folder = Folder::new(inner.store.clone(), inner.views.clone(), rules_at(&inner.store, at).await?);
    while at < head {
        let after = Some(at).filter(|at| at.0 > 0);
        let page: Page = inner.store.read_all(after, EVENTS_PER_BATCH, &Inner::filter()).await?;
        let mut events = page.events;
        events.retain(|event| event.position <= head && (lane.has(&event.stream) || is_rule_change(event)));
        let (derived, _) = folder.derive(&events, &targets).await?;
        if let Some(stop) = derived.iter().find_map(|derived| derived.stop.as_ref()) {
            return Err(ProjectionError::NotDealt(format!("{}: {}", stop.stream, stop.reason)));
        }
        let batch: Vec<_> = targets.iter().zip(&derived).collect();
        match write(session, &inner.base, &batch, Ending::Inside).await {
            Ok(()) => {}
            Err(WriteError::Sql(cause)) => return Err(cause.into()),
            Err(WriteError::Fenced) => return Err(ProjectionError::BrokenOff("a checkpoint moved".to_owned())),
        }
        at = page.position.unwrap_or(head);
        for target in &mut targets {
            target.position = target.position.max(at.min(head));
        }
        if page.end {
            break;
        }
    }
    Ok(())
}

/// Where readers go on in the new lanes: where the slowest of the old ones is. What they do again is done once.
async fn bookmarks_anew(inner: &Inner, session: &Session, lanes: u32) -> Result<String, ProjectionError> {
    let base = &inner.base;
    let rows = session
        .client
        .query(
            &format!(
                "select split_part(name, '/', 1), min(position), count(*) = (select lanes from {base}.house) \
                 from {base}.bookmarks group by 1"
            ),
            &[],
        )
        .await?;
    let mut sql = format!("delete from {base}.bookmarks;");
    for row in &rows {
        let (reader, position, is_known): (&str, i64, bool) = (row.get(0), row.get(1), row.get(2));
        // A lane that never read begins at the beginning; so do all of them then.
        for index in (0..lanes).filter(|_| is_known) {
            let name = bookmark_name(reader, Lane { index, of: lanes }).replace('\'', "''");
            sql = format!("{sql} insert into {base}.bookmarks (name, position) values ('{name}', {position});");
        }
    }
    Ok(sql)
}

/// The name of a reader's bookmark in a lane.
pub(crate) fn bookmark_name(reader: &str, lane: Lane) -> String {
    if lane.is_whole() {
        return reader.to_owned();
    }
    format!("{reader}/{}", lane.index)
}
