//! Which service answers which call.

use std::sync::Arc;

use http::{Method, Request, Response};
use hyper::body::Incoming;
use tokio::time::Instant;
use tonic::{Status, body::Body};
use tower::Service;

use crate::{
    Desk,
    features::Features,
    gossip::OneMember,
    monitoring::{self, Monitor},
    operations::{self, Keeper},
    persistent::{self, Groups},
    protocol::event_store::client::{
        gossip::gossip_server::GossipServer, monitoring::monitoring_server::MonitoringServer,
        operations::operations_server::OperationsServer,
        persistent_subscriptions::persistent_subscriptions_server::PersistentSubscriptionsServer,
        server_features::server_features_server::ServerFeaturesServer, streams::streams_server::StreamsServer,
        users::users_server::UsersServer,
    },
    protocol::kurrentdb::protocol::v2::streams::streams_service_server::StreamsServiceServer,
    serving::{deadline, pages},
    streams::{self, Streams, out_of_time},
    users::{self, UsersDesk},
    v2::StreamsV2,
};

/// The largest message that is taken: the largest event, and what stands around it.
const MAX_MESSAGE_BYTES: usize = 20 * 1024 * 1024;
/// The largest message of the second version, which may bring many events.
const MAX_MESSAGE_BYTES_V2: usize = 64 * 1024 * 1024;
/// The one call that is answered by hand.
const READ: &str = "/event_store.client.streams.Streams/Read";

/// The services, cheap to clone.
#[derive(Clone)]
pub(crate) struct Calls {
    features: ServerFeaturesServer<Features>,
    member: Arc<OneMember>,
    gossip: GossipServer<OneMember>,
    monitoring: MonitoringServer<Monitor>,
    operations: OperationsServer<Keeper>,
    persistent: PersistentSubscriptionsServer<Groups>,
    streams: StreamsServer<Streams>,
    streams_v2: StreamsServiceServer<StreamsV2>,
    users: UsersServer<UsersDesk>,
    desk: Arc<Desk>,
}

impl Calls {
    pub(crate) fn new(desk: &Arc<Desk>) -> Self {
        let member = Arc::new(OneMember::new(desk.clone()));
        Self {
            features: ServerFeaturesServer::new(Features),
            gossip: GossipServer::from_arc(member.clone()),
            member,
            monitoring: monitoring::service(desk.clone()),
            operations: operations::service(desk.clone()),
            persistent: persistent::service(desk.clone()),
            streams: StreamsServer::new(Streams(desk.clone())).max_decoding_message_size(MAX_MESSAGE_BYTES),
            streams_v2: StreamsServiceServer::new(StreamsV2(desk.clone())).max_decoding_message_size(MAX_MESSAGE_BYTES_V2),
            users: users::service(desk.clone()),
            desk: desk.clone(),
        }
    }

    /// Answers one call, or one look at a page.
    pub(crate) async fn answer(&mut self, request: Request<Incoming>) -> Response<Body> {
        if request.method() == Method::GET {
            return pages::page(&self.desk, &self.member, request.uri().path());
        }
        let Some(deadline) = deadline::of(request.headers()) else {
            return self.answered(request, None).await;
        };
        let answering = self.answered(request, Some(deadline));
        match tokio::time::timeout_at(deadline, answering).await {
            Ok(response) => response,
            Err(_) => out_of_time().into_http(),
        }
    }

    async fn answered(&mut self, request: Request<Incoming>, deadline: Option<Instant>) -> Response<Body> {
        if request.uri().path() == READ {
            let read = streams::read(self.desk.clone(), request, deadline).await;
            return read.unwrap_or_else(Status::into_http);
        }
        let service = request
            .uri()
            .path()
            .trim_start_matches('/')
            .split('/')
            .next()
            .unwrap_or_default();
        let answered = match service {
            "event_store.client.server_features.ServerFeatures" => self.features.call(request).await,
            "event_store.client.gossip.Gossip" => self.gossip.call(request).await,
            "event_store.client.monitoring.Monitoring" => self.monitoring.call(request).await,
            "event_store.client.streams.Streams" => self.streams.call(request).await,
            "event_store.client.persistent_subscriptions.PersistentSubscriptions" => self.persistent.call(request).await,
            "event_store.client.operations.Operations" => self.operations.call(request).await,
            "kurrentdb.protocol.v2.streams.StreamsService" => self.streams_v2.call(request).await,
            "event_store.client.users.Users" => self.users.call(request).await,
            "event_store.client.projections.Projections" => {
                return Status::unimplemented("projections in JavaScript are not offered here").into_http();
            }
            _ => return Status::unimplemented("this server does not offer that service").into_http(),
        };
        answered.unwrap_or_else(|never| match never {})
    }
}
