//! A server's machine: its disk, its clocks, and the process that runs on it
//! or does not. It refuses to know the network.

use crate::disk::SimDisk;
use crate::net::{ConnId, Parcel};
use crate::port::Port;
use crate::queue::Micros;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;
use zk_proto::ServerId;
use zk_server::Hands;
use zk_server::config::ServerConfig;
use zk_server::host::{ClientLink, Host, View};
use zk_server::peer::{LinkId, PeerEvent};

/// The wall clock when virtual time began, in ms since 1970.
const WALL_START_MS: i64 = 1_700_000_000_000;

/// A machine that may run a server.
pub(crate) struct Server {
    pub(crate) id: ServerId,
    pub(crate) config: ServerConfig,
    pub(crate) disk: SimDisk,
    pub(crate) process: Option<Process>,
    /// Counts the processes that ran here.
    pub(crate) life: u32,
    /// Whether the machine itself is on, and answers for closed ports.
    pub(crate) is_on: bool,
    /// How far its wall clock is off, in ms.
    pub(crate) wall_off_ms: i64,
    /// When a process is to be started again.
    pub(crate) restart_at: Option<Micros>,
}

/// A running server.
pub(crate) struct Process {
    pub(crate) host: Host,
    pub(crate) port: Port,
    pub(crate) hands: Hands,
    /// Its clients' connections.
    pub(crate) clients: Vec<(ClientLink, ConnId)>,
    /// Its links to leaders and learners.
    pub(crate) links: Vec<(LinkId, ConnId)>,
    /// Links that are dialled.
    pub(crate) dialled: BTreeSet<LinkId>,
    pub(crate) votes: Vec<Voter>,
    /// It does nothing before that.
    pub(crate) busy_until: Micros,
    /// When it is looked at next.
    pub(crate) wake: Option<Micros>,
    pub(crate) is_paused: bool,
    /// What came while it was paused.
    pub(crate) held: VecDeque<Input>,
    /// After the last step.
    pub(crate) view: View,
}

/// Another server on the election port, as the real driver keeps it.
#[derive(Debug, Default)]
pub(crate) struct Voter {
    pub(crate) conn: Option<ConnId>,
    pub(crate) is_dialled: bool,
    /// The newest frame, if it has not left.
    pub(crate) waiting: Option<Vec<u8>>,
    /// The frame that left last.
    pub(crate) last: Option<Vec<u8>>,
}

/// Something that reaches a process.
#[derive(Debug)]
pub(crate) enum Input {
    Tell(PeerEvent),
    AcceptClient(ConnId),
    AdoptVotes(ConnId),
    /// A smaller server asks for a link.
    Knock(usize),
    Parcel(ConnId, usize, Parcel),
}

impl Server {
    pub(crate) fn new(id: ServerId, config: ServerConfig) -> Self {
        Self {
            id,
            config,
            disk: SimDisk::new(),
            process: None,
            life: 0,
            is_on: true,
            wall_off_ms: 0,
            restart_at: None,
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Whether it runs and can act.
    pub(crate) fn is_live(&self) -> bool {
        self.process.as_ref().is_some_and(|it| !it.is_paused)
    }

    pub(crate) fn view(&self) -> Option<&View> {
        self.process.as_ref().map(|it| &it.view)
    }

    /// Whether it serves clients.
    pub(crate) fn serves(&self) -> bool {
        self.view().is_some_and(serves)
    }

    pub(crate) fn leads(&self) -> bool {
        self.view().is_some_and(|view| view.role == "leader")
    }

    /// Sets both clocks of the process.
    pub(crate) fn set_clock(&self, now: Micros) {
        if let Some(process) = &self.process {
            set_hands(&process.hands, now, self.wall_off_ms);
        }
    }
}

pub(crate) fn serves(view: &View) -> bool {
    view.role != "looking"
}

pub(crate) fn set_hands(hands: &Hands, now: Micros, wall_off_ms: i64) {
    let wall = i64::try_from(now / 1000).unwrap_or(i64::MAX);
    let wall = WALL_START_MS + wall + wall_off_ms;
    hands.set(Duration::from_micros(now), wall);
}
