//! Which of a member's ports is meant, and where it is.

use std::fmt;
use zk_proto::ServerId;
use zk_proto::ensemble::{EnsembleConfig, HostPort};

/// One of the ports that a member has for other servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Port {
    /// Where votes go.
    Election,
    /// Where learners find their leader.
    Quorum,
    /// Where observers find a follower; the number is the same everywhere.
    Master(u16),
}

impl Port {
    /// Where it is; nowhere if the server is not a member.
    pub(super) fn addresses(self, members: &EnsembleConfig, server: ServerId) -> Vec<HostPort> {
        let Some(member) = members.members.get(&server) else {
            return Vec::new();
        };
        let addresses = member.addresses.iter().map(|address| HostPort {
            host: address.host.clone(),
            port: match self {
                Self::Election => address.election_port,
                Self::Quorum => address.quorum_port,
                Self::Master(port) => port,
            },
        });
        addresses.collect()
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Election => "election",
            Self::Quorum => "quorum",
            Self::Master(_) => "observer master",
        })
    }
}
