//! 视图状态: how far the views are, and which of them stopped at which event.

use async_graphql::{Context, Enum, Error, Object, SimpleObject};
use event_store_contract::Position;
use projections::{ViewState, ViewStatus};
use uuid::Uuid;

use crate::{ApiState, asked::state, errors::failed, scalars::LogPosition};

/// What a view is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
enum ViewDoing {
    /// 运行中: it follows the log.
    Running,
    /// 重建中: it is built anew beside the one that is shown.
    Rebuilding,
    /// 已停止: it could not take an event; the others go on.
    Stopped,
}

/// 视图: a part of what can be listed, searched and counted.
#[derive(SimpleObject)]
struct ViewHealth {
    /// Its name.
    name: String,
    /// The version of its rows.
    version: i32,
    /// Which building of it is shown.
    generation: i32,
    /// What it is doing.
    state: ViewDoing,
    /// The last event that it shows.
    position: LogPosition,
    /// The last event of the log.
    head: LogPosition,
    /// How far it is behind, in positions.
    lag: i64,
    /// Why it stopped, if it did.
    stopped_at: Option<StoppedAt>,
}

/// The event that a view could not take.
#[derive(SimpleObject)]
struct StoppedAt {
    /// The event.
    event_id: Uuid,
    /// Its stream.
    stream: String,
    /// Its revision in the stream.
    revision: i64,
    /// Its place in the log.
    position: LogPosition,
    /// What was wrong.
    reason: String,
}

impl From<ViewStatus> for ViewHealth {
    fn from(status: ViewStatus) -> Self {
        let lag = i64::try_from(status.lag()).unwrap_or(i64::MAX);
        let (state, stopped_at) = match status.state {
            ViewState::Running => (ViewDoing::Running, None),
            ViewState::Rebuilding => (ViewDoing::Rebuilding, None),
            ViewState::Stopped(stop) => (
                ViewDoing::Stopped,
                Some(StoppedAt {
                    event_id: stop.event_id,
                    stream: stop.stream,
                    revision: stop.revision.cast_signed(),
                    position: LogPosition(stop.position),
                    reason: stop.reason,
                }),
            ),
        };
        Self {
            name: status.name,
            version: crate::clock::days(status.version),
            generation: crate::clock::days(status.generation),
            state,
            position: LogPosition(status.position),
            head: LogPosition(status.head),
            lag,
            stopped_at,
        }
    }
}

/// Whether the database of the views answers; why not, if it does not.
pub(crate) async fn database_answers(state: &ApiState) -> Result<(), String> {
    state
        .projections
        .database()
        .query("select 1", &[])
        .await
        .map(|_| ())
        .map_err(|cause| cause.to_string())
}

#[derive(Default)]
pub(crate) struct ViewQueries;

#[Object]
impl ViewQueries {
    /// 视图状态: each view with its position, its lag and, if it stopped, the event that it could not take.
    async fn views(&self, ctx: &Context<'_>) -> Result<Vec<ViewHealth>, Error> {
        let views = state(ctx)?.projections.status().await.map_err(failed)?;
        Ok(views.into_iter().map(ViewHealth::from).collect())
    }

    /// The position up to which all running views show everything.
    async fn position(&self, ctx: &Context<'_>) -> Result<LogPosition, Error> {
        let position: Position = *state(ctx)?.projections.advanced().borrow();
        Ok(LogPosition(position))
    }
}
