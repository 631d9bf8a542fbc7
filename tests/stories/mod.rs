//! What happens at the counter, told through GraphQL over HTTP against the real binary, with a real PostgreSQL.

mod access;
mod clock;
mod cluster;
mod history;
mod live;
mod permit;
mod process;
mod process_deployed;
mod process_foresight;

use std::sync::{Arc, Mutex, Weak};

use chrono::{DateTime, Days, FixedOffset, NaiveDate, TimeDelta, Utc};
use domain::{
    metadata::{bureau_date, bureau_midnight},
    rules::Rules,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    running::{Person, REGION, Server, data_directory, eventually},
    tidy::root,
};

/// The applicant's 统一社会信用代码, which is their account as well.
pub const APPLICANT: &str = "91110000600037341L";

/// A bureau that the stories share: it opens with the first of them and closes with the last.
pub struct Bureau {
    // Before the directory, so that the server is gone before its data are.
    server: Server,
    _data: TempDir,
}

impl Bureau {
    /// The shared one.
    pub fn open() -> Arc<Self> {
        static SHARED: Mutex<Weak<Bureau>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(open) = shared.upgrade() {
            return open;
        }
        let data = data_directory();
        let opened = Arc::new(Self {
            server: Server::start(data.path()),
            _data: data,
        });
        *shared = Arc::downgrade(&opened);
        opened
    }

    /// Where it serves.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The people of the counter.
    pub fn people(&self) -> People<'_> {
        People {
            applicant: self.server.account("applicant", APPLICANT, "湘湖建设投资有限公司", REGION),
            clerk: self.server.account("windowClerk", "clerk", "周敏", REGION),
            handler: self.server.account("handler", "handler", "王芳", REGION),
            chief: self.server.account("sectionChief", "chief", "吴建明", REGION),
            director: self.server.account("director", "director", "郑国栋", REGION),
        }
    }
}

/// The people of the counter.
pub struct People<'a> {
    pub applicant: Person<'a>,
    pub clerk: Person<'a>,
    pub handler: Person<'a>,
    pub chief: Person<'a>,
    pub director: Person<'a>,
}

impl People<'_> {
    /// Files an application some working days ago; the case's global id.
    pub fn file(&self, working_days_ago: usize) -> String {
        let filed = self.applicant.does("constructionPermitSubmit", application(working_days_ago));
        filed["case"]["id"].as_str().unwrap().to_owned()
    }

    /// Files and accepts an application, and gives it to the handler.
    pub fn under_review(&self, working_days_ago: usize) -> String {
        let case = self.file(working_days_ago);
        let then = at(working_days_ago, 10);
        self.clerk
            .does("caseAccept", json!({ "caseId": case, "mode": "NORMAL", "occurredAt": then }));
        let to = json!({ "id": "handler", "name": "王芳" });
        self.chief.does(
            "caseAssign",
            json!({ "caseId": case, "to": to, "reason": "按片区派件", "occurredAt": then }),
        );
        case
    }

    /// Brings a case before the director.
    pub fn awaiting_decision(&self, working_days_ago: usize) -> String {
        let case = self.under_review(working_days_ago);
        let then = at(working_days_ago, 14);
        let reviewed = json!({ "caseId": case, "conclusion": "AGREE", "secondOfficer": "李强", "occurredAt": then });
        self.handler.does("caseCompleteReview", reviewed);
        self.chief
            .does("caseApproveBySection", json!({ "caseId": case, "occurredAt": then }));
        case
    }

    /// A permit that was issued, with its number.
    pub fn issued(&self, working_days_ago: usize) -> (String, String) {
        let case = self.awaiting_decision(working_days_ago);
        let granted = json!({ "caseId": case, "conditions": [], "occurredAt": at(working_days_ago, 15) });
        self.director.does("caseGrant", granted);
        let number = eventually("the permit's number", || {
            let seen = self
                .clerk
                .query("query($id: ID!) { case(id: $id) { licenceNo } }", &json!({ "id": case }));
            seen["case"]["licenceNo"].as_str().map(str::to_owned)
        });
        (case, number)
    }

    /// Where a case stands.
    pub fn stage(&self, case: &str) -> String {
        let seen = self
            .clerk
            .query("query($id: ID!) { case(id: $id) { stage } }", &json!({ "id": case }));
        seen["case"]["stage"].as_str().unwrap().to_owned()
    }
}

/// A complete application.
pub fn application(working_days_ago: usize) -> Value {
    let file = root().join("server/src/demo/form.json");
    let mut form: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let start = bureau_date(Utc::now()) + Days::new(30);
    form["planned_start_on"] = json!(start);
    form["planned_completion_on"] = json!(start + Days::new(600));
    // Small enough that no section looks at it together with another.
    form["area_m2"] = json!("12680.00");
    form["area_above_m2"] = json!("9880.00");
    form["area_below_m2"] = json!("2800.00");
    let project_code = form["project_code"].clone();
    let materials: Vec<Value> = (1..=7).map(|number| material(&format!("M{number:02}"))).collect();
    json!({
        "projectCode": project_code,
        "applicant": {
            "kind": "LEGAL_PERSON",
            "name": "湘湖建设投资有限公司",
            "idNo": APPLICANT,
            "idKind": "USCC",
            "legalRepresentative": "沈立群",
            "phone": "13800138000",
        },
        "form": form,
        "materials": materials,
        "occurredAt": at(working_days_ago, 9),
    })
}

/// A material as it is handed in.
pub fn material(code: &str) -> Value {
    json!({ "code": code, "source": "UPLOAD", "originals": 0, "copies": 1 })
}

/// The day that lies so many working days before today.
pub fn day(working_days_ago: usize) -> NaiveDate {
    let rules = Rules::embedded();
    let calendar = rules.current_calendar();
    let mut day = bureau_date(Utc::now());
    for _ in 0..working_days_ago {
        day = day - Days::new(1);
        while !calendar.is_working_day(day) {
            day = day - Days::new(1);
        }
    }
    day
}

/// An hour of that day, never later than now.
pub fn at(working_days_ago: usize, hour: i64) -> String {
    let then: DateTime<Utc> = bureau_midnight(day(working_days_ago)) + TimeDelta::hours(hour);
    let bureau = FixedOffset::east_opt(8 * 3_600).unwrap();
    then.min(Utc::now()).with_timezone(&bureau).to_rfc3339()
}
