//! The doors to the process of a case: what people do with their tasks, and what administrators do with its course.

use casework::{WorkCommand, Worked};
use domain::{
    case::{self, CaseCommand, CaseType},
    case_types::{self, CaseTypeTask},
};
use process_engine::instance;
use uuid::Uuid;

use crate::{
    bureau::{Answer, Bureau, stream, unknown_category},
    envelope::{CommandError, Envelope, Receipt},
};

impl Bureau {
    /// Asks something of a case of a known type and its process.
    pub async fn to_work<T: CaseType>(
        &self,
        case_id: Uuid,
        command: WorkCommand<T>,
        envelope: &Envelope,
    ) -> Result<Receipt, CommandError> {
        self.execute::<Worked<T>>(stream(T::CATEGORY, case_id)?, &command, envelope)
            .await
    }

    /// Asks something of the process of any case.
    pub async fn to_process(
        &self,
        category: &str,
        case_id: Uuid,
        command: instance::Command,
        envelope: &Envelope,
    ) -> Result<Receipt, CommandError> {
        self.ask_work(category, case_id, Asked::Process(command), envelope).await
    }

    /// Does something with a task of any case, together with what it means to the case: both, or neither.
    pub async fn to_task(
        &self,
        category: &str,
        case_id: Uuid,
        completion: instance::Command,
        with: Option<case::Command>,
        envelope: &Envelope,
    ) -> Result<Receipt, CommandError> {
        self.ask_work(category, case_id, Asked::Task(completion, with), envelope)
            .await
    }

    async fn ask_work(&self, category: &str, case_id: Uuid, asked: Asked, envelope: &Envelope) -> Result<Receipt, CommandError> {
        let task = AskWork {
            bureau: self,
            case_id,
            asked,
            envelope,
        };
        case_types::with_type(category, task)
            .ok_or_else(|| unknown_category(category))?
            .await
    }
}

/// What is asked, before the type of the case is known.
#[allow(clippy::large_enum_variant, reason = "few live at once, and each only for a moment")]
enum Asked {
    Process(instance::Command),
    Task(instance::Command, Option<case::Command>),
}

/// The same for whatever type the category names.
struct AskWork<'a> {
    bureau: &'a Bureau,
    case_id: Uuid,
    asked: Asked,
    envelope: &'a Envelope,
}

impl<'a> CaseTypeTask for AskWork<'a> {
    type Output = Answer<'a, Receipt>;

    fn run<T: CaseType>(self) -> Self::Output {
        let command = match self.asked {
            Asked::Process(command) => WorkCommand::<T>::Process(command),
            Asked::Task(completion, with) => WorkCommand::Task {
                completion,
                with: with.map(CaseCommand::Kernel),
            },
        };
        Box::pin(async move { self.bureau.to_work(self.case_id, command, self.envelope).await })
    }
}
