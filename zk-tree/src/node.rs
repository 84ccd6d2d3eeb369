//! One znode in memory: its numbers, and one allocation that holds its name
//! and data. It knows its parent by number only and nothing of the others.

use zk_proto::{Stat, StatPersisted, Zxid};

/// Number of a znode's slot. A deleted znode's number is used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct NodeId(pub(crate) u32);

impl NodeId {
    /// The root is the first znode of every tree and never leaves it.
    pub(crate) const ROOT: Self = Self(0);
}

/// Set in [`Node::name_len`] where the data is null, which is not empty.
const NULL_DATA: u32 = 1 << 31;

/// A znode. The fields are those of `DataNode` and `StatPersisted`, laid out
/// for size: a million of them are expected.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) czxid: Zxid,
    pub(crate) mzxid: Zxid,
    pub(crate) pzxid: Zxid,
    pub(crate) ctime: i64,
    pub(crate) mtime: i64,
    /// As stored: session, container mark or time to live.
    pub(crate) owner: i64,
    /// Name, then data: never longer nor shorter.
    payload: Box<[u8]>,
    /// Absent while there are none, as for most znodes, which is why 16
    /// bytes are not spent on each.
    #[expect(clippy::box_collection, reason = "a pointer is smaller than a Vec")]
    children: Option<Box<Vec<NodeId>>>,
    pub(crate) version: i32,
    pub(crate) cversion: i32,
    pub(crate) aversion: i32,
    pub(crate) parent: NodeId,
    /// Where in the parent's children this one is.
    pub(crate) position: u32,
    /// In the table of access control lists.
    pub(crate) acl: u32,
    /// [`crate::digest::content_crc`], or 0 where digests are off.
    pub(crate) content_crc: u32,
    name_len: u32,
}

const _: () = assert!(size_of::<Node>() <= 104);

impl Node {
    pub(crate) fn new(
        parent: NodeId,
        name: &str,
        data: Option<&[u8]>,
        stat: &StatPersisted,
        acl: u32,
    ) -> Self {
        let mut node = Self {
            czxid: stat.czxid,
            mzxid: stat.mzxid,
            pzxid: stat.pzxid,
            ctime: stat.ctime,
            mtime: stat.mtime,
            owner: stat.ephemeral_owner,
            payload: Box::default(),
            children: None,
            version: stat.version,
            cversion: stat.cversion,
            aversion: stat.aversion,
            parent,
            position: 0,
            acl,
            content_crc: 0,
            name_len: 0,
        };
        node.set_payload(name.as_bytes(), data);
        node
    }

    fn set_payload(&mut self, name: &[u8], data: Option<&[u8]>) {
        let length = u32::try_from(name.len()).expect("names are shorter than 2 GiB");
        assert!(length < NULL_DATA, "names are shorter than 2 GiB");
        let bytes = data.unwrap_or_default();
        let mut payload = Vec::with_capacity(name.len() + bytes.len());
        payload.extend_from_slice(name);
        payload.extend_from_slice(bytes);
        self.payload = payload.into_boxed_slice();
        self.name_len = if data.is_some() {
            length
        } else {
            length | NULL_DATA
        };
    }

    const fn split(&self) -> usize {
        (self.name_len & !NULL_DATA) as usize
    }

    pub(crate) fn name_bytes(&self) -> &[u8] {
        &self.payload[..self.split()]
    }

    pub(crate) fn name(&self) -> &str {
        std::str::from_utf8(self.name_bytes()).expect("names are made from strings")
    }

    pub(crate) fn data(&self) -> Option<&[u8]> {
        (self.name_len & NULL_DATA == 0).then(|| &self.payload[self.split()..])
    }

    pub(crate) fn data_len(&self) -> usize {
        self.payload.len() - self.split()
    }

    /// Replaces the data, in place where its length stays the same.
    pub(crate) fn set_data(&mut self, data: Option<&[u8]>) {
        let split = self.split();
        match data {
            Some(bytes) if self.data().is_some() && bytes.len() == self.data_len() => {
                self.payload[split..].copy_from_slice(bytes);
            }
            _ => {
                let old = std::mem::take(&mut self.payload);
                self.set_payload(&old[..split], data);
            }
        }
    }

    pub(crate) fn children(&self) -> &[NodeId] {
        self.children.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Adds a child and answers its position.
    pub(crate) fn push_child(&mut self, child: NodeId) -> u32 {
        let children = self.children.get_or_insert_default();
        let position = u32::try_from(children.len()).expect("there are fewer znodes than 2^32");
        children.push(child);
        position
    }

    /// Takes the child out of `position`. Answers the one that is there now,
    /// whose position must be told to it.
    pub(crate) fn remove_child(&mut self, position: u32, child: NodeId) -> Option<NodeId> {
        let children = self.children.as_mut().expect("a child has a parent");
        let place = position as usize;
        let removed = children.swap_remove(place);
        assert_eq!(removed, child, "a child knows its place");
        let moved = children.get(place).copied();
        if children.is_empty() {
            self.children = None;
        } else if children.len() < children.capacity() / 4 {
            children.shrink_to(children.len() * 2);
        }
        moved
    }

    pub(crate) const fn stored(&self) -> StatPersisted {
        StatPersisted {
            czxid: self.czxid,
            mzxid: self.mzxid,
            ctime: self.ctime,
            mtime: self.mtime,
            version: self.version,
            cversion: self.cversion,
            aversion: self.aversion,
            ephemeral_owner: self.owner,
            pzxid: self.pzxid,
        }
    }

    /// What clients see (`DataNode.copyStat`): the changes of children are
    /// twice the creations less those that are still there.
    pub(crate) fn stat(&self, visible_owner: i64) -> Stat {
        let num_children = self.children().len() as i32;
        Stat {
            czxid: self.czxid,
            mzxid: self.mzxid,
            ctime: self.ctime,
            mtime: self.mtime,
            version: self.version,
            cversion: self.cversion.wrapping_mul(2).wrapping_sub(num_children),
            aversion: self.aversion,
            ephemeral_owner: visible_owner,
            data_length: self.data_len() as i32,
            num_children,
            pzxid: self.pzxid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, data: Option<&[u8]>) -> Node {
        Node::new(NodeId::ROOT, name, data, &StatPersisted::default(), 0)
    }

    #[test]
    fn null_data_is_not_empty_data() {
        let mut node = node("é", None);
        assert_eq!((node.name(), node.data()), ("é", None));
        for data in [Some(&b""[..]), Some(b"abc"), Some(b"xyz"), None] {
            node.set_data(data);
            assert_eq!((node.name(), node.data()), ("é", data));
            assert_eq!(node.data_len(), data.map_or(0, <[u8]>::len));
        }
    }

    #[test]
    fn children_move_into_gaps() {
        let mut node = node("", None);
        for id in 1..=3 {
            node.push_child(NodeId(id));
        }
        assert_eq!(node.remove_child(0, NodeId(1)), Some(NodeId(3)));
        assert_eq!(node.remove_child(1, NodeId(2)), None);
        assert_eq!(node.remove_child(0, NodeId(3)), None);
        assert!(node.children().is_empty());
    }

    #[test]
    fn clients_see_changes_of_children() {
        let mut node = node("", None);
        node.cversion = 5;
        node.push_child(NodeId(1));
        assert_eq!((node.stat(0).cversion, node.stat(0).num_children), (9, 1));
        node.cversion = i32::MAX;
        assert_eq!(node.stat(0).cversion, -3);
    }
}
