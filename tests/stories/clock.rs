//! What happens when nobody does anything: the weeks pass by a clock that the test sets.

use std::{fs, path::PathBuf};

use chrono::{DateTime, Days, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::People;
use crate::running::{Person, REGION, Server, data_directory, eventually};

/// Long enough for tokens that are used months later.
const TOKEN_HOURS: u32 = 8_000;

/// A bureau of its own, whose clock stands in a file.
struct Timeless {
    // Before the directory, so that the server is gone before its data are.
    server: Server,
    clock: PathBuf,
    began: DateTime<Utc>,
    _data: TempDir,
}

impl Timeless {
    fn open() -> Self {
        let data = data_directory();
        let clock = data.path().join("clock");
        let began = Utc::now();
        fs::write(&clock, began.to_rfc3339()).unwrap();
        let server = Server::start_with(data.path(), &["--demo", "--clock-file", clock.to_str().unwrap()]);
        Self {
            server,
            clock,
            began,
            _data: data,
        }
    }

    fn people(&self) -> People<'_> {
        let person = |role, subject, name| self.server.account_for(role, subject, name, REGION, TOKEN_HOURS);
        People {
            applicant: person("applicant", super::APPLICANT, "湘湖建设投资有限公司"),
            clerk: person("windowClerk", "clerk", "周敏"),
            handler: person("handler", "handler", "王芳"),
            chief: person("sectionChief", "chief", "吴建明"),
            director: person("director", "director", "郑国栋"),
        }
    }

    /// Lets days pass since the beginning.
    fn is_days_later(&self, days: u64) {
        // Written aside and moved there, so that nobody reads half an instant.
        let aside = self.clock.with_extension("next");
        fs::write(&aside, (self.began + Days::new(days)).to_rfc3339()).unwrap();
        fs::rename(&aside, &self.clock).unwrap();
    }
}

/// The names of what happened to a case.
fn told(person: &Person<'_>, case: &str) -> Vec<String> {
    let seen = person.query(
        "query($id: ID!) { case(id: $id) { timeline(first: 100) { name } } }",
        &json!({ "id": case }),
    );
    let names = seen["case"]["timeline"].as_array().unwrap().iter();
    names.map(|row: &Value| row["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_undecided_case_becomes_overdue_and_an_unused_permit_lapses() {
    let bureau = Timeless::open();
    let people = bureau.people();
    let undecided = people.under_review(1);
    let (unused, _) = people.issued(1);
    assert!(!told(&people.clerk, &undecided).contains(&"OverdueRaised".to_owned()));

    // Longer than the limit of the law for a decision, whatever holidays lie between.
    bureau.is_days_later(45);
    eventually("the overdue case", || {
        told(&people.clerk, &undecided)
            .contains(&"OverdueRaised".to_owned())
            .then_some(())
    });
    let counted = people.chief.query("{ worklistCounts { role tasks overdue } }", &json!({}));
    let overdue = counted["worklistCounts"].as_array().unwrap().iter();
    assert!(
        overdue.map(|row| row["overdue"].as_i64().unwrap()).sum::<i64>() >= 1,
        "{counted}"
    );
    assert_eq!(
        people.director.is_refused(
            "caseExtendDeadline",
            json!({ "caseId": undecided, "addWorkingDays": 5, "reason": "案情复杂" })
        ),
        "ALREADY_OVERDUE"
    );
    assert!(
        !told(&people.clerk, &unused).contains(&"PermitLapsed".to_owned()),
        "three months have not passed"
    );

    // 建筑法第九条: whoever does not start within three months, and asked for no extension, loses the permit.
    bureau.is_days_later(120);
    eventually("the lapsed permit", || {
        told(&people.clerk, &unused)
            .contains(&"PermitLapsed".to_owned())
            .then_some(())
    });
}
