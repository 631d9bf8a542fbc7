//! Appending: order, limits, and what the writer believes.

use super::{
    Append, Appended, Bytes, Expected, Filter, NewEvent, RecordedEvent, Store, StoreError, append, conflict, event, event_with,
    events, ids, new_ids, read, read_all, stream, written,
};
use crate::{MAX_EVENT_BYTES, MAX_EVENTS_PER_APPEND};

pub(super) async fn revisions_count_from_zero_and_positions_grow(store: Store) {
    let (one, other) = (stream("case-1"), stream("case-2"));
    let mut before = None;
    for (to, revision) in [(&one, 0), (&other, 0), (&one, 1), (&one, 2), (&other, 1)] {
        let appended = written(&store, to, &events(1)).await;
        assert_eq!(appended.revision, revision);
        assert!(Some(appended.position) > before);
        before = Some(appended.position);
        assert_eq!(store.head().await, Ok(before));
    }
}

pub(super) async fn an_append_is_all_or_nothing_and_contiguous(store: Store) {
    let name = stream("case-1");
    written(&store, &stream("case-2"), &events(1)).await;
    let three = events(3);
    let appended = append(&store, &name, Expected::NoStream, &three).await.expect("an append");
    let recorded = read(&store, &name).await;
    assert_eq!(ids(&recorded), new_ids(&three));
    assert_eq!(recorded.iter().map(|event| event.revision).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!((appended.revision, appended.position), (2, recorded[2].position));
    let all = read_all(&store, 100, &Filter::all()).await;
    // The log need not have the links of the chain beside its events.
    let read_alone = recorded.iter().zip(&all[1..]).map(|(event, in_log)| RecordedEvent {
        hash: event.hash.filter(|_| in_log.hash.is_some()),
        ..event.clone()
    });
    assert_eq!(all[1..], read_alone.collect::<Vec<_>>());

    let refused = append(&store, &name, Expected::Revision(7), &events(3)).await;
    assert_eq!(refused, conflict(&name, Expected::Revision(7), Some(2)));
    assert_eq!(read(&store, &name).await.len(), 3, "nothing of a refused append is there");
}

pub(super) async fn every_expectation_meets_every_situation(store: Store) {
    let beliefs = [
        (Expected::NoStream, [true, false, false]),
        (Expected::Any, [true, true, true]),
        (Expected::StreamExists, [false, true, true]),
        (Expected::Revision(0), [false, true, false]),
        (Expected::Revision(1), [false, false, true]),
        (Expected::Revision(2), [false, false, false]),
        (Expected::Revision(u64::MAX), [false, false, false]),
    ];
    for (expected, holds) in beliefs {
        for (written_before, holds) in holds.into_iter().enumerate() {
            let name = stream(&format!("case-{expected:?}-{written_before}"));
            if written_before > 0 {
                written(&store, &name, &events(written_before)).await;
            }
            let answer = append(&store, &name, expected, &events(1)).await;
            if holds {
                let appended = answer.expect("an expectation that holds");
                assert_eq!(appended.revision, written_before as u64);
            } else {
                assert_eq!(answer, conflict(&name, expected, (written_before as u64).checked_sub(1)));
            }
            assert_eq!(
                read(&store, &name).await.len(),
                written_before + usize::from(holds),
                "{expected:?}"
            );
        }
    }
}

pub(super) async fn a_conflict_names_the_actual_revision(store: Store) {
    let name = stream("case-1");
    written(&store, &name, &events(5)).await;
    for expected in [Expected::NoStream, Expected::Revision(3), Expected::Revision(5)] {
        assert_eq!(
            append(&store, &name, expected, &events(1)).await,
            conflict(&name, expected, Some(4))
        );
    }
    let nowhere = stream("case-2");
    let refused = append(&store, &nowhere, Expected::StreamExists, &events(1)).await;
    assert_eq!(refused, conflict(&nowhere, Expected::StreamExists, None));
}

pub(super) async fn an_append_without_events_is_refused(store: Store) {
    let refused = append(&store, &stream("case-1"), Expected::Any, &[]).await;
    assert!(matches!(refused, Err(StoreError::TooLarge(_))), "{refused:?}");
}

pub(super) async fn what_is_over_the_limits_is_refused(store: Store) {
    let name = stream("case-1");
    let refused = append(&store, &name, Expected::Any, &events(MAX_EVENTS_PER_APPEND + 1)).await;
    assert!(matches!(refused, Err(StoreError::TooLarge(_))), "{refused:?}");
    let large = NewEvent {
        metadata: Bytes::new(),
        ..event_with("Large", vec![b' '; MAX_EVENT_BYTES - 9])
    };
    for refused in [large, event_with("", "{}")] {
        let refused = append(&store, &name, Expected::Any, &[refused]).await;
        assert!(matches!(refused, Err(StoreError::TooLarge(_))), "{refused:?}");
    }
    assert_eq!(read(&store, &name).await, []);
}

pub(super) async fn the_largest_append_is_taken(store: Store) {
    let name = stream("case-1");
    let many = events(MAX_EVENTS_PER_APPEND);
    let appended = append(&store, &name, Expected::NoStream, &many)
        .await
        .expect("the longest append");
    assert_eq!(appended.revision, MAX_EVENTS_PER_APPEND as u64 - 1);
    assert_eq!(ids(&read(&store, &name).await), new_ids(&many));
    let name = stream("case-2");
    let large = NewEvent {
        metadata: Bytes::new(),
        ..event_with("Large", vec![b' '; MAX_EVENT_BYTES - 10])
    };
    append(&store, &name, Expected::NoStream, std::slice::from_ref(&large))
        .await
        .expect("the largest event");
    assert_eq!(read(&store, &name).await[0].data, large.data);
}

pub(super) async fn any_text_and_any_bytes_come_back_unchanged(store: Store) {
    let name = stream("施工许可-粤A·2026·𠮷/'\"%_ é");
    let all_bytes: Vec<u8> = (0..=u8::MAX).collect();
    let odd = [
        event_with("建筑工程施工许可证已核发", "{\"项目\":\"𠮷祥大厦\\u0000\"}"),
        NewEvent {
            metadata: Bytes::new(),
            ..event_with("Empty", Bytes::new())
        },
        NewEvent {
            metadata: all_bytes.clone().into(),
            ..event_with("Bytes", all_bytes)
        },
        event_with(" ", "[]"),
    ];
    let Appended { revision, .. } = append(&store, &name, Expected::NoStream, &odd).await.expect("an append");
    assert_eq!(revision, 3);
    let recorded = read(&store, &name).await;
    assert_eq!(recorded.len(), odd.len());
    for (recorded, new) in recorded.iter().zip(&odd) {
        assert_eq!(recorded.stream, name);
        assert_eq!((recorded.id, &recorded.name), (new.id, &new.name));
        assert_eq!((&recorded.data, &recorded.metadata), (&new.data, &new.metadata));
    }
}

pub(super) async fn streams_with_similar_names_are_apart(store: Store) {
    let names = [
        "case-1",
        "case-10",
        "case-1 ",
        "Case-1",
        "case",
        "case-１",
        "case-é",
        "case-e\u{301}",
    ]
    .map(stream);
    for (at, name) in names.iter().enumerate() {
        let appended = append(&store, name, Expected::NoStream, &[event(&format!("In{at}"))]).await;
        assert_eq!(appended.expect("a new stream").revision, 0);
    }
    for (at, name) in names.iter().enumerate() {
        let recorded = read(&store, name).await;
        assert_eq!(
            recorded.iter().map(|event| &*event.name).collect::<Vec<_>>(),
            [format!("In{at}")]
        );
    }
}

pub(super) async fn several_appends_stand_in_their_order(store: Store) {
    written(&store, &stream("case-3"), &events(2)).await;
    let appends: Vec<_> = ["case-5", "case-3", "case-1", "case-4"]
        .into_iter()
        .enumerate()
        .map(|(at, name)| Append {
            stream: stream(name),
            expected: if name == "case-3" {
                Expected::Revision(1)
            } else {
                Expected::NoStream
            },
            events: events(1 + at),
        })
        .collect();
    let appended = store.append_in_order(appends.clone()).await.expect("appends");
    let all = read_all(&store, 100, &Filter::all()).await;
    assert_eq!(ids(&all[2..]), new_ids(appends.iter().flat_map(|append| &append.events)));
    assert_eq!(
        appended.iter().map(|appended| appended.revision).collect::<Vec<_>>(),
        [0, 3, 2, 3]
    );
    assert!(
        appended
            .iter()
            .all(|appended| all.iter().any(|event| event.position == appended.position))
    );
    let refused = store.append_in_order(appends[..1].to_vec()).await;
    assert_eq!(refused, Ok(appended[..1].to_vec()), "the same again is the first answer");
}
