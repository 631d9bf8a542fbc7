//! The rules of the wide door over a list in memory: no cache, no file, no index, nothing to go wrong.

use std::collections::HashMap;

use event_store_contract::{Appended, Direction, Expected, Position};
use event_store_embedded::{LINK_NAME, Life, METADATA_NAME};
use serde_json::{Value, json};

/// The revision at which a stream has ended for ever, and the value of `$tb` that deletes one.
pub(super) const NEVER_AGAIN: u64 = i64::MAX.cast_unsigned();

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    pub(super) stream: String,
    pub(super) revision: u64,
    pub(super) position: u64,
    /// None, if the store wrote it of itself.
    pub(super) id: Option<u128>,
    pub(super) name: String,
    pub(super) data: Value,
    pub(super) is_json: bool,
}

/// An event on its way in.
#[derive(Debug, Clone)]
pub(super) struct New {
    pub(super) id: u128,
    pub(super) name: String,
    pub(super) data: Value,
    pub(super) is_json: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    WrongRevision(String, Expected, Option<u64>),
    Deleted(String),
    Tombstoned(String),
    Reserved(String),
    Twice(String),
}

/// What is shown of a stream.
#[derive(Debug, PartialEq)]
pub(super) struct Shown {
    pub(super) life: Life,
    pub(super) events: Vec<Event>,
    pub(super) first: Option<u64>,
    pub(super) last: Option<u64>,
    pub(super) end: bool,
}

#[derive(Default)]
pub(super) struct Model {
    /// The event at position `p` is `log[p - 1]`; none, if it was scavenged.
    log: Vec<Option<Event>>,
    /// Of each stream, the revision of its last event.
    lasts: HashMap<String, u64>,
    /// Where each id was last written to each stream, as far as that is remembered.
    remembered: HashMap<(String, u128), Appended>,
}

enum Plan {
    Write,
    Repeated(Vec<Appended>),
}

impl Model {
    pub(super) fn len(&self) -> usize {
        self.log.len()
    }

    fn of_stream(&self, stream: &str) -> impl DoubleEndedIterator<Item = &Event> {
        self.log.iter().flatten().filter(move |event| event.stream == stream)
    }

    fn metadata(&self, stream: &str) -> Value {
        let newest = self.of_stream(&format!("$${stream}")).next_back();
        newest
            .filter(|event| event.name == METADATA_NAME)
            .map_or(json!({}), |event| event.data.clone())
    }

    fn is_deleted(&self, stream: &str) -> bool {
        self.metadata(stream)["$tb"] == json!(NEVER_AGAIN)
    }

    fn last(&self, stream: &str) -> Option<u64> {
        self.lasts.get(stream).copied()
    }

    pub(super) fn life(&self, stream: &str) -> Life {
        let subject_ended = stream
            .strip_prefix("$$")
            .is_some_and(|subject| self.last(subject) == Some(NEVER_AGAIN));
        match self.last(stream) {
            _ if subject_ended => Life::Tombstoned,
            None => Life::Missing,
            Some(NEVER_AGAIN) => Life::Tombstoned,
            Some(_) if self.is_deleted(stream) => Life::SoftDeleted,
            Some(_) => Life::Live,
        }
    }

    fn plan(&self, stream: &str, expected: Expected, ids: &[u128]) -> Result<Plan, Refused> {
        let last = self.last(stream);
        if last == Some(NEVER_AGAIN) {
            return Err(Refused::Tombstoned(stream.into()));
        }
        let deleted = last.is_some() && self.is_deleted(stream);
        let wrong = || Refused::WrongRevision(stream.into(), expected, last);
        let compare_from = match expected {
            Expected::StreamExists if deleted => return Err(Refused::Deleted(stream.into())),
            Expected::StreamExists if self.is_deleted(stream) => return Err(Refused::Deleted(stream.into())),
            Expected::StreamExists if last.is_none() => {
                let known = self.last(&format!("$${stream}")).is_some();
                return if known { Ok(Plan::Write) } else { Err(wrong()) };
            }
            Expected::Any | Expected::StreamExists => {
                let known: Vec<_> = ids
                    .iter()
                    .filter_map(|id| self.remembered.get(&(stream.to_owned(), *id)).copied())
                    .collect();
                return match known.len() {
                    0 => Ok(Plan::Write),
                    all if all == ids.len() => Ok(Plan::Repeated(known)),
                    _ => Err(wrong()),
                };
            }
            Expected::NoStream if last.is_none() => return Ok(Plan::Write),
            Expected::NoStream => 0,
            Expected::Revision(revision) if last == Some(revision) => return Ok(Plan::Write),
            Expected::Revision(revision) if last.is_some_and(|last| revision < last) => revision + 1,
            Expected::Revision(_) => return Err(wrong()),
        };
        let mut places = Vec::new();
        for (revision, id) in (compare_from..).zip(ids) {
            let stands = self.of_stream(stream).find(|event| event.revision == revision);
            match stands.filter(|event| event.id == Some(*id)) {
                Some(event) => places.push(Appended {
                    revision,
                    position: Position(event.position),
                }),
                None if places.is_empty() && deleted && expected == Expected::NoStream => return Ok(Plan::Write),
                None => return Err(wrong()),
            }
        }
        Ok(Plan::Repeated(places))
    }

    fn check(&self, stream: &str, expected: Expected) -> Result<(), Refused> {
        let last = self.last(stream);
        let deleted = last.is_some() && self.is_deleted(stream);
        let holds = match expected {
            Expected::Any => true,
            Expected::NoStream => last.is_none() || deleted || last == Some(NEVER_AGAIN),
            _ if last == Some(NEVER_AGAIN) => return Err(Refused::Tombstoned(stream.into())),
            Expected::StreamExists if self.is_deleted(stream) => return Err(Refused::Deleted(stream.into())),
            Expected::StreamExists => last.is_some() || self.last(&format!("$${stream}")).is_some(),
            Expected::Revision(revision) => last == Some(revision),
        };
        if holds {
            Ok(())
        } else {
            Err(Refused::WrongRevision(stream.into(), expected, last))
        }
    }

    pub(super) fn write(
        &mut self,
        parts: &[(String, Expected, Vec<New>)],
        checks: &[(String, Expected)],
    ) -> Result<Vec<Appended>, Refused> {
        let mut streams: Vec<(&str, Expected, Vec<u128>)> = Vec::new();
        for (stream, expected, events) in parts {
            let ids = events.iter().map(|event| event.id);
            match streams.iter_mut().find(|(known, ..)| known == stream) {
                Some(_) if *expected != Expected::Any => return Err(Refused::Twice(stream.clone())),
                Some((_, _, known)) => known.extend(ids),
                None => streams.push((stream, *expected, ids.collect())),
            }
        }
        let mut repeated = HashMap::new();
        for (stream, expected, ids) in &streams {
            if let Plan::Repeated(places) = self.plan(stream, *expected, ids)? {
                repeated.insert(*stream, places);
            }
        }
        if repeated.len() == streams.len() {
            let mut taken: HashMap<&str, usize> = HashMap::new();
            let place = |(stream, _, events): &(String, Expected, Vec<New>)| {
                let known = repeated.get_key_value(stream.as_str()).unwrap();
                let so_far = taken.entry(known.0).or_default();
                *so_far += events.len();
                known.1[*so_far - 1]
            };
            return Ok(parts.iter().map(place).collect());
        }
        if let Some((stream, expected, _)) = streams.iter().find(|(stream, ..)| repeated.contains_key(stream)) {
            return Err(Refused::WrongRevision((*stream).into(), *expected, self.last(stream)));
        }
        for (stream, expected) in checks {
            self.check(stream, *expected)?;
        }
        let undelete: Vec<(String, u64, bool)> = streams.iter().filter_map(|(stream, ..)| self.to_undelete(stream)).collect();
        let written = parts
            .iter()
            .map(|(stream, _, events)| {
                let written = events
                    .iter()
                    .map(|new| self.add(stream, None, Some(new.id), &new.name, new.data.clone(), new.is_json));
                written.last().unwrap()
            })
            .collect();
        for (stream, visible_from, unless_deleted) in undelete {
            self.undelete(&stream, visible_from, unless_deleted);
        }
        Ok(written)
    }

    fn to_undelete(&self, stream: &str) -> Option<(String, u64, bool)> {
        if self.is_deleted(stream) {
            return Some((stream.into(), self.last(stream).map_or(0, |last| last + 1), false));
        }
        let subject = stream.strip_prefix("$$")?;
        let last = self.last(subject).filter(|last| *last != NEVER_AGAIN)?;
        self.is_deleted(subject).then(|| (subject.into(), last + 1, true))
    }

    fn undelete(&mut self, stream: &str, visible_from: u64, unless_deleted: bool) {
        let mut said = self.metadata(stream);
        if said["$tb"] == json!(visible_from) || unless_deleted && said["$tb"] == json!(NEVER_AGAIN) {
            return;
        }
        said["$tb"] = json!(visible_from);
        self.add(&format!("$${stream}"), None, None, METADATA_NAME, said, true);
    }

    fn add(&mut self, stream: &str, revision: Option<u64>, id: Option<u128>, name: &str, data: Value, is_json: bool) -> Appended {
        let next = self.last(stream).map_or(0, |last| last + 1);
        let revision = revision.unwrap_or(next);
        let position = self.log.len() as u64 + 1;
        self.log.push(Some(Event {
            stream: stream.into(),
            revision,
            position,
            id,
            name: name.into(),
            data,
            is_json,
        }));
        self.lasts.insert(stream.into(), revision);
        let appended = Appended {
            revision,
            position: Position(position),
        };
        if let Some(id) = id {
            self.remembered.insert((stream.into(), id), appended);
        }
        appended
    }

    pub(super) fn delete(&mut self, stream: &str, expected: Expected) -> Result<Position, Refused> {
        if stream.starts_with("$$") {
            return Err(Refused::Reserved(stream.into()));
        }
        self.plan(stream, expected, &[u128::MAX])?;
        if self.last(stream).is_none() && self.last(&format!("$${stream}")).is_none() {
            return Err(Refused::WrongRevision(stream.into(), expected, None));
        }
        let data = json!({ "$tb": NEVER_AGAIN });
        Ok(self
            .add(&format!("$${stream}"), None, None, METADATA_NAME, data, true)
            .position)
    }

    pub(super) fn tombstone(&mut self, stream: &str, expected: Expected) -> Result<Position, Refused> {
        if stream.starts_with("$$") {
            return Err(Refused::Reserved(stream.into()));
        }
        self.plan(stream, expected, &[u128::MAX])?;
        let end = self.add(stream, Some(NEVER_AGAIN), None, "$streamDeleted", Value::Null, false);
        Ok(end.position)
    }

    /// The first revision that is shown.
    fn shown_from(&self, stream: &str) -> u64 {
        let last = self.last(stream).unwrap_or_default();
        if stream.starts_with("$$") {
            return last;
        }
        let said = self.metadata(stream);
        let by_count = said["$maxCount"].as_u64().map_or(0, |count| (last + 1).saturating_sub(count));
        by_count.max(said["$tb"].as_u64().unwrap_or_default())
    }

    pub(super) fn read_stream(&self, stream: &str, from: u64, direction: Direction, limit: usize) -> Shown {
        let life = self.life(stream);
        let last = self.last(stream);
        let events: Vec<Event> = if life == Life::Live {
            let shown_from = self.shown_from(stream);
            self.of_stream(stream)
                .filter(|event| event.revision >= shown_from)
                .cloned()
                .collect()
        } else {
            Vec::new()
        };
        let first = events.first().map(|event| event.revision);
        let (events, end) = piece(events, from, direction, limit, |event| event.revision);
        Shown {
            life,
            events,
            first,
            last,
            end,
        }
    }

    /// The entries of a category, as links.
    pub(super) fn read_category(
        &self,
        category: &str,
        from: u64,
        direction: Direction,
        limit: usize,
    ) -> (Vec<(u64, String)>, bool) {
        let events = self.log.iter().flatten().filter(|event| {
            event.name != "$streamDeleted" && event.stream.split_once('-').is_some_and(|(before, _)| before == category)
        });
        let entries = (0..).zip(events.map(|event| format!("{}@{}", event.revision, event.stream)));
        piece(entries.collect(), from, direction, limit, |entry: &(u64, String)| entry.0)
    }

    pub(super) fn read_log(&self, from: u64, direction: Direction, limit: usize) -> (Vec<Event>, bool) {
        piece(
            self.log.iter().flatten().cloned().collect(),
            from,
            direction,
            limit,
            |event| event.position,
        )
    }

    /// Takes out what no stream shows any more, but for the last event of each.
    pub(super) fn scavenge(&mut self) -> u64 {
        let keep_from: HashMap<String, u64> = self
            .lasts
            .iter()
            .map(|(stream, last)| {
                let hidden = *last == NEVER_AGAIN || !stream.starts_with("$$") && self.is_deleted(stream);
                let keep_from = if hidden { *last } else { self.shown_from(stream).min(*last) };
                (stream.clone(), keep_from)
            })
            .collect();
        let mut taken = 0;
        for place in &mut self.log {
            if place.as_ref().is_some_and(|event| event.revision < keep_from[&event.stream]) {
                *place = None;
                taken += 1;
            }
        }
        taken
    }

    /// Only the ids of what is in the log are remembered.
    pub(super) fn open_again(&mut self) {
        self.remembered.clear();
        for event in self.log.iter().flatten() {
            if let Some(id) = event.id {
                let appended = Appended {
                    revision: event.revision,
                    position: Position(event.position),
                };
                self.remembered.insert((event.stream.clone(), id), appended);
            }
        }
    }
}

/// Up to `limit` of these from a number on, and whether that is the end that way.
fn piece<T>(all: Vec<T>, from: u64, direction: Direction, limit: usize, number: impl Fn(&T) -> u64) -> (Vec<T>, bool) {
    let mut that_way: Vec<T> = match direction {
        Direction::Forwards => all.into_iter().filter(|one| number(one) >= from).collect(),
        Direction::Backwards => all.into_iter().rev().filter(|one| number(one) <= from).collect(),
    };
    let end = that_way.len() <= limit;
    that_way.truncate(limit);
    (that_way, end)
}

/// Whether an event is an entry of a list.
pub(super) fn is_link(name: &str) -> bool {
    name == LINK_NAME
}
