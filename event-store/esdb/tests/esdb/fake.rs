//! Servers that answer as a test wants.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use tokio::net::TcpListener;

pub(crate) type Answer = Response<BoxBody<Bytes, Infallible>>;

fn answer(body: BoxBody<Bytes, Infallible>) -> Answer {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/grpc"));
    response
}

/// No message, and success.
pub(crate) fn nothing() -> Answer {
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))]);
    let body = Full::new(Bytes::new()).with_trailers(async { Some(Ok(trailers)) });
    answer(BodyExt::boxed(body))
}

/// A status, and what goes with it.
pub(crate) fn refusal(code: &'static str, more: &[(&'static str, String)]) -> Answer {
    let mut response = answer(BodyExt::boxed(Full::new(Bytes::new())));
    let headers = response.headers_mut();
    headers.insert("grpc-status", HeaderValue::from_static(code));
    for (name, value) in more {
        headers.insert(HeaderName::from_static(name), value.parse().unwrap());
    }
    response
}

/// There is no such method.
pub(crate) fn unimplemented() -> Answer {
    refusal("12", &[])
}

/// Answers every call by its path, on every connection.
pub(crate) async fn serve(answers: impl Fn(&str) -> Answer + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answers = Arc::new(answers);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let answers = answers.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request: Request<Incoming>| {
                    let answer = answers(request.uri().path());
                    async move { Ok::<_, Infallible>(answer) }
                });
                // A client that goes away is nobody's trouble here.
                let _ = Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(socket), service)
                    .await;
            });
        }
    });
    address
}
