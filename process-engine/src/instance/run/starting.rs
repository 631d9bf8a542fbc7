//! An instance begins.

use super::Run;
use crate::{
    instance::{
        ROOT,
        command::{Rejection, StartedBy},
        event::Event,
        words::{Bindings, Person},
    },
    model::ProcessRef,
};

impl Run<'_> {
    /// Starts the instance: it is pinned to this process.
    pub(crate) fn start(
        &mut self,
        (process, version): (&ProcessRef, u32),
        starter: Option<&Person>,
        business_key: Option<&str>,
        variables: &Bindings,
        by: &StartedBy,
    ) -> Result<(), Rejection> {
        if self.state.started.is_some() {
            return Err(Rejection::AlreadyStarted);
        }
        let found = self
            .context
            .outside
            .process(process)
            .ok_or_else(|| Rejection::NoSuchProcess {
                model: process.model.to_string(),
                process: process.process.to_string(),
            })?;
        if !found.executable {
            return Err(Rejection::NotExecutable {
                process: process.process.to_string(),
            });
        }
        let mut all: Bindings = found
            .data
            .iter()
            .map(|object| (object.name.clone(), object.initial.clone()))
            .collect();
        all.extend(variables.iter().map(|(name, value)| (name.clone(), value.clone())));
        self.emit(Event::ProcessStarted {
            process: process.clone(),
            version,
            starter: starter.cloned(),
            business_key: business_key.map(str::to_owned),
            variables: all,
            at: self.context.now,
        });
        match by {
            StartedBy::Somebody => {
                // A level never meets an obstacle of its own: each of its nodes does.
                let _ = self.begin_level(&found, None, ROOT)?;
            }
            other => {
                return Err(Rejection::NoSuchStart {
                    by: format!("{other:?}"),
                });
            }
        }
        Ok(())
    }
}
