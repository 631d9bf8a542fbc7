//! 退回, 撤回, 撤销, 自由跳转: the work goes back, or elsewhere.

use super::acting::{acting_on_own, administrator, not_delegated};
use crate::{
    instance::{
        command::Rejection,
        event::Event,
        run::{Run, moving::Moving},
        state::Decision,
        words::{Ending, Key, MoveKind, Person, Resume},
    },
    model::{ElementId, Spot},
};

/// 退回
pub(super) fn return_to(run: &mut Run<'_>, task: Key, to: &ElementId, resume: Resume, reason: &str) -> Result<(), Rejection> {
    // Whoever is among those to whom it is offered takes it by returning it.
    match acting_on_own(run, task) {
        Ok(_) => {}
        Err(Rejection::NotClaimed { .. }) => _ = super::acting::acting(run, task)?,
        Err(other) => return Err(other),
    }
    not_delegated(run, task)?;
    let source = run.activity_of(run.element_of_task(task));
    let moving = Moving {
        kind: MoveKind::Return,
        resume,
        reason,
    };
    run.return_to(source, to, moving)
}

/// 撤回: whoever decided takes it back, as long as nobody decided anything that came of it.
pub(super) fn withdraw(run: &mut Run<'_>, task: Key, reason: &str) -> Result<(), Rejection> {
    let found = run
        .state
        .decisions
        .iter()
        .enumerate()
        .rev()
        .find(|(_, decision)| decision.task == task);
    let Some((place, decision)) = found.map(|(place, decision)| (place, decision.clone())) else {
        return Err(cannot("nobody has decided it"));
    };
    if decision.undone {
        return Err(cannot("it has been undone since"));
    }
    let actor = run.platform();
    let is_own = |person: &Person| person.id == actor.id;
    if !is_own(&decision.by) && !decision.on_behalf_of.as_ref().is_some_and(is_own) {
        return Err(Rejection::NotYours {
            task,
            whom: decision.by.name.to_string(),
            actor: actor.name.to_string(),
        });
    }
    if let Some((whole, round)) = open_vote(run, &decision) {
        return withdraw_voice(run, whole, round, place, &decision, reason);
    }
    let scope = scope_of(run, &decision).ok_or_else(|| cannot("what it belonged to is over"))?;
    let_nobody_be_overruled(run, scope, place, &decision)?;
    let moving = Moving {
        kind: MoveKind::Withdraw,
        resume: Resume::Again,
        reason,
    };
    run.take_back(scope, &decision.element, moving)
}

fn cannot(reason: &str) -> Rejection {
    Rejection::CannotWithdraw {
        reason: reason.to_owned(),
    }
}

/// The vote that a decision was a voice in, if it is still open.
fn open_vote(run: &Run<'_>, decision: &Decision) -> Option<(Key, u32)> {
    let (round, whole) = (decision.round?, decision.whole?);
    let rounds = run.state.elements.get(&whole)?.rounds.as_ref()?;
    (!rounds.people.is_empty()).then_some((whole, round))
}

/// The scope in which an activity was done: the one where it stood, or what has taken its place.
fn scope_of(run: &Run<'_>, decision: &Decision) -> Option<Key> {
    let holds = |done: &[(ElementId, Key)]| done.iter().any(|(element, _)| *element == decision.element);
    let stood = run.state.done.get(&decision.scope).filter(|done| holds(done));
    if stood.is_some() && run.state.elements.contains_key(&decision.scope) {
        return Some(decision.scope);
    }
    // A round that is over cannot be begun again while the others run.
    let holds_rounds = |scope: &Key| run.state.elements.get(scope).is_some_and(|element| element.rounds.is_some());
    let mut open = run.state.done.iter().filter(|(scope, _)| !holds_rounds(scope));
    open.find(|(_, done)| holds(done)).map(|(scope, _)| *scope)
}

/// What somebody decided since, on the way from here, stands in the way; what was decided beside does not.
fn let_nobody_be_overruled(run: &Run<'_>, scope: Key, place: usize, mine: &Decision) -> Result<(), Rejection> {
    let process = run.process_in(scope)?;
    let Some(path) = run.path_to(&process, scope, &mine.element)? else {
        return Err(cannot("what it belonged to is over"));
    };
    let level = run.level(&process, scope, &path[..1])?;
    let is_beside = |element: &ElementId| {
        let at = process.find(element).and_then(|at| level.on_level(at));
        at.is_some_and(|at| level.beside.stands_when_begins(&process, Spot::Node(at), path[0]))
    };
    let later = run.state.decisions[place + 1..]
        .iter()
        .find(|later| !later.undone && (later.element == mine.element || !is_beside(&later.element)));
    match later {
        None => Ok(()),
        Some(later) => Err(Rejection::CannotWithdraw {
            reason: format!("{} has decided {} since", later.by.name, later.element),
        }),
    }
}

/// A voice in a vote that is still open is taken back; whoever gave it is asked again.
fn withdraw_voice(
    run: &mut Run<'_>,
    whole: Key,
    round: u32,
    place: usize,
    decision: &Decision,
    reason: &str,
) -> Result<(), Rejection> {
    let Some(rounds) = run.state.elements.get(&whole).and_then(|element| element.rounds.as_ref()) else {
        return Err(cannot("the vote is over"));
    };
    let (sequential, begun, mut tally) = (rounds.sequential, rounds.begun, rounds.tally);
    let asked = rounds.people.get(round as usize).cloned();
    let since = run.state.decisions[place + 1..]
        .iter()
        .find(|later| !later.undone && later.element == decision.element);
    if sequential && let Some(since) = since {
        return Err(Rejection::CannotWithdraw {
            reason: format!("{} has decided since", since.by.name),
        });
    }
    match decision.outcome {
        crate::instance::Outcome::Approved => tally.approvals = tally.approvals.saturating_sub(1),
        crate::instance::Outcome::Rejected => tally.rejections = tally.rejections.saturating_sub(1),
        _ => tally.abstentions = tally.abstentions.saturating_sub(1),
    }
    tally.total = tally.total.saturating_sub(1);
    let by = run.platform();
    run.emit(Event::VoteWithdrawn {
        key: whole,
        task: decision.task,
        round,
        by: by.clone(),
        tally,
        reason: reason.to_owned(),
        at: run.context.now,
    });
    // In a sequence, whoever is asked now waits until the voice is given again.
    let mut again = vec![asked.unwrap_or_else(|| decision.by.clone())];
    if sequential {
        let open: Vec<Key> = run.state.children(whole).map(|(key, _)| key).collect();
        for key in open {
            let person = run.state.tasks.get(&key).and_then(|task| task.assignee.clone());
            if let Some(person) = person {
                run.emit(Event::ApproverRemoved {
                    key: whole,
                    person: person.clone(),
                    by: by.clone(),
                    reason: reason.to_owned(),
                });
                again.push(person);
            }
        }
    }
    for (count, person) in again.into_iter().enumerate() {
        let next = begun + u32::try_from(count).unwrap_or(0);
        run.emit(Event::ApproverAdded {
            key: whole,
            person,
            place: sequential.then_some(next),
            by: by.clone(),
            reason: reason.to_owned(),
        });
    }
    run.touch(whole);
    Ok(())
}

/// 撤销: by whoever started it, before anybody else decided.
pub(super) fn revoke(run: &mut Run<'_>, reason: &str) -> Result<(), Rejection> {
    let starter = run.state.started.as_ref().and_then(|started| started.starter.as_ref());
    let actor = run.context.actor.as_ref();
    if actor.is_none() || actor.map(|actor| &actor.id) != starter.map(|starter| &starter.id) {
        return Err(Rejection::NotTheStarter);
    }
    let other = run
        .state
        .decisions
        .iter()
        .find(|decision| !decision.undone && Some(&decision.by.id) != actor.map(|actor| &actor.id));
    if let Some(other) = other {
        return Err(Rejection::CannotWithdraw {
            reason: format!("{} has decided {} already", other.by.name, other.element),
        });
    }
    run.end(Ending::Revoked {
        reason: reason.to_owned(),
    });
    Ok(())
}

/// 自由跳转, 管理员干预
pub(super) fn jump(run: &mut Run<'_>, from: &[Key], to: &[ElementId], reason: &str) -> Result<(), Rejection> {
    administrator(run)?;
    if reason.trim().is_empty() {
        return Err(Rejection::ReasonMissing);
    }
    run.jump(from, to, reason)
}
