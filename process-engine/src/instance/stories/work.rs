//! 认领, 放回, 指派, 转办, 委派, 办理, 抄送, 催办, 交接.

use serde_json::json;

use super::{approve, asked, decide, is_over, open, people, refused, sketch::Sketch, started, started_in};
use crate::{
    instance::{Bindings, Command, Event, Key, Outcome, Rejection, Said},
    model::{FieldPermission, Strategy, UserTask},
    testing::{Player, World, person},
};

fn world() -> World {
    World::new().finds(Strategy::Role, None, &["wang", "zhao"])
}

/// Offered to Wang and Zhao.
fn offered() -> (Player, Key) {
    let mut sketch = Sketch::new();
    let user = super::sketch::by(Strategy::Role, "handler");
    let player = started_in(world(), sketch.user("a", user).line(&["start", "a", "b", "end"]));
    let task = player.task("a", "wang").unwrap();
    (player, task)
}

fn with(user: UserTask) -> (Player, Key) {
    let mut sketch = Sketch::new();
    let player = started_in(world(), sketch.user("a", user).line(&["start", "a", "b", "end"]));
    let task = player.task("a", "").unwrap();
    (player, task)
}

#[test]
fn the_first_who_claims_it_has_it_until_they_put_it_back() {
    let (mut player, task) = offered();
    let claim = Command::ClaimTask { task };
    assert!(matches!(refused(player.be("sun"), &claim), Rejection::NotYours { .. }));
    player.be("wang").ask(&claim).unwrap();
    assert!(matches!(refused(player.be("zhao"), &claim), Rejection::AlreadyClaimed { .. }));
    assert!(matches!(
        refused(&mut player, &decide(task, Outcome::Approved)),
        Rejection::NotYours { .. }
    ));
    player.be("wang").ask(&Command::UnclaimTask { task }).unwrap();
    assert_eq!(asked(&player, "a"), ["wang|zhao"]);
    player.be("zhao").ask(&decide(task, Outcome::Approved)).unwrap();
    assert_eq!(open(&player), ["b"]);
}

#[test]
fn a_member_of_a_group_claims_what_the_group_is_offered() {
    let mut sketch = Sketch::new();
    let world = World::new().finds(Strategy::Role, None, &["role:handler"]);
    let user = super::sketch::by(Strategy::Role, "handler");
    let mut player = started_in(world, sketch.user("a", user).line(&["start", "a", "end"]));
    let task = player.task("a", "role:handler").unwrap();
    let claim = Command::ClaimTask { task };
    assert!(matches!(refused(player.be("wang"), &claim), Rejection::NotYours { .. }));
    player.in_groups(&["role:handler"]).ask(&claim).unwrap();
    assert_eq!(asked(&player, "a"), ["wang"]);
}

#[test]
fn who_a_task_is_transferred_to_decides_it() {
    let (mut player, task) = with(super::sketch::of("wang"));
    let transfer = Command::TransferTask {
        task,
        to: person("sun"),
        reason: "出差".to_owned(),
    };
    player.be("wang").ask(&transfer).unwrap();
    assert!(matches!(refused(&mut player, &transfer), Rejection::NotYours { .. }));
    player.be("sun").ask(&decide(task, Outcome::Approved)).unwrap();
    assert_eq!(open(&player), ["b"]);
}

#[test]
fn who_a_task_is_delegated_to_gives_an_advice_and_it_comes_back() {
    let (mut player, task) = with(super::sketch::of("wang"));
    player
        .be("wang")
        .ask(&Command::DelegateTask {
            task,
            to: person("sun"),
            reason: "请先看".to_owned(),
        })
        .unwrap();
    assert!(matches!(
        refused(&mut player, &decide(task, Outcome::Approved)),
        Rejection::NotYours { .. }
    ));
    player.be("sun");
    let transfer = Command::TransferTask {
        task,
        to: person("x"),
        reason: String::new(),
    };
    assert!(matches!(refused(&mut player, &transfer), Rejection::Invalid { .. }));
    player.ask(&decide(task, Outcome::Rejected)).unwrap();
    assert_eq!(asked(&player, "a"), ["wang"]);
    player.be("wang").ask(&decide(task, Outcome::Approved)).unwrap();
    assert_eq!(player.variable("outcome").unwrap(), "approved");
}

#[test]
fn only_an_administrator_assigns() {
    let (mut player, task) = offered();
    let assign = Command::AssignTask {
        task,
        to: person("sun"),
        reason: "统筹".to_owned(),
    };
    assert_eq!(refused(player.be("wang"), &assign), Rejection::NotAdministrator);
    player.administrator(true).ask(&assign).unwrap();
    assert_eq!(asked(&player, "a"), ["sun"]);
}

#[test]
fn whoever_is_away_is_stood_in_for_and_the_record_says_for_whom() {
    let mut sketch = Sketch::new();
    let world = World::new().away("wang", "sun");
    let mut player = started_in(
        world,
        sketch.user("a", super::sketch::of("wang")).line(&["start", "a", "end"]),
    );
    let task = player.task("a", "wang").unwrap();
    assert_eq!(player.state().tasks.get(&task).unwrap().substitute, Some(person("sun")));
    assert!(matches!(
        refused(player.be("zhao"), &decide(task, Outcome::Approved)),
        Rejection::NotYours { .. }
    ));
    player.be("sun").acting_for(Some("zhao"));
    assert!(matches!(
        refused(&mut player, &decide(task, Outcome::Approved)),
        Rejection::NotYours { .. }
    ));
    player.acting_for(None).ask(&decide(task, Outcome::Approved)).unwrap();
    let by_proxy = |event: &Event| matches!(event, Event::TaskCompleted { by, on_behalf_of: Some(away), .. } if &*by.id == "sun" && &*away.id == "wang");
    assert!(player.events().iter().any(by_proxy));
}

#[test]
fn what_the_model_demands_must_be_given() {
    let mut user = super::sketch::of("wang");
    user.opinion_required = true;
    user.signature_required = true;
    user.outcomes = vec!["conditional".to_owned()];
    user.fields = vec![
        ("amount".to_owned(), FieldPermission::Edit),
        ("area".to_owned(), FieldPermission::Read),
    ];
    let (mut player, task) = with(user);
    player.be("wang");
    let ask = |opinion: &str, signature: Option<&str>, outcome: Outcome, field: &str| Command::CompleteTask {
        task,
        outcome,
        said: Said {
            opinion: Some(opinion.to_owned()),
            signature: signature.map(str::to_owned),
        },
        form: Bindings::from([(field.to_owned(), json!(1))]),
        chosen: Vec::new(),
    };
    let other = |word: &str| Outcome::Other(word.to_owned());
    assert_eq!(
        refused(&mut player, &ask(" ", None, Outcome::Approved, "amount")),
        Rejection::OpinionMissing
    );
    assert_eq!(
        refused(&mut player, &ask("好", None, Outcome::Approved, "amount")),
        Rejection::SignatureMissing
    );
    assert!(matches!(
        refused(&mut player, &ask("好", Some("0"), other("later"), "amount")),
        Rejection::NoSuchOutcome { .. }
    ));
    for field in ["area", "other"] {
        assert!(matches!(
            refused(&mut player, &ask("好", Some("0"), Outcome::Approved, field)),
            Rejection::FieldNotEditable { .. }
        ));
    }
    let too_long = "长".repeat(5_000);
    assert!(matches!(
        refused(&mut player, &ask(&too_long, Some("0"), Outcome::Approved, "amount")),
        Rejection::TooMuch { .. }
    ));
    player.ask(&ask("好", Some("0"), other("conditional"), "amount")).unwrap();
    assert_eq!(player.variable("outcome").unwrap(), "conditional");
    assert_eq!(player.variable("amount").unwrap(), 1);
}

#[test]
fn whom_an_approver_chose_is_asked_next() {
    let mut sketch = Sketch::new();
    let user = UserTask {
        candidates: vec![crate::model::Candidates {
            strategy: Strategy::ApproverChooses,
            parameter: None,
        }],
        ..UserTask::default()
    };
    let mut player = started(sketch.user("b", user).line(&["start", "a", "b", "end"]));
    let task = player.task("a", "").unwrap();
    let choose = |step: &str, who: &[&str]| Command::CompleteTask {
        task,
        outcome: Outcome::Approved,
        said: Said::default(),
        form: Bindings::new(),
        chosen: vec![(step.into(), people(who))],
    };
    player.be("p-a");
    assert!(matches!(
        refused(&mut player, &choose("z", &["x"])),
        Rejection::NoSuchElement { .. }
    ));
    player.ask(&choose("b", &["x"])).unwrap();
    assert_eq!(asked(&player, "b"), ["x"]);
}

#[test]
fn a_copy_is_sent_once_and_read_once() {
    let mut user = super::sketch::of("wang");
    user.copies = vec![crate::model::Candidates {
        strategy: Strategy::User,
        parameter: Some(super::sketch::plain("x,y")),
    }];
    let (mut player, task) = with(user);
    let send = |who: &[&str]| Command::SendCopy {
        task,
        to: people(who),
        message: "请知悉".to_owned(),
    };
    player.be("wang").ask(&send(&["x", "x"])).unwrap();
    assert!(matches!(refused(&mut player, &send(&["x"])), Rejection::AskedAlready { .. }));
    player.ask(&decide(task, Outcome::Approved)).unwrap();
    let got: Vec<Vec<String>> = player
        .state()
        .copies
        .values()
        .map(|copy| copy.to.iter().map(|person| person.id.to_string()).collect())
        .collect();
    assert_eq!(got, [vec!["x"], vec!["y"]], "x has one already");
    let copy = *player.state().copies.keys().next().unwrap();
    assert!(matches!(
        refused(player.be("y"), &Command::ReadCopy { copy }),
        Rejection::NoSuchCopy { .. }
    ));
    player.be("x").ask(&Command::ReadCopy { copy }).unwrap();
    assert!(player.ask(&Command::ReadCopy { copy }).unwrap().is_empty());
}

#[test]
fn a_task_can_be_urged_until_it_is_enough() {
    let (mut player, task) = with(super::sketch::of("wang"));
    let urge = Command::UrgeTask {
        task,
        message: "请尽快".to_owned(),
    };
    let limit = crate::instance::MAX_URGES_PER_TASK;
    for _ in 0..limit {
        player.be("li").ask(&urge).unwrap();
    }
    assert_eq!(refused(&mut player, &urge), Rejection::UrgedEnough { task, limit });
}

#[test]
fn who_leaves_hands_everything_over_also_what_is_still_to_come() {
    let mut sketch = Sketch::new();
    sketch
        .user("offer", super::sketch::by(Strategy::Role, "handler"))
        .user("own", super::sketch::of("wang"))
        .vote("order", "a,wang", true, None)
        .line(&["start", "+f", "offer", "+j", "end"])
        .line(&["+f", "own", "+j"])
        .line(&["+f", "order", "+j"]);
    let mut player = started_in(world(), &mut sketch);
    let hand_over = Command::HandOver {
        from: person("wang"),
        to: person("sun"),
        reason: "离职".to_owned(),
    };
    assert_eq!(refused(player.be("wang"), &hand_over), Rejection::NotAdministrator);
    player.be("admin").administrator(true).ask(&hand_over).unwrap();
    assert_eq!(asked(&player, "own"), ["sun"]);
    assert_eq!(asked(&player, "offer"), ["sun|zhao"]);
    assert!(matches!(refused(&mut player, &hand_over), Rejection::NotAsked { .. }));
    player.administrator(false);
    approve(&mut player, "order");
    assert_eq!(asked(&player, "order"), ["sun"]);
    for step in ["order", "own", "offer"] {
        approve(&mut player, step);
    }
    assert!(is_over(&player));
}
