//! Names of the znodes that recipes create, in Curator's layout, and what can
//! be read from them. Knows no client: it is text in, text out.

use std::fmt;
use uuid::Uuid;

/// What a lock's znodes are called (`InterProcessMutex`).
pub(super) const LOCK: &str = "lock-";
/// What a leader latch's znodes are called (`LeaderLatch`).
pub(super) const LATCH: &str = "latch-";
/// What readers are called (`InterProcessReadWriteLock`).
pub(super) const READ: &str = "__READ__";
/// What writers are called (`InterProcessReadWriteLock`).
pub(super) const WRITE: &str = "__WRIT__";
/// What a semaphore's leases are called (`InterProcessSemaphoreV2`).
pub(super) const LEASE: &str = "lease-";

/// Digits of a sequential znode's number.
const DIGITS: usize = 10;

/// Marks a znode as ours before we know its whole name: Curator's protection
/// (`ProtectedUtils`), `_c_<guid>-`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Protection(Uuid);

impl Protection {
    pub(super) fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// Whether a znode of this name was created under this protection.
    pub(super) fn marks(&self, name: &str) -> bool {
        name.starts_with(&self.to_string())
    }
}

/// The prefix of the name.
impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "_c_{}-", self.0)
    }
}

/// The number of a sequential znode whose name has this marker in front of the
/// number; `None` for any other name. Behind 2,147,483,647 servers go on with
/// negative numbers.
pub(super) fn number(name: &str, marker: &str) -> Option<i32> {
    let (_, digits) = name.rsplit_once(marker)?;
    (digits.len() >= DIGITS).then(|| digits.parse().ok())?
}

/// The digits at the end of a sequential znode's name, as the server wrote
/// them.
pub(super) fn digits<'a>(name: &'a str, marker: &str) -> Option<&'a str> {
    number(name, marker)?;
    name.rsplit_once(marker).map(|(_, digits)| digits)
}

/// The path of a child.
pub(super) fn join(parent: &str, name: &str) -> String {
    match parent {
        "/" => format!("/{name}"),
        _ => format!("{parent}/{name}"),
    }
}

/// The last part of a path.
pub(super) fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The path above, `None` above the root.
pub(super) fn parent_of(path: &str) -> Option<&str> {
    match path.rsplit_once('/') {
        _ if path == "/" => None,
        Some(("", _)) => Some("/"),
        Some((parent, _)) => Some(parent),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_curators() {
        let protection = Protection::random();
        let name = format!("{protection}{LOCK}0000000007");
        assert_eq!(name.len(), "_c_".len() + 36 + "-lock-".len() + DIGITS);
        assert!(protection.marks(&name));
        assert!(!Protection::random().marks(&name));
        assert_eq!(number(&name, LOCK), Some(7));
        assert_eq!(digits(&name, LOCK), Some("0000000007"));
    }

    #[test]
    fn numbers_stand_behind_their_marker() {
        assert_eq!(number("lock-0000000012", LOCK), Some(12));
        assert_eq!(number("lock--2147483648", LOCK), Some(i32::MIN));
        assert_eq!(number("lock--000000001", LOCK), Some(-1));
        for foreign in ["", "lock-", "lock-12", "0000000012", "lock-00000000x1"] {
            assert_eq!(number(foreign, LOCK), None, "{foreign}");
        }
        assert_eq!(number("__READ__0000000003", WRITE), None);
    }

    #[test]
    fn paths_have_parents_and_names() {
        assert_eq!(join("/", "a"), "/a");
        assert_eq!(join("/a", "b"), "/a/b");
        assert_eq!(name_of("/a/b"), "b");
        assert_eq!(parent_of("/a/b"), Some("/a"));
        assert_eq!(parent_of("/a"), Some("/"));
        assert_eq!(parent_of("/"), None);
    }
}
