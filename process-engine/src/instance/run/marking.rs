//! What a move leaves in place: the one rule for returns, withdrawals and jumps (docs/decisions/0009-returns.md).
//!
//! A scope goes over to a marking in which the target has a token. Whatever could stand beside the target stays; all else
//! is before or after it, would be done again or left over, and is given up. A join on the target's way that waits for a
//! branch which has gone through it already gets a token from that branch: it counts as done.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Run,
    arriving::{leads_in_the_same_run, leads_to},
};
use crate::{
    instance::{
        command::Rejection,
        words::{Back, Key},
    },
    model::{Beside, ElementId, FlowIx, NodeIx, NodeKind, Process, Spot, SubProcess},
};

/// What a move changes in a scope, besides what begins.
#[derive(Debug, Default)]
pub(super) struct Marking {
    /// Elements that are given up.
    pub(super) from: Vec<Key>,
    /// Flows whose waiting tokens are taken, each as often as tokens stand there.
    pub(super) flows: Vec<(Key, ElementId)>,
    /// Flows before joins on which a token is put.
    pub(super) placed: Vec<(Key, ElementId)>,
    /// Elements whose being done counts no more.
    pub(super) undone: Vec<ElementId>,
    /// Elements that others were to go straight back to, and that begin again at once.
    pub(super) restored: Vec<Back>,
}

/// A level of a process as it stands in a scope, and where it is to stand.
pub(crate) struct Level<'a> {
    pub(crate) process: &'a Arc<Process>,
    pub(crate) node: Option<NodeIx>,
    pub(crate) scope: Key,
    pub(crate) beside: Beside,
    /// What begins.
    pub(crate) targets: &'a [NodeIx],
}

impl Level<'_> {
    /// Whether something could hold a token beside all that begins.
    fn stays(&self, spot: Spot) -> bool {
        let free = matches!(spot, Spot::Node(at) if stands_free(self.process, at));
        free || self
            .targets
            .iter()
            .all(|target| self.beside.stands_when_begins(self.process, spot, *target))
    }

    /// The node of this level that a node is or stands in.
    pub(crate) fn on_level(&self, at: NodeIx) -> Option<NodeIx> {
        let mut at = at;
        loop {
            let parent = self.process.node(at).parent;
            if parent == self.node {
                return Some(at);
            }
            at = parent?;
        }
    }
}

impl Run<'_> {
    /// The level of a process that stands in a scope, and what is to begin there.
    pub(crate) fn level<'a>(&self, process: &'a Arc<Process>, scope: Key, targets: &'a [NodeIx]) -> Result<Level<'a>, Rejection> {
        let node = self.level_node(scope)?;
        Ok(Level {
            process,
            node,
            scope,
            beside: Beside::of(process, node),
            targets,
        })
    }

    /// The sub-process that a scope is; none: a process of its own.
    pub(super) fn level_node(&self, scope: Key) -> Result<Option<NodeIx>, Rejection> {
        let is_process = self
            .state
            .elements
            .get(&scope)
            .is_some_and(|element| element.process.is_some());
        if is_process {
            return Ok(None);
        }
        Ok(Some(self.node_of(scope)?.1))
    }

    /// What changes in a scope when the targets begin there and these elements are given up in any case.
    pub(super) fn marking(&self, level: &Level<'_>, give_up: &[Key]) -> Marking {
        let mut marking = Marking::default();
        let mut kept: Vec<Spot> = Vec::new();
        let mut kept_keys: BTreeSet<Key> = BTreeSet::new();
        let mut has_lost = false;
        for (key, element) in self.state.children(level.scope) {
            let spot = level.process.find(&element.element).map(Spot::Node);
            let stays = spot.is_some_and(|spot| level.stays(spot));
            has_lost |= stays && give_up.contains(&key);
            match spot.filter(|_| stays && !give_up.contains(&key)) {
                Some(spot) => {
                    kept.push(spot);
                    kept_keys.insert(key);
                }
                None => marking.from.push(key),
            }
        }
        // What is given up deeper inside of something that stays.
        let deeper = give_up
            .iter()
            .filter(|key| kept_keys.iter().any(|outer| self.state.is_within(**key, *outer)));
        marking.from.extend(deeper);
        self.look_at_straight_ways(level, &kept_keys, &mut kept, &mut marking);
        for (flow, count) in self.state.tokens.of(level.scope) {
            match level
                .process
                .find_flow(flow)
                .map(Spot::Flow)
                .filter(|spot| level.stays(*spot))
            {
                Some(spot) => kept.push(spot),
                None => marking
                    .flows
                    .extend(std::iter::repeat_n((level.scope, flow.clone()), count as usize)),
            }
        }
        marking.placed = missing(level, &kept, has_lost)
            .into_iter()
            .map(|flow| (level.scope, level.process.flow(flow).id.clone()))
            .collect();
        marking.undone = self.undone(level);
        marking
    }

    /// Refuses a move that would tear several runs of the same nodes apart: an event on a border that does not interrupt may
    /// let a second token into a split before the first one has left its join. What stays of both could not be told apart
    /// there, and one token would wait for ever.
    pub(super) fn keep_runs_apart(&self, level: &Level<'_>, marking: &Marking) -> Result<(), Rejection> {
        let process = level.process;
        let at_node = |key: &Key| {
            let element = self.state.elements.get(key)?;
            process.find(&element.element).map(Spot::Node)
        };
        let stays = |key: &Key| !marking.from.contains(key) && !self.state.straight_back.contains_key(key);
        let children = self.state.children(level.scope).map(|(key, _)| key);
        let (left, gone): (Vec<Key>, Vec<Key>) = children.partition(stays);
        let mut standing: Vec<Spot> = left.iter().filter_map(at_node).collect();
        let mut moved: Vec<Spot> = gone.iter().filter_map(at_node).collect();
        moved.extend(level.targets.iter().map(|target| Spot::Node(*target)));
        for (flow, count) in self.state.tokens.of(level.scope) {
            let Some(spot) = process.find_flow(flow).map(Spot::Flow) else {
                continue;
            };
            if marking.flows.iter().any(|(_, taken)| taken == flow) {
                moved.push(spot);
            } else {
                standing.extend(std::iter::repeat_n(spot, count as usize));
            }
        }
        let joins = process.level(level.node).iter().copied().filter(|at| {
            let node = process.node(*at);
            matches!(node.kind, NodeKind::Parallel) && node.incoming.len() > 1
        });
        for join in joins {
            let incoming = &process.node(join).incoming;
            let leads = leads_to(process, join, incoming);
            let comes = |spot: &Spot| match spot {
                Spot::Node(at) => leads[at.0 as usize],
                Spot::Flow(at) => incoming.contains(at) || leads[process.flow(*at).target.0 as usize],
            };
            if !moved.iter().any(comes) {
                continue;
            }
            let here: Vec<Spot> = standing.iter().copied().filter(comes).collect();
            let of_two_runs =
                |(place, one): (usize, &Spot)| here[place + 1..].iter().any(|other| !level.beside.are(*one, *other));
            if here.iter().enumerate().any(of_two_runs) {
                return Err(Rejection::SeveralRuns {
                    join: process.node(join).id.to_string(),
                });
            }
        }
        Ok(())
    }

    /// Whoever stands in for an element that it goes straight back to shares its lot.
    fn look_at_straight_ways(&self, level: &Level<'_>, kept_keys: &BTreeSet<Key>, kept: &mut Vec<Spot>, marking: &mut Marking) {
        for (owner, ways) in self.state.straight_back.iter() {
            let stays: Vec<bool> = ways.iter().map(|back| self.back_stays(level, back, kept_keys)).collect();
            let owner_goes = marking.from.iter().any(|key| self.state.is_within(*owner, *key));
            // One who lets no token out at all is of no use to a join beside it.
            let is_dead_end = ways.is_empty()
                && self
                    .state
                    .elements
                    .get(owner)
                    .is_some_and(|element| element.scope == level.scope);
            if !owner_goes && !is_dead_end && stays.iter().all(|stays| *stays) {
                let all = ways.iter().flat_map(Back::and_then);
                let here = all.filter(|back| back.scope == level.scope);
                kept.extend(here.filter_map(|back| level.process.find(&back.element)).map(Spot::Node));
                continue;
            }
            if !owner_goes {
                marking.from.push(*owner);
                let here = self.state.elements.get(owner).filter(|element| element.scope == level.scope);
                let spot = here.and_then(|element| level.process.find(&element.element)).map(Spot::Node);
                kept.retain(|kept| Some(*kept) != spot);
            }
            let restored = ways.iter().zip(stays).filter(|(_, stays)| *stays);
            marking.restored.extend(restored.map(|(back, _)| back.clone()));
        }
        kept.extend(
            marking
                .restored
                .iter()
                .flat_map(Back::and_then)
                .filter(|back| back.scope == level.scope)
                .filter_map(|back| level.process.find(&back.element))
                .map(Spot::Node),
        );
    }

    /// Whether an element that is gone back to could still begin, and what it goes back to in turn.
    fn back_stays(&self, level: &Level<'_>, back: &Back, kept_keys: &BTreeSet<Key>) -> bool {
        back.and_then().into_iter().all(|back| self.one_stays(level, back, kept_keys))
    }

    fn one_stays(&self, level: &Level<'_>, back: &Back, kept_keys: &BTreeSet<Key>) -> bool {
        if back.scope == level.scope {
            return level
                .process
                .find(&back.element)
                .is_some_and(|at| level.stays(Spot::Node(at)));
        }
        if !self.state.elements.contains_key(&back.scope) {
            return false;
        }
        // In something that stays, or nowhere near.
        !self.state.is_within(back.scope, level.scope) || kept_keys.iter().any(|key| self.state.is_within(back.scope, *key))
    }

    /// What was done after the targets, and would be done again.
    fn undone(&self, level: &Level<'_>) -> Vec<ElementId> {
        let done: Vec<&(ElementId, Key)> = self
            .state
            .done
            .iter()
            .filter(|(scope, _)| self.state.is_within(**scope, level.scope) || self.state.stands_around(**scope, level.scope))
            .flat_map(|(_, done)| done)
            .collect();
        let mut undone = Vec::new();
        for target in level.targets {
            let since = done.iter().filter(|(element, _)| {
                let at = level.process.find(element).and_then(|at| level.on_level(at));
                at == Some(*target)
            });
            let since = since.map(|(_, at)| *at).min();
            let ahead = reached_from(level.process, *target);
            for (element, at) in &done {
                let Some(node) = level.process.find(element).and_then(|at| level.on_level(at)) else {
                    continue;
                };
                let is_after = since.map_or(ahead[node.0 as usize], |since| *at >= since);
                if is_after && !level.stays(Spot::Node(node)) && !undone.contains(element) {
                    undone.push(element.clone());
                }
            }
        }
        undone
    }
}

/// Whether a node is not on any way of its level: event sub-processes that interrupt nothing, and what compensates.
fn stands_free(process: &Process, at: NodeIx) -> bool {
    let node = process.node(at);
    if node.activity.as_ref().is_some_and(|activity| activity.for_compensation) {
        return true;
    }
    let interrupts = |child: &NodeIx| matches!(process.node(*child).kind, NodeKind::Start { interrupting: true, .. });
    matches!(node.kind, NodeKind::SubProcess(SubProcess::Event)) && !node.children.iter().any(interrupts)
}

/// The flows on which tokens must be put so that every join on the way can begin: of what begins; and of what stays, if
/// something beside it was given up.
fn missing(level: &Level<'_>, kept: &[Spot], has_lost: bool) -> Vec<FlowIx> {
    let process = level.process;
    let mut missing = Vec::new();
    for join in process.level(level.node) {
        let node = process.node(*join);
        if !matches!(node.kind, NodeKind::Parallel) || node.incoming.len() < 2 || level.targets.contains(join) {
            continue;
        }
        let mut needed: Vec<FlowIx> = Vec::new();
        for target in level.targets {
            let beside = |flow: &FlowIx| level.beside.stands_when_begins(process, Spot::Flow(*flow), *target);
            needed.extend(needed_beside(process, *join, Spot::Node(*target), &beside));
        }
        for spot in kept.iter().filter(|_| has_lost) {
            let beside = |flow: &FlowIx| level.beside.are(Spot::Flow(*flow), *spot);
            needed.extend(needed_beside(process, *join, *spot, &beside));
        }
        for flow in needed {
            if !missing.contains(&flow) && !is_supplied(level, *join, flow, kept) {
                missing.push(flow);
            }
        }
    }
    missing
}

/// The flows before a join on which others must put tokens, if this one comes to the join.
fn needed_beside(process: &Process, join: NodeIx, spot: Spot, beside: &dyn Fn(&FlowIx) -> bool) -> Vec<FlowIx> {
    let incoming = &process.node(join).incoming;
    let (mut others, mut own): (Vec<FlowIx>, Vec<FlowIx>) = incoming.iter().copied().partition(beside);
    if others.is_empty() {
        return others;
    }
    if own.is_empty() {
        // Several runs of the same branches can be here at once, so each flow can stand beside each: what is whose is told
        // by the way alone.
        let is_on_the_way = |flow: &FlowIx| comes(process, spot, &[*flow], &leads_in_the_same_run(process, join, &[*flow]));
        (own, others) = others.into_iter().partition(is_on_the_way);
    }
    if comes(process, spot, &own, &leads_to(process, join, &own)) {
        others
    } else {
        Vec::new()
    }
}

/// Whether something stands on one of these flows or comes to them, as they are led to.
fn comes(process: &Process, spot: Spot, flows: &[FlowIx], leads: &[bool]) -> bool {
    match spot {
        Spot::Node(at) => leads[at.0 as usize],
        Spot::Flow(at) => flows.contains(&at) || leads[process.flow(at).target.0 as usize],
    }
}

/// Whether something that stays or begins will put a token on a flow before a join, or has.
fn is_supplied(level: &Level<'_>, join: NodeIx, flow: FlowIx, kept: &[Spot]) -> bool {
    let process = level.process;
    let leads = leads_in_the_same_run(process, join, &[flow]);
    let comes = |spot: Spot| match spot {
        Spot::Flow(at) if at == flow => true,
        Spot::Flow(at) => leads[process.flow(at).target.0 as usize] && !level.beside.are(spot, Spot::Flow(flow)),
        Spot::Node(at) => leads[at.0 as usize] && !level.beside.are(spot, Spot::Flow(flow)),
    };
    let begins = level.targets.iter().map(|target| Spot::Node(*target));
    kept.iter().copied().chain(begins).any(comes)
}

/// For each node whether a way leads there from this one.
pub(super) fn reached_from(process: &Process, from: NodeIx) -> Vec<bool> {
    let mut reached = vec![false; process.nodes.len()];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if std::mem::replace(&mut reached[at.0 as usize], true) {
            continue;
        }
        let node = process.node(at);
        open.extend(node.outgoing.iter().map(|flow| process.flow(*flow).target));
        open.extend(node.boundary.iter().copied());
    }
    reached
}
