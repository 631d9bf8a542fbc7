//! The process goes on with what happened to the case.

use domain::case::{CaseCommand, CaseEvent, CaseType, Step};
use process_engine::instance::{self, Bindings, Command, Key, Outcome, Said, Waiting};

use super::together::{Refused, Together};
use crate::{
    desk::{groups_of, person},
    rejection::{OutOfStep, WorkRejection},
    step::{FREE_AT_EVERY_STEP, opinion_of, step_of, task_meaning, waiting},
    words::name_of,
    worked::Work,
};

/// What happened to the case, and what in the process waited for it.
pub(super) struct Awaited {
    name: String,
    payload: Bindings,
    waits: Vec<Key>,
}

impl<T: CaseType> Together<'_, T> {
    /// The task that the command means is finished, clocks stop and go on, and whoever waits for what happened hears of it.
    pub(super) fn follow(
        &mut self,
        before: &Work<T>,
        command: &CaseCommand<T>,
        done_with: Option<&Command>,
    ) -> Result<(), Refused<T>> {
        let verb = match done_with {
            Some(verb) => Some(self.named_after_what_happened(verb.clone())),
            None => self.completion(command)?,
        };
        let awaited = self.awaited();
        self.tell_variables(&before.case)?;
        self.keep_clock()?;
        self.keep_handler(before)?;
        if let Some(verb) = verb {
            self.finish(&verb)?;
        }
        self.deliver(awaited)
    }

    /// How the command's task is finished; none, if no task of the process means the command.
    fn completion(&self, command: &CaseCommand<T>) -> Result<Option<Command>, Refused<T>> {
        let name = name_of(command);
        let actor = &self.desk.desk.actor;
        let asker = person(&actor.id, &actor.name);
        if let Some((task, _)) = task_meaning(&self.process, name, Some(&asker), &groups_of(actor)) {
            let opinion = match command {
                CaseCommand::Kernel(command) => opinion_of(command).map(str::to_owned),
                CaseCommand::Own(_) => None,
            };
            let said = Said {
                opinion,
                ..Said::default()
            };
            return Ok(Some(self.named_after_what_happened(Command::CompleteTask {
                task,
                outcome: Outcome::Approved,
                said,
                form: Bindings::new(),
                chosen: Vec::new(),
            })));
        }
        if FREE_AT_EVERY_STEP.contains(&name) || !self.is_meant(name) {
            return Ok(None);
        }
        let (command, waiting) = (name.to_owned(), waiting(&self.process));
        Err(OutOfStep::NotAtThisStep { command, waiting }.into())
    }

    /// Whether some task of the model, or of one that it calls, means the command.
    fn is_meant(&self, command: &str) -> bool {
        let processes = self.process.elements.values().filter_map(|element| element.process.as_ref());
        processes
            .filter_map(|process| self.desk.library.means(process))
            .any(|means| means.contains(command))
    }

    /// The outcome of the task is what happened to the case.
    fn named_after_what_happened(&self, verb: Command) -> Command {
        match (verb, self.of_case.first()) {
            (
                Command::CompleteTask {
                    task,
                    said,
                    form,
                    chosen,
                    ..
                },
                Some(first),
            ) => Command::CompleteTask {
                task,
                outcome: Outcome::Other(name_of_event(first)),
                said,
                form,
                chosen,
            },
            (verb, _) => verb,
        }
    }

    /// Finishes the task; what belongs to nobody yet is claimed by whoever finishes it.
    fn finish(&mut self, verb: &Command) -> Result<(), Refused<T>> {
        match (self.ask(verb), verb) {
            (Err(WorkRejection::Process(instance::Rejection::NotClaimed { .. })), Command::CompleteTask { task, .. }) => {
                self.ask(&Command::ClaimTask { task: *task })?;
                self.ask(verb)
            }
            (answer, _) => answer,
        }
    }

    /// The pausable timers stand still while the legal clock does.
    fn keep_clock(&mut self) -> Result<(), Refused<T>> {
        let mut open = self.case.kernel.pauses.iter().filter(|pause| pause.to.is_none());
        let stands = open.find(|pause| !pause.counts_against_limit);
        match (stands, self.process.paused_at) {
            (Some(pause), None) => {
                let reason = format!("{}：{}", pause.kind.name_zh(), pause.basis);
                self.ask_as_platform(&Command::PauseClock { reason })
            }
            (None, Some(_)) => self.ask_as_platform(&Command::ResumeClock),
            _ => Ok(()),
        }
    }

    /// What waits for the handler waits for the new one when the case is given to somebody else.
    fn keep_handler(&mut self, before: &Work<T>) -> Result<(), Refused<T>> {
        let (Some(old), Some(new)) = (&before.case.kernel.handler, self.case.kernel.handler.clone()) else {
            return Ok(());
        };
        if old.id == new.id {
            return Ok(());
        }
        let theirs = |task: &instance::Task| {
            let is_theirs = task.assignee.as_ref().is_some_and(|assignee| *assignee.id == *old.id);
            is_theirs && step_of(&task.means) == Some(Step::Handling)
        };
        let tasks: Vec<Key> = self
            .process
            .tasks
            .iter()
            .filter(|(_, task)| theirs(task))
            .map(|(key, _)| *key)
            .collect();
        for task in tasks {
            self.ask_as_platform(&Command::AssignTask {
                task,
                to: person(&new.id, &new.name),
                reason: "改派承办人".to_owned(),
            })?;
        }
        Ok(())
    }

    /// What of the case's events the process waits for at this moment.
    pub(super) fn awaited(&self) -> Vec<Awaited> {
        let heard = |event: &CaseEvent<T>| {
            let name = name_of_event(event);
            let waits_for =
                |wait: &instance::Wait| matches!(&wait.what, Waiting::Message { name: awaited, .. } if *awaited == name);
            let waits: Vec<Key> = self
                .process
                .waits
                .iter()
                .filter(|(_, wait)| waits_for(wait))
                .map(|(key, _)| *key)
                .collect();
            if waits.is_empty() {
                return None;
            }
            let (name, data) = event.write().ok()?;
            let payload = serde_json::from_slice(&data).unwrap_or_default();
            Some(Awaited { name, payload, waits })
        };
        self.of_case.iter().filter_map(heard).collect()
    }

    /// Whoever still waits for what happened hears of it. What only began to wait since is not meant.
    pub(super) fn deliver(&mut self, awaited: Vec<Awaited>) -> Result<(), Refused<T>> {
        for Awaited { name, payload, waits } in awaited {
            if self.process.is_running() && waits.iter().any(|wait| self.process.waits.contains_key(wait)) {
                self.ask_as_platform(&Command::DeliverMessage {
                    name,
                    correlation: None,
                    payload,
                })?;
            }
        }
        Ok(())
    }
}

fn name_of_event<T: CaseType>(event: &CaseEvent<T>) -> String {
    match event {
        CaseEvent::Kernel(event) => <&str>::from(event).to_owned(),
        CaseEvent::Own(_) => event.write().map(|(name, _)| name).unwrap_or_default(),
    }
}
