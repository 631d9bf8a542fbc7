//! Has an errand done: by the server that has the store, or here, with the house opened for it.

use std::sync::Arc;

use commands::outside::Clock as _;

use crate::{
    cli::PlaceArgs,
    clock::SystemClock,
    errand::{Errand, Outcome, Tell},
    failure::Failure,
    handover,
    house::House,
    limits::Limits,
    place::Place,
    progress,
};

/// Has it done, with a bar that says how far it is.
pub async fn run(args: &PlaceArgs, place: &Place, errand: Errand, what: &str) -> Result<Outcome, Failure> {
    let bar = progress::bar(what, 0);
    let shown = bar.clone();
    let tell: Tell = Arc::new(move |done, total| {
        if total > 0 {
            shown.set_length(total);
        }
        shown.set_position(done);
    });
    let serving = place.running().and_then(|running| running.address);
    let done = if let Some(address) = serving {
        handover::hand_over(place, address, &errand, SystemClock.now(), tell).await
    } else {
        let house = House::open(args, place).await?;
        let limits = Limits::default();
        let done = errand.carry_out(&house.rooms(), &SystemClock, &limits, tell).await;
        let closed = house.close().await;
        done.and_then(|outcome| closed.map(|()| outcome))
    };
    bar.finish_and_clear();
    done
}
