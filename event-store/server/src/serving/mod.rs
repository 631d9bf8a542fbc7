//! Taking connections and calls: one port for gRPC and for the few HTTP pages that tools look at.

mod calls;
mod deadline;
mod pages;
mod quick;

use std::{convert::Infallible, net::IpAddr, sync::Arc, time::Duration};

use http::{HeaderValue, Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use crate::{
    Desk,
    access::CAME_FROM,
    serving::{calls::Calls, quick::QuickAck},
};

/// Calls that one connection may have open: a busy client sends each append as one.
const MAX_CONCURRENT_STREAMS: u32 = 16_384;
/// What may be on its way to us on one connection, and in one call of it, before we take it.
const CONNECTION_WINDOW_BYTES: u32 = 16 * 1024 * 1024;
const STREAM_WINDOW_BYTES: u32 = 2 * 1024 * 1024;
/// As often we ask a silent client whether it lives, and wait so long for its answer.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// After a failed accept (too many open files, mostly) we wait a little for others to go.
const AFTER_A_FAILED_ACCEPT: Duration = Duration::from_millis(100);
/// Connections that wait to be accepted are not lost, but their clients time out: so many at once are served.
const MAX_CONNECTIONS: usize = 10_000;

/// Who takes longer to agree on TLS keeps a place that others need.
const MAX_HANDSHAKE: Duration = Duration::from_secs(10);

/// The running accept loop.
pub(crate) struct Serving {
    stop: watch::Sender<bool>,
    accepting: JoinHandle<GracefulShutdown>,
    /// Gone, it cuts off whoever has not ended by itself.
    cut: watch::Sender<()>,
}

impl Serving {
    pub(crate) fn start(listener: TcpListener, desk: Arc<Desk>, stop: watch::Sender<bool>) -> Self {
        let (cut, uncut) = watch::channel(());
        let accepting = tokio::spawn(accept(listener, desk, uncut));
        Self { stop, accepting, cut }
    }

    /// Ends what is endless, lets the rest end by itself for a while.
    pub(crate) async fn stop(mut self, grace: Duration) {
        self.stop.send_replace(true);
        let Ok(connections) = (&mut self.accepting).await else {
            return;
        };
        let _ = tokio::time::timeout(grace, connections.shutdown()).await;
        // Whoever has not ended in time is cut off; those who have are gone already.
        self.cut.send_replace(());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// How a connection hears of the end: that it should end, and that it has to.
struct Watched {
    graceful: Watcher,
    uncut: watch::Receiver<()>,
}

async fn accept(listener: TcpListener, desk: Arc<Desk>, uncut: watch::Receiver<()>) -> GracefulShutdown {
    let calls = Calls::new(&desk);
    let connections = GracefulShutdown::new();
    let stopped = desk.stopped();
    tokio::pin!(stopped);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stopped => return connections,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((connection, from)) if connections.count() < MAX_CONNECTIONS => {
                let watcher = Watched {
                    graceful: connections.watcher(),
                    uncut: uncut.clone(),
                };
                serve(connection, from.ip(), &calls, &desk, watcher);
            }
            Ok(_) => tracing::warn!("the protocol server has {MAX_CONNECTIONS} connections: another one was refused"),
            Err(error) => {
                tracing::warn!(%error, "the protocol server could not take a connection");
                tokio::time::sleep(AFTER_A_FAILED_ACCEPT).await;
            }
        }
    }
}

fn serve(connection: TcpStream, from: IpAddr, calls: &Calls, desk: &Arc<Desk>, watcher: Watched) {
    // Small answers must not wait for others.
    if let Err(error) = connection.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    let connection = QuickAck::new(connection);
    let Some(tls) = &desk.tls else {
        tokio::spawn(converse(connection, from, calls.clone(), desk.clone(), watcher));
        return;
    };
    let handshake = tokio::time::timeout(MAX_HANDSHAKE, tls.acceptor(desk.now()).accept(connection));
    let (calls, desk) = (calls.clone(), desk.clone());
    tokio::spawn(async move {
        match handshake.await {
            Ok(Ok(connection)) => converse(connection, from, calls, desk, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, %from, "a connection did not come to terms about TLS"),
            Err(_) => tracing::debug!(%from, "a connection took too long to come to terms about TLS"),
        }
    });
}

/// Serves one connection until it ends.
async fn converse(
    connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    from: IpAddr,
    calls: Calls,
    desk: Arc<Desk>,
    watcher: Watched,
) {
    let _counted = desk.figures.connections.one_more();
    let Ok(from) = HeaderValue::try_from(from.to_string()) else {
        return;
    };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT);
    builder.http1().timer(TokioTimer::new());
    let service = TowerToHyperService::new(tower::service_fn(move |mut request: Request<Incoming>| {
        request.headers_mut().insert(CAME_FROM, from.clone());
        let mut calls = calls.clone();
        async move { Ok::<_, Infallible>(calls.answer(request).await) }
    }));
    let connection = builder.serve_connection(TokioIo::new(connection), service);
    let Watched { graceful, mut uncut } = watcher;
    tokio::select! {
        ended = graceful.watch(connection.into_owned()) => {
            if let Err(error) = ended {
                tracing::debug!(error, "a connection ended badly");
            }
        }
        // Also when the server is gone.
        _ = uncut.changed() => tracing::debug!("a connection was cut off"),
    }
}
