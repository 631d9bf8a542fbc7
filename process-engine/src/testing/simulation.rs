//! Several instances of one world, under one clock: what one throws, the others catch.

use std::{collections::VecDeque, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};

use super::{NotPlayed, Player, World, player::first_moment};
use crate::{
    instance::{Bindings, Command, Event, Rejection, StartedBy, Waiting},
    model::{NodeKind, Process, Text, Trigger, Work},
};

/// The most instances of one simulation: a model that starts itself for ever stops here.
const MAX_INSTANCES: usize = 1_000;

/// A message that nobody has taken yet.
#[derive(Debug, Clone)]
struct Letter {
    name: String,
    correlation: Option<String>,
    payload: Bindings,
}

/// Several instances and a clock.
pub struct Simulation {
    world: Arc<World>,
    players: Vec<Player>,
    /// How many events of each instance were looked at.
    seen: Vec<usize>,
    letters: VecDeque<Letter>,
    now: DateTime<Utc>,
}

impl Simulation {
    /// A world in which nothing has happened yet.
    pub fn new(world: &Arc<World>) -> Self {
        Self {
            world: world.clone(),
            players: Vec::new(),
            seen: Vec::new(),
            letters: VecDeque::new(),
            now: first_moment(),
        }
    }

    /// All instances, in the order in which they began.
    pub fn players(&self) -> &[Player] {
        &self.players
    }

    /// The moment.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Starts a process, and lets everybody hear what it throws.
    pub fn start(&mut self, process: &str, variables: Bindings, by: StartedBy) -> Result<usize, NotPlayed> {
        let at = self.begin(process, variables, by)?;
        self.spread()?;
        Ok(at)
    }

    fn begin(&mut self, process: &str, variables: Bindings, by: StartedBy) -> Result<usize, NotPlayed> {
        let mut player = Player::new(&self.world);
        player.set_now(self.now);
        player.start_by(process, variables, by)?;
        self.players.push(player);
        self.seen.push(0);
        Ok(self.players.len() - 1)
    }

    /// Asks one of the instances something, and lets everybody hear what it throws.
    pub fn ask(&mut self, at: usize, command: &Command) -> Result<(), NotPlayed> {
        self.players[at].ask(command)?;
        self.spread()
    }

    /// Somebody outside sends a message; it is kept until somebody waits for it.
    pub fn send(&mut self, name: &str, correlation: Option<&str>, payload: Bindings) -> Result<(), NotPlayed> {
        self.letters.push_back(Letter {
            name: name.to_owned(),
            correlation: correlation.map(str::to_owned),
            payload,
        });
        self.spread()
    }

    /// Whatever was thrown and not heard yet reaches whoever waits for it, and begins what begins with it.
    fn spread(&mut self) -> Result<(), NotPlayed> {
        loop {
            let mut signals = Vec::new();
            for at in 0..self.players.len() {
                let events = self.players[at].events();
                for (index, event) in events.iter().enumerate().skip(self.seen[at]) {
                    match event {
                        // The instance itself has caught it already, if it is followed by its receipt.
                        Event::MessageThrown { .. } if matches!(events.get(index + 1), Some(Event::MessageReceived { .. })) => {}
                        Event::MessageThrown {
                            message,
                            correlation,
                            payload,
                            ..
                        } => self.letters.push_back(Letter {
                            name: message.clone(),
                            correlation: correlation.clone(),
                            payload: payload.clone(),
                        }),
                        Event::SignalThrown { signal, payload, .. } => signals.push((at, signal.clone(), payload.clone())),
                        _ => {}
                    }
                }
                self.seen[at] = events.len();
            }
            let mut has_moved = !signals.is_empty();
            for (from, signal, payload) in signals {
                self.signal(from, &signal, &payload)?;
            }
            for _ in 0..self.letters.len() {
                let Some(letter) = self.letters.pop_front() else { break };
                if self.deliver(&letter)? {
                    has_moved = true;
                } else {
                    self.letters.push_back(letter);
                }
            }
            if !has_moved || self.players.len() > MAX_INSTANCES {
                return Ok(());
            }
        }
    }

    /// A signal reaches every other instance that waits for it, and starts what starts with it.
    fn signal(&mut self, from: usize, name: &str, payload: &Bindings) -> Result<(), NotPlayed> {
        for at in (0..self.players.len()).filter(|at| *at != from) {
            let player = &mut self.players[at];
            player.set_now(self.now);
            let waits = player.state().waits.values();
            if waits
                .into_iter()
                .any(|wait| matches!(&wait.what, Waiting::Signal { name: at } if at == name))
            {
                player.signal(name, payload.clone())?;
            }
        }
        for process in self.started_by(|trigger| matches!(trigger, Trigger::Signal(at) if is_plainly(at, name))) {
            self.begin(&process, payload.clone(), StartedBy::Signal(name.to_owned()))?;
        }
        Ok(())
    }

    /// A message reaches the first instance that waits for it, or else starts what starts with it.
    fn deliver(&mut self, letter: &Letter) -> Result<bool, NotPlayed> {
        for player in &mut self.players {
            player.set_now(self.now);
            match player.message_for(&letter.name, letter.correlation.as_deref(), letter.payload.clone()) {
                Ok(()) => return Ok(true),
                Err(NotPlayed::Refused(Rejection::NobodyWaits { .. } | Rejection::AlreadyEnded | Rejection::Suspended)) => {}
                Err(other) => return Err(other),
            }
        }
        let name = &letter.name;
        let started = self.started_by(|trigger| matches!(trigger, Trigger::Message(at) if is_plainly(&at.name, name)));
        let by = StartedBy::Message(name.clone());
        match started.first() {
            Some(process) => self.begin(process, letter.payload.clone(), by).map(|_| true),
            None => Ok(false),
        }
    }

    /// The processes that begin with what `by` says of a trigger.
    fn started_by(&self, by: impl Fn(&Trigger) -> bool) -> Vec<String> {
        let all = self.world.processes().filter(|process| process.executable);
        let wanted = all.filter(|process| starts(process).any(|trigger| by(&trigger)));
        wanted.map(|process| process.reference.process.to_string()).collect()
    }

    /// Time goes by for everybody: what is due fires in the order in which it is due.
    pub fn advance(&mut self, by: TimeDelta) -> Result<(), NotPlayed> {
        let until = self.now + by;
        while let Some((due_at, _)) = self.next_timer().filter(|(due_at, _)| *due_at <= until) {
            self.now = self.now.max(due_at);
            for at in 0..self.players.len() {
                self.players[at].set_now(self.now);
                if let Some((_, timer)) = self.players[at].next_timer().filter(|(due_at, _)| *due_at <= self.now) {
                    self.players[at].ask(&Command::FireTimer { timer })?;
                    self.spread()?;
                }
            }
        }
        self.now = until;
        for player in &mut self.players {
            player.set_now(until);
        }
        Ok(())
    }

    /// When the next timer fires, and in which instance.
    pub fn next_timer(&self) -> Option<(DateTime<Utc>, usize)> {
        let all = self.players.iter().enumerate();
        all.filter_map(|(at, player)| player.next_timer().map(|(due_at, _)| (due_at, at)))
            .min()
    }
}

/// Whether a name that may be computed is this one as written.
fn is_plainly(text: &Text, name: &str) -> bool {
    matches!(text, Text::Plain(plain) if **plain == *name)
}

/// What can start a process from outside.
fn starts(process: &Process) -> impl Iterator<Item = Trigger> {
    let level = process.children.iter().map(|at| process.node(*at));
    level.flat_map(|node| match &node.kind {
        NodeKind::Start { catch, .. } => catch.triggers.iter().filter_map(from_outside).collect(),
        NodeKind::Task(task) => match &task.work {
            Work::Receive {
                message: Some(message),
                instantiate: true,
            } => vec![Trigger::Message(message.clone())],
            _ => Vec::new(),
        },
        NodeKind::EventBased { instantiate: true, .. } => node
            .outgoing
            .iter()
            .flat_map(|flow| match &process.node(process.flow(*flow).target).kind {
                NodeKind::Catch(catch) => catch.triggers.iter().filter_map(from_outside).collect(),
                NodeKind::Task(task) => match &task.work {
                    Work::Receive {
                        message: Some(message), ..
                    } => vec![Trigger::Message(message.clone())],
                    _ => Vec::new(),
                },
                _ => Vec::new(),
            })
            .collect(),
        _ => Vec::new(),
    })
}

fn from_outside(trigger: &Trigger) -> Option<Trigger> {
    match trigger {
        Trigger::Message(message) => Some(Trigger::Message(message.clone())),
        Trigger::Signal(name) => Some(Trigger::Signal(name.clone())),
        _ => None,
    }
}
