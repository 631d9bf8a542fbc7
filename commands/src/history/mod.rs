//! The history door: what was, by revision or by time, who did it and what it changed. Reads streams, never views.

mod diff;

use casework::{AnyWork, is_technical};
use chrono::{DateTime, Utc};
use domain::{
    case::Told,
    metadata::Metadata,
    registers::{permit::PermitRegister, project::ProjectRegister},
};
use event_store_contract::{Direction, Position, RecordedEvent};
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use uuid::Uuid;

pub use diff::{CaseDiff, Changed, MAX_CHANGED_PATHS};

use crate::{
    aggregate::Aggregate,
    bureau::{Bureau, stream, unknown_category, unreadable},
    envelope::{CommandError, FailedCause},
    execute::{Times, read_metadata},
};

/// A point in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Now: everything on record.
    Head,
    /// After the event of this revision.
    Revision(u64),
    /// What was on record at this instant.
    RecordedAt(DateTime<Utc>),
    /// What had happened at this instant, as far as we know today: what was entered later counts from when it happened.
    OccurredAt(DateTime<Utc>),
}

/// A case as it was.
#[derive(Debug, Clone)]
pub struct CaseAt {
    /// The case.
    pub case: AnyWork,
    /// The revision of the last event that is in it.
    pub revision: u64,
    /// When that event was recorded.
    pub recorded_at: DateTime<Utc>,
    /// When that event happened.
    pub occurred_at: DateTime<Utc>,
    /// How many events are in it.
    pub events_seen: u64,
}

/// One event of a history, with who and when.
#[derive(Debug, Clone)]
pub struct HistoryEvent {
    /// The event.
    pub id: Uuid,
    /// Its number in the stream.
    pub revision: u64,
    /// Its place in the whole log.
    pub position: Position,
    /// Its stored name.
    pub name: String,
    /// One line in Chinese.
    pub title_zh: String,
    /// The same in English.
    pub title_en: String,
    /// It is a step of the machine that people who read the story need not see.
    pub technical: bool,
    /// What happened, as it is stored.
    pub data: Box<RawValue>,
    /// Who, when, why.
    pub metadata: Metadata,
    /// The link of the hash chain, in hex.
    pub hash: String,
}

/// A register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Register {
    /// 许可证登记簿, by permit number.
    Permit,
    /// 项目库, by project code.
    Project,
}

/// An entry of a register as it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RegisterAt {
    /// The folded entry.
    pub state: Value,
    /// The revision of the last event that is in it.
    pub revision: u64,
    /// When that event was recorded.
    pub recorded_at: DateTime<Utc>,
    /// How many events are in it.
    pub events_seen: u64,
}

impl Bureau {
    /// A case as it was at a moment; none, if nothing had happened to it by then.
    pub async fn case_at(&self, category: &str, case_id: Uuid, at: Moment) -> Result<Option<CaseAt>, CommandError> {
        let mut case = AnyWork::of(category).ok_or_else(|| unknown_category(category))?;
        let events = self.read_up_to(category, &case_id, at).await?;
        let mut seen = 0;
        let mut last = None;
        for event in &events {
            if is_past(event, at)? {
                case.apply(&event.name, &event.data)
                    .map_err(|cause| unreadable(event, &cause))?;
                seen += 1;
                last = Some(event);
            }
        }
        let Some(last) = last else { return Ok(None) };
        let Times {
            occurred_at,
            recorded_at,
        } = times(last)?;
        Ok(Some(CaseAt {
            case,
            revision: last.revision,
            recorded_at,
            occurred_at,
            events_seen: seen,
        }))
    }

    /// Up to `limit` events of a case, from this revision on (backwards: `u64::MAX` is the newest).
    pub async fn case_history(
        &self,
        category: &str,
        case_id: Uuid,
        from: u64,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<HistoryEvent>, CommandError> {
        let case = AnyWork::of(category).ok_or_else(|| unknown_category(category))?;
        let events = self
            .store()
            .read_stream(&stream(category, case_id)?, from, direction, limit)
            .await?;
        Ok(events
            .iter()
            .map(|event| history_event(&case, event))
            .collect::<Result<_, _>>()?)
    }

    /// What changed between two moments, by which events; none, if there is no such case.
    pub async fn case_diff(
        &self,
        category: &str,
        case_id: Uuid,
        from: Moment,
        to: Moment,
    ) -> Result<Option<CaseDiff>, CommandError> {
        let empty = AnyWork::of(category).ok_or_else(|| unknown_category(category))?;
        let events = self.read_whole(&stream(category, case_id)?).await?;
        if events.is_empty() {
            return Ok(None);
        }
        Ok(Some(diff::between(&empty, &events, from, to)?))
    }

    /// An entry of a register as it was at a moment; none, if it was not there by then.
    pub async fn register_at(&self, register: Register, id: &str, at: Moment) -> Result<Option<RegisterAt>, CommandError> {
        match register {
            Register::Permit => self.folded_at::<PermitRegister>(id, at).await,
            Register::Project => self.folded_at::<ProjectRegister>(id, at).await,
        }
    }

    async fn folded_at<D: Aggregate<State: Serialize>>(&self, id: &str, at: Moment) -> Result<Option<RegisterAt>, CommandError> {
        let mut state = D::State::default();
        let mut entry = RegisterAt {
            state: Value::Null,
            revision: 0,
            recorded_at: DateTime::UNIX_EPOCH,
            events_seen: 0,
        };
        for event in self.read_up_to(D::CATEGORY, &id, at).await? {
            if is_past(&event, at)? {
                D::evolve(
                    &mut state,
                    &D::read(&event.name, &event.data).map_err(|cause| unreadable(&event, &cause))?,
                );
                let recorded_at = times(&event)?.recorded_at;
                entry = RegisterAt {
                    revision: event.revision,
                    recorded_at,
                    events_seen: entry.events_seen + 1,
                    ..entry
                };
            }
        }
        if entry.events_seen == 0 {
            return Ok(None);
        }
        let unwritable = |cause: serde_json::Error| FailedCause::Unknown(format!("the entry {id} cannot be shown: {cause}"));
        Ok(Some(RegisterAt {
            state: serde_json::to_value(&state).map_err(unwritable)?,
            ..entry
        }))
    }

    /// The events of a case that belong to a moment, oldest first.
    pub(crate) async fn events_until(
        &self,
        category: &str,
        case_id: Uuid,
        at: Moment,
    ) -> Result<Vec<RecordedEvent>, CommandError> {
        let mut past = Vec::new();
        for event in self.read_up_to(category, &case_id, at).await? {
            if is_past(&event, at)? {
                past.push(event);
            }
        }
        Ok(past)
    }

    /// The events that a fold up to this moment must look at.
    async fn read_up_to(
        &self,
        category: &str,
        id: &(dyn std::fmt::Display + Sync),
        at: Moment,
    ) -> Result<Vec<RecordedEvent>, CommandError> {
        let stream = stream(category, id)?;
        match at {
            Moment::Revision(revision) if revision < 1_000 => {
                let limit = usize::try_from(revision).unwrap_or(usize::MAX).saturating_add(1);
                Ok(self.store().read_stream(&stream, 0, Direction::Forwards, limit).await?)
            }
            _ => self.read_whole(&stream).await,
        }
    }
}

/// Whether an event belongs to what was at this moment.
fn is_past(event: &RecordedEvent, at: Moment) -> Result<bool, FailedCause> {
    Ok(match at {
        Moment::Head => true,
        Moment::Revision(revision) => event.revision <= revision,
        Moment::RecordedAt(at) => times(event)?.recorded_at <= at,
        Moment::OccurredAt(at) => times(event)?.occurred_at <= at,
    })
}

fn times(event: &RecordedEvent) -> Result<Times, FailedCause> {
    serde_json::from_slice(&event.metadata).map_err(|cause| unreadable(event, &format!("its metadata: {cause}")))
}

fn history_event(case: &AnyWork, event: &RecordedEvent) -> Result<HistoryEvent, FailedCause> {
    let (title_zh, title_en) = case
        .say(&event.name, &event.data)
        .map_err(|cause| unreadable(event, &cause))?;
    Ok(HistoryEvent {
        id: event.id,
        revision: event.revision,
        position: event.position,
        name: event.name.to_string(),
        title_zh,
        title_en,
        technical: is_technical(&event.name),
        data: serde_json::from_slice(&event.data).map_err(|cause| unreadable(event, &cause))?,
        metadata: read_metadata(event)?,
        hash: event.hash.map(|hash| hex(&hash)).unwrap_or_default(),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for half in [byte >> 4, byte & 0xf] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
        text
    })
}

/// Everything that a case is, and how its process stands, as JSON: what two moments are compared by.
pub(crate) fn shown(case: &AnyWork) -> Result<Value, serde_json::Error> {
    let told: &dyn Told = &**case;
    Ok(serde_json::json!({
        "kernel": serde_json::to_value(told.kernel())?,
        "own": told.own(),
        "phase": told.phase().map(|(phase, _)| phase),
        "process": case.process.started.as_ref().map(|_| &case.process),
    }))
}
