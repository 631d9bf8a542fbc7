//! How the command line hands an errand over to the server that has the store: one POST with a token that only whoever can
//! read the data directory can make; the answer is a line of JSON for each thing that the server says.

use std::{
    convert::Infallible,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    sync::Arc,
};

use api::{Claims, TokenKey, auth};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use chrono::{DateTime, TimeDelta, Utc};
use commands::{outside::Clock, permission};
use domain::metadata::Channel;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::{
    errand::{Errand, Outcome, Rooms, Tell},
    failure::Failure,
    limits::Limits,
    place::Place,
};

/// Where errands are taken.
const PATH: &str = "/errands";
/// How long the token of an errand is good for: it is used at once.
const TOKEN_SECONDS: i64 = 60;
/// How many lines may wait for a slow reader; progress is left out before that.
const LINES_WAITING: usize = 64;

/// One thing that the server says about an errand.
#[derive(Debug, Serialize, Deserialize)]
enum Said {
    Progress { done: u64, total: u64 },
    Done(Box<Outcome>),
    Failed(Failure),
}

/// What the server needs to carry out errands.
#[derive(Clone)]
pub struct Desk {
    /// What it has to do them with.
    pub rooms: Rooms,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Whose tokens are accepted.
    pub tokens: TokenKey,
    /// What the process allows itself.
    pub limits: Limits,
}

/// The way in for errands.
pub fn router(desk: Desk) -> Router {
    Router::new().route(PATH, post(take)).with_state(desk)
}

async fn take(State(desk): State<Desk>, headers: HeaderMap, Json(errand): Json<Errand>) -> Response {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(auth::bearer);
    let caller = token.map(|token| desk.tokens.verify(token, desk.clock.now()));
    if !matches!(caller, Some(Ok(principal)) if principal.actor.role == permission::MIGRATION) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let (say, said) = mpsc::channel::<Said>(LINES_WAITING);
    tokio::spawn(async move {
        let telling = say.clone();
        // Progress that nobody reads in time is left out.
        let tell: Tell = Arc::new(move |done, total| drop(telling.try_send(Said::Progress { done, total })));
        let done = errand.carry_out(&desk.rooms, desk.clock.as_ref(), &desk.limits, tell).await;
        let last = done.map_or_else(Said::Failed, |outcome| Said::Done(Box::new(outcome)));
        // Somebody who went away is told nothing; what was done stays done.
        let _ = say.send(last).await;
    });
    let lines = stream::unfold(said, |mut said| async move {
        let mut line = serde_json::to_vec(&said.recv().await?).unwrap_or_default();
        line.push(b'\n');
        Some((Ok::<Bytes, Infallible>(Bytes::from(line)), said))
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

/// Hands an errand over to the server at this address and waits for its outcome.
pub async fn hand_over(
    place: &Place,
    address: SocketAddr,
    errand: &Errand,
    now: DateTime<Utc>,
    tell: Tell,
) -> Result<Outcome, Failure> {
    let token = token(place, now)?;
    let body = serde_json::to_string(errand).map_err(no_answer)?;
    tokio::task::spawn_blocking(move || ask(address, &token, &body, &tell))
        .await
        .map_err(no_answer)?
}

fn ask(address: SocketAddr, token: &str, body: &str, tell: &Tell) -> Result<Outcome, Failure> {
    let mut response = ureq::post(format!("http://{address}{PATH}"))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .send(body)
        .map_err(no_answer)?;
    for line in BufReader::new(response.body_mut().as_reader()).lines() {
        match serde_json::from_str(&line.map_err(no_answer)?).map_err(no_answer)? {
            Said::Progress { done, total } => tell(done, total),
            Said::Done(outcome) => return Ok(*outcome),
            Said::Failed(failure) => return Err(failure),
        }
    }
    Err(no_answer("服务中途停止 / the server stopped before it was done"))
}

fn token(place: &Place, now: DateTime<Utc>) -> Result<String, Failure> {
    let unusable = |error| Failure::doing("令牌密钥不可用", "the token key is of no use", error);
    let claims = Claims {
        sub: "zhulu".to_owned(),
        name: "zhulu".to_owned(),
        role: permission::MIGRATION.to_owned(),
        org: String::new(),
        region: "000000".to_owned(),
        channel: Channel::Migration,
        exp: (now + TimeDelta::seconds(TOKEN_SECONDS)).timestamp(),
        iat: now.timestamp(),
        aud: auth::AUDIENCE.to_owned(),
    };
    TokenKey::new(&place.token_key()?)
        .and_then(|key| key.sign(&claims))
        .map_err(unusable)
}

fn no_answer(error: impl std::fmt::Display) -> Failure {
    Failure::new(
        format!("运行中的服务没有完成此事：{error}；再次运行同一命令会接着做"),
        format!("the running server did not finish this: {error}; the same command again goes on from there"),
    )
}
