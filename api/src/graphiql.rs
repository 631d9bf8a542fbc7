//! The page at `/graphql` in demo mode: write an operation, send it, look at the schema. One file, nothing from elsewhere:
//! it works on a machine without a network.

use axum::{
    http::{HeaderName, header},
    response::{Html, IntoResponse},
};

/// What the page may do: run its own script, call its own server, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 1] = [(header::CONTENT_SECURITY_POLICY, POLICY)];

pub(crate) fn page() -> impl IntoResponse {
    (HEADERS, Html(include_str!("graphiql.html")))
}
