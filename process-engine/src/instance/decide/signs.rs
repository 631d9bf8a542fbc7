//! 加签 and 减签: others are asked besides, before, after or beside; or no longer.

use super::{
    acting::{Acting, acting_on_own, asked_already, not_delegated, open, somebody},
    tasks::{Decided, finish},
};
use crate::instance::{
    command::Rejection,
    event::Event,
    run::Run,
    state::{Rounds, Task},
    words::{Key, Outcome, Person, Said, SignPlace},
};

/// The most people who can be asked besides for one task.
pub const MAX_SIGNS_PER_TASK: usize = 50;

/// Whether anybody who was asked besides at this place has not decided yet.
pub(super) fn any_open(task: &Task, place: SignPlace) -> bool {
    task.signs.iter().any(|sign| sign.place == place && sign.outcome.is_none())
}

/// 前加签, 后加签: each who is asked besides has a task of their own, and can ask others besides in turn.
pub(super) fn add(run: &mut Run<'_>, key: Key, place: SignPlace, people: &[Person], reason: &str) -> Result<(), Rejection> {
    let acting = acting_on_own(run, key)?;
    not_delegated(run, key)?;
    if people.is_empty() {
        return Err(Rejection::NobodyNamed);
    }
    let task = open(run, key)?;
    if task.signs.len() + people.len() > MAX_SIGNS_PER_TASK {
        return Err(Rejection::TooMuch {
            what: "the list of people who are asked besides".to_owned(),
            limit: MAX_SIGNS_PER_TASK,
        });
    }
    for (count, person) in people.iter().enumerate() {
        somebody(person)?;
        let has_it = task.assignee.as_ref().is_some_and(|assignee| assignee.id == person.id);
        let is_asked = task
            .signs
            .iter()
            .any(|sign| sign.person.id == person.id && sign.outcome.is_none());
        let is_twice = people[..count].iter().any(|other| other.id == person.id);
        if has_it || is_asked || is_twice {
            return Err(asked_already(person));
        }
    }
    let task = task.clone();
    run.emit(Event::SignAdded {
        key,
        place,
        people: people.to_vec(),
        by: acting.by,
        reason: reason.to_owned(),
    });
    for person in people {
        let substitute = run.context.outside.substitute(person, run.context.now);
        run.emit(Event::TaskOpened {
            key: run.next_key(),
            owner: key,
            element: task.element.clone(),
            name: task.name.clone(),
            candidates: Vec::new(),
            assignee: Some(person.clone()),
            by_rule: Some(match place {
                SignPlace::Before => "SignBefore".to_owned(),
                SignPlace::After => "SignAfter".to_owned(),
            }),
            form_key: task.form_key.clone(),
            form: task.form.clone(),
            priority: task.priority,
            due_at: task.due_at,
            // Only the task of the model means something to whoever the instance belongs to.
            means: Vec::new(),
            substitute,
            at: run.context.now,
        });
    }
    Ok(())
}

/// Somebody who was asked besides has decided. Before: whoever asked decides knowing it. After: the decision that waited is
/// final once all have agreed; a refusal refuses at once.
pub(super) fn decided(
    run: &mut Run<'_>,
    owner: Key,
    sign: Key,
    by: &Person,
    (outcome, said): (&Outcome, &Said),
) -> Result<(), Rejection> {
    let Some(task) = run.state.tasks.get(&owner) else {
        return Ok(());
    };
    let is_after = task
        .signs
        .iter()
        .any(|other| other.task == sign && other.place == SignPlace::After);
    if !is_after || task.held.is_none() {
        return Ok(());
    }
    if *outcome == Outcome::Rejected {
        let decided = Decided {
            acting: Acting {
                by: by.clone(),
                on_behalf_of: None,
            },
            outcome: Outcome::Rejected,
            said: said.clone(),
            form: crate::instance::Bindings::new(),
        };
        return finish(run, owner, decided);
    }
    finish_held(run, owner)
}

/// The decision that waited is final, if nobody is left who is to decide after it.
fn finish_held(run: &mut Run<'_>, key: Key) -> Result<(), Rejection> {
    let Some(task) = run.state.tasks.get(&key) else {
        return Ok(());
    };
    if any_open(task, SignPlace::After) {
        return Ok(());
    }
    // Whoever was asked after and refused before the decision was made has refused it.
    let refused = task
        .signs
        .iter()
        .find(|sign| sign.place == SignPlace::After && sign.outcome == Some(Outcome::Rejected));
    let Some((by, outcome, said, form)) = task.held.as_deref().cloned() else {
        return Ok(());
    };
    let decided = match refused {
        Some(sign) => Decided {
            acting: Acting {
                by: sign.person.clone(),
                on_behalf_of: None,
            },
            outcome: Outcome::Rejected,
            said: Said::default(),
            form,
        },
        None => Decided {
            acting: Acting { by, on_behalf_of: None },
            outcome,
            said,
            form,
        },
    };
    finish(run, key, decided)
}

/// The rounds of approvers that an element is one of: of which activity.
fn rounds_around<'a>(run: &'a Run<'_>, element: Key) -> Option<(Key, &'a Rounds)> {
    let whole = run
        .state
        .elements
        .get(&element)
        .filter(|element| element.round.is_some())?
        .scope;
    let rounds = run.state.elements.get(&whole)?.rounds.as_ref()?;
    (!rounds.people.is_empty()).then_some((whole, rounds))
}

/// Whether somebody is asked in the same vote or sequence, has decided in it, or is still to be asked.
pub(super) fn is_asked_in_rounds(run: &Run<'_>, element: Key, person: &Person) -> bool {
    rounds_around(run, element).is_some_and(|(_, rounds)| place_of(rounds, person).is_some())
}

fn place_of(rounds: &Rounds, person: &Person) -> Option<u32> {
    let is_it = |(round, asked): (usize, &Person)| {
        let round = u32::try_from(round).ok()?;
        (asked.id == person.id && !rounds.removed.contains(&round)).then_some(round)
    };
    rounds.people.iter().enumerate().find_map(is_it)
}

/// 并加签: one more voice in the vote, or one more at the end of the sequence.
pub(super) fn add_approver(run: &mut Run<'_>, key: Key, person: &Person, reason: &str) -> Result<(), Rejection> {
    let acting = acting_on_own(run, key)?;
    not_delegated(run, key)?;
    somebody(person)?;
    let element = run.element_of_task(key);
    let Some((whole, rounds)) = rounds_around(run, element) else {
        return Err(Rejection::NoVote);
    };
    if place_of(rounds, person).is_some() {
        return Err(asked_already(person));
    }
    if rounds.people.len() >= crate::instance::MAX_PEOPLE_PER_TASK {
        return Err(Rejection::TooMuch {
            what: "the list of approvers".to_owned(),
            limit: crate::instance::MAX_PEOPLE_PER_TASK,
        });
    }
    run.emit(Event::ApproverAdded {
        key: whole,
        person: person.clone(),
        place: None,
        by: acting.by,
        reason: reason.to_owned(),
    });
    run.touch(whole);
    Ok(())
}

/// 减签: somebody who has not decided yet is not asked any more, whether they were asked besides or have a voice.
pub(super) fn remove_approver(run: &mut Run<'_>, key: Key, person: &Person, reason: &str) -> Result<(), Rejection> {
    // Whoever decided already can still let those go who were to decide after.
    let acting = match acting_on_own(run, key) {
        Err(Rejection::DecidedAlready { .. }) => super::acting::acting(run, key)?,
        other => other?,
    };
    let sign = open(run, key)?
        .signs
        .iter()
        .find(|sign| sign.person.id == person.id && sign.outcome.is_none())
        .map(|sign| sign.task);
    if let Some(sign) = sign {
        run.emit(Event::SignRemoved {
            key: sign,
            by: acting.by,
            reason: reason.to_owned(),
        });
        return finish_held(run, key);
    }
    let element = run.element_of_task(key);
    let not_asked = Rejection::NotAsked {
        person: person.name.to_string(),
    };
    let Some((whole, rounds)) = rounds_around(run, element) else {
        return Err(not_asked);
    };
    let Some(round) = place_of(rounds, person) else {
        return Err(not_asked);
    };
    let is_open = run.state.children(whole).any(|(_, other)| other.round == Some(round));
    if round < rounds.begun && !is_open {
        return Err(not_asked);
    }
    if rounds.people.len() - rounds.removed.len() <= 1 {
        return Err(Rejection::LastApprover);
    }
    run.emit(Event::ApproverRemoved {
        key: whole,
        person: person.clone(),
        by: acting.by,
        reason: reason.to_owned(),
    });
    run.touch(whole);
    Ok(())
}
