//! Forms as data: which fields an application has, and what each must be. A file beside each case type.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::values::{Area, Coordinates, Money, Phone, ProjectCode, Region, Uscc, ValueError};

/// The form of an item (申请表).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormDefinition {
    /// Its name (`construction_permit`).
    pub name: String,
    /// Grows by one with each publication.
    pub version: u32,
    /// 表单名称
    pub title_zh: String,
    /// The same in English.
    pub title_en: String,
    /// Its fields, in the order in which people fill them in.
    pub fields: Vec<Field>,
}

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name in the JSON of the form.
    pub name: String,
    /// 字段名称
    pub title_zh: String,
    /// The same in English.
    pub title_en: String,
    /// What kind of value it is: each kind has its check.
    pub kind: FieldKind,
    /// Whether the form is incomplete without it.
    pub required: bool,
    /// The values to choose from, for a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// The fields of each row, for rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
}

/// One value to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What is stored.
    pub value: String,
    /// What is shown.
    pub title_zh: String,
    /// The same in English.
    pub title_en: String,
}

/// What a field holds. All but the first four are value objects of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FieldKind {
    /// Any text.
    Text,
    /// Yes or no.
    YesNo,
    /// A date, `2026-09-18`.
    Date,
    /// One of the choices.
    Choice,
    /// Rows of fields.
    Rows,
    /// 项目代码
    ProjectCode,
    /// 行政区划代码
    Region,
    /// 统一社会信用代码
    Uscc,
    /// 金额, in 万元 with up to six decimals
    MoneyWan,
    /// 面积, in ㎡ with up to two decimals
    AreaSquareMetres,
    /// 经纬度
    Coordinates,
    /// 手机号码
    Phone,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Defect {
    /// The field's path in the form (`participants[0].uscc`).
    pub field: String,
    /// What is wrong and what to do, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// The most rows that a field of rows may have.
pub const MAX_ROWS: usize = 200;

/// The longest text of a field, in characters.
pub const MAX_TEXT_CHARS: usize = 2_000;

/// Every defect of a form, in the order of its fields.
pub fn defects(form: &Value, definition: &FormDefinition) -> Vec<Defect> {
    let mut found = Vec::new();
    check_fields(form, &definition.fields, "", &mut found);
    found
}

fn check_fields(values: &Value, fields: &[Field], path: &str, found: &mut Vec<Defect>) {
    for field in fields {
        let at = format!("{path}{}", field.name);
        match values.get(&field.name) {
            None | Some(Value::Null) if field.required => found.push(missing(field, at)),
            None | Some(Value::Null) => {}
            Some(Value::String(text)) if text.trim().is_empty() && field.required => found.push(missing(field, at)),
            Some(Value::String(text)) if text.trim().is_empty() => {}
            Some(value) => check_value(value, field, at, found),
        }
    }
}

fn missing(field: &Field, at: String) -> Defect {
    Defect {
        zh: format!("请填写{}", field.title_zh),
        en: format!("{} is missing; fill it in", field.title_en),
        field: at,
    }
}

fn check_value(value: &Value, field: &Field, at: String, found: &mut Vec<Defect>) {
    let wrong = |zh: &str, en: &str| Defect {
        field: at.clone(),
        zh: format!("{}：{zh}", field.title_zh),
        en: format!("{}: {en}", field.title_en),
    };
    match (field.kind, value) {
        (FieldKind::YesNo, Value::Bool(_)) => {}
        (FieldKind::YesNo, _) => found.push(wrong("请填是或否", "say yes or no (true or false)")),
        (FieldKind::Rows, Value::Array(rows)) if rows.len() > MAX_ROWS => {
            found.push(wrong("行数过多", "there are too many rows"));
        }
        (FieldKind::Rows, Value::Array(rows)) if rows.is_empty() && field.required => found.push(missing(field, at)),
        (FieldKind::Rows, Value::Array(rows)) => {
            for (number, row) in rows.iter().enumerate() {
                check_fields(row, &field.fields, &format!("{at}[{number}]."), found);
            }
        }
        (FieldKind::Rows, _) => found.push(wrong("请按行填写", "give rows")),
        (kind, Value::String(text)) => {
            if text.chars().count() > MAX_TEXT_CHARS {
                found.push(wrong("文字过长", "the text is too long"));
            } else if let Err((zh, en)) = check_text(text, kind, field) {
                found.push(wrong(&zh, &en));
            }
        }
        _ => found.push(wrong("请填文字", "give a text")),
    }
}

fn check_text(text: &str, kind: FieldKind, field: &Field) -> Result<(), (String, String)> {
    match kind {
        FieldKind::Text | FieldKind::YesNo | FieldKind::Rows => Ok(()),
        FieldKind::Date => match text.parse::<chrono::NaiveDate>() {
            Ok(_) => Ok(()),
            Err(_) => Err(("日期格式为 2026-09-18".to_owned(), "write the date as 2026-09-18".to_owned())),
        },
        FieldKind::Choice if field.choices.iter().any(|choice| choice.value == text) => Ok(()),
        FieldKind::Choice => {
            let values: Vec<&str> = field.choices.iter().map(|choice| choice.value.as_str()).collect();
            Err((
                format!("请选择：{}", values.join("、")),
                format!("choose one of {}", values.join(", ")),
            ))
        }
        FieldKind::ProjectCode
        | FieldKind::Region
        | FieldKind::Uscc
        | FieldKind::MoneyWan
        | FieldKind::AreaSquareMetres
        | FieldKind::Coordinates
        | FieldKind::Phone => check_value_object(kind, text).map_err(|error| (error.to_string(), error.en())),
    }
}

fn check_value_object(kind: FieldKind, text: &str) -> Result<(), ValueError> {
    match kind {
        FieldKind::ProjectCode => ProjectCode::parse(text).map(drop),
        FieldKind::Region => Region::parse(text).map(drop),
        FieldKind::Uscc => Uscc::parse(text).map(drop),
        FieldKind::MoneyWan => Money::parse_wan_yuan(text).map(drop),
        FieldKind::AreaSquareMetres => Area::parse(text).map(drop),
        FieldKind::Coordinates => Coordinates::parse(text).map(drop),
        FieldKind::Phone => Phone::parse(text).map(drop),
        FieldKind::Text | FieldKind::YesNo | FieldKind::Date | FieldKind::Choice | FieldKind::Rows => Ok(()),
    }
}
