//! The XML of a model with what is asked of it again and again: ids, places, names of elements.

use std::collections::HashMap;

use roxmltree::{Document, Node};

use crate::{
    finding::{Finding, Severity},
    model::Place,
};

/// An element of the file.
pub(crate) type Xml<'a> = Node<'a, 'a>;

/// The namespace of BPMN 2.0 models.
pub(crate) const BPMN: &str = "http://www.omg.org/spec/BPMN/20100524/MODEL";
/// The namespace of `xsi:type`.
pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// Our own namespace.
pub(crate) const ZHULU: &str = "http://zhulu.cn/bpmn";
/// Flowable's namespace, the native dialect among the engines'.
pub(crate) const FLOWABLE: &str = "http://flowable.org/bpmn";
/// Activiti's: most old Chinese models are in it.
pub(crate) const ACTIVITI: &str = "http://activiti.org/bpmn";
/// Camunda 7's.
pub(crate) const CAMUNDA: &str = "http://camunda.org/schema/1.0/bpmn";

/// Ours and the dialects of engines: the same names mean the same in each, and ours wins where two speak.
pub(crate) const ENGINES: [&str; 4] = [ZHULU, FLOWABLE, ACTIVITI, CAMUNDA];

/// A file that was parsed.
pub(crate) struct Source<'a> {
    root: Xml<'a>,
    line_starts: Vec<usize>,
    by_id: HashMap<&'a str, Xml<'a>>,
    /// Elements by their name, in the order of the file: every rule asks for some.
    by_name: HashMap<&'a str, Vec<Xml<'a>>>,
    /// Sequence flows by the end that they have at a node.
    ends: HashMap<(&'static str, &'a str), Vec<Xml<'a>>>,
    dialect: bool,
}

impl<'a> Source<'a> {
    pub(crate) fn new(document: &'a Document<'a>) -> Self {
        let text = document.input_text();
        let breaks = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        let root = document.root_element();
        let mut by_id = HashMap::new();
        let mut by_name: HashMap<_, Vec<Xml<'a>>> = HashMap::new();
        let mut ends: HashMap<_, Vec<Xml<'a>>> = HashMap::new();
        for node in root.descendants().filter(|node| is_bpmn(*node)) {
            if let Some(id) = id(node) {
                by_id.entry(id).or_insert(node);
            }
            by_name.entry(name(node)).or_default().push(node);
            if name(node) == "sequenceFlow" {
                for end in ["sourceRef", "targetRef"] {
                    if let Some(id) = attr(node, end) {
                        ends.entry((end, local(id))).or_default().push(node);
                    }
                }
            }
        }
        let ours = |uri: &str| ENGINES.contains(&uri);
        let dialect = root.namespaces().any(|namespace| ours(namespace.uri()));
        Self {
            root,
            line_starts: std::iter::once(0).chain(breaks).collect(),
            by_id,
            by_name,
            ends,
            dialect,
        }
    }

    /// `definitions`
    pub(crate) fn root(&self) -> Xml<'a> {
        self.root
    }

    /// Whether the file declares the namespace of an engine's dialect or ours. Such a file may leave out what its tools have
    /// always left out; any other is held to the letter of the standard.
    pub(crate) fn is_dialect(&self) -> bool {
        self.dialect
    }

    /// The BPMN element of this id; of several the first.
    pub(crate) fn by_id(&self, id: &str) -> Option<Xml<'a>> {
        self.by_id.get(id).copied()
    }

    /// The BPMN element that a reference names (its prefix does not matter here; the rule of references looks at it).
    pub(crate) fn referred(&self, reference: &str) -> Option<Xml<'a>> {
        self.by_id(reference).or_else(|| self.by_id(local(reference)))
    }

    /// All elements of BPMN's namespace, in the order of the file.
    pub(crate) fn elements(&self) -> impl Iterator<Item = Xml<'a>> + use<'a> {
        self.root.descendants().filter(|node| is_bpmn(*node))
    }

    /// All of this name.
    pub(crate) fn named(&self, name: &'a str) -> impl Iterator<Item = Xml<'a>> + use<'a> {
        self.by_name.get(name).cloned().unwrap_or_default().into_iter()
    }

    /// Where an element stands.
    pub(crate) fn place(&self, node: Xml<'a>) -> Place {
        self.place_at(node.range().start)
    }

    fn place_at(&self, offset: usize) -> Place {
        let line = self.line_starts.partition_point(|start| *start <= offset).max(1);
        let start = self.line_starts[line - 1];
        let text = self.root.document().input_text();
        let column = text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Place {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }

    pub(crate) fn finding(
        &self,
        rule: &'static str,
        severity: Severity,
        at: Xml<'a>,
        message: String,
        message_zh: String,
    ) -> Finding {
        Finding {
            rule,
            severity,
            place: self.place(at),
            element: owner(at).and_then(id).map(str::to_owned),
            message,
            message_zh,
        }
    }
}

/// The element itself or the nearest around it that has an id.
fn owner(node: Xml<'_>) -> Option<Xml<'_>> {
    node.ancestors().find(|node| id(*node).is_some())
}

/// Whether it is an element of BPMN's namespace.
pub(crate) fn is_bpmn(node: Xml<'_>) -> bool {
    node.is_element() && node.tag_name().namespace() == Some(BPMN)
}

/// The name of an element of BPMN's namespace; of any other: nothing.
pub(crate) fn name(node: Xml<'_>) -> &str {
    if is_bpmn(node) { node.tag_name().name() } else { "" }
}

/// The BPMN elements in an element.
pub(crate) fn kids(node: Xml<'_>) -> impl Iterator<Item = Xml<'_>> {
    node.children().filter(|kid| is_bpmn(*kid))
}

/// Those of this name.
pub(crate) fn kids_of<'a>(node: Xml<'a>, wanted: &'a str) -> impl Iterator<Item = Xml<'a>> {
    kids(node).filter(move |kid| kid.tag_name().name() == wanted)
}

/// The first of this name.
pub(crate) fn kid<'a>(node: Xml<'a>, wanted: &'a str) -> Option<Xml<'a>> {
    kids_of(node, wanted).next()
}

/// The text of the first element of this name.
pub(crate) fn kid_text<'a>(node: Xml<'a>, wanted: &'a str) -> Option<String> {
    kid(node, wanted).map(text).filter(|text| !text.is_empty())
}

/// An attribute without a namespace, trimmed; an empty one counts as none.
pub(crate) fn attr<'a>(node: Xml<'a>, wanted: &str) -> Option<&'a str> {
    node.attribute(wanted).map(str::trim).filter(|value| !value.is_empty())
}

/// Whether an attribute is true.
pub(crate) fn flag(node: Xml<'_>, wanted: &str, otherwise: bool) -> bool {
    match attr(node, wanted) {
        Some(value) => is_true(value),
        None => otherwise,
    }
}

/// Whether a text means yes.
pub(crate) fn is_true(text: &str) -> bool {
    matches!(text.trim(), "true" | "1")
}

/// The id of an element.
pub(crate) fn id(node: Xml<'_>) -> Option<&str> {
    attr(node, "id")
}

/// All text of an element, trimmed.
pub(crate) fn text(node: Xml<'_>) -> String {
    let all: String = node
        .children()
        .filter_map(|child| child.is_text().then(|| child.text()).flatten())
        .collect();
    all.trim().to_owned()
}

/// What a qualified name names.
pub(crate) fn local(reference: &str) -> &str {
    reference.rsplit_once(':').map_or(reference, |(_, local)| local)
}

/// An attribute of the engines' dialects.
pub(crate) fn engine_attr<'a>(node: Xml<'a>, wanted: &str) -> Option<&'a str> {
    let value = ENGINES.iter().find_map(|uri| node.attribute((*uri, wanted)));
    value.map(str::trim).filter(|value| !value.is_empty())
}

/// An attribute of our own namespace.
pub(crate) fn zhulu_attr<'a>(node: Xml<'a>, wanted: &str) -> Option<&'a str> {
    node.attribute((ZHULU, wanted))
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

/// The elements of other namespaces that extend an element.
pub(crate) fn extensions(node: Xml<'_>) -> impl Iterator<Item = Xml<'_>> {
    kids_of(node, "extensionElements").flat_map(|extension| extension.children().filter(Node::is_element))
}

/// Those of the engines' dialects of this name.
pub(crate) fn engine_elements<'a>(node: Xml<'a>, wanted: &'a str) -> impl Iterator<Item = Xml<'a>> {
    extensions(node).filter(move |element| {
        let tag = element.tag_name();
        tag.name() == wanted && tag.namespace().is_some_and(|uri| ENGINES.contains(&uri))
    })
}

/// Those of our own namespace of this name.
pub(crate) fn zhulu_elements<'a>(node: Xml<'a>, wanted: &'a str) -> impl Iterator<Item = Xml<'a>> {
    extensions(node).filter(move |element| {
        let tag = element.tag_name();
        tag.name() == wanted && tag.namespace() == Some(ZHULU)
    })
}

/// A setting of the engines' dialects: written as an attribute, or as an element with a text.
pub(crate) fn engine_setting(node: Xml<'_>, wanted: &str) -> Option<String> {
    let attribute = engine_attr(node, wanted).map(str::to_owned);
    attribute.or_else(|| {
        let elements = extensions(node).filter(|element| {
            let tag = element.tag_name();
            tag.name() == wanted && tag.namespace().is_some_and(|uri| ENGINES.contains(&uri))
        });
        elements.map(text).find(|text| !text.is_empty())
    })
}

/// The variable that something that holds data is: its name, or its id where the name is no name of a variable.
pub(crate) fn variable_of(node: Xml<'_>) -> Option<&str> {
    attr(node, "name").filter(|name| is_variable(name)).or_else(|| id(node))
}

fn is_variable(name: &str) -> bool {
    let begins = name.starts_with(|char: char| char.is_alphabetic() || char == '_');
    begins && name.chars().all(|char| char.is_alphanumeric() || char == '_')
}

/// As much of a name as a message shows: a thousand messages may say the same one.
const MAX_NAME_SHOWN: usize = 80;

fn shown(name: &str) -> &str {
    name.char_indices().nth(MAX_NAME_SHOWN).map_or(name, |(at, _)| &name[..at])
}

/// How an element is called in a message: its kind, its name and its id.
pub(crate) fn label(node: Xml<'_>) -> String {
    let kind = shown(node.tag_name().name());
    match (attr(node, "name").map(shown), id(node)) {
        (Some(name), Some(id)) => format!("{kind} \"{name}\" ({id})"),
        (None, Some(id)) => format!("{kind} {id}"),
        (Some(name), None) => format!("{kind} \"{name}\""),
        (None, None) => kind.to_owned(),
    }
}

/// The nearest process or sub-process around an element: the level that it stands on.
pub(crate) fn level(node: Xml<'_>) -> Option<Xml<'_>> {
    node.ancestors().skip(1).find(|around| is_level(*around))
}

/// The process around an element.
pub(crate) fn process_of(node: Xml<'_>) -> Option<Xml<'_>> {
    node.ancestors().find(|around| name(*around) == "process")
}

/// Whether an element stands in an executable process.
pub(crate) fn is_executable(node: Xml<'_>) -> bool {
    process_of(node).is_some_and(|process| flag(process, "isExecutable", false))
}

/// Whether it holds flow elements.
pub(crate) fn is_level(node: Xml<'_>) -> bool {
    name(node) == "process" || is_sub_process(node)
}

/// Whether it is a sub-process of any kind.
pub(crate) fn is_sub_process(node: Xml<'_>) -> bool {
    matches!(name(node), "subProcess" | "transaction" | "adHocSubProcess")
}

/// Whether it is an event sub-process.
pub(crate) fn is_event_sub_process(node: Xml<'_>) -> bool {
    is_sub_process(node) && flag(node, "triggeredByEvent", false)
}

/// Whether it is a task.
pub(crate) fn is_task(node: Xml<'_>) -> bool {
    matches!(
        name(node),
        "task" | "manualTask" | "userTask" | "serviceTask" | "scriptTask" | "businessRuleTask" | "sendTask" | "receiveTask"
    )
}

/// Whether it is an activity.
pub(crate) fn is_activity(node: Xml<'_>) -> bool {
    is_task(node) || is_sub_process(node) || name(node) == "callActivity"
}

/// Whether it is a gateway.
pub(crate) fn is_gateway(node: Xml<'_>) -> bool {
    matches!(
        name(node),
        "exclusiveGateway" | "parallelGateway" | "inclusiveGateway" | "complexGateway" | "eventBasedGateway"
    )
}

/// Whether it is an event that catches.
pub(crate) fn is_catch(node: Xml<'_>) -> bool {
    matches!(name(node), "startEvent" | "intermediateCatchEvent" | "boundaryEvent")
}

/// Whether it is an event that throws.
pub(crate) fn is_throw(node: Xml<'_>) -> bool {
    matches!(name(node), "intermediateThrowEvent" | "endEvent" | "implicitThrowEvent")
}

/// Whether it is an event.
pub(crate) fn is_event(node: Xml<'_>) -> bool {
    is_catch(node) || is_throw(node)
}

/// Whether it is a node of a process: an activity, a gateway or an event.
pub(crate) fn is_flow_node(node: Xml<'_>) -> bool {
    is_activity(node) || is_gateway(node) || is_event(node)
}

/// Whether it is the definition of an event.
pub(crate) fn is_event_definition(node: Xml<'_>) -> bool {
    let name = name(node);
    name.ends_with("EventDefinition") && name != "eventDefinition"
}

impl<'a> Source<'a> {
    /// What an event is about: the definitions that stand in it and those that it refers to.
    pub(crate) fn event_definitions(&self, event: Xml<'a>) -> Vec<Xml<'a>> {
        let find = |kid: Xml<'a>| match name(kid) {
            "eventDefinitionRef" => self.referred(&text(kid)).filter(|found| is_event_definition(*found)),
            _ => is_event_definition(kid).then_some(kid),
        };
        kids(event).filter_map(find).collect()
    }

    /// The sequence flows that lead to a node, by their `targetRef`.
    pub(crate) fn incoming(&self, node: Xml<'a>) -> Vec<Xml<'a>> {
        self.flows(node, "targetRef")
    }

    /// The sequence flows that lead away from a node, by their `sourceRef`.
    pub(crate) fn outgoing(&self, node: Xml<'a>) -> Vec<Xml<'a>> {
        self.flows(node, "sourceRef")
    }

    fn flows(&self, node: Xml<'a>, end: &'static str) -> Vec<Xml<'a>> {
        let Some(id) = id(node) else { return Vec::new() };
        self.ends.get(&(end, id)).cloned().unwrap_or_default()
    }
}
