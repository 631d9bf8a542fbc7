//! The fold of a case: the domain's own `apply`, and what stands beside the events.

use std::{borrow::Cow, sync::Arc};

use casework::AnyWork;
use chrono::{DateTime, Utc};
use decider::stored::StoredError;
use domain::{registers::calendar_publication, rules::Rules};
use event_store_contract::{Direction, EventStore, MAX_EVENTS_PER_READ, Position, RecordedEvent, StoreError, StreamName};
use serde::{Deserialize, Deserializer, de::Error as _};
use uuid::Uuid;

use crate::view::{SeenCase, ToldOnce, Unreadable};

/// The event that takes an import back.
const ROLLED_BACK: &str = "ImportRolledBack";

/// Who did something, when, and by what law. Of the metadata only what views show.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Stamp<'a> {
    /// Who.
    #[serde(borrow)]
    pub actor: StampActor<'a>,
    /// When it happened.
    #[serde(deserialize_with = "instant")]
    pub occurred_at: DateTime<Utc>,
    /// When it was recorded.
    #[serde(deserialize_with = "instant")]
    pub recorded_at: DateTime<Utc>,
    /// By what article.
    #[serde(default, borrow)]
    pub legal_basis: Option<Cow<'a, str>>,
}

/// Who did something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct StampActor<'a> {
    /// The account.
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    /// The name at that time.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// In which role.
    #[serde(borrow)]
    pub role: Cow<'a, str>,
    /// Through which channel.
    #[serde(borrow)]
    pub channel: Cow<'a, str>,
}

impl<'a> Stamp<'a> {
    /// Reads it. What has no readable metadata has nobody's name on it, and the store's own time.
    pub(crate) fn read(metadata: &'a [u8], created: DateTime<Utc>) -> Self {
        serde_json::from_slice(metadata).unwrap_or(Self {
            actor: StampActor::default(),
            occurred_at: created,
            recorded_at: created,
            legal_basis: None,
        })
    }
}

/// The two times of an event: all that a fold needs of the metadata.
#[derive(Deserialize)]
struct Times {
    #[serde(deserialize_with = "instant")]
    occurred_at: DateTime<Utc>,
    #[serde(deserialize_with = "instant")]
    recorded_at: DateTime<Utc>,
}

/// Reads an instant as we write it, in a third of the time of a reader that takes every way of writing it.
fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    /// Text that is not copied when it stands in the JSON as it is.
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    let Text(text) = Text::deserialize(deserializer)?;
    DateTime::parse_from_rfc3339(&text)
        .or_else(|_| text.parse())
        .map(|instant| instant.to_utc())
        .map_err(D::Error::custom)
}

impl Times {
    fn read(metadata: &[u8], created: DateTime<Utc>) -> Self {
        serde_json::from_slice(metadata).unwrap_or(Self {
            occurred_at: created,
            recorded_at: created,
        })
    }
}

/// A case with what is needed to go on folding.
pub(crate) struct Folded {
    pub(crate) seen: SeenCase,
    /// The rules that were in force when its last event was recorded: its rows are derived by them, whenever that is.
    pub(crate) rules: Rules,
    /// Which rules these are, counted by the one who folds: comparing them is cheaper than taking them.
    rules_epoch: u32,
    /// How large its events' data were together.
    pub(crate) bytes: usize,
    /// What each view's rows of this case hash to; none, if that is not known.
    pub(crate) rows_hashes: Vec<Option<u64>>,
    /// Kept as bytes, in one buffer: only the last one is ever read.
    last_metadata: Vec<u8>,
    pub(crate) last_event_id: Uuid,
    last_created: DateTime<Utc>,
    /// The next event is the first that counts: nothing happened yet, or all was taken back.
    fresh: bool,
}

/// The case type and the id that a stream's name stands for; none, if it is no case's stream.
pub(crate) fn case_of(stream: &StreamName) -> Option<(AnyWork, Uuid)> {
    let case = AnyWork::of(stream.category())?;
    Some((case, stream.id().parse().ok()?))
}

impl Folded {
    /// Before anything happened.
    pub(crate) fn new(case: AnyWork, id: Uuid, rules: &Rules, rules_epoch: u32, views: usize) -> Self {
        let epoch = DateTime::UNIX_EPOCH;
        Self {
            seen: SeenCase {
                id,
                category: case.category(),
                case,
                revision: 0,
                position: Position::default(),
                first_recorded_at: epoch,
                last_recorded_at: epoch,
                last_occurred_at: epoch,
                unreadable: None,
                told: ToldOnce::default(),
            },
            rules: rules.clone(),
            rules_epoch,
            bytes: 0,
            rows_hashes: vec![None; views],
            last_metadata: Vec::new(),
            last_event_id: Uuid::nil(),
            last_created: epoch,
            fresh: true,
        }
    }

    /// Folds an event in.
    pub(crate) fn apply(&mut self, event: &RecordedEvent) {
        let read = self.seen.case.apply(&event.name, &event.data);
        self.after(event, read.err());
    }

    /// Folds an event in, and tells about it in one line in Chinese and one in English, if it can be read.
    pub(crate) fn apply_and_say(&mut self, event: &RecordedEvent) -> Option<(String, String)> {
        match self.seen.case.apply_and_say(&event.name, &event.data) {
            Ok(said) => {
                self.after(event, None);
                Some(said)
            }
            Err(cause) => {
                self.after(event, Some(cause));
                None
            }
        }
    }

    fn after(&mut self, event: &RecordedEvent, unreadable: Option<StoredError>) {
        if self.fresh {
            self.fresh = false;
            self.seen.first_recorded_at = Times::read(&event.metadata, event.created).recorded_at;
        }
        if let (Some(cause), None) = (unreadable, &self.seen.unreadable) {
            self.seen.unreadable = Some(Unreadable {
                event_id: event.id,
                name: event.name.to_string(),
                revision: event.revision,
                position: event.position,
                reason: cause.to_string(),
            });
        }
        self.seen.told = ToldOnce::default();
        self.bytes += event.data.len();
        self.seen.revision = event.revision;
        self.seen.position = event.position;
        self.last_event_id = event.id;
        self.last_metadata.clear();
        self.last_metadata.extend_from_slice(&event.metadata);
        self.last_created = event.created;
        self.fresh = is_rollback(event);
    }

    /// Remembers by which rules its rows are derived.
    pub(crate) fn under(&mut self, rules: &Rules, epoch: u32) {
        if self.rules_epoch != epoch {
            self.rules_epoch = epoch;
            self.rules = rules.clone();
        }
    }

    /// Reads the times of the last event, before rows are derived.
    pub(crate) fn settle(&mut self) {
        let times = Times::read(&self.last_metadata, self.last_created);
        self.seen.last_recorded_at = times.recorded_at;
        self.seen.last_occurred_at = times.occurred_at;
    }
}

/// Whether an event takes back the import of its case.
pub(crate) fn is_rollback(event: &RecordedEvent) -> bool {
    &*event.name == ROLLED_BACK
}

/// Whether an event changes the rules.
pub(crate) fn is_rule_change(event: &RecordedEvent) -> bool {
    event.stream.category() == calendar_publication::CATEGORY
}

/// The rules with an event in them. An unreadable one changes nothing; those who write rules find it.
pub(crate) fn changed_rules(rules: &Rules, event: &RecordedEvent) -> Rules {
    match decider::stored::decode(&event.name, &event.data) {
        Ok(published) => calendar_publication::publish_into(rules, &published),
        Err(cause) => {
            tracing::error!(%cause, event = %event.id, "a publication of the calendar cannot be read");
            rules.clone()
        }
    }
}

/// The rules as they were at a position.
pub(crate) async fn rules_at(store: &Arc<dyn EventStore>, position: Position) -> Result<Rules, StoreError> {
    let mut rules = Rules::embedded();
    let Ok(stream) = StreamName::of(calendar_publication::CATEGORY, calendar_publication::STREAM_ID) else {
        return Ok(rules);
    };
    let mut from = 0;
    loop {
        let events = store
            .read_stream(&stream, from, Direction::Forwards, MAX_EVENTS_PER_READ)
            .await?;
        for event in events.iter().take_while(|event| event.position <= position) {
            rules = changed_rules(&rules, event);
        }
        if events.len() < MAX_EVENTS_PER_READ {
            return Ok(rules);
        }
        from += events.len() as u64;
    }
}
