//! Appending: what is expected, what is the same again, and what is too large.

use ::uuid::Uuid;
use bytes::Bytes;
use event_store_contract::MAX_STREAM_NAME_BYTES;
use tonic::Code;

use crate::support::{
    Content, Expect, House, OWN, append_req,
    append_resp::wrong_expected_version::{
        CurrentRevisionOption, CurrentRevisionOption2060, ExpectedRevisionOption, ExpectedRevisionOption2060,
    },
    conflict, event, event_with, events, id_text, read_events, says, trailer, types, uuid, whole_stream, written,
};

#[tokio::test]
async fn every_expectation_that_holds_is_written() {
    let house = House::open().await;
    for (expect, revision) in [
        (Expect::NoStream(()), 0),
        (Expect::Revision(0), 1),
        (Expect::Any(()), 2),
        (Expect::StreamExists(()), 3),
    ] {
        let answer = house.append("order-1", expect, vec![event("Placed")]).await.unwrap();
        assert_eq!(written(&answer).0, revision, "{expect:?}");
    }
}

#[tokio::test]
async fn a_conflict_is_an_answer_and_says_where_the_stream_is() {
    let house = House::open().await;
    house.write("order-1", events(3)).await;
    let wrong = conflict(house.append("order-1", Expect::Revision(7), events(1)).await.unwrap());
    assert_eq!(wrong.current_revision_option, Some(CurrentRevisionOption::CurrentRevision(2)));
    assert_eq!(
        wrong.expected_revision_option,
        Some(ExpectedRevisionOption::ExpectedRevision(7))
    );
    let wrong = conflict(house.append("order-1", Expect::NoStream(()), events(1)).await.unwrap());
    assert_eq!(
        wrong.expected_revision_option,
        Some(ExpectedRevisionOption::ExpectedNoStream(()))
    );
    let wrong = conflict(house.append("order-2", Expect::StreamExists(()), events(1)).await.unwrap());
    assert_eq!(
        wrong.current_revision_option,
        Some(CurrentRevisionOption::CurrentNoStream(()))
    );
    assert_eq!(
        wrong.expected_revision_option,
        Some(ExpectedRevisionOption::ExpectedStreamExists(()))
    );
}

#[tokio::test]
async fn a_conflict_is_said_again_for_clients_older_than_20_6() {
    let house = House::open().await;
    let wrong = conflict(house.append("order-1", Expect::Revision(7), events(1)).await.unwrap());
    assert_eq!(
        wrong.current_revision_option_20_6_0,
        Some(CurrentRevisionOption2060::NoStream2060(()))
    );
    assert_eq!(
        wrong.expected_revision_option_20_6_0,
        Some(ExpectedRevisionOption2060::ExpectedRevision2060(7))
    );
    house.write("order-1", events(1)).await;
    let wrong = conflict(house.append("order-1", Expect::NoStream(()), events(1)).await.unwrap());
    assert_eq!(
        wrong.current_revision_option_20_6_0,
        Some(CurrentRevisionOption2060::CurrentRevision2060(0))
    );
    assert_eq!(
        wrong.expected_revision_option_20_6_0,
        Some(ExpectedRevisionOption2060::ExpectedRevision2060(u64::MAX))
    );
}

#[tokio::test]
async fn the_same_append_again_is_the_first_answer_again_also_when_others_wrote_since() {
    let house = House::open().await;
    let again = events(3);
    let first = written(&house.append("order-1", Expect::NoStream(()), again.clone()).await.unwrap());
    house.write("order-1", events(2)).await;
    let second = written(&house.append("order-1", Expect::NoStream(()), again).await.unwrap());
    assert_eq!(first, second);
    let later = events(1);
    let first = written(&house.append("order-1", Expect::Revision(4), later.clone()).await.unwrap());
    house.write("order-1", events(1)).await;
    assert_eq!(
        first,
        written(&house.append("order-1", Expect::Revision(4), later).await.unwrap())
    );
}

#[tokio::test]
async fn half_the_same_append_is_a_conflict() {
    let house = House::open().await;
    let first = events(2);
    house.append("order-1", Expect::NoStream(()), first.clone()).await.unwrap();
    let mixed = vec![first[0].clone(), event("Other")];
    conflict(house.append("order-1", Expect::NoStream(()), mixed).await.unwrap());
}

#[tokio::test]
async fn the_same_append_again_expecting_anything_is_not_written_twice() {
    let house = House::open().await;
    let again = events(2);
    let first = house.write("order-1", again.clone()).await;
    assert_eq!(first, house.write("order-1", again.clone()).await);
    conflict(
        house
            .append("order-1", Expect::Any(()), vec![again[1].clone(), event("Other")])
            .await
            .unwrap(),
    );
    assert_eq!(read_events(&house.read(whole_stream("order-1")).await.unwrap()).len(), 2);
}

#[tokio::test]
async fn the_same_event_id_may_be_written_to_another_stream() {
    let house = House::open().await;
    let once = vec![event("Placed")];
    let (_, first) = house.write("order-1", once.clone()).await;
    let (_, second) = house.write("order-2", once).await;
    assert!(second > first);
}

#[tokio::test]
async fn an_append_of_several_events_is_one_piece_of_the_log() {
    let house = House::open().await;
    let writers = (0..8).map(|writer| {
        let stream = format!("order-{writer}");
        let house = &house;
        async move { house.write(&stream, events(20)).await }
    });
    futures_util::future::join_all(writers).await;
    let all = house
        .read(crate::support::all_from(crate::support::AllOption::Start(()), u64::MAX))
        .await
        .unwrap();
    let streams: Vec<_> = read_events(&all)
        .iter()
        .map(|event| event.stream_identifier.clone())
        .collect();
    assert_eq!(streams.len(), 160);
    assert!(
        streams
            .chunks(20)
            .all(|append| append.iter().all(|stream| *stream == append[0]))
    );
}

#[tokio::test]
async fn an_append_of_nothing_asks_whether_the_expectation_holds() {
    let house = House::open().await;
    house.append("order-1", Expect::NoStream(()), vec![]).await.unwrap();
    conflict(house.append("order-1", Expect::Revision(0), vec![]).await.unwrap());
    assert!(types(&house.read(whole_stream("order-1")).await.unwrap()).is_empty());
}

#[tokio::test]
async fn an_event_keeps_its_id_type_content_type_data_and_metadata() {
    let house = House::open().await;
    let id = Uuid::new_v4();
    let mut sent = event_with(id, "照片", Bytes::from_static(&[0, 159, 146, 150]));
    sent.metadata = says("照片", "application/octet-stream");
    house.write("album-1", vec![sent]).await;
    let seen = &read_events(&house.read(whole_stream("album-1")).await.unwrap())[0];
    assert_eq!(seen.id, Some(id_text(id)));
    assert_eq!(seen.metadata["type"], "照片");
    assert_eq!(seen.metadata["content-type"], "application/octet-stream");
    assert!(seen.metadata["created"].parse::<i64>().unwrap() > 0);
    assert_eq!(seen.data, Bytes::from_static(&[0, 159, 146, 150]));
    assert_eq!(seen.custom_metadata, Bytes::from_static(b"{\"by\":\"test\"}"));
}

#[tokio::test]
async fn an_id_may_come_as_two_halves() {
    let house = House::open().await;
    let id = Uuid::new_v4();
    let (most, least) = id.as_u64_pair();
    let mut sent = event("Placed");
    sent.id = Some(crate::support::ProtocolUuid {
        value: Some(uuid::Value::Structured(uuid::Structured {
            most_significant_bits: most.cast_signed(),
            least_significant_bits: least.cast_signed(),
        })),
    });
    house.write("order-1", vec![sent]).await;
    let seen = &read_events(&house.read(whole_stream("order-1")).await.unwrap())[0];
    assert_eq!(seen.id, Some(id_text(id)));
}

#[tokio::test]
async fn an_event_without_type_or_content_type_is_refused() {
    let house = House::open().await;
    for missing in ["type", "content-type"] {
        let mut lacking = event("Placed");
        lacking.metadata.remove(missing);
        let status = house.append("order-1", Expect::Any(()), vec![lacking]).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(trailer(&status, "exception"), "missing-required-metadata-property");
    }
}

#[tokio::test]
async fn an_event_may_have_16_mib_and_no_more() {
    let house = House::open().await;
    let largest = 16 * 1024 * 1024 - 2 * "Scan".len() - "{\"by\":\"test\"}".len();
    let id = Uuid::new_v4();
    let too_large = event_with(id, "Scan", vec![b'x'; largest + 1]);
    let status = house.append("scan-1", Expect::Any(()), vec![too_large]).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(trailer(&status, "exception"), "maximum-append-event-size-exceeded");
    assert_eq!(trailer(&status, "event-id"), id.to_string());
    assert_eq!(trailer(&status, "maximum-append-event-size"), "16777216");
    assert_eq!(trailer(&status, "proposed-append-event-size"), "16777217");
    house
        .write("scan-1", vec![event_with(Uuid::new_v4(), "Scan", vec![b'x'; largest])])
        .await;
    let seen = read_events(&house.read(whole_stream("scan-1")).await.unwrap());
    assert_eq!(seen[0].data.len(), largest);
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_refused() {
    let house = House::open().await;
    let mut odd = event("Placed");
    odd.id = None;
    let no_id = house.append("order-1", Expect::Any(()), vec![odd]).await.unwrap_err();
    let no_name = house.append("", Expect::Any(()), events(1)).await.unwrap_err();
    let long_name = house
        .append(&"x".repeat(MAX_STREAM_NAME_BYTES + 1), Expect::Any(()), events(1))
        .await
        .unwrap_err();
    let no_revision = house
        .append("order-1", Expect::Revision(u64::MAX), events(1))
        .await
        .unwrap_err();
    let messages = vec![crate::support::AppendReq {
        content: Some(append_req::Content::ProposedMessage(event("Placed"))),
    }];
    let no_options = house.streams().append(tokio_stream::iter(messages)).await.unwrap_err();
    for status in [no_id, no_name, long_name, no_revision, no_options] {
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    }
}

#[tokio::test]
async fn streams_of_our_own_are_read_by_everybody_and_written_by_us_alone() {
    let house = House::open().await;
    let own = format!("{OWN}1");
    for stream in [own.clone(), format!("$${own}")] {
        let status = house.append(&stream, Expect::Any(()), events(1)).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied);
        assert_eq!(trailer(&status, "exception"), "access-denied");
        assert!(status.message().contains(&own), "{}", status.message());
    }
    assert_eq!(house.tombstone(&own).await.unwrap_err().code(), Code::PermissionDenied);
    house.write("permission-1", events(1)).await;
}

#[tokio::test]
async fn racing_writers_have_one_winner_for_each_revision() {
    let house = House::open().await;
    house.write("race-1", events(1)).await;
    for revision in 0..20 {
        let racers = (0..8).map(|_| house.append("race-1", Expect::Revision(revision), events(1)));
        let answers = futures_util::future::join_all(racers).await;
        let winners = answers
            .into_iter()
            .filter(|answer| {
                matches!(
                    answer.as_ref().unwrap().result,
                    Some(crate::support::append_resp::Result::Success(_))
                )
            })
            .count();
        assert_eq!(winners, 1);
    }
}

#[tokio::test]
async fn an_append_that_is_too_large_as_a_whole_is_refused_and_nothing_of_it_is_written() {
    let house = House::open().await;
    let most = 256 * 1024 * 1024;
    // Shared: only the server has all of it at once.
    let scan = Bytes::from(vec![b'x'; 15 * 1024 * 1024]);
    let scans = (0..=most / scan.len()).map(|_| event_with(Uuid::new_v4(), "Scan", scan.clone()));
    let status = house.append("scan-1", Expect::Any(()), scans.collect()).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(trailer(&status, "exception"), "maximum-append-size-exceeded");
    assert_eq!(trailer(&status, "maximum-append-size"), most.to_string());
    let contents = house.read(whole_stream("scan-1")).await.unwrap();
    assert!(matches!(&contents[..], [Content::StreamNotFound(_)]), "{contents:?}");
}
