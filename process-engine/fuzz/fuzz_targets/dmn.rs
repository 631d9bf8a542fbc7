//! Any bytes as a decision model; every decision in it is asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use process_engine::{
    dmn::{self, ReadOptions},
    instance::Bindings,
};

fuzz_target!(|bytes: &[u8]| {
    let Ok(model) = dmn::read(bytes, ReadOptions::default()) else { return };
    for decision in model.decisions() {
        let of = decision.inputs().map(|name| (name.to_owned(), serde_json::json!(8_000)));
        let _ = model.evaluate(&decision.name, &of.collect::<Bindings>());
    }
});
