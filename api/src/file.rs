//! 卷宗: everything that a case remembers, folded from its own events, now or at any moment.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Error, SimpleObject};
use chrono::NaiveDate;
use commands::CaseAt;
use domain::case::{self, Kernel};
use serde_json::Value;

use crate::{
    asked::state,
    clock::{LegalClock, days},
    deadlines::Deadline,
    permits::ConstructionPermit,
    words::{AcceptanceMode, Conclusion, GapKind, IdKind, MaterialSource, NumberKind, PartyKind, PauseKind, Stage, Step},
    worklist::Task,
};

/// 卷宗: everything that a case remembers.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct CaseFile {
    #[graphql(skip)]
    at: Arc<CaseAt>,
    /// The day that its clock is told for, unless another is asked for.
    on: NaiveDate,
    /// 办理状态
    stage: Stage,
    /// 办理状态名称
    stage_name: &'static str,
    /// The type's own phase after the decision.
    phase: Option<&'static str>,
    /// The same in Chinese.
    phase_name: Option<&'static str>,
    /// 事项编码
    item_code: String,
    /// The version of the item that the case was filed under.
    item_version: i32,
    /// The calendar that it is counted by.
    calendar_edition: String,
    /// The administrative division.
    region: String,
    /// 项目代码
    project_code: Option<String>,
    /// 申请人
    applicant: Option<Party>,
    /// 代理人
    agent: Option<Party>,
    /// 收件日期
    received_on: Option<NaiveDate>,
    /// 申请表, as it was filed and corrected.
    form: Value,
    /// 编号
    numbers: Vec<Number>,
    /// 申请材料
    materials: Vec<Material>,
    /// 一次告知补正
    correction: Option<Correction>,
    /// 受理
    acceptance: Option<Acceptance>,
    /// 承办人
    handler: Option<Officer>,
    /// 办理意见
    opinions: Vec<Opinion>,
    /// 时限中止
    pauses: Vec<Pause>,
    /// 决定
    decision: Option<Decision>,
    /// 送达日期
    delivered_on: Option<NaiveDate>,
    /// 归档日期
    archived_on: Option<NaiveDate>,
    /// 好差评 (1 to 5)
    rating: Option<i32>,
    /// 迁移来源
    imported: Option<ImportSource>,
    /// What lists and reports show of it.
    facts: Vec<Fact>,
}

/// 申请人 or 代理人
#[derive(SimpleObject)]
pub(crate) struct Party {
    /// What they are.
    kind: PartyKind,
    /// 名称
    name: String,
    /// 统一社会信用代码 or the number of another document.
    id_no: String,
    /// What kind of document the number is of.
    id_kind: IdKind,
    /// 法定代表人
    legal_representative: Option<String>,
    /// 电话
    phone: Option<String>,
    /// 地址
    address: Option<String>,
}

/// 编号: a number that was given to the case.
#[derive(SimpleObject)]
pub(crate) struct Number {
    /// What it is for.
    kind: NumberKind,
    /// 编号种类名称
    name: &'static str,
    /// The number.
    number: String,
}

/// 申请材料: a material as it was handed in.
#[derive(SimpleObject)]
pub(crate) struct Material {
    /// Its code in the item's list.
    code: String,
    /// The file, unless only paper was shown.
    document: Option<Document>,
    /// 材料来源
    source: MaterialSource,
    /// 原件份数
    originals: i32,
    /// 复印件份数
    copies: i32,
}

/// A stored file: its content's hash is its name.
#[derive(SimpleObject)]
pub(crate) struct Document {
    /// SHA-256 of the content, in hex.
    sha256: String,
    /// The file's name.
    name: String,
    /// Its size.
    size_bytes: i64,
    /// Its media type.
    media_type: String,
}

/// 一次告知补正
#[derive(SimpleObject)]
pub(crate) struct Correction {
    /// What is missing or wrong.
    gaps: Vec<Gap>,
    /// 告知日期
    notified_on: NaiveDate,
    /// 补正期限
    reply_due_on: NaiveDate,
    /// 补正日期
    supplied_on: Option<NaiveDate>,
}

/// One gap of a correction notice.
#[derive(SimpleObject)]
pub(crate) struct Gap {
    /// Which material.
    code: String,
    /// 补齐 or 补正.
    kind: GapKind,
    /// What is wrong with it and what to do.
    reason: String,
}

/// 受理
#[derive(SimpleObject)]
pub(crate) struct Acceptance {
    /// 受理方式
    mode: AcceptanceMode,
    /// 受理日期
    accepted_on: NaiveDate,
    /// 起算日; the date of receipt, when the case was deemed accepted.
    clock_start_on: NaiveDate,
    /// 视为受理
    deemed: bool,
    /// 法定时限
    statutory: String,
    /// 承诺时限
    promised: String,
}

/// Somebody of the bureau.
#[derive(SimpleObject)]
pub(crate) struct Officer {
    /// The account's id.
    id: String,
    /// The name at that time.
    name: String,
}

/// 办理意见
#[derive(SimpleObject)]
pub(crate) struct Opinion {
    /// 办理环节
    step: Step,
    /// 结论
    conclusion: Conclusion,
    /// 意见
    text: String,
    /// Whose.
    by: String,
    /// When.
    on: NaiveDate,
}

/// 时限中止: a time in which the clock stood still, or would have if the law let it.
#[derive(SimpleObject)]
pub(crate) struct Pause {
    /// 中止事由
    kind: PauseKind,
    /// Whether its time counts all the same.
    counts_against_limit: bool,
    /// 依据
    basis: String,
    /// From which day.
    from: NaiveDate,
    /// To which day; none while it lasts.
    to: Option<NaiveDate>,
}

/// 决定
#[derive(SimpleObject)]
pub(crate) struct Decision {
    /// 准予 or not.
    granted: bool,
    /// 容缺准予
    with_tolerance: bool,
    /// By whom.
    by: String,
    /// When.
    on: NaiveDate,
    /// Why it was refused.
    reasons: Vec<String>,
    /// 救济途径
    remedies: Vec<String>,
    /// 附加条件
    conditions: Vec<String>,
}

/// 迁移来源: where an imported case came from.
#[derive(SimpleObject)]
pub(crate) struct ImportSource {
    /// 批次
    batch: String,
    /// The former system.
    source: String,
    /// Its number there.
    legacy_id: String,
    /// What was recorded with it, by the source's own column names.
    attributes: Value,
    /// When it was filed there.
    submitted_on: NaiveDate,
    /// When it was decided there.
    decided_on: Option<NaiveDate>,
    /// The licence's number there.
    licence_no: Option<String>,
}

/// One thing that lists and reports show.
#[derive(SimpleObject)]
pub(crate) struct Fact {
    /// Its name.
    key: &'static str,
    /// 中文名称
    name: &'static str,
    /// Its value as text.
    value: String,
}

#[ComplexObject]
impl CaseFile {
    /// 法定时限, as of the file's day or of another.
    async fn clock(&self, ctx: &Context<'_>, on: Option<NaiveDate>) -> Result<Option<LegalClock>, Error> {
        Ok(LegalClock::of(
            &self.at.case,
            &state(ctx)?.bureau.rules(),
            on.unwrap_or(self.on),
        ))
    }

    /// 待办: what waited for somebody.
    async fn tasks(&self) -> Vec<Task> {
        self.at.case.tasks().into_iter().map(Task::from).collect()
    }

    /// 期限: everything that was due.
    async fn deadlines(&self, ctx: &Context<'_>) -> Result<Vec<Deadline>, Error> {
        let rules = state(ctx)?.bureau.rules();
        Ok(self.at.case.deadlines(&rules).into_iter().map(Deadline::from).collect())
    }

    /// 施工许可: what the type itself knew; none, if the case is of another type.
    async fn construction_permit(&self) -> Option<ConstructionPermit> {
        ConstructionPermit::of(&self.at.case)
    }

    /// What the type itself remembers, as JSON.
    async fn own(&self) -> Value {
        self.at.case.own()
    }

    /// All that every case remembers, as JSON: also what has no field of its own here.
    async fn kernel(&self) -> Result<Value, Error> {
        serde_json::to_value(self.at.case.kernel()).map_err(crate::errors::failed)
    }
}

impl CaseFile {
    /// The file of a case as it was, whose clock is told for a day.
    pub(crate) fn new(at: Arc<CaseAt>, on: NaiveDate) -> Self {
        let kernel: &Kernel = at.case.kernel();
        let phase = at.case.phase();
        Self {
            on,
            stage: kernel.stage.into(),
            stage_name: kernel.stage.name_zh(),
            phase: phase.map(|(name, _)| name),
            phase_name: phase.map(|(_, zh)| zh),
            item_code: kernel.item_code.clone(),
            item_version: days(kernel.item_version),
            calendar_edition: kernel.calendar_edition.clone(),
            region: kernel.region.clone(),
            project_code: kernel.project_code.clone(),
            applicant: kernel.applicant.as_ref().map(Party::from),
            agent: kernel.agent.as_ref().map(Party::from),
            received_on: kernel.received_on,
            form: kernel.form.read(),
            numbers: kernel
                .numbers
                .iter()
                .map(|(kind, number)| Number {
                    kind: (*kind).into(),
                    name: kind.name_zh(),
                    number: number.clone(),
                })
                .collect(),
            materials: kernel.materials.iter().map(Material::from).collect(),
            correction: kernel.correction.as_ref().map(Correction::from),
            acceptance: kernel.acceptance.as_ref().map(Acceptance::from),
            handler: kernel.handler.as_ref().map(|officer| Officer {
                id: officer.id.clone(),
                name: officer.name.clone(),
            }),
            opinions: kernel.opinions.iter().map(Opinion::from).collect(),
            pauses: kernel.pauses.iter().map(Into::into).collect(),
            decision: kernel.decision.as_ref().map(Decision::from),
            delivered_on: kernel.delivered_on,
            archived_on: kernel.archived_on,
            rating: kernel.rating.as_ref().map(|rating| i32::from(rating.grade)),
            imported: kernel.imported.as_ref().map(ImportSource::from),
            facts: at
                .case
                .facts()
                .into_iter()
                .map(|fact| Fact {
                    key: fact.name,
                    name: fact.name_zh,
                    value: fact.value,
                })
                .collect(),
            at,
        }
    }
}

impl From<&case::Party> for Party {
    fn from(party: &case::Party) -> Self {
        Self {
            kind: party.kind.into(),
            name: party.name.clone(),
            id_no: party.id_no.clone(),
            id_kind: party.id_kind.into(),
            legal_representative: party.legal_representative.clone(),
            phone: party.phone.clone(),
            address: party.address.clone(),
        }
    }
}

impl From<&case::Material> for Material {
    fn from(material: &case::Material) -> Self {
        Self {
            code: material.code.clone(),
            document: material.document.as_ref().map(Document::from),
            source: material.source.into(),
            originals: material.originals.into(),
            copies: material.copies.into(),
        }
    }
}

impl From<&case::Document> for Document {
    fn from(document: &case::Document) -> Self {
        Self {
            sha256: document.sha256.clone(),
            name: document.name.clone(),
            size_bytes: i64::try_from(document.size_bytes).unwrap_or(i64::MAX),
            media_type: document.media_type.clone(),
        }
    }
}

impl From<&case::Correction> for Correction {
    fn from(correction: &case::Correction) -> Self {
        let gap = |gap: &case::Gap| Gap {
            code: gap.code.clone(),
            kind: gap.kind.into(),
            reason: gap.reason.clone(),
        };
        Self {
            gaps: correction.gaps.iter().map(gap).collect(),
            notified_on: correction.notified_on,
            reply_due_on: correction.reply_due_on,
            supplied_on: correction.supplied_on,
        }
    }
}

impl From<&case::Acceptance> for Acceptance {
    fn from(acceptance: &case::Acceptance) -> Self {
        Self {
            mode: acceptance.mode.into(),
            accepted_on: acceptance.accepted_on,
            clock_start_on: acceptance.clock_start_on,
            deemed: acceptance.deemed,
            statutory: acceptance.statutory.to_string(),
            promised: acceptance.promised.to_string(),
        }
    }
}

impl From<&case::Opinion> for Opinion {
    fn from(opinion: &case::Opinion) -> Self {
        Self {
            step: opinion.step.into(),
            conclusion: opinion.conclusion.into(),
            text: opinion.text.clone(),
            by: opinion.by.clone(),
            on: opinion.on,
        }
    }
}

impl From<&case::Pause> for Pause {
    fn from(pause: &case::Pause) -> Self {
        Self {
            kind: pause.kind.into(),
            counts_against_limit: pause.counts_against_limit,
            basis: pause.basis.clone(),
            from: pause.from,
            to: pause.to,
        }
    }
}

impl From<&case::Decision> for Decision {
    fn from(decision: &case::Decision) -> Self {
        Self {
            granted: decision.granted,
            with_tolerance: decision.with_tolerance,
            by: decision.by.clone(),
            on: decision.on,
            reasons: decision.reasons.clone(),
            remedies: decision.remedies.clone(),
            conditions: decision.conditions.clone(),
        }
    }
}

impl From<&case::Imported> for ImportSource {
    fn from(imported: &case::Imported) -> Self {
        Self {
            batch: imported.batch.clone(),
            source: imported.source.clone(),
            legacy_id: imported.legacy_id.clone(),
            attributes: serde_json::json!(imported.attributes),
            submitted_on: imported.submitted_on,
            decided_on: imported.decided_on,
            licence_no: imported.licence_no.clone(),
        }
    }
}
