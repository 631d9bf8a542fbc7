//! The models that are in force or were proposed: what they are, whether they are sound, how versions differ, how they run.

use async_graphql::{Context, Enum, Error, Object, SimpleObject};
use casework::deployment::{Stage, Version};
use chrono::NaiveDate;
use domain::case::ModelKind as Kind;
use process_engine::{
    bpmn, dmn,
    finding::{Finding, Severity},
    model::{Difference, difference},
};

use crate::{
    asked::{principal, state},
    errors::{Code, refused},
};

/// 模型种类
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub(crate) enum ModelKind {
    /// 流程: a process in BPMN 2.0.
    Bpmn,
    /// 决策表: decisions in DMN.
    Dmn,
    /// 表单
    Form,
    /// 候选人规则
    CandidateRule,
}

/// 部署状态
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Stage")]
pub(crate) enum ModelStage {
    /// 待批准
    Proposed,
    /// 已批准: new cases go by it, from its day on.
    Approved,
    /// 不予部署
    Declined,
    /// 停用
    Retired,
}

/// A version of a model (模型版本).
#[derive(Debug, SimpleObject)]
pub(crate) struct ProcessDefinition {
    /// What it is called among all models; `constructionPermit` is the way that construction permits go.
    key: String,
    /// Its version; 1 is the first.
    version: i32,
    /// What it is.
    kind: ModelKind,
    /// 名称
    name: String,
    /// SHA-256 of the file: what cases are pinned to.
    hash: String,
    /// How it stands.
    stage: ModelStage,
    /// From which day new cases go by it; none: always.
    effective_from: Option<NaiveDate>,
    /// How many of a hundred new cases go by it (灰度).
    percent: i32,
    /// Who proposed it; none: the program carries it.
    proposed_by: Option<String>,
    /// Who approved or declined it.
    answered_by: Option<String>,
    /// What whoever proposed it noted.
    note: String,
}

/// Something that is wrong with a model.
#[derive(Debug, SimpleObject)]
pub(crate) struct ModelFinding {
    /// The rule, by its name.
    rule: String,
    /// Whether the model is refused for it; otherwise somebody should look.
    is_error: bool,
    /// The line in the file, from 1.
    line: i32,
    /// The column, from 1.
    column: i32,
    /// The element, by its id.
    element: Option<String>,
    /// 说明
    message: String,
    /// The same in English.
    message_en: String,
}

impl From<&Finding> for ModelFinding {
    fn from(finding: &Finding) -> Self {
        let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        Self {
            rule: finding.rule.to_owned(),
            is_error: finding.severity == Severity::Error,
            line: number(finding.place.line),
            column: number(finding.place.column),
            element: finding.element.clone(),
            message: finding.message_zh.clone(),
            message_en: finding.message.clone(),
        }
    }
}

/// An expression that was translated to FEEL.
#[derive(Debug, SimpleObject)]
pub(crate) struct TranslatedExpression {
    /// The element that it belongs to.
    element: String,
    /// What was written.
    source: String,
    /// The same in FEEL.
    feel: String,
}

/// What a check of a model found (模型检查).
#[derive(Debug, SimpleObject)]
pub(crate) struct ModelCheck {
    /// Whether it could be deployed.
    sound: bool,
    /// SHA-256 of the file.
    hash: Option<String>,
    /// What is wrong, in the order of the file.
    findings: Vec<ModelFinding>,
    /// Expressions of other languages, and what they became.
    translations: Vec<TranslatedExpression>,
}

/// A node that is not the same in two versions.
#[derive(Debug, SimpleObject)]
pub(crate) struct ModelChange {
    /// Which, by its id.
    element: String,
    /// What is not the same.
    what: Vec<String>,
}

/// What two versions differ in (版本比较).
#[derive(Debug, SimpleObject)]
pub(crate) struct ModelDifference {
    /// The process.
    process: String,
    /// Nodes that only the new version has.
    added: Vec<String>,
    /// Nodes that only the old version has.
    removed: Vec<String>,
    /// Nodes that both have and that are not the same.
    changed: Vec<ModelChange>,
    /// Flows that only the new version has.
    flows_added: Vec<String>,
    /// Flows that only the old version has.
    flows_removed: Vec<String>,
    /// Flows that lead elsewhere, or under another condition.
    flows_changed: Vec<String>,
}

impl ModelDifference {
    fn of(process: &str, found: Difference) -> Self {
        let changed = found.changed.into_iter().map(|change| ModelChange {
            element: change.element,
            what: change.what.into_iter().map(str::to_owned).collect(),
        });
        Self {
            process: process.to_owned(),
            added: found.added,
            removed: found.removed,
            changed: changed.collect(),
            flows_added: found.flows_added,
            flows_removed: found.flows_removed,
            flows_changed: found.flows_changed,
        }
    }
}

fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn deployed(version: &Version) -> ProcessDefinition {
    ProcessDefinition {
        key: version.key.clone(),
        version: number(version.version),
        kind: version.kind.into(),
        name: version.name.clone(),
        hash: version.hash.clone(),
        stage: version.stage.into(),
        effective_from: Some(version.effective_from),
        percent: number(version.percent),
        proposed_by: Some(version.proposed_by.clone()),
        answered_by: version.answered_by.clone(),
        note: version.note.clone(),
    }
}

/// Only those who work at the bureau see its models.
pub(crate) fn of_the_bureau(ctx: &Context<'_>) -> Result<(), Error> {
    if principal(ctx)?.is_applicant() {
        return Err(Code::Forbidden.error("仅工作人员可查看 / only for those who work at the bureau"));
    }
    Ok(())
}

#[derive(Default)]
pub(crate) struct DefinitionQueries;

#[Object]
impl DefinitionQueries {
    /// 模型列表: every version of every model, those that the program carries first.
    async fn process_definitions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of this key")] key: Option<String>,
    ) -> Result<Vec<ProcessDefinition>, Error> {
        of_the_bureau(ctx)?;
        let bureau = &state(ctx)?.bureau;
        let proposed = bureau.models().await.map_err(refused)?;
        let library = bureau.library();
        let is_deployed = |hash: &str| proposed.versions().any(|version| version.hash == hash);
        let carried = library
            .editions()
            .filter(|edition| !is_deployed(&edition.hash))
            .map(|edition| ProcessDefinition {
                key: edition.key.to_string(),
                version: number(edition.version),
                kind: edition.kind.into(),
                name: edition.key.to_string(),
                hash: edition.hash.to_string(),
                stage: ModelStage::Approved,
                effective_from: None,
                percent: number(edition.percent),
                proposed_by: None,
                answered_by: None,
                note: String::new(),
            });
        let all = carried.chain(proposed.versions().map(deployed));
        Ok(all.filter(|one| key.as_ref().is_none_or(|key| *key == one.key)).collect())
    }

    /// The file of a version of a model; none, if there is no such version.
    async fn process_source(&self, ctx: &Context<'_>, key: String, version: i32) -> Result<Option<String>, Error> {
        of_the_bureau(ctx)?;
        let version = u32::try_from(version).map_err(|_| Code::BadInput.error("versions count from 1"))?;
        state(ctx)?.bureau.model_source(&key, version).await.map_err(refused)
    }

    /// 模型检查: everything that is wrong with a file, and what its expressions became. Nothing is deployed.
    async fn process_validate(&self, ctx: &Context<'_>, kind: ModelKind, source: String) -> Result<ModelCheck, Error> {
        of_the_bureau(ctx)?;
        Ok(checked(kind, source.as_bytes()))
    }

    /// 版本比较: what a version has otherwise than another, process by process.
    async fn process_diff(&self, ctx: &Context<'_>, key: String, from: i32, to: i32) -> Result<Vec<ModelDifference>, Error> {
        of_the_bureau(ctx)?;
        let bureau = &state(ctx)?.bureau;
        let mut read = Vec::new();
        for version in [from, to] {
            let at = u32::try_from(version).map_err(|_| Code::BadInput.error("versions count from 1"))?;
            let source = bureau.model_source(&key, at).await.map_err(refused)?;
            let source = source.ok_or_else(|| Code::BadInput.error(format!("there is no version {version} of {key}")))?;
            let model = bpmn::read(source.as_bytes(), &bpmn::ReadOptions::default());
            read.push(model.map_err(|cause| Code::BadInput.error(cause))?.definitions);
        }
        let [old, new] = read.as_slice() else { return Ok(Vec::new()) };
        let of_both = new.processes.iter().filter_map(|process| {
            let name = &process.reference.process;
            Some(ModelDifference::of(name, difference(old.process(name)?, process)))
        });
        Ok(of_both.collect())
    }
}

fn checked(kind: ModelKind, bytes: &[u8]) -> ModelCheck {
    let mut check = ModelCheck {
        sound: true,
        hash: None,
        findings: Vec::new(),
        translations: Vec::new(),
    };
    let rejected = match kind {
        ModelKind::Bpmn => match bpmn::read(bytes, &bpmn::ReadOptions::default()) {
            Ok(read) => {
                check.hash = Some(read.definitions.hash.to_string());
                check.findings = read.findings.iter().map(Into::into).collect();
                let translated = read.definitions.translations.into_iter().map(|one| TranslatedExpression {
                    element: one.element,
                    source: one.source,
                    feel: one.feel,
                });
                check.translations = translated.collect();
                None
            }
            Err(rejected) => Some(rejected.findings),
        },
        ModelKind::Dmn => match dmn::read(bytes, dmn::ReadOptions::default()) {
            Ok(read) => {
                check.hash = Some(read.hash().to_string());
                None
            }
            Err(rejected) => Some(rejected.findings),
        },
        ModelKind::Form | ModelKind::CandidateRule => casework::check_document(kind.into(), bytes)
            .err()
            .map(|finding| vec![finding]),
    };
    if let Some(findings) = rejected {
        check.sound = false;
        check.findings = findings.iter().map(Into::into).collect();
    }
    check
}
