//! The second version of appending: several streams at once, or nothing.

mod errors;
mod records;

use std::{collections::HashMap, sync::Arc};

use event_store_contract::{Appended, Expected, MAX_APPEND_BYTES, StreamName};
use event_store_embedded::{Check, Draft, Life, Refusal, Write};
use tonic::{Request, Response, Status, Streaming, async_trait};

use crate::{
    Desk,
    access::Action,
    protocol::kurrentdb::protocol::v2::streams::{
        AppendRecordsRequest, AppendRecordsResponse, AppendRequest, AppendResponse, AppendSessionResponse, ConsistencyCheck,
        StreamRevision, consistency_check, streams_service_server::StreamsService,
    },
    refusal,
    streams::timed_out,
};

/// The most streams of one session, and the most checks of one request.
const MAX_STREAMS: usize = 1_000;
/// The most events of one request, however small they are.
const MAX_RECORDS: usize = 100_000;

/// The service.
pub(crate) struct StreamsV2(pub(crate) Arc<Desk>);

#[async_trait]
impl StreamsService for StreamsV2 {
    async fn append_session(
        &self,
        request: Request<Streaming<AppendRequest>>,
    ) -> Result<Response<AppendSessionResponse>, Status> {
        let caller = self.0.access.caller(request.metadata()).await?;
        let mut requests = request.into_inner();
        let mut writes: Vec<Write> = Vec::new();
        let mut budget = Budget::default();
        while let Some(AppendRequest {
            stream,
            records,
            expected_revision,
        }) = requests.message().await?
        {
            let stream = named(&stream)?;
            self.0.may_write(&caller, &stream)?;
            if writes.iter().any(|write| write.stream == stream) {
                return Err(errors::already_in_session(&stream));
            }
            if writes.len() == MAX_STREAMS {
                return Err(Status::invalid_argument(format!(
                    "a session has at most {MAX_STREAMS} streams"
                )));
            }
            let expected = expected_revision.map_or(Some(Expected::Any), refusal::expected);
            let expected =
                expected.ok_or_else(|| Status::invalid_argument("an expected revision is a revision, -1, -2 or -4"))?;
            let events = records
                .into_iter()
                .map(|record| budget.spend(records::draft(&stream, record)?))
                .collect::<Result<Vec<_>, _>>()?;
            if events.is_empty() {
                return Err(Status::invalid_argument(format!("there is no record for stream {stream}")));
            }
            writes.push(Write {
                stream,
                expected,
                events,
            });
        }
        if writes.is_empty() {
            return Err(errors::no_requests());
        }
        let streams: Vec<StreamName> = writes.iter().map(|write| write.stream.clone()).collect();
        let appended = self.write(writes, Vec::new()).await?.map_err(errors::of_session)?;
        let output = streams.iter().zip(&appended).map(|(stream, appended)| AppendResponse {
            stream: stream.to_string(),
            stream_revision: appended.revision.cast_signed(),
            position: Some(appended.position.0.cast_signed()),
        });
        Ok(Response::new(AppendSessionResponse {
            output: output.collect(),
            position: last_position(&appended),
        }))
    }

    async fn append_records(&self, request: Request<AppendRecordsRequest>) -> Result<Response<AppendRecordsResponse>, Status> {
        let caller = self.0.access.caller(request.metadata()).await?;
        let AppendRecordsRequest { records, checks } = request.into_inner();
        if records.is_empty() {
            return Err(Status::invalid_argument(
                "Append records request must contain at least one record.",
            ));
        }
        if checks.len() > MAX_STREAMS {
            return Err(Status::invalid_argument(format!(
                "a request has at most {MAX_STREAMS} checks"
            )));
        }
        let checks = checks.into_iter().map(checked).collect::<Result<Vec<Check>, _>>()?;
        let mut budget = Budget::default();
        let mut written: Vec<(StreamName, Draft)> = Vec::new();
        for record in records {
            let stream = named(&record.stream)?;
            let draft = budget.spend(records::draft(&stream, record)?)?;
            written.push((stream, draft));
        }
        let order = order_of(written.iter().map(|(stream, _)| stream));
        for stream in &order {
            self.0.may_write(&caller, stream)?;
        }
        for (place, check) in checks.iter().enumerate() {
            if checks.iter().take(place).any(|other| other.stream == check.stream) {
                return Err(Status::invalid_argument(
                    "Each stream can only appear once in consistency checks.",
                ));
            }
            if !order.contains(&check.stream) {
                self.0.access.allow(&caller, Action::Read, check.stream.as_str())?;
            }
        }
        let (writes, others) = apart(written, &checks);
        let streams: Vec<StreamName> = writes.iter().map(|write| write.stream.clone()).collect();
        let appended = match self.write(writes, others).await? {
            Ok(appended) => appended,
            Err(refused) => return Err(self.violations(&checks, &order, refused)),
        };
        let last: HashMap<&StreamName, u64> = streams
            .iter()
            .zip(appended.iter().map(|appended| appended.revision))
            .collect();
        let revisions = order.iter().map(|stream| StreamRevision {
            stream: stream.to_string(),
            revision: last.get(stream).copied().unwrap_or_default().cast_signed(),
        });
        Ok(Response::new(AppendRecordsResponse {
            revisions: revisions.collect(),
            position: last_position(&appended),
        }))
    }
}

impl StreamsV2 {
    async fn write(&self, writes: Vec<Write>, checks: Vec<Check>) -> Result<Result<Vec<Appended>, Refusal>, Status> {
        tokio::time::timeout(self.0.write_timeout, self.0.store.write(writes, checks))
            .await
            .map_err(|_| timed_out())
    }

    /// All checks that do not hold, as far as one can see now, and the one that the store met for certain.
    fn violations(&self, checks: &[Check], written: &[StreamName], refused: Refusal) -> Status {
        let met = match &refused {
            Refusal::WrongRevision { stream, .. } | Refusal::Deleted { stream } | Refusal::Tombstoned { stream } => {
                stream.clone()
            }
            _ => return refusal::status(refused, "Append"),
        };
        let mut violations = Vec::new();
        for (place, check) in checks.iter().enumerate() {
            let actual = if check.stream == met {
                Some(errors::actual_state(&refused))
            } else {
                self.violated(check, written.contains(&check.stream))
            };
            if let Some(actual) = actual {
                violations.push(errors::Violation::new(place, &check.stream, check.expected, actual));
            }
        }
        if !checks.iter().any(|check| check.stream == met) {
            // A stream that is written without a check comes after all checks, expecting anything.
            violations.push(errors::Violation::new(
                checks.len(),
                &met,
                Expected::Any,
                errors::actual_state(&refused),
            ));
        }
        errors::violated(&violations)
    }

    fn violated(&self, check: &Check, is_written: bool) -> Option<i64> {
        let head = self.0.store.stream_head(&check.stream).ok()?;
        let actual = match head.life {
            Life::Tombstoned => errors::TOMBSTONED,
            Life::SoftDeleted => errors::DELETED,
            Life::Missing | Life::Live => refusal::actual_number(head.last),
        };
        let holds = match (check.expected, head.life) {
            (Expected::NoStream, Life::Tombstoned) => !is_written,
            (_, Life::Tombstoned) | (Expected::NoStream, Life::Live) => false,
            (Expected::Any, _) | (Expected::NoStream, Life::Missing | Life::SoftDeleted) => true,
            (Expected::StreamExists, life) => life == Life::Live,
            (Expected::Revision(revision), _) => head.last == Some(revision),
        };
        (!holds).then_some(actual)
    }
}

/// How much of one request was used up.
#[derive(Default)]
struct Budget {
    bytes: usize,
    records: usize,
}

impl Budget {
    fn spend(&mut self, (draft, bytes): (Draft, usize)) -> Result<Draft, Status> {
        self.bytes += bytes;
        self.records += 1;
        if self.bytes > MAX_APPEND_BYTES {
            return Err(errors::transaction_too_large(self.records, self.bytes));
        }
        if self.records > MAX_RECORDS {
            return Err(Status::invalid_argument(format!(
                "a request has at most {MAX_RECORDS} records"
            )));
        }
        Ok(draft)
    }
}

fn named(stream: &str) -> Result<StreamName, Status> {
    if stream == "$$" {
        return Err(Status::invalid_argument("Stream must not be '$$'."));
    }
    StreamName::new(stream).map_err(|error| Status::invalid_argument(error.to_string()))
}

fn checked(check: ConsistencyCheck) -> Result<Check, Status> {
    let Some(consistency_check::Type::StreamState(state)) = check.r#type else {
        return Err(Status::invalid_argument("Each consistency check must specify a type."));
    };
    let expected = refusal::expected(state.expected_state).filter(|expected| *expected != Expected::Any);
    let expected = expected.ok_or_else(|| {
        Status::invalid_argument(
            "Expected state must be a revision, NoStream (-1) or Exists (-4): Any (-2) checks nothing, and \
             Deleted (-5) and Tombstoned (-6) are not offered here.",
        )
    })?;
    Ok(Check {
        stream: named(&state.stream)?,
        expected,
    })
}

/// Each stream once, as it comes first.
fn order_of<'a>(streams: impl Iterator<Item = &'a StreamName>) -> Vec<StreamName> {
    let mut order: Vec<StreamName> = Vec::new();
    for stream in streams {
        if !order.contains(stream) {
            order.push(stream.clone());
        }
    }
    order
}

/// The writes in the order of the records, the first to each stream with what is expected of it; and the checks of
/// streams that are not written.
fn apart(records: Vec<(StreamName, Draft)>, checks: &[Check]) -> (Vec<Write>, Vec<Check>) {
    let mut writes: Vec<Write> = Vec::new();
    for (stream, draft) in records {
        match writes.last_mut() {
            Some(last) if last.stream == stream => last.events.push(draft),
            _ => {
                let is_first = !writes.iter().any(|write| write.stream == stream);
                let check = checks.iter().find(|check| is_first && check.stream == stream);
                let expected = check.map_or(Expected::Any, |check| check.expected);
                let events = vec![draft];
                writes.push(Write {
                    stream,
                    expected,
                    events,
                });
            }
        }
    }
    let others = checks
        .iter()
        .filter(|check| !writes.iter().any(|write| write.stream == check.stream));
    let others = others.cloned().collect();
    (writes, others)
}

fn last_position(appended: &[Appended]) -> i64 {
    let last = appended.iter().map(|appended| appended.position.0).max();
    last.unwrap_or_default().cast_signed()
}
