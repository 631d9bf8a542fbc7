//! What stands beside every event: who, when, through which channel, by which command.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The version of the metadata's own shape.
pub const SCHEMA_VERSION: u16 = 1;

/// China Standard Time, the bureau's only clock (UTC+8, no summer time since 1991).
const BUREAU_OFFSET_SECONDS: i32 = 8 * 3600;

/// The bureau's date at an instant.
pub fn bureau_date(at: DateTime<Utc>) -> NaiveDate {
    FixedOffset::east_opt(BUREAU_OFFSET_SECONDS).map_or_else(|| at.date_naive(), |offset| at.with_timezone(&offset).date_naive())
}

/// The instant at which a date begins at the bureau.
pub fn bureau_midnight(on: NaiveDate) -> DateTime<Utc> {
    on.and_time(chrono::NaiveTime::MIN).and_utc() - chrono::TimeDelta::seconds(i64::from(BUREAU_OFFSET_SECONDS))
}

/// The way by which a command came in.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, strum::Display, strum::EnumString, strum::VariantNames,
)]
pub enum Channel {
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

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// The account's id.
    pub id: String,
    /// The name at that time.
    pub name: String,
    /// The role in which they act (`windowClerk`).
    pub role: String,
    /// The organisation: its 统一社会信用代码 or the bureau's department code.
    pub organisation: String,
    /// Through which channel.
    pub channel: Channel,
    /// For whom, if not for themselves (代理).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
}

/// What stands beside an event in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The command that made it.
    pub command_id: Uuid,
    /// The command's name (`Accept`).
    pub command: String,
    /// What all of it belongs to: the first command of the chain.
    #[serde(rename = "$correlationId")]
    pub correlation_id: Uuid,
    /// The event that led to the command, or the command itself.
    #[serde(rename = "$causationId")]
    pub causation_id: Uuid,
    /// Who did it.
    pub actor: Actor,
    /// When it happened (business time; a paper fallback is entered later).
    pub occurred_at: DateTime<Utc>,
    /// When it was recorded (the server's time).
    pub recorded_at: DateTime<Utc>,
    /// The administrative division (GB/T 2260) whose bureau acted.
    pub region: String,
    /// The article that it was done by, when the actor named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<String>,
    /// The version of this shape.
    pub schema_version: u16,
    /// The distributed trace that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The key under which personal data in it is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
}
