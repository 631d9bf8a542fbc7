//! Where a move leads: in which scope it takes place, and the way down to its target.

use std::sync::Arc;

use super::Run;
use crate::{
    instance::{ROOT, command::Rejection, words::Key},
    model::{ElementId, NodeIx, NodeKind, Process, Repetition, SubProcess},
};

/// The way from a scope down to a node: the sub-processes that must begin anew, and the node itself.
pub(crate) type Path = Vec<NodeIx>;

impl Run<'_> {
    /// The innermost scope that holds all of these and in whose process, at any depth, an element stands; and the way there.
    pub(super) fn common_scope(
        &self,
        keys: &[Key],
        to: &ElementId,
        needs_done: bool,
    ) -> Result<Option<(Key, Arc<Process>, Path)>, Rejection> {
        let mut scope = match keys.first() {
            Some(first) => {
                self.state
                    .elements
                    .get(first)
                    .ok_or(Rejection::NothingThere { key: *first })?
                    .scope
            }
            None => ROOT,
        };
        loop {
            let element = self
                .state
                .elements
                .get(&scope)
                .ok_or(Rejection::NothingThere { key: scope })?;
            let holds_all = keys.iter().all(|key| self.state.is_within(*key, scope));
            if holds_all && element.rounds.is_none() && (!needs_done || self.was_done_around(scope, to)) {
                let process = self.process_in(scope)?;
                if let Some(path) = self.path_to(&process, scope, to)? {
                    return Ok(Some((scope, process, path)));
                }
            }
            if scope == ROOT {
                return Ok(None);
            }
            scope = element.scope;
        }
    }

    /// The scope and the ways of a jump.
    pub(super) fn jump_scope(&self, from: &[Key], to: &[ElementId]) -> Result<(Key, Arc<Process>, Vec<Path>), Rejection> {
        let mut keys = from.to_vec();
        if keys.is_empty() {
            // From nowhere in particular: into the one place where the targets belong.
            keys.extend(self.place_of(to)?);
        }
        let mut outermost: Option<(Key, Arc<Process>)> = None;
        for element in to {
            let Some((scope, process, path)) = self.common_scope(&keys, element, false)? else {
                return Err(Rejection::NoSuchElement {
                    element: element.to_string(),
                });
            };
            may_begin(&process, &path)?;
            // All of these scopes hold what is given up: the outermost, which is the oldest, holds all targets.
            if outermost.as_ref().is_none_or(|(known, _)| scope < *known) {
                outermost = Some((scope, process));
            }
        }
        let (scope, process) = outermost.ok_or(Rejection::NobodyNamed)?;
        let mut paths = Vec::new();
        for element in to {
            let path = self.path_to(&process, scope, element)?;
            paths.push(path.ok_or_else(|| Rejection::NoSuchElement {
                element: element.to_string(),
            })?);
        }
        Ok((scope, process, paths))
    }

    /// Something that stands in the only scope where elements belong; nothing, if that is the instance itself.
    fn place_of(&self, to: &[ElementId]) -> Result<Vec<Key>, Rejection> {
        let Some(first) = to.first() else {
            return Err(Rejection::NobodyNamed);
        };
        let mut places = Vec::new();
        for (key, element) in self.state.elements.iter().filter(|(_, element)| element.rounds.is_none()) {
            if *key == ROOT || element.inside == 0 {
                continue;
            }
            let process = self.process_in(*key)?;
            let level = self.level_node(*key)?;
            if process.find(first).is_some_and(|at| process.node(at).parent == level) {
                places.push(*key);
            }
        }
        match places.as_slice() {
            [] => Ok(Vec::new()),
            [one] => Ok(self.state.children(*one).map(|(key, _)| key).take(1).collect()),
            _ => Err(Rejection::CannotBegin {
                element: first.to_string(),
                reason: "there are several places where it belongs; say from where the token comes".to_owned(),
            }),
        }
    }

    /// The way from a scope down to an element of the same process; none, if it does not stand in it.
    pub(crate) fn path_to(&self, process: &Process, scope: Key, to: &ElementId) -> Result<Option<Path>, Rejection> {
        let Some(mut at) = process.find(to) else {
            return Ok(None);
        };
        let level = self.level_node(scope)?;
        let mut path = vec![at];
        while process.node(at).parent != level {
            let Some(parent) = process.node(at).parent else {
                return Ok(None);
            };
            at = parent;
            path.push(at);
        }
        path.reverse();
        let around = &path[..path.len() - 1];
        for at in around {
            let node = process.node(*at);
            let is_repeated = node
                .activity
                .as_ref()
                .is_some_and(|activity| !matches!(activity.repetition, Repetition::Once));
            if is_repeated || matches!(node.kind, NodeKind::SubProcess(SubProcess::Event)) {
                return Err(Rejection::CannotBegin {
                    element: to.to_string(),
                    reason: format!("it stands in {}, which is over and does not begin in its midst", node.id),
                });
            }
        }
        Ok(Some(path))
    }

    /// The child of a scope that another element is or stands in.
    pub(super) fn child_that_holds(&self, scope: Key, key: Key) -> Option<Key> {
        let mut at = key;
        loop {
            let element = self.state.elements.get(&at)?;
            if element.scope == scope {
                return Some(at);
            }
            if at == ROOT {
                return None;
            }
            at = element.scope;
        }
    }

    /// The activity as a whole that an element belongs to: a round's is its scope.
    pub(crate) fn activity_of(&self, key: Key) -> Key {
        match self.state.elements.get(&key) {
            Some(element) if element.round.is_some() => element.scope,
            _ => key,
        }
    }

    /// Whether an element was done in the process that a scope belongs to: here, or when what it stands in was done before.
    fn was_done_around(&self, scope: Key, to: &ElementId) -> bool {
        let scope = self.process_scope(scope);
        self.state
            .done
            .iter()
            .any(|(at, done)| done.iter().any(|(element, _)| element == to) && self.state.is_within(*at, scope))
    }
}

/// Whether tokens may be put on the last node of a way by hand.
fn may_begin(process: &Process, path: &[NodeIx]) -> Result<(), Rejection> {
    let Some(at) = path.last() else { return Ok(()) };
    let node = process.node(*at);
    let reason = match &node.kind {
        NodeKind::Boundary { .. } => "it begins only with what it is attached to",
        NodeKind::SubProcess(SubProcess::Event) => "it begins only by its event",
        NodeKind::Start { catch, .. } if !catch.triggers.is_empty() => "it begins only by its event",
        _ => return Ok(()),
    };
    Err(Rejection::CannotBegin {
        element: node.id.to_string(),
        reason: reason.to_owned(),
    })
}
