create table case_file_cases (
    case_id uuid not null,
    category text not null,
    kernel json not null,
    own json not null,
    facts json not null,
    numbers json not null,
    documents json not null,
    first_recorded_at timestamptz not null,
    last_recorded_at timestamptz not null,
    last_occurred_at timestamptz not null,
    revision int8 not null,
    position int8 not null
);
-- These are read as a whole and written often: packed fast, where this PostgreSQL can, or not at all.
do $$
begin
    alter table case_file_cases alter column kernel set compression lz4, alter column own set compression lz4;
exception when others then
    alter table case_file_cases alter column kernel set storage external, alter column own set storage external;
end $$;
-- after loading
alter table case_file_cases add primary key (case_id);
