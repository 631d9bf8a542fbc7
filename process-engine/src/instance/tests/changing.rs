//! Changes by hand, and standing still.

use serde_json::json;

use super::{approve, begun, bindings, flows, has_ended, process};
use crate::{
    instance::{Change, Command, Key, ROOT, Rejection},
    testing::{NotPlayed, Player},
};

fn nested() -> String {
    let inside = format!(
        r#"<startEvent id="in"/><userTask id="x" flowable:assignee="wang"/><userTask id="y" flowable:assignee="wang"/><endEvent id="out"/>{}"#,
        flows(&["in x y out"])
    );
    process(
        &format!(
            r#"<startEvent id="start"/><userTask id="a" flowable:assignee="wang"/><subProcess id="sub">{inside}</subProcess>
            <userTask id="z" flowable:assignee="wang"/><endEvent id="end"/>"#
        ),
        &["start a sub z end"],
    )
}

fn key(player: &Player, element: &str) -> Key {
    let found = player.state().elements.iter().find(|(_, at)| &*at.element == element);
    *found.unwrap_or_else(|| panic!("{element} is not done\n{}", player.story())).0
}

fn begin(element: &str) -> Change {
    Change::Begin {
        element: element.into(),
        scope: None,
        variables: bindings(&[("why", json!("by hand"))]),
    }
}

fn modify(player: &mut Player, changes: Vec<Change>) -> Result<(), Rejection> {
    let reason = "the officer says so".to_owned();
    match player.ask(&Command::Modify { changes, reason }) {
        Ok(_) => Ok(()),
        Err(NotPlayed::Refused(rejection)) => Err(rejection),
        Err(cause) => panic!("{cause}"),
    }
}

#[test]
fn a_token_is_moved_into_a_sub_process_whose_scope_begins_with_it() {
    let mut player = begun(&nested(), &[]);
    let a = key(&player, "a");
    modify(&mut player, vec![Change::GiveUp { key: a }, begin("y")]).unwrap();
    assert!(
        player.is_at("sub") && player.is_at("y") && !player.is_at("a"),
        "{}",
        player.story()
    );
    assert_eq!(player.state().variable(key(&player, "y"), "why"), Some(&json!("by hand")));
    approve(&mut player, "y");
    approve(&mut player, "z");
    assert!(has_ended(&player));
}

#[test]
fn a_second_one_begins_in_the_scope_that_is_there() {
    let mut player = begun(&nested(), &[]);
    approve(&mut player, "a");
    modify(&mut player, vec![begin("y")]).unwrap();
    let scopes: Vec<Key> = ["x", "y"]
        .map(|id| player.state().elements.get(&key(&player, id)).unwrap().scope)
        .to_vec();
    assert_eq!(scopes, [key(&player, "sub"); 2]);
}

#[test]
fn a_token_is_placed_on_a_flow() {
    let mut player = begun(&nested(), &[]);
    let (flow, scope) = ("sub-z".into(), None);
    modify(&mut player, vec![Change::Place { flow, scope }]).unwrap();
    assert!(player.is_at("z") && player.is_at("a"));
}

#[test]
fn when_there_are_several_scopes_one_must_be_named() {
    let mut player = begun(&nested(), &[]);
    approve(&mut player, "a");
    modify(&mut player, vec![begin("sub")]).unwrap();
    assert!(matches!(
        modify(&mut player, vec![begin("y")]),
        Err(Rejection::CannotBegin { .. })
    ));
    let scope = Some(key(&player, "sub"));
    let (element, variables) = ("y".into(), bindings(&[]));
    modify(
        &mut player,
        vec![Change::Begin {
            element,
            scope,
            variables,
        }],
    )
    .unwrap();
}

#[test]
fn a_change_that_cannot_be_made_undoes_those_before_it() {
    let mut player = begun(&nested(), &[]);
    let a = key(&player, "a");
    let before = player.state().clone();
    for wrong in [begin("nowhere"), Change::GiveUp { key: 99 }, Change::GiveUp { key: ROOT }] {
        assert!(modify(&mut player, vec![Change::GiveUp { key: a }, wrong]).is_err());
        assert_eq!(*player.state(), before);
    }
}

#[test]
fn a_suspended_process_takes_nothing_but_changes_by_hand_and_goes_on_when_it_is_resumed() {
    let mut player = begun(&nested(), &[]);
    let reason = "a complaint".to_owned();
    player.ask(&Command::Suspend { reason }).unwrap();
    let refused = player.complete("a", crate::instance::Outcome::Approved, bindings(&[]));
    assert!(matches!(refused, Err(NotPlayed::Refused(Rejection::Suspended))));
    let a = key(&player, "a");
    let (flow, scope) = ("sub-z".into(), None);
    modify(&mut player, vec![Change::GiveUp { key: a }, Change::Place { flow, scope }]).unwrap();
    assert!(!player.is_at("z"), "nothing goes on by itself");
    player.ask(&Command::Resume).unwrap();
    assert!(player.is_at("z"), "{}", player.story());
    assert!(player.ask(&Command::Resume).is_err());
}

#[test]
fn variables_that_are_set_by_hand_are_on_record_with_their_reason() {
    let mut player = begun(&nested(), &[]);
    let variables = bindings(&[("x", json!(1))]);
    let reason = "a typing error".to_owned();
    let (scope, nowhere) = (ROOT, 99);
    let set = |scope| Command::SetVariables {
        scope,
        variables: variables.clone(),
        reason: reason.clone(),
    };
    assert!(player.ask(&set(nowhere)).is_err());
    player.be("li").ask(&set(scope)).unwrap();
    let record = serde_json::to_value(player.events()).unwrap().to_string();
    assert!(record.contains("a typing error") && record.contains("\"li\""));
}
