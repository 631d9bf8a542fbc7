//! What comes next, why it is so, what a model would do before it is deployed; and who works at the bureau.

use serde_json::{Value, json};

use super::{Bureau, application, process::ask_models};
use crate::running::{Person, REGION};

fn steps(told: &Value) -> Vec<&str> {
    let steps = told["steps"].as_array().unwrap().iter();
    let asked = steps.filter(|step| step["kind"] == "TASK" || step["kind"] == "VOTE");
    asked.map(|step| step["element"].as_str().unwrap()).collect()
}

#[test]
fn what_comes_next_and_why_it_stands_here_is_told_and_nothing_happens() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let case = people.under_review(3);
    let query = "query($id: ID!, $choices: [StepChoiceInput!]) { processForecast(caseId: $id, choices: $choices) { revision truncated \
        steps { element name kind people { id } message messageEn because { kind message condition flow } } } }";
    let told = people.chief.query(query, &json!({ "id": case }))["processForecast"].clone();
    assert_eq!(steps(&told), ["section", "decision", "delivery", "archive"], "{told}");
    assert_eq!(told["steps"][0]["people"], json!([{ "id": "role:sectionChief" }]));
    assert_eq!(told["truncated"], json!(false));
    let choices = json!([{ "element": "decision", "outcome": "Return" }]);
    let back = people.chief.query(query, &json!({ "id": case, "choices": choices }))["processForecast"].clone();
    assert_eq!(steps(&back)[..3], ["section", "decision", "review"], "{back}");
    // Nothing has happened: the revision is as it was.
    let again = people.chief.query(query, &json!({ "id": case }))["processForecast"].clone();
    assert_eq!(again["revision"], told["revision"]);

    let query = "query($id: ID!, $at: MomentInput) { processExplain(caseId: $id, at: $at) { revision \
        here { element because { kind message messageEn } } } }";
    let now = people.chief.query(query, &json!({ "id": case }))["processExplain"].clone();
    let here = now["here"].as_array().unwrap();
    let review = here.iter().find(|here| here["element"] == "review").unwrap();
    let kinds: Vec<&Value> = review["because"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cause| &cause["kind"])
        .collect();
    assert!(kinds.contains(&&json!("DECIDED")), "{review}");
    let then = people.chief.query(query, &json!({ "id": case, "at": { "revision": 1 } }));
    let then = &then["processExplain"];
    assert_eq!(then["revision"], json!(1));
    assert!(
        then["here"]
            .as_array()
            .unwrap()
            .iter()
            .all(|here| here["element"] != "review"),
        "{then}"
    );
    let stranger = bureau.server().account("applicant", "91110000600037342M", "他人公司", REGION);
    let unseen = stranger.query(query, &json!({ "id": case }));
    assert_eq!(unseen["processExplain"], Value::Null, "it is not theirs to see");
}

const DRY_RUN: &str = "query($input: ProcessDryRunInput!) { processDryRun(input: $input) { userErrors { code field } \
    findings { line rule message } process ended steps { element kind people { id name } message } path { element name } \
    decisions { element decision rules outputs } waits { element message } } }";

fn dry_run(person: &Person<'_>, input: &Value) -> Value {
    person.query(DRY_RUN, &json!({ "input": input }))["processDryRun"].clone()
}

/// A vote of everybody with a role that only this story knows.
const VOTE: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zhulu="http://zhulu.cn/bpmn"
    targetNamespace="http://zhulu.cn/test"><process id="board" isExecutable="true"><startEvent id="start"/>
<sequenceFlow id="f1" sourceRef="start" targetRef="vote"/>
<userTask id="vote" name="专家表决" zhulu:candidateStrategy="Role" zhulu:candidateParameter="boardExpert" zhulu:method="each" zhulu:vote="all"/>
<sequenceFlow id="f2" sourceRef="vote" targetRef="end"/><endEvent id="end"/></process></definitions>"#;

#[test]
fn a_model_is_tried_before_it_is_deployed_and_a_vote_asks_each_member_of_the_register() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let operator = bureau.server().account("operator", "operator-5", "管理员戊", REGION);
    let carried = operator.query("{ processSource(key: \"constructionPermit\", version: 1) }", &Value::Null);
    let source = carried["processSource"].as_str().unwrap();
    let mut form = application(3)["form"].clone();
    form["area_m2"] = json!("86000.00");
    form["area_above_m2"] = json!("70000.00");
    form["area_below_m2"] = json!("16000.00");
    let told = dry_run(&operator, &json!({ "source": source, "data": { "form": form } }));
    assert_eq!(told["userErrors"], json!([]), "{told}");
    let asked = steps(&told);
    assert!(asked.contains(&"joint_review") && asked.contains(&"decision"), "{asked:?}");
    assert_eq!(told["decisions"][0]["element"], json!("sections"));
    let small = dry_run(
        &operator,
        &json!({ "key": "constructionPermit", "version": 1, "data": { "form": application(3)["form"] } }),
    );
    assert!(!steps(&small).contains(&"joint_review"), "{small}");

    let faulty = dry_run(
        &operator,
        &json!({ "source": source.replace("handler != null", "handler != ") }),
    );
    assert_eq!(faulty["userErrors"][0]["code"], json!("MODEL_FAULTY"));
    assert!(faulty["findings"][0]["line"].as_i64().unwrap() > 5, "{faulty}");
    let missing = dry_run(&operator, &json!({ "key": "constructionPermit", "version": 9_999 }));
    assert_eq!(missing["userErrors"][0]["code"], json!("NO_SUCH_VERSION"));
    let neither = dry_run(&operator, &json!({ "data": {} }));
    assert_eq!(neither["userErrors"][0]["code"], json!("INVALID_INPUT"));
    let refused = people.applicant.graphql(DRY_RUN, &json!({ "input": { "source": source } }));
    assert_eq!(refused["errors"][0]["extensions"]["code"], json!("FORBIDDEN"));

    let department = json!({ "code": "board", "name": "专家库" });
    assert_eq!(ask_models(&operator, "departmentRecord", department), Vec::<String>::new());
    for (id, name) in [("expert-1", "甲"), ("expert-2", "乙"), ("expert-3", "丙")] {
        let member = json!({ "id": id, "name": name, "department": "board", "roles": ["boardExpert"] });
        assert_eq!(ask_models(&operator, "staffRecord", member), Vec::<String>::new());
    }
    let told = dry_run(&operator, &json!({ "source": VOTE }));
    assert_eq!(
        told["steps"][0],
        json!({ "element": "vote", "kind": "VOTE", "message": "逐一征求：甲、乙、丙",
                "people": [{ "id": "expert-1", "name": "甲" }, { "id": "expert-2", "name": "乙" }, { "id": "expert-3", "name": "丙" }] })
    );
    let voices = told["path"].as_array().unwrap().iter();
    assert_eq!(
        voices.filter(|one| one["element"] == "vote").count(),
        4,
        "the vote and its three voices: {told}"
    );
}

const STAFF: &str = "query($role: String, $department: String, $former: Boolean, $awayOn: NaiveDate, $first: Int!, $after: String) { \
    staff(role: $role, department: $department, former: $former, awayOn: $awayOn, first: $first, after: $after) { \
    nodes { id name departmentName leads roles leftOn openTasks standsInFor substitution { substitute { id name } inForce } } \
    pageInfo { hasNextPage endCursor } } }";

fn ids(listed: &Value) -> Vec<&str> {
    let nodes = listed["staff"]["nodes"].as_array().unwrap().iter();
    nodes.map(|one| one["id"].as_str().unwrap()).collect()
}

#[test]
fn the_staff_in_the_process_of_the_bureau_are_listed_with_who_is_away_and_who_left() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let operator = bureau.server().account("operator", "operator-6", "管理员己", REGION);
    let department = json!({ "code": "roster", "name": "名册科", "leader": "roster-1" });
    assert_eq!(ask_models(&operator, "departmentRecord", department), Vec::<String>::new());
    for (id, name) in [("roster-1", "冯"), ("roster-2", "陈"), ("roster-3", "褚")] {
        let member = json!({ "id": id, "name": name, "department": "roster", "roles": ["rosterRole"] });
        assert_eq!(ask_models(&operator, "staffRecord", member), Vec::<String>::new());
    }
    let today = domain::metadata::bureau_date(chrono::Utc::now());
    let away = json!({ "person": "roster-2", "substitute": "roster-1", "from": today, "until": today });
    assert_eq!(ask_models(&operator, "substituteName", away), Vec::<String>::new());
    assert_eq!(
        ask_models(&operator, "staffLeave", json!({ "id": "roster-3" })),
        Vec::<String>::new()
    );

    let listed = operator.query(STAFF, &json!({ "role": "rosterRole", "first": 1 }));
    assert_eq!(ids(&listed), ["roster-1"]);
    assert_eq!(
        listed["staff"]["nodes"][0],
        json!({ "id": "roster-1", "name": "冯", "departmentName": "名册科", "leads": true, "roles": ["rosterRole"], "leftOn": null,
                "openTasks": 0, "standsInFor": ["roster-2"], "substitution": null })
    );
    assert_eq!(listed["staff"]["pageInfo"]["hasNextPage"], json!(true));
    let cursor = &listed["staff"]["pageInfo"]["endCursor"];
    let next = people
        .director
        .query(STAFF, &json!({ "department": "roster", "first": 5, "after": cursor }));
    assert_eq!(ids(&next), ["roster-2"]);
    assert_eq!(
        next["staff"]["nodes"][0]["substitution"],
        json!({ "substitute": { "id": "roster-1", "name": "冯" }, "inForce": true })
    );
    let away = operator.query(STAFF, &json!({ "department": "roster", "awayOn": today, "first": 5 }));
    assert_eq!(ids(&away), ["roster-2"]);
    let former = operator.query(STAFF, &json!({ "department": "roster", "former": true, "first": 5 }));
    assert_eq!(ids(&former), ["roster-3"]);
    assert_eq!(former["staff"]["nodes"][0]["leftOn"], json!(today));
    let departments = operator.query("{ staffDepartments { code leader members } }", &Value::Null);
    let departments = departments["staffDepartments"].as_array().unwrap();
    assert!(departments.contains(&json!({ "code": "roster", "leader": "roster-1", "members": 2 })));
    let refused = people.clerk.graphql(STAFF, &json!({ "first": 5 }));
    assert_eq!(refused["errors"][0]["extensions"]["code"], json!("FORBIDDEN"));
}
