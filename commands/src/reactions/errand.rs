//! An errand is a command that a reaction wants sent. Errands to one stream are done in order, those to different
//! streams side by side, so that one disk write carries many.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use domain::{
    case,
    registers::{number_sequence, permit, project},
};
use futures_util::future::join_all;
use process_engine::instance;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{allocate_number, do_job, platform, write_registers};
use crate::{
    bureau::{Bureau, stream},
    envelope::{CommandError, Envelope, FailedCause, Receipt},
    execute::metadata,
    outside::Shutdown,
};

/// The category of the streams on which failed reactions are recorded; the id is the reaction's name.
pub const FAILURE_CATEGORY: &str = "reactionFailure";
/// How many streams are written to at once.
const MAX_STREAMS_AT_ONCE: usize = 64;
/// How many errands to one stream go into one append.
const MAX_ERRANDS_AT_ONCE: usize = 500;
/// The first and the longest wait before an errand is tried again.
const FIRST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A command that a reaction wants sent.
#[derive(Debug, Clone)]
pub(super) enum Errand {
    /// The next number of a series.
    Allocate {
        series: String,
        command: number_sequence::Command,
        envelope: Envelope,
    },
    /// A kernel command to a case.
    ToCase {
        category: String,
        case_id: Uuid,
        command: Box<case::Command>,
        envelope: Envelope,
        reaction: &'static str,
    },
    /// A command to the process of a case.
    ToProcess {
        category: String,
        case_id: Uuid,
        command: Box<instance::Command>,
        envelope: Envelope,
    },
    /// An entry into the register of permits.
    ToPermit {
        permit_no: String,
        command: Box<permit::Command>,
        envelope: Envelope,
    },
    /// An entry into the register of projects.
    ToProject {
        project_code: String,
        command: Box<project::Command>,
        envelope: Envelope,
    },
}

/// A reaction that could not be done, as it is stored. It is not tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReactionFailed {
    /// The reaction's name.
    pub reaction: String,
    /// The event that it was a reaction to.
    pub event_id: Uuid,
    /// The stream that was to be written to, or that the event is on.
    pub stream: String,
    /// Why.
    pub reason: String,
    /// When it was given up.
    pub at: DateTime<Utc>,
}

impl Errand {
    fn target(&self) -> String {
        match self {
            Self::Allocate { series, .. } => format!("{}-{series}", number_sequence::CATEGORY),
            Self::ToCase { category, case_id, .. } | Self::ToProcess { category, case_id, .. } => format!("{category}-{case_id}"),
            Self::ToPermit { permit_no, .. } => format!("{}-{permit_no}", permit::CATEGORY),
            Self::ToProject { project_code, .. } => format!("{}-{project_code}", project::CATEGORY),
        }
    }

    fn reaction(&self) -> &'static str {
        match self {
            Self::Allocate { .. } => allocate_number::NAME,
            Self::ToCase { reaction, .. } => reaction,
            Self::ToProcess { .. } => do_job::NAME,
            Self::ToPermit { .. } | Self::ToProject { .. } => write_registers::NAME,
        }
    }

    fn envelope(&self) -> &Envelope {
        match self {
            Self::Allocate { envelope, .. }
            | Self::ToCase { envelope, .. }
            | Self::ToProcess { envelope, .. }
            | Self::ToPermit { envelope, .. }
            | Self::ToProject { envelope, .. } => envelope,
        }
    }
}

/// Does all errands; returns when they are done or on record as failed, or when the program shuts down (then false).
pub(super) async fn do_all(bureau: &Bureau, errands: Vec<Errand>, shutdown: &Shutdown) -> bool {
    let mut order = Vec::new();
    let mut by_target: HashMap<String, Vec<Errand>> = HashMap::new();
    for errand in errands {
        let target = errand.target();
        let same = by_target.entry(target.clone()).or_default();
        if same.is_empty() {
            order.push(target);
        }
        same.push(errand);
    }
    let mut all_done = true;
    let mut under_way = JoinSet::new();
    for target in order {
        let Some(errands) = by_target.remove(&target) else { continue };
        if under_way.len() >= MAX_STREAMS_AT_ONCE
            && let Some(done) = under_way.join_next().await
        {
            all_done &= done.unwrap_or(false);
        }
        under_way.spawn(do_in_order(bureau.clone(), errands, shutdown.clone()));
    }
    while let Some(done) = under_way.join_next().await {
        all_done &= done.unwrap_or(false);
    }
    all_done
}

async fn do_in_order(bureau: Bureau, mut errands: Vec<Errand>, shutdown: Shutdown) -> bool {
    let mut wait = FIRST_WAIT;
    while !errands.is_empty() {
        let outcomes = send_some(&bureau, &errands).await;
        let done = outcomes
            .iter()
            .take_while(|outcome| !matches!(outcome, Err(cause) if cause.is_passing()))
            .count();
        let is_delayed = done < outcomes.len();
        let given_up = errands
            .iter()
            .zip(&outcomes[..done])
            .map(async |(errand, outcome)| match outcome {
                Ok(_) => true,
                Err(cause) => give_up(&bureau, errand, cause).await,
            });
        if join_all(given_up).await.contains(&false) {
            return false;
        }
        errands.drain(..done);
        if is_delayed {
            if *shutdown.borrow() {
                return false;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        } else {
            wait = FIRST_WAIT;
        }
    }
    true
}

/// Sends as many errands to their one stream as go into one append.
async fn send_some(bureau: &Bureau, errands: &[Errand]) -> Vec<Result<Receipt, CommandError>> {
    let some = &errands[..errands.len().min(MAX_ERRANDS_AT_ONCE)];
    // Errands to one stream are all of one kind; one that is not waits for the next time.
    let outcomes = match some.first() {
        None => return Vec::new(),
        Some(Errand::Allocate { series, .. }) => {
            let asked = all(some, |errand| match errand {
                Errand::Allocate { command, envelope, .. } => Some((command, envelope)),
                _ => None,
            });
            bureau.all_to_sequence(series, &asked).await
        }
        Some(Errand::ToCase { category, case_id, .. }) => {
            let asked = all(some, |errand| match errand {
                Errand::ToCase { command, envelope, .. } => Some((&**command, envelope)),
                _ => None,
            });
            bureau.all_to_case(category, *case_id, &asked).await
        }
        // Jobs are few; each is an append of its own.
        Some(Errand::ToProcess {
            category,
            case_id,
            command,
            envelope,
        }) => {
            let answer = bureau.to_process(category, *case_id, (**command).clone(), envelope).await;
            Ok(vec![answer])
        }
        Some(Errand::ToPermit { permit_no, .. }) => {
            let asked = all(some, |errand| match errand {
                Errand::ToPermit { command, envelope, .. } => Some((&**command, envelope)),
                _ => None,
            });
            bureau.all_to_permit(permit_no, &asked).await
        }
        Some(Errand::ToProject { project_code, .. }) => {
            let asked = all(some, |errand| match errand {
                Errand::ToProject { command, envelope, .. } => Some((&**command, envelope)),
                _ => None,
            });
            bureau.all_to_project(project_code, &asked).await
        }
    };
    outcomes.unwrap_or_else(|cause| vec![Err(cause)])
}

fn all<'a, C>(errands: &'a [Errand], of: impl Fn(&'a Errand) -> Option<(&'a C, &'a Envelope)>) -> Vec<(&'a C, &'a Envelope)> {
    errands.iter().map_while(of).collect()
}

/// Puts on record that an errand is given up; false, if even that cannot be written.
async fn give_up(bureau: &Bureau, errand: &Errand, cause: &CommandError) -> bool {
    let envelope = errand.envelope();
    let event_id = envelope.causation_id.unwrap_or(envelope.command_id);
    record_failure(bureau, errand.reaction(), event_id, &errand.target(), cause, envelope.now).await
}

pub(super) async fn record_failure(
    bureau: &Bureau,
    reaction: &str,
    event_id: Uuid,
    target: &str,
    cause: &(dyn std::fmt::Display + Sync),
    now: DateTime<Utc>,
) -> bool {
    tracing::error!(reaction, %event_id, target, %cause, "a reaction is given up");
    let failed = ReactionFailed {
        reaction: reaction.to_owned(),
        event_id,
        stream: target.to_owned(),
        reason: cause.to_string(),
        at: now,
    };
    let recorded = async {
        let record = stream(FAILURE_CATEGORY, reaction)?;
        let data = serde_json::to_vec(&failed).map_err(|cause| FailedCause::Unwritable {
            stream: record.clone(),
            reason: cause.to_string(),
        })?;
        let envelope = Envelope::new(
            Uuid::new_v5(&event_id, format!("failed:{reaction}:{target}").as_bytes()),
            platform(),
            "000000",
            now,
        );
        bureau
            .record(
                &record,
                envelope.command_id,
                "ReactionFailed",
                data,
                &metadata(reaction, &envelope, "000000"),
            )
            .await
    };
    match recorded.await {
        Ok(_) => true,
        Err(cause) => {
            tracing::error!(reaction, %event_id, %cause, "a reaction's failure cannot be put on record");
            false
        }
    }
}
