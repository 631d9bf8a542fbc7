//! Tasks, sub-processes, calls; loops and data.

use super::{Message, Text, UserTask};
use crate::expression::Expression;

/// What every activity has.
#[derive(Debug)]
pub struct Activity {
    /// How often it is done.
    pub repetition: Repetition,
    /// Whether it is done only to compensate another one.
    pub for_compensation: bool,
    /// How many tokens must come before it begins.
    pub start_quantity: u32,
    /// How many tokens leave it.
    pub completion_quantity: u32,
    /// Variables of its own that are set when it begins.
    pub inputs: Vec<Mapping>,
    /// Variables of its scope that are set when it is done.
    pub outputs: Vec<Mapping>,
    /// The data objects and properties of its own.
    pub data: Vec<super::DataObject>,
    /// The activity that compensates it (by association from its compensation boundary event).
    pub compensated_by: Option<super::NodeIx>,
    /// `flowable:skipExpression`
    pub skip: Option<Expression>,
}

impl Default for Activity {
    fn default() -> Self {
        Self {
            repetition: Repetition::Once,
            for_compensation: false,
            start_quantity: 1,
            completion_quantity: 1,
            inputs: Vec::new(),
            outputs: Vec::new(),
            data: Vec::new(),
            compensated_by: None,
            skip: None,
        }
    }
}

/// A variable and where its value comes from.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The variable that is set.
    pub target: String,
    /// Its value.
    pub value: Expression,
}

/// How often an activity is done.
#[derive(Debug)]
pub enum Repetition {
    /// Once.
    Once,
    /// `standardLoopCharacteristics`
    Standard {
        /// Whether the condition is asked before each round.
        test_before: bool,
        /// Whether there is another round; none: until the maximum.
        condition: Option<Expression>,
        /// The most rounds.
        maximum: Option<u32>,
    },
    /// `multiInstanceLoopCharacteristics`
    Multi(Box<Multi>),
}

/// Several instances of one activity.
#[derive(Debug)]
pub struct Multi {
    /// One after the other.
    pub sequential: bool,
    /// How many, or over what.
    pub over: Over,
    /// The variable that holds an instance's item.
    pub element_variable: Option<String>,
    /// The variable that holds an instance's number, from 0.
    pub index_variable: Option<String>,
    /// The variable of the outer scope that collects results, and the variable whose value is collected.
    pub output: Option<(String, String)>,
    /// When no more instances are needed, over `nrOfInstances`, `nrOfCompletedInstances`, `nrOfActiveInstances`, `nrOfTerminatedInstances`.
    pub completion: Option<Expression>,
    /// `behavior`: whether each completed instance lets a token out or throws an event.
    pub behavior: MultiBehavior,
    /// How votes are counted, if the instances are approvals.
    pub vote: Option<super::VoteRule>,
}

/// What a multi-instance activity runs over.
#[derive(Debug)]
pub enum Over {
    /// `loopCardinality`
    Cardinality(Expression),
    /// A list.
    Collection(Expression),
    /// The people that the task's candidate rule finds, one instance each (会签, 或签, 依次审批).
    Approvers,
}

/// `behavior` of BPMN 2.0, table 10.30.
#[derive(Debug, Default)]
pub enum MultiBehavior {
    /// One token when all are done.
    #[default]
    All,
    /// `noneBehaviorEventRef`: this event with each instance that is done; tokens of boundary events with it.
    None(Option<String>),
    /// `oneBehaviorEventRef`: this event with the first that is done.
    One(Option<String>),
    /// An event wherever a condition holds: condition and what is thrown.
    Complex(Vec<(Expression, super::Throw)>),
}

/// A task.
#[derive(Debug)]
pub struct Task {
    /// What is to be done.
    pub work: Work,
}

/// What a task is about.
#[derive(Debug)]
pub enum Work {
    /// `task`: nothing that a machine knows of.
    Nothing,
    /// `manualTask`
    Manual,
    /// `userTask`
    User(Box<UserTask>),
    /// `serviceTask`: a job that somebody outside does.
    Service(Box<Job>),
    /// `scriptTask`
    Script(Script),
    /// `businessRuleTask`: a decision table.
    Decision(DecisionCall),
    /// `sendTask`
    Send(Sending),
    /// `receiveTask`
    Receive {
        /// What it waits for; none: whatever is correlated with the task by its id.
        message: Option<Message>,
        /// Whether it starts the process.
        instantiate: bool,
    },
}

/// A job that is done outside, at least once; its result completes the token.
#[derive(Debug)]
pub struct Job {
    /// Its kind (`zhulu:job`, `flowable:type`, the `topic` of an external worker, or the implementation as written).
    pub kind: Text,
    /// Its settings (`flowable:field`, headers).
    pub fields: Vec<(String, Text)>,
    /// The variable that takes the result.
    pub result_variable: Option<String>,
    /// How often it is tried again after a failure, and after what pauses (`R3/PT10M`).
    pub retry: Retry,
}

/// How a failed job is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// How many tries in all.
    pub tries: u32,
    /// The pause before the second try in seconds; it doubles with each further one.
    pub backoff_seconds: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            tries: 3,
            backoff_seconds: 60,
        }
    }
}

/// What a script task does.
#[derive(Debug)]
pub enum Script {
    /// FEEL: the value goes to the variable; a context sets each of its entries.
    Feel {
        /// The script.
        expression: Expression,
        /// The variable; none: the entries of a context.
        result_variable: Option<String>,
    },
    /// A script in words that only the host knows: a job of the kind `script:<format>`. Allowed by whoever reads the model.
    Foreign {
        /// `scriptFormat`
        format: String,
        /// The script.
        text: String,
    },
}

/// A decision that is asked.
#[derive(Debug)]
pub struct DecisionCall {
    /// The decision's name (`zhulu:decision`, `flowable:decisionTableReferenceKey` or the field of that name, `camunda:decisionRef`).
    pub decision: Text,
    /// The variable that takes the result; none: each output is set under its own name.
    pub result_variable: Option<String>,
}

/// What a send task sends.
#[derive(Debug)]
pub struct Sending {
    /// The message, if the model names one.
    pub message: Option<Message>,
    /// The job that sends it, if it is done outside like a service (`flowable:type="mail"`).
    pub job: Option<Box<Job>>,
}

/// The kinds of sub-processes.
#[derive(Debug)]
pub enum SubProcess {
    /// Embedded.
    Embedded,
    /// `triggeredByEvent`
    Event,
    /// `transaction`
    Transaction,
    /// `adHocSubProcess`
    AdHoc(AdHoc),
}

/// A sub-process whose activities are begun by hand, in any order.
#[derive(Debug)]
pub struct AdHoc {
    /// One at a time.
    pub sequential: bool,
    /// When it is done; none: when somebody says so, or nothing is left that could be begun.
    pub completion: Option<Expression>,
    /// Whether what still runs is cancelled then.
    pub cancel_remaining: bool,
}

/// A call of another process.
#[derive(Debug)]
pub struct Call {
    /// The process that is called, by its id.
    pub called: Text,
    /// Whether all variables are handed on (`flowable:inheritVariables`).
    pub inherit_variables: bool,
    /// What is handed in.
    pub inputs: Vec<Mapping>,
    /// What comes back.
    pub outputs: Vec<Mapping>,
    /// The business key of the called process.
    pub business_key: Option<Expression>,
}
