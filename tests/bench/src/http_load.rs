//! A small HTTP/1.1 load generator: keep-alive connections, closed loop or open loop with latency from the intended send.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::measure::{Rate, percentile};

/// Sockets settle for this long before anything is measured: connecting is not what we measure.
const SETTLE: Duration = Duration::from_millis(2_500);

/// One keep-alive connection.
pub struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects without delay of small packets.
    pub async fn open(address: SocketAddr) -> std::io::Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        Ok(Self {
            socket,
            buffer: vec![0; 64 * 1024],
        })
    }

    /// Sends a request and reads the whole response; the body's bytes, or an error if the status is not 200.
    pub async fn call(&mut self, request: &[u8]) -> std::io::Result<Vec<u8>> {
        self.socket.write_all(request).await?;
        let mut seen = Vec::with_capacity(16 * 1024);
        loop {
            let count = self.socket.read(&mut self.buffer).await?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            seen.extend_from_slice(&self.buffer[..count]);
            if let Some(body) = whole_body(&seen)? {
                return Ok(body);
            }
        }
    }
}

/// The body, once all of it is here.
fn whole_body(seen: &[u8]) -> std::io::Result<Option<Vec<u8>>> {
    let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&seen[..end]).to_ascii_lowercase();
    if !head.starts_with("http/1.1 200") {
        return Err(std::io::Error::other(format!(
            "{head}\n{}",
            String::from_utf8_lossy(&seen[end..])
        )));
    }
    let body = &seen[end + 4..];
    if let Some(length) = head.lines().find_map(|line| line.strip_prefix("content-length:")) {
        let length: usize = length.trim().parse().map_err(std::io::Error::other)?;
        return Ok((body.len() >= length).then(|| body[..length].to_vec()));
    }
    // Chunked: the last chunk has the length nought.
    Ok(body.ends_with(b"0\r\n\r\n").then(|| body.to_vec()))
}

/// A GraphQL request as bytes.
pub fn graphql_request(address: SocketAddr, path: &str, token: Option<&str>, body: &serde_json::Value) -> Vec<u8> {
    let body = body.to_string();
    let authorization = token
        .map(|token| format!("authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\naccept: application/json\r\n{authorization}content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Every connection asks as fast as it is answered.
pub async fn closed(address: SocketAddr, connections: usize, time: Duration, requests: Arc<Vec<Vec<u8>>>) -> Rate {
    let mut tasks = Vec::new();
    let begin = Instant::now() + SETTLE;
    for number in 0..connections {
        let requests = Arc::clone(&requests);
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await.expect("a connection");
            tokio::time::sleep_until(begin.into()).await;
            let mut latencies = Vec::new();
            let mut turn = number;
            while begin.elapsed() < time {
                let start = Instant::now();
                connection.call(&requests[turn % requests.len()]).await.expect("an answer");
                latencies.push(start.elapsed().as_secs_f64() * 1_000.0);
                turn += 1;
            }
            latencies
        }));
    }
    gather(tasks, begin).await
}

/// All connections together ask `per_second` times, on time whatever the answers do; latency counts from the intended send.
pub async fn open(
    address: SocketAddr,
    connections: usize,
    per_second: usize,
    time: Duration,
    requests: Arc<Vec<Vec<u8>>>,
) -> Rate {
    let mut tasks = Vec::new();
    let begin = Instant::now() + SETTLE;
    #[allow(clippy::cast_precision_loss, reason = "small counts")]
    let gap = Duration::from_secs_f64(connections as f64 / per_second as f64);
    for number in 0..connections {
        let requests = Arc::clone(&requests);
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await.expect("a connection");
            let mut intended = begin
                + gap.mul_f64(f64::from(u32::try_from(number).unwrap_or(0)) / f64::from(u32::try_from(connections).unwrap_or(1)));
            let mut latencies = Vec::new();
            let mut turn = number;
            while intended < begin + time {
                tokio::time::sleep_until(intended.into()).await;
                connection.call(&requests[turn % requests.len()]).await.expect("an answer");
                latencies.push(intended.elapsed().as_secs_f64() * 1_000.0);
                intended += gap;
                turn += 1;
            }
            latencies
        }));
    }
    gather(tasks, begin).await
}

async fn gather(tasks: Vec<tokio::task::JoinHandle<Vec<f64>>>, begin: Instant) -> Rate {
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.unwrap_or_default());
    }
    #[allow(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
    let per_second = latencies.len() as f64 / begin.elapsed().as_secs_f64();
    Rate {
        per_second,
        p50_ms: percentile(&mut latencies, 0.5),
        p99_ms: percentile(&mut latencies, 0.99),
    }
}
