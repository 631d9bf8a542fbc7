//! What processes tell each other: what changed in which case, and how far the views are.
//!
//! It is told by `PostgreSQL`'s notifications after the change can be read. Whatever was not heard is found in the
//! checkpoints a moment later. A process that is alone tells nobody anything.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use domain::{case::Stage, case_types::CATEGORIES};
use event_store_contract::Position;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use uuid::Uuid;

use crate::{
    catalog,
    handle::{CaseChange, Inner, ProjectionError},
    leases::Duty,
    live::told_to_stop,
};

/// How often the checkpoints are looked at, whether or not anything was heard.
#[cfg(not(test))]
const LOOK: Duration = Duration::from_secs(2);
/// Faster in tests, which wait for it.
#[cfg(test)]
const LOOK: Duration = Duration::from_millis(100);
/// The longest that PostgreSQL may take to answer.
const MAX_ANSWER: Duration = Duration::from_secs(5);
/// How many notifications may wait to be heard; of more the changes are lost and the positions are read.
pub(crate) const MAX_HEARD: usize = 4_096;
/// How many batches may wait to be told; of more the changes are lost and the positions are read.
const MAX_UNTOLD: usize = 1_024;
/// How many changes go into one notification: `PostgreSQL` takes up to 8,000 bytes.
const CHANGES_PER_NOTIFICATION: usize = 40;
/// How many batches are told at once.
const MAX_TOLD_AT_ONCE: usize = 64;

/// What a process tells the others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Told {
    /// These cases changed.
    Changed(Vec<ChangeTold>),
    /// So far views show everything of a lane.
    ComeTo {
        /// The lane.
        lane: u32,
        /// The views.
        views: Vec<(String, u64)>,
    },
    /// Something was swapped or divided, or somebody joined: look at the tables.
    Look,
}

/// A change in a notification's words: case, category, revision, position, stage, whether tasks changed.
type ChangeTold = (Uuid, String, u64, u64, Stage, bool);

/// A notification.
#[derive(Debug, Serialize, Deserialize)]
struct Notification {
    from: Uuid,
    told: Told,
}

/// The changes of a batch in notifications' words.
pub(crate) fn changed(changes: &[CaseChange]) -> impl Iterator<Item = Told> {
    changes.chunks(CHANGES_PER_NOTIFICATION).map(|piece| {
        let told = piece.iter().map(|change| {
            (
                change.case_id,
                change.category.to_owned(),
                change.revision,
                change.position.0,
                change.stage,
                change.worklist,
            )
        });
        Told::Changed(told.collect())
    })
}

fn heard(change: ChangeTold) -> Option<CaseChange> {
    let (case_id, category, revision, position, stage, worklist) = change;
    Some(CaseChange {
        case_id,
        category: CATEGORIES.iter().copied().find(|known| **known == *category)?,
        revision,
        position: Position(position),
        stage,
        worklist,
    })
}

/// Room for what is to be told.
pub(crate) fn to_tell() -> (mpsc::Sender<Told>, mpsc::Receiver<Told>) {
    mpsc::channel(MAX_UNTOLD)
}

/// Listens and tells until told to stop.
pub(crate) async fn run(inner: &Arc<Inner>, mut stop: watch::Receiver<bool>) {
    // One watcher in a process is enough; it holds both ends for as long as it lives.
    let mut ends = tokio::select! {
        ends = inner.ears.lock() => ends,
        () = told_to_stop(&mut stop) => return,
    };
    let (heard, untold) = &mut *ends;
    let mut had_news = look(inner).await;
    let mut look_at = Instant::now() + LOOK;
    inner.tell_others(Told::Look);
    loop {
        if let Err(cause) = &had_news {
            tracing::warn!(%cause, "the views' checkpoints cannot be looked at");
        }
        tokio::select! {
            () = told_to_stop(&mut stop) => break,
            Some(payload) = heard.recv() => had_news = hear(inner, &payload).await,
            Some(first) = untold.recv() => had_news = tell(inner, first, untold).await,
            // However much is heard: who hears all the time must still say that they are there, and see who else is.
            () = tokio::time::sleep_until(look_at) => {
                had_news = look(inner).await;
                look_at = Instant::now() + LOOK;
            }
        }
    }
    let _ = inner.leases.leave(Duty::Answering).await;
}

/// Looks at the checkpoints. A database that does not answer is asked again later.
async fn look(inner: &Inner) -> Result<(), ProjectionError> {
    tokio::time::timeout(MAX_ANSWER, look_at_checkpoints(inner))
        .await
        .unwrap_or_else(|_| Err(ProjectionError::Database("it does not answer".to_owned())))
}

async fn look_at_checkpoints(inner: &Inner) -> Result<(), ProjectionError> {
    let beat = inner.leases.beat(Duty::Answering).await?;
    inner.others.store(beat.others, Ordering::Relaxed);
    let session = inner.leases.session().await?;
    let records = catalog::load(&session.client, &inner.base).await?;
    if inner.leases.was_lost() {
        inner.shown.forget();
    }
    if inner.take_records(&records) {
        inner.swapped.notify_waiters();
    }
    inner.show();
    Ok(())
}

/// Takes in what somebody told.
async fn hear(inner: &Inner, payload: &str) -> Result<(), ProjectionError> {
    let Ok(notification) = serde_json::from_str::<Notification>(payload) else {
        // Another version's words.
        return look(inner).await;
    };
    if notification.from == inner.leases.member() {
        return Ok(());
    }
    match notification.told {
        Told::Look => look(inner).await?,
        Told::Changed(changes) => {
            let changes = changes.into_iter().filter_map(heard).collect();
            let _ = inner.changes.send(Arc::new(changes));
        }
        Told::ComeTo { lane, views } => {
            let come_to = views.iter().map(|(view, position)| (view.as_str(), Position(*position)));
            inner.shown.advance(lane, come_to);
            inner.show();
        }
    }
    Ok(())
}

/// Tells what waits to be told. Of several positions of a lane the last one counts.
async fn tell(inner: &Inner, first: Told, untold: &mut mpsc::Receiver<Told>) -> Result<(), ProjectionError> {
    let mut all = vec![first];
    while all.len() < MAX_TOLD_AT_ONCE
        && let Ok(more) = untold.try_recv()
    {
        all.push(more);
    }
    let is_overtaken = |at: usize| match &all[at] {
        Told::ComeTo { lane, .. } => all[at + 1..]
            .iter()
            .any(|later| matches!(later, Told::ComeTo { lane: same, .. } if same == lane)),
        _ => false,
    };
    let payloads: Vec<String> = (0..all.len())
        .filter(|at| !is_overtaken(*at))
        .filter_map(|at| {
            serde_json::to_string(&Notification {
                from: inner.leases.member(),
                told: all[at].clone(),
            })
            .ok()
        })
        .collect();
    let session = inner.leases.session().await?;
    let statement = session
        .statement("select pg_notify($1, payload) from unnest($2::text[]) with ordinality as told(payload, at) order by at")
        .await?;
    session
        .client
        .query(&statement, &[&inner.leases.channel(), &payloads])
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_notification_of_changes_is_short_enough_for_postgresql() {
        let change = CaseChange {
            case_id: Uuid::max(),
            category: CATEGORIES[0],
            revision: u64::MAX,
            position: Position(u64::MAX),
            stage: Stage::Accepted,
            worklist: false,
        };
        let many = vec![change; 100];
        for told in changed(&many) {
            let notification = Notification { from: Uuid::max(), told };
            assert!(serde_json::to_string(&notification).unwrap().len() < 8_000);
        }
    }
}
