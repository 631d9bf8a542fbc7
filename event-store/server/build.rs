//! Makes Rust out of `proto/*.proto`, without any tool that must be installed: the services for the crate itself,
//! the clients for its tests.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let mut files: Vec<PathBuf> = fs::read_dir("proto")?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "proto"));
    files.sort();
    let descriptors = protox::compile(&files, ["proto"])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for (folder, serves) in [("service", true), ("client", false)] {
        let folder = out.join(folder);
        fs::create_dir_all(&folder)?;
        tonic_prost_build::configure()
            .build_server(serves)
            .build_client(!serves)
            .build_transport(false)
            .bytes(".")
            .extern_path(".event_store.client.Empty", "()")
            .include_file("protocol.rs")
            .out_dir(&folder)
            .compile_fds(descriptors.clone())?;
    }
    Ok(())
}
