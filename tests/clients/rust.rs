//! What Rust's client of `KurrentDB` does with the event store of `zhulu serve`.

use std::{fmt::Debug, future::Future, path::Path, time::Duration};

use kurrentdb::{
    AppendToStreamOptions, BatchAppendOptions, Client, CurrentRevision, DeletePersistentSubscriptionOptions, DeleteStreamOptions,
    Error, EventData, GetPersistentSubscriptionInfoOptions, NakAction, PersistentSubscriptionOptions, Position, ReadAllOptions,
    ReadStream, ReadStreamOptions, ResolvedEvent, RetryOptions, StreamMetadataBuilder, StreamMetadataResult, StreamPosition,
    StreamState, SubscribeToAllOptions, SubscribeToPersistentSubscriptionOptions, SubscribeToStreamOptions, SubscriptionFilter,
    SystemConsumerStrategy, TombstoneStreamOptions,
};
use serde_json::json;
use uuid::Uuid;

/// How long anything that happens by itself may take; generous, for a machine that does something else meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything, without TLS and passwords. `restart` kills the server and starts it again at the same address.
pub(super) fn story(address: &str, mut restart: impl FnMut()) {
    in_a_runtime(async {
        let client = connect(&format!("esdb://{address}?tls=false"));
        appends_with_every_expected_revision(&client).await;
        the_same_append_again_is_answered_and_not_written(&client).await;
        a_batch_is_written_whole_or_not_at_all(&client).await;
        a_stream_is_read_both_ways(&client).await;
        the_log_is_read_with_filters(&client).await;
        a_category_is_read(&client).await;
        a_deleted_stream_begins_again_where_it_ended(&client).await;
        a_tombstone_is_for_ever(&client).await;
        metadata_hides_the_old(&client).await;
        two_consumers_share_a_persistent_subscription(&client).await;
        a_live_subscription_outlives_a_restart(&client, address, &mut restart).await;
        zhulus_own_streams_are_written_by_zhulu_alone(&connect(&format!("esdb://{address}?tls=false"))).await;
    });
}

/// Over TLS, with the right password and with a wrong one.
pub(super) fn secured(address: &str, authority: &Path, password_file: &Path) {
    let password = std::fs::read_to_string(password_file).unwrap();
    let password = password.trim();
    let trusted = format!("tlsCaFile={}", authority.display());
    in_a_runtime(async {
        let stranger = connect(&format!("esdb://admin:not-{password}@{address}?{trusted}"));
        let refused = stranger.append_to_stream(stream("plan"), &new(), event("Drawn")).await;
        assert!(refused.is_err(), "a wrong password was let in");
        let administrator = connect(&format!("esdb://admin:{password}@{address}?{trusted}"));
        appends_with_every_expected_revision(&administrator).await;
        the_log_is_read_with_filters(&administrator).await;
        zhulus_own_streams_are_written_by_zhulu_alone(&administrator).await;
    });
}

async fn appends_with_every_expected_revision(client: &Client) {
    let name = stream("plan");
    let append = async |state| {
        client
            .append_to_stream(name.as_str(), &expecting(state), event("Drawn"))
            .await
    };
    conflict(append(StreamState::StreamExists).await, None);
    conflict(append(StreamState::StreamRevision(0)).await, None);
    for (revision, state) in [
        (0, StreamState::NoStream),
        (1, StreamState::StreamRevision(0)),
        (2, StreamState::StreamExists),
        (3, StreamState::Any),
    ] {
        assert_eq!(append(state).await.unwrap().next_expected_version, revision);
    }
    conflict(append(StreamState::NoStream).await, Some(3));
    conflict(append(StreamState::StreamRevision(1)).await, Some(3));
    conflict(append(StreamState::StreamRevision(7)).await, Some(3));
}

async fn the_same_append_again_is_answered_and_not_written(client: &Client) {
    let name = stream("plan");
    let (one, two) = (event("Drawn"), event("Drawn"));
    let first = client.append_to_stream(name.as_str(), &new(), one.clone()).await.unwrap();
    let second = expecting(StreamState::StreamRevision(0));
    client.append_to_stream(name.as_str(), &second, two).await.unwrap();
    let again = client.append_to_stream(name.as_str(), &new(), one.clone()).await.unwrap();
    assert_eq!((again.next_expected_version, again.position), (0, first.position));
    let any = expecting(StreamState::Any);
    client.append_to_stream(name.as_str(), &any, one).await.unwrap();
    assert_eq!(revisions(client, &name, &ReadStreamOptions::default()).await, [0, 1]);
}

async fn a_batch_is_written_whole_or_not_at_all(client: &Client) {
    let name = stream("batch");
    let events: Vec<EventData> = (0..100).map(|_| event("Drawn")).collect();
    client.append_to_stream(name.as_str(), &new(), events.clone()).await.unwrap();
    let batches = client.batch_append(&BatchAppendOptions::default()).await.unwrap();
    // The same again over the other door: answered, not written.
    let again = batches.append_to_stream(&name, StreamState::NoStream, events).await.unwrap();
    assert_eq!(again.current_revision(), Some(99));
    let more = batches
        .append_to_stream(&name, StreamState::StreamRevision(99), vec![event("Drawn"), event("Drawn")])
        .await;
    assert_eq!(more.unwrap().current_revision(), Some(101));
    // The client takes the first refusal for the end of its stream.
    let refused = batches
        .append_to_stream(&name, StreamState::NoStream, vec![event("Drawn")])
        .await;
    assert!(refused.is_err(), "a second beginning was written");
    assert_eq!(
        revisions(client, &name, &ReadStreamOptions::default()).await,
        (0..102).collect::<Vec<u64>>()
    );
}

async fn a_stream_is_read_both_ways(client: &Client) {
    let name = stream("walk");
    let missing = client.read_stream(name.as_str(), &ReadStreamOptions::default()).await;
    assert!(matches!(drain(missing).await, Err(Error::ResourceNotFound)));
    append(client, &name, 10).await;
    let from = |revision| ReadStreamOptions::default().position(StreamPosition::Position(revision));
    assert_eq!(revisions(client, &name, &from(7)).await, [7, 8, 9]);
    assert_eq!(revisions(client, &name, &from(2).backwards()).await, [2, 1, 0]);
    assert_eq!(revisions(client, &name, &from(4).max_count(2)).await, [4, 5]);
    let newest = ReadStreamOptions::default()
        .position(StreamPosition::End)
        .backwards()
        .max_count(3);
    assert_eq!(revisions(client, &name, &newest).await, [9, 8, 7]);
}

async fn the_log_is_read_with_filters(client: &Client) {
    let (wall, roof) = (stream("wall"), stream("roof"));
    let before = client
        .append_to_stream(stream("before"), &new(), event("Drawn"))
        .await
        .unwrap();
    client
        .append_to_stream(wall.as_str(), &new(), vec![event("Drawn"), event("Built")])
        .await
        .unwrap();
    client.append_to_stream(roof.as_str(), &new(), event("Drawn")).await.unwrap();
    let note = StreamMetadataBuilder::new().insert_custom_property("colour", "red").build();
    client
        .set_stream_metadata(roof.as_str(), &expecting(StreamState::Any), &note)
        .await
        .unwrap();
    let seen = async |filter: Option<SubscriptionFilter>| {
        let options = ReadAllOptions::default().position(StreamPosition::Position(before.position));
        let options = filter.map_or(options.clone(), |filter| options.filter(filter));
        let events = drain(client.read_all(&options).await).await.unwrap();
        let of_this_story = |event: &&ResolvedEvent| {
            [&wall, &roof]
                .iter()
                .any(|name| event.get_original_stream_id().contains(*name))
        };
        let kinds = events
            .iter()
            .filter(of_this_story)
            .map(|event| event.get_original_event().event_type.clone());
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(seen(None).await, ["Drawn", "Built", "Drawn", "$metadata"]);
    let by_stream = || SubscriptionFilter::on_stream_name();
    let by_type = || SubscriptionFilter::on_event_type();
    assert_eq!(seen(Some(by_stream().add_prefix("wall"))).await, ["Drawn", "Built"]);
    assert_eq!(
        seen(Some(by_type().add_prefix("Bui").add_prefix("$meta"))).await,
        ["Built", "$metadata"]
    );
    assert_eq!(seen(Some(by_type().regex("^Dr.wn$"))).await, ["Drawn", "Drawn"]);
    assert_eq!(
        seen(Some(by_type().exclude_system_events())).await,
        ["Drawn", "Built", "Drawn"]
    );
    // Reading begins with the event at the position.
    let inclusive = ReadAllOptions::default()
        .position(StreamPosition::Position(before.position))
        .max_count(1);
    let first = drain(client.read_all(&inclusive).await).await.unwrap();
    assert_eq!(first[0].get_original_event().position, before.position);
}

async fn a_category_is_read(client: &Client) {
    let category = format!("door{}", Uuid::new_v4().simple());
    for door in 0..3 {
        append(client, &format!("{category}-{door}"), 1).await;
    }
    append(client, &format!("{category}s-0"), 1).await;
    let options = ReadStreamOptions::default().resolve_link_tos();
    let events = drain(client.read_stream(format!("$ce-{category}"), &options).await)
        .await
        .unwrap();
    let streams: Vec<&str> = events.iter().map(|event| event.event.as_ref().unwrap().stream_id()).collect();
    assert_eq!(streams, ["0", "1", "2"].map(|door| format!("{category}-{door}")));
    assert!(events.iter().all(ResolvedEvent::is_resolved));
}

async fn a_deleted_stream_begins_again_where_it_ended(client: &Client) {
    let name = stream("gone");
    append(client, &name, 2).await;
    let wrong = DeleteStreamOptions::default().stream_state(StreamState::StreamRevision(0));
    assert!(client.delete_stream(name.as_str(), &wrong).await.is_err());
    let right = DeleteStreamOptions::default().stream_state(StreamState::StreamRevision(1));
    client.delete_stream(name.as_str(), &right).await.unwrap();
    let gone = client.read_stream(name.as_str(), &ReadStreamOptions::default()).await;
    assert!(matches!(drain(gone).await, Err(Error::ResourceNotFound)));
    let again = client.append_to_stream(name.as_str(), &new(), event("Drawn")).await.unwrap();
    assert_eq!(again.next_expected_version, 2);
    assert_eq!(revisions(client, &name, &ReadStreamOptions::default()).await, [2]);
}

async fn a_tombstone_is_for_ever(client: &Client) {
    let name = stream("dead");
    append(client, &name, 1).await;
    client
        .tombstone_stream(name.as_str(), &TombstoneStreamOptions::default())
        .await
        .unwrap();
    let read = client.read_stream(name.as_str(), &ReadStreamOptions::default()).await;
    assert!(matches!(drain(read).await, Err(Error::ResourceDeleted)));
    let written = client
        .append_to_stream(name.as_str(), &expecting(StreamState::Any), event("Drawn"))
        .await;
    assert!(matches!(written, Err(Error::ResourceDeleted)), "{written:?}");
}

async fn metadata_hides_the_old(client: &Client) {
    let name = stream("short");
    append(client, &name, 10).await;
    let few = StreamMetadataBuilder::new().max_count(3).build();
    client.set_stream_metadata(name.as_str(), &new(), &few).await.unwrap();
    assert_eq!(revisions(client, &name, &ReadStreamOptions::default()).await, [7, 8, 9]);
    let told = client
        .get_stream_metadata(name.as_str(), &ReadStreamOptions::default())
        .await
        .unwrap();
    let StreamMetadataResult::Success(told) = told else {
        panic!("there is no metadata: {told:?}");
    };
    assert_eq!(told.metadata().max_count, Some(3));
    let fewer = StreamMetadataBuilder::new().truncate_before(9).build();
    let after_the_first = expecting(StreamState::StreamRevision(0));
    client
        .set_stream_metadata(name.as_str(), &after_the_first, &fewer)
        .await
        .unwrap();
    assert_eq!(revisions(client, &name, &ReadStreamOptions::default()).await, [9]);
    conflict(
        client.set_stream_metadata(name.as_str(), &after_the_first, &few).await,
        Some(1),
    );
}

async fn two_consumers_share_a_persistent_subscription(client: &Client) {
    let (name, group) = (stream("work"), format!("workers-{}", Uuid::new_v4()));
    let settings = PersistentSubscriptionOptions::default()
        .start_from(StreamPosition::Start)
        .consumer_strategy_name(SystemConsumerStrategy::RoundRobin);
    client
        .create_persistent_subscription(name.as_str(), &group, &settings)
        .await
        .unwrap();
    let twice = client.create_persistent_subscription(name.as_str(), &group, &settings).await;
    assert!(matches!(twice, Err(Error::ResourceAlreadyExists)), "{twice:?}");
    let consuming = SubscribeToPersistentSubscriptionOptions::default();
    let consume = || client.subscribe_to_persistent_subscription(name.as_str(), &group, &consuming);
    let (mut first, mut second) = within(async { (consume().await.unwrap(), consume().await.unwrap()) }).await;
    let events: Vec<EventData> = (0..20).map(|_| event("Ordered")).collect();
    client.append_to_stream(name.as_str(), &new(), events).await.unwrap();
    let (mut done, mut refused, mut by) = (Vec::new(), false, [0, 0]);
    while done.len() < 20 {
        let (who, event) = within(async {
            tokio::select! {
                event = first.next() => (0, event.unwrap()),
                event = second.next() => (1, event.unwrap()),
            }
        })
        .await;
        let consumer = if who == 0 { &mut first } else { &mut second };
        if refused {
            consumer.ack(&event).await.unwrap();
            done.push(event.get_original_event().revision);
            by[who] += 1;
        } else {
            refused = true;
            consumer.nack(&event, NakAction::Retry, "once more").await.unwrap();
        }
    }
    done.sort_unstable();
    assert_eq!(done, (0..20).collect::<Vec<u64>>(), "each once");
    assert!(by.iter().all(|count| *count > 0), "both had something to do: {by:?}");
    let info = client
        .get_persistent_subscription_info(name.as_str(), &group, &GetPersistentSubscriptionInfoOptions::default())
        .await
        .unwrap();
    assert_eq!((info.event_source, info.group_name), (name.clone(), group.clone()));
    drop((first, second));
    let options = DeletePersistentSubscriptionOptions::default();
    client
        .delete_persistent_subscription(name.as_str(), &group, &options)
        .await
        .unwrap();
    let gone = client.delete_persistent_subscription(name.as_str(), &group, &options).await;
    assert!(matches!(gone, Err(Error::ResourceNotFound)), "{gone:?}");
}

async fn a_live_subscription_outlives_a_restart(client: &Client, address: &str, restart: &mut impl FnMut()) {
    let name = stream("live");
    append(client, &name, 1).await;
    let patient = RetryOptions::default().retry_forever();
    let mut of_stream = client
        .subscribe_to_stream(
            name.as_str(),
            &SubscribeToStreamOptions::default()
                .start_from(StreamPosition::Start)
                .retry_options(patient),
        )
        .await;
    let filter = SubscriptionFilter::on_stream_name().add_prefix(&name);
    let everything = SubscribeToAllOptions::default()
        .position(StreamPosition::<Position>::Start)
        .filter(filter)
        .retry_options(patient);
    let mut of_all = client.subscribe_to_all(&everything).await;
    let mut seen = vec![within(of_stream.next()).await.unwrap().get_original_event().revision];
    let mut seen_in_all = vec![within(of_all.next()).await.unwrap().get_original_event().revision];
    restart();
    let later = connect(&format!("esdb://{address}?tls=false"));
    let second = expecting(StreamState::StreamRevision(0));
    later
        .append_to_stream(name.as_str(), &second, vec![event("Drawn"), event("Drawn")])
        .await
        .unwrap();
    while seen.len() < 3 {
        seen.push(within(of_stream.next()).await.unwrap().get_original_event().revision);
    }
    while seen_in_all.len() < 3 {
        seen_in_all.push(within(of_all.next()).await.unwrap().get_original_event().revision);
    }
    assert_eq!((seen, seen_in_all), (vec![0, 1, 2], vec![0, 1, 2]));
}

async fn zhulus_own_streams_are_written_by_zhulu_alone(client: &Client) {
    let name = format!("constructionPermit-{}", Uuid::new_v4());
    let refused = client
        .append_to_stream(name.as_str(), &new(), event("ApplicationSubmitted"))
        .await;
    assert!(matches!(refused, Err(Error::AccessDenied)), "{refused:?}");
    let read = client.read_stream(name.as_str(), &ReadStreamOptions::default()).await;
    assert!(matches!(drain(read).await, Err(Error::ResourceNotFound)));
}

fn connect(address: &str) -> Client {
    Client::new(address.parse().unwrap()).unwrap()
}

fn stream(name: &str) -> String {
    format!("{name}-{}", Uuid::new_v4())
}

fn event(kind: &str) -> EventData {
    EventData::json(kind, &json!({ "by": "rust" })).unwrap().id(Uuid::new_v4())
}

fn expecting(state: StreamState) -> AppendToStreamOptions {
    AppendToStreamOptions::default().stream_state(state)
}

fn new() -> AppendToStreamOptions {
    expecting(StreamState::NoStream)
}

async fn append(client: &Client, name: &str, count: usize) {
    let events: Vec<EventData> = (0..count).map(|_| event("Drawn")).collect();
    client.append_to_stream(name, &new(), events).await.unwrap();
}

async fn drain(read: Result<ReadStream, Error>) -> Result<Vec<ResolvedEvent>, Error> {
    let mut read = read?;
    let mut events = Vec::new();
    while let Some(event) = read.next().await? {
        events.push(event);
    }
    Ok(events)
}

async fn revisions(client: &Client, name: &str, options: &ReadStreamOptions) -> Vec<u64> {
    let events = drain(client.read_stream(name, options).await).await.unwrap();
    events.iter().map(|event| event.get_original_event().revision).collect()
}

/// A refusal that says where the stream is.
fn conflict<T: Debug>(answer: Result<T, Error>, at: Option<u64>) {
    let Err(Error::WrongExpectedVersion { current, .. }) = answer else {
        panic!("this is no conflict: {answer:?}");
    };
    let current = match current {
        CurrentRevision::Current(revision) => Some(revision),
        CurrentRevision::NoStream => None,
    };
    assert_eq!(current, at);
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.expect("it takes too long")
}

fn in_a_runtime(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(work);
}
