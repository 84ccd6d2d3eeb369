//! Who the members are: by chance, by what a server's disk says, and by what
//! is committed.

use super::{Node, Role, World};
use crate::support::{members, reconfig};
use std::collections::{BTreeMap, BTreeSet};
use zk_proto::ensemble::{EnsembleConfig, Role as Vote};
use zk_proto::{ServerId, Zxid};
use zk_zab::Txn;

/// The last reconfiguration of a history.
fn last_of(history: &[Txn]) -> Option<(usize, EnsembleConfig)> {
    let at = history.iter().rposition(Txn::is_reconfig)?;
    Some((at, history[at].reconfiguration().unwrap().unwrap()))
}

impl Node {
    /// What holds for certain, and what may: a reconfiguration in the log
    /// proves that the one before it is committed, and says nothing of
    /// itself.
    pub(super) fn members(&self) -> (EnsembleConfig, Option<EnsembleConfig>) {
        let mut ensemble = self.disk.members.clone();
        let Some((at, last)) = last_of(&self.disk.log) else {
            return (ensemble, None);
        };
        if let Some((_, before)) = last_of(&self.disk.log[..at])
            && before.version > ensemble.version
        {
            ensemble = before;
        }
        let next = Some(last).filter(|it| it.version > ensemble.version);
        (ensemble, next)
    }
}

impl World {
    /// Those whose votes count behind a history.
    pub(super) fn members_behind(&self, history: &[Txn]) -> EnsembleConfig {
        last_of(history).map_or_else(|| self.first.clone(), |it| it.1)
    }

    /// Whether the servers that hold something are a quorum.
    pub(super) fn is_quorum(&self, of: &EnsembleConfig, has: impl Fn(&Node) -> bool) -> bool {
        let numbered = (1..).map(ServerId).zip(&self.nodes);
        let set: BTreeSet<ServerId> = numbered.filter(|it| has(it.1)).map(|it| it.0).collect();
        of.quorum_system().is_quorum(&set)
    }

    /// A leader changes the members, if enough of the new ones are there.
    pub(super) fn reconfigure_somewhere(&mut self) {
        let at = self.leader_somewhere();
        let Role::Leading(machine) = &self.nodes[at].role else {
            return;
        };
        let Some(zxid) = machine.next_zxid() else {
            return;
        };
        let new = if self.random.chance(300) {
            self.random_members(zxid)
        } else {
            let now = machine.ensemble().clone();
            let servers = self.nodes.len();
            let changed = [at, self.random.below(servers)][self.random.below(2)];
            self.with_one_changed(&now, changed as i64 + 1, zxid)
        };
        let Role::Leading(machine) = &mut self.nodes[at].role else {
            return;
        };
        if machine.next_ensemble().is_none() && machine.is_quorum_synced(&new) {
            let txn = reconfig(&new);
            machine.propose_reconfig(self.now, txn, new).unwrap();
            self.drain(at);
        }
    }

    /// One server votes, observes or goes; sometimes the leader.
    fn with_one_changed(
        &mut self,
        now: &EnsembleConfig,
        changed: i64,
        version: Zxid,
    ) -> EnsembleConfig {
        let ids = |votes: bool| {
            let all = now.members.values();
            let ids = all.filter(move |it| (it.role == Vote::Participant) == votes);
            ids.map(|it| it.id.0).filter(move |id| *id != changed)
        };
        let (mut voters, mut observers): (Vec<i64>, Vec<i64>) =
            (ids(true).collect(), ids(false).collect());
        match self.random.below(6) {
            0 if !voters.is_empty() => {}
            1 if !voters.is_empty() => observers.push(changed),
            _ => voters.push(changed),
        }
        members(&voters, &observers, version)
    }

    /// Some vote, some observe, some are none; sometimes in groups.
    fn random_members(&mut self, version: Zxid) -> EnsembleConfig {
        let (mut voters, mut observers) = (Vec::new(), Vec::new());
        for id in 1..=self.nodes.len() as i64 {
            match self.random.below(8) {
                0..=4 => voters.push(id),
                5..=6 => observers.push(id),
                _ => {}
            }
        }
        if voters.is_empty() {
            voters.push(1);
            observers.retain(|id| *id != 1);
        }
        let mut config = members(&voters, &observers, version);
        if self.random.chance(300) {
            self.group(&mut config);
        }
        config
    }

    /// The first members count in groups.
    pub(crate) fn begin_in_groups(&mut self) {
        let mut first = self.first.clone();
        self.group(&mut first);
        for node in &mut self.nodes {
            node.disk.members.clone_from(&first);
        }
        self.first = first;
    }

    /// Groups and weights; somebody has one.
    fn group(&mut self, config: &mut EnsembleConfig) {
        let voters: Vec<ServerId> = config.participants().map(|it| it.id).collect();
        let mut weights = BTreeMap::new();
        for &id in &voters {
            config.groups.insert(id, 1 + self.random.below(3) as i64);
            weights.insert(id, self.random.below(3) as i64);
        }
        weights.entry(voters[0]).and_modify(|it| *it = (*it).max(1));
        config.weights = weights;
    }
}
