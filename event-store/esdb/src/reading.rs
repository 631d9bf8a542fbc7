//! Reading streams and the log, as the protocol gives them: without the chain, and without what is the system's own.

use std::time::Duration;

use event_store_contract::{Direction, Filter, MAX_EVENTS_PER_READ, Page, Position, RecordedEvent, StoreError, StreamName};
use kurrentdb::{Error, ReadStream, StreamPosition, SubscriptionFilter};
use tokio::time::timeout;

use crate::{
    connection::{Connection, Link},
    convert,
    trouble::{Trouble, sorted, tombstoned},
};

/// How long the server may be silent in the middle of a read.
const SILENCE: Duration = Duration::from_secs(15);
/// How long it may be silent while it looks for the few events of the log that a filter lets through. A connection that
/// is dead is found out sooner, by the client's keep-alive.
const SILENCE_OF_A_SEARCH: Duration = Duration::from_secs(180);
/// A page of the log that is larger than this ends early; the reader goes on after it.
const MAX_PAGE_BYTES: usize = 32 * 1024 * 1024;

/// Streams whose names do not begin with `$`: the platform's log has no system events, whichever store it is in.
pub(crate) fn visible() -> SubscriptionFilter {
    SubscriptionFilter::on_stream_name().exclude_system_events()
}

fn server_filter(filter: &Filter) -> SubscriptionFilter {
    if filter.prefixes.is_empty() || filter.prefixes.iter().any(String::is_empty) {
        return visible();
    }
    filter
        .prefixes
        .iter()
        .fold(SubscriptionFilter::on_stream_name(), SubscriptionFilter::add_prefix)
}

/// A place in the log. Its beginning has no event, so nothing stands at zero.
pub(crate) fn place(after: Option<Position>) -> StreamPosition<kurrentdb::Position> {
    match after {
        None | Some(Position(0)) => StreamPosition::Start,
        Some(Position(commit)) => StreamPosition::Position(kurrentdb::Position { commit, prepare: commit }),
    }
}

async fn next(events: &mut ReadStream, silence: Duration) -> Result<Option<kurrentdb::RecordedEvent>, Trouble> {
    match timeout(silence, events.next()).await {
        Ok(Ok(Some(event))) => Ok(event.event.or(event.link)),
        Ok(Ok(None)) => Ok(None),
        Ok(Err(error)) => Err(sorted(error)),
        Err(_) => Err(Trouble::Lost(format!("nothing came for {silence:?} in the middle of a read"))),
    }
}

/// Events of a stream without their links of the chain; nothing, if there is no such stream.
pub(crate) async fn stream(
    connection: &Connection,
    name: &StreamName,
    from: u64,
    direction: Direction,
    limit: usize,
) -> Result<Vec<RecordedEvent>, StoreError> {
    // The protocol counts with signed numbers; no stream has more events than they can.
    let start = match (i64::try_from(from), direction) {
        (Ok(_), _) => StreamPosition::Position(from),
        (Err(_), Direction::Backwards) => StreamPosition::End,
        (Err(_), Direction::Forwards) => return Ok(Vec::new()),
    };
    if limit == 0 {
        return Ok(Vec::new());
    }
    connection
        .patiently(None, |link| async move {
            let options = connection.stream_options().max_count(limit);
            // The order matters: setting a position sets a direction with it.
            let options = match direction {
                Direction::Forwards => options.position(start).forwards(),
                Direction::Backwards => options.position(start).backwards(),
            };
            let opened = timeout(SILENCE, link.client.read_stream(name.as_str(), &options)).await;
            let mut events = match opened {
                Ok(Ok(events)) => events,
                Ok(Err(Error::ResourceDeleted)) => return Err(tombstoned(name)),
                Ok(Err(error)) => return Err(sorted(error)),
                Err(_) => return Err(Trouble::Lost("a read was not answered".into())),
            };
            let mut read = Vec::new();
            loop {
                match timeout(SILENCE, events.next()).await {
                    Ok(Ok(Some(event))) => {
                        if let Some(event) = event.event.or(event.link) {
                            read.push(convert::within(name.clone(), event));
                        }
                    }
                    Ok(Ok(None) | Err(Error::ResourceNotFound)) => return Ok(read),
                    Ok(Err(Error::ResourceDeleted)) => return Err(tombstoned(name)),
                    Ok(Err(error)) => return Err(sorted(error)),
                    Err(_) => return Err(Trouble::Lost("nothing came in the middle of a read".into())),
                }
            }
        })
        .await
}

/// The newest event of a stream.
pub(crate) async fn newest(connection: &Connection, name: &StreamName) -> Result<Option<RecordedEvent>, StoreError> {
    Ok(stream(connection, name, u64::MAX, Direction::Backwards, 1).await?.pop())
}

/// The event of a stream at this revision.
pub(crate) async fn at(connection: &Connection, name: &StreamName, revision: u64) -> Result<Option<RecordedEvent>, StoreError> {
    Ok(stream(connection, name, revision, Direction::Forwards, 1).await?.pop())
}

/// The position of the newest event that is not the system's own.
pub(crate) async fn head(connection: &Connection) -> Result<Option<Position>, StoreError> {
    connection
        .patiently(None, |link| async move { newest_of_log(connection, &link).await })
        .await
}

async fn newest_of_log(connection: &Connection, link: &Link) -> Result<Option<Position>, Trouble> {
    let options = connection
        .log_options()
        .position(StreamPosition::End)
        .backwards()
        .filter(visible())
        .max_count(1);
    let mut events = opened(link, &options).await?;
    Ok(next(&mut events, SILENCE_OF_A_SEARCH)
        .await?
        .map(|event| Position(event.position.commit)))
}

async fn opened(link: &Link, options: &kurrentdb::ReadAllOptions) -> Result<ReadStream, Trouble> {
    match timeout(SILENCE_OF_A_SEARCH, link.client.read_all(options)).await {
        Ok(opened) => opened.map_err(sorted),
        Err(_) => Err(Trouble::Lost("a read of the log was not answered".into())),
    }
}

/// A page of the log.
pub(crate) async fn log(
    connection: &Connection,
    after: Option<Position>,
    limit: usize,
    filter: &Filter,
) -> Result<Page, StoreError> {
    let limit = limit.min(MAX_EVENTS_PER_READ);
    connection
        .patiently(None, |link| async move {
            match log_page(connection, &link, after, limit, filter).await {
                Err(Trouble::Final(StoreError::Unavailable(reason))) if reason.starts_with("InvalidArgument") => {
                    Err(Trouble::Final(StoreError::Unavailable(format!(
                        "position {} is no place in its log, perhaps it is another store's: begin again ({reason})",
                        after.unwrap_or_default().0
                    ))))
                }
                other => other,
            }
        })
        .await
}

async fn log_page(
    connection: &Connection,
    link: &Link,
    after: Option<Position>,
    limit: usize,
    filter: &Filter,
) -> Result<Page, Trouble> {
    // When the filter finds no more, everything up to what was the head before has been looked through.
    let head = if filter.prefixes.is_empty() {
        None
    } else {
        newest_of_log(connection, link).await?
    };
    // The protocol begins with the event at the position itself.
    let asked = limit.max(1) + 1;
    let options = connection
        .log_options()
        .position(place(after))
        .forwards()
        .filter(server_filter(filter))
        .max_count(asked);
    let mut page = Page {
        events: Vec::new(),
        position: after,
        end: false,
    };
    let (mut read, mut bytes, mut is_full) = (0, 0, false);
    let mut events = opened(link, &options).await?;
    while let Some(event) = next(&mut events, SILENCE_OF_A_SEARCH).await? {
        read += 1;
        let position = Position(event.position.commit);
        if Some(position) <= after {
            continue;
        }
        if page.events.len() == limit {
            // One too many, to know that there is more. The end is waited for: servers do not like broken-off reads.
            is_full = true;
            continue;
        }
        if bytes >= MAX_PAGE_BYTES {
            return Ok(page);
        }
        page.position = Some(position);
        if let Some(event) = convert::incoming(event).filter(|event| filter.wants(event.stream.as_str())) {
            bytes += event.data.len() + event.metadata.len();
            page.events.push(event);
        }
    }
    page.end = read < asked && !is_full;
    if page.end {
        page.position = page.position.max(head);
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_prefix_asks_for_everything_but_the_systems_own() {
        let pattern = format!("{:?}", visible());
        assert_eq!(format!("{:?}", server_filter(&Filter::all())), pattern);
        assert_eq!(format!("{:?}", server_filter(&Filter::prefixes(["a-", ""]))), pattern);
        assert_ne!(format!("{:?}", server_filter(&Filter::prefixes(["a-"]))), pattern);
    }
}
