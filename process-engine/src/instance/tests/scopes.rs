//! Calls, ad-hoc sub-processes, quantities of tokens, and what is left out.

use serde_json::json;

use super::{approve, begun, begun_in, flows, has_ended, incident, process, process_called, world};
use crate::{
    instance::{Command, Key, Obstacle, Rejection},
    testing::{NotPlayed, Player},
};

fn caller(attributes: &str, mappings: &str) -> String {
    process(
        &format!(
            r#"<startEvent id="start"/><callActivity id="call" calledElement="inner" {attributes}><extensionElements>{mappings}</extensionElements></callActivity>
            <userTask id="after" flowable:assignee="wang"/><endEvent id="end"/>"#
        ),
        &["start call after end"],
    )
}

fn called() -> String {
    process_called(
        "inner",
        r#"<startEvent id="start"/><scriptTask id="work" scriptFormat="feel" flowable:resultVariable="sum"><script>a + 1</script></scriptTask>
        <userTask id="ask" flowable:assignee="li"/><endEvent id="end"/>"#,
        &["start work ask end"],
    )
}

#[test]
fn a_called_process_sees_only_what_it_is_handed_and_gives_back_only_what_is_asked() {
    let mappings = r#"<flowable:in source="x" target="a"/><flowable:out source="sum" target="result"/>"#;
    let world = world(&[&called(), &caller("", mappings)]);
    let mut player = begun_in(world, &[("x", json!(4)), ("sum", json!("mine"))]);
    assert!(player.is_at("ask"), "{}", player.story());
    approve(&mut player, "ask");
    assert!(player.is_at("after"), "{}", player.story());
    assert_eq!(
        (player.variable("result"), player.variable("sum")),
        (Some(&json!(5)), Some(&json!("mine")))
    );
}

#[test]
fn a_called_process_may_be_handed_everything() {
    let world = world(&[&called(), &caller(r#"flowable:inheritVariables="true""#, "")]);
    let mut player = begun_in(world, &[("a", json!(4))]);
    approve(&mut player, "ask");
    assert!(player.is_at("after"), "{}", player.story());
    assert_eq!(player.variable("sum"), None);
}

#[test]
fn a_called_process_that_is_not_there_is_an_incident() {
    let player = begun(&caller("", ""), &[]);
    assert_eq!(player.incidents()[0].obstacle, Obstacle::Call);
}

#[test]
fn a_process_that_calls_itself_without_end_stops_at_a_depth() {
    let model = process(
        r#"<startEvent id="start"/><callActivity id="call" calledElement="p"/><endEvent id="end"/>"#,
        &["start call end"],
    );
    let player = begun(&model, &[]);
    let (_, message) = incident(&player);
    assert!(message.contains("calls itself without end"), "{message}");
}

fn ad_hoc(attributes: &str, condition: &str) -> String {
    let inside = r#"<userTask id="a" flowable:assignee="wang"/><userTask id="b" flowable:assignee="wang"/><task id="next"/>"#;
    process(
        &format!(
            r#"<startEvent id="start"/><adHocSubProcess id="free" {attributes}>{inside}{}{condition}</adHocSubProcess><endEvent id="end"/>"#,
            flows(&["b next"])
        ),
        &["start free end"],
    )
}

fn scope(player: &Player, element: &str) -> Key {
    let found = player.state().elements.iter().find(|(_, at)| &*at.element == element);
    *found.unwrap().0
}

fn begin(player: &mut Player, element: &str) -> Result<(), NotPlayed> {
    let scope = scope(player, "free");
    let element = element.into();
    player.ask(&Command::BeginActivity { scope, element }).map(|_| ())
}

fn begin_all(player: &mut Player, elements: &[&str]) {
    for element in elements {
        begin(player, element).unwrap();
    }
}

#[test]
fn activities_of_an_ad_hoc_sub_process_are_begun_by_hand_as_often_as_needed() {
    let mut player = begun(&ad_hoc("", ""), &[]);
    assert!(player.tasks("a").is_empty());
    begin_all(&mut player, &["a", "b", "a"]);
    assert_eq!((player.tasks("a").len(), player.tasks("b").len()), (2, 1));
    approve(&mut player, "b");
    assert_eq!(player.times_done("next"), 1);
    let scope = scope(&player, "free");
    player.ask(&Command::CompleteAdHoc { scope }).unwrap();
    assert!(has_ended(&player), "{}", player.story());
}

#[test]
fn in_a_sequential_ad_hoc_sub_process_one_is_done_at_a_time() {
    let mut player = begun(&ad_hoc(r#"ordering="Sequential""#, ""), &[]);
    begin_all(&mut player, &["a"]);
    assert!(matches!(
        begin(&mut player, "b"),
        Err(NotPlayed::Refused(Rejection::CannotBegin { .. }))
    ));
    approve(&mut player, "a");
    begin_all(&mut player, &["b"]);
}

#[test]
fn what_a_flow_leads_to_is_not_begun_by_hand() {
    let mut player = begun(&ad_hoc("", ""), &[]);
    assert!(matches!(
        begin(&mut player, "next"),
        Err(NotPlayed::Refused(Rejection::CannotBegin { .. }))
    ));
}

#[test]
fn the_completion_condition_of_an_ad_hoc_sub_process_gives_up_the_rest_or_waits_for_it() {
    let condition = "<completionCondition>enough</completionCondition>";
    let enough = [("enough", json!(true))];
    let mut player = begun(&ad_hoc("", condition), &enough);
    begin_all(&mut player, &["a", "b"]);
    approve(&mut player, "a");
    assert!(has_ended(&player), "{}", player.story());

    let mut player = begun(&ad_hoc(r#"cancelRemainingInstances="false""#, condition), &enough);
    begin_all(&mut player, &["a", "b"]);
    approve(&mut player, "a");
    assert!(begin(&mut player, "a").is_err());
    approve(&mut player, "b");
    assert!(has_ended(&player), "{}", player.story());
}

#[test]
fn a_task_may_need_several_tokens_and_let_several_out() {
    let model = process(
        r#"<startEvent id="start"/><task id="two" completionQuantity="2"/><task id="both" startQuantity="2"/>
        <userTask id="after" flowable:assignee="wang"/><endEvent id="end"/>"#,
        &["start two both after end"],
    );
    let player = begun(&model, &[]);
    assert_eq!(
        (player.times_done("both"), player.tasks("after").len()),
        (1, 1),
        "{}",
        player.story()
    );
}

#[test]
fn a_task_that_gets_too_few_tokens_does_not_begin() {
    let model = process(
        r#"<startEvent id="start"/><task id="two" completionQuantity="3"/><task id="both" startQuantity="2"/><endEvent id="end"/>"#,
        &["start two both end"],
    );
    let player = begun(&model, &[]);
    assert_eq!(
        (player.times_done("both"), has_ended(&player)),
        (1, false),
        "{}",
        player.story()
    );
}

#[test]
fn an_activity_is_left_out_when_its_skip_expression_holds() {
    let model = process(
        r#"<startEvent id="start"/><userTask id="ask" flowable:assignee="wang" flowable:skipExpression="${small}"/><endEvent id="end"/>"#,
        &["start ask end"],
    );
    assert!(has_ended(&begun(&model, &[("small", json!(true))])));
    assert!(begun(&model, &[("small", json!(false))]).is_at("ask"));
    incident(&begun(&model, &[]));
}
