//! The words that the suite's scripts are written in.

use chrono::TimeDelta;

/// How long the suite's scripts that wait do so.
const WAITS_SECONDS: i64 = 10;

/// What a script does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// The trace begins.
    CreateLog,
    /// Leaves a mark.
    Mark(String),
    /// Adds one to the number, and leaves a mark if so.
    Increment { and_log: bool },
    /// Writes a text to the data object.
    SetData,
    /// Leaves a mark if the data object holds the text.
    LogData,
    /// Says when it begins and when it is done.
    Timestamp(String),
    /// Takes its time.
    Wait,
    /// Ends in an error.
    ThrowError,
    /// None of these.
    Unknown,
}

impl Word {
    /// Reads a script.
    pub(super) fn read(script: &str) -> Self {
        let word = script.trim();
        if let Some(task) = word.strip_prefix("SCRIPT_task") {
            return Self::Mark(format!("Task{task}"));
        }
        if let Some(which) = word.strip_prefix("CREATE_TIMESTAMP_LOG") {
            return Self::Timestamp(which.trim_start_matches('_').to_owned());
        }
        match word {
            "CREATE_LOG_FILE" => Self::CreateLog,
            "CREATE_MARKER_FILE" => Self::Mark("MarkerExists".to_owned()),
            "INCREMENT_INTEGER_VARIABLE" => Self::Increment { and_log: false },
            "INCREMENT_INTEGER_VARIABLE_AND_LOG" => Self::Increment { and_log: true },
            "SET_STRING_DATA" => Self::SetData,
            "LOG_DATA" => Self::LogData,
            "WAIT_TEN_SECONDS" => Self::Wait,
            _ if word.starts_with("THROW_ERROR") => Self::ThrowError,
            _ => Self::Unknown,
        }
    }

    /// How long it takes.
    pub(super) fn takes(&self) -> TimeDelta {
        match self {
            Self::Timestamp(_) | Self::Wait => TimeDelta::seconds(WAITS_SECONDS),
            _ => TimeDelta::zero(),
        }
    }
}
