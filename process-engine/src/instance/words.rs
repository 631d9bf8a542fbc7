//! The words that events, commands and state share.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::ElementId;

/// The name of something inside an instance: an element that is being done, a task, a timer, an incident. Counted from 1
/// in the order in which they begin; 0 is the instance itself.
pub type Key = u64;

/// The instance itself, as the scope of its outermost elements.
pub const ROOT: Key = 0;

/// Variables by name.
pub type Bindings = BTreeMap<String, Value>;

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Person {
    /// The account.
    pub id: Arc<str>,
    /// 姓名
    pub name: Arc<str>,
}

impl Person {
    /// Whether this stands for everybody in a group (`role:handler`): it is offered work, and never has it.
    pub fn is_group(&self) -> bool {
        self.id.contains(GROUP_MARK)
    }
}

/// What stands in the ids of groups and in no account's: between the kind of group and its name.
pub const GROUP_MARK: char = ':';

/// How a task was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// 同意
    Approved,
    /// 不同意
    Rejected,
    /// 弃权
    Abstained,
    /// Something that the model names.
    Other(String),
}

impl Outcome {
    /// As variables have it: `approved`, `rejected`, `abstained`, or the model's own word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Abstained => "abstained",
            Self::Other(word) => word,
        }
    }
}

/// What somebody wrote when they decided.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Said {
    /// 意见
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opinion: Option<String>,
    /// SHA-256 of the signature that was given, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// How the votes of a multi-instance approval stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// 同意
    pub approvals: u32,
    /// 不同意
    pub rejections: u32,
    /// 弃权
    pub abstentions: u32,
    /// All who are asked.
    pub total: u32,
}

impl Tally {
    /// Those who have not voted yet.
    pub fn open(&self) -> u32 {
        self.total.saturating_sub(self.approvals + self.rejections + self.abstentions)
    }
}

/// Where somebody who is asked besides stands to the one who was asked first (加签).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignPlace {
    /// 前加签: they decide before.
    Before,
    /// 后加签: they decide after.
    After,
}

/// How the work goes on after a return (退回) once the step returned to is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Resume {
    /// 重走流程: from there along the model, every step again.
    #[default]
    Again,
    /// 直达退回人: straight back to where it was returned from.
    Straight,
}

/// Where the work goes straight back to (直达退回人): an element that was returned from, and begins again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Back {
    /// The scope in which it stood, and begins again.
    pub scope: Key,
    /// Which.
    pub element: ElementId,
    /// Where it goes straight back to itself, once it is done, if it had been returned to. An empty list: it lets no token
    /// out, because what it stands in goes straight back as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<Vec<Back>>,
}

impl Back {
    /// This way back, and those that follow from it.
    pub fn and_then(&self) -> Vec<&Back> {
        let mut all = vec![self];
        for then in self.then.iter().flatten() {
            all.extend(then.and_then());
        }
        all
    }
}

/// Why a token was moved by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MoveKind {
    /// 退回
    Return,
    /// 撤回: whoever decided last takes it back.
    Withdraw,
    /// 自由跳转, 管理员干预
    Jump,
    /// 驳回: the model's own rule for a rejection.
    Reject,
    /// Back to whoever returned it.
    Straight,
}

/// How an instance ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// Nothing is left to do.
    Completed,
    /// A terminate event was reached.
    Terminated,
    /// An error that nobody caught reached the instance.
    Failed {
        /// Its code.
        code: String,
    },
    /// 驳回即终止
    Rejected,
    /// 撤销: whoever started it took it back.
    Revoked {
        /// Why.
        reason: String,
    },
    /// Stopped from outside.
    Cancelled {
        /// Why.
        reason: String,
    },
}

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimerPurpose {
    /// An event of the model.
    Event,
    /// The model's rule for a task that is late: reminds, approves, rejects or returns.
    Timeout,
    /// A failed job is tried again.
    Retry,
}

/// At which step of its life an element met an obstacle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// While it began.
    Entering,
    /// While it was done.
    Active,
    /// While its results were taken and the way on was chosen.
    Leaving,
}

/// What stopped a token until somebody repairs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr)]
pub enum Obstacle {
    /// An expression gave nothing, or something of the wrong kind.
    Expression,
    /// No condition holds and there is no default flow.
    NoWayOn,
    /// A decision table gave nothing.
    Decision,
    /// A job failed as often as it may.
    Job,
    /// Nobody was found who could do it.
    Nobody,
    /// A called process is not there.
    Call,
    /// A timer's time cannot be told.
    Timer,
    /// An error was thrown that nobody catches.
    Error,
    /// More steps in one go than any sound process takes.
    Endless,
}

/// Where tokens stand inside an instance, for whoever draws the diagram.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPlace {
    /// The node, or the flow before a join.
    pub element: ElementId,
    /// How many.
    pub count: u32,
    /// Whether they wait on a flow.
    pub on_flow: bool,
}
