//! 施工许可证: what the case type itself knows, and the register that anybody may look up.

use async_graphql::{ComplexObject, Context, Error, ID, Object, SimpleObject};
use casework::AnyWork;
use chrono::NaiveDate;
use commands::{Moment, Register};
use domain::case_types::{AnyCase, construction_permit as own};
use serde_json::Value;

use crate::{
    asked::state,
    errors::refused,
    ids::GlobalId,
    scalars::small,
    words::{Nature, ParticipantRole},
};

/// 施工许可: what a construction permit knows besides what every case does.
#[derive(SimpleObject)]
pub(crate) struct ConstructionPermit {
    /// 许可证状态
    phase: Option<&'static str>,
    /// 许可证状态名称
    phase_name: Option<&'static str>,
    /// 施工许可证编号
    permit_no: Option<String>,
    /// 证照面: what the permit says now, amendments included.
    face: Option<PermitFace>,
    /// 发证日期
    issued_on: Option<NaiveDate>,
    /// 最迟开工日期 (建筑法 9)
    start_by: Option<NaiveDate>,
    /// 开工日期
    started_on: Option<NaiveDate>,
    /// 延期开工
    extensions: Vec<StartExtension>,
    /// When an extension was asked for that waits for its answer.
    extension_asked_on: Option<NaiveDate>,
    /// 中止施工日期
    halted_on: Option<NaiveDate>,
    /// 申请核验日期
    recheck_asked_on: Option<NaiveDate>,
    /// How often it was printed again (补换证).
    replacements: i32,
    /// 竣工备案编号
    filing_no: Option<String>,
}

/// 延期开工: one granted extension of the start.
#[derive(SimpleObject)]
pub(crate) struct StartExtension {
    /// The first or the second.
    sequence: i32,
    /// The date by which works had to start.
    from: NaiveDate,
    /// The date by which they have to now.
    to: NaiveDate,
}

/// 证照面: what a permit says (施工许可证照面信息).
#[derive(SimpleObject)]
pub(crate) struct PermitFace {
    /// 施工许可证编号
    permit_no: String,
    /// 项目代码
    project_code: String,
    /// 行政区划
    region: String,
    /// 工程名称
    project_name: String,
    /// 建设地址
    address: String,
    /// 经纬度
    longitude_latitude: Option<String>,
    /// 建设性质
    nature: Nature,
    /// 建设规模
    scale: String,
    /// 合同价格, 万元
    contract_price_wan: String,
    /// 建筑面积, m²
    area_m2: String,
    /// 地上面积, m²
    area_above_m2: String,
    /// 地下面积, m²
    area_below_m2: String,
    /// 计划开工日期
    planned_start_on: NaiveDate,
    /// 计划竣工日期
    planned_completion_on: NaiveDate,
    /// 用地规划许可证编号
    land_permit_no: String,
    /// 工程规划许可证编号
    planning_permit_no: String,
    /// 中标通知书编号
    award_no: Option<String>,
    /// 施工图审查合格书编号
    review_certificate_no: Option<String>,
    /// 工程类别
    specialty: String,
    /// 责任主体
    participants: Vec<Participant>,
    /// 发证机关
    issuer: String,
    /// 发证日期
    issued_on: NaiveDate,
    /// 备注
    remark: Option<String>,
}

/// 责任主体: a party to the building works.
#[derive(SimpleObject)]
pub(crate) struct Participant {
    /// What it does in the works.
    role: ParticipantRole,
    /// 单位名称
    name: String,
    /// 统一社会信用代码
    uscc: String,
    /// 项目负责人
    lead_name: String,
}

impl ConstructionPermit {
    /// What the case knows as a construction permit; none, if it is of another type.
    pub(crate) fn of(work: &AnyWork) -> Option<Self> {
        let AnyCase::ConstructionPermit(case) = &work.case;
        let own = &case.own;
        Some(Self {
            phase: own.phase.map(Into::into),
            phase_name: own.phase.map(own::Phase::name_zh),
            permit_no: own.permit_no.clone(),
            face: own.face.as_deref().map(PermitFace::from),
            issued_on: own.issued_on,
            start_by: own.start_by,
            started_on: own.started_on,
            extensions: own
                .extensions
                .iter()
                .map(|one| StartExtension {
                    sequence: one.sequence.into(),
                    from: one.from,
                    to: one.to,
                })
                .collect(),
            extension_asked_on: own.extension_asked_on,
            halted_on: own.halted_on,
            recheck_asked_on: own.recheck_asked_on,
            replacements: small(i64::from(own.replacements)),
            filing_no: own.filing_no.clone(),
        })
    }
}

impl From<&own::PermitFace> for PermitFace {
    fn from(face: &own::PermitFace) -> Self {
        Self {
            permit_no: face.permit_no.clone(),
            project_code: face.project_code.clone(),
            region: face.region.clone(),
            project_name: face.project_name.clone(),
            address: face.address.clone(),
            longitude_latitude: face.longitude_latitude.clone(),
            nature: face.nature.into(),
            scale: face.scale.clone(),
            contract_price_wan: decimal(face.contract_price_fen, FEN_PER_WAN_YUAN_DIGITS),
            area_m2: decimal(face.area_cm2, CM2_PER_M2_DIGITS),
            area_above_m2: decimal(face.area_above_cm2, CM2_PER_M2_DIGITS),
            area_below_m2: decimal(face.area_below_cm2, CM2_PER_M2_DIGITS),
            planned_start_on: face.planned_start_on,
            planned_completion_on: face.planned_completion_on,
            land_permit_no: face.land_permit_no.clone(),
            planning_permit_no: face.planning_permit_no.clone(),
            award_no: face.award_no.clone(),
            review_certificate_no: face.review_certificate_no.clone(),
            specialty: face.specialty.clone(),
            participants: face.participants.iter().map(Participant::from).collect(),
            issuer: face.issuer.clone(),
            issued_on: face.issued_on,
            remark: face.remark.clone(),
        }
    }
}

impl From<&own::Participant> for Participant {
    fn from(participant: &own::Participant) -> Self {
        Self {
            role: participant.role.into(),
            name: participant.name.clone(),
            uscc: participant.uscc.clone(),
            lead_name: participant.lead_name.clone(),
        }
    }
}

/// 10,000 yuan are 10⁶ fen.
const FEN_PER_WAN_YUAN_DIGITS: u32 = 6;
/// 1 m² is 10⁴ cm².
const CM2_PER_M2_DIGITS: u32 = 4;

/// A whole number of small units in the large unit, without needless zeros: no float touches money or area.
fn decimal(small_units: i64, digits: u32) -> String {
    let unit = 10_u64.pow(digits);
    let (whole, part) = (small_units.unsigned_abs() / unit, small_units.unsigned_abs() % unit);
    let sign = if small_units < 0 { "-" } else { "" };
    let part = format!("{part:0width$}", width = digits as usize);
    match part.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        part => format!("{sign}{whole}.{part}"),
    }
}

/// 许可证登记: an entry of the register of construction permits.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct Permit {
    /// 施工许可证编号
    permit_no: String,
    #[graphql(skip)]
    state: Value,
    /// How many events are in it.
    events_seen: i32,
}

#[ComplexObject]
impl Permit {
    /// The global id.
    pub(crate) async fn id(&self) -> ID {
        GlobalId::Permit(self.permit_no.clone()).encode().into()
    }

    /// 登记日期
    async fn registered_on(&self) -> Option<NaiveDate> {
        serde_json::from_value(self.state["registered_on"].clone()).ok()
    }

    /// 证照面, as it was issued.
    async fn face(&self) -> Option<PermitFace> {
        serde_json::from_value::<own::PermitFace>(self.state["face"].clone())
            .ok()
            .as_ref()
            .map(PermitFace::from)
    }

    /// The case that it was issued in.
    async fn case_id(&self) -> Option<ID> {
        let case_id = self.state["case_id"].as_str()?;
        let stream = if case_id.contains("constructionPermit-") {
            case_id.to_owned()
        } else {
            format!("constructionPermit-{case_id}")
        };
        GlobalId::decode(&stream).ok().map(|id| id.encode().into())
    }

    /// Whether the entry is closed (注销, 撤销, 自行废止, 竣工).
    async fn closed(&self) -> bool {
        !self.state["closed"].is_null()
    }

    /// The whole entry with its amendments, as JSON.
    async fn entry(&self) -> &Value {
        &self.state
    }
}

/// The entry of a permit, if there is one.
pub(crate) async fn find(ctx: &Context<'_>, permit_no: &str) -> Result<Option<Permit>, Error> {
    let entry = state(ctx)?
        .bureau
        .register_at(Register::Permit, permit_no, Moment::Head)
        .await
        .map_err(refused)?;
    Ok(entry.map(|entry| Permit {
        permit_no: permit_no.to_owned(),
        state: entry.state,
        events_seen: i32::try_from(entry.events_seen).unwrap_or(i32::MAX),
    }))
}

#[derive(Default)]
pub(crate) struct PermitQueries;

#[Object]
impl PermitQueries {
    /// 许可证查询: an entry of the register of construction permits. Public by law, whoever asks.
    async fn permit(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "施工许可证编号")] permit_no: String,
    ) -> Result<Option<Permit>, Error> {
        find(ctx, &permit_no).await
    }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn money_and_areas_are_written_without_floats() {
        assert_eq!(decimal(2_972_639_800, 6), "2972.6398");
        assert_eq!(decimal(94_600_000, 4), "9460");
        assert_eq!(decimal(1, 4), "0.0001");
        assert_eq!(decimal(-15_000, 4), "-1.5");
    }
}
