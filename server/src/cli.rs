//! The words of the command line: what can be asked of `zhulu`, each with examples.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::roles::Role;

/// 筑录: a housing and construction bureau's cases, with their whole history.
#[derive(Debug, Parser)]
#[command(
    name = "zhulu",
    version,
    about = "筑录：住建业务办件平台 / Zhulu: a housing and construction bureau's cases, with their whole history",
    after_help = "例 / Examples:\n  zhulu demo                    看一遍 / see it all at once\n  zhulu serve                   开始服务 / start serving\n  zhulu doctor                  检查安装 / check this installation\n  zhulu help import             某个命令的用法 / how a command is used"
)]
pub struct Cli {
    /// What belongs to every command.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// What is asked.
    #[command(subcommand)]
    pub command: Command,
}

/// Where the data is.
#[derive(Debug, Clone, Args)]
pub struct PlaceArgs {
    /// 数据目录（默认 ./data；demo 为 ./data/demo） / data directory (default ./data; for the demo ./data/demo)
    #[arg(long, global = true, env = "ZHULU_DATA", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// 事件库：embedded，或 esdb:// 地址 / event store: embedded, or an esdb:// address
    #[arg(
        long,
        global = true,
        env = "ZHULU_STORE",
        default_value = "embedded",
        value_name = "STORE",
        hide_env_values = true
    )]
    pub store: String,
    /// 读模型数据库；不给则自带一个 / database of the views; a private one if none is given
    #[arg(long, global = true, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// 启动服务 / Serve the bureau: commands, views and GraphQL in one process
    #[command(
        after_help = "例 / Examples:\n  zhulu serve\n  zhulu serve --listen 0.0.0.0:8080 --data-dir /var/lib/zhulu\n  zhulu serve --demo            # 带 GraphiQL 页面 / with the GraphiQL page"
    )]
    Serve(ServeArgs),
    /// 演示：导入真实许可数据并办理一件 / Show it all: import real permits, then file and decide a case
    #[command(
        after_help = "例 / Examples:\n  zhulu demo                    # 一直运行到 Ctrl-C / stays up until Ctrl-C\n  zhulu demo --exit             # 看完即停，末行为 JSON / ends; the last line is JSON"
    )]
    Demo(DemoArgs),
    /// 迁移导入 / Bring in the cases of a former system
    #[command(
        subcommand,
        after_help = "例 / Examples:\n  zhulu import permits permits.csv.gz --batch 2026-la\n  zhulu import xes log.xes.gz --batch receipt\n  zhulu import rollback 2026-la"
    )]
    Import(ImportCommand),
    /// 重建视图 / Rebuild a view from the events
    #[command(after_help = "例 / Examples:\n  zhulu rebuild case_list\n  zhulu rebuild all")]
    Rebuild {
        /// 视图名，或 all / the view's name, or all
        view: String,
    },
    /// 回放一个流：当时的状态和时间线 / Replay a stream: its state and timeline at some moment
    #[command(
        after_help = "例 / Examples:\n  zhulu replay constructionPermit-0192f0c1-7a3b-7c31-9e53-0a4f5b6c7d8e\n  zhulu replay constructionPermit-0192f0c1-7a3b-7c31-9e53-0a4f5b6c7d8e --at 3\n  zhulu replay constructionPermit-0192f0c1-7a3b-7c31-9e53-0a4f5b6c7d8e --at 2026-03-01T09:00:00+08:00"
    )]
    Replay {
        /// 流名 / the stream's name
        stream: String,
        /// 到此为止：版本号、日期或时刻 / as it was then: a revision, a date or an instant
        #[arg(long, value_name = "REV|TIME")]
        at: Option<String>,
    },
    /// 统计 / Reports from the statistics view
    #[command(
        subcommand,
        after_help = "例 / Examples:\n  zhulu report handling-time --by city,review_track --cohort mature --format csv\n  zhulu report cohorts --by city,applied_year"
    )]
    Report(ReportCommand),
    /// 校验整个事件库 / Verify the hash chains and checksums of the whole store
    #[command(
        after_help = "例 / Examples:\n  zhulu verify\n  zhulu verify --fingerprint\n  zhulu verify --store esdb://ops@db.example:2113"
    )]
    Verify {
        /// 另外给出全部流的指纹，可与另一事件库比对 / also one fingerprint of all streams, to be compared with another store's
        #[arg(long)]
        fingerprint: bool,
    },
    /// 事件库：单独服务、备份、恢复、清理、导出、导入 / The event store: serve it alone, back up, restore, scavenge, export, import
    #[command(
        subcommand,
        after_help = "例 / Examples:\n  zhulu store serve\n  zhulu store backup /backup/2026-03-01\n  zhulu store restore /backup/2026-03-01 --data-dir /var/lib/zhulu"
    )]
    Store(StoreCommand),
    /// 把全部事件搬到另一个事件库 / Copy every event to another store, and compare both event by event
    #[command(
        after_help = "两端 / Each end: embedded:目录 DIR，或 / or esdb://… ；中断后再次运行会接着搬 / run again after an interruption, it goes on\n\n例 / Examples:\n  zhulu migrate-store --from embedded:/var/lib/zhulu/events --to 'esdb://admin:changeit@db.example:2113'\n  zhulu migrate-store --from 'esdb://localhost:2113?tls=false' --to embedded:/srv/zhulu/events"
    )]
    MigrateStore {
        /// 从哪里 / where from
        #[arg(long, env = "ZHULU_MIGRATE_FROM", value_name = "STORE", hide_env_values = true)]
        from: String,
        /// 到哪里 / where to
        #[arg(long, env = "ZHULU_MIGRATE_TO", value_name = "STORE", hide_env_values = true)]
        to: String,
    },
    /// 只做反应和计时 / Only react and fire timers, beside other processes
    #[command(
        after_help = "例 / Examples:\n  zhulu react --store esdb://events.example:2113 --database-url postgresql://zhulu@db.example/zhulu"
    )]
    React(PartArgs),
    /// 只更新视图 / Only keep the views, beside other processes
    #[command(
        after_help = "例 / Examples:\n  zhulu project --store esdb://events.example:2113 --database-url postgresql://zhulu@db.example/zhulu"
    )]
    Project(PartArgs),
    /// 分道：多个进程同时更新视图 / Into how many lanes the streams are divided; with a number, divide them anew
    #[command(after_help = "例 / Examples:\n  zhulu lanes\n  zhulu lanes 4")]
    Lanes {
        /// 道数 / how many
        lanes: Option<u32>,
    },
    /// 打印 GraphQL 模式 / Print the GraphQL schema
    #[command(after_help = "例 / Examples:\n  zhulu schema > schema.graphql")]
    Schema,
    /// 签发访问令牌 / Make a signed bearer token
    #[command(
        after_help = "例 / Examples:\n  zhulu token --role handler --name 王芳 --region 320684\n  zhulu token --role applicant --name 某置业有限公司 --subject 91320684MA1X000000 --region 320684 --expires-hours 8"
    )]
    Token(TokenArgs),
    /// 检查流程与决策表文件 / Check models of processes and decisions: everything that is wrong, with its place
    #[command(after_help = "例 / Examples:\n  zhulu check-models process.bpmn\n  zhulu check-models models/*.bpmn models/*.dmn")]
    CheckModels {
        /// 文件 / the files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// 按标准的测试集检验流程引擎 / Hold the process engine against the suites of its standards
    #[command(
        subcommand,
        after_help = "例 / Examples:\n  zhulu conformance betsy suites/betsy\n  zhulu conformance dmn-tck suites/dmn-tck/TestCases"
    )]
    Conformance(ConformanceCommand),
    /// 诊断本机安装 / Say what is wrong with this installation
    #[command(after_help = "例 / Examples:\n  zhulu doctor\n  zhulu doctor --data-dir /var/lib/zhulu")]
    Doctor,
    /// 各视图的进度 / How far each view is
    #[command(after_help = "例 / Examples:\n  zhulu views")]
    Views,
}

/// Which suite.
#[derive(Debug, Subcommand)]
pub enum ConformanceCommand {
    /// BPMN: cases.json、模型与 must-reject/ / BPMN: cases.json, its models, and must-reject/
    #[command(after_help = "例 / Examples:\n  zhulu conformance betsy suites/betsy")]
    Betsy {
        /// 目录 / the folder
        folder: PathBuf,
    },
    /// DMN TCK 的测试 / the test cases of the DMN technology compatibility kit
    #[command(after_help = "例 / Examples:\n  zhulu conformance dmn-tck suites/dmn-tck/TestCases")]
    DmnTck {
        /// 目录 / the folder
        folder: PathBuf,
    },
}

/// How to serve.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// 监听地址 / address to listen on (port 0: any free one)
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub listen: std::net::SocketAddr,
    /// 演示模式：提供 GraphiQL / demo mode: offers GraphiQL
    #[arg(long)]
    pub demo: bool,
    /// 从文件读取当前时刻（仅演示模式） / read the present instant from a file (demo mode only)
    #[arg(long, value_name = "FILE", requires = "demo")]
    pub clock_file: Option<PathBuf>,
    /// 本进程的职责，逗号分隔 / what this process does, with commas between
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "api,react,project",
        value_name = "ROLE[,ROLE]"
    )]
    pub roles: Vec<Role>,
    /// 分道数（首次启动时确定） / lanes that the streams are divided into (said at the first start)
    #[arg(long, value_name = "N")]
    pub lanes: Option<u32>,
    /// The event store for others.
    #[command(flatten)]
    pub esdb: EsdbArgs,
    /// 不对外提供事件库 / do not serve the event store to others
    #[arg(long, conflicts_with_all = ["esdb_listen", "esdb_insecure", "esdb_allow_foreign_writes", "certificate"])]
    pub esdb_off: bool,
    /// 允许外部客户端写入筑录自己的流 / let other clients append to Zhulu's own streams
    #[arg(long)]
    pub esdb_allow_foreign_writes: bool,
}

/// How to play one role.
#[derive(Debug, Clone, Args)]
pub struct PartArgs {
    /// 分道数（首次启动时确定） / lanes that the streams are divided into (said at the first start)
    #[arg(long, value_name = "N")]
    pub lanes: Option<u32>,
    /// 健康检查的监听地址 / where /health/live and /health/ready answer
    #[arg(long, value_name = "ADDRESS")]
    pub health_listen: Option<std::net::SocketAddr>,
    /// 演示模式 / demo mode
    #[arg(long)]
    pub demo: bool,
    /// 从文件读取当前时刻（仅演示模式） / read the present instant from a file (demo mode only)
    #[arg(long, value_name = "FILE", requires = "demo")]
    pub clock_file: Option<PathBuf>,
}

/// How the event store answers the clients of `KurrentDB`.
#[derive(Debug, Clone, Default, Args)]
pub struct EsdbArgs {
    /// 事件库协议的监听地址（默认 127.0.0.1:2113） / where KurrentDB's clients are answered (default 127.0.0.1:2113)
    #[arg(id = "esdb_listen", long = "esdb-listen", value_name = "ADDRESS")]
    pub listen: Option<std::net::SocketAddr>,
    /// 不用 TLS、不要密码，仅限本机回环地址 / no TLS and no passwords; on loopback only
    #[arg(id = "esdb_insecure", long = "esdb-insecure", conflicts_with = "certificate")]
    pub insecure: bool,
    /// 服务器证书（PEM）；不给则自建 / the server's certificate (PEM); one is made if none is given
    #[arg(
        id = "certificate",
        long = "esdb-certificate",
        value_name = "FILE",
        requires = "private_key"
    )]
    pub certificate: Option<PathBuf>,
    /// 证书的私钥（PEM） / the certificate's private key (PEM)
    #[arg(
        id = "private_key",
        long = "esdb-private-key",
        value_name = "FILE",
        requires = "certificate"
    )]
    pub private_key: Option<PathBuf>,
    /// 告诉客户端的主机名和端口（集群发现用） / the host and port that clients are told (for discovery)
    #[arg(long = "esdb-advertise", value_name = "HOST:PORT")]
    pub advertise: Option<String>,
}

/// What can be done with the event store alone.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// 只提供事件库，供别的进程使用 / Serve the event store alone, for processes elsewhere
    #[command(
        after_help = "例 / Examples:\n  zhulu store serve\n  zhulu store serve --esdb-insecure --esdb-listen 127.0.0.1:2114\n  zhulu store serve --esdb-listen 0.0.0.0:2113 --esdb-certificate db.pem --esdb-private-key db.key"
    )]
    Serve(EsdbArgs),
    /// 备份（可在服务运行时） / Write a verified copy; a server may go on writing
    #[command(after_help = "例 / Examples:\n  zhulu store backup /backup/2026-03-01")]
    Backup {
        /// 新目录 / a new directory
        directory: PathBuf,
    },
    /// 从备份恢复到尚无事件库的数据目录 / Restore a backup into a data directory without an event store
    #[command(after_help = "例 / Examples:\n  zhulu store restore /backup/2026-03-01 --data-dir /var/lib/zhulu")]
    Restore {
        /// 备份的目录 / the backup's directory
        directory: PathBuf,
    },
    /// 清理已删除和已截断的事件（不动筑录自己的流） / Remove what was deleted or truncated; never anything of Zhulu's own
    #[command(after_help = "例 / Examples:\n  zhulu store scavenge")]
    Scavenge,
    /// 导出全部事件（NDJSON，带哈希） / Write every event as a line of JSON, with its hash
    #[command(
        after_help = "例 / Examples:\n  zhulu store export events.ndjson.gz\n  zhulu store export - | sha256sum\n  zhulu store export --store esdb://ops@db.example:2113 events.ndjson"
    )]
    Export {
        /// 新文件，可为 .gz，或 - / a new file, plain or .gz, or - for the standard output
        file: PathBuf,
    },
    /// 导入导出的事件 / Append every event of an export, and check its chain
    #[command(after_help = "例 / Examples:\n  zhulu store import events.ndjson.gz --data-dir /srv/new")]
    Import {
        /// 文件，可为 .gz / the file, plain or .gz
        file: PathBuf,
    },
}

/// How to show.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// 看完即停 / end after the summary
    #[arg(long)]
    pub exit: bool,
    /// 监听地址 / address to listen on (default: 127.0.0.1:8080, or a free port if that is taken)
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<std::net::SocketAddr>,
}

/// What can be brought in, and taken back.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// 许可记录 CSV / Permits from a CSV file
    #[command(
        after_help = "列 / Columns:\n  city,permit_id,applied_date,issued_date,days_to_issue,applied_year,project,review_track,permit_type_group,in_mature_cohort\n\n例 / Examples:\n  zhulu import permits permit-records.csv.gz --batch 2026-la --dry-run\n  zhulu import permits permit-records.csv.gz --batch 2026-la --rejects bad.csv"
    )]
    Permits(ImportArgs),
    /// XES 事件日志 (IEEE 1849) / An event log in XES
    #[command(
        after_help = "例 / Examples:\n  zhulu import xes receipt.xes.gz --batch receipt\n  zhulu import xes log.xes --batch 2026-q1 --mapping mapping.json"
    )]
    Xes {
        /// What every import is told.
        #[command(flatten)]
        import: ImportArgs,
        /// 活动名到步骤的对照表 / which activity means which step (JSON; the default knows the WABO log)
        #[arg(long, value_name = "FILE")]
        mapping: Option<PathBuf>,
    },
    /// 回退一个批次 / Take a batch back: every view is as before it
    #[command(after_help = "例 / Examples:\n  zhulu import rollback 2026-la --reason 重复导入")]
    Rollback {
        /// 批次名 / the batch's name
        batch: String,
        /// 原因 / why
        #[arg(long, default_value = "迁移回退", value_name = "TEXT")]
        reason: String,
    },
}

/// What every import is told.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// 文件，可为 .gz / the file, plain or .gz
    pub file: PathBuf,
    /// 批次名；同名再导入不会重复 / the batch's name; the same again brings in nothing twice
    #[arg(long, value_name = "NAME")]
    pub batch: String,
    /// 只检查，不写入 / check only, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// 归属的行政区划 / the administrative division that the cases belong to
    #[arg(long, value_name = "CODE", default_value = "000000")]
    pub region: String,
    /// 不合格的行写到这里（默认：文件名.rejects.csv） / where bad rows go (default: FILE.rejects.csv)
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
}

/// What can be reported.
#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// 办理时长分布 / How long cases took: percentiles, shares within 30 to 365 days
    #[command(
        after_help = "例 / Examples:\n  zhulu report handling-time --by city\n  zhulu report handling-time --by city,review_track --cohort mature --format csv\n  zhulu report handling-time --by review_track --where city=seattle --format json"
    )]
    HandlingTime {
        /// 分组属性，逗号分隔 / attributes to group by, with commas between
        #[arg(long, value_delimiter = ',', required = true, value_name = "ATTR[,ATTR]")]
        by: Vec<String>,
        /// 只计属性等于该值的办件 / only cases with this value
        #[arg(long = "where", value_name = "ATTR=VALUE", value_parser = attribute_equals)]
        only: Vec<(String, String)>,
        /// mature：只计成熟批次（`in_mature_cohort` = yes） / only mature cohorts (`in_mature_cohort` = yes)
        #[arg(long, value_enum)]
        cohort: Option<Cohort>,
        /// 输出格式 / how to print it
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// 申请、发证与办结率 / Submitted, issued and the share of them
    #[command(
        after_help = "例 / Examples:\n  zhulu report cohorts --by city,applied_year\n  zhulu report cohorts --by city --format csv"
    )]
    Cohorts {
        /// 分组属性，逗号分隔 / attributes to group by, with commas between
        #[arg(long, value_delimiter = ',', required = true, value_name = "ATTR[,ATTR]")]
        by: Vec<String>,
        /// 输出格式 / how to print it
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
}

/// Which cases a report counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Cohort {
    /// Those old enough to be judged.
    Mature,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For machines and spreadsheets.
    Csv,
    /// For programs.
    Json,
    /// For people.
    Table,
}

/// Whose token.
#[derive(Debug, Clone, Args)]
pub struct TokenArgs {
    /// 角色 / the role, such as applicant, windowClerk, handler, sectionChief, director
    #[arg(long)]
    pub role: String,
    /// 姓名或单位名称 / the person's or the organisation's name
    #[arg(long)]
    pub name: String,
    /// 行政区划代码 / the administrative division, such as 320684
    #[arg(long)]
    pub region: String,
    /// 账号（默认同姓名） / the account (default: the name)
    #[arg(long, value_name = "ID")]
    pub subject: Option<String>,
    /// 所属单位 / the organisation
    #[arg(long, default_value = "", value_name = "CODE")]
    pub organisation: String,
    /// 有效小时数 / hours until it expires
    #[arg(long, default_value_t = 12, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..=8760))]
    pub expires_hours: u32,
}

/// Reads `city=seattle`.
fn attribute_equals(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((attribute, value)) if !attribute.trim().is_empty() => Ok((attribute.trim().to_owned(), value.trim().to_owned())),
        _ => Err("写成 属性=值 / write it as ATTR=VALUE, such as city=seattle".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        fn look(command: &clap::Command, path: &str) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:\n  zhulu "), "{path} has no example");
            for inner in command.get_subcommands() {
                look(inner, &format!("{path} {}", inner.get_name()));
            }
        }
        look(&Cli::command(), "zhulu");
    }

    #[test]
    fn a_filter_is_an_attribute_and_a_value() {
        assert_eq!(
            attribute_equals("city=seattle"),
            Ok(("city".to_owned(), "seattle".to_owned()))
        );
        assert!(attribute_equals("city").is_err());
        assert!(attribute_equals("=x").is_err());
    }
}
