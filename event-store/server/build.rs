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
        let mut config = tonic_prost_build::Config::new();
        config.enable_type_names();
        let mut descriptors = descriptors.clone();
        if serves {
            leave_out_reading(&mut descriptors);
        }
        tonic_prost_build::configure()
            .build_server(serves)
            .build_client(!serves)
            .build_transport(false)
            .bytes(".")
            .extern_path(".event_store.client.Empty", "()")
            .include_file("protocol.rs")
            .out_dir(&folder)
            .compile_fds_with_config(descriptors, config)?;
    }
    Ok(())
}

/// Reading is answered by hand: its answers are made of bytes that are written once.
fn leave_out_reading(descriptors: &mut tonic_prost_build::FileDescriptorSet) {
    for service in descriptors.file.iter_mut().flat_map(|file| &mut file.service) {
        if service.name() == "Streams" {
            service.method.retain(|method| method.name() != "Read");
        }
    }
}
