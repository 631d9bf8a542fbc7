//! Complex gateways.

use super::{approve, begun, flow_if, has_ended, incident, process};
use crate::testing::Player;

fn three_before(gateway: &str) -> String {
    let nodes = format!(
        r#"<startEvent id="start"/><parallelGateway id="fork"/><userTask id="a" flowable:assignee="wang"/><userTask id="b" flowable:assignee="wang"/>
        <userTask id="c" flowable:assignee="wang"/><complexGateway id="gate">{gateway}</complexGateway><userTask id="after" flowable:assignee="wang"/><endEvent id="end"/>"#
    );
    process(
        &nodes,
        &["start fork", "fork a gate", "fork b gate", "fork c gate", "gate after end"],
    )
}

fn after(player: &Player) -> usize {
    player.tasks("after").len() + player.times_done("after")
}

#[test]
fn without_a_condition_the_first_token_goes_on_and_the_others_are_swallowed() {
    let mut player = begun(&three_before(""), &[]);
    approve(&mut player, "b");
    assert_eq!(after(&player), 1, "{}", player.story());
    approve(&mut player, "a");
    approve(&mut player, "c");
    assert_eq!(after(&player), 1, "{}", player.story());
    approve(&mut player, "after");
    assert!(has_ended(&player), "{}", player.story());
}

#[test]
fn it_goes_on_as_soon_as_its_condition_over_the_tokens_holds() {
    let condition = "<activationCondition>activationCount &gt;= 2</activationCondition>";
    let mut player = begun(&three_before(condition), &[]);
    approve(&mut player, "a");
    assert_eq!(after(&player), 0);
    approve(&mut player, "c");
    assert_eq!(after(&player), 1, "{}", player.story());
    approve(&mut player, "after");
    assert!(!has_ended(&player), "it waits for the rest");
    approve(&mut player, "b");
    assert!(has_ended(&player), "{}", player.story());
    assert_eq!(after(&player), 1);
}

#[test]
fn after_the_rest_has_come_it_can_go_on_again() {
    let nodes = r#"<startEvent id="start"/><parallelGateway id="fork"/><userTask id="a" flowable:assignee="wang"/><userTask id="b" flowable:assignee="wang"/>
        <complexGateway id="gate"/><exclusiveGateway id="again"/><exclusiveGateway id="more" default="more-end"/><userTask id="after" flowable:assignee="wang"/><endEvent id="end"/>"#;
    let model = process(
        &format!("{nodes}{}", flow_if("more", "again", "outcome = \"more\"")),
        &["start again fork", "fork a gate", "fork b gate", "gate after more end"],
    );
    let mut player = begun(&model, &[]);
    approve(&mut player, "a");
    approve(&mut player, "b");
    assert_eq!(after(&player), 1);
    let more = crate::instance::Outcome::Other("more".to_owned());
    player.complete("after", more, crate::instance::Bindings::new()).unwrap();
    approve(&mut player, "b");
    assert_eq!(after(&player), 2, "{}", player.story());
}

#[test]
fn conditions_are_asked_in_both_halves_and_may_tell_them_apart() {
    let nodes = r#"<startEvent id="start"/><parallelGateway id="fork"/><userTask id="a" flowable:assignee="wang"/><userTask id="b" flowable:assignee="wang"/>
        <complexGateway id="gate"/><task id="first"/><endEvent id="firstEnd"/><task id="second"/><endEvent id="secondEnd"/>"#;
    let first = flow_if("gate", "first", "waitingForStart");
    let second = flow_if("gate", "second", "not(waitingForStart)");
    let model = process(
        &format!("{nodes}{first}{second}"),
        &[
            "start fork",
            "fork a gate",
            "fork b gate",
            "first firstEnd",
            "second secondEnd",
        ],
    );
    let mut player = begun(&model, &[]);
    approve(&mut player, "a");
    assert_eq!(
        (player.times_done("first"), player.times_done("second")),
        (1, 0),
        "{}",
        player.story()
    );
    approve(&mut player, "b");
    assert_eq!(
        (player.times_done("first"), player.times_done("second")),
        (1, 1),
        "{}",
        player.story()
    );
    assert!(has_ended(&player));
}

#[test]
fn a_condition_that_gives_nothing_is_an_incident_before_the_gateway() {
    let condition = "<activationCondition>activationCount &gt;= needed</activationCondition>";
    let mut player = begun(&three_before(condition), &[]);
    approve(&mut player, "a");
    incident(&player);
    approve(&mut player, "b");
    incident(&player);
    assert_eq!(after(&player), 0);
}
