//! What a decision about a case at work may look at besides the past.

use std::sync::Arc;

use domain::{
    case::Kernel,
    metadata::{Actor, Channel},
    registers::staff::Directory,
    rules::Desk,
};
use process_engine::instance::{Command, Context, Person};
use uuid::Uuid;

use crate::{library::Library, outside::Around};

/// The roles that may act where only the one who is asked may (管理员干预).
const ADMINISTRATORS: [&str; 3] = ["director", "operator", "system"];

/// The moment, the actor, the rules and the models in force.
#[derive(Debug, Clone)]
pub struct WorkDesk {
    /// What the law looks at.
    pub desk: Desk,
    /// The models in force.
    pub library: Library,
    /// Who works at the bureau.
    pub directory: Directory,
    /// Which case it is about: a share of the cases may go by a new model, and the same case always goes the same way.
    pub case_id: Uuid,
    /// What chance draws from; derived from the command's id.
    pub seed: u64,
}

impl WorkDesk {
    /// The context of the process engine for somebody's own command.
    pub(crate) fn context(&self, kernel: &Kernel, command: &Command) -> Context {
        let actor = &self.desk.actor;
        let is_administrator = is_intervention(command) && ADMINISTRATORS.contains(&actor.role.as_str());
        Context {
            actor: (actor.channel != Channel::System).then(|| person(&actor.id, &actor.name)),
            groups: groups_of(actor),
            on_behalf_of: actor.on_behalf_of.as_deref().map(|whom| person(whom, whom)),
            is_administrator,
            ..self.of_platform(kernel)
        }
    }

    /// The context for what the platform does by itself when the case moves.
    pub(crate) fn of_platform(&self, kernel: &Kernel) -> Context {
        Context {
            now: self.desk.now,
            actor: None,
            groups: Vec::new(),
            on_behalf_of: None,
            is_administrator: true,
            seed: self.seed,
            outside: Arc::new(Around::of(self, kernel)),
        }
    }
}

/// The groups that somebody belongs to, as candidates of tasks name them.
pub fn groups_of(actor: &Actor) -> Vec<Arc<str>> {
    let mut groups = vec![Arc::from(format!("role:{}", actor.role))];
    if !actor.organisation.is_empty() {
        groups.push(format!("org:{}", actor.organisation).into());
    }
    groups
}

pub(crate) fn person(id: &str, name: &str) -> Person {
    Person {
        id: id.into(),
        name: name.into(),
    }
}

/// Whether a command changes how the process stands, other than by doing what it waits for.
fn is_intervention(command: &Command) -> bool {
    matches!(
        command,
        Command::Suspend { .. }
            | Command::Resume
            | Command::Cancel { .. }
            | Command::SetVariables { .. }
            | Command::AssignTask { .. }
            | Command::Jump { .. }
            | Command::HandOver { .. }
            | Command::RetryIncident { .. }
            | Command::BeginActivity { .. }
            | Command::CompleteAdHoc { .. }
            | Command::Modify { .. }
            | Command::Migrate { .. }
    )
}
