//! A level is played through in all ways: joins that never get their tokens, and states that nothing leads out of.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{
    Said,
    net::{MAX_TOKENS, Marking, Net, Step},
};
use crate::{
    finding::Severity,
    model::{NodeIx, NodeKind},
};

/// So many states of one level are looked at. A level of fifteen tasks at once has 30,000; what has more is not searched to
/// its end, and that is said.
pub(super) const MAX_STATES: usize = 30_000;

/// So much memory is spent on the states of one level: a state has a byte for each flow.
const MAX_STATE_BYTES: usize = 32 * 1024 * 1024;

/// How many states of a level with so many flows are looked at.
fn most_states(net: &Net<'_>) -> usize {
    MAX_STATES.min(MAX_STATE_BYTES / net.size().max(1))
}

/// What was seen of a level.
struct Seen {
    /// States, each with those that lead to it.
    before: Vec<Vec<usize>>,
    /// States from which everything ends in one step, or that are over.
    ends: Vec<usize>,
    /// Nodes that did something.
    moved: HashSet<NodeIx>,
    /// Joins at which tokens were stuck, in some state.
    stuck: HashSet<NodeIx>,
    /// Joins that some but not all tokens came to.
    waited: HashSet<NodeIx>,
    complete: bool,
}

/// The states that are known, and those that were not yet played on from.
#[derive(Default)]
struct States {
    numbers: HashMap<Marking, usize>,
    open: VecDeque<(usize, Marking)>,
}

impl States {
    fn number_of(&mut self, marking: Marking, before: &mut Vec<Vec<usize>>) -> usize {
        if let Some(known) = self.numbers.get(&marking) {
            return *known;
        }
        let number = before.len();
        before.push(Vec::new());
        self.numbers.insert(marking.clone(), number);
        self.open.push_back((number, marking));
        number
    }
}

/// Plays a level through and says what is wrong with it.
pub(super) fn look(said: &mut Said<'_, '_>, level: Option<NodeIx>) {
    let net = Net::new(said.process, level);
    if !net.is_known() {
        return;
    }
    let beginnings = net.beginnings(level);
    let count = beginnings.len();
    let seen = play(said, &net, beginnings);
    let Some(place) = level.or_else(|| net.nodes.first().copied()) else {
        return;
    };
    if !seen.complete {
        let most = most_states(&net);
        said.say(
            "not-searched",
            Severity::Warning,
            place,
            format!("This level has more than {most} states, or tokens without end; whether it always ends was not searched."),
            format!("此层级的状态超过 {most} 个,或令牌可能无限增加;未能检查它是否总能结束。"),
        );
        return;
    }
    let never: Vec<NodeIx> = seen
        .waited
        .iter()
        .copied()
        .filter(|join| !seen.moved.contains(join))
        .collect();
    for join in in_order(said, never.iter().copied()) {
        let label = said.label(join);
        said.say(
            "join-never",
            Severity::Error,
            join,
            format!("{label} can never get a token on each of its flows: it waits for ever. Join with an exclusive gateway."),
            format!("{label} 永远等不齐所有流入的令牌;请改用排他网关汇合。"),
        );
    }
    let may_stick = seen.stuck.iter().copied().filter(|join| !never.contains(join));
    for join in in_order(said, may_stick) {
        let label = said.label(join);
        said.say(
            "join-may-wait",
            Severity::Warning,
            join,
            format!("{label} may wait for a token that never comes, depending on the conditions before it."),
            format!("{label} 可能因前面的条件而永远等不到某个令牌。"),
        );
    }
    if !never.is_empty() || count == 0 {
        return;
    }
    let can_end = leading_to(&seen.before, &seen.ends);
    if (0..count).all(|state| !can_end.contains(&state)) {
        said.say(
            "never-ends",
            Severity::Error,
            place,
            "This level can never come to an end.".to_owned(),
            "此层级永远无法结束。".to_owned(),
        );
    } else if seen.stuck.is_empty() && can_end.len() < seen.before.len() {
        said.say(
            "may-never-end",
            Severity::Warning,
            place,
            "There are ways through this level that never come to an end.".to_owned(),
            "此层级存在永远无法结束的路径。".to_owned(),
        );
    }
}

fn in_order(said: &Said<'_, '_>, nodes: impl Iterator<Item = NodeIx>) -> Vec<NodeIx> {
    let mut nodes: Vec<NodeIx> = nodes.collect();
    nodes.sort_by_key(|at| said.process.node(*at).place);
    nodes
}

fn play(said: &Said<'_, '_>, net: &Net<'_>, beginnings: Vec<Marking>) -> Seen {
    let mut seen = Seen {
        before: Vec::new(),
        ends: Vec::new(),
        moved: HashSet::new(),
        stuck: HashSet::new(),
        waited: HashSet::new(),
        complete: true,
    };
    let mut states = States::default();
    for marking in beginnings {
        states.number_of(marking, &mut seen.before);
    }
    let most = most_states(net);
    while let Some((state, marking)) = states.open.pop_front() {
        if seen.before.len() > most || marking.contains(&MAX_TOKENS) {
            seen.complete = false;
            break;
        }
        if marking.iter().all(|tokens| *tokens == 0) {
            seen.ends.push(state);
            continue;
        }
        let mut moved = false;
        for at in &net.nodes {
            if seen.before.len() > most {
                break;
            }
            let steps = net.steps(*at, &marking);
            if steps.is_empty() {
                seen.waited.extend(net.waits_at(*at, &marking).then_some(*at));
                continue;
            }
            moved = true;
            seen.moved.insert(*at);
            for step in steps {
                match step {
                    Step::To(marking) => {
                        let after = states.number_of(marking, &mut seen.before);
                        seen.before[after].push(state);
                    }
                    Step::End => seen.ends.push(state),
                }
            }
        }
        if !moved {
            let stuck = net.nodes.iter().copied().filter(|at| net.waits_at(*at, &marking));
            seen.stuck
                .extend(stuck.filter(|at| matches!(said.process.node(*at).kind, NodeKind::Parallel | NodeKind::Inclusive)));
        }
    }
    seen
}

/// The states from which one of these can be reached.
fn leading_to(before: &[Vec<usize>], ends: &[usize]) -> HashSet<usize> {
    let mut found: HashSet<usize> = HashSet::new();
    let mut open: Vec<usize> = ends.to_vec();
    while let Some(state) = open.pop() {
        if found.insert(state) {
            open.extend(&before[state]);
        }
    }
    found
}
