//! Number sequences (编号): gap-free, never reused, one stream for each series and year.

use std::collections::BTreeMap;

use decider::Decider;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::rules::Desk;

/// The stream category.
pub const CATEGORY: &str = "numberSequence";

/// The most requests whose answers a sequence's state keeps; a sequence ends with its year or its day.
pub const MAX_SEQUENCE: u32 = 9_999_999;

/// What can happen to a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::VariantNames)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub enum Event {
    /// The next number was given to an event that wanted it.
    NumberAllocated { sequence: u32, number: String, wanted_by: Uuid, kind: String, stream: String },
}

/// What may be asked of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub enum Command {
    /// The next number, written by the template, for the event that wanted it. Asked twice, given once.
    Allocate { template: String, wanted_by: Uuid, kind: String, stream: String },
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::AsRefStr)]
#[allow(missing_docs, reason = "the sentences explain themselves")]
pub enum Rejection {
    #[error("the series is used up; open a new one")]
    UsedUp,
    #[error("the template {template} has no place for the number, such as {{seq:05}}")]
    BadTemplate { template: String },
}

/// How far a sequence is, and who got which number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The last number given.
    pub last: u32,
    /// Who got what.
    pub given: BTreeMap<(Uuid, String), String>,
}

/// The decider of a number sequence.
pub struct NumberSequence;

impl Decider for NumberSequence {
    type State = Sequence;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Context = Desk;

    fn decide(state: &Sequence, command: &Command, _desk: &Desk) -> Result<Vec<Event>, Rejection> {
        let Command::Allocate { template, wanted_by, kind, stream } = command;
        if state.given.contains_key(&(*wanted_by, kind.clone())) {
            return Ok(Vec::new());
        }
        if state.last >= MAX_SEQUENCE {
            return Err(Rejection::UsedUp);
        }
        let sequence = state.last + 1;
        let number = fill(template, sequence).ok_or_else(|| Rejection::BadTemplate { template: template.clone() })?;
        Ok(vec![Event::NumberAllocated { sequence, number, wanted_by: *wanted_by, kind: kind.clone(), stream: stream.clone() }])
    }

    fn evolve(state: &mut Sequence, event: &Event) {
        let Event::NumberAllocated { sequence, number, wanted_by, kind, .. } = event;
        state.last = *sequence;
        state.given.insert((*wanted_by, kind.clone()), number.clone());
    }
}

/// Writes the sequence number into a template such as `SGXK2026{seq:05}`; none, when it does not fit its width.
fn fill(template: &str, sequence: u32) -> Option<String> {
    let (head, rest) = template.split_once("{seq:")?;
    let (width, tail) = rest.split_once('}')?;
    let width: usize = width.parse().ok()?;
    let digits = format!("{sequence:0width$}");
    (digits.len() == width).then(|| format!("{head}{digits}{tail}"))
}
