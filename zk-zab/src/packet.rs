//! Packets between leader and learner in a form of their own, and how the
//! ones that promise something are made: out of a [`Durable`] and in no
//! other way. It does not know when one is sent.

use crate::leader::Offer;
use crate::learner::Promise;
use crate::persist::Durable;
use bytes::Bytes;
use zk_proto::quorum::{AckEpoch, LearnerInfo, PacketType, QuorumPacket};
use zk_proto::{Buffer, Epoch, Id, Zxid, jute};

/// A transaction: its place in the history, and the bytes that stand in the
/// log for it (header, record, digest). Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Txn {
    /// Its place; the header in the payload says the same.
    pub zxid: Zxid,
    /// The bytes, which this crate does not read.
    pub payload: Bytes,
}

/// A packet that owns what it says ([`QuorumPacket`] borrows it). Cheap to
/// clone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    /// What it is.
    pub kind: PacketType,
    /// Depends on the type; -1 where there is none.
    pub zxid: Zxid,
    /// Depends on the type.
    pub data: Option<Bytes>,
    /// Of a REQUEST: who the client is.
    pub auth: Option<Vec<Id<'static>>>,
}

impl Packet {
    /// A packet of a type and a zxid alone.
    #[must_use]
    pub const fn bare(kind: PacketType, zxid: Zxid) -> Self {
        Self {
            kind,
            zxid,
            data: None,
            auth: None,
        }
    }

    /// A packet with data.
    #[must_use]
    pub fn with_data(kind: PacketType, zxid: Zxid, data: impl Into<Bytes>) -> Self {
        Self {
            data: Some(data.into()),
            ..Self::bare(kind, zxid)
        }
    }

    /// A copy of a packet off the wire.
    #[must_use]
    pub fn from_wire(packet: &QuorumPacket<'_>) -> Self {
        let data = packet.data.as_ref();
        let auth = packet.auth.as_ref();
        Self {
            kind: packet.kind,
            zxid: packet.zxid,
            data: data.map(|data| Bytes::copy_from_slice(data.0)),
            auth: auth.map(|ids| ids.iter().map(owned).collect()),
        }
    }

    /// The form that goes onto the wire.
    #[must_use]
    pub fn as_wire(&self) -> QuorumPacket<'_> {
        QuorumPacket {
            kind: self.kind,
            zxid: self.zxid,
            data: self.data.as_deref().map(Buffer),
            auth: self.auth.clone(),
        }
    }

    /// Appends the bytes of the packet.
    ///
    /// # Errors
    /// Data longer than a length can say.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), jute::Error> {
        self.as_wire().encode(out)
    }

    /// The data, empty if there is none.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.data.as_deref().unwrap_or_default()
    }

    /// The transaction that a PROPOSAL or INFORM brings.
    pub(crate) fn txn(&self) -> Txn {
        Txn {
            zxid: self.zxid,
            payload: self.data.clone().unwrap_or_default(),
        }
    }

    pub(crate) fn with_txn(kind: PacketType, txn: &Txn) -> Self {
        Self::with_data(kind, txn.zxid, txn.payload.clone())
    }

    /// LEADERINFO, once the leader itself has accepted the epoch.
    pub(crate) fn leader_info(offer: Durable<Offer>) -> Self {
        let version = LearnerInfo::PROTOCOL.to_be_bytes().to_vec();
        let zxid = base(offer.what().epoch());
        Self::with_data(PacketType::LEADERINFO, zxid, version)
    }

    /// ACKEPOCH or ACK, once the learner's disk holds what it promises.
    pub(crate) fn promise(promise: Durable<Promise>) -> Self {
        match promise.what() {
            Promise::Epoch { current, last, .. } => {
                let data = AckEpoch(current).encode();
                Self::with_data(PacketType::ACKEPOCH, last, data)
            }
            Promise::History(epoch) => Self::bare(PacketType::ACK, base(epoch)),
            Promise::Proposal(zxid) => Self::bare(PacketType::ACK, zxid),
        }
    }
}

/// The zxid before the first transaction of an epoch.
pub(crate) const fn base(epoch: Epoch) -> Zxid {
    Zxid::new(epoch, 0)
}

/// Whether it is the place of an epoch and no transaction's. A learner that
/// reports one has everything of the epochs before.
pub(crate) const fn is_base(zxid: Zxid) -> bool {
    zxid.counter() == 0
}

/// Whether `next` may stand behind `last` in a history: the next of its
/// epoch, or the first of a later one.
pub(crate) fn follows(last: Zxid, next: Zxid) -> bool {
    last.next() == Some(next) || (next.epoch() > last.epoch() && next.counter() == 1)
}

fn owned(id: &Id<'_>) -> Id<'static> {
    Id {
        scheme: id.scheme.clone().map(zk_proto::Ustr::into_owned),
        id: id.id.clone().map(zk_proto::Ustr::into_owned),
    }
}
