//! What really happened, as nobody in the simulation knows it, and the
//! judgement on every decision (I26: a leader is elected only if it is not
//! worse than a quorum of voters, and a stale round never changes a decision).

use std::collections::{BTreeMap, BTreeSet};
use zk_election::{Round, Vote};
use zk_proto::ServerId;
use zk_proto::ensemble::QuorumSystem;

#[derive(Default)]
pub(crate) struct Ghost {
    /// The votes for itself that a voter entered a round with; several if it
    /// was there again after a crash.
    own: BTreeMap<(Round, ServerId), BTreeSet<Vote>>,
    /// Who ever decided for this leader.
    behind: BTreeMap<ServerId, BTreeSet<ServerId>>,
    pub(crate) elections: u64,
    pub(crate) joins: u64,
}

/// What made a server decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It counted what lookers say.
    Votes,
    /// A settled server told it of its leader.
    Told,
}

impl Ghost {
    pub(crate) fn enters(&mut self, round: Round, server: ServerId, own: Vote) {
        self.own.entry((round, server)).or_default().insert(own);
    }

    pub(crate) fn judge(
        &mut self,
        quorums: &QuorumSystem,
        server: ServerId,
        (vote, round): (Vote, Round),
        cause: Cause,
    ) -> Result<(), String> {
        let elected = self.is_elected(quorums, vote, round);
        let joined = self.is_joined(quorums, server, vote.leader);
        let behind = self.behind.entry(vote.leader).or_default();
        behind.insert(server);
        match cause {
            Cause::Votes => self.elections += 1,
            Cause::Told => self.joins += 1,
        }
        match (elected, cause) {
            (Ok(()), _) => Ok(()),
            (Err(why), Cause::Votes) => Err(why),
            (Err(_), Cause::Told) if joined => Ok(()),
            (Err(why), Cause::Told) => Err(format!("{why}, and it does not lead a quorum")),
        }
    }

    /// The candidate itself claims what the vote says, in this round, and a
    /// quorum of voters had nothing better in it.
    fn is_elected(&self, quorums: &QuorumSystem, vote: Vote, round: Round) -> Result<(), String> {
        let claims = self.own.get(&(round, vote.leader));
        if !claims.is_some_and(|claims| claims.contains(&vote)) {
            return Err(format!(
                "server {} never claimed {vote:?} in {round:?}",
                vote.leader
            ));
        }
        let not_better = |voter: &ServerId| {
            let own = self.own.get(&(round, *voter)).into_iter().flatten();
            own.into_iter().any(|own| *own <= vote)
        };
        let behind: BTreeSet<ServerId> = quorums.voters().filter(not_better).collect();
        if quorums.is_quorum(&behind) {
            return Ok(());
        }
        Err(format!(
            "{vote:?} is worse than a quorum in {round:?}: not than {behind:?}"
        ))
    }

    /// The leader decided to lead, and with it and this server a quorum
    /// decided for it.
    fn is_joined(&self, quorums: &QuorumSystem, server: ServerId, leader: ServerId) -> bool {
        let Some(behind) = self.behind.get(&leader) else {
            return false;
        };
        let mut behind = behind.clone();
        let led = leader == server || behind.contains(&leader);
        behind.insert(server);
        led && quorums.is_quorum(&behind)
    }
}
