//! The one function that carries every command, and the only place that appends.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{
    metadata::{Channel, Metadata, SCHEMA_VERSION},
    rules::Desk,
};
use event_store_contract::{
    Appended, Direction, Expected, MAX_EVENTS_PER_READ, NewEvent, Position, RecordedEvent, StoreError, StreamName,
};
use futures_util::future::join_all;
use uuid::Uuid;

use crate::{
    aggregate::Aggregate,
    bureau::Bureau,
    cache::Folded,
    envelope::{CommandError, Envelope, FailedCause, Receipt},
    permission,
};

/// How often a command is decided again after somebody else wrote first, before the asker is told to try again.
pub const MAX_DECISIONS_AFTER_CONFLICT: u32 = 4;

/// A command and its envelope.
pub(crate) type Asked<'a, D> = (&'a <D as decider::Decider>::Command, &'a Envelope);

impl Bureau {
    /// Executes one command on one stream.
    pub(crate) async fn execute<D: Aggregate>(
        &self,
        stream: StreamName,
        command: &D::Command,
        envelope: &Envelope,
    ) -> Result<Receipt, CommandError> {
        let mut outcomes = self.execute_all::<D>(stream, &[(command, envelope)]).await;
        outcomes.pop().unwrap_or(Err(CommandError::Busy))
    }

    /// Executes commands on one stream in order, each on what the ones before it left behind, and appends all that they
    /// do at once. One that is refused does not stop the others.
    pub(crate) async fn execute_all<D: Aggregate>(
        &self,
        stream: StreamName,
        asked: &[Asked<'_, D>],
    ) -> Vec<Result<Receipt, CommandError>> {
        let mut outcomes = match self.decide_and_append::<D>(&stream, asked).await {
            Ok(outcomes) => outcomes,
            Err(cause) => asked.iter().map(|_| Err(cause.clone())).collect(),
        };
        let refusals = asked.iter().zip(&mut outcomes).map(async |((command, envelope), outcome)| {
            if let Err(refused @ (CommandError::Rejected(_) | CommandError::Forbidden { .. })) = outcome {
                // Every refused command is on record; if that cannot be written, nobody may believe that it was.
                if let Err(cause) = self
                    .record_refusal(&stream, D::command_name(command), envelope, refused)
                    .await
                {
                    *outcome = Err(cause);
                }
            }
        });
        join_all(refusals).await;
        outcomes
    }

    async fn decide_and_append<D: Aggregate>(
        &self,
        stream: &StreamName,
        asked: &[Asked<'_, D>],
    ) -> Result<Vec<Result<Receipt, CommandError>>, CommandError> {
        // Cases on their way in from a former system are not asked again soon: they would only push others out.
        let passing = asked.iter().all(|(_, envelope)| envelope.actor.channel == Channel::Migration);
        let place = if passing {
            self.cache().passing_place::<D>(stream)
        } else {
            self.cache().place::<D>(stream)
        };
        let mut place = place.lock().await;
        let remembered = place.take();
        let mut is_current = remembered.is_none();
        let mut folded = remembered.unwrap_or_default();
        if is_current {
            self.read_on(stream, &mut folded).await?;
        }
        let mut conflicts = 0;
        loop {
            let plan = self.plan(stream, &folded, asked);
            // A refusal must not rest on a state that another process has overtaken.
            if !is_current && plan.outcomes.iter().any(|outcome| !matches!(outcome, Planned::Events(_))) {
                is_current = true;
                if self.read_on(stream, &mut folded).await? {
                    continue;
                }
            }
            if plan.events.is_empty() {
                *place = Some(folded);
                return Ok(plan.answers(stream, asked));
            }
            let expected = folded.revision.map_or(Expected::NoStream, Expected::Revision);
            match self.store().append(stream, expected, plan.stored.clone()).await {
                Ok(appended) => {
                    let outcomes = plan.appended(stream, asked, &mut folded, appended);
                    *place = Some(folded);
                    return Ok(outcomes);
                }
                Err(StoreError::WrongRevision { .. }) if conflicts < MAX_DECISIONS_AFTER_CONFLICT => {
                    conflicts += 1;
                    is_current = true;
                    self.read_on(stream, &mut folded).await?;
                }
                Err(StoreError::WrongRevision { .. }) => {
                    *place = Some(folded);
                    return Err(CommandError::Busy);
                }
                Err(cause) => return Err(cause.into()),
            }
        }
    }

    /// Decides a command as if it were asked now, and writes nothing: how many events it would have.
    pub(crate) async fn would<D: Aggregate>(
        &self,
        stream: &StreamName,
        command: &D::Command,
        envelope: &Envelope,
    ) -> Result<u64, CommandError> {
        let mut folded = Folded::<D>::default();
        self.read_on(stream, &mut folded).await?;
        let plan = self.plan(stream, &folded, &[(command, envelope)]);
        match plan.outcomes.into_iter().next() {
            Some(Planned::Events(range)) => Ok(range.len() as u64),
            Some(Planned::Error(cause)) => Err(cause),
            Some(Planned::Nothing | Planned::Answered(_)) | None => Ok(0),
        }
    }

    /// Folds in what was written since; says whether there was anything.
    async fn read_on<D: Aggregate>(&self, stream: &StreamName, folded: &mut Folded<D>) -> Result<bool, CommandError> {
        let before = folded.revision;
        loop {
            let events = self
                .store()
                .read_stream(stream, folded.next_revision(), Direction::Forwards, MAX_EVENTS_PER_READ)
                .await?;
            for event in &events {
                folded.take(event)?;
            }
            if events.len() < MAX_EVENTS_PER_READ {
                return Ok(folded.revision != before);
            }
        }
    }

    /// Decides everything that is asked, one after the other.
    fn plan<D: Aggregate>(&self, stream: &StreamName, folded: &Folded<D>, asked: &[Asked<'_, D>]) -> Plan<D> {
        let mut plan = Plan {
            outcomes: Vec::with_capacity(asked.len()),
            events: Vec::new(),
            stored: Vec::new(),
        };
        let mut ahead: Option<D::State> = None;
        for (index, (command, envelope)) in asked.iter().enumerate() {
            let is_double = asked[..index]
                .iter()
                .any(|(_, earlier)| earlier.command_id == envelope.command_id);
            let state = ahead.as_ref().unwrap_or(&folded.state);
            let outcome = if is_double {
                // The same command twice in one breath: whoever asks again gets the first one's answer.
                Planned::Error(CommandError::Busy)
            } else if let Some(receipt) = folded.answer_of_that_time(envelope.command_id, stream) {
                Planned::Answered(receipt)
            } else {
                self.decide::<D>(stream, state, command, envelope, &mut plan)
                    .unwrap_or_else(Planned::Error)
            };
            if let Planned::Events(range) = &outcome
                && index + 1 < asked.len()
            {
                let state = ahead.get_or_insert_with(|| folded.state.clone());
                plan.events[range.clone()].iter().for_each(|event| D::evolve(state, event));
            }
            plan.outcomes.push(outcome);
        }
        plan
    }

    /// Permission, then the law, then the stored form.
    fn decide<D: Aggregate>(
        &self,
        stream: &StreamName,
        state: &D::State,
        command: &D::Command,
        envelope: &Envelope,
        plan: &mut Plan<D>,
    ) -> Result<Planned, CommandError> {
        permission::check::<D>(state, command, envelope)?;
        let desk = self.desk(envelope, D::region(state));
        let region = desk.region.clone();
        let context = D::context(self, stream, envelope, desk);
        let events = D::decide(state, command, &context).map_err(|rejection| CommandError::Rejected(D::refusal(&rejection)))?;
        if events.is_empty() {
            return Ok(Planned::Nothing);
        }
        let stored = stored_form::<D>(stream, D::command_name(command), &events, envelope, &region)?;
        let from = plan.events.len();
        if from == 0 {
            // Nearly always there is one command only: its events are large, and stay where they are.
            (plan.events, plan.stored) = (events, stored);
        } else {
            plan.events.extend(events);
            plan.stored.extend(stored);
        }
        Ok(Planned::Events(from..plan.events.len()))
    }

    pub(crate) fn desk(&self, envelope: &Envelope, region_of_the_thing: Option<&str>) -> Desk {
        // The platform itself acts for whichever bureau the thing belongs to.
        let is_platform = matches!(envelope.actor.channel, Channel::System);
        let region = region_of_the_thing.filter(|_| is_platform).unwrap_or(&envelope.region);
        Desk {
            now: envelope.now,
            occurred_at: envelope.occurred_at.unwrap_or(envelope.now),
            actor: envelope.actor.clone(),
            region: region.to_owned(),
            rules: self.rules(),
        }
    }

    /// Appends a record that no decider stands behind: a refusal, a reaction's failure, a batch.
    pub(crate) async fn record(
        &self,
        stream: &StreamName,
        id: Uuid,
        name: &str,
        data: Vec<u8>,
        metadata: &Metadata,
    ) -> Result<Appended, CommandError> {
        let metadata = metadata_json(stream, metadata)?;
        let event = NewEvent {
            id,
            name: Arc::from(name),
            data: data.into(),
            metadata: metadata.into(),
        };
        Ok(self.store().append(stream, Expected::Any, vec![event]).await?)
    }
}

/// What became of one command when it was decided.
enum Planned {
    /// These of the plan's events.
    Events(std::ops::Range<usize>),
    /// There is nothing to do.
    Nothing,
    /// This is its answer: the command had been executed before, or has been appended now.
    Answered(Receipt),
    /// No.
    Error(CommandError),
}

/// What is to be appended, and what it means for each command.
struct Plan<D: Aggregate> {
    outcomes: Vec<Planned>,
    events: Vec<D::Event>,
    stored: Vec<NewEvent>,
}

impl<D: Aggregate> Plan<D> {
    fn answers(self, stream: &StreamName, asked: &[Asked<'_, D>]) -> Vec<Result<Receipt, CommandError>> {
        let nothing = |envelope: &Envelope| receipt(envelope, stream, None, Vec::new());
        self.outcomes
            .into_iter()
            .zip(asked)
            .map(|(outcome, (_, envelope))| match outcome {
                Planned::Answered(receipt) => Ok(receipt),
                Planned::Error(cause) => Err(cause),
                Planned::Nothing | Planned::Events(_) => Ok(nothing(envelope)),
            })
            .collect()
    }

    fn appended(
        mut self,
        stream: &StreamName,
        asked: &[Asked<'_, D>],
        folded: &mut Folded<D>,
        appended: Appended,
    ) -> Vec<Result<Receipt, CommandError>> {
        let first = folded.next_revision();
        for ((event, stored), revision) in self.events.iter().zip(&self.stored).zip(first..) {
            folded.fold(event, stored.id, revision, appended.position);
        }
        for (outcome, (_, envelope)) in self.outcomes.iter_mut().zip(asked) {
            if let Planned::Events(range) = outcome {
                let event_ids = self.stored[range.clone()].iter().map(|stored| stored.id).collect();
                let last = (first + range.end as u64 - 1, appended.position);
                *outcome = Planned::Answered(receipt(envelope, stream, Some(last), event_ids));
            }
        }
        self.answers(stream, asked)
    }
}

fn receipt(envelope: &Envelope, stream: &StreamName, last: Option<(u64, Position)>, event_ids: Vec<Uuid>) -> Receipt {
    Receipt {
        command_id: envelope.command_id,
        stream: stream.clone(),
        revision: last.map(|(revision, _)| revision),
        position: last.map(|(_, position)| position),
        event_ids,
        repeated: false,
    }
}

fn stored_form<D: Aggregate>(
    stream: &StreamName,
    command: &str,
    events: &[D::Event],
    envelope: &Envelope,
    region: &str,
) -> Result<Vec<NewEvent>, CommandError> {
    let mut metadata = metadata(command, envelope, region);
    let usual = metadata.occurred_at;
    let usual_json = bytes::Bytes::from(metadata_json(stream, &metadata)?);
    let mut stored = Vec::with_capacity(events.len());
    for (index, event) in events.iter().enumerate() {
        let (name, data) = D::write(event).map_err(|cause| unwritable(stream, &cause))?;
        let metadata = match D::occurred_at(event) {
            Some(at) if at != usual => {
                metadata.occurred_at = at;
                metadata_json(stream, &metadata)?.into()
            }
            _ => usual_json.clone(),
        };
        stored.push(NewEvent {
            id: envelope.event_id(index),
            name: name.into(),
            data: data.into(),
            metadata,
        });
    }
    Ok(stored)
}

/// What stands beside every event that this command makes.
pub(crate) fn metadata(command: &str, envelope: &Envelope, region: &str) -> Metadata {
    Metadata {
        command_id: envelope.command_id,
        command: command.to_owned(),
        correlation_id: envelope.correlation_id.unwrap_or(envelope.command_id),
        causation_id: envelope.causation_id.unwrap_or(envelope.command_id),
        actor: envelope.actor.clone(),
        occurred_at: envelope.occurred_at.unwrap_or(envelope.now),
        recorded_at: envelope.now,
        region: region.to_owned(),
        legal_basis: envelope.legal_basis.clone(),
        schema_version: SCHEMA_VERSION,
        trace_id: envelope.trace_id.clone(),
        key_id: None,
    }
}

fn metadata_json(stream: &StreamName, metadata: &Metadata) -> Result<Vec<u8>, FailedCause> {
    serde_json::to_vec(metadata).map_err(|cause| unwritable(stream, &cause))
}

fn unwritable(stream: &StreamName, cause: &dyn std::fmt::Display) -> FailedCause {
    FailedCause::Unwritable {
        stream: stream.clone(),
        reason: cause.to_string(),
    }
}

/// Who, when and why, of an event on record.
pub(crate) fn read_metadata(event: &RecordedEvent) -> Result<Metadata, FailedCause> {
    serde_json::from_slice(&event.metadata).map_err(|cause| FailedCause::Unreadable {
        stream: event.stream.clone(),
        revision: event.revision,
        reason: format!("its metadata: {cause}"),
    })
}

/// The instant that an event's metadata name as that of the recording; parsed without the rest.
#[derive(serde::Deserialize)]
pub(crate) struct Times {
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) recorded_at: DateTime<Utc>,
}
