//! What is asked of an instance, against where it is.

mod acting;
mod notes;
mod returns;
mod signs;
mod tasks;

pub use notes::{MAX_COPIES_AT_ONCE, MAX_URGES_PER_TASK};
pub use signs::MAX_SIGNS_PER_TASK;
pub use tasks::MAX_OPINION_CHARACTERS;

use super::{
    Instance,
    command::{Command, Rejection},
    context::Context,
    event::Event,
    run::Run,
    words::Ending,
};

/// Decides a command: what happens next, or why not.
pub(super) fn decide(state: &Instance, command: &Command, context: &Context) -> Result<Vec<Event>, Rejection> {
    let mut copy = state.clone();
    go(&mut copy, command, context)
}

/// Decides a command and folds in what happens; on a rejection everything is as it was.
pub(super) fn step(state: &mut Instance, command: &Command, context: &Context) -> Result<Vec<Event>, Rejection> {
    // A copy shares everything with the state until one of them is written to.
    let before = state.clone();
    let decided = go(state, command, context);
    if decided.is_err() {
        *state = before;
    }
    decided
}

fn go(state: &mut Instance, command: &Command, context: &Context) -> Result<Vec<Event>, Rejection> {
    if state.ended.is_some() && matches!(command, Command::FireTimer { .. }) {
        // The timer was overtaken by the end.
        return Ok(Vec::new());
    }
    may_be_asked(state, command)?;
    let mut run = Run::new(state, context);
    ask(&mut run, command)?;
    run.settle()?;
    Ok(run.events)
}

/// Whether the instance takes commands at all.
fn may_be_asked(state: &Instance, command: &Command) -> Result<(), Rejection> {
    match command {
        Command::Start { .. } => Ok(()),
        _ if state.started.is_none() => Err(Rejection::NotStarted),
        _ if state.ended.is_some() => Err(Rejection::AlreadyEnded),
        Command::Resume | Command::Cancel { .. } | Command::Migrate { .. } | Command::Modify { .. } => Ok(()),
        _ if state.suspended_at.is_some() => Err(Rejection::Suspended),
        _ => Ok(()),
    }
}

fn ask(run: &mut Run<'_>, command: &Command) -> Result<(), Rejection> {
    match command {
        Command::Start {
            process,
            version,
            starter,
            business_key,
            variables,
            by,
        } => run.start((process, *version), starter.as_ref(), business_key.as_deref(), variables, by),
        Command::Suspend { reason } => {
            run.emit(Event::ProcessSuspended {
                reason: reason.clone(),
                at: run.context.now,
            });
            Ok(())
        }
        Command::Resume if run.state.suspended_at.is_none() => Err(Rejection::NotSuspended),
        Command::Resume => {
            run.emit(Event::ProcessResumed { at: run.context.now });
            run.wake()
        }
        Command::Cancel { reason } => {
            run.end(Ending::Cancelled { reason: reason.clone() });
            Ok(())
        }
        Command::CompleteJob { job, result } => run.complete_job(*job, result),
        Command::FailJob { job, message } => run.fail_job(*job, message),
        Command::SetVariables {
            scope,
            variables,
            reason,
        } => run.set_by_hand(*scope, variables, reason),
        Command::RetryIncident { incident, note } => run.retry(*incident, note),
        Command::Modify { changes, reason } => run.modify(changes, reason),
        Command::Migrate {
            to,
            version,
            elements,
            reason,
        } => run.migrate((to, *version), elements, reason),
        Command::BeginActivity { scope, element } => run.begin_activity(*scope, element),
        Command::CompleteAdHoc { scope } => run.complete_ad_hoc(*scope),
        Command::FireTimer { timer } => run.fire_timer(*timer),
        Command::DeliverMessage {
            name,
            correlation,
            payload,
        } => run.deliver(name, correlation.as_deref(), payload),
        Command::BroadcastSignal { name, payload } => run.broadcast(name, payload),
        Command::PauseClock { reason } => run.pause_clock(reason),
        Command::ResumeClock => run.resume_clock(),
        Command::ThrowJobError { job, code, message } => run.throw_job_error(*job, code, message.as_deref()),
        other => ask_of_people(run, other),
    }
}

/// What people ask about their tasks, and about moves by hand.
fn ask_of_people(run: &mut Run<'_>, command: &Command) -> Result<(), Rejection> {
    match command {
        Command::ClaimTask { task } => tasks::claim(run, *task),
        Command::UnclaimTask { task } => tasks::unclaim(run, *task),
        Command::AssignTask { task, to, reason } => tasks::assign(run, *task, to, reason),
        Command::TransferTask { task, to, reason } => tasks::transfer(run, *task, to, reason),
        Command::DelegateTask { task, to, reason } => tasks::delegate(run, *task, to, reason),
        Command::CompleteTask { .. } => tasks::complete(run, command),
        Command::AddSign {
            task,
            place,
            people,
            reason,
        } => signs::add(run, *task, *place, people, reason),
        Command::AddApprover { task, person, reason } => signs::add_approver(run, *task, person, reason),
        Command::RemoveApprover { task, person, reason } => signs::remove_approver(run, *task, person, reason),
        Command::ReturnTo {
            task,
            to,
            resume,
            reason,
        } => returns::return_to(run, *task, to, *resume, reason),
        Command::WithdrawDecision { task, reason } => returns::withdraw(run, *task, reason),
        Command::Revoke { reason } => returns::revoke(run, reason),
        Command::Jump { from, to, reason } => returns::jump(run, from, to, reason),
        Command::SendCopy { task, to, message } => notes::send_copy(run, *task, to, message),
        Command::ReadCopy { copy } => notes::read_copy(run, *copy),
        Command::UrgeTask { task, message } => notes::urge(run, *task, message),
        Command::HandOver { from, to, reason } => notes::hand_over(run, from, to, reason),
        other => Err(Rejection::Invalid {
            reason: format!("{} cannot be asked yet", <&str>::from(other)),
        }),
    }
}
