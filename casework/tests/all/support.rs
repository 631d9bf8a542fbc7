//! A case at work that is told step by step: who, in which role, asked what on which day.

#![allow(clippy::assigning_clones, reason = "tests")]

use casework::{Library, Work, WorkCommand, WorkDesk, WorkEvent, Worked};
use decider::Decider as _;
use domain::{
    case::{CaseCommand, Command, Explain as _, Stage},
    case_types::construction_permit::ConstructionPermit,
};
use process_engine::instance::{self, Bindings, Key, Outcome, Said};
use uuid::Uuid;

use crate::testing::{desk_of, submit};

pub(crate) type Permit = Worked<ConstructionPermit>;
type Refusal = casework::WorkRejection<<ConstructionPermit as domain::case::CaseType>::Rejection>;
type Asked = WorkCommand<ConstructionPermit>;

/// The case that the stories are about.
pub(crate) const CASE: Uuid = Uuid::from_u128(0x18);

/// Who asks: an account and its role; the organisation, if it matters.
pub(crate) type Who = (&'static str, &'static str);

pub(crate) const CLERK: Who = ("wang", "windowClerk");
pub(crate) const HANDLER: Who = ("zhang", "handler");
pub(crate) const CHIEF: Who = ("li", "sectionChief");
pub(crate) const DIRECTOR: Who = ("chen", "director");
pub(crate) const ARCHIVIST: Who = ("sun", "archivist");
pub(crate) const PLATFORM: Who = ("zhulu", "system");

/// A story so far.
#[derive(Clone, Default)]
pub(crate) struct Story {
    pub(crate) work: Work<ConstructionPermit>,
    pub(crate) events: Vec<WorkEvent<ConstructionPermit>>,
    /// Where the last command began.
    last: usize,
}

pub(crate) fn desk(on: &str, (who, role): Who) -> WorkDesk {
    let mut desk = desk_of(who, on);
    desk.actor.role = role.to_owned();
    if role == "system" {
        desk.actor.channel = domain::metadata::Channel::System;
    }
    // Whoever comes from a section votes for it.
    if let Some((_, section)) = who.split_once('@') {
        desk.actor.organisation = section.to_owned();
    }
    WorkDesk {
        directory: domain::registers::staff::Directory::default(),
        desk,
        library: Library::embedded(),
        case_id: CASE,
        seed: 7,
    }
}

impl Story {
    /// Filed at the window on the first day.
    pub(crate) fn filed() -> Self {
        Self::default().case("2026-09-14", CLERK, submit())
    }

    /// Something is asked of the case and happens.
    #[track_caller]
    pub(crate) fn case(self, on: &str, who: Who, command: Command) -> Self {
        self.asked(on, who, &WorkCommand::Case(CaseCommand::Kernel(command)))
    }

    /// Something is asked of the process and happens.
    #[track_caller]
    pub(crate) fn process(self, on: &str, who: Who, command: instance::Command) -> Self {
        self.asked(on, who, &WorkCommand::Process(command))
    }

    /// A section votes.
    #[track_caller]
    pub(crate) fn votes(self, on: &str, who: Who, outcome: Outcome) -> Self {
        let section = format!("org:{}", who.0.split_once('@').unwrap().1);
        let asked = |(_, task): &(&Key, &instance::Task)| task.candidates.iter().any(|candidate| *candidate.id == *section);
        let task = *self.work.process.tasks.iter().find(asked).expect("a vote of this section").0;
        self.process(on, who, complete(task, outcome))
    }

    /// Something is asked and happens.
    #[track_caller]
    pub(crate) fn asked(self, on: &str, who: Who, command: &Asked) -> Self {
        self.asked_at(&desk(on, who), command)
    }

    #[track_caller]
    fn asked_at(mut self, desk: &WorkDesk, command: &Asked) -> Self {
        match Permit::decide(&self.work, command, desk) {
            Ok(events) => {
                self.last = self.events.len();
                for event in events {
                    // As it would be stored and read again.
                    let (name, data) = event.write().unwrap();
                    let read = WorkEvent::read(&name, &data).unwrap();
                    assert_eq!(read, event);
                    Permit::evolve(&mut self.work, &read);
                    self.events.push(read);
                }
                self
            }
            Err(rejection) => panic!("{command:?} was refused: {rejection}"),
        }
    }

    /// Something is asked of the case at a desk of one's own, and happens.
    #[track_caller]
    pub(crate) fn at(self, desk: &WorkDesk, command: Command) -> Self {
        self.asked_at(desk, &WorkCommand::Case(CaseCommand::Kernel(command)))
    }

    /// The same of the process.
    #[track_caller]
    pub(crate) fn process_at(self, desk: &WorkDesk, command: instance::Command) -> Self {
        self.asked_at(desk, &WorkCommand::Process(command))
    }

    /// Why something that is asked of the process at a desk of one's own is refused.
    #[track_caller]
    pub(crate) fn refusal_at(&self, desk: &WorkDesk, command: &instance::Command) -> Refusal {
        let asked = WorkCommand::Process(command.clone());
        Permit::decide(&self.work, &asked, desk).expect_err("it was not refused")
    }

    /// Something is asked and refused; the code of the refusal.
    #[track_caller]
    pub(crate) fn refused(&self, on: &str, who: Who, command: Command) -> String {
        self.refused_work(on, who, &WorkCommand::Case(CaseCommand::Kernel(command)))
    }

    /// The same for anything that is asked.
    #[track_caller]
    pub(crate) fn refused_work(&self, on: &str, who: Who, command: &Asked) -> String {
        match Permit::decide(&self.work, command, &desk(on, who)) {
            Ok(events) => panic!("{command:?} was not refused: {events:?}"),
            Err(rejection) => {
                assert!(!rejection.zh().is_empty() && !rejection.to_string().is_empty());
                rejection.code()
            }
        }
    }

    /// The elements whose tasks are open.
    pub(crate) fn open(&self) -> Vec<&str> {
        self.work.process.tasks.values().map(|task| &*task.element).collect()
    }

    /// The key of the open task of an element.
    #[track_caller]
    pub(crate) fn task(&self, element: &str) -> Key {
        let found = self.work.process.tasks.iter().find(|(_, task)| &*task.element == element);
        *found
            .unwrap_or_else(|| panic!("{element} is not open; open are {:?}", self.open()))
            .0
    }

    pub(crate) fn stage(&self) -> Stage {
        self.work.case.kernel.stage
    }

    /// The stored names of what the last command made happen.
    pub(crate) fn last(&self) -> Vec<String> {
        self.events[self.last..]
            .iter()
            .map(|event| event.write().unwrap().0)
            .collect()
    }

    #[track_caller]
    pub(crate) fn stands(self, stage: Stage, open: &[&str]) -> Self {
        assert!(self.work.process.incidents.is_empty(), "{:?}", self.work.process.incidents);
        assert_eq!((self.stage(), self.open()), (stage, open.to_vec()));
        self
    }
}

pub(crate) fn complete(task: Key, outcome: Outcome) -> instance::Command {
    let opinion = Some("已核".to_owned());
    instance::Command::CompleteTask {
        task,
        outcome,
        said: Said {
            opinion,
            ..Said::default()
        },
        form: Bindings::new(),
        chosen: Vec::new(),
    }
}
