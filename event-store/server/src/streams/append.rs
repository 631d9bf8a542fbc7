//! Appending to one stream: the options first, then each event.

use std::sync::Arc;

use event_store_contract::{Appended, Expected, MAX_APPEND_BYTES, StreamName};
use event_store_embedded::{Life, Refusal, Write};
use tonic::{Request, Status, Streaming};

use crate::{
    Desk,
    protocol::event_store::client::streams::{
        AppendReq, AppendResp,
        append_req::{Content, options::ExpectedStreamRevision as ExpectedToAppend},
        append_resp::{
            self, Position, Success, WrongExpectedVersion,
            success::{CurrentRevisionOption, PositionOption},
            wrong_expected_version as wrong,
        },
    },
    refusal,
    streams::{WriteError, timed_out, words},
};

pub(crate) async fn append(desk: &Arc<Desk>, request: Request<Streaming<AppendReq>>) -> Result<AppendResp, Status> {
    let caller = desk.access.caller(request.metadata()).await?;
    let mut messages = request.into_inner();
    let Some(Content::Options(options)) = messages.message().await?.and_then(|message| message.content) else {
        return Err(Status::invalid_argument("the first message of an append is its options"));
    };
    let stream = words::stream(options.stream_identifier)?;
    let expected = words::expected!(options.expected_stream_revision, ExpectedToAppend)?;
    desk.may_write(&caller, &stream)?;
    let mut events = Vec::new();
    let mut total = 0;
    while let Some(message) = messages.message().await? {
        let Some(Content::ProposedMessage(proposed)) = message.content else {
            return Err(Status::invalid_argument("after its options, an append has events only"));
        };
        let (draft, bytes) = words::draft(proposed.id, proposed.metadata, proposed.custom_metadata, proposed.data)?;
        total += bytes;
        if total > MAX_APPEND_BYTES {
            return Err(refusal::append_too_large());
        }
        events.push(draft);
    }
    if events.is_empty() {
        return nothing(desk, &stream, expected);
    }
    let write = Write {
        stream,
        expected,
        events,
    };
    match desk.write_one(write).await {
        Ok(appended) => Ok(success(appended)),
        Err(WriteError::Refused(Refusal::WrongRevision { expected, actual, .. })) => Ok(conflict(expected, actual)),
        Err(WriteError::Refused(refused)) => Err(refusal::status(refused, "Append")),
        Err(WriteError::TimedOut) => Err(timed_out()),
    }
}

/// An append without events only asks whether the belief holds.
fn nothing(desk: &Desk, stream: &StreamName, expected: Expected) -> Result<AppendResp, Status> {
    let head = desk.store.stream_head(stream).map_err(|error| refusal::of_store(&error))?;
    let holds = match (expected, head.life) {
        (_, Life::Tombstoned) | (Expected::StreamExists, Life::SoftDeleted) => {
            return Err(refusal::stream_deleted(stream.as_str()));
        }
        (Expected::Any, _) | (Expected::NoStream, Life::Missing | Life::SoftDeleted) => true,
        (Expected::NoStream, Life::Live) => false,
        (Expected::StreamExists, _) => head.last.is_some(),
        (Expected::Revision(revision), _) => head.last == Some(revision),
    };
    if !holds {
        return Ok(conflict(expected, head.last));
    }
    let revision = head
        .last
        .map_or(CurrentRevisionOption::NoStream(()), CurrentRevisionOption::CurrentRevision);
    Ok(answer(append_resp::Result::Success(Success {
        current_revision_option: Some(revision),
        position_option: Some(PositionOption::NoPosition(())),
    })))
}

fn answer(result: append_resp::Result) -> AppendResp {
    AppendResp { result: Some(result) }
}

fn success(appended: Appended) -> AppendResp {
    let position = Position {
        commit_position: appended.position.0,
        prepare_position: appended.position.0,
    };
    answer(append_resp::Result::Success(Success {
        current_revision_option: Some(CurrentRevisionOption::CurrentRevision(appended.revision)),
        position_option: Some(PositionOption::Position(position)),
    }))
}

/// A conflict is an answer, not an error. It is said twice: clients older than 20.6 read fields of their own.
fn conflict(expected: Expected, actual: Option<u64>) -> AppendResp {
    use wrong::{
        CurrentRevisionOption as Current, CurrentRevisionOption2060 as OldCurrent, ExpectedRevisionOption as Believed,
        ExpectedRevisionOption2060 as OldBelieved,
    };
    let (believed, old_believed) = match expected {
        Expected::Any => (Believed::ExpectedAny(()), OldBelieved::Any2060(())),
        Expected::StreamExists => (Believed::ExpectedStreamExists(()), OldBelieved::StreamExists2060(())),
        Expected::NoStream => (Believed::ExpectedNoStream(()), OldBelieved::ExpectedRevision2060(u64::MAX)),
        Expected::Revision(revision) => (
            Believed::ExpectedRevision(revision),
            OldBelieved::ExpectedRevision2060(revision),
        ),
    };
    let (current, old_current) = match actual {
        Some(revision) => (Current::CurrentRevision(revision), OldCurrent::CurrentRevision2060(revision)),
        None => (Current::CurrentNoStream(()), OldCurrent::NoStream2060(())),
    };
    answer(append_resp::Result::WrongExpectedVersion(WrongExpectedVersion {
        current_revision_option_20_6_0: Some(old_current),
        expected_revision_option_20_6_0: Some(old_believed),
        current_revision_option: Some(current),
        expected_revision_option: Some(believed),
    }))
}
