//! Why a token is where it is, and what a step to come is, in one line of Chinese and one of English.

use process_engine::instance::{Cause, Foreseen, MoveKind, Person};

use crate::say::{Both, both, ending_said, move_said, names, outcome_said, tally_en, tally_zh, timeout_said};

/// Tells a cause.
pub fn cause_said(cause: &Cause) -> (String, String) {
    match cause {
        Cause::Started { by } => {
            let who = by.as_ref().map_or("系统", |by| &by.name);
            let by = by.as_ref().map_or("The platform", |by| &by.name);
            both(format!("{who} 启动流程"), format!("{by} started the process"))
        }
        Cause::Decided { element, by, outcome } => {
            let (zh, en) = outcome_said(outcome);
            let who = &by.name;
            both(format!("{who} 在“{element}”{zh}"), format!("{who} decided “{element}”: {en}"))
        }
        Cause::Voted { element, passed, tally } => {
            let (zh, en) = if *passed {
                ("通过", "passed")
            } else {
                ("未通过", "failed")
            };
            both(
                format!("“{element}”会签{zh}：{}", tally_zh(tally)),
                format!("The vote at “{element}” {en}: {}", tally_en(tally)),
            )
        }
        Cause::Skipped { element, reason } => both(
            format!("“{element}”无须审批：{reason}"),
            format!("Nobody had to decide “{element}”: {reason}"),
        ),
        Cause::Late { element, action } => {
            let (zh, en) = timeout_said(*action);
            both(format!("“{element}”超时，{zh}"), format!("“{element}” was late: it {en}"))
        }
        Cause::Condition {
            element,
            flow,
            feel: Some(feel),
        } => both(
            format!("在“{element}”条件成立，走“{flow}”：{feel}"),
            format!("At “{element}” a condition held, so “{flow}” was taken: {feel}"),
        ),
        Cause::Condition {
            element,
            flow,
            feel: None,
        } => both(
            format!("在“{element}”走默认的“{flow}”"),
            format!("At “{element}” “{flow}” was taken, which has no condition"),
        ),
        Cause::Table { decision, rules, .. } => both(
            format!("决策表“{decision}”命中规则 {rules:?}"),
            format!("The decision “{decision}” matched the rules {rules:?}"),
        ),
        Cause::Happened { element } => both(format!("发生“{element}”"), format!("“{element}” happened")),
        Cause::Moved { kind, by, reason } => moved_said(*kind, by.as_ref(), reason),
    }
}

fn moved_said(kind: MoveKind, by: Option<&Person>, reason: &str) -> Both {
    let (zh, en) = move_said(kind);
    let (who, by) = (by.map_or("系统", |by| &by.name), by.map_or("The platform", |by| &by.name));
    both(format!("{who} {zh}：{reason}"), format!("{by} {en}: {reason}"))
}

/// Tells what happens at a step that is to come.
pub fn step_said(what: &Foreseen) -> (String, String) {
    match what {
        Foreseen::Asked { people, all, .. } => {
            let (zh, en) = if *all {
                ("逐一征求", "each of them is asked")
            } else {
                ("待办", "somebody of them is asked")
            };
            both(
                format!("{zh}：{}", names(people, "、")),
                format!("{en}: {}", names(people, ", ")),
            )
        }
        Foreseen::Skipped { reason } => both(format!("无须审批：{reason}"), format!("nobody has to decide: {reason}")),
        Foreseen::Job { kind } => both(format!("外部作业 {kind}"), format!("a job for somebody outside: {kind}")),
        Foreseen::Stuck { message } => both(format!("停住：{message}"), format!("stuck: {message}")),
        Foreseen::Ended { how } => ending_said(how),
    }
}
