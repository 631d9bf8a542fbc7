create table deadlines_due (
    case_id uuid not null,
    category text not null,
    kind text not null,
    name_zh text not null,
    due_on date not null,
    fires_on date,
    provisional bool not null,
    region text not null,
    case_no text
);
-- after loading
alter table deadlines_due add primary key (case_id, kind);
create index on deadlines_due (fires_on, case_id, kind) where fires_on is not null;
create index on deadlines_due (due_on, case_id, kind);
create index on deadlines_due (case_id) where provisional;
