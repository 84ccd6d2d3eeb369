//! One client: a session that lasts, writes one after another, and a history of what it was
//! told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::control::{Control, Order};
use super::history::{History, Register};
use crate::client::{Ephemeral, Living, Reply, Request, Roamer, Trouble, code};
use crate::error::{Error, Result};

/// What a session asks for: longer than any server takes to start, in milliseconds.
const TIMEOUT_MS: i32 = 30_000;

/// How long a server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a client looks for a server.
const CONNECT_PATIENCE: Duration = Duration::from_secs(60);

/// Between two signs of life of a client that rests.
const PING: Duration = Duration::from_millis(500);

/// A client keeps this many znodes in the queue and then deletes its oldest.
const KEPT: usize = 100;

/// A client that writes on a thread of its own.
#[derive(Debug)]
pub(super) struct Client {
    roamer: Roamer,
    control: Arc<Control>,
    history: Arc<Mutex<History>>,
    /// The value that is written next.
    next: u64,
    pause: Duration,
}

/// Why a client goes on no more.
enum Stop {
    /// The connection is lost; it goes on with another.
    Lost,
    /// Something that must not be.
    Broken(String),
}

impl Client {
    /// A client that has no session yet.
    pub(super) fn new(
        place: usize,
        living: Arc<Living>,
        control: Arc<Control>,
        pause: Duration,
    ) -> Self {
        Self {
            roamer: Roamer::new(living, place, TIMEOUT_MS, PATIENCE),
            control,
            history: Arc::new(Mutex::new(History::new(place))),
            next: 1,
            pause,
        }
    }

    /// What it was told, to be looked at while it rests.
    pub(super) fn history(&self) -> Arc<Mutex<History>> {
        Arc::clone(&self.history)
    }

    /// Makes the session and its znodes. Servers must be there and stay.
    pub(super) fn begin(&mut self) -> Result<()> {
        let deadline = Instant::now() + CONNECT_PATIENCE;
        self.roamer.connect_until(deadline)?;
        let (register, ephemeral, data) = {
            let mut history = self.told();
            history.session = self.roamer.session.id;
            history.has_ephemeral = true;
            let data = history.data(0);
            (history.register_path(), history.ephemeral_path(), data)
        };
        let create = Request::create(&register, &data, Ephemeral::No);
        self.roamer.call(&create)?.body()?;
        let create = Request::create(&ephemeral, b"", Ephemeral::Yes);
        self.roamer.call(&create)?.body()?;
        Ok(())
    }

    /// Writes until it is told to leave.
    pub(super) fn run(mut self) {
        loop {
            let ran = match self.control.order() {
                Order::Write => self.write(),
                Order::Rest => self.rest(),
                Order::Leave => return self.leave(),
            };
            let ran = match ran {
                Err(Stop::Lost) => self.reconnect(),
                other => other,
            };
            if let Err(stop) = ran {
                let place = self.told().queue_prefix();
                return self.control.broken(format!("{place}: {}", stop.sentence()));
            }
        }
    }

    fn write(&mut self) -> std::result::Result<(), Stop> {
        self.set()?;
        thread::sleep(self.pause);
        self.create()?;
        thread::sleep(self.pause);
        if self.told().queue.len() > KEPT {
            self.delete()?;
        }
        Ok(())
    }

    /// Writes the next value into its own znode, if that has the version of the last time.
    fn set(&mut self) -> std::result::Result<(), Stop> {
        let value = self.take_value();
        let (path, data, old) = {
            let history = self.told();
            (
                history.register_path(),
                history.data(value),
                history.register,
            )
        };
        let new = Register {
            value,
            version: old.version + 1,
        };
        let reply = match self.roamer.call(&Request::set(&path, &data, old.version)) {
            Ok(reply) => reply,
            Err(trouble) => return self.resolve(trouble, new),
        };
        let found = version(&reply).map_err(|what| {
            let expected = old.version;
            Stop::Broken(format!("a write of {path} at version {expected}: {what}"))
        })?;
        if found != new.version {
            let what = format!("a write of {path} led to version {found}, not {new:?}");
            return Err(Stop::Broken(what));
        }
        self.told().register = new;
        self.acknowledged();
        Ok(())
    }

    /// Finds out what became of a write without an answer: it happened, or it never will.
    fn resolve(&mut self, trouble: Trouble, new: Register) -> std::result::Result<(), Stop> {
        self.unanswered();
        let mut lost = stop(trouble);
        loop {
            match lost {
                Stop::Lost => self.reconnect()?,
                broken => return Err(broken),
            }
            match self.look(new) {
                Err(again @ Stop::Lost) => lost = again,
                other => return other,
            }
        }
    }

    fn look(&mut self, new: Register) -> std::result::Result<(), Stop> {
        let (path, old) = {
            let history = self.told();
            (history.register_path(), history.register)
        };
        self.roamer.call(&Request::sync(&path)).map_err(stop)?;
        let reply = self.roamer.call(&Request::get(&path)).map_err(stop)?;
        let (data, version) = read(&reply).map_err(|error| Stop::Broken(error.to_string()))?;
        let found = |register: Register| {
            register.version == version && self.told().data(register.value) == data
        };
        if found(new) {
            self.told().register = new;
        } else if !found(old) {
            let data = String::from_utf8_lossy(&data);
            let what = format!("{path} has `{data}` at version {version} after {old:?}, {new:?}");
            return Err(Stop::Broken(what));
        }
        Ok(())
    }

    /// Puts a znode into the queue, whose number must be higher than all that came before.
    fn create(&mut self) -> std::result::Result<(), Stop> {
        let value = self.take_value();
        let (prefix, data) = {
            let history = self.told();
            (history.queue_prefix(), history.data(value))
        };
        let highest = self.control.highest();
        let reply = match self
            .roamer
            .call(&Request::create_sequential(&prefix, &data))
        {
            Ok(reply) => reply,
            Err(trouble) => {
                self.told().perhaps_created.insert(data);
                self.unanswered();
                return Err(stop(trouble));
            }
        };
        let path = created(&reply).map_err(|error| Stop::Broken(format!("a create: {error}")))?;
        let number = path.strip_prefix(&prefix).and_then(|end| end.parse().ok());
        match number {
            Some(number) if number > highest => self.control.numbered(number),
            _ => {
                let what = format!("{path} was created after number {highest}");
                return Err(Stop::Broken(what));
            }
        }
        self.told().queue.insert(path, data);
        self.acknowledged();
        Ok(())
    }

    /// Takes its oldest znode out of the queue.
    fn delete(&mut self) -> std::result::Result<(), Stop> {
        let Some((path, data)) = self.told().queue.pop_first() else {
            return Ok(());
        };
        match self.roamer.call(&Request::delete(&path)) {
            Ok(reply) if reply.err == 0 => {
                self.acknowledged();
                Ok(())
            }
            Ok(reply) => {
                let what = format!("a delete of {path} failed with error {}", reply.err);
                Err(Stop::Broken(what))
            }
            Err(trouble) => {
                self.told().perhaps_deleted.insert(path, data);
                self.unanswered();
                Err(stop(trouble))
            }
        }
    }

    /// Stays connected until there is another order.
    fn rest(&mut self) -> std::result::Result<(), Stop> {
        self.ping()?;
        self.control.rest();
        let mut pinged = Instant::now();
        while self.control.order() == Order::Rest {
            thread::sleep(self.pause.max(Duration::from_millis(1)));
            if pinged.elapsed() < PING {
                continue;
            }
            match self.ping() {
                Err(Stop::Lost) => self.reconnect()?,
                pinged => pinged?,
            }
            pinged = Instant::now();
        }
        Ok(())
    }

    fn ping(&mut self) -> std::result::Result<(), Stop> {
        self.roamer.call(&Request::ping()).map_err(stop)?;
        Ok(())
    }

    /// Takes the session to another server, and looks whether its znode is still there.
    fn reconnect(&mut self) -> std::result::Result<(), Stop> {
        let deadline = Instant::now() + CONNECT_PATIENCE;
        let path = self.told().ephemeral_path();
        while Instant::now() < deadline {
            let connected = self.roamer.connect_until(deadline);
            connected.map_err(|trouble| match stop(trouble) {
                Stop::Lost => Stop::Broken("no server takes the session".to_owned()),
                broken => broken,
            })?;
            match self.roamer.call(&Request::exists(&path)) {
                Ok(reply) if reply.err == code::NO_NODE => {
                    return Err(Stop::Broken(format!("{path} is gone")));
                }
                Ok(_) => return Ok(()),
                Err(Trouble::Lost(_)) => {}
                Err(trouble) => return Err(stop(trouble)),
            }
        }
        let what = "no server keeps the connection".to_owned();
        Err(Stop::Broken(what))
    }

    fn leave(&mut self) {
        // A session that could not be closed is found by its znode.
        let _ = self.roamer.call(&Request::close());
    }

    fn take_value(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    fn acknowledged(&self) {
        self.told().acknowledged += 1;
        self.control.acknowledge();
    }

    fn unanswered(&self) {
        self.told().unanswered += 1;
    }

    fn told(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stop {
    fn sentence(self) -> String {
        match self {
            Self::Lost => "the connection is lost".to_owned(),
            Self::Broken(what) => what,
        }
    }
}

fn stop(trouble: Trouble) -> Stop {
    match trouble {
        Trouble::Lost(_) => Stop::Lost,
        Trouble::Expired => Stop::Broken("the session was lost".to_owned()),
        Trouble::Wrong(error) => Stop::Broken(error.to_string()),
    }
}

fn version(reply: &Reply) -> Result<i32> {
    if reply.err == code::BAD_VERSION {
        return Err(Error::wrong("it has another version"));
    }
    Ok(reply.body()?.stat()?.version)
}

fn read(reply: &Reply) -> Result<(Vec<u8>, i32)> {
    let mut reader = reply.body()?;
    let data = reader.buffer()?.unwrap_or_default().to_vec();
    Ok((data, reader.stat()?.version))
}

fn created(reply: &Reply) -> Result<String> {
    reply.body()?.text()
}
