//! What servers of an ensemble say to one another: packets between leader and
//! learner, and the notifications of an election. It refuses to know who may
//! say what, and when.

mod election;
mod learner;
mod packet;

pub use election::{ElectionError, InitialMessage, Notification, PeerState};
pub use learner::{AckEpoch, ForwardedRequest, LearnerInfo, Revalidate, SessionTouch};
pub use packet::{PacketType, QuorumPacket};
