//! A case from its filing to the applicant's rating, worked by five people over HTTP.
//!
//! What happened on earlier days is entered with its own business date, as a counter does after a day on paper; so the
//! legal clock has days to count.

use std::{net::SocketAddr, time::Duration};

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use commands::outside::Clock;
use domain::{
    calendar::Calendar,
    metadata::{bureau_date, bureau_midnight},
    rules::Rules,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{REGION, client::Person};
use crate::{cli::TokenArgs, failure::Failure, place::Place, work::token};

/// The application, with everything that the form asks for.
const FORM: &str = include_str!("form.json");
/// How many working days ago the application was filed; the last step is of today.
const FILED_WORKING_DAYS_AGO: usize = 12;
/// The applicant's 统一社会信用代码: their account, too, so that the case is theirs.
const APPLICANT_ID: &str = "91110000600037341L";
/// When the works are to begin, and how long they take.
const PLANNED_START_DAYS: u64 = 30;
const PLANNED_WORKS_DAYS: u64 = 650;
/// How often the demo looks for a number that a reaction allocates.
const NUMBER_LOOKS: u32 = 200;
/// The pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// The case that was told.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// The case.
    pub(super) case_id: Uuid,
    /// 办件编号
    pub(super) case_no: String,
    /// 施工许可证编号
    pub(super) permit_no: String,
    /// A day in the middle of the pause, for a look back.
    pub(super) in_the_pause: NaiveDate,
}

/// The days of the story: the last thirteen working days.
struct Diary {
    days: Vec<NaiveDate>,
    now: DateTime<Utc>,
}

impl Diary {
    fn of(calendar: &Calendar, now: DateTime<Utc>) -> Self {
        let mut days = vec![bureau_date(now)];
        while days.len() <= FILED_WORKING_DAYS_AGO {
            let mut before = days.last().copied().unwrap_or_default() - Days::new(1);
            while !calendar.is_working_day(before) {
                before = before - Days::new(1);
            }
            days.push(before);
        }
        days.reverse();
        Self { days, now }
    }

    fn day(&self, working_day: usize) -> NaiveDate {
        self.days[working_day.min(FILED_WORKING_DAYS_AGO)]
    }

    /// An hour of the counter on that day; never later than now.
    fn at(&self, working_day: usize, hour: i64) -> String {
        (bureau_midnight(self.day(working_day)) + TimeDelta::hours(hour))
            .min(self.now)
            .to_rfc3339()
    }
}

/// Files a case, works it, and has it rated.
#[allow(clippy::too_many_lines, reason = "a story is told from its beginning to its end")]
pub(super) async fn tell(place: &Place, address: SocketAddr, clock: &dyn Clock) -> Result<Told, Failure> {
    let now = clock.now();
    let diary = Diary::of(Rules::embedded().current_calendar(), now);
    let from = |organisation: &str, role: &str, subject: &str, name: &str| -> Result<Person, Failure> {
        let token = TokenArgs {
            role: role.to_owned(),
            name: name.to_owned(),
            region: REGION.to_owned(),
            subject: Some(subject.to_owned()),
            organisation: organisation.to_owned(),
            expires_hours: 1,
        };
        Ok(Person::new(address, token::make(place, &token, now)?))
    };
    let somebody = |role: &str, subject: &str, name: &str| from("", role, subject, name);
    let applicant = somebody("applicant", APPLICANT_ID, "湘湖建设投资有限公司")?;
    let clerk = somebody("windowClerk", "demo-clerk", "周敏")?;
    let chief = somebody("sectionChief", "demo-chief", "吴建明")?;
    let handler = somebody("handler", "demo-handler", "王芳")?;
    let director = somebody("director", "demo-director", "郑国栋")?;
    let quality = Section {
        group: "org:quality-safety",
        person: from("quality-safety", "sectionChief", "demo-quality", "陆文涛")?,
    };
    let defence = Section {
        group: "org:civil-defence",
        person: from("civil-defence", "sectionChief", "demo-defence", "何静")?,
    };

    let filed = applicant.does("constructionPermitSubmit", application(&diary)).await?;
    let case = filed["case"]["id"].clone();
    let case_id = filed["case"]["caseId"]
        .as_str()
        .and_then(|id| Uuid::parse_str(id).ok())
        .ok_or_else(|| Failure::new("申请没有返回办件", "the application returned no case"))?;
    let on = |working_day: usize, hour: i64, mut input: Value| {
        input["caseId"] = case.clone();
        input["occurredAt"] = json!(diary.at(working_day, hour));
        input
    };

    // 补正：一次告知，补齐
    let gaps = json!([{ "code": "M07", "kind": "MISSING", "reason": "缺少危险性较大的分部分项工程清单，请补齐" }]);
    clerk
        .does(
            "caseNotifyCorrection",
            on(1, 10, json!({ "gaps": gaps, "deliveredBy": "短信" })),
        )
        .await?;
    applicant
        .does("caseSupplyCorrection", on(2, 9, json!({ "materials": [material("M07")] })))
        .await?;
    // 受理、派件
    clerk.does("caseAccept", on(3, 9, json!({ "mode": "NORMAL" }))).await?;
    let to = json!({ "id": "demo-handler", "name": "王芳" });
    chief
        .does("caseAssign", on(3, 11, json!({ "to": to, "reason": "按片区派件" })))
        .await?;
    // 审查，其间专家评审中止计时
    let opinion = json!({ "step": "HANDLING", "conclusion": "AGREE", "text": "用地、规划、施工图审查手续齐全；地下一层邻近湘湖，建议组织专家评审" });
    handler.does("caseRecordOpinion", on(4, 15, opinion)).await?;
    let pause = json!({ "kind": "EXPERT_REVIEW", "basis": "行政许可法第四十五条", "expectedWorkingDays": 3 });
    handler.does("caseSuspend", on(4, 16, pause)).await?;
    handler
        .does(
            "caseResume",
            on(
                8,
                9,
                json!({ "kind": "EXPERT_REVIEW", "evidence": "专家评审意见 2026-118：基坑支护方案可行" }),
            ),
        )
        .await?;
    // 会审：面积大、地下室深，决策表请质量安全科与人防科会签
    quality
        .votes(&case, "approved", "基坑支护与危大工程清单符合要求", |input| {
            on(5, 10, input)
        })
        .await?;
    defence
        .votes(&case, "approved", "人防配建面积符合规定", |input| on(6, 11, input))
        .await?;
    handler
        .does(
            "caseCompleteReview",
            on(8, 14, json!({ "conclusion": "AGREE", "secondOfficer": "李强" })),
        )
        .await?;
    // 审核时退回会审，会签重新开始
    let back = json!({
        "task": task_at(&chief, &case, "section", None).await?,
        "to": "joint_review",
        "resume": "AGAIN",
        "reason": "人防科意见未说明平战转换方案，请重新会审",
    });
    chief.does("taskReturn", on(8, 15, back)).await?;
    quality.votes(&case, "approved", "意见同前", |input| on(8, 15, input)).await?;
    let answer = "平战转换方案已审，符合规定";
    defence.votes(&case, "approved", answer, |input| on(8, 15, input)).await?;
    // 审核、决定
    chief.does("caseApproveBySection", on(8, 16, json!({}))).await?;
    director
        .does("caseGrant", on(9, 10, json!({ "conditions": ["基坑开挖前报送监测方案"] })))
        .await?;
    let (case_no, permit_no) = numbers(&clerk, &case).await?;
    // 送达、评价
    clerk
        .does("caseDeliver", on(10, 10, json!({ "method": "WINDOW", "receiver": "钱小楠" })))
        .await?;
    let rating = json!({ "grade": 5, "channel": "网上", "tags": ["一次办成"], "comment": "进度随时看得到，很放心" });
    applicant.does("caseRate", on(11, 20, rating)).await?;
    Ok(Told {
        case_id,
        case_no,
        permit_no,
        in_the_pause: diary.day(6),
    })
}

/// A section that is asked, and who speaks for it.
struct Section {
    group: &'static str,
    person: Person,
}

impl Section {
    /// Votes in the joint review.
    async fn votes(&self, case: &Value, outcome: &str, opinion: &str, on: impl FnOnce(Value) -> Value) -> Result<(), Failure> {
        let task = task_at(&self.person, case, "joint_review", Some(self.group)).await?;
        let input = json!({ "task": task, "outcome": outcome, "opinion": opinion });
        self.person.does("taskComplete", on(input)).await?;
        Ok(())
    }
}

/// The key of the open task at a step; of several, the one that this group is asked for.
async fn task_at(person: &Person, case: &Value, element: &str, group: Option<&str>) -> Result<Value, Failure> {
    let query = "query($id: ID!) { caseProcess(id: $id) { tasks { key element assignee { id } candidates { id } } } }";
    let seen = person.asks(query, json!({ "id": case })).await?;
    let is_asked = |task: &Value| {
        let asks = |one: &Value| group.is_none_or(|group| one["id"] == group);
        let candidates = task["candidates"].as_array();
        asks(&task["assignee"]) || candidates.is_some_and(|candidates| candidates.iter().any(asks))
    };
    let tasks = seen["caseProcess"]["tasks"].as_array();
    let found = tasks.and_then(|tasks| tasks.iter().find(|task| task["element"] == element && is_asked(task)));
    found.map(|task| task["key"].clone()).ok_or_else(|| {
        Failure::new(
            format!("流程没有走到 {element}：{}", seen["caseProcess"]),
            format!("the process has no open task at {element}: {}", seen["caseProcess"]),
        )
    })
}

/// The application, all but one material of it.
fn application(diary: &Diary) -> Value {
    let mut form: Value = serde_json::from_str(FORM).unwrap_or_default();
    let start_on = bureau_date(diary.now) + Days::new(PLANNED_START_DAYS);
    form["planned_start_on"] = json!(start_on);
    form["planned_completion_on"] = json!(start_on + Days::new(PLANNED_WORKS_DAYS));
    let project_code = form["project_code"].clone();
    let materials: Vec<Value> = ["M01", "M02", "M03", "M04", "M05", "M06"].map(material).into();
    json!({
        "projectCode": project_code,
        "applicant": {
            "kind": "LEGAL_PERSON",
            "name": "湘湖建设投资有限公司",
            "idNo": APPLICANT_ID,
            "idKind": "USCC",
            "legalRepresentative": "沈立群",
            "phone": "13800138000",
        },
        "form": form,
        "materials": materials,
        "occurredAt": diary.at(0, 9),
    })
}

fn material(code: &str) -> Value {
    json!({ "code": code, "source": "UPLOAD", "originals": 0, "copies": 1 })
}

/// The numbers that reactions bring: of the case and of the permit.
async fn numbers(clerk: &Person, case: &Value) -> Result<(String, String), Failure> {
    let query = "query($id: ID!) { case(id: $id) { caseNo licenceNo } }";
    for _ in 0..NUMBER_LOOKS {
        let seen = clerk.asks(query, json!({ "id": case })).await?;
        if let (Some(case_no), Some(permit_no)) = (seen["case"]["caseNo"].as_str(), seen["case"]["licenceNo"].as_str()) {
            return Ok((case_no.to_owned(), permit_no.to_owned()));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(Failure::new(
        "许可证编号没有分配；用 zhulu views 和日志查看原因",
        "no permit number was allocated; zhulu views and the log say why",
    ))
}
