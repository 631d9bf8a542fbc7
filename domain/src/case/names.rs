//! The Chinese names of the kernel's words, for timelines, notices and lists.

use super::events::{
    AcceptanceMode, Conclusion, DeliveryMethod, ImportedStep, LimitKind, NotAcceptedKind, NumberKind, PauseKind, ReplacementKind,
    ReviewVerdict, Step, WarningLevel,
};

/// Writes `name_zh` for an enum whose variants have fixed Chinese names.
macro_rules! names_zh {
    ($($Enum:ident { $($Variant:ident => $zh:literal),+ $(,)? })+) => {
        $(impl $Enum {
            /// 中文名称
            pub fn name_zh(self) -> &'static str {
                match self {
                    $(Self::$Variant => $zh,)+
                }
            }
        })+
    };
}

names_zh! {
    NumberKind {
        Case => "办件编号",
        Acceptance => "受理编号",
        CorrectionNotice => "补正通知书编号",
        SuspensionNotice => "特别程序通知书编号",
        Decision => "决定书编号",
        Licence => "证照编号",
        Archive => "档案编号",
    }
    AcceptanceMode {
        Normal => "正常受理",
        Tolerance => "容缺受理",
        Commitment => "告知承诺",
    }
    NotAcceptedKind {
        NotRequired => "不受理",
        OutOfScope => "不予受理",
    }
    Step {
        Handling => "承办",
        Section => "审核",
        Decision => "批准",
    }
    Conclusion {
        Agree => "同意",
        Disagree => "不同意",
        Return => "退回",
        NeedsCorrection => "需补正",
    }
    PauseKind {
        Correction => "补正",
        Hearing => "听证",
        Tender => "招标",
        Inspection => "检验",
        Testing => "检测",
        Appraisal => "鉴定",
        ExpertReview => "专家评审",
        Publicity => "公示",
        Rectification => "整改",
        SiteVisit => "现场踏勘",
        Payment => "缴费",
        JudicialRestriction => "司法限制",
    }
    ReplacementKind {
        Lost => "补证",
        Renewed => "换证",
    }
    DeliveryMethod {
        Window => "窗口领取",
        Mail => "邮寄",
        Electronic => "电子送达",
    }
    WarningLevel {
        Yellow => "黄",
        Red => "红",
    }
    LimitKind {
        Statutory => "法定",
        Promised => "承诺",
        Internal => "内部预警",
    }
    ReviewVerdict {
        Founded => "属实",
        Unfounded => "不实",
        Mistaken => "误评",
    }
    ImportedStep {
        ReceiptConfirmed => "收件回执",
        Checked => "核对",
        Determined => "认定",
        Sent => "发出",
        Adjusted => "修改",
        StopAdvised => "停办意见",
        AdviceRequested => "征求意见",
        AdviceGiven => "意见",
        Requested => "要求补充",
        Reported => "报告",
        Other => "其他",
    }
}
