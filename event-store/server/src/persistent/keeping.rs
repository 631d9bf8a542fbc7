//! What a group keeps in the store: its checkpoint, and what it put aside.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use event_store_contract::{Direction, Expected, NewEvent, StoreError};
use event_store_embedded::{Draft, EmbeddedStore, LINK_NAME, Life, METADATA_NAME, Seen, Write, is_virtual};
use serde_json::json;
use uuid::Uuid;

use super::{configuration::write, names::StateStreams, settings::Kind};

/// The name of the event that holds a checkpoint; its data is the place as text.
const CHECKPOINT_NAME: &str = "$SubscriptionCheckpoint";
/// Of checkpoints, only the newest holds.
const CHECKPOINTS_KEPT: u64 = 2;

/// The place up to which everything was done when it was last written down.
pub(super) fn last_checkpoint(
    store: &EmbeddedStore,
    streams: &StateStreams,
    kind: Kind,
    now: DateTime<Utc>,
) -> Result<Option<u64>, StoreError> {
    let newest = store.stream_as_seen(&streams.checkpoint, u64::MAX, Direction::Backwards, 1, false, now)?;
    let Some(event) = newest.events.into_iter().next().and_then(|seen| seen.event) else {
        return Ok(None);
    };
    // A place is text; servers of long ago wrote a number.
    let place = match serde_json::from_slice(&event.data) {
        Ok(serde_json::Value::String(written)) => kind.parse(&written).and_then(|place| u64::try_from(place).ok()),
        Ok(serde_json::Value::Number(number)) => number.as_u64(),
        _ => None,
    };
    if place.is_none() {
        tracing::error!(stream = %streams.checkpoint, revision = event.revision, "a checkpoint cannot be understood");
    }
    Ok(place)
}

/// The checkpoint, and at the first time how many of them are kept.
pub(super) fn write_checkpoint(
    store: &EmbeddedStore,
    streams: &StateStreams,
    kind: Kind,
    place: u64,
) -> Result<Vec<Write>, StoreError> {
    let mut writes = Vec::with_capacity(2);
    if store.metadata(&streams.checkpoint)?.is_none() {
        let metadata = json!({ "$maxCount": CHECKPOINTS_KEPT, "$acl": acl("$all") });
        writes.push(write(
            streams.checkpoint_metadata.clone(),
            METADATA_NAME,
            Bytes::from(metadata.to_string()),
        ));
    }
    let place = json!(kind.place(place)).to_string();
    writes.push(write(streams.checkpoint.clone(), CHECKPOINT_NAME, Bytes::from(place)));
    Ok(writes)
}

/// Hides the parked messages before a revision, if they are not hidden already.
pub(super) fn write_truncation(store: &EmbeddedStore, streams: &StateStreams, before: u64) -> Result<Option<Write>, StoreError> {
    let hidden = store
        .metadata(&streams.parked)?
        .and_then(|metadata| metadata.truncate_before)
        .unwrap_or_default();
    let metadata = json!({ "$tb": before, "$acl": acl("$admins") });
    let metadata = Bytes::from(metadata.to_string());
    Ok((before > hidden).then(|| write(streams.parked_metadata.clone(), METADATA_NAME, metadata)))
}

fn acl(may_read_metadata: &str) -> serde_json::Value {
    let admins = "$admins";
    json!({ "$r": admins, "$w": admins, "$d": admins, "$mr": may_read_metadata, "$mw": admins })
}

/// The link that stands for a message that was put aside.
pub(super) fn link_to(seen: &Seen, reason: &str, now: DateTime<Utc>) -> Option<Draft> {
    let original = seen.link.as_ref().or(seen.event.as_ref())?;
    let data = match &seen.event {
        // A link of a list that nobody followed: the list may change, what the link leads to does not.
        Some(event) if &*event.name == LINK_NAME && is_virtual(event.stream.as_str()) => event.data.clone(),
        Some(event) => Bytes::from(format!("{}@{}", event.revision, event.stream)),
        None => original.data.clone(),
    };
    let metadata = json!({
        "added": now,
        "reason": reason,
        "subscriptionEventNumber": original.revision,
    });
    let event = NewEvent {
        id: Uuid::new_v4(),
        name: LINK_NAME.into(),
        data,
        metadata: Bytes::from(metadata.to_string()),
    };
    Some(Draft { event, is_json: false })
}

/// Several messages put aside at once.
pub(super) fn write_parked(streams: &StateStreams, links: Vec<Draft>) -> Write {
    Write {
        stream: streams.parked.clone(),
        expected: Expected::Any,
        events: links,
    }
}

/// The revisions of the first and of the last parked message, if there are any.
pub(super) fn parked_range(
    store: &EmbeddedStore,
    streams: &StateStreams,
    now: DateTime<Utc>,
) -> Result<Option<(u64, u64)>, StoreError> {
    let parked = store.stream_as_seen(&streams.parked, 0, Direction::Forwards, 1, false, now)?;
    Ok(parked
        .first
        .zip(parked.last)
        .filter(|(first, last)| parked.life == Life::Live && first <= last))
}
