//! Changes by hand: elements are given up, others begin, tokens are placed.

use std::sync::Arc;

use super::{Arrival, Run};
use crate::{
    instance::{
        ROOT,
        command::{Change, Rejection},
        event::Event,
        words::{Bindings, Key},
    },
    model::{NodeIx, NodeKind, Process, Repetition, SubProcess},
};

/// The most changes of one command: more than anybody writes by hand.
pub(crate) const MAX_CHANGES: usize = 500;

impl Run<'_> {
    /// An element is given up; whoever was to be asked again after it is asked now.
    fn give_up(&mut self, key: Key) -> Result<(), Rejection> {
        let back = self.state.straight_back.get(&key).cloned().unwrap_or_default();
        self.cancel(key);
        self.come_back(&back)
    }

    /// Makes the changes in their order, all or none.
    pub(crate) fn modify(&mut self, changes: &[Change], reason: &str) -> Result<(), Rejection> {
        if changes.is_empty() {
            return Err(Rejection::Invalid {
                reason: "no change is named".to_owned(),
            });
        }
        if changes.len() > MAX_CHANGES {
            return Err(Rejection::TooMuch {
                what: "the list of changes".to_owned(),
                limit: MAX_CHANGES,
            });
        }
        self.by_hand(reason);
        for change in changes {
            match change {
                Change::GiveUp { key } if *key == ROOT || !self.state.elements.contains_key(key) => {
                    return Err(Rejection::NothingThere { key: *key });
                }
                Change::GiveUp { key } => self.give_up(*key)?,
                Change::Begin {
                    element,
                    scope,
                    variables,
                } => self.begin_by_hand(element, *scope, variables)?,
                Change::Place { flow, scope } => self.place_by_hand(flow, *scope)?,
            }
        }
        Ok(())
    }

    fn begin_by_hand(&mut self, element: &str, scope: Option<Key>, variables: &Bindings) -> Result<(), Rejection> {
        let process = self.process_with(scope, |process| process.find(element).is_some())?;
        let at = process
            .as_ref()
            .and_then(|process| Some((Arc::clone(process), process.find(element)?)));
        let Some((process, at)) = at else {
            return Err(Rejection::NoSuchElement {
                element: element.to_owned(),
            });
        };
        if let Some(reason) = why_not(&process, at) {
            return Err(Rejection::CannotBegin {
                element: element.to_owned(),
                reason: reason.to_owned(),
            });
        }
        let scope = self.scope_by_hand(&process, process.node(at).parent, scope, element)?;
        self.enter_with(&process, at, scope, (Vec::new(), None), variables.clone())?;
        Ok(())
    }

    fn place_by_hand(&mut self, flow: &crate::model::ElementId, scope: Option<Key>) -> Result<(), Rejection> {
        let process = self.process_with(scope, |process| process.find_flow(flow).is_some())?;
        let found = process.and_then(|process| process.find_flow(flow).map(|at| (process, at)));
        let Some((process, at)) = found else {
            return Err(Rejection::NoSuchElement {
                element: flow.to_string(),
            });
        };
        let parent = process.node(process.flow(at).source).parent;
        let scope = self.scope_by_hand(&process, parent, scope, flow)?;
        self.emit(Event::TokenPlaced {
            scope,
            flow: flow.clone(),
        });
        self.arrivals.push_back(Arrival { scope, flow: at });
        self.touched.insert(scope);
        Ok(())
    }

    /// The process of a scope; none is named: the instance's own, or the called one that has what is looked for.
    fn process_with(&self, scope: Option<Key>, has: impl Fn(&Process) -> bool) -> Result<Option<Arc<Process>>, Rejection> {
        if let Some(scope) = scope {
            return Ok(Some(self.process_in(scope)?).filter(|process| has(process)));
        }
        let references: Vec<_> = self
            .state
            .elements
            .values()
            .filter_map(|element| element.process.clone())
            .collect();
        for reference in references {
            let process = self.process(&reference)?;
            if has(&process) {
                return Ok(Some(process));
            }
        }
        Ok(None)
    }

    /// The scope in which something of this level begins: the one that is named, the only one there is, or a new one.
    fn scope_by_hand(
        &mut self,
        process: &Arc<Process>,
        level: Option<NodeIx>,
        named: Option<Key>,
        what: &str,
    ) -> Result<Key, Rejection> {
        let cannot = |reason: String| Rejection::CannotBegin {
            element: what.to_owned(),
            reason,
        };
        let open = self.open_scopes(process, level);
        if let Some(named) = named {
            return if open.contains(&named) {
                Ok(named)
            } else {
                Err(cannot(format!("it does not belong into what runs under the key {named}")))
            };
        }
        match (open.as_slice(), level) {
            ([only], _) => Ok(*only),
            ([], None) => Err(cannot("its process does not run".to_owned())),
            ([], Some(level)) => {
                let node = process.node(level);
                let is_plain = matches!(
                    node.kind,
                    NodeKind::SubProcess(SubProcess::Embedded | SubProcess::Transaction | SubProcess::AdHoc(_))
                );
                let is_repeated = node
                    .activity
                    .as_ref()
                    .is_some_and(|activity| !matches!(activity.repetition, Repetition::Once));
                if !is_plain || is_repeated {
                    return Err(cannot(format!("{} around it must be begun as a whole", node.id)));
                }
                let outer = self.scope_by_hand(process, node.parent, None, what)?;
                self.open_scope(process, level, outer)
            }
            (several, _) => Err(cannot(format!("there are several scopes for it; name one of {several:?}"))),
        }
    }

    /// The scopes in which the nodes of a level stand now.
    fn open_scopes(&self, process: &Process, level: Option<NodeIx>) -> Vec<Key> {
        let is_scope = |key: Key| {
            let Some(element) = self.state.elements.get(&key) else {
                return false;
            };
            match level {
                None => element.process.as_ref() == Some(&process.reference),
                Some(level) => {
                    key != ROOT
                        && element.rounds.is_none()
                        && element.element == process.node(level).id
                        && self.state.process_of(element.scope) == Some(&process.reference)
                }
            }
        };
        self.state.elements.keys().copied().filter(|key| is_scope(*key)).collect()
    }

    /// A sub-process begins without its start event: something in it begins by hand.
    pub(super) fn open_scope(&mut self, process: &Arc<Process>, at: NodeIx, outer: Key) -> Result<Key, Rejection> {
        let key = self.next_key();
        self.emit(Event::ElementEntered {
            key,
            element: process.node(at).id.clone(),
            scope: outer,
            flows: Vec::new(),
            round: None,
        });
        if let Some(activity) = &process.node(at).activity
            && let Err(stuck) = self.own_variables(key, &activity.data, &activity.inputs)
        {
            return Err(Rejection::CannotBegin {
                element: process.node(at).id.to_string(),
                reason: stuck.message,
            });
        }
        if let Err(stuck) = self.open_borders(process, at, key) {
            return Err(Rejection::CannotBegin {
                element: process.node(at).id.to_string(),
                reason: stuck.message,
            });
        }
        self.open_level_events(process, Some(at), key);
        Ok(key)
    }
}

/// Why a node cannot be begun by hand.
fn why_not(process: &Process, at: NodeIx) -> Option<&'static str> {
    let node = process.node(at);
    match &node.kind {
        NodeKind::Boundary { .. } => Some("it begins when its event happens"),
        NodeKind::SubProcess(SubProcess::Event) => Some("it begins when its start event happens"),
        NodeKind::Start { catch, .. } if !catch.triggers.is_empty() && node.parent.is_some() => {
            Some("it begins when its event happens")
        }
        _ if node.activity.as_ref().is_some_and(|activity| activity.for_compensation) => {
            Some("it is begun only to compensate something")
        }
        _ => None,
    }
}
