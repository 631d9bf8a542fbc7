//! What went wrong, with the details that clients of the second version read.

use event_store_contract::{Expected, MAX_APPEND_BYTES, MAX_EVENT_BYTES, StreamName};
use event_store_embedded::Refusal;
use prost::{Message, Name};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    protocol::{
        google::rpc::ErrorInfo,
        kurrentdb::protocol::v2::streams::errors::{
            AppendConsistencyViolationErrorDetails, AppendRecordSizeExceededErrorDetails,
            AppendTransactionSizeExceededErrorDetails, ConsistencyViolation, RichStatus,
            StreamAlreadyInAppendSessionErrorDetails, StreamDeletedErrorDetails, StreamRevisionConflictErrorDetails,
            StreamTombstonedErrorDetails,
            consistency_violation::{StreamStateViolation, Type},
        },
    },
    refusal,
};

/// States of a stream that are no revision.
pub(crate) const DELETED: i64 = -5;
pub(crate) const TOMBSTONED: i64 = -6;
/// Whose reasons these are.
const DOMAIN: &str = "kurrentdb.protocol.v2.streams";

/// A session in which nothing was asked.
pub(crate) fn no_requests() -> Status {
    let message = "Append session started, but no append requests were sent before ending the session.";
    rich(Code::FailedPrecondition, "APPEND_SESSION_NO_REQUESTS", message.into(), None)
}

/// A stream that comes twice in one session.
pub(crate) fn already_in_session(stream: &StreamName) -> Status {
    let message = format!("Stream '{stream}' already has records in this session: a session writes to each stream once.");
    let details = StreamAlreadyInAppendSessionErrorDetails {
        stream: stream.to_string(),
    };
    detailed(Code::Aborted, "STREAM_ALREADY_IN_APPEND_SESSION", message, &details)
}

/// One record is too large.
pub(crate) fn record_too_large(stream: &StreamName, id: Uuid, bytes: usize) -> Status {
    let message = format!("The size of record {id} ({bytes} bytes) exceeds the maximum allowed size of {MAX_EVENT_BYTES} bytes");
    let details = AppendRecordSizeExceededErrorDetails {
        stream: stream.to_string(),
        record_id: id.to_string(),
        size: number(bytes),
        max_size: number(MAX_EVENT_BYTES),
    };
    detailed(Code::InvalidArgument, "APPEND_RECORD_SIZE_EXCEEDED", message, &details)
}

/// All records together are too large.
pub(crate) fn transaction_too_large(records: usize, bytes: usize) -> Status {
    let message = format!(
        "Transaction size ({bytes} bytes) exceeded the maximum allowed size of {MAX_APPEND_BYTES} bytes, after {records} record(s)."
    );
    let details = AppendTransactionSizeExceededErrorDetails {
        size: number(bytes),
        max_size: number(MAX_APPEND_BYTES),
    };
    detailed(Code::Aborted, "APPEND_TRANSACTION_SIZE_EXCEEDED", message, &details)
}

/// Why a session was refused.
pub(crate) fn of_session(refused: Refusal) -> Status {
    match refused {
        Refusal::WrongRevision {
            stream,
            expected,
            actual,
        } => {
            let (expected_revision, actual_revision) = (refusal::number(expected), refusal::actual_number(actual));
            let message = format!(
                "Append failed due to a revision conflict on stream '{stream}'. \
                 Expected revision: {expected_revision}. Actual revision: {actual_revision}."
            );
            let details = StreamRevisionConflictErrorDetails {
                stream: stream.to_string(),
                expected_revision,
                actual_revision,
            };
            detailed(Code::FailedPrecondition, "STREAM_REVISION_CONFLICT", message, &details)
        }
        Refusal::Deleted { stream } => {
            let message = format!("Stream '{stream}' has been soft deleted. It can be read again when it is appended to.");
            let stream = stream.to_string();
            let details = StreamDeletedErrorDetails { stream };
            detailed(Code::FailedPrecondition, "STREAM_DELETED", message, &details)
        }
        Refusal::Tombstoned { stream } => {
            let message =
                format!("Stream '{stream}' has been tombstoned. It has been permanently removed and cannot be restored.");
            let stream = stream.to_string();
            let details = StreamTombstonedErrorDetails { stream };
            detailed(Code::FailedPrecondition, "STREAM_TOMBSTONED", message, &details)
        }
        refused => refusal::status(refused, "Append"),
    }
}

/// In what state a refusal found the stream.
pub(crate) fn actual_state(refused: &Refusal) -> i64 {
    match refused {
        Refusal::Deleted { .. } => DELETED,
        Refusal::Tombstoned { .. } => TOMBSTONED,
        Refusal::WrongRevision { actual, .. } => refusal::actual_number(*actual),
        Refusal::Reserved { .. } | Refusal::Twice { .. } | Refusal::Store(_) => refusal::actual_number(None),
    }
}

/// A check that does not hold.
pub(crate) struct Violation {
    place: usize,
    state: StreamStateViolation,
}

impl Violation {
    pub(crate) fn new(place: usize, stream: &StreamName, expected: Expected, actual_state: i64) -> Self {
        let state = StreamStateViolation {
            stream: stream.to_string(),
            expected_state: refusal::number(expected),
            actual_state,
        };
        Self { place, state }
    }

    fn sentence(&self) -> String {
        let StreamStateViolation {
            stream,
            expected_state,
            actual_state,
        } = &self.state;
        let found = match *actual_state {
            DELETED => "is deleted".into(),
            TOMBSTONED => "is tombstoned".into(),
            revision if revision < 0 => "does not exist".into(),
            revision => format!("is at revision {revision}"),
        };
        let wanted = if *expected_state < 0 {
            String::new()
        } else {
            format!(", expected revision {expected_state}")
        };
        format!("Stream '{stream}' {found}{wanted}.")
    }
}

/// Checks that do not hold.
pub(crate) fn violated(violations: &[Violation]) -> Status {
    let sentences: Vec<String> = violations.iter().map(Violation::sentence).collect();
    let message = format!("Append failed due to consistency violations. {}", sentences.join(" "));
    let violations = violations.iter().map(|violation| ConsistencyViolation {
        check_index: number(violation.place),
        r#type: Some(Type::StreamState(violation.state.clone())),
    });
    let details = AppendConsistencyViolationErrorDetails {
        violations: violations.collect(),
    };
    detailed(Code::FailedPrecondition, "APPEND_CONSISTENCY_VIOLATION", message, &details)
}

fn number(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn detailed<Details: Message + Name>(code: Code, reason: &str, message: String, details: &Details) -> Status {
    let details = prost_types::Any {
        type_url: type_url::<Details>(),
        value: details.encode_to_vec(),
    };
    rich(code, reason, message, Some(details))
}

/// The reason first, the details last: of several, some clients read the last one only.
fn rich(code: Code, reason: &str, message: String, details: Option<prost_types::Any>) -> Status {
    let reason = ErrorInfo {
        reason: reason.into(),
        domain: DOMAIN.into(),
        ..ErrorInfo::default()
    };
    let reason = prost_types::Any {
        type_url: type_url::<ErrorInfo>(),
        value: reason.encode_to_vec(),
    };
    let status = RichStatus {
        code: code.into(),
        message: message.clone(),
        details: [Some(reason), details].into_iter().flatten().collect(),
    };
    Status::with_details(code, message, status.encode_to_vec().into())
}

fn type_url<M: Name>() -> String {
    format!("type.googleapis.com/{}", M::full_name())
}
