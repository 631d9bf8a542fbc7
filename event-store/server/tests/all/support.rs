//! A server in this process, and a client made of the same words.

use std::{collections::HashMap, sync::Arc, time::Duration};

use ::uuid::Uuid;
use bytes::Bytes;
use event_store_embedded::EmbeddedStore;
use event_store_server::{EsdbConfig, EsdbServer, Security};
use tempfile::TempDir;
use tonic::{Request, Status, Streaming, transport::Channel};

/// The clients, generated.
#[allow(dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
pub(crate) mod protocol {
    include!(concat!(env!("OUT_DIR"), "/client/protocol.rs"));
}

pub(crate) use protocol::event_store::client::streams::{
    AppendReq, AppendResp, ReadReq, ReadResp, append_req,
    append_req::options::ExpectedStreamRevision as Expect,
    append_resp::{self, success::CurrentRevisionOption},
    delete_req, read_req,
    read_req::{
        Options,
        options::{
            AllOptions, ControlOption, CountOption, FilterOption, StreamOption, StreamOptions, SubscriptionOptions, UuidOption,
            all_options::AllOption, stream_options::RevisionOption, uuid_option,
        },
    },
    read_resp::{self, Content},
    streams_client::StreamsClient,
    tombstone_req,
};
pub(crate) use protocol::event_store::client::{StreamIdentifier, Uuid as ProtocolUuid, uuid};

/// Whatever has not come after so long will not come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Streams that only the server's own program may write.
pub(crate) const OWN: &str = "permit-";

/// A running server with its store.
pub(crate) struct House {
    pub(crate) server: EsdbServer,
    pub(crate) store: EmbeddedStore,
    pub(crate) channel: Channel,
    pub(crate) directory: TempDir,
}

impl House {
    pub(crate) async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(&directory.path().join("store")).unwrap();
        Self::serve(directory, store).await
    }

    pub(crate) async fn serve(directory: TempDir, store: EmbeddedStore) -> Self {
        let config = EsdbConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            security: Security::Insecure,
            own_streams: Arc::new(|stream| stream.starts_with(OWN)),
            directory: directory.path().to_owned(),
            advertise: None,
            version: "0.0.0",
        };
        let server = event_store_server::start(store.clone(), config).await.unwrap();
        let channel = Channel::from_shared(format!("http://{}", server.address()))
            .unwrap()
            .connect()
            .await
            .unwrap();
        Self {
            server,
            store,
            channel,
            directory,
        }
    }

    pub(crate) fn streams(&self) -> StreamsClient<Channel> {
        StreamsClient::new(self.channel.clone()).max_decoding_message_size(32 * 1024 * 1024)
    }

    pub(crate) async fn append(
        &self,
        stream: &str,
        expect: Expect,
        events: Vec<append_req::ProposedMessage>,
    ) -> Result<AppendResp, Status> {
        let options = append_req::Options {
            stream_identifier: Some(named(stream)),
            expected_stream_revision: Some(expect),
        };
        let messages = std::iter::once(append_req::Content::Options(options))
            .chain(events.into_iter().map(append_req::Content::ProposedMessage))
            .map(|content| AppendReq { content: Some(content) })
            .collect::<Vec<_>>();
        let answer = self.streams().append(Request::new(tokio_stream::iter(messages))).await?;
        Ok(answer.into_inner())
    }

    /// Appends what cannot be refused, and answers with revision and position of the last event.
    pub(crate) async fn write(&self, stream: &str, events: Vec<append_req::ProposedMessage>) -> (u64, u64) {
        written(&self.append(stream, Expect::Any(()), events).await.unwrap())
    }

    pub(crate) async fn read(&self, options: Options) -> Result<Vec<Content>, Status> {
        let mut answers = self.open_read(options).await?;
        let mut contents = Vec::new();
        while let Some(answer) = answers.message().await? {
            contents.push(answer.content.unwrap());
        }
        Ok(contents)
    }

    pub(crate) async fn open_read(&self, options: Options) -> Result<Streaming<ReadResp>, Status> {
        let request = ReadReq { options: Some(options) };
        Ok(self.streams().read(request).await?.into_inner())
    }

    pub(crate) async fn delete(&self, stream: &str, expect: delete_req::options::ExpectedStreamRevision) -> Result<u64, Status> {
        use protocol::event_store::client::streams::{DeleteReq, delete_resp::PositionOption};
        let options = delete_req::Options {
            stream_identifier: Some(named(stream)),
            expected_stream_revision: Some(expect),
        };
        let answer = self.streams().delete(DeleteReq { options: Some(options) }).await?;
        match answer.into_inner().position_option {
            Some(PositionOption::Position(position)) => Ok(position.commit_position),
            other => panic!("a deletion has a position: {other:?}"),
        }
    }

    pub(crate) async fn tombstone(&self, stream: &str) -> Result<(), Status> {
        use protocol::event_store::client::streams::TombstoneReq;
        let options = tombstone_req::Options {
            stream_identifier: Some(named(stream)),
            expected_stream_revision: Some(tombstone_req::options::ExpectedStreamRevision::Any(())),
        };
        self.streams()
            .tombstone(TombstoneReq { options: Some(options) })
            .await
            .map(drop)
    }

    /// Follows something; the confirmation has been taken already.
    pub(crate) async fn follow(&self, options: Options) -> Following {
        let mut answers = self.open_read(options).await.unwrap();
        let first = tokio::time::timeout(PATIENCE, answers.message())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert!(
            matches!(&first.content, Some(Content::Confirmation(confirmation)) if !confirmation.subscription_id.is_empty()),
            "the confirmation comes first, not {first:?}"
        );
        Following(answers)
    }
}

/// A subscription.
pub(crate) struct Following(Streaming<ReadResp>);

impl Following {
    pub(crate) async fn next(&mut self) -> Result<Content, Status> {
        let next = tokio::time::timeout(PATIENCE, self.0.message()).await.expect("nothing came");
        Ok(next?.expect("a subscription never ends well").content.unwrap())
    }

    pub(crate) async fn next_event(&mut self) -> read_resp::ReadEvent {
        loop {
            if let Content::Event(event) = self.next().await.unwrap() {
                return event;
            }
        }
    }

    pub(crate) async fn until_caught_up(&mut self) -> (Vec<Content>, read_resp::CaughtUp) {
        let mut before = Vec::new();
        loop {
            match self.next().await.unwrap() {
                Content::CaughtUp(caught_up) => return (before, caught_up),
                other => before.push(other),
            }
        }
    }
}

pub(crate) fn named(stream: &str) -> StreamIdentifier {
    StreamIdentifier {
        stream_name: stream.to_owned().into(),
    }
}

pub(crate) fn id_text(id: Uuid) -> ProtocolUuid {
    ProtocolUuid {
        value: Some(uuid::Value::String(id.to_string())),
    }
}

pub(crate) fn says(name: &str, content_type: &str) -> HashMap<String, String> {
    HashMap::from([("type".into(), name.into()), ("content-type".into(), content_type.into())])
}

pub(crate) fn event_with(id: Uuid, name: &str, data: impl Into<Bytes>) -> append_req::ProposedMessage {
    append_req::ProposedMessage {
        id: Some(id_text(id)),
        metadata: says(name, "application/json"),
        custom_metadata: Bytes::from_static(b"{\"by\":\"test\"}"),
        data: data.into(),
    }
}

pub(crate) fn event(name: &str) -> append_req::ProposedMessage {
    event_with(Uuid::new_v4(), name, "{}")
}

pub(crate) fn events(count: usize) -> Vec<append_req::ProposedMessage> {
    (0..count).map(|number| event(&format!("Event{number}"))).collect()
}

pub(crate) fn written(answer: &AppendResp) -> (u64, u64) {
    let Some(append_resp::Result::Success(success)) = &answer.result else {
        panic!("it was not written: {answer:?}")
    };
    let Some(CurrentRevisionOption::CurrentRevision(revision)) = success.current_revision_option else {
        panic!("it has no revision: {answer:?}")
    };
    let Some(append_resp::success::PositionOption::Position(position)) = &success.position_option else {
        panic!("it has no position: {answer:?}")
    };
    assert_eq!(position.commit_position, position.prepare_position);
    (revision, position.commit_position)
}

pub(crate) fn conflict(answer: AppendResp) -> append_resp::WrongExpectedVersion {
    match answer.result {
        Some(append_resp::Result::WrongExpectedVersion(wrong)) => wrong,
        other => panic!("it is no conflict: {other:?}"),
    }
}

fn options(what: StreamOption, count: CountOption) -> Options {
    Options {
        read_direction: 0,
        resolve_links: false,
        uuid_option: Some(UuidOption {
            content: Some(uuid_option::Content::String(())),
        }),
        control_option: Some(ControlOption { compatibility: 1 }),
        stream_option: Some(what),
        count_option: Some(count),
        filter_option: Some(FilterOption::NoFilter(())),
    }
}

pub(crate) fn stream_from(stream: &str, from: RevisionOption, count: u64) -> Options {
    let what = StreamOptions {
        stream_identifier: Some(named(stream)),
        revision_option: Some(from),
    };
    options(StreamOption::Stream(what), CountOption::Count(count))
}

pub(crate) fn whole_stream(stream: &str) -> Options {
    stream_from(stream, RevisionOption::Start(()), u64::MAX)
}

pub(crate) fn all_from(from: AllOption, count: u64) -> Options {
    let what = AllOptions { all_option: Some(from) };
    options(StreamOption::All(what), CountOption::Count(count))
}

pub(crate) fn position(position: u64) -> AllOption {
    AllOption::Position(read_req::options::Position {
        commit_position: position,
        prepare_position: position,
    })
}

pub(crate) fn backwards(options: Options) -> Options {
    Options {
        read_direction: 1,
        ..options
    }
}

pub(crate) fn resolving(options: Options) -> Options {
    Options {
        resolve_links: true,
        ..options
    }
}

pub(crate) fn following(options: Options) -> Options {
    Options {
        count_option: Some(CountOption::Subscription(SubscriptionOptions {})),
        ..options
    }
}

/// What is filtered, and how.
pub(crate) enum Wanted<'a> {
    StreamPrefixes(&'a [&'a str]),
    StreamRegex(&'a str),
    TypePrefixes(&'a [&'a str]),
    TypeRegex(&'a str),
}

pub(crate) fn filtered(options: Options, wanted: &Wanted<'_>, window: u32, multiplier: u32) -> Options {
    use read_req::options::{
        FilterOptions,
        filter_options::{Expression, Filter, Window},
    };
    let prefixes = |prefixes: &[&str]| Expression {
        regex: String::new(),
        prefix: prefixes.iter().map(|prefix| (*prefix).into()).collect(),
    };
    let regex = |regex: &str| Expression {
        regex: regex.into(),
        prefix: Vec::new(),
    };
    let filter = match wanted {
        Wanted::StreamPrefixes(wanted) => Filter::StreamIdentifier(prefixes(wanted)),
        Wanted::StreamRegex(wanted) => Filter::StreamIdentifier(regex(wanted)),
        Wanted::TypePrefixes(wanted) => Filter::EventType(prefixes(wanted)),
        Wanted::TypeRegex(wanted) => Filter::EventType(regex(wanted)),
    };
    Options {
        filter_option: Some(FilterOption::Filter(FilterOptions {
            filter: Some(filter),
            window: Some(Window::Max(window)),
            checkpoint_interval_multiplier: multiplier,
        })),
        ..options
    }
}

/// The events among the answers.
pub(crate) fn read_events(contents: &[Content]) -> Vec<read_resp::read_event::RecordedEvent> {
    let events = contents.iter().filter_map(|content| match content {
        Content::Event(event) => event.event.clone().or(event.link.clone()),
        _ => None,
    });
    events.collect()
}

/// Their types, in the order of reading.
pub(crate) fn types(contents: &[Content]) -> Vec<String> {
    read_events(contents)
        .iter()
        .map(|event| event.metadata["type"].clone())
        .collect()
}

pub(crate) fn trailer<'a>(status: &'a Status, name: &str) -> &'a str {
    status.metadata().get(name).map_or("", |value| value.to_str().unwrap())
}
