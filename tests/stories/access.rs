//! Who gets in, who may do what, and what is on record of those who may not.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::Bureau;
use crate::running::{REGION, run_well};

const ANYTHING: &str = r#"{"query":"{ me { name } }"}"#;

fn status(bureau: &Bureau, authorization: Option<&str>) -> (u16, String) {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(authorization.map(|value| ("authorization", value)));
    bureau.server().post("/graphql", &headers, ANYTHING)
}

#[test]
fn without_a_token_of_ours_nobody_gets_in() {
    let bureau = Bureau::open();
    let (code, body) = status(&bureau, None);
    assert_eq!(code, 401, "{body}");
    assert!(body.contains("zhulu token"), "the answer does not say how to get one: {body}");
    assert_eq!(status(&bureau, Some("Bearer nonsense")).0, 401);
    assert_eq!(status(&bureau, Some("Basic eDp5")).0, 401);
}

#[test]
fn a_token_of_another_key_or_without_a_signature_is_refused() {
    let bureau = Bureau::open();
    let claims = json!({
        "sub": "x", "name": "x", "role": "director", "org": "", "region": REGION, "channel": "Window",
        "exp": 4_000_000_000_i64, "iat": 1_700_000_000_i64, "aud": "zhulu",
    });
    let forged = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(&[7; 32])).unwrap();
    assert_eq!(status(&bureau, Some(&format!("Bearer {forged}"))).0, 401);
    let payload = forged.split('.').nth(1).unwrap();
    // {"alg":"none","typ":"JWT"}
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.");
    assert_eq!(status(&bureau, Some(&format!("Bearer {unsigned}"))).0, 401);
}

#[test]
fn only_json_is_taken_and_nothing_runs_over_get() {
    let bureau = Bureau::open();
    let clerk = bureau.people().clerk.token().to_owned();
    let bearer = format!("Bearer {clerk}");
    let send = |kind: &str, body: &str| {
        bureau
            .server()
            .post("/graphql", &[("content-type", kind), ("authorization", &bearer)], body)
            .0
    };
    assert_eq!(send("application/json", ANYTHING), 200);
    assert_eq!(send("text/plain", ANYTHING), 415);
    assert_eq!(send("application/json", "[]"), 400);
    assert_eq!(send("application/json", "{"), 400);
    let (_, page) = bureau.server().get("/graphql?query=%7Bme%7Bname%7D%7D");
    assert!(!page.contains("\"data\""), "{page}");
}

#[test]
fn what_a_role_may_not_do_is_forbidden() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let case = people.awaiting_decision(2);
    assert_eq!(
        people
            .clerk
            .is_forbidden("caseGrant", json!({ "caseId": case, "conditions": [] })),
        "FORBIDDEN"
    );
    assert_eq!(
        people
            .handler
            .is_forbidden("caseAccept", json!({ "caseId": case, "mode": "NORMAL" })),
        "FORBIDDEN"
    );
}

#[test]
fn another_region_s_case_is_not_theirs_to_work() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let case = people.awaiting_decision(2);
    let elsewhere = bureau.server().account("director", "elsewhere", "外区局长", "320684");
    assert_eq!(
        elsewhere.is_forbidden("caseGrant", json!({ "caseId": case, "conditions": [] })),
        "FORBIDDEN"
    );
}

#[test]
fn an_applicant_works_on_their_own_cases_only() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let case = people.file(1);
    let other = bureau.server().account("applicant", "91440300708461136T", "别家公司", REGION);
    assert_eq!(
        other.is_forbidden("caseRequestWithdrawal", json!({ "caseId": case, "reason": "不办了" })),
        "FORBIDDEN"
    );
    people
        .applicant
        .does("caseRequestWithdrawal", json!({ "caseId": case, "reason": "不办了" }));
}

#[test]
fn every_refusal_is_on_record() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let case = people.awaiting_decision(2);
    let command_id = uuid::Uuid::now_v7();
    people.clerk.is_forbidden(
        "caseGrant",
        json!({ "caseId": case, "conditions": [], "commandId": command_id }),
    );
    let today = domain::metadata::bureau_date(chrono::Utc::now());
    let record = run_well(bureau.server().data(), &["replay", &format!("refusal-{today}")]);
    assert!(record.contains(&command_id.to_string()), "{record}");
}

#[test]
fn a_token_is_good_for_its_hours_only() {
    let bureau = Bureau::open();
    let token = run_well(
        bureau.server().data(),
        &[
            "token",
            "--role",
            "handler",
            "--name",
            "王芳",
            "--region",
            REGION,
            "--expires-hours",
            "1",
        ],
    );
    let key = std::fs::read_to_string(bureau.server().data().join("token.key")).unwrap();
    let key: Vec<u8> = (0..key.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&key[at..at + 2], 16).unwrap())
        .collect();
    let mut claims: Value = {
        let mut rules = jsonwebtoken::Validation::new(Algorithm::HS256);
        rules.set_audience(&["zhulu"]);
        let decoding = jsonwebtoken::DecodingKey::from_secret(&key);
        jsonwebtoken::decode::<Value>(token.trim(), &decoding, &rules).unwrap().claims
    };
    let lasts = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(lasts, 3_600);
    claims["iat"] = json!(claims["iat"].as_i64().unwrap() - 7_200);
    claims["exp"] = json!(claims["exp"].as_i64().unwrap() - 7_200);
    let expired = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(&key)).unwrap();
    assert_eq!(status(&bureau, Some(&format!("Bearer {expired}"))).0, 401);
}
