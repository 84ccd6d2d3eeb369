//! What a world begins with: how many servers of which kind, how fast their
//! ticks are. It refuses to know what happens then.

use crate::queue::Micros;
use crate::rng::Rng;
use std::fmt::Write as _;
use std::path::Path;
use zk_proto::ServerId;
use zk_server::config::ServerConfig;

/// The servers and clients of a world.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) voters: usize,
    pub(crate) observers: usize,
    pub(crate) clients: usize,
    pub(crate) tick_ms: u64,
    pub(crate) init_limit: u64,
    pub(crate) sync_limit: u64,
    /// Transactions between snapshots.
    pub(crate) snap_count: u64,
    /// Transactions that a leader keeps in memory for its learners.
    pub(crate) kept: u64,
    /// The usual delay between machines, in µs; any, if none is given.
    pub(crate) delay: Option<Micros>,
    /// Lines about groups and weights.
    pub(crate) groups: String,
}

impl Setup {
    /// An ensemble with short ticks.
    pub(crate) fn of(voters: usize) -> Self {
        Self {
            voters,
            observers: 0,
            clients: 4,
            tick_ms: 500,
            init_limit: 10,
            sync_limit: 4,
            snap_count: 100_000,
            kept: 500,
            delay: Some(200),
            groups: String::new(),
        }
    }

    /// One of many kinds.
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let voters = rng.pick(&[3, 3, 3, 5, 5]);
        let observers = usize::from(rng.per_mille(250));
        let groups = match (voters, rng.below(12)) {
            (5, 0) => "group.1=1:2\ngroup.2=3:4\ngroup.3=5\n",
            (5, 1) => "group.1=1:2:3:4:5\nweight.1=3\nweight.5=0\n",
            (3, 0) => "group.1=1:2:3\nweight.3=2\n",
            _ => "",
        };
        Self {
            voters,
            observers,
            clients: 10,
            tick_ms: rng.pick(&[500, 1000, 2000]),
            init_limit: rng.pick(&[5, 10]),
            sync_limit: rng.pick(&[2, 4, 5]),
            snap_count: rng.pick(&[40, 200, 1000, 100_000]),
            kept: rng.pick(&[5, 40, 500, 500]),
            delay: None,
            groups: groups.to_owned(),
        }
    }

    pub(crate) fn servers(&self) -> usize {
        self.voters + self.observers
    }

    /// The configuration of one of them, numbered from 0.
    pub(crate) fn config(&self, index: usize) -> ServerConfig {
        let mut text = format!(
            "tickTime={}\ninitLimit={}\nsyncLimit={}\nsnapCount={}\n\
             commitLogCount={}\ndataDir=/data\nclientPort=2181\npreAllocSize=64\n\
             maxClientCnxns=0\n",
            self.tick_ms, self.init_limit, self.sync_limit, self.snap_count, self.kept
        );
        for server in 0..self.servers() {
            let role = if server < self.voters {
                "participant"
            } else {
                "observer"
            };
            let id = server_id(server);
            let _ = writeln!(text, "server.{id}=10.0.0.{id}:2888:3888:{role}");
        }
        text.push_str(&self.groups);
        ServerConfig::of_member(Path::new("/zoo.cfg"), text.as_bytes(), server_id(index))
            .expect("the configuration is right")
    }
}

pub(crate) fn server_id(index: usize) -> ServerId {
    ServerId(index as i64 + 1)
}

pub(crate) fn server_index(id: ServerId) -> usize {
    usize::try_from(id.0 - 1).expect("ids begin with 1")
}
