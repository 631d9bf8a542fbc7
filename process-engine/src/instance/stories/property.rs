//! Whatever is done to it by hand, an instance can still finish, and nobody is asked twice for the same: random
//! block-structured models, random approvals, returns, withdrawals, jumps and signs.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::json;

use super::drawing::{Chance, Drawing};
use crate::{
    instance::{Bindings, Command, Key, Outcome, ROOT, Resume, Said, SignPlace, TimerPurpose, Waiting},
    testing::{NotPlayed, Player, World, describe, person},
};

/// How many random models are tried each time.
const SEEDS: u64 = 1_500;

/// How many acts there are at the most before the instance is driven to its end.
const ACTS: u64 = 14;

/// How many tasks may be done on the way to the end: the models are small.
const WAY_TO_THE_END: u32 = 400;

/// A random model that has been started.
struct Story {
    chance: Chance,
    player: Player,
    tasks: Vec<String>,
    variables: Vec<String>,
    told: Vec<String>,
}

fn begin(seed: u64) -> Story {
    let mut drawing = Drawing::new(seed);
    let (first, last) = drawing.row(3);
    drawing.sketch.flow("start", &first, None);
    drawing.sketch.flow(&last, "end", None);
    let mut world = World::new();
    world.deploy(drawing.sketch.build());
    let mut player = Player::new(&Arc::new(world));
    if !seed.is_multiple_of(10) {
        player = player.without_replay();
    }
    let mut story = Story {
        chance: drawing.chance,
        player,
        tasks: drawing.tasks,
        variables: drawing.variables,
        told: Vec::new(),
    };
    let variables = story.values(4);
    story.player.be("li").start("p", variables).unwrap();
    story
}

impl Story {
    /// Values of all variables that conditions look at.
    fn values(&mut self, below: u64) -> Bindings {
        let names = self.variables.clone();
        names.into_iter().map(|name| (name, json!(self.chance.next(below)))).collect()
    }

    fn task(&mut self) -> Option<(Key, String)> {
        let tasks: Vec<Key> = self.player.state().tasks.keys().copied().collect();
        let task = *self.chance.of(&tasks)?;
        Some((task, self.player.state().tasks.get(&task)?.element.to_string()))
    }

    fn element(&mut self) -> String {
        self.chance.of(&self.tasks).unwrap().clone()
    }

    fn command(&mut self) -> Option<Command> {
        let (task, element) = self.task()?;
        let reason = "原因".to_owned();
        let somebody = format!("q{}", self.chance.next(4));
        Some(match self.chance.next(16) {
            0..=6 => Command::CompleteTask {
                task,
                outcome: match self.chance.next(6) {
                    0 => Outcome::Rejected,
                    1 => Outcome::Abstained,
                    _ => Outcome::Approved,
                },
                said: Said::default(),
                form: self.values(4),
                chosen: Vec::new(),
            },
            7..=9 => Command::ReturnTo {
                task,
                to: self.element().into(),
                resume: if self.chance.next(2) == 0 {
                    Resume::Again
                } else {
                    Resume::Straight
                },
                reason,
            },
            10 => Command::WithdrawDecision {
                task: self.player.state().decisions.last()?.task,
                reason,
            },
            11 | 12 => {
                let from = match self.chance.next(2) {
                    0 => Vec::new(),
                    _ => vec![self.player.state().elements.keys().copied().rfind(|key| *key != ROOT)?],
                };
                let to = (0..=self.chance.next(2)).map(|_| self.element().into()).collect();
                Command::Jump { from, to, reason }
            }
            13 => Command::AddSign {
                task,
                place: if self.chance.next(2) == 0 {
                    SignPlace::Before
                } else {
                    SignPlace::After
                },
                people: vec![person(&somebody)],
                reason,
            },
            14 => Command::AddApprover {
                task,
                person: person(&somebody),
                reason,
            },
            _ => {
                let asked = super::asked(&self.player, &element);
                let who = self.chance.of(&asked)?.clone();
                Command::RemoveApprover {
                    task,
                    person: person(&who),
                    reason,
                }
            }
        })
    }

    /// Somebody does something, if they may.
    fn act(&mut self) {
        let Some(command) = self.command() else { return };
        let withdrawn = self.player.state().decisions.last().map(|decision| decision.by.id.clone());
        let who = match &command {
            Command::WithdrawDecision { .. } => withdrawn.unwrap_or_default(),
            _ => "admin".into(),
        };
        self.player.be(&who).administrator(true);
        match self.player.ask(&command) {
            Ok(_) => self.told.push(format!("{command:?}")),
            Err(NotPlayed::Refused(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }

    /// Everybody approves until it is over; loops end, because their conditions are false.
    fn finish(&mut self) {
        self.player.be("admin").administrator(true);
        let end: Bindings = self.variables.iter().map(|name| (name.clone(), json!(0))).collect();
        for _ in 0..WAY_TO_THE_END {
            // Whoever was asked besides has the greater key.
            let open = self.player.state().tasks.iter().filter(|(_, task)| task.held.is_none());
            let Some(task) = open.map(|(key, _)| *key).next_back() else {
                return;
            };
            let command = Command::CompleteTask {
                task,
                outcome: Outcome::Approved,
                said: Said::default(),
                form: end.clone(),
                chosen: Vec::new(),
            };
            if let Err(refused) = self.player.ask(&command) {
                panic!("{refused}: {}", self.tell());
            }
            self.look();
        }
    }

    /// What is true of every instance at every moment.
    fn look(&self) {
        let state = self.player.state();
        let mut seen = BTreeSet::new();
        for (key, element) in state.elements.iter().filter(|(key, _)| **key != ROOT) {
            let is_new = seen.insert((element.scope, element.element.clone(), element.round));
            assert!(is_new, "{} is done twice at once: {}", element.element, self.tell());
            assert!(
                state.elements.contains_key(&element.scope),
                "{key} stands nowhere: {}",
                self.tell()
            );
        }
        for (key, task) in state.tasks.iter() {
            let owned = state.elements.contains_key(&task.owner) || state.tasks.contains_key(&task.owner);
            assert!(owned, "nobody waits for task {key}: {}", self.tell());
        }
        let is_timed = |wait: &crate::instance::Wait| {
            matches!(
                wait.what,
                Waiting::Timer {
                    purpose: TimerPurpose::Timeout,
                    ..
                }
            )
        };
        for (key, task) in state.tasks.iter().filter(|(key, task)| **key == task.owner) {
            let timers = state
                .waits
                .values()
                .filter(|wait| wait.owner == *key && is_timed(wait))
                .count();
            let process = self.player.world().processes().next().unwrap();
            let node = process.find(&task.element).unwrap();
            let is_watched = crate::instance::run::asking::user_task(process, node).is_some_and(|user| user.on_timeout.is_some());
            assert_eq!(timers, usize::from(is_watched), "the timer of task {key}: {}", self.tell());
        }
        assert!(state.incidents.is_empty(), "{}", self.tell());
        for (owner, ways) in state.straight_back.iter() {
            assert!(state.elements.contains_key(owner), "{}", self.tell());
            assert!(
                ways.iter().all(|back| state.elements.contains_key(&back.scope)),
                "{}",
                self.tell()
            );
        }
    }

    fn tell(&self) -> String {
        let process = self.player.world().processes().next().unwrap();
        let flows: Vec<&str> = process.flows.iter().map(|flow| &*flow.id).collect();
        let told = self.told.join("\n");
        format!(
            "\n{}\n{told}\n{}",
            flows.join("  "),
            describe(self.player.state(), self.player.events())
        )
    }
}

#[test]
fn whatever_is_done_by_hand_an_instance_can_still_finish_and_nothing_is_asked_twice() {
    let mut moved = 0;
    // Others can be tried by hand: `ZHULU_SEEDS=38517..38518`.
    let named = std::env::var("ZHULU_SEEDS").ok();
    let (first, last) = named.as_deref().and_then(|named| named.split_once("..")).unwrap_or(("0", ""));
    let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap_or(SEEDS));
    for seed in first..last {
        let mut story = begin(seed);
        for _ in 0..story.chance.next(ACTS) {
            if story.player.state().ended.is_some() {
                break;
            }
            story.act();
            story.look();
        }
        moved += story
            .told
            .iter()
            .filter(|told| told.starts_with("ReturnTo") || told.starts_with("Jump"))
            .count();
        story.finish();
        assert!(
            story.player.state().ended.is_some(),
            "seed {seed} does not come to its end: {}",
            story.tell()
        );
    }
    assert!(moved as u64 > (last - first) / 2, "only {moved} moves were tried");
}
