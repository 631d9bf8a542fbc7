//! `zhulu verify`: every checksum and every hash chain of the whole store. Works beside a running server.
//!
//! A server of `KurrentDB`'s protocol keeps no chain. There every event is read, the chains are computed anew, and what
//! they come to is shown as one fingerprint: two stores with the same fingerprint hold the same events in each stream.

use std::{collections::BTreeMap, sync::Arc};

use event_store_contract::{
    EventStore, Filter, MAX_EVENTS_PER_READ, RecordedEvent,
    proof::{self, GENESIS, Hash},
};
use event_store_embedded::EmbeddedStore;

use crate::{
    cli::PlaceArgs,
    failure::Failure,
    place::{Place, hex},
    progress, store,
};

/// How many findings are printed; a store with more is not repaired event by event.
const FINDINGS_SHOWN: usize = 100;
/// The first character of the names of streams that a store keeps for itself: their number and order are its own affair.
const OF_THE_STORE: char = '$';

/// Verifies the whole store; damage is an error.
pub async fn run(args: &PlaceArgs, place: &Place, fingerprint: bool) -> Result<(), Failure> {
    let opened = store::look(args, place).await?;
    if let Some(embedded) = opened.embedded {
        tokio::task::spawn_blocking(move || checksums_and_chains(&embedded))
            .await
            .map_err(unfinished)??;
        if fingerprint {
            show(&read_through(&opened.events).await?);
        }
        return Ok(());
    }
    let seen = read_through(&opened.events).await?;
    println!(
        "校验 / verified: {} 个事件 / events, {} 条流 / streams, {} 字节 / bytes",
        seen.events,
        seen.ends.len(),
        seen.bytes
    );
    show(&seen);
    for finding in seen.findings.iter().take(FINDINGS_SHOWN) {
        println!("缺失 / missing: {finding}");
    }
    println!(
        "该事件库不保存哈希链：每条流的版本已逐一核对，哈希链已重算；与迁移前的指纹比对即知是否有改动\n\
         this store keeps no hash chain: the revisions of every stream were checked and the chains computed anew; compare \
         the fingerprint with the one from before a move"
    );
    damage(seen.findings.len())
}

/// What the embedded store says of itself.
pub fn checksums_and_chains(store: &EmbeddedStore) -> Result<(), Failure> {
    let bar = progress::bar("校验 / verifying", 0);
    let report = store
        .verify(|seen| {
            bar.set_length(seen.of_events);
            bar.set_position(seen.events);
        })
        .map_err(unfinished)?;
    bar.finish_and_clear();
    println!(
        "校验 / verified: {} 个事件 / events, {} 条流 / streams, {} 字节 / bytes",
        report.events, report.streams, report.bytes
    );
    for damage in &report.damages {
        let stream = damage.stream.as_ref().map_or("?", |stream| stream.as_str());
        let revision = damage
            .revision
            .map_or_else(|| "?".to_owned(), |revision| revision.to_string());
        println!(
            "损坏 / damaged: {stream} 版本 / revision {revision} (位置 / position {}): {}",
            damage.position.0, damage.reason
        );
    }
    for complaint in &report.complaints {
        println!("文件 / file: {complaint}");
    }
    if report.is_whole() {
        println!("完好：哈希链与校验和全部一致 / intact: every hash chain and every checksum holds");
        return Ok(());
    }
    damage(report.damages.len() + report.complaints.len())
}

fn damage(count: usize) -> Result<(), Failure> {
    if count == 0 {
        return Ok(());
    }
    Err(Failure::new(
        format!("有 {count} 处损坏；请停止写入，从备份恢复，并保留现有文件供检查"),
        format!("{count} places are damaged; stop writing, restore from a backup, and keep these files for the inquiry"),
    ))
}

/// The end of a stream as far as it was read.
struct End {
    revision: u64,
    link: Hash,
}

/// What reading a whole store comes to.
#[derive(Default)]
struct Seen {
    events: u64,
    bytes: u64,
    ends: BTreeMap<String, End>,
    findings: Vec<String>,
}

impl Seen {
    fn look_at(&mut self, event: &RecordedEvent) {
        self.events += 1;
        self.bytes += (event.data.len() + event.metadata.len()) as u64;
        let stream = event.stream.as_str();
        let content = proof::content_hash(event.id, &event.name, &event.data, &event.metadata);
        let (expected, before) = self.ends.get(stream).map_or((0, GENESIS), |end| (end.revision + 1, end.link));
        if event.revision != expected {
            self.findings.push(format!(
                "{stream} 版本 / revision {expected}：此处为 / here stands {}",
                event.revision
            ));
        }
        let link = proof::chain_hash(&before, stream, event.revision, &content);
        let end = End {
            revision: event.revision,
            link,
        };
        match self.ends.get_mut(stream) {
            Some(known) => *known = end,
            None => drop(self.ends.insert(stream.to_owned(), end)),
        }
    }

    /// The chains of all streams in one: each stream's last link, in the order of their names.
    fn fingerprint(&self) -> Hash {
        self.ends.iter().fold(GENESIS, |before, (stream, end)| {
            proof::chain_hash(&before, stream, end.revision, &end.link)
        })
    }
}

async fn read_through(store: &Arc<dyn EventStore>) -> Result<Seen, Failure> {
    let bar = progress::bar("读取 / reading", 0);
    let mut seen = Seen::default();
    let mut after = None;
    loop {
        let page = store
            .read_all(after, MAX_EVENTS_PER_READ, &Filter::all())
            .await
            .map_err(unfinished)?;
        let theirs = page
            .events
            .iter()
            .filter(|event| !event.stream.as_str().starts_with(OF_THE_STORE));
        theirs.for_each(|event| seen.look_at(event));
        bar.set_position(seen.events);
        after = page.position;
        if page.end {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(seen)
}

fn show(seen: &Seen) {
    println!("指纹 / fingerprint: {}", hex(&seen.fingerprint()));
}

fn unfinished(error: impl std::fmt::Display) -> Failure {
    Failure::doing("校验没有完成", "the verification did not finish", error)
}
