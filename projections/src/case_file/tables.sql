create table case_file_cases (
    case_id uuid not null,
    category text not null,
    -- JSON of what the case remembers: {"kernel", "own", "facts"}. It is read as a whole, so PostgreSQL need not look into it.
    file bytea not null,
    first_recorded_at timestamptz not null,
    last_recorded_at timestamptz not null,
    last_occurred_at timestamptz not null,
    revision int8 not null,
    position int8 not null
);
-- Nobody searches by it: no statistics of it.
alter table case_file_cases alter column file set statistics 0;
-- Packed fast and kept beside the rest of the row, where this PostgreSQL can; or not packed at all.
do $$
begin
    alter table case_file_cases alter column file set compression lz4, alter column file set storage main;
exception when others then
    alter table case_file_cases alter column file set storage external;
end $$;
-- after loading
alter table case_file_cases add primary key (case_id);
