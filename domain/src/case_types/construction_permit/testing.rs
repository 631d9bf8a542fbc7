//! Words for telling stories about construction permits in tests.

use chrono::NaiveDate;
use decider::Decider;
use domain::{
    case::{
        AcceptanceMode, Case, CaseCommand, CaseEvent, CaseState, Command, Conclusion, DeliveryMethod, IdKind, Material,
        MaterialSource, NumberKind, Officer, Party, PartyKind,
    },
    case_types::construction_permit::{self as permit, ConstructionPermit, ITEM_CODE},
    metadata::{Actor, Channel, bureau_midnight},
    rules::{Desk, Rules},
};
use uuid::Uuid;

pub type Permit = Case<ConstructionPermit>;
pub type Events = Vec<CaseEvent<ConstructionPermit>>;

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// A desk on this day at noon, with the window clerk at it.
pub fn desk(on: &str) -> Desk {
    desk_of("wang", on)
}

/// The same with somebody else at it.
pub fn desk_of(who: &str, on: &str) -> Desk {
    let noon = bureau_midnight(day(on)) + chrono::TimeDelta::hours(12);
    Desk {
        now: noon,
        occurred_at: noon,
        actor: Actor {
            id: who.to_owned(),
            name: who.to_owned(),
            role: "windowClerk".to_owned(),
            organisation: "11330109002514224B".to_owned(),
            channel: Channel::Window,
            on_behalf_of: None,
        },
        region: "330109".to_owned(),
        rules: Rules::embedded(),
    }
}

pub fn material(code: &str) -> Material {
    Material {
        code: code.to_owned(),
        document: None,
        source: MaterialSource::Scan,
        originals: 1,
        copies: 0,
    }
}

pub fn officer(id: &str) -> Officer {
    Officer {
        id: id.to_owned(),
        name: id.to_owned(),
    }
}

pub fn applicant() -> Party {
    Party {
        kind: PartyKind::LegalPerson,
        name: "示范建设投资有限公司".to_owned(),
        id_no: "91110000600037341L".to_owned(),
        id_kind: IdKind::Uscc,
        legal_representative: Some("王建国".to_owned()),
        phone: Some("13800138000".to_owned()),
        address: None,
    }
}

/// All materials that a plain permit needs.
pub const MATERIALS: [&str; 7] = ["M01", "M02", "M03", "M04", "M05", "M06", "M07"];

pub fn submit() -> Command {
    submit_with(&MATERIALS)
}

pub fn submit_with(materials: &[&str]) -> Command {
    Command::Submit {
        item_code: ITEM_CODE.to_owned(),
        project_code: None,
        applicant: applicant(),
        agent: None,
        form: permit::example_form(),
        materials: materials.iter().map(|code| material(code)).collect(),
    }
}

pub fn accept() -> Command {
    Command::Accept {
        mode: AcceptanceMode::Normal,
        tolerance: Vec::new(),
        commitment: None,
    }
}

pub fn assign(to: &str) -> Command {
    Command::Assign {
        to: officer(to),
        reason: "轮值".to_owned(),
    }
}

pub fn complete_review() -> Command {
    Command::CompleteReview {
        conclusion: Conclusion::Agree,
        second_officer: "zhou".to_owned(),
    }
}

pub fn grant() -> Command {
    Command::Grant { conditions: Vec::new() }
}

pub fn deliver() -> Command {
    Command::Deliver {
        method: DeliveryMethod::Window,
        receiver: "王建国".to_owned(),
    }
}

pub fn fire(timer: &str) -> Command {
    Command::FireTimer {
        timer: timer.to_owned(),
        due_on: day("2026-01-01"),
    }
}

/// A case that is told step by step: who did what on which day.
#[derive(Clone, Default)]
pub struct Story {
    pub events: Events,
    pub state: CaseState<ConstructionPermit>,
}

impl Story {
    /// The same story from these events.
    pub fn of(events: Events) -> Self {
        let state = decider::replay::<Permit>(&events);
        Self { events, state }
    }

    /// Something is asked and happens.
    #[track_caller]
    pub fn then(self, on: &str, who: &str, command: Command) -> Self {
        self.asked(CaseCommand::Kernel(command), &desk_of(who, on))
    }

    /// Something of the permit's own law is asked and happens.
    #[track_caller]
    pub fn own(self, on: &str, who: &str, command: permit::Command) -> Self {
        self.asked(CaseCommand::Own(command), &desk_of(who, on))
    }

    /// Something is asked at this desk and happens.
    #[track_caller]
    pub fn asked(mut self, command: CaseCommand<ConstructionPermit>, desk: &Desk) -> Self {
        match Permit::decide(&self.state, &command, desk) {
            Ok(events) => {
                for event in events {
                    Permit::evolve(&mut self.state, &event);
                    self.events.push(event);
                }
                self
            }
            Err(rejection) => panic!("{command:?} was refused: {rejection}"),
        }
    }

    /// Something is asked and refused; the code of the refusal.
    #[track_caller]
    pub fn refused(&self, on: &str, who: &str, command: Command) -> String {
        self.refused_at(CaseCommand::Kernel(command), &desk_of(who, on))
    }

    /// Something of the permit's own law is asked and refused; the code of the refusal.
    #[track_caller]
    pub fn own_refused(&self, on: &str, who: &str, command: permit::Command) -> String {
        self.refused_at(CaseCommand::Own(command), &desk_of(who, on))
    }

    #[track_caller]
    fn refused_at(&self, command: CaseCommand<ConstructionPermit>, desk: &Desk) -> String {
        use domain::case::Explain;
        match Permit::decide(&self.state, &command, desk) {
            Ok(events) => panic!("{command:?} was not refused: {events:?}"),
            Err(rejection) => {
                assert!(!rejection.zh().is_empty() && !rejection.to_string().is_empty());
                rejection.code()
            }
        }
    }

    /// A complete application, filed on this day.
    pub fn filed(on: &str) -> Self {
        Self::default().then(on, "client", submit())
    }

    /// Accepted on this day and given to Zhang.
    pub fn in_review(self, on: &str) -> Self {
        self.then(on, "wang", accept()).then(on, "li", assign("zhang"))
    }

    /// Reviewed by Zhang and Zhou, approved by Li, granted by Chen, its number given: all on this day.
    pub fn granted(self, on: &str) -> Self {
        let reviewed = self
            .then(on, "zhang", complete_review())
            .then(on, "li", Command::ApproveBySection);
        reviewed.then(on, "chen", grant()).numbered(on)
    }

    /// The permit's number arrives.
    pub fn numbered(self, on: &str) -> Self {
        let number = "330109202609180101".to_owned();
        self.then(
            on,
            "system",
            Command::AssignNumber {
                kind: NumberKind::Licence,
                number,
                wanted_by: Uuid::from_u128(18),
            },
        )
    }

    /// The last event's stored name.
    pub fn last(&self) -> String {
        self.events.last().map(|event| event.write().unwrap().0).unwrap_or_default()
    }

    /// The stored names of all events.
    pub fn names(&self) -> Vec<String> {
        self.events.iter().map(|event| event.write().unwrap().0).collect()
    }
}
