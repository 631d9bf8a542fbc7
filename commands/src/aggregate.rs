//! What `execute` must know of a decider to keep it in a stream: how its events are stored, what its commands are called.

use chrono::{DateTime, Utc};
use decider::{
    Decider,
    stored::{self, StoredError},
};
use domain::{
    case::{Case, CaseCommand, CaseEvent, CaseRejection, CaseState, CaseType, Command, Explain, Party},
    metadata::Actor,
    registers::{
        calendar_publication::{self, CalendarPublication},
        number_sequence::{self, NumberSequence},
        permit::{self, PermitRegister},
        project::{self, ProjectRegister},
    },
    rules::Desk,
};

use crate::{envelope::Refusal, permission::CASE_TABLE};

/// A decider with a stream of its own.
pub trait Aggregate: Decider<Context = Desk> + 'static {
    /// The category of its streams.
    const CATEGORY: &'static str;

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

impl<T: CaseType> Aggregate for Case<T> {
    const CATEGORY: &'static str = T::CATEGORY;

    fn write(event: &CaseEvent<T>) -> Result<(String, Vec<u8>), StoredError> {
        event.write()
    }

    fn read(name: &str, data: &[u8]) -> Result<CaseEvent<T>, StoredError> {
        CaseEvent::read(name, data)
    }

    fn occurred_at(event: &CaseEvent<T>) -> Option<DateTime<Utc>> {
        match event {
            CaseEvent::Kernel(event) => event.occurred_at(),
            CaseEvent::Own(_) => None,
        }
    }

    fn permission_table(command: &CaseCommand<T>) -> &'static str {
        match command {
            CaseCommand::Kernel(_) => CASE_TABLE,
            CaseCommand::Own(_) => T::CATEGORY,
        }
    }

    fn command_name(command: &CaseCommand<T>) -> &str {
        match command {
            CaseCommand::Kernel(command) => command.into(),
            CaseCommand::Own(command) => command.as_ref(),
        }
    }

    fn refusal(rejection: &CaseRejection<T::Rejection>) -> Refusal {
        explained(rejection)
    }

    fn region(state: &CaseState<T>) -> Option<&str> {
        Some(state.kernel.region.as_str()).filter(|region| !region.is_empty())
    }

    fn is_own(state: &CaseState<T>, command: &CaseCommand<T>, actor: &Actor) -> bool {
        let is_actor = |party: &Party| party.id_no == actor.id || party.id_no == actor.organisation;
        match command {
            // Whoever files becomes the applicant; an agent files for the applicant whom they name.
            CaseCommand::Kernel(Command::Submit { applicant, agent, .. }) => {
                is_actor(applicant) || agent.as_ref().is_some_and(is_actor)
            }
            _ => state.kernel.applicant.iter().chain(&state.kernel.agent).any(is_actor),
        }
    }
}

/// A register's decider, whose events are stored as serde writes them.
macro_rules! register {
    ($Decider:ty, $module:ident) => {
        impl Aggregate for $Decider {
            const CATEGORY: &'static str = $module::CATEGORY;

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

fn explained<R: std::error::Error + Explain>(rejection: &R) -> Refusal {
    Refusal {
        code: rejection.code(),
        message_zh: rejection.zh(),
        message_en: rejection.to_string(),
        field: rejection.field(),
    }
}
