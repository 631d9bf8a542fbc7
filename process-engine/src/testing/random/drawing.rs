//! Random blocks as a BPMN model, so that it is read like any other.

use std::fmt::Write;

use serde_json::json;

use super::{
    block::{Block, Border, BorderWait, End, Inside, Often, PEOPLE, Thrown, Vote, Wait, Work},
    chance::Chance,
    sheet::{Level, Node, escaped},
};
use crate::instance::Bindings;

/// How many variables conditions look at.
const CHOICES: usize = 6;

/// The values that these have: from 0.
const VALUES: usize = 4;

/// How expressions are marked as such.
const FORMAL: &str = "xsi:type=\"tFormalExpression\"";

/// A random model, and what its paths need to know of it.
#[derive(Debug, Clone)]
pub struct RandomModel {
    /// The file.
    pub xml: String,
    /// The process that is started.
    pub process: String,
    /// What it is started with.
    pub variables: Bindings,
    /// The names of all messages.
    pub messages: Vec<String>,
    /// The names of all signals.
    pub signals: Vec<String>,
    /// Rows of steps that follow each other on one level: whoever jumps within one harms nobody.
    pub rows: Vec<Vec<String>>,
}

/// Draws a model.
pub fn draw_model(seed: u64) -> RandomModel {
    let mut chance = Chance::new(seed);
    let body = Block::row(&mut chance, 0);
    let mut pen = Pen {
        chance,
        next: 0,
        processes: String::new(),
        messages: Vec::new(),
        signals: Vec::new(),
        rows: Vec::new(),
    };
    let level = pen.level(&body, End::Plain);
    pen.process("main", &level);
    let variables = (0..CHOICES)
        .map(|at| (format!("choice{at}"), json!(pen.chance.below(VALUES))))
        .chain([("start".to_owned(), json!(true))]);
    let variables = variables.collect();
    RandomModel {
        xml: pen.definitions(),
        process: "main".to_owned(),
        variables,
        messages: pen.messages,
        signals: pen.signals,
        rows: pen.rows,
    }
}

struct Pen {
    chance: Chance,
    next: usize,
    processes: String,
    messages: Vec<String>,
    signals: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Where a block is entered and left.
type Ends = (String, String);

impl Pen {
    fn id(&mut self, what: &str) -> String {
        self.next += 1;
        format!("{what}{}", self.next)
    }

    fn definitions(&self) -> String {
        let mut xml = String::from(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:flowable=\"http://flowable.org/bpmn\" \
             xmlns:zhulu=\"http://zhulu.cn/bpmn\" targetNamespace=\"urn:random\">\n",
        );
        for message in &self.messages {
            let _ = writeln!(xml, "<message id=\"{message}\" name=\"{message}\"/>");
        }
        for signal in &self.signals {
            let _ = writeln!(xml, "<signal id=\"{signal}\" name=\"{signal}\"/>");
        }
        xml.push_str("<error id=\"error\" name=\"error\" errorCode=\"E\"/>\n");
        xml.push_str("<escalation id=\"escalation\" name=\"escalation\" escalationCode=\"X\"/>\n");
        xml.push_str(&self.processes);
        xml.push_str("</definitions>\n");
        xml
    }

    fn process(&mut self, id: &str, level: &Level) {
        let _ = writeln!(self.processes, "<process id=\"{id}\" isExecutable=\"true\">");
        level.write(&mut self.processes);
        self.processes.push_str("</process>\n");
    }

    /// A level that begins, does this, and ends.
    fn level(&mut self, body: &Block, end: End) -> Level {
        let mut level = Level::default();
        let start = self.id("start");
        let start = level.add(node(start, "startEvent"));
        self.from_start_to_end(&mut level, &start, body, end);
        level
    }

    fn from_start_to_end(&mut self, level: &mut Level, start: &str, body: &Block, end: End) {
        let (entry, exit) = self.draw(level, body);
        level.flow(start, &entry, None);
        let content = match end {
            End::Plain => "",
            End::Terminate => "<terminateEventDefinition/>",
            End::Error => "<errorEventDefinition errorRef=\"error\"/>",
            End::Escalation => "<escalationEventDefinition escalationRef=\"escalation\"/>",
        };
        let id = self.id("end");
        let end = level.add(with(node(id, "endEvent"), content));
        level.flow(&exit, &end, None);
    }

    fn draw(&mut self, level: &mut Level, block: &Block) -> Ends {
        match block {
            Block::Row(blocks) => self.row(level, blocks),
            Block::Task(work, borders, often) => self.task(level, *work, borders, *often),
            Block::Exclusive(branches) => self.split(level, "exclusiveGateway", branches),
            Block::Parallel(branches) => self.split(level, "parallelGateway", branches),
            Block::Inclusive(branches) => self.split(level, "inclusiveGateway", branches),
            Block::FirstEvent(branches) => self.first_event(level, branches),
            Block::Again(body) => self.again(level, body),
            Block::Inside(inside) => self.inside(level, inside),
            Block::Call(body, borders) => self.call(level, body, borders),
            Block::Wait(wait) => {
                let definition = self.definition(*wait);
                let id = self.id("catch");
                let id = level.add(with(node(id, "intermediateCatchEvent"), &definition));
                (id.clone(), id)
            }
            Block::Undone(works) => self.undone(level, works),
            Block::Throw(thrown) => {
                let definition = match thrown {
                    Thrown::Nothing => String::new(),
                    Thrown::Message => self.definition(Wait::Message),
                    Thrown::Signal => self.definition(Wait::Signal),
                    Thrown::Escalation => "<escalationEventDefinition escalationRef=\"escalation\"/>".to_owned(),
                };
                let id = self.id("throw");
                let id = level.add(with(node(id, "intermediateThrowEvent"), &definition));
                (id.clone(), id)
            }
        }
    }

    fn row(&mut self, level: &mut Level, blocks: &[Block]) -> Ends {
        let ends: Vec<Ends> = blocks.iter().map(|block| self.draw(level, block)).collect();
        for pair in ends.windows(2) {
            level.flow(&pair[0].1, &pair[1].0, None);
        }
        let steps = blocks
            .iter()
            .zip(&ends)
            .filter(|(block, _)| matches!(block, Block::Task(..) | Block::Inside(_)));
        self.rows.push(steps.map(|(_, (entry, _))| entry.clone()).collect());
        let entry = ends.first().map(|(entry, _)| entry.clone()).unwrap_or_default();
        let exit = ends.last().map(|(_, exit)| exit.clone()).unwrap_or_default();
        (entry, exit)
    }

    fn task(&mut self, level: &mut Level, work: Work, borders: &[Border], often: Often) -> Ends {
        let mut task = self.work(work);
        let id = task.id.clone();
        if !matches!(work, Work::Vote(..)) {
            repeat(&mut task, often);
        }
        level.add(task);
        let exit = self.borders(level, &id, borders);
        (id, exit)
    }

    /// What a task is about, without what stands on its border.
    fn work(&mut self, work: Work) -> Node {
        match work {
            Work::One(who) => {
                let mut task = node(self.id("ask"), "userTask");
                let _ = write!(task.attributes, " flowable:assignee=\"{}\"", PEOPLE[who % PEOPLE.len()]);
                task
            }
            Work::Candidates(count) => {
                let mut task = node(self.id("offer"), "userTask");
                let _ = write!(task.attributes, " flowable:candidateUsers=\"{}\"", PEOPLE[..count].join(","));
                task
            }
            Work::Vote(count, rule, in_order) => {
                let mut task = node(self.id("vote"), "userTask");
                vote(&mut task, count, rule, in_order);
                task
            }
            Work::Service => {
                let mut task = node(self.id("serve"), "serviceTask");
                task.attributes
                    .push_str(" flowable:type=\"external-worker\" flowable:topic=\"work\"");
                task
            }
            Work::Script => {
                let mut task = node(self.id("script"), "scriptTask");
                let _ = write!(
                    task.attributes,
                    " scriptFormat=\"feel\" flowable:resultVariable=\"{}_result\"",
                    task.id
                );
                with(task, "<script>1 + 1</script>")
            }
            Work::Decision => {
                let mut task = node(self.id("decide"), "businessRuleTask");
                let _ = write!(
                    task.attributes,
                    " zhulu:decision=\"table\" zhulu:resultVariable=\"{}_result\"",
                    task.id
                );
                task
            }
            Work::Receive => {
                let message = self.message();
                let mut task = node(self.id("receive"), "receiveTask");
                let _ = write!(task.attributes, " messageRef=\"{message}\"");
                task
            }
            Work::Send => {
                let message = self.message();
                let mut task = node(self.id("send"), "sendTask");
                let _ = write!(task.attributes, " messageRef=\"{message}\"");
                task
            }
            Work::Nothing => node(self.id("task"), "task"),
            Work::Manual => node(self.id("hand"), "manualTask"),
        }
    }

    fn split(&mut self, level: &mut Level, tag: &'static str, branches: &[Block]) -> Ends {
        let fork = self.id("fork");
        let fork = level.add(node(fork, tag));
        let join = self.id("join");
        let join = level.add(node(join, tag));
        for (at, branch) in branches.iter().enumerate() {
            let (entry, exit) = self.draw(level, branch);
            let is_last = at + 1 == branches.len();
            let is_conditional = tag != "parallelGateway";
            let condition = (is_conditional && !is_last).then(|| {
                let (which, value) = (self.chance.below(CHOICES), self.chance.below(VALUES));
                format!("choice{which} <= {value}")
            });
            let flow = level.flow(&fork, &entry, condition);
            if is_conditional && is_last {
                level.describe(&fork, &format!(" default=\"{flow}\""));
            }
            level.flow(&exit, &join, None);
        }
        (fork, join)
    }

    fn first_event(&mut self, level: &mut Level, branches: &[(Wait, Block)]) -> Ends {
        let fork = self.id("first");
        let fork = level.add(node(fork, "eventBasedGateway"));
        let join = self.id("join");
        let join = level.add(node(join, "exclusiveGateway"));
        for (wait, branch) in branches {
            let definition = self.definition(*wait);
            let event = self.id("event");
            let event = level.add(with(node(event, "intermediateCatchEvent"), &definition));
            level.flow(&fork, &event, None);
            let (entry, exit) = self.draw(level, branch);
            level.flow(&event, &entry, None);
            level.flow(&exit, &join, None);
        }
        (fork, join)
    }

    /// Again, until a counter of its own says that it is enough.
    fn again(&mut self, level: &mut Level, body: &Block) -> Ends {
        let counter = self.id("counter");
        let times = self.chance.between(1, 3);
        let back = self.id("back");
        let back = level.add(node(back, "exclusiveGateway"));
        let (entry, exit) = self.draw(level, body);
        level.flow(&back, &entry, None);
        let mut count = node(self.id("count"), "scriptTask");
        let _ = write!(
            count.attributes,
            " scriptFormat=\"feel\" flowable:resultVariable=\"{counter}\""
        );
        let script = format!("if {counter} = null then 1 else {counter} + 1");
        let count = level.add(with(count, &format!("<script>{}</script>", escaped(&script))));
        level.flow(&exit, &count, None);
        let enough = self.id("enough");
        let enough = level.add(node(enough, "exclusiveGateway"));
        level.flow(&count, &enough, None);
        level.flow(&enough, &back, Some(format!("{counter} < {times}")));
        let on = self.id("on");
        let on = level.add(node(on, "exclusiveGateway"));
        let flow = level.flow(&enough, &on, None);
        level.describe(&enough, &format!(" default=\"{flow}\""));
        (back, on)
    }

    fn inside(&mut self, level: &mut Level, inside: &Inside) -> Ends {
        let mut sub = node(self.id("sub"), "subProcess");
        let id = sub.id.clone();
        repeat(&mut sub, inside.often);
        let mut inner = self.level(&inside.body, inside.end);
        if let Some((wait, interrupting, body)) = &inside.beside {
            let definition = self.definition(*wait);
            let mut beside = Level::default();
            let mut start = with(node(self.id("start"), "startEvent"), &definition);
            let _ = write!(start.attributes, " isInterrupting=\"{interrupting}\"");
            let start = beside.add(start);
            self.from_start_to_end(&mut beside, &start, body, End::Plain);
            let mut event = node(self.id("beside"), "subProcess");
            event.attributes.push_str(" triggeredByEvent=\"true\"");
            event.level = Some(beside);
            inner.add(event);
        }
        sub.level = Some(inner);
        level.add(sub);
        let exit = self.borders(level, &id, &inside.borders);
        (id, exit)
    }

    fn call(&mut self, level: &mut Level, body: &Block, borders: &[Border]) -> Ends {
        let called = self.id("called");
        let inner = self.level(body, End::Plain);
        self.process(&called, &inner);
        let mut call = node(self.id("call"), "callActivity");
        let id = call.id.clone();
        let _ = write!(
            call.attributes,
            " calledElement=\"{called}\" flowable:inheritVariables=\"true\""
        );
        level.add(call);
        let exit = self.borders(level, &id, borders);
        (id, exit)
    }

    /// Things that are done and then compensated, on a level of their own.
    fn undone(&mut self, level: &mut Level, works: &[Work]) -> Ends {
        let mut inner = Level::default();
        let start = self.id("start");
        let mut last = inner.add(node(start, "startEvent"));
        for work in works {
            let task = self.work(*work);
            let task = inner.add(task);
            inner.flow(&last, &task, None);
            last.clone_from(&task);
            let mut border = with(node(self.id("undo"), "boundaryEvent"), "<compensateEventDefinition/>");
            let _ = write!(border.attributes, " attachedToRef=\"{task}\"");
            let border = inner.add(border);
            let mut handler = match self.chance.percent(40) {
                true => self.work(Work::One(1)),
                false => self.work(Work::Script),
            };
            handler.attributes.push_str(" isForCompensation=\"true\"");
            let handler = inner.add(handler);
            inner.associate(&border, &handler);
        }
        let throw = self.id("throw");
        let throw = inner.add(with(node(throw, "intermediateThrowEvent"), "<compensateEventDefinition/>"));
        inner.flow(&last, &throw, None);
        let end = self.id("end");
        let end = inner.add(node(end, "endEvent"));
        inner.flow(&throw, &end, None);
        let mut sub = node(self.id("sub"), "subProcess");
        sub.level = Some(inner);
        let id = level.add(sub);
        (id.clone(), id)
    }

    /// What stands on a border. What interrupts joins the way on; the rest ends for itself.
    fn borders(&mut self, level: &mut Level, host: &str, borders: &[Border]) -> String {
        let mut exit = host.to_owned();
        for border in borders {
            let definition = match border.wait {
                BorderWait::Wait(wait) => self.definition(wait),
                BorderWait::Error => "<errorEventDefinition errorRef=\"error\"/>".to_owned(),
                BorderWait::Escalation => "<escalationEventDefinition escalationRef=\"escalation\"/>".to_owned(),
            };
            let mut event = with(node(self.id("border"), "boundaryEvent"), &definition);
            let _ = write!(
                event.attributes,
                " attachedToRef=\"{host}\" cancelActivity=\"{}\"",
                border.interrupting
            );
            let event = level.add(event);
            let (entry, then) = self.draw(level, &border.then);
            level.flow(&event, &entry, None);
            if border.interrupting {
                let merge = self.id("merge");
                let merge = level.add(node(merge, "exclusiveGateway"));
                level.flow(&exit, &merge, None);
                level.flow(&then, &merge, None);
                exit = merge;
            } else {
                let end = self.id("end");
                let end = level.add(node(end, "endEvent"));
                level.flow(&then, &end, None);
            }
        }
        exit
    }

    fn definition(&mut self, wait: Wait) -> String {
        match wait {
            Wait::Timer(hours) => {
                format!("<timerEventDefinition><timeDuration {FORMAL}>PT{hours}H</timeDuration></timerEventDefinition>")
            }
            Wait::Cycle(times) => {
                format!("<timerEventDefinition><timeCycle {FORMAL}>R{times}/PT2H</timeCycle></timerEventDefinition>")
            }
            Wait::Message => format!("<messageEventDefinition messageRef=\"{}\"/>", self.message()),
            Wait::Signal => {
                let signal = format!("signal{}", self.chance.below(3));
                if !self.signals.contains(&signal) {
                    self.signals.push(signal.clone());
                }
                format!("<signalEventDefinition signalRef=\"{signal}\"/>")
            }
        }
    }

    fn message(&mut self) -> String {
        let message = format!("message{}", self.chance.below(6));
        if !self.messages.contains(&message) {
            self.messages.push(message.clone());
        }
        message
    }
}

fn node(id: String, tag: &'static str) -> Node {
    Node {
        id,
        tag,
        ..Node::default()
    }
}

fn with(mut node: Node, content: &str) -> Node {
    node.content.push_str(content);
    node
}

fn repeat(node: &mut Node, often: Often) {
    let loop_ = match often {
        Often::Once => return,
        Often::Loop(times) => format!(
            "<standardLoopCharacteristics loopMaximum=\"{times}\"><loopCondition {FORMAL}>true</loopCondition></standardLoopCharacteristics>"
        ),
        Often::Parallel(times) | Often::Sequential(times) => {
            let is_sequential = matches!(often, Often::Sequential(_));
            format!(
                "<multiInstanceLoopCharacteristics isSequential=\"{is_sequential}\"><loopCardinality {FORMAL}>{times}</loopCardinality></multiInstanceLoopCharacteristics>"
            )
        }
    };
    // The schema wants it before what the activity is about.
    node.content.insert_str(0, &loop_);
}

/// A vote of the first of these people.
fn vote(task: &mut Node, count: usize, rule: Vote, in_order: bool) {
    let rule = match rule {
        Vote::All => "all",
        Vote::Any => "any",
        Vote::Ratio => "ratio:60",
    };
    let _ = write!(
        task.attributes,
        " flowable:candidateUsers=\"{}\" zhulu:vote=\"{rule}\" zhulu:sequential=\"{in_order}\"",
        PEOPLE[..count].join(",")
    );
}
