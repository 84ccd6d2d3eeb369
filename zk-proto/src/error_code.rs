//! The `err` of an answer.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An error code of the client protocol (`KeeperException.Code`); 0 is OK.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct ErrorCode(pub i32);

macro_rules! codes {
    ($($name:ident = $code:literal, $text:literal;)*) => {
        impl ErrorCode {
            $(#[doc = concat!("`", $text, "`, ", stringify!($code), ".")]
            pub const $name: Self = Self($code);)*

            /// The name that Java's `KeeperErrorCode = X` messages print.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    OK = 0, "ok";
    SYSTEM_ERROR = -1, "SystemError";
    RUNTIME_INCONSISTENCY = -2, "RuntimeInconsistency";
    DATA_INCONSISTENCY = -3, "DataInconsistency";
    CONNECTION_LOSS = -4, "ConnectionLoss";
    MARSHALLING_ERROR = -5, "MarshallingError";
    UNIMPLEMENTED = -6, "Unimplemented";
    OPERATION_TIMEOUT = -7, "OperationTimeout";
    BAD_ARGUMENTS = -8, "BadArguments";
    UNKNOWN_SESSION = -12, "Unknown error UNKNOWNSESSION";
    NEW_CONFIG_NO_QUORUM = -13, "NewConfigNoQuorum";
    RECONFIG_IN_PROGRESS = -14, "ReconfigInProgress";
    API_ERROR = -100, "APIError";
    NO_NODE = -101, "NoNode";
    NO_AUTH = -102, "NoAuth";
    BAD_VERSION = -103, "BadVersion";
    NO_CHILDREN_FOR_EPHEMERALS = -108, "NoChildrenForEphemerals";
    NODE_EXISTS = -110, "NodeExists";
    NOT_EMPTY = -111, "Directory not empty";
    SESSION_EXPIRED = -112, "Session expired";
    INVALID_CALLBACK = -113, "Invalid callback";
    INVALID_ACL = -114, "InvalidACL";
    AUTH_FAILED = -115, "AuthFailed";
    SESSION_MOVED = -118, "Session moved";
    NOT_READ_ONLY = -119, "Not a read-only call";
    EPHEMERAL_ON_LOCAL_SESSION = -120, "Ephemeral node on local session";
    NO_WATCHER = -121, "No such watcher";
    REQUEST_TIMEOUT = -122, "Unknown error REQUESTTIMEOUT";
    RECONFIG_DISABLED = -123, "Reconfig is disabled";
    SESSION_CLOSED_REQUIRE_SASL_AUTH = -124, "Session closed because client failed to authenticate";
    QUOTA_EXCEEDED = -125, "Quota has exceeded";
    THROTTLED_OP = -127, "Op throttled due to high load";
}

impl ErrorCode {
    /// Whether the answer carries a record.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "error {}", self.0),
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Unknown error {}", self.0),
        }
    }
}
