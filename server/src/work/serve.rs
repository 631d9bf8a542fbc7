//! `zhulu serve`: everything in one process, until it is asked to stop.

use std::sync::Arc;

use commands::outside::Clock;

use crate::{
    cli::{PlaceArgs, ServeArgs},
    clock::{FileClock, SystemClock},
    failure::Failure,
    house::House,
    limits::Limits,
    place::Place,
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
    let mut house = House::open(args, place).await?;
    house.react(&clock);
    let serving = match serving::begin(&house, place, listener, clock, serve.demo, &limits) {
        Ok(serving) => serving,
        Err(failure) => {
            house.close().await?;
            return Err(failure);
        }
    };
    println!(
        "就绪 / ready: http://{}/graphql  数据 / data: {}",
        serving.address,
        place.directory().display()
    );
    let asked = serving::asked_to_stop().await;
    tracing::info!("stopping");
    serving.end(&limits).await;
    house.close().await?;
    asked
}
