//! What can go wrong in a recipe beyond what can in an operation.

use crate::Error;
use bytes::Bytes;

/// Why a recipe could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// An operation failed in a way that trying again would not mend, such as
    /// the end of the session.
    #[error(transparent)]
    Client(#[from] Error),
    /// The znode that stands for the caller was deleted by somebody else.
    #[error("{path:?} was deleted by somebody else")]
    OwnZnodeGone {
        /// The znode.
        path: String,
    },
    /// The connection was lost while a change of this znode was under way, and
    /// it cannot be told whether the change happened.
    #[error("a change of {path:?} was under way when the connection was lost")]
    InDoubt {
        /// The znode.
        path: String,
    },
    /// An item was taken out of a queue while the connection was lost, and it
    /// cannot be told whether we or somebody else took it.
    #[error("{path:?} was taken, by us or by somebody else")]
    TakenInDoubt {
        /// The item's znode.
        path: String,
        /// The item.
        data: Bytes,
    },
    /// The znode's data are not in the form of this recipe.
    #[error("the data of {path:?} are {problem}")]
    Data {
        /// The znode.
        path: String,
        /// What is wrong with them.
        problem: String,
    },
    /// A number would leave its range.
    #[error("the number in {path:?} would leave its range")]
    Overflow {
        /// The znode.
        path: String,
    },
}

impl RecipeError {
    /// Whether something may have happened all the same.
    #[must_use]
    pub const fn may_have_happened(&self) -> bool {
        match self {
            Self::Client(error) => error.may_have_happened(),
            Self::InDoubt { .. } | Self::TakenInDoubt { .. } => true,
            Self::OwnZnodeGone { .. } | Self::Data { .. } | Self::Overflow { .. } => false,
        }
    }
}

/// What recipes answer.
pub type Result<T, E = RecipeError> = std::result::Result<T, E>;
