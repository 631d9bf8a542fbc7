//! The real program: import, start, memory, and a 50-row page of the case list over HTTP, beside PostGraphile over the
//! same table.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    http_load::{Connection, closed, graphql_request, open},
    measure::{heading, line, median, number},
};

/// How often the closed loop is measured in turn.
const ROUNDS: usize = 3;
/// How long each measurement takes.
const TIME: Duration = Duration::from_secs(5);
/// Cursors to begin pages at, so that pages differ.
const CURSORS: usize = 40;
/// The most that a start may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(120);

const OURS: &str = "query Page($after: String) { cases(first: 50, after: $after, sort: {field: SUBMITTED_ON, descending: true}) { nodes { id caseNo legacyId stage category region submittedOn decidedOn applicantName } pageInfo { endCursor hasNextPage } } }";
#[cfg(feature = "peers")]
const THEIRS: &str = "query Page($after: Cursor) { allCaseListCases(first: 50, after: $after, orderBy: [SUBMITTED_ON_DESC, CASE_ID_DESC]) { nodes { nodeId caseNo legacyId stage category region submittedOn decidedOn applicantName } pageInfo { endCursor hasNextPage } } }";

fn program() -> PathBuf {
    std::env::current_exe().expect("this program").with_file_name("zhulu")
}

fn permits() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../server/data/permits/permit-records.csv.gz")
}

fn zhulu(data: &Path, arguments: &[&str]) -> String {
    let out = Command::new(program())
        .args(arguments)
        .arg("--data-dir")
        .arg(data)
        .output()
        .expect("zhulu runs");
    assert!(
        out.status.success(),
        "zhulu {arguments:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// A serving Zhulu.
struct Serving {
    server: Child,
    address: SocketAddr,
    database_url: String,
}

impl Serving {
    async fn start(data: &Path) -> (Self, Duration) {
        let begin = Instant::now();
        let _ = std::fs::remove_file(data.join("running.json"));
        let server = Command::new(program())
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("zhulu serves");
        let mut serving = Self {
            server,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            database_url: String::new(),
        };
        while begin.elapsed() < PATIENCE {
            if let Some((address, database_url)) = note(data) {
                (serving.address, serving.database_url) = (address, database_url);
                if is_ready(address).await {
                    return (serving, begin.elapsed());
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("zhulu was not ready within {PATIENCE:?}");
    }

    fn resident_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.id())).unwrap_or_default();
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
        kib.unwrap_or(0.0) / 1_024.0
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.server.id().to_string()]).status();
        let _ = self.server.wait();
    }
}

fn note(data: &Path) -> Option<(SocketAddr, String)> {
    let note: Value = serde_json::from_str(&std::fs::read_to_string(data.join("running.json")).ok()?).ok()?;
    Some((
        note["address"].as_str()?.parse().ok()?,
        note["database_url"].as_str()?.to_owned(),
    ))
}

async fn is_ready(address: SocketAddr) -> bool {
    let Ok(mut connection) = Connection::open(address).await else {
        return false;
    };
    connection
        .call(format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\n\r\n").as_bytes())
        .await
        .is_ok()
}

/// Requests for pages all over the list: each begins where another ended.
async fn page_requests(address: SocketAddr, path: &str, token: Option<&str>, query: &str, field: &str) -> Arc<Vec<Vec<u8>>> {
    let mut connection = Connection::open(address).await.expect("a connection");
    let mut after = Value::Null;
    let mut requests = Vec::new();
    for _ in 0..CURSORS {
        let request = graphql_request(
            address,
            path,
            token,
            &json!({ "query": query, "variables": { "after": after } }),
        );
        let body: Value = serde_json::from_slice(&connection.call(&request).await.expect("a page")).expect("JSON");
        assert_eq!(
            body["data"][field]["nodes"].as_array().map(Vec::len),
            Some(50),
            "a page has fifty rows: {body}"
        );
        after = body["data"][field]["pageInfo"]["endCursor"].clone();
        requests.push(request);
    }
    Arc::new(requests)
}

/// Measures and prints.
pub async fn run() {
    heading("The program: import, start, memory, pages over HTTP");
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path();
    let begin = Instant::now();
    zhulu(data, &["import", "permits", &permits().to_string_lossy(), "--batch", "bench"]);
    line(
        "import of the permits, the program's start to its end (s)",
        &format!("{:.1}", begin.elapsed().as_secs_f64()),
        "(goal 20)",
    );
    let mut starts = Vec::new();
    for _ in 0..ROUNDS {
        let (serving, start) = Serving::start(data).await;
        starts.push(start.as_secs_f64());
        drop(serving);
    }
    line(
        "start to ready with the imported data (s)",
        &format!("{:.2}", median(starts)),
        "(goal 2)",
    );
    let (serving, _) = Serving::start(data).await;
    let token = zhulu(
        data,
        &["token", "--role", "supervisor", "--name", "bench", "--region", "000000"],
    )
    .trim()
    .to_owned();
    let ours = page_requests(serving.address, "/graphql", Some(&token), OURS, "cases").await;
    #[cfg(feature = "peers")]
    let peer = crate::peers::postgraphile::PostGraphile::start(&serving.database_url, "zhulu_case_list").await;
    #[cfg(feature = "peers")]
    let theirs = match &peer {
        Some(peer) => Some(page_requests(peer.address, "/graphql", None, THEIRS, "allCaseListCases").await),
        None => None,
    };
    let (mut rates, mut peer_rates) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        rates.push(closed(serving.address, 64, TIME, Arc::clone(&ours)).await.per_second);
        #[cfg(feature = "peers")]
        if let (Some(peer), Some(theirs)) = (&peer, &theirs) {
            peer_rates.push(closed(peer.address, 64, TIME, Arc::clone(theirs)).await.per_second);
        }
    }
    let (rate, peer_rate) = (median(rates), median(std::mem::take(&mut peer_rates)));
    line("50-row page, 64 connections (pages/s)", &number(rate), "");
    if peer_rate > 0.0 {
        line(
            "PostGraphile 4.14, the same table (pages/s)",
            &number(peer_rate),
            &format!("Zhulu is {:.1} x (goal 3.5, stretch 6)", rate / peer_rate),
        );
    }
    let steady = open(serving.address, 500, 500, TIME * 2, ours).await;
    line(
        "50-row page, 500 connections offering 500/s (ms)",
        &format!("p50 {:.1}  p99 {:.1}", steady.p50_ms, steady.p99_ms),
        "(goal p99 10)",
    );
    line(
        "resident memory of the server after all this (MB)",
        &format!("{:.0}", serving.resident_mb()),
        "(goal 250)",
    );
}
