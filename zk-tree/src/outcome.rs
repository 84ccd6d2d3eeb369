//! The results of transactions. How they come about is not known here.

use crate::DigestMismatch;
use zk_proto::{ErrorCode, Stat};

/// What came of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// What its answer needs.
    pub outcome: Outcome,
    /// Set when the transaction's digest is not the tree's. It is counted
    /// and no more: the tree stays as it is.
    pub digest_mismatch: Option<DigestMismatch>,
}

/// The result of a transaction or of one part of a multi.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A session is in the table.
    SessionCreated,
    /// A session and its ephemerals are gone.
    SessionClosed,
    /// A znode is there: its stat.
    Created(Stat),
    /// A znode is gone.
    Deleted,
    /// The data are set: the stat right after it.
    DataSet(Stat),
    /// The access control list is set: the stat right after it.
    AclSet(Stat),
    /// A check, which changes nothing.
    Checked,
    /// Nothing was done: the error that the transaction carries, or the one
    /// that replay met. [`ErrorCode::OK`] for the parts of a failed multi
    /// before the one that failed.
    Error(ErrorCode),
    /// The parts of a multi.
    Multi(Vec<Self>),
}

impl Outcome {
    /// The error to answer with; for a multi the first one of its parts.
    #[must_use]
    pub fn error_code(&self) -> ErrorCode {
        let parts = match self {
            Self::Error(code) => return *code,
            Self::Multi(parts) => parts.as_slice(),
            _ => &[],
        };
        parts
            .iter()
            .map(|part| match part {
                Self::Error(code) => *code,
                _ => ErrorCode::OK,
            })
            .find(|code| !code.is_ok())
            .unwrap_or(ErrorCode::OK)
    }
}
