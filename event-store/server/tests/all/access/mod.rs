//! Over TLS, with the official client: who is let in, and what they may do.

mod served;

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use event_store_server::{Security, StartError, start};
use kurrentdb::{
    AppendToStreamOptions, Client, Credentials, Error, EventData, ReadAllOptions, ReadStreamOptions, StreamAclBuilder,
    StreamMetadataBuilder, StreamPosition, SubscribeToStreamOptions,
    operations::{self, OperationalOptions, StatsOptions},
};
use rcgen::{CertificateParams, KeyPair};
use serde_json::json;
use tokio::{io::AsyncReadExt, net::TcpStream};

use self::served::{Served, config, secure, served};

/// Whatever has not come after so long will not come.
const PATIENCE: Duration = Duration::from_secs(60);

async fn append(client: &Client, stream: &str) -> Result<(), Error> {
    let event = EventData::json("PlanDrawn", &json!({"sheets": 7})).unwrap();
    let options = AppendToStreamOptions::default();
    client.append_to_stream(stream, &options, event).await.map(|_| ())
}

async fn read(client: &Client, stream: &str) -> Result<usize, Error> {
    let mut events = client.read_stream(stream, &ReadStreamOptions::default()).await?;
    let mut count = 0;
    while events.next().await?.is_some() {
        count += 1;
    }
    Ok(count)
}

async fn read_all(client: &Client) -> Result<usize, Error> {
    let mut events = client.read_all(&ReadAllOptions::default().max_count(10)).await?;
    let mut count = 0;
    while events.next().await?.is_some() {
        count += 1;
    }
    Ok(count)
}

#[allow(clippy::needless_pass_by_value, reason = "an answer is looked at once")]
fn is_denied<T>(answer: Result<T, Error>) -> bool {
    matches!(answer, Err(Error::AccessDenied))
}

/// A new user, and a client of it.
async fn welcome(served: &Served, login: &str, groups: &[&str]) -> Client {
    let keeper = operations::Client::from(served.admin());
    let groups = groups.iter().map(|&group| group.to_owned()).collect();
    keeper
        .create_user(login, "a-long-secret", "", groups, &OperationalOptions::default())
        .await
        .unwrap();
    served.client(&format!("{login}:a-long-secret"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrator_comes_in_with_the_password_of_the_first_start() {
    let served = secure().await;
    let admin = served.admin();
    append(&admin, "plans").await.unwrap();
    assert_eq!(read(&admin, "plans").await.unwrap(), 1);
    assert!(read_all(&admin).await.unwrap() > 1);
    let directory = served.stop().await;
    let again = served_again(directory).await;
    assert_eq!(
        read(&again.admin(), "plans").await.unwrap(),
        1,
        "the password and the authority are the same"
    );
}

async fn served_again(directory: tempfile::TempDir) -> Served {
    let config = config(&directory, Security::Secure { certificate: None });
    served(directory, config).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_first_start_are_for_their_owner_only_but_the_authority_is_for_all() {
    let served = secure().await;
    let mode = |file: &std::path::Path| fs::metadata(file).unwrap().permissions().mode() & 0o777;
    let introduction = served.server.introduction();
    assert_eq!(mode(&introduction.password_file.unwrap()), 0o600);
    let authority = introduction.authority_file.unwrap();
    assert_eq!(mode(&authority) & 0o044, 0o044);
    assert_eq!(mode(&authority.with_file_name("esdb-ca-key.pem")), 0o600);
    assert_eq!(introduction.fingerprint.unwrap().split(':').count(), 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_no_password_and_an_unknown_login_are_denied() {
    let served = secure().await;
    let authority = served.server.introduction().authority_file.unwrap();
    for credentials in ["admin:changeit", "nobody:changeit"] {
        let client = served.client(credentials);
        assert!(is_denied(append(&client, "plans").await), "{credentials}");
        assert!(is_denied(read(&client, "plans").await), "{credentials}");
    }
    let address = format!(
        "esdb://localhost:{}?tlsCaFile={}",
        served.server.address().port(),
        authority.display()
    );
    let nobody = Client::new(address.parse().unwrap()).unwrap();
    assert!(is_denied(append(&nobody, "plans").await));
    assert!(is_denied(read_all(&nobody).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_trust_the_authority_does_not_come_in() {
    let served = secure().await;
    let credentials = format!("admin:{}", served.admin_password());
    let stranger = served.client_with(&credentials, "maxDiscoverAttempts=3&discoveryInterval=100");
    assert!(append(&stranger, "plans").await.is_err());
    let careless = served.client_with(&credentials, "tlsVerifyCert=false");
    append(&careless, "plans").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_plain_text_to_tls_is_let_go_and_disturbs_nobody() {
    let served = secure().await;
    let mut plain = TcpStream::connect(served.server.address()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut plain, b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, plain.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the connection was closed");
    assert!(!answer.starts_with(b"HTTP"));
    append(&served.admin(), "plans").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_the_bureau_s_own_is_served_and_changed_without_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let files = (directory.path().join("own.pem"), directory.path().join("own-key.pem"));
    let write = || {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        // The key comes first: for a moment the two do not go together, and the old pair is served on.
        fs::write(&files.1, key.serialize_pem()).unwrap();
        fs::write(&files.0, certificate.pem()).unwrap();
    };
    write();
    let security = Security::Secure {
        certificate: Some(files.clone()),
    };
    let config = config(&directory, security);
    let served = served(directory, config).await;
    let introduction = served.server.introduction();
    assert_eq!(introduction.authority_file, None);
    let credentials = format!("admin:{}", served.admin_password());
    let options = format!("tlsCaFile={}", files.0.display());
    append(&served.client_with(&credentials, &options), "plans").await.unwrap();

    write();
    assert_ne!(served.server.introduction().fingerprint, introduction.fingerprint);
    // The files are looked at once a second at most.
    let taken = async {
        let options = format!("{options}&maxDiscoverAttempts=3&discoveryInterval=100");
        while append(&served.client_with(&credentials, &options), "plans").await.is_err() {}
    };
    tokio::time::timeout(PATIENCE, taken).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_reads_and_writes_what_the_lists_open() {
    let served = secure().await;
    let (admin, ouro) = (served.admin(), welcome(&served, "ouro", &["surveyors"]).await);
    append(&ouro, "plans").await.unwrap();
    assert_eq!(read(&ouro, "plans").await.unwrap(), 1);
    assert!(is_denied(read_all(&ouro).await));
    assert!(is_denied(read(&ouro, "$user-admin").await));
    assert!(is_denied(append(&ouro, "$settings").await));

    let acl = StreamAclBuilder::new()
        .add_read_roles("surveyors")
        .add_write_roles("$admins")
        .add_delete_roles("$admins")
        .add_meta_read_roles("$admins")
        .add_meta_write_roles("$admins")
        .build();
    let metadata = StreamMetadataBuilder::new().acl(kurrentdb::Acl::Stream(acl)).build();
    let options = AppendToStreamOptions::default();
    admin.set_stream_metadata("plans", &options, &metadata).await.unwrap();
    assert_eq!(read(&ouro, "plans").await.unwrap(), 1);
    assert!(is_denied(append(&ouro, "plans").await));
    assert!(is_denied(
        ouro.delete_stream("plans", &kurrentdb::DeleteStreamOptions::default()).await
    ));
    assert!(is_denied(
        ouro.tombstone_stream("plans", &kurrentdb::TombstoneStreamOptions::default())
            .await
    ));
    let read_metadata = ouro.get_stream_metadata("plans", &ReadStreamOptions::default()).await;
    assert!(is_denied(read_metadata.map(|_| ())));
    assert!(is_denied(
        ouro.set_stream_metadata("plans", &options, &metadata).await.map(|_| ())
    ));
    append(&admin, "plans").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_nothing_that_its_reader_may_not_read() {
    let served = secure().await;
    let (admin, ouro) = (served.admin(), welcome(&served, "ouro", &[]).await);
    append(&ouro, "plans").await.unwrap();
    for target in ["0@$user-admin", "0@plans"] {
        let link = EventData::binary("$>", target.into());
        let options = AppendToStreamOptions::default();
        ouro.append_to_stream("links", &options, link).await.unwrap();
    }
    let found = async |client: &Client| {
        let options = ReadStreamOptions::default().resolve_link_tos();
        let mut events = client.read_stream("links", &options).await.unwrap();
        let mut names = Vec::new();
        while let Some(event) = events.next().await.unwrap() {
            assert!(event.link.is_some());
            names.push(event.event.map(|event| event.event_type));
        }
        names
    };
    let followed = async |client: &Client| {
        let options = SubscribeToStreamOptions::default()
            .start_from(StreamPosition::Start)
            .resolve_link_tos();
        let mut subscription = client.subscribe_to_stream("links", &options).await;
        let mut names = Vec::new();
        while names.len() < 2 {
            names.push(subscription.next().await.unwrap().event.map(|event| event.event_type));
        }
        names
    };
    let (user, plan) = (Some("$UserCreated".to_owned()), Some("PlanDrawn".to_owned()));
    assert_eq!(found(&admin).await, [user, plan.clone()]);
    assert_eq!(found(&ouro).await, [None, plan.clone()]);
    assert_eq!(tokio::time::timeout(PATIENCE, followed(&ouro)).await.unwrap(), [None, plan]);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_of_a_call_go_before_those_of_the_connection() {
    let served = secure().await;
    let ouro = welcome(&served, "ouro", &[]).await;
    let as_admin = Credentials::new("admin".to_owned(), served.admin_password());
    let options = ReadAllOptions::default().max_count(1).authenticated(as_admin);
    let mut events = ouro.read_all(&options).await.unwrap();
    assert!(events.next().await.unwrap().is_some());
    assert!(is_denied(read_all(&ouro).await));
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_kept_through_the_official_client() {
    let served = secure().await;
    let keeper = operations::Client::from(served.admin());
    let ouro = welcome(&served, "ouro", &["surveyors"]).await;
    append(&ouro, "plans").await.unwrap();

    let options = OperationalOptions::default();
    let mut details = keeper.user_details("ouro", &options).await.unwrap();
    let shown = details.next().await.unwrap().unwrap();
    assert_eq!((shown.login.as_str(), shown.groups), ("ouro", vec!["surveyors".to_owned()]));
    assert!(shown.last_updated.is_some() && !shown.disabled);

    keeper.disable_user("ouro", &options).await.unwrap();
    assert!(is_denied(append(&ouro, "plans").await));
    keeper.enable_user("ouro", &options).await.unwrap();
    append(&ouro, "plans").await.unwrap();

    let own = operations::Client::from(ouro.clone());
    own.change_user_password("ouro", "a-long-secret", "a-new-secret", &options)
        .await
        .unwrap();
    assert!(is_denied(append(&ouro, "plans").await));
    append(&served.client("ouro:a-new-secret"), "plans").await.unwrap();

    keeper.reset_user_password("ouro", "a-given-secret", &options).await.unwrap();
    let given = served.client("ouro:a-given-secret");
    assert!(is_denied(
        operations::Client::from(given.clone()).delete_user("ouro", &options).await
    ));
    keeper.delete_user("ouro", &options).await.unwrap();
    assert!(is_denied(append(&given, "plans").await));
    assert!(matches!(
        keeper.delete_user("ouro", &options).await,
        Err(Error::ResourceNotFound)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_and_scavenges_are_for_those_who_may() {
    let served = secure().await;
    let keeper = operations::Client::from(served.admin());
    let ouro = operations::Client::from(welcome(&served, "ouro", &[]).await);
    let every = StatsOptions::default().refresh_time(Duration::from_millis(100));
    for client in [&keeper, &ouro] {
        let mut figures = client.stats(&every).await.unwrap();
        let first = figures.next().await.unwrap().0;
        let memory: u64 = first["proc-mem"].parse().unwrap();
        assert!(memory > 1_000_000, "{memory}");
        assert_eq!(first["proc-id"], std::process::id().to_string());
        let second = figures.next().await.unwrap().0;
        assert!(second.contains_key("proc-cpu") && second.contains_key("es-writer-eventsPerSecond"));
    }
    let options = OperationalOptions::default();
    assert!(is_denied(ouro.start_scavenge(1, 0, &options).await.map(|_| ())));
    let scavenge = keeper.start_scavenge(1, 0, &options).await.unwrap();
    assert_eq!(scavenge.status(), operations::ScavengeStatus::Started);
    assert!(matches!(
        keeper.stop_scavenge("no scavenge", &options).await,
        Err(Error::ResourceNotFound)
    ));

    let mut asked = served.server.shutdown_asked();
    assert!(is_denied(ouro.shutdown(&options).await));
    assert!(!*asked.borrow_and_update());
    keeper.shutdown(&options).await.unwrap();
    asked.changed().await.unwrap();
    assert!(*asked.borrow());
}

#[tokio::test]
async fn without_tls_and_credentials_it_listens_on_loopback_only() {
    let directory = tempfile::tempdir().unwrap();
    let store = event_store_embedded::EmbeddedStore::open(&directory.path().join("events")).unwrap();
    let mut open = config(&directory, Security::Insecure);
    open.listen = ([0, 0, 0, 0], 0).into();
    let refused = start(store, open).await.err().unwrap();
    assert!(matches!(refused, StartError::InsecureOffLoopback(_)));
    assert!(refused.to_string().contains("loopback only"), "{refused}");
    assert!(!directory.path().join("esdb").exists(), "nothing was made");
}
