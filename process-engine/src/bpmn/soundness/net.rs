//! A level as a game of tokens: what each node may do with the tokens on its flows, whatever its conditions say.
//!
//! Activities are done in one step, sub-processes as well: they are levels of their own. Quantities are not looked at.

use std::collections::{HashMap, HashSet};

use super::reach::{arrives, entries, links_of, starts};
use crate::model::{Activity, FlowIx, MultiBehavior, NodeIx, NodeKind, Process, Repetition, ThrowResult, Trigger};

/// Tokens on flows: for each flow of the level how many.
pub(super) type Marking = Box<[u8]>;

/// More tokens than these on one flow are not counted on: then the level may fill up without end.
pub(super) const MAX_TOKENS: u8 = 8;

/// Nodes with more ways out than these are not tried in all combinations.
const MAX_COMBINED: usize = 6;

/// More ways on from one node than these are not tried in all combinations: each event on a border doubles them.
const MAX_WAYS: usize = 1 << MAX_COMBINED;

/// A level.
pub(super) struct Net<'p> {
    process: &'p Process,
    pub(super) nodes: Vec<NodeIx>,
    places: HashMap<FlowIx, usize>,
    flows: Vec<FlowIx>,
    /// For each inclusive join and each of its flows: by place, whether a token there could still arrive.
    upstream: HashMap<FlowIx, Box<[bool]>>,
    /// For each event that a link leads to: those that it comes from.
    linked_from: HashMap<NodeIx, Vec<NodeIx>>,
}

/// What a node does in one step: the tokens that are left, or the end of everything.
pub(super) enum Step {
    To(Marking),
    End,
}

impl<'p> Net<'p> {
    pub(super) fn new(process: &'p Process, level: Option<NodeIx>) -> Self {
        let nodes = process.level(level).to_vec();
        let flows: Vec<FlowIx> = nodes
            .iter()
            .flat_map(|at| process.node(*at).outgoing.iter().copied())
            .collect();
        let places = flows.iter().enumerate().map(|(place, flow)| (*flow, place)).collect();
        let mut net = Self {
            process,
            nodes,
            places,
            flows,
            upstream: HashMap::new(),
            linked_from: HashMap::new(),
        };
        for at in &net.nodes {
            for link in links_of(&process.node(*at).kind) {
                let targets = net.nodes.iter().filter(|other| arrives(process, **other, link));
                for target in targets {
                    net.linked_from.entry(*target).or_default().push(*at);
                }
            }
        }
        for at in net.nodes.clone() {
            let node = process.node(at);
            if matches!(node.kind, NodeKind::Inclusive) && node.incoming.len() > 1 {
                for flow in &node.incoming {
                    let before = net.before(*flow, at);
                    net.upstream.insert(*flow, before);
                }
            }
        }
        net
    }

    /// How many flows the level has.
    pub(super) fn size(&self) -> usize {
        self.flows.len()
    }

    /// Whether there are nodes whose ways are not known here.
    pub(super) fn is_known(&self) -> bool {
        let complex = |at: &NodeIx| matches!(self.process.node(*at).kind, NodeKind::Complex { activation: Some(_) });
        !self.nodes.iter().any(complex)
    }

    /// The flows from which a token could come to a flow without passing a node.
    fn before(&self, flow: FlowIx, without: NodeIx) -> Box<[bool]> {
        let mut found = vec![false; self.flows.len()];
        let mut open = vec![self.process.flow(flow).source];
        let mut seen = HashSet::from([without]);
        while let Some(at) = open.pop() {
            if !seen.insert(at) {
                continue;
            }
            let node = self.process.node(at);
            for place in node.incoming.iter().filter_map(|flow| self.places.get(flow)) {
                found[*place] = true;
            }
            open.extend(node.incoming.iter().map(|flow| self.process.flow(*flow).source));
            if let NodeKind::Boundary { attached_to, .. } = node.kind {
                open.push(attached_to);
            }
            // What a link brings comes from wherever it leaves.
            open.extend(self.linked_from.get(&at).into_iter().flatten());
        }
        found.into()
    }

    /// The tokens that the level may begin with: each start event begins alone, what has no flow in begins together.
    pub(super) fn beginnings(&self, level: Option<NodeIx>) -> Vec<Marking> {
        let entries = entries(self.process, level);
        let nothing: Marking = vec![0; self.flows.len()].into();
        let (alone, together): (Vec<NodeIx>, Vec<NodeIx>) = entries.into_iter().partition(|at| starts(self.process, *at));
        let mut markings = Vec::new();
        for at in alone {
            markings.extend(self.leave(at, &nothing).into_iter().filter_map(Step::marking));
        }
        if !together.is_empty() && markings.is_empty() {
            let mut some = vec![nothing];
            for at in together {
                some = some
                    .iter()
                    .flat_map(|marking| self.leave(at, marking))
                    .filter_map(Step::marking)
                    .collect();
            }
            markings = some;
        }
        markings
    }

    /// What a node may do with these tokens; nothing, if it cannot do anything.
    pub(super) fn steps(&self, at: NodeIx, marking: &Marking) -> Vec<Step> {
        let node = self.process.node(at);
        let holds = |flow: &FlowIx| self.places.get(flow).is_some_and(|place| marking[*place] > 0);
        let take = |flows: &[FlowIx]| {
            let mut left = marking.clone();
            for flow in flows {
                if let Some(place) = self.places.get(flow) {
                    left[*place] -= 1;
                }
            }
            left
        };
        match node.kind {
            NodeKind::Parallel => {
                if node.incoming.is_empty() || !node.incoming.iter().all(holds) {
                    return Vec::new();
                }
                self.leave(at, &take(&node.incoming))
            }
            NodeKind::Inclusive if node.incoming.len() > 1 => {
                let here: Vec<FlowIx> = node.incoming.iter().filter(|flow| holds(flow)).copied().collect();
                let may_come = |flow: &FlowIx| {
                    let before = self.upstream.get(flow);
                    let comes = |before: &[bool]| before.iter().zip(marking).any(|(leads, tokens)| *leads && *tokens > 0);
                    !holds(flow) && before.is_some_and(|before| comes(before))
                };
                if here.is_empty() || node.incoming.iter().any(may_come) {
                    return Vec::new();
                }
                self.leave(at, &take(&here))
            }
            _ => {
                let with_token = node.incoming.iter().filter(|flow| holds(flow));
                with_token.flat_map(|flow| self.leave(at, &take(&[*flow]))).collect()
            }
        }
    }

    /// Whether a token waits on one of a node's flows.
    pub(super) fn waits_at(&self, at: NodeIx, marking: &Marking) -> bool {
        let incoming = &self.process.node(at).incoming;
        incoming
            .iter()
            .any(|flow| self.places.get(flow).is_some_and(|place| marking[*place] > 0))
    }

    /// The ways on from a node.
    fn leave(&self, at: NodeIx, marking: &Marking) -> Vec<Step> {
        let node = self.process.node(at);
        if ends_all(&node.kind) {
            return vec![Step::End];
        }
        let links: Vec<NodeIx> = links_of(&node.kind)
            .flat_map(|link| self.nodes.iter().filter(move |other| arrives(self.process, **other, link)))
            .copied()
            .collect();
        if !links.is_empty() {
            return links.into_iter().flat_map(|target| self.leave(target, marking)).collect();
        }
        let mut ways = self.choices(at);
        let throws = throws_each_round(node.activity.as_deref());
        for border in &node.boundary {
            let NodeKind::Boundary { interrupting, catch, .. } = &self.process.node(*border).kind else {
                continue;
            };
            if catch.triggers.iter().any(|trigger| matches!(trigger, Trigger::Compensation)) {
                continue; // No token leaves by it.
            }
            let extra = self.choices(*border);
            if *interrupting && !throws {
                ways.extend(extra);
            } else {
                // Of too many ways, what leaves by the border is tried beside the first one only.
                let tried = if ways.len() > MAX_WAYS { 1 } else { ways.len() };
                let both = ways[..tried]
                    .iter()
                    .flat_map(|way| extra.iter().map(move |more| [way.as_slice(), more].concat()));
                let both: Vec<Vec<FlowIx>> = both.collect();
                ways.extend(both);
            }
        }
        ways.into_iter().map(|way| Step::To(self.put(marking, &way))).collect()
    }

    fn put(&self, marking: &Marking, flows: &[FlowIx]) -> Marking {
        let mut marking = marking.clone();
        for place in flows.iter().filter_map(|flow| self.places.get(flow)) {
            marking[*place] = marking[*place].saturating_add(1).min(MAX_TOKENS);
        }
        marking
    }

    /// The sets of flows that may be taken.
    fn choices(&self, at: NodeIx) -> Vec<Vec<FlowIx>> {
        let node = self.process.node(at);
        let all = node.outgoing.clone();
        match node.kind {
            _ if all.is_empty() => vec![Vec::new()],
            NodeKind::Exclusive => all.into_iter().map(|flow| vec![flow]).collect(),
            NodeKind::EventBased { parallel, .. } if !parallel => all.into_iter().map(|flow| vec![flow]).collect(),
            NodeKind::Parallel | NodeKind::EventBased { .. } => vec![all],
            NodeKind::Inclusive | NodeKind::Complex { .. } => combinations(&all, &[]),
            _ => {
                let optional = |flow: &FlowIx| self.process.flow(*flow).condition.is_some() || node.default == Some(*flow);
                let (optional, always): (Vec<FlowIx>, Vec<FlowIx>) = all.into_iter().partition(optional);
                if optional.is_empty() {
                    vec![always]
                } else {
                    combinations(&optional, &always)
                }
            }
        }
    }
}

impl Step {
    fn marking(self) -> Option<Marking> {
        match self {
            Self::To(marking) => Some(marking),
            Self::End => None,
        }
    }
}

/// Whether rounds of an activity throw events to its border, which do not interrupt it.
fn throws_each_round(activity: Option<&Activity>) -> bool {
    let Some(Repetition::Multi(multi)) = activity.map(|activity| &activity.repetition) else {
        return false;
    };
    !matches!(multi.behavior, MultiBehavior::All)
}

/// Whether everything of the level ends there.
fn ends_all(kind: &NodeKind) -> bool {
    let NodeKind::End(throw) = kind else { return false };
    let last = |result: &ThrowResult| matches!(result, ThrowResult::Terminate | ThrowResult::Error(_) | ThrowResult::Cancel);
    throw.results.iter().any(last)
}

/// All sets of some flows with those that are always taken, but not the empty one. Of too many: each alone, and all.
fn combinations(some: &[FlowIx], always: &[FlowIx]) -> Vec<Vec<FlowIx>> {
    let mut sets: Vec<Vec<FlowIx>> = if some.len() > MAX_COMBINED {
        let each = some.iter().map(|flow| vec![*flow]);
        each.chain([some.to_vec()]).collect()
    } else {
        let picked = |bits: u32| {
            some.iter()
                .enumerate()
                .filter(move |(at, _)| bits & (1 << at) != 0)
                .map(|(_, flow)| *flow)
        };
        (1..1u32 << some.len()).map(|bits| picked(bits).collect()).collect()
    };
    if !always.is_empty() {
        sets.push(Vec::new());
        for set in &mut sets {
            set.extend(always);
        }
    }
    sets
}
