//! Retrying: a writer that did not hear the answer asks again, and nothing is written twice.

use super::{Expected, Store, append, conflict, events, ids, new_ids, read, stream, written};

pub(super) async fn the_same_append_again_is_the_first_answer(store: Store) {
    let name = stream("case-1");
    let (first, second) = (events(2), events(3));
    let answers = [
        append(&store, &name, Expected::NoStream, &first).await,
        append(&store, &name, Expected::Revision(1), &second).await,
    ];
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(append(&store, &name, Expected::NoStream, &first).await, answers[0]);
    assert_eq!(append(&store, &name, Expected::Revision(1), &second).await, answers[1]);
    assert_eq!(ids(&read(&store, &name).await), new_ids(first.iter().chain(&second)));
}

pub(super) async fn the_same_append_again_succeeds_after_others_wrote(store: Store) {
    let name = stream("case-1");
    written(&store, &name, &events(2)).await;
    let mine = events(2);
    let answer = append(&store, &name, Expected::Revision(1), &mine).await;
    written(&store, &stream("case-2"), &events(4)).await;
    written(&store, &name, &events(3)).await;
    assert_eq!(append(&store, &name, Expected::Revision(1), &mine).await, answer);
    assert_eq!(
        append(&store, &name, Expected::Revision(1), &mine[..1])
            .await
            .map(|appended| appended.revision),
        Ok(2)
    );
    assert_eq!(read(&store, &name).await.len(), 7);
}

pub(super) async fn an_append_that_agrees_in_part_is_refused(store: Store) {
    let name = stream("case-1");
    let stood = events(4);
    append(&store, &name, Expected::NoStream, &stood).await.expect("an append");
    let strange = events(2);
    for mixed in [
        vec![stood[0].clone(), strange[0].clone()],
        vec![strange[0].clone(), stood[1].clone()],
        vec![stood[1].clone(), stood[0].clone()],
        vec![stood[1].clone()],
    ] {
        let refused = append(&store, &name, Expected::NoStream, &mixed).await;
        assert_eq!(refused, conflict(&name, Expected::NoStream, Some(3)));
    }
    assert_eq!(read(&store, &name).await.len(), 4);
}

pub(super) async fn an_append_that_reaches_past_the_end_is_refused(store: Store) {
    let name = stream("case-1");
    let stood = events(2);
    append(&store, &name, Expected::NoStream, &stood).await.expect("an append");
    let longer: Vec<_> = stood.iter().cloned().chain(events(1)).collect();
    let refused = append(&store, &name, Expected::NoStream, &longer).await;
    assert_eq!(refused, conflict(&name, Expected::NoStream, Some(1)));
}

pub(super) async fn without_a_revision_recent_ids_are_remembered(store: Store) {
    let name = stream("case-1");
    let (first, second) = (events(2), events(2));
    let answer = append(&store, &name, Expected::Any, &first).await;
    let later = append(&store, &name, Expected::StreamExists, &second).await;
    assert_eq!(append(&store, &name, Expected::Any, &first).await, answer);
    assert_eq!(append(&store, &name, Expected::StreamExists, &first).await, answer);
    assert_eq!(append(&store, &name, Expected::Any, &second).await, later);
    let mixed = [first[1].clone(), events(1)[0].clone()];
    assert_eq!(
        append(&store, &name, Expected::Any, &mixed).await,
        conflict(&name, Expected::Any, Some(3))
    );
    assert_eq!(ids(&read(&store, &name).await), new_ids(first.iter().chain(&second)));
}

pub(super) async fn the_same_id_may_stand_in_other_streams(store: Store) {
    let same = events(1);
    for name in ["case-1", "case-2"] {
        append(&store, &stream(name), Expected::NoStream, &same)
            .await
            .expect("a new stream");
        append(&store, &stream(&format!("{name}-any")), Expected::Any, &same)
            .await
            .expect("a new stream");
    }
    assert_eq!(read(&store, &stream("case-2")).await[0].id, same[0].id);
    assert_eq!(read(&store, &stream("case-2-any")).await[0].id, same[0].id);
}
