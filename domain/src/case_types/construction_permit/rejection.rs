//! Why a construction permit may refuse.

use chrono::NaiveDate;

use super::{conditions::Condition, state::Phase};
use crate::case::{Explain, code_of, form::Defect};

/// Why not. Each one is a sentence that the applicant or the officer can act on.
#[derive(Debug, Clone, PartialEq, thiserror::Error, strum::AsRefStr)]
#[allow(missing_docs, reason = "the sentence beside each variant is its documentation")]
pub enum Rejection {
    #[error("the form has defects: {}", .defects.iter().map(|defect| format!("{} ({})", defect.en, defect.field)).collect::<Vec<_>>().join("; "))]
    FormDefects { defects: Vec<Defect> },
    #[error("works of up to {} yuan or {} square metres need no permit; do not accept the application (NotRequired)", .contract_price_fen / 100, .area_cm2 / 10_000)]
    NoPermitNeeded { contract_price_fen: i64, area_cm2: i64 },
    #[error("these conditions of granting are not met: {}", .conditions.iter().map(|condition| condition.en()).collect::<Vec<_>>().join("; "))]
    ConditionsUnmet { conditions: Vec<Condition> },
    #[error("the permit is not issued yet; its number is on the way")]
    NotIssued,
    #[error("this is not possible while the permit is {phase} ({})", phase.name_zh())]
    NotInThisPhase { phase: Phase },
    #[error("the works had to start by {start_by}; the permit lapses (自行废止)")]
    StartedTooLate { start_by: NaiveDate },
    #[error("the start was extended {granted} times already; no further extension is possible (建筑法 9)")]
    NoMoreExtensions { granted: u8 },
    #[error("an extension had to be asked for by {start_by}")]
    AskedTooLate { start_by: NaiveDate },
    #[error("a request for an extension waits for its answer already")]
    ExtensionPending,
    #[error("nobody asked for an extension")]
    NoExtensionAsked,
    #[error("an extension is for 1 to {max_months} months")]
    ExtensionTooLong { max_months: u32 },
    #[error("halted for a year or more since {halted_on}; ask for a recheck first (核验)")]
    RecheckNeeded { halted_on: NaiveDate },
    #[error("halted for less than a year; report the resumption, no recheck is needed")]
    RecheckNotNeeded,
    #[error("a recheck has findings and is done by two different officers")]
    RecheckIncomplete,
    #[error("{field} cannot be amended; amend one of: {known}")]
    UnknownField { field: String, known: &'static str },
    #[error("{field}: {reason}")]
    InvalidValue { field: String, reason: String },
    #[error("{what} on {on} lies before {earlier} or after today; correct the date")]
    ImpossibleDate {
        what: &'static str,
        on: NaiveDate,
        earlier: NaiveDate,
    },
    #[error("{field} must not be empty")]
    Empty { field: &'static str },
    #[error("the permit is in force; archive the case after completion, lapse or cancellation")]
    PermitInForce,
    #[error("the item's definition lacks the number {name}; publish a version that has it")]
    ParameterMissing { name: &'static str },
}

impl Explain for Rejection {
    fn code(&self) -> String {
        code_of(self.as_ref())
    }

    fn zh(&self) -> String {
        match self {
            Self::FormDefects { defects } => {
                let lines: Vec<String> = defects
                    .iter()
                    .map(|defect| format!("{}（{}）", defect.zh, defect.field))
                    .collect();
                format!("申请表有误：{}", lines.join("；"))
            }
            Self::NoPermitNeeded {
                contract_price_fen,
                area_cm2,
            } => format!(
                "投资额不超过 {} 万元或建筑面积不超过 {} 平方米的工程不需要施工许可，请作不受理处理",
                contract_price_fen / 1_000_000,
                area_cm2 / 10_000
            ),
            Self::ConditionsUnmet { conditions } => {
                let lines: Vec<&str> = conditions.iter().map(|condition| condition.zh()).collect();
                format!("不具备许可条件：{}", lines.join("；"))
            }
            Self::NotIssued => "许可证尚未核发，正在取号".to_owned(),
            Self::NotInThisPhase { phase } => format!("许可证{}，不能执行此操作", phase.name_zh()),
            Self::StartedTooLate { start_by } => format!("应于 {start_by} 前开工；许可证自行废止"),
            Self::NoMoreExtensions { granted } => format!("已延期 {granted} 次，不能再延期（建筑法第九条）"),
            Self::AskedTooLate { start_by } => format!("应于 {start_by} 前申请延期"),
            Self::ExtensionPending => "已有延期申请待答复".to_owned(),
            Self::NoExtensionAsked => "没有待答复的延期申请".to_owned(),
            Self::ExtensionTooLong { max_months } => format!("延期为 1 至 {max_months} 个月"),
            Self::RecheckNeeded { halted_on } => format!("自 {halted_on} 中止施工已满一年，恢复前须申请核验"),
            Self::RecheckNotNeeded => "中止施工不满一年，报告恢复施工即可，无须核验".to_owned(),
            Self::RecheckIncomplete => "核验须有核验结论，并由两名不同人员进行".to_owned(),
            Self::UnknownField { field, known } => format!("{field} 不可变更；可变更：{known}"),
            Self::InvalidValue { field, reason } => format!("{field}：{reason}"),
            Self::ImpossibleDate { on, earlier, .. } => format!("日期 {on} 早于 {earlier} 或晚于今日，请更正"),
            Self::Empty { field } => format!("{field} 不能为空"),
            Self::PermitInForce => "许可证仍有效；竣工、废止或注销后方可归档".to_owned(),
            Self::ParameterMissing { name } => format!("事项定义缺少参数 {name}，请发布新版本"),
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::FormDefects { defects } => defects.first().map(|defect| format!("form.{}", defect.field)),
            Self::UnknownField { .. } => Some("field".to_owned()),
            Self::InvalidValue { field, .. } => Some(field.clone()),
            Self::Empty { field } => Some((*field).to_owned()),
            _ => None,
        }
    }
}
