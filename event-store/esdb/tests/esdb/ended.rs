//! A server that ends every subscription well, which the client does not survive by itself.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use event_store_contract::{EventStore as _, Filter};
use event_store_esdb::EsdbStore;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{body::Bytes, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use tokio::{net::TcpListener, sync::watch};

use crate::house::url;

type Answer = Response<BoxBody<Bytes, Infallible>>;

fn answer(body: BoxBody<Bytes, Infallible>) -> Answer {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/grpc"));
    response
}

/// No message, and success.
fn nothing() -> Answer {
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))]);
    let body = Full::new(Bytes::new()).with_trailers(async { Some(Ok(trailers)) });
    answer(BodyExt::boxed(body))
}

/// There is no such method.
fn unimplemented() -> Answer {
    let mut response = answer(BodyExt::boxed(Full::new(Bytes::new())));
    response.headers_mut().insert("grpc-status", HeaderValue::from_static("12"));
    response
}

#[tokio::test]
async fn a_subscription_that_is_ended_well_is_begun_again_and_nothing_spins() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (told, mut reads) = watch::channel(0_u32);
    let told = Arc::new(told);
    let connections = Arc::new(AtomicU32::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            let told = told.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                    let is_read = request.uri().path().ends_with("/Read");
                    if is_read {
                        told.send_modify(|reads| *reads += 1);
                    }
                    async move { Ok::<_, Infallible>(if is_read { nothing() } else { unimplemented() }) }
                });
                let _ = Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(socket), service)
                    .await;
            });
        }
    });
    let store = EsdbStore::connect(&url(address)).await.unwrap();
    let mut follower = store.follow(None, Filter::all()).await.unwrap();
    // One read for the head, then a page and a subscription each time.
    let many = reads.wait_for(|reads| *reads >= 9);
    tokio::select! {
        many = many => { many.unwrap(); }
        page = follower.next(1) => panic!("there is nothing to follow, and {page:?} came"),
        () = tokio::time::sleep(Duration::from_secs(60)) => panic!("the follower did not begin again"),
    }
    assert_eq!(
        connections.load(Ordering::Relaxed),
        1,
        "the connection was of use all the time"
    );
}
