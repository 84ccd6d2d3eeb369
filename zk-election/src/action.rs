//! What an election wants done. It does not know how.

use crate::{Round, Vote};
use zk_proto::ServerId;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::{Notification, PeerState};

/// Something for the driver to do, in the order in which it is polled.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ElectionAction {
    /// Send it, dialling if there is no link. A later one to the same server
    /// supersedes it, and it may be lost: what matters is said again.
    Send {
        /// To whom.
        to: ServerId,
        /// What.
        notification: Notification,
    },
    /// Dial all voters to whom there is no link. Comes with every repetition.
    Connect,
    /// The election is over for this server. It answers lookers with this
    /// vote from now on, until it is told otherwise.
    Decide {
        /// What to be: leading, following or observing.
        state: PeerState,
        /// Under whom, and what that one had when it was elected.
        vote: Vote,
        /// In which round: that of the ensemble when one was found.
        round: Round,
    },
    /// A newer configuration came with a notification, and the election goes
    /// on under it, in a new round if others vote than before: write it down,
    /// and know the new members' addresses before the sends that follow.
    AdoptConfig(EnsembleConfig),
}
