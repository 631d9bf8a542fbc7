//! A whole room for tests: a store in memory, a clock that stands still, views in a PostgreSQL of our own when asked for.
#![allow(clippy::unwrap_used, reason = "tests say what is true; a panic says what is not")]

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use commands::{Bureau, Envelope, ManualClock};
use domain::{
    case::{Command, ImportDecision},
    metadata::{Actor, Channel, bureau_midnight},
};
use event_store_contract::{EventStore, MemoryStore};
use private_postgres::PrivatePostgres;
use projections::Projections;
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt;
use uuid::Uuid;

use crate::{ApiState, Claims, Limits, TokenKey, router};

pub(crate) const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
pub(crate) const REGION: &str = "330109";
pub(crate) const APPLICANT: &str = "91110000600037341L";

/// The moment at which all tests play: a Tuesday morning.
pub(crate) fn now() -> DateTime<Utc> {
    bureau_midnight("2026-03-10".parse().unwrap()) + TimeDelta::hours(10)
}

/// A room and what it stands on.
pub(crate) struct Room {
    pub(crate) state: ApiState,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) router: Router,
    #[allow(dead_code, reason = "held for as long as the room lives")]
    postgres: Option<(PrivatePostgres, tempfile::TempDir)>,
    #[allow(dead_code, reason = "held for as long as the room lives")]
    running_views: Option<watch::Sender<bool>>,
}

impl Room {
    /// A room whose views cannot be reached.
    pub(crate) async fn without_views() -> Self {
        let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
        let views = Projections::look(
            "postgresql://nobody@127.0.0.1:1/none",
            store.clone(),
            projections::views::all(),
        )
        .unwrap();
        Self::over(store, views).await
    }

    /// A room whose views follow the log.
    pub(crate) async fn with_views() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let postgres = PrivatePostgres::start(directory.path()).await.unwrap();
        let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new());
        let views = Projections::open(postgres.url(), store.clone(), projections::views::all())
            .await
            .unwrap();
        let (stop, stopped) = watch::channel(false);
        let running = views.clone();
        tokio::spawn(async move { running.run(stopped).await });
        let mut room = Self::over(store, views).await;
        room.postgres = Some((postgres, directory));
        room.running_views = Some(stop);
        room
    }

    async fn over(store: Arc<dyn EventStore>, projections: Projections) -> Self {
        let clock = Arc::new(ManualClock::at(now()));
        let state = ApiState {
            bureau: Bureau::open(store).await.unwrap(),
            projections,
            clock: clock.clone(),
            tokens: TokenKey::new(KEY).unwrap(),
            demo: false,
            limits: Limits {
                catch_up_timeout: std::time::Duration::from_secs(20),
                ..Limits::default()
            },
        };
        Self {
            router: router(state.clone()),
            state,
            clock,
            postgres: None,
            running_views: None,
        }
    }

    /// The same room behind a door that remembers nothing.
    pub(crate) fn behind_a_new_door(&self) -> Self {
        Self {
            state: self.state.clone(),
            clock: self.clock.clone(),
            router: router(self.state.clone()),
            postgres: None,
            running_views: None,
        }
    }

    /// A token of this role, in the tests' own region.
    pub(crate) fn token(&self, role: &str) -> String {
        self.token_in(role, REGION)
    }

    /// A token of this role in a region.
    pub(crate) fn token_in(&self, role: &str, region: &str) -> String {
        let claims = Claims {
            sub: format!("{role}-1"),
            name: role.into(),
            role: role.into(),
            org: if role == "applicant" {
                APPLICANT.into()
            } else {
                "11330109002514224B".into()
            },
            region: region.into(),
            channel: if role == "applicant" { Channel::Web } else { Channel::Window },
            exp: now().timestamp() + 86_400 * 30,
            iat: now().timestamp(),
            aud: "zhulu".into(),
        };
        self.state.tokens.sign(&claims).unwrap()
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> (StatusCode, axum::http::HeaderMap, Vec<u8>) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        (
            status,
            headers,
            to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec(),
        )
    }

    /// The bytes that answer an operation.
    pub(crate) async fn bytes(&self, token: &str, query: &str, variables: &Value) -> Vec<u8> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = Request::post("/graphql")
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.into())
            .unwrap();
        self.send(request).await.2
    }

    /// The answer to an operation.
    pub(crate) async fn ask(&self, token: &str, query: &str, variables: Value) -> Value {
        serde_json::from_slice(&self.bytes(token, query, &variables).await).unwrap()
    }

    /// The data that answers an operation without errors.
    #[track_caller]
    pub(crate) fn data(answer: &Value) -> &Value {
        assert!(answer.get("errors").is_none(), "{answer:#}");
        &answer["data"]
    }

    /// Brings in cases of a former system, and waits until they are shown.
    pub(crate) async fn import(&self, cases: u32) {
        let actor = Actor {
            id: "migration".into(),
            name: "数据迁移".into(),
            role: "migration".into(),
            organisation: String::new(),
            channel: Channel::Migration,
            on_behalf_of: None,
        };
        let mut position = None;
        for number in 0..cases {
            let submitted_on: NaiveDate = "2024-01-01".parse::<NaiveDate>().unwrap() + TimeDelta::days(i64::from(number / 3));
            let command = Command::ImportCase {
                batch: "样例".into(),
                source: "permits".into(),
                legacy_id: format!("L\"{number:04}"),
                item_code: "construction-permit".into(),
                attributes: [("city".to_owned(), format!("City {}", number % 3))].into(),
                submitted_at: bureau_midnight(submitted_on),
                activity: None,
                resource: None,
                steps: Vec::new(),
                decision: (number % 2 == 0).then(|| ImportDecision {
                    granted: true,
                    licence_no: Some(format!("P-{number}")),
                    at: bureau_midnight(submitted_on + TimeDelta::days(30)),
                }),
            };
            let case_id = Uuid::from_u128(u128::from(number) + 1);
            let envelope = Envelope::new(Uuid::new_v4(), actor.clone(), REGION, now());
            let done = self
                .state
                .bureau
                .to_any_case("constructionPermit", case_id, command, &envelope)
                .await
                .unwrap();
            position = done.position.or(position);
        }
        let wait = std::time::Duration::from_secs(60);
        assert!(self.state.projections.caught_up("all", position.unwrap(), wait).await);
    }
}
