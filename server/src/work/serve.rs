//! `zhulu serve`: everything in one process, until it is asked to stop.

use std::sync::Arc;

use commands::outside::Clock;
use event_store_server::EsdbServer;

use crate::{
    cli::{PlaceArgs, ServeArgs},
    clock::{FileClock, SystemClock},
    failure::Failure,
    house::House,
    limits::Limits,
    place::Place,
    protocol::{self, OwnStreamsAre},
    roles::Part,
    serving,
};

/// Serves until SIGINT or SIGTERM.
pub async fn run(args: &PlaceArgs, place: &Place, serve: &ServeArgs) -> Result<(), Failure> {
    let limits = Limits::default();
    // The port first: if it is taken, nothing has to be undone.
    let listener = serving::listen(serve.listen).await?;
    let clock: Arc<dyn Clock> = match &serve.clock_file {
        Some(file) => Arc::new(FileClock::new(file.clone())),
        None => Arc::new(SystemClock),
    };
    let mut house = House::open_as(args, place, &Part::of(&serve.roles, serve.lanes)).await?;
    house.react(&clock);
    let protocol = match serve_the_store(&house, place, serve).await {
        Ok(protocol) => protocol,
        Err(failure) => {
            house.close().await?;
            return Err(failure);
        }
    };
    let serving = match serving::begin(&house, place, listener, clock, serve.demo, &limits) {
        Ok(serving) => serving,
        Err(failure) => {
            protocol::end(protocol, &limits).await;
            house.close().await?;
            return Err(failure);
        }
    };
    if let Some(protocol) = &protocol {
        protocol::introduce(protocol, &serve.esdb);
    }
    println!(
        "就绪 / ready: http://{}/graphql  数据 / data: {}",
        serving.address,
        place.directory().display()
    );
    let asked = tokio::select! {
        asked = serving::asked_to_stop() => asked,
        () = protocol::asked_to_stop(protocol.as_ref()) => Ok(()),
    };
    tracing::info!("stopping");
    protocol::end(protocol, &limits).await;
    serving.end(&limits).await;
    house.close().await?;
    asked
}

/// Answers the clients of `KurrentDB`, unless somebody said not to, or the store is a server of its own already.
async fn serve_the_store(house: &House, place: &Place, serve: &ServeArgs) -> Result<Option<EsdbServer>, Failure> {
    let Some(embedded) = house.embedded() else {
        return match serve.esdb.listen {
            None => Ok(None),
            Some(_) => Err(Failure::new(
                "--esdb-listen 只能与内置事件库一起用：--store 指向的服务器自己对外提供事件库",
                "--esdb-listen goes with the embedded store only: the server that --store names serves its clients itself",
            )),
        };
    };
    if serve.esdb_off {
        return Ok(None);
    }
    let own = if serve.esdb_allow_foreign_writes {
        OwnStreamsAre::Shared
    } else {
        OwnStreamsAre::OursAlone
    };
    protocol::begin(embedded, place, &serve.esdb, own).await
}
