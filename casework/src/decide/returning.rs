//! The process goes back to a step that the law has left: the law goes back as well, or neither does.

use decider::Decider as _;
use domain::case::{Case, CaseCommand, CaseType, Command as Asked};
use process_engine::instance::{Command, Event};

use super::together::{Refused, Together};
use crate::{
    rejection::{OutOfStep, WorkRejection},
    step::{fits, step_of},
    worked::Work,
};

impl<T: CaseType> Together<'_, T> {
    /// After a move by hand: every task that it opened is one that the law waits for, if need be after its own way back.
    pub(super) fn go_back_with(&mut self, before: &Work<T>, moved: &Command) -> Result<(), Refused<T>> {
        if !is_move(moved) {
            return Ok(());
        }
        if let Some((_, means)) = self.elsewhere()
            && let Some(asked) = way_back(moved, &means)
        {
            let command = CaseCommand::Kernel(asked);
            let happened = Case::<T>::decide(&self.case, &command, &self.desk.desk).map_err(WorkRejection::Case)?;
            self.happen(happened);
            self.tell_variables(&before.case)?;
        }
        match self.elsewhere() {
            None => Ok(()),
            Some((task, _)) => Err(OutOfStep::LawStandsElsewhere {
                task,
                stage: self.case.kernel.stage,
            }
            .into()),
        }
    }

    /// A task that was opened just now and that is not for the stage at which the case is: its name and what it means.
    fn elsewhere(&self) -> Option<(String, Vec<String>)> {
        self.of_process.iter().find_map(|event| match event {
            Event::TaskOpened {
                key,
                element,
                name,
                means,
                ..
            } if self.process.tasks.contains_key(key) && !fits(means, self.case.kernel.stage) => {
                Some((name.clone().unwrap_or_else(|| element.to_string()), means.clone()))
            }
            _ => None,
        })
    }
}

fn is_move(command: &Command) -> bool {
    matches!(
        command,
        Command::ReturnTo { .. } | Command::WithdrawDecision { .. } | Command::Jump { .. } | Command::Modify { .. }
    )
}

/// What the law is asked so that it comes to where the process is.
fn way_back(moved: &Command, means: &[String]) -> Option<Asked> {
    match moved {
        Command::ReturnTo { reason, .. } => Some(Asked::Return {
            to: step_of(means)?,
            reason: reason.clone(),
        }),
        Command::WithdrawDecision { reason, .. } => Some(Asked::RecallApproval { reason: reason.clone() }),
        _ => None,
    }
}
