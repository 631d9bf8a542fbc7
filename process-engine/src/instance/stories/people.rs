//! Who is asked: the strategies, draws, 审批人为空, 审批人与发起人相同, 自动去重, 超时.

use std::{collections::BTreeSet, sync::Arc};

use chrono::TimeDelta;

use super::{approve, asked, open, sketch::Sketch, started, started_in};
use crate::{
    instance::{Bindings, Command, Event, Obstacle, Outcome, Waiting},
    model::{Deduplicate, Method, OnNobody, OnStarter, OnTimeout, Strategy, TimeoutAction, TimerCalendar, UserTask},
    testing::{Player, World, person},
};

fn step(user: UserTask, world: World) -> Player {
    let mut sketch = Sketch::new();
    started_in(world, sketch.user("a", user).line(&["start", "a", "b", "end"]))
}

fn role() -> UserTask {
    super::sketch::by(Strategy::Role, "handler")
}

#[test]
fn every_strategy_is_asked_for_with_its_parameter_and_the_answer_is_kept() {
    use strum::VariantArray;
    for strategy in Strategy::VARIANTS {
        let chosen = matches!(
            strategy,
            Strategy::ApproverChooses | Strategy::StarterChooses | Strategy::Starter
        );
        if chosen {
            continue;
        }
        let world = World::new().finds(*strategy, Some("p1"), &["x", "y"]);
        let player = step(super::sketch::by(*strategy, "p1"), world);
        assert_eq!(asked(&player, "a"), ["x|y"], "{strategy:?}");
        let rule = player.events().iter().find_map(|event| match event {
            Event::TaskOpened { by_rule, .. } => by_rule.clone(),
            _ => None,
        });
        assert_eq!(rule.unwrap(), <&str>::from(*strategy));
    }
    assert_eq!(
        asked(&step(super::sketch::by(Strategy::Starter, ""), World::new()), "a"),
        ["li"]
    );
}

#[test]
fn whom_the_starter_chose_is_asked() {
    let mut sketch = Sketch::new();
    let user = super::sketch::by(Strategy::StarterChooses, "");
    let mut world = World::new();
    world.deploy(sketch.user("a", user).line(&["start", "a", "end"]).build());
    let mut player = Player::new(&Arc::new(world));
    let chosen = serde_json::json!({ "a": [{ "id": "x", "name": "谢" }] });
    let variables = Bindings::from([(crate::instance::CHOSEN_BY_STARTER.to_owned(), chosen)]);
    player.be("li").start("p", variables).unwrap();
    assert_eq!(asked(&player, "a"), ["x"]);
    let name = |task: &crate::instance::Task| task.assignee.as_ref().map(|person| person.name.to_string());
    assert_eq!(player.state().tasks.values().next().and_then(name).unwrap(), "谢");
}

#[test]
fn a_draw_gives_everybody_a_turn_and_the_same_seed_the_same_person() {
    let draw = |seed: u64| {
        let mut sketch = Sketch::new();
        let user = UserTask {
            method: Method::Random,
            ..role()
        };
        let mut world = World::new().finds(Strategy::Role, None, &["x", "y", "z"]);
        world.deploy(sketch.user("a", user).line(&["start", "a", "end"]).build());
        let mut player = Player::new(&Arc::new(world)).seeded(seed);
        player.be("li").start("p", Bindings::new()).unwrap();
        asked(&player, "a")
    };
    assert_eq!(draw(7), draw(7));
    let drawn: BTreeSet<_> = (0..50).map(draw).collect();
    assert_eq!(drawn.len(), 3);
}

#[test]
fn where_nobody_is_found_the_model_says_what_happens() {
    let nobody = || {
        World::new()
            .finds(Strategy::Role, None, &[])
            .finds(Strategy::AssignEmpty, None, &["boss"])
    };
    let with = |on_nobody: OnNobody| step(UserTask { on_nobody, ..role() }, nobody());
    let player = with(OnNobody::Approve);
    assert_eq!(open(&player), ["b"]);
    assert_eq!(player.variable("outcome").unwrap(), "approved");
    assert_eq!(with(OnNobody::Reject).variable("outcome").unwrap(), "rejected");
    assert_eq!(
        asked(&with(OnNobody::Assign(vec!["x".to_owned(), "y".to_owned()])), "a"),
        ["x|y"]
    );
    assert_eq!(asked(&with(OnNobody::Administrator), "a"), ["boss"]);
    let mut player = with(OnNobody::Incident);
    let (incident, found) = player
        .state()
        .incidents
        .iter()
        .next()
        .map(|(key, found)| (*key, found.clone()))
        .unwrap();
    assert_eq!(found.obstacle, Obstacle::Nobody);
    // The officer sees to it that somebody is found, and tries again.
    assert!(
        player
            .ask(&Command::RetryIncident {
                incident,
                note: "补岗".to_owned()
            })
            .is_ok()
    );
    assert_eq!(player.state().incidents.len(), 1, "nobody is found still");
}

#[test]
fn where_nobody_is_found_for_a_vote_it_is_settled_as_a_whole() {
    let mut sketch = Sketch::new();
    let user = UserTask {
        on_nobody: OnNobody::Approve,
        ..role()
    };
    let world = World::new().finds(Strategy::Role, None, &[]);
    let player = started_in(
        world,
        sketch.vote_of("v", user, false, None).line(&["start", "v", "b", "end"]),
    );
    assert_eq!(open(&player), ["b"]);
}

#[test]
fn where_the_starter_would_be_asked_the_model_says_what_happens() {
    let found = |people: &[&str]| {
        World::new()
            .finds(Strategy::Role, None, people)
            .finds(Strategy::StarterDepartmentLeader, None, &["leader"])
    };
    let with = |on_starter: OnStarter, people: &[&str]| step(UserTask { on_starter, ..role() }, found(people));
    assert_eq!(asked(&with(OnStarter::Self_, &["li"]), "a"), ["li"]);
    assert_eq!(open(&with(OnStarter::Skip, &["li"])), ["b"]);
    assert_eq!(asked(&with(OnStarter::Skip, &["li", "x"]), "a"), ["x"]);
    assert_eq!(asked(&with(OnStarter::DepartmentLeader, &["li"]), "a"), ["leader"]);
    assert_eq!(asked(&with(OnStarter::DepartmentLeader, &["x", "li"]), "a"), ["x|leader"]);
}

/// x, then y, then x again.
fn again(deduplicate: Deduplicate) -> Sketch {
    let mut sketch = Sketch::new();
    sketch.deduplicate = deduplicate;
    sketch
        .user("a", super::sketch::of("x"))
        .user("b", super::sketch::of("y"))
        .user("c", super::sketch::of("x"))
        .user("d", super::sketch::of("x"))
        .line(&["start", "a", "b", "c", "d", "z", "end"]);
    sketch
}

#[test]
fn whoever_has_agreed_is_not_asked_again_where_the_process_says_so() {
    let mut player = started(&mut again(Deduplicate::Whole));
    approve(&mut player, "a");
    approve(&mut player, "b");
    assert_eq!(open(&player), ["z"]);
    let mut player = started(&mut again(Deduplicate::Consecutive));
    approve(&mut player, "a");
    approve(&mut player, "b");
    assert_eq!(open(&player), ["c"]);
    approve(&mut player, "c");
    assert_eq!(open(&player), ["z"]);
    let mut player = started(&mut again(Deduplicate::Never));
    for step in ["a", "b", "c", "d"] {
        approve(&mut player, step);
    }
}

#[test]
fn whoever_refused_is_asked_again() {
    let mut player = started(&mut again(Deduplicate::Whole));
    player.complete("a", Outcome::Rejected, Bindings::new()).unwrap();
    approve(&mut player, "b");
    assert_eq!(open(&player), ["c"]);
}

#[test]
fn a_step_that_was_returned_to_is_asked_even_if_it_would_be_skipped() {
    let mut player = started(&mut again(Deduplicate::Whole));
    approve(&mut player, "a");
    approve(&mut player, "b");
    super::give_back(&mut player, "z", "c", crate::instance::Resume::Again);
    assert_eq!(open(&player), ["c"]);
    super::give_back(&mut player, "c", "a", crate::instance::Resume::Again);
    approve(&mut player, "a");
    assert_eq!(open(&player), ["b"], "what y agreed to was undone");
}

#[test]
fn a_round_of_somebody_who_agreed_before_counts_as_agreed() {
    let mut sketch = Sketch::new();
    sketch.deduplicate = Deduplicate::Whole;
    sketch
        .user("a", super::sketch::of("x"))
        .vote("v", "x,y", false, None)
        .line(&["start", "a", "v", "b", "end"]);
    let mut player = started(&mut sketch);
    approve(&mut player, "a");
    assert_eq!(asked(&player, "v"), ["y"]);
    approve(&mut player, "v");
    assert_eq!(open(&player), ["b"]);
    assert_eq!(player.variable("tally").unwrap()["approvals"], 2);
}

fn late(action: TimeoutAction, maximum: u32) -> Player {
    let mut sketch = Sketch::new();
    let mut user = super::sketch::of("x");
    user.on_timeout = Some(OnTimeout {
        after: super::sketch::days(5, TimerCalendar::WorkingDays),
        action,
        maximum,
    });
    let mut player = started(sketch.user("b", user).line(&["start", "a", "b", "c", "end"]));
    approve(&mut player, "a");
    player
}

#[test]
fn the_time_of_a_task_is_counted_in_working_days() {
    let player = late(TimeoutAction::Approve, 1);
    let wait = player.state().waits.values().next().unwrap();
    let Waiting::Timer { due_at, pausable, .. } = wait.what else {
        panic!("a timer runs");
    };
    // From a Monday over the weekend to the next one.
    assert_eq!((due_at - player.now(), pausable), (TimeDelta::days(7), true));
}

#[test]
fn what_is_not_done_in_time_is_done_by_the_model() {
    for (action, outcome) in [(TimeoutAction::Approve, "approved"), (TimeoutAction::Reject, "rejected")] {
        let mut player = late(action, 1);
        player.advance(TimeDelta::days(6)).unwrap();
        assert_eq!(open(&player), ["b"]);
        player.advance(TimeDelta::days(2)).unwrap();
        assert_eq!(open(&player), ["c"]);
        assert_eq!(player.variable("outcome").unwrap(), outcome);
    }
    let mut player = late(TimeoutAction::Return, 1);
    player.advance(TimeDelta::days(8)).unwrap();
    assert_eq!(open(&player), ["a"]);
    assert!(player.state().waits.is_empty());
    approve(&mut player, "a");
    assert_eq!(player.state().waits.len(), 1, "the time runs anew");
}

#[test]
fn reminders_come_as_often_as_the_model_says() {
    let mut player = late(TimeoutAction::Remind, 3);
    player.advance(TimeDelta::days(100)).unwrap();
    let task = player.task("b", "").unwrap();
    assert_eq!(player.state().tasks.get(&task).unwrap().urged, 3);
    assert!(player.state().waits.is_empty());
}

#[test]
fn the_time_of_a_task_that_is_done_runs_no_more() {
    let mut player = late(TimeoutAction::Reject, 1);
    approve(&mut player, "b");
    assert!(player.state().waits.is_empty());
}

#[test]
fn form_priority_and_due_date_are_told() {
    let mut user = super::sketch::of("x");
    user.form_key = Some(super::sketch::plain("form-1"));
    user.priority = Some(super::sketch::plain("80"));
    user.due = Some(super::sketch::days(1, TimerCalendar::Natural));
    let player = step(user, World::new());
    let task = player.state().tasks.values().next().unwrap();
    assert_eq!(task.form_key.as_deref(), Some("form-1"));
    assert_eq!(task.priority, Some(80));
    assert_eq!(task.due_at, Some(player.now() + TimeDelta::days(1)));
    let mut user = super::sketch::of("x");
    user.priority = Some(super::sketch::plain("high"));
    assert_eq!(step(user, World::new()).state().incidents.len(), 1);
    assert!(person("role:x").is_group() && !person("x").is_group());
}
