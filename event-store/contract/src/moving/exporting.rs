//! Exporting a log to lines, and importing it again, with the chain proved on both ways.

use std::{
    collections::HashMap,
    io::{BufRead, Write},
};

use crate::{
    EventStore, Filter, RecordedEvent, StoreError, StreamName,
    moving::{
        MoveError, Moved, Progress, Summary,
        comparing::link,
        copying::{Copied, EVENTS_PER_PAGE, Writer, size},
        lines::{ExportLine, Line, LineError, read_line},
    },
    proof::{GENESIS, Hash},
};

/// What was exported.
pub type Exported = Summary;

/// What was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// What the file holds.
    pub summary: Summary,
    /// Events that had to be written.
    pub written: u64,
    /// Events that an earlier part of the same import had written.
    pub stood: u64,
}

/// The chain of every stream met so far: one link for each stream, about a hundred bytes.
#[derive(Default)]
struct Proof {
    links: HashMap<StreamName, (u64, Hash)>,
    summary: Summary,
}

/// What does not fit.
enum Break {
    /// The stream does not begin at its beginning.
    Beheaded,
    /// A revision or a link is not the one that should come.
    Broken,
}

impl Proof {
    /// The link of the next event of its stream, which must be the one that it brings, if it brings one.
    fn follow(&mut self, event: &RecordedEvent) -> Result<Hash, Break> {
        let known = self.links.get(&event.stream).copied();
        if known.is_none() && event.revision > 0 {
            return Err(Break::Beheaded);
        }
        let (next, previous) = known.unwrap_or((0, GENESIS));
        if event.revision != next {
            return Err(Break::Broken);
        }
        let hash = link(&previous, event);
        if event.hash.is_some_and(|own| own != hash) {
            return Err(Break::Broken);
        }
        self.links.insert(event.stream.clone(), (next + 1, hash));
        self.summary.events += 1;
        self.summary.bytes += size(event) as u64;
        self.summary.streams = self.links.len() as u64;
        Ok(hash)
    }
}

/// Writes what a filter lets through to the end of the log, one line for each event, and a last line.
pub async fn export(
    store: &dyn EventStore,
    filter: &Filter,
    out: &mut (dyn Write + Send),
    progress: Progress<'_>,
) -> Result<Exported, MoveError> {
    let mut proof = Proof::default();
    let mut after = None;
    loop {
        let page = store
            .read_all(after, EVENTS_PER_PAGE, filter)
            .await
            .map_err(MoveError::Source)?;
        after = page.position;
        for event in &page.events {
            let hash = proof.follow(event).map_err(|cause| match cause {
                Break::Beheaded => MoveError::Beheaded {
                    stream: event.stream.clone(),
                    revision: event.revision,
                },
                Break::Broken => MoveError::Source(StoreError::Damaged {
                    stream: event.stream.to_string(),
                    revision: event.revision,
                    position: event.position,
                    reason: "its link in the chain does not follow from the events before".into(),
                }),
            })?;
            ExportLine::new(event, &hash).write(out)?;
        }
        progress(Moved {
            events: proof.summary.events,
            bytes: proof.summary.bytes,
            position: after,
        });
        if page.end {
            proof.summary.write(out)?;
            out.flush()?;
            return Ok(proof.summary);
        }
    }
}

/// Reads a file to its end and proves it, without writing anything.
pub fn check(lines: &mut dyn BufRead, progress: Progress<'_>) -> Result<Summary, MoveError> {
    let mut reader = Reader::default();
    while !reader.page(lines)?.is_empty() {
        progress(reader.moved());
    }
    Ok(reader.proof.summary)
}

/// Writes the events of a file to a store, with the revisions that they have. Each page is proved before it is written.
/// May be stopped anywhere: the same import again finds where it was. Prove the whole file first, with [`check`], if
/// nothing of a broken file may be written.
pub async fn import(
    lines: &mut (dyn BufRead + Send),
    store: &dyn EventStore,
    progress: Progress<'_>,
) -> Result<Imported, MoveError> {
    let mut reader = Reader::default();
    let mut writer = Writer::new(store).await?;
    loop {
        let page = reader.page(lines)?;
        if page.is_empty() {
            let Copied { written, stood, .. } = writer.copied;
            return Ok(Imported {
                summary: reader.proof.summary,
                written,
                stood,
            });
        }
        writer.page(page).await?;
        progress(reader.moved());
    }
}

/// Where a reader of a file is.
#[derive(Default)]
struct Reader {
    proof: Proof,
    number: u64,
    buffer: Vec<u8>,
    is_over: bool,
}

impl Reader {
    fn moved(&self) -> Moved {
        Moved {
            events: self.proof.summary.events,
            bytes: self.proof.summary.bytes,
            position: None,
        }
    }

    /// The next events, proved; none after the last line.
    fn page(&mut self, lines: &mut dyn BufRead) -> Result<Vec<RecordedEvent>, MoveError> {
        let mut page = Vec::new();
        while page.len() < EVENTS_PER_PAGE && !self.is_over {
            self.number += 1;
            let number = self.number;
            let wrong = |reason| MoveError::Line { number, reason };
            match read_line(lines, &mut self.buffer, number)? {
                None => return Err(wrong(LineError::CutOff)),
                Some(Line::Event(event)) => {
                    self.proof.follow(&event).map_err(|_| {
                        wrong(LineError::Chain {
                            stream: event.stream.to_string(),
                            revision: event.revision,
                        })
                    })?;
                    page.push(*event);
                }
                Some(Line::Last(told)) => {
                    let found = self.proof.summary;
                    if told != found {
                        return Err(wrong(LineError::Summary { told, found }));
                    }
                    self.is_over = true;
                    if !lines.fill_buf()?.is_empty() {
                        return Err(wrong(LineError::AfterTheEnd));
                    }
                }
            }
        }
        Ok(page)
    }
}
