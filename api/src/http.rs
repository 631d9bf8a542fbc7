//! GraphQL over HTTP: one POST, one JSON object, one answer.
//!
//! Nothing is executed over GET, there are no batches, and a request must say that it is JSON: a foreign page can
//! then not make a browser send it. The order of the checks is that of their cost.

#![allow(
    clippy::result_large_err,
    reason = "an early answer is an answer: it is made once and sent, not passed around"
)]

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_graphql::{Response, Variables};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response as HttpResponse},
    routing::{any, get},
};
use futures_util::{FutureExt, StreamExt};
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    ApiState, Schema,
    auth::{Principal, TokenError, bearer},
    documents::Documents,
    errors::{Code, incident},
    limits::MAX_BODY_BYTES,
    websocket,
};

/// What every request comes through.
pub(crate) struct Door {
    pub(crate) state: ApiState,
    pub(crate) schema: Schema,
    pub(crate) subscriptions: Arc<Semaphore>,
    sdl: String,
    documents: Documents,
    admitted: Semaphore,
    waiting: AtomicUsize,
}

/// The way in over HTTP: `/graphql`, `/graphql/ws`, `/schema.graphql`, `/livez`, `/readyz`.
pub fn router(state: ApiState) -> Router {
    let schema = crate::schema(state.clone());
    let door = Arc::new(Door {
        subscriptions: Arc::new(Semaphore::new(state.limits.subscriptions_at_once)),
        sdl: crate::schema_sdl(),
        documents: Documents::default(),
        admitted: Semaphore::new(state.limits.requests_at_once),
        waiting: AtomicUsize::new(0),
        schema,
        state,
    });
    let mut router = Router::new()
        .route("/graphql", any(graphql))
        .route("/graphql/ws", get(websocket::upgrade))
        .route("/schema.graphql", get(sdl))
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready));
    if door.state.demo {
        router = router.route("/graphiql/{part}", get(crate::graphiql::part));
    }
    router
        .fallback(|| async {
            refusal(
                StatusCode::NOT_FOUND,
                Code::BadInput,
                "此处没有服务；接口在 /graphql / nothing here; the API is at /graphql",
            )
        })
        .layer(middleware::from_fn(guarded_headers))
        .with_state(door)
}

/// A refusal before GraphQL has begun: the shape of a GraphQL error, so that clients have one way to read it.
pub(crate) fn refusal(status: StatusCode, code: Code, message: impl std::fmt::Display) -> HttpResponse {
    let body = serde_json::json!({ "errors": [{ "message": message.to_string(), "extensions": { "code": code.as_str() } }] });
    (
        status,
        [(header::CONTENT_TYPE, "application/json; charset=utf-8")],
        body.to_string(),
    )
        .into_response()
}

async fn graphql(State(door): State<Arc<Door>>, method: Method, headers: HeaderMap, body: Body) -> HttpResponse {
    match method {
        Method::POST => match answer(&door, &headers, body).await {
            Ok(response) | Err(response) => response,
        },
        Method::GET if door.state.demo => crate::graphiql::page().into_response(),
        _ => {
            let mut response = refusal(
                StatusCode::METHOD_NOT_ALLOWED,
                Code::BadInput,
                "请用 POST 发送 JSON / operations are sent by POST as JSON; nothing is executed over other methods",
            );
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
            response
        }
    }
}

/// One operation, from its bytes to its answer. Both arms are answers; an error is one that came early.
async fn answer(door: &Door, headers: &HeaderMap, body: Body) -> Result<HttpResponse, HttpResponse> {
    check_origin(headers, &door.state.limits.allowed_origins)?;
    let principal = caller(door, headers)?;
    check_content_type(headers)?;
    let form = AnswerForm::accepted(headers)?;
    let deadline = door.state.limits.request_timeout;
    let work = AssertUnwindSafe(async {
        let asked = Asked::read(&read_body(headers, body).await?)?;
        let _turn = door.turn().await?;
        Ok(door.execute(asked, principal, form).await)
    });
    match tokio::time::timeout(deadline, work.catch_unwind()).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_panic)) => {
            let incident = incident(&"a resolver panicked");
            Err(refusal(
                StatusCode::INTERNAL_SERVER_ERROR,
                Code::Internal,
                format!("系统内部错误 / internal error, incident {incident}"),
            ))
        }
        Err(_late) => Err(refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::Timeout,
            format!("处理超时 / given up after {} s; ask for less at once", deadline.as_secs()),
        )),
    }
}

impl Door {
    /// Waits for a turn, if not too many wait already.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, HttpResponse> {
        if let Ok(permit) = self.admitted.try_acquire() {
            return Ok(permit);
        }
        let busy = || {
            let mut response = refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                Code::Unavailable,
                "请求过多，请稍后重试 / too many requests wait already; come again in a second",
            );
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            response
        };
        let _waiting = Waiting::join(&self.waiting, self.state.limits.requests_waiting).ok_or_else(busy)?;
        self.admitted.acquire().await.map_err(|_| busy())
    }

    async fn execute(&self, asked: Asked, principal: Principal, form: AnswerForm) -> HttpResponse {
        if let Some(bytes) = self.documents.hot(&self.state, &asked, &principal).await {
            return form.bytes(StatusCode::OK, bytes);
        }
        let Asked {
            query,
            operation_name,
            variables,
        } = asked;
        let (mut request, unknown) = self.documents.request(query);
        request.operation_name = operation_name;
        request.variables = variables.unwrap_or_default();
        let response = self.schema.execute(request.data(principal)).await;
        if let Some(unknown) = unknown
            && !is_request_error(&response)
        {
            self.documents.remember(unknown);
        }
        form.answer(&response)
    }
}

/// A place among those who wait; given back when it is dropped, however the waiting ends.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn join(waiting: &'a AtomicUsize, limit: usize) -> Option<Self> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(waiting);
        (before < limit).then_some(place)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The body of a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asked {
    pub(crate) query: String,
    #[serde(default)]
    pub(crate) operation_name: Option<String>,
    #[serde(default)]
    pub(crate) variables: Option<Variables>,
}

impl Asked {
    fn read(body: &[u8]) -> Result<Self, HttpResponse> {
        let bad = |why: String| refusal(StatusCode::BAD_REQUEST, Code::BadInput, format!("请求格式错误 / {why}"));
        match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => {}
            Some(b'[') => return Err(bad("batches are not taken; send one operation per request".into())),
            _ => return Err(bad("the body is one JSON object with a `query`".into())),
        }
        let asked: Self = serde_json::from_slice(body).map_err(|cause| bad(format!("the body cannot be read: {cause}")))?;
        if asked.query.trim().is_empty() {
            return Err(bad("the `query` is empty".into()));
        }
        Ok(asked)
    }
}

/// How the client wants its answer (GraphQL over HTTP, §6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerForm {
    /// `application/json`: every well-formed request is answered with 200.
    Json,
    /// `application/graphql-response+json`: an operation that could not begin is answered with 400.
    GraphqlResponse,
}

impl AnswerForm {
    fn accepted(headers: &HeaderMap) -> Result<Self, HttpResponse> {
        let Some(accept) = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()) else {
            return Ok(Self::Json);
        };
        let mut json = false;
        for kind in accept.split(',') {
            match kind.split(';').next().unwrap_or_default().trim() {
                "application/graphql-response+json" => return Ok(Self::GraphqlResponse),
                "application/json" | "application/*" | "*/*" => json = true,
                _ => {}
            }
        }
        if json {
            return Ok(Self::Json);
        }
        Err(refusal(
            StatusCode::NOT_ACCEPTABLE,
            Code::BadInput,
            "answers are application/graphql-response+json or application/json",
        ))
    }

    fn content_type(self) -> HeaderValue {
        match self {
            Self::Json => HeaderValue::from_static("application/json; charset=utf-8"),
            Self::GraphqlResponse => HeaderValue::from_static("application/graphql-response+json; charset=utf-8"),
        }
    }

    fn bytes(self, status: StatusCode, body: impl Into<Bytes>) -> HttpResponse {
        (status, [(header::CONTENT_TYPE, self.content_type())], Body::from(body.into())).into_response()
    }

    fn answer(self, response: &Response) -> HttpResponse {
        let early = is_request_error(response);
        let status = if early && self == Self::GraphqlResponse {
            StatusCode::BAD_REQUEST
        } else {
            StatusCode::OK
        };
        let body = if early {
            serde_json::to_vec(&serde_json::json!({ "errors": response.errors }))
        } else {
            serde_json::to_vec(response)
        };
        match body {
            Ok(body) => self.bytes(status, body),
            Err(cause) => {
                let incident = incident(&cause);
                refusal(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    Code::Internal,
                    format!("internal error, incident {incident}"),
                )
            }
        }
    }
}

/// Whether the operation could not even begin: it does not parse, does not fit the schema, or breaks a limit.
fn is_request_error(response: &Response) -> bool {
    response.data == async_graphql::Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}

/// Whose token came with the request.
fn caller(door: &Door, headers: &HeaderMap) -> Result<Principal, HttpResponse> {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(bearer)
        .ok_or(TokenError::Missing)
        .and_then(|token| door.state.tokens.verify(token, door.state.clock.now()))
        .map_err(|why| {
            let mut response = refusal(StatusCode::UNAUTHORIZED, Code::Unauthenticated, unauthenticated(&why));
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            response
        })
}

/// Says what is wrong with a token and how to get a good one.
pub(crate) fn unauthenticated(why: &TokenError) -> String {
    format!(
        "未通过身份验证。请用 `zhulu token --role … --name … --region …` 生成令牌，并以 `Authorization: Bearer …` 发送 / {why}; \
         make one with `zhulu token` on the server and send it as `Authorization: Bearer …`"
    )
}

fn check_content_type(headers: &HeaderMap) -> Result<(), HttpResponse> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut parts = kind.split(';');
    let json = parts
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"));
    let utf8 = parts.all(|parameter| match parameter.trim().split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("charset") => value.trim_matches('"').eq_ignore_ascii_case("utf-8"),
        _ => true,
    });
    if json && utf8 {
        return Ok(());
    }
    Err(refusal(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::BadInput,
        "请以 Content-Type: application/json 发送 / send the operation as `Content-Type: application/json`",
    ))
}

/// A browser says from which page a request comes; pages of others may not call.
pub(crate) fn check_origin(headers: &HeaderMap, allowed: &[String]) -> Result<(), HttpResponse> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().unwrap_or_default();
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let own = origin
        .split_once("://")
        .is_some_and(|(_, authority)| !host.is_empty() && authority.eq_ignore_ascii_case(host));
    if own || allowed.iter().any(|known| known == origin) {
        return Ok(());
    }
    Err(refusal(
        StatusCode::FORBIDDEN,
        Code::Forbidden,
        format!("pages of {origin} may not call this server; add the origin to its allowed origins"),
    ))
}

async fn read_body(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, HttpResponse> {
    let too_large = || {
        refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            Code::BadInput,
            format!("请求过大 / a request has at most {MAX_BODY_BYTES} bytes; send files by their hash, not in the operation"),
        )
    };
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok())
        .unwrap_or(0);
    if announced > MAX_BODY_BYTES {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(announced);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|cause| {
            refusal(
                StatusCode::BAD_REQUEST,
                Code::BadInput,
                format!("the body broke off: {cause}"),
            )
        })?;
        if bytes.len() + piece.len() > MAX_BODY_BYTES {
            return Err(too_large());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

async fn sdl(State(door): State<Arc<Door>>) -> HttpResponse {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], door.sdl.clone()).into_response()
}

/// Ready when the views answer; a view that is being rebuilt or stopped is shown by `views`, and does not take the rest down.
async fn ready(State(door): State<Arc<Door>>) -> HttpResponse {
    match crate::views::database_answers(&door.state).await {
        Ok(()) => "ready\n".into_response(),
        Err(why) => refusal(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, why),
    }
}

/// Headers that keep a browser from doing with our answers what they are not for.
async fn guarded_headers(request: axum::extract::Request, next: Next) -> HttpResponse {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
