//! `zhulu verify`: every checksum and every hash chain of the whole store. Works beside a running server.

use crate::{failure::Failure, house, place::Place, progress};

/// Verifies the whole store; damage is an error.
pub fn run(place: &Place) -> Result<(), Failure> {
    let store = house::look_into_store(place)?;
    let bar = progress::bar("校验 / verifying", 0);
    let report = store
        .verify(|seen| {
            bar.set_length(seen.of_events);
            bar.set_position(seen.events);
        })
        .map_err(|error| Failure::doing("校验没有完成", "the verification did not finish", error))?;
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
    let count = report.damages.len() + report.complaints.len();
    Err(Failure::new(
        format!("有 {count} 处损坏；请停止写入，从备份恢复，并保留现有文件供检查"),
        format!("{count} places are damaged; stop writing, restore from a backup, and keep these files for the inquiry"),
    ))
}
