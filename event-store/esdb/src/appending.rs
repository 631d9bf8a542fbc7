//! Appending: along a lane if it is small, one by one if it is large or the lane says that there is a conflict.

use std::sync::Arc;

use event_store_contract::{Appended, Direction, Expected, NewEvent, Position, StoreError, StreamName};
use kurrentdb::{CurrentRevision, Error, EventData};
use uuid::Uuid;

use crate::{
    connection::{ATTEMPT, Connection, Link, PATIENCE},
    convert, reading,
    trouble::{Trouble, code, is_of_the_connection, sorted},
};

/// The most bytes of an append that goes along a lane: there it is one message, which others wait behind.
const MAX_LANE_BYTES: usize = 256 * 1024;
/// The most events of an append that goes along a lane.
const MAX_LANE_EVENTS: usize = 500;

/// How many events others may have written to a stream since an attempt whose answer never came.
const OTHERS_SINCE: usize = 100;
/// The revision of a tombstone.
const TOMBSTONE_REVISION: u64 = i64::MAX.unsigned_abs();

/// What is appended, ready to be asked for again.
struct Request<'a> {
    stream: &'a StreamName,
    expected: Expected,
    ids: Vec<Uuid>,
    events: Vec<EventData>,
    /// What the events need in a message, about.
    bytes: usize,
}

/// What one attempt along a lane came to.
enum AlongALane {
    Appended(Appended),
    /// There is a conflict, or the lane cannot tell: only an append of its own gets the whole answer.
    AskOneByOne,
}

pub(crate) async fn append(
    connection: &Connection,
    stream: &StreamName,
    expected: Expected,
    events: Vec<NewEvent>,
) -> Result<Appended, StoreError> {
    if let Expected::Revision(revision) = expected
        && i64::try_from(revision).is_err()
    {
        // No stream gets there, and the protocol's numbers do not either.
        let actual = reading::newest(connection, stream).await?.map(|event| event.revision);
        return Err(conflict(stream, expected, actual));
    }
    let request = Request {
        stream,
        expected,
        ids: events.iter().map(|event| event.id).collect(),
        events: events.iter().map(convert::outgoing).collect(),
        bytes: events
            .iter()
            .map(|event| event.name.len() + event.data.len() + event.metadata.len())
            .sum(),
    };
    drop(events);
    let small = request.bytes <= MAX_LANE_BYTES && request.events.len() <= MAX_LANE_EVENTS;
    // A large append may need longer than the usual.
    let limit = if small { ATTEMPT + ATTEMPT } else { PATIENCE + PATIENCE };
    let mut attempts = 0;
    let appended = connection
        .patiently(Some(limit), |link| {
            attempts += 1;
            attempt(connection, link, &request, small, attempts)
        })
        .await?;
    if appended.position != Position(0) {
        return Ok(appended);
    }
    // An answer to the same append again may leave the position away.
    let stands = reading::at(connection, stream, appended.revision).await?;
    Ok(Appended {
        position: stands.map(|event| event.position).unwrap_or_default(),
        ..appended
    })
}

async fn attempt(
    connection: &Connection,
    link: Arc<Link>,
    request: &Request<'_>,
    small: bool,
    attempt: u32,
) -> Result<Appended, Trouble> {
    if attempt > 1
        && let Some(appended) = stands(connection, request).await?
    {
        return Ok(appended);
    }
    if small && let AlongALane::Appended(appended) = along_a_lane(connection, &link, request).await? {
        return Ok(appended);
    }
    alone(connection, &link, request).await
}

/// Without a revision to go by, a server that was started again does not know the ids of before, and would write twice
/// what an attempt without an answer has written. So the end of the stream is looked at.
async fn stands(connection: &Connection, request: &Request<'_>) -> Result<Option<Appended>, Trouble> {
    if !matches!(request.expected, Expected::Any | Expected::StreamExists) {
        return Ok(None);
    }
    let count = request.ids.len();
    let newest = reading::stream(
        connection,
        request.stream,
        u64::MAX,
        Direction::Backwards,
        count + OTHERS_SINCE,
    )
    .await
    .map_err(Trouble::Final)?;
    let ours = newest
        .windows(count)
        .find(|events| events.iter().rev().map(|event| event.id).eq(request.ids.iter().copied()));
    Ok(ours.and_then(<[_]>::first).map(|last| Appended {
        revision: last.revision,
        position: last.position,
    }))
}

async fn along_a_lane(connection: &Connection, link: &Link, request: &Request<'_>) -> Result<AlongALane, Trouble> {
    let append = (
        request.stream.as_str(),
        convert::expected(request.expected),
        request.events.clone(),
    );
    let options = connection.batch_options();
    match link.lanes.append(&link.client, &options, ATTEMPT, append).await {
        Ok(written) => {
            let position = written.current_position().map(|position| Position(position.commit));
            Ok(match written.current_revision() {
                Some(revision) => AlongALane::Appended(Appended {
                    revision,
                    position: position.unwrap_or_default(),
                }),
                None => AlongALane::AskOneByOne,
            })
        }
        Err(error @ (Error::ServerError(_) | Error::ConnectionClosed | Error::GrpcConnectionError(_))) => Err(sorted(error)),
        Err(_refused) => Ok(AlongALane::AskOneByOne),
    }
}

async fn alone(connection: &Connection, link: &Link, request: &Request<'_>) -> Result<Appended, Trouble> {
    let options = connection
        .append_options()
        .stream_state(convert::expected(request.expected))
        .deadline(if request.bytes <= MAX_LANE_BYTES { ATTEMPT } else { PATIENCE });
    let answer = link
        .client
        .append_to_stream(request.stream.as_str(), &options, request.events.clone())
        .await;
    match answer {
        Ok(written) => Ok(Appended {
            revision: written.next_expected_version,
            position: Position(written.position.commit),
        }),
        Err(Error::WrongExpectedVersion { current, .. }) => {
            let actual = match current {
                CurrentRevision::Current(revision) => Some(revision),
                CurrentRevision::NoStream => None,
            };
            Err(Trouble::Final(conflict(request.stream, request.expected, actual)))
        }
        Err(Error::ResourceDeleted) => Err(Trouble::Final(deleted(connection, request).await)),
        Err(Error::Grpc { code, message })
            if [code::INVALID_ARGUMENT, code::RESOURCE_EXHAUSTED, code::OUT_OF_RANGE].contains(&(code as i32))
                && !is_of_the_connection(&message) =>
        {
            Err(Trouble::Final(StoreError::TooLarge(format!(
                "the event store does not take this append: {message}"
            ))))
        }
        Err(error) => Err(sorted(error)),
    }
}

/// What a store that is asked in process says of a stream that was deleted: for ever, and it is at the last revision
/// that there can be; else, nothing is there.
async fn deleted(connection: &Connection, request: &Request<'_>) -> StoreError {
    let actual = match reading::newest(connection, request.stream).await {
        Ok(newest) => newest.map(|event| event.revision),
        Err(StoreError::Damaged { .. }) => Some(TOMBSTONE_REVISION),
        Err(error) => return error,
    };
    conflict(request.stream, request.expected, actual)
}

fn conflict(stream: &StreamName, expected: Expected, actual: Option<u64>) -> StoreError {
    StoreError::WrongRevision {
        stream: stream.clone(),
        expected,
        actual,
    }
}
