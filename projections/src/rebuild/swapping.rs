//! Taking the place of what is shown: one short transaction that renames schemas. No table is locked by it.

use std::{sync::Arc, time::Duration};

use tokio_postgres::{Error, error::SqlState};

use super::{Building, Chase};
use crate::{
    catalog,
    handle::{Inner, ProjectionError},
    session::Session,
    writing::Ending,
};

/// How long the swap waits for the live loop's checkpoint before it lets go and tries again.
const LOCK_TIMEOUT_MS: u32 = 40;
/// How often it tries.
const MAX_ATTEMPTS: u32 = 200;
/// The pause between attempts.
const PAUSE: Duration = Duration::from_millis(20);
/// How many pages may be caught up while the checkpoints are held; with more to do it lets go and catches up first.
const MAX_PAGES_HELD: u32 = 1;

/// What came of an attempt.
enum Attempt {
    Swapped,
    /// The views were held by somebody, or too far behind.
    Again,
}

/// Swaps the generations in, all together.
pub(super) async fn swap(
    inner: &Arc<Inner>,
    session: &Arc<Session>,
    ready: &[Building],
    chase: &mut Chase,
) -> Result<(), ProjectionError> {
    let name = || ready.first().map_or_else(String::new, |view| view.target.name.to_owned());
    for _ in 0..MAX_ATTEMPTS {
        let before = chase.position;
        let attempt = attempt(inner, session, ready, chase).await;
        match attempt {
            Ok(Attempt::Swapped) => {
                for view in ready {
                    drop_old(inner, session, view).await;
                }
                return Ok(());
            }
            Ok(Attempt::Again) => session.client.batch_execute("rollback").await?,
            Err(cause) => {
                session.client.batch_execute("rollback").await?;
                return Err(cause);
            }
        }
        chase.back_to(before);
        while chase.step(session, Ending::Commit(before)).await? {}
        tokio::time::sleep(PAUSE).await;
    }
    Err(ProjectionError::NotSwapped(name()))
}

async fn attempt(
    inner: &Inner,
    session: &Arc<Session>,
    ready: &[Building],
    chase: &mut Chase,
) -> Result<Attempt, ProjectionError> {
    let base = &inner.base;
    let client = &session.client;
    client
        .batch_execute(&format!(
            "begin; set local lock_timeout to {LOCK_TIMEOUT_MS}; set local synchronous_commit to on"
        ))
        .await?;
    // The checkpoints are held from here on: whoever follows these views waits, and then sees that they were swapped.
    let names: Vec<&str> = ready.iter().map(|view| view.target.name).collect();
    let held = client
        .query(
            &format!("select name, generation from {base}.view_lanes where name = any($1) order by name, lane for update"),
            &[&names],
        )
        .await;
    let held = match held {
        Ok(held) => held,
        Err(cause) if is_busy(&cause) => return Ok(Attempt::Again),
        Err(cause) => return Err(cause.into()),
    };
    for row in &held {
        let (name, generation): (&str, i32) = (row.get(0), row.get(1));
        if ready
            .iter()
            .any(|view| view.target.name == name && view.replaces != generation.cast_unsigned())
        {
            return Err(ProjectionError::RebuiltAlready(name.to_owned()));
        }
    }
    let mut pages = 0;
    while chase.step(session, Ending::Inside).await? {
        pages += 1;
        if pages > MAX_PAGES_HELD {
            return Ok(Attempt::Again);
        }
    }
    for view in ready {
        let (public, old) = (catalog::public_schema(base, view.target.name), old_schema(base, view));
        let version = inner.views[view.target.view].version();
        let renamed = client
            .batch_execute(&format!(
                "alter schema {public} rename to {old}; alter schema {0} rename to {public};
                 update {base}.view_status set version = {version}, generation = {1}, position = {2}, stopped_event = null,
                     stopped_stream = null, stopped_revision = null, stopped_position = null, stopped_reason = null,
                     updated_at = now() where name = '{3}';
                 update {base}.view_lanes set generation = {1}, position = {2}, updated_at = now() where name = '{3}'",
                view.target.schema, view.target.generation, chase.position.0, view.target.name
            ))
            .await;
        match renamed {
            Ok(()) => {}
            Err(cause) if is_busy(&cause) => return Ok(Attempt::Again),
            Err(cause) => return Err(cause.into()),
        }
    }
    client.batch_execute("commit").await?;
    Ok(Attempt::Swapped)
}

fn is_busy(cause: &Error) -> bool {
    matches!(cause.code(), Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE || *code == SqlState::T_R_DEADLOCK_DETECTED)
}

fn old_schema(base: &str, view: &Building) -> String {
    format!("{base}_{}_old_g{}", view.target.name, view.replaces)
}

/// Removes what was shown before. Readers that are still in it finish first; nobody new finds it.
async fn drop_old(inner: &Inner, session: &Session, view: &Building) {
    let old = old_schema(&inner.base, view);
    for _ in 0..MAX_ATTEMPTS {
        let drop = format!("begin; set local lock_timeout to {LOCK_TIMEOUT_MS}; drop schema if exists {old} cascade; commit");
        match session.client.batch_execute(&drop).await {
            Ok(()) => return,
            Err(cause) => {
                tracing::debug!(%cause, schema = old, "an old generation is still being read");
                let _ = session.client.batch_execute("rollback").await;
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    tracing::warn!(
        schema = old,
        "an old generation could not be removed; the next rebuild of the view does it"
    );
}
