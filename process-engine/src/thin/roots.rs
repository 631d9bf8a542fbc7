//! The file as a whole: what its root holds, and its processes.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use roxmltree::{Document, Node};

use super::{
    Finding, ReadOptions, Severity,
    xml::{BPMN, children, extra, flag, is_bpmn, local, place_of},
};
use crate::{
    expression::{Expression, translate},
    model::{Deduplicate, Definitions, ElementId, Process, ProcessRef, Text, Translation},
};

/// A model that is being read.
pub(super) struct Reader<'a> {
    pub(super) document: &'a Document<'a>,
    pub(super) options: ReadOptions,
    pub(super) hash: Arc<str>,
    pub(super) findings: Vec<Finding>,
    pub(super) translations: Vec<Translation>,
    /// Messages, signals, errors and escalations of the root: what each id is called.
    pub(super) names: HashMap<String, String>,
    /// Event definitions of the root, by id.
    pub(super) event_definitions: HashMap<String, Node<'a, 'a>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(document: &'a Document<'a>, options: ReadOptions, hash: Arc<str>) -> Self {
        Self {
            document,
            options,
            hash,
            findings: Vec::new(),
            translations: Vec::new(),
            names: HashMap::new(),
            event_definitions: HashMap::new(),
        }
    }

    /// Something is wrong at a node.
    pub(super) fn wrong(
        &mut self,
        rule: &'static str,
        node: &Node<'a, 'a>,
        message: impl Into<String>,
        message_zh: impl Into<String>,
    ) {
        self.note(Severity::Error, rule, node, message, message_zh);
    }

    pub(super) fn note(
        &mut self,
        severity: Severity,
        rule: &'static str,
        node: &Node<'a, 'a>,
        message: impl Into<String>,
        message_zh: impl Into<String>,
    ) {
        let element = node.ancestors().find_map(|at| at.attribute("id")).map(str::to_owned);
        self.findings.push(Finding {
            rule,
            severity,
            place: place_of(self.document, node),
            element,
            message: message.into(),
            message_zh: message_zh.into(),
        });
    }

    /// Reads everything; nothing, if the root is no model.
    pub(super) fn definitions(&mut self) -> Option<Definitions> {
        let root = self.document.root_element();
        if !is_bpmn(&root, "definitions") {
            self.wrong(
                "root",
                &root,
                format!("the root must be definitions of {BPMN}"),
                "根元素必须是 BPMN 2.0 的 definitions",
            );
            return None;
        }
        self.unique_ids(&root);
        self.root_names(&root);
        let processes: Vec<Arc<Process>> = children(&root, "process")
            .map(|process| Arc::new(self.process(&process)))
            .collect();
        if processes.is_empty() {
            self.wrong("process", &root, "the model holds no process", "模型中没有流程");
        }
        Some(Definitions {
            hash: self.hash.clone(),
            name: root.attribute("name").map(str::to_owned),
            target_namespace: root.attribute("targetNamespace").unwrap_or_default().to_owned(),
            processes,
            translations: std::mem::take(&mut self.translations),
        })
    }

    fn unique_ids(&mut self, root: &Node<'a, 'a>) {
        let mut seen = HashSet::new();
        for node in root.descendants().filter(|node| node.tag_name().namespace() == Some(BPMN)) {
            if let Some(id) = node.attribute("id")
                && !seen.insert(id)
            {
                self.wrong(
                    "uniqueId",
                    &node,
                    format!("the id {id} is used twice"),
                    format!("标识 {id} 重复"),
                );
            }
        }
    }

    fn root_names(&mut self, root: &Node<'a, 'a>) {
        for node in root.children().filter(|node| node.is_element()) {
            let Some(id) = node.attribute("id") else { continue };
            let name = match node.tag_name().name() {
                "message" | "signal" => node.attribute("name"),
                "error" => node.attribute("errorCode").or(node.attribute("name")),
                "escalation" => node.attribute("escalationCode").or(node.attribute("name")),
                kind if kind.ends_with("EventDefinition") => {
                    self.event_definitions.insert(id.to_owned(), node);
                    continue;
                }
                _ => continue,
            };
            let name = name.filter(|name| !name.trim().is_empty()).unwrap_or(id);
            self.names.insert(id.to_owned(), name.to_owned());
        }
    }

    /// What a reference to something of the root is called.
    pub(super) fn name_of(&mut self, node: &Node<'a, 'a>, reference: &str) -> String {
        let id = local(reference);
        if let Some(name) = self.names.get(id) {
            return name.clone();
        }
        self.wrong(
            "reference",
            node,
            format!("{reference} refers to nothing in this model"),
            format!("引用 {reference} 不存在"),
        );
        id.to_owned()
    }

    fn process(&mut self, node: &Node<'a, 'a>) -> Process {
        let id: ElementId = node.attribute("id").unwrap_or_default().into();
        if id.is_empty() {
            self.wrong("processId", node, "a process needs an id", "流程缺少标识");
        }
        let candidates = ["candidateStarterUsers", "candidateStarterGroups"];
        let mut process = Process {
            reference: ProcessRef {
                model: self.hash.clone(),
                process: id,
            },
            name: node.attribute("name").map(str::to_owned),
            executable: flag(node, "isExecutable", true),
            nodes: Vec::new(),
            flows: Vec::new(),
            children: Vec::new(),
            data: Vec::new(),
            candidate_starters: candidates
                .iter()
                .filter_map(|name| extra(node, name))
                .flat_map(|list| list.split(','))
                .map(|name| name.trim().to_owned())
                .collect(),
            deduplicate: match extra(node, "deduplicate") {
                Some("whole") => Deduplicate::Whole,
                Some("consecutive") => Deduplicate::Consecutive,
                _ => Deduplicate::Never,
            },
            node_by_id: HashMap::new(),
            flow_by_id: HashMap::new(),
        };
        self.level(&mut process, node, None);
        self.connect(&mut process, node);
        process
    }

    /// An expression that stands in the model.
    pub(super) fn expression(&mut self, node: &Node<'a, 'a>, source: &str) -> Option<Expression> {
        let translated = if self.options.foreign_scripts && !source.contains("${") {
            translate::juel_to_feel(source)
        } else {
            translate::feel_of(source)
        };
        let feel = match translated {
            Ok(feel) => feel,
            Err(cause) => {
                self.wrong(
                    "expression",
                    node,
                    format!("{source} cannot be translated to FEEL: {cause}"),
                    format!("表达式 {source} 无法翻译为 FEEL"),
                );
                return None;
            }
        };
        if feel != source.trim() {
            self.translations.push(Translation {
                element: node
                    .ancestors()
                    .find_map(|at| at.attribute("id"))
                    .unwrap_or_default()
                    .to_owned(),
                place: place_of(self.document, node),
                source: source.trim().to_owned(),
                feel: feel.clone(),
            });
        }
        match Expression::compile(&feel) {
            Ok(expression) => Some(expression),
            Err(cause) => {
                self.wrong("expression", node, cause.to_string(), format!("表达式 {source} 有误"));
                None
            }
        }
    }

    /// A text that may hold `${…}`.
    pub(super) fn text(&mut self, node: &Node<'a, 'a>, source: &str) -> Option<Text> {
        if source.contains("${") || source.contains("#{") || source.starts_with('=') {
            return self.expression(node, source.trim_start_matches('=')).map(Text::Computed);
        }
        Some(Text::Plain(source.trim().into()))
    }
}
