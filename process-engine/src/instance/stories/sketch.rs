//! Models in a few words, for stories: nodes by name, flows from one to the next.

use std::{collections::HashMap, sync::Arc};

use crate::{
    expression::Expression,
    model::{
        Activity, Candidates, Catch, Flow, FlowIx, Multi, MultiBehavior, Node, NodeIx, NodeKind, Over, Place, Process,
        ProcessRef, Repetition, Strategy, SubProcess, Task, Text, Throw, Timer, TimerCalendar, TimerKind, Trigger, UserTask,
        VoteRule, Work,
    },
};

/// A model that is being sketched. Nodes that are not drawn when a flow names them are none-tasks.
pub(crate) struct Sketch {
    nodes: Vec<Node>,
    flows: Vec<Flow>,
    parent: Option<NodeIx>,
    pub(crate) deduplicate: crate::model::Deduplicate,
}

pub(crate) fn plain(text: &str) -> Text {
    Text::Plain(text.into())
}

/// A task of one person.
pub(crate) fn of(person: &str) -> UserTask {
    UserTask {
        assignee: Some(plain(person)),
        ..UserTask::default()
    }
}

/// A task for whoever these rules find.
pub(crate) fn by(strategy: Strategy, parameter: &str) -> UserTask {
    UserTask {
        candidates: vec![Candidates {
            strategy,
            parameter: Some(plain(parameter)),
        }],
        ..UserTask::default()
    }
}

pub(crate) fn days(count: u32, calendar: TimerCalendar) -> Timer {
    Timer {
        kind: TimerKind::Duration(plain(&format!("P{count}D"))),
        calendar,
        pausable: true,
    }
}

impl Sketch {
    pub(crate) fn new() -> Self {
        Self {
            nodes: Vec::new(),
            flows: Vec::new(),
            parent: None,
            deduplicate: crate::model::Deduplicate::Never,
        }
    }

    fn find(&self, id: &str) -> Option<NodeIx> {
        let at = self.nodes.iter().position(|node| &*node.id == id)?;
        u32::try_from(at).ok().map(NodeIx)
    }

    pub(crate) fn node(&mut self, id: &str, kind: NodeKind) -> NodeIx {
        let at = NodeIx(u32::try_from(self.nodes.len()).unwrap());
        let is_activity = matches!(kind, NodeKind::Task(_) | NodeKind::SubProcess(_) | NodeKind::Call(_));
        self.nodes.push(Node {
            id: id.into(),
            name: Some(id.to_owned()),
            kind,
            parent: self.parent,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            default: None,
            activity: is_activity.then(|| Box::new(Activity::default())),
            boundary: Vec::new(),
            children: Vec::new(),
            documentation: None,
            legal_basis: None,
            place: Place::default(),
        });
        if let Some(parent) = self.parent {
            self.nodes[parent.0 as usize].children.push(at);
        }
        at
    }

    pub(crate) fn user(&mut self, id: &str, user: UserTask) -> &mut Self {
        self.node(
            id,
            NodeKind::Task(Task {
                work: Work::User(Box::new(user)),
            }),
        );
        self
    }

    /// 会签, 或签, 依次审批 by these people.
    pub(crate) fn vote(&mut self, id: &str, people: &str, sequential: bool, rule: Option<VoteRule>) -> &mut Self {
        self.vote_of(id, by(Strategy::User, people), sequential, rule)
    }

    pub(crate) fn vote_of(&mut self, id: &str, user: UserTask, sequential: bool, rule: Option<VoteRule>) -> &mut Self {
        self.user(id, user);
        let node = self.nodes.last_mut().unwrap();
        node.activity.as_mut().unwrap().repetition = Repetition::Multi(Box::new(Multi {
            sequential,
            over: Over::Approvers,
            element_variable: None,
            index_variable: None,
            output: None,
            completion: None,
            behavior: MultiBehavior::All,
            vote: rule,
        }));
        self
    }

    pub(crate) fn parallel(&mut self, id: &str) -> &mut Self {
        self.node(id, NodeKind::Parallel);
        self
    }

    pub(crate) fn inclusive(&mut self, id: &str) -> &mut Self {
        self.node(id, NodeKind::Inclusive);
        self
    }

    pub(crate) fn exclusive(&mut self, id: &str) -> &mut Self {
        self.node(id, NodeKind::Exclusive);
        self
    }

    /// A timer of so many days on the border of what was drawn last.
    pub(crate) fn border(&mut self, id: &str, count: u32, interrupting: bool) -> &mut Self {
        let host = NodeIx(u32::try_from(self.nodes.len() - 1).unwrap());
        let timer = days(count, TimerCalendar::Natural);
        let catch = Catch {
            triggers: vec![Trigger::Timer(timer)],
            ..Catch::default()
        };
        let border = self.node(
            id,
            NodeKind::Boundary {
                attached_to: host,
                interrupting,
                catch,
            },
        );
        self.nodes[host.0 as usize].boundary.push(border);
        self
    }

    /// A sub-process that begins by itself after so many days, drawn by what follows until [`Self::end_level`].
    pub(crate) fn event_level(&mut self, id: &str, start: &str, count: u32, interrupting: bool) -> &mut Self {
        let at = self.node(id, NodeKind::SubProcess(SubProcess::Event));
        self.parent = Some(at);
        let catch = Catch {
            triggers: vec![Trigger::Timer(days(count, TimerCalendar::Natural))],
            ..Catch::default()
        };
        self.node(start, NodeKind::Start { catch, interrupting });
        self
    }

    /// An embedded sub-process, drawn by what follows until [`Self::end_level`].
    pub(crate) fn level(&mut self, id: &str) -> &mut Self {
        let at = self.node(id, NodeKind::SubProcess(SubProcess::Embedded));
        self.parent = Some(at);
        self
    }

    pub(crate) fn end_level(&mut self) -> &mut Self {
        self.parent = self.parent.and_then(|parent| self.nodes[parent.0 as usize].parent);
        self
    }

    pub(crate) fn start(&mut self, id: &str) -> &mut Self {
        self.node(
            id,
            NodeKind::Start {
                catch: Catch::default(),
                interrupting: true,
            },
        );
        self
    }

    pub(crate) fn end(&mut self, id: &str) -> &mut Self {
        self.node(id, NodeKind::End(Throw::default()));
        self
    }

    /// Flows along a line of nodes; what is not drawn yet is drawn as a task of one person of the same name.
    pub(crate) fn line(&mut self, ids: &[&str]) -> &mut Self {
        for pair in ids.windows(2) {
            self.flow(pair[0], pair[1], None);
        }
        self
    }

    pub(crate) fn flow(&mut self, from: &str, to: &str, condition: Option<&str>) -> &mut Self {
        for id in [from, to] {
            if self.find(id).is_none() {
                match id.chars().next() {
                    Some('+') => self.parallel(id),
                    Some('o') if id.starts_with("or") => self.inclusive(id),
                    Some('x') => self.exclusive(id),
                    _ if id.starts_with("start") => self.start(id),
                    _ if id.starts_with("end") => self.end(id),
                    _ => self.user(id, of(&format!("p-{id}"))),
                };
            }
        }
        let (source, target) = (self.find(from).unwrap(), self.find(to).unwrap());
        let at = FlowIx(u32::try_from(self.flows.len()).unwrap());
        self.flows.push(Flow {
            id: format!("{from}>{to}").into(),
            name: None,
            source,
            target,
            condition: condition.map(|feel| Expression::compile(feel).unwrap()),
            place: Place::default(),
        });
        self.nodes[source.0 as usize].outgoing.push(at);
        self.nodes[target.0 as usize].incoming.push(at);
        self
    }

    pub(crate) fn build(&mut self) -> Arc<Process> {
        let mut process = Process {
            reference: ProcessRef {
                model: "0".into(),
                process: "p".into(),
            },
            name: None,
            executable: true,
            children: Vec::new(),
            data: Vec::new(),
            candidate_starters: Vec::new(),
            starter_variable: None,
            deduplicate: self.deduplicate,
            node_by_id: HashMap::new(),
            flow_by_id: HashMap::new(),
            nodes: std::mem::take(&mut self.nodes),
            flows: std::mem::take(&mut self.flows),
        };
        for (at, node) in process.nodes.iter().enumerate() {
            let at = NodeIx(u32::try_from(at).unwrap());
            process.node_by_id.insert(node.id.clone(), at);
            if node.parent.is_none() {
                process.children.push(at);
            }
        }
        for (at, flow) in process.flows.iter().enumerate() {
            process.flow_by_id.insert(flow.id.clone(), FlowIx(u32::try_from(at).unwrap()));
        }
        Arc::new(process)
    }
}
