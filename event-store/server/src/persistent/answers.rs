//! Groups and their messages in the protocol's words.

use std::collections::HashMap;

use ::uuid::Uuid;
use bytes::Bytes;
use event_store_contract::RecordedEvent;

use super::{
    configuration::GroupConfig,
    door::{GuestLook, Handed, Look},
    group::ConsumerState,
};
use crate::{
    protocol::event_store::client::{
        self as protocol, StreamIdentifier,
        persistent_subscriptions::{
            ReadResp, SubscriptionInfo,
            read_resp::{
                Content, ReadEvent, SubscriptionConfirmation,
                read_event::{self, Count, Position},
            },
            subscription_info::{ConnectionInfo, Measurement},
        },
        uuid,
    },
    streams::words::{CONTENT_TYPE, CREATED, JSON, OCTETS, TYPE},
};

/// How a consumer wants ids to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdForm {
    Text,
    Halves,
}

pub(super) fn confirmation(subscription_id: String) -> ReadResp {
    ReadResp {
        content: Some(Content::SubscriptionConfirmation(SubscriptionConfirmation {
            subscription_id,
        })),
    }
}

pub(super) fn message(handed: &Handed, ids: IdForm) -> ReadResp {
    let seen = &handed.seen;
    let original = seen.link.as_ref().or(seen.event.as_ref());
    // A link is never JSON.
    let link = seen.link.as_ref().map(|link| recorded(link, false, ids));
    ReadResp {
        content: Some(Content::Event(ReadEvent {
            event: seen.event.as_ref().map(|event| recorded(event, seen.is_json, ids)),
            link,
            position: original.map(|event| Position::CommitPosition(event.position.0)),
            count: Some(Count::RetryCount(i32::try_from(handed.retries).unwrap_or(i32::MAX))),
        })),
    }
}

fn recorded(event: &RecordedEvent, is_json: bool, ids: IdForm) -> read_event::RecordedEvent {
    // The protocol counts in ticks of 100 ns.
    let created = event.created.timestamp_micros().saturating_mul(10);
    let content_type = if is_json { JSON } else { OCTETS };
    read_event::RecordedEvent {
        id: Some(id(event.id, ids)),
        stream_identifier: Some(StreamIdentifier {
            stream_name: Bytes::copy_from_slice(event.stream.as_str().as_bytes()),
        }),
        stream_revision: event.revision,
        prepare_position: event.position.0,
        commit_position: event.position.0,
        metadata: HashMap::from([
            (TYPE.into(), event.name.to_string()),
            (CONTENT_TYPE.into(), content_type.into()),
            (CREATED.into(), created.to_string()),
        ]),
        custom_metadata: event.metadata.clone(),
        data: event.data.clone(),
    }
}

fn id(id: Uuid, form: IdForm) -> protocol::Uuid {
    let value = match form {
        IdForm::Text => uuid::Value::String(id.to_string()),
        IdForm::Halves => {
            let (most, least) = id.as_u64_pair();
            uuid::Value::Structured(uuid::Structured {
                most_significant_bits: most.cast_signed(),
                least_significant_bits: least.cast_signed(),
            })
        }
    };
    protocol::Uuid { value: Some(value) }
}

/// How a group is doing. `last_known` is the place of the last event of its source, `parked` how many messages are parked.
pub(super) fn info(config: &GroupConfig, look: &Look, last_known: Option<u64>, parked: u64) -> SubscriptionInfo {
    let (settings, group) = (&config.settings, &look.group);
    let kind = config.name.source.kind();
    let place = |place: Option<u64>| place.map(|place| kind.place(place)).unwrap_or_default();
    let (history, live) = if group.live { (0, group.fresh) } else { (group.fresh, 0) };
    SubscriptionInfo {
        event_source: config.name.source.as_str().into(),
        group_name: config.name.group.clone(),
        status: status(look).into(),
        connections: group
            .consumers
            .iter()
            .filter_map(|state| {
                let guest = look.guests.iter().find(|guest| guest.consumer == state.consumer)?;
                Some(connection(state, guest))
            })
            .collect(),
        average_per_second: int(look.per_second),
        total_items: long(group.delivered),
        count_since_last_measurement: long(look.newly_delivered),
        last_checkpointed_event_position: place(group.checkpoint),
        last_known_event_position: place(last_known.max(group.looked_through)),
        resolve_link_tos: settings.resolve_links,
        start_from: settings.start_from.written(kind),
        message_timeout_milliseconds: settings.message_timeout_ms,
        extra_statistics: settings.extra_statistics,
        max_retry_count: settings.max_retry_count,
        live_buffer_size: settings.live_buffer_size,
        buffer_size: settings.history_buffer_size,
        read_batch_size: settings.read_batch_size,
        check_point_after_milliseconds: settings.checkpoint_after_ms,
        min_check_point_count: settings.min_checkpoint_count,
        max_check_point_count: settings.max_checkpoint_count,
        read_buffer_count: int(history as u64),
        live_buffer_count: long(live as u64),
        retry_buffer_count: int(group.again as u64),
        total_in_flight_messages: int(group.in_flight as u64),
        outstanding_messages_count: int(group.unanswered as u64),
        named_consumer_strategy: settings.strategy.name().into(),
        max_subscriber_count: settings.max_subscriber_count,
        parked_message_count: long(parked.saturating_sub(group.replayed)),
    }
}

/// As the protocol's own server writes its flags.
fn status(look: &Look) -> &'static str {
    match (look.group.live, look.replaying) {
        (true, false) => "Live",
        (true, true) => "ReplayingParkedMessages, Live",
        (false, false) => "Behind",
        (false, true) => "Behind, ReplayingParkedMessages",
    }
}

fn connection(state: &ConsumerState, guest: &GuestLook) -> ConnectionInfo {
    let measurement = |(key, value): &(&str, i64)| Measurement {
        key: (*key).into(),
        value: *value,
    };
    ConnectionInfo {
        from: String::new(),
        username: guest.user.clone(),
        average_items_per_second: int(guest.per_second),
        total_items: long(state.delivered),
        count_since_last_measurement: long(guest.newly_delivered),
        observed_measurements: state.latencies.iter().map(measurement).collect(),
        available_slots: int(state.free_slots as u64),
        in_flight_messages: int(state.in_flight as u64),
        connection_name: guest.connection.clone(),
    }
}

fn int(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn long(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
