//! The first bytes of a connection: a four-letter word or a ConnectRequest.

use super::Conn;
use super::task::{Stop, next_frame};
use crate::four_letter::{self, Answer};
use crate::role::ServerRole;
use crate::session::Session;
use crate::shared::Shared;
use std::sync::Arc;
use zk_proto::jute;
use zk_proto::mutation::is_back;
use zk_proto::quorum::{Revalidate, SessionTouch};
use zk_proto::{
    Buffer, ConnectRequest, ConnectResponse, OpCode, PASSWORD_LEN, SessionId, Xid, frame,
    session_password,
};

/// What the first bytes were.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum First {
    /// Not whole yet.
    Incomplete,
    /// A ConnectRequest of so many bytes was handled.
    Done(usize),
}

/// Handles the start of a connection.
pub(super) fn first(shared: &Arc<Shared>, conn: &Arc<Conn>, bytes: &[u8]) -> Result<First, Stop> {
    if let Some(word) = bytes.first_chunk::<4>()
        && four_letter::is_word(*word)
    {
        return four_letter_word(shared, conn, *word, &bytes[4..]);
    }
    if !shared.large.fits_announced(bytes) {
        shared.stats.metrics.large_requests_rejected.add(1);
        return Err(Stop::Close);
    }
    let Some(payload) = next_frame(shared, conn, bytes)? else {
        return Ok(First::Incomplete);
    };
    connect(shared, conn, payload)?;
    Ok(First::Done(payload.len() + 4))
}

fn four_letter_word(
    shared: &Arc<Shared>,
    conn: &Arc<Conn>,
    word: [u8; 4],
    rest: &[u8],
) -> Result<First, Stop> {
    match four_letter::answer(shared, conn, word, rest) {
        Answer::Incomplete => Ok(First::Incomplete),
        Answer::Text(text) => {
            conn.push_bytes(text.as_bytes());
            Err(Stop::CloseAfterFlush)
        }
        Answer::Underway => Err(Stop::Drain),
    }
}

fn connect(shared: &Arc<Shared>, conn: &Arc<Conn>, payload: &[u8]) -> Result<(), Stop> {
    shared.stats.received(1);
    shared.stats.received_bytes(payload.len() as u64 + 4);
    conn.stats
        .received
        .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let Ok(request) = ConnectRequest::decode(payload) else {
        tracing::warn!(client = %conn.remote(), "the first frame is no ConnectRequest: closing the connection");
        return Err(Stop::Close);
    };
    shared.stats.connection_requested();
    conn.set_has_read_only(request.read_only.is_some());
    let role = shared.role.get();
    if !shared.serves_clients() {
        tracing::debug!(client = %conn.remote(), "refusing a client: this server does not serve any");
        return Err(Stop::Close);
    }
    if role == ServerRole::ReadOnly && request.read_only != Some(true) {
        tracing::info!(client = %conn.remote(), "refusing a client that does not only read");
        return Err(Stop::Close);
    }
    let last_zxid = shared.last_zxid();
    if request.last_zxid_seen > last_zxid && !is_back("client_ahead_taken") {
        tracing::info!(
            client = %conn.remote(), session = %request.session_id,
            "refusing a client that has seen zxid {}: the last one here is {last_zxid}",
            request.last_zxid_seen,
        );
        return Err(Stop::Close);
    }
    let timeout_ms = request.timeout_ms.clamp(
        shared.settings.min_session_timeout_ms,
        shared.settings.max_session_timeout_ms,
    );
    if request.session_id == SessionId::NONE {
        open(shared, conn, timeout_ms);
        return Ok(());
    }
    if role == ServerRole::Standalone {
        return resume(shared, conn, &request, timeout_ms);
    }
    ask_to_resume(shared, conn, &request, timeout_ms)
}

/// A new session: its createSession goes through the pipeline, whose answer
/// is the ConnectResponse.
fn open(shared: &Arc<Shared>, conn: &Arc<Conn>, timeout_ms: i32) {
    let id = shared.session_ids.next();
    let session = shared.sessions.add(id, timeout_ms, shared.clock.now_ms());
    conn.bind(session);
    shared.conns.own(id, conn);
    shared.inbox.open().client(
        conn,
        Xid(0),
        OpCode::CREATE_SESSION,
        &timeout_ms.to_be_bytes(),
        shared.clock.now_ms(),
    );
}

/// In an ensemble the leader says whether the session goes on; the pipeline
/// asks it, and its answer is the ConnectResponse.
fn ask_to_resume(
    shared: &Arc<Shared>,
    conn: &Arc<Conn>,
    request: &ConnectRequest<'_>,
    timeout_ms: i32,
) -> Result<(), Stop> {
    if !knows_password(conn, request) {
        return refuse(shared, conn, request);
    }
    let touch = SessionTouch {
        session: request.session_id,
        timeout_ms,
    };
    let body = Revalidate::encode_question(touch);
    let now_ms = shared.clock.now_ms();
    shared.inbox.open().resuming(conn, &body, now_ms);
    shared.stats.metrics.connection_revalidate_count.add(1);
    Ok(())
}

fn knows_password(conn: &Conn, request: &ConnectRequest<'_>) -> bool {
    let password = request.password.map_or(&[][..], |password| password.0);
    let knows = password == session_password(request.session_id);
    if !knows {
        tracing::warn!(client = %conn.remote(), session = %request.session_id, "wrong password for the session");
    }
    knows
}

fn refuse(shared: &Shared, conn: &Conn, request: &ConnectRequest<'_>) -> Result<(), Stop> {
    tracing::info!(client = %conn.remote(), session = %request.session_id, "refusing a session that is unknown or expired");
    let read_only = shared.role.get() == ServerRole::ReadOnly;
    let read_only = request.read_only.map(|_| read_only);
    conn.push(|out| respond(out, None, read_only));
    shared.stats.sent(1);
    Err(Stop::CloseAfterFlush)
}

fn resume(
    shared: &Arc<Shared>,
    conn: &Arc<Conn>,
    request: &ConnectRequest<'_>,
    timeout_ms: i32,
) -> Result<(), Stop> {
    let has_read_only = request.read_only.is_some();
    // The password is checked before anything else happens to the session:
    // who does not know it must not be able to cut its connection.
    let known = knows_password(conn, request).then(|| {
        let now_ms = shared.clock.now_ms();
        shared
            .sessions
            .resume(request.session_id, timeout_ms, now_ms)
    });
    let Some(session) = known.flatten() else {
        return refuse(shared, conn, request);
    };
    conn.bind(session.clone());
    if let Some(older) = shared.conns.own(session.id(), conn)
        && older.id() != conn.id()
    {
        older.close();
    }
    let mut answer = Vec::new();
    respond(&mut answer, Some(&session), has_read_only.then_some(false));
    conn.send(&answer);
    shared.stats.sent(1);
    shared.stats.metrics.connection_revalidate_count.add(1);
    Ok(())
}

/// Appends a ConnectResponse: the session's, or a refusal. It says whether
/// the server only reads if the client knows of such servers.
pub(crate) fn respond(out: &mut Vec<u8>, session: Option<&Session>, read_only: Option<bool>) {
    let id = session.map_or(SessionId::NONE, Session::id);
    let password = match session {
        Some(session) => session_password(session.id()),
        None => [0; PASSWORD_LEN],
    };
    let response = ConnectResponse {
        protocol_version: 0,
        timeout_ms: session.map_or(0, Session::timeout_ms),
        session_id: id,
        password: Some(Buffer(&password)),
        read_only,
    };
    let start = frame::start(out);
    let encoded: Result<(), jute::Error> = response.encode(out);
    encoded.expect("a ConnectResponse of 16 password bytes always encodes");
    frame::finish(out, start);
}
