//! Processes, their nodes and flows.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Activity, Catch, Throw};
use crate::expression::Expression;

/// The name of an element in its model: what the drawing tool called it. Stored in events.
pub type ElementId = Arc<str>;

/// A node of a process by its place in [`Process::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIx(pub u32);

/// A flow of a process by its place in [`Process::flows`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowIx(pub u32);

/// Where something stands in its file; lines and columns count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// Which process of which model: what an instance is pinned to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessRef {
    /// SHA-256 of the model's bytes, in hexadecimal.
    pub model: Arc<str>,
    /// The process's id in the model.
    pub process: Arc<str>,
}

/// A model that was read: all that one file holds.
#[derive(Debug)]
pub struct Definitions {
    /// SHA-256 of the bytes that were read, in hexadecimal.
    pub hash: Arc<str>,
    /// The name of the model, if it has one.
    pub name: Option<String>,
    /// Its namespace.
    pub target_namespace: String,
    /// Its processes, executable or not, in the order of the file.
    pub processes: Vec<Arc<Process>>,
    /// Every expression that was translated from another language: where, what it was, what it is in FEEL.
    pub translations: Vec<Translation>,
}

/// An expression that was written in another language, and what it became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Translation {
    /// The element that it belongs to.
    pub element: String,
    /// Where it stands.
    pub place: Place,
    /// What was written.
    pub source: String,
    /// The same in FEEL.
    pub feel: String,
}

impl Definitions {
    /// The process of this id.
    pub fn process(&self, id: &str) -> Option<&Arc<Process>> {
        self.processes.iter().find(|process| &*process.reference.process == id)
    }
}

/// A process: all of its nodes on all levels, and the flows between them.
#[derive(Debug)]
pub struct Process {
    /// Which one it is.
    pub reference: ProcessRef,
    /// Its name.
    pub name: Option<String>,
    /// Whether it may be started.
    pub executable: bool,
    /// All nodes, those of sub-processes as well.
    pub nodes: Vec<Node>,
    /// All flows.
    pub flows: Vec<Flow>,
    /// The nodes of the process's own level.
    pub children: Vec<NodeIx>,
    /// The data objects and properties of the process's own level.
    pub data: Vec<DataObject>,
    /// Who may start it (`flowable:candidateStarterUsers`, `…Groups`); nobody named: everybody.
    pub candidate_starters: Vec<String>,
    /// The variable that takes who started it (`flowable:initiator`).
    pub starter_variable: Option<String>,
    /// How skipped approvals of the same person are treated, unless a task says otherwise.
    pub deduplicate: super::Deduplicate,
    /// Nodes by id.
    pub node_by_id: HashMap<ElementId, NodeIx>,
    /// Flows by id.
    pub flow_by_id: HashMap<ElementId, FlowIx>,
}

impl Process {
    /// A node.
    pub fn node(&self, at: NodeIx) -> &Node {
        &self.nodes[at.0 as usize]
    }

    /// A flow.
    pub fn flow(&self, at: FlowIx) -> &Flow {
        &self.flows[at.0 as usize]
    }

    /// The start events of a level that wait for nothing: of a sub-process, or of the process itself. Several are several
    /// ways to begin, of which one is chosen (BPMN 2.0.2, 10.5.2).
    pub fn plain_starts(&self, level: Option<NodeIx>) -> impl Iterator<Item = NodeIx> {
        let is_plain = |at: &NodeIx| matches!(&self.node(*at).kind, NodeKind::Start { catch, .. } if catch.triggers.is_empty());
        self.level(level).iter().copied().filter(is_plain)
    }

    /// The node of this id.
    pub fn find(&self, id: &str) -> Option<NodeIx> {
        self.node_by_id.get(id).copied()
    }

    /// The flow of this id.
    pub fn find_flow(&self, id: &str) -> Option<FlowIx> {
        self.flow_by_id.get(id).copied()
    }

    /// The nodes of a level: of a sub-process, or of the process itself.
    pub fn level(&self, parent: Option<NodeIx>) -> &[NodeIx] {
        match parent {
            Some(parent) => &self.node(parent).children,
            None => &self.children,
        }
    }
}

/// A data object or property: a variable of its level with a first value.
#[derive(Debug, Clone)]
pub struct DataObject {
    /// Its id in the model.
    pub id: ElementId,
    /// The variable's name: the object's name, or its id.
    pub name: String,
    /// Whether it holds several values.
    pub is_collection: bool,
    /// Its first value (`flowable:value`), null if none is given.
    pub initial: serde_json::Value,
}

/// A node of a process.
#[derive(Debug)]
pub struct Node {
    /// Its id in the model.
    pub id: ElementId,
    /// Its name.
    pub name: Option<String>,
    /// What it is.
    pub kind: NodeKind,
    /// The sub-process that it stands in; none on the process's own level.
    pub parent: Option<NodeIx>,
    /// Flows that lead here.
    pub incoming: Vec<FlowIx>,
    /// Flows that lead away, in the order of the model.
    pub outgoing: Vec<FlowIx>,
    /// The flow that is taken when no condition holds.
    pub default: Option<FlowIx>,
    /// What activities have besides: loop, quantities, data.
    pub activity: Option<Box<Activity>>,
    /// The events on its border.
    pub boundary: Vec<NodeIx>,
    /// The nodes inside, if it is a sub-process.
    pub children: Vec<NodeIx>,
    /// `documentation`
    pub documentation: Option<String>,
    /// Legal basis (`zhulu:legalBasis`).
    pub legal_basis: Option<String>,
    /// Where it stands in the file.
    pub place: Place,
}

/// What a node is.
#[derive(Debug)]
pub enum NodeKind {
    /// Start event.
    Start {
        /// What it waits for; nothing: a plain start.
        catch: Catch,
        /// Whether it interrupts the scope that its event sub-process stands in.
        interrupting: bool,
    },
    /// Intermediate event that waits.
    Catch(Catch),
    /// Intermediate event that makes something happen.
    Throw(Throw),
    /// End event.
    End(Throw),
    /// An event on the border of an activity.
    Boundary {
        /// The activity.
        attached_to: NodeIx,
        /// Whether it cancels the activity.
        interrupting: bool,
        /// What it waits for.
        catch: Catch,
    },
    /// Exclusive gateway.
    Exclusive,
    /// Parallel gateway.
    Parallel,
    /// Inclusive gateway.
    Inclusive,
    /// Complex gateway: goes on when its condition over `activationCount` holds (any first token, if there is none).
    Complex {
        /// `activationCondition`
        activation: Option<Expression>,
    },
    /// Event-based gateway.
    EventBased {
        /// Whether it starts the process.
        instantiate: bool,
        /// Whether all of its events must happen.
        parallel: bool,
    },
    /// A task.
    Task(super::Task),
    /// A sub-process with its own level of nodes.
    SubProcess(super::SubProcess),
    /// A call of another process.
    Call(super::Call),
}

impl NodeKind {
    /// The standard's name of such an element (`userTask`).
    pub fn name(&self) -> &'static str {
        use super::{SubProcess, Work};
        match self {
            Self::Start { .. } => "startEvent",
            Self::Catch(_) => "intermediateCatchEvent",
            Self::Throw(_) => "intermediateThrowEvent",
            Self::End(_) => "endEvent",
            Self::Boundary { .. } => "boundaryEvent",
            Self::Exclusive => "exclusiveGateway",
            Self::Parallel => "parallelGateway",
            Self::Inclusive => "inclusiveGateway",
            Self::Complex { .. } => "complexGateway",
            Self::EventBased { .. } => "eventBasedGateway",
            Self::Task(task) => match &task.work {
                Work::Nothing => "task",
                Work::Manual => "manualTask",
                Work::User(_) => "userTask",
                Work::Service(_) => "serviceTask",
                Work::Script(_) => "scriptTask",
                Work::Decision(_) => "businessRuleTask",
                Work::Send(_) => "sendTask",
                Work::Receive { .. } => "receiveTask",
            },
            Self::SubProcess(SubProcess::Transaction) => "transaction",
            Self::SubProcess(SubProcess::AdHoc(_)) => "adHocSubProcess",
            Self::SubProcess(_) => "subProcess",
            Self::Call(_) => "callActivity",
        }
    }
}

/// A sequence flow.
#[derive(Debug)]
pub struct Flow {
    /// Its id in the model.
    pub id: ElementId,
    /// Its name.
    pub name: Option<String>,
    /// Where it comes from.
    pub source: NodeIx,
    /// Where it leads.
    pub target: NodeIx,
    /// The condition under which it is taken.
    pub condition: Option<Expression>,
    /// Where it stands in the file.
    pub place: Place,
}
