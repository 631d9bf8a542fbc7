//! 历史: what happened, what was, and what changed. Reads streams, never views.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use commands::{CaseDiff, Changed, HistoryEvent, Moment};
use domain::metadata::{Actor, bureau_date};
use event_store_contract::{Direction, Position};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    asked::{principal, state},
    cases::may_see,
    connection::{PageInfo, Piece},
    errors::{Code, refused},
    file::CaseFile,
    ids::{GlobalId, decode_cursor, encode_cursor},
    scalars::{LogPosition, small},
    words::Channel,
};

/// Somebody who acted, as they were at that time (经办人).
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Doer {
    /// The account's id.
    id: String,
    /// The name at that time.
    name: String,
    /// The role in which they acted.
    role: String,
    /// Their organisation.
    organisation: String,
    /// Through which channel.
    channel: Channel,
    /// For whom, if not for themselves (代理).
    on_behalf_of: Option<String>,
}

impl From<Actor> for Doer {
    fn from(actor: Actor) -> Self {
        Self {
            id: actor.id,
            name: actor.name,
            role: actor.role,
            organisation: actor.organisation,
            channel: actor.channel.into(),
            on_behalf_of: actor.on_behalf_of,
        }
    }
}

/// 办理过程: one thing that happened, in plain words.
#[derive(SimpleObject)]
pub(crate) struct TimelineEntry {
    /// The event.
    event_id: Uuid,
    /// Its revision in the case.
    revision: i32,
    /// Its place in the log.
    position: LogPosition,
    /// The event's stored name, such as `PermitIssued`.
    name: String,
    /// 一句话说明
    title: String,
    /// The same in English.
    title_en: String,
    /// Who did it.
    actor_name: String,
    /// In which role.
    actor_role: String,
    /// Through which channel.
    channel: String,
    /// When it happened.
    occurred_at: DateTime<Utc>,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
    /// 办理依据
    legal_basis: Option<String>,
}

impl From<projections::timeline::query::TimelineEntry> for TimelineEntry {
    fn from(entry: projections::timeline::query::TimelineEntry) -> Self {
        Self {
            event_id: entry.event_id,
            revision: small(entry.revision),
            position: LogPosition(Position(entry.position.cast_unsigned())),
            name: entry.name,
            title: entry.title_zh,
            title_en: entry.title_en,
            actor_name: entry.actor_name,
            actor_role: entry.actor_role,
            channel: entry.channel,
            occurred_at: entry.occurred_at,
            recorded_at: entry.recorded_at,
            legal_basis: entry.legal_basis,
        }
    }
}

/// One event of a case's history, whole.
#[derive(SimpleObject)]
pub(crate) struct CaseEvent {
    /// The event.
    event_id: Uuid,
    /// Its number in the stream, from 0.
    revision: i32,
    /// Its place in the whole log.
    position: LogPosition,
    /// Its stored name.
    name: String,
    /// 一句话说明
    title: String,
    /// The same in English.
    title_en: String,
    /// What happened, as it is stored.
    data: Value,
    /// Who did it.
    actor: Doer,
    /// The command that made it.
    command_id: Uuid,
    /// The command's name.
    command: String,
    /// The first command of the chain that it belongs to.
    correlation_id: Uuid,
    /// The event that led to the command, or the command itself.
    causation_id: Uuid,
    /// When it happened.
    occurred_at: DateTime<Utc>,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
    /// The administrative division whose bureau acted.
    region: String,
    /// 办理依据
    legal_basis: Option<String>,
    /// The link of the stream's hash chain, SHA-256 in hex.
    hash: String,
}

impl From<HistoryEvent> for CaseEvent {
    fn from(event: HistoryEvent) -> Self {
        Self {
            event_id: event.id,
            revision: revision(event.revision),
            position: LogPosition(event.position),
            name: event.name,
            title: event.title_zh,
            title_en: event.title_en,
            // The history door has parsed the event already: it is JSON.
            data: serde_json::from_str(event.data.get()).unwrap_or_default(),
            actor: event.metadata.actor.into(),
            command_id: event.metadata.command_id,
            command: event.metadata.command,
            correlation_id: event.metadata.correlation_id,
            causation_id: event.metadata.causation_id,
            occurred_at: event.metadata.occurred_at,
            recorded_at: event.metadata.recorded_at,
            region: event.metadata.region,
            legal_basis: event.metadata.legal_basis,
            hash: event.hash,
        }
    }
}

fn revision(revision: u64) -> i32 {
    i32::try_from(revision).unwrap_or(i32::MAX)
}

/// One event with its place in the history.
#[derive(SimpleObject)]
pub(crate) struct HistoryEdge {
    /// The place of this event in the history.
    cursor: String,
    /// The event.
    node: CaseEvent,
}

/// A page of a case's history, the oldest first.
#[derive(SimpleObject)]
pub(crate) struct HistoryConnection {
    /// The events with their places.
    edges: Vec<HistoryEdge>,
    /// Where the page stands in the history.
    page_info: PageInfo,
}

/// The name of the one order of a history, as cursors carry it.
const ORDER: &str = "revision";

impl HistoryConnection {
    /// Reads a page of a history that the caller may see.
    pub(crate) async fn read(
        ctx: &Context<'_>,
        category: &str,
        case_id: Uuid,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Self, Error> {
        let limit = Piece::asked(first, None)?.limit;
        let from = match &after {
            None => 0,
            Some(cursor) => {
                let values = decode_cursor(cursor, ORDER, 1).map_err(|cause| Code::BadInput.error(cause))?;
                values[0]
                    .parse::<u64>()
                    .map_err(|_| Code::BadInput.error(crate::ids::CursorError))?
                    .saturating_add(1)
            }
        };
        let bureau = &state(ctx)?.bureau;
        let mut events = bureau
            .case_history(category, case_id, from, limit + 1, Direction::Forwards)
            .await
            .map_err(refused)?;
        let has_next_page = events.len() > limit;
        events.truncate(limit);
        let edges: Vec<HistoryEdge> = events
            .into_iter()
            .map(|event| HistoryEdge {
                cursor: encode_cursor(ORDER, &[&event.revision.to_string()]),
                node: event.into(),
            })
            .collect();
        let page_info = PageInfo {
            has_previous_page: from > 0,
            has_next_page,
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: edges.last().map(|edge| edge.cursor.clone()),
        };
        Ok(Self { edges, page_info })
    }
}

/// A moment in a history; exactly one of its fields.
#[derive(Debug, Clone, Copy, InputObject)]
pub(crate) struct MomentInput {
    /// After the event of this revision.
    revision: Option<i32>,
    /// What was on record at this instant.
    recorded_at: Option<DateTime<Utc>>,
    /// What had happened by this instant, as far as is known today; what was entered later counts from when it happened.
    occurred_at: Option<DateTime<Utc>>,
}

impl MomentInput {
    pub(crate) fn moment(self) -> Result<Moment, Error> {
        match (self.revision, self.recorded_at, self.occurred_at) {
            (Some(revision), None, None) => u64::try_from(revision)
                .map(Moment::Revision)
                .map_err(|_| Code::BadInput.error("revisions count from 0")),
            (None, Some(at), None) => Ok(Moment::RecordedAt(at)),
            (None, None, Some(at)) => Ok(Moment::OccurredAt(at)),
            _ => Err(Code::BadInput.error("name the moment by exactly one of revision, recordedAt, occurredAt")),
        }
    }
}

/// A case as it was (时点还原).
#[derive(SimpleObject)]
pub(crate) struct CaseMoment {
    /// The revision of the last event that is in it.
    revision: i32,
    /// When that event was recorded.
    recorded_at: DateTime<Utc>,
    /// When that event happened.
    occurred_at: DateTime<Utc>,
    /// How many events are in it.
    events_seen: i32,
    /// Everything that the case remembered then; its clock is told for that day.
    file: CaseFile,
}

/// What changed between two moments (差异).
#[derive(SimpleObject)]
pub(crate) struct CaseDifference {
    /// What is different, by path.
    changes: Vec<Difference>,
    /// The events that lie between, in order.
    events: Vec<CaseEvent>,
}

/// One thing that is different.
#[derive(SimpleObject)]
pub(crate) struct Difference {
    /// Where, as a JSON pointer, such as `/kernel/stage`.
    path: String,
    /// What it was.
    before: Value,
    /// What it is.
    after: Value,
    /// The last event that changed it.
    event_id: Option<Uuid>,
    /// That event's name.
    event: Option<String>,
    /// Who did it.
    actor: Option<String>,
    /// When it happened.
    occurred_at: Option<DateTime<Utc>>,
}

impl From<Changed> for Difference {
    fn from(changed: Changed) -> Self {
        Self {
            path: changed.path,
            before: changed.before,
            after: changed.after,
            event_id: changed.event_id,
            event: changed.event,
            actor: changed.actor,
            occurred_at: changed.occurred_at,
        }
    }
}

#[derive(Default)]
pub(crate) struct HistoryQueries;

#[Object]
impl HistoryQueries {
    /// 时点还原: a case as it was after a revision, as it was on record at an instant, or as it had happened by an instant.
    async fn case_as_of(&self, ctx: &Context<'_>, id: ID, at: MomentInput) -> Result<Option<CaseMoment>, Error> {
        let (category, case_id) = GlobalId::decode_case(&id).map_err(|cause| Code::BadInput.error(cause))?;
        let bureau = &state(ctx)?.bureau;
        let Some(was) = bureau.case_at(category, case_id, at.moment()?).await.map_err(refused)? else {
            return Ok(None);
        };
        if !is_theirs(ctx, category, case_id).await? {
            return Ok(None);
        }
        let on = bureau_date(match at.occurred_at.or(at.recorded_at) {
            Some(at) => at.min(state(ctx)?.clock.now()),
            None => was.occurred_at,
        });
        Ok(Some(CaseMoment {
            revision: revision(was.revision),
            recorded_at: was.recorded_at,
            occurred_at: was.occurred_at,
            events_seen: revision(was.events_seen),
            file: CaseFile::new(Arc::new(was), on),
        }))
    }

    /// 差异: what changed in a case between two moments, who did it and when. Without `to`: up to now.
    async fn case_diff(
        &self,
        ctx: &Context<'_>,
        id: ID,
        from: MomentInput,
        to: Option<MomentInput>,
    ) -> Result<Option<CaseDifference>, Error> {
        let (category, case_id) = GlobalId::decode_case(&id).map_err(|cause| Code::BadInput.error(cause))?;
        if !is_theirs(ctx, category, case_id).await? {
            return Ok(None);
        }
        let to = to.map_or(Ok(Moment::Head), MomentInput::moment)?;
        let diff = state(ctx)?
            .bureau
            .case_diff(category, case_id, from.moment()?, to)
            .await
            .map_err(refused)?;
        Ok(diff.map(|CaseDiff { changes, events }| CaseDifference {
            changes: changes.into_iter().map(Difference::from).collect(),
            events: events.into_iter().map(CaseEvent::from).collect(),
        }))
    }
}

/// Whether the case, as it is now, is the caller's to see.
async fn is_theirs(ctx: &Context<'_>, category: &str, case_id: Uuid) -> Result<bool, Error> {
    let now = state(ctx)?
        .bureau
        .case_at(category, case_id, Moment::Head)
        .await
        .map_err(refused)?;
    let principal = principal(ctx)?;
    Ok(now.is_some_and(|now| may_see(principal, &now.case)))
}
