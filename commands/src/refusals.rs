//! What was refused, to whom and why: one stream a day.

use chrono::{DateTime, NaiveDate, Utc};
use domain::metadata::{Actor, bureau_date};
use event_store_contract::{Direction, StreamName};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    bureau::Bureau,
    envelope::{CommandError, Envelope, FailedCause, Refusal},
    execute::metadata,
};

/// The category of the streams; the id is the bureau's date.
pub const CATEGORY: &str = "refusal";
/// The stored event's name.
pub const EVENT: &str = "CommandRefused";

/// A refused command, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRefused {
    /// The command's id.
    pub command_id: Uuid,
    /// The command's name.
    pub command: String,
    /// The stream that it was asked of.
    pub stream: String,
    /// Who asked.
    pub actor: Actor,
    /// The region in which they acted.
    pub region: String,
    /// The rejection's code; `FORBIDDEN`, if it was not theirs to ask.
    pub code: String,
    /// The reason in Chinese.
    pub message_zh: String,
    /// The reason in English.
    pub message_en: String,
    /// The field that was wrong, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// When it was refused.
    pub at: DateTime<Utc>,
}

impl Bureau {
    pub(crate) async fn record_refusal(
        &self,
        stream: &StreamName,
        command: &str,
        envelope: &Envelope,
        cause: &CommandError,
    ) -> Result<(), CommandError> {
        let Some(refusal) = in_words(cause) else { return Ok(()) };
        // The same refusal again is the same record again; another reason is another record.
        let id = Uuid::new_v5(&envelope.command_id, refusal.code.as_bytes());
        let refused = CommandRefused {
            command_id: envelope.command_id,
            command: command.to_owned(),
            stream: stream.to_string(),
            actor: envelope.actor.clone(),
            region: envelope.region.clone(),
            code: refusal.code,
            message_zh: refusal.message_zh,
            message_en: refusal.message_en,
            field: refusal.field,
            at: envelope.now,
        };
        let record = refusal_stream(bureau_date(envelope.now))?;
        let data = serde_json::to_vec(&refused).map_err(|cause| FailedCause::Unwritable {
            stream: record.clone(),
            reason: cause.to_string(),
        })?;
        self.record(&record, id, EVENT, data, &metadata(command, envelope, &envelope.region))
            .await?;
        Ok(())
    }

    /// What was refused on a day, the newest first.
    pub async fn refusals(&self, on: NaiveDate, limit: usize) -> Result<Vec<CommandRefused>, CommandError> {
        let stream = refusal_stream(on)?;
        let events = self
            .store()
            .read_stream(&stream, u64::MAX, Direction::Backwards, limit)
            .await?;
        let read = events.iter().map(|event| {
            serde_json::from_slice(&event.data).map_err(|cause| FailedCause::Unreadable {
                stream: stream.clone(),
                revision: event.revision,
                reason: cause.to_string(),
            })
        });
        Ok(read.collect::<Result<_, _>>()?)
    }
}

fn refusal_stream(on: NaiveDate) -> Result<StreamName, FailedCause> {
    StreamName::of(CATEGORY, on).map_err(|cause| FailedCause::Unknown(cause.to_string()))
}

fn in_words(cause: &CommandError) -> Option<Refusal> {
    match cause {
        CommandError::Rejected(refusal) => Some(refusal.clone()),
        CommandError::Forbidden { role, action } => Some(Refusal {
            code: "FORBIDDEN".into(),
            message_zh: format!("角色 {role} 无权办理：{action}"),
            message_en: cause.to_string(),
            field: None,
        }),
        CommandError::Busy | CommandError::Failed(_) => None,
    }
}
