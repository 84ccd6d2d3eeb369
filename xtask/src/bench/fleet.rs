//! Many sessions on one thread: one epoll, one buffer that all of them read into.
//!
//! The fleet moves bytes and checks answers; what to send next is the business of a [`Load`].
//! After the first moments nothing is allocated and every wake-up costs one read and one write
//! a session, however many requests they carry.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags};
use rustix::time::Timespec;

use super::session::{Kind, PATIENCE, Session};
use super::wire::{self, Answer};
use crate::error::{Error, Result};

/// Sessions that are asked for before the first of them is awaited. A Java server's accept
/// queue holds 50.
const OPENED_TOGETHER: usize = 32;

const INPUT_BYTES: usize = 256 << 10;

/// Events taken from one wait.
const EVENTS: usize = 256;

/// What a benchmark sends and counts.
pub(super) trait Load {
    /// A request was answered, as it must be; more may be sent on the session.
    fn answered(&mut self, session: &mut Session, answered: &Answered<'_>) -> Result<()>;

    /// A watch fired.
    fn notified(&mut self, _now: u64) -> Result<()> {
        Err(Error::wrong("an event where no watch is set"))
    }
}

/// An answered request.
#[derive(Debug)]
pub(super) struct Answered<'a> {
    pub(super) kind: Kind,
    /// When it was sent or should have been.
    pub(super) since: u64,
    /// When its answer was read.
    pub(super) now: u64,
    pub(super) body: &'a [u8],
}

/// Sessions on one server or several.
pub(super) struct Fleet {
    epoll: OwnedFd,
    pub(super) sessions: Vec<Session>,
    events: Vec<epoll::Event>,
    input: Vec<u8>,
    started: Instant,
}

impl Fleet {
    /// Opens that many sessions on a server.
    pub(super) fn connect(server: SocketAddr, count: usize, timeout_ms: i32) -> Result<Self> {
        Self::spread(&[server], count, timeout_ms)
    }

    /// Opens that many sessions, on one server after the other.
    pub(super) fn spread(servers: &[SocketAddr], count: usize, timeout_ms: i32) -> Result<Self> {
        let flags = epoll::CreateFlags::CLOEXEC;
        let mut fleet = Self {
            epoll: epoll::create(flags).map_err(polling)?,
            sessions: Vec::with_capacity(count),
            events: Vec::with_capacity(EVENTS),
            input: vec![0; INPUT_BYTES],
            started: Instant::now(),
        };
        while fleet.sessions.len() < count {
            let batch = OPENED_TOGETHER.min(count - fleet.sessions.len());
            fleet.add(servers, batch, timeout_ms)?;
        }
        Ok(fleet)
    }

    /// Nanoseconds of the fleet's clock.
    pub(super) fn now(&self) -> u64 {
        nanos(self.started.elapsed())
    }

    /// Waits for answers, at most so long, and hands them over.
    pub(super) fn poll(&mut self, wait: Duration, load: &mut impl Load) -> Result<()> {
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        let wait = self.wait_exactly(wait)?;
        let room = rustix::buffer::spare_capacity(&mut events);
        match epoll::wait(&self.epoll, room, Some(&timespec(wait))) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(polling(error)),
        }
        for event in &events {
            let flags = event.flags;
            self.serve(event.data.u64() as usize, flags, load)?;
        }
        self.events = events;
        Ok(())
    }

    /// Waits for the part of a time that epoll, which counts in ms and rounds up, would make
    /// longer, and returns the rest.
    fn wait_exactly(&self, wait: Duration) -> Result<Duration> {
        if wait.subsec_nanos().is_multiple_of(1_000_000) {
            return Ok(wait);
        }
        let mut ready = [PollFd::new(&self.epoll, PollFlags::IN)];
        match rustix::event::poll(&mut ready, Some(&timespec(wait))) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(Duration::ZERO),
            Err(error) => Err(polling(error)),
        }
    }

    /// Sends what is queued on a session.
    pub(super) fn flush(&mut self, index: usize) -> Result<()> {
        let session = &mut self.sessions[index];
        let blocked = session.blocked;
        session.flush()?;
        if session.blocked == blocked {
            return Ok(());
        }
        let writable = if session.blocked {
            EventFlags::OUT
        } else {
            EventFlags::empty()
        };
        let data = EventData::new_u64(index as u64);
        epoll::modify(
            &self.epoll,
            session.stream(),
            data,
            EventFlags::IN | writable,
        )
        .map_err(polling)
    }

    /// Waits until nothing is in flight.
    pub(super) fn drain(&mut self, load: &mut impl Load) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.sessions.iter().any(|session| session.in_flight() > 0) {
            if Instant::now() > deadline {
                return Err(Error::wrong("requests are not answered"));
            }
            self.poll(Duration::from_millis(100), load)?;
        }
        Ok(())
    }

    /// Ends every session, so that none is left to expire during the next measurement.
    pub(super) fn close(mut self) -> Result<()> {
        let frame = wire::close();
        let now = self.now();
        let mut closing = Closing {
            left: self.sessions.len(),
        };
        for index in 0..self.sessions.len() {
            self.sessions[index].send(&frame, Kind::Close, now);
            self.flush(index)?;
        }
        let deadline = Instant::now() + PATIENCE;
        while closing.left > 0 {
            if Instant::now() > deadline {
                return Err(Error::wrong("sessions do not end"));
            }
            self.poll(Duration::from_millis(100), &mut closing)?;
        }
        Ok(())
    }

    fn add(&mut self, servers: &[SocketAddr], count: usize, timeout_ms: i32) -> Result<()> {
        let first = self.sessions.len();
        for at in first..first + count {
            let server = servers[at % servers.len()];
            self.sessions.push(Session::open(server, timeout_ms)?);
        }
        for (at, session) in self.sessions[first..].iter_mut().enumerate() {
            session.establish(timeout_ms)?;
            let data = EventData::new_u64((first + at) as u64);
            epoll::add(&self.epoll, session.stream(), data, EventFlags::IN).map_err(polling)?;
        }
        Ok(())
    }

    fn serve(&mut self, index: usize, flags: EventFlags, load: &mut impl Load) -> Result<()> {
        if flags.contains(EventFlags::OUT) {
            self.flush(index)?;
        }
        if !flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            return Ok(());
        }
        let session = &mut self.sessions[index];
        let Some(filled) = session.read(&mut self.input)? else {
            return Ok(());
        };
        let now = nanos(self.started.elapsed());
        dispatch(session, &self.input[..filled], now, load)?;
        if session.ended() {
            return epoll::delete(&self.epoll, session.stream()).map_err(polling);
        }
        self.flush(index)
    }
}

/// Takes the answers apart and keeps the beginning of one that is not all there.
fn dispatch(session: &mut Session, input: &[u8], now: u64, load: &mut impl Load) -> Result<()> {
    let mut rest = input;
    while let Some((answer, length)) = wire::answer(rest)? {
        rest = &rest[length..];
        if answer.xid == wire::NOTIFICATION_XID {
            load.notified(now)?;
        } else {
            settle(session, &answer, now, load)?;
        }
    }
    session.partial.extend_from_slice(rest);
    Ok(())
}

fn settle(
    session: &mut Session,
    answer: &Answer<'_>,
    now: u64,
    load: &mut impl Load,
) -> Result<()> {
    let waiting = session.settle(answer)?;
    let answered = Answered {
        kind: waiting.kind,
        since: waiting.since,
        now,
        body: answer.body,
    };
    load.answered(session, &answered)
}

/// The end of the sessions: counts those that are left.
struct Closing {
    left: usize,
}

impl Load for Closing {
    fn answered(&mut self, _: &mut Session, answered: &Answered<'_>) -> Result<()> {
        self.left -= usize::from(answered.kind == Kind::Close);
        Ok(())
    }

    fn notified(&mut self, _now: u64) -> Result<()> {
        Ok(())
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn timespec(wait: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(wait.subsec_nanos()),
    }
}

fn polling(error: rustix::io::Errno) -> Error {
    Error::Io {
        what: "cannot poll sockets".to_owned(),
        source: error.into(),
    }
}
