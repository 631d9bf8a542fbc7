//! The construction permit, from the application to the rating, and the ways in which the law says no.

use serde_json::json;

use super::{Bureau, application, at, material};
use crate::running::eventually;

#[test]
fn a_complete_application_becomes_a_permit_within_the_limit() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let (case, number) = people.issued(3);
    assert_eq!(number.len(), 18, "{number}");
    people.clerk.does(
        "caseDeliver",
        json!({ "caseId": case, "method": "WINDOW", "receiver": "钱小楠", "occurredAt": at(1, 10) }),
    );
    people.applicant.does(
        "caseRate",
        json!({ "caseId": case, "grade": 5, "channel": "网上", "tags": [], "comment": "好" }),
    );
    assert_eq!(people.stage(&case), "DELIVERED");
    let entry = people.clerk.query(
        "query($no: String!) { permit(permitNo: $no) { permitNo } }",
        &json!({ "no": number }),
    );
    assert_eq!(entry["permit"]["permitNo"], json!(number));
}

#[test]
fn gaps_are_told_once() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let mut form = application(6);
    form["materials"] = json!([
        material("M01"),
        material("M02"),
        material("M03"),
        material("M04"),
        material("M05"),
        material("M06")
    ]);
    let filed = people.applicant.does("constructionPermitSubmit", form);
    let case = filed["case"]["id"].clone();
    let gap = |code: &str| json!([{ "code": code, "kind": "MISSING", "reason": "请补齐" }]);
    let notice =
        |code: &str, ago: usize| json!({ "caseId": case, "gaps": gap(code), "deliveredBy": "短信", "occurredAt": at(ago, 11) });
    people.clerk.does("caseNotifyCorrection", notice("M07", 5));
    assert_eq!(
        people.clerk.is_refused(
            "caseAccept",
            json!({ "caseId": case, "mode": "NORMAL", "occurredAt": at(5, 12) })
        ),
        "NOT_NOW"
    );
    let supplied = json!({ "caseId": case, "materials": [material("M07")], "occurredAt": at(4, 9) });
    people.applicant.does("caseSupplyCorrection", supplied);
    assert_eq!(
        people.clerk.is_refused("caseNotifyCorrection", notice("M04", 4)),
        "ALREADY_NOTIFIED"
    );
    people.clerk.does(
        "caseAccept",
        json!({ "caseId": case, "mode": "NORMAL", "occurredAt": at(4, 14) }),
    );
}

#[test]
fn an_application_about_which_nobody_says_anything_is_deemed_accepted() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let case = people.file(9);
    eventually("the deemed acceptance", || (people.stage(&case) == "ACCEPTED").then_some(()));
    let seen = people.clerk.query(
        "query($id: ID!) { case(id: $id) { timeline { name } } }",
        &json!({ "id": case }),
    );
    assert!(seen.to_string().contains("DeemedAccepted"), "{seen}");
}

#[test]
fn whoever_handled_a_case_does_not_decide_it() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let case = people.file(2);
    people.clerk.does(
        "caseAccept",
        json!({ "caseId": case, "mode": "NORMAL", "occurredAt": at(2, 10) }),
    );
    // The director takes the case into their own hands, in the other role that they have.
    let to = json!({ "id": "director", "name": "郑国栋" });
    people.chief.does(
        "caseAssign",
        json!({ "caseId": case, "to": to, "reason": "重点工程", "occurredAt": at(2, 11) }),
    );
    let handling = bureau
        .server()
        .account("handler", "director", "郑国栋", crate::running::REGION);
    let reviewed = json!({ "caseId": case, "conclusion": "AGREE", "secondOfficer": "李强", "occurredAt": at(1, 10) });
    handling.does("caseCompleteReview", reviewed);
    people
        .chief
        .does("caseApproveBySection", json!({ "caseId": case, "occurredAt": at(1, 11) }));
    assert_eq!(
        people
            .director
            .is_refused("caseGrant", json!({ "caseId": case, "conditions": [] })),
        "FOUR_EYES"
    );
}

#[test]
fn nothing_is_decided_while_the_clock_stands_still() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let case = people.awaiting_decision(4);
    let pause = json!({ "caseId": case, "kind": "EXPERT_REVIEW", "basis": "行政许可法第四十五条", "expectedWorkingDays": 3, "occurredAt": at(3, 9) });
    people.handler.does("caseSuspend", pause.clone());
    assert_eq!(people.handler.is_refused("caseSuspend", pause), "NOT_NOW");
    assert_eq!(
        people
            .director
            .is_refused("caseGrant", json!({ "caseId": case, "conditions": [] })),
        "NOT_NOW"
    );
    people.handler.does(
        "caseResume",
        json!({ "caseId": case, "kind": "EXPERT_REVIEW", "evidence": "评审意见", "occurredAt": at(1, 9) }),
    );
    people.director.does("caseGrant", json!({ "caseId": case, "conditions": [] }));
}

#[test]
fn a_refusal_needs_reasons_and_remedies() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let case = people.awaiting_decision(2);
    let refusal = |reasons: serde_json::Value, remedies: serde_json::Value| json!({ "caseId": case, "reasons": reasons, "remedies": remedies });
    assert_eq!(
        people.director.is_refused("caseRefuse", refusal(json!([]), json!([]))),
        "REASONS_MISSING"
    );
    people.director.does(
        "caseRefuse",
        refusal(json!(["资金未落实"]), json!(["六十日内申请行政复议", "六个月内提起行政诉讼"])),
    );
    assert_eq!(people.stage(&case), "REFUSED");
}

#[test]
fn the_same_command_again_is_answered_and_not_executed() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let mut filing = application(1);
    filing["commandId"] = json!(uuid::Uuid::now_v7());
    let first = people.applicant.does("constructionPermitSubmit", filing.clone());
    let second = people.applicant.does("constructionPermitSubmit", filing);
    assert_eq!(first["case"]["caseId"], second["case"]["caseId"]);
    assert_eq!(first["position"], second["position"]);
}

#[test]
fn a_form_with_a_wrong_code_is_refused_by_its_field() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let mut filing = application(0);
    filing["form"]["project_code"] = json!("2603-141124-89-05-346949");
    filing["projectCode"] = json!("2603-141124-89-05-346949");
    let answer = people.applicant.ask("constructionPermitSubmit", filing);
    let error = &answer["data"]["done"]["userErrors"][0];
    assert!(
        error["field"].as_str().unwrap_or_default().to_lowercase().contains("project"),
        "{answer}"
    );
}
