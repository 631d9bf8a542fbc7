//! What every command's input has in common, and what stands around every question.

use async_graphql::{Context, Error, ID, InputObject, SimpleObject};
use chrono::{DateTime, Utc};
use commands::{CommandError, Envelope, Receipt};
use domain::case::Command;
use event_store_contract::Position;
use projections::{Projections, QueryError};
use uuid::Uuid;

use crate::{
    ApiState,
    auth::Principal,
    cases::{self, Case},
    errors::{Code, UserError, failed, outcome, unavailable},
    ids::GlobalId,
    scalars::LogPosition,
};

/// What stands around a request.
pub(crate) fn state<'a>(ctx: &Context<'a>) -> Result<&'a ApiState, Error> {
    ctx.data()
}

/// Who asks.
pub(crate) fn principal<'a>(ctx: &Context<'a>) -> Result<&'a Principal, Error> {
    ctx.data()
}

/// The error of a view that did not answer.
pub(crate) fn unanswered(cause: QueryError) -> Error {
    match cause {
        QueryError::BadCursor(_) | QueryError::Invalid(_) => Code::BadInput.error(cause),
        QueryError::Busy | QueryError::Unavailable(_) => unavailable(cause),
        QueryError::Failed(_) => failed(cause),
    }
}

/// Waits until the views show a position (read your own writes), or says that they do not yet.
pub(crate) async fn caught_up(state: &ApiState, view: &str, at: Option<LogPosition>) -> Result<(), Error> {
    let Some(LogPosition(position)) = at else { return Ok(()) };
    if shows(&state.projections, view, position, state).await {
        return Ok(());
    }
    Err(Code::ViewBehind.error(format!(
        "视图尚未更新到该位置，请稍后重试 / the view has not caught up with position {} yet; ask again",
        position.0
    )))
}

async fn shows(projections: &Projections, view: &str, position: Position, state: &ApiState) -> bool {
    projections.caught_up(view, position, state.limits.catch_up_timeout).await
}

/// What a command on a case travels with.
#[derive(Debug, InputObject)]
pub(crate) struct Ask {
    /// The case (案件).
    pub(crate) case_id: ID,
    /// Made by the client, once for each intention: the same command sent again is answered, not executed again.
    pub(crate) command_id: Uuid,
    /// When it happened, if it was done on paper and is entered later (补录).
    pub(crate) occurred_at: Option<DateTime<Utc>>,
    /// The article that the officer names (办理依据).
    pub(crate) legal_basis: Option<String>,
}

/// What a command that needs no case travels with.
#[derive(Debug, Clone)]
pub(crate) struct Travel {
    pub(crate) command_id: Uuid,
    pub(crate) occurred_at: Option<DateTime<Utc>>,
    pub(crate) legal_basis: Option<String>,
}

impl Travel {
    /// The envelope of whoever asks, now.
    pub(crate) fn envelope(self, ctx: &Context<'_>) -> Result<Envelope, Error> {
        let principal = principal(ctx)?;
        let now = state(ctx)?.clock.now();
        let envelope = Envelope::new(self.command_id, principal.actor.clone(), principal.region.clone(), now);
        Ok(Envelope {
            occurred_at: self.occurred_at,
            legal_basis: self.legal_basis,
            ..envelope
        })
    }
}

/// What became of a command on a case (办理结果).
#[derive(SimpleObject)]
pub(crate) struct CasePayload {
    /// The case after the command, as the views show it; none, if they have not caught up in time: ask again with `minPosition`.
    pub(crate) case: Option<Case>,
    /// Why it was not done; empty, if it was.
    pub(crate) user_errors: Vec<UserError>,
    /// The command.
    pub(crate) command_id: Uuid,
    /// Where the command's last event stands in the log; none, if it wrote nothing.
    pub(crate) position: Option<LogPosition>,
}

impl Ask {
    /// Asks a kernel command of the case.
    pub(crate) async fn of_case(self, ctx: &Context<'_>, command: Command) -> Result<CasePayload, Error> {
        let command_id = self.command_id;
        let (case, envelope) = match self.open(ctx)? {
            Ok(opened) => opened,
            Err(error) => return Ok(CasePayload::refused(command_id, vec![error])),
        };
        let done = state(ctx)?.bureau.to_any_case(case.0, case.1, command, &envelope).await;
        CasePayload::of(ctx, case, command_id, done).await
    }

    /// The case and the envelope, or what is wrong with the id.
    #[allow(clippy::type_complexity, reason = "the pair is taken apart at once")]
    pub(crate) fn open(self, ctx: &Context<'_>) -> Result<Result<((&'static str, Uuid), Envelope), UserError>, Error> {
        let case = match GlobalId::decode_case(&self.case_id) {
            Ok(case) => case,
            Err(cause) => return Ok(Err(UserError::invalid("input.caseId", "案件标识无效", cause))),
        };
        let travel = Travel {
            command_id: self.command_id,
            occurred_at: self.occurred_at,
            legal_basis: self.legal_basis,
        };
        Ok(Ok((case, travel.envelope(ctx)?)))
    }
}

impl CasePayload {
    /// A command that was not done, and why.
    pub(crate) fn refused(command_id: Uuid, user_errors: Vec<UserError>) -> Self {
        Self {
            case: None,
            user_errors,
            command_id,
            position: None,
        }
    }

    /// What became of it. The case is read only when it is asked for, and after the views have caught up.
    pub(crate) async fn of(
        ctx: &Context<'_>,
        (category, case_id): (&'static str, Uuid),
        command_id: Uuid,
        done: Result<Receipt, CommandError>,
    ) -> Result<Self, Error> {
        let (position, user_errors) = match outcome(done)? {
            Ok(receipt) => (receipt.position, Vec::new()),
            Err(error) => (None, vec![error]),
        };
        let mut payload = Self {
            case: None,
            user_errors,
            command_id,
            position: position.map(LogPosition),
        };
        if ctx.look_ahead().field("case").exists() {
            let state = state(ctx)?;
            let is_shown = match position {
                Some(position) => shows(&state.projections, cases::VIEW, position, state).await,
                None => true,
            };
            if is_shown {
                payload.case = cases::find(ctx, category, case_id).await?;
            }
        }
        Ok(payload)
    }
}
