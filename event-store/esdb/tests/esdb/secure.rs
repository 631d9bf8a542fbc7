//! TLS and credentials.

use event_store_contract::{EventStore as _, Expected};
use event_store_esdb::{ConnectError, EsdbStore};

use crate::house::{House, event, name};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_authority_and_the_password_one_is_let_in_and_with_less_one_is_not() {
    let house = House::secure().await;
    let introduction = house.introduction();
    let authority = introduction.authority_file.unwrap();
    let password = std::fs::read_to_string(introduction.password_file.unwrap()).unwrap();
    let port = house.address.port();
    let with = |login: &str, settings: &str| format!("esdb://{login}localhost:{port}?{settings}");
    let authority = format!("tlsCaFile={}", authority.display());

    let login = format!("admin:{}@", password.trim());
    let store = EsdbStore::connect(&with(&login, &authority)).await.unwrap();
    let appended = store.append(&name("case-1"), Expected::NoStream, vec![event("First")]).await;
    assert_eq!(appended.map(|appended| appended.revision), Ok(0));
    assert!(!format!("{store:?}").contains(password.trim()));

    for (address, says) in [
        (with("admin:wrong@", &authority), "it refused these credentials"),
        (with("", &authority), "it refused these credentials"),
        (with(&login, "tlsVerifyCert=true"), "no event store answers"),
    ] {
        let refused = EsdbStore::connect(&address).await;
        let Err(refused @ ConnectError::Unreachable { .. }) = refused else {
            panic!("let in at {address}");
        };
        assert!(refused.to_string().contains(says), "{refused}");
        assert!(!refused.to_string().contains(password.trim()), "{refused}");
    }
}
