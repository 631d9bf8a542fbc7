//! How approvals are done: who, how many, and what happens when nobody does anything.

use serde::{Deserialize, Serialize};

use super::{Text, Timer};
use crate::expression::Expression;

/// A user task.
#[derive(Debug, Default)]
pub struct UserTask {
    /// `flowable:assignee`
    pub assignee: Option<Text>,
    /// `flowable:owner`
    pub owner: Option<Text>,
    /// Who may claim it, or must approve: every rule adds people.
    pub candidates: Vec<Candidates>,
    /// Rules that stand outside the model, by their names (`zhulu:candidateRule`): each adds people as well.
    pub rules: Vec<String>,
    /// How those that were found divide the work.
    pub method: Method,
    /// When it is due.
    pub due: Option<Timer>,
    /// `flowable:priority`
    pub priority: Option<Text>,
    /// `flowable:category`
    pub category: Option<Text>,
    /// `flowable:formKey`
    pub form_key: Option<Text>,
    /// What may be read, edited or is hidden in the form: field and permission.
    pub fields: Vec<(String, FieldPermission)>,
    /// The buttons that are shown, as the modeller named them.
    pub buttons: Vec<(String, Option<String>)>,
    /// What a rejection does.
    pub on_reject: OnReject,
    /// What happens when it is not done in time.
    pub on_timeout: Option<OnTimeout>,
    /// What happens when nobody is found.
    pub on_nobody: OnNobody,
    /// What happens when the approver is who started the process.
    pub on_starter: OnStarter,
    /// Whether somebody who approved before is asked again; none: as the process says.
    pub deduplicate: Option<Deduplicate>,
    /// An opinion must be written.
    pub opinion_required: bool,
    /// A signature must be given.
    pub signature_required: bool,
    /// Opinions to choose from (常用意见).
    pub opinion_templates: Vec<String>,
    /// The outcomes that can be chosen besides approve, reject and abstain; empty: any.
    pub outcomes: Vec<String>,
    /// What finishing it means to whoever the instance belongs to (`zhulu:means`): names of commands.
    pub means: Vec<String>,
    /// Who gets a copy when it is done (抄送).
    pub copies: Vec<Candidates>,
    /// 容缺: whether it may be done while materials are still missing (`zhulu:tolerance`).
    pub tolerance: bool,
}

/// A rule that finds people. The answer is stored; it is never asked again for the same task.
#[derive(Debug, Clone)]
pub struct Candidates {
    /// The kind.
    pub strategy: Strategy,
    /// What it is asked with: names of roles, ids of users, an expression, as the strategy wants.
    pub parameter: Option<Text>,
}

/// The candidate strategies (候选人策略), by the numbers that yudao's models carry.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::EnumString, strum::IntoStaticStr, strum::VariantArray,
)]
pub enum Strategy {
    /// 角色 (10)
    Role,
    /// 部门成员 (20)
    DepartmentMember,
    /// 部门负责人 (21)
    DepartmentLeader,
    /// 连续多级部门负责人 (23)
    MultiLevelDepartmentLeader,
    /// 岗位 (22)
    Post,
    /// 用户 (30)
    User,
    /// 审批人自选 (34)
    ApproverChooses,
    /// 发起人自选 (35)
    StarterChooses,
    /// 发起人自己 (36)
    Starter,
    /// 发起人部门负责人 (37)
    StarterDepartmentLeader,
    /// 发起人连续多级部门负责人 (38)
    StarterMultiLevelDepartmentLeader,
    /// 用户组 (40)
    Group,
    /// 表单内用户字段 (50)
    FormUser,
    /// 表单内部门负责人 (51)
    FormDepartmentLeader,
    /// 流程表达式 (60)
    Expression,
    /// 审批人为空时的指派 (1)
    AssignEmpty,
}

/// How several people divide one approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Method {
    /// 抢办: whoever claims it first does it. One person: that one.
    #[default]
    Claim,
    /// 随机一人: drawn once.
    Random,
    /// 会签, 或签 and 依次: an instance for each; the loop of the activity says how (see [`Multi`](super::Multi)).
    Each,
}

/// When a vote is over, and what it came to.
#[derive(Debug, Clone)]
pub enum VoteRule {
    /// 全票: all must agree; the first refusal ends it.
    All,
    /// 或签: the first decision counts.
    Any,
    /// 比例会签: so many per cent of all must agree. Over as soon as it is reached or out of reach.
    Ratio {
        /// From 1 to 100.
        percent: u32,
    },
    /// 一票否决 with a ratio: as `Ratio`, but one refusal ends it.
    Veto {
        /// From 1 to 100.
        percent: u32,
    },
    /// A condition over `approvals`, `rejections`, `abstentions`, `total`, `open`: passed once it is true; failed when everybody voted and it is not, or when `fail` is true.
    Feel {
        /// Passed.
        pass: Expression,
        /// Failed before everybody voted.
        fail: Option<Expression>,
    },
}

/// What a rejection does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OnReject {
    /// The token goes on with the outcome `rejected`; gateways decide.
    #[default]
    GoOn,
    /// 驳回即终止
    End,
    /// 退回 to this node.
    ReturnTo(super::ElementId),
}

/// What happens when a task is not done in time.
#[derive(Debug, Clone)]
pub struct OnTimeout {
    /// After what time.
    pub after: Timer,
    /// What is done.
    pub action: TimeoutAction,
    /// How often a reminder is repeated at the most.
    pub maximum: u32,
}

/// What is done about a task that is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeoutAction {
    /// 提醒
    Remind,
    /// 自动通过
    Approve,
    /// 自动拒绝
    Reject,
    /// 自动退回 to the step before.
    Return,
}

/// What happens when nobody is found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum OnNobody {
    /// An incident that an officer repairs.
    #[default]
    Incident,
    /// 自动通过
    Approve,
    /// 自动拒绝
    Reject,
    /// 指定成员审批
    Assign(Vec<String>),
    /// 转交给管理员: the role of administrators, as the resolver knows it.
    Administrator,
}

/// What happens when the approver is who started the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnStarter {
    /// 由发起人对自己审批
    #[default]
    Self_,
    /// 自动跳过
    Skip,
    /// 转交给部门负责人审批
    DepartmentLeader,
}

/// 自动去重
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Deduplicate {
    /// Everybody is asked each time.
    #[default]
    Never,
    /// Whoever approved anywhere in this process is not asked again.
    Whole,
    /// Whoever approved the step right before is not asked again.
    Consecutive,
}

/// What a task lets its approver do with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldPermission {
    /// 只读
    Read,
    /// 可编辑
    Edit,
    /// 隐藏
    Hide,
}
