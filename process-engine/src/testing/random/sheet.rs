//! Levels of nodes and flows, written as BPMN 2.0.

use std::fmt::Write;

/// A level: of a process or of a sub-process.
#[derive(Debug, Default)]
pub(super) struct Level {
    nodes: Vec<Node>,
    flows: Vec<Flow>,
    /// Associations between compensation events and their handlers.
    associations: Vec<(String, String)>,
}

/// A node of a level.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) id: String,
    pub(super) tag: &'static str,
    /// Attributes as they are written, each with a space before it.
    pub(super) attributes: String,
    /// What stands inside, as it is written.
    pub(super) content: String,
    pub(super) level: Option<Level>,
}

#[derive(Debug)]
struct Flow {
    from: String,
    to: String,
    condition: Option<String>,
}

impl Level {
    /// Adds a node; gives back its id.
    pub(super) fn add(&mut self, node: Node) -> String {
        let id = node.id.clone();
        self.nodes.push(node);
        id
    }

    /// Adds a flow; gives back its id.
    pub(super) fn flow(&mut self, from: &str, to: &str, condition: Option<String>) -> String {
        self.flows.push(Flow {
            from: from.to_owned(),
            to: to.to_owned(),
            condition,
        });
        flow_id(from, to, self.flows.len() - 1)
    }

    /// Adds an association.
    pub(super) fn associate(&mut self, from: &str, to: &str) {
        self.associations.push((from.to_owned(), to.to_owned()));
    }

    /// Adds attributes to a node that was added before.
    pub(super) fn describe(&mut self, id: &str, attributes: &str) {
        if let Some(node) = self.nodes.iter_mut().find(|node| node.id == id) {
            node.attributes.push_str(attributes);
        }
    }

    /// Writes everything.
    pub(super) fn write(&self, to: &mut String) {
        for node in &self.nodes {
            let _ = write!(to, "<{} id=\"{}\"{}>", node.tag, node.id, node.attributes);
            let _ = write!(to, "{}", node.content);
            if let Some(level) = &node.level {
                level.write(to);
            }
            let _ = writeln!(to, "</{}>", node.tag);
        }
        for (at, flow) in self.flows.iter().enumerate() {
            let (id, from, to_node) = (flow_id(&flow.from, &flow.to, at), &flow.from, &flow.to);
            let _ = write!(to, "<sequenceFlow id=\"{id}\" sourceRef=\"{from}\" targetRef=\"{to_node}\">");
            if let Some(condition) = &flow.condition {
                let condition = escaped(condition);
                let _ = write!(
                    to,
                    "<conditionExpression xsi:type=\"tFormalExpression\">{condition}</conditionExpression>"
                );
            }
            let _ = writeln!(to, "</sequenceFlow>");
        }
        for (at, (from, to_node)) in self.associations.iter().enumerate() {
            let _ = writeln!(
                to,
                "<association id=\"a_{from}_{at}\" associationDirection=\"One\" sourceRef=\"{from}\" targetRef=\"{to_node}\"/>"
            );
        }
    }
}

fn flow_id(from: &str, to: &str, at: usize) -> String {
    format!("f{at}_{from}_{to}")
}

/// Text as XML has it.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
