//! What a process refuses, in Chinese.

use process_engine::instance::Rejection as R;

/// The sentence in Chinese.
#[allow(clippy::too_many_lines, reason = "a table: one arm for each sentence")]
pub(super) fn zh(rejection: &R) -> String {
    match rejection {
        R::AlreadyStarted => "流程已经启动".to_owned(),
        R::NotStarted => "流程尚未启动".to_owned(),
        R::AlreadyEnded => "流程已经结束".to_owned(),
        R::Suspended => "流程已挂起，请先激活".to_owned(),
        R::NotSuspended => "流程未挂起".to_owned(),
        R::NoSuchProcess { process, .. } => format!("没有流程 {process}，请先部署"),
        R::NotExecutable { process } => format!("流程 {process} 不可执行，不能启动"),
        R::NoSuchStart { by } => format!("流程没有与 {by} 相应的开始事件"),
        R::NoSuchTask { task } => format!("没有待办任务 {task}"),
        R::NotYours { task, whom, actor } => format!("任务 {task} 由 {whom} 办理，{actor} 不能办理"),
        R::AlreadyClaimed { task, assignee } => format!("任务 {task} 已由 {assignee} 认领"),
        R::NotClaimed { task } => format!("任务 {task} 尚无人认领，请先认领"),
        R::WaitsForSigns { task } => format!("任务 {task} 须待前加签人员办理后再办"),
        R::DecidedAlready { task } => format!("任务 {task} 已办理，待后加签人员办理"),
        R::NoSuchOutcome { outcome, allowed } => format!("“{outcome}”不是该任务可选的结果：{allowed}"),
        R::OpinionMissing => "请填写意见".to_owned(),
        R::SignatureMissing => "请签名".to_owned(),
        R::FieldNotEditable { field } => format!("本环节不能修改字段 {field}"),
        R::AskedAlready { person } => format!("{person} 已在审批人之列"),
        R::NotAsked { person } => format!("{person} 不在审批人之列，或已经办理"),
        R::NoVote => "该任务不是会签或依次审批，不能并加签".to_owned(),
        R::LastApprover => "不能减去最后一名审批人".to_owned(),
        R::NobodyNamed => "未指定人员".to_owned(),
        R::NoSuchElement { element } => format!("流程中没有节点 {element}"),
        R::NotDoneBefore { element } => format!("节点 {element} 未曾办理，只能退回到办理过的节点"),
        R::NothingThere { key } => format!("没有正在进行的 {key}"),
        R::CannotWithdraw { reason } => format!("不能撤回：{reason}"),
        R::NotTheStarter => "只有发起人可以撤销流程".to_owned(),
        R::NobodyWaits { name } => format!("没有等待消息 {name} 的节点"),
        R::NoSuchJob { job } => format!("没有待执行的作业 {job}"),
        R::NoSuchIncident { incident } => format!("没有待处理的异常 {incident}"),
        R::ClockPaused => "计时已暂停".to_owned(),
        R::ClockRuns => "计时未暂停".to_owned(),
        R::CannotBegin { element, reason } => format!("不能手工启动节点 {element}：{reason}"),
        R::CannotMigrate { findings } => format!("不能迁移到该模型：{}", findings.join("；")),
        R::TooMuch { what, limit } => format!("{what} 超过上限 {limit}"),
        R::NotAdministrator => "只有管理员可以如此干预".to_owned(),
        R::ReasonMissing => "请填写理由".to_owned(),
        R::StandsBeside { element, other } => format!("节点 {element} 与 {other} 处于并行分支，请退回到两者之前的环节"),
        R::DoneAlready { element } => format!("节点 {element} 正在办理"),
        R::UrgedEnough { task, limit } => format!("任务 {task} 已催办 {limit} 次，不能再催"),
        R::NoSuchCopy { copy, actor } => format!("没有抄送 {actor} 的 {copy}"),
        R::Invalid { reason } => format!("请求无效：{reason}"),
    }
}
