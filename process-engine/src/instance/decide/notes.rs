//! 抄送, 已阅, 催办, 离职交接: what decides nothing.

use super::acting::{acting, administrator, asked_already, open, somebody};
use crate::instance::{
    command::Rejection,
    event::Event,
    run::Run,
    words::{Key, Person},
};

/// How often one task can be urged by hand: more is no help to anybody.
pub const MAX_URGES_PER_TASK: u32 = 20;

/// The most people who get a copy at once.
pub const MAX_COPIES_AT_ONCE: usize = 200;

/// 抄送: everybody once; whoever has an unread copy of the same step gets no second one.
pub(super) fn send_copy(run: &mut Run<'_>, task: Key, to: &[Person], message: &str) -> Result<(), Rejection> {
    let by = acting(run, task)?.by;
    if to.is_empty() {
        return Err(Rejection::NobodyNamed);
    }
    if to.len() > MAX_COPIES_AT_ONCE {
        return Err(Rejection::TooMuch {
            what: "the list of people who get a copy".to_owned(),
            limit: MAX_COPIES_AT_ONCE,
        });
    }
    let element = open(run, task)?.element.clone();
    if !run.copy(&element, to.to_vec(), Some(by), message) {
        return Err(asked_already(&to[0]));
    }
    Ok(())
}

/// 已阅
pub(super) fn read_copy(run: &mut Run<'_>, key: Key) -> Result<(), Rejection> {
    let actor = run.platform();
    let is_in = |person: &Person| person.id == actor.id || run.context.groups.contains(&person.id);
    let copy = run.state.copies.get(&key).filter(|copy| copy.to.iter().any(is_in));
    let Some(copy) = copy else {
        return Err(Rejection::NoSuchCopy {
            copy: key,
            actor: actor.name.to_string(),
        });
    };
    if copy.read_by.iter().any(|reader| reader.id == actor.id) {
        // Read is read.
        return Ok(());
    }
    let at = run.context.now;
    run.emit(Event::CopyRead { key, by: actor, at });
    Ok(())
}

/// 催办
pub(super) fn urge(run: &mut Run<'_>, key: Key, message: &str) -> Result<(), Rejection> {
    if open(run, key)?.urged >= MAX_URGES_PER_TASK {
        return Err(Rejection::UrgedEnough {
            task: key,
            limit: MAX_URGES_PER_TASK,
        });
    }
    run.emit(Event::TaskUrged {
        key,
        by: Some(run.platform()),
        message: message.to_owned(),
        at: run.context.now,
    });
    Ok(())
}

/// 离职交接: everything that waits for somebody waits for somebody else.
pub(super) fn hand_over(run: &mut Run<'_>, from: &Person, to: &Person, reason: &str) -> Result<(), Rejection> {
    administrator(run)?;
    somebody(to)?;
    if from.id == to.id {
        return Err(asked_already(to));
    }
    let is_from = |person: &Person| person.id == from.id;
    let tasks: Vec<Key> = run
        .state
        .tasks
        .iter()
        .filter(|(_, task)| task.assignee.as_ref().is_some_and(is_from))
        .map(|(key, _)| *key)
        .collect();
    let is_offered = run.state.tasks.values().any(|task| {
        let besides = task.candidates.iter().chain(&task.delegated_by).chain(&task.substitute);
        besides.into_iter().any(is_from)
    });
    let is_to_come = run.state.elements.values().any(|element| {
        let rounds = element.rounds.as_ref();
        rounds.is_some_and(|rounds| rounds.people.iter().skip(rounds.begun as usize).any(is_from))
    });
    if tasks.is_empty() && !is_offered && !is_to_come {
        return Err(Rejection::NotAsked {
            person: from.name.to_string(),
        });
    }
    for key in tasks {
        run.emit(Event::TaskTransferred {
            key,
            from: Some(from.clone()),
            to: to.clone(),
            reason: reason.to_owned(),
            at: run.context.now,
        });
    }
    run.emit(Event::HandedOver {
        from: from.clone(),
        to: to.clone(),
        reason: reason.to_owned(),
        at: run.context.now,
    });
    Ok(())
}
