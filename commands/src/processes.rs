//! The doors to many processes at once: messages that find who waits for them, and cases that go over to another version
//! of their model.

use casework::{WorkCommand, Worked};
use domain::{
    case::CaseType,
    case_types::{self, CaseTypeTask},
};
use process_engine::{
    instance::{Bindings, Command},
    model::{ElementId, ProcessRef},
};
use uuid::Uuid;

use crate::{
    bureau::{Answer, Bureau, stream, unknown_category},
    envelope::{CommandError, Envelope, FailedCause, Receipt},
    outside::WaitingProcesses,
};

/// The most processes that one message is delivered to, and that go over to another version in one go.
pub const MAX_PROCESSES_AT_ONCE: usize = 1_000;

/// What became of each of several cases.
pub type OfEach<T> = Vec<(Uuid, Result<T, CommandError>)>;

/// Another version of a model, for cases that run by one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The model.
    pub key: String,
    /// The version that the cases go over to.
    pub version: u32,
    /// Elements that have another name there: what it was, what it is.
    pub elements: Vec<(ElementId, ElementId)>,
    /// Why.
    pub reason: String,
}

impl Bureau {
    /// Delivers a message to whatever processes wait for it. Whoever no longer waits is left out of the answer.
    pub async fn deliver_message<W: WaitingProcesses + ?Sized>(
        &self,
        waiting: &W,
        name: &str,
        correlation: Option<&str>,
        payload: &Bindings,
        envelope: &Envelope,
    ) -> Result<OfEach<Receipt>, CommandError> {
        let found = waiting
            .waiting(name, correlation, MAX_PROCESSES_AT_ONCE)
            .await
            .map_err(|cause| FailedCause::Outside(cause.0))?;
        let mut delivered = Vec::with_capacity(found.len());
        for (category, case_id) in found {
            let command = Command::DeliverMessage {
                name: name.to_owned(),
                correlation: correlation.map(str::to_owned),
                payload: payload.clone(),
            };
            let envelope = for_case(envelope, case_id);
            let receipt = self.to_process(&category, case_id, command, &envelope).await;
            delivered.push((case_id, receipt));
        }
        Ok(delivered)
    }

    /// Takes cases over to another version of their model, each by itself: one that cannot go stays and says why. Tried
    /// only, nothing is written: how many events it would be.
    pub async fn migrate(
        &self,
        category: &str,
        cases: &[Uuid],
        migration: &Migration,
        tried_only: bool,
        envelope: &Envelope,
    ) -> Result<OfEach<u64>, CommandError> {
        if cases.len() > MAX_PROCESSES_AT_ONCE {
            let reason = format!("at most {MAX_PROCESSES_AT_ONCE} cases go over in one go");
            return Err(FailedCause::Unknown(reason).into());
        }
        let Migration { key, version, .. } = migration;
        let unknown = || FailedCause::Unknown(format!("there is no model {key} of version {version}"));
        let to = self.library().process_of(key, *version).ok_or_else(unknown)?;
        let mut done = Vec::with_capacity(cases.len());
        for case_id in cases {
            let command = migration.command(to.clone());
            let envelope = for_case(envelope, *case_id);
            let answer = if tried_only {
                self.would_process(category, *case_id, command, &envelope).await
            } else {
                let receipt = self.to_process(category, *case_id, command, &envelope).await;
                receipt.map(|receipt| receipt.event_ids.len() as u64)
            };
            done.push((*case_id, answer));
        }
        Ok(done)
    }

    /// Decides something that is asked of a process without writing anything: how many events it would have, or why not.
    pub async fn would_process(
        &self,
        category: &str,
        case_id: Uuid,
        command: Command,
        envelope: &Envelope,
    ) -> Result<u64, CommandError> {
        let task = Would {
            bureau: self,
            case_id,
            command,
            envelope,
        };
        case_types::with_type(category, task)
            .ok_or_else(|| unknown_category(category))?
            .await
    }
}

impl Migration {
    fn command(&self, to: ProcessRef) -> Command {
        Command::Migrate {
            to,
            version: self.version,
            elements: self.elements.clone(),
            reason: self.reason.clone(),
        }
    }
}

/// The part of a command to many that is for one: its id is derived, so that a repeated command is answered.
fn for_case(envelope: &Envelope, case_id: Uuid) -> Envelope {
    Envelope {
        command_id: Uuid::new_v5(&envelope.command_id, case_id.as_bytes()),
        correlation_id: envelope.correlation_id.or(Some(envelope.command_id)),
        causation_id: envelope.causation_id.or(Some(envelope.command_id)),
        ..envelope.clone()
    }
}

/// A command to a process, decided only.
struct Would<'a> {
    bureau: &'a Bureau,
    case_id: Uuid,
    command: Command,
    envelope: &'a Envelope,
}

impl<'a> CaseTypeTask for Would<'a> {
    type Output = Answer<'a, u64>;

    fn run<T: CaseType>(self) -> Self::Output {
        Box::pin(async move {
            let stream = stream(T::CATEGORY, self.case_id)?;
            let command = WorkCommand::<T>::Process(self.command);
            self.bureau.would::<Worked<T>>(&stream, &command, self.envelope).await
        })
    }
}
