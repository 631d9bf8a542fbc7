//! The published list and the stories say the same.

use std::{collections::BTreeSet, path::PathBuf};

#[test]
fn every_pattern_has_a_row_and_every_row_that_is_supported_has_a_story() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let list = std::fs::read_to_string(root.join("../docs/processes/patterns.md")).unwrap();
    let stories: String = std::fs::read_dir(root.join("tests/patterns"))
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok())
        .collect();
    let rows: Vec<Vec<&str>> = list
        .lines()
        .filter(|line| line.starts_with("| ") && line.chars().nth(2).is_some_and(char::is_numeric))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let numbers: BTreeSet<u32> = rows.iter().map(|row| row[1].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=43).collect());
    let supported = rows.iter().filter(|row| row[3] == "+").count();
    assert!(supported >= 36, "{supported}");
    for row in rows.iter().filter(|row| row[3] != "–") {
        let test = row[5].trim_matches('`');
        assert!(stories.contains(&format!("fn {test}(")), "{test} is told of but is not there");
    }
}
