//! What the demo says: Chinese first, English second, nothing that was not measured.

use std::net::SocketAddr;

use chrono::TimeDelta;
use commands::{Moment, outside::Clock};
use domain::{case::CaseType as _, case_types::construction_permit::ConstructionPermit, metadata::bureau_midnight};
use event_store_contract::{Direction, StreamName, proof};
use projections::report;

use super::{REGION, figures::Figures, permits::Imported, story::Told};
use crate::{
    cli::TokenArgs,
    failure::Failure,
    house::House,
    place::{Place, hex},
    work::{
        replay::local,
        report::{handling_time_sheet, table},
        token,
    },
};

/// How long the token of the page is good for.
const TOKEN_HOURS: u32 = 12;
/// The most events of the new case that are shown.
const TIMELINE_LENGTH: usize = 500;
/// How many characters of a hash are enough to recognise it.
const HASH_SHOWN: usize = 16;

/// The first words.
pub(super) fn greet(place: &Place) {
    println!("筑录演示 / Zhulu demo");
    println!("数据目录 / data directory  {}\n", place.directory().display());
}

/// What came in, and how fast.
pub(super) fn imported(imported: &Imported) {
    heading(
        "真实许可 / real permits",
        "Los Angeles, Seattle · Renology 2026.1 · CC BY 4.0",
    );
    if imported.earlier {
        println!("此前的演示已导入，跳过 / brought in by an earlier demo, skipped");
    }
    if imported.rows > 0 {
        println!(
            "{} 行 / rows → {} 件 / cases, {} 个事件 / events",
            imported.rows, imported.cases, imported.events
        );
        println!(
            "持久化 / durable {}，全部视图可见 / visible in all views {}：{} 个事件/秒 / events per second",
            seconds(imported.durable_ms),
            seconds(imported.visible_ms),
            imported.events_per_second()
        );
    }
}

/// How long the permits took, by city and review track.
pub(super) async fn handling_times(house: &House) -> Result<(), Failure> {
    let by = ["city".to_owned(), "review_track".to_owned()];
    let rows = report::handling_time(house.projections().database(), &by, &[], true)
        .await
        .map_err(|error| Failure::doing("做不出统计", "the report cannot be made", error))?;
    heading(
        "办理时长（自然日，成熟批次） / handling time in calendar days, mature cohorts",
        "zhulu report handling-time --by city,review_track --cohort mature",
    );
    println!("{}", handling_time_sheet(&by, &rows).table());
    Ok(())
}

/// The new case: its timeline, its clock, a look back, its proof.
pub(super) async fn case(house: &House, told: &Told) -> Result<(), Failure> {
    let failed = |error| Failure::doing("读不到历史", "the history cannot be read", error);
    let category = ConstructionPermit::CATEGORY;
    heading("新办一件 / a new case", &format!("{}  {}", told.case_no, told.permit_no));
    let history = house
        .bureau()
        .case_history(category, told.case_id, 0, TIMELINE_LENGTH, Direction::Forwards)
        .await
        .map_err(failed)?;
    // What tokens did is on record as well; people read what people did.
    let told_of = history.iter().filter(|event| !casework::is_technical(&event.name));
    let rows = told_of.map(|event| {
        vec![
            event.revision.to_string(),
            local(event.metadata.occurred_at),
            event.metadata.actor.name.clone(),
            event.title_zh.clone(),
        ]
    });
    println!(
        "{}",
        table(&["版本", "发生 / when", "谁 / who", "经过 / what happened"], rows)
    );

    let now = house
        .bureau()
        .case_at(category, told.case_id, Moment::Head)
        .await
        .map_err(failed)?;
    if let Some(now) = &now {
        let rules = house.bureau().rules();
        let kernel = now.case.kernel();
        if let (Some(used), Some(item)) = (kernel.handling_working_days(&rules), kernel.item(&rules)) {
            let (statutory, promised) = (item.statutory.n, item.promised.n);
            println!(
                "法律时钟 / legal clock：用时 {used} 个工作日（特别程序不计），法定 {statutory}，承诺 {promised} / \
                 {used} working days used (pauses not counted) of {statutory} by law and {promised} promised"
            );
        }
    }
    let then = Moment::OccurredAt(bureau_midnight(told.in_the_pause) + TimeDelta::hours(23));
    if let Some(then) = house.bureau().case_at(category, told.case_id, then).await.map_err(failed)? {
        let stage = then.case.kernel().stage;
        println!(
            "回到 {0} / as of {0}：{1}（{stage}），已有 {2} 个事件 / {2} events by then",
            told.in_the_pause,
            stage.name_zh(),
            then.events_seen
        );
    }
    proof_of(house, told).await
}

/// Recomputes the hash chain of the case from its bytes.
async fn proof_of(house: &House, told: &Told) -> Result<(), Failure> {
    let name = StreamName::of(ConstructionPermit::CATEGORY, told.case_id)
        .map_err(|error| Failure::doing("流名无效", "this is no name of a stream", error))?;
    let events = house
        .store()
        .read_stream(&name, 0, Direction::Forwards, TIMELINE_LENGTH)
        .await
        .map_err(|error| Failure::doing("读不到事件", "the events cannot be read", error))?;
    let mut link = proof::GENESIS;
    for event in &events {
        let content = proof::content_hash(event.id, &event.name, &event.data, &event.metadata);
        link = proof::chain_hash(&link, event.stream.as_str(), event.revision, &content);
        if event.hash != Some(link) {
            return Err(Failure::new(
                format!("{name} 第 {} 版的哈希不符", event.revision),
                format!("the hash of revision {} of {name} does not hold", event.revision),
            ));
        }
    }
    let hash = hex(&link);
    println!(
        "可验证 / provable：{} 个事件的哈希链重算一致 / the hash chain of {} events was computed again and holds  {}…",
        events.len(),
        events.len(),
        &hash[..HASH_SHOWN]
    );
    Ok(())
}

/// The figures, for people.
pub(super) fn figures(figures: &Figures) {
    println!(
        "\n合计 / in all：{} 件 / cases，{} 个事件 / events；事件到视图 / event to views {} ms",
        figures.cases, figures.events, figures.projection_lag_ms
    );
}

/// Where to look on.
pub(super) fn invitation(place: &Place, address: SocketAddr, clock: &dyn Clock, told: &Told) -> Result<(), Failure> {
    let token = token::make(
        place,
        &TokenArgs {
            role: "supervisor".to_owned(),
            name: "演示督办员".to_owned(),
            region: REGION.to_owned(),
            subject: Some("demo-supervisor".to_owned()),
            organisation: String::new(),
            expires_hours: TOKEN_HOURS,
        },
        clock.now(),
    )?;
    heading("自己看 / look for yourself", &format!("http://{address}/graphql"));
    println!("令牌 / token（{TOKEN_HOURS} h）\n{token}\n");
    let query = format!(
        "{{ case(id: \\\"{}-{}\\\") {{ caseNo stageName timeline {{ title occurredAt actorName }} }} }}",
        ConstructionPermit::CATEGORY,
        told.case_id
    );
    println!(
        "curl -s http://{address}/graphql -H 'content-type: application/json' -H 'authorization: Bearer {token}' \\\n  -d '{{\"query\": \"{query}\"}}'"
    );
    println!(
        "\n{} replay {}-{} --at {} --data-dir {}",
        program(),
        ConstructionPermit::CATEGORY,
        told.case_id,
        told.in_the_pause,
        place.directory().display()
    );
    Ok(())
}

/// The last words of a demo that stays.
pub(super) fn invite() {
    println!("\n一直运行，Ctrl-C 停止 / stays up until Ctrl-C");
}

/// How this program was called, so that the printed line can be typed again.
fn program() -> String {
    std::env::args().next().unwrap_or_else(|| "zhulu".to_owned())
}

fn heading(title: &str, beside: &str) {
    println!("\n━━ {title}  {beside}");
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:02} s", milliseconds / 1_000, milliseconds % 1_000 / 10)
}
