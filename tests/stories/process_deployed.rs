//! Models that were deployed while the bureau works: messages from outside, tasks that only the process knows.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Bureau, People, application, at,
    process::{deployed, open_at, process},
};
use crate::running::{Person, REGION, eventually};

/// The carried way of a permit; between the intake and the handler, somebody outside says that the site was checked.
fn with_site_check(carried: &str) -> String {
    let withdrawn = r#"<message id="message_WithdrawalConfirmed" name="WithdrawalConfirmed" />"#;
    let flow = r#"<sequenceFlow id="to_assignment" sourceRef="has_handler" targetRef="assignment" />"#;
    assert!(carried.contains(withdrawn) && carried.contains(flow));
    let message = r#"<message id="message_SiteChecked" name="SiteChecked" />"#;
    let waits = r#"<receiveTask id="site_check" name="等待现场核验" messageRef="message_SiteChecked" zhulu:correlation="${form.project_name}" />
    <sequenceFlow id="to_assignment" sourceRef="has_handler" targetRef="site_check" />
    <sequenceFlow id="checked" sourceRef="site_check" targetRef="assignment" />"#;
    let model = carried.replace(withdrawn, &format!("{withdrawn}{message}"));
    model.replace(flow, waits)
}

/// The people who keep models: one proposes, the other approves.
fn operators<'a>(bureau: &'a Bureau, name: &str) -> [Person<'a>; 2] {
    ["a", "b"].map(|one| {
        let account = format!("operator-{name}-{one}");
        bureau.server().account("operator", &account, "管理员", REGION)
    })
}

fn carried(operator: &Person<'_>) -> String {
    let carried = operator.query("{ processSource(key: \"constructionPermit\", version: 1) }", &Value::Null);
    carried["processSource"].as_str().unwrap().to_owned()
}

/// An application for a project of this name, accepted, that goes by this version.
fn accepted(people: &People<'_>, operator: &Person<'_>, version: i64, project: &str) -> String {
    let mut input = application(3);
    input["form"]["project_name"] = json!(project);
    let filed = people.applicant.does("constructionPermitSubmit", input);
    let case = filed["case"]["id"].as_str().unwrap().to_owned();
    let input = json!({ "commandId": Uuid::now_v7(), "caseIds": [case], "version": version, "reason": "现场核验试点" });
    let query = "mutation($input: ProcessMigrateInput!) { processMigrate(input: $input) \
        { cases { userErrors { code message } } userErrors { code } } }";
    let done = operator.query(query, &json!({ "input": input }))["processMigrate"].clone();
    assert_eq!(
        (&done["userErrors"], &done["cases"][0]["userErrors"]),
        (&json!([]), &json!([]))
    );
    let accept = json!({ "caseId": case, "mode": "NORMAL", "occurredAt": at(3, 11) });
    people.clerk.does("caseAccept", accept);
    case
}

#[test]
fn a_message_from_outside_finds_the_one_process_that_waits_for_it() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let [operator, other] = operators(&bureau, "message");
    let version = deployed(
        &operator,
        &other,
        "constructionPermit",
        "BPMN",
        &with_site_check(&carried(&operator)),
    );
    let (alone, twice) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
    let case = accepted(&people, &operator, version, &alone);
    let others = [1, 2].map(|_| accepted(&people, &operator, version, &twice));
    let seen = process(&people.chief, &case, &Value::Null);
    assert_eq!(open_at(&seen, "assignment").len(), 0, "{seen}");

    let query =
        "query($key: String) { processMessages(name: \"SiteChecked\", correlation: $key) { caseId element name correlation } }";
    let waiting = eventually("the wait in the list", || {
        let listed = operator.query(query, &json!({ "key": alone }))["processMessages"].clone();
        (listed != json!([])).then_some(listed)
    });
    assert_eq!(
        waiting,
        json!([{ "caseId": case, "element": "site_check", "name": "SiteChecked", "correlation": alone }])
    );
    let of_case = "query($id: ID!) { processMessages(caseId: $id) { name } }";
    let waiting = operator.query(of_case, &json!({ "id": case }));
    assert_eq!(
        waiting["processMessages"],
        json!([{ "name": "SiteChecked" }]),
        "what the case tells is not waited for outside"
    );

    let deliver = |key: &str, command: Uuid| json!({ "commandId": command, "name": "SiteChecked", "correlation": key, "payload": { "site": "合格" } });
    let id = Uuid::now_v7;
    assert_eq!(
        operator.is_refused("processMessageDeliver", deliver(&twice, id())),
        "MESSAGE_AMBIGUOUS"
    );
    assert_eq!(
        operator.is_refused("processMessageDeliver", deliver("another", id())),
        "NOBODY_WAITS"
    );
    assert_eq!(
        people.clerk.is_forbidden("processMessageDeliver", deliver(&alone, id())),
        "FORBIDDEN"
    );
    let unknown = json!({ "name": "Nothing" });
    assert_eq!(operator.is_refused("processMessageDeliver", unknown), "NOBODY_WAITS");
    let once = id();
    let done = operator.does("processMessageDeliver", deliver(&alone, once));
    assert_eq!(done["case"]["id"], json!(case));
    let seen = process(&people.chief, &case, &Value::Null);
    assert_eq!(open_at(&seen, "assignment").len(), 1, "{seen}");
    // Sent again, it is answered as before; another one finds nobody.
    let again = operator.does("processMessageDeliver", deliver(&alone, once));
    assert_eq!(again["position"], done["position"]);
    assert_eq!(
        operator.is_refused("processMessageDeliver", deliver(&alone, id())),
        "NOBODY_WAITS"
    );
    // By its case, one of the two is told apart.
    let named = json!({ "caseId": others[0], "name": "SiteChecked", "correlation": twice });
    operator.does("messageDeliver", named);
    let done = operator.does("processMessageDeliver", deliver(&twice, id()));
    assert_eq!(done["case"]["id"], json!(others[1]));
}

/// The carried way of a permit; between the intake and the handler, somebody takes a sample and fills in a form.
fn with_sampling(carried: &str, rule: &str, form: &str) -> String {
    let flow = r#"<sequenceFlow id="to_assignment" sourceRef="has_handler" targetRef="assignment" />"#;
    assert!(carried.contains(flow));
    let sampling = format!(
        r#"<userTask id="sampling" name="质量抽查" zhulu:candidateRule="{rule}" zhulu:formKey="{form}" />
    <sequenceFlow id="to_assignment" sourceRef="has_handler" targetRef="sampling" />
    <sequenceFlow id="sampled" sourceRef="sampling" targetRef="assignment" />"#
    );
    carried.replace(flow, &sampling)
}

const SAMPLE_FORM: &str = r#"{ "name": "sampling", "version": 1, "title_zh": "质量抽查表", "title_en": "Sample", "fields": [
  { "name": "found", "title_zh": "抽查结论", "title_en": "Finding", "kind": "choice", "required": true,
    "choices": [{ "value": "good", "title_zh": "合格", "title_en": "good" }, { "value": "bad", "title_zh": "不合格", "title_en": "bad" }] },
  { "name": "on", "title_zh": "抽查日期", "title_en": "Day", "kind": "date", "required": false }
] }"#;

#[test]
fn a_task_that_only_the_process_knows_is_in_the_one_list_with_its_form_and_its_rule() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let [operator, other] = operators(&bureau, "sampling");
    let name = Uuid::now_v7().to_string();
    let (rule, form) = (format!("samplers-{name}"), format!("sampling-{name}"));
    let faulty = json!({ "key": rule, "kind": "CANDIDATE_RULE", "name": "抽查人", "source": r#"{ "candidates": [] }"# });
    assert_eq!(
        super::process::ask_models(&operator, "modelPropose", faulty),
        ["MODEL_FAULTY"]
    );
    let source =
        r#"{ "candidates": [{ "strategy": "Role", "parameter": "inspector" }, { "strategy": "User", "parameter": "gao" }] }"#;
    deployed(&operator, &other, &rule, "CANDIDATE_RULE", source);
    deployed(&operator, &other, &form, "FORM", SAMPLE_FORM);
    let model = with_sampling(&carried(&operator), &rule, &form);
    let version = deployed(&operator, &other, "constructionPermit", "BPMN", &model);
    let case = accepted(&people, &operator, version, &name);
    // A newer form is for cases that come after it: this one has what it was opened with.
    deployed(&operator, &other, &form, "FORM", &SAMPLE_FORM.replace("抽查日期", "抽查时间"));

    let query =
        "query($id: ID!) { caseProcess(id: $id) { tasks { key name candidates { id } formKey form { version title fields } } } }";
    let seen = people.chief.query(query, &json!({ "id": case }))["caseProcess"]["tasks"][0].clone();
    assert_eq!(
        seen["candidates"],
        json!([{ "id": "role:inspector" }, { "id": "gao" }]),
        "{seen}"
    );
    assert_eq!(
        (&seen["form"]["version"], &seen["form"]["title"]),
        (&json!(1), &json!("质量抽查表"))
    );
    assert_eq!(seen["form"]["fields"][1]["title_zh"], json!("抽查日期"));

    let inspector = bureau.server().account("inspector", &format!("lin-{name}"), "林", REGION);
    let list = "query($mine: Boolean, $role: String) { worklist(mine: $mine, role: $role, first: 100) { nodes { caseId key name role processTask } } }";
    let waiting = |person: &Person<'_>, variables: Value| {
        let listed = person.query(list, &variables)["worklist"]["nodes"].clone();
        let of_case = listed.as_array().unwrap().iter().filter(|task| task["caseId"] == json!(case));
        of_case.cloned().collect::<Vec<Value>>()
    };
    let mine = eventually("the sample in the list of the inspector", || {
        let mine = waiting(&inspector, json!({ "mine": true }));
        (!mine.is_empty()).then_some(mine)
    });
    let key = &seen["key"];
    let task =
        json!({ "caseId": case, "key": format!("process:{key}"), "name": "质量抽查", "role": "inspector", "processTask": key });
    assert_eq!(mine, std::slice::from_ref(&task));
    assert_eq!(
        waiting(&people.chief, json!({ "role": "inspector" })),
        std::slice::from_ref(&task)
    );
    assert!(
        !waiting(&people.clerk, json!({ "mine": true })).contains(&task),
        "it is not the window's"
    );
    let kept = waiting(&people.chief, json!({ "mine": true }));
    assert_eq!(
        (kept.len(), &kept[0]["key"], &kept[0]["processTask"]),
        (1, &json!("assign"), &Value::Null)
    );

    let of_task = |more: Value| {
        let mut input = json!({ "caseId": case, "task": key, "occurredAt": at(3, 12) });
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        input
    };
    let claim = of_task(json!({ "commandId": Uuid::now_v7() }));
    let claimed = inspector.query(
        "mutation($input: TaskInput!) { taskClaim(input: $input) { userErrors { code message } } }",
        &json!({ "input": claim }),
    );
    assert_eq!(claimed["taskClaim"]["userErrors"], json!([]));
    let empty = of_task(json!({ "outcome": "approved" }));
    assert_eq!(inspector.is_refused("taskComplete", empty), "FORM_FAULTY");
    let wrong = of_task(json!({ "outcome": "approved", "form": { "found": "perhaps" } }));
    assert_eq!(inspector.is_refused("taskComplete", wrong), "FORM_FAULTY");
    let foreign = of_task(json!({ "outcome": "approved", "form": { "found": "good", "stage": "Granted" } }));
    assert_eq!(inspector.is_refused("taskComplete", foreign), "FORM_FAULTY");
    let good = of_task(json!({ "outcome": "approved", "form": { "found": "good", "on": "2026-03-02" } }));
    inspector.does("taskComplete", good);
    let seen = process(&people.chief, &case, &Value::Null);
    assert_eq!(open_at(&seen, "assignment").len(), 1, "{seen}");
    eventually("an empty list", || {
        waiting(&inspector, json!({ "mine": true })).is_empty().then_some(())
    });
}
