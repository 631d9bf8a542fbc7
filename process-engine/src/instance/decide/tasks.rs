//! What people do with their tasks: 认领, 放回, 指派, 转办, 委派, 办理.

use super::{
    acting::{Acting, acting, acting_on_own, administrator, asked_already, not_delegated, open, somebody},
    signs,
};
use crate::{
    instance::{
        command::{Command, Rejection},
        event::Event,
        run::{
            Run,
            asking::{CHOSEN_BY_APPROVER, user_task},
            votes::vote_rule,
        },
        words::{Bindings, Key, Outcome, Person, Said, SignPlace},
    },
    model::{ElementId, FieldPermission, UserTask},
};

/// The longest opinion, in characters: a page of close print.
pub const MAX_OPINION_CHARACTERS: usize = 4_000;

/// 认领
pub(super) fn claim(run: &mut Run<'_>, key: Key) -> Result<(), Rejection> {
    if let Some(assignee) = &open(run, key)?.assignee {
        return Err(Rejection::AlreadyClaimed {
            task: key,
            assignee: assignee.name.to_string(),
        });
    }
    let Acting { by, .. } = acting(run, key)?;
    let at = run.context.now;
    run.emit(Event::TaskClaimed { key, by, at });
    Ok(())
}

/// 放回
pub(super) fn unclaim(run: &mut Run<'_>, key: Key) -> Result<(), Rejection> {
    acting_on_own(run, key)?;
    not_delegated(run, key)?;
    if open(run, key)?.candidates.is_empty() {
        return Err(Rejection::Invalid {
            reason: format!("task {key} is offered to nobody else; transfer it instead"),
        });
    }
    let at = run.context.now;
    run.emit(Event::TaskUnclaimed { key, at });
    Ok(())
}

/// 指派
pub(super) fn assign(run: &mut Run<'_>, key: Key, to: &Person, reason: &str) -> Result<(), Rejection> {
    administrator(run)?;
    if open(run, key)?.held.is_some() {
        return Err(Rejection::DecidedAlready { task: key });
    }
    may_be_asked(run, key, to)?;
    run.emit(Event::TaskAssigned {
        key,
        to: to.clone(),
        reason: reason.to_owned(),
        at: run.context.now,
    });
    Ok(())
}

/// 转办
pub(super) fn transfer(run: &mut Run<'_>, key: Key, to: &Person, reason: &str) -> Result<(), Rejection> {
    acting_on_own(run, key)?;
    not_delegated(run, key)?;
    may_be_asked(run, key, to)?;
    run.emit(Event::TaskTransferred {
        key,
        from: open(run, key)?.assignee.clone(),
        to: to.clone(),
        reason: reason.to_owned(),
        at: run.context.now,
    });
    Ok(())
}

/// 委派
pub(super) fn delegate(run: &mut Run<'_>, key: Key, to: &Person, reason: &str) -> Result<(), Rejection> {
    let acting = acting_on_own(run, key)?;
    not_delegated(run, key)?;
    somebody(to)?;
    let from = open(run, key)?.assignee.clone().unwrap_or(acting.by);
    if from.id == to.id {
        return Err(asked_already(to));
    }
    run.emit(Event::TaskDelegated {
        key,
        from,
        to: to.clone(),
        reason: reason.to_owned(),
        at: run.context.now,
    });
    Ok(())
}

/// Whether a task may go to somebody: a person who has it not yet, and no other voice in the same vote.
fn may_be_asked(run: &Run<'_>, key: Key, to: &Person) -> Result<(), Rejection> {
    somebody(to)?;
    let has_it = open(run, key)?.assignee.as_ref().is_some_and(|assignee| assignee.id == to.id);
    let owner = run.element_of_task(key);
    let has_voice = owner == key && signs::is_asked_in_rounds(run, owner, to);
    if has_it || has_voice { Err(asked_already(to)) } else { Ok(()) }
}

/// What somebody decides.
pub(super) struct Decided {
    pub(super) acting: Acting,
    pub(super) outcome: Outcome,
    pub(super) said: Said,
    pub(super) form: Bindings,
}

/// 办理
pub(super) fn complete(run: &mut Run<'_>, command: &Command) -> Result<(), Rejection> {
    let Command::CompleteTask {
        task: key,
        outcome,
        said,
        form,
        chosen,
    } = command
    else {
        return Ok(());
    };
    let key = *key;
    let acting = acting(run, key)?;
    let task = open(run, key)?;
    if task.held.is_some() {
        return Err(Rejection::DecidedAlready { task: key });
    }
    if said
        .opinion
        .as_ref()
        .is_some_and(|opinion| opinion.chars().count() > MAX_OPINION_CHARACTERS)
    {
        return Err(Rejection::TooMuch {
            what: "the opinion".to_owned(),
            limit: MAX_OPINION_CHARACTERS,
        });
    }
    if task.delegated_by.is_some() {
        // 委派: an advice; whoever asked for it decides.
        run.emit(Event::TaskReturnedToOwner {
            key,
            by: acting.by,
            said: said.clone(),
            at: run.context.now,
        });
        return Ok(());
    }
    if signs::any_open(task, SignPlace::Before) {
        return Err(Rejection::WaitsForSigns { task: key });
    }
    let (process, at) = run.node_of(run.element_of_task(key))?;
    if let Some(user) = user_task(&process, at) {
        let is_vote = vote_rule(&process, at).is_some();
        check_outcome(user, outcome, is_vote)?;
        check_said(user, said)?;
        check_fields(user, form)?;
    }
    choose(run, key, chosen, &|element| process.find(element).is_some())?;
    let decided = Decided {
        acting,
        outcome: outcome.clone(),
        said: said.clone(),
        form: form.clone(),
    };
    let waits = signs::any_open(open(run, key)?, SignPlace::After) && *outcome != Outcome::Rejected;
    if waits {
        // 后加签: a refusal needs nobody's consent, anything else waits.
        run.emit(Event::TaskDecisionHeld {
            key,
            by: decided.acting.by,
            outcome: decided.outcome,
            said: decided.said,
            form: decided.form,
            at: run.context.now,
        });
        return Ok(());
    }
    finish(run, key, decided)
}

/// A task is decided for good.
pub(super) fn finish(run: &mut Run<'_>, key: Key, decided: Decided) -> Result<(), Rejection> {
    let owner = open(run, key)?.owner;
    let element = run.element_of_task(key);
    let Decided {
        acting,
        outcome,
        said,
        form,
    } = decided;
    run.emit(Event::TaskCompleted {
        key,
        by: acting.by.clone(),
        on_behalf_of: acting.on_behalf_of,
        outcome: outcome.clone(),
        said: said.clone(),
        form: form.clone(),
        at: run.context.now,
    });
    if !form.is_empty() {
        run.set(element, form);
    }
    if owner == key {
        return run.decided(element, key, Some(&acting.by), &outcome);
    }
    signs::decided(run, owner, key, &acting.by, (&outcome, &said))
}

fn check_outcome(user: &UserTask, outcome: &Outcome, is_vote: bool) -> Result<(), Rejection> {
    let Outcome::Other(word) = outcome else { return Ok(()) };
    // A vote counts voices for and against; it knows no other words.
    if !is_vote && (user.outcomes.is_empty() || user.outcomes.contains(word)) {
        return Ok(());
    }
    let mut allowed = vec!["approved", "rejected", "abstained"];
    if !is_vote {
        allowed.extend(user.outcomes.iter().map(String::as_str));
    }
    Err(Rejection::NoSuchOutcome {
        outcome: word.clone(),
        allowed: allowed.join(", "),
    })
}

fn check_said(user: &UserTask, said: &Said) -> Result<(), Rejection> {
    if user.opinion_required && said.opinion.as_ref().is_none_or(|opinion| opinion.trim().is_empty()) {
        return Err(Rejection::OpinionMissing);
    }
    if user.signature_required && said.signature.is_none() {
        return Err(Rejection::SignatureMissing);
    }
    Ok(())
}

/// Where the model says which fields may be edited, no other may be.
fn check_fields(user: &UserTask, form: &Bindings) -> Result<(), Rejection> {
    if user.fields.is_empty() {
        return Ok(());
    }
    let may_edit = |field: &String| {
        user.fields
            .iter()
            .any(|(name, permission)| name == field && *permission == FieldPermission::Edit)
    };
    match form.keys().find(|field| !may_edit(field)) {
        Some(field) => Err(Rejection::FieldNotEditable { field: field.clone() }),
        None => Ok(()),
    }
}

/// 审批人自选: whom the approver chose for later steps.
fn choose(
    run: &mut Run<'_>,
    key: Key,
    chosen: &[(ElementId, Vec<Person>)],
    exists: &dyn Fn(&str) -> bool,
) -> Result<(), Rejection> {
    if chosen.is_empty() {
        return Ok(());
    }
    let element = run.element_of_task(key);
    let mut all = match run.state.variable(element, CHOSEN_BY_APPROVER) {
        Some(serde_json::Value::Object(all)) => all.clone(),
        _ => serde_json::Map::new(),
    };
    for (step, people) in chosen {
        if !exists(step) {
            return Err(Rejection::NoSuchElement {
                element: step.to_string(),
            });
        }
        if people.is_empty() {
            return Err(Rejection::NobodyNamed);
        }
        let people = people
            .iter()
            .map(|person| serde_json::json!({ "id": person.id, "name": person.name }))
            .collect();
        all.insert(step.to_string(), serde_json::Value::Array(people));
    }
    run.set(
        element,
        Bindings::from([(CHOSEN_BY_APPROVER.to_owned(), serde_json::Value::Object(all))]),
    );
    Ok(())
}
