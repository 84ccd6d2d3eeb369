//! The network as one server sees it: it notes what the server asks for, and
//! when. It refuses to know what comes of it.

use crate::disk::Control;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use zk_proto::ServerId;
use zk_proto::ensemble::EnsembleConfig;
use zk_proto::quorum::Notification;
use zk_server::peer::{LinkId, Network};

/// Something that a server asked of its network.
#[derive(Debug)]
pub(crate) enum Wish {
    Vote { to: ServerId, frame: Vec<u8> },
    ConnectVoters,
    Dial { link: LinkId, server: ServerId },
    Bytes { link: LinkId, bytes: Vec<u8> },
    Close { link: LinkId },
}

/// The wishes of one server process.
#[derive(Clone)]
pub(crate) struct Port(Arc<Mutex<State>>);

struct State {
    disk: Arc<Control>,
    last_link: u64,
    members: Vec<ServerId>,
    /// Put on links, and not flushed.
    unflushed: Vec<(LinkId, Vec<u8>)>,
    /// With the time that its disk had taken by then in this step, in µs.
    wishes: Vec<(u64, Wish)>,
    /// Packets in the order in which they were put on links.
    packets: Vec<(LinkId, Vec<u8>)>,
    /// Bytes on their way.
    backlog: HashMap<LinkId, usize>,
    /// What a byte on its way counts.
    backlog_factor: usize,
}

impl Port {
    pub(crate) fn new(disk: Arc<Control>, backlog_factor: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            disk,
            last_link: 0,
            members: Vec::new(),
            unflushed: Vec::new(),
            wishes: Vec::new(),
            packets: Vec::new(),
            backlog: HashMap::new(),
            backlog_factor,
        })))
    }

    /// What was asked for since the last time.
    pub(crate) fn take_wishes(&self) -> Vec<(u64, Wish)> {
        std::mem::take(&mut self.state().wishes)
    }

    /// The packets that were put on links since the last time, for a look.
    pub(crate) fn take_packets(&self) -> Vec<(LinkId, Vec<u8>)> {
        std::mem::take(&mut self.state().packets)
    }

    /// A link for somebody who connects.
    pub(crate) fn new_link(&self) -> LinkId {
        self.state().new_link()
    }

    pub(crate) fn members(&self) -> Vec<ServerId> {
        self.state().members.clone()
    }

    /// Bytes left the machine for good.
    pub(crate) fn arrived(&self, link: LinkId, count: usize) {
        if let Some(backlog) = self.state().backlog.get_mut(&link) {
            *backlog = backlog.saturating_sub(count);
        }
    }

    pub(crate) fn forget(&self, link: LinkId) {
        self.state().backlog.remove(&link);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A server that panicked elsewhere is a finding of its own.
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl State {
    fn new_link(&mut self) -> LinkId {
        self.last_link += 1;
        LinkId(self.last_link)
    }

    /// What a dead machine wishes does not count.
    fn wish(&mut self, wish: Wish) {
        if !self.disk.is_dead() {
            let at = self.disk.cost();
            self.wishes.push((at, wish));
        }
    }

    fn flush(&mut self, only: Option<LinkId>) {
        let mut kept = Vec::new();
        for (link, bytes) in std::mem::take(&mut self.unflushed) {
            if only.is_none_or(|only| only == link) {
                *self.backlog.entry(link).or_default() += bytes.len();
                self.wish(Wish::Bytes { link, bytes });
            } else {
                kept.push((link, bytes));
            }
        }
        self.unflushed = kept;
    }
}

impl Network for Port {
    fn set_members(&mut self, members: &EnsembleConfig) {
        self.state().members = members.members.keys().copied().collect();
    }

    fn send_vote(&mut self, to: ServerId, notification: &Notification) {
        let frame = notification.encode();
        self.state().wish(Wish::Vote { to, frame });
    }

    fn connect_voters(&mut self) {
        self.state().wish(Wish::ConnectVoters);
    }

    fn dial(&mut self, server: ServerId) -> LinkId {
        let mut state = self.state();
        let link = state.new_link();
        state.wish(Wish::Dial { link, server });
        link
    }

    /// No simulated server has an `observerMasterPort`, nor asks for one.
    fn dial_master(&mut self, server: ServerId) -> LinkId {
        self.dial(server)
    }

    fn send(&mut self, link: LinkId, bytes: &[u8]) {
        let mut state = self.state();
        if state.disk.is_dead() {
            return;
        }
        state.packets.push((link, bytes.to_vec()));
        match state.unflushed.iter_mut().find(|(to, _)| *to == link) {
            Some((_, waiting)) => waiting.extend_from_slice(bytes),
            None => state.unflushed.push((link, bytes.to_vec())),
        }
    }

    fn flush(&mut self) {
        self.state().flush(None);
    }

    fn backlog(&self, link: LinkId) -> usize {
        let state = self.state();
        let waiting = state.unflushed.iter().find(|(to, _)| *to == link);
        let waiting = waiting.map_or(0, |(_, bytes)| bytes.len());
        let backlog = state.backlog.get(&link).copied().unwrap_or(0);
        waiting + backlog * state.backlog_factor
    }

    fn close(&mut self, link: LinkId) {
        let mut state = self.state();
        state.flush(Some(link));
        state.wish(Wish::Close { link });
        state.backlog.remove(&link);
    }
}
