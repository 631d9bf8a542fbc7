//! What people do with their tasks, told as stories. Models are sketched in Rust; the player replays every step.

#![allow(clippy::unwrap_used, reason = "tests")]

mod ahead;
mod drawing;
mod events;
mod moves;
mod people;
mod property;
mod returns;
mod signs;
mod sketch;
mod votes;
mod work;

use std::sync::Arc;

use sketch::Sketch;

use super::{Bindings, Command, Key, Outcome, Rejection, Resume, Said};
use crate::testing::{NotPlayed, Player, World, person};

/// A process that Li started, in this world.
fn started_in(world: World, sketch: &mut Sketch) -> Player {
    let mut world = world;
    world.deploy(sketch.build());
    let mut player = Player::new(&Arc::new(world));
    player.be("li").start("p", Bindings::new()).unwrap();
    player
}

fn started(sketch: &mut Sketch) -> Player {
    started_in(World::new(), sketch)
}

/// Whoever is asked approves.
fn approve(player: &mut Player, element: &str) {
    player.complete(element, Outcome::Approved, Bindings::new()).unwrap();
}

/// The elements that people are asked at, each as often as there are tasks.
fn open(player: &Player) -> Vec<String> {
    let mut open: Vec<String> = player.state().tasks.values().map(|task| task.element.to_string()).collect();
    open.sort();
    open
}

/// Who is asked at an element.
fn asked(player: &Player, element: &str) -> Vec<String> {
    let tasks = player.state().tasks.values().filter(|task| &*task.element == element);
    tasks
        .map(|task| {
            let asked: Vec<&str> = task
                .assignee
                .iter()
                .chain(&task.candidates)
                .map(|person| &*person.id)
                .collect();
            if task.assignee.is_some() {
                asked[0].to_owned()
            } else {
                asked.join("|")
            }
        })
        .collect()
}

fn refused(player: &mut Player, command: &Command) -> Rejection {
    match player.ask(command) {
        Err(NotPlayed::Refused(rejection)) => rejection,
        other => panic!("{command:?} gave {other:?}"),
    }
}

fn decide(task: Key, outcome: Outcome) -> Command {
    Command::CompleteTask {
        task,
        outcome,
        said: Said {
            opinion: Some("意见".to_owned()),
            signature: None,
        },
        form: Bindings::new(),
        chosen: Vec::new(),
    }
}

fn give_back(player: &mut Player, from: &str, to: &str, resume: Resume) {
    let task = player.task(from, "").unwrap();
    let who = player.state().tasks.get(&task).unwrap().assignee.clone().unwrap();
    player.be(&who.id);
    player
        .ask(&Command::ReturnTo {
            task,
            to: to.into(),
            resume,
            reason: "材料不全".to_owned(),
        })
        .unwrap();
}

fn is_over(player: &Player) -> bool {
    player.state().ended.is_some()
}

fn people(ids: &[&str]) -> Vec<super::Person> {
    ids.iter().copied().map(person).collect()
}
