//! `zhulu doctor`: says what is wrong with this installation, and what to do about it.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use chrono::Datelike as _;
use commands::outside::Clock as _;
use domain::{metadata::bureau_date, rules::Rules};
use private_postgres::PrivatePostgres;

use crate::{
    cli::PlaceArgs,
    clock::SystemClock,
    failure::Failure,
    place::Place,
    store::{self, StoreAddress},
};

/// With less room than this, imports and rebuilds run out of it.
const FREE_BYTES_WANTED: u64 = 1024 * 1024 * 1024;
/// The oldest PostgreSQL that is supported, as `server_version_num` has it.
const OLDEST_POSTGRES: i32 = 140_000;
/// No build of this program is older than this; a clock that shows less is wrong.
const CLOCK_NOT_BEFORE: i32 = 2026;

/// What was looked at, and what was found.
struct Finding {
    what: &'static str,
    found: Result<String, String>,
}

/// Looks at everything; anything wrong is an error.
pub async fn run(args: &PlaceArgs, directory: &Path) -> Result<(), Failure> {
    let mut findings = vec![Finding {
        what: "时钟与日历 / clock and calendar",
        found: clock_and_calendar(),
    }];
    match Place::make(directory) {
        Err(error) => findings.push(Finding {
            what: "数据目录 / data directory",
            found: Err(error.to_string()),
        }),
        Ok(place) => {
            findings.push(Finding {
                what: "数据目录 / data directory",
                found: data_directory(&place),
            });
            findings.push(Finding {
                what: "令牌密钥 / token key",
                found: token_key(&place),
            });
            findings.push(Finding {
                what: "事件库 / event store",
                found: event_store(args, &place).await,
            });
            findings.push(Finding {
                what: "PostgreSQL",
                found: postgres(args, &place).await,
            });
        }
    }
    let mut wrong = 0;
    for finding in &findings {
        match &finding.found {
            Ok(said) => println!("✓ {}  {said}", finding.what),
            Err(said) => {
                wrong += 1;
                println!("✗ {}  {said}", finding.what);
            }
        }
    }
    if wrong == 0 {
        println!("一切正常 / all is well");
        return Ok(());
    }
    Err(Failure::new(
        format!("有 {wrong} 项不正常，见上"),
        format!("{wrong} things are wrong, see above"),
    ))
}

fn clock_and_calendar() -> Result<String, String> {
    let today = bureau_date(SystemClock.now());
    if today.year() < CLOCK_NOT_BEFORE {
        return Err(format!("时钟显示 {today}，请校时 / the clock shows {today}: set it"));
    }
    let rules = Rules::embedded();
    let calendar = rules.current_calendar();
    let edition = format!("{today}  {}", calendar.edition());
    if calendar.published_through() < today.year() {
        return Ok(format!(
            "{edition}  注意：{0} 年节假日安排尚未录入，工作日为暂计 / note: the holidays of {0} are not published here yet, so \
             working days are provisional; see the mutation calendarYearPublish",
            today.year()
        ));
    }
    Ok(edition)
}

fn data_directory(place: &Place) -> Result<String, String> {
    let directory = place.directory();
    let probe = directory.join(".doctor");
    std::fs::write(&probe, b"").map_err(|error| format!("{}: 不能写入 / cannot be written: {error}", directory.display()))?;
    let _ = std::fs::remove_file(&probe);
    let room = rustix::fs::statvfs(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let free = room.f_bavail * room.f_frsize;
    let mebibytes = free / (1024 * 1024);
    if free < FREE_BYTES_WANTED {
        return Err(format!(
            "{}: 只剩 {mebibytes} MiB，请清理或换盘 / only {mebibytes} MiB free: make room",
            directory.display()
        ));
    }
    Ok(format!("{}  剩余 / free {mebibytes} MiB", directory.display()))
}

fn token_key(place: &Place) -> Result<String, String> {
    place.token_key().map_err(|error| error.to_string())?;
    let path = place.directory().join("token.key");
    let mode = std::fs::metadata(&path)
        .map_err(|error| error.to_string())?
        .permissions()
        .mode()
        & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "{} 可被他人读取（{mode:o}）；执行 chmod 600 / can be read by others ({mode:o}): chmod 600",
            path.display()
        ));
    }
    Ok("仅属主可读 / for its owner only".to_owned())
}

async fn event_store(args: &PlaceArgs, place: &Place) -> Result<String, String> {
    let address = store::address(args).map_err(|error| error.to_string())?;
    if address == StoreAddress::Embedded && !place.events().is_dir() {
        return Ok("尚未建立，首次启动时建立 / not there yet; made at the first start".to_owned());
    }
    let opened = store::look(args, place).await.map_err(|error| error.to_string())?;
    let head = opened.events.head().await.map_err(|error| error.to_string())?;
    let user = place.running().map_or_else(String::new, |running| {
        format!("，由进程 {0} 使用 / in use by process {0}", running.process_id)
    });
    Ok(match head {
        None => format!("空 / empty{user}"),
        Some(head) => format!("最新位置 / head {}{user}", head.0),
    })
}

async fn postgres(args: &PlaceArgs, place: &Place) -> Result<String, String> {
    let given = args
        .database_url
        .clone()
        .or_else(|| place.running().and_then(|running| running.database_url));
    if let Some(url) = given {
        return answers(&url).await;
    }
    let cluster = PrivatePostgres::start(&place.postgres())
        .await
        .map_err(|error| error.to_string())?;
    let answer = answers(cluster.url()).await;
    cluster.stop().await.map_err(|error| error.to_string())?;
    answer.map(|said| format!("{said}（自带 / private）"))
}

/// The version of the server that answers there.
async fn answers(url: &str) -> Result<String, String> {
    let told = |error: tokio_postgres::Error| {
        format!("连不上，请检查 DATABASE_URL 与服务是否运行 / does not answer; check DATABASE_URL and the server: {error}")
    };
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.map_err(told)?;
    let connection = tokio::spawn(connection);
    let row = client
        .query_one(
            "select current_setting('server_version_num')::int, current_setting('server_version')",
            &[],
        )
        .await
        .map_err(told)?;
    drop(client);
    let _ = connection.await;
    let (number, version): (i32, String) = (row.get(0), row.get(1));
    if number < OLDEST_POSTGRES {
        return Err(format!("{version}：需要 14 或更新 / is too old: 14 or newer is needed"));
    }
    Ok(version)
}
