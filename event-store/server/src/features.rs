//! What this server can do, as clients ask it first of all.

use tonic::{Request, Response, Status, async_trait};

use crate::protocol::event_store::client::server_features::{
    SupportedMethod, SupportedMethods, server_features_server::ServerFeatures,
};

/// The version of the protocol whose behaviour this server has. Clients gate on it: it must not promise more.
pub(crate) const PROTOCOL_VERSION: &str = "26.1.0";

/// A method, and the features that it has.
type Method = (&'static str, &'static [&'static str]);

/// Services with their methods, in lower case.
const METHODS: &[(&str, &[Method])] = &[
    (
        "event_store.client.streams.streams",
        &[
            ("append", &[]),
            ("batchappend", &["deadline_duration"]),
            ("delete", &[]),
            ("read", &["position", "events"]),
            ("tombstone", &[]),
        ],
    ),
    (
        "kurrentdb.protocol.v2.streams.streamsservice",
        &[("appendrecords", &[]), ("appendsession", &[])],
    ),
    (
        "event_store.client.persistent_subscriptions.persistentsubscriptions",
        &[
            ("create", &["stream", "all"]),
            ("delete", &["stream", "all"]),
            ("getinfo", &["stream", "all"]),
            ("list", &["stream", "all"]),
            ("read", &["stream", "all"]),
            ("replayparked", &["stream", "all"]),
            ("restartsubsystem", &["stream", "all"]),
            ("update", &["stream", "all"]),
        ],
    ),
    ("event_store.client.gossip.gossip", &[("read", &[])]),
    (
        "event_store.client.server_features.serverfeatures",
        &[("getsupportedmethods", &[])],
    ),
    ("event_store.client.monitoring.monitoring", &[("stats", &[])]),
    (
        "event_store.client.operations.operations",
        &[
            ("mergeindexes", &[]),
            ("resignnode", &[]),
            ("restartpersistentsubscriptions", &[]),
            ("setnodepriority", &[]),
            ("shutdown", &[]),
            ("startscavenge", &[]),
            ("stopscavenge", &[]),
        ],
    ),
    (
        "event_store.client.users.users",
        &[
            ("changepassword", &[]),
            ("create", &[]),
            ("delete", &[]),
            ("details", &[]),
            ("disable", &[]),
            ("enable", &[]),
            ("resetpassword", &[]),
            ("update", &[]),
        ],
    ),
];

/// Answers from the table above.
pub(crate) struct Features;

#[async_trait]
impl ServerFeatures for Features {
    async fn get_supported_methods(&self, _request: Request<()>) -> Result<Response<SupportedMethods>, Status> {
        let methods = METHODS
            .iter()
            .flat_map(|(service, methods)| methods.iter().map(move |(method, features)| (service, method, features)))
            .map(|(service, method, features)| SupportedMethod {
                method_name: (*method).into(),
                service_name: (*service).into(),
                features: features.iter().map(|feature| (*feature).into()).collect(),
            })
            .collect();
        Ok(Response::new(SupportedMethods {
            methods,
            event_store_server_version: PROTOCOL_VERSION.into(),
        }))
    }
}
