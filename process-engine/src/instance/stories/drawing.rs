//! Random block-structured models of tasks, votes, branches, loops and sub-processes.

use super::sketch::{Sketch, by, days, of};
use crate::model::{OnTimeout, Strategy, TimeoutAction, TimerCalendar, VoteRule};

/// What draws (splitmix64).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }

    pub(super) fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let at = self.next(all.len().max(1) as u64);
        all.get(usize::try_from(at).unwrap())
    }
}

/// A model that is being drawn.
pub(super) struct Drawing {
    pub(super) chance: Chance,
    pub(super) sketch: Sketch,
    count: u32,
    pub(super) tasks: Vec<String>,
    pub(super) variables: Vec<String>,
}

impl Drawing {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            chance: Chance(seed),
            sketch: Sketch::new(),
            count: 0,
            tasks: Vec::new(),
            variables: Vec::new(),
        }
    }

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

    pub(super) fn row(&mut self, depth: u32) -> (String, String) {
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
