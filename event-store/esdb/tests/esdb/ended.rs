//! A server that ends every subscription well, which the client does not survive by itself.

use std::time::Duration;

use event_store_contract::{EventStore as _, Filter};
use event_store_esdb::EsdbStore;
use tokio::sync::watch;

use crate::{fake, house::url};

#[tokio::test]
async fn a_subscription_that_is_ended_well_is_begun_again_and_nothing_spins() {
    let (told, mut reads) = watch::channel(0_u32);
    let address = fake::serve(move |path| {
        if path.ends_with("/Read") {
            told.send_modify(|reads| *reads += 1);
            return fake::nothing();
        }
        fake::unimplemented()
    })
    .await;
    let store = EsdbStore::connect(&url(address)).await.unwrap();
    let mut follower = store.follow(None, Filter::all()).await.unwrap();
    // One read for the head, then a page and a subscription each time.
    let many = reads.wait_for(|reads| *reads >= 9);
    tokio::select! {
        many = many => { many.unwrap(); }
        page = follower.next(1) => panic!("there is nothing to follow, and {page:?} came"),
        () = tokio::time::sleep(Duration::from_secs(60)) => panic!("the follower did not begin again"),
    }
}
