create table case_file_cases (
    case_id uuid not null,
    category text not null,
    kernel jsonb not null,
    own jsonb not null,
    facts jsonb not null,
    numbers jsonb not null,
    documents jsonb not null,
    first_recorded_at timestamptz not null,
    last_recorded_at timestamptz not null,
    last_occurred_at timestamptz not null,
    revision int8 not null,
    position int8 not null
);
-- after loading
alter table case_file_cases add primary key (case_id);
