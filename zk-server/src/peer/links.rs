//! Bytes of a link until they make whole packets. It refuses to know what a
//! packet asks for.

use zk_proto::jute;
use zk_proto::quorum::QuorumPacket;
use zk_zab::Packet;

/// What came on a link and was not taken yet.
#[derive(Debug, Default)]
pub(super) struct Input {
    bytes: Vec<u8>,
    taken: usize,
}

impl Input {
    pub(super) fn push(&mut self, bytes: Vec<u8>) {
        if self.taken == self.bytes.len() {
            self.bytes = bytes;
            self.taken = 0;
        } else {
            self.bytes.drain(..self.taken);
            self.taken = 0;
            self.bytes.extend_from_slice(&bytes);
        }
    }

    /// The next whole packet, which has `max` bytes at most.
    pub(super) fn packet(&mut self, max: usize) -> Result<Option<Packet>, jute::Error> {
        let Some((packet, length)) = QuorumPacket::split(self.rest(), max)? else {
            return Ok(None);
        };
        let packet = Packet::from_wire(&packet);
        self.taken += length;
        Ok(Some(packet))
    }

    /// Everything that was not taken.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    pub(super) fn take(&mut self, count: usize) {
        self.taken += count;
        debug_assert!(self.taken <= self.bytes.len(), "took more than there is");
    }
}
