//! Over to another version of the model.

use std::{fmt::Write, sync::Arc};

use serde_json::json;

use super::{approve, bindings, flows, has_ended, process, read};
use crate::{
    instance::{Change, Command, Rejection, Waiting},
    model::{ElementId, ProcessRef},
    testing::{NotPlayed, Player, World},
};

/// An instance of the first model, in a world that knows the second.
fn between(first: &str, second: &str) -> (Player, ProcessRef) {
    let (first, second) = (read(first), read(second));
    let to = second.processes[0].reference.clone();
    // The second is deployed first, so that the newest one is the first.
    let mut player = Player::new(&Arc::new(World::new().with(&second).with(&first)));
    let variables = bindings(&[("people", json!(["wang", "li"]))]);
    player.start("p", variables).unwrap();
    (player, to)
}

fn migrate(player: &mut Player, to: &ProcessRef, names: &[(&str, &str)]) -> Result<(), Vec<String>> {
    let elements = names.iter().map(|(old, new)| (ElementId::from(*old), ElementId::from(*new)));
    let command = Command::Migrate {
        to: to.clone(),
        version: 2,
        elements: elements.collect(),
        reason: "a new regulation".to_owned(),
    };
    match player.ask(&command) {
        Ok(_) => Ok(()),
        Err(NotPlayed::Refused(Rejection::CannotMigrate { findings })) => Err(findings),
        Err(cause) => panic!("{cause}\n{}", player.story()),
    }
}

fn user(id: &str) -> String {
    format!(r#"<userTask id="{id}" flowable:assignee="wang"/>"#)
}

fn in_a_row(ids: &[&str]) -> String {
    let nodes: String = ids.iter().map(|id| user(id)).collect();
    let chain = format!("start {} end", ids.join(" "));
    process(&format!(r#"<startEvent id="start"/>{nodes}<endEvent id="end"/>"#), &[&chain])
}

#[test]
fn an_open_task_goes_on_in_the_new_model() {
    let (mut player, to) = between(&in_a_row(&["a", "b"]), &in_a_row(&["a", "check", "b"]));
    migrate(&mut player, &to, &[]).unwrap();
    approve(&mut player, "a");
    assert!(player.is_at("check"), "{}", player.story());
    approve(&mut player, "check");
    approve(&mut player, "b");
    assert!(has_ended(&player));
}

#[test]
fn an_open_task_may_have_another_name_in_the_new_model() {
    let (mut player, to) = between(&in_a_row(&["a", "b"]), &in_a_row(&["accept", "b"]));
    assert_eq!(migrate(&mut player, &to, &[]).unwrap_err().len(), 1);
    migrate(&mut player, &to, &[("a", "accept")]).unwrap();
    assert_eq!(player.tasks("accept").len(), 1, "{}", player.story());
    approve(&mut player, "accept");
    assert!(player.is_at("b"));
}

#[test]
fn everything_that_keeps_an_instance_from_going_over_is_said_at_once() {
    let fork = |kind: &str| {
        process(
            &format!(
                r#"<startEvent id="start"/><parallelGateway id="fork"/>{}<{kind} id="b" name="b"/><parallelGateway id="join"/><endEvent id="end"/>"#,
                user("a")
            ),
            &["start fork", "fork a join", "fork b join", "join end"],
        )
    };
    let receive = fork("receiveTask");
    let second = receive.replace("id=\"a\"", "id=\"c\"").replace("\"a\"", "\"c\"");
    let first = fork("manualTask").replace("manualTask", "userTask flowable:assignee=\"wang\"");
    let (mut player, to) = between(&first, &second.replace("fork-a", "fork-c").replace("a-join", "c-join"));
    let findings = migrate(&mut player, &to, &[("a", "nowhere")]).unwrap_err();
    assert_eq!(findings.len(), 3, "{findings:#?}");
}

#[test]
fn a_token_that_waits_before_a_join_needs_its_flow() {
    let join = |last: &str| {
        process(
            &format!(
                r#"<startEvent id="start"/><parallelGateway id="fork"/>{}{}<parallelGateway id="join"/><endEvent id="end"/>"#,
                user("a"),
                user("b")
            ),
            &["start fork", "fork a join", "fork b join", last],
        )
    };
    let first = join("join end");
    let (mut player, to) = between(&first, &first.replace(r#"id="a-join""#, r#"id="renamed""#));
    approve(&mut player, "a");
    migrate(&mut player, &to, &[]).unwrap();
    approve(&mut player, "b");
    assert!(has_ended(&player), "{}", player.story());

    let gone = process(
        &format!(
            r#"<startEvent id="start"/><parallelGateway id="fork"/>{}{}<endEvent id="end"/><endEvent id="other"/>"#,
            user("a"),
            user("b")
        ),
        &["start fork", "fork a end", "fork b other"],
    );
    let (mut player, to) = between(&first, &gone);
    approve(&mut player, "a");
    assert_eq!(migrate(&mut player, &to, &[]).unwrap_err().len(), 1);
}

fn inside(sub: &str) -> String {
    process(
        &format!(
            r#"<startEvent id="start"/><subProcess id="{sub}"><startEvent id="in"/>{}{}<endEvent id="out"/>{}</subProcess><endEvent id="end"/>"#,
            user("a"),
            user("b"),
            flows(&["in a b out"])
        ),
        &[&format!("start {sub} end")],
    )
}

#[test]
fn what_stands_in_a_new_sub_process_is_moved_into_it() {
    let (mut player, to) = between(&in_a_row(&["a", "b"]), &inside("sub"));
    migrate(&mut player, &to, &[]).unwrap();
    assert!(player.is_at("sub") && player.is_at("a"), "{}", player.story());
    approve(&mut player, "a");
    approve(&mut player, "b");
    assert!(has_ended(&player), "{}", player.story());
}

#[test]
fn what_stands_in_a_sub_process_does_not_leave_it() {
    let (mut player, to) = between(&inside("sub"), &in_a_row(&["a", "b"]));
    // The sub-process itself has no counterpart; what is in it cannot be told of then.
    assert_eq!(migrate(&mut player, &to, &[]).unwrap_err().len(), 1);
}

fn vote(id: &str, sequential: bool) -> String {
    process(
        &format!(
            r#"<startEvent id="start"/><userTask id="{id}" flowable:assignee="${{who}}"><multiInstanceLoopCharacteristics isSequential="{sequential}"
            flowable:collection="${{people}}" flowable:elementVariable="who"/></userTask><endEvent id="end"/>"#
        ),
        &[&format!("start {id} end")],
    )
}

#[test]
fn open_rounds_go_over_with_their_activity() {
    let (mut player, to) = between(&vote("vote", false), &vote("poll", false));
    approve(&mut player, "vote");
    migrate(&mut player, &to, &[("vote", "poll")]).unwrap();
    approve(&mut player, "poll");
    assert!(has_ended(&player), "{}", player.story());
}

#[test]
fn rounds_in_order_do_not_become_rounds_at_once() {
    let (mut player, to) = between(&vote("vote", false), &vote("vote", true));
    assert!(!migrate(&mut player, &to, &[]).unwrap_err().is_empty());
}

fn bordered(borders: &[(&str, &str)]) -> String {
    let mut nodes = format!(r#"<startEvent id="start"/>{}<endEvent id="end"/>"#, user("a"));
    let mut chains = vec!["start a end".to_owned()];
    for (id, duration) in borders {
        let _ = write!(
            nodes,
            r#"<boundaryEvent id="{id}" attachedToRef="a" cancelActivity="false"><timerEventDefinition><timeDuration>{duration}</timeDuration></timerEventDefinition></boundaryEvent>{}<endEvent id="{id}-end"/>"#,
            user(&format!("{id}-task"))
        );
        chains.push(format!("{id} {id}-task {id}-end"));
    }
    process(&nodes, &chains.iter().map(String::as_str).collect::<Vec<_>>())
}

fn timers(player: &Player) -> Vec<(String, i64)> {
    let waits = player.state().waits.values();
    let timers = waits.filter_map(|wait| match &wait.what {
        Waiting::Timer { due_at, .. } => Some((wait.element.to_string(), (*due_at - player.now()).num_hours())),
        _ => None,
    });
    timers.collect()
}

#[test]
fn new_borders_are_waited_for_old_ones_are_not_and_those_in_both_stay_as_they_were() {
    let first = bordered(&[("same", "PT2H"), ("gone", "PT3H")]);
    let second = bordered(&[("same", "PT7H"), ("new", "PT5H")]);
    let (mut player, to) = between(&first, &second);
    migrate(&mut player, &to, &[]).unwrap();
    assert_eq!(
        timers(&player),
        [("same".to_owned(), 2), ("new".to_owned(), 5)],
        "{}",
        player.story()
    );
}

fn beside(id: &str, message: &str) -> String {
    let inside = format!(
        r#"<startEvent id="{id}-in" isInterrupting="false"><messageEventDefinition messageRef="{message}"/></startEvent>{}<endEvent id="{id}-out"/>{}"#,
        user(&format!("{id}-task")),
        flows(&[&format!("{id}-in {id}-task {id}-out")])
    );
    let nodes = format!(
        r#"<startEvent id="start"/>{}<subProcess id="{id}" triggeredByEvent="true">{inside}</subProcess><endEvent id="end"/>"#,
        user("a")
    );
    format!(
        r#"<message id="{message}" name="{message}"/>{}"#,
        process(&nodes, &["start a end"])
    )
}

#[test]
fn event_sub_processes_that_are_gone_are_not_waited_for_and_new_ones_are() {
    let (mut player, to) = between(&beside("old", "objection"), &beside("new", "withdrawal"));
    migrate(&mut player, &to, &[]).unwrap();
    assert!(player.message("objection", bindings(&[])).is_err());
    player.message("withdrawal", bindings(&[])).unwrap();
    assert!(player.is_at("new-task"), "{}", player.story());
}

#[test]
fn an_event_sub_process_that_runs_goes_over_under_its_new_name() {
    let (mut player, to) = between(&beside("old", "objection"), &beside("new", "objection"));
    player.message("objection", bindings(&[])).unwrap();
    let names = [("old", "new"), ("old-in", "new-in"), ("old-task", "new-task")];
    migrate(&mut player, &to, &names).unwrap();
    approve(&mut player, "new-task");
    player.message("objection", bindings(&[])).unwrap();
    approve(&mut player, "new-task");
    approve(&mut player, "a");
    assert!(has_ended(&player), "{}", player.story());
}

#[test]
fn a_new_sub_process_is_given_up_with_what_was_moved_into_it() {
    let (mut player, to) = between(&in_a_row(&["a", "b"]), &inside("sub"));
    migrate(&mut player, &to, &[]).unwrap();
    let (key, _) = player.state().elements.iter().find(|(_, at)| &*at.element == "sub").unwrap();
    let changes = vec![Change::GiveUp { key: *key }];
    let reason = String::new();
    player.ask(&Command::Modify { changes, reason }).unwrap();
    assert!(player.state().tasks.is_empty() && has_ended(&player), "{}", player.story());
}

#[test]
fn trying_a_migration_is_deciding_it_without_keeping_what_it_gives() {
    let (player, to) = between(&in_a_row(&["a", "b"]), &in_a_row(&["b"]));
    let command = Command::Migrate {
        to,
        version: 2,
        elements: Vec::new(),
        reason: String::new(),
    };
    let before = player.state().clone();
    let tried = <crate::instance::ProcessInstance as decider::Decider>::decide(player.state(), &command, &player.context());
    assert!(matches!(tried, Err(Rejection::CannotMigrate { .. })));
    assert_eq!(*player.state(), before);
}
