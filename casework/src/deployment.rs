//! Deploying models (流程部署): a process, a decision table, a form, a rule for candidates. One person proposes, another
//! approves; from its day on, a share of the new cases goes by it. What runs already is never touched by it.
//!
//! One stream for all models of the bureau; the bytes stand in the events, so that every version can be read for ever.

mod rejection;
mod shelf;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use decider::Decider;
use domain::{case::ModelKind, metadata::bureau_date};
use serde::{Deserialize, Serialize};

pub use rejection::Rejection;
pub use shelf::{Shelf, Stage, Version};

use crate::{desk::WorkDesk, reading};

/// The stream category.
pub const CATEGORY: &str = "model";

/// The id of the one stream.
pub const STREAM_ID: &str = "bureau";

/// The largest model that is deployed.
pub const MAX_MODEL_BYTES: usize = 4 * 1024 * 1024;
/// The longest key, name or reason.
const MAX_WORD_BYTES: usize = 1_000;
/// All new cases.
const WHOLE: u32 = 100;

/// What can happen to the models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::VariantNames, strum::IntoStaticStr)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub enum Event {
    /// 提出部署: read, checked, and waiting for somebody else.
    ModelProposed {
        key: String,
        version: u32,
        kind: ModelKind,
        name: String,
        /// The file as it is.
        source: String,
        /// SHA-256 of the file, in hexadecimal.
        hash: String,
        effective_from: NaiveDate,
        /// How many of a hundred new cases go by it.
        percent: u32,
        by: String,
        note: String,
        on: NaiveDate,
    },
    /// 批准部署, by somebody who did not propose it.
    ModelApproved {
        key: String,
        version: u32,
        by: String,
        on: NaiveDate,
    },
    /// 不予部署
    ModelDeclined {
        key: String,
        version: u32,
        by: String,
        reason: String,
        on: NaiveDate,
    },
    /// 灰度调整: the share of new cases that go by it.
    RolloutChanged {
        key: String,
        version: u32,
        percent: u32,
        by: String,
        reason: String,
        on: NaiveDate,
    },
    /// 停用: no new case goes by it any more.
    ModelRetired {
        key: String,
        version: u32,
        by: String,
        reason: String,
        on: NaiveDate,
    },
}

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq, strum::VariantNames, strum::IntoStaticStr)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub enum Command {
    Propose {
        key: String,
        kind: ModelKind,
        name: String,
        source: String,
        effective_from: NaiveDate,
        percent: u32,
        note: String,
    },
    Approve {
        key: String,
        version: u32,
    },
    Decline {
        key: String,
        version: u32,
        reason: String,
    },
    ChangeRollout {
        key: String,
        version: u32,
        percent: u32,
        reason: String,
    },
    Retire {
        key: String,
        version: u32,
        reason: String,
    },
}

/// The decider of the models.
pub struct Deployment;

impl Decider for Deployment {
    type State = Shelf;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Context = WorkDesk;

    fn decide(state: &Shelf, command: &Command, desk: &WorkDesk) -> Result<Vec<Event>, Rejection> {
        let by = desk.desk.actor.id.clone();
        let on = bureau_date(desk.desk.now);
        match command {
            Command::Propose { .. } => propose(state, command, desk),
            Command::Approve { key, version } => {
                let found = state.find(key, *version)?;
                match found.stage {
                    Stage::Approved => Ok(Vec::new()),
                    Stage::Declined | Stage::Retired => Err(Rejection::NotWaiting {
                        key: key.clone(),
                        version: *version,
                    }),
                    // Four eyes: whoever drew it does not let it in.
                    Stage::Proposed if found.proposed_by == by => Err(Rejection::OwnProposal),
                    Stage::Proposed => Ok(vec![Event::ModelApproved {
                        key: key.clone(),
                        version: *version,
                        by,
                        on,
                    }]),
                }
            }
            Command::Decline { key, version, reason } => {
                written("reason", reason)?;
                if state.find(key, *version)?.stage != Stage::Proposed {
                    return Err(Rejection::NotWaiting {
                        key: key.clone(),
                        version: *version,
                    });
                }
                Ok(vec![Event::ModelDeclined {
                    key: key.clone(),
                    version: *version,
                    by,
                    reason: reason.clone(),
                    on,
                }])
            }
            Command::ChangeRollout {
                key,
                version,
                percent,
                reason,
            } => {
                written("reason", reason)?;
                share(*percent)?;
                let found = state.in_force(key, *version)?;
                if found.percent == *percent {
                    return Ok(Vec::new());
                }
                Ok(vec![Event::RolloutChanged {
                    key: key.clone(),
                    version: *version,
                    percent: *percent,
                    by,
                    reason: reason.clone(),
                    on,
                }])
            }
            Command::Retire { key, version, reason } => {
                written("reason", reason)?;
                state.in_force(key, *version)?;
                Ok(vec![Event::ModelRetired {
                    key: key.clone(),
                    version: *version,
                    by,
                    reason: reason.clone(),
                    on,
                }])
            }
        }
    }

    fn evolve(state: &mut Shelf, event: &Event) {
        state.take(event);
    }
}

fn propose(state: &Shelf, command: &Command, desk: &WorkDesk) -> Result<Vec<Event>, Rejection> {
    let Command::Propose {
        key,
        kind,
        name,
        source,
        effective_from,
        percent,
        note,
    } = command
    else {
        return Ok(Vec::new());
    };
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if key.is_empty() || key.len() > MAX_WORD_BYTES || !key.chars().all(is_key) {
        return Err(Rejection::BadKey { key: key.clone() });
    }
    written("name", name)?;
    share(*percent)?;
    if source.len() > MAX_MODEL_BYTES {
        return Err(Rejection::TooLarge);
    }
    let on = bureau_date(desk.desk.now);
    if *effective_from < on {
        return Err(Rejection::InThePast {
            effective_from: *effective_from,
            on,
        });
    }
    reading::check(*kind, source.as_bytes()).map_err(|findings| Rejection::ModelFaulty { findings })?;
    let hash = reading::hash(source.as_bytes()).to_string();
    if let Some(same) = state
        .versions_of(key)
        .find(|version| version.hash == hash && version.stage != Stage::Declined)
    {
        return Err(Rejection::SameAsBefore { version: same.version });
    }
    let last = state.newest_of(key).max(desk.library.newest_version(key));
    Ok(vec![Event::ModelProposed {
        key: key.clone(),
        version: last + 1,
        kind: *kind,
        name: name.clone(),
        source: source.clone(),
        hash,
        effective_from: *effective_from,
        percent: *percent,
        by: desk.desk.actor.id.clone(),
        note: note.clone(),
        on,
    }])
}

fn written(field: &str, word: &str) -> Result<(), Rejection> {
    if word.trim().is_empty() || word.len() > MAX_WORD_BYTES {
        return Err(Rejection::WordMissing { field: field.to_owned() });
    }
    Ok(())
}

fn share(percent: u32) -> Result<(), Rejection> {
    if percent > WHOLE {
        return Err(Rejection::NoShare { percent });
    }
    Ok(())
}
