//! What events wait for and what they make happen.

use std::sync::Arc;

use super::ElementId;
use crate::expression::Expression;

/// What an event waits for: one of these, or all if `parallel`.
#[derive(Debug, Default)]
pub struct Catch {
    /// The definitions; none for a plain event.
    pub triggers: Vec<Trigger>,
    /// `parallelMultiple`: all must happen, in any order.
    pub parallel: bool,
    /// Where what came with it goes (data output associations, `flowable:out`): variable and expression over the payload.
    pub outputs: Vec<super::Mapping>,
}

/// What an event makes happen: each of these, in order.
#[derive(Debug, Default)]
pub struct Throw {
    /// The definitions; none for a plain event.
    pub results: Vec<ThrowResult>,
    /// What goes with it (data input associations, `flowable:in`).
    pub inputs: Vec<super::Mapping>,
}

/// Something that can be waited for.
#[derive(Debug)]
pub enum Trigger {
    /// A time.
    Timer(Timer),
    /// A message that belongs to this instance.
    Message(Message),
    /// A signal, to everybody.
    Signal(Text),
    /// An error of this code; none: every error.
    Error(Option<String>),
    /// An escalation of this code; none: every escalation.
    Escalation(Option<String>),
    /// A condition over the variables that becomes true.
    Condition(Expression),
    /// A link of this name.
    Link(String),
    /// Compensation of what the event is attached to, or of the scope that its sub-process stands in.
    Compensation,
    /// The cancelling of a transaction.
    Cancel,
}

/// Something that an event makes happen.
#[derive(Debug)]
pub enum ThrowResult {
    /// A message to somebody outside, or to another part of the same model.
    Message(Message),
    /// A signal, to everybody.
    Signal(Text),
    /// An error of this code.
    Error(String),
    /// An escalation of this code.
    Escalation(String),
    /// Compensation of an activity, or of the whole scope.
    Compensation {
        /// The activity.
        activity: Option<ElementId>,
        /// Whether the event waits until it is done.
        wait: bool,
    },
    /// On to the link of this name.
    Link(String),
    /// The end of everything in the scope.
    Terminate,
    /// The cancelling of the transaction.
    Cancel,
}

/// A message by its name.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its name.
    pub name: Text,
    /// What a message must carry as its key to be meant for this instance; none: by name alone.
    pub correlation: Option<Expression>,
}

/// A text that may hold an expression.
#[derive(Debug, Clone)]
pub enum Text {
    /// As written.
    Plain(Arc<str>),
    /// What the expression gives.
    Computed(Expression),
}

/// When a timer fires.
#[derive(Debug, Clone)]
pub struct Timer {
    /// The kind.
    pub kind: TimerKind,
    /// What it counts in.
    pub calendar: TimerCalendar,
    /// Whether it stands still while the clock of the instance is paused (`zhulu:pausable`).
    pub pausable: bool,
}

/// A date, a duration or a cycle: ISO 8601 as written, or an expression that gives it.
#[derive(Debug, Clone)]
pub enum TimerKind {
    /// `timeDate`: an instant or a local date and time.
    Date(Text),
    /// `timeDuration`
    Duration(Text),
    /// `timeCycle`: `R3/PT10H` or `R/…`.
    Cycle(Text),
}

/// What a duration counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimerCalendar {
    /// Every day.
    #[default]
    Natural,
    /// 工作日: `P5D` is five working days of the calendar in the context (`flowable:businessCalendarName="workingDays"`, `zhulu:workingDays`).
    WorkingDays,
}
