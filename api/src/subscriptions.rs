//! 订阅: what changes, told after it can be read.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, SimpleObject, Subscription as GraphqlSubscription};
use event_store_contract::Position;
use futures_util::{Stream, StreamExt, stream};
use projections::{
    CaseChange, Projections,
    case_list::{self, CaseFilter, CaseSort, Paging},
    worklist::query as worklist,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch};
use uuid::Uuid;

use crate::{
    asked::{principal, state},
    cases::{Case, CaseFilterInput},
    errors::Code,
    ids::GlobalId,
    scalars::LogPosition,
    worklist::{WorklistTask, narrowed},
};

/// How many changes of one batch are looked up for one subscriber at once; a larger batch is looked up in pieces.
const MAX_LOOKED_UP: usize = 100;

/// A case that changed.
#[derive(SimpleObject)]
struct CaseChanged {
    /// The case, as it can be read now.
    case: Case,
    /// Where its last event stands in the log.
    position: LogPosition,
}

/// A worklist that changed in one case.
#[derive(SimpleObject)]
struct WorklistChanged {
    /// The case's global id.
    case_id: ID,
    /// What waits in it now, of what was subscribed to; empty, when nothing does any more.
    tasks: Vec<WorklistTask>,
    /// Where its last event stands in the log.
    position: LogPosition,
}

/// What may be subscribed to. A subscriber that cannot keep up is told of the newest and misses some in between.
pub(crate) struct Subscription;

#[GraphqlSubscription]
impl Subscription {
    /// 办件变更: a case that changed, one or all that the filter lets through.
    async fn case_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this case")] id: Option<ID>,
        #[graphql(desc = "Only cases that are so after the change")] filter: Option<CaseFilterInput>,
    ) -> Result<impl Stream<Item = CaseChanged> + use<>, Error> {
        let seat = seat(ctx)?;
        let only = id
            .map(|id| GlobalId::decode_case(&id))
            .transpose()
            .map_err(|cause| Code::BadInput.error(cause))?;
        let filter = filter.unwrap_or_default().narrowed(principal(ctx)?);
        let filter = filter.ok_or_else(|| Code::Forbidden.error("this region is not yours to see"))?;
        let projections = state(ctx)?.projections.clone();
        let committed = batches(&projections);
        Ok(committed
            .then(move |batch| {
                let (projections, filter) = (projections.clone(), filter.clone());
                async move {
                    let ids: Vec<Uuid> = of_interest(&batch, only.map(|(_, id)| id))
                        .map(|change| change.case_id)
                        .collect();
                    look_up(&projections, filter, &ids).await
                }
            })
            .flat_map(move |cases| {
                // The seat is held for as long as the stream lives.
                let _held = &seat;
                stream::iter(cases)
            }))
    }

    /// 待办变更: the tasks of a case, of a role or a person, after they changed.
    async fn worklist_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the caller could work on")] mine: Option<bool>,
        #[graphql(desc = "For this role, or for this section (`org:…`)")] role: Option<String>,
        #[graphql(desc = "Given to this account")] assignee: Option<String>,
        #[graphql(desc = "In this administrative division, with its subdivisions")] region: Option<String>,
    ) -> Result<impl Stream<Item = WorklistChanged> + use<>, Error> {
        let seat = seat(ctx)?;
        let filter = narrowed(
            principal(ctx)?,
            mine.unwrap_or(false),
            role,
            assignee,
            region.as_deref(),
            None,
            None,
        );
        let filter = filter.ok_or_else(|| Code::Forbidden.error("this worklist is not yours to see"))?;
        let projections = state(ctx)?.projections.clone();
        let prefix = filter.region_prefix.clone();
        let committed = batches(&projections);
        Ok(committed
            .then(move |batch| {
                let (projections, filter, prefix) = (projections.clone(), filter.clone(), prefix.clone());
                async move {
                    let mut changed = Vec::new();
                    for touched in of_interest(&batch, None).filter(|touched| touched.worklist) {
                        changed.extend(tasks_of(&projections, &filter, prefix.as_deref(), touched).await);
                    }
                    changed
                }
            })
            .flat_map(move |changed| {
                let _held = &seat;
                stream::iter(changed)
            }))
    }

    /// 视图推进: the position up to which all running views show everything, whenever it grows.
    async fn views_advanced(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = LogPosition> + use<>, Error> {
        let seat = seat(ctx)?;
        let advanced = state(ctx)?.projections.advanced();
        Ok(stream::unfold(
            (advanced, seat),
            |(mut advanced, seat): (watch::Receiver<Position>, _)| async move {
                advanced.changed().await.ok()?;
                let position = *advanced.borrow_and_update();
                Some((LogPosition(position), (advanced, seat)))
            },
        ))
    }
}

/// A seat among the connection's subscriptions.
fn seat(ctx: &Context<'_>) -> Result<OwnedSemaphorePermit, Error> {
    let seats = ctx.data::<Arc<Semaphore>>()?;
    Arc::clone(seats)
        .try_acquire_owned()
        .map_err(|_| Code::BadInput.error("this connection has too many subscriptions; end some first"))
}

/// What changed, batch by batch. Whoever was too slow goes on with what is still there.
fn batches(projections: &Projections) -> impl Stream<Item = Arc<Vec<CaseChange>>> + use<> {
    stream::unfold(projections.changes(), |mut changes| async move {
        loop {
            match changes.recv().await {
                Ok(batch) => return Some((batch, changes)),
                Err(broadcast::error::RecvError::Lagged(missed)) => tracing::debug!(missed, "a subscriber was too slow"),
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    })
}

fn of_interest(batch: &[CaseChange], only: Option<Uuid>) -> impl Iterator<Item = &CaseChange> {
    batch
        .iter()
        .filter(move |change| only.is_none_or(|only| only == change.case_id))
}

/// The cases among these that the filter lets through, as they can be read now.
async fn look_up(projections: &Projections, filter: CaseFilter, ids: &[Uuid]) -> Vec<CaseChanged> {
    let mut found = Vec::new();
    for piece in ids.chunks(MAX_LOOKED_UP) {
        let filter = CaseFilter {
            ids: Some(piece.to_vec()),
            ..filter.clone()
        };
        let sort = CaseSort {
            descending: false,
            ..CaseSort::default()
        };
        match case_list::page(projections.database(), &filter, sort, &Paging::first(MAX_LOOKED_UP)).await {
            Ok(page) => found.extend(page.cases),
            Err(cause) => tracing::warn!(%cause, "a change could not be told to a subscriber"),
        }
    }
    let changed = found.into_iter().filter_map(|row| {
        let position = LogPosition(Position(row.position.cast_unsigned()));
        Some(CaseChanged {
            case: Case::of(row)?,
            position,
        })
    });
    changed.collect()
}

/// What waits in a case now, of what was subscribed to; none, if the case is not the subscriber's to see.
async fn tasks_of(
    projections: &Projections,
    filter: &worklist::TaskFilter,
    prefix: Option<&str>,
    change: &CaseChange,
) -> Option<WorklistChanged> {
    let database = projections.database();
    let filter = worklist::TaskFilter {
        case_id: Some(change.case_id),
        ..filter.clone()
    };
    let row = case_list::find(database, change.case_id).await.ok()??;
    if prefix.is_some_and(|prefix| !row.region.starts_with(prefix)) {
        return None;
    }
    let page = worklist::page(database, &filter, worklist::MAX_PAGE_TASKS, None).await.ok()?;
    Some(WorklistChanged {
        case_id: GlobalId::Case {
            category: change.category,
            case_id: change.case_id,
        }
        .encode()
        .into(),
        tasks: page.tasks.into_iter().map(WorklistTask::from).collect(),
        position: LogPosition(change.position),
    })
}
