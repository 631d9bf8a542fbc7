//! The contract's suite over the protocol.

use std::sync::{Arc, Mutex};

use event_store_contract::{EventStore, suite::run_all};
use event_store_esdb::EsdbStore;
use uuid::Uuid;

use crate::{house::House, scope::Scope};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_behind_our_own_server_passes_the_suite() {
    let houses = Mutex::new(Vec::new());
    run_all(async || {
        let house = House::new().await;
        let store = Arc::new(house.connect().await) as Arc<dyn EventStore>;
        houses.lock().unwrap().push(house);
        store
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_scope_of_a_shared_store_passes_the_suite() {
    let house = House::new().await;
    let store = house.connect().await;
    run_all(async || Arc::new(scope(&store).await) as Arc<dyn EventStore>).await;
}

/// Runs only where somebody says which store it may write to.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_at_the_address_in_zhulu_test_esdb_passes_the_suite() {
    let Ok(address) = std::env::var("ZHULU_TEST_ESDB") else {
        println!("skipped: ZHULU_TEST_ESDB names no store");
        return;
    };
    let store = EsdbStore::connect(&address).await.unwrap();
    run_all(async || Arc::new(scope(&store).await) as Arc<dyn EventStore>).await;
}

async fn scope(store: &EsdbStore) -> Scope {
    Scope::new(Arc::new(store.clone()), &format!("zt{}", Uuid::new_v4().simple())).await
}
