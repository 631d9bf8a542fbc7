//! What the private PostgreSQL promises, shown on real clusters. Skipped, loudly, where no server is installed.
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::print_stdout)]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::{
        fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    time::Duration,
};

use private_postgres::{PostgresError, PrivatePostgres};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// How long a server that is started again behind our back may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory that every account can reach, as a data directory would be.
fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

/// Starts, or says why these tests have nothing to show here.
async fn started(directory: &Path) -> Option<PrivatePostgres> {
    match PrivatePostgres::start(directory).await {
        Ok(postgres) => Some(postgres),
        Err(PostgresError::NotInstalled { .. }) => {
            eprintln!("skipped: no PostgreSQL server is installed");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn one_number(url: &str, query: &str) -> i32 {
    connect(url).await.query_one(query, &[]).await.unwrap().get(0)
}

fn kill(process_id: u32) {
    kill_process(Pid::from_raw(i32::try_from(process_id).unwrap()).unwrap(), Signal::KILL).unwrap();
}

#[tokio::test]
async fn what_was_written_is_there_after_a_stop_and_a_start() {
    let directory = directory();
    let Some(postgres) = started(directory.path()).await else {
        return;
    };
    connect(postgres.url())
        .await
        .batch_execute("CREATE TABLE kept AS SELECT 筑录 FROM (VALUES (7)) AS v (筑录)")
        .await
        .unwrap();
    let first_url = postgres.url().to_owned();
    postgres.stop().await.unwrap();
    assert!(
        tokio_postgres::connect(&first_url, NoTls).await.is_err(),
        "a stopped server takes no connections"
    );

    let postgres = started(directory.path()).await.unwrap();
    assert_eq!(one_number(postgres.url(), "SELECT 筑录 FROM kept").await, 7);
    assert_eq!(one_number(postgres.tcp_url(), "SELECT 筑录 FROM kept").await, 7);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn only_the_password_opens_the_door() {
    let directory = directory();
    let Some(postgres) = started(directory.path()).await else {
        return;
    };
    let password = fs::read_to_string(postgres.directory().join("password")).unwrap();
    assert_eq!(
        fs::metadata(postgres.directory().join("password")).unwrap().mode() & 0o777,
        0o600
    );
    for url in [postgres.url(), postgres.tcp_url()] {
        assert!(
            tokio_postgres::connect(&url.replace(&password, "guess"), NoTls)
                .await
                .is_err(),
            "a wrong password opened the door"
        );
    }
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn it_is_set_up_for_chinese_read_models() {
    let directory = directory();
    let Some(postgres) = started(directory.path()).await else {
        return;
    };
    let client = connect(postgres.url()).await;
    for (setting, value) in [
        ("server_encoding", "UTF8"),
        ("jit", "off"),
        ("wal_level", "minimal"),
        ("fsync", "on"),
        ("TimeZone", "GMT"),
    ] {
        let shown: String = client.query_one(&format!("SHOW {setting}"), &[]).await.unwrap().get(0);
        assert_eq!(shown, value, "{setting}");
    }
    let letters: bool = client
        .query_one("SELECT '施工许可' ~ '^[[:alpha:]]+$'", &[])
        .await
        .unwrap()
        .get(0);
    assert!(letters, "Chinese characters count as letters, so that searches find them");
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn two_stand_side_by_side() {
    let (one, other) = (directory(), directory());
    let Some(first) = started(one.path()).await else { return };
    let second = started(other.path()).await.unwrap();
    assert_ne!(first.tcp_url(), second.tcp_url());
    assert_eq!(one_number(first.url(), "SELECT 1").await, 1);
    assert_eq!(one_number(second.url(), "SELECT 2").await, 2);
    first.stop().await.unwrap();
    assert_eq!(one_number(second.url(), "SELECT 3").await, 3);
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_start_on_the_same_directory_is_refused() {
    let directory = directory();
    let Some(postgres) = started(directory.path()).await else {
        return;
    };
    let error = PrivatePostgres::start(directory.path()).await.unwrap_err();
    assert!(matches!(error, PostgresError::InUse { .. }), "{error}");
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
    assert_eq!(
        one_number(postgres.url(), "SELECT 1").await,
        1,
        "the first one does not notice"
    );
    postgres.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_is_started_again_at_the_same_address() {
    let directory = directory();
    let Some(postgres) = started(directory.path()).await else {
        return;
    };
    connect(postgres.url())
        .await
        .batch_execute("CREATE TABLE kept AS SELECT 7 AS number")
        .await
        .unwrap();
    let killed = postgres.process_id().unwrap();
    kill(killed);
    let again = async {
        loop {
            if let Ok((client, connection)) = tokio_postgres::connect(postgres.url(), NoTls).await {
                tokio::spawn(connection);
                if let Ok(row) = client.query_one("SELECT number FROM kept", &[]).await {
                    return row.get::<_, i32>(0);
                }
            }
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, again).await.unwrap(), 7);
    assert_ne!(postgres.process_id(), Some(killed));
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_outlived_its_zhulu_is_found_and_stopped() {
    let directory = directory();
    let Some(postgres) = started(directory.path()).await else {
        return;
    };
    connect(postgres.url())
        .await
        .batch_execute("CREATE TABLE kept AS SELECT 7 AS number")
        .await
        .unwrap();
    let data = postgres.directory().join("data");
    let owner = fs::metadata(&data).unwrap().uid();
    let (server, library_path) = server_program(postgres.process_id().unwrap());
    postgres.stop().await.unwrap();

    let mut outlives = std::process::Command::new(server);
    outlives.uid(owner).arg("-D").arg(&data).env("LD_LIBRARY_PATH", library_path);
    outlives.stderr(fs::File::create(directory.path().join("outlives.log")).unwrap());
    let mut outlives = outlives.spawn().unwrap();
    let word = data.join("postmaster.pid");
    let up = async {
        while !fs::read_to_string(&word).is_ok_and(|word| word.contains("ready")) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, up).await.unwrap();

    let postgres = started(directory.path()).await.unwrap();
    assert!(outlives.wait().unwrap().success(), "it was asked, not killed");
    assert_eq!(one_number(postgres.url(), "SELECT number FROM kept").await, 7);
    postgres.stop().await.unwrap();
}

/// The program of a running server, and where it finds its libraries: an unpacked one has them beside it.
fn server_program(process_id: u32) -> (PathBuf, String) {
    let environment = fs::read_to_string(format!("/proc/{process_id}/environ")).unwrap();
    let library_path = environment
        .split('\0')
        .find_map(|variable| variable.strip_prefix("LD_LIBRARY_PATH="));
    (
        fs::read_link(format!("/proc/{process_id}/exe")).unwrap(),
        library_path.unwrap_or_default().to_owned(),
    )
}

/// Not a test: the Zhulu that the next test kills. It starts the cluster, says where, and stays.
#[tokio::test]
#[ignore = "run by another test"]
async fn a_zhulu_to_kill() {
    let directory = std::env::var_os("ZHULU_TO_KILL_DIRECTORY").unwrap();
    let postgres = PrivatePostgres::start(Path::new(&directory)).await.unwrap();
    println!("\nurl {}", postgres.url());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn ten_kills_in_a_row_lose_nothing() {
    let directory = directory();
    let Some(postgres) = started(directory.path()).await else {
        return;
    };
    connect(postgres.url())
        .await
        .batch_execute("CREATE TABLE kept (number int)")
        .await
        .unwrap();
    postgres.stop().await.unwrap();
    for number in 1..=10 {
        let mut zhulu = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_zhulu_to_kill", "--ignored", "--nocapture"])
            .env("ZHULU_TO_KILL_DIRECTORY", directory.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(zhulu.stdout.take().unwrap());
        let url = said
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("url ").map(str::to_owned))
            .unwrap();
        connect(&url)
            .await
            .execute("INSERT INTO kept VALUES ($1)", &[&number])
            .await
            .unwrap();
        zhulu.kill().unwrap();
        zhulu.wait().unwrap();
    }
    let postgres = started(directory.path()).await.unwrap();
    assert_eq!(one_number(postgres.url(), "SELECT count(*)::int FROM kept").await, 10);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn the_word_of_a_dead_server_stops_nobody() {
    let directory = directory();
    let Some(postgres) = started(directory.path()).await else {
        return;
    };
    let word = postgres.directory().join("data/postmaster.pid");
    let dead = fs::read_to_string(&word).unwrap();
    postgres.stop().await.unwrap();
    // The number is another process's by now: ours.
    let (_, rest) = dead.split_once('\n').unwrap();
    fs::write(&word, format!("{}\n{rest}", std::process::id())).unwrap();

    let postgres = started(directory.path()).await.unwrap();
    assert_eq!(one_number(postgres.url(), "SELECT 1").await, 1);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn a_dropped_one_takes_its_server_along() {
    let directory = directory();
    let Some(postgres) = started(directory.path()).await else {
        return;
    };
    let process_id = postgres.process_id().unwrap();
    drop(postgres);
    assert!(!Path::new(&format!("/proc/{process_id}")).exists());
}

#[tokio::test]
async fn a_cluster_that_lies_too_deep_for_a_socket_gets_one_elsewhere() {
    let directory = directory();
    let deep = directory
        .path()
        .join("这是一个很长的目录名称用来让套接字的路径超过内核允许的长度")
        .join("再来一层");
    let Some(postgres) = started(&deep).await else { return };
    assert_eq!(one_number(postgres.url(), "SELECT 1").await, 1);
    assert!(
        postgres.directory().starts_with(directory.path().canonicalize().unwrap()),
        "the data stay where they were asked for"
    );
    postgres.stop().await.unwrap();
}

/// PostgreSQL refuses to run as root, and the account that it gets instead cannot enter everything that root can.
#[tokio::test]
async fn root_gets_a_cluster_even_below_a_directory_that_only_root_may_enter() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: needs root");
        return;
    }
    let parent = directory();
    let closed = parent.path().join("closed");
    fs::DirBuilder::new().mode(0o700).create(&closed).unwrap();
    let asked = closed.join("postgres");
    let Some(postgres) = started(&asked).await else { return };
    let elsewhere = postgres.directory().to_path_buf();
    assert!(!elsewhere.starts_with(&closed));
    assert_eq!(
        fs::read_to_string(asked.join("where")).unwrap().trim(),
        elsewhere.to_str().unwrap()
    );
    assert_ne!(fs::metadata(elsewhere.join("data")).unwrap().uid(), 0);
    assert_eq!(fs::metadata(&closed).unwrap().uid(), 0, "what is not ours keeps its owner");
    connect(postgres.url())
        .await
        .batch_execute("CREATE TABLE kept AS SELECT 7 AS number")
        .await
        .unwrap();
    postgres.stop().await.unwrap();

    let postgres = started(&asked).await.unwrap();
    assert_eq!(postgres.directory(), elsewhere, "the second start finds it again");
    assert_eq!(one_number(postgres.url(), "SELECT number FROM kept").await, 7);
    postgres.stop().await.unwrap();

    // Temporary as both are, the cluster goes when its directory is gone and another one comes.
    drop(parent);
    let other = directory();
    let closed = other.path().join("closed");
    fs::DirBuilder::new().mode(0o700).create(&closed).unwrap();
    let postgres = started(&closed.join("postgres")).await.unwrap();
    assert!(!elsewhere.exists());
    let elsewhere = postgres.directory().to_path_buf();
    postgres.stop().await.unwrap();
    fs::remove_dir_all(elsewhere).unwrap();
}
