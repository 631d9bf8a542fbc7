create table statistics_cases (
    case_id uuid not null,
    category text not null,
    item_code text not null,
    region text not null,
    source text not null,
    batch text,
    stage text not null,
    outcome text not null,
    submitted_on date not null,
    accepted_on date,
    decided_on date,
    issued_on date,
    calendar_days int4,
    working_days int4,
    statutory_on_time bool,
    promised_on_time bool,
    overdue_days int4 not null,
    corrections int4 not null,
    pauses int4 not null,
    pause_days int4 not null,
    attributes jsonb not null
);
-- No statistics of what is compared row by row anyway.
alter table statistics_cases alter column attributes set statistics 0;
-- after loading
alter table statistics_cases add primary key (case_id);
create index on statistics_cases (batch) where batch is not null;
