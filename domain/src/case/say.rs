//! One line in Chinese and one in English about each event: what the timeline shows.

use super::events::{Event, Gap, Tolerated};

/// Both languages at once, with the same values.
macro_rules! both {
    ($zh:literal, $en:literal $(, $name:ident = $value:expr)* $(,)?) => {
        (format!($zh $(, $name = $value.0)*), format!($en $(, $name = $value.1)*))
    };
}

/// The same text in both languages.
fn same<D: std::fmt::Display>(value: D) -> (String, String) {
    let text = value.to_string();
    (text.clone(), text)
}

/// A word with a Chinese name and its name in the code.
fn word(zh: &'static str, en: &'static str) -> (&'static str, &'static str) {
    (zh, en)
}

impl Event {
    /// One line in Chinese and one in English.
    pub fn say(&self) -> (String, String) {
        match self {
            Self::ApplicationSubmitted { .. }
            | Self::NumberAssigned { .. }
            | Self::MaterialAttached { .. }
            | Self::MaterialRejected { .. }
            | Self::CorrectionNotified { .. }
            | Self::CorrectionSupplied { .. }
            | Self::CorrectionLapsed { .. }
            | Self::ApplicationAccepted { .. }
            | Self::DeemedAccepted { .. }
            | Self::NotAccepted { .. } => self.say_intake(),
            Self::HandlerAssigned { .. }
            | Self::HandlerReassigned { .. }
            | Self::OpinionRecorded { .. }
            | Self::ClockSuspended { .. }
            | Self::ClockResumed { .. }
            | Self::DeadlineExtended { .. }
            | Self::ReviewCompleted { .. }
            | Self::ReturnedForRework { .. }
            | Self::ApprovalRecalled { .. }
            | Self::ApprovedBySection { .. } => self.say_review(),
            Self::DecisionGranted { .. }
            | Self::DecisionRefused { .. }
            | Self::LicenceAmended { .. }
            | Self::LicenceReplaced { .. }
            | Self::LicenceCancelled { .. }
            | Self::DecisionRevoked { .. }
            | Self::DocumentDelivered { .. }
            | Self::CaseArchived { .. }
            | Self::WithdrawalRequested { .. }
            | Self::WithdrawalConfirmed { .. }
            | Self::WithdrawalDeclined { .. } => self.say_decision(),
            _ => self.say_after(),
        }
    }

    fn say_intake(&self) -> (String, String) {
        match self {
            Self::ApplicationSubmitted {
                applicant, materials, ..
            } => both!(
                "{who}提交申请，材料{count}份",
                "{who} filed the application with {count} materials",
                who = same(&applicant.name),
                count = same(materials.len())
            ),
            Self::NumberAssigned { kind, number, .. } => {
                both!(
                    "{kind}：{number}",
                    "number assigned ({kind}): {number}",
                    kind = word(kind.name_zh(), kind.into()),
                    number = same(number)
                )
            }
            Self::MaterialAttached { material, .. } => {
                both!("收到材料 {code}", "material {code} was attached", code = same(&material.code))
            }
            Self::MaterialRejected { code, reason, .. } => {
                both!(
                    "退回材料 {code}：{reason}",
                    "material {code} was rejected: {reason}",
                    code = same(code),
                    reason = same(reason)
                )
            }
            Self::CorrectionNotified { gaps, reply_due_on, .. } => both!(
                "一次告知补正：{codes}，{due}前补正",
                "correction notified once for all: {codes}, due {due}",
                codes = same(codes(gaps)),
                due = same(reply_due_on)
            ),
            Self::CorrectionSupplied { materials, .. } => {
                both!(
                    "收到补正材料{count}份",
                    "{count} materials were supplied after the notice",
                    count = same(materials.len())
                )
            }
            Self::CorrectionLapsed { due_on } => both!(
                "逾期未补正（{due}），视为撤回",
                "nothing was supplied by {due}: withdrawn",
                due = same(due_on)
            ),
            Self::ApplicationAccepted {
                mode,
                statutory,
                promised,
                tolerance,
                ..
            } => both!(
                "受理（{mode}），法定{statutory}，承诺{promised}{tolerance}",
                "accepted ({mode}), statutory limit {statutory}, promised {promised}{tolerance}",
                mode = word(mode.name_zh(), mode_en(*mode)),
                statutory = (statutory.to_string(), statutory.en()),
                promised = (promised.to_string(), promised.en()),
                tolerance = tolerated(tolerance)
            ),
            Self::DeemedAccepted { receipt_on, .. } => {
                both!(
                    "逾期未告知，自收到材料之日{on}起视为受理",
                    "no notice in time: deemed accepted from the receipt on {on}",
                    on = same(receipt_on)
                )
            }
            Self::NotAccepted { kind, reason, .. } => {
                both!(
                    "{kind}：{reason}",
                    "not accepted ({kind}): {reason}",
                    kind = (kind.name_zh().to_owned(), kind.to_string()),
                    reason = same(reason)
                )
            }
            _ => self.say_review(),
        }
    }

    fn say_review(&self) -> (String, String) {
        match self {
            Self::HandlerAssigned { to, .. } => both!("分派承办人：{who}", "{who} was assigned as handler", who = same(&to.name)),
            Self::HandlerReassigned { to, reason, .. } => {
                both!(
                    "改派承办人：{who}（{reason}）",
                    "reassigned to {who} ({reason})",
                    who = same(&to.name),
                    reason = same(reason)
                )
            }
            Self::OpinionRecorded {
                step,
                conclusion,
                text,
                by,
                ..
            } => both!(
                "{step}意见（{by}）：{conclusion}。{text}",
                "opinion at {step} by {by}: {conclusion}. {text}",
                step = word(step.name_zh(), step.into()),
                by = same(by),
                conclusion = word(conclusion.name_zh(), conclusion.into()),
                text = same(text)
            ),
            Self::ClockSuspended {
                kind,
                counts_against_limit,
                basis,
                ..
            } => both!(
                "特别程序开始：{kind}，{counts}（{basis}）",
                "the clock is suspended for {kind}, {counts} ({basis})",
                kind = word(kind.name_zh(), kind.into()),
                counts = if *counts_against_limit {
                    word("时间计入时限", "its time counts")
                } else {
                    word("时间不计入时限", "its time does not count")
                },
                basis = same(basis)
            ),
            Self::ClockResumed { kind, .. } => {
                both!(
                    "特别程序结束：{kind}，恢复计时",
                    "{kind} is over, the clock goes on",
                    kind = word(kind.name_zh(), kind.into())
                )
            }
            Self::DeadlineExtended {
                add_working_days,
                approver,
                reason,
                ..
            } => both!(
                "经{approver}批准延长{days}个工作日：{reason}",
                "{approver} extended the limit by {days} working days: {reason}",
                approver = same(approver),
                days = same(add_working_days),
                reason = same(reason)
            ),
            Self::ReviewCompleted {
                conclusion,
                by,
                second_officer,
                ..
            } => both!(
                "承办审查完成：{conclusion}（{by}、{second}）",
                "review completed: {conclusion} ({by}, {second})",
                conclusion = word(conclusion.name_zh(), conclusion.into()),
                by = same(by),
                second = same(second_officer)
            ),
            Self::ReturnedForRework { to, by, reason, .. } => both!(
                "{by}退回至{to}：{reason}",
                "{by} returned it to {to}: {reason}",
                by = same(by),
                to = word(to.name_zh(), to.into()),
                reason = same(reason)
            ),
            Self::ApprovalRecalled { by, reason, .. } => {
                both!(
                    "{by}收回本人意见：{reason}",
                    "{by} took the approval back: {reason}",
                    by = same(by),
                    reason = same(reason)
                )
            }
            Self::ApprovedBySection { by, .. } => both!("{by}审核通过", "{by} approved for the section", by = same(by)),
            _ => self.say_decision(),
        }
    }

    fn say_decision(&self) -> (String, String) {
        match self {
            Self::DecisionGranted { with_tolerance, by, .. } => both!(
                "{by}批准：{kind}",
                "{by} decided: {kind}",
                by = same(by),
                kind = if *with_tolerance {
                    word("容缺准予许可", "granted with tolerance")
                } else {
                    word("准予许可", "granted")
                }
            ),
            Self::DecisionRefused { reasons, by, .. } => {
                both!(
                    "{by}决定不予许可：{reasons}",
                    "{by} refused: {reasons}",
                    by = same(by),
                    reasons = same(reasons.join("；"))
                )
            }
            Self::LicenceAmended {
                changes, basis, version, ..
            } => both!(
                "证照变更{count}项，第{version}版（{basis}）",
                "{count} changes of the licence, version {version} ({basis})",
                count = same(changes.len()),
                version = same(version),
                basis = same(basis)
            ),
            Self::LicenceReplaced { kind, reason, .. } => {
                both!(
                    "{kind}：{reason}",
                    "the licence was replaced ({kind}): {reason}",
                    kind = (kind.name_zh().to_owned(), kind.to_string()),
                    reason = same(reason)
                )
            }
            Self::LicenceCancelled { article, reason, .. } => {
                both!(
                    "注销（{article}）：{reason}",
                    "the licence was cancelled ({article}): {reason}",
                    article = same(article),
                    reason = same(reason)
                )
            }
            Self::DecisionRevoked { article, reason, .. } => {
                both!(
                    "撤销（{article}）：{reason}",
                    "the decision was revoked ({article}): {reason}",
                    article = same(article),
                    reason = same(reason)
                )
            }
            Self::DocumentDelivered { method, receiver, .. } => both!(
                "送达（{method}）：{receiver}",
                "delivered ({method}) to {receiver}",
                method = (method.name_zh().to_owned(), method.to_string()),
                receiver = same(receiver)
            ),
            Self::CaseArchived { retention, .. } => both!(
                "归档，保管期限{retention}",
                "archived, kept for {retention}",
                retention = same(retention)
            ),
            Self::WithdrawalRequested { reason, .. } => {
                both!("申请撤件：{reason}", "withdrawal requested: {reason}", reason = same(reason))
            }
            Self::WithdrawalConfirmed { by, .. } => both!("{by}确认撤件", "{by} confirmed the withdrawal", by = same(by)),
            Self::WithdrawalDeclined { by, reason, .. } => {
                both!(
                    "{by}不同意撤件：{reason}",
                    "{by} declined the withdrawal: {reason}",
                    by = same(by),
                    reason = same(reason)
                )
            }
            _ => self.say_after(),
        }
    }

    #[allow(clippy::too_many_lines, reason = "a table: one arm for each event")]
    fn say_after(&self) -> (String, String) {
        match self {
            Self::ToleranceMaterialSupplied { material, .. } => {
                both!(
                    "容缺材料 {code} 已补齐",
                    "the promised material {code} was supplied",
                    code = same(&material.code)
                )
            }
            Self::ToleranceDefaulted { code, due_on } => {
                both!(
                    "容缺材料 {code} 逾期未补（{due}）",
                    "the promised material {code} did not come by {due}",
                    code = same(code),
                    due = same(due_on)
                )
            }
            Self::CommitmentVerified { kept, by, .. } => both!(
                "承诺核查（{by}）：{kept}",
                "commitment verified by {by}: {kept}",
                by = same(by.join("、")),
                kept = if *kept {
                    word("已履行", "kept")
                } else {
                    word("未履行", "not kept")
                }
            ),
            Self::CommitmentBreached {
                false_commitment: true, ..
            } => word_pair("虚假承诺", "the commitment was false"),
            Self::CommitmentBreached { rectify_due_on, .. } => {
                let due = rectify_due_on.map_or(same("—"), same);
                both!(
                    "违反承诺，限{due}前整改",
                    "the commitment was breached; to be rectified by {due}",
                    due = due
                )
            }
            Self::CommitmentRectified { by, .. } => both!(
                "承诺整改到位（{by}）",
                "the commitment was rectified ({by})",
                by = same(by.join("、"))
            ),
            Self::WarningRaised { level, limit, .. } => both!(
                "{limit}期限亮{level}灯",
                "{level} warning on the {limit} limit",
                level = word(level.name_zh(), level.into()),
                limit = word(limit.name_zh(), limit.into())
            ),
            Self::OverdueRaised { limit, due_on, .. } => both!(
                "{limit}期限已超（{due}）",
                "the {limit} limit of {due} has passed",
                limit = word(limit.name_zh(), limit.into()),
                due = same(due_on)
            ),
            Self::Supervised {
                by,
                opinion,
                reply_due_on,
                ..
            } => both!(
                "{by}督办：{opinion}，{due}前答复",
                "{by} supervises: {opinion}, reply due {due}",
                by = same(by),
                opinion = same(opinion),
                due = same(reply_due_on)
            ),
            Self::SupervisionAnswered { by, reply, .. } => {
                both!(
                    "{by}答复督办：{reply}",
                    "{by} answered the supervision: {reply}",
                    by = same(by),
                    reply = same(reply)
                )
            }
            Self::SatisfactionRated { grade, .. } => both!("好差评：{grade}分", "rated {grade} of 5", grade = same(grade)),
            Self::BadReviewHandled { verdict, measures, .. } => both!(
                "差评处理（{verdict}）：{measures}",
                "bad review handled ({verdict}): {measures}",
                verdict = (verdict.name_zh().to_owned(), verdict.to_string()),
                measures = same(measures)
            ),
            Self::DataCorrected { path, reason, .. } => {
                both!(
                    "数据更正 {path}：{reason}",
                    "{path} was corrected: {reason}",
                    path = same(path),
                    reason = same(reason)
                )
            }
            Self::CalendarAdopted { edition, .. } => both!(
                "换用工作日历 {edition}",
                "the calendar {edition} was adopted",
                edition = same(edition)
            ),
            Self::ImportedCaseOpened {
                source,
                legacy_id,
                batch,
                ..
            } => both!(
                "自{source}迁入，原编号{id}（批次{batch}）",
                "imported from {source} as {id} (batch {batch})",
                source = same(source),
                id = same(legacy_id),
                batch = same(batch)
            ),
            Self::ImportedStepRecorded { step, activity, .. } => {
                both!(
                    "{step}：{activity}",
                    "{step}: {activity}",
                    step = word(step.name_zh(), step.into()),
                    activity = same(activity)
                )
            }
            Self::ImportedDecisionRecorded { granted: true, .. } => word_pair("原系统决定：准予", "granted in the former system"),
            Self::ImportedDecisionRecorded { .. } => word_pair("原系统决定：不予", "refused in the former system"),
            Self::ImportRolledBack { batch, reason } => {
                both!(
                    "迁移批次{batch}回退：{reason}",
                    "batch {batch} was rolled back: {reason}",
                    batch = same(batch),
                    reason = same(reason)
                )
            }
            _ => word_pair("", ""),
        }
    }
}

fn word_pair(zh: &str, en: &str) -> (String, String) {
    (zh.to_owned(), en.to_owned())
}

fn mode_en(mode: super::AcceptanceMode) -> &'static str {
    match mode {
        super::AcceptanceMode::Normal => "normal",
        super::AcceptanceMode::Tolerance => "tolerance",
        super::AcceptanceMode::Commitment => "commitment",
    }
}

fn codes(gaps: &[Gap]) -> String {
    gaps.iter().map(|gap| gap.code.as_str()).collect::<Vec<_>>().join("、")
}

fn tolerated(tolerance: &[Tolerated]) -> (String, String) {
    if tolerance.is_empty() {
        return (String::new(), String::new());
    }
    let codes = tolerance
        .iter()
        .map(|promised| promised.code.as_str())
        .collect::<Vec<_>>()
        .join("、");
    (format!("，容缺{codes}"), format!(", promised for later: {codes}"))
}
