//! Jobs for somebody outside, and decisions.

use serde_json::{Value, json};

use super::{begun, begun_in, has_ended, process, world};
use crate::instance::{Event, Obstacle};

fn service(attributes: &str) -> String {
    process(
        &format!(r#"<startEvent id="start"/><serviceTask id="archive" zhulu:job="archive" {attributes}/><endEvent id="end"/>"#),
        &["start archive end"],
    )
}

#[test]
fn a_job_that_is_done_gives_its_result_and_lets_the_token_on() {
    let mut player = begun(&service(r#"zhulu:resultVariable="number""#), &[]);
    player.job_done("archive", json!("A-7")).unwrap();
    assert_eq!((player.variable("number"), has_ended(&player)), (Some(&json!("A-7")), true));

    let mut player = begun(&service(""), &[]);
    player.job_done("archive", json!({"number": "A-7", "page": 3})).unwrap();
    assert_eq!(
        (player.variable("number"), player.variable("page")),
        (Some(&json!("A-7")), Some(&json!(3)))
    );
}

#[test]
fn a_job_that_is_done_while_it_waits_for_its_next_try_is_done() {
    let mut player = begun(&service(""), &[]);
    player.job_failed("archive", "no answer in time").unwrap();
    player.job_done("archive", Value::Null).unwrap();
    assert!(has_ended(&player), "{}", player.story());
}

fn decision(attributes: &str) -> String {
    process(
        &format!(
            r#"<startEvent id="start"/><businessRuleTask id="fee" zhulu:decision="fees" {attributes}/><endEvent id="end"/>"#
        ),
        &["start fee end"],
    )
}

#[test]
fn what_a_decision_gives_is_set_and_on_record() {
    let model = decision("");
    let player = begun_in(world(&[&model]).answers("fees", json!({"fee": 100, "free": false})), &[]);
    assert_eq!(player.variable("fee"), Some(&json!(100)));
    let is_record = |event: &Event| matches!(event, Event::DecisionEvaluated { rules, .. } if *rules == [1]);
    assert!(player.events().iter().any(is_record));

    let model = decision(r#"zhulu:resultVariable="all""#);
    let player = begun_in(world(&[&model]).answers("fees", json!({"fee": 100})), &[]);
    assert_eq!(player.variable("all"), Some(&json!({"fee": 100})));
}

#[test]
fn a_decision_that_gives_nothing_or_is_not_there_is_an_incident() {
    let model = decision("");
    let player = begun_in(world(&[&model]).answers("fees", Value::Null), &[]);
    assert_eq!(player.incidents()[0].obstacle, Obstacle::Decision);
    let player = begun(&model, &[]);
    assert_eq!(player.incidents()[0].obstacle, Obstacle::Decision);
}
