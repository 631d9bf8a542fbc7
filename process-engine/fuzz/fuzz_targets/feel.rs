//! Any text as an expression, in FEEL and in the words of other engines.
#![no_main]

use libfuzzer_sys::fuzz_target;
use process_engine::{
    expression::{Expression, translate},
    instance::Bindings,
};

fuzz_target!(|text: &str| {
    let translated = translate::feel_of(text).ok();
    for feel in translated.as_deref().into_iter().chain([text]) {
        let Ok(expression) = Expression::compile(feel) else { continue };
        let of = expression.names().map(|name| (name.to_owned(), serde_json::json!([1, "x", { "y": null }])));
        let of: Bindings = of.collect();
        let _ = expression.evaluate(&of);
        let _ = expression.holds(&of);
    }
});
