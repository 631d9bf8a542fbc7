//! What a case's process asks for, beside the law: votes, returns, pauses; and how models come in.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Bureau, People, application, at, material};
use crate::running::{Person, eventually};

/// What the process of a case is doing.
const PROCESS: &str = "query($id: ID!, $at: MomentInput) { caseProcess(id: $id, at: $at) { status clockPaused revision version \
    tokens { element } tasks { key element candidates { id } assignee { id } means } votes { approvals rejections total passed } } }";

pub(super) fn process(person: &Person<'_>, case: &str, at: &Value) -> Value {
    person.query(PROCESS, &json!({ "id": case, "at": at }))["caseProcess"].clone()
}

/// The key of the open task at a step; of several, the one that this group is asked for.
pub(super) fn task(person: &Person<'_>, case: &str, element: &str, group: Option<&str>) -> Value {
    let seen = process(person, case, &Value::Null);
    let is_asked = |task: &&Value| {
        let asks = |one: &Value| group.is_none_or(|group| one["id"] == group);
        task["element"] == element && (asks(&task["assignee"]) || task["candidates"].as_array().unwrap().iter().any(asks))
    };
    let found = seen["tasks"].as_array().unwrap().iter().find(is_asked);
    found.unwrap_or_else(|| panic!("no task at {element} for {group:?}: {seen}"))["key"].clone()
}

pub(super) fn open_at<'a>(seen: &'a Value, element: &str) -> Vec<&'a Value> {
    let tasks = seen["tasks"].as_array().unwrap().iter();
    tasks.filter(|task| task["element"] == element).collect()
}

/// A large application under review: three sections are to look at it.
fn large(people: &People<'_>) -> String {
    let mut input = application(6);
    input["form"]["area_m2"] = json!("86000.00");
    input["form"]["area_above_m2"] = json!("70000.00");
    input["form"]["area_below_m2"] = json!("16000.00");
    let filed = people.applicant.does("constructionPermitSubmit", input);
    let case = filed["case"]["id"].as_str().unwrap().to_owned();
    people.clerk.does(
        "caseAccept",
        json!({ "caseId": case, "mode": "NORMAL", "occurredAt": at(6, 10) }),
    );
    let to = json!({ "id": "handler", "name": "王芳" });
    people.chief.does(
        "caseAssign",
        json!({ "caseId": case, "to": to, "reason": "分派", "occurredAt": at(6, 11) }),
    );
    case
}

#[test]
fn sections_vote_the_clock_pauses_and_a_return_opens_the_vote_again() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let quality = bureau
        .server()
        .of_organisation("quality-safety", "sectionChief", "lu", "陆文涛");
    let defence = bureau.server().of_organisation("civil-defence", "sectionChief", "he", "何静");
    let case = large(&people);
    let seen = process(&people.chief, &case, &Value::Null);
    assert_eq!(
        (open_at(&seen, "joint_review").len(), open_at(&seen, "review").len()),
        (2, 1),
        "{seen}"
    );

    // The clock of the process stands still with that of the law.
    let pause = json!({ "caseId": case, "kind": "EXPERT_REVIEW", "basis": "行政许可法第四十五条", "expectedWorkingDays": 3, "occurredAt": at(5, 9) });
    people.handler.does("caseSuspend", pause);
    assert_eq!(process(&people.chief, &case, &Value::Null)["clockPaused"], json!(true));
    let paused_at = process(&people.chief, &case, &Value::Null)["revision"].clone();
    let resume = json!({ "caseId": case, "kind": "EXPERT_REVIEW", "evidence": "专家意见", "occurredAt": at(3, 9) });
    people.handler.does("caseResume", resume);
    assert_eq!(process(&people.chief, &case, &Value::Null)["clockPaused"], json!(false));

    // The next step waits for both: the review, and the vote.
    people.handler.does(
        "caseCompleteReview",
        json!({ "caseId": case, "conclusion": "AGREE", "secondOfficer": "李强", "occurredAt": at(2, 9) }),
    );
    let approve = json!({ "caseId": case, "occurredAt": at(2, 10) });
    assert_eq!(
        people.chief.is_refused("caseApproveBySection", approve.clone()),
        "NOT_AT_THIS_STEP"
    );
    let vote = |person: &Person<'_>, group: &str, opinion: Option<&str>| {
        json!({ "caseId": case, "task": task(person, &case, "joint_review", Some(group)), "outcome": "approved",
                "opinion": opinion, "occurredAt": at(2, 11) })
    };
    let silent = vote(&quality, "org:quality-safety", None);
    assert_eq!(quality.is_refused("taskComplete", silent), "OPINION_MISSING");
    let foreign = vote(&defence, "org:quality-safety", Some("代签"));
    assert_eq!(defence.is_refused("taskComplete", foreign), "NOT_YOURS");
    quality.does("taskComplete", vote(&quality, "org:quality-safety", Some("符合要求")));
    defence.does("taskComplete", vote(&defence, "org:civil-defence", Some("符合规定")));

    // Returned into the vote: it is open again as a whole, and the review that was done stays done.
    let back = json!({ "caseId": case, "task": task(&people.chief, &case, "section", None), "to": "joint_review",
                       "resume": "AGAIN", "reason": "请补充平战转换意见", "occurredAt": at(2, 14) });
    people.chief.does("taskReturn", back);
    let seen = process(&people.chief, &case, &Value::Null);
    assert_eq!(
        (open_at(&seen, "joint_review").len(), open_at(&seen, "review").len()),
        (2, 0),
        "{seen}"
    );
    assert_eq!(
        people.chief.is_refused("caseApproveBySection", approve.clone()),
        "NOT_AT_THIS_STEP"
    );
    quality.does("taskComplete", vote(&quality, "org:quality-safety", Some("意见同前")));
    defence.does("taskComplete", vote(&defence, "org:civil-defence", Some("平战转换方案已审")));
    people.chief.does("caseApproveBySection", approve);

    // As it was: the pause can be seen from today.
    let then = process(&people.chief, &case, &json!({ "revision": paused_at }));
    assert_eq!(then["clockPaused"], json!(true));
    assert_eq!(open_at(&then, "joint_review").len(), 2);
}

#[test]
fn a_step_that_means_a_command_of_the_case_is_done_by_that_command_only() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let case = people.file(3);
    let key = task(&people.clerk, &case, "intake", None);
    let input = json!({ "caseId": case, "task": key, "outcome": "approved", "occurredAt": at(3, 11) });
    assert_eq!(people.clerk.is_refused("taskComplete", input), "MEANS_A_COMMAND");
    let mine = eventually("the task in the list of the clerk", || {
        let query = "query($id: ID!) { processTasks(caseId: $id) { element means key } }";
        let seen = people.clerk.query(query, &json!({ "id": case }));
        (seen["processTasks"] != json!([])).then_some(seen)
    });
    assert_eq!(
        mine["processTasks"],
        json!([{ "element": "intake", "means": ["Accept", "NotAccept", "NotifyCorrection"], "key": key }])
    );
    let query = "query($id: ID!) { processTasks(caseId: $id) { element } }";
    let of_director = people.director.query(query, &json!({ "id": case }));
    assert_eq!(of_director["processTasks"], json!([]), "it is nobody else's");
    people.clerk.does(
        "caseNotifyCorrection",
        json!({ "caseId": case, "gaps": [{ "code": "M07", "kind": "MISSING", "reason": "请补齐" }], "deliveredBy": "短信", "occurredAt": at(3, 12) }),
    );
    let seen = process(&people.clerk, &case, &Value::Null);
    assert_eq!(open_at(&seen, "correction").len(), 1, "{seen}");
    people.applicant.does(
        "caseSupplyCorrection",
        json!({ "caseId": case, "materials": [material("M07")], "occurredAt": at(2, 9) }),
    );
    let seen = process(&people.clerk, &case, &Value::Null);
    assert_eq!(open_at(&seen, "intake").len(), 1, "{seen}");
}

/// A leave request as a user of Flowable drew it: candidate groups, a condition in `${…}`, a vote as a multi-instance task.
const LEAVE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
             xmlns:flowable="http://flowable.org/bpmn" targetNamespace="http://www.flowable.org/processdef">
  <process id="leave" name="请假" isExecutable="true">
    <startEvent id="start"/>
    <sequenceFlow id="f1" sourceRef="start" targetRef="manager"/>
    <userTask id="manager" name="部门审批" flowable:candidateGroups="sectionChief"/>
    <sequenceFlow id="f2" sourceRef="manager" targetRef="long"/>
    <exclusiveGateway id="long" default="f4"/>
    <sequenceFlow id="f3" sourceRef="long" targetRef="board">
      <conditionExpression xsi:type="tFormalExpression"><![CDATA[${days > 3 && approved == 'yes'}]]></conditionExpression>
    </sequenceFlow>
    <userTask id="board" name="会签" flowable:assignee="${person}">
      <multiInstanceLoopCharacteristics isSequential="false" flowable:collection="persons" flowable:elementVariable="person">
        <completionCondition>${nrOfCompletedInstances/nrOfInstances >= 0.6}</completionCondition>
      </multiInstanceLoopCharacteristics>
    </userTask>
    <sequenceFlow id="f5" sourceRef="board" targetRef="end"/>
    <sequenceFlow id="f4" sourceRef="long" targetRef="end"/>
    <endEvent id="end"/>
  </process>
</definitions>"#;

/// What became of a command on the models: the codes of its refusals.
pub(super) fn ask_models(person: &Person<'_>, name: &str, mut input: Value) -> Vec<String> {
    input["commandId"] = json!(Uuid::now_v7());
    let mut letters = name.chars();
    let first = letters.next().unwrap().to_ascii_uppercase();
    let query = format!(
        "mutation($input: {first}{}Input!) {{ done: {name}(input: $input) {{ userErrors {{ code message }} position }} }}",
        letters.as_str()
    );
    let data = person.query(&query, &json!({ "input": input }));
    let errors = data["done"]["userErrors"].as_array().unwrap().iter();
    errors.map(|error| error["code"].as_str().unwrap().to_owned()).collect()
}

/// A version that was proposed by one and approved by another: its number. No new case goes by it: the stories share a
/// bureau.
pub(super) fn deployed(operator: &Person<'_>, other: &Person<'_>, key: &str, kind: &str, source: &str) -> i64 {
    let note = Uuid::now_v7().to_string();
    let percent = if kind == "BPMN" { 0 } else { 100 };
    let proposal = json!({ "key": key, "kind": kind, "name": key, "source": source, "percent": percent, "note": note });
    assert_eq!(ask_models(operator, "modelPropose", proposal), Vec::<String>::new());
    let query = "query($key: String!) { processDefinitions(key: $key) { version note } }";
    let listed = operator.query(query, &json!({ "key": key }));
    let listed = listed["processDefinitions"].as_array().unwrap();
    let version = listed.iter().find(|one| one["note"] == json!(note)).unwrap()["version"]
        .as_i64()
        .unwrap();
    let approval = json!({ "key": key, "version": version });
    assert_eq!(ask_models(other, "modelApprove", approval), Vec::<String>::new());
    version
}

#[test]
fn a_model_of_flowable_is_checked_proposed_by_one_and_approved_by_another() {
    let bureau = Bureau::open();
    let operator = bureau
        .server()
        .account("operator", "operator-1", "管理员甲", crate::running::REGION);
    let other = bureau
        .server()
        .account("operator", "operator-2", "管理员乙", crate::running::REGION);
    let checked = operator.query(
        "query($source: String!) { processValidate(kind: BPMN, source: $source) { sound findings { rule line message } translations { source feel } } }",
        &json!({ "source": LEAVE }),
    );
    assert_eq!(checked["processValidate"]["sound"], json!(true), "{checked}");
    let translated = checked["processValidate"]["translations"].to_string();
    assert!(translated.contains("days > 3 and approved"), "{translated}");
    let faulty = operator.query(
        "query($source: String!) { processValidate(kind: BPMN, source: $source) { sound findings { line column message } } }",
        &json!({ "source": LEAVE.replace("days > 3 &&", "days > ") }),
    );
    assert_eq!(faulty["processValidate"]["sound"], json!(false));
    assert!(
        faulty["processValidate"]["findings"][0]["line"].as_i64().unwrap() > 5,
        "{faulty}"
    );

    let proposal = |source: &str| json!({ "key": "leave", "kind": "BPMN", "name": "请假", "source": source });
    assert_eq!(ask_models(&operator, "modelPropose", proposal(LEAVE)), Vec::<String>::new());
    let approval = |version: u32| json!({ "key": "leave", "version": version });
    assert_eq!(ask_models(&operator, "modelApprove", approval(1)), ["OWN_PROPOSAL"]);
    assert_eq!(ask_models(&other, "modelApprove", approval(1)), Vec::<String>::new());
    let second = LEAVE.replace("部门审批", "科室审批").replace("days > 3", "days > 5");
    assert_eq!(ask_models(&operator, "modelPropose", proposal(&second)), Vec::<String>::new());
    let rollout = json!({ "key": "leave", "version": 2, "percent": 10, "reason": "灰度" });
    assert_eq!(ask_models(&operator, "modelRollout", rollout.clone()), ["NOT_IN_FORCE"]);
    assert_eq!(ask_models(&other, "modelApprove", approval(2)), Vec::<String>::new());
    assert_eq!(ask_models(&operator, "modelRollout", rollout), Vec::<String>::new());
    let listed = operator.query(
        "{ processDefinitions(key: \"leave\") { version stage percent } }",
        &Value::Null,
    );
    assert_eq!(
        listed["processDefinitions"],
        json!([
            { "version": 1, "stage": "APPROVED", "percent": 100 },
            { "version": 2, "stage": "APPROVED", "percent": 10 },
        ])
    );
    let differ = operator.query(
        "{ processDiff(key: \"leave\", from: 1, to: 2) { process changed { element what } flowsChanged } }",
        &Value::Null,
    );
    assert_eq!(
        differ["processDiff"],
        json!([{ "process": "leave", "changed": [{ "element": "manager", "what": ["name"] }], "flowsChanged": ["f3"] }])
    );
}

#[test]
fn a_case_goes_over_to_another_version_after_it_was_tried() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let operator = bureau
        .server()
        .account("operator", "operator-3", "管理员丙", crate::running::REGION);
    let other = bureau
        .server()
        .account("operator", "operator-4", "管理员丁", crate::running::REGION);
    let case = people.file(3);
    let carried = operator.query("{ processSource(key: \"constructionPermit\", version: 1) }", &Value::Null);
    let source = carried["processSource"].as_str().unwrap();
    let renamed = source.replace("name=\"受理审查\"", "name=\"受理审查（新）\"");
    let version = deployed(&operator, &other, "constructionPermit", "BPMN", &renamed);
    let migrate = |version: i64, dry_run: bool| {
        let input =
            json!({ "commandId": Uuid::now_v7(), "caseIds": [case], "version": version, "reason": "改名", "dryRun": dry_run });
        let query = "mutation($input: ProcessMigrateInput!) { processMigrate(input: $input) \
            { cases { events userErrors { code } } userErrors { code } } }";
        operator.query(query, &json!({ "input": input }))["processMigrate"].clone()
    };
    let tried = migrate(version, true);
    assert_eq!(
        (&tried["userErrors"], &tried["cases"][0]["userErrors"]),
        (&json!([]), &json!([]))
    );
    assert!(tried["cases"][0]["events"].as_i64().unwrap() > 0, "{tried}");
    assert_eq!(process(&people.clerk, &case, &Value::Null)["version"], json!(1), "tried only");
    let done = migrate(version, false);
    assert_eq!(done["cases"][0]["userErrors"], json!([]), "{done}");
    let seen = process(&people.clerk, &case, &Value::Null);
    assert_eq!(
        (&seen["version"], open_at(&seen, "intake").len()),
        (&json!(version), 1),
        "{seen}"
    );
    let accepted = json!({ "caseId": case, "mode": "NORMAL", "occurredAt": at(3, 11) });
    people.clerk.does("caseAccept", accepted);
    assert_eq!(open_at(&process(&people.clerk, &case, &Value::Null), "assignment").len(), 1);
}
