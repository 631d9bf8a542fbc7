//! What survives a `kill -9`: everything that was acknowledged, once, and nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Stdio,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    running::{REGION, Server, assert_same_rows, data_directory, eventually, run_well, view_rows},
    stories::{APPLICANT, application},
};

/// How often the server is killed.
const KILLS: u32 = 10;
/// How many people file applications at once.
const CLIENTS: usize = 3;
/// How many answers must have come before the next kill; so that each round has something to lose.
const ANSWERS_PER_ROUND: u32 = 12;

/// What somebody asked for: by which id, and the case that the answer named.
#[derive(Clone)]
struct Asked {
    filing: Value,
    answered: Option<(String, u64)>,
}

#[test]
fn ten_kills_lose_nothing_acknowledged_and_double_nothing() {
    let data = data_directory();
    let asked: Mutex<BTreeMap<Uuid, Asked>> = Mutex::default();
    for _ in 0..KILLS {
        let server = Server::start(data.path());
        let (stop, answers) = (AtomicBool::new(false), AtomicU32::new(0));
        let people: Vec<String> = (0..CLIENTS)
            .map(|_| {
                server
                    .account("applicant", APPLICANT, "湘湖建设投资有限公司", REGION)
                    .token()
                    .to_owned()
            })
            .collect();
        std::thread::scope(|scope| {
            for token in &people {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        file_one(&server, token, &asked);
                        answers.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            // In the middle of what is under way, not at its end.
            while answers.load(Ordering::Relaxed) < ANSWERS_PER_ROUND {
                std::thread::yield_now();
                std::thread::sleep(Duration::from_millis(1));
            }
            server.kill_now();
            stop.store(true, Ordering::Relaxed);
        });
        drop(server);
    }

    let server = Server::start(data.path());
    let clerk = server.account("windowClerk", "clerk", "周敏", REGION);
    let applicant = server.account("applicant", APPLICANT, "湘湖建设投资有限公司", REGION);
    let asked = asked.into_inner().unwrap();
    let mut cases = BTreeSet::new();
    for asked in asked.values() {
        // Whoever got no answer asks again with the same command: done once, whether it had been done or not.
        let again = applicant.does("constructionPermitSubmit", asked.filing.clone());
        let case = again["case"]["caseId"].as_str().unwrap().to_owned();
        if let Some((before, position)) = &asked.answered {
            assert_eq!(&case, before, "an acknowledged application became another case");
            assert_eq!(
                again["position"].as_str().map(str::to_owned),
                Some(position.to_string()),
                "it was executed twice"
            );
        }
        assert!(cases.insert(case), "two applications became one case");
    }
    let count = u64::try_from(cases.len()).unwrap();
    let numbers = eventually("a number for every case", || {
        let numbers = case_numbers(&clerk);
        (numbers.len() as u64 == count).then_some(numbers)
    });
    let sequences: BTreeSet<u64> = numbers
        .iter()
        .map(|number| number[number.len() - 5..].parse().unwrap())
        .collect();
    assert_eq!(sequences, (1..=count).collect(), "the numbers have gaps or doubles");
    drop((clerk, applicant));
    assert!(server.stop().success());
    assert!(run_well(data.path(), &["verify"]).contains("intact"));
    rebuilt_equals_live(data.path());
}

/// Files an application; remembers what was asked before it is sent, and what was answered.
fn file_one(server: &Server, token: &str, asked: &Mutex<BTreeMap<Uuid, Asked>>) {
    let command_id = Uuid::now_v7();
    let mut filing = application(1);
    filing["commandId"] = json!(command_id);
    asked.lock().unwrap().insert(
        command_id,
        Asked {
            filing: filing.clone(),
            answered: None,
        },
    );
    let query = "mutation($input: ConstructionPermitSubmitInput!) { constructionPermitSubmit(input: $input) \
                 { case { caseId } userErrors { code } position } }";
    let Some(answer) = server.try_graphql(token, query, &json!({ "input": filing })) else {
        return;
    };
    let payload = &answer["data"]["constructionPermitSubmit"];
    let (case, position) = (payload["case"]["caseId"].as_str(), payload["position"].as_str());
    if let (Some(case), Some(position)) = (case, position) {
        let answered = Some((case.to_owned(), position.parse().unwrap()));
        asked.lock().unwrap().insert(command_id, Asked { filing, answered });
    }
}

/// The numbers of all cases that have one.
fn case_numbers(clerk: &crate::running::Person<'_>) -> Vec<String> {
    let mut numbers = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = clerk.query(
            "query($after: String) { cases(first: 100, after: $after) { edges { node { caseNo } } pageInfo { hasNextPage endCursor } } }",
            &json!({ "after": after }),
        );
        let edges = page["cases"]["edges"].as_array().unwrap();
        numbers.extend(
            edges
                .iter()
                .filter_map(|edge| edge["node"]["caseNo"].as_str().map(str::to_owned)),
        );
        if page["cases"]["pageInfo"]["hasNextPage"] != true {
            return numbers;
        }
        after = page["cases"]["pageInfo"]["endCursor"].clone();
    }
}

/// Rebuilds all views, and compares every row with what was there before.
fn rebuilt_equals_live(data: &std::path::Path) {
    let live = {
        let server = Server::start(data);
        let rows = view_rows(&server);
        assert!(server.stop().success());
        rows
    };
    run_well(data, &["rebuild", "all"]);
    let server = Server::start(data);
    let rebuilt = view_rows(&server);
    assert_same_rows(&live, &rebuilt);
    assert!(server.stop().success());
}

#[test]
fn a_demo_that_is_killed_goes_on_where_it_was() {
    let data = data_directory();
    for attempt in 1..=5_u64 {
        let mut demo = std::process::Command::new(crate::running::zhulu());
        demo.arg("--data-dir")
            .arg(data.path())
            .args(["demo", "--listen", "127.0.0.1:0"]);
        demo.env_remove("DATABASE_URL")
            .env("ZHULU_LOG", "off")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut demo = demo.spawn().unwrap();
        // Wherever it is by then: making the database, in the middle of the rows, telling the story.
        std::thread::sleep(Duration::from_millis(1_300 * attempt));
        let _ = demo.kill();
        demo.wait().unwrap();
    }
    run_well(data.path(), &["demo", "--exit", "--listen", "127.0.0.1:0"]);
    let cities = run_well(data.path(), &["report", "cohorts", "--by", "city", "--format", "csv"]);
    assert!(
        cities.contains("los-angeles,31150,") && cities.contains("seattle,2118,"),
        "{cities}"
    );
    assert!(run_well(data.path(), &["verify"]).contains("intact"));
}

#[test]
fn a_second_server_on_the_same_data_is_refused_and_the_first_goes_on() {
    let data = data_directory();
    let server = Server::start(data.path());
    let second = crate::running::run(data.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("--data-dir"), "{said}");
    let clerk = server.account("windowClerk", "clerk", "周敏", REGION);
    assert!(clerk.query("{ me { name } }", &json!({}))["me"]["name"].is_string());
    drop(clerk);
    assert!(server.stop().success());
}

#[test]
fn the_demo_runs_to_its_end_and_goes_on_the_second_time() {
    let data = data_directory();
    let figures = |printed: &str| -> Value { serde_json::from_str(printed.lines().last().unwrap()).unwrap() };
    let first = figures(&run_well(data.path(), &["demo", "--exit", "--listen", "127.0.0.1:0"]));
    assert_eq!(first["cases"], 33_269);
    assert!(first["events"].as_u64().unwrap() > 58_894, "{first}");
    let second = figures(&run_well(data.path(), &["demo", "--exit", "--listen", "127.0.0.1:0"]));
    assert_eq!(second["cases"], 33_270, "the permits are there once, and one more case");
    assert_eq!(second["import_events_per_s"], first["import_events_per_s"]);
}
