//! At which step of the law the commands of a case belong, and who is asked for them.

use domain::case::{Command, Stage, Step};
use process_engine::instance::{Instance, Key, Person, Task};
use strum::VariantNames as _;

/// Who handles a case may be settled at any time, wherever the process is.
pub(crate) const FREE_AT_EVERY_STEP: [&str; 1] = ["Assign"];

/// Whether what a task means is what the law waits for at this stage. What belongs to no one stage fits every one.
pub(crate) fn fits(means: &[String], stage: Stage) -> bool {
    let mut stages = means.iter().filter_map(|command| stages_of(command)).peekable();
    stages.peek().is_none() || stages.any(|stages| stages.contains(&stage))
}

/// The step of the bureau's work that a task stands for.
pub(crate) fn step_of(means: &[String]) -> Option<Step> {
    means.iter().find_map(|command| match command.as_str() {
        "CompleteReview" => Some(Step::Handling),
        "ApproveBySection" => Some(Step::Section),
        "Grant" | "Refuse" => Some(Step::Decision),
        _ => None,
    })
}

/// The stages at which the law takes a command, for those that carry the case from one stage to the next.
fn stages_of(command: &str) -> Option<&'static [Stage]> {
    Some(match command {
        "Accept" | "NotAccept" | "NotifyCorrection" => &[Stage::Received],
        "SupplyCorrection" => &[Stage::AwaitingCorrection],
        "CompleteReview" => &[Stage::UnderReview],
        "ApproveBySection" => &[Stage::PendingApproval],
        "Grant" | "Refuse" => &[Stage::PendingDecision],
        "Deliver" => &[Stage::Granted, Stage::GrantedTolerance, Stage::Refused],
        _ => return None,
    })
}

/// What a command comes to, if nothing else happens: the event of the case, and the stage at which it stands then.
pub(crate) fn comes_to(command: &str) -> Option<(&'static str, Stage)> {
    Some(match command {
        "Accept" => ("ApplicationAccepted", Stage::Accepted),
        "NotAccept" => ("NotAccepted", Stage::NotRequired),
        "NotifyCorrection" => ("CorrectionNotified", Stage::AwaitingCorrection),
        "SupplyCorrection" => ("CorrectionSupplied", Stage::Received),
        "Assign" => ("HandlerAssigned", Stage::UnderReview),
        "CompleteReview" => ("ReviewCompleted", Stage::PendingApproval),
        "ApproveBySection" => ("ApprovedBySection", Stage::PendingDecision),
        "Return" => ("ReturnedForRework", Stage::UnderReview),
        "Grant" => ("DecisionGranted", Stage::Granted),
        "Refuse" => ("DecisionRefused", Stage::Refused),
        "Deliver" => ("DocumentDelivered", Stage::Delivered),
        "Archive" => ("CaseArchived", Stage::Archived),
        _ => return None,
    })
}

/// Commands for which the law of every case keeps a task of its own, as long as they wait.
const KEPT_BY_THE_CASE: [&str; 19] = [
    "Accept",
    "NotAccept",
    "NotifyCorrection",
    "SupplyCorrection",
    "Assign",
    "Resume",
    "CompleteReview",
    "ApproveBySection",
    "Return",
    "Grant",
    "Refuse",
    "ConfirmWithdrawal",
    "DeclineWithdrawal",
    "Deliver",
    "Archive",
    "AnswerSupervision",
    "HandleBadReview",
    "VerifyCommitment",
    "RectifyCommitment",
];

/// Whether a task that means these commands is one that the case keeps by itself. What waits in the process alone is in no
/// list of the case; a type keeps the tasks of its own commands.
pub fn is_kept_by_the_case(means: &[String]) -> bool {
    let is_kept = |command: &String| {
        let command = command.as_str();
        KEPT_BY_THE_CASE.contains(&command) || !Command::VARIANTS.contains(&command)
    };
    means.iter().any(is_kept)
}

/// The open task that a command finishes: the actor's own before one of their groups', and that before another's.
pub(crate) fn task_meaning<'a>(
    process: &'a Instance,
    command: &str,
    actor: Option<&Person>,
    groups: &[std::sync::Arc<str>],
) -> Option<(Key, &'a Task)> {
    let nearness = |task: &Task| {
        let is_actor = |person: &Person| actor.is_some_and(|actor| actor.id == person.id);
        match &task.assignee {
            Some(assignee) if is_actor(assignee) => 0,
            None if task.candidates.iter().any(is_actor) => 1,
            None if task.candidates.iter().any(|candidate| groups.contains(&candidate.id)) => 2,
            _ => 3,
        }
    };
    let meant = process
        .tasks
        .iter()
        .filter(|(_, task)| task.means.iter().any(|means| means == command));
    meant.min_by_key(|(_, task)| nearness(task)).map(|(key, task)| (*key, task))
}

/// What waits for somebody, in words.
pub(crate) fn waiting(process: &Instance) -> Vec<String> {
    let name = |task: &Task| task.name.clone().unwrap_or_else(|| task.element.to_string());
    process.tasks.values().map(name).collect()
}

/// What the asker wrote as the reason of a command: the opinion on the task that it finishes.
pub(crate) fn opinion_of(command: &Command) -> Option<&str> {
    match command {
        Command::Return { reason, .. } | Command::NotAccept { reason, .. } | Command::Assign { reason, .. } => Some(reason),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_case_keeps_are_commands_that_exist() {
        for command in KEPT_BY_THE_CASE {
            assert!(Command::VARIANTS.contains(&command), "{command}");
        }
        assert!(is_kept_by_the_case(&["Grant".to_owned(), "RecordOpinion".to_owned()]));
        assert!(!is_kept_by_the_case(&[]), "finished by itself");
        assert!(!is_kept_by_the_case(&["RecordOpinion".to_owned()]));
        assert!(is_kept_by_the_case(&["ReportStart".to_owned()]), "a type's own");
    }
}
