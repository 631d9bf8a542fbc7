//! Which service answers which call.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tonic::{Status, body::Body};
use tower::Service;

use crate::{
    Desk,
    features::Features,
    gossip::OneMember,
    monitoring::{self, Monitor},
    protocol::event_store::client::{
        gossip::gossip_server::GossipServer, monitoring::monitoring_server::MonitoringServer,
        server_features::server_features_server::ServerFeaturesServer, users::users_server::UsersServer,
    },
    users::{self, UsersDesk},
};

/// The services, cheap to clone.
#[derive(Clone)]
pub(crate) struct Calls {
    features: ServerFeaturesServer<Features>,
    gossip: GossipServer<OneMember>,
    monitoring: MonitoringServer<Monitor>,
    users: UsersServer<UsersDesk>,
}

impl Calls {
    pub(crate) fn new(desk: &Arc<Desk>) -> Self {
        Self {
            features: ServerFeaturesServer::new(Features),
            gossip: GossipServer::new(OneMember::new(desk.clone())),
            monitoring: monitoring::service(desk.clone()),
            users: users::service(desk.clone()),
        }
    }

    /// Answers one call, or one look at a page.
    pub(crate) async fn answer(&mut self, request: Request<Incoming>) -> Response<Body> {
        if request.method() == Method::GET {
            return page(request.uri().path());
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
            "event_store.client.users.Users" => self.users.call(request).await,
            "event_store.client.projections.Projections" => {
                return Status::unimplemented("projections in JavaScript are not offered here").into_http();
            }
            _ => return Status::unimplemented("this server does not offer that service").into_http(),
        };
        answered.unwrap_or_else(|never| match never {})
    }
}

/// The few pages that tools look at.
fn page(path: &str) -> Response<Body> {
    let (status, text) = match path {
        "/health/live" => (StatusCode::NO_CONTENT, ""),
        _ => (StatusCode::NOT_FOUND, ""),
    };
    let mut response = Response::new(Body::new(http_body_util::Full::new(Bytes::from(text))));
    *response.status_mut() = status;
    response
}
