//! Who votes and what is a quorum, under the configuration that holds and the
//! one that may come. It does not know what they vote for.

use crate::Vote;
use std::collections::BTreeSet;
use zk_proto::ServerId;
use zk_proto::ensemble::{EnsembleConfig, QuorumSystem, Role};
use zk_proto::mutation::is_back;

/// The configurations of an election.
#[derive(Debug)]
pub(crate) struct Electorate {
    config: EnsembleConfig,
    /// `config` as notifications carry it.
    text: String,
    system: QuorumSystem,
    next: Option<(EnsembleConfig, QuorumSystem)>,
    /// Of both, by id.
    voters: BTreeSet<ServerId>,
}

impl Electorate {
    pub(crate) fn new(config: EnsembleConfig, next: Option<EnsembleConfig>) -> Self {
        let system = config.quorum_system();
        let next = next.filter(|next| next.version > config.version);
        let next = next.map(|next| {
            let system = next.quorum_system();
            (next, system)
        });
        let mut voters: BTreeSet<ServerId> = system.voters().collect();
        voters.extend(next.iter().flat_map(|(_, system)| system.voters()));
        Self {
            text: config.to_string(),
            config,
            system,
            next,
            voters,
        }
    }

    pub(crate) fn config(&self) -> &EnsembleConfig {
        &self.config
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn voters(&self) -> &BTreeSet<ServerId> {
        &self.voters
    }

    pub(crate) fn is_voter(&self, server: ServerId) -> bool {
        self.voters.contains(&server)
    }

    /// Whether the server may be a candidate of its own: only who votes under
    /// the configuration that holds.
    pub(crate) fn is_candidate(&self, server: ServerId) -> bool {
        self.system.is_voter(server)
    }

    /// Whether the configuration calls it an observer. Who is no member at
    /// all follows, without a vote.
    pub(crate) fn is_observer(&self, server: ServerId) -> bool {
        let member = self.config.members.get(&server);
        member.is_some_and(|member| member.role == Role::Observer)
    }

    /// A quorum of every configuration, `SyncedLearnerTracker.hasAllQuorums`.
    pub(crate) fn is_quorum(&self, servers: &BTreeSet<ServerId>) -> bool {
        let next = self.next.iter().map(|(_, system)| system);
        next.chain([&self.system])
            .all(|system| system.is_quorum(servers))
    }

    /// Whether to change from one vote to another. A candidate without weight
    /// never wins, whatever it has.
    pub(crate) fn is_better(&self, new: Vote, old: Vote) -> bool {
        let may_win = |vote: Vote| self.system.weight(vote.leader) > 0;
        let is_above = match is_back("votes_ignore_history") {
            true => new.leader > old.leader,
            false => new > old,
        };
        may_win(new) && (!may_win(old) || is_above)
    }

    /// The configuration in the text, if it is one, newer, and has voters.
    pub(crate) fn newer(&self, text: &str) -> Option<EnsembleConfig> {
        if text == self.text {
            return None;
        }
        // Several addresses of a server are read whether or not we would use
        // them: it is the members that matter here.
        let config = EnsembleConfig::parse(text, true).ok()?;
        let newer = config.version > self.config.version;
        (newer && config.participants().next().is_some()).then_some(config)
    }

    /// Puts another configuration in the place of the one that holds. Whether
    /// votes count otherwise under it.
    pub(crate) fn adopt(&mut self, config: EnsembleConfig) -> bool {
        let next = self.next.take().map(|(next, _)| next);
        let old = std::mem::replace(self, Self::new(config, next));
        old.system != self.system || old.voters != self.voters
    }
}
