//! 事项目录: the catalogue of items, by version.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use chrono::NaiveDate;
use domain::{case::LimitKind as Kind, rules::ItemDefinition};
use serde_json::Value;

use crate::{asked::state, clock::days, ids::GlobalId, words::PauseKind};

/// 事项: its limits, materials and mechanisms, in one version.
pub(crate) struct Item(pub(crate) Arc<ItemDefinition>);

/// 申请材料: one material of an item's list.
#[derive(SimpleObject)]
struct MaterialRule {
    /// Its code in the list.
    code: String,
    /// 材料名称
    title: String,
    /// Without it the application is not complete (必要).
    required: bool,
    /// 可容缺
    tolerable: bool,
    /// It can be had from shared data and must not be asked again.
    shareable: bool,
}

/// 时限: one limit of an item.
#[derive(SimpleObject)]
struct LimitRule {
    /// 时限种类名称
    name: &'static str,
    /// How long, such as 15 工作日.
    limit: String,
    /// The same in English.
    limit_en: String,
}

/// 特别程序: one kind of pause that an item knows.
#[derive(SimpleObject)]
struct PauseRule {
    /// Which kind.
    kind: PauseKind,
    /// Whether its time counts all the same.
    counts_against_limit: bool,
}

#[Object]
impl Item {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Item(self.0.code.clone()).encode().into()
    }

    /// 事项编码
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// Grows by one with each publication.
    async fn version(&self) -> i32 {
        days(self.0.version)
    }

    /// 案件类型
    async fn category(&self) -> &str {
        &self.0.category
    }

    /// 事项名称
    async fn name(&self) -> &str {
        &self.0.name_zh
    }

    /// The same in English.
    async fn name_en(&self) -> &str {
        &self.0.name_en
    }

    /// 法定, 承诺, 内部预警
    async fn limits(&self) -> Vec<LimitRule> {
        [
            (Kind::Statutory, self.0.statutory),
            (Kind::Promised, self.0.promised),
            (Kind::Internal, self.0.internal),
        ]
        .into_iter()
        .map(|(kind, limit)| LimitRule {
            name: kind.name_zh(),
            limit: limit.to_string(),
            limit_en: limit.en(),
        })
        .collect()
    }

    /// 申请材料
    async fn materials(&self) -> Vec<MaterialRule> {
        self.0
            .materials
            .iter()
            .map(|rule| MaterialRule {
                code: rule.code.clone(),
                title: rule.title_zh.clone(),
                required: rule.required,
                tolerable: rule.tolerable,
                shareable: rule.shareable,
            })
            .collect()
    }

    /// 特别程序
    async fn pauses(&self) -> Vec<PauseRule> {
        let rules = self.0.pauses.iter();
        rules
            .map(|rule| PauseRule {
                kind: rule.kind.into(),
                counts_against_limit: rule.counts_against_limit,
            })
            .collect()
    }

    /// Whether it may be decided on a written commitment (告知承诺).
    async fn commitment(&self) -> bool {
        self.0.commitment
    }

    /// From which day new cases are filed under it.
    async fn effective_from(&self) -> NaiveDate {
        self.0.effective_from
    }

    /// 办理依据
    async fn legal_basis(&self) -> &[String] {
        &self.0.legal_basis
    }

    /// 申请表: the form's fields with their names, kinds and whether they are required.
    async fn form(&self) -> Option<Value> {
        form_of(&self.0.category)
    }

    /// A form that is filled in, to try things with.
    async fn example_form(&self) -> Option<Value> {
        (self.0.category == crate::case_types::construction_permit::CATEGORY)
            .then(domain::case_types::construction_permit::example_form)
    }
}

fn form_of(category: &str) -> Option<Value> {
    if category != crate::case_types::construction_permit::CATEGORY {
        return None;
    }
    serde_json::to_value(domain::case_types::construction_permit::form()).ok()
}

/// The newest version of an item, if it is in the catalogue.
pub(crate) fn find(ctx: &Context<'_>, code: &str) -> Result<Option<Item>, Error> {
    Ok(state(ctx)?
        .bureau
        .rules()
        .items()
        .find(|item| item.code == code)
        .cloned()
        .map(Item))
}

#[derive(Default)]
pub(crate) struct ItemQueries;

#[Object]
impl ItemQueries {
    /// 事项目录: every item in its newest version.
    async fn items(&self, ctx: &Context<'_>) -> Result<Vec<Item>, Error> {
        Ok(state(ctx)?.bureau.rules().items().cloned().map(Item).collect())
    }

    /// 事项: by its code, in its newest version or in the version asked for.
    async fn item(&self, ctx: &Context<'_>, code: String, version: Option<i32>) -> Result<Option<Item>, Error> {
        match version.map(u32::try_from) {
            None => find(ctx, &code),
            Some(Ok(version)) => Ok(state(ctx)?.bureau.rules().item(&code, version).cloned().map(Item)),
            Some(Err(_)) => Ok(None),
        }
    }
}
