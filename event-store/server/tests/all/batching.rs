//! Many appends over one call.

use std::{collections::HashMap, time::Duration};

use prost::{Message, Name};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};
use uuid::Uuid;

use crate::support::{
    House, OWN, ProtocolUuid, append_req, event, events, id_text, named,
    protocol::event_store::client::{
        StreamDeleted, Timeout, WrongExpectedVersion,
        streams::{
            BatchAppendReq, BatchAppendResp,
            batch_append_req::{
                Options, ProposedMessage,
                options::{DeadlineOption, ExpectedStreamPosition},
            },
            batch_append_resp::{Result as Outcome, success::CurrentRevisionOption},
        },
        wrong_expected_version::CurrentStreamRevisionOption,
    },
    read_events, whole_stream,
};

struct Batch {
    requests: mpsc::Sender<BatchAppendReq>,
    answers: Streaming<BatchAppendResp>,
}

impl Batch {
    async fn open(house: &House) -> Self {
        let (requests, sent) = mpsc::channel(1024);
        let answers = house
            .streams()
            .batch_append(ReceiverStream::new(sent))
            .await
            .unwrap()
            .into_inner();
        Self { requests, answers }
    }

    async fn send(&self, id: Uuid, options: Option<Options>, events: Vec<append_req::ProposedMessage>, is_final: bool) {
        let request = BatchAppendReq {
            correlation_id: Some(id_text(id)),
            options,
            proposed_messages: events.into_iter().map(proposed).collect(),
            is_final,
        };
        self.requests.send(request).await.unwrap();
    }

    async fn append(&mut self, stream: &str, expected: ExpectedStreamPosition, events: usize) -> BatchAppendResp {
        let id = Uuid::new_v4();
        self.send(id, Some(options(stream, expected)), crate::support::events(events), true)
            .await;
        let answer = self.next().await;
        assert_eq!(answer.correlation_id, Some(id_text(id)));
        answer
    }

    async fn next(&mut self) -> BatchAppendResp {
        let next = tokio::time::timeout(crate::support::PATIENCE, self.answers.message());
        next.await.unwrap().unwrap().unwrap()
    }
}

fn options(stream: &str, expected: ExpectedStreamPosition) -> Options {
    Options {
        stream_identifier: Some(named(stream)),
        expected_stream_position: Some(expected),
        deadline_option: None,
    }
}

fn proposed(event: append_req::ProposedMessage) -> ProposedMessage {
    ProposedMessage {
        id: event.id,
        metadata: event.metadata,
        custom_metadata: event.custom_metadata,
        data: event.data,
    }
}

fn error<Detail: Message + Name + Default>(answer: &BatchAppendResp) -> (Code, String, Detail) {
    let Some(Outcome::Error(status)) = &answer.result else {
        panic!("it went well: {answer:?}")
    };
    let details = status.details.as_ref().unwrap();
    assert_eq!(details.type_url, format!("type.googleapis.com/{}", Detail::full_name()));
    (
        Code::from(status.code),
        status.message.clone(),
        Detail::decode(&*details.value).unwrap(),
    )
}

fn revision(answer: &BatchAppendResp) -> u64 {
    match &answer.result {
        Some(Outcome::Success(success)) => match success.current_revision_option {
            Some(CurrentRevisionOption::CurrentRevision(revision)) => revision,
            _ => panic!("{answer:?}"),
        },
        _ => panic!("{answer:?}"),
    }
}

#[tokio::test]
async fn each_append_of_a_call_is_answered_under_its_own_id() {
    let house = House::open().await;
    let mut batch = Batch::open(&house).await;
    let answer = batch.append("order-1", ExpectedStreamPosition::NoStream(()), 3).await;
    assert_eq!(revision(&answer), 2);
    assert_eq!(answer.stream_identifier, Some(named("order-1")));
    assert_eq!(
        revision(&batch.append("order-1", ExpectedStreamPosition::StreamPosition(2), 1).await),
        3
    );
    assert_eq!(
        revision(&batch.append("order-2", ExpectedStreamPosition::Any(()), 1).await),
        0
    );
    assert_eq!(
        revision(&batch.append("order-2", ExpectedStreamPosition::StreamExists(()), 1).await),
        1
    );
}

#[tokio::test]
async fn appends_that_do_not_wait_for_each_other_keep_their_order() {
    let house = House::open().await;
    let mut batch = Batch::open(&house).await;
    let mut asked = HashMap::new();
    for number in 0..200_u64 {
        let id = Uuid::new_v4();
        let expected = match number {
            0 => ExpectedStreamPosition::NoStream(()),
            number => ExpectedStreamPosition::StreamPosition(number - 1),
        };
        asked.insert(id, number);
        batch
            .send(id, Some(options("order-1", expected)), vec![event("Event")], true)
            .await;
    }
    for _ in 0..200 {
        let answer = batch.next().await;
        let Some(ProtocolUuid {
            value: Some(crate::support::uuid::Value::String(id)),
        }) = &answer.correlation_id
        else {
            panic!("{answer:?}")
        };
        assert_eq!(revision(&answer), asked[&id.parse::<Uuid>().unwrap()]);
    }
}

#[tokio::test]
async fn an_append_may_come_in_parts_and_is_one() {
    let house = House::open().await;
    let mut batch = Batch::open(&house).await;
    let id = Uuid::new_v4();
    batch
        .send(
            id,
            Some(options("order-1", ExpectedStreamPosition::Any(()))),
            events(2),
            false,
        )
        .await;
    batch.append("order-2", ExpectedStreamPosition::Any(()), 1).await;
    batch.send(id, None, events(2), false).await;
    assert_eq!(read_events(&house.read(whole_stream("order-1")).await.unwrap()).len(), 0);
    batch.send(id, None, events(1), true).await;
    assert_eq!(revision(&batch.next().await), 4);
}

#[tokio::test]
async fn a_conflict_in_a_batch_is_already_exists_with_its_detail() {
    let house = House::open().await;
    house.write("order-1", events(2)).await;
    let mut batch = Batch::open(&house).await;
    let answer = batch.append("order-1", ExpectedStreamPosition::NoStream(()), 1).await;
    let (code, message, wrong) = error::<WrongExpectedVersion>(&answer);
    assert_eq!((code, &*message), (Code::AlreadyExists, "WrongExpectedVersion"));
    assert_eq!(
        wrong.current_stream_revision_option,
        Some(CurrentStreamRevisionOption::CurrentStreamRevision(1))
    );
    let answer = batch.append("order-9", ExpectedStreamPosition::StreamPosition(4), 1).await;
    let (_, _, wrong) = error::<WrongExpectedVersion>(&answer);
    assert_eq!(
        wrong.current_stream_revision_option,
        Some(CurrentStreamRevisionOption::CurrentNoStream(()))
    );
}

#[tokio::test]
async fn an_ended_stream_in_a_batch_is_not_found_with_its_detail() {
    let house = House::open().await;
    house.write("order-1", events(2)).await;
    house.tombstone("order-1").await.unwrap();
    let mut batch = Batch::open(&house).await;
    let answer = batch.append("order-1", ExpectedStreamPosition::Any(()), 1).await;
    let (code, _, deleted) = error::<StreamDeleted>(&answer);
    assert_eq!(code, Code::NotFound);
    assert_eq!(deleted.stream_identifier, Some(named("order-1")));
}

#[tokio::test]
async fn an_append_whose_time_is_over_is_not_written() {
    let house = House::open().await;
    let mut batch = Batch::open(&house).await;
    let id = Uuid::new_v4();
    let late = Options {
        deadline_option: Some(DeadlineOption::Deadline(prost_types::Duration { seconds: 0, nanos: 0 })),
        ..options("order-1", ExpectedStreamPosition::Any(()))
    };
    batch.send(id, Some(late), events(1), true).await;
    let (code, message, Timeout {}) = error::<Timeout>(&batch.next().await);
    assert_eq!((code, &*message), (Code::DeadlineExceeded, "Timeout"));
    assert!(read_events(&house.read(whole_stream("order-1")).await.unwrap()).is_empty());
}

#[tokio::test]
async fn one_refused_append_does_not_end_the_call() {
    let house = House::open().await;
    let mut batch = Batch::open(&house).await;
    let answer = batch.append(&format!("{OWN}1"), ExpectedStreamPosition::Any(()), 1).await;
    let (code, ..) = error::<crate::support::protocol::event_store::client::AccessDenied>(&answer);
    assert_eq!(code, Code::PermissionDenied);
    let answer = batch.append("", ExpectedStreamPosition::Any(()), 1).await;
    let (code, ..) = error::<crate::support::protocol::event_store::client::BadRequest>(&answer);
    assert_eq!(code, Code::InvalidArgument);
    assert_eq!(
        revision(&batch.append("order-1", ExpectedStreamPosition::Any(()), 1).await),
        0
    );
}

#[tokio::test]
async fn a_call_that_sends_no_more_still_hears_all_answers() {
    let house = House::open().await;
    let mut batch = Batch::open(&house).await;
    for number in 0..50 {
        let to = options(&format!("order-{number}"), ExpectedStreamPosition::Any(()));
        batch.send(Uuid::new_v4(), Some(to), events(1), true).await;
    }
    let (closed, _) = mpsc::channel(1);
    batch.requests = closed;
    for _ in 0..50 {
        revision(&batch.next().await);
    }
    assert!(batch.answers.message().await.unwrap().is_none());
}

#[tokio::test]
async fn a_batch_ends_with_unavailable_when_the_server_stops() {
    let house = House::open().await;
    let mut batch = Batch::open(&house).await;
    batch.append("order-1", ExpectedStreamPosition::Any(()), 1).await;
    house.server.stop(Duration::from_secs(5)).await;
    assert_eq!(batch.answers.message().await.unwrap_err().code(), Code::Unavailable);
}
