//! The second version: several streams at once, or nothing.

use std::collections::HashMap;

use prost::{Message, Name};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::support::{
    AllOption, House, OWN, all_from, events,
    protocol::kurrentdb::protocol::v2::streams::{
        AppendRecord, AppendRecordsRequest, AppendRecordsResponse, AppendRequest, AppendSessionResponse, ConsistencyCheck,
        SchemaFormat, SchemaInfo,
        consistency_check::{StreamStateCheck, Type},
        errors::{
            AppendConsistencyViolationErrorDetails, AppendRecordSizeExceededErrorDetails, RichStatus,
            StreamAlreadyInAppendSessionErrorDetails, StreamRevisionConflictErrorDetails, StreamTombstonedErrorDetails,
            consistency_violation,
        },
        streams_service_client::StreamsServiceClient,
    },
    read_events, types, whole_stream,
};

fn record(name: &str) -> AppendRecord {
    let text = prost_types::value::Kind::StringValue("officer".into());
    AppendRecord {
        record_id: Some(Uuid::new_v4().to_string()),
        properties: HashMap::from([("by".into(), prost_types::Value { kind: Some(text) })]),
        schema: Some(SchemaInfo {
            format: SchemaFormat::Json.into(),
            name: name.into(),
            id: None,
        }),
        data: "{}".into(),
        stream: String::new(),
    }
}

fn request(stream: &str, expected: Option<i64>, names: &[&str]) -> AppendRequest {
    AppendRequest {
        stream: stream.into(),
        records: names.iter().map(|name| record(name)).collect(),
        expected_revision: expected,
    }
}

fn of_stream(stream: &str, name: &str) -> AppendRecord {
    AppendRecord {
        stream: stream.into(),
        ..record(name)
    }
}

fn check(stream: &str, expected_state: i64) -> ConsistencyCheck {
    ConsistencyCheck {
        r#type: Some(Type::StreamState(StreamStateCheck {
            stream: stream.into(),
            expected_state,
        })),
    }
}

async fn session(house: &House, requests: Vec<AppendRequest>) -> Result<AppendSessionResponse, Status> {
    let mut client = StreamsServiceClient::new(house.channel.clone());
    Ok(client.append_session(tokio_stream::iter(requests)).await?.into_inner())
}

async fn records(
    house: &House,
    records: Vec<AppendRecord>,
    checks: Vec<ConsistencyCheck>,
) -> Result<AppendRecordsResponse, Status> {
    let mut client = StreamsServiceClient::new(house.channel.clone());
    Ok(client
        .append_records(AppendRecordsRequest { records, checks })
        .await?
        .into_inner())
}

/// The last detail, which is the one that all clients read.
fn detail<Detail: Message + Name + Default>(status: &Status) -> Detail {
    let rich = RichStatus::decode(status.details()).unwrap();
    assert_eq!((Code::from(rich.code), &*rich.message), (status.code(), status.message()));
    assert!(rich.details[0].type_url.ends_with("google.rpc.ErrorInfo"));
    let last = rich.details.last().unwrap();
    assert_eq!(last.type_url, format!("type.googleapis.com/{}", Detail::full_name()));
    Detail::decode(&*last.value).unwrap()
}

#[tokio::test]
async fn a_session_appends_to_several_streams_at_once() {
    let house = House::open().await;
    house.write("order-1", events(2)).await;
    let answer = session(
        &house,
        vec![
            request("order-1", Some(1), &["Paid"]),
            request("invoice-1", Some(-1), &["Drawn", "Sent"]),
            request("ledger-1", None, &["Booked"]),
        ],
    )
    .await
    .unwrap();
    let revisions: Vec<_> = answer
        .output
        .iter()
        .map(|output| (&*output.stream, output.stream_revision))
        .collect();
    assert_eq!(revisions, [("order-1", 2), ("invoice-1", 1), ("ledger-1", 0)]);
    let all = read_events(&house.read(all_from(AllOption::Start(()), u64::MAX)).await.unwrap());
    assert_eq!(all.last().unwrap().commit_position, answer.position.cast_unsigned());
    let names: Vec<_> = all[2..].iter().map(|event| &*event.metadata["type"]).collect();
    assert_eq!(names, ["Paid", "Drawn", "Sent", "Booked"]);
}

#[tokio::test]
async fn one_conflict_in_a_session_and_nothing_is_written() {
    let house = House::open().await;
    let status = session(
        &house,
        vec![request("order-1", Some(-1), &["A"]), request("invoice-1", Some(5), &["B"])],
    )
    .await
    .unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    let conflict: StreamRevisionConflictErrorDetails = detail(&status);
    assert_eq!(
        (&*conflict.stream, conflict.expected_revision, conflict.actual_revision),
        ("invoice-1", 5, -1)
    );
    assert!(types(&house.read(whole_stream("order-1")).await.unwrap()).is_empty());
}

#[tokio::test]
async fn an_ended_stream_in_a_session_says_so() {
    let house = House::open().await;
    house.write("order-1", events(1)).await;
    house.tombstone("order-1").await.unwrap();
    let status = session(&house, vec![request("order-1", Some(-2), &["A"])]).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(detail::<StreamTombstonedErrorDetails>(&status).stream, "order-1");
}

#[tokio::test]
async fn a_session_writes_to_each_stream_once_and_to_one_at_least() {
    let house = House::open().await;
    let status = session(
        &house,
        vec![request("order-1", None, &["A"]), request("order-1", None, &["B"])],
    )
    .await
    .unwrap_err();
    assert_eq!(status.code(), Code::Aborted);
    assert_eq!(detail::<StreamAlreadyInAppendSessionErrorDetails>(&status).stream, "order-1");
    let status = session(&house, vec![]).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn a_record_that_is_too_large_says_how_much() {
    let house = House::open().await;
    let mut large = request("scan-1", None, &["Scan"]);
    large.records[0].data = vec![0; 17 * 1024 * 1024].into();
    let status = session(&house, vec![large]).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let exceeded: AppendRecordSizeExceededErrorDetails = detail(&status);
    assert_eq!((&*exceeded.stream, exceeded.max_size), ("scan-1", 16 * 1024 * 1024));
    assert!(exceeded.size > exceeded.max_size);
}

#[tokio::test]
async fn properties_are_the_metadata_that_readers_of_the_first_version_see() {
    let house = House::open().await;
    session(&house, vec![request("order-1", None, &["Placed"])]).await.unwrap();
    let seen = &read_events(&house.read(whole_stream("order-1")).await.unwrap())[0];
    let metadata: serde_json::Value = serde_json::from_slice(&seen.custom_metadata).unwrap();
    assert_eq!(
        metadata,
        serde_json::json!({"by": "officer", "$schema.name": "Placed", "$schema.format": "Json"})
    );
    assert_eq!(seen.metadata["content-type"], "application/json");
}

#[tokio::test]
async fn a_session_again_with_the_same_ids_is_not_written_twice() {
    let house = House::open().await;
    let again = vec![request("order-1", Some(-1), &["A"]), request("order-2", Some(-1), &["B"])];
    let first = session(&house, again.clone()).await.unwrap();
    let second = session(&house, again).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(
        read_events(&house.read(all_from(AllOption::Start(()), u64::MAX)).await.unwrap()).len(),
        2
    );
}

#[tokio::test]
async fn records_of_several_streams_are_written_in_their_order() {
    let house = House::open().await;
    house.write("order-1", events(1)).await;
    let answer = records(
        &house,
        vec![
            of_stream("order-1", "A"),
            of_stream("order-2", "B"),
            of_stream("order-1", "C"),
        ],
        vec![check("order-1", 0)],
    )
    .await
    .unwrap();
    let revisions: Vec<_> = answer
        .revisions
        .iter()
        .map(|written| (&*written.stream, written.revision))
        .collect();
    assert_eq!(revisions, [("order-1", 2), ("order-2", 0)]);
    let all = house.read(all_from(AllOption::Start(()), u64::MAX)).await.unwrap();
    assert_eq!(types(&all)[1..], ["A", "B", "C"]);
}

#[tokio::test]
async fn a_check_on_a_stream_that_is_not_written_guards_the_others() {
    let house = House::open().await;
    house.write("permission-1", events(2)).await;
    records(
        &house,
        vec![of_stream("order-1", "A")],
        vec![check("permission-1", 1), check("ban-1", -1)],
    )
    .await
    .unwrap();
    let status = records(
        &house,
        vec![of_stream("order-1", "B")],
        vec![check("ban-1", -4), check("permission-1", 0)],
    )
    .await
    .unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    let violations = detail::<AppendConsistencyViolationErrorDetails>(&status).violations;
    let seen: Vec<_> = violations
        .into_iter()
        .map(|violation| match violation.r#type {
            Some(consistency_violation::Type::StreamState(state)) => {
                (violation.check_index, state.stream, state.expected_state, state.actual_state)
            }
            None => panic!("a violation says of what"),
        })
        .collect();
    assert_eq!(seen, [(0, "ban-1".into(), -4, -1), (1, "permission-1".into(), 0, 1)]);
    assert_eq!(types(&house.read(whole_stream("order-1")).await.unwrap()), ["A"]);
}

#[tokio::test]
async fn a_stream_that_has_ended_is_no_stream_for_a_check_unless_it_is_written() {
    let house = House::open().await;
    house.write("ban-1", events(1)).await;
    house.tombstone("ban-1").await.unwrap();
    records(&house, vec![of_stream("order-1", "A")], vec![check("ban-1", -1)])
        .await
        .unwrap();
    for (record, expected) in [("order-1", -4), ("order-1", 0), ("ban-1", -1)] {
        let status = records(&house, vec![of_stream(record, "B")], vec![check("ban-1", expected)])
            .await
            .unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition);
        let violations = detail::<AppendConsistencyViolationErrorDetails>(&status).violations;
        let Some(consistency_violation::Type::StreamState(state)) = &violations[0].r#type else {
            panic!("a violation says of what")
        };
        assert_eq!(
            (violations.len(), state.expected_state, state.actual_state),
            (1, expected, -6)
        );
    }
    assert_eq!(types(&house.read(whole_stream("order-1")).await.unwrap()), ["A"]);
}

#[tokio::test]
async fn checks_that_make_no_sense_are_refused() {
    let house = House::open().await;
    let one = || vec![of_stream("order-1", "A")];
    for checks in [
        vec![check("order-1", -2)],
        vec![check("order-1", -5)],
        vec![check("order-1", 0), check("order-1", 0)],
        vec![ConsistencyCheck { r#type: None }],
    ] {
        assert_eq!(
            records(&house, one(), checks).await.unwrap_err().code(),
            Code::InvalidArgument
        );
    }
    assert_eq!(
        records(&house, vec![], vec![]).await.unwrap_err().code(),
        Code::InvalidArgument
    );
    let own = of_stream(&format!("{OWN}1"), "A");
    assert_eq!(
        records(&house, vec![own], vec![]).await.unwrap_err().code(),
        Code::PermissionDenied
    );
}
