//! The port: pages, features, gossip, deadlines, what is not offered, the end.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tonic::{Code, Request};

use crate::support::{
    House, Options, PATIENCE, following,
    protocol::event_store::client::{
        gossip::{gossip_client::GossipClient, member_info::VNodeState},
        server_features::server_features_client::ServerFeaturesClient,
        streams::ReadReq,
    },
    whole_stream,
};

async fn page(house: &House, path: &str) -> String {
    let mut connection = tokio::net::TcpStream::connect(house.server.address()).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn tools_see_over_http_1_that_the_server_lives_and_what_it_is() {
    let house = House::open().await;
    assert!(page(&house, "/health/live").await.starts_with("HTTP/1.1 204"));
    assert!(page(&house, "/health/ready").await.starts_with("HTTP/1.1 204"));
    assert!(page(&house, "/ping").await.contains("Ping request successfully handled"));
    let info = page(&house, "/info").await;
    assert!(
        info.starts_with("HTTP/1.1 200") && info.contains("\"program\":\"Zhulu\""),
        "{info}"
    );
    assert!(page(&house, "/nowhere").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn the_server_says_what_it_can_do_in_lower_case_and_which_version_it_is() {
    let house = House::open().await;
    let mut client = ServerFeaturesClient::new(house.channel.clone());
    let features = client.get_supported_methods(()).await.unwrap().into_inner();
    let version: Vec<u32> = features
        .event_store_server_version
        .split('.')
        .map(|part| part.parse().unwrap())
        .collect();
    assert_eq!(version.len(), 3);
    let can = |service: &str, method: &str| {
        features
            .methods
            .iter()
            .any(|can| can.service_name == service && can.method_name == method)
    };
    assert!(can("event_store.client.streams.streams", "batchappend"));
    assert!(can("kurrentdb.protocol.v2.streams.streamsservice", "appendsession"));
    assert!(features.methods.iter().all(|can| {
        let names = format!("{}{}", can.service_name, can.method_name);
        names == names.to_lowercase()
    }));
}

#[tokio::test]
async fn the_one_member_leads_and_is_alive() {
    let house = House::open().await;
    let gossip = GossipClient::new(house.channel.clone()).read(()).await.unwrap().into_inner();
    let [member] = &gossip.members[..] else { panic!("{gossip:?}") };
    assert_eq!(member.state(), VNodeState::Leader);
    assert!(member.is_alive);
    let there = member.http_end_point.as_ref().unwrap();
    assert_eq!(
        (&*there.address, there.port),
        ("127.0.0.1", u32::from(house.server.address().port()))
    );
}

#[tokio::test]
async fn the_one_member_is_seen_over_http_too() {
    let house = House::open().await;
    house.write("order-1", crate::support::events(3)).await;
    let answer = page(&house, "/gossip").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("HTTP/1.1 200") && head.contains("application/json"),
        "{head}"
    );
    let gossip: serde_json::Value = serde_json::from_str(body).unwrap();
    let member = &gossip["members"][0];
    assert_eq!((&member["state"], &member["isAlive"]), (&"Leader".into(), &true.into()));
    assert_eq!(member["httpEndPointIp"], "127.0.0.1");
    assert_eq!(member["httpEndPointPort"], house.server.address().port());
    assert!(member["lastCommitPosition"].as_u64().unwrap() >= 3, "{member}");
}

#[tokio::test]
async fn what_is_not_offered_is_unimplemented_and_says_so() {
    let house = House::open().await;
    let mut raw = tonic::client::Grpc::new(house.channel.clone());
    raw.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let path = http::uri::PathAndQuery::from_static("/event_store.client.projections.Projections/Create");
    let status = raw.unary(Request::new(()), path, codec).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().contains("projections"), "{}", status.message());
}

#[tokio::test]
async fn a_deadline_ends_a_call_that_would_not_end() {
    let house = House::open().await;
    let options: Options = following(whole_stream("order-1"));
    let mut request = Request::new(ReadReq { options: Some(options) });
    // As a header: the client must not be the one who gives up.
    request.metadata_mut().insert("grpc-timeout", "200m".parse().unwrap());
    let mut answers = house.streams().read(request).await.unwrap().into_inner();
    let ended = async {
        loop {
            match answers.message().await {
                Ok(Some(_)) => {}
                other => return other,
            }
        }
    };
    let status = tokio::time::timeout(PATIENCE, ended).await.unwrap().unwrap_err();
    assert!(
        matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled),
        "{status:?}"
    );
}

#[tokio::test]
async fn a_client_that_does_not_answer_is_asked_whether_it_lives_and_let_go() {
    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    const NO_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    const PING: u8 = 6;
    let house = House::open().await;
    let mut connection = tokio::net::TcpStream::connect(house.server.address()).await.unwrap();
    connection.write_all(PREFACE).await.unwrap();
    connection.write_all(NO_SETTINGS).await.unwrap();
    let mut kinds = Vec::new();
    let until_let_go = async {
        let mut head = [0; 9];
        while connection.read_exact(&mut head).await.is_ok() {
            kinds.push(head[3]);
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            connection.read_exact(&mut payload).await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE, until_let_go).await.expect("it is let go");
    assert!(kinds.contains(&PING), "it was not asked: {kinds:?}");
}

#[tokio::test]
async fn the_address_is_free_again_after_the_end() {
    let house = House::open().await;
    let address = house.server.address();
    house.server.stop(Duration::from_secs(5)).await;
    tokio::net::TcpListener::bind(address).await.unwrap();
}
