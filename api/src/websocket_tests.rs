//! Subscriptions, with a client of another make.
#![allow(clippy::unwrap_used)]

use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket, client::IntoClientRequest, handshake::HandshakeError, http::StatusCode};

use crate::testing::Room;

type Socket = WebSocket<TcpStream>;

/// Serves the room on a port of its own.
async fn serve(room: &Room) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = room.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn connect(address: SocketAddr, protocol: &str, origin: Option<&str>) -> Result<Socket, StatusCode> {
    let mut request = format!("ws://{address}/graphql/ws").into_client_request().unwrap();
    request
        .headers_mut()
        .insert("sec-websocket-protocol", protocol.parse().unwrap());
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    match tungstenite::client(request, TcpStream::connect(address).unwrap()) {
        Ok((socket, _)) => Ok(socket),
        Err(HandshakeError::Failure(tungstenite::Error::Http(response))) => Err(response.status()),
        Err(other) => panic!("{other}"),
    }
}

fn say(socket: &mut Socket, message: &Value) {
    socket.send(Message::text(message.to_string())).unwrap();
}

fn hear(socket: &mut Socket) -> Value {
    loop {
        match socket.read().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Close(frame) => return json!({ "closed": frame.map(|frame| u16::from(frame.code)) }),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_let_in_is_told_with_the_protocol_s_own_code() {
    let room = Room::without_views().await;
    let address = serve(&room).await;
    let heard = tokio::task::spawn_blocking(move || {
        assert_eq!(
            connect(address, "graphql-ws", None).err(),
            Some(StatusCode::BAD_REQUEST),
            "no older protocol"
        );
        let foreign = connect(address, "graphql-transport-ws", Some("http://evil.example"));
        assert_eq!(foreign.err(), Some(StatusCode::FORBIDDEN));
        let mut socket = connect(address, "graphql-transport-ws", None).unwrap();
        say(
            &mut socket,
            &json!({ "type": "connection_init", "payload": { "authorization": "Bearer rubbish" } }),
        );
        hear(&mut socket)
    });
    assert_eq!(heard.await.unwrap(), json!({ "closed": 4403 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_is_told_of_a_case_that_changed() {
    let room = Room::with_views().await;
    let address = serve(&room).await;
    let token = room.token("director");
    let (ready, subscribed) = tokio::sync::oneshot::channel();
    let heard = tokio::task::spawn_blocking(move || {
        let mut socket = connect(address, "graphql-transport-ws", None).unwrap();
        say(
            &mut socket,
            &json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } }),
        );
        assert_eq!(hear(&mut socket)["type"], "connection_ack");
        let query = "subscription { caseChanged { case { legacyId stage } position } }";
        say(
            &mut socket,
            &json!({ "id": "1", "type": "subscribe", "payload": { "query": query } }),
        );
        // A pong comes back only after the subscription before it was taken up.
        say(&mut socket, &json!({ "type": "ping" }));
        assert_eq!(hear(&mut socket)["type"], "pong");
        ready.send(()).unwrap();
        hear(&mut socket)
    });
    subscribed.await.unwrap();
    room.import(1).await;
    let heard = heard.await.unwrap();
    assert_eq!((&heard["type"], &heard["id"]), (&json!("next"), &json!("1")), "{heard:#}");
    assert_eq!(
        heard["payload"]["data"]["caseChanged"]["case"],
        json!({ "legacyId": "L\"0000", "stage": "GRANTED" })
    );
}
