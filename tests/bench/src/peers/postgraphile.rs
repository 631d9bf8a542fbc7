//! PostGraphile 4 over the same table: started by Node.js from its npm package.

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A running PostGraphile.
pub struct PostGraphile {
    server: Child,
    /// Where it answers.
    pub address: SocketAddr,
}

impl PostGraphile {
    /// Starts it over a schema of a database; none, if its package is not there.
    pub async fn start(url: &str, schema: &str) -> Option<Self> {
        let cli = PathBuf::from(std::env::var("ZHULU_PEERS").ok()?).join("node_modules/postgraphile/cli.js");
        if !cli.is_file() {
            return None;
        }
        let address = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .ok()?;
        let server = Command::new("node")
            .arg(cli)
            .args(["-c", url, "-s", schema, "-n", "127.0.0.1", "-p", &address.port().to_string()])
            .args([
                "--disable-query-log",
                "--no-ignore-rbac",
                "--max-pool-size",
                "8",
                "--disable-graphiql",
            ])
            .env("NODE_ENV", "production")
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .ok()?;
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
                return Some(Self { server, address });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        None
    }
}

impl Drop for PostGraphile {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
