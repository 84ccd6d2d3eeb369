//! Storage for znodes in chunks: growing never moves or copies one. It does
//! not know how they are related.

use crate::node::{Node, NodeId};

const CHUNK_BITS: u32 = 10;
const CHUNK: usize = 1 << CHUNK_BITS;

#[derive(Debug)]
enum Slot {
    Used(Node),
    /// Not in use; the next one that is not.
    Free(Option<NodeId>),
}

const _: () = assert!(size_of::<Slot>() == size_of::<Node>());

/// Znodes by number.
#[derive(Debug, Default)]
pub(crate) struct Slab {
    chunks: Vec<Vec<Slot>>,
    free: Option<NodeId>,
    len: usize,
}

impl Slab {
    /// Znodes that are in use.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The znode, if the number is in use.
    pub(crate) fn get(&self, id: NodeId) -> Option<&Node> {
        match self.slot(id)? {
            Slot::Used(node) => Some(node),
            Slot::Free(_) => None,
        }
    }

    /// The znode of a number that is in use.
    pub(crate) fn node(&self, id: NodeId) -> &Node {
        self.get(id)
            .expect("the tree holds no number of a deleted znode")
    }

    /// The znode of a number that is in use, to change it.
    pub(crate) fn node_mut(&mut self, id: NodeId) -> &mut Node {
        match self.slot_mut(id) {
            Slot::Used(node) => node,
            Slot::Free(_) => panic!("the tree holds no number of a deleted znode"),
        }
    }

    pub(crate) fn insert(&mut self, node: Node) -> NodeId {
        self.len += 1;
        let Some(id) = self.free else {
            return self.push(node);
        };
        let slot = self.slot_mut(id);
        let Slot::Free(next) = std::mem::replace(slot, Slot::Used(node)) else {
            panic!("the free list holds free slots only");
        };
        self.free = next;
        id
    }

    pub(crate) fn remove(&mut self, id: NodeId) -> Node {
        let next = self.free.replace(id);
        self.len -= 1;
        match std::mem::replace(self.slot_mut(id), Slot::Free(next)) {
            Slot::Used(node) => node,
            Slot::Free(_) => panic!("a znode is deleted once"),
        }
    }

    fn push(&mut self, node: Node) -> NodeId {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let id = (self.chunks.len() - 1) * CHUNK;
        let chunk = self.chunks.last_mut().expect("a chunk was just pushed");
        let id = u32::try_from(id + chunk.len()).expect("there are fewer znodes than 2^32");
        chunk.push(Slot::Used(node));
        NodeId(id)
    }

    fn slot(&self, id: NodeId) -> Option<&Slot> {
        self.chunks
            .get((id.0 >> CHUNK_BITS) as usize)?
            .get(id.0 as usize % CHUNK)
    }

    fn slot_mut(&mut self, id: NodeId) -> &mut Slot {
        &mut self.chunks[(id.0 >> CHUNK_BITS) as usize][id.0 as usize % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zk_proto::StatPersisted;

    fn node(name: &str) -> Node {
        Node::new(NodeId::ROOT, name, None, &StatPersisted::default(), 0)
    }

    #[test]
    fn numbers_of_deleted_znodes_are_used_again() {
        let mut slab = Slab::default();
        let ids: Vec<NodeId> = (0..2500)
            .map(|i| slab.insert(node(&i.to_string())))
            .collect();
        assert_eq!(slab.node(ids[2049]).name(), "2049");
        slab.remove(ids[7]);
        slab.remove(ids[1030]);
        assert!(slab.get(ids[7]).is_none());
        assert_eq!(slab.len(), 2498);
        assert_eq!(slab.insert(node("a")), ids[1030]);
        assert_eq!(slab.insert(node("b")), ids[7]);
        assert_eq!(slab.insert(node("c")), NodeId(2500));
        assert!(slab.get(NodeId(2501)).is_none());
    }
}
