//! Blocks, of which random models are made: each has one way in and one way out, so that every model is sound.

use super::chance::Chance;

/// How deep blocks stand in each other.
const MAX_DEPTH: usize = 4;

/// How many blocks follow each other.
const MAX_IN_A_ROW: usize = 4;

/// How many branches a split has.
const MAX_BRANCHES: usize = 3;

/// Those who are asked in random models.
pub(super) const PEOPLE: [&str; 5] = ["zhang", "wang", "li", "zhao", "chen"];

/// A part of a model.
#[derive(Debug)]
pub(super) enum Block {
    /// One after the other.
    Row(Vec<Block>),
    /// A task with what stands on its border, and how often it is done.
    Task(Work, Vec<Border>, Often),
    /// One of several.
    Exclusive(Vec<Block>),
    /// All of them.
    Parallel(Vec<Block>),
    /// Some of them.
    Inclusive(Vec<Block>),
    /// Whatever happens first.
    FirstEvent(Vec<(Wait, Block)>),
    /// Done again until a counter says that it is enough.
    Again(Box<Block>),
    /// A level of its own.
    Inside(Box<Inside>),
    /// Another process.
    Call(Box<Block>, Vec<Border>),
    /// An event that is waited for.
    Wait(Wait),
    /// What was done is compensated.
    Undone(Vec<Work>),
    /// An event that makes something happen.
    Throw(Thrown),
}

/// A sub-process.
#[derive(Debug)]
pub(super) struct Inside {
    pub(super) body: Block,
    pub(super) end: End,
    pub(super) borders: Vec<Border>,
    pub(super) beside: Option<(Wait, bool, Block)>,
    pub(super) often: Often,
}

/// How a sub-process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Plain,
    Terminate,
    Error,
    Escalation,
}

/// What a task is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// One person.
    One(usize),
    /// Whoever of several takes it first.
    Candidates(usize),
    /// A vote of several: how many, the rule, in order or at once.
    Vote(usize, Vote, bool),
    Service,
    Script,
    Decision,
    Receive,
    Send,
    Nothing,
    Manual,
}

/// How votes are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vote {
    All,
    Any,
    Ratio,
}

/// What stands on the border of an activity.
#[derive(Debug)]
pub(super) struct Border {
    pub(super) wait: BorderWait,
    pub(super) interrupting: bool,
    pub(super) then: Block,
}

/// What a border waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BorderWait {
    Wait(Wait),
    Error,
    Escalation,
}

/// What can be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Timer(usize),
    Cycle(usize),
    Message,
    Signal,
}

/// How often an activity is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Often {
    Once,
    Loop(usize),
    Parallel(usize),
    Sequential(usize),
}

/// What an event makes happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thrown {
    Nothing,
    Message,
    Signal,
    Escalation,
}

#[derive(Clone, Copy)]
enum Kind {
    Task,
    Exclusive,
    Parallel,
    Inclusive,
    FirstEvent,
    Again,
    Inside,
    Call,
    Wait,
    Undone,
    Throw,
}

const KINDS: [(usize, Kind); 11] = [
    (38, Kind::Task),
    (8, Kind::Exclusive),
    (12, Kind::Parallel),
    (7, Kind::Inclusive),
    (6, Kind::FirstEvent),
    (6, Kind::Again),
    (10, Kind::Inside),
    (4, Kind::Call),
    (4, Kind::Wait),
    (3, Kind::Undone),
    (3, Kind::Throw),
];

impl Block {
    /// Draws a row of blocks.
    pub(super) fn row(chance: &mut Chance, depth: usize) -> Self {
        let most = MAX_IN_A_ROW.saturating_sub(depth).max(1);
        let length = chance.between(1, most);
        Self::Row((0..length).map(|_| Self::one(chance, depth)).collect())
    }

    fn one(chance: &mut Chance, depth: usize) -> Self {
        if depth >= MAX_DEPTH {
            return Self::Task(Work::draw(chance), Vec::new(), Often::Once);
        }
        match chance.weighted(&KINDS, Kind::Task) {
            Kind::Task => Self::task(chance, depth),
            Kind::Exclusive => Self::Exclusive(Self::branches(chance, depth)),
            Kind::Parallel => Self::Parallel(Self::branches(chance, depth)),
            Kind::Inclusive => Self::Inclusive(Self::branches(chance, depth)),
            Kind::FirstEvent => {
                let branches = Self::branches(chance, depth);
                let event = |then| (Wait::draw_once(chance), then);
                Self::FirstEvent(branches.into_iter().map(event).collect())
            }
            Kind::Again => Self::Again(Box::new(Self::row(chance, depth + 1))),
            Kind::Inside => Self::inside(chance, depth),
            Kind::Call => {
                let body = Box::new(Self::row(chance, depth + 2));
                let borders = Border::draw(chance, depth, false);
                Self::Call(body, borders)
            }
            Kind::Wait => Self::Wait(Wait::draw_once(chance)),
            Kind::Undone => {
                let works = [Work::Service, Work::Script, Work::One(0), Work::Nothing];
                let length = chance.between(1, 3);
                let draw = |_| *chance.pick(&works).unwrap_or(&Work::Script);
                Self::Undone((0..length).map(draw).collect())
            }
            Kind::Throw => {
                let all = [Thrown::Nothing, Thrown::Message, Thrown::Signal, Thrown::Escalation];
                Self::Throw(*chance.pick(&all).unwrap_or(&Thrown::Nothing))
            }
        }
    }

    fn branches(chance: &mut Chance, depth: usize) -> Vec<Self> {
        let count = chance.between(2, MAX_BRANCHES);
        (0..count).map(|_| Self::row(chance, depth + 1)).collect()
    }

    fn task(chance: &mut Chance, depth: usize) -> Self {
        let work = Work::draw(chance);
        let waits = !matches!(
            work,
            Work::Script | Work::Nothing | Work::Manual | Work::Decision | Work::Send
        );
        let borders = match waits && chance.percent(30) {
            true => Border::draw(chance, depth, work == Work::Service),
            false => Vec::new(),
        };
        let often = match work {
            Work::Vote(..) => Often::Once,
            _ if chance.percent(20) => Often::draw(chance),
            _ => Often::Once,
        };
        Self::Task(work, borders, often)
    }

    fn inside(chance: &mut Chance, depth: usize) -> Self {
        let ends = [(6, End::Plain), (1, End::Terminate), (1, End::Error), (1, End::Escalation)];
        let end = chance.weighted(&ends, End::Plain);
        let body = Self::row(chance, depth + 1);
        let mut borders = match chance.percent(30) {
            true => Border::draw(chance, depth, false),
            false => Vec::new(),
        };
        let caught = match end {
            End::Error => Some((BorderWait::Error, true)),
            End::Escalation => Some((BorderWait::Escalation, chance.percent(50))),
            _ => None,
        };
        if let Some((wait, interrupting)) = caught {
            let then = Self::row(chance, depth + 2);
            borders.push(Border {
                wait,
                interrupting,
                then,
            });
        }
        let beside = chance.percent(20).then(|| {
            let wait = Wait::draw_once(chance);
            let interrupting = chance.percent(50);
            (wait, interrupting, Self::row(chance, depth + 2))
        });
        let often = match chance.percent(20) {
            true => Often::draw(chance),
            false => Often::Once,
        };
        Self::Inside(Box::new(Inside {
            body,
            end,
            borders,
            beside,
            often,
        }))
    }
}

impl Work {
    fn draw(chance: &mut Chance) -> Self {
        let one = Self::One(chance.below(PEOPLE.len()));
        let candidates = Self::Candidates(chance.between(1, PEOPLE.len()));
        let rule = [Vote::All, Vote::Any, Vote::Ratio][chance.below(3)];
        let vote = Self::Vote(chance.between(1, 4), rule, chance.percent(30));
        let all = [
            (20, one),
            (8, candidates),
            (14, vote),
            (12, Self::Service),
            (8, Self::Script),
            (4, Self::Decision),
            (5, Self::Receive),
            (3, Self::Send),
            (3, Self::Nothing),
            (2, Self::Manual),
        ];
        chance.weighted(&all, one)
    }
}

impl Border {
    fn draw(chance: &mut Chance, depth: usize, can_fail: bool) -> Vec<Self> {
        let count = chance.between(1, 2);
        let draw = |_| {
            let is_error = can_fail && chance.percent(40);
            let wait = match is_error {
                true => BorderWait::Error,
                false => BorderWait::Wait(Wait::draw(chance)),
            };
            let once = matches!(wait, BorderWait::Wait(Wait::Cycle(_)));
            let interrupting = is_error || (!once && chance.percent(50));
            Self {
                wait,
                interrupting,
                then: Block::row(chance, depth + 2),
            }
        };
        let mut borders: Vec<Self> = (0..count).map(draw).collect();
        // Two events on one border that catch the same error would be a mistake in the model.
        let mut has_error = false;
        borders.retain(|border| border.wait != BorderWait::Error || !std::mem::replace(&mut has_error, true));
        borders
    }
}

impl Wait {
    fn draw_once(chance: &mut Chance) -> Self {
        let all = [(2, Self::Timer(chance.between(1, 72))), (2, Self::Message), (1, Self::Signal)];
        chance.weighted(&all, Self::Message)
    }

    fn draw(chance: &mut Chance) -> Self {
        match chance.percent(15) {
            true => Self::Cycle(chance.between(1, 4)),
            false => Self::draw_once(chance),
        }
    }
}

impl Often {
    fn draw(chance: &mut Chance) -> Self {
        let times = chance.between(0, 4);
        match chance.below(3) {
            0 => Self::Loop(times.max(1)),
            1 => Self::Parallel(times),
            _ => Self::Sequential(times),
        }
    }
}
