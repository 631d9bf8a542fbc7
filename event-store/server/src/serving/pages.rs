//! The few pages that tools look at, over either version of HTTP.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use serde_json::json;
use tonic::body::Body;

use crate::{Desk, Security, features::PROTOCOL_VERSION, gossip::OneMember};

/// Answers a look at a page.
pub(crate) fn page(desk: &Desk, member: &OneMember, path: &str) -> Response<Body> {
    match path.trim_end_matches('/') {
        "/health/ready" if *desk.stopping.borrow() => answer(StatusCode::SERVICE_UNAVAILABLE, None),
        "/health/live" | "/health/ready" => answer(StatusCode::NO_CONTENT, None),
        "/ping" => answer(StatusCode::OK, Some(&json!({ "text": "Ping request successfully handled" }))),
        "/gossip" => answer(StatusCode::OK, Some(&member.page())),
        "/info" => answer(StatusCode::OK, Some(&info(desk))),
        _ => answer(StatusCode::NOT_FOUND, None),
    }
}

/// What there is, in the words that the protocol's own server uses where they fit.
fn info(desk: &Desk) -> serde_json::Value {
    let is_secure = desk.config.security != Security::Insecure;
    json!({
        "dbVersion": PROTOCOL_VERSION,
        "esVersion": PROTOCOL_VERSION,
        "program": "Zhulu",
        "programVersion": desk.config.version,
        "state": "leader",
        "features": {
            "projections": false,
            "userManagement": is_secure,
            "atomPub": false,
        },
        "authentication": { "type": if is_secure { "basic" } else { "insecure" } },
    })
}

fn answer(status: StatusCode, json: Option<&serde_json::Value>) -> Response<Body> {
    let text = json.map_or_else(String::new, ToString::to_string);
    let mut response = Response::new(Body::new(Full::new(Bytes::from(text))));
    *response.status_mut() = status;
    if json.is_some() {
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, json);
    }
    response
}
