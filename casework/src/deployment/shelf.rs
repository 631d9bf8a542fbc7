//! Every version of every model that was ever proposed, and how it stands. The bytes are the library's.

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use domain::case::ModelKind;
use serde::Serialize;

use super::{Event, Rejection};
use crate::library::{Edition, Library, LibraryError};

/// How a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Stage {
    /// It waits for somebody's approval.
    Proposed,
    /// New cases go by it, from its day on.
    Approved,
    /// It was not let in.
    Declined,
    /// No new case goes by it any more.
    Retired,
}

/// A version of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "as the events")]
pub struct Version {
    pub key: String,
    pub version: u32,
    pub kind: ModelKind,
    pub name: String,
    pub hash: String,
    pub effective_from: NaiveDate,
    pub percent: u32,
    pub note: String,
    pub stage: Stage,
    pub proposed_by: String,
    pub proposed_on: NaiveDate,
    /// Who approved or declined it.
    pub answered_by: Option<String>,
    pub answered_on: Option<NaiveDate>,
}

/// Every version of every model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Shelf(BTreeMap<String, BTreeMap<u32, Version>>);

impl Shelf {
    /// All of them, by key and version.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        self.0.values().flat_map(BTreeMap::values)
    }

    pub(super) fn versions_of(&self, key: &str) -> impl Iterator<Item = &Version> {
        self.0.get(key).into_iter().flat_map(BTreeMap::values)
    }

    pub(super) fn newest_of(&self, key: &str) -> u32 {
        self.versions_of(key).last().map_or(0, |version| version.version)
    }

    pub(super) fn find(&self, key: &str, version: u32) -> Result<&Version, Rejection> {
        let found = self.0.get(key).and_then(|versions| versions.get(&version));
        found.ok_or_else(|| Rejection::NoSuchVersion {
            key: key.to_owned(),
            version,
        })
    }

    pub(super) fn in_force(&self, key: &str, version: u32) -> Result<&Version, Rejection> {
        let found = self.find(key, version)?;
        if found.stage == Stage::Approved {
            return Ok(found);
        }
        Err(Rejection::NotInForce {
            key: key.to_owned(),
            version,
        })
    }

    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::ModelProposed {
                key,
                version,
                kind,
                name,
                hash,
                effective_from,
                percent,
                by,
                note,
                on,
                ..
            } => {
                let proposed = Version {
                    key: key.clone(),
                    version: *version,
                    kind: *kind,
                    name: name.clone(),
                    hash: hash.clone(),
                    effective_from: *effective_from,
                    percent: *percent,
                    note: note.clone(),
                    stage: Stage::Proposed,
                    proposed_by: by.clone(),
                    proposed_on: *on,
                    answered_by: None,
                    answered_on: None,
                };
                self.0.entry(key.clone()).or_default().insert(*version, proposed);
            }
            Event::ModelApproved { key, version, by, on } => self.answer(key, *version, Stage::Approved, (by, *on)),
            Event::ModelDeclined {
                key, version, by, on, ..
            } => self.answer(key, *version, Stage::Declined, (by, *on)),
            Event::RolloutChanged {
                key, version, percent, ..
            } => {
                if let Some(found) = self.get_mut(key, *version) {
                    found.percent = *percent;
                }
            }
            Event::ModelRetired { key, version, .. } => {
                if let Some(found) = self.get_mut(key, *version) {
                    found.stage = Stage::Retired;
                }
            }
        }
    }

    fn get_mut(&mut self, key: &str, version: u32) -> Option<&mut Version> {
        self.0.get_mut(key)?.get_mut(&version)
    }

    fn answer(&mut self, key: &str, version: u32, stage: Stage, (by, on): (&str, NaiveDate)) {
        if let Some(found) = self.get_mut(key, version) {
            found.stage = stage;
            found.answered_by = Some(by.to_owned());
            found.answered_on = Some(on);
        }
    }
}

impl Library {
    /// These models and what was deployed since: everything that was ever approved, since what runs keeps its model.
    /// One that can no longer be read (its rules have become stricter since) is left out, and named.
    #[must_use]
    pub fn deployed<'a>(&self, events: impl IntoIterator<Item = &'a Event>) -> (Self, Vec<LibraryError>) {
        let mut known = Shelf::default();
        let mut files: BTreeMap<(String, u32), Arc<[u8]>> = BTreeMap::new();
        for event in events {
            if let Event::ModelProposed {
                key, version, source, ..
            } = event
            {
                files.insert((key.clone(), *version), source.as_bytes().into());
            }
            known.take(event);
        }
        let mut library = self.clone();
        let mut unreadable = Vec::new();
        for one in known.versions() {
            let is_retired = one.stage == Stage::Retired;
            let source = files.get(&(one.key.clone(), one.version));
            let Some(bytes) = source.filter(|_| is_retired || one.stage == Stage::Approved) else {
                continue;
            };
            let edition = Edition {
                key: one.key.as_str().into(),
                kind: one.kind,
                version: one.version,
                hash: one.hash.as_str().into(),
                effective_from: one.effective_from,
                percent: one.percent,
                retired: is_retired,
                bytes: bytes.clone(),
            };
            match library.with(edition) {
                Ok(with) => library = with,
                Err(cause) => unreadable.push(cause),
            }
        }
        (library, unreadable)
    }
}
