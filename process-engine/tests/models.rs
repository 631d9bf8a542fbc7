//! Models as the tools of others write them, unchanged: they are read, and they run.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use process_engine::{
    bpmn::{self, Read, ReadOptions, Severity},
    instance::{Bindings, Outcome},
    model::{NodeKind, Over, Repetition, Strategy, Task, TimeoutAction, UserTask, VoteRule, Work},
    testing::{Player, World},
};
use serde_json::json;

fn read(bytes: &[u8]) -> Read {
    bpmn::read(bytes, &ReadOptions::default()).unwrap_or_else(|refused| panic!("{refused}"))
}

fn player(world: World) -> Player {
    let mut player = Player::new(&Arc::new(world));
    player.be("zhang").administrator(true);
    player
}

fn open(player: &Player) -> Vec<&str> {
    player.state().tasks.values().map(|task| &*task.element).collect()
}

fn finish(player: &mut Player, element: &str) {
    let done = player.complete(element, Outcome::Approved, Bindings::new());
    done.unwrap_or_else(|why| panic!("{why}\n{}", player.story()));
}

#[test]
fn a_leave_of_activiti_is_read_and_runs_to_its_end() {
    let read = read(include_bytes!("models/activiti_leave.bpmn"));
    let sources: Vec<&str> = read.definitions.translations.iter().map(|one| one.source.as_str()).collect();
    assert!(sources.contains(&"${outcome == 'approved' && days > 3}"), "{sources:?}");
    assert!(read.findings.iter().all(|finding| finding.severity == Severity::Warning));
    assert!(read.findings.iter().any(|finding| finding.rule == "java-becomes-job"));
    let process = &read.definitions.processes[0];
    assert_eq!(process.candidate_starters, ["employees"]);
    assert_eq!(process.starter_variable.as_deref(), Some("applicant"));

    let world = World::new()
        .with(&read.definitions)
        .finds(Strategy::Role, Some("leaders"), &["zhang"])
        .finds(Strategy::User, Some("zhang,li"), &["zhang", "li"]);
    let mut player = player(world);
    player
        .start("leave", Bindings::from([("days".to_owned(), json!(5))]))
        .unwrap();
    for element in ["leader", "hr", "report"] {
        assert_eq!(open(&player), [element], "{}", player.story());
        finish(&mut player, element);
    }
    assert!(player.state().ended.is_some(), "{}", player.story());
}

#[test]
fn a_countersign_of_flowable_is_read_and_half_of_the_people_are_enough() {
    let read = read(include_bytes!("models/flowable_countersign.bpmn"));
    let world = World::new()
        .with(&read.definitions)
        .finds(Strategy::Role, Some("clerks"), &["wang"]);
    let mut player = player(world);
    let people = json!(["zhang", "li", "wang", "zhao"]);
    let variables = [("people".to_owned(), people), ("businessKey".to_owned(), json!("2026-001"))];
    player.start("countersign", Bindings::from(variables)).unwrap();
    assert_eq!(open(&player), ["each"; 4]);
    finish(&mut player, "each");
    player.be("li");
    finish(&mut player, "each");
    assert!(open(&player).is_empty(), "{}", player.story());
    player.job_threw("announce", "UNREACHABLE").unwrap();
    assert_eq!(open(&player), ["repair"], "{}", player.story());
}

#[test]
fn an_approval_of_a_designer_is_a_vote_with_a_reminder() {
    let read = read(include_bytes!("models/designer_approval.bpmn"));
    let process = &read.definitions.processes[0];
    let office = process.node(process.find("Activity_office").unwrap());
    let NodeKind::Task(Task { work: Work::User(task) }) = &office.kind else {
        panic!("{office:?}")
    };
    let UserTask {
        candidates,
        on_timeout,
        opinion_required,
        buttons,
        ..
    } = &**task;
    assert_eq!(candidates[0].strategy, Strategy::Post);
    assert!(
        on_timeout
            .as_ref()
            .is_some_and(|late| late.action == TimeoutAction::Remind && late.maximum == 2)
    );
    assert!(*opinion_required && buttons.len() == 1);
    let Repetition::Multi(multi) = &office.activity.as_ref().unwrap().repetition else {
        panic!("no vote")
    };
    assert!(matches!(multi.over, Over::Approvers) && matches!(multi.vote, Some(VoteRule::Ratio { percent: 60 })));
    assert!(process.find("Event_late").is_none());
}
