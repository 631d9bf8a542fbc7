//! What the door lets in, and what it does not.
#![allow(clippy::unwrap_used)]

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use serde_json::{Value, json};

use crate::testing::{KEY, Room};

const ME: &str = r#"{"query":"{ me { role region } }"}"#;

fn request(token: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post("/graphql")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.into())
        .unwrap()
}

fn code(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap();
    assert!(body.get("data").is_none(), "{body:#}");
    body["errors"][0]["extensions"]["code"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn an_operation_with_a_good_token_is_answered() {
    let room = Room::without_views().await;
    let (status, headers, body) = room.send(request(&room.token("director"), ME)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers[header::CONTENT_TYPE], "application/json; charset=utf-8");
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body, json!({ "data": { "me": { "role": "director", "region": "330109" } } }));
}

#[tokio::test]
async fn nothing_is_answered_without_a_token_of_this_server() {
    let room = Room::without_views().await;
    let stranger = crate::TokenKey::new(&[7; 32]).unwrap();
    let claims = |key: &crate::TokenKey| {
        let token = room.token("director");
        assert!(key.verify(&token, crate::testing::now()).is_err());
        "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.e30.".to_owned()
    };
    for token in [String::new(), "rubbish".into(), claims(&stranger)] {
        let (status, headers, body) = room.send(request(&token, ME)).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(headers[header::WWW_AUTHENTICATE], "Bearer");
        assert_eq!(code(&body), "UNAUTHENTICATED");
        assert!(
            String::from_utf8_lossy(&body).contains("zhulu token"),
            "the answer says how to get a token"
        );
    }
    assert_eq!(KEY.len(), 32);
}

#[tokio::test]
async fn a_token_ends_when_it_says() {
    let room = Room::without_views().await;
    let token = room.token("director");
    room.clock.advance(chrono::TimeDelta::days(30));
    assert_eq!(room.send(request(&token, ME)).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn only_json_is_taken() {
    let room = Room::without_views().await;
    let token = room.token("director");
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=gbk",
        "",
    ] {
        let mut asked = request(&token, ME);
        asked.headers_mut().insert(header::CONTENT_TYPE, kind.parse().unwrap());
        assert_eq!(room.send(asked).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
    }
    let mut asked = request(&token, ME);
    asked
        .headers_mut()
        .insert(header::CONTENT_TYPE, "application/json; charset=UTF-8".parse().unwrap());
    assert_eq!(room.send(asked).await.0, StatusCode::OK);
}

#[tokio::test]
async fn nothing_is_executed_over_get() {
    let room = Room::without_views().await;
    let asked = Request::get("/graphql?query=%7B__typename%7D")
        .header(header::AUTHORIZATION, format!("Bearer {}", room.token("director")))
        .body(Body::empty())
        .unwrap();
    let (status, headers, _) = room.send(asked).await;
    assert_eq!(
        (status, headers[header::ALLOW].to_str().unwrap()),
        (StatusCode::METHOD_NOT_ALLOWED, "POST")
    );
}

#[tokio::test]
async fn malformed_requests_are_told_what_is_wrong() {
    let room = Room::without_views().await;
    let token = room.token("director");
    for body in [
        "",
        "no",
        "{",
        "{}",
        r#"{"query":7}"#,
        r#"{"query":"  "}"#,
        r#"{"query":"{me{role}}","variables":7}"#,
        r#"{"query":"{me{role}}","operationName":7}"#,
        r#"[{"query":"{me{role}}"}]"#,
    ] {
        let (status, _, answer) = room.send(request(&token, body)).await;
        assert_eq!(
            (status, code(&answer).as_str()),
            (StatusCode::BAD_REQUEST, "BAD_INPUT"),
            "{body}"
        );
    }
    let large = format!(
        r#"{{"query":"{{me{{role}}}}","padding":"{}"}}"#,
        "x".repeat(crate::limits::MAX_BODY_BYTES)
    );
    assert_eq!(room.send(request(&token, large)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn pages_of_others_may_not_call() {
    let room = Room::without_views().await;
    for (origin, status) in [
        ("http://evil.example", StatusCode::FORBIDDEN),
        ("null", StatusCode::FORBIDDEN),
        ("http://127.0.0.1:8080", StatusCode::OK),
    ] {
        let mut asked = request(&room.token("director"), ME);
        asked.headers_mut().insert(header::HOST, "127.0.0.1:8080".parse().unwrap());
        asked.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
        assert_eq!(room.send(asked).await.0, status, "{origin}");
    }
}

#[tokio::test]
async fn the_client_chooses_the_form_of_the_answer() {
    let room = Room::without_views().await;
    let token = room.token("director");
    let unknown = r#"{"query":"{ nothingOfTheKind }"}"#;
    for (accept, body, status) in [
        ("application/graphql-response+json", ME, StatusCode::OK),
        ("application/graphql-response+json", unknown, StatusCode::BAD_REQUEST),
        ("application/json", unknown, StatusCode::OK),
        ("*/*", unknown, StatusCode::OK),
        ("text/html", ME, StatusCode::NOT_ACCEPTABLE),
    ] {
        let mut asked = request(&token, body);
        asked.headers_mut().insert(header::ACCEPT, accept.parse().unwrap());
        let (answered, _, answer) = room.send(asked).await;
        assert_eq!(answered, status, "{accept} {body}");
        if body == unknown {
            assert_eq!(code(&answer), "", "an operation that cannot begin has no data");
        }
    }
}

#[tokio::test]
async fn an_operation_keeps_the_limits() {
    let room = Room::without_views().await;
    let token = room.token("director");
    let aliases = vec!["today"; 200]
        .iter()
        .enumerate()
        .map(|(number, field)| format!("a{number}: {field}"))
        .collect::<Vec<_>>()
        .join(" ");
    let deep = format!(
        "{{ __schema {{ types {{ fields {{ type {} name {} }} }} }} }}",
        "{ ofType ".repeat(12),
        "}".repeat(12)
    );
    let costly = "{ cases(first: 100) { nodes { timeline(first: 100) { title titleEn name } } } }";
    for query in [format!("{{ {aliases} }}"), deep, costly.to_owned()] {
        let (_, _, answer) = room.send(request(&token, json!({ "query": query }).to_string())).await;
        assert_eq!(code(&answer), "", "{query}");
    }
}

#[tokio::test]
async fn the_page_is_served_in_demo_mode_only() {
    let room = Room::without_views().await;
    let mut demo = Room::without_views().await;
    demo.router = crate::router(crate::ApiState {
        demo: true,
        ..room.state.clone()
    });
    let page = || Request::get("/graphql").body(Body::empty()).unwrap();
    assert_eq!(room.send(page()).await.0, StatusCode::METHOD_NOT_ALLOWED);
    let (status, headers, body) = demo.send(page()).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap()
            .contains("connect-src 'self'")
    );
    let body = String::from_utf8(body).unwrap();
    assert!(!body.contains("https://"), "the page loads nothing from elsewhere");
    let parts: Vec<_> = body.split('"').filter(|text| text.starts_with("/graphiql/")).collect();
    assert!(parts.len() > 3, "the page is made of parts: {parts:?}");
    for part in parts {
        let part = || Request::get(part).body(Body::empty()).unwrap();
        assert_eq!(demo.send(part()).await.0, StatusCode::OK);
        assert_eq!(room.send(part()).await.0, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn the_server_says_whether_it_lives_and_whether_it_is_ready() {
    let room = Room::without_views().await;
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(room.send(get("/livez")).await.0, StatusCode::OK);
    assert_eq!(room.send(get("/readyz")).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(room.send(get("/nowhere")).await.0, StatusCode::NOT_FOUND);
    let (status, _, sdl) = room.send(get("/schema.graphql")).await;
    assert_eq!(
        (status, String::from_utf8(sdl).unwrap()),
        (StatusCode::OK, crate::schema_sdl())
    );
}

#[tokio::test]
async fn views_that_do_not_answer_are_an_error_with_an_incident() {
    let room = Room::without_views().await;
    let answer = room
        .ask(&room.token("director"), "{ cases { nodes { id } } }", json!({}))
        .await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{answer:#}");
    assert!(answer["errors"][0]["extensions"]["incident"].is_string());
}
