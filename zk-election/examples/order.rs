//! Which of three candidates a server votes for once it has heard of all.

use zk_election::Vote;
use zk_proto::{Epoch, ServerId, Zxid};

fn main() {
    let candidate = |leader, zxid| Vote {
        epoch: Epoch(1),
        zxid: Zxid(zxid),
        leader: ServerId(leader),
    };
    let votes = [
        candidate(1, 0x1_0000_0005),
        candidate(2, 0x1_0000_0007),
        candidate(3, 0x1_0000_0006),
    ];
    let best = votes.iter().max();
    assert_eq!(best.map(|vote| vote.leader), Some(ServerId(2)));
}
