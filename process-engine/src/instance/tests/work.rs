//! Jobs for somebody outside, and decisions.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{begun, begun_in, has_ended, incident, process, world};
use crate::{
    instance::{Command, Event, Obstacle, Waiting},
    testing::Player,
};

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

fn due_in(player: &Player) -> Option<i64> {
    player.state().waits.values().find_map(|wait| match &wait.what {
        Waiting::Timer { due_at, .. } => Some((*due_at - player.now()).num_seconds()),
        _ => None,
    })
}

#[test]
fn a_failed_job_is_tried_again_after_a_pause_that_doubles_and_is_an_incident_after_the_last_try() {
    let mut player = begun(&service(r#"zhulu:retry="R3/PT10M""#), &[]);
    player.job_failed("archive", "the disk is full").unwrap();
    assert_eq!(due_in(&player), Some(600));
    assert!(player.job_failed("archive", "again").is_err(), "it waits for its next try");
    player.advance(TimeDelta::seconds(600)).unwrap();
    player.job_failed("archive", "the disk is full").unwrap();
    assert_eq!(due_in(&player), Some(1200), "{}", player.story());
    player.advance(TimeDelta::seconds(1200)).unwrap();
    player.job_failed("archive", "the disk is full").unwrap();
    let (incident, message) = incident(&player);
    assert_eq!((due_in(&player), message.as_str()), (None, "the disk is full"));

    let note = "a greater disk".to_owned();
    player.ask(&Command::RetryIncident { incident, note }).unwrap();
    player.job_done("archive", Value::Null).unwrap();
    assert!(has_ended(&player), "{}", player.story());
}

#[test]
fn no_pause_is_longer_than_a_day() {
    let mut player = begun(&service(r#"zhulu:retry="R20/PT10H""#), &[]);
    for hours in [10, 20, 24, 24] {
        player.job_failed("archive", "no").unwrap();
        assert_eq!(due_in(&player), Some(hours * 3600));
        player.advance(TimeDelta::hours(hours)).unwrap();
    }
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
