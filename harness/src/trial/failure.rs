use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::plan::ToolName;
use crate::tool::Fault;

/// Why a contender could not be measured.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize, Error)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// Its build command failed.
    #[error("does not build: `{command}`: {reason}")]
    NotBuilt {
        /// The command.
        command: String,
        /// Exit status or error.
        reason: String,
    },
    /// Somebody else has the port.
    #[error("{reason}")]
    PortInUse {
        /// Who, and what to do.
        reason: String,
    },
    /// Its run command cannot be executed.
    #[error("does not start: `{command}`: {reason}")]
    NotStarted {
        /// The command.
        command: String,
        /// The error.
        reason: String,
    },
    /// It ended before it was ready.
    #[error("ended at boot: {status}")]
    EndedAtBoot {
        /// Exit status.
        status: String,
    },
    /// `GET /` did not answer.
    #[error("not ready within {within_s} s: GET / did not answer")]
    NotReady {
        /// The deadline, in seconds.
        within_s: f64,
    },
    /// Fewer processes listen than it was to have.
    #[error(
        "not ready within {within_s} s: {listening} of {processes} processes listen; does it heed PROCESSES?"
    )]
    TooFewListen {
        /// Processes that it was to have.
        processes: usize,
        /// Sockets that listen.
        listening: usize,
        /// The deadline, in seconds.
        within_s: f64,
    },
    /// `GET /` answered something else.
    #[error("answers GET / wrongly: {answered}")]
    AnswersWrongly {
        /// What it answered.
        answered: String,
    },
    /// It did not pass its checks, so it is not measured.
    #[error("does not keep the contract: {}", checks.join("; "))]
    BrokeContract {
        /// The checks that failed, with what was seen.
        checks: Vec<String>,
    },
    /// It ended while it was driven.
    #[serde(alias = "died")]
    #[error(
        "died while it was driven: {status}; the end of its log may tell why, and memory that ran out is in the kernel's"
    )]
    ServerDied {
        /// Exit status.
        status: String,
    },
    /// It had to be killed.
    #[error("did not stop within {within_s} s of SIGTERM and was killed")]
    DidNotStop {
        /// The deadline, in seconds.
        within_s: f64,
    },
    /// The tool gave no measurement.
    #[error("{tool}: {reason}")]
    Tool {
        /// Name of the tool.
        tool: String,
        /// What it said, or how it ended.
        reason: String,
    },
    /// Another's load generator gave no measurement.
    #[error("{tool} {fault}")]
    OutsideTool {
        /// Which.
        tool: ToolName,
        /// Why.
        fault: Fault,
    },
    /// Ctrl-C. Never recorded: an interrupted trial has not been taken.
    #[error("interrupted")]
    Interrupted,
}

/// A failure with the end of the log that explains it.
#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub struct Failed {
    /// What failed.
    pub failure: Failure,
    /// The last lines of the process's output.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub log_tail: String,
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self { failure, log_tail: String::new() }
    }
}
