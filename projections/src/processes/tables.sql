create table processes_instances (
    case_id uuid not null,
    category text not null,
    region text not null,
    case_no text,
    model text not null,
    process text not null,
    version int8 not null,
    status text not null,
    started_at timestamptz not null,
    tasks int8 not null,
    incidents int8 not null
);
create table processes_tasks (
    case_id uuid not null,
    category text not null,
    region text not null,
    case_no text,
    project_name text,
    task_key int8 not null,
    element text not null,
    name text not null,
    assignee text,
    assignee_name text,
    means text not null,
    opened_at timestamptz not null,
    due_at timestamptz,
    priority int8 not null,
    urged int8 not null
);
create table processes_asked (
    case_id uuid not null,
    task_key int8 not null,
    person text not null
);
create table processes_timers (
    case_id uuid not null,
    category text not null,
    timer_key int8 not null,
    element text not null,
    due_at timestamptz not null
);
create table processes_jobs (
    case_id uuid not null,
    category text not null,
    job_key int8 not null,
    element text not null,
    kind text not null,
    fields text not null,
    tries_left int8 not null
);
create table processes_incidents (
    case_id uuid not null,
    category text not null,
    region text not null,
    case_no text,
    incident_key int8 not null,
    element text not null,
    obstacle text not null,
    message text not null,
    since timestamptz not null
);
create table processes_messages (
    case_id uuid not null,
    category text not null,
    region text not null,
    case_no text,
    wait_key int8 not null,
    element text not null,
    message text not null,
    correlation text
);
-- after loading
alter table processes_instances add primary key (case_id);
create index on processes_instances (model, process, status);
alter table processes_tasks add primary key (case_id, task_key);
create index on processes_tasks (opened_at, case_id, task_key);
create index on processes_tasks (assignee) where assignee is not null;
create index on processes_asked (person, case_id, task_key);
create index on processes_asked (case_id);
alter table processes_timers add primary key (case_id, timer_key);
create index on processes_timers (due_at);
alter table processes_jobs add primary key (case_id, job_key);
create index on processes_jobs (kind, case_id);
alter table processes_incidents add primary key (case_id, incident_key);
create index on processes_incidents (since, case_id);
alter table processes_messages add primary key (case_id, wait_key);
create index on processes_messages (message, correlation, case_id);
