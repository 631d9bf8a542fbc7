//! Moves by hand: 退回, 撤回, 驳回 to a node, 自由跳转. What a move leaves in place is said in [`marking`](super::marking).

use std::sync::Arc;

use super::{
    Run,
    marking::{Level, Marking},
    ways::Path,
};
use crate::{
    instance::{
        command::Rejection,
        event::Event,
        words::{Back, Key, MoveKind, Resume},
    },
    model::{ElementId, NodeIx, NodeKind, Process, Spot, SubProcess},
};

/// A move: where, why, and how it goes on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moving<'a> {
    pub(crate) kind: MoveKind,
    pub(crate) resume: Resume,
    pub(crate) reason: &'a str,
}

impl Run<'_> {
    /// 退回: gives up an activity and begins one that was done before it.
    pub(crate) fn return_to(&mut self, source: Key, to: &ElementId, moving: Moving<'_>) -> Result<(), Rejection> {
        let from = self
            .state
            .elements
            .get(&source)
            .ok_or(Rejection::NothingThere { key: source })?;
        if from.compensation.is_some() {
            return Err(Rejection::NotDoneBefore { element: to.to_string() });
        }
        let from = from.element.clone();
        let needs_done = moving.kind != MoveKind::Reject;
        let Some((scope, process, path)) = self.common_scope(&[source], to, needs_done)? else {
            return Err(Rejection::NotDoneBefore { element: to.to_string() });
        };
        let targets: Vec<NodeIx> = path.first().copied().into_iter().collect();
        let level = self.level(&process, scope, &targets)?;
        let here = self.child_that_holds(scope, source).unwrap_or(source);
        let (_, at) = self.node_of(here)?;
        let is_beside = targets
            .iter()
            .any(|target| level.beside.stands_when_begins(&process, Spot::Node(at), *target));
        if is_beside && at != targets[0] {
            return Err(Rejection::StandsBeside {
                element: to.to_string(),
                other: from.to_string(),
            });
        }
        if moving.resume == Resume::Again {
            let marking = self.marking(&level, &[here]);
            self.keep_runs_apart(&level, &marking)?;
            return self.go(&process, scope, &[path], marking, moving, None);
        }
        self.return_straight(&process, scope, path, source, to, moving)
    }

    /// 退回 with 直达退回人: everything stays but the activity itself, which begins again as soon as the target is done.
    fn return_straight(
        &mut self,
        process: &Arc<Process>,
        scope: Key,
        path: Path,
        source: Key,
        to: &ElementId,
        moving: Moving<'_>,
    ) -> Result<(), Rejection> {
        let Some(element) = self.state.elements.get(&source) else {
            return Err(Rejection::NothingThere { key: source });
        };
        let mut back = vec![Back {
            scope: element.scope,
            element: element.element.clone(),
            then: self.state.straight_back.get(&source).cloned(),
        }];
        if path.len() == 1 && element.element == *to {
            return Err(Rejection::DoneAlready { element: to.to_string() });
        }
        let mut from = vec![source];
        // Two who return to the same step share it.
        let first = path.first().map(|at| process.node(*at).id.clone());
        let open = self
            .state
            .children(scope)
            .find(|(_, open)| Some(&open.element) == first.as_ref())
            .map(|(key, _)| key);
        if let Some(open) = open.filter(|open| *open != source && !self.state.is_within(source, *open)) {
            let Some(others) = self.state.straight_back.get(&open) else {
                return Err(Rejection::DoneAlready { element: to.to_string() });
            };
            back.extend(others.iter().cloned());
            from.push(open);
        }
        let marking = Marking {
            from,
            ..Marking::default()
        };
        self.go(process, scope, &[path], marking, moving, Some(&back))
    }

    /// 撤回: an activity that was done begins again; whatever came of it is given up.
    pub(crate) fn take_back(&mut self, scope: Key, to: &ElementId, moving: Moving<'_>) -> Result<(), Rejection> {
        let process = self.process_in(scope)?;
        let path = self
            .path_to(&process, scope, to)?
            .ok_or_else(|| Rejection::NotDoneBefore { element: to.to_string() })?;
        let targets: Vec<NodeIx> = path.first().copied().into_iter().collect();
        let level = self.level(&process, scope, &targets)?;
        let marking = self.marking(&level, &[]);
        self.keep_runs_apart(&level, &marking)?;
        self.go(&process, scope, &[path], marking, moving, None)
    }

    /// 自由跳转: gives up these elements, and whatever cannot stand beside those that begin.
    pub(crate) fn jump(&mut self, from: &[Key], to: &[ElementId], reason: &str) -> Result<(), Rejection> {
        let (scope, process, paths) = self.jump_scope(from, to)?;
        let targets = heads(&paths);
        let level = self.level(&process, scope, &targets)?;
        stand_together(&level)?;
        let give_up: Vec<Key> = from.iter().map(|key| self.activity_of(*key)).collect();
        let compensates = |key: &&Key| {
            self.state
                .elements
                .get(key)
                .is_some_and(|element| element.compensation.is_some())
        };
        if let Some(key) = give_up.iter().find(compensates) {
            return Err(Rejection::CannotBegin {
                element: to.first().map(ToString::to_string).unwrap_or_default(),
                reason: format!("{key} compensates something and must be done first"),
            });
        }
        let marking = self.marking(&level, &give_up);
        self.keep_runs_apart(&level, &marking)?;
        let moving = Moving {
            kind: MoveKind::Jump,
            resume: Resume::Again,
            reason,
        };
        self.go(&process, scope, &paths, marking, moving, None)
    }

    /// Makes the move: one event says what is given up, then the targets begin.
    fn go(
        &mut self,
        process: &Arc<Process>,
        scope: Key,
        paths: &[Path],
        marking: Marking,
        moving: Moving<'_>,
        back: Option<&[Back]>,
    ) -> Result<(), Rejection> {
        let restored = marking.restored.clone();
        // What is left empty around something that was given up deeper inside is done.
        let around = marking.from.iter().filter_map(|key| self.state.elements.get(key));
        let around: Vec<Key> = around.map(|element| element.scope).collect();
        self.touched.extend(around);
        let gives_up_interruption =
            self.is_interrupted(process, scope) && marking.from.iter().any(|key| self.interrupts_level(process, *key, scope));
        let mut to: Vec<ElementId> = Vec::new();
        for path in paths {
            to.extend(
                path.first()
                    .map(|at| process.node(*at).id.clone())
                    .filter(|id| !to.contains(id)),
            );
        }
        self.emit(Event::TokensMoved {
            from: marking.from,
            flows: marking.flows,
            to: to.clone(),
            scope,
            kind: moving.kind,
            resume: moving.resume,
            by: self.context.actor.clone(),
            reason: moving.reason.to_owned(),
            at: self.context.now,
            placed: marking.placed,
            undone: marking.undone,
            back: back.map(<[Back]>::to_vec),
        });
        self.touched.insert(scope);
        if gives_up_interruption {
            // Its event can happen again, now that the level goes on.
            let node = self.level_node(scope)?;
            self.open_level_events(process, node, scope);
        }
        let straight = back.is_some();
        for head in to {
            let tails: Vec<&[NodeIx]> = paths
                .iter()
                .filter(|path| path.first().is_some_and(|at| process.node(*at).id == head))
                .map(|path| &path[1..])
                .collect();
            let Some(at) = process.find(&head) else { continue };
            if tails.iter().any(|tail| tail.is_empty()) {
                self.asked_again.insert(self.next_key());
                self.enter(process, at, scope, Vec::new(), None)?;
            } else {
                let inner = self.open_scope(process, at, scope)?;
                let paths: Vec<Path> = tails.into_iter().map(<[NodeIx]>::to_vec).collect();
                let targets = heads(&paths);
                // Who comes straight back from there needs nothing beside it.
                let marking = if straight {
                    Marking::default()
                } else {
                    let level = self.level(process, inner, &targets)?;
                    stand_together(&level)?;
                    self.marking(&level, &[])
                };
                self.go(process, inner, &paths, marking, moving, straight.then_some(&[]))?;
            }
        }
        for back in restored {
            self.go_back(&back)?;
        }
        Ok(())
    }

    /// Whether an element of a scope is an event sub-process that has interrupted it.
    fn interrupts_level(&self, process: &Process, key: Key, scope: Key) -> bool {
        let Some(element) = self.state.elements.get(&key).filter(|element| element.scope == scope) else {
            return false;
        };
        let at = process.find(&element.element);
        at.is_some_and(|at| matches!(process.node(at).kind, NodeKind::SubProcess(SubProcess::Event)))
    }

    /// An event on the border ends an activity that was to go straight back: it cannot any more. From here on the way of
    /// the model is gone, and whatever cannot stand beside it is given up.
    pub(super) fn leave_straight_way(&mut self, process: &Arc<Process>, border: NodeIx, host: Key) -> Result<(), Rejection> {
        if !self.state.straight_back.contains_key(&host) {
            return Ok(());
        }
        let Some(scope) = self.state.elements.get(&host).map(|element| element.scope) else {
            return Ok(());
        };
        let marking = self.marking(&self.level(process, scope, &[border])?, &[host]);
        let moving = Moving {
            kind: MoveKind::Straight,
            resume: Resume::Again,
            reason: "",
        };
        self.go(process, scope, &[], marking, moving, None)
    }

    /// Straight back to where it was returned from: an element is done and lets no token out.
    pub(super) fn go_straight_back(&mut self, key: Key, scope: Key, back: &[Back]) -> Result<(), Rejection> {
        self.emit(Event::ElementLeft { key, flows: Vec::new() });
        self.touched.insert(scope);
        self.come_back(back)
    }

    /// Those who returned something are asked again.
    pub(super) fn come_back(&mut self, back: &[Back]) -> Result<(), Rejection> {
        back.iter().try_for_each(|back| self.go_back(back))
    }

    fn go_back(&mut self, back: &Back) -> Result<(), Rejection> {
        if !self.state.elements.contains_key(&back.scope) {
            return Ok(());
        }
        let process = self.process_in(back.scope)?;
        let Some(at) = process.find(&back.element) else {
            return Ok(());
        };
        self.emit(Event::TokensMoved {
            from: Vec::new(),
            flows: Vec::new(),
            to: vec![back.element.clone()],
            scope: back.scope,
            kind: MoveKind::Straight,
            resume: Resume::Straight,
            by: self.context.actor.clone(),
            reason: String::new(),
            at: self.context.now,
            placed: Vec::new(),
            undone: Vec::new(),
            back: back.then.clone(),
        });
        self.asked_again.insert(self.next_key());
        self.enter(&process, at, back.scope, Vec::new(), None)?;
        Ok(())
    }
}

/// What begins on a level: the first nodes of these ways, each once.
fn heads(paths: &[Path]) -> Vec<NodeIx> {
    let mut heads: Vec<NodeIx> = paths.iter().filter_map(|path| path.first().copied()).collect();
    heads.sort_unstable();
    heads.dedup();
    heads
}

/// Whether all that is to begin can be done at the same time.
fn stand_together(level: &Level<'_>) -> Result<(), Rejection> {
    for (count, one) in level.targets.iter().enumerate() {
        for other in &level.targets[count + 1..] {
            if !level.beside.stands_when_begins(level.process, Spot::Node(*one), *other) {
                return Err(Rejection::CannotBegin {
                    element: level.process.node(*other).id.to_string(),
                    reason: format!("it cannot be done beside {}", level.process.node(*one).id),
                });
            }
        }
    }
    Ok(())
}
