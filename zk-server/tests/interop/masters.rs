//! Observers that learn from followers, where one of the two is Apache's and
//! the other ours.

use crate::support::process::Program;
use crate::support::session::{Answer, PATIENCE, Session, read};
use crate::support::site::Site;
use std::time::{Duration, Instant};
use zk_proto::{
    Acl, Buffer, CreateRequest, ErrorCode, OpCode, ReconfigRequest, Request, Response,
    SetDataRequest,
};

const VOTERS: [i64; 3] = [1, 2, 3];
const OBSERVER: i64 = 4;
const EPHEMERAL: i32 = 1;
/// Between two looks at a server.
const PAUSE: Duration = Duration::from_millis(50);

#[test]
fn apaches_observer_learns_from_our_followers() {
    if let Some(apache) = Program::apache() {
        observe(&Program::ours(), &apache);
    }
}

#[test]
fn our_observer_learns_from_apaches_followers() {
    if let Some(apache) = Program::apache() {
        observe(&apache, &Program::ours());
    }
}

/// It reads, writes and syncs, hears of other members, keeps its sessions, and
/// survives the end of its host and of the leader.
fn observe(voters: &Program, observer: &Program) {
    let mut site = Site::with(3, 1, "observerMasterPort=2191\n");
    let all = [1, 2, 3, OBSERVER];
    all.iter().for_each(|id| site.configure(*id, &all));
    site.start(voters, &VOTERS);
    let mut elsewhere = Session::open(vec![site.address(1), site.address(2), site.address(3)]);
    elsewhere.ask(&create("/a", 0)).record(OpCode::CREATE);
    site.start(observer, &[OBSERVER]);
    let leader = site.leader(&VOTERS);
    let master = hosted(&site, leader);

    let mut here = Session::open(vec![site.address(OBSERVER)]);
    here.ask(&create("/e", EPHEMERAL)).record(OpCode::CREATE);
    for number in 0..50 {
        let text = format!("{number}");
        elsewhere.ask(&set(&text)).record(OpCode::SET_DATA);
        assert_eq!(data_at(&mut here), text, "behind a sync");
    }
    here.ask(&set("here")).record(OpCode::SET_DATA);
    assert_eq!(data_at(&mut elsewhere), "here");

    let other = VOTERS.into_iter().find(|id| ![leader, master].contains(id));
    let other = other.expect("the second follower");
    let mut admin = Session::open(vec![site.address(leader)]);
    reconfigure(&mut admin, None, Some(&other.to_string()));
    same_members(&mut here, &mut admin);
    reconfigure(&mut admin, Some(site.line(other)), None);
    same_members(&mut here, &mut admin);
    admin.close();
    assert_eq!(hosted(&site, leader), master, "it stays where it is");

    site.kill(&[master]);
    let next = hosted(&site, leader);
    assert_ne!(next, master);
    lives(&mut here, "master");
    site.start(voters, &[master]);

    site.kill(&[leader]);
    let rest: Vec<i64> = VOTERS.into_iter().filter(|id| *id != leader).collect();
    // Who is slow to follow need not be its next host: the leader is one, too.
    site.leader(&rest);
    lives(&mut here, "leader");
    here.close();
    let gone = elsewhere.ask_synced(&Request::GetData(read("/e", false)));
    assert_eq!(gone.header.err, ErrorCode::NO_NODE);
}

/// Waits until a follower hosts the observer, and says so; which one.
fn hosted(site: &Site, leader: i64) -> i64 {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let master = site.metric(OBSERVER, "zk_observer_master_id");
        // While it looks for one, Apache's says -1.
        let master = master.filter(|id| VOTERS.contains(id) && *id != leader);
        let knows = |id: &i64| site.metric(*id, "zk_synced_observers") == Some(1);
        if let Some(master) = master.filter(knows) {
            assert_eq!(site.metric(leader, "zk_synced_observers"), Some(0));
            return master;
        }
        assert!(Instant::now() < give_up, "{master:?} hosts the observer");
        std::thread::sleep(PAUSE);
    }
}

/// Followers come and go, under the same leader.
fn reconfigure(session: &mut Session, joining: Option<&str>, leaving: Option<&str>) {
    let request = Request::Reconfig(ReconfigRequest {
        joining: joining.map(Into::into),
        leaving: leaving.map(Into::into),
        members: None,
        config_id: -1,
    });
    session.ask(&request).record(OpCode::RECONFIG);
}

/// The observer has heard of them by way of its host.
fn same_members(here: &mut Session, elsewhere: &mut Session) {
    let [here, there] = [here, elsewhere].map(|session| {
        let read = Request::GetData(read("/zookeeper/config", false));
        data_of(&session.ask_synced(&read))
    });
    assert_eq!(here, there);
}

/// The session goes on, and what it owns is there.
fn lives(session: &mut Session, without: &str) {
    let owned = session.ask_synced(&Request::GetData(read("/e", false)));
    let record = owned.record(OpCode::GET_DATA);
    let Response::Data(_, stat) = record else {
        panic!("no data: {record:?}");
    };
    assert_eq!(stat.ephemeral_owner, session.id.0, "without its {without}");
    session.ask(&set(without)).record(OpCode::SET_DATA);
    assert_eq!(data_at(session), without);
}

fn data_at(session: &mut Session) -> String {
    data_of(&session.ask_synced(&Request::GetData(read("/a", false))))
}

fn data_of(answer: &Answer) -> String {
    match answer.record(OpCode::GET_DATA) {
        Response::Data(Some(data), _) => String::from_utf8(data.to_vec()).expect("text"),
        other => panic!("no data: {other:?}"),
    }
}

fn create(path: &str, flags: i32) -> Request<'_> {
    let record = CreateRequest {
        path: Some(path.into()),
        data: Some(Buffer(b"")),
        acl: Some(vec![Acl::open()]),
        flags,
    };
    Request::Create(OpCode::CREATE, record)
}

fn set(data: &str) -> Request<'_> {
    Request::SetData(SetDataRequest {
        path: Some("/a".into()),
        data: Some(Buffer(data.as_bytes())),
        version: -1,
    })
}
