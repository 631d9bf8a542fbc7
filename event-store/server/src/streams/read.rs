//! Reading and following: what was asked, and which way it is answered.
//!
//! Taken from the connection by hand, not by the generated code: the answer is made of bytes that were written once.

use std::sync::Arc;

use bytes::Buf;
use event_store_contract::{Direction, Position, StreamName};
use event_store_embedded::LogFrom;
use http::Request;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use prost::Message;
use tokio::time::Instant;
use tonic::{Status, metadata::MetadataMap};

use crate::{
    Desk,
    access::{Action, Sight},
    filter::Filter,
    protocol::event_store::client::streams::{
        ReadReq,
        read_req::{
            Options,
            options::{
                AllOptions, CountOption, FilterOption, ReadDirection, StreamOption, StreamOptions, all_options::AllOption,
                stream_options::RevisionOption, uuid_option,
            },
        },
    },
    streams::{
        frames::Ids,
        reading::{Links, LogReading, StreamReading, pages},
        respond, subscribe, words,
    },
};

/// The largest request to read: it has little more than a filter.
const MAX_REQUEST_BYTES: usize = 1024 * 1024;
/// What stands before a message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;
/// The stream whose reading is asked for when somebody reads the whole log.
const ALL: &str = "$all";

/// Answers a call of `Streams.Read`.
pub(crate) async fn read(
    desk: Arc<Desk>,
    request: Request<Incoming>,
    deadline: Option<Instant>,
) -> Result<http::Response<tonic::body::Body>, Status> {
    let (parts, body) = request.into_parts();
    let caller = desk.access.caller(&MetadataMap::from_headers(parts.headers)).await?;
    let options = message(body)
        .await?
        .options
        .ok_or_else(|| Status::invalid_argument("the request has no options"))?;
    let name = match &options.stream_option {
        Some(StreamOption::Stream(asked)) => words::stream(asked.stream_identifier.clone())?.to_string(),
        Some(StreamOption::All(_)) => ALL.into(),
        None => return Err(Status::invalid_argument("what is to be read: a stream, or all of them?")),
    };
    desk.access.allow(&caller, Action::Read, &name)?;
    let sight = desk.access.sight(&caller);
    answer(desk, options, sight, deadline).await
}

/// The one message of the request.
async fn message(body: Incoming) -> Result<ReadReq, Status> {
    let collected = Limited::new(body, MAX_REQUEST_BYTES).collect().await;
    let mut bytes = collected
        .map_err(|error| Status::invalid_argument(format!("the request did not come whole: {error}")))?
        .to_bytes();
    if bytes.len() < PREFIX_BYTES {
        return Err(Status::internal("the request has no message"));
    }
    let compressed = bytes.get_u8() != 0;
    let len = bytes.get_u32() as usize;
    if compressed {
        return Err(Status::unimplemented("compressed requests are not taken"));
    }
    if len != bytes.len() {
        return Err(Status::internal("the request is not one message"));
    }
    ReadReq::decode(bytes).map_err(|error| Status::internal(format!("the request cannot be read: {error}")))
}

async fn answer(
    desk: Arc<Desk>,
    options: Options,
    sight: Sight,
    deadline: Option<Instant>,
) -> Result<http::Response<tonic::body::Body>, Status> {
    let ids = match options.uuid_option.and_then(|option| option.content) {
        Some(uuid_option::Content::String(())) => Ids::Text,
        Some(uuid_option::Content::Structured(())) => Ids::Halves,
        None => {
            return Err(Status::invalid_argument(
                "'uuidOption' is a required argument: how are ids to be written?",
            ));
        }
    };
    let direction = match ReadDirection::try_from(options.read_direction) {
        Ok(ReadDirection::Forwards) => Direction::Forwards,
        Ok(ReadDirection::Backwards) => Direction::Backwards,
        Err(_) => return Err(Status::invalid_argument("one can read forwards or backwards")),
    };
    let links = if options.resolve_links {
        Links::Followed(sight)
    } else {
        Links::AsTheyAre
    };
    let tells_positions = options.control_option.is_some_and(|option| option.compatibility >= 1);
    match (options.stream_option, options.count_option, direction, options.filter_option) {
        (Some(StreamOption::Stream(asked)), Some(CountOption::Count(count)), _, Some(FilterOption::NoFilter(()))) => {
            let (stream, revision) = stream_asked(asked)?;
            let reading = StreamReading {
                store: desk.store.clone(),
                stream,
                direction,
                links,
                ids,
                tells_positions,
                now: desk.now(),
            };
            let from = match (revision, direction) {
                (RevisionOption::Revision(revision), _) => revision,
                (RevisionOption::Start(()), _) => 0,
                (RevisionOption::End(()), _) => u64::MAX,
            };
            Ok(respond(pages(reading, from, count).await?, deadline))
        }
        (Some(StreamOption::All(asked)), Some(CountOption::Count(count)), _, Some(filter)) => {
            let reading = LogReading {
                store: desk.store.clone(),
                direction,
                filter: filter_asked(filter)?,
                links,
                ids,
                now: desk.now(),
            };
            let (from, count) = match (position_asked(asked)?, direction) {
                (AllOption::Start(()), Direction::Forwards) => (LogFrom::Start, count),
                (AllOption::Start(()), Direction::Backwards) => (LogFrom::Start, 0),
                (AllOption::End(()), _) => (LogFrom::End, count),
                (AllOption::Position(at), _) if at.commit_position >= i64::MAX.cast_unsigned() => (LogFrom::End, count),
                (AllOption::Position(at), Direction::Forwards) => (LogFrom::At(Position(at.commit_position)), count),
                // Backwards, the event at the position is not among those that are read.
                (AllOption::Position(at), Direction::Backwards) => (LogFrom::After(Position(at.commit_position)), count),
            };
            Ok(respond(pages(reading, from, count).await?, deadline))
        }
        (
            Some(StreamOption::Stream(asked)),
            Some(CountOption::Subscription(_)),
            Direction::Forwards,
            Some(FilterOption::NoFilter(())),
        ) => {
            let (stream, revision) = stream_asked(asked)?;
            Ok(respond(subscribe::to_stream(desk, stream, revision, links, ids), deadline))
        }
        (Some(StreamOption::All(asked)), Some(CountOption::Subscription(_)), Direction::Forwards, Some(filter)) => {
            let (from, filter) = (position_asked(asked)?, filter_asked(filter)?);
            Ok(respond(subscribe::to_all(desk, from, filter, links, ids), deadline))
        }
        _ => Err(Status::invalid_argument(
            "The combination of stream, count, direction and filter is invalid: \
             a stream has no filter, and one subscribes forwards",
        )),
    }
}

fn stream_asked(asked: StreamOptions) -> Result<(StreamName, RevisionOption), Status> {
    let stream = words::stream(asked.stream_identifier)?;
    let from = asked
        .revision_option
        .ok_or_else(|| Status::invalid_argument("a revision to begin with is missing"))?;
    Ok((stream, from))
}

fn position_asked(asked: AllOptions) -> Result<AllOption, Status> {
    let from = asked
        .all_option
        .ok_or_else(|| Status::invalid_argument("a position to begin with is missing"))?;
    if let AllOption::Position(at) = &from
        && at.prepare_position > at.commit_position
    {
        return Err(Status::invalid_argument("Trying to read from an invalid position."));
    }
    Ok(from)
}

fn filter_asked(filter: FilterOption) -> Result<Filter, Status> {
    match filter {
        FilterOption::Filter(options) => Filter::of(options),
        FilterOption::NoFilter(()) => Ok(Filter::everything()),
    }
}
