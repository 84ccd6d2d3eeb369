//! This server as the leader: what its own clients and its learners want
//! written becomes proposals, it owns the sessions, and it answers its
//! learners' questions.

use super::clients::{Turn, Waiting};
use super::hosting::LearnerLinks;
use super::learning::judge;
use super::local::end_local;
use super::{Over, Peer, PeerConfig, Role, whole_ms};
use crate::metrics::SizeTally;
use crate::pipeline::{Core, Item, Origin, ReconfigRules, Stage, Subject, close_session};
use crate::shared::Shared;
use bytes::Bytes;
use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;
use zk_election::Vote;
use zk_log::LogError;
use zk_proto::mutation::is_back;
use zk_proto::quorum::{ForwardedRequest, Revalidate, SessionTouch};
use zk_proto::{ErrorCode, Id, OpCode, SessionId, Xid, Zxid};
use zk_zab::{Leader, LearnerId, Packet, ProposeError, SyncTicket, Txn};

/// Where the client of a session is (`SessionImpl.owner`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Here,
    At(LearnerId),
}

/// The leader.
pub(super) struct Leading {
    pub(super) vote: Vote,
    pub(super) leader: Leader,
    pub(super) learners: LearnerLinks,
    /// From broadcast on.
    pub(super) core: Option<Core>,
    /// Sessions whose client has been seen by this leader.
    owners: HashMap<SessionId, Owner>,
    /// Payloads of transactions that are not proposed yet, one behind the
    /// other.
    payloads: Vec<u8>,
    staged: Vec<(Zxid, Range<usize>)>,
    /// Whether new members are among what is staged.
    staged_members: bool,
    /// `standaloneEnabled` and `multiAddress.enabled`, for reconfigurations.
    standalone_enabled: bool,
    many_addresses: bool,
    syncs: Vec<SyncTicket>,
}

impl Leading {
    pub(super) fn new(
        now: Duration,
        peer: &PeerConfig,
        own: zk_zab::OwnHistory,
        vote: Vote,
    ) -> Self {
        Self {
            vote,
            leader: Leader::new(now, peer.zab(vote.leader), own),
            learners: LearnerLinks::default(),
            core: None,
            owners: HashMap::new(),
            payloads: Vec::new(),
            staged: Vec::new(),
            staged_members: false,
            standalone_enabled: peer.standalone_enabled,
            many_addresses: peer.many_addresses,
            syncs: Vec::new(),
        }
    }

    pub(super) fn poll_timeout(&self, shared: &Shared) -> Option<Duration> {
        let serves = self.core.is_some();
        let expiry = shared.sessions.next_deadline().filter(|_| serves);
        let streams = self.learners.streams.is_ready().then_some(Duration::ZERO);
        [
            self.leader.poll_timeout(),
            expiry.map(Duration::from_millis),
            streams,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Makes a transaction of a request; what it became.
    fn stage(&mut self, shared: &Shared, subject: &Subject<'_>) -> Stage {
        let Some(core) = &mut self.core else {
            return Stage::Refused(ErrorCode::CONNECTION_LOSS);
        };
        let tree = shared.tree.read();
        let time_ms = shared.clock.wall_ms();
        let payloads = &mut self.payloads;
        let stage = if subject.op == OpCode::RECONFIG {
            let leader = &self.leader;
            let rules = ReconfigRules {
                current: leader.ensemble(),
                in_progress: self.staged_members || leader.next_ensemble().is_some(),
                standalone_enabled: self.standalone_enabled,
                many_addresses: self.many_addresses,
                is_quorum_synced: &|new| leader.is_quorum_synced(new),
            };
            core.stage_reconfig(&tree, subject, time_ms, &rules, payloads)
        } else {
            core.stage(&tree, subject, time_ms, payloads)
        };
        drop(tree);
        if let Stage::Txn(range) = &stage {
            self.staged_members |= is_reconfig(&self.payloads[range.clone()]);
            self.staged.push((core.last_zxid(), range.clone()));
        }
        for quota in core.refused_by_quota() {
            shared.stats.refused_by_quota(&quota.prefix);
        }
        stage
    }

    /// As [`Leading::stage`], and an error becomes a transaction too: the
    /// learner that forwarded the request waits for one.
    fn stage_forwarded(
        &mut self,
        shared: &Shared,
        subject: &Subject<'_>,
        error: Option<ErrorCode>,
    ) {
        let error = match error {
            Some(code) => code,
            None => match self.stage(shared, subject) {
                Stage::Txn(_) => return,
                Stage::Refused(code) | Stage::Auth(code) => code,
                Stage::InOrder => ErrorCode::UNIMPLEMENTED,
            },
        };
        let Some(core) = &mut self.core else {
            return;
        };
        let time_ms = shared.clock.wall_ms();
        let range = core.stage_error(subject, error, time_ms, &mut self.payloads);
        self.staged.push((core.last_zxid(), range));
    }

    /// A request of the server itself.
    pub(super) fn stage_own(&mut self, shared: &Shared, item: &Item, body: &[u8]) {
        Subject::of(item, body, |subject| self.stage(shared, subject));
    }

    /// Whether the session's client is where the request comes from. Who asks
    /// first after an election is believed (`SessionTrackerImpl.checkSession`).
    fn is_owner(&mut self, session: SessionId, owner: Owner) -> bool {
        *self.owners.entry(session).or_insert(owner) == owner
    }

    /// A session of a client of this server becomes one that all know.
    pub(super) fn create_session(&mut self, shared: &Shared, request: &ForwardedRequest<'_>) {
        self.owners.insert(request.session, Owner::Here);
        let subject = Subject::forwarded(request, &[], false);
        self.stage(shared, &subject);
    }

    /// A session that ended is nobody's.
    pub(super) fn forget_session(&mut self, session: SessionId) {
        self.owners.remove(&session);
    }
}

impl Peer {
    /// A client's request at the leader.
    pub(super) fn lead_request(&mut self, now: Duration, item: Item, body: &[u8]) {
        let now_ms = whole_ms(now);
        let Role::Leading(leading) = &mut self.role else {
            return;
        };
        let conn = match &item.origin {
            Origin::Resuming(_) => return self.resume_here(now, item, body),
            Origin::Client(conn) => conn.clone(),
            Origin::Expired(_) | Origin::Server => return,
        };
        let turn = judge(&self.shared, &conn, &item, body).unwrap_or_else(|| {
            if item.op == OpCode::SYNC {
                let ticket = self.clients.ticket(conn.id());
                leading.syncs.push(SyncTicket::Own(ticket));
                return Turn::Sync(ticket);
            }
            if !leading.is_owner(conn.session_id(), Owner::Here) {
                return Turn::Refused(ErrorCode::SESSION_MOVED);
            }
            let stage = Subject::of(&item, body, |subject| leading.stage(&self.shared, subject));
            if item.op == OpCode::CLOSE_SESSION {
                close_session(&item);
            }
            match stage {
                Stage::Txn(_) => Turn::Txn {
                    after: leading.before_last_staged(),
                },
                Stage::InOrder => Turn::InOrder,
                Stage::Refused(code) => Turn::Refused(code),
                Stage::Auth(code) => Turn::Auth(code),
            }
        });
        let keeps_body = matches!(turn, Turn::InOrder | Turn::Sync(_));
        let waiting = Waiting {
            body: if keeps_body {
                body.to_vec()
            } else {
                Vec::new()
            },
            item,
            turn,
        };
        self.clients.put(waiting, now_ms);
    }

    /// A client comes back with its session.
    fn resume_here(&mut self, now: Duration, item: Item, body: &[u8]) {
        let now_ms = whole_ms(now);
        let Origin::Resuming(conn) = &item.origin else {
            return;
        };
        let conn = conn.clone();
        let question = Revalidate::decode_question(body).ok();
        let session = question.and_then(|question| self.resume(question, Owner::Here, now_ms));
        let turn = Turn::Resuming;
        let body = Vec::new();
        self.clients.put(Waiting { item, body, turn }, now_ms);
        self.finish_resume(now, &conn, session);
    }

    fn resume(
        &mut self,
        question: SessionTouch,
        owner: Owner,
        now_ms: u64,
    ) -> Option<std::sync::Arc<crate::session::Session>> {
        let SessionTouch {
            session,
            timeout_ms,
        } = question;
        let known = self.shared.sessions.get(session);
        if owner != Owner::Here && known.is_some_and(|it| it.is_local()) {
            return None;
        }
        let resumed = self.shared.sessions.resume(session, timeout_ms, now_ms);
        if let (Some(_), Role::Leading(leading)) = (&resumed, &mut self.role)
            && !is_back("owner_never_changes")
        {
            leading.owners.insert(session, owner);
        }
        resumed
    }

    /// A learner asks whether a session may go on there.
    pub(super) fn revalidate(&mut self, now: Duration, from: LearnerId, question: SessionTouch) {
        self.shared.stats.metrics.revalidate_count.add(1);
        let session = self.resume(question, Owner::At(from), whole_ms(now));
        if let Role::Leading(leading) = &mut self.role {
            let leader = &mut leading.leader;
            leader.revalidated(from, question.session, session.is_some());
        }
    }

    /// A learner heard from clients.
    pub(super) fn touched(&self, now: Duration, sessions: &[SessionTouch]) {
        for touch in sessions {
            if let Some(session) = self.shared.sessions.get(touch.session) {
                session.touch(whole_ms(now));
            }
        }
    }

    /// A learner forwards a client's request.
    pub(super) fn lead_forwarded(&mut self, now: Duration, from: LearnerId, packet: &Packet) {
        let Role::Leading(leading) = &mut self.role else {
            return;
        };
        let Ok(request) = ForwardedRequest::decode(packet.data()) else {
            tracing::warn!(
                "a learner forwarded {} bytes that hold no request",
                packet.data().len()
            );
            return;
        };
        if request.op == OpCode::SYNC {
            leading.syncs.push(SyncTicket::Of(from));
            return;
        }
        let shared = &self.shared;
        let (session, owner) = (request.session, Owner::At(from));
        if request.op == OpCode::CREATE_SESSION {
            let timeout_ms = timeout_of(&request, shared.settings.max_session_timeout_ms);
            shared.sessions.add(session, timeout_ms, whole_ms(now));
            leading.owners.insert(session, owner);
        }
        let known = shared.sessions.get(session);
        // A session that only its own server knows may do without one here.
        let may_be_local = self.config.local.enabled && session.0 >> 56 != self.config.me.0;
        let is_closing = match &known {
            Some(session) => session.is_closing(),
            None => !may_be_local,
        };
        let moved = known.is_some() && !is_closing && !leading.is_owner(session, owner);
        let nobody: Vec<Id<'static>> = Vec::new();
        let identities = packet.auth.as_ref().unwrap_or(&nobody);
        let subject = Subject::forwarded(&request, identities, is_closing);
        let error = moved.then_some(ErrorCode::SESSION_MOVED);
        leading.stage_forwarded(shared, &subject, error);
        // One that has moved is not the former server's to end: it would end
        // for nobody, and never expire.
        if let (OpCode::CLOSE_SESSION, Some(session), false) = (request.op, known, moved) {
            session.set_closing();
        }
    }

    /// Proposes what was staged, and begins the syncs that came meanwhile,
    /// until nothing more comes of that.
    pub(super) fn propose_staged(&mut self, now: Duration) -> Result<(), LogError> {
        while let Role::Leading(leading) = &mut self.role
            && self.over.is_none()
            && leading.has_staged()
        {
            let sizes = leading.staged_sizes();
            if let Err(reason) = leading.propose_staged(now) {
                self.over = Some(Over::of(reason));
            }
            self.show_proposed(&sizes);
            self.run_role(now)?;
        }
        Ok(())
    }

    /// What a leader does by the clock: pings, limits, sessions that expire.
    pub(super) fn lead_by_clock(&mut self, now: Duration) -> Result<(), LogError> {
        let Role::Leading(leading) = &mut self.role else {
            return Ok(());
        };
        if leading.leader.poll_timeout().is_some_and(|at| now >= at) {
            leading.leader.handle_timeout(now);
        }
        if leading.core.is_some() {
            for session in self.shared.sessions.expire(whole_ms(now)) {
                if session.is_local() {
                    end_local(&self.shared, &session);
                    continue;
                }
                tracing::info!(session = %session.id(), "expiring the session, timeout of {} ms exceeded", session.timeout_ms());
                self.shared.stats.session_expired();
                let item = Item {
                    origin: Origin::Expired(session),
                    xid: Xid(0),
                    op: OpCode::CLOSE_SESSION,
                    body: 0..0,
                    received_ms: whole_ms(now),
                };
                leading.stage_own(&self.shared, &item, &[]);
            }
        }
        self.run_role(now)
    }
}

impl Leading {
    fn has_staged(&self) -> bool {
        !self.staged.is_empty() || !self.syncs.is_empty()
    }

    fn staged_sizes(&self) -> SizeTally {
        let mut sizes = SizeTally::default();
        for (_, range) in &self.staged {
            sizes.add(range.len() as u64);
        }
        sizes
    }

    /// Says why no more can be proposed: zxids were given out that will never
    /// be used, and no later one follows the last that was.
    fn propose_staged(&mut self, now: Duration) -> Result<(), String> {
        let payloads = Bytes::from(std::mem::take(&mut self.payloads));
        self.staged_members = false;
        for (zxid, range) in self.staged.drain(..) {
            let payload = payloads.slice(range);
            propose(&mut self.leader, now, Txn { zxid, payload })
                .map_err(|error| format!("{zxid} cannot be proposed: {error}"))?;
        }
        for ticket in self.syncs.drain(..) {
            self.leader.sync(ticket);
        }
        Ok(())
    }

    fn before_last_staged(&self) -> Zxid {
        self.staged
            .last()
            .map_or(Zxid::ZERO, |(zxid, _)| Zxid(zxid.0 - 1))
    }
}

/// Whether a payload's header says that it changes the members; a reconfig
/// that failed is another transaction.
fn is_reconfig(payload: &[u8]) -> bool {
    const KIND: Range<usize> = 28..32;
    payload.get(KIND) == Some(&OpCode::RECONFIG.0.to_be_bytes())
}

/// Proposes a transaction, which may change the members.
fn propose(leader: &mut Leader, now: Duration, txn: Txn) -> Result<(), ProposeError> {
    match txn.reconfiguration() {
        Ok(Some(members)) => leader.propose_reconfig(now, txn, members),
        _ => leader.propose(now, txn),
    }
}

/// The timeout that a new session asks for, within bounds.
fn timeout_of(request: &ForwardedRequest<'_>, max_ms: i32) -> i32 {
    let bytes = request.body.first_chunk::<4>();
    bytes.map_or(max_ms, |bytes| i32::from_be_bytes(*bytes).max(0))
}
