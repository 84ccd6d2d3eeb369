//! Which paths have a quota, as a trie over their components (`PathTrie`).
//! It knows neither the numbers nor the znodes.

use std::collections::BTreeMap;

/// Nodes refer to each other by number, so that depth costs no stack.
#[derive(Debug)]
pub(crate) struct QuotaTrie {
    nodes: Vec<TrieNode>,
    free: Vec<usize>,
}

#[derive(Debug, Default)]
struct TrieNode {
    parent: usize,
    name: Box<str>,
    children: BTreeMap<Box<str>, usize>,
    /// Set where the path has a quota: the path, put together from its
    /// components.
    quota: Option<Box<str>>,
}

const ROOT: usize = 0;

impl QuotaTrie {
    pub(crate) fn new() -> Self {
        Self {
            nodes: vec![TrieNode::default()],
            free: Vec::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.nodes[ROOT].children.is_empty()
    }

    pub(crate) fn add(&mut self, path: &str) {
        let mut at = ROOT;
        for name in components(path) {
            at = match self.nodes[at].children.get(name) {
                Some(&child) => child,
                None => self.add_child(at, name),
            };
        }
        if at != ROOT {
            let whole: String = components(path).flat_map(|name| ["/", name]).collect();
            self.nodes[at].quota = Some(whole.into());
        }
    }

    pub(crate) fn remove(&mut self, path: &str) {
        let mut at = ROOT;
        for name in components(path) {
            match self.nodes[at].children.get(name) {
                Some(&child) => at = child,
                None => return,
            }
        }
        self.nodes[at].quota = None;
        while at != ROOT && self.is_bare(at) {
            at = self.remove_leaf(at);
        }
    }

    /// The longest path that has a quota and is `path` or above it.
    pub(crate) fn longest_prefix(&self, path: &str) -> Option<&str> {
        if self.is_empty() {
            return None;
        }
        let mut at = ROOT;
        let mut longest = None;
        for name in components(path) {
            match self.nodes[at].children.get(name) {
                Some(&child) => at = child,
                None => break,
            }
            longest = self.nodes[at].quota.as_deref().or(longest);
        }
        longest
    }

    fn is_bare(&self, at: usize) -> bool {
        self.nodes[at].children.is_empty() && self.nodes[at].quota.is_none()
    }

    fn add_child(&mut self, parent: usize, name: &str) -> usize {
        let node = TrieNode {
            parent,
            name: name.into(),
            ..TrieNode::default()
        };
        let child = match self.free.pop() {
            Some(child) => {
                self.nodes[child] = node;
                child
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() - 1
            }
        };
        self.nodes[parent].children.insert(name.into(), child);
        child
    }

    /// Removes a leaf and answers its parent.
    fn remove_leaf(&mut self, leaf: usize) -> usize {
        let TrieNode { parent, name, .. } = std::mem::take(&mut self.nodes[leaf]);
        self.nodes[parent].children.remove(&name);
        self.free.push(leaf);
        parent
    }
}

/// Unlike Java, names of nothing but blanks are names: there a quota on `/b`
/// counts `/ /b` too, until the next start.
fn components(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_counts() {
        let mut trie = QuotaTrie::new();
        trie.add("/a");
        trie.add("/a/b/c");
        assert_eq!(trie.longest_prefix("/a"), Some("/a"));
        assert_eq!(trie.longest_prefix("/a/b"), Some("/a"));
        assert_eq!(trie.longest_prefix("/a/b/c/d"), Some("/a/b/c"));
        assert_eq!(trie.longest_prefix("/ab"), None);
        assert_eq!(trie.longest_prefix("/"), None);
    }

    #[test]
    fn nothing_is_left_of_removed_quotas() {
        let mut trie = QuotaTrie::new();
        trie.add("/a/b/c");
        trie.add("/a");
        trie.remove("/a/b");
        trie.remove("/x");
        assert_eq!(trie.longest_prefix("/a/b/c"), Some("/a/b/c"));
        trie.remove("/a/b/c");
        assert_eq!(trie.longest_prefix("/a/b/c"), Some("/a"));
        trie.remove("/a");
        assert!(trie.is_empty());
        trie.add("/d/e");
        assert_eq!(trie.nodes.len(), 4, "numbers are used again");
        assert_eq!(trie.longest_prefix("/d/e"), Some("/d/e"));
    }

    #[test]
    fn the_root_cannot_have_a_quota() {
        let mut trie = QuotaTrie::new();
        trie.add("");
        trie.add("/");
        trie.remove("/");
        assert!(trie.is_empty());
    }

    #[test]
    fn blank_names_are_names() {
        let mut trie = QuotaTrie::new();
        trie.add("/b");
        assert_eq!(trie.longest_prefix("/ /b"), None);
    }
}
