//! What can become of an operation that did not succeed. Every error can say
//! whether the operation may have happened all the same; it does not decide
//! whether to try again.

use crate::ConnectStringError;
use zk_proto::path::PathError;
use zk_proto::{ErrorCode, jute};

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server refused it.
    #[error("{code} for {path:?}")]
    Server {
        /// Why.
        code: ErrorCode,
        /// The path that was asked for; "" where there is none.
        path: String,
    },
    /// One operation of a multi failed, so that none was applied.
    #[error("operation {index} of the multi failed: {code} for {path:?}")]
    Multi {
        /// Which operation, counted from 0.
        index: usize,
        /// Why.
        code: ErrorCode,
        /// Its path.
        path: String,
    },
    /// The connection broke, or no server could be reached.
    #[error("the connection was lost {}", sent_text(.sent))]
    ConnectionLoss {
        /// Whether the request had left this process.
        sent: bool,
    },
    /// The session is gone, with its ephemeral znodes and watches.
    #[error("the session expired {}", sent_text(.sent))]
    SessionExpired {
        /// Whether the request had left this process.
        sent: bool,
    },
    /// A server refused an identity; the session is given up.
    #[error("authentication failed {}", sent_text(.sent))]
    AuthFailed {
        /// Whether the request had left this process.
        sent: bool,
    },
    /// The client was closed.
    #[error("the client is closed {}", sent_text(.sent))]
    Closed {
        /// Whether the request had left this process.
        sent: bool,
    },
    /// There was no answer within the client's request timeout. The request
    /// may be under way, or waits for a connection.
    #[error("no answer came within the request timeout")]
    Timeout,
    /// The path can name no znode; nothing was sent.
    #[error("{path:?} is no path: {error}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        error: PathError,
    },
    /// The connect string is none; there is no session.
    #[error(transparent)]
    ConnectString(#[from] ConnectStringError),
    /// An empty access control list; nothing was sent.
    #[error("an access control list needs an entry")]
    EmptyAcl,
    /// The request has no form on the wire; nothing was sent.
    #[error("the request cannot be encoded: {0}")]
    Encode(jute::Error),
    /// The server says that the operation succeeded, but its answer cannot be
    /// read.
    #[error("the answer cannot be decoded: {0}")]
    Decode(jute::Error),
}

impl Error {
    /// Whether the operation may have happened. `false` is certain; `true`
    /// means that a look at the ensemble is needed.
    #[must_use]
    pub const fn may_have_happened(&self) -> bool {
        match self {
            Self::ConnectionLoss { sent }
            | Self::SessionExpired { sent }
            | Self::AuthFailed { sent }
            | Self::Closed { sent } => *sent,
            Self::Decode(_) | Self::Timeout => true,
            // The server gave up waiting; the request may be on its way.
            Self::Server { code, .. } => matches!(
                *code,
                ErrorCode::CONNECTION_LOSS
                    | ErrorCode::OPERATION_TIMEOUT
                    | ErrorCode::REQUEST_TIMEOUT
            ),
            Self::Multi { .. }
            | Self::Path { .. }
            | Self::ConnectString(_)
            | Self::EmptyAcl
            | Self::Encode(_) => false,
        }
    }

    /// The code under which Apache's clients report the same error
    /// (`KeeperException.Code`); `None` for what they throw otherwise.
    #[must_use]
    pub const fn code(&self) -> Option<ErrorCode> {
        Some(match self {
            Self::Server { code, .. } | Self::Multi { code, .. } => *code,
            Self::ConnectionLoss { .. } => ErrorCode::CONNECTION_LOSS,
            Self::SessionExpired { .. } | Self::Closed { .. } => ErrorCode::SESSION_EXPIRED,
            Self::AuthFailed { .. } => ErrorCode::AUTH_FAILED,
            Self::Timeout => ErrorCode::REQUEST_TIMEOUT,
            Self::EmptyAcl => ErrorCode::INVALID_ACL,
            Self::Decode(_) => ErrorCode::MARSHALLING_ERROR,
            Self::Path { .. } | Self::ConnectString(_) | Self::Encode(_) => return None,
        })
    }
}

fn sent_text(sent: &bool) -> &'static str {
    if *sent {
        "while the request was under way"
    } else {
        "before the request was sent"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_left_may_have_happened() {
        assert!(Error::ConnectionLoss { sent: true }.may_have_happened());
        assert!(!Error::ConnectionLoss { sent: false }.may_have_happened());
        assert!(Error::Timeout.may_have_happened());
        assert!(!Error::EmptyAcl.may_have_happened());
        let server = |code| Error::Server {
            code,
            path: "/a".into(),
        };
        assert!(!server(ErrorCode::NO_NODE).may_have_happened());
        assert!(server(ErrorCode::OPERATION_TIMEOUT).may_have_happened());
    }

    #[test]
    fn errors_read_as_sentences() {
        let error = Error::Server {
            code: ErrorCode::NO_NODE,
            path: "/a".into(),
        };
        assert_eq!(error.to_string(), "NoNode for \"/a\"");
        assert_eq!(
            Error::ConnectionLoss { sent: true }.to_string(),
            "the connection was lost while the request was under way"
        );
    }
}
