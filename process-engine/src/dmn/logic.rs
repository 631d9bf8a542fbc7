//! What a decision model says, read a second time for ourselves: who needs whom, and every expression as it is parsed, so
//! that it can be said beforehand what a decision costs and where an expression stands that cannot be read.

use std::collections::{BTreeSet, HashMap};

use dsntk_feel::{FeelScope, Name, context::FeelContext};
use dsntk_feel_parser::AstNode;
use roxmltree::Node;

use super::{fencing::Notes, look_ups::LookUps};
use crate::expression::{fence, parse, syntax, translate};

/// The longest expression in a decision model.
pub(super) const MAX_TEXT_BYTES: usize = 64 * 1024;

/// An element of the file.
pub(super) type Xml<'a> = Node<'a, 'a>;

/// The elements of a model that need each other.
#[derive(Debug, Default)]
pub(super) struct Logic {
    pub(super) elements: Vec<Element>,
    pub(super) by_id: HashMap<String, usize>,
    /// What the expressions look at, by name.
    pub(super) look_ups: LookUps,
}

/// Something of a model that others can need.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) id: String,
    pub(super) name: String,
    /// The name under which others see its value.
    pub(super) variable: Name,
    /// The type that it says it has.
    pub(super) type_ref: Option<String>,
    pub(super) kind: Kind,
    /// What it needs, by place.
    pub(super) requires: Vec<usize>,
    /// What it does; none, if it is given from outside.
    pub(super) node: Option<AstNode>,
    /// How the rules of its table hit, if its logic is one.
    pub(super) hits: Option<Hits>,
    /// Names in its expressions that nothing declares, such as members of what has no type. The evaluator must be told
    /// that they are names, or takes `filed + days` for one.
    pub(super) members: Vec<Name>,
}

/// Which of the rules that match a table looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hits {
    /// The first of them.
    First,
    /// All of them.
    All,
}

/// What an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `inputData`
    Input,
    /// An input that nobody declared: a table of a modeller that draws no requirements simply names it.
    Implicit,
    /// `decision`
    Decision,
    /// `businessKnowledgeModel`
    Knowledge,
    /// `decisionService`
    Service,
}

/// The child of this name.
pub(super) fn child<'a>(node: Xml<'a>, name: &str) -> Option<Xml<'a>> {
    node.children().find(|child| child.tag_name().name() == name)
}

/// The children of this name.
pub(super) fn children<'a>(node: Xml<'a>, name: &'static str) -> impl Iterator<Item = Xml<'a>> {
    node.children().filter(move |child| child.tag_name().name() == name)
}

/// The expression that an element holds as its text, if any.
pub(super) fn text_of(node: Xml<'_>) -> Option<(Xml<'_>, &str)> {
    let node = child(node, "text")?;
    let text = node.text().unwrap_or_default().trim();
    (!text.is_empty()).then_some((node, text))
}

/// Reads the elements of a model and their expressions.
pub(super) fn read(root: Xml<'_>, notes: &mut Notes<'_, '_>) -> Logic {
    let mut logic = Logic::default();
    let mut found = Vec::new();
    for node in root.children().filter(Node::is_element) {
        let kind = match node.tag_name().name() {
            "inputData" => Kind::Input,
            "decision" => Kind::Decision,
            "businessKnowledgeModel" => Kind::Knowledge,
            "decisionService" => Kind::Service,
            _ => continue,
        };
        let name = node.attribute("name").unwrap_or_default();
        let variable = child(node, "variable");
        let place = logic.elements.len();
        logic.by_id.insert(node.attribute("id").unwrap_or_default().to_owned(), place);
        logic.elements.push(Element {
            id: node.attribute("id").unwrap_or_default().to_owned(),
            name: name.to_owned(),
            variable: Name::from(variable.and_then(|variable| variable.attribute("name")).unwrap_or(name)),
            type_ref: variable.and_then(|variable| variable.attribute("typeRef")).map(str::to_owned),
            kind,
            requires: Vec::new(),
            node: None,
            hits: child(node, "decisionTable").map(|table| match table.attribute("hitPolicy") {
                Some("FIRST") => Hits::First,
                _ => Hits::All,
            }),
            members: Vec::new(),
        });
        found.push((place, node));
    }
    let members: Vec<&str> = root
        .descendants()
        .filter(|node| node.tag_name().name() == "itemComponent")
        .filter_map(|node| node.attribute("name"))
        .collect();
    for (place, node) in found {
        require(&mut logic, place, node, notes);
        expressions(&mut logic, place, node, &members, notes);
    }
    logic
}

/// Notes what an element needs.
fn require(logic: &mut Logic, place: usize, node: Xml<'_>, notes: &mut Notes<'_, '_>) {
    let needs = |node: &Xml<'_>| {
        matches!(
            node.tag_name().name(),
            "requiredDecision" | "requiredInput" | "requiredKnowledge" | "outputDecision"
        ) && !node
            .ancestors()
            .any(|above| above.tag_name().name() == "authorityRequirement")
    };
    for needed in node.descendants().filter(needs) {
        let Some((before, id)) = needed.attribute("href").and_then(|href| href.rsplit_once('#')) else {
            continue;
        };
        let own = node.document().root_element().attribute("namespace").unwrap_or_default();
        match logic.by_id.get(id) {
            Some(found) if before.is_empty() || before == own => logic.elements[place].requires.push(*found),
            _ => notes.error(
                "requirement",
                needed,
                format!("there is no element {id:?} in this model; models that need others are not read"),
                "所需元素不在本模型中",
            ),
        }
    }
}

fn expressions(logic: &mut Logic, place: usize, node: Xml<'_>, members: &[&str], notes: &mut Notes<'_, '_>) {
    let element = &logic.elements[place];
    if matches!(element.kind, Kind::Input | Kind::Service) {
        return;
    }
    let mut reader = Reader {
        known: members.iter().map(|name| Name::from(*name)).collect(),
        called: BTreeSet::new(),
        unknown: BTreeSet::new(),
        members: BTreeSet::new(),
        look_ups: std::mem::take(&mut logic.look_ups),
        notes,
    };
    for needed in &element.requires {
        let needed = &logic.elements[*needed];
        reader.known.insert(needed.variable.clone());
        if matches!(needed.kind, Kind::Knowledge | Kind::Service) {
            reader.called.insert(needed.variable.clone());
        }
    }
    for named in node.descendants().filter(Node::is_element) {
        if matches!(
            named.tag_name().name(),
            "variable" | "formalParameter" | "parameter" | "column"
        ) && let Some(name) = named.attribute("name")
        {
            reader.known.insert(Name::from(name));
            reader.called.insert(Name::from(name));
        }
        if let Some(name) = named.attribute("iteratorVariable") {
            reader.known.insert(Name::from(name));
        }
    }
    let read = match element.kind {
        Kind::Knowledge => child(node, "encapsulatedLogic").map(|function| reader.function(function)),
        _ => reader.first_in(node),
    };
    // Only a decision that says of nothing that it needs it means whatever it names.
    let unknown = std::mem::take(&mut reader.unknown);
    let members = std::mem::take(&mut reader.members);
    let look_ups = std::mem::take(&mut reader.look_ups);
    let is_silent = element.requires.is_empty() && element.kind == Kind::Decision;
    logic.look_ups = look_ups;
    logic.elements[place].node = read;
    let is_input = |name: &Name| is_silent && unknown.contains(name);
    logic.elements[place].members = members.into_iter().filter(|name| !is_input(name)).collect();
    for name in unknown.into_iter().filter(|_| is_silent) {
        let known = |element: &Element| matches!(element.kind, Kind::Input | Kind::Implicit) && element.variable == name;
        let input = logic.elements.iter().position(known).unwrap_or_else(|| {
            logic.elements.push(Element {
                id: format!("zhulu_input_{}", logic.elements.len()),
                name: name.to_string(),
                variable: name.clone(),
                type_ref: None,
                kind: Kind::Implicit,
                requires: Vec::new(),
                node: None,
                hits: None,
                members: Vec::new(),
            });
            logic.elements.len() - 1
        });
        logic.elements[place].requires.push(input);
    }
}

/// Reads the expressions of one element.
struct Reader<'n, 'd, 'a> {
    /// The names that its expressions may look up.
    known: BTreeSet<Name>,
    /// Those of them that may be called.
    called: BTreeSet<Name>,
    /// Names that were looked up and are not known.
    unknown: BTreeSet<Name>,
    /// Names that are neither known nor looked up by themselves.
    members: BTreeSet<Name>,
    /// What is looked at of all names.
    look_ups: LookUps,
    notes: &'n mut Notes<'d, 'a>,
}

impl Reader<'_, '_, '_> {
    /// The first expression that an element holds.
    fn first_in(&mut self, node: Xml<'_>) -> Option<AstNode> {
        node.children().find_map(|child| self.boxed(child))
    }

    fn held_by(&mut self, node: Xml<'_>, name: &str) -> AstNode {
        let held = child(node, name).and_then(|holder| self.first_in(holder));
        held.unwrap_or(AstNode::Null)
    }

    /// An expression in its box; none, if the element is none.
    fn boxed(&mut self, node: Xml<'_>) -> Option<AstNode> {
        Some(match node.tag_name().name() {
            "literalExpression" => self.text(node, dsntk_feel_parser::parse_expression),
            "decisionTable" => self.table(node),
            "context" => self.context(node),
            "invocation" => self.invocation(node),
            "functionDefinition" => self.function(node),
            "list" => AstNode::List(node.children().filter_map(|child| self.boxed(child)).collect()),
            "relation" => self.relation(node),
            "conditional" => AstNode::If(
                Box::new(self.held_by(node, "if")),
                Box::new(self.held_by(node, "then")),
                Box::new(self.held_by(node, "else")),
            ),
            "filter" => AstNode::Filter(Box::new(self.held_by(node, "in")), Box::new(self.held_by(node, "match"))),
            "for" => {
                let name = Box::new(AstNode::Name(Name::from(
                    node.attribute("iteratorVariable").unwrap_or_default(),
                )));
                let contexts = vec![AstNode::IterationContextSingle(name, Box::new(self.held_by(node, "in")))];
                AstNode::For(
                    Box::new(AstNode::IterationContexts(contexts)),
                    Box::new(self.held_by(node, "return")),
                )
            }
            "some" | "every" => {
                let name = Box::new(AstNode::Name(Name::from(
                    node.attribute("iteratorVariable").unwrap_or_default(),
                )));
                let contexts = vec![AstNode::QuantifiedContext(name, Box::new(self.held_by(node, "in")))];
                AstNode::Every(
                    Box::new(AstNode::QuantifiedContexts(contexts)),
                    Box::new(self.held_by(node, "satisfies")),
                )
            }
            _ => return None,
        })
    }

    fn context(&mut self, node: Xml<'_>) -> AstNode {
        let entry = |name: &str, value: AstNode| {
            AstNode::ContextEntry(Box::new(AstNode::ContextEntryKey(Name::from(name))), Box::new(value))
        };
        let mut entries = Vec::new();
        let mut result = false;
        for held in children(node, "contextEntry") {
            let value = self.first_in(held).unwrap_or(AstNode::Null);
            let name = child(held, "variable").and_then(|variable| variable.attribute("name"));
            result |= name.is_none();
            entries.push(entry(name.unwrap_or(RESULT), value));
        }
        let context = AstNode::Context(entries);
        if result {
            return AstNode::Path(Box::new(context), Box::new(AstNode::Name(Name::from(RESULT))));
        }
        context
    }

    fn invocation(&mut self, node: Xml<'_>) -> AstNode {
        let callee = self.first_in(node).unwrap_or(AstNode::Null);
        let mut bindings = Vec::new();
        for binding in children(node, "binding") {
            let name = child(binding, "parameter").and_then(|parameter| parameter.attribute("name"));
            let value = self.first_in(binding).unwrap_or(AstNode::Null);
            bindings.push(AstNode::NamedParameter(
                Box::new(AstNode::ParameterName(Name::from(name.unwrap_or_default()))),
                Box::new(value),
            ));
        }
        AstNode::FunctionInvocation(Box::new(callee), Box::new(AstNode::NamedParameters(bindings)))
    }

    fn function(&mut self, node: Xml<'_>) -> AstNode {
        if matches!(node.attribute("kind"), Some("Java" | "PMML")) {
            self.notes.error(
                "external",
                node,
                "functions outside cannot be called".to_owned(),
                "不允许调用外部函数",
            );
        }
        let parameters = children(node, "formalParameter").filter_map(|parameter| parameter.attribute("name"));
        let parameters = parameters
            .map(|name| AstNode::FormalParameter(Box::new(AstNode::ParameterName(Name::from(name))), Box::new(AstNode::Null)))
            .collect();
        let body = self.first_in(node).unwrap_or(AstNode::Null);
        AstNode::FunctionDefinition(
            Box::new(AstNode::FormalParameters(parameters)),
            Box::new(AstNode::FunctionBody(Box::new(body), false)),
        )
    }

    fn relation(&mut self, node: Xml<'_>) -> AstNode {
        let columns: Vec<&str> = children(node, "column")
            .filter_map(|column| column.attribute("name"))
            .collect();
        let mut rows = Vec::new();
        for row in children(node, "row") {
            let cells: Vec<AstNode> = row.children().filter_map(|cell| self.boxed(cell)).collect();
            let entries = columns
                .iter()
                .zip(cells)
                .map(|(name, cell)| AstNode::ContextEntry(Box::new(AstNode::ContextEntryKey(Name::from(*name))), Box::new(cell)));
            rows.push(AstNode::Context(entries.collect()));
        }
        AstNode::List(rows)
    }

    /// A table as what it does at the most: each test of each rule, then all outputs, or one of them.
    fn table(&mut self, node: Xml<'_>) -> AstNode {
        let inputs: Vec<AstNode> = children(node, "input")
            .map(|input| match child(input, "inputExpression") {
                Some(expression) => self.text(expression, dsntk_feel_parser::parse_expression),
                None => AstNode::Null,
            })
            .collect();
        let mut tests = Vec::new();
        let held = |name: &'static str, part: &'static str| children(node, name).filter_map(move |clause| child(clause, part));
        for allowed in held("input", "inputValues").chain(held("output", "outputValues")) {
            tests.push(self.text(allowed, dsntk_feel_parser::parse_unary_tests));
        }
        for default in held("output", "defaultOutputEntry") {
            tests.push(self.text(default, dsntk_feel_parser::parse_unary_tests));
        }
        let names: Vec<&str> = children(node, "output")
            .map(|output| output.attribute("name").unwrap_or_default())
            .collect();
        let mut outputs = Vec::new();
        for rule in children(node, "rule") {
            for (entry, input) in children(rule, "inputEntry").zip(&inputs) {
                if text_of(entry).is_some_and(|(_, text)| text != "-") {
                    let test = self.text(entry, dsntk_feel_parser::parse_unary_tests);
                    tests.push(AstNode::In(Box::new(input.clone()), Box::new(test)));
                }
            }
            let values = children(rule, "outputEntry").map(|entry| self.text(entry, dsntk_feel_parser::parse_expression));
            let entries = names.iter().zip(values).map(|(name, value)| {
                AstNode::ContextEntry(Box::new(AstNode::ContextEntryKey(Name::from(*name))), Box::new(value))
            });
            outputs.push(AstNode::Context(entries.collect()));
        }
        let outputs = AstNode::List(outputs);
        let gives_many = matches!(node.attribute("hitPolicy"), Some("COLLECT" | "RULE ORDER" | "OUTPUT ORDER"));
        let given = if gives_many {
            outputs
        } else {
            AstNode::Filter(
                Box::new(outputs),
                Box::new(AstNode::Numeric("1".to_owned(), String::new(), '+', String::new())),
            )
        };
        AstNode::If(Box::new(AstNode::List(tests)), Box::new(given), Box::new(AstNode::Null))
    }

    /// A text in FEEL. What cannot be read is noted with its place.
    fn text<E: std::fmt::Display>(&mut self, node: Xml<'_>, how: fn(&FeelScope, &str, bool) -> Result<AstNode, E>) -> AstNode {
        let Some((at, text)) = text_of(node) else {
            return AstNode::Null;
        };
        let found = match fence::check(text, MAX_TEXT_BYTES) {
            Ok(found) => found,
            Err(reason) => {
                self.notes
                    .error("bounds", at, format!("this expression {reason}"), "表达式过长或嵌套过深");
                return AstNode::Null;
            }
        };
        match self.parsed(text, &found, how) {
            Ok(node) => node,
            Err(reason) => {
                let (message, message_zh) = advice(text, &reason);
                self.notes.error("expression", at, message, message_zh);
                AstNode::Null
            }
        }
    }

    fn parsed<E: std::fmt::Display>(
        &mut self,
        text: &str,
        found: &[String],
        how: fn(&FeelScope, &str, bool) -> Result<AstNode, E>,
    ) -> Result<AstNode, String> {
        let mut scope = FeelContext::default();
        for name in found
            .iter()
            .map(|name| Name::from(name.as_str()))
            .chain(self.known.iter().cloned())
        {
            scope.set_null(name);
        }
        let node = parse(&scope.into(), text, how)?;
        let bound = syntax::bound(&node);
        syntax::check_calls(&node, &|name| self.called.contains(name) || bound.contains(name))?;
        let is_new = |name: &Name| {
            let plain = name.as_str().chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ' '));
            let is_known = self.known.contains(name) || bound.contains(name) || syntax::is_built_in(name.as_str());
            plain && !is_known && !matches!(name.as_str(), "item" | "partial")
        };
        let found = found.iter().map(|name| Name::from(name.as_str()));
        self.members.extend(found.filter(is_new));
        self.unknown.extend(syntax::names(&node).into_iter().filter(is_new));
        syntax::each_look_up(&node, &mut |name, member| self.look_ups.note(name, member));
        Ok(node)
    }
}

/// The name of the entry of a context that is its result.
const RESULT: &str = "zhulu result";

/// What to say of a text that cannot be read; those of Flowable's and Camunda's modellers are often JUEL.
fn advice(text: &str, reason: &str) -> (String, &'static str) {
    let is_juel = ["&&", "||", "==", "${", "#{", ".equals(", ".contains(", "!"]
        .iter()
        .any(|sign| text.contains(sign));
    if is_juel && reason.starts_with("cannot be read") {
        let in_feel = translate::feel_of(text.trim_start_matches("==")).ok();
        let in_feel = match in_feel {
            Some(feel) if text.contains("${") || text.contains("#{") => Some(feel),
            _ => translate::juel_to_feel(text.trim_start_matches("==")).ok(),
        };
        let hint = in_feel.map(|feel| format!("; in FEEL it is {feel:?}")).unwrap_or_default();
        return (
            format!("this expression is written in the language of another engine{hint}"),
            "该表达式使用了其他引擎的语法,请改用 FEEL",
        );
    }
    (format!("this expression {reason}"), "表达式不被允许")
}
