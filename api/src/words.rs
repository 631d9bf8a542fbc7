//! The domain's closed lists as GraphQL knows them. Whatever is added there must be added here, or this does not compile.

use async_graphql::Enum;

/// 办理状态: where a case stands. The names match the code values of live approval systems (工程审批系统 `ItemStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case::Stage")]
pub(crate) enum Stage {
    /// 草稿: nothing filed yet.
    Draft,
    /// 已接件
    Received,
    /// 补正中
    AwaitingCorrection,
    /// 已受理
    Accepted,
    /// 承办中
    UnderReview,
    /// 特别程序 (时限中止)
    Suspended,
    /// 待审核
    PendingApproval,
    /// 待批准
    PendingDecision,
    /// 准予
    Granted,
    /// 容缺准予
    GrantedTolerance,
    /// 不予许可
    Refused,
    /// 不受理
    NotRequired,
    /// 不予受理
    OutOfScope,
    /// 撤件待确认
    WithdrawPending,
    /// 已撤件
    Withdrawn,
    /// 已撤销
    Revoked,
    /// 已注销
    Cancelled,
    /// 已送达
    Delivered,
    /// 已归档
    Archived,
    /// 迁移已回退: the case is as if it had never been imported.
    RolledBack,
}

/// 编号种类: which number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case::NumberKind")]
pub(crate) enum NumberKind {
    /// 办件编号
    Case,
    /// 受理编号
    Acceptance,
    /// 补正通知书编号
    CorrectionNotice,
    /// 特别程序通知书编号
    SuspensionNotice,
    /// 决定书编号
    Decision,
    /// 证照编号 (施工许可证编号)
    Licence,
    /// 档案编号
    Archive,
}

/// 申请人类型: what a party is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case::PartyKind")]
pub(crate) enum PartyKind {
    /// 自然人
    Person,
    /// 法人
    LegalPerson,
    /// 其他组织
    Other,
}

/// 证件类型: what kind of number identifies a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case::IdKind")]
pub(crate) enum IdKind {
    /// 统一社会信用代码
    Uscc,
    /// 居民身份证
    ResidentId,
    /// 护照
    Passport,
    /// 军官证
    MilitaryId,
    /// 其他
    Other,
}

/// 材料来源: where a material came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case::MaterialSource")]
pub(crate) enum MaterialSource {
    /// 上传
    Upload,
    /// 共享数据
    Shared,
    /// 电子证照
    ELicence,
    /// 窗口扫描
    Scan,
}

/// 补正类别: whether something is missing or wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case::GapKind")]
pub(crate) enum GapKind {
    /// 补齐
    Missing,
    /// 补正
    Defective,
}

/// 受理方式: how an application was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case::AcceptanceMode")]
pub(crate) enum AcceptanceMode {
    /// 正常受理
    Normal,
    /// 容缺受理
    Tolerance,
    /// 告知承诺
    Commitment,
}

/// 不受理类别: why an application was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case::NotAcceptedKind")]
pub(crate) enum NotAcceptedKind {
    /// 不受理: no permit is needed.
    NotRequired,
    /// 不予受理: another authority's business.
    OutOfScope,
}

/// 办理环节: a step of the bureau's own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case::Step")]
pub(crate) enum Step {
    /// 承办
    Handling,
    /// 审核
    Section,
    /// 批准
    Decision,
}

/// 办理意见: what somebody concluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case::Conclusion")]
pub(crate) enum Conclusion {
    /// 同意
    Agree,
    /// 不同意
    Disagree,
    /// 退回
    Return,
    /// 需补正
    NeedsCorrection,
}

/// 时限中止事由: why the clock stands still (行政许可法 45 and the like).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case::PauseKind")]
pub(crate) enum PauseKind {
    /// 补正
    Correction,
    /// 听证
    Hearing,
    /// 招标
    Tender,
    /// 检验
    Inspection,
    /// 检测
    Testing,
    /// 鉴定
    Appraisal,
    /// 专家评审
    ExpertReview,
    /// 公示
    Publicity,
    /// 整改
    Rectification,
    /// 现场踏勘
    SiteVisit,
    /// 缴费
    Payment,
    /// 司法限制
    JudicialRestriction,
}

/// 补换证: why a licence was printed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case::ReplacementKind")]
pub(crate) enum ReplacementKind {
    /// 补证
    Lost,
    /// 换证
    Renewed,
}

/// 送达方式: how a document reached the applicant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case::DeliveryMethod")]
pub(crate) enum DeliveryMethod {
    /// 窗口领取
    Window,
    /// 邮寄
    Mail,
    /// 电子
    Electronic,
}

/// 预警级别: how urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case::WarningLevel")]
pub(crate) enum WarningLevel {
    /// 黄
    Yellow,
    /// 红
    Red,
}

/// 时限种类: which of a case's three limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case::LimitKind")]
pub(crate) enum LimitKind {
    /// 法定
    Statutory,
    /// 承诺
    Promised,
    /// 内部预警
    Internal,
}

/// 差评核实结论: what came of looking into a bad review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case::ReviewVerdict")]
pub(crate) enum ReviewVerdict {
    /// 属实
    Founded,
    /// 不实
    Unfounded,
    /// 误评
    Mistaken,
}

/// 建设性质.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case_types::construction_permit::Nature")]
pub(crate) enum Nature {
    /// 新建
    New,
    /// 改建
    Rebuild,
    /// 扩建
    Extension,
    /// 装修
    Decoration,
    /// 拆除
    Demolition,
}

/// 责任主体: what a party does in the works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::case_types::construction_permit::ParticipantRole")]
pub(crate) enum ParticipantRole {
    /// 建设单位
    Client,
    /// 勘察单位
    Survey,
    /// 设计单位
    Design,
    /// 施工单位
    Construction,
    /// 监理单位
    Supervision,
    /// 工程总承包单位
    GeneralContractor,
}

/// 办理渠道: the way by which a command came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(remote = "domain::metadata::Channel")]
pub(crate) enum Channel {
    /// 窗口
    Window,
    /// 网上
    Web,
    /// 移动端
    App,
    /// The platform itself: timers, reactions.
    System,
    /// 数据迁移
    Migration,
}
