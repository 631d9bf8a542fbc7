//! What tasks do when they begin: scripts, jobs for somebody outside, questions to decision tables.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::Value;

use super::{Run, Stuck};
use crate::{
    instance::{
        command::Rejection,
        event::Event,
        words::{Bindings, Key, Obstacle, Phase, TimerPurpose},
    },
    model::{DecisionCall, Job, NodeIx, NodeKind, Process, Retry, Script, Task, Work},
};

/// The longest pause before a failed job is tried again: whoever repairs what is wrong does not wait longer than a day.
pub(crate) const MAX_BACKOFF_SECONDS: u32 = 24 * 60 * 60;

/// A job that a task asks for.
pub(super) enum Asked<'a> {
    /// A service, or something that is sent like one.
    Job(&'a Job),
    /// A script in words that only the host knows.
    Script(&'a str, &'a str),
}

/// The job that a task asks for, if it does.
pub(super) fn job_of(task: &Task) -> Option<Asked<'_>> {
    match &task.work {
        Work::Service(job) => Some(Asked::Job(job)),
        Work::Send(sending) => sending.job.as_deref().map(Asked::Job),
        Work::Script(Script::Foreign { format, text }) => Some(Asked::Script(format, text)),
        _ => None,
    }
}

impl Run<'_> {
    /// A task begins: what needs nobody is done at once.
    pub(super) fn begin_work(
        &mut self,
        process: &Arc<Process>,
        at: NodeIx,
        key: Key,
        task: &Task,
    ) -> Result<Result<(), Stuck>, Rejection> {
        if let Some(asked) = job_of(task) {
            return Ok(self.create_job(&asked, key));
        }
        match &task.work {
            Work::Nothing | Work::Manual => self.leave(key).map(Ok),
            Work::User(user) => self.open_task(process, at, key, user),
            Work::Script(Script::Feel {
                expression,
                result_variable,
            }) => match self.value(expression, key) {
                Ok(value) => {
                    self.take_result(key, result_variable.as_deref(), value);
                    self.leave(key).map(Ok)
                }
                Err(cause) => Ok(Err(cause.into())),
            },
            Work::Decision(call) => match self.ask_decision(call, key) {
                Ok(()) => self.leave(key).map(Ok),
                Err(stuck) => Ok(Err(stuck)),
            },
            Work::Send(sending) => self.send(process, at, key, sending),
            Work::Receive { .. } => Ok(self.open_event(process, at, key)),
            Work::Service(_) | Work::Script(Script::Foreign { .. }) => {
                Self::refuse(Stuck::new(Obstacle::Job, "a job is asked for by its task"))
            }
        }
    }

    /// A task is begun again after what stopped it was repaired.
    pub(super) fn begin_again(&mut self, process: &Arc<Process>, at: NodeIx, key: Key, task: &Task) -> Result<(), Rejection> {
        if let Err(stuck) = self.begin_work(process, at, key, task)? {
            self.stuck(key, Phase::Active, stuck);
        }
        Ok(())
    }

    /// Sets the variable that takes a result; none is named: each of its entries.
    fn take_result(&mut self, key: Key, variable: Option<&str>, result: Value) {
        let variables: Bindings = match (variable, result) {
            (Some(name), value) => Bindings::from([(name.to_owned(), value)]),
            (None, Value::Object(entries)) => entries.into_iter().collect(),
            (None, _) => Bindings::new(),
        };
        if !variables.is_empty() {
            self.set(key, variables);
        }
    }

    fn create_job(&mut self, asked: &Asked<'_>, key: Key) -> Result<(), Stuck> {
        let (kind, fields, tries) = match asked {
            Asked::Job(job) => {
                let mut fields = Bindings::new();
                for (name, text) in &job.fields {
                    fields.insert(name.clone(), Value::String(self.text(text, key)?));
                }
                (self.text(&job.kind, key)?, fields, job.retry.tries)
            }
            Asked::Script(format, text) => {
                let fields = Bindings::from([("script".to_owned(), Value::String((*text).to_owned()))]);
                (format!("script:{format}"), fields, Retry::default().tries)
            }
        };
        self.emit(Event::JobCreated {
            key,
            kind,
            fields,
            tries: tries.max(1),
        });
        Ok(())
    }

    /// A job was done: its result is taken, and the token goes on.
    pub(crate) fn complete_job(&mut self, key: Key, result: &Value) -> Result<(), Rejection> {
        if !self.state.jobs.contains_key(&key) {
            return Err(Rejection::NoSuchJob { job: key });
        }
        self.emit(Event::JobCompleted {
            key,
            result: result.clone(),
        });
        let (process, at) = self.node_of(key)?;
        let variable = match &process.node(at).kind {
            NodeKind::Task(task) => match job_of(task) {
                Some(Asked::Job(job)) => job.result_variable.clone(),
                _ => None,
            },
            _ => None,
        };
        self.take_result(key, variable.as_deref(), result.clone());
        self.leave(key)
    }

    /// A job was not done: it is tried again after a pause that doubles each time; after the last try it is an incident.
    pub(crate) fn fail_job(&mut self, key: Key, message: &str) -> Result<(), Rejection> {
        let job = self.state.jobs.get(&key).ok_or(Rejection::NoSuchJob { job: key })?;
        if let Some(retry_at) = job.retry_at {
            return Err(Rejection::Invalid {
                reason: format!("job {key} has failed already and is tried again at {retry_at}"),
            });
        }
        if job.tries_left == 0 {
            return Err(Rejection::Invalid {
                reason: format!("job {key} has failed as often as it may; repair its incident first"),
            });
        }
        let tries_left = job.tries_left - 1;
        let (process, at) = self.node_of(key)?;
        let retry = retry_of(&process, at);
        let failures = retry.tries.saturating_sub(tries_left).max(1);
        let pause = retry
            .backoff_seconds
            .saturating_mul(1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX))
            .min(MAX_BACKOFF_SECONDS);
        let retry_at = (tries_left > 0).then(|| self.context.now + TimeDelta::seconds(pause.into()));
        self.emit(Event::JobFailed {
            key,
            message: message.to_owned(),
            tries_left,
            retry_at,
        });
        match retry_at {
            Some(due_at) => self.emit(Event::TimerScheduled {
                key: self.next_key(),
                owner: key,
                element: process.node(at).id.clone(),
                trigger: 0,
                purpose: TimerPurpose::Retry,
                due_at,
                repeats_left: Some(0),
                pausable: false,
            }),
            None => self.stuck(key, Phase::Active, Stuck::new(Obstacle::Job, message)),
        }
        Ok(())
    }

    /// The pause after a failure is over: the job is there again, as it was.
    pub(crate) fn retry_job(&mut self, key: Key) {
        if let Some(job) = self.state.jobs.get(&key) {
            self.emit(Event::JobCreated {
                key,
                kind: job.kind.clone(),
                fields: job.fields.clone(),
                tries: job.tries_left,
            });
        }
    }

    /// Asks a decision table; the answer is on record, whatever it is.
    fn ask_decision(&mut self, call: &DecisionCall, key: Key) -> Result<(), Stuck> {
        let decision = self.text(&call.decision, key)?;
        let asked = self.context.outside.decide(&decision, &self.seen(key, None));
        let answer = asked.map_err(|message| Stuck::new(Obstacle::Decision, format!("the decision {decision}: {message}")))?;
        let outputs = answer.outputs.clone();
        self.emit(Event::DecisionEvaluated {
            key,
            decision: decision.clone(),
            model: answer.model,
            inputs: answer.inputs,
            rules: answer.rules,
            outputs: answer.outputs,
        });
        if outputs.is_null() {
            let message = format!("the decision {decision} gives nothing for what it was asked with");
            return Err(Stuck::new(Obstacle::Decision, message));
        }
        match (call.result_variable.as_deref(), &outputs) {
            // What has no names of its own is set under the decision's.
            (None, Value::Object(_)) => self.take_result(key, None, outputs),
            (variable, _) => self.take_result(key, Some(variable.unwrap_or(&decision)), outputs),
        }
        Ok(())
    }
}

fn retry_of(process: &Process, at: NodeIx) -> Retry {
    match &process.node(at).kind {
        NodeKind::Task(task) => match job_of(task) {
            Some(Asked::Job(job)) => job.retry.clone(),
            _ => Retry::default(),
        },
        _ => Retry::default(),
    }
}
