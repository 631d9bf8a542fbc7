//! The register of construction permits (施工许可证登记簿): what anybody may look up, one stream for each permit.

use chrono::NaiveDate;
use decider::Decider;
use serde::{Deserialize, Serialize};

use crate::{
    case::{Explain, code_of},
    case_types::construction_permit::PermitFace,
    rules::Desk,
};

/// The stream category; the id is the permit's number.
pub const CATEGORY: &str = "permit";

/// What can happen to an entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, strum::VariantNames, strum::IntoStaticStr)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub enum Event {
    PermitRegistered {
        case_id: String,
        face: Box<PermitFace>,
        on: NaiveDate,
    },
    PermitEntryAmended {
        field: String,
        old: String,
        new: String,
        basis: String,
        on: NaiveDate,
    },
    PermitEntryClosed {
        reason: ClosingReason,
        note: String,
        on: NaiveDate,
    },
}

/// Why an entry is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::IntoStaticStr, strum::EnumString)]
pub enum ClosingReason {
    /// 竣工
    Completed,
    /// 自行废止
    Lapsed,
    /// 撤销
    Revoked,
    /// 注销
    Cancelled,
}

impl ClosingReason {
    /// 中文名称
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::Completed => "竣工",
            Self::Lapsed => "自行废止",
            Self::Revoked => "撤销",
            Self::Cancelled => "注销",
        }
    }
}

/// What may be asked of an entry. Reactions ask; the same entry twice is one entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, strum::VariantNames, strum::IntoStaticStr)]
#[allow(missing_docs, reason = "the fields explain themselves")]
pub enum Command {
    Register {
        case_id: String,
        face: Box<PermitFace>,
        on: NaiveDate,
    },
    Amend {
        field: String,
        old: String,
        new: String,
        basis: String,
        on: NaiveDate,
    },
    Close {
        reason: ClosingReason,
        note: String,
        on: NaiveDate,
    },
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::AsRefStr)]
#[allow(missing_docs, reason = "the sentences explain themselves")]
pub enum Rejection {
    #[error("this number was registered for case {case_id}; a number is never given twice")]
    RegisteredToAnother { case_id: String },
    #[error("this permit is not in the register")]
    NotRegistered,
    #[error("the entry was closed on {on} ({reason}); a closed entry is not changed")]
    EntryClosed { on: NaiveDate, reason: ClosingReason },
}

impl Explain for Rejection {
    fn code(&self) -> String {
        code_of(self.as_ref())
    }

    fn zh(&self) -> String {
        match self {
            Self::RegisteredToAnother { case_id } => format!("该编号已登记在案件 {case_id} 名下，编号不得重复"),
            Self::NotRegistered => "登记簿中没有该许可证".to_owned(),
            Self::EntryClosed { on, reason } => format!("该登记已于 {on} 因{}关闭，不得变更", reason.name_zh()),
        }
    }
}

/// An entry: none before the permit is registered.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "as the events")]
pub struct Entry {
    pub case_id: Option<String>,
    pub face: Option<Box<PermitFace>>,
    pub registered_on: Option<NaiveDate>,
    pub amendments: Vec<Amendment>,
    pub closed: Option<(ClosingReason, NaiveDate)>,
}

/// One change of an entry. The face stays as it was issued; what it says now is the face and its amendments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "as the event")]
pub struct Amendment {
    pub field: String,
    pub old: String,
    pub new: String,
    pub basis: String,
    pub on: NaiveDate,
}

/// The decider of an entry.
pub struct PermitRegister;

impl Decider for PermitRegister {
    type State = Entry;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;
    type Context = Desk;

    fn decide(entry: &Entry, command: &Command, _desk: &Desk) -> Result<Vec<Event>, Rejection> {
        match (command, &entry.case_id) {
            (Command::Register { case_id, .. }, Some(registered)) if registered == case_id => Ok(Vec::new()),
            (Command::Register { .. }, Some(registered)) => Err(Rejection::RegisteredToAnother {
                case_id: registered.clone(),
            }),
            (Command::Register { case_id, face, on }, None) => Ok(vec![Event::PermitRegistered {
                case_id: case_id.clone(),
                face: face.clone(),
                on: *on,
            }]),
            (_, None) => Err(Rejection::NotRegistered),
            (
                Command::Amend {
                    field,
                    old,
                    new,
                    basis,
                    on,
                },
                Some(_),
            ) => {
                let amendment = Amendment {
                    field: field.clone(),
                    old: old.clone(),
                    new: new.clone(),
                    basis: basis.clone(),
                    on: *on,
                };
                if entry.amendments.contains(&amendment) {
                    return Ok(Vec::new());
                }
                if let Some((reason, on)) = entry.closed {
                    return Err(Rejection::EntryClosed { on, reason });
                }
                let Amendment {
                    field,
                    old,
                    new,
                    basis,
                    on,
                } = amendment;
                Ok(vec![Event::PermitEntryAmended {
                    field,
                    old,
                    new,
                    basis,
                    on,
                }])
            }
            (Command::Close { reason, note, on }, Some(_)) => match entry.closed {
                Some((closed, _)) if closed == *reason => Ok(Vec::new()),
                // A revocation after the works were completed still is one; nothing else closes twice.
                Some((closed, on)) if *reason != ClosingReason::Revoked => Err(Rejection::EntryClosed { on, reason: closed }),
                _ => Ok(vec![Event::PermitEntryClosed {
                    reason: *reason,
                    note: note.clone(),
                    on: *on,
                }]),
            },
        }
    }

    fn evolve(entry: &mut Entry, event: &Event) {
        match event {
            Event::PermitRegistered { case_id, face, on } => {
                entry.case_id = Some(case_id.clone());
                entry.face = Some(face.clone());
                entry.registered_on = Some(*on);
            }
            Event::PermitEntryAmended {
                field,
                old,
                new,
                basis,
                on,
            } => entry.amendments.push(Amendment {
                field: field.clone(),
                old: old.clone(),
                new: new.clone(),
                basis: basis.clone(),
                on: *on,
            }),
            Event::PermitEntryClosed { reason, on, .. } => entry.closed = Some((*reason, *on)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use decider::testing::given;

    use super::*;
    use crate::case_types::construction_permit::testing::{Story, day, desk};

    fn registered() -> Vec<Event> {
        let story = Story::filed("2026-09-18").in_review("2026-09-18").granted("2026-09-18");
        let face = story.state.own.face.unwrap();
        vec![Event::PermitRegistered {
            case_id: "c1".into(),
            face,
            on: day("2026-09-18"),
        }]
    }

    fn register(case_id: &str) -> Command {
        let [Event::PermitRegistered { face, on, .. }] = &registered()[..] else {
            unreachable!()
        };
        Command::Register {
            case_id: case_id.into(),
            face: face.clone(),
            on: *on,
        }
    }

    fn close(reason: ClosingReason) -> Command {
        Command::Close {
            reason,
            note: String::new(),
            on: day("2026-12-18"),
        }
    }

    #[test]
    fn the_same_entry_twice_is_one_entry_and_a_number_is_never_given_twice() {
        let desk = desk("2026-12-18");
        given::<PermitRegister>([]).at(&desk).when(&register("c1")).then(registered());
        given::<PermitRegister>(registered()).at(&desk).when(&register("c1")).then([]);
        let another = Rejection::RegisteredToAnother { case_id: "c1".into() };
        given::<PermitRegister>(registered())
            .at(&desk)
            .when(&register("c2"))
            .then_rejected(&another);
    }

    #[test]
    fn a_closed_entry_is_not_changed_but_a_completed_permit_can_still_be_revoked() {
        let desk = desk("2026-12-18");
        given::<PermitRegister>([])
            .at(&desk)
            .when(&close(ClosingReason::Lapsed))
            .then_rejected(&Rejection::NotRegistered);
        let closed = given::<PermitRegister>(registered())
            .at(&desk)
            .when(&close(ClosingReason::Completed))
            .then_accepted();
        given::<PermitRegister>(closed.clone())
            .at(&desk)
            .when(&close(ClosingReason::Completed))
            .then([]);
        let refused = Rejection::EntryClosed {
            on: day("2026-12-18"),
            reason: ClosingReason::Completed,
        };
        given::<PermitRegister>(closed.clone())
            .at(&desk)
            .when(&close(ClosingReason::Lapsed))
            .then_rejected(&refused);
        given::<PermitRegister>(closed)
            .at(&desk)
            .when(&close(ClosingReason::Revoked))
            .then_accepted();
    }
}
