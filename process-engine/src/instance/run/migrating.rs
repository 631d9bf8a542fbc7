//! Over to another version of the model.

use std::{collections::BTreeMap, sync::Arc};

use super::{Run, waiting::events_of};
use crate::{
    instance::{
        ROOT,
        command::Rejection,
        event::Event,
        migration::{Plan, new_scopes, plan, triggers, validate},
        words::Key,
    },
    model::{ElementId, NodeIx, NodeKind, Process, ProcessRef},
};

impl Run<'_> {
    /// Goes over to another model, with everything that runs.
    pub(crate) fn migrate(
        &mut self,
        (to, version): (&ProcessRef, u32),
        named: &[(ElementId, ElementId)],
        reason: &str,
    ) -> Result<(), Rejection> {
        let from = self.process_in(ROOT)?;
        if from.reference == *to {
            return Err(Rejection::Invalid {
                reason: "the instance follows this model already".to_owned(),
            });
        }
        let to = self.process(to)?;
        if !to.executable {
            return Err(Rejection::NotExecutable {
                process: to.reference.process.to_string(),
            });
        }
        let plan = plan(&from, &to, named);
        let findings = validate(self.state, &from, &to, &plan);
        if !findings.is_empty() {
            return Err(Rejection::CannotMigrate { findings });
        }
        self.emit(Event::ProcessMigrated {
            to: to.reference.clone(),
            version,
            elements: plan.renamed_elements(),
            flows: plan.renamed_flows(),
            reason: reason.to_owned(),
        });
        self.move_into_new_scopes(&to)?;
        self.adjust_waits(&from, &to, &plan);
        self.wake()
    }

    /// What stands in a sub-process of the new model that was not there before is moved into it.
    fn move_into_new_scopes(&mut self, to: &Arc<Process>) -> Result<(), Rejection> {
        let mut opened: BTreeMap<(Key, NodeIx), Key> = BTreeMap::new();
        let own: Vec<Key> = self.own_elements();
        for key in own {
            let Some(element) = self.state.elements.get(&key).filter(|element| element.round.is_none()) else {
                continue;
            };
            let (old_scope, id) = (element.scope, element.element.clone());
            let around = (old_scope != ROOT)
                .then(|| {
                    self.state
                        .elements
                        .get(&old_scope)
                        .and_then(|around| to.find(&around.element))
                })
                .flatten();
            let Some(at) = to.find(&id) else { continue };
            let mut scope = old_scope;
            for between in new_scopes(to, at, around).unwrap_or_default() {
                let place = (scope, between);
                scope = if let Some(open) = opened.get(&place) {
                    *open
                } else {
                    self.open_scope(to, between, scope)?
                };
                opened.insert(place, scope);
            }
            if scope != old_scope {
                self.emit(Event::ElementMoved { key, scope });
            }
        }
        Ok(())
    }

    /// Everything that stands in the instance's own process, without what stands in called ones.
    fn own_elements(&self) -> Vec<Key> {
        let keys = self.state.elements.keys().copied();
        keys.filter(|key| *key != ROOT && self.state.is_of_own_process(*key))
            .collect()
    }

    /// Events on borders and of event sub-processes that are gone are not waited for any more; new ones are.
    fn adjust_waits(&mut self, from: &Process, to: &Arc<Process>, plan: &Plan) {
        // An event that was there before waits as it did, or has happened already.
        let is_known = |id: &ElementId| {
            let old = plan
                .elements
                .iter()
                .find(|(_, new)| *new == id)
                .and_then(|(old, _)| from.find(old));
            let new = to.find(id);
            old.zip(new)
                .is_some_and(|(old, new)| triggers(&from.node(old).kind) == triggers(&to.node(new).kind))
        };
        let mut hosts = self.own_elements();
        hosts.insert(0, ROOT);
        for host in hosts {
            let Some(element) = self.state.elements.get(&host) else {
                continue;
            };
            if element.round.is_some() && !is_level(to, &element.element) {
                continue;
            }
            let at = (host != ROOT).then(|| to.find(&element.element)).flatten();
            let expected = events_of(to, at, element.rounds.is_some(), element.round.is_some());
            // What starts an event sub-process of a called process is no matter of this model.
            let is_call = host != ROOT && element.process.is_some();
            let called = is_call.then(|| self.process_in(host).ok()).flatten();
            let is_called = |id: &ElementId| {
                let called = called.as_ref().and_then(|called| Some((called, called.find(id)?)));
                called.is_some_and(|(called, at)| matches!(called.node(at).kind, NodeKind::Start { .. }))
            };
            let vanished: Vec<Key> = self
                .state
                .waits
                .iter()
                .filter(|(_, wait)| wait.owner == host && (host == ROOT || wait.element != element.element))
                .filter(|(_, wait)| {
                    if is_called(&wait.element) {
                        return false;
                    }
                    let is_expected = expected.iter().any(|event| to.node(*event).id == wait.element);
                    !is_expected || !is_known(&wait.element)
                })
                .map(|(key, _)| *key)
                .collect();
            for key in vanished {
                self.emit(Event::WaitEnded { key });
            }
            for event in expected {
                let id = &to.node(event).id;
                if !is_known(id)
                    && let Err(stuck) = self.open_event(to, event, host)
                {
                    self.stuck_before(host, id, stuck);
                }
            }
        }
    }
}

fn is_level(process: &Process, id: &ElementId) -> bool {
    process.find(id).is_some_and(|at| !process.node(at).children.is_empty())
}
