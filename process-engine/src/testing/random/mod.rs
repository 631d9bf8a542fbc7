//! Random models and random paths through them, and what must be true of every one.
//!
//! A seed draws a model of blocks ([`draw_model`]), which is read as BPMN like any other, and a path: people decide, return,
//! jump, add and remove approvers, jobs fail, timers fire, in any order. After every step the state must be sound and equal
//! to a replay; and from wherever the path has led, the instance must come to its end once everybody does what is open.

mod block;
mod chance;
mod drawing;
mod path;
mod sheet;
mod sound;

use std::{
    fmt, panic,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use serde_json::json;

pub use chance::Chance;
pub use drawing::{RandomModel, draw_model};

use super::{Player, World};
use crate::{bpmn, instance::Task, model::Strategy};

/// How many acts a path has at the most, before it is driven to its end.
const MAX_ACTS: usize = 60;

/// How many steps lead to the end at the most: the loops of random models are short.
const MAX_STEPS_TO_THE_END: usize = 5_000;

/// Of so many models one is searched for a way to its end when it is read; the search takes longer than all else.
const SEARCHED_ONCE_IN: u64 = 200;

/// A seed for which something is not true.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// What is not true.
    pub what: String,
    /// The model and what happened, to be read.
    pub story: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {}: {}\n{}\nagain with ZHULU_SEED={}",
            self.seed, self.what, self.story, self.seed
        )
    }
}

/// What was tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tried {
    /// Models, with a path each.
    pub models: u64,
    /// Acts that the instances took.
    pub acts: u64,
    /// Events that happened.
    pub events: u64,
}

/// Whether a task waits for nobody else: those who are asked before have decided, and it was not decided already.
pub(crate) fn may_be_decided(task: &Task) -> bool {
    use crate::instance::SignPlace;
    let waits = task
        .signs
        .iter()
        .any(|sign| sign.place == SignPlace::Before && sign.outcome.is_none());
    !waits && task.held.is_none()
}

/// Tries one seed.
///
/// # Errors
/// What is not true, with the model and the story.
pub fn check(seed: u64) -> Result<Tried, Box<Failure>> {
    let (acts, player) = played(seed)?;
    Ok(Tried {
        models: 1,
        acts,
        events: player.events().len() as u64,
    })
}

/// Tries one seed; gives back how many acts were taken, and the instance at its end.
///
/// # Errors
/// What is not true, with the model and the story.
pub fn played(seed: u64) -> Result<(u64, Player), Box<Failure>> {
    let model = draw_model(seed);
    let fail = |what: String, story: String| {
        let story = format!("{}\n{story}", model.xml);
        Box::new(Failure { seed, what, story })
    };
    let reading = bpmn::ReadOptions {
        // Searched now and then, to see that what is sound is not called unsound.
        ends_by_construction: !seed.is_multiple_of(SEARCHED_ONCE_IN),
        ..bpmn::ReadOptions::default()
    };
    let read = bpmn::read(model.xml.as_bytes(), &reading);
    let definitions = match read {
        Ok(read) => read.definitions,
        Err(refused) => return Err(fail(refused.to_string(), String::new())),
    };
    let world =
        World::new()
            .with(&definitions)
            .answers("table", json!({ "grade": 1 }))
            .finds(Strategy::AssignEmpty, None, &["zhang"]);
    let mut player = Player::new(&Arc::new(world)).seeded(seed);
    let mut chance = Chance::new(seed ^ 0x7061_7468);
    let played = play(&mut player, &model, &mut chance);
    match played {
        Ok(acts) => Ok((acts, player)),
        Err(what) => Err(fail(what, player.story())),
    }
}

fn play(player: &mut Player, model: &RandomModel, chance: &mut Chance) -> Result<u64, String> {
    player.be("zhang");
    player
        .start(&model.process, model.variables.clone())
        .map_err(|why| format!("it does not start: {why}"))?;
    sound::check(player)?;
    let mut acts = 0;
    for _ in 0..chance.below(MAX_ACTS) {
        if !player.state().is_running() {
            break;
        }
        if chance.percent(30) {
            player
                .advance(path::a_while(chance))
                .map_err(|why| format!("time does not go by: {why}"))?;
            sound::check(player)?;
        }
        if path::act(player, model, chance).map_err(|why| why.to_string())? {
            acts += 1;
        }
        sound::check(player)?;
    }
    for _ in 0..MAX_STEPS_TO_THE_END {
        if !player.state().is_running() {
            return Ok(acts);
        }
        let has_moved = path::drive(player).map_err(|why| format!("it cannot be driven on: {why}"))?;
        if !has_moved {
            return Err("it stands still, and nothing is open".to_owned());
        }
        sound::check(player)?;
    }
    Err("it does not come to an end".to_owned())
}

/// Tries one seed; a panic is a failure like any other, with its seed.
fn check_or_panic(seed: u64) -> Result<Tried, Box<Failure>> {
    panic::catch_unwind(|| check(seed)).unwrap_or_else(|cause| {
        let words = cause.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or_default();
        Err(Box::new(Failure {
            seed,
            what: format!("it panics: {words}"),
            story: draw_model(seed).xml,
        }))
    })
}

/// Tries many seeds on several threads; says what was tried, or the failure of the least seed that was found.
///
/// # Errors
/// The failure.
pub fn soak(seeds: std::ops::Range<u64>, threads: usize) -> Result<Tried, Box<Failure>> {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut tried = Tried::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return Ok(tried);
            }
            match check_or_panic(seed) {
                Ok(one) => {
                    tried.models += one.models;
                    tried.acts += one.acts;
                    tried.events += one.events;
                }
                Err(failure) => {
                    next.store(seeds.end, Ordering::Relaxed);
                    return Err(failure);
                }
            }
        }
    };
    let all = thread::scope(|scope| {
        let running: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let finished = running.into_iter().map(|thread| {
            thread.join().unwrap_or_else(|_| {
                Err(Box::new(Failure {
                    seed: next.load(Ordering::Relaxed),
                    what: "it panics".to_owned(),
                    story: "the panic names the seed".to_owned(),
                }))
            })
        });
        finished.collect::<Vec<_>>()
    });
    let mut sum = Tried::default();
    let mut failures = Vec::new();
    for one in all {
        match one {
            Ok(tried) => {
                sum.models += tried.models;
                sum.acts += tried.acts;
                sum.events += tried.events;
            }
            Err(failure) => failures.push(failure),
        }
    }
    failures.sort_by_key(|failure| failure.seed);
    failures.into_iter().next().map_or(Ok(sum), Err)
}
