//! Processes through the way in: the law, the process and a durable append together, from filing to delivery.

use std::{path::Path, sync::Arc, time::Duration};

use casework::{Edition, Library, WorkCommand};
use chrono::Utc;
use commands::{Bureau, Envelope};
use domain::{
    case::{AcceptanceMode, CaseCommand, CaseType as _, Command, Conclusion, DeliveryMethod, ModelKind, Officer},
    case_types::construction_permit::ConstructionPermit,
    metadata::{Actor, Channel},
};
use event_store_contract::Filter;
use event_store_embedded::EmbeddedStore;
use process_engine::{
    bpmn,
    instance::{Bindings, Key, Outcome, Said},
};
use uuid::Uuid;

use crate::{
    commands::submit,
    engine::drive::{self, Driver},
    measure::{Rate, closed_loop, heading, line, median, number},
};

/// How often everything is measured in turn.
const ROUNDS: u64 = 3;
/// How long each measurement takes.
const TIME: Duration = Duration::from_secs(3);
/// How many work at the same time.
const CLIENTS: usize = 64;
/// Commands of one case: the first files it, each of the others finishes a task of its process.
const COMMANDS_PER_CASE: u64 = 7;

fn actor(id: &str, role: &str) -> Actor {
    Actor {
        id: id.to_owned(),
        name: id.to_owned(),
        role: role.to_owned(),
        organisation: "11330109002514224B".to_owned(),
        channel: Channel::Window,
        on_behalf_of: None,
    }
}

/// The step of a permit's way, and who takes it.
fn step(turn: u64) -> (Command, Actor) {
    let clerk = || actor("wang", "windowClerk");
    match turn % COMMANDS_PER_CASE {
        0 => (submit(), clerk()),
        1 => {
            let accept = Command::Accept {
                mode: AcceptanceMode::Normal,
                tolerance: Vec::new(),
                commitment: None,
            };
            (accept, clerk())
        }
        2 => {
            let to = Officer {
                id: "zhang".to_owned(),
                name: "张".to_owned(),
            };
            let assign = Command::Assign {
                to,
                reason: "轮值".to_owned(),
            };
            (assign, actor("li", "sectionChief"))
        }
        3 => {
            let review = Command::CompleteReview {
                conclusion: Conclusion::Agree,
                second_officer: "zhou".to_owned(),
            };
            (review, actor("zhang", "handler"))
        }
        4 => (Command::ApproveBySection, actor("li", "sectionChief")),
        5 => (Command::Grant { conditions: Vec::new() }, actor("chen", "director")),
        _ => {
            let deliver = Command::Deliver {
                method: DeliveryMethod::Window,
                receiver: "王建国".to_owned(),
            };
            (deliver, clerk())
        }
    }
}

/// What is worked on: the way of a permit, or the bare process of the part in memory.
#[derive(Clone)]
enum Work {
    /// Every task means a command of the law.
    Permits,
    /// The law is asked for the filing only; these are the tasks in the order in which they are finished.
    Bare(Arc<[Key]>),
}

impl Work {
    fn commands(&self) -> u64 {
        match self {
            Self::Permits => COMMANDS_PER_CASE,
            Self::Bare(keys) => keys.len() as u64 + 1,
        }
    }

    /// The next command to whatever instance is its turn.
    async fn ask(&self, bureau: &Bureau, name: &str, turn: u64) {
        let case = format!("{name}-{}", turn / self.commands());
        let case = Uuid::new_v5(&Uuid::NAMESPACE_OID, case.as_bytes());
        let at = turn % self.commands();
        let (command, actor) = match self {
            Self::Permits => {
                let (command, actor) = step(at);
                (WorkCommand::Case(CaseCommand::Kernel(command)), actor)
            }
            Self::Bare(keys) => match usize::try_from(at).ok().and_then(|at| keys.get(at.checked_sub(1)?)) {
                None => (WorkCommand::Case(CaseCommand::Kernel(submit())), actor("wang", "windowClerk")),
                Some(task) => (WorkCommand::Process(finish(*task)), actor("wang", "windowClerk")),
            },
        };
        let envelope = Envelope::new(Uuid::new_v4(), actor, "330109", Utc::now());
        let asked = bureau.to_work::<ConstructionPermit>(case, command, &envelope);
        asked.await.expect("the command is accepted");
    }

    /// An instance for each client: from its start to its end, then the next.
    async fn rate(&self, bureau: &Bureau, round: u64) -> Rate {
        let (work, bureau) = (self.clone(), bureau.clone());
        closed_loop(CLIENTS, TIME, move |client, turn| {
            let (work, bureau) = (work.clone(), bureau.clone());
            async move { work.ask(&bureau, &format!("{round}-{client}"), turn).await }
        })
        .await
    }
}

fn finish(task: Key) -> process_engine::instance::Command {
    process_engine::instance::Command::CompleteTask {
        task,
        outcome: Outcome::Approved,
        said: Said::default(),
        form: Bindings::new(),
        chosen: Vec::new(),
    }
}

/// A new case with each call: its process is started and waits for its first task.
async fn starts(bureau: &Bureau, round: u64) -> Rate {
    let bureau = bureau.clone();
    closed_loop(CLIENTS, TIME, move |client, turn| {
        let bureau = bureau.clone();
        async move {
            Work::Permits.ask(&bureau, &format!("start-{round}-{client}-{turn}"), 0).await;
        }
    })
    .await
}

/// The bare process as the way that permits go.
fn bare_library() -> Library {
    // A case has no such variable; what it has instead is as true.
    let bytes: Arc<[u8]> = drive::MODEL
        .replace("floor_area > 1000", "stage = \"Received\"")
        .into_bytes()
        .into();
    let read = bpmn::read(&bytes, &bpmn::ReadOptions::default()).expect("the model is read");
    let edition = Edition {
        key: ConstructionPermit::CATEGORY.into(),
        kind: ModelKind::Bpmn,
        version: 1,
        hash: read.definitions.hash.clone(),
        effective_from: chrono::NaiveDate::MIN,
        percent: 100,
        retired: false,
        bytes,
    };
    Library::default().with_definitions(edition, read.definitions)
}

/// A bureau over a store of its own.
async fn bureau(dir: &Path, library: Library) -> Bureau {
    let store = EmbeddedStore::open(dir).expect("a store");
    Bureau::open_with(Arc::new(store), library).await.expect("a bureau")
}

/// How many events and bytes the log holds.
async fn size_of_log(bureau: &Bureau) -> (f64, f64) {
    let (mut events, mut bytes, mut after) = (0.0, 0.0, None);
    loop {
        let page = bureau
            .store()
            .read_all(after, 1_000, &Filter::default())
            .await
            .expect("a page");
        for event in &page.events {
            events += 1.0;
            #[allow(clippy::cast_precision_loss, reason = "an event is small")]
            let size = (event.data.len() + event.metadata.len()) as f64;
            bytes += size;
        }
        after = page.position;
        if page.end {
            return (events, bytes);
        }
    }
}

/// The rates of the rounds of one kind of work.
#[derive(Default)]
struct Rounds {
    commands: Vec<f64>,
    p99: Vec<f64>,
}

impl Rounds {
    fn take(&mut self, rate: &Rate) {
        self.commands.push(rate.per_second);
        self.p99.push(rate.p99_ms);
    }

    /// Prints instances and tasks in a second.
    fn tell(self, what: &str, commands_per_instance: f64) {
        let instances = median(self.commands) / commands_per_instance;
        line(&format!("{what}: instances/s"), &number(instances), "(goal 2,000/s)");
        line(
            &format!("{what}: tasks finished/s"),
            &number(instances * (commands_per_instance - 1.0)),
            &format!("a command's p99 {:.1} ms (goal 10,000/s)", median(self.p99)),
        );
    }
}

/// Measures and prints.
#[allow(clippy::cast_precision_loss, reason = "an instance has a handful of commands")]
pub async fn run() {
    heading(&format!(
        "Processes, durable, {CLIENTS} clients: law, process and append together"
    ));
    let dir = tempfile::tempdir().expect("a directory");
    let works = [
        ("a permit, from filing to delivery", Library::embedded(), Work::Permits),
        (
            "start, task, choice, three tasks, join, task, end",
            bare_library(),
            Work::Bare(Driver::new().task_keys().into()),
        ),
    ];
    let mut measured = Vec::new();
    for (at, (what, library, work)) in works.into_iter().enumerate() {
        let bureau = bureau(&dir.path().join(at.to_string()), library).await;
        for turn in 0..work.commands() {
            work.ask(&bureau, "first", turn).await;
        }
        let (events, bytes) = size_of_log(&bureau).await;
        println!("    {what}: {} commands, {events} events, {bytes} bytes", work.commands());
        measured.push((what, work, bureau, Rounds::default()));
    }
    let mut started = Vec::new();
    for round in 0..ROUNDS {
        for (_, work, bureau, rounds) in &mut measured {
            rounds.take(&work.rate(bureau, round).await);
        }
        started.push(starts(&measured[0].2, round).await.per_second);
    }
    for (what, work, _, rounds) in measured {
        rounds.tell(what, work.commands() as f64);
    }
    line(
        "permits filed, their processes started (instances/s)",
        &number(median(started)),
        "",
    );
}
