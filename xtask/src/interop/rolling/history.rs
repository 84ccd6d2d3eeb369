//! What one client was told, and what a tree must therefore hold.
//!
//! A write that was acknowledged must be there. One whose answer was lost may be there. Nothing
//! else of the client's may.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::Tree;

/// The parent of everything that the clients make.
pub(super) const ROOT: &str = "/rolling";

/// The parent of the znodes with numbers, which all clients share.
pub(super) const QUEUE: &str = "/rolling/queue";

/// What a client knows.
#[derive(Debug, Clone)]
pub(super) struct History {
    client: usize,
    /// 0 until there is one.
    pub(super) session: i64,
    pub(super) has_ephemeral: bool,
    pub(super) register: Register,
    /// By path: the data of the znodes whose create was acknowledged and whose delete was not
    /// asked for.
    pub(super) queue: BTreeMap<String, Vec<u8>>,
    /// Znodes whose delete was not answered.
    pub(super) perhaps_deleted: BTreeMap<String, Vec<u8>>,
    /// Data of creates that were not answered.
    pub(super) perhaps_created: BTreeSet<Vec<u8>>,
    pub(super) acknowledged: u64,
    pub(super) unanswered: u64,
}

/// A znode that only this client writes, each time if it has the version of the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Register {
    /// Which write of this client it holds.
    pub(super) value: u64,
    pub(super) version: i32,
}

impl History {
    /// A client that was told nothing yet.
    pub(super) fn new(client: usize) -> Self {
        Self {
            client,
            session: 0,
            has_ephemeral: false,
            register: Register {
                value: 0,
                version: 0,
            },
            queue: BTreeMap::new(),
            perhaps_deleted: BTreeMap::new(),
            perhaps_created: BTreeSet::new(),
            acknowledged: 0,
            unanswered: 0,
        }
    }

    /// The client's own znode.
    pub(super) fn register_path(&self) -> String {
        format!("{ROOT}/register-{}", self.client)
    }

    /// The znode that lives as long as the client's session.
    pub(super) fn ephemeral_path(&self) -> String {
        format!("{ROOT}/ephemeral-{}", self.client)
    }

    /// What the client puts before a number.
    pub(super) fn queue_prefix(&self) -> String {
        format!("{QUEUE}/client-{}-", self.client)
    }

    /// What the client writes with a value.
    pub(super) fn data(&self, value: u64) -> Vec<u8> {
        format!("client {} value {value}", self.client).into_bytes()
    }

    /// How the tree breaks what the client was told.
    pub(super) fn check(&self, tree: &Tree) -> Vec<String> {
        let mut broken = Vec::new();
        broken.extend(self.check_register(tree));
        broken.extend(self.check_ephemeral(tree));
        broken.extend(self.check_kept(tree));
        broken.extend(self.check_others(tree));
        let client = self.client;
        let told = broken.into_iter();
        told.map(|what| format!("client {client}: {what}"))
            .collect()
    }

    fn check_register(&self, tree: &Tree) -> Option<String> {
        let path = self.register_path();
        let Register { value, version } = self.register;
        let Some(znode) = tree.get(&path) else {
            return Some(format!("{path} is not there"));
        };
        let found = znode.stat.version;
        let same = znode.data.as_deref() == Some(&self.data(value)[..]);
        (found != version || !same).then(|| {
            let data = String::from_utf8_lossy(znode.data.as_deref().unwrap_or_default());
            format!(
                "{path} is at version {found} with `{data}`, version {version} of value {value} \
                 was acknowledged"
            )
        })
    }

    fn check_ephemeral(&self, tree: &Tree) -> Option<String> {
        if !self.has_ephemeral {
            return None;
        }
        let path = self.ephemeral_path();
        let Some(znode) = tree.get(&path) else {
            return Some(format!("{path} is gone while its session lives"));
        };
        let (owner, own) = (znode.stat.ephemeral_owner, self.session);
        (owner != own).then(|| format!("{path} is owned by 0x{owner:x} and not 0x{own:x}"))
    }

    fn check_kept(&self, tree: &Tree) -> Vec<String> {
        let lost = self.queue.iter().filter_map(|(path, data)| {
            let Some(znode) = tree.get(path) else {
                return Some(format!("{path} was acknowledged and is not there"));
            };
            let same = znode.data.as_ref() == Some(data);
            (!same).then(|| format!("{path} has other data than was acknowledged"))
        });
        lost.collect()
    }

    /// What is there besides must come of requests without an answer, each of them once.
    fn check_others(&self, tree: &Tree) -> Vec<String> {
        let prefix = self.queue_prefix();
        let own = tree.range(prefix.clone()..);
        let own = own.take_while(|(path, _)| path.starts_with(&prefix));
        let mut perhaps = self.perhaps_created.clone();
        let mut broken = Vec::new();
        for (path, znode) in own.filter(|(path, _)| !self.queue.contains_key(*path)) {
            let data = znode.data.clone().unwrap_or_default();
            let undeleted = self.perhaps_deleted.get(path) == Some(&data);
            if !undeleted && !perhaps.remove(&data) {
                broken.push(format!("{path} is there and must not be"));
            }
        }
        broken
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::znode;
    use super::*;

    fn history() -> History {
        let mut history = History::new(1);
        history.register = Register {
            value: 3,
            version: 2,
        };
        history.session = 7;
        history.has_ephemeral = true;
        let path = format!("{QUEUE}/client-1-0000000004");
        history.queue.insert(path, history.data(4));
        history
    }

    fn tree() -> Tree {
        let history = history();
        Tree::from([
            (history.register_path(), znode(&history.data(3), 2, 0)),
            (history.ephemeral_path(), znode(b"", 0, 7)),
            (
                format!("{QUEUE}/client-1-0000000004"),
                znode(&history.data(4), 0, 0),
            ),
            (
                format!("{QUEUE}/client-10-0000000005"),
                znode(b"another's", 0, 0),
            ),
        ])
    }

    #[track_caller]
    fn check(history: &History, tree: &Tree, expected: &[&str]) {
        let broken = history.check(tree);
        assert_eq!(broken.len(), expected.len(), "{broken:?}");
        for (broken, expected) in broken.iter().zip(expected) {
            assert!(broken.contains(expected), "{broken}");
        }
    }

    #[test]
    fn what_was_acknowledged_is_enough() {
        check(&history(), &tree(), &[]);
    }

    #[test]
    fn what_is_lost_is_told() {
        let sentences = [
            "register-1 is not there",
            "ephemeral-1 is gone",
            "client-1-0000000004 was acknowledged",
        ];
        check(&history(), &Tree::new(), &sentences);
    }

    #[test]
    fn another_version_or_owner_is_told() {
        let mut tree = tree();
        let history = history();
        tree.insert(history.register_path(), znode(&history.data(4), 3, 0));
        tree.insert(history.ephemeral_path(), znode(b"", 0, 8));
        check(&history, &tree, &["is at version 3", "is owned by 0x8"]);
    }

    #[test]
    fn an_unanswered_request_explains_one_znode() {
        let (mut history, mut tree) = (history(), tree());
        let extra = |number: u32| format!("{QUEUE}/client-1-{number:010}");
        tree.insert(extra(5), znode(&history.data(5), 0, 0));
        check(&history, &tree, &["client-1-0000000005 is there"]);
        history.perhaps_created.insert(history.data(5));
        check(&history, &tree, &[]);
        tree.insert(extra(6), znode(&history.data(5), 0, 0));
        check(&history, &tree, &["client-1-0000000006 is there"]);
        history.perhaps_deleted.insert(extra(6), history.data(5));
        check(&history, &tree, &[]);
    }
}
