//! All groups and how they work, as one event: the newest in its stream is what holds.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use event_store_contract::{Direction, Expected, NewEvent, StoreError, StreamName};
use event_store_embedded::{Draft, EmbeddedStore, METADATA_NAME, Refusal, Write};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    names::{ALL, GroupName, Source},
    settings::{Settings, StartFrom, Strategy},
};
use crate::{
    filter::Filter,
    protocol::event_store::client::streams::read_req::options::{
        FilterOptions,
        filter_options::{Expression, Filter as Subject, Window},
    },
};

/// Where the groups are written down; name and layout are those of the protocol's own server, so that they move with the
/// log.
const STREAM: &str = "$persistentSubscriptionConfig";
const METADATA_STREAM: &str = "$$$persistentSubscriptionConfig";
const EVENT: &str = "$PersistentConfig";
/// Only the newest holds; the one before it is kept for people.
const METADATA: &[u8] = br#"{"$maxCount":2}"#;
const VERSION: &str = "2";

/// A group, and how it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupConfig {
    pub(crate) name: GroupName,
    pub(crate) filter: Option<StoredFilter>,
    pub(crate) settings: Settings,
    /// The first place that the group wants as long as it has no checkpoint. Whoever begins at the end begins at the end
    /// of the day on which the group was made, also after a restart.
    pub(crate) begins_with: u64,
}

/// What of the whole log a group wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StoredFilter {
    /// `streamid` or `eventtype`.
    context: String,
    /// `regex` or `prefix`.
    #[serde(rename = "type")]
    kind: String,
    /// The pattern, or the prefixes with commas between.
    data: String,
    /// The prefixes, for those that have a comma in them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    prefixes: Vec<String>,
    #[serde(default)]
    is_all_stream: bool,
}

impl StoredFilter {
    /// As a client gave it: on the names of streams or the types of events.
    pub(crate) fn new(on_streams: bool, regex: String, prefixes: Vec<String>) -> Self {
        let (kind, data) = if regex.is_empty() {
            ("prefix", prefixes.join(","))
        } else {
            ("regex", regex)
        };
        Self {
            context: if on_streams { "streamid" } else { "eventtype" }.into(),
            kind: kind.into(),
            data,
            prefixes,
            is_all_stream: true,
        }
    }

    /// Ready to be asked.
    pub(crate) fn compiled(&self) -> Result<Filter, tonic::Status> {
        let expression = match &*self.kind {
            "regex" => Expression {
                regex: self.data.clone(),
                prefix: Vec::new(),
            },
            _ if self.prefixes.is_empty() => Expression {
                regex: String::new(),
                prefix: self.data.split(',').map(str::to_owned).collect(),
            },
            _ => Expression {
                regex: String::new(),
                prefix: self.prefixes.clone(),
            },
        };
        let on_streams = self.context == "streamid";
        Filter::of(FilterOptions {
            filter: Some(if on_streams {
                Subject::StreamIdentifier(expression)
            } else {
                Subject::EventType(expression)
            }),
            window: Some(Window::Count(())),
            checkpoint_interval_multiplier: 1,
        })
    }
}

/// The event's data.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Stored {
    version: String,
    updated: Option<DateTime<Utc>>,
    updated_by: Option<String>,
    entries: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Entry {
    stream: String,
    group: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<StoredFilter>,
    resolve_link_tos: bool,
    extra_statistics: bool,
    message_timeout: i32,
    start_position: Option<String>,
    /// Ours: see [`GroupConfig::begins_with`].
    #[serde(skip_serializing_if = "Option::is_none")]
    begins_with: Option<u64>,
    live_buffer_size: i32,
    history_buffer_size: i32,
    max_retry_count: i32,
    read_batch_size: i32,
    check_point_after: i32,
    min_check_point_count: i32,
    max_check_point_count: i32,
    max_subscriber_count: i32,
    named_consumer_strategy: String,
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            stream: String::new(),
            group: String::new(),
            filter: None,
            resolve_link_tos: false,
            extra_statistics: false,
            message_timeout: 30_000,
            start_position: None,
            begins_with: None,
            live_buffer_size: 500,
            history_buffer_size: 500,
            max_retry_count: 10,
            read_batch_size: 20,
            check_point_after: 2_000,
            min_check_point_count: 10,
            max_check_point_count: 1_000,
            max_subscriber_count: 0,
            named_consumer_strategy: Strategy::RoundRobin.name().into(),
        }
    }
}

impl From<&GroupConfig> for Entry {
    fn from(config: &GroupConfig) -> Self {
        let settings = &config.settings;
        let kind = config.name.source.kind();
        Self {
            stream: config.name.source.as_str().into(),
            group: config.name.group.clone(),
            filter: config.filter.clone(),
            resolve_link_tos: settings.resolve_links,
            extra_statistics: settings.extra_statistics,
            message_timeout: settings.message_timeout_ms,
            start_position: Some(settings.start_from.written(kind)),
            begins_with: Some(config.begins_with),
            live_buffer_size: settings.live_buffer_size,
            history_buffer_size: settings.history_buffer_size,
            max_retry_count: settings.max_retry_count,
            read_batch_size: settings.read_batch_size,
            check_point_after: settings.checkpoint_after_ms,
            min_check_point_count: settings.min_checkpoint_count,
            max_check_point_count: settings.max_checkpoint_count,
            max_subscriber_count: settings.max_subscriber_count,
            named_consumer_strategy: settings.strategy.name().into(),
        }
    }
}

impl Entry {
    /// The group, if it can be understood. `begins` says where a group begins that does not say it.
    fn understood(self, begins: impl FnOnce(&Source, StartFrom) -> Result<u64, StoreError>) -> Result<GroupConfig, String> {
        let source = match &*self.stream {
            ALL => Source::All,
            stream => Source::Stream(StreamName::new(stream).map_err(|error| error.to_string())?),
        };
        let kind = source.kind();
        let start_from = match &self.start_position {
            Some(written) => StartFrom::parse(kind, written).ok_or_else(|| format!("{written} is no place"))?,
            None => StartFrom::Start,
        };
        let settings = Settings {
            resolve_links: self.resolve_link_tos,
            start_from,
            extra_statistics: self.extra_statistics,
            message_timeout_ms: self.message_timeout,
            max_retry_count: self.max_retry_count,
            checkpoint_after_ms: self.check_point_after,
            min_checkpoint_count: self.min_check_point_count,
            max_checkpoint_count: self.max_check_point_count,
            max_subscriber_count: self.max_subscriber_count,
            live_buffer_size: self.live_buffer_size,
            read_batch_size: self.read_batch_size,
            history_buffer_size: self.history_buffer_size,
            strategy: Strategy::of_name(&self.named_consumer_strategy).map_err(|error| error.to_string())?,
        };
        settings.rules().map_err(|error| error.to_string())?;
        if let Some(filter) = &self.filter {
            filter.compiled().map_err(|status| status.message().to_owned())?;
        }
        let begins_with = match self.begins_with {
            Some(place) => place,
            None => begins(&source, start_from).map_err(|error| error.to_string())?,
        };
        Ok(GroupConfig {
            name: GroupName {
                source,
                group: self.group,
            },
            filter: self.filter,
            settings,
            begins_with,
        })
    }
}

/// All groups that are written down. One that cannot be understood is left out, and said so.
pub(crate) fn load(
    store: &EmbeddedStore,
    now: DateTime<Utc>,
    begins: impl Fn(&Source, StartFrom) -> Result<u64, StoreError>,
) -> Result<Vec<GroupConfig>, StoreError> {
    let newest = store.stream_as_seen(&own_name(STREAM)?, u64::MAX, Direction::Backwards, 1, false, now)?;
    let Some(event) = newest.events.into_iter().next().and_then(|seen| seen.event) else {
        return Ok(Vec::new());
    };
    let stored: Stored = serde_json::from_slice(&event.data)
        .map_err(|error| StoreError::Unavailable(format!("{STREAM} {} cannot be understood: {error}", event.revision)))?;
    let mut groups = Vec::with_capacity(stored.entries.len());
    for entry in stored.entries {
        let name = format!("{}::{}", entry.stream, entry.group);
        match entry.understood(&begins) {
            Ok(group) => groups.push(group),
            Err(reason) => tracing::error!(name, reason, "a persistent subscription is left out: it cannot be understood"),
        }
    }
    Ok(groups)
}

/// Writes all groups down.
pub(crate) async fn save<'a>(
    store: &EmbeddedStore,
    groups: impl IntoIterator<Item = &'a GroupConfig>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let stored = Stored {
        version: VERSION.into(),
        updated: Some(now),
        updated_by: Some(by.into()),
        entries: groups.into_iter().map(Entry::from).collect(),
    };
    let data = serde_json::to_vec(&stored)
        .map_err(|error| StoreError::Unavailable(format!("the persistent subscriptions cannot be written down: {error}")))?;
    let stream = own_name(STREAM)?;
    let mut writes = Vec::new();
    if store.metadata(&stream)?.is_none() {
        writes.push(write(own_name(METADATA_STREAM)?, METADATA_NAME, Bytes::from_static(METADATA)));
    }
    writes.push(write(stream, EVENT, Bytes::from(data)));
    store.write(writes, Vec::new()).await.map(|_| ())
}

/// One event of JSON to a stream, whatever its revision.
pub(super) fn write(stream: StreamName, name: &str, data: Bytes) -> Write {
    let event = NewEvent {
        id: Uuid::new_v4(),
        name: name.into(),
        data,
        metadata: Bytes::new(),
    };
    Write {
        stream,
        expected: Expected::Any,
        events: vec![Draft { event, is_json: true }],
    }
}

fn own_name(name: &str) -> Result<StreamName, StoreError> {
    StreamName::new(name).map_err(|error| StoreError::Unavailable(error.to_string()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn config(stream: &str, filter: Option<StoredFilter>) -> GroupConfig {
        let source = match stream {
            ALL => Source::All,
            stream => Source::Stream(StreamName::new(stream).unwrap()),
        };
        let entry = Entry {
            stream: stream.into(),
            group: "readers".into(),
            filter,
            ..Entry::default()
        };
        let GroupConfig { settings, filter, .. } = entry.understood(|_, _| Ok(0)).unwrap();
        GroupConfig {
            name: GroupName {
                source,
                group: "readers".into(),
            },
            filter,
            settings: Settings {
                start_from: StartFrom::End,
                ..settings
            },
            begins_with: 7,
        }
    }

    #[test]
    fn a_group_is_understood_as_it_was_written() {
        let prefixes = vec!["case-".to_owned(), "with, comma".to_owned()];
        for config in [
            config("letters", None),
            config(ALL, None),
            config(ALL, Some(StoredFilter::new(true, "^case-".into(), Vec::new()))),
            config(ALL, Some(StoredFilter::new(false, String::new(), prefixes))),
        ] {
            let written = serde_json::to_string(&Entry::from(&config)).unwrap();
            let read: Entry = serde_json::from_str(&written).unwrap();
            let understood = read.understood(|_, _| panic!("it says where it begins"));
            assert_eq!(understood.unwrap(), config, "{written}");
        }
    }

    #[test]
    fn a_group_of_another_server_is_understood() {
        let written = r#"{
            "stream": "$all", "group": "clerks", "resolveLinkTos": true, "startPosition": "C:-1/P:-1", "startFrom": -9,
            "filter": { "context": "streamid", "type": "prefix", "data": "case-,file-", "isAllStream": true },
            "messageTimeout": 0, "namedConsumerStrategy": "Pinned", "preferRoundRobin": false
        }"#;
        let read: Entry = serde_json::from_str(written).unwrap();
        let group = read
            .understood(|_, from| Ok(if from == StartFrom::End { 99 } else { 0 }))
            .unwrap();
        assert_eq!((group.begins_with, group.settings.strategy), (99, Strategy::Pinned));
        assert_eq!(
            group.settings.rules().unwrap().message_timeout,
            None,
            "a time of 0 never comes"
        );
        let filter = group.filter.unwrap().compiled().unwrap();
        assert!(filter.wants("file-1", "x") && !filter.wants("letters", "x"));
    }

    #[test]
    fn a_group_that_cannot_be_understood_is_none() {
        for wrong in [
            r#"{ "stream": "", "group": "x" }"#,
            r#"{ "stream": "letters", "group": "x", "startPosition": "somewhere" }"#,
            r#"{ "stream": "letters", "group": "x", "namedConsumerStrategy": "ByTheMoon" }"#,
            r#"{ "stream": "letters", "group": "x", "readBatchSize": 0 }"#,
        ] {
            let read: Entry = serde_json::from_str(wrong).unwrap();
            assert!(read.understood(|_, _| Ok(0)).is_err(), "{wrong}");
        }
    }
}
