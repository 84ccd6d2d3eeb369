//! Why a snapshot's items are no tree. It knows no file: who reads one adds
//! its name.

/// What is wrong with an item handed to a [`crate::TreeLoader`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// A znode came before its parent, or its parent not at all.
    #[error("znode {path:?} comes without its parent")]
    NoParent {
        /// The znode's path.
        path: String,
    },
    /// Two znodes with one path.
    #[error("znode {path:?} comes twice")]
    Twice {
        /// The znode's path.
        path: String,
    },
    /// A string that names no place in the tree.
    #[error("{path:?} is no path of a znode")]
    NoPath {
        /// The string.
        path: String,
    },
    /// The items ended and the root was not among them.
    #[error("there is no root")]
    NoRoot,
    /// An entry of the ACL table without a list.
    #[error("access control list {index} is null")]
    NullAcl {
        /// The entry's number.
        index: i64,
    },
}
