//! GraphiQL at `/graphql` in demo mode: write an operation, send it, look at the schema. All of it comes from this program,
//! so it works on a machine without a network.

use axum::{
    extract::Path,
    http::{HeaderName, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

/// What the page may do: run the scripts of its own server, call it, and nothing else. The editor sets styles in place.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// How long a browser keeps the scripts.
const KEEP: &str = "private, max-age=3600";

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

const HEADERS: [(HeaderName, &str); 1] = [(header::CONTENT_SECURITY_POLICY, POLICY)];

/// What the page is made of, compressed; see `assets/graphiql/README.md`.
const PARTS: [(&str, &str, &[u8]); 5] = [
    ("graphiql.js", SCRIPT, include_bytes!("../assets/graphiql/graphiql.js.gz")),
    ("graphiql.css", STYLE, include_bytes!("../assets/graphiql/graphiql.css.gz")),
    ("react.js", SCRIPT, include_bytes!("../assets/graphiql/react.js.gz")),
    ("react-dom.js", SCRIPT, include_bytes!("../assets/graphiql/react-dom.js.gz")),
    ("graphql-ws.js", SCRIPT, include_bytes!("../assets/graphiql/graphql-ws.js.gz")),
];

pub(crate) fn page() -> impl IntoResponse {
    (HEADERS, Html(include_str!("graphiql.html")))
}

/// A script or a style of the page.
pub(crate) async fn part(Path(name): Path<String>) -> Response {
    if name == "page.js" {
        return ([(header::CONTENT_TYPE, SCRIPT)], include_str!("graphiql.js")).into_response();
    }
    match PARTS.iter().find(|(known, ..)| *known == name) {
        Some((_, kind, bytes)) => (
            [
                (header::CONTENT_TYPE, *kind),
                (header::CONTENT_ENCODING, "gzip"),
                (header::CACHE_CONTROL, KEEP),
            ],
            *bytes,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
