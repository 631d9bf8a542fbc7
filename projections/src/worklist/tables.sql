create table worklist_tasks (
    case_id uuid not null,
    task_key text not null,
    name_zh text not null,
    role text not null,
    assignee text,
    since date not null,
    due_on date,
    due_sort date not null,
    due_provisional bool not null,
    region text not null,
    category text not null,
    item_code text not null,
    stage text not null,
    case_no text,
    applicant_name text,
    project_name text,
    -- The key of the process's task, where the case itself keeps none.
    process_task int8
);
create table worklist_asked (
    case_id uuid not null,
    task_key text not null,
    person text not null
);
-- after loading
alter table worklist_tasks add primary key (case_id, task_key);
create index on worklist_tasks (role, due_sort, case_id, task_key);
create index on worklist_tasks (assignee, due_sort) where assignee is not null;
create index on worklist_tasks (due_sort, case_id, task_key);
create index on worklist_asked (person, case_id, task_key);
create index on worklist_asked (case_id);
