//! `zhulu check-models` and `zhulu conformance`: models looked at from files, without a bureau.

use std::{
    fs,
    path::{Path, PathBuf},
};

use process_engine::{
    bpmn,
    conformance::betsy,
    dmn,
    finding::{Finding, Severity},
};

use crate::failure::Failure;

/// The deepest folder that suites are looked for in.
const MAX_FOLDERS_DEEP: usize = 12;
/// How the files of the technology compatibility kit name their tests.
const TEST_MARK: &str = "-test-";

/// Checks models, and says of each what is wrong with it, with its place.
pub fn check(files: &[PathBuf]) -> Result<(), Failure> {
    let mut faulty = 0;
    for file in files {
        let bytes = read(file)?;
        let findings = findings(file, &bytes);
        for finding in &findings {
            let kind = if finding.severity == Severity::Error {
                "错误 error"
            } else {
                "注意 warning"
            };
            println!(
                "{}:{}:{}: {kind} [{}] {}{}\n    {}",
                file.display(),
                finding.place.line,
                finding.place.column,
                finding.rule,
                finding
                    .element
                    .as_ref()
                    .map(|element| format!("{element}："))
                    .unwrap_or_default(),
                finding.message_zh,
                finding.message
            );
        }
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            faulty += 1;
        } else {
            println!("{}: 可以部署 / can be deployed", file.display());
        }
    }
    if faulty == 0 {
        return Ok(());
    }
    Err(Failure::new(
        format!("{faulty} 个模型有错误"),
        format!("{faulty} of {} models have errors", files.len()),
    ))
}

/// What is wrong with a model: a decision model by its ending, a process otherwise.
fn findings(file: &Path, bytes: &[u8]) -> Vec<Finding> {
    if has_ending(file, "dmn") {
        return dmn::read(bytes, dmn::ReadOptions::default())
            .err()
            .map(|rejected| rejected.findings)
            .unwrap_or_default();
    }
    bpmn::check(bytes, &bpmn::ReadOptions::default())
}

/// Runs the BPMN conformance suite of a folder: `cases.json`, its models, and `must-reject/`.
pub fn betsy(folder: &Path) -> Result<(), Failure> {
    let cases = String::from_utf8_lossy(&read(&folder.join("cases.json"))?).into_owned();
    let mut load = |model: &str| fs::read(folder.join(model)).map_err(|cause| format!("{model}: {cause}"));
    let mut outcome = betsy::run(&cases, &mut load).map_err(|cause| unreadable(folder, &cause))?;
    let must_reject = folder.join("must-reject");
    if must_reject.is_dir() {
        for file in files_below(&must_reject, "bpmn")? {
            let name = file.strip_prefix(folder).unwrap_or(&file).display().to_string();
            outcome.rejects.push(betsy::try_reject(&name, &read(&file)?));
        }
    }
    println!("{outcome}");
    if outcome.is_complete() {
        return Ok(());
    }
    Err(Failure::new("有未通过的项，见上", "not everything passed; see above"))
}

/// Runs the test cases of the DMN technology compatibility kit below a folder.
pub fn dmn_tck(folder: &Path) -> Result<(), Failure> {
    let (mut passed, mut all) = (0_usize, 0_usize);
    for file in files_below(folder, "xml")? {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some((model, _)) = name.split_once(TEST_MARK) else {
            continue;
        };
        let model = file.with_file_name(format!("{model}.dmn"));
        if !model.is_file() {
            continue;
        }
        let tests = String::from_utf8_lossy(&read(&file)?).into_owned();
        let outcomes = dmn::tck::run(&read(&model)?, &tests).map_err(|cause| unreadable(&file, &cause))?;
        for outcome in outcomes {
            all += 1;
            match outcome.failure {
                None => passed += 1,
                Some(failure) => println!("miss {}: {}: {failure}", file.display(), outcome.name),
            }
        }
    }
    println!("tests {passed}/{all}");
    if passed == all && all > 0 {
        return Ok(());
    }
    Err(Failure::new(
        if all == 0 {
            "没有找到测试"
        } else {
            "有未通过的项，见上"
        },
        if all == 0 {
            "there are no tests below this folder"
        } else {
            "not everything passed; see above"
        },
    ))
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file).map_err(|cause| unreadable(file, &cause.to_string()))
}

fn unreadable(file: &Path, cause: &str) -> Failure {
    Failure::doing(
        &format!("无法读取 {}", file.display()),
        &format!("{} cannot be read", file.display()),
        cause,
    )
}

fn has_ending(file: &Path, ending: &str) -> bool {
    file.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

/// Every file with this ending below a folder, in the order of their names.
fn files_below(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut open = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = open.pop() {
        let entries = fs::read_dir(&folder).map_err(|cause| unreadable(&folder, &cause.to_string()))?;
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() && depth < MAX_FOLDERS_DEEP {
                open.push((path, depth + 1));
            } else if has_ending(&path, ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
