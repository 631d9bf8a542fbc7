//! Calls of other processes: their elements stand in the call, and see its variables only.

use super::{Run, Stuck};
use crate::{
    instance::{
        ROOT,
        command::Rejection,
        event::Event,
        words::{Bindings, Key, Obstacle},
    },
    model::{Call, Process},
};

/// How deep calls may stand in each other: a process that calls itself without end stops here.
pub(crate) const MAX_CALL_DEPTH: usize = 50;

impl Run<'_> {
    /// A call begins: the process that it means is found once, and stays.
    pub(super) fn begin_call(&mut self, call: &Call, key: Key) -> Result<Result<(), Stuck>, Rejection> {
        if let Some(begun) = self.state.elements.get(&key).and_then(|element| element.process.clone()) {
            // An officer repaired what stopped it after it was found.
            let process = self.process(&begun)?;
            return self.begin_level(&process, None, key);
        }
        if self.calls_around(key) >= MAX_CALL_DEPTH {
            let message =
                format!("calls stand more than {MAX_CALL_DEPTH} deep in each other; the process calls itself without end");
            return Self::refuse(Stuck::new(Obstacle::Call, message));
        }
        let name = match self.text(&call.called, key) {
            Ok(name) => name,
            Err(cause) => return Ok(Err(cause.into())),
        };
        let Some(caller) = self.state.process_of(key) else {
            return Err(Rejection::NothingThere { key });
        };
        let found = self.context.outside.called(&name, caller);
        let found = found.and_then(|(reference, version)| Some((self.process(&reference).ok()?, reference, version)));
        let Some((process, reference, version)) = found else {
            let message = format!("there is no process {name} to be called; deploy it first");
            return Self::refuse(Stuck::new(Obstacle::Call, message));
        };
        let variables = match self.handed_in(call, &process, key) {
            Ok(variables) => variables,
            Err(stuck) => return Ok(Err(stuck)),
        };
        self.emit(Event::ProcessCalled {
            key,
            process: reference,
            version,
            variables,
        });
        self.begin_level(&process, None, key)
    }

    /// The variables that a called process begins with.
    fn handed_in(&self, call: &Call, process: &Process, key: Key) -> Result<Bindings, Stuck> {
        let mut variables: Bindings = process
            .data
            .iter()
            .map(|object| (object.name.clone(), object.initial.clone()))
            .collect();
        if call.inherit_variables {
            variables.extend(self.visible(key));
        }
        for input in &call.inputs {
            variables.insert(input.target.clone(), self.value(&input.value, key)?);
        }
        if let Some(business_key) = &call.business_key {
            variables.insert("businessKey".to_owned(), self.value(business_key, key)?);
        }
        Ok(variables)
    }

    /// All variables that can be seen from a scope, the nearest of each name.
    fn visible(&self, scope: Key) -> Bindings {
        let mut all = Bindings::new();
        let mut at = scope;
        loop {
            for (name, value) in self
                .state
                .variables
                .get(&at)
                .into_iter()
                .flat_map(crate::instance::Values::iter)
            {
                all.entry(name.to_owned()).or_insert_with(|| value.clone());
            }
            match self.state.elements.get(&at) {
                Some(element) if at != ROOT && element.process.is_none() => at = element.scope,
                _ => return all,
            }
        }
    }

    /// In how many called processes an element stands.
    fn calls_around(&self, key: Key) -> usize {
        let (mut at, mut depth) = (key, 0);
        while let Some(element) = self.state.elements.get(&at).filter(|_| at != ROOT) {
            depth += usize::from(element.process.is_some());
            at = element.scope;
        }
        depth
    }
}
