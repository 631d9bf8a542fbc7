//! What may be asked of an instance, and why it may be refused.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::words::{Bindings, Key, Outcome, Person, Resume, Said, SignPlace};
use crate::model::{ElementId, ProcessRef};

/// What may be asked of an instance. Who asks and when stands in the [`Context`](super::Context).
#[derive(Debug, Clone, PartialEq, strum::IntoStaticStr, strum::VariantNames)]
#[allow(missing_docs, reason = "the fields are explained by their names and types")]
pub enum Command {
    /// 启动
    Start {
        process: ProcessRef,
        version: u32,
        starter: Option<Person>,
        business_key: Option<String>,
        variables: Bindings,
        by: StartedBy,
    },
    /// 挂起
    Suspend { reason: String },
    /// 激活
    Resume,
    /// 计时暂停
    PauseClock { reason: String },
    /// 计时恢复
    ResumeClock,
    /// Stops everything.
    Cancel { reason: String },
    /// 撤销: by whoever started it, before anybody else decided.
    Revoke { reason: String },
    /// Sets variables of a scope by hand.
    SetVariables {
        scope: Key,
        variables: Bindings,
        reason: String,
    },

    /// 认领
    ClaimTask { task: Key },
    /// 放回
    UnclaimTask { task: Key },
    /// 指派
    AssignTask { task: Key, to: Person, reason: String },
    /// 转办
    TransferTask { task: Key, to: Person, reason: String },
    /// 委派
    DelegateTask { task: Key, to: Person, reason: String },
    /// 办理: approve, reject, abstain, or what the model offers. Whoever has it by delegation returns it thereby.
    CompleteTask {
        task: Key,
        outcome: Outcome,
        said: Said,
        form: Bindings,
        /// 审批人自选: who approves the next step, by its element.
        chosen: Vec<(ElementId, Vec<Person>)>,
    },
    /// 前加签, 后加签
    AddSign {
        task: Key,
        place: SignPlace,
        people: Vec<Person>,
        reason: String,
    },
    /// 并加签: to the vote or sequence that the task belongs to.
    AddApprover { task: Key, person: Person, reason: String },
    /// 减签: somebody who has not decided yet.
    RemoveApprover { task: Key, person: Person, reason: String },
    /// 退回 to an element that was done before.
    ReturnTo {
        task: Key,
        to: ElementId,
        resume: Resume,
        reason: String,
    },
    /// 撤回: takes the own last decision back, as long as nobody decided after it.
    WithdrawDecision { task: Key, reason: String },
    /// 自由跳转, 管理员干预: gives up these elements and begins those.
    Jump {
        from: Vec<Key>,
        to: Vec<ElementId>,
        reason: String,
    },
    /// 抄送
    SendCopy { task: Key, to: Vec<Person>, message: String },
    /// 已阅
    ReadCopy { copy: Key },
    /// 催办
    UrgeTask { task: Key, message: String },
    /// 离职交接: everything that waits for somebody waits for somebody else.
    HandOver { from: Person, to: Person, reason: String },

    /// A timer is due.
    FireTimer { timer: Key },
    /// A message has come.
    DeliverMessage {
        name: String,
        correlation: Option<String>,
        payload: Bindings,
    },
    /// A signal has come.
    BroadcastSignal { name: String, payload: Bindings },
    /// A job was done.
    CompleteJob { job: Key, result: Value },
    /// A job was not done.
    FailJob { job: Key, message: String },
    /// A job ended in an error that the model may catch.
    ThrowJobError {
        job: Key,
        code: String,
        message: Option<String>,
    },
    /// What was wrong is repaired: try again.
    RetryIncident { incident: Key, note: String },

    /// Begins an activity of an ad-hoc sub-process.
    BeginActivity { scope: Key, element: ElementId },
    /// An ad-hoc sub-process is done.
    CompleteAdHoc { scope: Key },

    /// Begins and gives up elements by hand, with variables.
    Modify { changes: Vec<Change>, reason: String },
    /// Goes over to another version of its model.
    Migrate {
        to: ProcessRef,
        version: u32,
        elements: Vec<(ElementId, ElementId)>,
        reason: String,
    },
}

/// What started an instance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StartedBy {
    /// Somebody: the plain start event, if there is only one.
    #[default]
    Somebody,
    /// Somebody who chose among several plain start events: each is a beginning of its own.
    Chosen(ElementId),
    /// A message: the start event or receive task that waits for it.
    Message(String),
    /// A signal.
    Signal(String),
    /// A timer of this start event.
    Timer(ElementId),
    /// A condition of this start event.
    Condition(ElementId),
}

/// One change by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// Gives up an element.
    GiveUp {
        /// Which.
        key: Key,
    },
    /// Begins an element.
    Begin {
        /// Which.
        element: ElementId,
        /// In which scope; none: wherever it belongs, if there is only one.
        scope: Option<Key>,
        /// Variables of its own.
        variables: Bindings,
    },
    /// Puts a token on a flow.
    Place {
        /// Which.
        flow: ElementId,
        /// In which scope; none: wherever it belongs, if there is only one.
        scope: Option<Key>,
    },
}

/// Why an instance did not do what was asked. Each is a sentence that the asker can act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::AsRefStr)]
#[allow(missing_docs, reason = "the sentences say what the fields are")]
pub enum Rejection {
    #[error("the process has been started already")]
    AlreadyStarted,
    #[error("the process has not been started")]
    NotStarted,
    #[error("the process has ended")]
    AlreadyEnded,
    #[error("the process is suspended; resume it first")]
    Suspended,
    #[error("the process is not suspended")]
    NotSuspended,
    #[error("there is no process {process} in the model {model}; deploy it first")]
    NoSuchProcess { model: String, process: String },
    #[error("the process {process} cannot be started: it is not executable")]
    NotExecutable { process: String },
    #[error("the process has no start event for {by}")]
    NoSuchStart { by: String },
    #[error("the process has several plain start events, {starts}; say at which one it begins")]
    SeveralStarts { starts: String },
    #[error("there is no open task {task}")]
    NoSuchTask { task: Key },
    #[error("task {task} waits for {whom}, not for {actor}")]
    NotYours { task: Key, whom: String, actor: String },
    #[error("task {task} belongs to somebody already: {assignee}")]
    AlreadyClaimed { task: Key, assignee: String },
    #[error("task {task} belongs to nobody; claim it first")]
    NotClaimed { task: Key },
    #[error("task {task} waits until those who were asked before have decided")]
    WaitsForSigns { task: Key },
    #[error("task {task} has been decided, and waits for those who were asked after")]
    DecidedAlready { task: Key },
    #[error("{outcome} is none of the outcomes of this task: {allowed}")]
    NoSuchOutcome { outcome: String, allowed: String },
    #[error("an opinion must be written")]
    OpinionMissing,
    #[error("a signature must be given")]
    SignatureMissing,
    #[error("the field {field} may not be changed at this step")]
    FieldNotEditable { field: String },
    #[error("{person} is asked already")]
    AskedAlready { person: String },
    #[error("{person} is not asked, or has decided already")]
    NotAsked { person: String },
    #[error("this task is no vote and no sequence; nobody can be added to it side by side")]
    NoVote,
    #[error("the last one who is asked cannot be removed")]
    LastApprover,
    #[error("nobody is named")]
    NobodyNamed,
    #[error("there is no element {element} in this process")]
    NoSuchElement { element: String },
    #[error("{element} was not done before; only what was done can be returned to")]
    NotDoneBefore { element: String },
    #[error("{element} stands in a branch beside {other}; return to a step before both")]
    StandsBeside { element: String, other: String },
    #[error(
        "the branches that come together at {join} are done by several runs at once, and nobody can tell which one is meant; finish one of them first"
    )]
    SeveralRuns { join: String },
    #[error("{element} is being done already")]
    DoneAlready { element: String },
    #[error("a reason must be given")]
    ReasonMissing,
    #[error("only an administrator may do that")]
    NotAdministrator,
    #[error("task {task} has been urged {limit} times; that is enough")]
    UrgedEnough { task: Key, limit: u32 },
    #[error("there is no copy {copy} for {actor}")]
    NoSuchCopy { copy: Key, actor: String },
    #[error("there is nothing that runs under the key {key}")]
    NothingThere { key: Key },
    #[error("this decision can no longer be taken back: {reason}")]
    CannotWithdraw { reason: String },
    #[error("only who started the process can take it back")]
    NotTheStarter,
    #[error("nothing waits for the message {name} with this key")]
    NobodyWaits { name: String },
    #[error("there is no open job {job}")]
    NoSuchJob { job: Key },
    #[error("there is no open incident {incident}")]
    NoSuchIncident { incident: Key },
    #[error("timer {timer} is not due before {due_at}")]
    NotDue {
        timer: Key,
        due_at: chrono::DateTime<chrono::Utc>,
    },
    #[error("timer {timer} stands still with the clock; resume the clock first")]
    TimerStandsStill { timer: Key },
    #[error("the clock stands still already")]
    ClockPaused,
    #[error("the clock does not stand still")]
    ClockRuns,
    #[error("{element} cannot be begun by hand: {reason}")]
    CannotBegin { element: String, reason: String },
    #[error("the instance cannot go over to this model: {}", .findings.join("; "))]
    CannotMigrate { findings: Vec<String> },
    #[error("{what} is longer or more than is allowed: at most {limit}")]
    TooMuch { what: String, limit: usize },
    #[error("{reason}")]
    Invalid { reason: String },
}
