//! Snapshots on their way to learners, a piece at a time, so that a large
//! tree neither fills the memory nor holds up the others. What is to follow
//! on the same link waits here. It refuses to know why a learner needs one.

use super::{LinkId, Network};
use crate::shared::Shared;
use std::collections::BTreeMap;
use zk_proto::jute;
use zk_proto::snapshot::WIRE_SIGNATURE;
use zk_tree::SnapshotCursor;

/// Bytes encoded under one read lock of the tree.
const CHUNK: usize = 64 * 1024;
/// Bytes that may wait in a link before more are encoded.
const BACKLOG_MAX: usize = 1024 * 1024;
/// Chunks in a row before others get their turn.
const CHUNKS_PER_TURN: u32 = 16;

/// One snapshot on its way.
struct Stream {
    cursor: Option<SnapshotCursor>,
    /// What follows on the link.
    behind: Vec<u8>,
}

/// All of them, by link.
#[derive(Default)]
pub(super) struct Streams {
    streams: BTreeMap<LinkId, Stream>,
    /// A stream stopped to let others have their turn, not for its link.
    ready: bool,
}

impl Streams {
    /// Begins to stream the tree as it is.
    pub(super) fn begin(&mut self, shared: &Shared, network: &mut dyn Network, link: LinkId) {
        let cursor = shared.tree.read().snapshot_cursor();
        let mut head = Vec::new();
        cursor.head(&mut head);
        network.send(link, &head);
        let stream = Stream {
            cursor: Some(cursor),
            behind: Vec::new(),
        };
        self.streams.insert(link, stream);
    }

    /// Takes bytes that have to wait; `false` if nothing is streamed there.
    pub(super) fn hold(&mut self, link: LinkId, bytes: &[u8]) -> bool {
        let stream = self.streams.get_mut(&link);
        stream.is_some_and(|stream| {
            stream.behind.extend_from_slice(bytes);
            true
        })
    }

    pub(super) fn forget(&mut self, link: LinkId) {
        self.streams.remove(&link);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Whether to go on soon.
    pub(super) fn is_ready(&self) -> bool {
        self.ready && !self.is_empty()
    }

    /// Goes on with each stream as far as its link takes it. The links on
    /// which something left.
    pub(super) fn advance(&mut self, shared: &Shared, network: &mut dyn Network) -> Vec<LinkId> {
        let mut moved = Vec::new();
        self.ready = false;
        let ready = &mut self.ready;
        self.streams.retain(|&link, stream| {
            for _ in 0..CHUNKS_PER_TURN {
                if network.backlog(link) > BACKLOG_MAX {
                    return true;
                }
                if moved.last() != Some(&link) {
                    moved.push(link);
                }
                if !stream.chunk(shared, network, link) {
                    return false;
                }
            }
            *ready = true;
            true
        });
        moved
    }
}

impl Stream {
    /// Sends the next piece; `false` when everything has been sent.
    fn chunk(&mut self, shared: &Shared, network: &mut dyn Network, link: LinkId) -> bool {
        let Some(cursor) = &mut self.cursor else {
            return false;
        };
        let tree = shared.tree.read();
        let mut chunk = Vec::with_capacity(CHUNK * 2);
        let more = cursor.next_chunk(&tree, &mut chunk, CHUNK);
        if !more && let Some(cursor) = self.cursor.take() {
            // Only files end with the digest.
            let _ = cursor.end(&tree, &mut chunk);
            jute::append(&mut chunk, WIRE_SIGNATURE).expect("a short text has a jute form");
            chunk.append(&mut self.behind);
        }
        drop(tree);
        network.send(link, &chunk);
        more
    }
}
