create table timeline_entries (
    case_id uuid not null,
    position int8 not null,
    revision int8 not null,
    event_id uuid not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    -- JSON: [name, title_zh, title_en, actor_id, actor_name, actor_role, channel, legal_basis]. There are more entries than
    -- anything else, and each is read as a whole: one field is written and read in a third of the time of eight.
    told text not null
);
alter table timeline_entries alter column told set statistics 0;
-- after loading
alter table timeline_entries add primary key (case_id, revision);
