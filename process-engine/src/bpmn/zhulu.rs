//! Our own words in models: the namespace `http://zhulu.cn/bpmn`, prefix `zhulu`.
//!
//! All attributes of Flowable's that are done here may be written in it as well (`zhulu:assignee`, `zhulu:candidateGroups`,
//! `zhulu:formKey`, …). These are only ours:
//!
//! | Where | Attribute | Meaning |
//! |---|---|---|
//! | user task | `vote` | 会签规则: `all`, `any`, `ratio:60` (so many per cent of all agree), `veto:60` (as `ratio`, one refusal ends it) |
//! | user task | `sequential` | `true`: 依次审批, one after the other |
//! | user task | `method` | `claim` 抢办, `random` 随机一人, `each` 每人一份 |
//! | user task | `candidateStrategy`, `candidateParameter` | a rule that finds people, by its name or number ([`Strategy`](crate::model::Strategy)) |
//! | user task | `candidateRule` | the names of rules for candidates that are deployed beside the models |
//! | user task | `onReject` | `goOn`, `end` 驳回即终止, `return:<id>` 退回 |
//! | user task | `onTimeout`, `timeout`, `reminders` | after `timeout` (`P3D`): `remind` at most `reminders` times, `approve`, `reject`, `return` |
//! | user task | `onNobody` | `incident`, `approve`, `reject`, `administrator`, `assign:1,2` |
//! | user task | `onStarter` | `self`, `skip`, `departmentLeader` |
//! | user task, process | `deduplicate` | 自动去重: `never`, `whole`, `consecutive` |
//! | user task | `opinionRequired`, `opinionTemplates` | 必填意见, 常用意见 |
//! | user task | `signatureRequired` | 手写签名 |
//! | user task | `outcomes` | outcomes besides approve, reject and abstain |
//! | user task | `means` | names of commands of the case that finish it |
//! | user task | `tolerance` | 容缺: it may be done while materials are missing |
//! | user task | `due` | a date, or a duration such as `P5D` |
//! | user task, timer | `workingDays`, `pausable` | durations count 工作日; the clock stands still while the case pauses |
//! | any node | `legalBasis` | 法律依据 |
//! | service, send task | `job`, `retry` | the kind of job; `R3/PT10M` |
//! | script, service, rule task | `resultVariable` | the variable that takes the result |
//! | business rule task | `decision` | the decision that is asked |
//! | call activity | `inheritVariables` | `true`: all variables are handed on |
//! | multi-instance | `collection`, `elementVariable`, `indexVariable`, `outputCollection`, `outputElement`, `overApprovers` | what it runs over and collects |
//! | message event, receive task | `correlation` (or `correlationKey`) | what a message must carry to be meant |
//! | data object | `value` | its first value, as JSON |
//!
//! | Where | Element | Meaning |
//! |---|---|---|
//! | user task | `voteRule pass="…" fail="…"` | FEEL over `approvals`, `rejections`, `abstentions`, `total`, `open` |
//! | user task | `candidates strategy="…" parameter="…"` | one more rule that finds people |
//! | user task | `copies strategy="…" parameter="…"` | 抄送: who gets a copy when it is done |
//! | user task | `field name="…" permission="read\|edit\|hide"` | what the form lets the approver do with a field |
//! | service task | `field name="…" value="…"` | a setting of the job |
//! | any node | `legalBasis` | the same as the attribute, as a text |

/// The attributes that are only ours, each with where it stands.
pub(super) const ATTRIBUTES: &[(&str, &str)] = &[
    ("vote", "userTask"),
    ("sequential", "userTask"),
    ("method", "userTask"),
    ("candidateStrategy", "userTask"),
    ("candidateParameter", "userTask"),
    ("candidateRule", "userTask"),
    ("onReject", "userTask"),
    ("onTimeout", "userTask"),
    ("timeout", "userTask"),
    ("reminders", "userTask"),
    ("onNobody", "userTask"),
    ("onStarter", "userTask"),
    ("deduplicate", "userTask process"),
    ("opinionRequired", "userTask"),
    ("opinionTemplates", "userTask"),
    ("signatureRequired", "userTask"),
    ("outcomes", "userTask"),
    ("means", "userTask"),
    ("tolerance", "userTask"),
    ("due", "userTask"),
    ("workingDays", "userTask timerEventDefinition"),
    ("pausable", "userTask timerEventDefinition"),
    ("legalBasis", ""),
    ("job", "serviceTask sendTask"),
    ("retry", "serviceTask sendTask"),
    ("resultVariable", "serviceTask scriptTask businessRuleTask"),
    ("decision", "businessRuleTask"),
    ("inheritVariables", "callActivity"),
    ("collection", "multiInstanceLoopCharacteristics"),
    ("elementVariable", "multiInstanceLoopCharacteristics"),
    ("indexVariable", "multiInstanceLoopCharacteristics"),
    ("outputCollection", "multiInstanceLoopCharacteristics"),
    ("outputElement", "multiInstanceLoopCharacteristics"),
    ("overApprovers", "multiInstanceLoopCharacteristics"),
    ("correlation", "messageEventDefinition receiveTask sendTask"),
    ("correlationKey", "messageEventDefinition receiveTask sendTask"),
    ("value", "dataObject property"),
];

/// The elements that are only ours, each with where it stands.
pub(super) const ELEMENTS: &[(&str, &str)] = &[
    ("voteRule", "userTask multiInstanceLoopCharacteristics"),
    ("candidates", "userTask"),
    ("copies", "userTask"),
    ("field", "userTask serviceTask sendTask businessRuleTask"),
    ("legalBasis", ""),
];
