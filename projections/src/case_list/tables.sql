create table case_list_cases (
    case_id uuid not null,
    category text not null,
    item_code text not null,
    item_version int4 not null,
    case_no text,
    legacy_id text,
    licence_no text,
    stage text not null,
    open bool not null,
    phase text,
    phase_zh text,
    region text not null,
    applicant_name text,
    applicant_lower text,
    applicant_id_no text,
    project_code text,
    project_name text,
    handler_id text,
    handler_name text,
    source text not null,
    batch text,
    submitted_on date not null,
    accepted_on date,
    decided_on date,
    delivered_on date,
    due_on date,
    statutory_due_on date,
    promised_due_on date,
    internal_due_on date,
    due_provisional bool not null,
    paused bool not null,
    attributes jsonb not null,
    unreadable bool not null,
    search_text text not null,
    due_sort date not null,
    case_no_sort text not null,
    last_recorded_at timestamptz not null,
    last_occurred_at timestamptz not null,
    revision int8 not null,
    position int8 not null
);
-- No statistics of what is compared row by row anyway.
alter table case_list_cases alter column attributes set statistics 0, alter column search_text set statistics 0;
-- after loading
alter table case_list_cases add primary key (case_id);
create index on case_list_cases (submitted_on, case_id);
create index on case_list_cases (due_sort, case_id);
create index on case_list_cases (position, case_id);
create index on case_list_cases (case_no_sort, case_id);
create index on case_list_cases (stage, submitted_on, case_id);
create index on case_list_cases (handler_id, due_sort) where handler_id is not null;
create index on case_list_cases (legacy_id) where legacy_id is not null;
create index on case_list_cases (licence_no) where licence_no is not null;
create index on case_list_cases (project_code) where project_code is not null;
create index on case_list_cases (applicant_lower text_pattern_ops) where applicant_lower is not null;
create index on case_list_cases (batch) where batch is not null;
