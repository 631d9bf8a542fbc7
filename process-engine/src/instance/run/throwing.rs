//! What events throw: messages, signals, escalations and errors, each caught in the same instance by whatever waits for it
//! there; links; the end of a scope.

use std::sync::Arc;

use serde_json::Value;

use super::{Run, Stuck, catchers::Catcher};
use crate::{
    instance::{
        command::Rejection,
        event::Event,
        words::{Bindings, Ending, Key, Obstacle, Phase},
    },
    model::{ElementId, NodeIx, NodeKind, Process, Sending, Throw, ThrowResult, Trigger},
};

/// Something that is about to be thrown: all about it is known.
enum Thrown {
    Message { name: String, correlation: Option<String> },
    Signal(String),
    Escalation(String),
}

/// Where something is thrown.
struct From<'a> {
    /// The element that throws, by its name.
    element: &'a ElementId,
    /// The scope that it stands in.
    scope: Key,
}

impl Run<'_> {
    /// A throw event or an end event begins.
    pub(super) fn begin_throw(
        &mut self,
        process: &Arc<Process>,
        at: NodeIx,
        key: Key,
        throw: &Throw,
    ) -> Result<Result<(), Stuck>, Rejection> {
        let prepared = self
            .payload(throw, key)
            .and_then(|payload| Ok((self.prepare(throw, key)?, payload)));
        let (thrown, payload) = match prepared {
            Ok(prepared) => prepared,
            Err(stuck) => return Ok(Err(stuck)),
        };
        let link = match link_of(process, at, throw) {
            Ok(link) => link,
            Err(stuck) => return Ok(Err(stuck)),
        };
        let Some(scope) = self.state.elements.get(&key).map(|element| element.scope) else {
            return Ok(Ok(()));
        };
        if throw.results.iter().any(|result| matches!(result, ThrowResult::Error(_))) && !payload.is_empty() {
            // The error is thrown when the event has been left; what goes with it is kept until then.
            self.emit(Event::VariablesSet {
                scope: key,
                variables: payload.clone(),
            });
        }
        let element = &process.node(at).id;
        for one in thrown {
            if !self.is_there(key) {
                // It was interrupted by what it threw.
                return Ok(Ok(()));
            }
            self.throw_one(&From { element, scope }, one, &payload)?;
        }
        if !self.is_there(key) {
            return Ok(Ok(()));
        }
        if throw.results.iter().any(|result| matches!(result, ThrowResult::Cancel)) {
            return self.cancel_transaction(key);
        }
        if self.ask_for_compensation(key, throw)? {
            return Ok(Ok(()));
        }
        self.leave(key)?;
        match link {
            Some(link) => self.pass(process, link, scope, Vec::new(), payload).map(Ok),
            None => Ok(Ok(())),
        }
    }

    /// Whether an element is still there after something that may have interrupted it.
    fn is_there(&self, key: Key) -> bool {
        self.state.is_running() && self.state.elements.contains_key(&key)
    }

    /// A send task sends its message; what it was given when it began goes with it.
    pub(super) fn send(
        &mut self,
        process: &Process,
        at: NodeIx,
        key: Key,
        sending: &Sending,
    ) -> Result<Result<(), Stuck>, Rejection> {
        let Some(message) = &sending.message else {
            return self.leave(key).map(Ok);
        };
        let (name, correlation) = match self.named(message, key) {
            Ok(named) => named,
            Err(stuck) => return Ok(Err(stuck)),
        };
        let Some(scope) = self.state.elements.get(&key).map(|element| element.scope) else {
            return Ok(Ok(()));
        };
        let payload = self.own(key);
        let element = &process.node(at).id;
        self.throw_one(&From { element, scope }, Thrown::Message { name, correlation }, &payload)?;
        if self.is_there(key) {
            self.leave(key)?;
        }
        Ok(Ok(()))
    }

    /// What goes with a thrown event.
    fn payload(&self, throw: &Throw, key: Key) -> Result<Bindings, Stuck> {
        let mut payload = Bindings::new();
        for input in &throw.inputs {
            payload.insert(input.target.clone(), self.value(&input.value, key)?);
        }
        Ok(payload)
    }

    fn prepare(&self, throw: &Throw, key: Key) -> Result<Vec<Thrown>, Stuck> {
        let mut thrown = Vec::new();
        for result in &throw.results {
            match result {
                ThrowResult::Message(message) => {
                    let (name, correlation) = self.named(message, key)?;
                    thrown.push(Thrown::Message { name, correlation });
                }
                ThrowResult::Signal(name) => thrown.push(Thrown::Signal(self.text(name, key)?)),
                ThrowResult::Escalation(code) => thrown.push(Thrown::Escalation(code.clone())),
                // These end what throws them, or wait: they come last.
                ThrowResult::Error(_)
                | ThrowResult::Compensation { .. }
                | ThrowResult::Link(_)
                | ThrowResult::Terminate
                | ThrowResult::Cancel => {}
            }
        }
        Ok(thrown)
    }

    fn throw_one(&mut self, from: &From<'_>, thrown: Thrown, payload: &Bindings) -> Result<(), Rejection> {
        match thrown {
            Thrown::Message { name, correlation } => {
                let waiting = self.waiting_for(&name, correlation.as_deref());
                self.emit(Event::MessageThrown {
                    element: from.element.clone(),
                    scope: from.scope,
                    message: name,
                    correlation,
                    payload: payload.clone(),
                });
                match waiting {
                    Some(wait) => self.receive(wait, payload),
                    None => Ok(()),
                }
            }
            Thrown::Signal(signal) => {
                self.emit(Event::SignalThrown {
                    element: from.element.clone(),
                    scope: from.scope,
                    signal: signal.clone(),
                    payload: payload.clone(),
                });
                self.broadcast(&signal, payload)
            }
            Thrown::Escalation(code) => self.escalate(from, &code, payload),
        }
    }

    /// An escalation is heard by the nearest event around that catches it; if there is none, it goes unheard.
    fn escalate(&mut self, from: &From<'_>, code: &str, payload: &Bindings) -> Result<(), Rejection> {
        let fits = |trigger: &Trigger| match trigger {
            Trigger::Escalation(wanted) => fits_code(wanted.as_deref(), code),
            _ => None,
        };
        let catcher = self.catcher(from.scope, false, &fits)?;
        self.emit(Event::EscalationThrown {
            element: from.element.clone(),
            scope: from.scope,
            code: code.to_owned(),
            caught_by: catcher.as_ref().map(Catcher::id),
        });
        match catcher {
            Some(catcher) => {
                let mut came = payload.clone();
                came.insert("escalationCode".to_owned(), code.into());
                self.catch_thrown(&catcher, came)
            }
            None => Ok(()),
        }
    }

    /// An end event was left that throws an error: whatever stands around the event that catches it is interrupted. If there
    /// is none, the instance has failed.
    pub(super) fn throw_error(
        &mut self,
        element: &ElementId,
        scope: Key,
        code: &str,
        payload: &Bindings,
    ) -> Result<(), Rejection> {
        let catcher = self.catcher(scope, false, &|trigger| fits_error(trigger, code))?;
        self.emit(Event::ErrorThrown {
            element: element.clone(),
            scope,
            code: code.to_owned(),
            message: None,
            caught_by: catcher.as_ref().map(Catcher::id),
        });
        if let Some(catcher) = catcher {
            return self.catch_thrown(&catcher, with_error(payload, code, None));
        }
        self.end(Ending::Failed { code: code.to_owned() });
        Ok(())
    }

    /// A job ended in an error of the model. One that nothing catches is to be repaired.
    pub(crate) fn throw_job_error(&mut self, job: Key, code: &str, message: Option<&str>) -> Result<(), Rejection> {
        if !self.state.jobs.contains_key(&job) {
            return Err(Rejection::NoSuchJob { job });
        }
        let Some(task) = self.state.elements.get(&job) else {
            return Err(Rejection::NoSuchJob { job });
        };
        let (element, scope) = (task.element.clone(), task.scope);
        let catcher = self.catcher(job, true, &|trigger| fits_error(trigger, code))?;
        self.emit(Event::ErrorThrown {
            element: element.clone(),
            scope,
            code: code.to_owned(),
            message: message.map(str::to_owned),
            caught_by: catcher.as_ref().map(Catcher::id),
        });
        if let Some(catcher) = catcher {
            return self.catch_thrown(&catcher, with_error(&Bindings::new(), code, message));
        }
        let said = message.map(|message| format!(": {message}")).unwrap_or_default();
        let sentence = format!("{element} ended in the error {code}, and no event of the model catches it{said}");
        self.emit(Event::JobFailed {
            key: job,
            message: sentence.clone(),
            tries_left: 0,
            retry_at: None,
        });
        self.stuck(job, Phase::Active, Stuck::new(Obstacle::Error, sentence));
        Ok(())
    }

    fn catch_thrown(&mut self, catcher: &Catcher, came: Bindings) -> Result<(), Rejection> {
        if catcher.is_border {
            return self.fire_border(&catcher.process, catcher.event, catcher.owner, came, None);
        }
        self.fire_inner(&catcher.process, catcher.event, catcher.owner, came, None)
    }

    /// What an end event does besides ending its own token, once it was left.
    pub(super) fn after_end(&mut self, process: &Process, at: NodeIx, scope: Key, own: &Bindings) -> Result<(), Rejection> {
        let node = process.node(at);
        let NodeKind::End(throw) = &node.kind else {
            return Ok(());
        };
        for result in &throw.results {
            match result {
                ThrowResult::Error(code) => return self.throw_error(&node.id, scope, code, own),
                ThrowResult::Terminate => return self.terminate(scope),
                _ => {}
            }
        }
        Ok(())
    }
}

/// How well a code that is waited for fits: the same is better than any.
fn fits_code(wanted: Option<&str>, code: &str) -> Option<u8> {
    match wanted {
        Some(wanted) if wanted == code => Some(0),
        Some(_) => None,
        None => Some(1),
    }
}

fn fits_error(trigger: &Trigger, code: &str) -> Option<u8> {
    match trigger {
        Trigger::Error(wanted) => fits_code(wanted.as_deref(), code),
        _ => None,
    }
}

fn with_error(payload: &Bindings, code: &str, message: Option<&str>) -> Bindings {
    let mut came = payload.clone();
    came.insert("errorCode".to_owned(), code.into());
    came.insert("errorMessage".to_owned(), message.map_or(Value::Null, Value::from));
    came
}

/// The catching link of the same name on the same level.
fn link_of(process: &Process, at: NodeIx, throw: &Throw) -> Result<Option<NodeIx>, Stuck> {
    let name = throw.results.iter().find_map(|result| match result {
        ThrowResult::Link(name) => Some(name),
        _ => None,
    });
    let Some(name) = name else { return Ok(None) };
    let is_target = |child: &NodeIx| match &process.node(*child).kind {
        NodeKind::Catch(catch) => catch
            .triggers
            .iter()
            .any(|trigger| matches!(trigger, Trigger::Link(link) if link == name)),
        _ => false,
    };
    let found = process.level(process.node(at).parent).iter().copied().find(is_target);
    found.map(Some).ok_or_else(|| {
        let message = format!(
            "{} goes on at the link {name}, and there is none of this name here",
            process.node(at).id
        );
        Stuck::new(Obstacle::NoWayOn, message)
    })
}
