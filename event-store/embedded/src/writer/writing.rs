//! Answering what is asked: judged first as a whole, then written as a whole.

use std::collections::HashMap;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use event_store_contract::{
    Appended, Expected, NewEvent, Position, StreamName,
    proof::{GENESIS, chain_hash},
};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{
    Refused,
    judging::Plan,
    memory::{Head, Memory},
};
use crate::{
    record::{COLUMNS, Place, TOMBSTONE_NAME, TOMBSTONE_REVISION, flags, whole_checksum},
    request::{Answered, Asked, Part, Prepared},
    wide::{Check, METADATA_NAME, Refusal, is_virtual, metadata_stream, newest, subject},
};

/// What the metadata of a deleted stream say.
const DELETION: &str = r#"{"$tb":9223372036854775807}"#;

/// A deleted stream that a write brings back.
struct Undelete {
    stream: StreamName,
    /// The first revision of it that can then be seen.
    visible_from: u64,
    /// Not if what was written deletes it once more.
    unless_deleted: bool,
}

/// All that one write brings to one stream.
struct Share {
    stream: StreamName,
    expected: Expected,
    ids: Vec<Uuid>,
    /// Of the parts, in their order, how many events each brings.
    parts: Vec<usize>,
}

impl Memory {
    pub(super) fn answer(&mut self, connection: &Connection, asked: Asked, now: DateTime<Utc>) -> Result<Answered, Refused> {
        match asked {
            Asked::Append(part) => self.append(connection, part, now).map(Answered::One),
            Asked::Several { parts, checks } => self.several(connection, parts, &checks, now).map(Answered::Several),
            Asked::Delete { stream, expected } => self.delete(connection, &stream, expected, now).map(Answered::One),
            Asked::Tombstone { stream, expected } => self.tombstone(connection, &stream, expected, now).map(Answered::One),
        }
    }

    fn append(&mut self, connection: &Connection, part: Part, now: DateTime<Utc>) -> Result<Appended, Refused> {
        let Part {
            stream,
            expected,
            events,
            ..
        } = part;
        let ids = events.iter().map(|new| new.event.id);
        let head = match self.plan(connection, &stream, expected, ids)? {
            Plan::Write(head) => head,
            Plan::Repeated(places) => {
                return places.last().copied().ok_or_else(|| nothing_asked(&stream, expected));
            }
        };
        let undelete = self.brought_back(connection, &stream, head)?;
        let appended = self.insert(connection, &stream, head, events, now)?;
        if let Some(undelete) = undelete {
            self.undelete(connection, &undelete, now)?;
        }
        Ok(appended)
    }

    /// All of the parts, or none: nothing is written before everything was judged.
    fn several(
        &mut self,
        connection: &Connection,
        parts: Vec<Part>,
        checks: &[Check],
        now: DateTime<Utc>,
    ) -> Result<Vec<Appended>, Refused> {
        let (shares, share_of_part) = shares(&parts)?;
        let mut repeated = Vec::new();
        let mut undelete = Vec::new();
        for share in &shares {
            match self.plan(connection, &share.stream, share.expected, share.ids.iter().copied())? {
                Plan::Write(head) => undelete.extend(self.brought_back(connection, &share.stream, head)?),
                Plan::Repeated(places) => repeated.push((share, places)),
            }
        }
        if repeated.len() == shares.len() {
            return Ok(places_of_parts(&repeated, &share_of_part));
        }
        if let Some((share, _)) = repeated.first() {
            let actual = self.head(connection, &share.stream)?.map(|head| head.revision);
            return Err(Refusal::WrongRevision {
                stream: share.stream.clone(),
                expected: share.expected,
                actual,
            }
            .into());
        }
        for check in checks {
            self.check(connection, check)?;
        }
        let mut appended = Vec::with_capacity(parts.len());
        for Part { stream, events, .. } in parts {
            let head = self.head(connection, &stream)?;
            appended.push(self.insert(connection, &stream, head, events, now)?);
        }
        for undelete in undelete {
            self.undelete(connection, &undelete, now)?;
        }
        Ok(appended)
    }

    /// Deletes a stream until somebody writes to it.
    fn delete(
        &mut self,
        connection: &Connection,
        stream: &StreamName,
        expected: Expected,
        now: DateTime<Utc>,
    ) -> Result<Appended, Refused> {
        let metadata = metadata_stream(stream).filter(|_| subject(stream.as_str()).is_none() && !is_virtual(stream.as_str()));
        let reserved = || Refusal::Reserved { stream: stream.clone() };
        let metadata = metadata.ok_or_else(reserved)?;
        if self.metadatas.keeps_whole(stream.as_str()) {
            return Err(reserved().into());
        }
        let plan = self.plan(connection, stream, expected, std::iter::once(Uuid::new_v4()))?;
        let head = self.head(connection, &metadata)?;
        // A stream of which something was said is there, also if it has no events.
        let is_there = match plan {
            Plan::Write(known) => known.is_some() || head.is_some(),
            Plan::Repeated(_) => false,
        };
        if !is_there {
            return Err(Refusal::WrongRevision {
                stream: stream.clone(),
                expected,
                actual: None,
            }
            .into());
        }
        let deletion = own_event(METADATA_NAME, Bytes::from_static(DELETION.as_bytes()), true);
        Ok(self.insert(connection, &metadata, head, vec![deletion], now)?)
    }

    /// Ends a stream for ever, also one that was never written.
    fn tombstone(
        &mut self,
        connection: &Connection,
        stream: &StreamName,
        expected: Expected,
        now: DateTime<Utc>,
    ) -> Result<Appended, Refused> {
        if subject(stream.as_str()).is_some() || is_virtual(stream.as_str()) || self.metadatas.keeps_whole(stream.as_str()) {
            return Err(Refusal::Reserved { stream: stream.clone() }.into());
        }
        let Plan::Write(head) = self.plan(connection, stream, expected, std::iter::once(Uuid::new_v4()))? else {
            return Err(nothing_asked(stream, expected));
        };
        let end = own_event(TOMBSTONE_NAME, Bytes::new(), false);
        Ok(self.insert_from(connection, stream, head, TOMBSTONE_REVISION, vec![end], now)?)
    }

    /// The stream that this append brings back.
    fn brought_back(
        &mut self,
        connection: &Connection,
        stream: &StreamName,
        head: Option<Head>,
    ) -> Result<Option<Undelete>, Refused> {
        if !self.metadatas.any() {
            return Ok(None);
        }
        let deleted = match head {
            Some(head) => head.soft_deleted,
            None => self.soft_deleted(connection, stream)?,
        };
        if deleted {
            return Ok(Some(Undelete {
                stream: stream.clone(),
                visible_from: head.map_or(0, |head| head.revision + 1),
                unless_deleted: false,
            }));
        }
        let Some(subject) = subject(stream.as_str()).and_then(|name| StreamName::new(name).ok()) else {
            return Ok(None);
        };
        // Whoever says something about a deleted stream brings it back, empty.
        Ok(match self.head(connection, &subject)? {
            Some(head) if head.soft_deleted && !head.is_tombstone() => Some(Undelete {
                stream: subject,
                visible_from: head.revision + 1,
                unless_deleted: true,
            }),
            _ => None,
        })
    }

    fn undelete(&mut self, connection: &Connection, undelete: &Undelete, now: DateTime<Utc>) -> Result<(), Refused> {
        let Undelete {
            stream,
            visible_from,
            unless_deleted,
        } = undelete;
        let Some(metadata) = metadata_stream(stream) else {
            return Ok(());
        };
        let said = newest(connection, stream)?.unwrap_or_default();
        if said.truncate_before == Some(*visible_from) || *unless_deleted && said.deletes() {
            return Ok(());
        }
        let head = self.head(connection, &metadata)?;
        let event = own_event(METADATA_NAME, said.raw_with_truncate_before(*visible_from), true);
        self.insert(connection, &metadata, head, vec![event], now)?;
        Ok(())
    }

    fn insert(
        &mut self,
        connection: &Connection,
        stream: &StreamName,
        head: Option<Head>,
        events: Vec<Prepared>,
        now: DateTime<Utc>,
    ) -> rusqlite::Result<Appended> {
        let revision = head.map_or(0, |head| head.revision + 1);
        self.insert_from(connection, stream, head, revision, events, now)
    }

    fn insert_from(
        &mut self,
        connection: &Connection,
        stream: &StreamName,
        head: Option<Head>,
        mut revision: u64,
        events: Vec<Prepared>,
        now: DateTime<Utc>,
    ) -> rusqlite::Result<Appended> {
        let (stream_id, mut hash) = match head {
            Some(head) => (head.stream_id, head.hash),
            None => (self.new_stream(connection, stream)?, GENESIS),
        };
        let created_us = now.timestamp_micros();
        let mut insert = connection.prepare_cached(&format!(
            "INSERT INTO events ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ))?;
        let mut appended = Appended {
            revision,
            position: Position(self.last_position),
        };
        for Prepared {
            event,
            is_json,
            content,
            checksum,
        } in events
        {
            let position = self.last_position + 1;
            hash = chain_hash(&hash, stream.as_str(), revision, &content);
            let place = Place {
                stream: stream.as_str(),
                revision,
                position,
                created_us,
                flags: flags(is_json),
            };
            let checksum = whole_checksum(checksum, &place, &hash);
            insert.execute(params![
                position,
                stream_id,
                revision,
                created_us,
                checksum,
                place.flags,
                event.id.as_bytes(),
                hash,
                &*event.name,
                &event.metadata[..],
                &event.data[..],
            ])?;
            appended = Appended {
                revision,
                position: Position(position),
            };
            self.recent.put((stream_id, event.id), appended);
            self.last_position = position;
            revision += 1;
        }
        let head = Head {
            stream_id,
            revision: appended.revision,
            hash,
            // Whoever writes to it brings it back, see `undelete`.
            soft_deleted: false,
        };
        match self.heads.get_mut(stream) {
            Some(known) => *known = head,
            None => {
                self.heads.put(stream.clone(), head);
            }
        }
        if let Some(subject) = subject(stream.as_str()).and_then(|name| StreamName::new(name).ok()) {
            self.metadatas.expect_some();
            self.heads.pop(&subject);
            self.changed_metadata.push(subject);
        }
        Ok(appended)
    }

    fn new_stream(&mut self, connection: &Connection, stream: &StreamName) -> rusqlite::Result<i64> {
        let id = self.last_stream_id + 1;
        connection
            .prepare_cached("INSERT INTO streams (id, name) VALUES (?, ?)")?
            .execute(params![id, stream.as_str()])?;
        self.last_stream_id = id;
        Ok(id)
    }
}

/// An event that the store itself writes.
fn own_event(name: &str, data: Bytes, is_json: bool) -> Prepared {
    let event = NewEvent {
        id: Uuid::new_v4(),
        name: name.into(),
        data,
        metadata: Bytes::new(),
    };
    Prepared::new(event, is_json)
}

/// What each stream gets of a write, and to which of them each part belongs.
fn shares(parts: &[Part]) -> Result<(Vec<Share>, Vec<usize>), Refused> {
    let mut shares: Vec<Share> = Vec::new();
    let mut known: HashMap<&StreamName, usize> = HashMap::new();
    let mut share_of_part = Vec::with_capacity(parts.len());
    for part in parts {
        let ids = part.events.iter().map(|new| new.event.id);
        match known.get(&part.stream) {
            Some(_) if part.expected != Expected::Any => {
                let stream = part.stream.clone();
                return Err(Refusal::Twice { stream }.into());
            }
            Some(share) => {
                shares[*share].ids.extend(ids);
                shares[*share].parts.push(part.events.len());
                share_of_part.push(*share);
            }
            None => {
                known.insert(&part.stream, shares.len());
                share_of_part.push(shares.len());
                shares.push(Share {
                    stream: part.stream.clone(),
                    expected: part.expected,
                    ids: ids.collect(),
                    parts: vec![part.events.len()],
                });
            }
        }
    }
    Ok((shares, share_of_part))
}

/// Where the last event of each part stands.
fn places_of_parts(repeated: &[(&Share, Vec<Appended>)], share_of_part: &[usize]) -> Vec<Appended> {
    let mut taken = vec![(0, 0); repeated.len()];
    let place = |share: &usize| {
        let (part, events) = &mut taken[*share];
        *events += repeated[*share].0.parts[*part];
        *part += 1;
        repeated[*share].1[*events - 1]
    };
    share_of_part.iter().map(place).collect()
}

/// Cannot happen, for every append has events and a new id stands nowhere; told as a conflict all the same.
fn nothing_asked(stream: &StreamName, expected: Expected) -> Refused {
    Refusal::WrongRevision {
        stream: stream.clone(),
        expected,
        actual: None,
    }
    .into()
}
