//! Processes through the way in: the law, the process and a durable append together, from filing to delivery.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use commands::{Bureau, Envelope};
use domain::{
    case::{AcceptanceMode, CaseCommand, Command, Conclusion, DeliveryMethod, Officer},
    case_types::construction_permit::ConstructionPermit,
    metadata::{Actor, Channel},
};
use event_store_embedded::EmbeddedStore;
use uuid::Uuid;

use crate::{
    commands::submit,
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

/// A case for each client: filed, brought to its delivery step by step, then the next case.
async fn whole_cases(bureau: &Bureau, round: u64) -> Rate {
    let bureau = bureau.clone();
    closed_loop(CLIENTS, TIME, move |client, turn| {
        let bureau = bureau.clone();
        async move {
            let name = format!("{round}-{client}-{}", turn / COMMANDS_PER_CASE);
            let case = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
            let (command, actor) = step(turn);
            let envelope = Envelope::new(Uuid::new_v4(), actor, "330109", Utc::now());
            bureau
                .to_case::<ConstructionPermit>(case, CaseCommand::Kernel(command), &envelope)
                .await
                .expect("a command");
        }
    })
    .await
}

/// A new case with each call: its process is started and waits for its first task.
async fn starts(bureau: &Bureau, round: u64) -> Rate {
    let bureau = bureau.clone();
    closed_loop(CLIENTS, TIME, move |client, turn| {
        let bureau = bureau.clone();
        async move {
            let case = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("start-{round}-{client}-{turn}").as_bytes());
            let (command, actor) = step(0);
            let envelope = Envelope::new(Uuid::new_v4(), actor, "330109", Utc::now());
            bureau
                .to_case::<ConstructionPermit>(case, CaseCommand::Kernel(command), &envelope)
                .await
                .expect("a case is filed");
        }
    })
    .await
}

/// Measures and prints.
#[allow(clippy::cast_precision_loss, reason = "there are seven commands in a case")]
pub async fn run() {
    heading("Processes, durable: law, process and append together");
    let dir = tempfile::tempdir().expect("a directory");
    let store = EmbeddedStore::open(&dir.path().join("store")).expect("a store");
    let bureau = Bureau::open(Arc::new(store)).await.expect("a bureau");
    let (mut commands, mut p99, mut started) = (vec![], vec![], vec![]);
    for round in 0..ROUNDS {
        let rate = whole_cases(&bureau, round).await;
        commands.push(rate.per_second);
        p99.push(rate.p99_ms);
        started.push(starts(&bureau, round).await.per_second);
    }
    let (commands, p99) = (median(commands), median(p99));
    let instances = commands / COMMANDS_PER_CASE as f64;
    let tasks = instances * (COMMANDS_PER_CASE - 1) as f64;
    line(
        &format!("permits from filing to delivery, {CLIENTS} clients (instances/s)"),
        &number(instances),
        "(goal 2,000/s)",
    );
    line(
        &format!("tasks finished, {CLIENTS} clients (tasks/s)"),
        &number(tasks),
        &format!("p99 {p99:.1} ms (goal 10,000/s)"),
    );
    line("processes started (instances/s)", &number(median(started)), "");
}
