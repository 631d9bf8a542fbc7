//! What `execute` must know of a decider to keep it in a stream: how its events are stored, what its commands are called.

use casework::{
    Work, WorkCommand, WorkDesk, WorkEvent, WorkRejection, Worked,
    deployment::{self, Deployment},
};
use chrono::{DateTime, Utc};
use decider::{
    Decider,
    stored::{self, StoredError},
};
use domain::{
    case::{CaseCommand, CaseEvent, CaseType, Command, Explain, Party},
    metadata::Actor,
    registers::{
        calendar_publication::{self, CalendarPublication},
        number_sequence::{self, NumberSequence},
        permit::{self, PermitRegister},
        project::{self, ProjectRegister},
        staff::{self, StaffRegister},
    },
    rules::Desk,
};

use event_store_contract::StreamName;

use crate::{
    bureau::Bureau,
    envelope::{Envelope, Refusal},
    permission::{CASE_TABLE, PROCESS_TABLE},
};

/// A decider with a stream of its own.
pub trait Aggregate: Decider + 'static {
    /// The category of its streams.
    const CATEGORY: &'static str;

    /// What a decision about the thing in this stream may look at: the desk, and what else the bureau knows.
    fn context(bureau: &Bureau, stream: &StreamName, envelope: &Envelope, desk: Desk) -> Self::Context;
    /// The stored form of an event: its name and its data as JSON.
    fn write(event: &Self::Event) -> Result<(String, Vec<u8>), StoredError>;
    /// An event from its stored form.
    fn read(name: &str, data: &[u8]) -> Result<Self::Event, StoredError>;
    /// The event's own business time, if it has one apart from the command's.
    fn occurred_at(_event: &Self::Event) -> Option<DateTime<Utc>> {
        None
    }
    /// The table of permissions that the command stands in (`case`, `constructionPermit`, `numberSequence` …).
    fn permission_table(_command: &Self::Command) -> &'static str {
        Self::CATEGORY
    }
    /// The command's name (`Accept`).
    fn command_name(command: &Self::Command) -> &str;
    /// What the command asks for besides, which must be permitted as well: a table and a command's name.
    fn asks_besides(_command: &Self::Command) -> Option<(&'static str, &str)> {
        None
    }
    /// Why not, in words for the asker.
    fn refusal(rejection: &Self::Rejection) -> Refusal;
    /// The administrative division that the thing belongs to, once it has one.
    fn region(_state: &Self::State) -> Option<&str> {
        None
    }
    /// Whether the thing is the actor's own: what an applicant may see to.
    fn is_own(_state: &Self::State, _command: &Self::Command, _actor: &Actor) -> bool {
        false
    }
}

impl<T: CaseType> Aggregate for Worked<T> {
    const CATEGORY: &'static str = T::CATEGORY;

    fn context(bureau: &Bureau, stream: &StreamName, envelope: &Envelope, desk: Desk) -> WorkDesk {
        WorkDesk {
            desk,
            library: bureau.library(),
            directory: bureau.directory(),
            // A stream of a case is named after it; whatever else stands there draws nothing.
            case_id: stream.id().parse().unwrap_or_default(),
            seed: envelope.command_id.as_u64_pair().1,
        }
    }

    fn write(event: &WorkEvent<T>) -> Result<(String, Vec<u8>), StoredError> {
        event.write()
    }

    fn read(name: &str, data: &[u8]) -> Result<WorkEvent<T>, StoredError> {
        WorkEvent::read(name, data)
    }

    fn occurred_at(event: &WorkEvent<T>) -> Option<DateTime<Utc>> {
        match event {
            WorkEvent::Case(CaseEvent::Kernel(event)) => event.occurred_at(),
            WorkEvent::Case(CaseEvent::Own(_)) | WorkEvent::Process(_) => None,
        }
    }

    fn permission_table(command: &WorkCommand<T>) -> &'static str {
        match command {
            WorkCommand::Case(CaseCommand::Kernel(_))
            | WorkCommand::Task {
                with: Some(CaseCommand::Kernel(_)),
                ..
            } => CASE_TABLE,
            WorkCommand::Case(CaseCommand::Own(_))
            | WorkCommand::Task {
                with: Some(CaseCommand::Own(_)),
                ..
            } => T::CATEGORY,
            WorkCommand::Process(_) | WorkCommand::Task { with: None, .. } => PROCESS_TABLE,
        }
    }

    fn command_name(command: &WorkCommand<T>) -> &str {
        match command {
            WorkCommand::Case(command) | WorkCommand::Task { with: Some(command), .. } => match command {
                CaseCommand::Kernel(command) => command.into(),
                CaseCommand::Own(command) => command.as_ref(),
            },
            WorkCommand::Process(command)
            | WorkCommand::Task {
                completion: command,
                with: None,
            } => command.into(),
        }
    }

    fn asks_besides(command: &WorkCommand<T>) -> Option<(&'static str, &str)> {
        match command {
            WorkCommand::Task {
                completion,
                with: Some(_),
            } => Some((PROCESS_TABLE, completion.into())),
            _ => None,
        }
    }

    fn refusal(rejection: &WorkRejection<T::Rejection>) -> Refusal {
        explained(rejection)
    }

    fn region(work: &Work<T>) -> Option<&str> {
        Some(work.case.kernel.region.as_str()).filter(|region| !region.is_empty())
    }

    fn is_own(work: &Work<T>, command: &WorkCommand<T>, actor: &Actor) -> bool {
        let is_actor = |party: &Party| party.id_no == actor.id || party.id_no == actor.organisation;
        match command {
            // Whoever files becomes the applicant; an agent files for the applicant whom they name.
            WorkCommand::Case(CaseCommand::Kernel(Command::Submit { applicant, agent, .. })) => {
                is_actor(applicant) || agent.as_ref().is_some_and(is_actor)
            }
            _ => work.case.kernel.applicant.iter().chain(&work.case.kernel.agent).any(is_actor),
        }
    }
}

/// A register's decider, whose events are stored as serde writes them.
macro_rules! register {
    ($Decider:ty, $module:ident) => {
        impl Aggregate for $Decider {
            const CATEGORY: &'static str = $module::CATEGORY;

            fn context(_bureau: &Bureau, _stream: &StreamName, _envelope: &Envelope, desk: Desk) -> Desk {
                desk
            }

            fn write(event: &$module::Event) -> Result<(String, Vec<u8>), StoredError> {
                stored::encode(event)
            }

            fn read(name: &str, data: &[u8]) -> Result<$module::Event, StoredError> {
                stored::decode(name, data)
            }

            fn command_name(command: &$module::Command) -> &str {
                command.into()
            }

            fn refusal(rejection: &$module::Rejection) -> Refusal {
                explained(rejection)
            }
        }
    };
}

register!(NumberSequence, number_sequence);
register!(PermitRegister, permit);
register!(ProjectRegister, project);
register!(CalendarPublication, calendar_publication);
register!(StaffRegister, staff);

impl Aggregate for Deployment {
    const CATEGORY: &'static str = deployment::CATEGORY;

    fn context(bureau: &Bureau, _stream: &StreamName, envelope: &Envelope, desk: Desk) -> WorkDesk {
        WorkDesk {
            desk,
            library: bureau.library(),
            directory: bureau.directory(),
            case_id: uuid::Uuid::nil(),
            seed: envelope.command_id.as_u64_pair().1,
        }
    }

    fn write(event: &deployment::Event) -> Result<(String, Vec<u8>), StoredError> {
        stored::encode(event)
    }

    fn read(name: &str, data: &[u8]) -> Result<deployment::Event, StoredError> {
        stored::decode(name, data)
    }

    fn command_name(command: &deployment::Command) -> &str {
        command.into()
    }

    fn refusal(rejection: &deployment::Rejection) -> Refusal {
        explained(rejection)
    }
}

fn explained<R: std::error::Error + Explain>(rejection: &R) -> Refusal {
    Refusal {
        code: rejection.code(),
        message_zh: rejection.zh(),
        message_en: rejection.to_string(),
        field: rejection.field(),
    }
}
