//! What can happen to an instance. Stored for ever in the stream of its case: add, never change.
//!
//! What was found outside (people, times, draws, answers of tables) stands in the events, so that a replay asks nobody.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::words::{
    Back, Bindings, Ending, Key, MoveKind, Obstacle, Outcome, Person, Phase, Resume, Said, SignPlace, Tally, TimerPurpose,
};
use crate::model::{ElementId, ProcessRef, TimeoutAction};

/// What can happen to an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, strum::VariantNames, strum::IntoStaticStr)]
#[allow(missing_docs, reason = "the fields are explained by their names and types")]
pub enum Event {
    // ── The instance ──
    /// 流程启动: pinned to this model for its life, unless it is migrated.
    ProcessStarted {
        process: ProcessRef,
        /// The version under which the model was deployed.
        version: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        starter: Option<Person>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        business_key: Option<String>,
        #[serde(default, skip_serializing_if = "Bindings::is_empty")]
        variables: Bindings,
        at: DateTime<Utc>,
    },
    /// Nothing can happen until it is resumed.
    ProcessSuspended { reason: String, at: DateTime<Utc> },
    /// It goes on.
    ProcessResumed { at: DateTime<Utc> },
    /// 计时暂停: the pausable timers stand still; work goes on.
    ProcessClockPaused { reason: String, at: DateTime<Utc> },
    /// 计时恢复: each pausable timer is due later by as much as it stood still.
    ProcessClockResumed { at: DateTime<Utc> },
    /// The end.
    ProcessEnded { how: Ending, at: DateTime<Utc> },
    /// It follows another model from now on; elements and flows under their new names. What is not named keeps its name.
    ProcessMigrated {
        to: ProcessRef,
        version: u32,
        elements: Vec<(ElementId, ElementId)>,
        flows: Vec<(ElementId, ElementId)>,
        reason: String,
    },
    /// Variables got these values.
    VariablesSet { scope: Key, variables: Bindings },

    // ── Elements ──
    /// An element begins. The tokens on these flows are consumed.
    ElementEntered {
        key: Key,
        element: ElementId,
        scope: Key,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        flows: Vec<ElementId>,
        /// The instance of a repeated activity, counted from 0.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        round: Option<u32>,
    },
    /// A repeated activity knows what it runs over.
    RoundsPlanned {
        key: Key,
        sequential: bool,
        /// One for each round: its item, or null where only the number counts.
        items: Vec<Value>,
        /// Who is asked, if the rounds are approvals of people.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        people: Vec<Person>,
    },
    /// What a round gave, to be collected when all are done.
    RoundCollected {
        /// The repeated activity.
        key: Key,
        round: u32,
        value: Value,
    },
    /// A round that was done threw an event (`behavior` of a repeated activity), and which boundary events caught it.
    RoundThrown {
        /// The repeated activity.
        key: Key,
        /// Its name or code, if it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        caught_by: Vec<ElementId>,
    },
    /// An activity is not done, because its model says so (`skipExpression`).
    ActivitySkipped { key: Key },
    /// A call knows what it calls: the elements of this process stand in it from now on, and see its variables only.
    ProcessCalled {
        key: Key,
        process: ProcessRef,
        version: u32,
        #[serde(default, skip_serializing_if = "Bindings::is_empty")]
        variables: Bindings,
    },
    /// An element stands in another scope now, because the new model has one around it.
    ElementMoved { key: Key, scope: Key },
    /// Nothing more may begin in an ad-hoc sub-process; it ends with what still runs.
    AdHocClosed { key: Key },
    /// A complex gateway went on with the tokens of these flows, and waits for the other ones before it can go on again.
    GatewayFired {
        key: Key,
        /// The flows whose tokens it went on with.
        from: Vec<ElementId>,
        /// The flows that a token stands on now.
        flows: Vec<ElementId>,
    },
    /// Somebody interfered: what follows in this batch was done by hand.
    ChangedByHand {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Person>,
        reason: String,
        at: DateTime<Utc>,
    },
    /// An element is done. A token stands on each of these flows now (twice the same: two tokens).
    ElementLeft {
        key: Key,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        flows: Vec<ElementId>,
    },
    /// An element and everything in it is given up.
    ElementCancelled { key: Key },
    /// Tokens that wait on these flows are taken away.
    TokensTaken { scope: Key, flows: Vec<ElementId> },
    /// A token was put on a flow by hand.
    TokenPlaced { scope: Key, flow: ElementId },

    // ── Waiting ──
    /// A timer runs.
    TimerScheduled {
        key: Key,
        /// The element that waits.
        owner: Key,
        /// The event of the model, or the task.
        element: ElementId,
        /// Which of the event's definitions.
        #[serde(default)]
        trigger: u32,
        purpose: TimerPurpose,
        due_at: DateTime<Utc>,
        /// How often it still fires after this, for a cycle; none: for ever.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repeats_left: Option<u32>,
        pausable: bool,
    },
    /// The time has come.
    TimerFired { key: Key, at: DateTime<Utc> },
    /// A timer is due at another time.
    TimerMoved { key: Key, due_at: DateTime<Utc> },
    /// A message is waited for.
    MessageAwaited {
        key: Key,
        owner: Key,
        element: ElementId,
        #[serde(default)]
        trigger: u32,
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        correlation: Option<String>,
    },
    /// It came.
    MessageReceived { key: Key, payload: Bindings },
    /// A signal is waited for.
    SignalAwaited {
        key: Key,
        owner: Key,
        element: ElementId,
        #[serde(default)]
        trigger: u32,
        signal: String,
    },
    /// It came.
    SignalReceived { key: Key, payload: Bindings },
    /// A condition is waited for.
    ConditionAwaited {
        key: Key,
        owner: Key,
        element: ElementId,
        #[serde(default)]
        trigger: u32,
        /// Whether it holds already, because it was just met: it must cease to hold before it can be met again.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        holds: bool,
    },
    /// It holds now.
    ConditionMet { key: Key },
    /// A condition that held when it was waited for again does not hold any more.
    ConditionLapsed { key: Key },
    /// Something is not waited for any more.
    WaitEnded { key: Key },

    // ── Throwing ──
    /// A message goes out; whoever it is for outside gets it by a reaction.
    MessageThrown {
        element: ElementId,
        scope: Key,
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        correlation: Option<String>,
        payload: Bindings,
    },
    /// A signal goes out, to everybody.
    SignalThrown {
        element: ElementId,
        scope: Key,
        signal: String,
        payload: Bindings,
    },
    /// An error was thrown, and which event catches it.
    ErrorThrown {
        element: ElementId,
        scope: Key,
        code: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caught_by: Option<ElementId>,
    },
    /// An escalation was thrown, and which event catches it; none: it goes unheard.
    EscalationThrown {
        element: ElementId,
        scope: Key,
        code: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caught_by: Option<ElementId>,
    },
    /// An activity that was done can be compensated by this handler.
    CompensationOffered {
        /// The activity, as it was called while it was done.
        key: Key,
        element: ElementId,
        scope: Key,
        /// What compensates it; none: what was done in it is compensated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        handler: Option<ElementId>,
        #[serde(default, skip_serializing_if = "Bindings::is_empty")]
        variables: Bindings,
    },
    /// Compensation of these, the last first.
    CompensationThrown {
        /// What asks for it.
        key: Key,
        element: ElementId,
        scope: Key,
        activities: Vec<Key>,
    },
    /// An element that has just begun compensates an activity that was done: its handler; or the activity itself once more,
    /// as the scope in which what was done in it is compensated.
    CompensationBegun { key: Key, activity: Key },

    // ── Jobs and decisions ──
    /// Somebody outside is to do something.
    JobCreated {
        /// The element that waits for it.
        key: Key,
        kind: String,
        fields: Bindings,
        tries: u32,
    },
    /// It was not done.
    JobFailed {
        key: Key,
        message: String,
        tries_left: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_at: Option<DateTime<Utc>>,
    },
    /// It was done.
    JobCompleted { key: Key, result: Value },
    /// A decision table answered.
    DecisionEvaluated {
        key: Key,
        decision: String,
        /// SHA-256 of the model that holds it.
        model: String,
        inputs: Bindings,
        /// The numbers of the rules that matched, from 1.
        rules: Vec<u32>,
        outputs: Value,
    },
    /// A token cannot go on until somebody repairs what is said here.
    IncidentRaised {
        key: Key,
        owner: Key,
        element: ElementId,
        phase: Phase,
        obstacle: Obstacle,
        message: String,
        at: DateTime<Utc>,
    },
    /// It was repaired, and is tried again.
    IncidentResolved { key: Key, note: String },

    // ── Tasks ──
    /// 待办产生. A task of the model has the key of its element; one that was added by hand has its own.
    TaskOpened {
        key: Key,
        owner: Key,
        element: ElementId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Who may claim it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        candidates: Vec<Person>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assignee: Option<Person>,
        /// How it was assigned: a strategy, or what drew it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by_rule: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        form_key: Option<String>,
        /// The very form that the key meant then: SHA-256 of its file.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        form: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_at: Option<DateTime<Utc>>,
        /// What finishing it means to whoever the instance belongs to: names of commands, from the model.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        means: Vec<String>,
        /// Whoever decides for the assignee while they are away (代理).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        substitute: Option<Person>,
        at: DateTime<Utc>,
    },
    /// 认领
    TaskClaimed { key: Key, by: Person, at: DateTime<Utc> },
    /// 放回
    TaskUnclaimed { key: Key, at: DateTime<Utc> },
    /// 指派
    TaskAssigned {
        key: Key,
        to: Person,
        reason: String,
        at: DateTime<Utc>,
    },
    /// 转办: the other's decision is final.
    TaskTransferred {
        key: Key,
        from: Option<Person>,
        to: Person,
        reason: String,
        at: DateTime<Utc>,
    },
    /// 委派: the other advises, then it comes back.
    TaskDelegated {
        key: Key,
        from: Person,
        to: Person,
        reason: String,
        at: DateTime<Utc>,
    },
    /// 委派归还
    TaskReturnedToOwner {
        key: Key,
        by: Person,
        said: Said,
        at: DateTime<Utc>,
    },
    /// 前加签, 后加签: these people decide as well, before or after; each has a task of their own (`TaskOpened` with this owner).
    SignAdded {
        key: Key,
        place: SignPlace,
        people: Vec<Person>,
        by: Person,
        reason: String,
    },
    /// Somebody who was asked besides is not asked any more.
    SignRemoved { key: Key, by: Person, reason: String },
    /// 并加签: one more is asked in a running vote or sequence.
    ApproverAdded {
        /// The repeated activity.
        key: Key,
        person: Person,
        /// At which place among those who are still to be asked; none: at the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<u32>,
        by: Person,
        reason: String,
    },
    /// 减签: one fewer is asked.
    ApproverRemoved {
        key: Key,
        person: Person,
        by: Person,
        reason: String,
    },
    /// 办结: decided by a person.
    TaskCompleted {
        key: Key,
        by: Person,
        /// For whom, if by proxy (代理).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on_behalf_of: Option<Person>,
        outcome: Outcome,
        #[serde(default)]
        said: Said,
        #[serde(default, skip_serializing_if = "Bindings::is_empty")]
        form: Bindings,
        at: DateTime<Utc>,
    },
    /// 后加签: decided, but the added people are still to decide.
    TaskDecisionHeld {
        key: Key,
        by: Person,
        outcome: Outcome,
        said: Said,
        form: Bindings,
        at: DateTime<Utc>,
    },
    /// 自动跳过: nobody needs to decide, and why.
    TaskSkipped {
        key: Key,
        element: ElementId,
        outcome: Outcome,
        reason: String,
        people: Vec<Person>,
    },
    /// 超时自动处理
    TaskAutoDecided {
        key: Key,
        action: TimeoutAction,
        outcome: Outcome,
        at: DateTime<Utc>,
    },
    /// 催办, by a person; or a reminder, by the model.
    TaskUrged {
        key: Key,
        by: Option<Person>,
        message: String,
        at: DateTime<Utc>,
    },
    /// 计票
    VoteCast {
        /// The repeated activity.
        key: Key,
        task: Key,
        by: Person,
        outcome: Outcome,
        tally: Tally,
    },
    /// 撤回 of a voice in a vote that is still open: it counts no more; who gave it is asked again (`ApproverAdded`).
    VoteWithdrawn {
        /// The repeated activity.
        key: Key,
        task: Key,
        round: u32,
        by: Person,
        tally: Tally,
        reason: String,
        at: DateTime<Utc>,
    },
    /// 离职交接: whatever is offered to somebody, and whatever they would be asked later, is somebody else's. What they had
    /// already was transferred, each task by itself.
    HandedOver {
        from: Person,
        to: Person,
        reason: String,
        at: DateTime<Utc>,
    },
    /// The vote is over.
    VoteClosed {
        key: Key,
        passed: bool,
        tally: Tally,
        rule: String,
    },
    /// 抄送, 传阅
    CopySent {
        key: Key,
        element: ElementId,
        to: Vec<Person>,
        by: Option<Person>,
        message: String,
        at: DateTime<Utc>,
    },
    /// 已阅
    CopyRead { key: Key, by: Person, at: DateTime<Utc> },

    // ── Moving ──
    /// 退回, 撤回, 跳转: what ran at `from` is given up, and `to` begins again. One event for each move.
    TokensMoved {
        /// What was given up (elements, each with all that is in it).
        from: Vec<Key>,
        /// Flows whose waiting tokens were taken.
        flows: Vec<(Key, ElementId)>,
        to: Vec<ElementId>,
        /// The scope in which they begin.
        scope: Key,
        kind: MoveKind,
        resume: Resume,
        by: Option<Person>,
        reason: String,
        at: DateTime<Utc>,
        /// Flows before joins on which a token is put: their branches count as done.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        placed: Vec<(Key, ElementId)>,
        /// Elements whose being done counts no more, because they are done again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        undone: Vec<ElementId>,
        /// Where the element that begins next goes straight back to (直达退回人), instead of on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        back: Option<Vec<Back>>,
    },
}
