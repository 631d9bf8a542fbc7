//! What commands are made of, read at the edge: each value that is not what it should be is named by its field.

use async_graphql::InputObject;
use chrono::NaiveDate;
use domain::{
    case,
    values::{ResidentId, Uscc},
};

use crate::{
    asked::Ask,
    errors::UserError,
    words::{GapKind, IdKind, MaterialSource, PartyKind},
};

/// The input of a command: what it travels with, and the command that it asks, or what is wrong with it.
pub(crate) trait ReadInput<Command> {
    fn read(self) -> Result<(Ask, Command), UserError>;
}

/// 申请人 or 代理人
#[derive(Debug, InputObject)]
pub(crate) struct PartyInput {
    /// What they are.
    kind: PartyKind,
    /// 名称
    name: String,
    /// 统一社会信用代码 or the number of another document.
    id_no: String,
    /// What kind of document the number is of.
    id_kind: IdKind,
    /// 法定代表人
    legal_representative: Option<String>,
    /// 电话
    phone: Option<String>,
    /// 地址
    address: Option<String>,
}

impl PartyInput {
    /// The party, if its number is one.
    pub(crate) fn read(self, field: &str) -> Result<case::Party, UserError> {
        let id_no = self.id_no.trim();
        let wrong = match self.id_kind {
            IdKind::Uscc => Uscc::parse(id_no).err(),
            IdKind::ResidentId => ResidentId::parse(id_no).err(),
            _ => None,
        };
        if let Some(wrong) = wrong {
            return Err(UserError::invalid(format!("{field}.idNo"), wrong.to_string(), wrong.en()));
        }
        if self.name.trim().is_empty() {
            return Err(UserError::invalid(
                format!("{field}.name"),
                "名称不能为空",
                "the name is empty",
            ));
        }
        Ok(case::Party {
            kind: self.kind.into(),
            name: self.name.trim().to_owned(),
            id_no: id_no.to_owned(),
            id_kind: self.id_kind.into(),
            legal_representative: self.legal_representative,
            phone: self.phone,
            address: self.address,
        })
    }
}

/// A stored file: its content's hash is its name.
#[derive(Debug, InputObject)]
pub(crate) struct DocumentInput {
    /// SHA-256 of the content, 64 hexadecimal digits.
    sha256: String,
    /// The file's name.
    name: String,
    /// Its size.
    size_bytes: i64,
    /// Its media type.
    media_type: String,
}

/// How many hexadecimal digits a SHA-256 has.
const SHA256_DIGITS: usize = 64;

impl DocumentInput {
    /// The document, if its hash and size are such.
    pub(crate) fn read(self, field: &str) -> Result<case::Document, UserError> {
        let sha256 = self.sha256.to_ascii_lowercase();
        if sha256.len() != SHA256_DIGITS || !sha256.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(UserError::invalid(
                format!("{field}.sha256"),
                "应为 64 位十六进制的 SHA-256",
                "a SHA-256 is 64 hexadecimal digits",
            ));
        }
        let size_bytes = u64::try_from(self.size_bytes)
            .map_err(|_| UserError::invalid(format!("{field}.sizeBytes"), "文件大小不能为负", "a size is not negative"))?;
        Ok(case::Document {
            sha256,
            name: self.name,
            size_bytes,
            media_type: self.media_type,
        })
    }
}

/// 申请材料: a material as it is handed in.
#[derive(Debug, InputObject)]
pub(crate) struct MaterialInput {
    /// Its code in the item's list.
    code: String,
    /// The file, unless only paper was shown.
    document: Option<DocumentInput>,
    /// 材料来源
    source: MaterialSource,
    /// 原件份数
    #[graphql(default = 0)]
    originals: i32,
    /// 复印件份数
    #[graphql(default = 0)]
    copies: i32,
}

impl MaterialInput {
    /// The material, if its counts and its file are such.
    pub(crate) fn read(self, field: &str) -> Result<case::Material, UserError> {
        Ok(case::Material {
            code: self.code,
            document: self
                .document
                .map(|document| document.read(&format!("{field}.document")))
                .transpose()?,
            source: self.source.into(),
            originals: small_count(self.originals, &format!("{field}.originals"))?,
            copies: small_count(self.copies, &format!("{field}.copies"))?,
        })
    }
}

/// Reads a list, naming the place of whatever is wrong.
pub(crate) fn read_all<I, T>(
    inputs: Vec<I>,
    field: &str,
    read: impl Fn(I, &str) -> Result<T, UserError>,
) -> Result<Vec<T>, UserError> {
    inputs
        .into_iter()
        .enumerate()
        .map(|(index, input)| read(input, &format!("{field}.{index}")))
        .collect()
}

/// A number of copies or a grade.
pub(crate) fn small_count(count: i32, field: &str) -> Result<u8, UserError> {
    u8::try_from(count).map_err(|_| UserError::invalid(field, "应为 0 到 255 的整数", "a whole number from 0 to 255"))
}

/// A number of days or months.
pub(crate) fn count(count: i32, field: &str) -> Result<u32, UserError> {
    u32::try_from(count).map_err(|_| UserError::invalid(field, "不能为负数", "a count is not negative"))
}

/// 补正事项: one gap of a correction notice.
#[derive(Debug, InputObject)]
pub(crate) struct GapInput {
    /// Which material.
    code: String,
    /// 补齐 or 补正.
    kind: GapKind,
    /// What is wrong with it and what to do.
    reason: String,
}

impl From<GapInput> for case::Gap {
    fn from(gap: GapInput) -> Self {
        Self {
            code: gap.code,
            kind: gap.kind.into(),
            reason: gap.reason,
        }
    }
}

/// 容缺材料: a material promised for later.
#[derive(Debug, InputObject)]
pub(crate) struct ToleratedInput {
    /// Which material.
    code: String,
    /// By when it is promised.
    due_on: NaiveDate,
}

impl From<ToleratedInput> for case::Tolerated {
    fn from(tolerated: ToleratedInput) -> Self {
        Self {
            code: tolerated.code,
            due_on: tolerated.due_on,
        }
    }
}

/// Somebody of the bureau to whom a case is given.
#[derive(Debug, InputObject)]
pub(crate) struct OfficerInput {
    /// The account's id.
    id: String,
    /// The name.
    name: String,
}

impl From<OfficerInput> for case::Officer {
    fn from(officer: OfficerInput) -> Self {
        Self {
            id: officer.id,
            name: officer.name,
        }
    }
}

/// 变更: a field that is changed.
#[derive(Debug, InputObject)]
pub(crate) struct ChangeInput {
    /// Which field.
    field: String,
    /// What it was.
    old: serde_json::Value,
    /// What it is to be.
    new: serde_json::Value,
}

impl From<ChangeInput> for case::Change {
    fn from(change: ChangeInput) -> Self {
        Self {
            field: change.field,
            old: change.old,
            new: change.new,
        }
    }
}
