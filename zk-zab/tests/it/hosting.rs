//! A follower that hosts observers: what they are sent, in which order, and
//! what of theirs reaches the leader.

use crate::support::*;
use std::time::Duration;
use zk_proto::quorum::{ForwardedRequest, LearnerInfo, PacketType, Revalidate, SessionTouch};
use zk_proto::{OpCode, ServerId, SessionId, Xid, Zxid};
use zk_zab::{LearnerId, Packet, Txn};

fn observer_info(server: i64) -> Packet {
    let kind = PacketType::OBSERVERINFO;
    let info = hello(server, 1);
    Packet { kind, ..info }
}

fn touch(session: i64) -> SessionTouch {
    let timeout_ms = 4000;
    let session = SessionId(session);
    SessionTouch {
        session,
        timeout_ms,
    }
}

fn question(session: i64) -> Packet {
    let data = Revalidate::encode_question(touch(session));
    Packet::with_data(PacketType::REVALIDATE, Zxid::NONE, data)
}

fn answer(session: i64, valid: bool) -> Packet {
    let data = Revalidate::encode_answer(SessionId(session), valid);
    Packet::with_data(PacketType::REVALIDATE, Zxid::NONE, data)
}

fn request(op: OpCode) -> Packet {
    let request = ForwardedRequest {
        session: SessionId(7),
        xid: Xid(1),
        op,
        body: &[],
    };
    Packet::with_data(PacketType::REQUEST, Zxid::NONE, request.encode())
}

impl Follower {
    fn observer(&mut self, from: u64, packet: &Packet) -> Vec<String> {
        self.machine.handle_observer(NOW, LearnerId(from), packet);
        self.actions()
    }

    fn at(&mut self, now: Duration) -> Vec<String> {
        self.machine.handle_timeout(now);
        self.actions()
    }

    /// A transaction is proposed and committed.
    fn committed(&mut self, counter: u32) -> Vec<String> {
        self.take(&proposal(1, counter));
        self.all_persisted();
        self.take(&commit(1, counter))
    }

    /// In broadcast of epoch 1, with that many transactions of it.
    fn hosting(count: u32, kept: usize) -> Self {
        let mut follower = Self::serving();
        for counter in 1..=count {
            follower.committed(counter);
        }
        let all: Vec<Txn> = (1..=count).map(|counter| txn_of(1, counter)).collect();
        let from = all.len().saturating_sub(kept);
        follower.machine.host_observers(NOW, all[from..].to_vec());
        follower
    }

    /// An observer that has `last` is brought to UPTODATE.
    fn joins(&mut self, from: u64, last: Zxid) -> Vec<String> {
        let mut words = self.observer(from, &observer_info(10 + from as i64));
        words.extend(self.observer(from, &ack_epoch(Some(1), last)));
        words.extend(self.observer(from, &bare(PacketType::ACK, zxid(1, 0))));
        words
    }
}

#[test]
fn an_observer_gets_what_it_lacks() {
    let mut follower = Follower::hosting(3, 3);
    assert_eq!(
        follower.joins(5, zxid(1, 2)),
        [
            "5<-LEADERINFO 0x100000000",
            "5<-DIFF 0x100000003",
            "5<-PROPOSAL 0x100000003",
            "5<-COMMIT 0x100000003",
            "5<-NEWLEADER 0x100000000",
            "5<-UPTODATE 0xffffffffffffffff",
        ]
    );
    let ack = bare(PacketType::ACK, zxid(1, 0));
    assert_eq!(follower.observer(5, &ack), [""; 0], "of UPTODATE");
    assert_eq!(follower.machine.observers(), 1);
    follower.machine.handle_observer_lost(LearnerId(5));
    assert_eq!(follower.machine.observers(), 0);
}

#[test]
fn the_disk_and_snapshots_serve_who_lacks_more() {
    let mut follower = Follower::hosting(3, 1);
    follower.observer(5, &observer_info(15));
    let read = follower.observer(5, &ack_epoch(Some(1), zxid(1, 1)));
    assert_eq!(read, ["read for 5 0x100000001"]);
    // The log has more than is committed.
    let disk: Vec<Txn> = (1..=4).map(|counter| txn_of(1, counter)).collect();
    follower.take(&proposal(1, 4));
    follower.machine.handle_history(NOW, LearnerId(5), &disk);
    let sent = follower.actions();
    assert_eq!(sent[0], "5<-DIFF 0x100000003");
    assert_eq!(sent.len(), 6, "{sent:?}");

    follower.observer(6, &observer_info(16));
    follower.observer(6, &ack_epoch(Some(0), Zxid::ZERO));
    follower.machine.handle_history(NOW, LearnerId(6), &[]);
    assert_eq!(
        follower.actions(),
        [
            "6<-SNAP 0x100000003",
            "6<-snapshot 0x100000003",
            "6<-NEWLEADER 0x100000000"
        ]
    );
}

/// Only what is committed leaves, and in the order of the tree.
#[test]
fn it_is_informed_of_what_is_delivered() {
    let mut follower = Follower::hosting(0, 0);
    follower.joins(5, zxid(1, 0));
    assert_eq!(follower.take(&proposal(1, 1)), ["append 0x100000001"]);
    assert_eq!(follower.all_persisted(), ["0<-ACK 0x100000001"]);
    assert_eq!(
        follower.take(&commit(1, 1)),
        ["deliver 0x100000001", "5<-INFORM 0x100000001"]
    );
}

/// One that comes in the midst of proposals gets those when they are
/// committed.
#[test]
fn proposals_are_not_for_observers() {
    let mut follower = Follower::hosting(1, 1);
    follower.take(&proposal(1, 2));
    let words = follower.joins(5, zxid(1, 1));
    assert!(!words.iter().any(|it| it.contains("PROPOSAL")), "{words:?}");
    let words = follower.take(&commit(1, 2));
    assert_eq!(words, ["deliver 0x100000002", "5<-INFORM 0x100000002"]);
}

/// It had another host, which had heard more of the leader: nothing that its
/// clients saw is taken back.
#[test]
fn one_that_is_ahead_waits() {
    let mut follower = Follower::hosting(1, 1);
    follower.observer(5, &observer_info(15));
    let words = follower.observer(5, &ack_epoch(None, zxid(1, 3)));
    assert_eq!(words, [""; 0]);
    assert_eq!(follower.committed(2), ["deliver 0x100000002"]);
    assert_eq!(
        follower.committed(3),
        [
            "deliver 0x100000003",
            "5<-DIFF 0x100000003",
            "5<-NEWLEADER 0x100000000"
        ]
    );
}

#[test]
fn reconfigurations_name_the_leader() {
    let mut follower = Follower::hosting(0, 0);
    follower.joins(5, zxid(1, 0));
    let new = members(&[1, 2, 3], &[15], zxid(1, 1));
    follower.take(&with_txn(PacketType::PROPOSAL, &reconfig(&new)));
    let data = 3i64.to_be_bytes().to_vec();
    let activate = Packet::with_data(PacketType::COMMITANDACTIVATE, zxid(1, 1), data);
    let words = follower.take(&activate);
    assert_eq!(
        words[..2],
        ["deliver 0x100000001", "5<-INFORMANDACTIVATE 0x100000001"]
    );
}

#[test]
fn syncs_are_answered_in_their_order() {
    let mut follower = Follower::hosting(0, 0);
    follower.joins(5, zxid(1, 0));
    follower.joins(6, zxid(1, 0));
    let sync = request(OpCode::SYNC);
    let up = ["0<-REQUEST 0xffffffffffffffff"];
    assert_eq!(follower.observer(6, &sync), up);
    follower.machine.sync(9, sync.data.clone().unwrap(), None);
    assert_eq!(follower.actions(), up);
    assert_eq!(follower.observer(5, &sync), up);
    follower.take(&proposal(1, 1));
    let informed = follower.take(&commit(1, 1));
    assert_eq!(informed[1..].len(), 2, "before any SYNC");
    let done = bare(PacketType::SYNC, Zxid::ZERO);
    assert_eq!(follower.take(&done), ["6<-SYNC 0x0"]);
    assert_eq!(follower.take(&done), ["Synced(9)"]);
    follower.machine.handle_observer_lost(LearnerId(5));
    assert_eq!(follower.take(&done), [""; 0], "nobody waits any more");
}

#[test]
fn the_leaders_word_on_a_session_goes_to_who_asked() {
    let mut follower = Follower::hosting(0, 0);
    follower.joins(5, zxid(1, 0));
    follower.joins(6, zxid(1, 0));
    let up = ["0<-REVALIDATE 0xffffffffffffffff"];
    assert_eq!(follower.observer(5, &question(1)), up);
    follower.machine.revalidate(touch(2));
    assert_eq!(follower.actions(), up);
    follower.observer(6, &question(1));
    follower.machine.revalidate(touch(1));
    follower.actions();
    assert_eq!(
        follower.take(&answer(1, true)),
        ["5<-REVALIDATE 0xffffffffffffffff"]
    );
    let mine = follower.take(&answer(2, true));
    assert!(mine[0].starts_with("Revalidated"), "{mine:?}");
    assert_eq!(
        follower.take(&answer(1, false)),
        ["6<-REVALIDATE 0xffffffffffffffff"]
    );
    let mine = follower.take(&answer(1, false));
    assert!(mine[0].starts_with("Revalidated"), "{mine:?}");
}

/// The leader hears of clients with the follower's next PING.
#[test]
fn touches_and_requests_reach_the_leader() {
    let mut follower = Follower::hosting(0, 0);
    follower.joins(5, zxid(1, 0));
    let sessions = SessionTouch::encode_all(&[touch(1), touch(2)]);
    let ping = Packet::with_data(PacketType::PING, zxid(1, 0), sessions.clone());
    assert_eq!(follower.observer(5, &ping), [""; 0]);
    follower
        .machine
        .handle_leader(NOW, &bare(PacketType::PING, zxid(1, 0)));
    let Some(zk_zab::Action::Send { packet, .. }) = follower.machine.poll_action() else {
        panic!("no answer to the ping");
    };
    assert_eq!(packet.data(), sessions);
    assert_eq!(
        follower.observer(5, &request(OpCode::CREATE)),
        ["0<-REQUEST 0xffffffffffffffff"]
    );
}

#[test]
fn silent_observers_are_left() {
    let mut follower = Follower::hosting(0, 0);
    follower.joins(5, zxid(1, 0));
    let half = TICK / 2;
    assert_eq!(follower.machine.poll_timeout(), Some(half));
    assert_eq!(follower.at(half), ["5<-PING 0x100000000"]);
    let limit = TICK * 5;
    // The leader is heard, the observer is not.
    let ping = bare(PacketType::PING, zxid(1, 0));
    follower.machine.handle_leader(limit - half, &ping);
    follower.actions();
    assert_eq!(
        follower.at(limit),
        ["close 5: the learner was silent for too long"]
    );
    assert_eq!(follower.machine.observers(), 0);
}

#[test]
fn strangers_are_refused() {
    let refused = |packet: &Packet| {
        let words = Follower::hosting(0, 0).observer(5, packet);
        assert_eq!(words.len(), 1, "{words:?}");
        words.into_iter().next().unwrap()
    };
    let follower = hello(15, 1);
    assert!(refused(&follower).contains("FOLLOWERINFO where it may not"));
    assert!(refused(&observer_info(2)).contains("own id"));
    let info = LearnerInfo {
        server: ServerId(15),
        protocol: LearnerInfo::PROTOCOL,
        config_version: zxid(9, 9),
    };
    let newer = Packet::with_data(PacketType::OBSERVERINFO, zxid(1, 0), info.encode());
    assert!(refused(&newer).contains("configuration"));
    let torn = Packet::with_data(PacketType::OBSERVERINFO, zxid(1, 0), vec![1]);
    assert!(refused(&torn).contains("cannot be read"));

    let mut follower = Follower::hosting(0, 0);
    follower.observer(5, &observer_info(15));
    let words = follower.observer(5, &request(OpCode::CREATE));
    assert!(words[0].starts_with("close 5: the learner sent REQUEST"));
    let words = follower.joins(6, zxid(2, 1));
    assert!(
        words[1].starts_with("close 6: the learner is ahead"),
        "{words:?}"
    );
    follower.joins(7, zxid(1, 0));
    let words = follower.observer(7, &bare(PacketType::ACK, zxid(1, 1)));
    assert!(words[0].contains("never proposed"), "{words:?}");
    follower.joins(8, zxid(1, 0));
    let words = follower.observer(9, &observer_info(18));
    assert!(words[0].contains("newer connection"), "{words:?}");
}

/// With the role ends everything that is for observers.
#[test]
fn it_ends_with_the_role() {
    let mut follower = Follower::hosting(0, 0);
    follower.joins(5, zxid(1, 0));
    follower.machine.handle_leader_lost();
    assert_eq!(follower.actions().len(), 1, "the abdication");
    assert_eq!(follower.joins(6, zxid(1, 0)), [""; 0]);
    assert!(!follower.machine.hosts_observers());
    // Before broadcast nobody is hosted.
    let mut early = Follower::accepted(own(0, 0, vec![]), 1);
    early.machine.host_observers(NOW, Vec::new());
    assert!(!early.machine.hosts_observers());
}
