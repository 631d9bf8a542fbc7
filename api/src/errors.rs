//! Errors by whose turn it is, as clients see them.
//!
//! What the law refuses, and what only needs to be tried again, are answers: `userErrors` of the payload. What may not
//! be asked, and what went wrong on our side, are `errors` with a code; ours carry an incident id under which the
//! cause was logged once.

use std::fmt::Display;

use async_graphql::{Error, ErrorExtensions, SimpleObject};
use commands::{CommandError, FailedCause, Refusal};
use uuid::Uuid;

/// The codes of `errors[].extensions.code`. Closed: a client may switch over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// No token, or none that is accepted.
    Unauthenticated,
    /// Not with this role, region or case.
    Forbidden,
    /// The request is malformed: an id, a cursor, a page size, a filter.
    BadInput,
    /// The views have not caught up with `minPosition` in time.
    ViewBehind,
    /// A part of ours does not answer just now; try again.
    Unavailable,
    /// It took too long and was given up.
    Timeout,
    /// Ours. The incident id finds the cause in the log.
    Internal,
}

impl Code {
    /// The code as it is written.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::BadInput => "BAD_INPUT",
            Self::ViewBehind => "VIEW_BEHIND",
            Self::Unavailable => "UNAVAILABLE",
            Self::Timeout => "TIMEOUT",
            Self::Internal => "INTERNAL",
        }
    }

    /// An error with this code.
    pub(crate) fn error(self, message: impl Display) -> Error {
        Error::new(message.to_string()).extend_with(|_, extensions| extensions.set("code", self.as_str()))
    }
}

/// Why a command was not done, in words that the asker can act on.
#[derive(Debug, Clone, PartialEq, Eq, SimpleObject)]
pub(crate) struct UserError {
    /// The reason's name, such as `REVIEW_NOT_PASSED`; `BUSY` means: send the same command again.
    pub code: String,
    /// 中文说明
    pub message: String,
    /// The same in English.
    pub message_en: String,
    /// The path of the input field that is wrong, such as `input.applicant.idNo`, if one is.
    pub field: Option<String>,
}

impl UserError {
    /// A field of the input that cannot be read as what it should be.
    pub(crate) fn invalid(field: impl Into<String>, message: impl Into<String>, message_en: impl Display) -> Self {
        Self {
            code: "INVALID_INPUT".into(),
            message: message.into(),
            message_en: message_en.to_string(),
            field: Some(field.into()),
        }
    }
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        Self {
            code: refusal.code,
            message: refusal.message_zh,
            message_en: refusal.message_en,
            field: refusal.field,
        }
    }
}

/// Sorts what became of a command: done, refused with a reason for the payload, or an error of the request.
pub(crate) fn outcome<T>(done: Result<T, CommandError>) -> Result<Result<T, UserError>, Error> {
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(CommandError::Rejected(refusal)) => Ok(Err(refusal.into())),
        Err(busy @ CommandError::Busy) => Ok(Err(UserError {
            code: "BUSY".into(),
            message: "他人正在修改同一事项，请稍后重试".into(),
            message_en: busy.to_string(),
            field: None,
        })),
        Err(other) => Err(refused(other)),
    }
}

/// The error of a question that the way in did not answer.
pub(crate) fn refused(error: CommandError) -> Error {
    match error {
        CommandError::Rejected(refusal) => Code::BadInput.error(format!("{} / {}", refusal.message_zh, refusal.message_en)),
        CommandError::Busy => Code::Unavailable.error(error),
        CommandError::Forbidden { .. } => Code::Forbidden.error(format!("无权执行此操作 / {error}")),
        CommandError::Failed(cause) => failed_command(&cause),
    }
}

fn failed_command(cause: &FailedCause) -> Error {
    match cause {
        FailedCause::Store(event_store_contract::StoreError::Unavailable(_)) | FailedCause::Outside(_) => unavailable(cause),
        FailedCause::Unknown(what) => Code::BadInput.error(what),
        _ => failed(cause),
    }
}

/// Ours: logs the cause once, and names it to the client by an incident id only.
pub(crate) fn failed(cause: impl Display) -> Error {
    let incident = incident(&cause);
    Code::Internal
        .error(format!(
            "系统内部错误，事件编号 {incident} / internal error, incident {incident}"
        ))
        .extend_with(|_, extensions| {
            extensions.set("code", Code::Internal.as_str());
            extensions.set("incident", incident.to_string());
        })
}

/// A part of ours does not answer: logs why, and asks to try again.
pub(crate) fn unavailable(cause: impl Display) -> Error {
    let incident = incident(&cause);
    Code::Unavailable
        .error(format!(
            "服务暂不可用，请稍后重试 / not available just now, try again (incident {incident})"
        ))
        .extend_with(|_, extensions| {
            extensions.set("code", Code::Unavailable.as_str());
            extensions.set("incident", incident.to_string());
        })
}

/// Logs a cause, and gives it a name.
pub(crate) fn incident(cause: &impl Display) -> Uuid {
    let incident = Uuid::new_v4();
    tracing::error!(%incident, %cause, "a request failed");
    incident
}
