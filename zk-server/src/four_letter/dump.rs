//! The word `dump`: when sessions and connections expire, and which sessions
//! have ephemerals (`DumpCommand`, `ExpiryQueue.dump`,
//! `LearnerSessionTracker.dumpSessions`).

use super::java::{Address, Date};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use zk_proto::SessionId;

/// What `dump` shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dump {
    /// Those that only this server knows, if there may be any.
    pub(super) local_sessions: Option<ExpirySets<SessionId>>,
    pub(super) sessions: Sessions,
    /// Sessions that have ephemerals, or had some.
    pub(super) ephemerals: Vec<(SessionId, Vec<String>)>,
    pub(super) connections: ExpirySets<ExpiringConnection>,
}

/// What a server knows of sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sessions {
    /// When they expire: who decides that knows.
    Expiring(ExpirySets<SessionId>),
    /// Their timeouts in ms.
    Lasting(BTreeMap<SessionId, i32>),
}

/// What expires together, by the wall clock in ms.
pub(super) type ExpirySets<T> = BTreeMap<i64, Vec<T>>;

/// A connection, which its client must not leave silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ExpiringConnection {
    pub(super) remote: SocketAddr,
    /// 0 without one.
    pub(super) session: SessionId,
}

impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "SessionTracker dump:")?;
        let show = |f: &mut fmt::Formatter<'_>, id: &SessionId| write!(f, "0x{:x}", id.0);
        if let Some(local) = &self.local_sessions {
            sets(f, "Local Session", local, show)?;
        }
        match &self.sessions {
            Sessions::Expiring(sessions) if self.local_sessions.is_some() => {
                sets(f, "Global Session", sessions, show)?;
            }
            Sessions::Expiring(sessions) => sets(f, "Session", sessions, show)?,
            Sessions::Lasting(sessions) => {
                writeln!(f, "Global Sessions({}):", sessions.len())?;
                for (session, timeout_ms) in sessions {
                    writeln!(f, "0x{:x}\t{timeout_ms}ms", session.0)?;
                }
            }
        }
        writeln!(f, "ephemeral nodes dump:")?;
        let count = self.ephemerals.len();
        writeln!(f, "Sessions with Ephemerals ({count}):")?;
        for (session, paths) in &self.ephemerals {
            writeln!(f, "0x{:x}:", session.0)?;
            for path in paths {
                writeln!(f, "\t{path}")?;
            }
        }
        writeln!(f, "Connections dump:")?;
        sets(f, "Connections", &self.connections, |f, of| {
            let (remote, session) = (Address(of.remote), of.session.0);
            write!(f, "ip: {remote} sessionId: 0x{session:x}")
        })
    }
}

fn sets<T>(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    sets: &ExpirySets<T>,
    mut show: impl FnMut(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    let all: usize = sets.values().map(Vec::len).sum();
    writeln!(f, "{what} Sets ({})/({all}):", sets.len())?;
    for (at_ms, members) in sets {
        writeln!(f, "{} expire at {}:", members.len(), Date(*at_ms))?;
        for member in members {
            f.write_char('\t')?;
            show(f, member)?;
            f.write_char('\n')?;
        }
    }
    Ok(())
}
