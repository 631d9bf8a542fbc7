//! A random path: whatever an instance offers is taken up in random order, with every verb that people have.

use chrono::TimeDelta;
use serde_json::json;

use super::{block::PEOPLE, chance::Chance, drawing::RandomModel};
use crate::{
    instance::{Bindings, Command, Key, Outcome, Resume, Said, SignPlace, Wait, Waiting},
    testing::{NotPlayed, Player, person},
};

/// What somebody does next.
#[derive(Debug, Clone, Copy)]
enum Act {
    Decide,
    Job,
    Timer,
    Message,
    Signal,
    Return,
    Jump,
    Withdraw,
    AddApprover,
    RemoveApprover,
    AddSign,
    Transfer,
    Delegate,
    Assign,
    Claim,
    Unclaim,
    Copy,
    Urge,
    HandOver,
    Suspend,
    Resume,
    Pause,
    Variables,
    Retry,
    End,
}

const ACTS: [(usize, Act); 25] = [
    (300, Act::Decide),
    (120, Act::Job),
    (90, Act::Timer),
    (60, Act::Message),
    (40, Act::Signal),
    (70, Act::Return),
    (30, Act::Jump),
    (35, Act::Withdraw),
    (40, Act::AddApprover),
    (30, Act::RemoveApprover),
    (30, Act::AddSign),
    (25, Act::Transfer),
    (25, Act::Delegate),
    (10, Act::Assign),
    (15, Act::Claim),
    (8, Act::Unclaim),
    (6, Act::Copy),
    (6, Act::Urge),
    (8, Act::HandOver),
    (8, Act::Suspend),
    (40, Act::Resume),
    (10, Act::Pause),
    (10, Act::Variables),
    (20, Act::Retry),
    (2, Act::End),
];

/// Somebody does something; what is refused leaves the instance as it was. Says whether anything happened.
pub(super) fn act(player: &mut Player, model: &RandomModel, chance: &mut Chance) -> Result<bool, NotPlayed> {
    let act = chance.weighted(&ACTS, Act::Decide);
    let Some(command) = command(player, model, act, chance) else {
        return Ok(false);
    };
    let who = whose(player, &command).filter(|_| !chance.percent(5));
    let who = who.unwrap_or_else(|| (*chance.pick(&PEOPLE).unwrap_or(&"zhang")).to_owned());
    player.be(&who);
    player.administrator(chance.percent(30));
    let due = match &command {
        Command::FireTimer { timer } => player.state().waits.get(timer).map(|wait| wait.what.clone()),
        _ => None,
    };
    if let Some(Waiting::Timer { due_at, .. }) = due {
        player.set_now(due_at);
    }
    match player.ask(&command) {
        Ok(events) => Ok(!events.is_empty()),
        Err(NotPlayed::Refused(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Whoever is asked for the task that a command is about.
fn whose(player: &Player, command: &Command) -> Option<String> {
    let task = match command {
        Command::CompleteTask { task, .. }
        | Command::ClaimTask { task }
        | Command::UnclaimTask { task }
        | Command::TransferTask { task, .. }
        | Command::DelegateTask { task, .. }
        | Command::AddSign { task, .. }
        | Command::AddApprover { task, .. }
        | Command::RemoveApprover { task, .. }
        | Command::ReturnTo { task, .. } => player.state().tasks.get(task)?,
        Command::WithdrawDecision { task, .. } => {
            let decisions = &player.state().decisions;
            let made = decisions.iter().rev().find(|decision| decision.task == *task)?;
            return Some(made.by.id.to_string());
        }
        _ => return None,
    };
    let asked = task.assignee.as_ref().or_else(|| task.candidates.first())?;
    Some(asked.id.to_string())
}

fn somebody(chance: &mut Chance) -> crate::instance::Person {
    person(chance.pick(&PEOPLE).unwrap_or(&"zhang"))
}

/// A command of this kind about something that is there; none, if there is nothing.
fn command(player: &Player, model: &RandomModel, act: Act, chance: &mut Chance) -> Option<Command> {
    let reason = || "试一试".to_owned();
    let state = player.state();
    Some(match act {
        Act::Decide => {
            let task = any_task(player, chance)?;
            decide(task, chance)
        }
        Act::Job => return job(player, chance),
        Act::Timer => Command::FireTimer {
            timer: player.next_timer()?.1,
        },
        Act::Message => Command::DeliverMessage {
            name: chance.pick(&model.messages)?.clone(),
            correlation: None,
            payload: Bindings::new(),
        },
        Act::Signal => Command::BroadcastSignal {
            name: chance.pick(&model.signals)?.clone(),
            payload: Bindings::new(),
        },
        Act::Return | Act::Jump | Act::Withdraw => return moving(player, model, act, chance),
        Act::AddApprover | Act::RemoveApprover | Act::AddSign | Act::Transfer | Act::Delegate | Act::Assign => {
            return with_somebody(player, act, chance);
        }
        Act::Claim => Command::ClaimTask {
            task: any_task(player, chance)?,
        },
        Act::Unclaim => Command::UnclaimTask {
            task: any_task(player, chance)?,
        },
        Act::Copy => Command::SendCopy {
            task: any_task(player, chance)?,
            to: vec![somebody(chance)],
            message: reason(),
        },
        Act::Urge => Command::UrgeTask {
            task: any_task(player, chance)?,
            message: reason(),
        },
        Act::HandOver => Command::HandOver {
            from: somebody(chance),
            to: somebody(chance),
            reason: reason(),
        },
        Act::Suspend => Command::Suspend { reason: reason() },
        Act::Resume if state.suspended_at.is_some() => Command::Resume,
        Act::Resume if state.paused_at.is_some() => Command::ResumeClock,
        Act::Resume => return None,
        Act::Pause => Command::PauseClock { reason: reason() },
        Act::Variables => Command::SetVariables {
            scope: crate::instance::ROOT,
            variables: Bindings::from([(format!("choice{}", chance.below(6)), json!(chance.below(4)))]),
            reason: reason(),
        },
        Act::Retry => Command::RetryIncident {
            incident: any_key(state.incidents.keys(), chance)?,
            note: reason(),
        },
        Act::End => match chance.percent(50) {
            true => Command::Cancel { reason: reason() },
            false => Command::Revoke { reason: reason() },
        },
    })
}

fn decide(task: Key, chance: &mut Chance) -> Command {
    let outcomes = [(7, 0), (2, 1), (1, 2)];
    let outcome = match chance.weighted(&outcomes, 0) {
        0 => Outcome::Approved,
        1 => Outcome::Rejected,
        _ => Outcome::Abstained,
    };
    Command::CompleteTask {
        task,
        outcome,
        said: Said {
            opinion: Some("已核".to_owned()),
            signature: None,
        },
        form: Bindings::new(),
        chosen: Vec::new(),
    }
}

fn job(player: &Player, chance: &mut Chance) -> Option<Command> {
    let job = any_key(player.state().jobs.keys(), chance)?;
    Some(match chance.below(10) {
        0 | 1 => Command::FailJob {
            job,
            message: "no connection".to_owned(),
        },
        2 => Command::ThrowJobError {
            job,
            code: "E".to_owned(),
            message: None,
        },
        _ => Command::CompleteJob {
            job,
            result: json!({ "served": true }),
        },
    })
}

fn moving(player: &Player, model: &RandomModel, act: Act, chance: &mut Chance) -> Option<Command> {
    let state = player.state();
    let reason = "退回重办".to_owned();
    Some(match act {
        Act::Return => Command::ReturnTo {
            task: any_task(player, chance)?,
            to: chance.pick(&state.decisions)?.element.clone(),
            resume: match chance.percent(50) {
                true => Resume::Again,
                false => Resume::Straight,
            },
            reason,
        },
        Act::Withdraw => Command::WithdrawDecision {
            task: chance.pick(&state.decisions)?.task,
            reason,
        },
        // A jump within the row in which something stands: whoever jumps elsewhere answers for it.
        _ => {
            let places: Vec<(Key, &Vec<String>)> = state
                .elements
                .iter()
                .filter(|(_, element)| element.round.is_none())
                .filter_map(|(key, element)| {
                    let is_in = |row: &&Vec<String>| row.iter().any(|step| **step == *element.element);
                    model.rows.iter().find(is_in).map(|row| (*key, row))
                })
                .collect();
            let (from, row) = chance.pick(&places)?;
            Command::Jump {
                from: vec![*from],
                to: vec![chance.pick(row)?.as_str().into()],
                reason,
            }
        }
    })
}

fn with_somebody(player: &Player, act: Act, chance: &mut Chance) -> Option<Command> {
    let task = any_task(player, chance)?;
    let reason = "请协助".to_owned();
    let whom = somebody(chance);
    Some(match act {
        Act::AddApprover => Command::AddApprover {
            task,
            person: whom,
            reason,
        },
        Act::RemoveApprover => Command::RemoveApprover {
            task,
            person: whom,
            reason,
        },
        Act::AddSign => Command::AddSign {
            task,
            place: match chance.percent(50) {
                true => SignPlace::Before,
                false => SignPlace::After,
            },
            people: vec![whom],
            reason,
        },
        Act::Transfer => Command::TransferTask { task, to: whom, reason },
        Act::Delegate => Command::DelegateTask { task, to: whom, reason },
        _ => Command::AssignTask { task, to: whom, reason },
    })
}

fn any_task(player: &Player, chance: &mut Chance) -> Option<Key> {
    any_key(player.state().tasks.keys(), chance)
}

fn any_key<'a>(keys: impl Iterator<Item = &'a Key>, chance: &mut Chance) -> Option<Key> {
    let keys: Vec<Key> = keys.copied().collect();
    chance.pick(&keys).copied()
}

/// One step towards the end: whatever is open is done. Says whether anything could be.
pub(super) fn drive(player: &mut Player) -> Result<bool, NotPlayed> {
    player.be("zhang").administrator(true);
    let Some(command) = open(player) else { return Ok(false) };
    match command {
        Open::Task(key) => player.complete_task(key, Outcome::Approved, Bindings::new())?,
        Open::Command(command) => player.ask(&command).map(|_| ())?,
        Open::Timer(key) => {
            if let Some((due_at, _)) = player.next_timer() {
                player.set_now(due_at);
            }
            player.ask(&Command::FireTimer { timer: key }).map(|_| ())?;
        }
    }
    Ok(true)
}

enum Open {
    Task(Key),
    Timer(Key),
    Command(Command),
}

/// What is open, in the order in which it is done: people first, so that nothing repeats itself while they are waited for.
fn open(player: &Player) -> Option<Open> {
    let state = player.state();
    if state.suspended_at.is_some() {
        return Some(Open::Command(Command::Resume));
    }
    if state.paused_at.is_some() {
        return Some(Open::Command(Command::ResumeClock));
    }
    if let Some(incident) = state.incidents.keys().next().copied() {
        let note = "已修复".to_owned();
        return Some(Open::Command(Command::RetryIncident { incident, note }));
    }
    let waits_for_others = |key: &Key| {
        let task = state.tasks.get(key);
        task.is_some_and(|task| !crate::testing::random::may_be_decided(task))
    };
    if let Some(key) = state.tasks.keys().copied().find(|key| !waits_for_others(key)) {
        return Some(Open::Task(key));
    }
    let mut ready = state
        .jobs
        .iter()
        .filter(|(_, job)| job.retry_at.is_none() && job.tries_left > 0);
    if let Some((job, _)) = ready.next() {
        let (job, result) = (*job, json!({}));
        return Some(Open::Command(Command::CompleteJob { job, result }));
    }
    // What a step waits for comes before what would only begin more beside it.
    let is_step = |wait: &&Wait| {
        let owner = state.elements.get(&wait.owner);
        owner.is_some_and(|owner| owner.element == wait.element || owner.element.starts_with("first"))
    };
    let first = state.waits.values().filter(is_step);
    let from_outside = first.chain(state.waits.values()).find_map(|wait| match &wait.what {
        Waiting::Message { name, correlation } => Some(Command::DeliverMessage {
            name: name.clone(),
            correlation: correlation.clone(),
            payload: Bindings::new(),
        }),
        Waiting::Signal { name } => Some(Command::BroadcastSignal {
            name: name.clone(),
            payload: Bindings::new(),
        }),
        _ => None,
    });
    if let Some((_, timer)) = player.next_timer() {
        return Some(Open::Timer(timer));
    }
    from_outside.map(Open::Command)
}

/// How far the clock goes between two acts.
pub(super) fn a_while(chance: &mut Chance) -> TimeDelta {
    TimeDelta::minutes(i64::try_from(chance.below(90)).unwrap_or_default())
}
