//! A proxy that cuts every connection after some bytes.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
};

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    pub(crate) cuts: Arc<AtomicU64>,
    gentle: Arc<AtomicBool>,
}

impl Proxy {
    /// Each connection lives for fewer than `bytes` bytes, both ways together; how many, a row of numbers says that
    /// begins with `seed`.
    pub(crate) async fn before(target: SocketAddr, bytes: u64, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (cuts, gentle) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (counted, gentle_too) = (cuts.clone(), gentle.clone());
        tokio::spawn(async move {
            let mut row = seed;
            while let Ok((client, _)) = listener.accept().await {
                row = row
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let budget = Arc::new(AtomicU64::new(1_000 + (row >> 33) % bytes));
                let (cuts, gentle) = (counted.clone(), gentle_too.clone());
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(target).await else {
                        return;
                    };
                    // Small packets must not wait for each other here.
                    client.set_nodelay(true).unwrap();
                    server.set_nodelay(true).unwrap();
                    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                    // Whichever way is cut first takes the other with it.
                    tokio::select! {
                        () = pass(from_client, to_server, &budget, &gentle) => {}
                        () = pass(from_server, to_client, &budget, &gentle) => {}
                    }
                    cuts.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        Self { address, cuts, gentle }
    }

    /// Cuts no more.
    pub(crate) fn be_gentle(&self) {
        self.gentle.store(true, Ordering::Relaxed);
    }
}

/// Passes bytes on until the budget is used up, in the middle of a packet if it comes so.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, budget: &AtomicU64, gentle: &AtomicBool) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(read) = from.read(&mut buffer).await else { return };
        let left = budget
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                Some(left.saturating_sub(read as u64))
            })
            .unwrap();
        let passed = if gentle.load(Ordering::Relaxed) {
            read
        } else {
            read.min(usize::try_from(left).unwrap())
        };
        if read == 0 || to.write_all(&buffer[..passed]).await.is_err() || passed < read {
            return;
        }
    }
}
