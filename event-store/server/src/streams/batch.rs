//! Appending to many streams over one call: each append is answered under its own id, when it is durable.

use std::{collections::HashMap, pin::Pin, sync::Arc, task::Poll, time::Duration};

use chrono::{DateTime, Utc};
use event_store_contract::{Appended, Expected, MAX_APPEND_BYTES, StreamName};
use event_store_embedded::{Draft, Refusal, Write};
use futures_util::{StreamExt, stream::FuturesUnordered};
use prost::{Message, Name};
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Status, Streaming};
use uuid::Uuid;

use crate::{
    Desk,
    access::Caller,
    protocol::{
        event_store::client::{
            self as protocol, AllStreamPosition, StreamIdentifier,
            streams::{
                BatchAppendReq, BatchAppendResp,
                batch_append_req::{
                    self, Options,
                    options::{DeadlineOption, ExpectedStreamPosition},
                },
                batch_append_resp::{
                    ExpectedStreamPosition as Believed, Result as Outcome, Success,
                    success::{CurrentRevisionOption, PositionOption},
                },
            },
            wrong_expected_version::{CurrentStreamRevisionOption, ExpectedStreamPositionOption},
        },
        google,
    },
    refusal,
    streams::{WriteError, words},
};

/// Appends of one call that wait for the disk.
const MAX_WRITING: usize = 4096;
/// Appends of one call whose events have not all come.
const MAX_INCOMPLETE: usize = 1024;
/// Answers that wait for the caller to take them.
const MAX_WAITING_ANSWERS: usize = 256;

type Answers = ReceiverStream<Result<BatchAppendResp, Status>>;

pub(crate) async fn batch_append(desk: &Arc<Desk>, request: Request<Streaming<BatchAppendReq>>) -> Result<Answers, Status> {
    let caller = desk.access.caller(request.metadata()).await?;
    let (answers, answering) = mpsc::channel(MAX_WAITING_ANSWERS);
    let call = Call {
        desk: desk.clone(),
        caller,
        incomplete: HashMap::new(),
        bytes: 0,
        writing: FuturesUnordered::new(),
        answers,
    };
    tokio::spawn(call.run(request.into_inner()));
    Ok(ReceiverStream::new(answering))
}

/// One call with all its appends.
struct Call {
    desk: Arc<Desk>,
    caller: Caller,
    incomplete: HashMap<Uuid, Incomplete>,
    /// What the incomplete appends hold together.
    bytes: usize,
    writing: FuturesUnordered<Pin<Box<dyn Future<Output = BatchAppendResp> + Send>>>,
    answers: mpsc::Sender<Result<BatchAppendResp, Status>>,
}

/// An append whose events have not all come.
struct Incomplete {
    stream: StreamName,
    expected: Expected,
    deadline: Option<Instant>,
    events: Vec<Draft>,
    bytes: usize,
}

/// What went wrong with one append.
struct Wrong(google::rpc::Status);

impl Call {
    async fn run(mut self, mut messages: Streaming<BatchAppendReq>) {
        let desk = self.desk.clone();
        let stopped = desk.stopped();
        tokio::pin!(stopped);
        let mut open = true;
        while open || !self.writing.is_empty() {
            tokio::select! {
                () = &mut stopped => {
                    let _ = self.answers.send(Err(refusal::stopping())).await;
                    return;
                }
                () = self.answers.closed() => return,
                Some(answer) = self.writing.next(), if !self.writing.is_empty() => {
                    if self.answers.send(Ok(answer)).await.is_err() {
                        return;
                    }
                }
                message = messages.message(), if open && self.writing.len() < MAX_WRITING => match message {
                    Ok(Some(message)) => {
                        if let Some(answer) = self.take(message).await
                            && self.answers.send(answer).await.is_err()
                        {
                            return;
                        }
                    }
                    Ok(None) => open = false,
                    // What came is no message, or too large a one: nothing that follows can be trusted.
                    Err(status) => {
                        let _ = self.answers.send(Err(status)).await;
                        return;
                    }
                },
            }
        }
    }

    /// Takes a message: begins an append, goes on with it, or brings it on its way.
    async fn take(&mut self, message: BatchAppendReq) -> Option<Result<BatchAppendResp, Status>> {
        let named = message.correlation_id.clone();
        let id = match words::id(message.correlation_id) {
            Ok(id) => id,
            Err(status) => return Some(Err(status)),
        };
        let identifier = message.options.as_ref().and_then(|options| options.stream_identifier.clone());
        let believed = message.options.as_ref().and_then(|options| options.expected_stream_position);
        match self.take_parts(id, message.options, message.proposed_messages, message.is_final) {
            Ok(None) => None,
            Ok(Some(append)) => {
                self.write(named, append).await;
                None
            }
            Err(Wrong(status)) => {
                let stream = match self.forget(id) {
                    Some(append) => Some(identified(&append.stream)),
                    None => identifier,
                };
                Some(Ok(BatchAppendResp {
                    correlation_id: named,
                    stream_identifier: stream,
                    expected_stream_position: believed.map(echoed),
                    result: Some(Outcome::Error(status)),
                }))
            }
        }
    }

    /// The append, if it is complete.
    fn take_parts(
        &mut self,
        id: Uuid,
        options: Option<Options>,
        events: Vec<batch_append_req::ProposedMessage>,
        is_final: bool,
    ) -> Result<Option<Incomplete>, Wrong> {
        if let Some(options) = options
            && !self.incomplete.contains_key(&id)
        {
            if self.incomplete.len() == MAX_INCOMPLETE {
                return Err(bad_request(&format!(
                    "a call has at most {MAX_INCOMPLETE} appends that are not complete"
                )));
            }
            let begun = self.begin(options)?;
            self.incomplete.insert(id, begun);
        }
        let Some(append) = self.incomplete.get_mut(&id) else {
            // The rest of an append that went wrong; that was said already.
            return Ok(None);
        };
        for event in events {
            let (draft, bytes) =
                words::draft(event.id, event.metadata, event.custom_metadata, event.data).map_err(|status| of_status(&status))?;
            append.bytes += bytes;
            self.bytes += bytes;
            if append.bytes > MAX_APPEND_BYTES || self.bytes > 2 * MAX_APPEND_BYTES {
                return Err(too_large());
            }
            append.events.push(draft);
        }
        if append.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(wrong(Code::DeadlineExceeded, "Timeout", &protocol::Timeout {}));
        }
        Ok(if is_final { self.forget(id) } else { None })
    }

    fn forget(&mut self, id: Uuid) -> Option<Incomplete> {
        let append = self.incomplete.remove(&id)?;
        self.bytes -= append.bytes;
        Some(append)
    }

    fn begin(&self, options: Options) -> Result<Incomplete, Wrong> {
        let stream = words::stream(options.stream_identifier).map_err(|status| of_status(&status))?;
        self.desk
            .may_write(&self.caller, &stream)
            .map_err(|status| of_status(&status))?;
        let expected = match options.expected_stream_position {
            Some(ExpectedStreamPosition::StreamPosition(revision)) => {
                words::revision(revision).map_err(|status| of_status(&status))?
            }
            Some(ExpectedStreamPosition::NoStream(())) => Expected::NoStream,
            Some(ExpectedStreamPosition::Any(())) => Expected::Any,
            Some(ExpectedStreamPosition::StreamExists(())) => Expected::StreamExists,
            None => return Err(bad_request("an expected position of the stream is missing")),
        };
        Ok(Incomplete {
            stream,
            expected,
            deadline: deadline(options.deadline_option, self.desk.now()),
            events: Vec::new(),
            bytes: 0,
        })
    }

    /// Brings an append on its way. It is in the store's queue when this returns, so the order of arrival is kept.
    async fn write(&mut self, correlation_id: Option<protocol::Uuid>, append: Incomplete) {
        let desk = self.desk.clone();
        let mut writing: Pin<Box<dyn Future<Output = BatchAppendResp> + Send>> = Box::pin(async move {
            let (stream, expected) = (append.stream.clone(), append.expected);
            let outcome = write(&desk, append).await;
            BatchAppendResp {
                correlation_id,
                stream_identifier: Some(identified(&stream)),
                expected_stream_position: Some(believed(expected)),
                result: Some(outcome),
            }
        });
        let first_look = std::future::poll_fn(|context| Poll::Ready(writing.as_mut().poll(context))).await;
        match first_look {
            Poll::Ready(answer) => self.writing.push(Box::pin(std::future::ready(answer))),
            Poll::Pending => self.writing.push(writing),
        }
    }
}

async fn write(desk: &Desk, append: Incomplete) -> Outcome {
    let Incomplete {
        stream,
        expected,
        deadline,
        events,
        ..
    } = append;
    if events.is_empty() {
        return Outcome::Error(bad_request("an append has at least one event; this one has none").0);
    }
    let writing = desk.write_one(Write {
        stream: stream.clone(),
        expected,
        events,
    });
    let written = match deadline {
        Some(deadline) => tokio::time::timeout_at(deadline, writing)
            .await
            .unwrap_or(Err(WriteError::TimedOut)),
        None => writing.await,
    };
    match written {
        Ok(appended) => Outcome::Success(success(appended)),
        Err(refused) => Outcome::Error(refused_status(&stream, refused).0),
    }
}

fn refused_status(stream: &StreamName, refused: WriteError) -> Wrong {
    match refused {
        WriteError::TimedOut => wrong(Code::DeadlineExceeded, "Timeout", &protocol::Timeout {}),
        WriteError::Refused(Refusal::WrongRevision { expected, actual, .. }) => conflict(expected, actual),
        WriteError::Refused(Refusal::Deleted { .. } | Refusal::Tombstoned { .. }) => {
            let deleted = protocol::StreamDeleted {
                stream_identifier: Some(identified(stream)),
            };
            wrong(Code::NotFound, "StreamDeleted", &deleted)
        }
        WriteError::Refused(refused) => of_status(&refusal::status(refused, "Append")),
    }
}

/// When an append is not wanted any more.
fn deadline(option: Option<DeadlineOption>, now: DateTime<Utc>) -> Option<Instant> {
    let left = match option? {
        DeadlineOption::Deadline(left) => Duration::try_from(left).unwrap_or_default(),
        DeadlineOption::Deadline21100(at) => {
            let at = DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).unwrap_or_default())?;
            (at - now).to_std().unwrap_or_default()
        }
    };
    // A client that sends the time since 1970 for the time that is left waits as long as it likes.
    Instant::now().checked_add(left)
}

fn success(appended: Appended) -> Success {
    let position = AllStreamPosition {
        commit_position: appended.position.0,
        prepare_position: appended.position.0,
    };
    Success {
        current_revision_option: Some(CurrentRevisionOption::CurrentRevision(appended.revision)),
        position_option: Some(PositionOption::Position(position)),
    }
}

fn conflict(expected: Expected, actual: Option<u64>) -> Wrong {
    use CurrentStreamRevisionOption as Current;
    use ExpectedStreamPositionOption as Expects;
    let conflict = protocol::WrongExpectedVersion {
        current_stream_revision_option: Some(actual.map_or(Current::CurrentNoStream(()), Current::CurrentStreamRevision)),
        expected_stream_position_option: Some(match expected {
            Expected::Revision(revision) => Expects::ExpectedStreamPosition(revision),
            Expected::NoStream => Expects::ExpectedNoStream(()),
            Expected::Any => Expects::ExpectedAny(()),
            Expected::StreamExists => Expects::ExpectedStreamExists(()),
        }),
    };
    wrong(Code::AlreadyExists, "WrongExpectedVersion", &conflict)
}

fn identified(stream: &StreamName) -> StreamIdentifier {
    StreamIdentifier {
        stream_name: stream.to_string().into(),
    }
}

fn believed(expected: Expected) -> Believed {
    match expected {
        Expected::Revision(revision) => Believed::StreamPosition(revision),
        Expected::NoStream => Believed::NoStream(()),
        Expected::Any => Believed::Any(()),
        Expected::StreamExists => Believed::StreamExists(()),
    }
}

fn echoed(expected: ExpectedStreamPosition) -> Believed {
    match expected {
        ExpectedStreamPosition::StreamPosition(revision) => Believed::StreamPosition(revision),
        ExpectedStreamPosition::NoStream(()) => Believed::NoStream(()),
        ExpectedStreamPosition::Any(()) => Believed::Any(()),
        ExpectedStreamPosition::StreamExists(()) => Believed::StreamExists(()),
    }
}

fn too_large() -> Wrong {
    let exceeded = protocol::MaximumAppendSizeExceeded {
        max_append_size: u32::try_from(MAX_APPEND_BYTES).unwrap_or(u32::MAX),
    };
    wrong(Code::InvalidArgument, "MaximumAppendSizeExceeded", &exceeded)
}

fn bad_request(message: &str) -> Wrong {
    let detail = protocol::BadRequest {
        message: message.to_owned(),
    };
    wrong(Code::InvalidArgument, "BadRequest", &detail)
}

/// A refusal that has no words of its own in a batch.
fn of_status(status: &Status) -> Wrong {
    match status.code() {
        Code::PermissionDenied | Code::Unauthenticated => {
            wrong(Code::PermissionDenied, "AccessDenied", &protocol::AccessDenied {})
        }
        Code::InvalidArgument => bad_request(status.message()),
        code => wrong(code, status.message(), &protocol::Unknown {}),
    }
}

fn wrong<Detail: Message + Name>(code: Code, message: &str, detail: &Detail) -> Wrong {
    Wrong(google::rpc::Status {
        code: code.into(),
        message: message.to_owned(),
        details: Some(prost_types::Any {
            type_url: format!("type.googleapis.com/{}", Detail::full_name()),
            value: detail.encode_to_vec(),
        }),
    })
}
