create table timeline_entries (
    case_id uuid not null,
    position int8 not null,
    revision int8 not null,
    event_id uuid not null,
    name text not null,
    title_zh text not null,
    title_en text not null,
    actor_id text not null,
    actor_name text not null,
    actor_role text not null,
    channel text not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    legal_basis text
);
-- after loading
alter table timeline_entries add primary key (case_id, revision);
