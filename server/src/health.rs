//! Whether a process lives, and whether it can do its work: what a proxy or a service manager asks again and again.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use event_store_contract::EventStore;
use projections::Database;

/// The longest that the store and the database may take to answer before we say that we are not ready.
const MAX_ANSWER: Duration = Duration::from_secs(2);

/// What a process cannot work without.
#[derive(Clone)]
pub struct Needs {
    /// The event store.
    pub store: Arc<dyn EventStore>,
    /// The database of the views.
    pub database: Database,
}

/// `/health/live` and `/health/ready`; nobody needs a token for them, and they tell nothing else.
pub fn router(needs: Needs) -> Router {
    Router::new()
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .with_state(needs)
}

async fn ready(State(needs): State<Needs>) -> impl IntoResponse {
    let both = async {
        let (head, row) = tokio::join!(needs.store.head(), needs.database.query("select 1", &[]));
        if let Err(cause) = head {
            tracing::warn!(%cause, "not ready: the event store does not answer");
            return Err("the event store does not answer\n");
        }
        if let Err(cause) = row {
            tracing::warn!(%cause, "not ready: the database of the views does not answer");
            return Err("the database of the views does not answer\n");
        }
        Ok("ready\n")
    };
    match tokio::time::timeout(MAX_ANSWER, both).await {
        Ok(Ok(ready)) => (StatusCode::OK, ready),
        Ok(Err(why)) => (StatusCode::SERVICE_UNAVAILABLE, why),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "no answer in time\n"),
    }
}
