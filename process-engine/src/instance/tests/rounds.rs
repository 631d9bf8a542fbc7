//! Multi-instance activities and standard loops.

use serde_json::{Value, json};

use super::{approve, begun, has_ended, incident, process};
use crate::{
    instance::{Bindings, Command, Obstacle, Outcome, ROOT},
    testing::Player,
};

fn asked(multi: &str) -> String {
    process(
        &format!(
            r#"<startEvent id="start"/><userTask id="ask" flowable:assignee="wang">{multi}</userTask><userTask id="after" flowable:assignee="wang"/><endEvent id="end"/>"#
        ),
        &["start ask after end"],
    )
}

fn cardinality(count: &str, sequential: bool, besides: &str) -> String {
    asked(&format!(
        r#"<multiInstanceLoopCharacteristics isSequential="{sequential}"><loopCardinality>{count}</loopCardinality>{besides}</multiInstanceLoopCharacteristics>"#
    ))
}

fn scripted(loop_: &str, script: &str, besides: &str, chains: &[&str]) -> String {
    process(
        &format!(
            r#"<startEvent id="start"/><scriptTask id="count" scriptFormat="feel" flowable:resultVariable="n">{loop_}<script>{script}</script></scriptTask>{besides}<endEvent id="end"/>"#
        ),
        chains,
    )
}

fn open(player: &Player) -> usize {
    player.tasks("ask").len()
}

#[test]
fn parallel_rounds_are_all_open_at_once_and_the_token_goes_on_after_the_last() {
    let mut player = begun(&cardinality("2 + 1", false, ""), &[]);
    assert_eq!(open(&player), 3);
    approve(&mut player, "ask");
    approve(&mut player, "ask");
    assert_eq!((open(&player), player.is_at("after")), (1, false));
    approve(&mut player, "ask");
    assert!(player.is_at("after"), "{}", player.story());
}

#[test]
fn sequential_rounds_are_open_one_after_the_other() {
    let mut player = begun(&cardinality("3", true, ""), &[]);
    for _ in 0..3 {
        assert_eq!(open(&player), 1);
        approve(&mut player, "ask");
    }
    assert_eq!((open(&player), player.is_at("after")), (0, true));
}

#[test]
fn no_rounds_are_done_at_once() {
    let player = begun(&cardinality("0", false, ""), &[]);
    assert!(player.is_at("after"), "{}", player.story());
    let player = begun(&cardinality("0", true, ""), &[]);
    assert!(player.is_at("after"), "{}", player.story());
}

#[test]
fn a_number_of_rounds_that_is_none_is_an_incident_that_can_be_repaired() {
    for wrong in [json!(-1), json!(1.5), json!("three"), Value::Null] {
        let mut player = begun(&cardinality("rounds", false, ""), &[("rounds", wrong)]);
        let (incident, _) = incident(&player);
        assert_eq!(player.incidents()[0].obstacle, Obstacle::Expression);
        let (scope, variables) = (ROOT, Bindings::from([("rounds".to_owned(), json!(2))]));
        let reason = "a slip of the pen".to_owned();
        player
            .ask(&Command::SetVariables {
                scope,
                variables,
                reason,
            })
            .unwrap();
        let note = "repaired".to_owned();
        player.ask(&Command::RetryIncident { incident, note }).unwrap();
        assert_eq!((open(&player), player.incidents().len()), (2, 0), "{}", player.story());
    }
}

#[test]
fn more_rounds_than_anybody_can_look_at_are_refused() {
    let player = begun(&cardinality("100000000000", false, ""), &[]);
    assert!(incident(&player).1.contains("at most"), "{}", player.story());
}

#[test]
fn the_rest_is_given_up_when_the_completion_condition_holds() {
    for sequential in [false, true] {
        let condition = "<completionCondition>nrOfCompletedInstances / nrOfInstances &gt;= 0.5</completionCondition>";
        let mut player = begun(&cardinality("4", sequential, condition), &[]);
        approve(&mut player, "ask");
        assert!(!player.is_at("after"));
        approve(&mut player, "ask");
        assert_eq!((open(&player), player.is_at("after")), (0, true), "{}", player.story());
    }
}

#[test]
fn a_completion_condition_that_gives_nothing_is_an_incident_and_not_false() {
    let condition = "<completionCondition>enough</completionCondition>";
    let mut player = begun(&cardinality("2", false, condition), &[]);
    approve(&mut player, "ask");
    let (incident, _) = incident(&player);
    assert_eq!(open(&player), 1);
    let (scope, variables) = (ROOT, Bindings::from([("enough".to_owned(), json!(true))]));
    let reason = "it is enough".to_owned();
    player
        .ask(&Command::SetVariables {
            scope,
            variables,
            reason,
        })
        .unwrap();
    let note = String::new();
    player.ask(&Command::RetryIncident { incident, note }).unwrap();
    assert_eq!((open(&player), player.is_at("after")), (0, true), "{}", player.story());
}

#[test]
fn each_round_sees_its_item_and_what_they_gave_is_collected_in_order() {
    let model = scripted(
        r#"<multiInstanceLoopCharacteristics flowable:collection="${plots}" flowable:elementVariable="plot" flowable:elementIndexVariable="place" zhulu:outputCollection="sizes" zhulu:outputElement="n"/>"#,
        "plot * 10 + place",
        r#"<userTask id="after" flowable:assignee="wang"/>"#,
        &["start count after end"],
    );
    let player = begun(&model, &[("plots", json!([5, 6, 7]))]);
    assert_eq!(player.variable("sizes"), Some(&json!([50, 61, 72])), "{}", player.story());
    assert_eq!(player.variable("plot"), None);
}

#[test]
fn a_collection_that_is_no_list_is_an_incident() {
    let multi = r#"<multiInstanceLoopCharacteristics flowable:collection="${people}"/>"#;
    let player = begun(&asked(multi), &[("people", json!("wang"))]);
    assert!(incident(&player).1.contains("a list is needed"));
}

#[test]
fn ten_thousand_rounds_that_need_nobody_end_in_one_go() {
    let model = scripted(
        r"<multiInstanceLoopCharacteristics isSequential='true'><loopCardinality>10000</loopCardinality></multiInstanceLoopCharacteristics>",
        "loopCounter",
        "",
        &["start count end"],
    );
    let player = begun(&model, &[]);
    assert!(has_ended(&player));
    assert_eq!(player.variable("n"), Some(&json!(9999)));
}

fn loops(attributes: &str, condition: &str, script: &str) -> String {
    scripted(
        &format!("<standardLoopCharacteristics {attributes}>{condition}</standardLoopCharacteristics>"),
        script,
        "",
        &["start count end"],
    )
}

#[test]
fn a_standard_loop_is_done_at_least_once_unless_it_is_tested_before() {
    let condition = "<loopCondition>n &lt; 3</loopCondition>";
    for (before, first, rounds) in [(false, 0, 3), (false, 5, 1), (true, 0, 3), (true, 5, 0)] {
        let model = loops(&format!(r#"testBefore="{before}""#), condition, "n + 1");
        let player = begun(&model, &[("n", json!(first))]);
        assert!(has_ended(&player));
        assert_eq!(player.variable("n"), Some(&json!(first + rounds)), "{}", player.story());
    }
}

#[test]
fn a_standard_loop_ends_at_its_maximum() {
    let model = loops(r#"loopMaximum="4""#, "<loopCondition>true</loopCondition>", "n + 1");
    assert_eq!(begun(&model, &[("n", json!(0))]).variable("n"), Some(&json!(4)));
    let model = loops(
        r#"loopMaximum="4""#,
        "<loopCondition>loopCounter &lt; 2</loopCondition>",
        "n + 1",
    );
    assert_eq!(begun(&model, &[("n", json!(0))]).variable("n"), Some(&json!(2)));
}

#[test]
fn a_loop_without_end_stops_as_an_incident() {
    let model = loops("", "<loopCondition>true</loopCondition>", "n + 1");
    let player = begun(&model, &[("n", json!(0))]);
    assert_eq!(player.incidents()[0].obstacle, Obstacle::Endless);
}

fn with_behavior(behavior: &str, besides: &str) -> String {
    let nodes = format!(
        r#"<startEvent id="start"/><userTask id="ask" flowable:assignee="wang">
        <multiInstanceLoopCharacteristics {behavior}><loopCardinality>3</loopCardinality>{besides}</multiInstanceLoopCharacteristics></userTask>
        <boundaryEvent id="border" attachedToRef="ask"><signalEventDefinition signalRef="done"/></boundaryEvent>
        <task id="heard"/><endEvent id="heardEnd"/><userTask id="after" flowable:assignee="wang"/><endEvent id="end"/>"#
    );
    let process = process(&nodes, &["start ask after end", "border heard heardEnd"]);
    format!(r#"<signal id="done" name="done"/><signalEventDefinition id="thrown" signalRef="done"/>{process}"#)
}

fn times_heard(model: &str) -> usize {
    let mut player = begun(model, &[]);
    for _ in 0..3 {
        approve(&mut player, "ask");
    }
    assert!(player.is_at("after"), "{}", player.story());
    player.times_done("heard")
}

#[test]
fn behavior_none_throws_an_event_for_each_round_and_interrupts_nothing() {
    assert_eq!(
        times_heard(&with_behavior(r#"behavior="None" noneBehaviorEventRef="thrown""#, "")),
        3
    );
}

#[test]
fn behavior_one_throws_an_event_for_the_first_round_only() {
    assert_eq!(
        times_heard(&with_behavior(r#"behavior="One" oneBehaviorEventRef="thrown""#, "")),
        1
    );
}

#[test]
fn behavior_all_throws_nothing() {
    assert_eq!(times_heard(&with_behavior("", "")), 0);
}

#[test]
fn behavior_complex_throws_where_its_condition_holds() {
    let definition = r#"<complexBehaviorDefinition id="complex"><condition>nrOfCompletedInstances = 2</condition>
        <event id="implicit"><signalEventDefinition signalRef="done"/></event></complexBehaviorDefinition>"#;
    assert_eq!(times_heard(&with_behavior(r#"behavior="Complex""#, definition)), 1);
}

#[test]
fn a_repeated_sub_process_has_a_scope_for_each_round() {
    let nodes = format!(
        r#"<startEvent id="start"/><subProcess id="plot"><multiInstanceLoopCharacteristics flowable:collection="${{plots}}" flowable:elementVariable="name"/>
        <startEvent id="in"/><userTask id="first" flowable:assignee="${{name}}"/><userTask id="second" flowable:assignee="${{name}}"/><endEvent id="out"/>{}</subProcess><endEvent id="end"/>"#,
        super::flows(&["in first second out"])
    );
    let mut player = begun(&process(&nodes, &["start plot end"]), &[("plots", json!(["wang", "li"]))]);
    player.complete_as("li", "first", Outcome::Approved).unwrap();
    player.complete_as("li", "second", Outcome::Approved).unwrap();
    assert!(player.is_at("plot"));
    player.complete_as("wang", "first", Outcome::Approved).unwrap();
    player.complete_as("wang", "second", Outcome::Approved).unwrap();
    assert!(has_ended(&player), "{}", player.story());
}
