//! Who may act on a task.

use crate::instance::{
    command::Rejection,
    run::Run,
    state::Task,
    words::{Key, Person},
};

/// Who acts, and for whom if by proxy (代理).
#[derive(Debug, Clone)]
pub(super) struct Acting {
    pub(super) by: Person,
    pub(super) on_behalf_of: Option<Person>,
}

/// A task that is open.
pub(super) fn open<'a>(run: &'a Run<'_>, task: Key) -> Result<&'a Task, Rejection> {
    run.state.tasks.get(&task).ok_or(Rejection::NoSuchTask { task })
}

/// Whether the actor may act on a task: who has it, who stands in for them, whoever it is offered to while nobody has it,
/// and administrators. A task that no rule names anybody for is everybody's.
pub(super) fn acting(run: &Run<'_>, key: Key) -> Result<Acting, Rejection> {
    let task = open(run, key)?;
    let own = |by: &Person| Acting {
        by: by.clone(),
        on_behalf_of: None,
    };
    let Some(actor) = &run.context.actor else {
        return Ok(own(&run.platform()));
    };
    let asked: Vec<&Person> = match &task.assignee {
        Some(assignee) => vec![assignee],
        None => task.candidates.iter().collect(),
    };
    let is_in_group = |person: &Person| person.is_group() && run.context.groups.contains(&person.id);
    let is_everybodys = task.assignee.is_none() && task.candidates.is_empty();
    if is_everybodys || asked.iter().any(|person| person.id == actor.id || is_in_group(person)) {
        return Ok(own(actor));
    }
    if let Some(away) = asked.iter().find(|person| stands_in(run, task, actor, person)) {
        return Ok(Acting {
            by: actor.clone(),
            on_behalf_of: Some((*away).clone()),
        });
    }
    if run.context.is_administrator {
        return Ok(own(actor));
    }
    Err(Rejection::NotYours {
        task: key,
        whom: names(&asked),
        actor: actor.name.to_string(),
    })
}

/// Whether somebody decides for somebody who is away.
fn stands_in(run: &Run<'_>, task: &Task, actor: &Person, away: &Person) -> bool {
    if run.context.on_behalf_of.as_ref().is_some_and(|named| named.id != away.id) {
        return false;
    }
    let is_noted = task.assignee.as_ref() == Some(away) && task.substitute.as_ref().is_some_and(|noted| noted.id == actor.id);
    let now = run.context.now;
    is_noted
        || run
            .context
            .outside
            .substitute(away, now)
            .is_some_and(|person| person.id == actor.id)
}

/// The same, for what only who has the task may do; and it must be decided by nobody else first.
pub(super) fn acting_on_own(run: &Run<'_>, key: Key) -> Result<Acting, Rejection> {
    let acting = acting(run, key)?;
    let task = open(run, key)?;
    if task.assignee.is_none() {
        return Err(Rejection::NotClaimed { task: key });
    }
    if task.held.is_some() {
        return Err(Rejection::DecidedAlready { task: key });
    }
    Ok(acting)
}

/// Whoever was only asked for advice gives it back, and does nothing else.
pub(super) fn not_delegated(run: &Run<'_>, key: Key) -> Result<(), Rejection> {
    match &open(run, key)?.delegated_by {
        None => Ok(()),
        Some(owner) => Err(Rejection::Invalid {
            reason: format!("task {key} is delegated; give it back to {} first", owner.name),
        }),
    }
}

pub(super) fn administrator(run: &Run<'_>) -> Result<(), Rejection> {
    if run.context.is_administrator || run.context.actor.is_none() {
        return Ok(());
    }
    Err(Rejection::NotAdministrator)
}

/// Somebody who can have work: a person, not a group.
pub(super) fn somebody(person: &Person) -> Result<(), Rejection> {
    if person.id.is_empty() {
        return Err(Rejection::NobodyNamed);
    }
    if person.is_group() {
        return Err(Rejection::Invalid {
            reason: format!("{} is a group; name a person", person.name),
        });
    }
    Ok(())
}

pub(super) fn names(people: &[&Person]) -> String {
    people.iter().map(|person| &*person.name).collect::<Vec<_>>().join("、")
}

pub(super) fn asked_already(person: &Person) -> Rejection {
    Rejection::AskedAlready {
        person: person.name.to_string(),
    }
}
