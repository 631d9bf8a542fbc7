//! `zhulu react` and `zhulu project`: one role alone, beside other processes on the same store and database.

use std::{net::SocketAddr, sync::Arc};

use commands::outside::Clock;

use crate::{
    cli::{PartArgs, PlaceArgs},
    clock::{FileClock, SystemClock},
    failure::Failure,
    health,
    house::House,
    limits::Limits,
    place::Place,
    roles::{Part, Role},
    serving::{self, Serving},
};

/// Plays the role until SIGINT or SIGTERM.
pub async fn run(args: &PlaceArgs, place: &Place, part: &PartArgs, role: Role) -> Result<(), Failure> {
    let limits = Limits::default();
    let listener = match part.health_listen {
        Some(address) => Some(serving::listen(address).await?),
        None => None,
    };
    let clock: Arc<dyn Clock> = match &part.clock_file {
        Some(file) => Arc::new(FileClock::new(file.clone())),
        None => Arc::new(SystemClock),
    };
    let mut house = House::open_as(args, place, &Part::of(&[role], part.lanes)).await?;
    house.react(&clock);
    let health = match listener {
        Some(listener) => Some(Serving::of(listener, health::router(house.needs()))?),
        None => None,
    };
    println!("{}", told(role, health.as_ref().map(|health| health.address), place));
    let asked = serving::asked_to_stop().await;
    tracing::info!("stopping");
    if let Some(health) = health {
        health.end(&limits).await;
    }
    house.close().await?;
    asked
}

fn told(role: Role, health: Option<SocketAddr>, place: &Place) -> String {
    let doing = match role {
        Role::Api => "应答 / answering",
        Role::React => "反应 / reacting",
        Role::Project => "更新视图 / keeping the views",
    };
    let health = health.map_or_else(String::new, |address| format!("  http://{address}/health/ready"));
    format!("就绪 / ready: {doing}{health}  数据 / data: {}", place.directory().display())
}
