//! Several processes on one history: `deploy/cluster` brought up, worked with, and killed part by part.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

use super::{APPLICANT, application, at};
use crate::{
    running::{REGION, TOKEN_HOURS, assert_same_rows, data_directory, eventually, run_well, token_for, view_rows_of, zhulu},
    tidy::root,
};

/// How many ports a cluster takes, one after the other.
const PORTS: u16 = 9;
/// How many people file and accept applications at once.
const CLIENTS: usize = 3;
/// How many answers must have come before the next part is killed; so that each has something to lose.
const ANSWERS_PER_KILL: u32 = 6;
/// How often the same is asked again while what was done is not shown.
const ASKED_AT_MOST: usize = 5;
/// The parts in the order in which they die.
const PARTS: [&str; 8] = [
    "project1", "api1", "react1", "store", "project2", "api2", "react2", "postgres",
];

/// A cluster in a directory of its own. Stops when dropped.
struct Cluster {
    data: TempDir,
    port: u16,
    has_proxy: bool,
    agent: ureq::Agent,
    /// The last thing that was said instead of an answer: the first question when nobody is answered any more.
    last_trouble: Mutex<String>,
}

impl Cluster {
    fn up() -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .max_idle_connections(0)
            .build()
            .into();
        let cluster = Self {
            data: data_directory(),
            port: free_ports(),
            has_proxy: Path::new("/usr/sbin/haproxy").exists(),
            agent,
            last_trouble: Mutex::default(),
        };
        cluster.again();
        cluster
    }

    fn script(&self, name: &str) -> Output {
        let mut script = Command::new(root().join("deploy/cluster").join(name));
        script
            .env("ZHULU_CLUSTER_DIR", self.directory())
            .env("ZHULU_CLUSTER_PORT", self.port.to_string())
            .env("ZHULU_CLUSTER_LANES", "4")
            .env("ZHULU_CLUSTER_PROXY", if self.has_proxy { "on" } else { "off" })
            .env("ZHULU_BIN", zhulu())
            .env("ZHULU_LOG", "warn")
            .env_remove("DATABASE_URL")
            .env_remove("ZHULU_STORE");
        script.output().unwrap()
    }

    /// Starts what is not running.
    fn again(&self) {
        let output = self.script("up");
        assert!(
            output.status.success(),
            "the cluster does not come up: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    fn directory(&self) -> PathBuf {
        self.data.path().join("cluster")
    }

    /// The data directory of the first that answers: commands of the command line go through it.
    fn first(&self) -> PathBuf {
        self.directory().join("api1")
    }

    fn database_url(&self) -> String {
        let password = std::fs::read_to_string(self.directory().join("postgres.password")).unwrap();
        format!("postgresql://zhulu:{password}@127.0.0.1:{}/postgres", self.port + 7)
    }

    /// Kills a part as a power cut would.
    fn kill(&self, part: &str) {
        let file = if part == "postgres" {
            self.directory().join("postgres/postmaster.pid")
        } else {
            self.directory().join(format!("run/{part}.pid"))
        };
        let pid = std::fs::read_to_string(file).unwrap();
        let pid = pid.lines().next().unwrap().trim();
        assert!(Command::new("kill").args(["-KILL", pid]).status().unwrap().success());
    }

    /// A token for somebody.
    fn token(&self, role: &str, subject: &str, name: &str) -> String {
        token_for(&self.first(), role, subject, name, REGION, TOKEN_HOURS)
    }

    /// Where the next question goes: in turn to each that answers, and to the proxy.
    fn door(&self, turn: u32) -> u16 {
        let doors: &[u16] = if self.has_proxy { &[0, 1, 2] } else { &[1, 2] };
        self.port + doors[turn as usize % doors.len()]
    }

    /// The answer to a GraphQL request; none, if whoever was asked is gone.
    fn ask(&self, door: u16, token: &str, query: &str, variables: &Value) -> Option<Value> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let answer = self
            .agent
            .post(format!("http://127.0.0.1:{door}/graphql"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .send(&body)
            .and_then(|mut response| response.body_mut().read_to_string());
        match answer {
            Ok(answer) => serde_json::from_str(&answer).ok(),
            Err(cause) => {
                self.note_trouble(door, &cause);
                None
            }
        }
    }

    fn note_trouble(&self, door: u16, trouble: &dyn std::fmt::Display) {
        *self.last_trouble.lock().unwrap() = format!("door {}: {trouble}", door - self.port);
    }

    /// A command's payload; none, if it was not executed, or nobody knows whether it was.
    fn command(&self, door: u16, token: &str, name: &str, input: &Value) -> Option<Value> {
        let mut letters = name.chars();
        let first: String = letters.next()?.to_ascii_uppercase().into();
        let query = format!(
            "mutation($input: {first}{}Input!) {{ done: {name}(input: $input) {{ case {{ id caseId }} userErrors {{ code }} position }} }}",
            letters.as_str()
        );
        let answer = self.ask(door, token, &query, &json!({ "input": input }))?;
        let payload = &answer["data"]["done"];
        let is_done = payload["userErrors"] == json!([]) && payload["position"].is_string();
        if !is_done {
            self.note_trouble(door, &answer);
        }
        is_done.then(|| payload.clone())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("last trouble: {}", self.last_trouble.lock().unwrap());
            for entry in std::fs::read_dir(self.directory().join("log"))
                .into_iter()
                .flatten()
                .flatten()
            {
                let log = std::fs::read_to_string(entry.path()).unwrap_or_default();
                let last: Vec<&str> = log.lines().rev().take(12).collect();
                eprintln!(
                    "--- {}\n{}",
                    entry.path().display(),
                    last.into_iter().rev().collect::<Vec<_>>().join("\n")
                );
            }
        }
        let _ = self.script("down");
    }
}

/// The first of enough free ports in a row, below those that the system gives to whoever asks for any.
fn free_ports() -> u16 {
    (20_000..32_000_u16)
        .step_by(usize::from(PORTS) + 2)
        .skip(usize::try_from(std::process::id()).unwrap() % 500)
        .find(|first| (0..PORTS).all(|port| TcpListener::bind(("127.0.0.1", first + port)).is_ok()))
        .unwrap()
}

/// What somebody asked for, and the position that was acknowledged.
type Asked = Mutex<BTreeMap<Uuid, (&'static str, Value, Option<String>)>>;

/// Files an application and accepts it; remembers what was asked before it is sent, and what was answered.
fn file_and_accept(cluster: &Cluster, turn: &AtomicU32, applicant: &str, clerk: &str, asked: &Asked) -> Option<()> {
    let mut filing = application(1);
    filing["commandId"] = json!(Uuid::now_v7());
    let filed = ask_until_shown(cluster, turn, applicant, "constructionPermitSubmit", filing, asked)?;
    let accept = json!({
        "commandId": Uuid::now_v7(), "caseId": filed["case"]["id"], "mode": "NORMAL", "occurredAt": at(1, 10),
    });
    ask_until_shown(cluster, turn, clerk, "caseAccept", accept, asked)?;
    Some(())
}

fn ask_until_shown(
    cluster: &Cluster,
    turn: &AtomicU32,
    token: &str,
    name: &'static str,
    input: Value,
    asked: &Asked,
) -> Option<Value> {
    let id: Uuid = input["commandId"].as_str().unwrap().parse().unwrap();
    asked.lock().unwrap().insert(id, (name, input.clone(), None));
    for _ in 0..ASKED_AT_MOST {
        let door = cluster.door(turn.fetch_add(1, Ordering::Relaxed));
        let payload = cluster.command(door, token, name, &input)?;
        asked.lock().unwrap().get_mut(&id).unwrap().2 = payload["position"].as_str().map(str::to_owned);
        // Done, and not shown yet: views may be behind for longer than an answer waits for them.
        if payload["case"].is_object() {
            return Some(payload);
        }
        cluster.note_trouble(door, &"what was done is not shown");
    }
    None
}

#[test]
fn every_part_of_a_cluster_can_be_killed_under_load_and_nothing_is_lost_doubled_or_reordered() {
    let cluster = Cluster::up();
    let applicant = cluster.token("applicant", APPLICANT, "湘湖建设投资有限公司");
    let clerk = cluster.token("windowClerk", "clerk", "周敏");
    let asked = Asked::default();
    let (stop, answers, turn) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    match file_and_accept(&cluster, &turn, &applicant, &clerk, &asked) {
                        Some(()) => _ = answers.fetch_add(1, Ordering::Relaxed),
                        None => std::thread::sleep(Duration::from_millis(50)),
                    }
                }
            });
        }
        let ends = EndsAtLast(&stop);
        for part in PARTS {
            let before = answers.load(Ordering::Relaxed);
            eventually("people are answered", || {
                (answers.load(Ordering::Relaxed) >= before + ANSWERS_PER_KILL).then_some(())
            });
            cluster.kill(part);
            // Half of what is under way meets the gap.
            std::thread::sleep(Duration::from_millis(300));
            cluster.again();
        }
        // The streams are divided anew while people go on.
        for lanes in ["2", "3"] {
            let said = run_well(&cluster.first(), &["lanes", lanes]);
            assert!(said.contains(lanes), "{said}");
            let before = answers.load(Ordering::Relaxed);
            eventually("people are answered", || {
                (answers.load(Ordering::Relaxed) >= before + ANSWERS_PER_KILL).then_some(())
            });
        }
        drop(ends);
    });
    let asked = asked.into_inner().unwrap();
    let unanswered = asked.values().filter(|(.., answered)| answered.is_none()).count();
    println!("{} commands, {unanswered} of them without an answer", asked.len());
    asked_again(&cluster, &asked, &applicant, &clerk);
    let filed = asked
        .values()
        .filter(|(name, ..)| *name == "constructionPermitSubmit")
        .count();
    numbers_have_no_gaps(&cluster, &clerk, filed);
    let status = cluster.script("status");
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
    views_are_what_a_rebuild_makes(&cluster, &clerk);
}

/// Lets the others end, also when something failed.
struct EndsAtLast<'a>(&'a AtomicBool);

impl Drop for EndsAtLast<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Everything that was asked is asked again, at the other node: what was acknowledged is there at its place, once.
fn asked_again(cluster: &Cluster, asked: &BTreeMap<Uuid, (&'static str, Value, Option<String>)>, applicant: &str, clerk: &str) {
    for (turn, (id, (name, input, answered))) in asked.iter().enumerate() {
        let token = if *name == "caseAccept" { clerk } else { applicant };
        let payload = eventually("an answer to what was asked before", || {
            let door = cluster.port + 1 + u16::try_from(turn % 2).unwrap();
            cluster.command(door, token, name, input)
        });
        if let Some(position) = answered {
            assert_eq!(
                payload["position"].as_str(),
                Some(position.as_str()),
                "{name} {id} was executed twice"
            );
        }
    }
}

/// Every case has a number, and the numbers have neither gaps nor doubles.
fn numbers_have_no_gaps(cluster: &Cluster, clerk: &str, cases: usize) {
    let numbers = eventually("a number for every case", || {
        let mut numbers = Vec::new();
        let mut after = Value::Null;
        loop {
            let page = cluster.ask(
                cluster.port + 2,
                clerk,
                "query($after: String) { cases(first: 100, after: $after) { edges { node { caseNo } } pageInfo { hasNextPage endCursor } } }",
                &json!({ "after": after }),
            )?;
            let page = &page["data"]["cases"];
            numbers.extend(
                page["edges"]
                    .as_array()?
                    .iter()
                    .filter_map(|edge| edge["node"]["caseNo"].as_str().map(str::to_owned)),
            );
            if page["pageInfo"]["hasNextPage"] != true {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        (numbers.len() == cases).then_some(numbers)
    });
    let sequences: BTreeSet<usize> = numbers
        .iter()
        .map(|number| number[number.len() - 5..].parse().unwrap())
        .collect();
    assert_eq!(sequences, (1..=cases).collect(), "the numbers have gaps or doubles");
}

/// What followed through all this equals what is made at once; and the entries of each case are events of it, each once and in order.
fn views_are_what_a_rebuild_makes(cluster: &Cluster, clerk: &str) {
    let url = cluster.database_url();
    eventually("the views show the whole log", || {
        let answer = cluster.ask(cluster.port + 2, clerk, "{ views { state lag } }", &json!({}))?;
        let views = answer["data"]["views"].as_array()?;
        let are_there = views.iter().all(|view| view["state"] == "RUNNING" && view["lag"] == 0);
        if !are_there {
            cluster.note_trouble(cluster.port + 2, &answer);
        }
        are_there.then_some(())
    });
    let followed = view_rows_of(&url);
    run_well(&cluster.first(), &["rebuild", "all"]);
    assert_same_rows(&followed, &view_rows_of(&url));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let torn: i64 = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let sql = "select count(*) from (select case_id from zhulu_timeline.timeline_entries group by case_id \
                   having count(*) <> count(distinct revision) or array_agg(revision order by position) <> array_agg(revision order by revision)) as torn";
        client.query_one(sql, &[]).await.unwrap().get(0)
    });
    assert_eq!(torn, 0, "cases whose entries are not their events in order");
}
