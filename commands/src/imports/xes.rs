//! Event logs in the format of IEEE 1849 (XES): a trace is a case, an event is a step. Read as a stream, one trace at a time.

use std::{
    collections::{BTreeMap, HashMap},
    io::BufRead,
};

use chrono::{DateTime, NaiveDateTime, Utc};
use domain::case::{ImportedStep, commands::ImportStep};
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use serde::{Deserialize, Serialize};

use super::{Found, ImportRow, Reject, source::CountLines};

/// The most events of one trace: as many as go into one append, and some room.
pub const MAX_EVENTS_PER_TRACE: usize = 9_000;
/// The most attributes of one trace or event, nested ones counted.
pub const MAX_ATTRIBUTES: usize = 1_000;
/// How deep attributes may be nested.
pub const MAX_NESTING: usize = 16;

/// The case's or the activity's name: the standard's default classifier.
const NAME: &str = "concept:name";
const TIMESTAMP: &str = "time:timestamp";
const RESOURCE: &str = "org:resource";

/// The mapping of the WABO log (environmental permits of a Dutch municipality) that comes with the program.
pub const WABO_MAPPING: &str = include_str!("mappings/wabo.mapping.json");

/// What the activities of a log mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The former system's name; together with a trace's name it names the case for ever.
    pub source: String,
    /// What it is about.
    #[serde(default)]
    pub description: String,
    /// Which item of the catalogue the cases are of.
    pub item_code: String,
    /// What each activity means. One that is not here is kept as `Other`, under its own name, and counted in the report.
    pub activities: BTreeMap<String, ImportedStep>,
}

impl Mapping {
    /// Reads a mapping file.
    pub fn parse(json: &str) -> Result<Self, MappingError> {
        serde_json::from_str(json).map_err(MappingError)
    }
}

/// Why a mapping file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the mapping file cannot be read: {0}")]
pub struct MappingError(serde_json::Error);

/// The traces of a log, checked one by one.
pub struct Traces<R> {
    xml: Reader<CountLines<R>>,
    buffer: Vec<u8>,
    mapping: Mapping,
    seen: HashMap<String, u64>,
    /// Why the trace that is being read cannot be imported.
    defect: Option<String>,
    is_done: bool,
}

/// Reads a log by this mapping.
pub fn read<R: BufRead>(log: R, mapping: Mapping) -> Traces<R> {
    let mut xml = Reader::from_reader(CountLines::new(log));
    xml.config_mut().trim_text(true);
    Traces {
        xml,
        buffer: Vec::new(),
        mapping,
        seen: HashMap::new(),
        defect: None,
        is_done: false,
    }
}

/// The attributes of a trace or an event, nested ones under `parent/child`.
type Attributes = BTreeMap<String, String>;

/// A trace as it stands in the file.
#[derive(Default)]
struct Trace {
    line: u64,
    attributes: Attributes,
    events: Vec<Attributes>,
}

impl<R: BufRead> Iterator for Traces<R> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        while !self.is_done {
            match self.step() {
                Ok(Step::Trace(trace)) => {
                    let line = trace.line;
                    return Some(
                        self.case(trace)
                            .map_or_else(|reason| Found::Reject(Reject { line, reason }), Found::Case),
                    );
                }
                Ok(Step::Else) => {}
                Ok(Step::End) => self.is_done = true,
                Err(reason) => {
                    // Whatever follows cannot be told apart from damage.
                    self.is_done = true;
                    let line = self.xml.get_ref().line();
                    return Some(Found::Reject(Reject {
                        line,
                        reason: format!("the log cannot be read any further: {reason}"),
                    }));
                }
            }
        }
        None
    }
}

enum Step {
    Trace(Trace),
    Else,
    End,
}

/// A piece of the file with what we want of it.
enum Piece {
    Open {
        tag: String,
        key: String,
        value: String,
        is_empty: bool,
    },
    Close {
        tag: String,
    },
    Other,
    End,
}

impl<R: BufRead> Traces<R> {
    fn piece(&mut self) -> Result<Piece, String> {
        self.buffer.clear();
        match self
            .xml
            .read_event_into(&mut self.buffer)
            .map_err(|cause| cause.to_string())?
        {
            Event::Start(start) => opened(&start, false),
            Event::Empty(start) => opened(&start, true),
            Event::End(end) => Ok(Piece::Close {
                tag: end.local_name().as_ref().to_owned(),
            }),
            Event::Eof => Ok(Piece::End),
            _ => Ok(Piece::Other),
        }
    }

    fn step(&mut self) -> Result<Step, String> {
        match self.piece()? {
            Piece::Open {
                tag, is_empty: false, ..
            } if tag == "trace" => Ok(Step::Trace(self.trace()?)),
            Piece::Open { tag, is_empty: true, .. } if tag == "trace" => Ok(Step::Trace(Trace {
                line: self.xml.get_ref().line(),
                ..Trace::default()
            })),
            Piece::End => Ok(Step::End),
            // The log's own attributes, extensions, globals and classifiers say nothing about a case.
            _ => Ok(Step::Else),
        }
    }

    fn trace(&mut self) -> Result<Trace, String> {
        let mut trace = Trace {
            line: self.xml.get_ref().line(),
            ..Trace::default()
        };
        loop {
            match self.piece()? {
                Piece::Open { tag, is_empty, .. } if tag == "event" => {
                    let mut attributes = Attributes::new();
                    if !is_empty {
                        self.attributes("event", &mut attributes)?;
                    }
                    if trace.events.len() < MAX_EVENTS_PER_TRACE {
                        trace.events.push(attributes);
                    } else {
                        self.defect = Some(format!("the trace has more than {MAX_EVENTS_PER_TRACE} events"));
                    }
                }
                Piece::Open {
                    key, value, is_empty, ..
                } => {
                    self.attribute(&key, value, is_empty, &mut trace.attributes)?;
                }
                Piece::Close { tag } if tag == "trace" => return Ok(trace),
                Piece::End => return Err("the file ends within a trace".to_owned()),
                Piece::Close { .. } | Piece::Other => {}
            }
        }
    }

    /// Everything up to the end of this element.
    fn attributes(&mut self, until: &str, into: &mut Attributes) -> Result<(), String> {
        loop {
            match self.piece()? {
                Piece::Open {
                    key, value, is_empty, ..
                } => self.attribute(&key, value, is_empty, into)?,
                Piece::Close { tag } if tag == until => return Ok(()),
                Piece::End => return Err(format!("the file ends within an {until}")),
                Piece::Close { .. } | Piece::Other => {}
            }
        }
    }

    /// One attribute, and those nested in it.
    fn attribute(&mut self, key: &str, value: String, is_empty: bool, into: &mut Attributes) -> Result<(), String> {
        self.keep(key.to_owned(), value, into);
        // The path of keys that we are in; one without a key (the `values` of a list) is no step of its own.
        let mut path = if is_empty { Vec::new() } else { vec![key.to_owned()] };
        while !path.is_empty() {
            match self.piece()? {
                Piece::Open {
                    key, value, is_empty, ..
                } => {
                    path.push(key);
                    if path.len() > MAX_NESTING {
                        return Err(format!("attributes are nested deeper than {MAX_NESTING}"));
                    }
                    let whole = path
                        .iter()
                        .filter(|key| !key.is_empty())
                        .cloned()
                        .collect::<Vec<_>>()
                        .join("/");
                    if path.last().is_some_and(|key| !key.is_empty()) {
                        self.keep(whole, value, into);
                    }
                    if is_empty {
                        path.pop();
                    }
                }
                Piece::Close { .. } => {
                    path.pop();
                }
                Piece::End => return Err("the file ends within an attribute".to_owned()),
                Piece::Other => {}
            }
        }
        Ok(())
    }

    fn keep(&mut self, key: String, value: String, into: &mut Attributes) {
        if into.len() >= MAX_ATTRIBUTES {
            self.defect = Some(format!(
                "the trace or one of its events has more than {MAX_ATTRIBUTES} attributes"
            ));
        } else if !key.is_empty() {
            into.insert(key, value);
        }
    }

    fn case(&mut self, mut trace: Trace) -> Result<Box<ImportRow>, String> {
        if let Some(defect) = self.defect.take() {
            return Err(defect);
        }
        let legacy_id = trace
            .attributes
            .get(NAME)
            .filter(|name| !name.is_empty())
            .cloned()
            .ok_or("the trace has no concept:name")?;
        if let Some(before) = self.seen.insert(legacy_id.clone(), trace.line) {
            return Err(format!("trace {legacy_id} stands in line {before} already"));
        }
        let mut sums = vec![("events".to_owned(), i64::try_from(trace.events.len()).unwrap_or(i64::MAX))];
        let mut steps = Vec::with_capacity(trace.events.len());
        for (index, mut attributes) in trace.events.into_iter().enumerate() {
            let mut required = |name: &str| {
                attributes
                    .remove(name)
                    .filter(|value| !value.is_empty())
                    .ok_or_else(|| format!("event {} of trace {legacy_id} has no {name}", index + 1))
            };
            let (activity, at) = (required(NAME)?, required(TIMESTAMP)?);
            let at = instant(&at).ok_or_else(|| format!("event {} of trace {legacy_id}: {at:?} is no time", index + 1))?;
            let resource = attributes.remove(RESOURCE);
            let meaning = self.mapping.activities.get(&activity).copied();
            if meaning.is_none() {
                sums.push((format!("unmapped: {activity}"), 1));
            }
            let step = meaning.unwrap_or(ImportedStep::Other);
            sums.push((format!("step={}", <&'static str>::from(step)), 1));
            steps.push(ImportStep {
                step,
                activity,
                resource,
                attributes,
                at,
            });
        }
        if steps.is_empty() {
            return Err(format!("trace {legacy_id} has no events"));
        }
        // The first event is the one that opens the case; what else it says is kept beside the trace's own attributes.
        let first = steps.remove(0);
        trace.attributes.extend(
            first
                .attributes
                .into_iter()
                .map(|(key, value)| (format!("first_event/{key}"), value)),
        );
        Ok(Box::new(ImportRow {
            line: trace.line,
            source: self.mapping.source.clone(),
            legacy_id,
            attributes: trace.attributes,
            submitted_at: first.at,
            activity: Some(first.activity),
            resource: first.resource,
            steps,
            decision: None,
            sums,
        }))
    }
}

fn opened(start: &BytesStart<'_>, is_empty: bool) -> Result<Piece, String> {
    let (mut key, mut value) = (String::new(), String::new());
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|cause| cause.to_string())?;
        let into = match attribute.key.local_name().as_ref() {
            "key" => &mut key,
            "value" => &mut value,
            _ => continue,
        };
        *into = quick_xml::escape::unescape(&attribute.value)
            .map_err(|cause| cause.to_string())?
            .into_owned();
    }
    Ok(Piece::Open {
        tag: start.local_name().as_ref().to_owned(),
        key,
        value,
        is_empty,
    })
}

/// A time as logs write it; one without an offset is UTC.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%z"))
        .map(|at| at.to_utc())
        .or_else(|_| text.parse::<NaiveDateTime>().map(|at| at.and_utc()))
        .ok()
}
