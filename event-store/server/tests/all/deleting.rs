//! Deleting, softly and for ever, and what readers and writers see of it.

use tonic::Code;

use crate::support::{
    AllOption, Content, Expect, House, RevisionOption, all_from, conflict, delete_req::options::ExpectedStreamRevision as Delete,
    event, event_with, events, following, read_events, stream_from, trailer, types, whole_stream, written,
};

#[tokio::test]
async fn a_deleted_stream_is_not_found_and_goes_on_where_it_ended() {
    let house = House::open().await;
    house.write("order-1", events(3)).await;
    let deleted_at = house.delete("order-1", Delete::Revision(2)).await.unwrap();
    let contents = house.read(whole_stream("order-1")).await.unwrap();
    assert!(matches!(&contents[..], [Content::StreamNotFound(_)]), "{contents:?}");
    let (revision, position) = written(
        &house
            .append("order-1", Expect::NoStream(()), vec![event("Again")])
            .await
            .unwrap(),
    );
    assert_eq!(revision, 3);
    assert!(position > deleted_at);
    assert_eq!(types(&house.read(whole_stream("order-1")).await.unwrap()), ["Again"]);
}

#[tokio::test]
async fn a_deletion_is_an_event_that_says_where_the_stream_begins() {
    let house = House::open().await;
    house.write("order-1", events(2)).await;
    let at = house.delete("order-1", Delete::Any(())).await.unwrap();
    let said = read_events(&house.read(whole_stream("$$order-1")).await.unwrap());
    assert_eq!(said[0].metadata["type"], "$metadata");
    assert_eq!(said[0].commit_position, at);
    let json: serde_json::Value = serde_json::from_slice(&said[0].data).unwrap();
    assert_eq!(json["$tb"], i64::MAX);
}

#[tokio::test]
async fn a_stream_of_which_only_something_was_said_can_be_deleted() {
    let house = House::open().await;
    let said = event_with(uuid::Uuid::new_v4(), "$metadata", r#"{"colour":"red"}"#);
    house.write("$$order-1", vec![said]).await;
    for expect in [Delete::NoStream(()), Delete::Any(())] {
        house.delete("order-1", expect).await.unwrap();
    }
    let status = house.delete("order-1", Delete::StreamExists(())).await.unwrap_err();
    assert_eq!(trailer(&status, "exception"), "stream-deleted");
    assert_eq!(house.write("order-1", vec![event("First")]).await.0, 0);
    assert_eq!(types(&house.read(whole_stream("order-1")).await.unwrap()), ["First"]);
    // Of which nothing was said, is not there.
    let status = house.delete("order-2", Delete::NoStream(())).await.unwrap_err();
    assert_eq!(trailer(&status, "exception"), "wrong-expected-version");
}

#[tokio::test]
async fn whatever_an_administrator_says_of_a_stream_that_is_kept_whole_it_is_read_whole() {
    let house = House::open().await;
    house
        .store
        .keep_whole(std::sync::Arc::new(|stream| stream.starts_with("case-")));
    house.write("case-1", events(5)).await;
    let said = event_with(uuid::Uuid::new_v4(), "$metadata", r#"{"$maxCount":1,"$tb":4}"#);
    house.write("$$case-1", vec![said]).await;
    for denied in [
        house.delete("case-1", Delete::Any(())).await.map(drop),
        house.tombstone("case-1").await,
    ] {
        assert_eq!(denied.unwrap_err().code(), Code::PermissionDenied);
    }
    assert_eq!(types(&house.read(whole_stream("case-1")).await.unwrap()).len(), 5);
}

#[tokio::test]
async fn writing_to_a_deleted_stream_keeps_what_else_was_said_about_it() {
    let house = House::open().await;
    house.write("order-1", events(2)).await;
    let deleting = format!(r#"{{"$tb":{},"$maxAge":1000,"colour":"red"}}"#, i64::MAX);
    house
        .write("$$order-1", vec![event_with(uuid::Uuid::new_v4(), "$metadata", deleting)])
        .await;
    assert!(matches!(
        &house.read(whole_stream("order-1")).await.unwrap()[..],
        [Content::StreamNotFound(_)]
    ));
    house.write("order-1", events(1)).await;
    let said = read_events(&house.read(whole_stream("$$order-1")).await.unwrap());
    let json: serde_json::Value = serde_json::from_slice(&said.last().unwrap().data).unwrap();
    assert_eq!(
        (&json["$tb"], &json["colour"], &json["$maxAge"]),
        (&2.into(), &"red".into(), &1000.into())
    );
}

#[tokio::test]
async fn the_first_append_after_a_deletion_is_idempotent_too() {
    let house = House::open().await;
    house.write("order-1", events(2)).await;
    house.delete("order-1", Delete::Any(())).await.unwrap();
    let again = events(1);
    let first = written(&house.append("order-1", Expect::NoStream(()), again.clone()).await.unwrap());
    assert_eq!(first.0, 2);
}

#[tokio::test]
async fn expecting_a_deleted_stream_to_exist_is_stream_deleted() {
    let house = House::open().await;
    house.write("order-1", events(1)).await;
    house.delete("order-1", Delete::Any(())).await.unwrap();
    let status = house
        .append("order-1", Expect::StreamExists(()), events(1))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(trailer(&status, "exception"), "stream-deleted");
    assert_eq!(trailer(&status, "stream-name"), "order-1");
}

#[tokio::test]
async fn a_wrong_expectation_of_a_deletion_is_an_error_with_trailers() {
    let house = House::open().await;
    house.write("order-1", events(2)).await;
    let status = house.delete("order-1", Delete::Revision(5)).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(trailer(&status, "exception"), "wrong-expected-version");
    assert_eq!(trailer(&status, "stream-name"), "order-1");
    assert_eq!(trailer(&status, "expected-version"), "5");
    assert_eq!(trailer(&status, "actual-version"), "1");
    assert_eq!(
        status.message(),
        "Delete failed due to WrongExpectedVersion. Stream: order-1, Expected version: 5, Actual version: 1"
    );
}

#[tokio::test]
async fn a_stream_that_never_was_cannot_be_deleted_by_revision() {
    let house = House::open().await;
    let status = house.delete("order-1", Delete::Revision(0)).await.unwrap_err();
    assert_eq!(trailer(&status, "actual-version"), "-1");
    let status = house.delete("order-1", Delete::StreamExists(())).await.unwrap_err();
    assert!(
        status.message().ends_with("Expected version: -4, Actual version: -1"),
        "{}",
        status.message()
    );
}

#[tokio::test]
async fn the_name_of_a_stream_in_a_trailer_is_visible_ascii() {
    let house = House::open().await;
    let status = house.delete("案件-1", Delete::Revision(0)).await.unwrap_err();
    assert_eq!(trailer(&status, "stream-name"), "%E6%A1%88%E4%BB%B6-1");
    assert!(status.message().contains("案件-1"));
}

#[tokio::test]
async fn a_tombstone_ends_a_stream_for_readers_writers_and_deleters() {
    let house = House::open().await;
    house.write("order-1", events(2)).await;
    house.tombstone("order-1").await.unwrap();
    let refused = [
        house.read(whole_stream("order-1")).await.unwrap_err(),
        house.append("order-1", Expect::Any(()), events(1)).await.unwrap_err(),
        house.append("order-1", Expect::NoStream(()), events(1)).await.unwrap_err(),
        house.delete("order-1", Delete::Any(())).await.unwrap_err(),
        house.tombstone("order-1").await.unwrap_err(),
    ];
    for status in refused {
        assert_eq!(status.code(), Code::FailedPrecondition, "{status:?}");
        assert_eq!(trailer(&status, "exception"), "stream-deleted");
        assert!(status.message().contains("is deleted"));
    }
}

#[tokio::test]
async fn a_tombstone_stands_in_the_log_at_the_last_revision_there_can_be() {
    let house = House::open().await;
    house.write("order-1", events(2)).await;
    house.tombstone("order-1").await.unwrap();
    let all = read_events(&house.read(all_from(AllOption::Start(()), u64::MAX)).await.unwrap());
    let last = all.last().unwrap();
    assert_eq!(last.metadata["type"], "$streamDeleted");
    assert_eq!(last.stream_revision, i64::MAX.cast_unsigned());
}

#[tokio::test]
async fn the_metadata_of_an_ended_stream_cannot_be_read_but_written() {
    let house = House::open().await;
    house.write("order-1", events(1)).await;
    house.tombstone("order-1").await.unwrap();
    assert_eq!(
        trailer(&house.read(whole_stream("$$order-1")).await.unwrap_err(), "exception"),
        "stream-deleted"
    );
    house
        .write("$$order-1", vec![event_with(uuid::Uuid::new_v4(), "$metadata", "{}")])
        .await;
}

#[tokio::test]
async fn a_tombstone_ends_a_subscription_after_its_event() {
    let house = House::open().await;
    house.write("order-1", events(1)).await;
    let mut follows = house.follow(following(whole_stream("order-1"))).await;
    follows.until_caught_up().await;
    house.tombstone("order-1").await.unwrap();
    let last = follows.next_event().await.event.unwrap();
    assert_eq!(last.metadata["type"], "$streamDeleted");
    let status = follows.next().await.unwrap_err();
    assert_eq!(trailer(&status, "exception"), "stream-deleted");
    let mut late = house.follow(following(whole_stream("order-1"))).await;
    assert_eq!(trailer(&late.next().await.unwrap_err(), "exception"), "stream-deleted");
}

#[tokio::test]
async fn what_max_count_hides_is_hidden_and_the_reader_is_told_where_the_stream_begins() {
    let house = House::open().await;
    house.write("order-1", events(50)).await;
    let about = event_with(uuid::Uuid::new_v4(), "$metadata", r#"{"$maxCount":2}"#);
    house.write("$$order-1", vec![about]).await;
    let contents = house.read(whole_stream("order-1")).await.unwrap();
    assert_eq!(types(&contents), ["Event48", "Event49"]);
    assert!(
        matches!(contents.first(), Some(Content::FirstStreamPosition(48))),
        "{contents:?}"
    );
    assert!(matches!(contents.last(), Some(Content::LastStreamPosition(49))));
    let near = house
        .read(stream_from("order-1", RevisionOption::Revision(40), 20))
        .await
        .unwrap();
    assert!(matches!(near.first(), Some(Content::Event(_))), "{near:?}");
}

#[tokio::test]
async fn what_truncate_before_hides_is_hidden_in_the_stream_and_seen_in_the_log() {
    let house = House::open().await;
    house.write("order-1", events(5)).await;
    house
        .write(
            "$$order-1",
            vec![event_with(uuid::Uuid::new_v4(), "$metadata", r#"{"$tb":3}"#)],
        )
        .await;
    assert_eq!(
        types(&house.read(whole_stream("order-1")).await.unwrap()),
        ["Event3", "Event4"]
    );
    assert_eq!(
        read_events(&house.read(all_from(AllOption::Start(()), u64::MAX)).await.unwrap()).len(),
        6
    );
}

#[tokio::test]
async fn what_is_said_about_a_stream_is_one_event_the_newest() {
    let house = House::open().await;
    for said in ["{\"a\":1}", "{\"a\":2}"] {
        house
            .write("$$order-1", vec![event_with(uuid::Uuid::new_v4(), "$metadata", said)])
            .await;
    }
    let seen = read_events(&house.read(whole_stream("$$order-1")).await.unwrap());
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].stream_revision, &*seen[0].data), (1, &b"{\"a\":2}"[..]));
    conflict(house.append("$$order-1", Expect::Revision(0), events(1)).await.unwrap());
}
