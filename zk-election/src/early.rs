//! What lookers said while this server was not looking yet. It does not know
//! what that is worth in the round to come.

use std::collections::BTreeMap;
use std::time::Duration;
use zk_proto::ServerId;
use zk_proto::quorum::Notification;

/// The last word of each looking voter, for a while.
///
/// When a leader dies its followers notice one after the other. Who is first
/// tells the others too early, and would tell them again only after a while,
/// by then doubled several times; so they keep it in mind. Apache forgets it.
#[derive(Debug, Default)]
pub(crate) struct Early(BTreeMap<ServerId, (Duration, Notification)>);

impl Early {
    /// Long enough for servers to notice the same fault one after another,
    /// short enough that nobody rests on what a server said in another life.
    const KEPT: Duration = Duration::from_secs(1);

    pub(crate) fn keep(&mut self, now: Duration, from: ServerId, notification: Notification) {
        self.0.insert(from, (now, notification));
    }

    pub(crate) fn forget(&mut self, server: ServerId) {
        self.0.remove(&server);
    }

    /// All of it that is fresh, by server; nothing is left.
    pub(crate) fn take(&mut self, now: Duration) -> Vec<(ServerId, Notification)> {
        let all = std::mem::take(&mut self.0).into_iter();
        let fresh = all.filter(|(_, (at, _))| now.saturating_sub(*at) < Self::KEPT);
        fresh.map(|(from, (_, it))| (from, it)).collect()
    }
}
