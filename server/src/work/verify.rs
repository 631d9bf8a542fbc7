//! `zhulu verify`: every checksum and every hash chain of the whole store. Works beside a running server.

use crate::{failure::Failure, house, place::Place, progress};

/// Verifies the whole store; damage is an error.
pub fn run(place: &Place) -> Result<(), Failure> {
    let store = house::look_into_store(place)?;
    let bar = progress::bar("校验 / verifying", 0);
    let report = store
        .verify(|seen| bar.set_position(seen.events))
        .map_err(|error| Failure::doing("校验没有完成", "the verification did not finish", error))?;
    bar.finish_and_clear();
    println!(
        "校验 / verified: {} 件事 / events, {} 条流 / streams, {} 字节 / bytes",
        report.events, report.streams, report.bytes
    );
    for damage in &report.damaged {
        println!("损坏 / damaged: {damage}");
    }
    if report.damaged.is_empty() {
        println!("完好：哈希链与校验和全部一致 / intact: every hash chain and every checksum holds");
        return Ok(());
    }
    let count = report.damaged.len();
    Err(Failure::new(
        format!("有 {count} 处损坏；请停止写入，从备份恢复，并保留现有文件供检查"),
        format!("{count} places are damaged; stop writing, restore from a backup, and keep these files for the inquiry"),
    ))
}
