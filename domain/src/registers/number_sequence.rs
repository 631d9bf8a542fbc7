//! Number sequences (编号): gap-free, never reused, one stream for each series and year.

use std::collections::BTreeMap;

use decider::Decider;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    case::{Explain, code_of},
    rules::Desk,
};

/// The stream category.
pub const CATEGORY: &str = "numberSequence";

/// The most requests whose answers a sequence's state keeps; a sequence ends with its year or its day.
pub const MAX_SEQUENCE: u32 = 9_999_999;

/// The widest sequence number of a template.
const MAX_WIDTH: usize = 12;

/// What can happen to a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::VariantNames, strum::IntoStaticStr)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub enum Event {
    /// The next number was given to an event that wanted it.
    NumberAllocated {
        sequence: u32,
        number: String,
        wanted_by: Uuid,
        kind: String,
        stream: String,
    },
}

/// What may be asked of a sequence.
#[derive(Debug, Clone, PartialEq, Eq, strum::VariantNames, strum::IntoStaticStr)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub enum Command {
    /// The next number, written by the template, for the event that wanted it. Asked twice, given once.
    Allocate {
        template: String,
        wanted_by: Uuid,
        kind: String,
        stream: String,
    },
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

impl Explain for Rejection {
    fn code(&self) -> String {
        code_of(self.as_ref())
    }

    fn zh(&self) -> String {
        match self {
            Self::UsedUp => "该编号序列已用完，请启用新的序列".to_owned(),
            Self::BadTemplate { template } => format!("编号模板 {template} 没有序号位置，例如 {{seq:05}}"),
        }
    }
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
        let Command::Allocate {
            template,
            wanted_by,
            kind,
            stream,
        } = command;
        if state.given.contains_key(&(*wanted_by, kind.clone())) {
            return Ok(Vec::new());
        }
        if state.last >= MAX_SEQUENCE {
            return Err(Rejection::UsedUp);
        }
        let sequence = state.last + 1;
        let (head, width, tail) = parts(template).ok_or_else(|| Rejection::BadTemplate {
            template: template.clone(),
        })?;
        let digits = format!("{sequence:0width$}");
        if digits.len() > width {
            return Err(Rejection::UsedUp);
        }
        let number = format!("{head}{digits}{tail}");
        Ok(vec![Event::NumberAllocated {
            sequence,
            number,
            wanted_by: *wanted_by,
            kind: kind.clone(),
            stream: stream.clone(),
        }])
    }

    fn evolve(state: &mut Sequence, event: &Event) {
        let Event::NumberAllocated {
            sequence,
            number,
            wanted_by,
            kind,
            ..
        } = event;
        state.last = *sequence;
        state.given.insert((*wanted_by, kind.clone()), number.clone());
    }
}

/// A template such as `SGXK2026{seq:05}`: what stands before the sequence number, how wide it is, what stands after it.
fn parts(template: &str) -> Option<(&str, usize, &str)> {
    let (head, rest) = template.split_once("{seq:")?;
    let (width, tail) = rest.split_once('}')?;
    let width: usize = width.parse().ok()?;
    (1..=MAX_WIDTH).contains(&width).then_some((head, width, tail))
}

#[cfg(test)]
mod tests {
    use decider::testing::given;

    use super::*;
    use crate::{case_types::construction_permit::testing::desk, registers::number_sequence::NumberSequence};

    fn allocate(template: &str, wanted_by: u128) -> Command {
        Command::Allocate {
            template: template.into(),
            wanted_by: Uuid::from_u128(wanted_by),
            kind: "Case".into(),
            stream: "s".into(),
        }
    }

    fn allocated(sequence: u32, number: &str, wanted_by: u128) -> Event {
        let (number, kind, stream) = (number.into(), "Case".into(), "s".into());
        Event::NumberAllocated {
            sequence,
            number,
            wanted_by: Uuid::from_u128(wanted_by),
            kind,
            stream,
        }
    }

    #[test]
    fn numbers_follow_each_other_without_gaps() {
        let desk = desk("2026-09-18");
        given::<NumberSequence>([])
            .at(&desk)
            .when(&allocate("A{seq:03}B", 1))
            .then([allocated(1, "A001B", 1)]);
        given::<NumberSequence>([allocated(1, "A001B", 1)])
            .at(&desk)
            .when(&allocate("A{seq:03}B", 2))
            .then([allocated(2, "A002B", 2)]);
    }

    #[test]
    fn whoever_asks_twice_gets_one_number() {
        given::<NumberSequence>([allocated(1, "A001B", 1)])
            .at(&desk("2026-09-18"))
            .when(&allocate("A{seq:03}B", 1))
            .then([]);
    }

    #[test]
    fn a_series_of_two_digits_ends_at_99() {
        let given_99 = given::<NumberSequence>([allocated(99, "A99", 99)]);
        given_99
            .at(&desk("2026-09-18"))
            .when(&allocate("A{seq:02}", 100))
            .then_rejected(&Rejection::UsedUp);
    }

    #[test]
    fn a_template_without_a_place_for_the_number_is_refused() {
        let rejection = Rejection::BadTemplate { template: "A".into() };
        given::<NumberSequence>([])
            .at(&desk("2026-09-18"))
            .when(&allocate("A", 1))
            .then_rejected(&rejection);
    }
}
