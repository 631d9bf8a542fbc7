//! The words of the protocol, made of `proto/*.proto` by the build script.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    reason = "generated; the sentences stand in the .proto files"
)]

include!(concat!(env!("OUT_DIR"), "/service/protocol.rs"));
