//! Subscriptions over WebSocket: the graphql-transport-ws protocol, and no older one.
//!
//! A browser cannot set headers on a WebSocket, so the token comes with `connection_init`; the origin of the page is
//! checked before the upgrade. A connection does not outlive its token.

use std::{sync::Arc, time::Duration};

use async_graphql::{
    Data,
    http::{WebSocketProtocols, WsMessage},
    runtime::Timer,
};
use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use futures_util::{FutureExt, SinkExt, StreamExt, future::BoxFuture};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::{
    auth::{Principal, TokenError, bearer},
    errors::Code,
    http::{Door, check_origin, refusal},
    limits::{MAX_SUBSCRIPTION_MESSAGE_BYTES, MAX_SUBSCRIPTIONS_PER_CONNECTION},
};

/// The one subprotocol (<https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>).
const PROTOCOL: &str = "graphql-transport-ws";
/// How long a new connection may take to say who it is.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);
/// The protocol's close code of a connection whose token has ended.
const CLOSE_UNAUTHORISED: u16 = 4401;
/// The protocol's close code of a connection whose token is not accepted.
const CLOSE_FORBIDDEN: u16 = 4403;
/// The protocol's close code of a connection that did not say who it is.
const CLOSE_INIT_TIMEOUT: u16 = 4408;
/// The protocol's own ping; a client answers it with a pong.
const PING: &str = r#"{"type":"ping"}"#;

pub(crate) async fn upgrade(State(door): State<Arc<Door>>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    if let Err(response) = check_origin(&headers, &door.state.limits.allowed_origins) {
        return response;
    }
    let offered = headers
        .get(header::SEC_WEBSOCKET_PROTOCOL)
        .and_then(|offer| offer.to_str().ok())
        .unwrap_or_default();
    if !offered.split(',').any(|one| one.trim() == PROTOCOL) {
        return refusal(
            StatusCode::BAD_REQUEST,
            Code::BadInput,
            format!("subscriptions speak the WebSocket subprotocol {PROTOCOL}; offer it"),
        );
    }
    let Ok(place) = Arc::clone(&door.subscriptions).try_acquire_owned() else {
        return refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::Unavailable,
            "too many subscriptions are open; come again later",
        );
    };
    upgrade
        .protocols([PROTOCOL])
        .max_message_size(MAX_SUBSCRIPTION_MESSAGE_BYTES)
        .on_upgrade(move |socket| serve(door, socket, place))
}

/// Talks until either side has had enough, or the token ends.
async fn serve(door: Arc<Door>, socket: WebSocket, _place: OwnedSemaphorePermit) {
    let (mut sink, stream) = socket.split();
    let (introduced, introduction) = oneshot::channel();
    let input = stream.filter_map(|message| async {
        match message {
            Ok(Message::Text(text)) => Some(text.as_bytes().to_vec()),
            Ok(Message::Binary(bytes)) => Some(bytes.to_vec()),
            _ => None,
        }
    });
    let greeter = Arc::clone(&door);
    let mut output = std::pin::pin!(
        async_graphql::http::WebSocket::new(door.schema.clone(), input, WebSocketProtocols::GraphQLWS)
            .on_connection_init(move |payload| async move {
                let greeting = greet(&greeter, &payload);
                // The receiver is gone only when the connection is.
                let _ = introduced.send(greeting.as_ref().map(|principal| principal.expires).map_err(Clone::clone));
                let Ok(principal) = greeting else {
                    // Whoever waits for the end of the token closes the connection, with the protocol's own code.
                    return std::future::pending().await;
                };
                let mut data = Data::default();
                data.insert(principal);
                data.insert(Arc::new(Semaphore::new(MAX_SUBSCRIPTIONS_PER_CONNECTION)));
                Ok(data)
            })
            .keepalive_timeout(TokioTimer, door.state.limits.keepalive * 2)
    );
    let mut end = std::pin::pin!(end_of_token(Arc::clone(&door), introduction));
    let mut ping = tokio::time::interval(door.state.limits.keepalive);
    ping.reset();
    loop {
        tokio::select! {
            _ = ping.tick() => {
                if sink.send(Message::Text(PING.into())).await.is_err() {
                    return;
                }
            }
            message = output.next() => match message {
                Some(WsMessage::Text(text)) => {
                    if sink.send(Message::Text(text.into())).await.is_err() {
                        return;
                    }
                }
                Some(WsMessage::Close(code, reason)) => return close(&mut sink, code, reason).await,
                None => return,
            },
            (code, reason) = &mut end => return close(&mut sink, code, reason).await,
        }
    }
}

async fn close(sink: &mut (impl SinkExt<Message> + Unpin), code: u16, reason: String) {
    // Whoever is gone already need not be told.
    let _ = sink
        .send(Message::Close(Some(CloseFrame {
            code,
            reason: reason.into(),
        })))
        .await;
}

/// Waits until the connection may no longer stand, and says why, with the protocol's code.
async fn end_of_token(door: Arc<Door>, introduction: oneshot::Receiver<Result<i64, TokenError>>) -> (u16, String) {
    let expires = match tokio::time::timeout(INIT_TIMEOUT, introduction).await {
        Ok(Ok(Ok(expires))) => expires,
        Ok(Ok(Err(why))) => return (CLOSE_FORBIDDEN, short(&why)),
        _ => return (CLOSE_INIT_TIMEOUT, "no connection_init came in time".into()),
    };
    let left = u64::try_from(expires - door.state.clock.now().timestamp()).unwrap_or(0);
    tokio::time::sleep(Duration::from_secs(left)).await;
    (CLOSE_UNAUTHORISED, short(&TokenError::Expired))
}

/// A close frame holds 123 bytes of reason.
fn short(why: &TokenError) -> String {
    format!("{why}; send {{\"authorization\":\"Bearer …\"}} with connection_init")
}

/// Who it is: `{"authorization": "Bearer …"}` in any case, or `{"token": "…"}`.
fn greet(door: &Door, payload: &serde_json::Value) -> Result<Principal, TokenError> {
    let text = |name: &str| payload.get(name).and_then(serde_json::Value::as_str);
    let token = text("authorization")
        .or_else(|| text("Authorization"))
        .and_then(bearer)
        .or_else(|| text("token"));
    door.state
        .tokens
        .verify(token.ok_or(TokenError::Missing)?, door.state.clock.now())
}

/// The runtime's timer, for the keepalive.
struct TokioTimer;

impl Timer for TokioTimer {
    fn delay(&self, duration: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(duration).boxed()
    }
}

#[cfg(test)]
#[path = "websocket_tests.rs"]
mod tests;
