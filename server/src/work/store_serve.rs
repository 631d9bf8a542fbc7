//! `zhulu store serve`: the event store and its protocol server alone, for Zhulu's processes elsewhere and for anybody
//! who has the right to.

use std::sync::Arc;

use api::TokenKey;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    cli::{EsdbArgs, PlaceArgs},
    clock::SystemClock,
    errand::Rooms,
    failure::Failure,
    handover,
    limits::Limits,
    place::{Place, Running},
    protocol::{self, OwnStreamsAre},
    serving,
    store::{self, StoreAddress},
};

/// Serves until SIGINT or SIGTERM.
pub async fn run(args: &PlaceArgs, place: &Place, esdb: &EsdbArgs) -> Result<(), Failure> {
    if store::address(args)? != StoreAddress::Embedded {
        return Err(Failure::new(
            "zhulu store serve 提供数据目录里的内置事件库；请去掉 --store",
            "zhulu store serve serves the embedded store of the data directory; leave --store out",
        ));
    }
    let limits = Limits::default();
    let embedded = store::open_directory(&place.events())?;
    let esdb = EsdbArgs {
        // A server that serves nothing else has to get its port.
        listen: Some(esdb.listen.unwrap_or(protocol::USUAL_ADDRESS)),
        ..esdb.clone()
    };
    let Some(server) = protocol::begin(&embedded, place, &esdb, OwnStreamsAre::Shared).await? else {
        return Err(Failure::new("无法对外提供事件库", "the event store cannot be served"));
    };
    let errands = take_errands(place, &embedded, &limits).await?;
    protocol::introduce(&server, &esdb);
    println!("就绪 / ready: 数据 / data: {}", place.directory().display());
    let asked = tokio::select! {
        asked = serving::asked_to_stop() => asked,
        () = protocol::asked_to_stop(Some(&server)) => Ok(()),
    };
    tracing::info!("stopping");
    protocol::end(Some(server), &limits).await;
    drop(errands);
    place.forget_running();
    let closed = tokio::task::spawn_blocking(move || embedded.close()).await;
    closed
        .map_err(|error| error.to_string())
        .and_then(|closed| closed.map_err(|error| error.to_string()))
        .map_err(|error| Failure::doing("关不上事件库", "the event store cannot be closed", error))?;
    asked
}

/// Takes the errands of the command line, on a port of loopback that only `running.json` names.
async fn take_errands(
    place: &Place,
    embedded: &event_store_embedded::EmbeddedStore,
    limits: &Limits,
) -> Result<watch::Sender<()>, Failure> {
    let failed = |error| Failure::doing("无法监听", "cannot listen", error);
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let tokens = TokenKey::new(&place.token_key()?)
        .map_err(|error| Failure::doing("令牌密钥不可用", "the token key is of no use", error))?;
    let router = handover::router(handover::Desk {
        rooms: Rooms {
            bureau: None,
            embedded: Some(embedded.clone()),
        },
        clock: Arc::new(SystemClock),
        tokens,
        limits: limits.clone(),
    });
    let (alive, mut ended) = watch::channel(());
    tokio::spawn(async move {
        let serve = axum::serve(listener, router).with_graceful_shutdown(async move {
            // Nothing is ever sent; the sender's end is the sign.
            let _ = ended.changed().await;
        });
        if let Err(error) = serve.await {
            tracing::error!(%error, "errands are no longer taken");
        }
    });
    place.write_running(&Running {
        process_id: std::process::id(),
        address: Some(address),
        database_url: None,
    })?;
    Ok(alive)
}
