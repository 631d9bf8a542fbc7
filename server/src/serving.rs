//! Serving HTTP until somebody asks to stop: the listener, the signals, the grace.

use std::{net::SocketAddr, sync::Arc};

use api::{ApiState, TokenKey};
use axum::Router;
use commands::outside::Clock;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinHandle,
};

use crate::{failure::Failure, handover, health, house::House, limits::Limits, place::Place, roles::Role};

/// A server that answers requests.
pub struct Serving {
    /// Where it answers.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    answering: JoinHandle<std::io::Result<()>>,
}

/// Answers requests on this listener with this house.
pub fn begin(
    house: &House,
    place: &Place,
    listener: TcpListener,
    clock: Arc<dyn Clock>,
    demo: bool,
    limits: &Limits,
) -> Result<Serving, Failure> {
    let address = listener
        .local_addr()
        .map_err(|error| Failure::doing("无法监听", "cannot listen", error))?;
    let tokens = TokenKey::new(&place.token_key()?)
        .map_err(|error| Failure::doing("令牌密钥不可用", "the token key is of no use", error))?;
    let state = ApiState {
        bureau: house.bureau().clone(),
        projections: house.projections().clone(),
        clock,
        tokens,
        demo,
        limits: api::limits::Limits::default(),
    };
    let desk = handover::Desk {
        rooms: house.rooms(),
        clock: state.clock.clone(),
        tokens: state.tokens.clone(),
        limits: limits.clone(),
    };
    let mut router = handover::router(desk).merge(health::router(house.needs()));
    if house.plays(Role::Api) {
        router = router.merge(api::router(state));
    }
    house.serves_at(address)?;
    Serving::of(listener, router)
}

impl Serving {
    /// Answers requests on this listener in this way.
    pub fn of(listener: TcpListener, router: Router) -> Result<Self, Failure> {
        let address = listener
            .local_addr()
            .map_err(|error| Failure::doing("无法监听", "cannot listen", error))?;
        let (stop, mut stopping) = watch::channel(false);
        let answering = tokio::spawn(async move {
            axum::serve(listener, router)
                .with_graceful_shutdown(async move {
                    // A sender that is gone asks to stop as well.
                    let _ = stopping.wait_for(|stop| *stop).await;
                })
                .await
        });
        Ok(Self {
            address,
            stop,
            answering,
        })
    }

    /// Takes no new requests, lets those under way finish for a while, and ends.
    pub async fn end(self, limits: &Limits) {
        let _ = self.stop.send(true);
        let abort = self.answering.abort_handle();
        match tokio::time::timeout(limits.shutdown_grace, self.answering).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::error!(%error, "serving ended with an error"),
            Ok(Err(error)) => tracing::error!(%error, "serving ended with a panic"),
            Err(_) => {
                abort.abort();
                tracing::info!("connections that stayed open were cut");
            }
        }
    }
}

/// Takes the address, or says what to do.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(
            format!("无法监听 {address}：{error}；换一个地址，例如 --listen 127.0.0.1:0"),
            format!("cannot listen on {address}: {error}; choose another address, such as --listen 127.0.0.1:0"),
        )
    })
}

/// Waits for Ctrl-C or a service manager's SIGTERM.
pub async fn asked_to_stop() -> Result<(), Failure> {
    let failed = |error| Failure::doing("无法接收信号", "signals cannot be received", error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
