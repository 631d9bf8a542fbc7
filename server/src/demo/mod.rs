//! `zhulu demo`: the whole house at work. Real permits come in, a new case is filed, worked and decided over HTTP, and
//! what came of it is shown.

mod client;
mod figures;
mod permits;
mod story;
mod summary;

use std::{net::SocketAddr, sync::Arc};

use commands::outside::Clock;
use tokio::net::TcpListener;

use crate::{
    cli::{DemoArgs, PlaceArgs},
    clock::SystemClock,
    failure::Failure,
    house::House,
    limits::Limits,
    place::Place,
    serving,
};

/// The bureau of the demo: Xiaoshan in Hangzhou.
pub const REGION: &str = "330109";
/// Where the demo listens, if the port is free.
const USUAL_ADDRESS: &str = "127.0.0.1:8080";

/// Shows everything, and stays until it is asked to stop; or ends at once.
pub async fn run(args: &PlaceArgs, place: &Place, demo: &DemoArgs) -> Result<(), Failure> {
    let limits = Limits::default();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let listener = listen(demo.listen).await?;
    summary::greet(place);
    let mut house = House::open(args, place).await?;
    house.react(&clock);
    let served = match serving::begin(&house, place, listener, clock.clone(), true, &limits) {
        Ok(serving) => {
            let shown = tokio::select! {
                shown = show(&house, place, serving.address, clock.as_ref(), &limits) => shown.map(Some),
                asked = serving::asked_to_stop() => asked.map(|()| None),
            };
            let stayed = match &shown {
                Ok(Some(_)) if !demo.exit => {
                    summary::invite();
                    serving::asked_to_stop().await
                }
                _ => Ok(()),
            };
            serving.end(&limits).await;
            stayed.and(shown)
        }
        Err(failure) => Err(failure),
    };
    let closed = house.close().await;
    let figures = served?;
    closed?;
    if let Some(figures) = figures
        && demo.exit
    {
        println!("{}", figures.json());
    }
    Ok(())
}

/// Everything that the demo does and shows.
async fn show(
    house: &House,
    place: &Place,
    address: SocketAddr,
    clock: &dyn Clock,
    limits: &Limits,
) -> Result<figures::Figures, Failure> {
    let imported = permits::bring_in(house, place, clock, limits).await?;
    summary::imported(&imported);
    summary::handling_times(house).await?;
    let lag = figures::LagMeter::begin(house, house.head().await?);
    let told = story::tell(place, address, clock).await?;
    summary::case(house, &told).await?;
    let figures = figures::take(house, &imported, lag.end().await).await?;
    summary::figures(&figures);
    summary::invitation(place, address, clock, &told)?;
    Ok(figures)
}

/// The asked address; else the usual one, or any free one if somebody has it.
async fn listen(asked: Option<SocketAddr>) -> Result<TcpListener, Failure> {
    if let Some(address) = asked {
        return serving::listen(address).await;
    }
    if let Ok(listener) = TcpListener::bind(USUAL_ADDRESS).await {
        return Ok(listener);
    }
    serving::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await
}
