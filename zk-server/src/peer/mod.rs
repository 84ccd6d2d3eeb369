//! A server of an ensemble, without sockets, threads and clocks of its own.
//!
//! What happens goes in as [`PeerEvent`]s, clients' requests and the time;
//! what is to be done on the network comes out through [`Network`]; the disk
//! is a `zk_log::Storage`. One thread owns a peer and calls `Peer::step`;
//! in a simulator that is everybody's thread. Elections are `zk-election`'s,
//! the protocol is `zk-zab`'s, what becomes of a request is the pipeline's:
//! this module lets them meet, and knows in which role this server is.
//!
//! - `looking.rs`, `leading.rs`, `learning.rs`: one file a role.
//! - `hosting.rs`, `masters.rs`: learners of this server, and whose an
//!   observer is.
//! - `actions.rs`: what the protocol asks for, done.
//! - `clients.rs`: requests that wait for their turn.
//! - `disk.rs`, `streams.rs`, `install.rs`, `links.rs`: files, snapshots on
//!   their way out and in, packets.
//! - `show.rs`: what is shown of it.

mod actions;
mod clients;
mod config;
mod disk;
mod event;
mod hosting;
mod install;
mod leading;
mod learning;
mod links;
mod local;
mod looking;
mod masters;
mod members;
mod network;
mod show;
mod streams;

pub(crate) use config::PeerConfig;
pub(crate) use disk::Disk;
pub use event::PeerEvent;
pub use members::{MemberFiles, NoFiles};
pub use network::{LinkId, Network};

use crate::host::View;
use crate::pipeline::{Batch, Item, Origin};
use crate::role::ServerRole;
use crate::shared::Shared;
use clients::{Clients, Turn, Waiting, client_of};
use leading::Leading;
use learning::Learning;
use looking::Looking;
use masters::Masters;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use zk_election::Election;
use zk_log::LogError;
use zk_proto::mutation::is_back;
use zk_proto::quorum::PeerState;
use zk_proto::{Epoch, OpCode, ServerId, Zxid};
use zk_zab::{Abdication, Txn};

/// How often requests of connections that ended are swept away.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// How long a leader that heard nobody lets the others elect without it. It
/// may be deaf and not mute: they would elect it again, and wait in vain.
const HUSH: Duration = Duration::from_secs(1);

/// What this server is.
enum Role {
    Looking(Looking),
    Leading(Box<Leading>),
    Learning(Box<Learning>),
}

/// Why a role is over, and what comes then.
struct Over {
    reason: String,
    /// Whom a reconfiguration chose.
    leader: Option<ServerId>,
    /// Whether the leader fell silent: nobody should wait for its vote.
    was_silent: bool,
    /// Whether it led, and heard too few for too long.
    heard_nobody: bool,
}

impl Over {
    fn of(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            leader: None,
            was_silent: false,
            heard_nobody: false,
        }
    }
}

impl From<Abdication> for Over {
    fn from(abdication: Abdication) -> Self {
        let leader = match &abdication {
            Abdication::Reconfigured { leader } => *leader,
            _ => None,
        };
        Self {
            reason: abdication.to_string(),
            leader,
            was_silent: abdication == Abdication::LeaderSilent,
            heard_nobody: abdication == Abdication::QuorumLost,
        }
    }
}

/// A server of an ensemble.
pub(crate) struct Peer {
    shared: Arc<Shared>,
    config: PeerConfig,
    network: Box<dyn Network>,
    files: Box<dyn MemberFiles>,
    election: Election,
    role: Role,
    disk: Disk,
    clients: Clients,
    /// Which follower an observer turns to next.
    masters: Masters,
    /// Committed and not in the tree yet, in order.
    deliveries: Vec<Txn>,
    /// Why the role is over, until that is acted upon.
    over: Option<Over>,
    /// A role was taken up, and nothing of it has been done.
    unsettled: bool,
    /// Asked to end.
    stopping: bool,
    /// It says nothing in elections until then, or until it hears somebody.
    hushed_until: Option<Duration>,
    /// What another server did that only a bug explains.
    breach: Option<&'static str>,
    /// Servers to which there was a link of the election ports.
    met: BTreeSet<ServerId>,
    next_sweep: Duration,
    scratch: Vec<u8>,
}

impl Peer {
    /// A server whose tree has all that its disk holds. It begins to look for
    /// a leader.
    pub(crate) fn new(
        shared: Arc<Shared>,
        config: PeerConfig,
        network: Box<dyn Network>,
        files: Box<dyn MemberFiles>,
        disk: Disk,
    ) -> Self {
        let election = Election::new(config.election());
        let mut peer = Self {
            clients: Clients::new(shared.clone()),
            shared,
            config,
            network,
            files,
            election,
            role: Role::Looking(Looking::default()),
            disk,
            masters: Masters::default(),
            deliveries: Vec::new(),
            over: None,
            unsettled: false,
            stopping: false,
            hushed_until: None,
            breach: None,
            met: BTreeSet::new(),
            next_sweep: Duration::ZERO,
            scratch: Vec::new(),
        };
        let now = peer.shared.clock.now();
        peer.write_config_node();
        peer.tell_members(now);
        peer.start_election(now);
        peer
    }

    /// Takes what happened and what clients asked, and does all that follows
    /// from it.
    ///
    /// # Errors
    /// The disk can promise nothing any more: the process must end.
    pub(crate) fn step(
        &mut self,
        batch: &mut Batch,
        events: &mut Vec<PeerEvent>,
    ) -> Result<(), LogError> {
        let now = self.shared.clock.now();
        for event in events.drain(..) {
            self.event(now, event)?;
        }
        self.timeouts(now)?;
        self.take_requests(now, batch);
        self.settle(now)
    }

    /// When [`Peer::step`] is due at the latest, in the clock's time.
    pub(crate) fn poll_timeout(&self) -> Option<Duration> {
        let role = match &self.role {
            Role::Looking(_) => self.read_only_at(),
            Role::Leading(leading) => leading.poll_timeout(&self.shared),
            Role::Learning(learning) => learning.poll_timeout(),
        };
        let sweep = (!self.clients.is_empty()).then_some(self.next_sweep);
        let at_once = self.unsettled.then_some(Duration::ZERO);
        let local = self.local_deadline();
        [self.election.poll_timeout(), role, sweep, at_once, local]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether it was asked to end, and has nothing left to do.
    pub(crate) fn is_done(&self) -> bool {
        let busy = match &self.role {
            Role::Leading(leading) => leading.leader.outstanding() > 0,
            Role::Looking(_) | Role::Learning(_) => false,
        };
        self.stopping && !busy
    }

    /// Ends the server: its connections, then its files.
    ///
    /// # Errors
    /// The disk failed.
    pub(crate) fn end(mut self) -> Result<(), LogError> {
        self.stop_serving();
        self.network.flush();
        self.disk.catch_up(&self.shared)?;
        self.disk.close()
    }

    /// Nothing happened for a while: a snapshot that is due may begin.
    pub(crate) fn idle(&mut self) -> Result<(), LogError> {
        self.disk.snapshot_if_due(&self.shared, true)
    }

    /// Whether a snapshot is due.
    pub(crate) fn wants_idle(&self) -> bool {
        self.disk.snapshotter.is_due()
    }

    /// What a checker wants to know.
    pub(crate) fn view(&self) -> View {
        let tree = self.shared.tree.read();
        let (is_leading, epoch) = match &self.role {
            Role::Looking(_) => (false, None),
            Role::Leading(leading) => (true, leading.leader.epoch()),
            Role::Learning(learning) => {
                let learner = learning.learner.as_ref();
                (false, learner.and_then(zk_zab::Learner::epoch))
            }
        };
        View {
            role: self.shared.role.get().name(),
            is_leading,
            epoch,
            accepted_epoch: self.disk.epochs.accepted(),
            current_epoch: self.disk.epochs.current(),
            logged: self.disk.last_zxid(),
            applied: tree.last_zxid(),
            committed: self.disk.committed,
            digest: tree.digest(),
            breach: self.breach,
        }
    }

    fn event(&mut self, now: Duration, event: PeerEvent) -> Result<(), LogError> {
        match event {
            PeerEvent::Notification { from, notification } => {
                if self.hushed_until.take().is_some() {
                    // It was told nothing so far.
                    self.election.handle_connected(now, from);
                    self.run_election(now);
                }
                self.election.handle_notification(now, from, notification);
                self.run_election(now);
            }
            PeerEvent::VoterConnected(server) => {
                self.met.insert(server);
                self.election.handle_connected(now, server);
                self.run_election(now);
            }
            // Who was never there may just be starting, like this server.
            PeerEvent::VoterDisconnected(server) if !self.met.contains(&server) => {}
            PeerEvent::VoterDisconnected(server) => {
                self.election.handle_disconnected(now, server);
                self.run_election(now);
            }
            PeerEvent::Accepted { link, remote } => self.accepted(link, remote),
            PeerEvent::ObserverAccepted { link, remote } => self.observer_accepted(link, remote),
            PeerEvent::Connected(link) => self.connected(now, link)?,
            PeerEvent::Disconnected(link) => self.disconnected(now, link)?,
            PeerEvent::Received { link, bytes } => self.received(now, link, bytes)?,
            // The next turn of the streams comes with every step.
            PeerEvent::Drained(_) => {}
            PeerEvent::Stop => self.stopping = true,
        }
        self.change_role(now)
    }

    fn timeouts(&mut self, now: Duration) -> Result<(), LogError> {
        if self.election.poll_timeout().is_some_and(|at| now >= at) {
            self.election.handle_timeout(now);
            self.run_election(now);
        }
        match &mut self.role {
            Role::Looking(_) => self.look_by_clock(now),
            Role::Leading(_) => self.lead_by_clock(now)?,
            Role::Learning(_) => {
                self.expire_local(now);
                self.learn_by_clock(now)?;
            }
        }
        if now >= self.next_sweep {
            self.clients.sweep();
            self.next_sweep = now + SWEEP_EVERY;
        }
        self.change_role(now)
    }

    /// Clients' requests, in the order in which they came.
    fn take_requests(&mut self, now: Duration, batch: &mut Batch) {
        if batch.items.is_empty() {
            return;
        }
        let items = std::mem::take(&mut batch.items);
        self.release_large(&items);
        for item in items {
            let body = &batch.bytes[item.body.clone()];
            self.take_request(now, item, body);
        }
        batch.recycle();
    }

    fn take_request(&mut self, now: Duration, item: Item, body: &[u8]) {
        if self.stopping || !self.shared.role.get().serves() {
            return self.drop_request(&item);
        }
        let Some(conn) = client_of(&item) else {
            return self.take_own_request(item, body);
        };
        if self.clients.is_held_back(conn.id()) {
            let waiting = Waiting {
                body: body.to_vec(),
                item,
                turn: Turn::Unstaged,
            };
            return self.clients.put(waiting, whole_ms(now));
        }
        if item.op == OpCode::CREATE_SESSION
            && matches!(item.origin, Origin::Client(_))
            && self.begins_local()
        {
            return self.begin_local(now, &item);
        }
        let item = match item.origin {
            Origin::Resuming(_) => match self.resume_local(now, item, body) {
                Some(item) => item,
                None => return,
            },
            _ => item,
        };
        if let Some(turn) = self.judge_local(&item, body) {
            let body = Vec::new();
            let waiting = Waiting { item, body, turn };
            return self.clients.put(waiting, whole_ms(now));
        }
        match self.role {
            Role::Looking(_) => self.read_only_request(now, item, body),
            Role::Leading(_) => self.lead_request(now, item, body),
            Role::Learning(_) => self.forward_request(now, item, body),
        }
    }

    /// A request of the server itself: only a leader has any.
    fn take_own_request(&mut self, item: Item, body: &[u8]) {
        if let Role::Leading(leading) = &mut self.role {
            leading.stage_own(&self.shared, &item, body);
        }
        self.shared.inbox.settle(1);
    }

    /// Nobody can serve it: the connection ends.
    fn drop_request(&self, item: &Item) {
        if let Some(conn) = client_of(item) {
            conn.close();
        }
        self.shared.inbox.settle(1);
    }

    fn release_large(&self, items: &[Item]) {
        let large = &self.shared.large;
        if large.is_on() {
            let clients = items
                .iter()
                .filter(|item| matches!(item.origin, Origin::Client(_)));
            large.release(
                clients
                    .map(|item| large.size(item.op, item.body.len()))
                    .sum(),
            );
        }
    }

    /// Lets everything leave, waits for the disk, and goes on until neither
    /// has anything left.
    fn settle(&mut self, now: Duration) -> Result<(), LogError> {
        loop {
            self.unsettled = false;
            self.take_early_learners(now)?;
            self.run_role(now)?;
            self.propose_staged(now)?;
            self.change_role(now)?;
            self.deliver(now);
            self.clients.applier.flush();
            self.advance_streams(now);
            self.network.flush();
            match (self.disk.flush(&self.shared)?, &mut self.role) {
                (None, _) if self.unsettled => {}
                (None, _) => break,
                (_, Role::Looking(_)) => {}
                (Some(token), Role::Leading(leading)) => {
                    leading.leader.handle_persisted(now, token);
                }
                (Some(token), Role::Learning(learning)) => learning.persisted(token),
            }
        }
        self.show_learners();
        self.disk.snapshot_if_due(&self.shared, false)
    }

    /// Acts upon the end of a role. One end may follow another at once.
    fn change_role(&mut self, now: Duration) -> Result<(), LogError> {
        while let Some(over) = self.over.take() {
            tracing::info!("{} is over: {}", self.role_name(), over.reason);
            let silent = self.source().filter(|_| over.was_silent);
            self.stop_serving();
            self.disk.catch_up(&self.shared)?;
            self.hushed_until = over.heard_nobody.then(|| now + HUSH);
            match over.leader.filter(|leader| self.may_be_led_by(*leader)) {
                Some(leader) => self.follow_designated(now, leader),
                None => self.start_election(now),
            }
            if let Some(silent) = silent {
                self.election.handle_disconnected(now, silent);
                self.run_election(now);
            }
        }
        Ok(())
    }

    /// Ends all that belongs to the role.
    fn stop_serving(&mut self) {
        self.shared.role.set(ServerRole::Looking);
        self.deliver(self.shared.clock.now());
        self.clients.end_all();
        self.shared.sessions.restart(std::iter::empty(), 0);
        let role = std::mem::replace(&mut self.role, Role::Looking(Looking::default()));
        for link in role.links() {
            self.network.close(link);
        }
        self.shared.ensemble.lock().clear();
    }

    fn start_election(&mut self, now: Duration) {
        self.role = Role::Looking(Looking::new(now));
        self.reread_next(now);
        let own = self.disk.candidacy();
        tracing::info!(
            "looking for a leader, with zxid {} of epoch {}",
            own.zxid,
            own.current_epoch
        );
        self.show_looking(now);
        self.election.start(now, own);
        self.run_election(now);
    }

    /// Whom this server learns from.
    fn source(&self) -> Option<ServerId> {
        match &self.role {
            Role::Learning(learning) => Some(learning.source.server()),
            Role::Looking(_) | Role::Leading(_) => None,
        }
    }

    fn role_name(&self) -> &'static str {
        match &self.role {
            Role::Looking(_) => "looking",
            Role::Leading(_) => "leading",
            Role::Learning(_) if self.config.is_observer() => "observing",
            Role::Learning(_) => "following",
        }
    }

    /// From now on clients are served.
    ///
    /// All servers of an epoch show at least its beginning: some have it from
    /// a snapshot, and a client that saw it there is refused by who is before
    /// it.
    fn serve(&mut self, now: Duration, state: PeerState, epoch: Epoch) {
        let role = match state {
            PeerState::Leading => ServerRole::Leader,
            PeerState::Observing => ServerRole::Observer,
            PeerState::Looking | PeerState::Following => ServerRole::Follower,
        };
        let mut tree = self.shared.tree.write();
        tree.advance_zxid(Zxid::new(epoch, 0));
        tree.end_fuzziness();
        if role.owns_sessions() && !is_back("sessions_not_taken_over") {
            self.shared.sessions.restart(tree.sessions(), whole_ms(now));
        }
        self.shared.set_last_zxid(tree.last_zxid());
        drop(tree);
        self.show_serving(now, role);
        self.shared.role.set(role);
        tracing::info!("serving clients as {}", role.name());
    }
}

impl Role {
    fn links(&self) -> Vec<LinkId> {
        match self {
            Self::Looking(looking) => looking.links(),
            Self::Leading(leading) => leading.learners.ids().collect(),
            Self::Learning(learning) => {
                let observers = learning.observers.ids();
                observers.chain([learning.link]).collect()
            }
        }
    }
}

fn whole_ms(now: Duration) -> u64 {
    crate::clock::whole_ms(now)
}
