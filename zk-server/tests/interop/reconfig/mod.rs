//! Three servers become five and three others again while clients write, and
//! the leader is among those that go. What that leaves on the disks is
//! enough for Apache's servers to go on, and for ours behind them.

mod load;
mod tree;

use crate::support::process::Program;
use crate::support::session::{self, Session, read};
use crate::support::site::Site;
use load::{Acknowledged, Load};
use std::time::Instant;
use tree::Tree;
use zk_proto::ensemble::{EnsembleConfig, Role};
use zk_proto::{ErrorCode, OpCode, ReconfigRequest, Request, Response, ServerId, Stat, Zxid};

const CONFIG_NODE: &str = "/zookeeper/config";
const DATA_CHANGED: i32 = 3;
const WRITERS: usize = 3;
/// How many acknowledged writes show that clients are served.
const SOME: u64 = 30;

#[test]
fn members_come_and_go_and_apache_reads_who_is_left() {
    let Some(apache) = Program::apache() else {
        return;
    };
    let ours = Program::ours();
    let mut run = Run::start(&ours);
    run.refuses_what_cannot_be();
    run.join(&ours, &[4, 5]);
    assert_eq!(run.answers, 1, "the leader stays, and answers");
    let first_leader = run.site.leader(&run.members);
    run.leave(first_leader);
    let leader = run.site.leader(&run.members);
    let second = run.members.iter().copied().find(|id| *id != leader);
    let second = second.expect("four are left");
    run.leave(second);
    run.restart(&ours);
    run.exchange(&ours, second);
    run.become_servers_of(&apache);
    run.give_role(second, Role::Observer);
    run.become_servers_of(&ours);
    run.give_role(second, Role::Participant);
    run.end();
}

/// What a reconfiguration asks for.
#[derive(Debug, Default)]
struct Change {
    joining: Option<String>,
    leaving: Option<String>,
    members: Option<String>,
    config_id: Option<Zxid>,
}

struct Run {
    /// Ends before the servers do.
    load: Load,
    site: Site,
    /// Who the members are.
    members: Vec<i64>,
    config: EnsembleConfig,
    admin: Session,
    /// How many reconfigurations were answered.
    answers: u32,
    begun: Instant,
}

impl Run {
    fn start(program: &Program) -> Self {
        let begun = Instant::now();
        let mut site = Site::new(5);
        let members = vec![1, 2, 3];
        for id in &members {
            site.configure(*id, &members);
        }
        site.start(program, &members);
        let mut admin = Session::open(site.addresses());
        let (config, _) = config_of(&mut admin);
        let load = Load::start(WRITERS, &site.addresses());
        let mut run = Self {
            load,
            site,
            members,
            config,
            admin,
            answers: 0,
            begun,
        };
        run.says_the_same_everywhere();
        run
    }

    fn refuses_what_cannot_be(&mut self) {
        let wrong_version = Change {
            leaving: Some("3".to_owned()),
            config_id: Some(Zxid(self.config.version.0 + 1)),
            ..Change::default()
        };
        assert_eq!(self.refusal(&wrong_version), ErrorCode::BAD_VERSION);
        // Of these only the first is there.
        let absent = Change {
            members: Some(self.site.lines(&[1, 4, 5], ",")),
            ..Change::default()
        };
        assert_eq!(self.refusal(&absent), ErrorCode::NEW_CONFIG_NO_QUORUM);
        self.says_the_same_everywhere();
    }

    /// Starts servers, each of which knows the members and itself, and takes
    /// them in.
    fn join(&mut self, program: &Program, ids: &[i64]) {
        self.start_joiners(program, ids);
        self.members.extend(ids);
        let joining = Some(self.site.lines(ids, ","));
        self.change(&Change {
            joining,
            config_id: Some(self.config.version),
            ..Change::default()
        });
    }

    fn start_joiners(&mut self, program: &Program, ids: &[i64]) {
        for id in ids {
            let known = [&self.members[..], &[*id]].concat();
            self.site.configure(*id, &known);
        }
        self.site.start(program, ids);
    }

    /// Removes one, and ends it when it is no member any more.
    fn leave(&mut self, id: i64) {
        self.members.retain(|member| *member != id);
        self.change(&Change {
            leaving: Some(id.to_string()),
            ..Change::default()
        });
        self.site.kill(&[id]);
        self.serves_clients();
    }

    /// Tells the membership anew: one comes for a follower.
    fn exchange(&mut self, program: &Program, comes: i64) {
        self.start_joiners(program, &[comes]);
        let leader = self.site.leader(&self.members);
        let follower = self.members.iter().copied().find(|id| *id != leader);
        let goes = follower.expect("a follower");
        self.members.retain(|id| *id != goes);
        self.members.push(comes);
        let members = Some(self.site.lines(&self.members, "\n"));
        self.change(&Change {
            members,
            ..Change::default()
        });
        self.site.kill(&[goes]);
        self.serves_clients();
    }

    /// Makes an observer of a voter, or the reverse.
    fn give_role(&mut self, id: i64, role: Role) {
        let line = self.site.line(id);
        let line = match role {
            Role::Observer => line.replace(":participant;", ":observer;"),
            Role::Participant => line.to_owned(),
        };
        self.change(&Change {
            joining: Some(line),
            ..Change::default()
        });
        assert_eq!(self.config.members[&ServerId(id)].role, role);
    }

    /// Ends all members in the midst of writes, and starts them again on their
    /// files.
    fn restart(&mut self, program: &Program) {
        self.site.kill(&self.members);
        self.site.start(program, &self.members);
        self.says_the_same_everywhere();
        self.serves_clients();
        self.say("all were killed and serve again");
    }

    /// As [`Run::restart`], with servers of another kind, and while nobody
    /// writes: they have the same tree.
    fn become_servers_of(&mut self, program: &Program) {
        let load = self.load.paused();
        let before = self.tree();
        self.site.kill(&self.members);
        self.site.start(program, &self.members);
        tree::assert_equal(&before, &self.tree(), name(program));
        drop(load);
        self.says_the_same_everywhere();
        self.serves_clients();
        self.say(&format!("{} go on", name(program)));
    }

    /// Reconfigures, and waits until that is known to all.
    fn change(&mut self, change: &Change) {
        let mut watcher = Session::open(vec![self.site.address(self.members[0])]);
        watcher.ask(&Request::GetData(read(CONFIG_NODE, true)));
        let (config, stat) = self.reconfigure(change);
        assert!(config.version > self.config.version, "{config}");
        assert_eq!(stat.mzxid, config.version);
        let ids: Vec<i64> = config.members.keys().map(|id| id.0).collect();
        let mut wanted = self.members.clone();
        wanted.sort_unstable();
        assert_eq!(ids, wanted);
        self.config = config;
        assert_eq!(event(&mut watcher), (DATA_CHANGED, CONFIG_NODE.to_owned()));
        watcher.close();
        self.says_the_same_everywhere();
        self.serves_clients();
        self.say(&format!("the members are {:?}", self.members));
    }

    /// What the answer says; what the znode says, if the answer was lost with
    /// the leader.
    fn reconfigure(&mut self, change: &Change) -> (EnsembleConfig, Stat) {
        let give_up = Instant::now() + session::PATIENCE;
        loop {
            match self.admin.call(&change.request()) {
                Ok(answer) => {
                    self.answers += 1;
                    return parsed(&answer.record(OpCode::RECONFIG));
                }
                Err(error) => assert!(Instant::now() < give_up, "no answer: {error}"),
            }
            self.admin.reconnect();
            let (config, stat) = config_of(&mut self.admin);
            if config != self.config {
                return (config, stat);
            }
        }
    }

    fn refusal(&mut self, change: &Change) -> ErrorCode {
        self.admin.ask(&change.request()).header.err
    }

    /// The config node and the files of all members.
    fn says_the_same_everywhere(&mut self) {
        for id in self.members.clone() {
            let mut session = Session::open(vec![self.site.address(id)]);
            let (config, stat) = config_of(&mut session);
            session.close();
            assert_eq!(config, self.config, "server {id}");
            assert_eq!(stat.mzxid, config.version, "server {id}");
            self.site.await_files(id, &config);
        }
    }

    fn serves_clients(&self) {
        let (enough, give_up) = (self.load.count() + SOME, Instant::now() + session::PATIENCE);
        while self.load.count() < enough {
            assert!(!self.load.failed(), "a writer found something wrong");
            assert!(Instant::now() < give_up, "nothing is written");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// While nobody writes: the tree, which all members have.
    fn tree(&self) -> Tree {
        let trees = self.members.iter();
        let mut trees = trees.map(|id| tree::of(self.site.address(*id)));
        let first = trees.next().expect("there are members");
        for (tree, id) in trees.zip(&self.members[1..]) {
            let what = format!("servers {} and {id}", self.members[0]);
            tree::assert_equal(&first, &tree, &what);
        }
        first
    }

    /// All that was acknowledged is there, and nothing else; all sessions
    /// are.
    fn end(self) {
        let count = self.load.count();
        let (known, sessions) = self.load.finish();
        for id in &self.members {
            assert_holds(&tree::of(self.site.address(*id)), &known, &sessions);
        }
        sessions.into_iter().for_each(Session::close);
        self.admin.close();
        println!(
            "{count} writes in {:?}, {} answers",
            self.begun.elapsed(),
            self.answers
        );
    }

    fn say(&self, what: &str) {
        let (begun, count) = (self.begun.elapsed(), self.load.count());
        println!("{begun:?}: {what}; {count} writes so far");
    }
}

impl Change {
    fn request(&self) -> Request<'_> {
        Request::Reconfig(ReconfigRequest {
            joining: self.joining.as_deref().map(Into::into),
            leaving: self.leaving.as_deref().map(Into::into),
            members: self.members.as_deref().map(Into::into),
            config_id: self.config_id.map_or(-1, |version| version.0),
        })
    }
}

fn name(program: &Program) -> &'static str {
    match program {
        Program::Apache { .. } => "Apache's servers",
        Program::Ours(_) => "ours",
    }
}

fn config_of(session: &mut Session) -> (EnsembleConfig, Stat) {
    let answer = session.ask_synced(&Request::GetData(read(CONFIG_NODE, false)));
    parsed(&answer.record(OpCode::GET_DATA))
}

/// The members that a text with its version tells.
fn parsed(response: &Response<'_>) -> (EnsembleConfig, Stat) {
    let Response::Data(Some(text), stat) = response else {
        panic!("no configuration: {response:?}");
    };
    let text = std::str::from_utf8(text).expect("text");
    let config = EnsembleConfig::parse(text, false).expect("a configuration");
    assert_eq!(config.to_string(), text, "each has one form");
    (config, *stat)
}

/// The next event of a session, which may lose its server while it waits.
fn event(session: &mut Session) -> (i32, String) {
    let give_up = Instant::now() + session::PATIENCE;
    loop {
        match session.event() {
            Ok(event) => return event,
            Err(error) => assert!(Instant::now() < give_up, "no event: {error}"),
        }
        session.lose();
        session.reconnect();
        session.rearm(CONFIG_NODE);
    }
}

fn assert_holds(tree: &Tree, known: &Acknowledged, sessions: &[Session]) {
    let written = tree.iter().filter(|(path, _)| path.starts_with("/load/"));
    let found: Acknowledged = written
        .map(|(path, (data, stat))| (path.clone(), (data.clone(), stat.mzxid)))
        .collect();
    assert_eq!(&found, known);
    for (number, session) in sessions.iter().enumerate() {
        let (_, stat) = &tree[&format!("/load/{number}-lives")];
        assert_eq!(stat.ephemeral_owner, session.id.0);
    }
}
