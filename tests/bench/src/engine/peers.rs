//! Other engines on the same model, each in a process of its own, as its documentation says to drive it. They wait at the
//! same five tasks, and each task is finished as soon as it waits.

use std::{path::PathBuf, process::Command, time::Duration};

use crate::engine::drive::MODEL;

/// How the condition of the model is written for bpmn-engine, which has no FEEL: its documentation has scripts for that.
const CONDITION: (&str, &str) = (
    r#"<conditionExpression xsi:type="tFormalExpression">floor_area > 1000"#,
    r#"<conditionExpression xsi:type="tFormalExpression" language="javascript">next(null, this.environment.variables.floor_area > 1000)"#,
);

/// An engine that is installed.
pub struct Peer {
    name: &'static str,
    interpreter: PathBuf,
    program: &'static str,
    model: String,
}

/// Those that `./run bench` has brought.
pub fn installed() -> Vec<Peer> {
    let Ok(peers) = std::env::var("ZHULU_PEERS").map(PathBuf::from) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    if peers.join("node_modules/bpmn-engine").is_dir() {
        found.push(Peer {
            name: "bpmn-engine 25 (Node.js)",
            interpreter: "node".into(),
            program: "bpmn-engine.cjs",
            model: MODEL.replace(CONDITION.0, CONDITION.1),
        });
    }
    let python = peers.join("python/bin/python");
    let has_spiff = |python: &PathBuf| Command::new(python).args(["-c", "import SpiffWorkflow"]).status();
    if python.is_file() && has_spiff(&python).is_ok_and(|status| status.success()) {
        found.push(Peer {
            name: "SpiffWorkflow 3.2 (Python)",
            interpreter: python,
            program: "spiff.py",
            model: MODEL.to_owned(),
        });
    }
    found
}

impl Peer {
    /// What it is called.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Instances in a second, from their start to their end.
    pub fn instances_rate(&self, time: Duration) -> f64 {
        let dir = tempfile::tempdir().expect("a directory");
        let model = dir.path().join("model.bpmn");
        std::fs::write(&model, &self.model).expect("a model");
        let out = Command::new(&self.interpreter)
            .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers").join(self.program))
            .arg(&model)
            .arg(time.as_secs_f64().to_string())
            .output()
            .expect("the peer runs");
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{}: {said}", self.name);
        String::from_utf8_lossy(&out.stdout).trim().parse().expect("a rate")
    }
}
