//! What cases are decided by: calendars and item definitions, each by version. Versioned data, never constants.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    calendar::{Calendar, Limit},
    case_types,
    metadata::{Actor, bureau_date},
};

/// What a decision may look at besides the past: the moment, the actor, the rules in force.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The server's time.
    pub now: DateTime<Utc>,
    /// When it happened; before `now` for what was done on paper and is entered later.
    pub occurred_at: DateTime<Utc>,
    /// Who asks.
    pub actor: Actor,
    /// The administrative division whose bureau acts.
    pub region: String,
    /// The rules in force.
    pub rules: Rules,
}

impl Desk {
    /// The business date: the day on which it happened, at the bureau.
    pub fn today(&self) -> NaiveDate {
        bureau_date(self.occurred_at)
    }
}

/// All rules in force, and all that once were. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rules(Arc<Book>);

#[derive(Debug, Clone)]
struct Book {
    calendars: BTreeMap<String, Calendar>,
    current_calendar: String,
    items: BTreeMap<String, BTreeMap<u32, Arc<ItemDefinition>>>,
}

impl Rules {
    /// The rules that the program carries.
    pub fn embedded() -> Self {
        let calendar = Calendar::embedded();
        let edition = calendar.edition().to_string();
        let mut items: BTreeMap<String, BTreeMap<u32, Arc<ItemDefinition>>> = BTreeMap::new();
        for item in case_types::embedded_items() {
            items
                .entry(item.code.clone())
                .or_default()
                .insert(item.version, Arc::new(item));
        }
        Self(Arc::new(Book {
            calendars: BTreeMap::from([(edition.clone(), calendar)]),
            current_calendar: edition,
            items,
        }))
    }

    /// The calendar edition in force now: what a new case is pinned to.
    pub fn current_calendar(&self) -> &Calendar {
        self.calendar(&self.0.current_calendar)
    }

    /// A calendar by its edition; the current one for an edition that nobody published.
    pub fn calendar(&self, edition: &str) -> &Calendar {
        self.0
            .calendars
            .get(edition)
            .unwrap_or_else(|| &self.0.calendars[&self.0.current_calendar])
    }

    /// These rules and a newly published calendar, from now on the current one.
    #[must_use]
    pub fn with_calendar(&self, calendar: Calendar) -> Self {
        let mut book = (*self.0).clone();
        book.current_calendar = calendar.edition().to_string();
        book.calendars.insert(book.current_calendar.clone(), calendar);
        Self(Arc::new(book))
    }

    /// These rules and one more item definition (a new version of an item, or a new item).
    #[must_use]
    pub fn with_item(&self, item: ItemDefinition) -> Self {
        let mut book = (*self.0).clone();
        book.items
            .entry(item.code.clone())
            .or_default()
            .insert(item.version, Arc::new(item));
        Self(Arc::new(book))
    }

    /// The definition of an item as a case has it pinned.
    pub fn item(&self, code: &str, version: u32) -> Option<&Arc<ItemDefinition>> {
        self.0.items.get(code)?.get(&version)
    }

    /// The definition that a case filed on this day is pinned to: the newest one in effect.
    pub fn item_on(&self, code: &str, on: NaiveDate) -> Option<&Arc<ItemDefinition>> {
        self.0.items.get(code)?.values().rev().find(|item| item.effective_from <= on)
    }

    /// Every item, in its newest version.
    pub fn items(&self) -> impl Iterator<Item = &Arc<ItemDefinition>> {
        self.0.items.values().filter_map(|versions| versions.values().next_back())
    }
}

/// An item of the bureau's catalogue (事项): its limits, materials and mechanisms. A file of data beside its case type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemDefinition {
    /// 事项编码
    pub code: String,
    /// Grows by one with each publication; a case keeps the version that it was filed under.
    pub version: u32,
    /// The case type's stream category that it is handled as.
    pub category: String,
    /// 事项名称
    pub name_zh: String,
    /// The same in English.
    pub name_en: String,
    /// 法定时限
    pub statutory: Limit,
    /// 承诺时限; never longer than the statutory one.
    pub promised: Limit,
    /// 内部预警时限
    pub internal: Limit,
    /// Share of a limit used at which a case turns yellow, in percent.
    pub yellow_percent: u32,
    /// Share of a limit used at which a case turns red, in percent.
    pub red_percent: u32,
    /// Within how many working days gaps must be told, else the case is deemed accepted (行政许可法 32).
    pub correction_notice_working_days: u32,
    /// How long the applicant has to supply what is missing.
    pub correction_reply: Limit,
    /// The longest extension (行政许可法 42).
    pub extension_working_days: u32,
    /// Within how many working days the decision must be delivered (行政许可法 44).
    pub delivery_working_days: u32,
    /// How long promised materials may be outstanding after a tolerant acceptance (容缺).
    pub tolerance_working_days: u32,
    /// Which materials are asked for.
    pub materials: Vec<MaterialRule>,
    /// Which pauses the item knows, and whether the time counts.
    pub pauses: Vec<PauseRule>,
    /// Whether it may be decided on a written commitment (告知承诺).
    pub commitment: bool,
    /// Prefix of the item's numbers (`SGXK`).
    pub number_prefix: String,
    /// Further numbers of the type's own law, by name (such as `start_within_months`).
    #[serde(default)]
    pub parameters: BTreeMap<String, i64>,
    /// From which day new cases are filed under it.
    pub effective_from: NaiveDate,
    /// 办理依据
    pub legal_basis: Vec<String>,
}

/// One material of the list (申请材料).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaterialRule {
    /// Its code in the list (`M01`).
    pub code: String,
    /// 材料名称
    pub title_zh: String,
    /// Without it the application is not complete.
    pub required: bool,
    /// It may be promised and supplied later (可容缺).
    pub tolerable: bool,
    /// It can be had from shared data and must not be asked again (在线政务规定 7).
    pub shareable: bool,
}

/// One kind of pause (特别程序 and the like).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseRule {
    /// Which kind.
    pub kind: crate::case::PauseKind,
    /// Whether its time counts against the limit (行政许可法 45: what is listed there does not).
    pub counts_against_limit: bool,
}
