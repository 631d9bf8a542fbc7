//! Subscriptions over graphql-transport-ws.

use std::{
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};
use tungstenite::{Message, WebSocket, client::IntoClientRequest as _, http::HeaderValue};

use super::{Bureau, material};

/// An open connection.
struct Socket(WebSocket<TcpStream>);

impl Socket {
    fn open(address: &str) -> Self {
        let host = address.trim_start_matches("http://");
        let stream = TcpStream::connect(host).unwrap();
        stream.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
        let mut request = format!("ws://{host}/graphql/ws").into_client_request().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", HeaderValue::from_static("graphql-transport-ws"));
        Self(tungstenite::client(request, stream).unwrap().0)
    }

    fn say(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).unwrap();
    }

    /// The next message of this kind; none, if the server closes.
    fn hear(&mut self, kind: &str) -> Option<Value> {
        loop {
            match self.0.read().ok()? {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    if message["type"] == kind {
                        return Some(message);
                    }
                    assert!(
                        ["ping", "pong", "next"].contains(&message["type"].as_str().unwrap()),
                        "{message}"
                    );
                }
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }
}

#[test]
fn whoever_watches_a_case_hears_of_its_change() {
    let bureau = Bureau::open();
    let people = bureau.people();
    let case = people.file(1);
    let mut socket = Socket::open(bureau.server().address());
    socket.say(&json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {}", people.clerk.token()) } }));
    socket.hear("connection_ack").unwrap();
    let query = "subscription($id: ID) { caseChanged(id: $id) { case { id stage } } }";
    socket.say(&json!({ "type": "subscribe", "id": "1", "payload": { "query": query, "variables": { "id": case } } }));
    // Nothing tells when a subscription stands, so something keeps happening until it is heard of.
    let heard = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !heard.load(Ordering::Relaxed) {
                people
                    .clerk
                    .does("caseAttachMaterial", json!({ "caseId": case, "material": material("M11") }));
            }
        });
        let message = socket.hear("next");
        heard.store(true, Ordering::Relaxed);
        assert_eq!(message.unwrap()["payload"]["data"]["caseChanged"]["case"]["id"], json!(case));
    });
}

#[test]
fn nobody_listens_without_a_token() {
    let bureau = Bureau::open();
    let mut socket = Socket::open(bureau.server().address());
    socket.say(&json!({ "type": "connection_init" }));
    assert!(socket.hear("connection_ack").is_none());
}
