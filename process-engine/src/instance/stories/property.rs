//! Whatever is done to it by hand, an instance can still finish, and nobody is asked twice for the same: random
//! block-structured models, random approvals, returns, withdrawals, jumps and signs.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::json;

use super::sketch::{Sketch, by, days, of};
use crate::{
    instance::{Bindings, Command, Key, Outcome, ROOT, Resume, Said, SignPlace, TimerPurpose, Waiting},
    model::{OnTimeout, Strategy, TimeoutAction, TimerCalendar, VoteRule},
    testing::{NotPlayed, Player, World, describe, person},
};

/// How many random models are tried each time.
const SEEDS: u64 = 1_500;

/// How many acts there are at the most before the instance is driven to its end.
const ACTS: u64 = 14;

/// How many tasks may be done on the way to the end: the models are small.
const WAY_TO_THE_END: u32 = 400;

/// What draws (splitmix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let at = self.next(all.len().max(1) as u64);
        all.get(usize::try_from(at).unwrap())
    }
}

/// A model that is being drawn.
struct Drawing {
    chance: Chance,
    sketch: Sketch,
    count: u32,
    tasks: Vec<String>,
    variables: Vec<String>,
}

impl Drawing {
    fn name(&mut self, kind: &str) -> String {
        self.count += 1;
        format!("{kind}{}", self.count)
    }

    /// Draws a block; says where it begins and where it ends.
    fn block(&mut self, depth: u32) -> (String, String) {
        let kind = if depth == 0 {
            self.chance.next(4)
        } else {
            self.chance.next(14)
        };
        match kind {
            0..=2 => self.task(),
            3 => self.vote(),
            4..=6 => self.row(depth),
            7 | 8 => self.split("+", depth),
            9 => self.split("or", depth),
            10 => self.choice(depth),
            11 => self.again(depth),
            _ => self.level(depth),
        }
    }

    fn task(&mut self) -> (String, String) {
        let name = self.name("t");
        let mut user = of(&format!("p-{name}"));
        if self.chance.next(2) == 0 {
            user.on_timeout = Some(OnTimeout {
                after: days(5, TimerCalendar::WorkingDays),
                action: TimeoutAction::Remind,
                maximum: 3,
            });
        }
        self.sketch.user(&name, user);
        self.tasks.push(name.clone());
        (name.clone(), name)
    }

    fn vote(&mut self) -> (String, String) {
        let name = self.name("v");
        let rule = match self.chance.next(3) {
            0 => None,
            1 => Some(VoteRule::Any),
            _ => Some(VoteRule::Ratio { percent: 60 }),
        };
        let sequential = self.chance.next(2) == 0;
        self.sketch.vote_of(&name, by(Strategy::User, "x,y,z"), sequential, rule);
        self.tasks.push(name.clone());
        (name.clone(), name)
    }

    fn row(&mut self, depth: u32) -> (String, String) {
        let (first, mut last) = self.block(depth - 1);
        for _ in 0..=self.chance.next(2) {
            let (next, end) = self.block(depth - 1);
            self.sketch.flow(&last, &next, None);
            last = end;
        }
        (first, last)
    }

    fn split(&mut self, kind: &str, depth: u32) -> (String, String) {
        let (fork, join) = (self.name(kind), self.name(kind));
        for _ in 0..2 + self.chance.next(2) {
            let (first, last) = self.block(depth - 1);
            let condition = (kind == "or").then(|| format!("{} >= 0", self.variable()));
            self.sketch.flow(&fork, &first, condition.as_deref());
            self.sketch.flow(&last, &join, None);
        }
        (fork, join)
    }

    fn variable(&mut self) -> String {
        let name = self.name("n");
        self.variables.push(name.clone());
        name
    }

    fn choice(&mut self, depth: u32) -> (String, String) {
        let (fork, join) = (self.name("x"), self.name("x"));
        let condition = format!("{} > 1", self.variable());
        for condition in [Some(&*condition), None] {
            let (first, last) = self.block(depth - 1);
            self.sketch.flow(&fork, &first, condition);
            self.sketch.flow(&last, &join, None);
        }
        (fork, join)
    }

    fn again(&mut self, depth: u32) -> (String, String) {
        let (head, tail) = (self.name("x"), self.name("x"));
        let (first, last) = self.block(depth - 1);
        self.sketch.flow(&head, &first, None);
        self.sketch.flow(&last, &tail, None);
        let condition = format!("{} > 2", self.variable());
        self.sketch.flow(&tail, &head, Some(&condition));
        (head, tail)
    }

    fn level(&mut self, depth: u32) -> (String, String) {
        let name = self.name("s");
        self.sketch.level(&name);
        let (start, end) = (self.name("start"), self.name("end"));
        let (first, last) = self.block(depth - 1);
        self.sketch.flow(&start, &first, None);
        self.sketch.flow(&last, &end, None);
        self.sketch.end_level();
        (name.clone(), name)
    }
}

/// A random model that has been started.
struct Story {
    chance: Chance,
    player: Player,
    tasks: Vec<String>,
    variables: Vec<String>,
    told: Vec<String>,
}

fn begin(seed: u64) -> Story {
    let mut drawing = Drawing {
        chance: Chance(seed),
        sketch: Sketch::new(),
        count: 0,
        tasks: Vec::new(),
        variables: Vec::new(),
    };
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
                    _ => vec![
                        self.player
                            .state()
                            .elements
                            .keys()
                            .copied()
                            .filter(|key| *key != ROOT)
                            .last()?,
                    ],
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
            let Some(task) = open.map(|(key, _)| *key).last() else {
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
