//! What a command that failed says, in Apache's words, and with which code the
//! shell then exits.

use crate::output::Output;
use zk_client::{Error, ErrorCode};

const FAILED: i32 = 1;
const NOT_FOUND: i32 = 127;

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CliError {
    pub(crate) message: String,
    pub(crate) code: i32,
}

impl CliError {
    /// A failure with this text.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: FAILED,
        }
    }

    /// The code for words that make no command.
    pub(crate) const USAGE: i32 = 2;

    /// The words make no command of ours.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: Self::USAGE,
        }
    }

    /// A failure of which everything is said already.
    pub(crate) const fn silent(code: i32) -> Self {
        Self {
            message: String::new(),
            code,
        }
    }

    /// Says what happened, and returns the exit code for it.
    pub(crate) fn report(&self, output: &Output) -> i32 {
        if !self.message.is_empty() {
            output.error(&self.message);
        }
        self.code
    }

    pub(crate) fn command_not_found(command: &str) -> Self {
        Self {
            message: format!("Command not found: Command not found {command}"),
            code: NOT_FOUND,
        }
    }

    /// An operation failed. `path` is what it was for, if the error does not
    /// know better; "" for an operation without a path.
    pub(crate) fn of(error: &Error, path: &str) -> Self {
        let path = match error {
            Error::Server { path, .. } | Error::Multi { path, .. } => path,
            _ => path,
        };
        Self::new(message(error, path))
    }
}

fn message(error: &Error, path: &str) -> String {
    let code = match error {
        Error::Path { path, error } => return error.java_message(path),
        Error::EmptyAcl => return "Acl is not valid : null".to_owned(),
        other => match other.code() {
            Some(code) => code,
            None => return other.to_string(),
        },
    };
    match wording(code) {
        Some(text) => format!("{text}{path}"),
        None => keeper_text(error, path),
    }
}

/// The codes for which Apache's shell has words of its own
/// (`CliWrapperException`); the path follows.
const fn wording(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::NO_NODE => "Node does not exist: ",
        ErrorCode::NO_CHILDREN_FOR_EPHEMERALS => "Ephemerals cannot have children: ",
        ErrorCode::NODE_EXISTS => "Node already exists: ",
        ErrorCode::NOT_EMPTY => "Node not empty: ",
        ErrorCode::NOT_READ_ONLY => "Not a read-only call: ",
        ErrorCode::INVALID_ACL => "Acl is not valid : ",
        ErrorCode::NO_AUTH => "Insufficient permission : ",
        ErrorCode::BAD_ARGUMENTS => "Arguments are not valid : ",
        ErrorCode::BAD_VERSION => "version No is not valid : ",
        ErrorCode::QUOTA_EXCEEDED => "Quota has exceeded : ",
        _ => return None,
    })
}

/// Apache's general text for an error of a server or of the connection.
pub(crate) fn keeper_text(error: &Error, path: &str) -> String {
    let code = error.code().unwrap_or(ErrorCode::SYSTEM_ERROR);
    match (code, path) {
        (ErrorCode::RECONFIG_IN_PROGRESS, _) => {
            "Another reconfiguration is in progress -- concurrent reconfigs not supported (yet)"
                .to_owned()
        }
        (ErrorCode::NEW_CONFIG_NO_QUORUM, _) => {
            "No quorum of new config is connected and up-to-date with the leader of last \
             commmitted config - try invoking reconfiguration after new servers are connected and \
             synced"
                .to_owned()
        }
        (_, "") => format!("KeeperErrorCode = {code}"),
        _ => format!("KeeperErrorCode = {code} for {path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_path_as_apache_does() {
        let server = |code| Error::Server {
            code,
            path: String::new(),
        };
        let text = |code, path| message(&server(code), path);
        assert_eq!(text(ErrorCode::NO_NODE, "/a"), "Node does not exist: /a");
        assert_eq!(
            text(ErrorCode::NO_WATCHER, "/a"),
            "KeeperErrorCode = No such watcher for /a"
        );
        assert_eq!(
            text(ErrorCode::RECONFIG_DISABLED, ""),
            "KeeperErrorCode = Reconfig is disabled"
        );
        assert_eq!(
            message(&Error::ConnectionLoss { sent: true }, "/"),
            "KeeperErrorCode = ConnectionLoss for /"
        );
    }
}
