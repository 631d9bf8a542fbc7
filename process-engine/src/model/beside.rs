//! What can stand beside what: which nodes and flows of a level can hold tokens at the same time.
//!
//! This is the concurrency relation of the level, found by a fixpoint over pairs (Kovalyov and Esparza): what one step
//! puts down together stands side by side; what stands beside all that a step takes stands beside all that it puts down.
//! For sound models it is exact. It does not mind loops, of which reachability alone can say nothing.

use super::{FlowIx, NodeIx, NodeKind, Process, SubProcess, ThrowResult, Trigger};

/// Something that can hold a token: a node that is being done, or a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// A node.
    Node(NodeIx),
    /// A flow.
    Flow(FlowIx),
}

/// A step of a token: from where, to where. It needs one token from each place that it takes from.
struct Step {
    takes: Vec<usize>,
    puts: Vec<usize>,
}

/// Which places of a process can hold tokens at the same time. Places of different levels are not compared.
#[derive(Debug)]
pub struct Beside {
    nodes: usize,
    words_per_row: usize,
    bits: Vec<u64>,
}

impl Beside {
    /// Of a level: of a sub-process, or of the process itself.
    pub fn of(process: &Process, level: Option<NodeIx>) -> Self {
        let nodes = process.nodes.len();
        let places = nodes + process.flows.len();
        let words_per_row = places.div_ceil(64);
        let mut beside = Self {
            nodes,
            words_per_row,
            bits: vec![0; words_per_row * places],
        };
        let steps = beside.steps(process, level);
        beside.close(&steps, places);
        beside
    }

    /// Whether both can hold tokens at the same time.
    pub fn are(&self, one: Spot, other: Spot) -> bool {
        self.has(self.index(one), self.index(other))
    }

    /// Whether something can hold a token at the moment when this node begins.
    pub fn stands_when_begins(&self, process: &Process, spot: Spot, begins: NodeIx) -> bool {
        let node = process.node(begins);
        if node.incoming.is_empty() {
            return self.are(spot, Spot::Node(begins));
        }
        node.incoming.iter().any(|flow| self.are(spot, Spot::Flow(*flow)))
    }

    fn index(&self, spot: Spot) -> usize {
        match spot {
            Spot::Node(node) => node.0 as usize,
            Spot::Flow(flow) => self.nodes + flow.0 as usize,
        }
    }

    fn has(&self, one: usize, other: usize) -> bool {
        self.bits[one * self.words_per_row + other / 64] & (1 << (other % 64)) != 0
    }

    /// Notes a pair; says whether it is new.
    fn note(&mut self, one: usize, other: usize) -> bool {
        if self.has(one, other) {
            return false;
        }
        self.bits[one * self.words_per_row + other / 64] |= 1 << (other % 64);
        self.bits[other * self.words_per_row + one / 64] |= 1 << (one % 64);
        true
    }

    /// Every step that a token can take on the level.
    fn steps(&self, process: &Process, level: Option<NodeIx>) -> Vec<Step> {
        let mut steps = Vec::new();
        let starts: Vec<usize> = begins_with(process, level).iter().map(|at| at.0 as usize).collect();
        steps.push(Step {
            takes: Vec::new(),
            puts: starts,
        });
        for at in process.level(level) {
            self.steps_of(process, *at, &mut steps);
        }
        steps
    }

    fn steps_of(&self, process: &Process, at: NodeIx, steps: &mut Vec<Step>) {
        let node = process.node(at);
        let here = at.0 as usize;
        let place = |flow: &FlowIx| self.nodes + flow.0 as usize;
        let incoming: Vec<usize> = node.incoming.iter().map(place).collect();
        // An event on the border that does not interrupt can let a token out as soon as its activity has begun.
        let mut begun = vec![here];
        for event in &node.boundary {
            match &process.node(*event).kind {
                NodeKind::Boundary { interrupting: false, .. } => begun.push(event.0 as usize),
                _ => steps.push(one_to_one(here, event.0 as usize)),
            }
        }
        if matches!(node.kind, NodeKind::Parallel | NodeKind::Inclusive) && !incoming.is_empty() {
            steps.push(Step {
                takes: incoming,
                puts: begun,
            });
        } else {
            steps.extend(incoming.into_iter().map(|flow| Step {
                takes: vec![flow],
                puts: begun.clone(),
            }));
            if node.incoming.is_empty() && begun.len() > 1 {
                // What begins with its level has its border at once as well.
                steps.push(Step {
                    takes: Vec::new(),
                    puts: begun,
                });
            }
        }
        let outgoing: Vec<usize> = node.outgoing.iter().map(place).collect();
        if matches!(node.kind, NodeKind::Exclusive | NodeKind::EventBased { parallel: false, .. }) {
            steps.extend(outgoing.into_iter().map(|flow| one_to_one(here, flow)));
        } else if !outgoing.is_empty() {
            steps.push(Step {
                takes: vec![here],
                puts: outgoing,
            });
        }
        for link in linked(process, at) {
            steps.push(one_to_one(here, link.0 as usize));
        }
    }

    /// Adds pairs until no step gives another.
    fn close(&mut self, steps: &[Step], places: usize) {
        let mut taken_by: Vec<Vec<usize>> = vec![Vec::new(); places];
        let mut open: Vec<(usize, usize)> = Vec::new();
        for (number, step) in steps.iter().enumerate() {
            for place in &step.takes {
                taken_by[*place].push(number);
            }
            for (count, one) in step.puts.iter().enumerate() {
                for other in &step.puts[count + 1..] {
                    if one != other && self.note(*one, *other) {
                        open.push((*one, *other));
                    }
                }
            }
        }
        while let Some((one, other)) = open.pop() {
            for (taken, beside) in [(one, other), (other, one)] {
                for step in taken_by[taken].iter().map(|number| &steps[*number]) {
                    if !step.takes.iter().all(|place| self.has(*place, beside)) {
                        continue;
                    }
                    for put in &step.puts {
                        if self.note(*put, beside) {
                            open.push((*put, beside));
                        }
                    }
                }
            }
        }
    }
}

fn one_to_one(from: usize, to: usize) -> Step {
    Step {
        takes: vec![from],
        puts: vec![to],
    }
}

/// The nodes with which a level begins, all at once.
fn begins_with(process: &Process, level: Option<NodeIx>) -> Vec<NodeIx> {
    let nodes = process.level(level);
    let has_start = nodes
        .iter()
        .any(|at| matches!(process.node(*at).kind, NodeKind::Start { .. }));
    let by_itself = |at: &&NodeIx| {
        let node = process.node(**at);
        let is_handler = node.activity.as_ref().is_some_and(|activity| activity.for_compensation);
        let is_elsewhere = matches!(node.kind, NodeKind::Boundary { .. } | NodeKind::SubProcess(SubProcess::Event));
        node.incoming.is_empty() && !is_handler && !is_elsewhere && linked_from(process, **at).is_none()
    };
    // Several start events are several ways to begin, one at a time.
    if has_start {
        return Vec::new();
    }
    nodes.iter().filter(by_itself).copied().collect()
}

/// The catching links that a throwing link leads to.
fn linked(process: &Process, at: NodeIx) -> Vec<NodeIx> {
    let node = process.node(at);
    let NodeKind::Throw(throw) = &node.kind else {
        return Vec::new();
    };
    let names: Vec<&String> = throw
        .results
        .iter()
        .filter_map(|result| match result {
            ThrowResult::Link(name) => Some(name),
            _ => None,
        })
        .collect();
    let mut found = Vec::new();
    if !names.is_empty() {
        found.extend(
            process
                .level(node.parent)
                .iter()
                .copied()
                .filter(|other| linked_from(process, *other).is_some_and(|name| names.contains(&name))),
        );
    }
    found
}

/// The name of the link that leads to a node.
fn linked_from(process: &Process, at: NodeIx) -> Option<&String> {
    let NodeKind::Catch(catch) = &process.node(at).kind else {
        return None;
    };
    catch.triggers.iter().find_map(|trigger| match trigger {
        Trigger::Link(name) => Some(name),
        _ => None,
    })
}
