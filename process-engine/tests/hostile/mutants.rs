//! Bytes of any kind, and models that were sound until somebody changed a few bytes: whatever comes of them, nothing panics.

use std::{fs, path::Path, sync::Arc};

use process_engine::{
    bpmn::{self, ReadOptions},
    dmn,
    expression::translate,
    instance::{Bindings, Event, ProcessInstance},
    testing::{Player, World, random},
};
use proptest::{prelude::*, sample::Index};

use crate::on_a_small_stack;

/// What is put in the place of a piece of a model.
const PIECES: [&str; 20] = [
    "",
    "<",
    ">",
    "\"",
    "${",
    "}",
    "=",
    "-1",
    "99999999999999999999",
    "P1D",
    "</process>",
    "<process>",
    "parallelGateway",
    "subProcess",
    "boundaryEvent",
    "true",
    "id=\"s\"",
    "&#x10FFFF;",
    "<![CDATA[",
    "\u{202e}",
];

/// A model with a few pieces replaced by others: signs, or what stands elsewhere in it.
fn mutated(whole: &str, changes: &[(Index, u8, Index, bool)]) -> String {
    let mut letters: Vec<char> = whole.chars().collect();
    for (at, length, with, from_itself) in changes {
        let at = at.index(letters.len().max(1));
        let end = (at + usize::from(*length)).min(letters.len());
        let with: Vec<char> = if *from_itself {
            let from = with.index(letters.len().max(1));
            letters[from..(from + 40).min(letters.len())].to_vec()
        } else {
            PIECES[with.index(PIECES.len())].chars().collect()
        };
        letters.splice(at..end, with);
    }
    letters.into_iter().collect()
}

/// Files of other tools and of the corpus.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let wanted = paths.iter().filter(|path| path.extension().is_some_and(|one| one == ending));
    wanted
        .map(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned())
        .collect()
}

/// Reads a model, starts whatever it holds, and does what is open for a while.
fn read_and_run(bytes: &[u8]) {
    let Ok(read) = bpmn::read(bytes, &ReadOptions::default()) else {
        return;
    };
    let world = Arc::new(World::new().with(&read.definitions));
    for process in &read.definitions.processes {
        let mut player = Player::new(&world);
        player.be("zhang").administrator(true);
        if player.start(&process.reference.process, Bindings::new()).is_ok() {
            let _ = player.complete_everything(50);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_of_any_kind_are_no_models_and_no_expressions(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        on_a_small_stack(|| {
            read_and_run(&bytes);
            let _ = dmn::read(&bytes, dmn::ReadOptions::default());
            let text = String::from_utf8_lossy(&bytes);
            let _ = translate::feel_of(&text);
            crate::said_of(&text, &Bindings::new());
        });
    }

    #[test]
    fn words_of_feel_in_any_order_give_a_value_or_an_error(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "a", "1", "-", "+", "**", "/", "(", ")", "[", "]", "{", "}", ":", ",", ".", "..", "\"x\"", "if", "then", "else", "for",
            "in", "return", "some", "every", "satisfies", "and", "or", "not", "null", "true", "between", "instance of", "number",
            "list", "<", ">", "=", "count", "date", "duration", "@\"2026-01-01\"", "@\"P1D\"", "function", "partial", "item", "?", "string",
            "sort", "matches", "0", "1e9", "%", "day of week", "range", "\u{1F600}",
        ]), 0..30),
        translated in any::<bool>(),
    ) {
        let text = words.join(" ");
        let feel = if translated { on_a_small_stack(|| translate::juel_to_feel(&text)).unwrap_or_default() } else { text };
        crate::said_of(&feel, &Bindings::from([("a".to_owned(), serde_json::json!([1, "x", { "b": null }]))]));
    }

    #[test]
    fn mutants_of_random_models_never_panic(
        seed in 0_u64..500,
        changes in proptest::collection::vec((any::<Index>(), 0_u8..30, any::<Index>(), any::<bool>()), 1..4),
    ) {
        let mutant = mutated(&random::draw_model(seed).xml, &changes);
        on_a_small_stack(|| read_and_run(mutant.as_bytes()));
    }

    #[test]
    fn mutants_of_models_of_other_tools_never_panic(
        which in any::<Index>(),
        changes in proptest::collection::vec((any::<Index>(), 0_u8..30, any::<Index>(), any::<bool>()), 1..5),
    ) {
        let files = files("models", "bpmn");
        let mutant = mutated(&files[which.index(files.len())], &changes);
        on_a_small_stack(|| read_and_run(mutant.as_bytes()));
    }

    #[test]
    fn mutants_of_decision_models_never_panic(
        which in any::<Index>(),
        changes in proptest::collection::vec((any::<Index>(), 0_u8..30, any::<Index>(), any::<bool>()), 1..5),
    ) {
        let files = files("hostile/corpus/dmn", "dmn");
        let mutant = mutated(&files[which.index(files.len())], &changes);
        on_a_small_stack(|| {
            if let Ok(model) = dmn::read(mutant.as_bytes(), dmn::ReadOptions::default()) {
                for decision in model.decisions() {
                    let _ = model.evaluate(&decision.name, &Bindings::from([("area".to_owned(), serde_json::json!(8_000))]));
                }
            }
        });
    }

    #[test]
    fn events_in_any_order_fold_to_some_state(
        which in any::<Index>(),
        changes in proptest::collection::vec((any::<Index>(), any::<Index>(), 0_u8..4), 1..20),
    ) {
        let files = files("golden", "jsonl");
        let mut lines: Vec<&str> = files[which.index(files.len())].lines().collect();
        for (one, other, how) in changes {
            if lines.is_empty() {
                break;
            }
            let (one, other) = (one.index(lines.len()), other.index(lines.len()));
            match how {
                0 => lines.swap(one, other),
                1 => _ = lines.remove(one),
                2 => lines.insert(one, lines[other]),
                _ => lines.truncate(one),
            }
        }
        on_a_small_stack(|| {
            let events: Vec<Event> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
            decider::replay::<ProcessInstance>(&events);
        });
    }
}
