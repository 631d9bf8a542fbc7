//! Reading: directions, positions, counts, filters, links.

use ::uuid::Uuid;
use bytes::Bytes;
use tonic::Code;

use crate::support::{
    AllOption, Content, CountOption, FilterOption, House, Options, RevisionOption, Wanted, all_from, append_req, backwards,
    event_with, events, filtered, following, position, read_events, resolving, says, stream_from, trailer, types, uuid,
    uuid_option, whole_stream,
};

#[tokio::test]
async fn a_stream_that_never_was_is_an_answer_and_then_the_end() {
    let house = House::open().await;
    for options in [
        whole_stream("order-1"),
        backwards(stream_from("order-1", RevisionOption::End(()), 5)),
    ] {
        let contents = house.read(options).await.unwrap();
        let [Content::StreamNotFound(not_found)] = &contents[..] else {
            panic!("{contents:?}")
        };
        assert_eq!(not_found.stream_identifier.as_ref().unwrap().stream_name, "order-1");
    }
}

#[tokio::test]
async fn a_reading_that_fails_before_its_first_message_is_answered_with_nothing_but_why() {
    let house = House::open().await;
    house.write("order-1", events(1)).await;
    house.tombstone("order-1").await.unwrap();
    // The call itself fails: whoever waits for its answer hears of it, not only whoever reads on.
    let Err(status) = house.open_read(whole_stream("order-1")).await else {
        panic!("there is an answer")
    };
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(trailer(&status, "exception"), "stream-deleted");
}

#[tokio::test]
async fn a_stream_is_read_in_both_directions_from_every_place_with_a_count() {
    let house = House::open().await;
    house.write("order-1", events(5)).await;
    let read = |options| async { types(&house.read(options).await.unwrap()) };
    let from = |from, count| stream_from("order-1", from, count);
    assert_eq!(read(from(RevisionOption::Start(()), 2)).await, ["Event0", "Event1"]);
    assert_eq!(read(from(RevisionOption::Revision(3), 9)).await, ["Event3", "Event4"]);
    assert_eq!(read(backwards(from(RevisionOption::End(()), 2))).await, ["Event4", "Event3"]);
    assert_eq!(
        read(backwards(from(RevisionOption::Revision(1), 9))).await,
        ["Event1", "Event0"]
    );
    assert_eq!(read(backwards(from(RevisionOption::Start(()), 9))).await, ["Event0"]);
    assert!(read(from(RevisionOption::End(()), 9)).await.is_empty());
    assert!(read(from(RevisionOption::Revision(9), 9)).await.is_empty());
}

#[tokio::test]
async fn a_long_stream_is_read_whole_and_in_order() {
    let house = House::open().await;
    for _ in 0..5 {
        house.write("order-1", events(1000)).await;
    }
    let there: Vec<u64> = read_events(&house.read(whole_stream("order-1")).await.unwrap())
        .iter()
        .map(|event| event.stream_revision)
        .collect();
    assert!(there.iter().copied().eq(0..5000));
    let back = house
        .read(backwards(stream_from("order-1", RevisionOption::End(()), u64::MAX)))
        .await
        .unwrap();
    assert!(
        read_events(&back)
            .iter()
            .map(|event| event.stream_revision)
            .eq((0..5000).rev())
    );
    let all = house.read(all_from(AllOption::Start(()), 4321)).await.unwrap();
    assert_eq!(read_events(&all).len(), 4321);
}

#[tokio::test]
async fn a_reader_who_knows_of_it_is_told_the_last_revision() {
    let house = House::open().await;
    house.write("order-1", events(3)).await;
    let knowing = house
        .read(stream_from("order-1", RevisionOption::Start(()), 1))
        .await
        .unwrap();
    assert!(matches!(knowing.last(), Some(Content::LastStreamPosition(2))), "{knowing:?}");
    let older = Options {
        control_option: None,
        ..whole_stream("order-1")
    };
    let older = house.read(older).await.unwrap();
    assert!(older.iter().all(|content| matches!(content, Content::Event(_))));
}

#[tokio::test]
async fn the_log_is_read_forwards_from_a_position_with_the_event_that_stands_there() {
    let house = House::open().await;
    let (_, first) = house.write("order-1", events(1)).await;
    let (_, second) = house.write("order-2", events(2)).await;
    let read = house.read(all_from(position(first), u64::MAX)).await.unwrap();
    let positions: Vec<u64> = read_events(&read).iter().map(|event| event.commit_position).collect();
    assert_eq!((positions[0], *positions.last().unwrap()), (first, second));
    let read = read_events(&house.read(all_from(position(second), u64::MAX)).await.unwrap());
    assert_eq!(read.len(), 1);
    assert!(read_events(&house.read(all_from(position(second + 1000), u64::MAX)).await.unwrap()).is_empty());
}

#[tokio::test]
async fn the_log_is_read_backwards_from_a_position_without_the_event_that_stands_there() {
    let house = House::open().await;
    let (_, first) = house.write("order-1", events(1)).await;
    let (_, second) = house.write("order-2", events(1)).await;
    let before = read_events(&house.read(backwards(all_from(position(second), u64::MAX))).await.unwrap());
    assert_eq!(before.iter().map(|event| event.commit_position).collect::<Vec<_>>(), [first]);
    let newest = read_events(&house.read(backwards(all_from(AllOption::End(()), 1))).await.unwrap());
    assert_eq!(newest[0].commit_position, second);
    assert!(
        house
            .read(backwards(all_from(AllOption::Start(()), 5)))
            .await
            .unwrap()
            .is_empty()
    );
    assert!(house.read(all_from(AllOption::End(()), 5)).await.unwrap().is_empty());
}

#[tokio::test]
async fn commit_and_prepare_positions_are_one() {
    let house = House::open().await;
    house.write("order-1", events(2)).await;
    for content in house.read(all_from(AllOption::Start(()), u64::MAX)).await.unwrap() {
        let Content::Event(event) = content else {
            panic!("{content:?}")
        };
        let recorded = event.event.unwrap();
        assert_eq!(recorded.commit_position, recorded.prepare_position);
        let said = crate::support::read_resp::read_event::Position::CommitPosition(recorded.commit_position);
        assert_eq!(event.position, Some(said));
    }
}

#[tokio::test]
async fn a_position_that_cannot_be_is_refused() {
    let house = House::open().await;
    let odd = AllOption::Position(crate::support::read_req::options::Position {
        commit_position: 1,
        prepare_position: 2,
    });
    let status = house.read(all_from(odd, 1)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn the_log_is_filtered_by_prefix_and_pattern_of_stream_and_type() {
    let house = House::open().await;
    for stream in ["order-1", "invoice-1", "ordering-1"] {
        house
            .write(stream, vec![event_with(Uuid::new_v4(), &format!("{stream}Made"), "{}")])
            .await;
    }
    house
        .write("$$order-1", vec![event_with(Uuid::new_v4(), "$metadata", "{}")])
        .await;
    for (wanted, found) in [
        (
            Wanted::StreamPrefixes(&["order-", "invoice-"]),
            vec!["order-1Made", "invoice-1Made"],
        ),
        (Wanted::StreamPrefixes(&["nobody"]), vec![]),
        (Wanted::StreamRegex("^order"), vec!["order-1Made", "ordering-1Made"]),
        (Wanted::TypePrefixes(&["inv"]), vec!["invoice-1Made"]),
        (
            Wanted::TypeRegex(r"^[^\$].*"),
            vec!["order-1Made", "invoice-1Made", "ordering-1Made"],
        ),
        (Wanted::TypeRegex(r"^(?!(\$.+$|order.*))"), vec!["invoice-1Made"]),
        (Wanted::StreamPrefixes(&["$idx-ce-order"]), vec!["order-1Made"]),
        (Wanted::StreamPrefixes(&["$idx-et-$metadata"]), vec!["$metadata"]),
    ] {
        let options = filtered(all_from(AllOption::Start(()), u64::MAX), &wanted, 32, 1);
        assert_eq!(types(&house.read(options).await.unwrap()), found);
        let mut reverse = found;
        reverse.reverse();
        let options = filtered(backwards(all_from(AllOption::End(()), u64::MAX)), &wanted, 32, 1);
        assert_eq!(types(&house.read(options).await.unwrap()), reverse);
    }
}

#[tokio::test]
async fn a_pattern_that_is_none_or_never_ends_is_refused() {
    let house = House::open().await;
    house.write(&"a".repeat(200), events(1)).await;
    for pattern in ["(", &"a".repeat(5000), r"^(a|a)*(?=b)\1c$"] {
        let options = filtered(all_from(AllOption::Start(()), u64::MAX), &Wanted::StreamRegex(pattern), 32, 1);
        assert_eq!(
            house.read(options).await.unwrap_err().code(),
            Code::InvalidArgument,
            "{pattern}"
        );
    }
}

#[tokio::test]
async fn what_does_not_go_together_is_refused() {
    let house = House::open().await;
    let filter_of_a_stream = filtered(whole_stream("order-1"), &Wanted::StreamPrefixes(&["a"]), 32, 1);
    let backwards_for_ever = backwards(following(whole_stream("order-1")));
    let no_count = Options {
        count_option: None,
        ..whole_stream("order-1")
    };
    let no_ids = Options {
        uuid_option: None,
        ..whole_stream("order-1")
    };
    let no_filter_said = Options {
        filter_option: None,
        ..all_from(AllOption::Start(()), 1)
    };
    for options in [filter_of_a_stream, backwards_for_ever, no_count, no_ids, no_filter_said] {
        assert_eq!(house.read(options).await.unwrap_err().code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn ids_are_written_as_the_reader_wants_them() {
    let house = House::open().await;
    let id = Uuid::new_v4();
    house.write("order-1", vec![event_with(id, "Placed", "{}")]).await;
    let mut options = whole_stream("order-1");
    options.uuid_option = Some(crate::support::UuidOption {
        content: Some(uuid_option::Content::Structured(())),
    });
    let seen = read_events(&house.read(options).await.unwrap());
    let Some(uuid::Value::Structured(halves)) = seen[0].id.clone().unwrap().value else {
        panic!("not as two halves")
    };
    let found = Uuid::from_u64_pair(
        halves.most_significant_bits.cast_unsigned(),
        halves.least_significant_bits.cast_unsigned(),
    );
    assert_eq!(found, id);
}

fn link_to(target: &str) -> append_req::ProposedMessage {
    let mut link = event_with(Uuid::new_v4(), "$>", Bytes::from(target.to_owned()));
    link.metadata = says("$>", "application/octet-stream");
    link
}

#[tokio::test]
async fn a_link_is_followed_if_the_reader_wants_it() {
    let house = House::open().await;
    house.write("order-1", events(2)).await;
    house.write("list-1", vec![link_to("1@order-1"), link_to("0@nobody-1")]).await;
    let plain = house.read(whole_stream("list-1")).await.unwrap();
    assert_eq!(types(&plain), ["$>", "$>"]);
    let resolved = house.read(resolving(whole_stream("list-1"))).await.unwrap();
    let pairs: Vec<_> = resolved
        .iter()
        .filter_map(|content| match content {
            Content::Event(event) => Some((event.event.clone(), event.link.clone())),
            _ => None,
        })
        .collect();
    let (event, link) = &pairs[0];
    assert_eq!(event.as_ref().unwrap().metadata["type"], "Event1");
    assert_eq!(link.as_ref().unwrap().stream_revision, 0);
    let (event, link) = &pairs[1];
    assert!(
        event.is_none() && link.is_some(),
        "a link that leads nowhere is there, its event is not"
    );
}

#[tokio::test]
async fn a_category_is_a_stream_of_links() {
    let house = House::open().await;
    house.write("order-1", events(1)).await;
    house.write("invoice-1", events(1)).await;
    house.write("order-2", events(1)).await;
    let links = read_events(&house.read(whole_stream("$ce-order")).await.unwrap());
    let data: Vec<_> = links
        .iter()
        .map(|link| String::from_utf8(link.data.to_vec()).unwrap())
        .collect();
    assert_eq!(data, ["0@order-1", "0@order-2"]);
    let resolved = read_events(&house.read(resolving(whole_stream("$ce-order"))).await.unwrap());
    assert_eq!(resolved.len(), 2);
    assert!(resolved.iter().all(|event| event.metadata["type"] == "Event0"));
    assert_eq!(read_events(&house.read(whole_stream("$et-Event0")).await.unwrap()).len(), 3);
    let status = house
        .append("$ce-order", crate::support::Expect::Any(()), events(1))
        .await
        .unwrap_err();
    assert_eq!(trailer(&status, "exception"), "access-denied");
}

#[tokio::test]
async fn nothing_is_read_where_nothing_is_asked() {
    let house = House::open().await;
    house.write("order-1", events(1)).await;
    let none = Options {
        count_option: Some(CountOption::Count(0)),
        filter_option: Some(FilterOption::NoFilter(())),
        ..all_from(AllOption::Start(()), 0)
    };
    assert!(house.read(none).await.unwrap().is_empty());
}
