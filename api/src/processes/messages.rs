//! 消息: which messages processes wait for, and the door for those that come from outside without knowing the case.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use commands::{
    Message,
    outside::{OutsideError, WaitingProcesses},
};
use projections::{Database, processes as view};
use serde_json::Value;
use uuid::Uuid;

use super::{
    listed::{case_id, case_of, limit},
    words::{bindings, key_number},
};
use crate::{
    asked::{CasePayload, Travel, caught_up, principal, state, unanswered},
    cases::narrower,
    errors::{Code, outcome},
    ids::known_category,
    scalars::LogPosition,
};

/// Roles that may see which messages are waited for.
const READERS: &[&str] = &["operator", "director", "supervisor"];

/// A message that a process waits for (等待中的消息).
#[derive(Debug, SimpleObject)]
pub(crate) struct AwaitedMessage {
    /// The case.
    case_id: ID,
    /// 办件编号
    case_no: Option<String>,
    /// Its key in its case.
    key: i32,
    /// The event or task that waits, by its id in the model.
    element: String,
    /// The message's name.
    name: String,
    /// What a message must carry to be meant; none: any message of the name.
    correlation: Option<String>,
}

/// A message from outside that does not know the case
#[derive(Debug, InputObject)]
pub(crate) struct ProcessMessageDeliverInput {
    /// Made by the client, once for each intention: the same command sent again is answered, not executed again.
    command_id: Uuid,
    /// The message's name.
    name: String,
    /// What it is about, such as a project's code: the key that the process waits for.
    correlation: Option<String>,
    /// What it brings, by variable.
    payload: Option<Value>,
    /// When it happened, if it is told later.
    occurred_at: Option<DateTime<Utc>>,
}

/// Who waits, as the view of processes knows it.
struct FromView(Database);

#[async_trait]
impl WaitingProcesses for FromView {
    async fn waiting(&self, message: &str, correlation: Option<&str>, limit: usize) -> Result<Vec<(String, Uuid)>, OutsideError> {
        let found = view::waiting_for(&self.0, message, correlation, limit).await;
        found.map_err(|cause| OutsideError(cause.to_string()))
    }
}

#[derive(Default)]
pub(crate) struct MessageQueries;

#[Object]
impl MessageQueries {
    /// 等待中的消息: which messages from outside are waited for, by case. For administrators, directors and supervisors.
    #[allow(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn process_messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of this name")] name: Option<String>,
        #[graphql(desc = "With this key")] correlation: Option<String>,
        #[graphql(name = "caseId", desc = "Of this case")] of_case: Option<ID>,
        #[graphql(desc = "In this administrative division, with its subdivisions")] region: Option<String>,
        #[graphql(desc = "1 to 200")] first: Option<i32>,
        #[graphql(desc = "Wait until the views show this position")] min_position: Option<LogPosition>,
    ) -> Result<Vec<AwaitedMessage>, Error> {
        let (state, principal) = (state(ctx)?, principal(ctx)?);
        if !READERS.contains(&principal.actor.role.as_str()) {
            return Err(Code::Forbidden.error("仅供管理员、负责人与监察查阅 / for administrators, directors and supervisors"));
        }
        caught_up(state, "processes", min_position).await?;
        let Some(prefix) = narrower(principal.region_prefix(), region.as_deref()) else {
            return Ok(Vec::new());
        };
        let filter = view::MessageFilter {
            message: name,
            correlation,
            case_id: case_of(of_case)?,
            region_prefix: Some(prefix).filter(|prefix| !prefix.is_empty()),
        };
        let rows = view::messages(state.projections.database(), &filter, limit(first)?)
            .await
            .map_err(unanswered)?;
        let listed = rows.into_iter().map(|row| AwaitedMessage {
            case_id: case_id(&row.category, row.case_id),
            case_no: row.case_no,
            key: key_number(row.wait_key.cast_unsigned()),
            element: row.element,
            name: row.message,
            correlation: row.correlation,
        });
        Ok(listed.collect())
    }
}

#[derive(Default)]
pub(crate) struct MessageMutations;

#[Object]
impl MessageMutations {
    /// 消息送达: a message from outside goes to the one case whose process waits for it. Where several wait it is
    /// `MESSAGE_AMBIGUOUS`, where none does `NOBODY_WAITS`.
    async fn process_message_deliver(&self, ctx: &Context<'_>, input: ProcessMessageDeliverInput) -> Result<CasePayload, Error> {
        let command_id = input.command_id;
        let payload = match bindings(input.payload, "input.payload") {
            Ok(payload) => payload,
            Err(error) => return Ok(CasePayload::refused(command_id, vec![error])),
        };
        let travel = Travel {
            command_id,
            occurred_at: input.occurred_at,
            legal_basis: None,
        };
        let (state, envelope) = (state(ctx)?, travel.envelope(ctx)?);
        // Whoever began to wait a moment ago is seen as well.
        let head = state.bureau.store().head().await;
        let head = head.map_err(crate::errors::unavailable)?;
        caught_up(state, "processes", head.map(LogPosition)).await?;
        let message = Message {
            name: input.name,
            correlation: input.correlation,
            payload,
        };
        let waiting = FromView(state.projections.database().clone());
        match outcome(state.bureau.correlate(&waiting, &message, &envelope).await)? {
            Ok((category, case_id, receipt)) => {
                let category = known_category(&category).ok_or_else(|| Code::Internal.error("an unknown case type"))?;
                CasePayload::of(ctx, (category, case_id), command_id, Ok(receipt)).await
            }
            Err(error) => Ok(CasePayload::refused(command_id, vec![error])),
        }
    }
}
