//! What may be asked of a case at work, and what may happen to it; how that is stored.

use std::{collections::HashSet, sync::LazyLock};

use decider::stored::{self, StoredError};
use domain::{
    case::{CaseCommand, CaseEvent, CaseType},
    case_types::is_kernel_event,
};
use process_engine::instance;
use strum::VariantNames;

/// What is asked of a case at work.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "few live at once, and each only for a moment")]
pub enum WorkCommand<T: CaseType> {
    /// Something that the law of the case answers; the process goes on with it.
    Case(CaseCommand<T>),
    /// Something that the process answers.
    Process(instance::Command),
    /// A task, and what doing it means to the case: both, or neither.
    Task {
        /// What is done with the task.
        completion: instance::Command,
        /// What it means.
        with: Option<CaseCommand<T>>,
    },
}

/// What happened to a case at work. Stored under the inner event's name.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "few live at once, and each only for a moment")]
pub enum WorkEvent<T: CaseType> {
    /// To the case.
    Case(CaseEvent<T>),
    /// To its process.
    Process(instance::Event),
}

impl<T: CaseType> WorkEvent<T> {
    /// Reads a stored event: the kernel's names first, then those of processes, then the type's own.
    pub fn read(name: &str, data: &[u8]) -> Result<Self, StoredError> {
        if !is_kernel_event(name) && is_process_event(name) {
            return stored::decode(name, data).map(Self::Process);
        }
        CaseEvent::read(name, data).map(Self::Case)
    }

    /// The stored form.
    pub fn write(&self) -> Result<(String, Vec<u8>), StoredError> {
        match self {
            Self::Case(event) => event.write(),
            Self::Process(event) => stored::encode(event),
        }
    }
}

/// Whether a stored name is that of something that happens to a process.
pub fn is_process_event(name: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| instance::Event::VARIANTS.iter().copied().collect());
    NAMES.contains(name)
}

/// The name of a command of a case.
pub(crate) fn name_of<T: CaseType>(command: &CaseCommand<T>) -> &str {
    match command {
        CaseCommand::Kernel(command) => command.into(),
        CaseCommand::Own(command) => command.as_ref(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use domain::{
        case::{CaseType, Event},
        case_types::{self, CaseTypeTask},
    };

    use super::*;

    struct OwnNames;

    impl CaseTypeTask for OwnNames {
        type Output = &'static [&'static str];

        fn run<T: CaseType>(self) -> Self::Output {
            T::Event::VARIANTS
        }
    }

    #[test]
    fn no_event_of_a_case_has_the_name_of_an_event_of_a_process() {
        let own = case_types::CATEGORIES
            .iter()
            .flat_map(|category| case_types::with_type(category, OwnNames).unwrap());
        for name in own.chain(Event::VARIANTS) {
            assert!(!is_process_event(name), "{name} is taken");
        }
    }
}
