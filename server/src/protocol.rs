//! The event store for others: the protocol of `KurrentDB`'s clients, beside the bureau's own door.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

use commands::own_streams;
use event_store_embedded::EmbeddedStore;
use event_store_server::{EsdbConfig, EsdbServer, OwnStreams, Security, StartError};

use crate::{cli::EsdbArgs, failure::Failure, limits::Limits, place::Place};

/// Where `KurrentDB`'s clients look first.
pub const USUAL_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 2113);

/// Who may append to Zhulu's own streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnStreamsAre {
    /// Zhulu alone, in this process.
    OursAlone,
    /// Whoever has the right to: this store serves Zhulu's processes elsewhere, or somebody said so.
    Shared,
}

/// Answers the clients of the protocol. None, if nobody named an address and somebody else has the usual one.
pub async fn begin(
    store: &EmbeddedStore,
    place: &Place,
    args: &EsdbArgs,
    own: OwnStreamsAre,
) -> Result<Option<EsdbServer>, Failure> {
    let own_streams: OwnStreams = match own {
        OwnStreamsAre::OursAlone => Arc::new(own_streams::is_own),
        OwnStreamsAre::Shared => Arc::new(|_| false),
    };
    let config = EsdbConfig {
        listen: args.listen.unwrap_or(USUAL_ADDRESS),
        security: security(args),
        own_streams,
        directory: place.protocol(),
        advertise: args.advertise.clone(),
        version: env!("CARGO_PKG_VERSION"),
    };
    match event_store_server::start(store.clone(), config).await {
        Ok(server) => Ok(Some(server)),
        Err(StartError::Listen { address, reason }) if args.listen.is_none() && reason.kind() == io::ErrorKind::AddrInUse => {
            tracing::info!(
                %address,
                "somebody else answers KurrentDB's clients there; this server goes on without it (see --esdb-listen)"
            );
            Ok(None)
        }
        Err(StartError::InsecureOffLoopback(address)) => Err(Failure::new(
            format!("{address} 不是本机回环地址，不能用 --esdb-insecure：能写入的人就能伪造办件；去掉它，或只监听 127.0.0.1"),
            format!(
                "{address} is not on loopback, so --esdb-insecure is refused: whoever can append can forge a case; leave it out, or \
                 listen on 127.0.0.1"
            ),
        )),
        Err(error) => Err(Failure::doing(
            "无法对外提供事件库",
            "the event store cannot be served to others",
            error,
        )),
    }
}

/// Ends it: subscriptions at once, other calls within the grace of the process.
pub async fn end(server: Option<EsdbServer>, limits: &Limits) {
    if let Some(server) = server {
        server.stop(limits.shutdown_grace).await;
    }
}

/// Waits until an administrator asks for the end of this process over the protocol; for ever, if nobody can ask.
pub async fn asked_to_stop(server: Option<&EsdbServer>) {
    if let Some(server) = server {
        let mut asked = server.shutdown_asked();
        if asked.wait_for(|asked| *asked).await.is_ok() {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Says where clients connect, and with what.
pub fn introduce(server: &EsdbServer, args: &EsdbArgs) {
    let address = server.address();
    if args.insecure {
        println!("事件库 / event store: esdb://{address}?tls=false  无密码 / no passwords");
        return;
    }
    println!("事件库 / event store: esdb://{address}");
    let told = server.introduction();
    if let Some(file) = told.authority_file {
        println!("  CA 证书 / authority (tlsCaFile): {}", file.display());
    }
    if let Some(fingerprint) = told.fingerprint {
        println!("  SHA-256 指纹 / fingerprint: {fingerprint}");
    }
    if let Some(file) = told.password_file {
        println!("  admin 初始密码 / first password of admin: {}", file.display());
    }
}

fn security(args: &EsdbArgs) -> Security {
    if args.insecure {
        return Security::Insecure;
    }
    let certificate: Option<(PathBuf, PathBuf)> = args.certificate.clone().zip(args.private_key.clone());
    Security::Secure { certificate }
}
