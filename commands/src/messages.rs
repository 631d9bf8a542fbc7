//! The door for messages from outside: whoever sends one need not know the case, only what it is about. It goes to the one
//! process that waits for it; where several wait, or none, nobody guesses.

use domain::metadata::Metadata;
use event_store_contract::{Direction, StreamName};
use process_engine::instance::{Bindings, Command};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    bureau::{Bureau, stream, unreadable},
    envelope::{CommandError, Envelope, FailedCause, Receipt, Refusal},
    execute::metadata,
    outside::WaitingProcesses,
    permission::{self, PROCESS_TABLE},
};

/// The category of the streams that say which case a message was for; the id is that of the command.
pub const CATEGORY: &str = "message";
/// The stored event's name.
pub const EVENT: &str = "MessageCorrelated";

/// The command, as permissions and the record name it.
const COMMAND: &str = "DeliverMessage";

/// Two are enough to know that it is not clear who is meant.
const ENOUGH_TO_DOUBT: usize = 2;

/// The longest name or key of a message.
pub const MAX_MESSAGE_WORD_BYTES: usize = 1_000;

/// For which case a message was: written before it is delivered, so that the same command sent again finds the same case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCorrelated {
    /// The message.
    pub message: String,
    /// The key that it carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// The case's type.
    pub category: String,
    /// The case.
    pub case_id: Uuid,
}

/// A message from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its name.
    pub name: String,
    /// What it is about, if it says so.
    pub correlation: Option<String>,
    /// What it brings, by variable.
    pub payload: Bindings,
}

impl Bureau {
    /// Delivers a message to the one process that waits for it: which case that was, and what became of it.
    pub async fn correlate<W: WaitingProcesses + ?Sized>(
        &self,
        waiting: &W,
        message: &Message,
        envelope: &Envelope,
    ) -> Result<(String, Uuid, Receipt), CommandError> {
        let record = stream(CATEGORY, envelope.command_id)?;
        if !permission::may(&envelope.actor.role, PROCESS_TABLE, COMMAND) {
            let refused = CommandError::Forbidden {
                role: envelope.actor.role.clone(),
                action: format!("{COMMAND} (not among the commands of this role)"),
            };
            self.record_refusal(&record, COMMAND, envelope, &refused).await?;
            return Err(refused);
        }
        let found = match self.correlated(&record).await? {
            Some(found) => found,
            None => match self.find_waiting(waiting, message).await? {
                Ok((category, case_id)) => self.remember(&record, message, (category, case_id), envelope).await?,
                Err(refusal) => {
                    let refused = CommandError::Rejected(refusal);
                    self.record_refusal(&record, COMMAND, envelope, &refused).await?;
                    return Err(refused);
                }
            },
        };
        let command = Command::DeliverMessage {
            name: message.name.clone(),
            correlation: message.correlation.clone(),
            payload: message.payload.clone(),
        };
        let receipt = self.to_process(&found.category, found.case_id, command, envelope).await?;
        Ok((found.category, found.case_id, receipt))
    }

    /// The case that an earlier attempt of the same command was for.
    async fn correlated(&self, record: &StreamName) -> Result<Option<MessageCorrelated>, CommandError> {
        let events = self.store().read_stream(record, 0, Direction::Forwards, 1).await?;
        let Some(event) = events.first() else { return Ok(None) };
        let read = serde_json::from_slice(&event.data).map_err(|cause| unreadable(event, &cause))?;
        Ok(Some(read))
    }

    async fn find_waiting<W: WaitingProcesses + ?Sized>(
        &self,
        waiting: &W,
        message: &Message,
    ) -> Result<Result<(String, Uuid), Refusal>, CommandError> {
        let Message { name, correlation, .. } = message;
        for (field, word) in [("name", Some(name)), ("correlation", correlation.as_ref())] {
            if word.is_some_and(|word| word.is_empty() || word.len() > MAX_MESSAGE_WORD_BYTES) {
                return Ok(Err(unwritten(field)));
            }
        }
        let found = waiting.waiting(name, correlation.as_deref(), ENOUGH_TO_DOUBT).await;
        let mut found = found.map_err(|cause| FailedCause::Outside(cause.0))?;
        Ok(match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok(one),
            (Some(_), false) => Err(ambiguous(message)),
            (None, _) => Err(nobody_waits(message)),
        })
    }

    async fn remember(
        &self,
        record: &StreamName,
        message: &Message,
        (category, case_id): (String, Uuid),
        envelope: &Envelope,
    ) -> Result<MessageCorrelated, CommandError> {
        let correlated = MessageCorrelated {
            message: message.name.clone(),
            correlation: message.correlation.clone(),
            category,
            case_id,
        };
        let data = serde_json::to_vec(&correlated).map_err(|cause| FailedCause::Unwritable {
            stream: record.clone(),
            reason: cause.to_string(),
        })?;
        let metadata: Metadata = metadata(COMMAND, envelope, &envelope.region);
        let id = Uuid::new_v5(&envelope.command_id, EVENT.as_bytes());
        self.record(record, id, EVENT, data, &metadata).await?;
        Ok(correlated)
    }
}

fn about(message: &Message) -> (String, String) {
    let Message { name, correlation, .. } = message;
    match correlation {
        Some(key) => (format!("“{name}”（{key}）"), format!("{name} about {key}")),
        None => (format!("“{name}”"), name.clone()),
    }
}

fn unwritten(field: &str) -> Refusal {
    Refusal {
        code: "WORD_MISSING".to_owned(),
        message_zh: format!("请填写 {field}，不超过 {MAX_MESSAGE_WORD_BYTES} 字节"),
        message_en: format!("{field} must be written, in at most {MAX_MESSAGE_WORD_BYTES} bytes"),
        field: Some(format!("input.{field}")),
    }
}

fn ambiguous(message: &Message) -> Refusal {
    let (zh, en) = about(message);
    Refusal {
        code: "MESSAGE_AMBIGUOUS".to_owned(),
        message_zh: format!("不止一件在等待消息{zh}；请给出能区分的关联键，或对指定的案件投递"),
        message_en: format!("more than one case waits for the message {en}; name a key that tells them apart, or the case"),
        field: Some("input.correlation".to_owned()),
    }
}

fn nobody_waits(message: &Message) -> Refusal {
    let (zh, en) = about(message);
    Refusal {
        code: "NOBODY_WAITS".to_owned(),
        message_zh: format!("没有案件在等待消息{zh}"),
        message_en: format!("no case waits for the message {en}"),
        field: Some("input.name".to_owned()),
    }
}
