//! The real binary, started by a test in a directory of its own, and spoken to as any client would.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use crate::tidy::root;

/// The bureau of the stories: Xiaoshan in Hangzhou.
pub const REGION: &str = "330109";
/// How long a server may take until it serves; generous, for a machine that builds something else meanwhile.
const READY_LIMIT: Duration = Duration::from_secs(120);
/// How long something that happens by itself (a number, a timer) may take until it is seen.
const SEEN_LIMIT: Duration = Duration::from_secs(120);

/// How long a token is good, unless a story says otherwise: as long as those that `zhulu token` makes unasked.
pub const TOKEN_HOURS: u32 = 12;

/// The binary, built if it is not there: beside this test's own executable.
pub fn zhulu() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(given) = std::env::var_os("ZHULU_BIN") {
            return PathBuf::from(given);
        }
        let here = std::env::current_exe().unwrap();
        let profile = here.parent().and_then(Path::parent).unwrap().to_path_buf();
        let mut build = Command::new(env!("CARGO"));
        build
            .args(["build", "--quiet", "-p", "server", "--bin", "zhulu"])
            .current_dir(root());
        build.arg("--target-dir").arg(profile.parent().unwrap());
        if profile.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success(), "zhulu cannot be built");
        profile.join("zhulu")
    })
}

/// Runs `zhulu` with these arguments to its end.
pub fn run(data: &Path, arguments: &[&str]) -> Output {
    command(data).args(arguments).output().unwrap()
}

/// Runs `zhulu` to its end, which must be a good one; returns what it printed.
pub fn run_well(data: &Path, arguments: &[&str]) -> String {
    let output = run(data, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "zhulu {arguments:?} failed ({}):\n{said}",
        output.status
    );
    String::from_utf8(output.stdout).unwrap()
}

fn command(data: &Path) -> Command {
    let mut command = Command::new(zhulu());
    command
        .arg("--data-dir")
        .arg(data)
        .env_remove("ZHULU_DATA")
        .env_remove("DATABASE_URL");
    command.env("ZHULU_LOG", std::env::var("ZHULU_LOG").unwrap_or_else(|_| "warn".to_owned()));
    command
}

/// A bearer token for somebody of this account in this role, signed with the key of this data directory.
pub fn token_for(data: &Path, role: &str, subject: &str, name: &str, region: &str, hours: u32) -> String {
    token_with(data, [role, subject, name, region], &["--expires-hours", &hours.to_string()])
}

/// The same with more words of the command.
fn token_with(data: &Path, [role, subject, name, region]: [&str; 4], more: &[&str]) -> String {
    let words = [
        "token",
        "--role",
        role,
        "--subject",
        subject,
        "--name",
        name,
        "--region",
        region,
    ];
    run_well(data, &[&words, more].concat()).trim().to_owned()
}

/// A directory that an account without rights can reach, since PostgreSQL may run as one.
pub fn data_directory() -> TempDir {
    let directory = tempfile::Builder::new().prefix("zhulu-").tempdir().unwrap();
    let open = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
    std::fs::set_permissions(directory.path(), open).unwrap();
    directory
}

/// A serving Zhulu. Stops when dropped.
pub struct Server {
    child: Child,
    address: String,
    event_store: Option<String>,
    data: PathBuf,
    agent: ureq::Agent,
}

impl Server {
    /// Serves this directory, in demo mode so that the stories may set the clock.
    pub fn start(data: &Path) -> Self {
        Self::start_with(data, &["--demo"])
    }

    /// Serves this directory with these further arguments.
    pub fn start_with(data: &Path, arguments: &[&str]) -> Self {
        // A usual port belongs to whoever is first; the stories have no need of it.
        let quiet = !arguments
            .iter()
            .any(|argument| argument.starts_with("--esdb") || *argument == "--store");
        let mut child = command(data)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(quiet.then_some("--esdb-off"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let started = Instant::now();
        let mut event_store = None;
        let address = loop {
            let mut line = String::new();
            let read = lines.read_line(&mut line).unwrap();
            assert!(read > 0, "zhulu ended before it was ready: {:?}", child.wait());
            assert!(started.elapsed() < READY_LIMIT, "zhulu is not ready after {READY_LIMIT:?}");
            if let Some(at) = line.find("esdb://") {
                let named = line[at + "esdb://".len()..].split(['?', ' ', '\n']).next();
                event_store = named.map(str::to_owned);
            }
            if let Some(at) = line.find("http://") {
                break line[at..]
                    .split_whitespace()
                    .next()
                    .unwrap()
                    .trim_end_matches("/graphql")
                    .to_owned();
            }
        };
        // Nobody reads on; the pipe must not fill up.
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            let _ = lines.read_to_end(&mut rest);
        });
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            // A server may close after an answer; a kept connection would then break the next request.
            .max_idle_connections(0)
            .build()
            .into();
        Self {
            child,
            address,
            event_store,
            data: data.to_path_buf(),
            agent,
        }
    }

    /// Where it serves, such as `http://127.0.0.1:40123`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where its event store answers other clients, such as `127.0.0.1:40124`.
    pub fn event_store(&self) -> Option<&str> {
        self.event_store.as_deref()
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Kills it as a power cut would.
    pub fn kill_now(&self) {
        let killed = Command::new("kill")
            .args(["-KILL", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
    }

    /// Asks it to stop, and waits until it has.
    pub fn stop(mut self) -> ExitStatus {
        let stopped = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(stopped.success());
        self.child.wait().unwrap()
    }

    /// Somebody of this account in this role of a bureau of this region, with a token of their own.
    pub fn account(&self, role: &str, subject: &str, name: &str, region: &str) -> Person<'_> {
        self.account_for(role, subject, name, region, TOKEN_HOURS)
    }

    /// Somebody of an organisation or section, in this role.
    pub fn of_organisation(&self, organisation: &str, role: &str, subject: &str, name: &str) -> Person<'_> {
        Person {
            server: self,
            token: token_with(&self.data, [role, subject, name, REGION], &["--organisation", organisation]),
        }
    }

    /// The same, with a token for so many hours.
    pub fn account_for(&self, role: &str, subject: &str, name: &str, region: &str, hours: u32) -> Person<'_> {
        Person {
            server: self,
            token: token_for(&self.data, role, subject, name, region, hours),
        }
    }

    /// A plain request; the status and the body.
    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let mut request = self.agent.post(format!("{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request.send(body).unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    /// A plain request; the status and the body. None, if the server is gone.
    pub fn try_graphql(&self, token: &str, query: &str, variables: &Value) -> Option<Value> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let mut response = self
            .agent
            .post(format!("{}/graphql", self.address))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .send(&body)
            .ok()?;
        serde_json::from_str(&response.body_mut().read_to_string().ok()?).ok()
    }

    /// A plain request; the status and the body.
    pub fn get(&self, path: &str) -> (u16, String) {
        let mut response = self.agent.get(format!("{}{path}", self.address)).call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(Some(_)) = self.child.try_wait() {
            return;
        }
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(20) {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody with a token.
pub struct Person<'server> {
    server: &'server Server,
    token: String,
}

impl Person<'_> {
    /// The bearer token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The whole answer to a GraphQL request.
    pub fn graphql(&self, query: &str, variables: &Value) -> Value {
        self.server
            .try_graphql(&self.token, query, variables)
            .unwrap_or_else(|| panic!("no answer to {query}"))
    }

    /// The data of a query, which must succeed.
    pub fn query(&self, query: &str, variables: &Value) -> Value {
        let answer = self.graphql(query, variables);
        assert!(answer["errors"].is_null(), "{query}\n{variables}\n{}", answer["errors"]);
        answer["data"].clone()
    }

    /// The answer of a mutation named `name` with this input: a command id is added, if it has none.
    pub fn ask(&self, name: &str, mut input: Value) -> Value {
        let input_type = input_type(name);
        if input["commandId"].is_null() {
            input["commandId"] = json!(Uuid::now_v7());
        }
        let query = format!(
            "mutation($input: {input_type}!) {{ done: {name}(input: $input) \
             {{ case {{ id caseId stage }} userErrors {{ code message messageEn field }} commandId position }} }}"
        );
        self.graphql(&query, &json!({ "input": input }))
    }

    /// Does something that the law allows now; returns the payload.
    pub fn does(&self, name: &str, input: Value) -> Value {
        let answer = self.ask(name, input.clone());
        assert!(answer["errors"].is_null(), "{name} {input}: {}", answer["errors"]);
        let payload = answer["data"]["done"].clone();
        assert_eq!(payload["userErrors"], json!([]), "{name} {input}");
        payload
    }

    /// Asks for something that the law does not allow; returns the code of the refusal.
    pub fn is_refused(&self, name: &str, input: Value) -> String {
        let answer = self.ask(name, input.clone());
        assert!(answer["errors"].is_null(), "{name} {input}: {}", answer["errors"]);
        let code = answer["data"]["done"]["userErrors"][0]["code"].as_str();
        code.unwrap_or_else(|| panic!("{name} {input} was allowed: {answer}"))
            .to_owned()
    }

    /// Asks for something that is not for this role; returns the code of the error.
    pub fn is_forbidden(&self, name: &str, input: Value) -> String {
        let answer = self.ask(name, input.clone());
        let code = answer["errors"][0]["extensions"]["code"].as_str();
        code.unwrap_or_else(|| panic!("{name} {input} was allowed: {answer}"))
            .to_owned()
    }
}

/// `caseAccept` takes a `CaseAcceptInput`.
fn input_type(mutation: &str) -> String {
    let mut letters = mutation.chars();
    let first: String = letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter().collect();
    format!("{first}{}Input", letters.as_str())
}

/// Looks again and again until there is something to see.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(started.elapsed() < SEEN_LIMIT, "not seen within {SEEN_LIMIT:?}: {what}");
        std::thread::sleep(Duration::from_millis(25));
    }
}

/// Every row of every view as text, table by table: what two ways of building the same views must agree on.
pub fn view_rows(server: &Server) -> BTreeMap<String, Vec<String>> {
    let note = std::fs::read_to_string(server.data().join("running.json")).unwrap();
    let running: Value = serde_json::from_str(&note).unwrap();
    view_rows_of(running["database_url"].as_str().unwrap())
}

/// Every row of every view in this database.
pub fn view_rows_of(url: &str) -> BTreeMap<String, Vec<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let tables = client
            .query(
                "select table_schema, table_name from information_schema.tables \
                 where table_schema like 'zhulu\\_%' and table_schema !~ '_v[0-9]+_g[0-9]+$' order by 1, 2",
                &[],
            )
            .await
            .unwrap();
        assert!(!tables.is_empty(), "there are no views");
        let mut rows = BTreeMap::new();
        for table in &tables {
            let (schema, name): (String, String) = (table.get(0), table.get(1));
            let found = client
                .query(&format!("select t::text from \"{schema}\".\"{name}\" t order by 1"), &[])
                .await
                .unwrap();
            rows.insert(name, found.iter().map(|row| row.get(0)).collect());
        }
        rows
    })
}

/// Says where two states of the views differ, without printing all of them.
pub fn assert_same_rows(left: &BTreeMap<String, Vec<String>>, right: &BTreeMap<String, Vec<String>>) {
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    for (table, rows) in left {
        let other: &[String] = &right[table];
        let difference = rows.iter().zip(other).find(|(mine, theirs)| mine != theirs);
        assert!(difference.is_none(), "{table} differs: {difference:?}");
        assert_eq!(rows.len(), other.len(), "{table} has another number of rows");
    }
}
