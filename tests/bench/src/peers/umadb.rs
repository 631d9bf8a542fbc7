//! UmaDB: its own server in a process of its own, its own client, conditional appends (the strongest local peer).

use std::{
    path::Path,
    process::{Child, Command},
    sync::Arc,
    time::Duration,
};

use umadb_client::{AsyncUmaDbClient, UmaDbClient};
use umadb_dcb::{DcbAppendCondition, DcbEvent, DcbEventStoreAsync, DcbQuery, DcbQueryItem};
use uuid::Uuid;

use crate::{
    append::{EVENTS_PER_STREAM, payload},
    measure::{Rate, closed_loop},
};

/// How many connections the writers share: the figure at which its own benches peak.
const CONNECTIONS: usize = 8;

/// A running UmaDB.
pub struct UmaDb {
    server: Child,
    clients: Arc<Vec<AsyncUmaDbClient>>,
}

/// The body of the server process: UmaDB's own command line.
pub fn serve(path: &str, address: &str) {
    let options = umadb::parse_cli_options(["umadb", "--listen", address, "--db-path", path]).expect("UmaDB's options");
    umadb::start_server_with_cli_options(options).expect("UmaDB serves");
}

impl UmaDb {
    /// Starts the server and connects.
    pub async fn start(dir: &Path) -> Self {
        std::fs::create_dir_all(dir).expect("a directory");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a free port")
            .port();
        let address = format!("127.0.0.1:{port}");
        let server = Command::new(std::env::current_exe().expect("this program"))
            .args(["umadb-server", &dir.join("uma.db").to_string_lossy(), &address])
            .spawn()
            .expect("UmaDB starts");
        let mut clients = Vec::new();
        while clients.len() < CONNECTIONS {
            match UmaDbClient::new(format!("http://{address}")).connect_async().await {
                Ok(client) => clients.push(client),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        Self {
            server,
            clients: Arc::new(clients),
        }
    }

    /// Conditional appends in a second: no event of this stream after the position that the writer knows.
    pub async fn append_rate(&self, writers: usize, time: Duration, round: u64) -> Rate {
        let clients = Arc::clone(&self.clients);
        let data = payload();
        let known = Arc::new((0..writers).map(|_| std::sync::Mutex::new(None::<u64>)).collect::<Vec<_>>());
        closed_loop(writers, time, move |writer, turn| {
            let (clients, data, known) = (Arc::clone(&clients), data.clone(), Arc::clone(&known));
            async move {
                let tag = format!("bench-{round}-{writer}-{}", turn / EVENTS_PER_STREAM);
                let query = DcbQuery::new().item(DcbQueryItem::new().types(["Bench"]).tags([tag.clone()]));
                let after = if turn % EVENTS_PER_STREAM == 0 {
                    None
                } else {
                    *known[writer].lock().expect("a lock")
                };
                let event = DcbEvent::default()
                    .event_type("Bench")
                    .tags([tag])
                    .data(data.to_vec())
                    .uuid(Uuid::new_v4());
                let client = &clients[writer % clients.len()];
                let at = client
                    .append(vec![event], Some(DcbAppendCondition::new(query).after(after)), None)
                    .await
                    .expect("an append");
                *known[writer].lock().expect("a lock") = Some(at);
            }
        })
        .await
    }
}

impl Drop for UmaDb {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
