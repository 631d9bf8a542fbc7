//! Whole walks through the room, over HTTP, with views in a PostgreSQL of our own.
#![allow(clippy::unwrap_used, clippy::too_many_lines)]

use async_graphql::parser::parse_query;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    documents::Documents,
    hot::Plan,
    http::Asked,
    testing::{APPLICANT, Room},
};

const SUBMIT: &str = "mutation($input: ConstructionPermitSubmitInput!) {
    constructionPermitSubmit(input: $input) {
        position commandId userErrors { code message messageEn field }
        case { id stage stageName region applicantName projectName revision allowedActions }
    }
}";

fn application(command_id: Uuid) -> Value {
    let form = domain::case_types::construction_permit::example_form();
    json!({ "input": {
        "commandId": command_id,
        "projectCode": form["project_code"],
        "applicant": { "kind": "LEGAL_PERSON", "name": "示范建设投资有限公司", "idNo": APPLICANT, "idKind": "USCC" },
        "form": form,
        "materials": [],
    } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_filed_worked_and_looked_back_on() {
    let room = Room::with_views().await;
    let (clerk, applicant) = (room.token("windowClerk"), room.token("applicant"));

    let command_id = Uuid::new_v4();
    let filed = room.ask(&applicant, SUBMIT, application(command_id)).await;
    let payload = &Room::data(&filed)["constructionPermitSubmit"];
    assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
    assert_eq!(payload["case"]["stage"], "RECEIVED", "a payload shows what was just written");
    let id = payload["case"]["id"].clone();

    let again = room.ask(&applicant, SUBMIT, application(command_id)).await;
    assert_eq!(
        Room::data(&again)["constructionPermitSubmit"],
        *payload,
        "the same command is answered, not executed"
    );

    let accept = "mutation($input: CaseAcceptInput!) {
        caseAccept(input: $input) { position userErrors { code message messageEn field } case { stage } }
    }";
    let input = |command: u128| json!({ "input": { "caseId": id, "commandId": Uuid::from_u128(command), "mode": "NORMAL" } });
    let forbidden = room.ask(&applicant, accept, input(1)).await;
    assert_eq!(forbidden["errors"][0]["extensions"]["code"], "FORBIDDEN", "{forbidden:#}");
    let refused = room.ask(&clerk, accept, input(2)).await;
    let refusal = &Room::data(&refused)["caseAccept"];
    assert_eq!(refusal["userErrors"][0]["code"], "MATERIALS_MISSING", "{refusal:#}");
    assert_eq!(refusal["position"], Value::Null);
    let refusals = room
        .ask(
            &room.token("supervisor"),
            "{ refusals { code command actor { role } } }",
            json!({}),
        )
        .await;
    let refusals = Room::data(&refusals)["refusals"].as_array().unwrap();
    let codes: Vec<&str> = refusals.iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert_eq!(
        codes,
        ["MATERIALS_MISSING", "FORBIDDEN"],
        "every refused command is on record"
    );

    let required = domain::rules::Rules::embedded();
    let required = required.items().next().unwrap().materials.iter().filter(|rule| rule.required);
    for (number, rule) in required.enumerate() {
        let attach =
            "mutation($input: CaseAttachMaterialInput!) { caseAttachMaterial(input: $input) { userErrors { code messageEn } } }";
        let input = json!({ "input": {
            "caseId": id, "commandId": Uuid::from_u128(100 + number as u128),
            "material": { "code": rule.code, "source": "SCAN", "originals": 1 },
        } });
        let attached = room.ask(&clerk, attach, input).await;
        assert_eq!(Room::data(&attached)["caseAttachMaterial"]["userErrors"], json!([]));
    }
    let accepted = room.ask(&clerk, accept, input(3)).await;
    let accepted = &Room::data(&accepted)["caseAccept"];
    assert_eq!(accepted["case"]["stage"], "ACCEPTED", "{accepted:#}");

    let question = "query($id: ID!, $minPosition: Position) { case(id: $id, minPosition: $minPosition) {
        stageName item { name } constructionPermit { phase } tasks { key role }
        clock { limits { name dueOn usedDays remainingDays alert ledger { reason days } } }
        timeline(first: 100) { name title actorName }
        history(first: 2) { edges { node { revision name hash actor { role } } } pageInfo { hasNextPage endCursor } }
        file { numbers { kind } applicant { idNo } acceptance { mode deemed statutory } }
    } }";
    let shown = room
        .ask(&clerk, question, json!({ "id": id, "minPosition": accepted["position"] }))
        .await;
    let case = &Room::data(&shown)["case"];
    assert_eq!(case["stageName"], "已受理", "{case:#}");
    assert_eq!(case["clock"]["limits"].as_array().unwrap().len(), 3);
    assert_eq!(case["history"]["edges"][0]["node"]["name"], "ApplicationSubmitted");
    assert_eq!(case["history"]["edges"][0]["node"]["actor"]["role"], "applicant");
    assert_eq!(case["history"]["pageInfo"]["hasNextPage"], true);
    let told: Vec<&str> = case["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        told[told.len() - 3..],
        ["ApplicationAccepted", "TaskCompleted", "TaskOpened"],
        "the law first, then the process"
    );

    let was = "query($id: ID!) {
        caseAsOf(id: $id, at: { revision: 0 }) { revision eventsSeen file { stage clock { on } } }
        caseDiff(id: $id, from: { revision: 0 }) { changes { path before after event actor } events { name } }
        node(id: $id) { id __typename }
    }";
    let was = room.ask(&clerk, was, json!({ "id": id })).await;
    let was = Room::data(&was);
    assert_eq!(was["caseAsOf"]["file"]["stage"], "RECEIVED");
    assert_eq!(was["node"], json!({ "id": id, "__typename": "Case" }));
    let stage = was["caseDiff"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|change| change["path"] == "/kernel/stage")
        .unwrap();
    assert_eq!(
        (&stage["after"], &stage["event"]),
        (&json!("Accepted"), &json!("ApplicationAccepted"))
    );

    let elsewhere = room.token_in("windowClerk", "320684");
    let unseen = room.ask(&elsewhere, question, json!({ "id": id })).await;
    assert_eq!(
        Room::data(&unseen)["case"],
        Value::Null,
        "a case of another region is as if it were not there"
    );
    let unseen = room
        .ask(
            &elsewhere,
            "query($id: ID!) { caseAsOf(id: $id, at: { revision: 0 }) { revision } }",
            json!({ "id": id }),
        )
        .await;
    assert_eq!(Room::data(&unseen)["caseAsOf"], Value::Null);

    let worklist = room
        .ask(
            &clerk,
            "{ worklist { nodes { key role case { stage } } } worklistCounts { role tasks } }",
            json!({}),
        )
        .await;
    assert!(!Room::data(&worklist)["worklist"]["nodes"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_wrong_number_is_named_by_its_field() {
    let room = Room::without_views().await;
    let mut wrong = application(Uuid::new_v4());
    wrong["input"]["applicant"]["idNo"] = json!("91110000600037341M");
    let query = "mutation($input: ConstructionPermitSubmitInput!) {
        constructionPermitSubmit(input: $input) { userErrors { code field } position }
    }";
    let answer = room.ask(&room.token("applicant"), query, wrong).await;
    let errors = &Room::data(&answer)["constructionPermitSubmit"]["userErrors"];
    assert_eq!(*errors, json!([{ "code": "INVALID_INPUT", "field": "input.applicant.idNo" }]));
}

/// Lists that are compiled, with the variables that they are asked with.
fn hot_lists() -> Vec<(&'static str, Value)> {
    vec![
        ("{ cases { nodes { id } } }", json!({})),
        (
            "query Page($after: String) { page: cases(first: 10, after: $after, sort: { field: SUBMITTED_ON }) {
                __typename pageInfo { hasNextPage hasPreviousPage startCursor endCursor __typename }
                edges { cursor __typename node { __typename id caseId caseNo legacyId licenceNo stage stageName open } }
            } }",
            json!({ "after": null }),
        ),
        (
            "query($filter: CaseFilterInput, $sort: CaseSortInput, $first: Int! = 7) {
                cases(filter: $filter, sort: $sort, first: $first) { totalCount nodes {
                    category categoryName itemCode itemVersion phase phaseName region applicantName projectCode projectName
                    handlerId handlerName source batch submittedOn acceptedOn decidedOn deliveredOn dueOn statutoryDueOn
                    promisedDueOn dueProvisional paused attributes lastRecordedAt lastOccurredAt revision position
                } pageInfo { endCursor }
            } }",
            json!({ "filter": { "submittedFrom": "2024-01-03", "stages": ["GRANTED", "RECEIVED"] }, "sort": { "field": "DUE_ON", "descending": true } }),
        ),
        (
            "{ cases(last: 3, sort: { field: CASE_NO, descending: true }) { edges { cursor } nodes { legacyId } } }",
            json!({}),
        ),
        (
            "{ cases(filter: { legacyId: \"none\" }) { nodes { id } pageInfo { startCursor endCursor hasNextPage } } }",
            json!({}),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_compiled_path_answers_with_the_same_bytes_as_the_ordinary_one() {
    let room = Room::with_views().await;
    room.import(40).await;
    let token = room.token("director");
    let principal = room.state.tokens.verify(&token, crate::testing::now()).unwrap();
    for (query, variables) in hot_lists() {
        let ordinary = room.bytes(&token, query, &variables).await;
        assert!(
            !String::from_utf8_lossy(&ordinary).contains("errors"),
            "{}",
            String::from_utf8_lossy(&ordinary)
        );
        let documents = Documents::default();
        documents.remember(documents.request(query.to_owned()).1.unwrap());
        let asked: Asked = serde_json::from_value(json!({ "query": query, "variables": variables })).unwrap();
        let hot = documents.hot(&room.state, &asked, &principal).await;
        let hot = hot.unwrap_or_else(|| panic!("this list is not compiled: {query}"));
        assert_eq!(String::from_utf8(hot).unwrap(), String::from_utf8(ordinary).unwrap());
    }
    pages_follow_each_other(&room, &token).await;
    the_unusual_is_left_to_the_ordinary_path(&room, &token).await;
}

/// Walks through the list by its cursors: every case once, in order, over both paths.
async fn pages_follow_each_other(room: &Room, token: &str) {
    let query = "query($after: String) { cases(first: 9, after: $after, sort: { field: SUBMITTED_ON }) {
        nodes { legacyId submittedOn } pageInfo { hasNextPage endCursor } } }";
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = room.ask(token, query, json!({ "after": after })).await;
        let page = &Room::data(&page)["cases"];
        seen.extend(
            page["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node["legacyId"].as_str().unwrap().to_owned()),
        );
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    let mut once = seen.clone();
    once.sort();
    once.dedup();
    assert_eq!((seen.len(), once.len()), (40, 40));
    let foreign = room
        .ask(
            token,
            "query($after: String) { cases(after: $after) { nodes { id } } }",
            json!({ "after": after }),
        )
        .await;
    assert_eq!(
        foreign["errors"][0]["extensions"]["code"], "BAD_INPUT",
        "a cursor of another order is refused"
    );
}

async fn the_unusual_is_left_to_the_ordinary_path(room: &Room, token: &str) {
    let query = "query($filter: CaseFilterInput, $first: Int!) { cases(filter: $filter, first: $first) { nodes { id } } }";
    let good = room.ask(token, query, json!({ "first": 1 })).await;
    assert_eq!(Room::data(&good)["cases"]["nodes"].as_array().unwrap().len(), 1);
    for variables in [
        json!({}),
        json!({ "first": null }),
        json!({ "first": "1" }),
        json!({ "first": 101 }),
        json!({ "first": 1, "filter": { "noSuchField": 1 } }),
        json!({ "first": 1, "filter": { "stages": ["NO_SUCH_STAGE"] } }),
        json!({ "first": 1, "filter": { "stages": "GRANTED" } }),
        json!({ "first": 1, "filter": { "attributes": [{ "name": "city", "value": "City 1" }] } }),
        json!({ "first": 1, "notDeclared": 1 }),
    ] {
        let answer = room.bytes(token, query, &variables).await;
        // A door that has never seen the document takes the ordinary path.
        let ordinary = room.behind_a_new_door().bytes(token, query, &variables).await;
        assert_eq!(
            String::from_utf8(answer).unwrap(),
            String::from_utf8(ordinary).unwrap(),
            "{variables}"
        );
    }
}

#[test]
fn only_plain_lists_are_compiled() {
    let plan = |query: &str| Plan::of(&parse_query(query).unwrap());
    for (query, _) in hot_lists() {
        assert!(plan(query).is_some(), "{query}");
    }
    for query in [
        "mutation { cases { nodes { id } } }",
        "{ cases { nodes { id } } me { id } }",
        "{ cases { nodes { clock { on } } } }",
        "{ cases { nodes { id id } } }",
        "{ cases { nodes { ...Part } } } fragment Part on Case { id }",
        "{ cases { nodes { ... on Case { id } } } }",
        "{ cases { nodes { id @skip(if: true) } } }",
        "query A { cases { nodes { id } } } query B { cases { nodes { id } } }",
    ] {
        assert!(plan(query).is_none(), "{query}");
    }
}
