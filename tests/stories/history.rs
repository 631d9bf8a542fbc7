//! What was, when, and who changed it.

use serde_json::{Value, json};

use super::{Bureau, at, day};
use crate::running::run_well;

#[test]
fn a_case_can_be_seen_as_it_was() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let (case, _) = people.issued(3);
    let as_of = |arguments: &str| {
        let query = format!("query($id: ID!) {{ caseAsOf(id: $id, at: {{ {arguments} }}) {{ revision file {{ stage }} }} }}");
        people.clerk.query(&query, &json!({ "id": case }))["caseAsOf"]["file"]["stage"].clone()
    };
    assert_eq!(as_of("revision: 0"), "RECEIVED");
    // Everything was entered today; as it happened, the case was granted in the afternoon of that day.
    let noon = at(3, 12);
    assert_eq!(as_of(&format!("occurredAt: \"{noon}\"")), "UNDER_REVIEW");
    assert_eq!(as_of(&format!("recordedAt: \"{noon}\"")), Value::Null);
}

#[test]
fn a_difference_names_what_changed_and_who_did_it() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let case = people.under_review(1);
    let diff = people.clerk.query(
        "query($id: ID!) { caseDiff(id: $id, from: { revision: 0 }) { changes { path before after } events { name actor { name } } } }",
        &json!({ "id": case }),
    );
    let text = diff.to_string();
    assert!(text.contains("ApplicationAccepted") && text.contains("周敏"), "{text}");
    assert!(text.contains("stage"), "{text}");
}

#[test]
fn what_was_written_is_read_by_whoever_names_its_position() {
    let bureau = Bureau::open();
    let people = bureau.people();
    for _ in 0..5 {
        let filed = people.applicant.does("constructionPermitSubmit", super::application(0));
        let (case, position) = (filed["case"]["id"].clone(), filed["position"].clone());
        let seen = people.clerk.query(
            "query($at: Position, $id: ID!) { case(id: $id, minPosition: $at) { id } }",
            &json!({ "id": case, "at": position }),
        );
        assert_eq!(seen["case"]["id"], case);
    }
}

#[test]
fn a_replay_on_the_command_line_tells_the_same_beside_the_running_server() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let case = people.under_review(1);
    let seen = people
        .clerk
        .query("query($id: ID!) { case(id: $id) { caseId } }", &json!({ "id": case }));
    let stream = format!("constructionPermit-{}", seen["case"]["caseId"].as_str().unwrap());
    let told = run_well(bureau.server().data(), &["replay", &stream]);
    assert!(told.contains("UnderReview") && told.contains("周敏"), "{told}");
    let first = run_well(bureau.server().data(), &["replay", &stream, "--at", "0"]);
    assert!(first.contains("\"Received\"") && !first.contains("周敏"), "{first}");
    let nothing = crate::running::run(bureau.server().data(), &["replay", &stream, "--at", &day(30).to_string()]);
    assert!(!nothing.status.success());
}
