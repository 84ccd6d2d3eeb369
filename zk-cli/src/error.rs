//! What a command that failed says, in Apache's words, and with which code the
//! shell then exits.

use crate::output::Output;
use zk_client::{Error, ErrorCode};

const NOT_FOUND: i32 = 127;

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CliError {
    pub(crate) message: String,
    /// The exit code of Apache's shell.
    pub(crate) code: i32,
    /// The exit code that says more, for those who want to know more.
    pub(crate) kind: i32,
}

/// Exit codes by kind of error; `docs/shell.md` tells them to users.
pub(crate) mod kind {
    /// Anything else that failed.
    pub(crate) const FAILED: i32 = 1;
    /// The words make no command.
    pub(crate) const USAGE: i32 = 2;
    /// The znode is not there.
    pub(crate) const NO_NODE: i32 = 3;
    /// The znode is there already.
    pub(crate) const NODE_EXISTS: i32 = 4;
    /// The znode has another version.
    pub(crate) const BAD_VERSION: i32 = 5;
    /// The znode has children.
    pub(crate) const NOT_EMPTY: i32 = 6;
    /// An access control list or an identity is in the way.
    pub(crate) const NO_AUTH: i32 = 7;
    /// No server, or none in time, or the session is gone.
    pub(crate) const NO_CONNECTION: i32 = 8;
}

impl CliError {
    /// A failure with this text.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: kind::FAILED,
            kind: kind::FAILED,
        }
    }

    /// There is no znode `path`.
    pub(crate) fn no_node(path: &str) -> Self {
        Self {
            kind: kind::NO_NODE,
            ..Self::new(format!("Node does not exist: {path}"))
        }
    }

    /// The words make no command of ours.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: kind::USAGE,
            kind: kind::USAGE,
        }
    }

    /// The same for a command of Apache's, whose shell has no code for it.
    pub(crate) fn usage_of_apache(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: kind::FAILED,
            kind: kind::USAGE,
        }
    }

    /// A failure of which everything is said already.
    pub(crate) const fn silent(code: i32) -> Self {
        Self {
            message: String::new(),
            code,
            kind: code,
        }
    }

    /// Says what happened, and returns Apache's exit code for it.
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
            kind: NOT_FOUND,
        }
    }

    /// An operation failed. `path` is what it was for, if the error does not
    /// know better; "" for an operation without a path.
    pub(crate) fn of(error: &Error, path: &str) -> Self {
        let path = match error {
            Error::Server { path, .. } | Error::Multi { path, .. } => path,
            _ => path,
        };
        Self {
            message: message(error, path),
            code: kind::FAILED,
            kind: kind_of(error),
        }
    }
}

fn kind_of(error: &Error) -> i32 {
    match error.code() {
        Some(ErrorCode::NO_NODE) => kind::NO_NODE,
        Some(ErrorCode::NODE_EXISTS) => kind::NODE_EXISTS,
        Some(ErrorCode::BAD_VERSION) => kind::BAD_VERSION,
        Some(ErrorCode::NOT_EMPTY) => kind::NOT_EMPTY,
        Some(ErrorCode::NO_AUTH | ErrorCode::INVALID_ACL | ErrorCode::AUTH_FAILED) => kind::NO_AUTH,
        Some(
            ErrorCode::CONNECTION_LOSS
            | ErrorCode::OPERATION_TIMEOUT
            | ErrorCode::REQUEST_TIMEOUT
            | ErrorCode::SESSION_EXPIRED
            | ErrorCode::SESSION_MOVED,
        ) => kind::NO_CONNECTION,
        _ => kind::FAILED,
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
