//! The one error of this crate: what was being done, and why it could not be done.
//!
//! Nothing here is matched on by a caller. An error ends a step and is read by a person.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::process::ExitStatus;

/// What a command or a step returns.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// Why a step of the automation ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The operating system refused something.
    #[error("{what}: {source}")]
    Io {
        /// The action and the path or program it was about.
        what: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// A program was run and reported failure.
    #[error("`{command}` failed: {detail}")]
    Failed {
        /// The command as one could type it.
        command: String,
        /// Its exit status, or the end of what it wrote on stderr.
        detail: String,
    },
    /// Something is not as it must be; the sentence says what.
    #[error("{0}")]
    Wrong(String),
}

impl Error {
    /// An error about an action on a path.
    pub(crate) fn io(action: &str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            what: format!("cannot {action} {}", path.display()),
            source,
        }
    }

    /// An error told by one sentence.
    pub(crate) fn wrong(sentence: impl Display) -> Self {
        Self::Wrong(sentence.to_string())
    }

    /// A program that ended with a bad status.
    pub(crate) fn failed(command: String, status: ExitStatus) -> Self {
        Self::Failed {
            command,
            detail: status.to_string(),
        }
    }
}
